//! The command line of projects: making one, and adding functions to it.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

use super::OutputFormat;

pub(super) const INIT_AFTER_HELP: &str = "\
Makes a Rust project that is a function app: a manifest, a first function with its test, and the SDK's sources, which are not on \
crates.io. At a terminal it asks for what is not said; otherwise, and with --yes, it takes the defaults.

Examples:
  dacapo init trips
      Asks for the names and the template, then makes the app in the folder trips.

  dacapo init trips --yes
      The whole durable starter: an orchestration with its activities, started and followed over HTTP.

  dacapo init trips --template http --name Hello --route hello/{name?}
      One HTTP function.

  dacapo init --empty --sdk ../dacapo
      In the current folder, without a function, with the SDK of a checkout.

  dacapo init trips --sdk-only
      Writes only the SDK's sources anew, after an update of dacapo.

Exit codes:
  0  done
  1  there is something already, or the files cannot be written
  2  the command line is wrong
  3  the function would not fit into the manifest";

pub(super) const NEW_AFTER_HELP: &str = "\
Adds a source file with a test, a line in src/lib.rs, and a section in the manifest, whose comments stay. At a terminal it asks for \
what is not said; otherwise --template and --name have to be there.

Examples:
  dacapo new
      Asks for everything.

  dacapo new --template http --name ShowTrip --route 'trips/{id}' --authlevel anonymous

  dacapo new --template queue --name AcceptTrip --queue-name trip-requests

  dacapo add --template timer --name NightlyReport --schedule '0 0 3 * * *' --manifest trips.toml

Exit codes:
  0  done
  1  there is something of that name already, or the files cannot be written
  2  the command line is wrong, or does not say enough
  3  the manifest or src/lib.rs is not as it has to be, or the function would not fit into it";

pub(super) const TEMPLATES_AFTER_HELP: &str = "\
Examples:
  dacapo templates

  dacapo templates --output json | jq -r '.[].template'

Exit codes:
  0  done
  2  the command line is wrong";

/// What a new function can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    Durable,
    Http,
    Activity,
    Orchestration,
    Queue,
    Timer,
    Entity,
}

impl Template {
    /// Its name on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Template::Durable => "durable",
            Template::Http => "http",
            Template::Activity => "activity",
            Template::Orchestration => "orchestration",
            Template::Queue => "queue",
            Template::Timer => "timer",
            Template::Entity => "entity",
        }
    }
}

/// What a caller of an HTTP function needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyNeeded {
    /// No key
    Anonymous,
    /// A key of the function
    Function,
    /// The master key
    Admin,
}

/// The function to make.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FunctionArguments {
    /// What the function is made from; `dacapo templates` tells more
    #[arg(short, long, value_enum)]
    pub(crate) template: Option<Template>,

    /// The function's name in the manifest
    #[arg(short, long)]
    pub(crate) name: Option<String>,

    /// What callers over HTTP need [default: function]
    #[arg(short, long, value_enum, value_name = "LEVEL")]
    pub(crate) authlevel: Option<KeyNeeded>,

    /// The route of an HTTP function [default: made of the name]
    #[arg(long)]
    pub(crate) route: Option<String>,

    /// The queue of a queue function [default: made of the name]
    #[arg(long, value_name = "QUEUE")]
    pub(crate) queue_name: Option<String>,

    /// When a timer's function runs, as seconds, minutes, hours, days, months, weekdays [default: every five minutes]
    #[arg(long, value_name = "CRON")]
    pub(crate) schedule: Option<String>,
}

/// The project to make.
#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// The project's folder; made if it is not there
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,

    /// The app's name [default: the folder's]
    #[arg(long, value_name = "NAME")]
    pub(crate) app: Option<String>,

    #[command(flatten)]
    pub(crate) function: FunctionArguments,

    /// Make no function
    #[arg(long, conflicts_with_all = ["template", "name", "authlevel", "route", "queue_name", "schedule"])]
    pub(crate) empty: bool,

    /// Use the SDK of a checkout of Dacapo, rather than the sources that this dacapo carries
    #[arg(long, value_name = "CHECKOUT")]
    pub(crate) sdk: Option<PathBuf>,

    /// Write nothing but the SDK's sources, in the place of those that are there
    #[arg(long, conflicts_with_all = ["sdk", "app", "empty", "template", "name", "authlevel", "route", "queue_name", "schedule"])]
    pub(crate) sdk_only: bool,

    /// Ask nothing, and take the defaults
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// Write over files that are there; README.md and local.settings.toml stay as they are even so
    #[arg(long)]
    pub(crate) force: bool,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// The function to add, and where to.
#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    #[command(flatten)]
    pub(crate) function: FunctionArguments,

    /// The manifest; the project is in its folder [default: the one in the current folder]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// The component that the project is built into, where the manifest has several
    #[arg(long, value_name = "NAME")]
    pub(crate) component: Option<String>,

    /// Write over a source file of that name
    #[arg(long)]
    pub(crate) force: bool,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// How to show the templates.
#[derive(Debug, Args)]
pub(crate) struct TemplatesArguments {
    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use expect_test::{Expect, expect};

    use super::super::{Cli, Command};
    use super::*;

    fn check(line: &str, expected: &Expect) {
        let text = match Cli::try_parse_from(line.split_whitespace()) {
            Ok(Cli { command: Command::New(new) }) => {
                let FunctionArguments { template, name, authlevel, route, queue_name, schedule } = new.function;
                let places = (new.manifest, new.component);
                format!("{template:?} {name:?} {authlevel:?} {route:?} {queue_name:?} {schedule:?} {places:?}")
            }
            Ok(Cli { command: Command::Init(init) }) => {
                let InitArguments { folder, app, empty, sdk_only, yes, force, .. } = init;
                format!("{} {app:?} empty {empty} sdk only {sdk_only} yes {yes} force {force}", folder.display())
            }
            Ok(cli) => format!("{:?}", cli.command),
            Err(error) => error.to_string().lines().take(2).collect::<Vec<_>>().join("\n"),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn a_function_is_described_by_flags() {
        check(
            "dacapo new -t http -n Hello -a anonymous --route hello/{name}",
            &expect![[r#"Some(Http) Some("Hello") Some(Anonymous) Some("hello/{name}") None None (None, None)"#]],
        );
        check(
            "dacapo add --template queue --name Take --queue-name orders --manifest app.toml --component main",
            &expect![[r#"Some(Queue) Some("Take") None None Some("orders") None (Some("app.toml"), Some("main"))"#]],
        );
        check("dacapo new", &expect!["None None None None None None (None, None)"]);
        check(
            "dacapo new --template blob",
            &expect![[r#"
                error: invalid value 'blob' for '--template <TEMPLATE>'
                  [possible values: durable, http, activity, orchestration, queue, timer, entity]"#]],
        );
    }

    #[test]
    fn a_project_needs_no_flags() {
        check("dacapo init", &expect![". None empty false sdk only false yes false force false"]);
        check(
            "dacapo init trips --app Trips --empty -y --force",
            &expect![[r#"trips Some("Trips") empty true sdk only false yes true force true"#]],
        );
        check(
            "dacapo init --empty --name Hello",
            &expect!["error: the argument '--empty' cannot be used with '--name <NAME>'\n"],
        );
        check(
            "dacapo init --sdk-only --sdk ../dacapo",
            &expect!["error: the argument '--sdk-only' cannot be used with '--sdk <CHECKOUT>'\n"],
        );
    }
}
