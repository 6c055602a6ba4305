//! The command line as text: what can be said, its defaults and its help. What it means is in `commands`.

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::exit;

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
    /// Work with the instances of a host
    #[command(subcommand)]
    Durable(DurableCommand),
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
