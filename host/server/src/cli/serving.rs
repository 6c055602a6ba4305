//! The command line of what serves apps: from manifests while they are developed, or as they are deployed.

use clap::Args;
use clap::builder::BoolishValueParser;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::DEFAULT_PORT;
use crate::console;
use crate::settings::Assignment;

pub(super) const START_AFTER_HELP: &str = "\
Examples:
  dacapo start function-manifests/conference-booking.toml
      Builds the app, serves it on http://localhost:7071 and keeps its state in \
      function-manifests/.dacapo/conference-booking. Whenever a source, the manifest or local.settings.toml changes, the app is \
      built and swapped while it runs; requests that have begun end on the code before.

  dacapo start trips.toml hotels.toml
      Both apps in one host, each with its own state. Their functions, routes and task hubs must differ.

  dacapo start app.toml --port 0 --ephemeral
      Any free port, and nothing on disk: for trying things out and for tests.

  dacapo start --bundle trips-1.0.0.dacapo
      What `dacapo pack` has made, as it would be deployed.

  dacapo start app.toml --address 0.0.0.0 --data-dir /var/lib/dacapo/app --no-build --no-watch
      Serves the network from a fixed data folder, with components that were built elsewhere. See also `dacapo serve`.";

pub(super) const SERVE_AFTER_HELP: &str = "\
Serves the apps that are deployed with `dacapo deploy`, and takes deploys while it runs. Keys are always asked for; they are made \
at the first start: `dacapo keys list --data-dir <FOLDER> --show-values`. There is no storage endpoint: queues and tables are those of \
functions, or in the account of a connection string.

Each option can be given as DACAPO_<OPTION> too (DACAPO_DATA_DIR, DACAPO_PORT, ...), and in the file of --config:

  port = 8080
  address = \"0.0.0.0\"
  dataDir = \"/var/lib/dacapo\"

  [logging.logLevel]            # as [host.logging.logLevel] of a manifest
  default = \"Warning\"

  [values]                      # settings of all apps
  TRIPS_QUEUE = \"trip-requests\"

  [apps.conference-booking.values]
  BookingStorage = \"DefaultEndpointsProtocol=https;...\"

The command line wins over the environment, and that over the file. Settings of apps come from the environment of the host, then \
from their own values, then from those of all apps.

Examples:
  dacapo serve --data-dir /var/lib/dacapo --port 8080
      On this machine alone.

  dacapo serve --data-dir /var/lib/dacapo --address 0.0.0.0 --config /etc/dacapo.toml

Exit codes:
  0    stopped after everything that ran was finished
  1    the host could not do it: port or data folder in use, disk trouble, unfinished work
  2    the command line or the config file is wrong
  130  stopped at once by a second Ctrl+C";

/// How to run apps.
#[derive(Debug, Clone, Args)]
pub(crate) struct StartArguments {
    /// The manifests of the apps, TOML files [default: the only one in this folder]
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifests: Vec<PathBuf>,

    /// Run an app from a bundle, without building or watching anything
    #[arg(long, value_name = "FILE", conflicts_with = "manifests")]
    pub(crate) bundle: Option<PathBuf>,

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

    /// Take the components as they are, without running their build commands; they are watched all the same
    #[arg(long)]
    pub(crate) no_build: bool,

    /// Do not look for changes of manifests, settings, sources and components
    #[arg(long)]
    pub(crate) no_watch: bool,

    /// After a change, let instances that have begun go on with the new code, if it fits what they have done so far; otherwise
    /// each stays on the code that it began with
    #[arg(long)]
    pub(crate) move_instances: bool,

    /// Also log what the host itself does
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// How to tell what happens [default: compact at a terminal, plain elsewhere]
    #[arg(long, value_enum)]
    pub(crate) output: Option<console::Mode>,

    /// Also write plain lines into this file, behind what is there
    #[arg(long, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,
}

/// How to run a host for deployed apps.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServeArguments {
    /// Folder for the state of the host and of all its apps
    #[arg(long, value_name = "FOLDER", env = "DACAPO_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Port to listen on; 0 takes any free one [default: 7071]
    #[arg(short, long, env = "DACAPO_PORT")]
    pub(crate) port: Option<u16>,

    /// IP address to listen on; 0.0.0.0 serves the whole network [default: 127.0.0.1]
    #[arg(long, value_parser = parse_address, env = "DACAPO_ADDRESS")]
    pub(crate) address: Option<IpAddr>,

    /// A TOML file with any of these options, and with settings of apps
    #[arg(long, value_name = "FILE", env = "DACAPO_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// Let no timer run by its schedule
    #[arg(long, env = "DACAPO_NO_TIMERS", value_parser = BoolishValueParser::new())]
    pub(crate) no_timers: bool,

    /// Also log what the host itself does
    #[arg(short, long, env = "DACAPO_VERBOSE", value_parser = BoolishValueParser::new())]
    pub(crate) verbose: bool,

    /// How to tell what happens [default: compact at a terminal, plain elsewhere]
    #[arg(long, value_enum, env = "DACAPO_OUTPUT")]
    pub(crate) output: Option<console::Mode>,

    /// Also write plain lines into this file, behind what is there
    #[arg(long, value_name = "FILE", env = "DACAPO_LOG_FILE")]
    pub(crate) log_file: Option<PathBuf>,
}

fn parse_address(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    text.parse().map_err(|_| "give an IP address of this machine, such as 127.0.0.1, 0.0.0.0 or ::1".to_owned())
}
