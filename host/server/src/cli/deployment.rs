//! The command line of bundles and of what is deployed: packing an app, sending it to a host, and looking after it there.

use clap::{Args, Subcommand};
use std::path::PathBuf;

use super::{DEFAULT_PORT, HostArguments, OutputFormat};

pub(super) const PACK_AFTER_HELP: &str = "\
Writes one file with the manifest, the components and their checksums: the same content gives the same bytes. App settings are \
not in it, nor is local.settings.toml: the host has its own. A manifest with a connection string written into it is refused.

Examples:
  dacapo pack app.toml
      Builds the app and writes trips-1.0.0.dacapo, after its name and version.

  dacapo pack app.toml -o build/trips.dacapo --no-build --output json
      Packs components that were built elsewhere.

Exit codes:
  0  written
  1  the file cannot be written
  2  the command line is wrong
  3  the manifest or a component is wrong, or a build failed";

pub(super) const DEPLOY_AFTER_HELP: &str = "\
Sends an app to a host that was started with `dacapo serve`. The host checks everything first, and switches in one step; \
whatever is refused changes nothing. Instances that run finish on the version that they began on.

Examples:
  dacapo deploy app.toml --to https://apps.example.com --key \"$MASTER_KEY\"
      Builds and packs the app, and sends it.

  dacapo deploy trips-1.0.0.dacapo --to http://localhost:8080
      Sends a bundle; the key is taken from DACAPO_KEY.

  dacapo deploy . --force
      The app of this folder, although instances depart from its new code (versioning = \"latest\").

Exit codes:
  0  deployed
  1  the host has refused it
  2  the command line is wrong, or there is no answer: `dacapo apps list` shows what came of it
  3  the manifest, a component or the bundle is wrong, or a build failed";

pub(super) const APPS_AFTER_HELP: &str = "\
Examples:
  dacapo apps list --url https://apps.example.com --key \"$MASTER_KEY\"
      Every app of the host.

  dacapo apps show trips
      Its versions, which of them are alive and why, and what was deployed.

  dacapo apps rollback trips
      Back to the deployment before. Doing it twice leads further back.

  dacapo apps remove trips --force --yes
      Takes the app off the host, also if instances of it are running.

Exit codes:
  0  done
  1  the host has refused it, or there is no such app
  2  the command line is wrong, or the host cannot be asked";

/// What to pack, and where to.
#[derive(Debug, Args)]
pub(crate) struct PackArguments {
    /// The app's manifest [default: the only one in this folder]
    pub(crate) manifest: Option<PathBuf>,

    /// The bundle to write, or the folder to write it into [default: <app>-<version>.dacapo]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,

    /// Take the components as they are, without running their build commands
    #[arg(long)]
    pub(crate) no_build: bool,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// What to deploy, and where to.
#[derive(Debug, Args)]
pub(crate) struct DeployArguments {
    /// A bundle, a manifest, or a folder with one
    #[arg(value_name = "BUNDLE|MANIFEST|FOLDER")]
    pub(crate) source: PathBuf,

    /// The host
    #[arg(long, visible_alias = "url", value_name = "URL", env = "DACAPO_URL", default_value_t = format!("http://localhost:{DEFAULT_PORT}"))]
    pub(crate) to: String,

    /// The host's master key
    #[arg(long, env = "DACAPO_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,

    /// Deploy although running instances depart from the new code
    #[arg(long)]
    pub(crate) force: bool,

    /// Take the components as they are, without running their build commands
    #[arg(long)]
    pub(crate) no_build: bool,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// What to do with the apps of a host.
#[derive(Debug, Subcommand)]
pub(crate) enum AppsCommand {
    /// Show the apps of a host
    List(ListAppsArguments),
    /// Show one app: its versions, which are alive and why, and what was deployed
    Show(ShowAppArguments),
    /// Serve a deployment from before again
    Rollback(RollbackArguments),
    /// Take an app off the host
    Remove(RemoveAppArguments),
}

/// Whose apps.
#[derive(Debug, Args)]
pub(crate) struct ListAppsArguments {
    #[command(flatten)]
    pub(crate) host: HostArguments,
}

/// Which app.
#[derive(Debug, Args)]
pub(crate) struct ShowAppArguments {
    /// The app's name
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) host: HostArguments,
}

/// Where to go back to.
#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    /// The app's name
    pub(crate) name: String,

    /// The digest of the bundle, or its beginning [default: the deployment before]
    #[arg(long, value_name = "DIGEST")]
    pub(crate) to: Option<String>,

    /// Go back although running instances depart from that code
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) host: HostArguments,
}

/// What to remove.
#[derive(Debug, Args)]
pub(crate) struct RemoveAppArguments {
    /// The app's name
    pub(crate) name: String,

    /// Remove it although instances of it are running
    #[arg(long)]
    pub(crate) force: bool,

    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) host: HostArguments,
}
