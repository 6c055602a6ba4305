//! The command line as text: what can be said, its defaults and its help. What it means is in `commands`.

mod deployment;
mod durable;
mod durable_help;
mod inspection;
mod operation;
mod project;
mod serving;
mod setup;
mod storage;
#[cfg(test)]
mod tests;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub(crate) use self::deployment::{AppsCommand, DeployArguments, PackArguments, RemoveAppArguments, RollbackArguments};
pub(crate) use self::durable::{
    DurableCommand, FilterArguments, GetHistoryArguments, GetInstancesArguments, GetRuntimeStatusArguments,
    HubArguments, PurgeHistoryArguments, RaiseEventArguments, ReasonArguments, ReplayArguments, RestartArguments,
    RewindArguments, StartNewArguments, TerminateArguments, WaitArguments, WatchArguments, check_json,
};
pub(crate) use self::inspection::{
    BuildArguments, CompletionsArguments, ListArguments, RoutesArguments, SchemaArguments,
};
pub(crate) use self::operation::{HostArguments, InvokeArguments, LogsArguments, UsageArguments};
pub(crate) use self::project::{
    FunctionArguments, InitArguments, KeyNeeded, NewArguments, Template, TemplatesArguments,
};
pub(crate) use self::serving::{ServeArguments, StartArguments};
pub(crate) use self::setup::{
    AddSettingArguments, DoctorArguments, ImportArguments, ListSettingsArguments, SettingArguments, SettingsArguments,
    SettingsCommand,
};
pub(crate) use self::storage::{
    AccountArguments, DeleteEntityArguments, ListQueuesArguments, PeekArguments, PutEntityArguments,
    PutMessageArguments, QueuesCommand, ShowEntitiesArguments, StorageCommand, TablesCommand, TimeToLive,
};
use crate::exit;

/// Azure's local tools listen here too, so that existing clients and bookmarks work.
pub(crate) const DEFAULT_PORT: u16 = 7071;

const ABOUT: &str = "Runs function apps made of WebAssembly components, with durable orchestrations, in one process.";

const EXAMPLES: &str = "\
Examples:
  dacapo init trips --template http
      Makes a project in the folder trips; without --template it asks.

  cd trips && dacapo start
      Builds it, serves it on http://localhost:7071, and again whenever a file changes.

  dacapo serve --data-dir /var/lib/dacapo --port 8080
      A production host, on its machine.

  dacapo deploy trips --to https://apps.example.com --key \"$MASTER_KEY\"
      Builds the app in the folder trips and sends it there; `dacapo apps rollback` goes back.

`dacapo help <COMMAND>` has examples of each command.";

const KEYS_AFTER_HELP: &str = "\
Keys are in the app's data folder, which is found as by `dacapo start`; those of `dacapo serve` are in the folder that it was given as \
--data-dir, and need no manifest. A host that runs notices a change within a second. \
Callers send a key as the header x-functions-key or as ?code=.

Examples:
  dacapo keys list app.toml --show-values
      Every key and its value.

  dacapo keys list --data-dir /var/lib/dacapo
      The keys of a host that `dacapo serve` runs.

  dacapo keys set app.toml partner --function StartTrip --show-values
      Makes a key that opens one function, and prints its new random value.

  pass show trips/partner | dacapo keys set app.toml partner --value -
      Gives a key of all functions a value of your own, which stays out of the shell's history.

  dacapo keys rotate app.toml _master
      Gives the master key a new value; the old one opens nothing any more.

  dacapo keys rotate --data-dir /var/lib/dacapo default --function StartTrip
      Gives the key of one function that was deployed a new value.

  dacapo keys delete app.toml partner

Exit codes:
  0  done
  1  the keys cannot be read or written, or there is no such key
  2  the command line is wrong
  3  the manifest is wrong";

/// What the person typed.
#[derive(Debug, Parser)]
#[command(name = "dacapo", version, about = ABOUT, after_help = format!("{EXAMPLES}\n\n{}", exit::CODES), arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One variant per file under `commands`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a project that is a function app
    #[command(after_help = project::INIT_AFTER_HELP)]
    Init(InitArguments),
    /// Add a function to a project
    #[command(visible_alias = "add", after_help = project::NEW_AFTER_HELP)]
    New(NewArguments),
    /// List what init and new can make
    #[command(after_help = project::TEMPLATES_AFTER_HELP)]
    Templates(TemplatesArguments),
    /// Build the components of an app
    #[command(after_help = inspection::BUILD_AFTER_HELP)]
    Build(BuildArguments),
    /// Build and run function apps until Ctrl+C, and again whenever their files change
    #[command(after_help = format!("{}\n\n{}", serving::START_AFTER_HELP, exit::CODES))]
    Start(StartArguments),
    /// Pack an app into one file
    #[command(after_help = deployment::PACK_AFTER_HELP)]
    Pack(PackArguments),
    /// Send an app to a host
    #[command(after_help = deployment::DEPLOY_AFTER_HELP)]
    Deploy(DeployArguments),
    /// Look after the apps of a host
    #[command(subcommand, after_help = deployment::APPS_AFTER_HELP)]
    Apps(AppsCommand),
    /// Run a host for apps that are deployed to it, for production
    #[command(after_help = serving::SERVE_AFTER_HELP)]
    Serve(ServeArguments),
    /// Run a function of a running host by hand
    #[command(after_help = operation::INVOKE_AFTER_HELP)]
    Invoke(InvokeArguments),
    /// Work with the instances of a host
    #[command(subcommand, after_help = durable_help::ALL)]
    Durable(DurableCommand),
    /// Look into queues and tables, and change what is in them
    #[command(subcommand, after_help = storage::STORAGE_AFTER_HELP)]
    Storage(StorageCommand),
    /// Show the log of a running host
    #[command(after_help = operation::LOGS_AFTER_HELP)]
    Logs(LogsArguments),
    /// Show what the functions of a running host have used
    #[command(after_help = operation::USAGE_AFTER_HELP)]
    Usage(UsageArguments),
    /// Show the functions of an app
    #[command(after_help = inspection::LIST_AFTER_HELP)]
    List(ListArguments),
    /// Show the routes of an app in the order in which they win
    #[command(after_help = inspection::ROUTES_AFTER_HELP)]
    Routes(RoutesArguments),
    /// Show and change the settings of an app
    #[command(after_help = setup::SETTINGS_AFTER_HELP)]
    Settings(SettingsArguments),
    /// Show and change the keys that callers of an app need
    #[command(subcommand, after_help = KEYS_AFTER_HELP)]
    Keys(KeysCommand),
    /// Say what keeps an app from running, or this machine from running apps
    #[command(after_help = setup::DOCTOR_AFTER_HELP)]
    Doctor(DoctorArguments),
    /// Make a manifest of an Azure Functions project
    #[command(after_help = setup::IMPORT_AFTER_HELP)]
    Import(ImportArguments),
    /// Print the JSON Schema of manifests, for editors
    #[command(after_help = inspection::SCHEMA_AFTER_HELP)]
    Schema(SchemaArguments),
    /// Print what a shell needs to complete commands
    #[command(after_help = inspection::COMPLETIONS_AFTER_HELP)]
    Completions(CompletionsArguments),
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Show all keys; their values only with --show-values
    List(ListKeysArguments),
    /// Make a key, or give one another value: a random one, or that of --value
    #[command(override_usage = "dacapo keys set [OPTIONS] [MANIFEST] <NAME>")]
    Set(SetKeyArguments),
    /// Give a key that is there a new random value
    #[command(override_usage = "dacapo keys rotate [OPTIONS] [MANIFEST] <NAME>")]
    Rotate(KeyArguments),
    /// Remove a key; the master key cannot be removed
    #[command(override_usage = "dacapo keys delete [OPTIONS] [MANIFEST] <NAME>")]
    Delete(KeyArguments),
}

/// Where keys are, and how to show them.
#[derive(Debug, Args)]
pub(crate) struct KeysArguments {
    /// The folder of the state, if `dacapo start` or `dacapo serve` was given one [default: .dacapo/<app> beside the manifest]
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
    /// The app's manifest, a TOML file [default: none with --data-dir, otherwise the only one in this folder]
    pub(crate) manifest: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) keys: KeysArguments,
}

/// Which key.
#[derive(Debug, Args)]
pub(crate) struct KeyArguments {
    // An optional word in front of one that has to be there cannot be said in another way that lets options stand between them.
    /// The app's manifest, as for `keys list`; or, without a second word, the key's name
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifest_or_name: String,

    /// The key's name; _master is the master key
    pub(crate) name: Option<String>,

    #[command(flatten)]
    pub(crate) keys: KeysArguments,

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

/// Who is to read what a command says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// People
    Text,
    /// Programs
    Json,
}
