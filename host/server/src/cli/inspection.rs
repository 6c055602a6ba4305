//! The command line of what is asked about an app without running it: building it, its functions and routes; and of what helps
//! to write manifests and command lines.

use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

use super::OutputFormat;
use crate::settings::Assignment;

pub(super) const BUILD_AFTER_HELP: &str = "\
Runs the build command of every component, as `dacapo start` does before it begins. Components that come out of one build share \
its command, which runs once. What the commands say goes to standard error.

Examples:
  dacapo build
      The app whose manifest is in this folder.

  dacapo build function-manifests/*.toml --output json | jq '.builds[] | {components, durationMs}'

Exit codes:
  0  everything is built
  2  the command line is wrong
  3  a build failed, left no component where the manifest says, or the manifest is wrong
  130  stopped by Ctrl+C";

pub(super) const LIST_AFTER_HELP: &str = "\
App settings that are not set here do not matter: what refers to one is shown as the manifest writes it.

Examples:
  dacapo list app.toml
      Every function: what starts it, in which component it is, and whether it is disabled.

  dacapo list --url http://localhost:7071
      Those of a host that runs.

  dacapo list app.toml --output json | jq -r '.functions[] | select(.disabled) | .name'

Exit codes:
  0  done
  2  the command line is wrong, or the host cannot be asked
  3  the manifest is wrong";

pub(super) const ROUTES_AFTER_HELP: &str = "\
The route that stands first wins over all others that match a request, too. Notices tell where Azure, which goes by the \
functions' names, would choose another function.

Examples:
  dacapo routes app.toml

  dacapo routes app.toml --match 'GET /api/trips/rustconf/42'
      Which function this request reaches, and with which parameters.

  dacapo routes app.toml --match '/api/trips?draft=1' --output json | jq -r .function

Exit codes:
  0  done; with --match: the request reaches a function
  1  with --match: it reaches none, or one that is disabled
  2  the command line is wrong
  3  the manifest is wrong";

pub(super) const SCHEMA_AFTER_HELP: &str = "\
Editors complete, explain and check manifests with it.

Examples:
  dacapo schema > app.schema.json
      And as the first line of app.toml, for editors with Taplo, such as VS Code with Even Better TOML, Zed and Helix:
      #:schema ./app.schema.json

  dacapo schema -o app.schema.json
      For all manifests of a project instead of that line, in its .taplo.toml:
      [[rule]]
      include = [\"function-manifests/*.toml\"]
      schema = { path = \"app.schema.json\" }

Exit codes:
  0  done
  1  the file cannot be written
  2  the command line is wrong";

pub(super) const COMPLETIONS_AFTER_HELP: &str = "\
How to install them:
  bash        dacapo completions bash > ~/.local/share/bash-completion/completions/dacapo
  zsh         dacapo completions zsh > ~/.zfunc/_dacapo
              with these lines in ~/.zshrc: fpath+=~/.zfunc; autoload -U compinit; compinit
  fish        dacapo completions fish > ~/.config/fish/completions/dacapo.fish
  PowerShell  dacapo completions powershell >> $PROFILE
  elvish      dacapo completions elvish >> ~/.config/elvish/rc.elv
A new shell has them. Do it again after an update.

Exit codes:
  0  done
  2  the command line is wrong";

/// What to build.
#[derive(Debug, Args)]
pub(crate) struct BuildArguments {
    /// Manifests, TOML files [default: the one in this folder]
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifests: Vec<PathBuf>,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// Which app is looked at, and with which settings.
#[derive(Debug, Args)]
pub(crate) struct InspectedApp {
    /// The app's manifest, a TOML file [default: the one in this folder]
    pub(crate) manifest: Option<PathBuf>,

    /// Take this setting as `dacapo start --env` would
    #[arg(long, value_name = "NAME=VALUE", value_parser = Assignment::parse)]
    pub(crate) env: Vec<Assignment>,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// Whose functions to list.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) app: InspectedApp,

    /// Ask the host that runs there, instead of a manifest
    #[arg(long, conflicts_with_all = ["manifest", "env"])]
    pub(crate) url: Option<String>,

    /// That host's master key, if it asks for keys
    #[arg(long, env = "DACAPO_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
}

/// Whose routes to show.
#[derive(Debug, Args)]
pub(crate) struct RoutesArguments {
    #[command(flatten)]
    pub(crate) app: InspectedApp,

    /// Say which function this request reaches: a method, GET if there is none, and a path or URL
    #[arg(long = "match", value_name = "METHOD PATH")]
    pub(crate) request: Option<String>,
}

/// Where the schema goes.
#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// Write it there, instead of to standard output
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,

    /// How to say it: a schema is JSON in any case
    #[arg(long, value_enum, default_value_t = OutputFormat::Json)]
    pub(crate) output: OutputFormat,
}

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: Shell,

    /// How to say it: JSON has the script as one text
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}
