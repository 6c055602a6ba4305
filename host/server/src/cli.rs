//! The command line as text: what can be said, its defaults and its help. What it means is in `commands`.

mod operation;
mod setup;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

pub(crate) use self::operation::{HostArguments, InvokeArguments, UsageArguments};
pub(crate) use self::setup::{
    AddSettingArguments, DoctorArguments, ImportArguments, ListSettingsArguments, SettingArguments, SettingsArguments,
    SettingsCommand,
};
use crate::exit;
use crate::settings::Assignment;

/// Azure's local tools listen here too, so that existing clients and bookmarks work.
const DEFAULT_PORT: u16 = 7071;

const ABOUT: &str = "Runs function apps made of WebAssembly components, with durable orchestrations, in one process.";

const START_EXAMPLES: &str = "\
Examples:
  dacapo start function-manifests/conference-booking.toml
      Builds the app, serves it on http://localhost:7071 and keeps its state in
      function-manifests/.dacapo/conference-booking.

  dacapo start app.toml --port 0 --ephemeral
      Any free port, and nothing on disk: for trying things out and for tests.

  dacapo start app.toml --address 0.0.0.0 --data-dir /var/lib/dacapo/app --no-build
      Serves the network from a fixed data folder, with components that were built elsewhere.";

const KEYS_AFTER_HELP: &str = "\
Keys are in the app's data folder, which is found as by `dacapo start`. A host that runs notices a change within a second.
Callers send a key as the header x-functions-key or as ?code=.

Examples:
  dacapo keys list app.toml --show-values
      Every key and its value.

  dacapo keys set app.toml partner --function StartTrip --show-values
      Makes a key that opens one function, and prints its new random value.

  pass show trips/partner | dacapo keys set app.toml partner --value -
      Gives a key of all functions a value of your own, which stays out of the shell's history.

  dacapo keys rotate app.toml _master
      Gives the master key a new value; the old one opens nothing any more.

  dacapo keys delete app.toml partner

Exit codes:
  0  done
  1  the keys cannot be read or written, or there is no such key
  2  the command line is wrong
  3  the manifest is wrong";

const REPLAY_AFTER_HELP: &str = "\
Examples:
  dacapo durable replay trip-1 --manifest function-manifests/conference-booking.toml
      Fetches the history of the instance trip-1 from http://localhost:7071 and replays it on the app as it is built now.

  dacapo durable replay trip-1 --component target/wasm32-wasip2/guest/booking.wasm --url https://host.example
      The same from another host, on one component.

  curl -s http://localhost:7071/runtime/webhooks/durabletask/instances/trip-1/history > trip-1.ndjson
  dacapo durable replay trip-1.ndjson --component booking.wasm --output json
      From a file: one event per line, so that the line of a departure can be looked up.

Exit codes:
  0  the code fits the history
  1  the code departs from it
  2  the command line is wrong, or history or component cannot be read";

/// What the person typed.
#[derive(Debug, Parser)]
#[command(name = "dacapo", version, about = ABOUT, after_help = exit::CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One variant per file under `commands`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build and run a function app until Ctrl+C
    #[command(after_help = START_EXAMPLES)]
    Start(StartArguments),
    /// Show and change the keys that callers of an app need
    #[command(subcommand, after_help = KEYS_AFTER_HELP)]
    Keys(KeysCommand),
    /// Show and change the settings of an app
    #[command(after_help = setup::SETTINGS_AFTER_HELP)]
    Settings(SettingsArguments),
    /// Say what keeps an app from running, or this machine from running apps
    #[command(after_help = setup::DOCTOR_AFTER_HELP)]
    Doctor(DoctorArguments),
    /// Make a manifest of an Azure Functions project
    #[command(after_help = setup::IMPORT_AFTER_HELP)]
    Import(ImportArguments),
    /// Run a function of a running host by hand
    #[command(after_help = operation::INVOKE_AFTER_HELP)]
    Invoke(InvokeArguments),
    /// Show what the functions of a running host have used
    #[command(after_help = operation::USAGE_AFTER_HELP)]
    Usage(UsageArguments),
    /// Work with the instances of a host
    #[command(subcommand)]
    Durable(DurableCommand),
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Show all keys; their values only with --show-values
    List(ListKeysArguments),
    /// Make a key, or give one another value: a random one, or that of --value
    Set(SetKeyArguments),
    /// Give a key that is there a new random value
    Rotate(KeyArguments),
    /// Remove a key; the master key cannot be removed
    Delete(KeyArguments),
}

/// Whose keys, and how to show them.
#[derive(Debug, Args)]
pub(crate) struct KeyedApp {
    /// The app's manifest, a TOML file
    pub(crate) manifest: PathBuf,

    /// The folder of the app's state, if `dacapo start` was given one [default: .dacapo/<app> beside the manifest]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Show values, which let everybody in who reads them
    #[arg(long)]
    pub(crate) show_values: bool,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct ListKeysArguments {
    #[command(flatten)]
    pub(crate) app: KeyedApp,
}

/// Which key.
#[derive(Debug, Args)]
pub(crate) struct KeyArguments {
    #[command(flatten)]
    pub(crate) app: KeyedApp,

    /// The key's name; _master is the master key
    pub(crate) name: String,

    /// A key of this function, instead of one of all functions
    #[arg(long, value_name = "FUNCTION")]
    pub(crate) function: Option<String>,

    /// A system key, instead of one of all functions
    #[arg(long, conflicts_with = "function")]
    pub(crate) system: bool,
}

/// Which key, and its value.
#[derive(Debug, Args)]
pub(crate) struct SetKeyArguments {
    #[command(flatten)]
    pub(crate) key: KeyArguments,

    /// The value; - reads it from standard input. Without it, a random one is made
    #[arg(long)]
    pub(crate) value: Option<String>,
}

/// One variant per file under `commands`.
#[derive(Debug, Subcommand)]
pub(crate) enum DurableCommand {
    /// Say whether code still fits the recorded history of an instance, and where it departs
    #[command(after_help = REPLAY_AFTER_HELP)]
    Replay(ReplayArguments),
}

/// Which history to replay, and on which code.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("code").required(true).multiple(true)))]
pub(crate) struct ReplayArguments {
    /// An instance's id, to be fetched from --url; or a file with a history, as GET instances/{id}/history answers it
    #[arg(value_name = "INSTANCE-ID|FILE")]
    pub(crate) history: String,

    /// The component to replay on, instead of the one that the manifest names
    #[arg(long, value_name = "FILE.wasm", group = "code")]
    pub(crate) component: Option<PathBuf>,

    /// The app to replay on: the orchestrator is looked up in its manifest
    #[arg(long, value_name = "FILE.toml", group = "code")]
    pub(crate) manifest: Option<PathBuf>,

    /// The host that has the instance
    #[arg(long, default_value_t = format!("http://localhost:{DEFAULT_PORT}"))]
    pub(crate) url: String,

    /// The key that this host asks for: its system key durabletask_extension or its master key
    #[arg(long)]
    pub(crate) key: Option<String>,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// Who is to read what a command says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// People
    Text,
    /// Programs
    Json,
}

/// How to run an app.
#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    /// The app's manifest, a TOML file
    pub(crate) manifest: PathBuf,

    /// Port to listen on; 0 takes any free one
    #[arg(short, long, default_value_t = DEFAULT_PORT)]
    pub(crate) port: u16,

    /// When the port is in use, take the next free one above it
    #[arg(long)]
    pub(crate) find_free_port: bool,

    /// IP address to listen on; 0.0.0.0 serves the whole network
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = parse_address)]
    pub(crate) address: IpAddr,

    /// Folder for the app's state [default: .dacapo/<app> beside the manifest]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Keep all state in memory: it ends with the process
    #[arg(long, conflicts_with = "data_dir")]
    pub(crate) ephemeral: bool,

    /// Ask callers for keys on a loopback address too; on any other address they are always asked for
    #[arg(long)]
    pub(crate) enable_auth: bool,

    /// Origins of web pages that may call functions from a browser, with commas between them; '*' for all
    #[arg(long, value_name = "ORIGINS", value_delimiter = ',')]
    pub(crate) cors: Vec<String>,

    /// Let these pages send cookies and other credentials
    #[arg(long, requires = "cors")]
    pub(crate) cors_credentials: bool,

    /// Go without the storage endpoint, where clients of Azure Storage reach the app's queues and tables
    #[arg(long, conflicts_with_all = ["blob_port", "queue_port", "table_port"])]
    pub(crate) no_storage_endpoint: bool,

    /// Port of the storage endpoint for blobs; 0 takes any free one [default: 10000]
    #[arg(long, value_name = "PORT")]
    pub(crate) blob_port: Option<u16>,

    /// Port of the storage endpoint for queues; 0 takes any free one [default: 10001]
    #[arg(long, value_name = "PORT")]
    pub(crate) queue_port: Option<u16>,

    /// Port of the storage endpoint for tables; 0 takes any free one [default: 10002]
    #[arg(long, value_name = "PORT")]
    pub(crate) table_port: Option<u16>,

    /// Let no timer run by its schedule
    #[arg(long)]
    pub(crate) no_timers: bool,

    /// A setting of the app, before the environment and local.settings.toml; others on this machine can see it
    #[arg(long, value_name = "NAME=VALUE", value_parser = Assignment::parse)]
    pub(crate) env: Vec<Assignment>,

    /// Take the components as they are, without running their build commands
    #[arg(long)]
    pub(crate) no_build: bool,

    /// Also log what the host itself does
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

fn parse_address(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    text.parse().map_err(|_| "give an IP address of this machine, such as 127.0.0.1, 0.0.0.0 or ::1".to_owned())
}
