//! The command line of what is asked before an app runs: its settings, whether all is in place, and where it comes from.

use clap::{Args, Subcommand};
use std::path::PathBuf;

use super::{DEFAULT_PORT, OutputFormat};
use crate::settings::Assignment;

pub(super) const SETTINGS_AFTER_HELP: &str = "\
A setting's value comes from --env, else from the environment, else from local.settings.toml beside the manifest. \
Functions find settings in their environment; a manifest names them as %NAME%, as connections, and to disable functions.

Examples:
  dacapo settings app.toml
      Every setting of the app: where its value comes from, who refers to it, and which are missing.

  dacapo settings add app.toml TRIPS_QUEUE trip-requests
      Writes it into local.settings.toml, which nobody else can read afterwards.

  pass show trips/storage | dacapo settings add app.toml TripStorage
      Takes the value from standard input, so that it stays out of the shell's history.

  dacapo settings delete app.toml TRIPS_QUEUE

Exit codes:
  0  done; all settings that the manifest refers to are there
  1  one is missing or leads nowhere, there is none to delete, or the file cannot be written
  2  the command line is wrong
  3  the manifest or local.settings.toml is wrong";

pub(super) const DOCTOR_AFTER_HELP: &str = "\
Looks at the toolchain, the manifest, its settings, its components and the functions in them, what can be watched, the ports, the \
data folder and the keys. It asks nobody over the network, and changes nothing but the cache of compiled components.

Examples:
  dacapo doctor
      Whether this machine is ready for apps.

  dacapo doctor app.toml
      Whether this app would start, and what is likely to go wrong.

  dacapo doctor app.toml --output json | jq -r '.findings[] | select(.level == \"problem\") | .what'

Exit codes:
  0  no problems; there may be warnings
  1  at least one problem
  2  the command line is wrong";

pub(super) const IMPORT_AFTER_HELP: &str = "\
Reads host.json, the function.json of each folder and local.settings.json, and changes none of them. What has no counterpart \
is told, with what to do about it.

Examples:
  dacapo import ../trips
      Writes ../trips/app.toml, and ../trips/local.settings.toml if the project has local settings.

  dacapo import ../trips -o function-manifests/trips.toml --force
      Writes elsewhere, also over files that are there.

Exit codes:
  0  written; read the notes
  1  a file is there already or cannot be written
  2  the command line is wrong
  3  the project cannot be read";

/// `dacapo settings app.toml` lists; words before the manifest do something else.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct SettingsArguments {
    #[command(subcommand)]
    pub(crate) command: Option<SettingsCommand>,

    #[command(flatten)]
    pub(crate) list: Option<ListSettingsArguments>,
}

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Show all settings; their values only with --show-values
    List(ListSettingsArguments),
    /// Write a setting into local.settings.toml, in the place of the one that may be there
    Add(AddSettingArguments),
    /// Remove a setting from local.settings.toml
    Delete(SettingArguments),
}

/// Whose settings, and how to show them.
#[derive(Debug, Args)]
pub(crate) struct ListSettingsArguments {
    /// The app's manifest, a TOML file
    #[arg(required = true)]
    pub(crate) manifest: PathBuf,

    /// Take this setting as `dacapo start --env` would
    #[arg(long, value_name = "NAME=VALUE", value_parser = Assignment::parse)]
    pub(crate) env: Vec<Assignment>,

    /// Show values, which may be secrets
    #[arg(long)]
    pub(crate) show_values: bool,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// Which setting.
#[derive(Debug, Args)]
pub(crate) struct SettingArguments {
    /// The app's manifest; local.settings.toml is beside it
    pub(crate) manifest: PathBuf,

    /// The setting's name; upper and lower case make a difference
    #[arg(value_parser = parse_name)]
    pub(crate) name: String,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// Which setting, and its value.
#[derive(Debug, Args)]
pub(crate) struct AddSettingArguments {
    #[command(flatten)]
    pub(crate) setting: SettingArguments,

    /// The value; - reads it from standard input, and so does leaving it out
    #[arg(allow_hyphen_values = true)]
    pub(crate) value: Option<String>,
}

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The app's manifest; without one only the machine is looked at
    pub(crate) manifest: Option<PathBuf>,

    /// The port that the app is to listen on
    #[arg(short, long, default_value_t = DEFAULT_PORT)]
    pub(crate) port: u16,

    /// The folder of the app's state, if `dacapo start` is given one [default: .dacapo/<app> beside the manifest]
    #[arg(long, value_name = "FOLDER", requires = "manifest")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Take this setting as `dacapo start --env` would
    #[arg(long, value_name = "NAME=VALUE", value_parser = Assignment::parse)]
    pub(crate) env: Vec<Assignment>,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

/// What to import, and where to.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The folder of an Azure Functions project: the one with host.json
    pub(crate) folder: PathBuf,

    /// The manifest to write; local.settings.toml is written beside it [default: app.toml in the project's folder]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,

    /// Write over files that are there
    #[arg(long)]
    pub(crate) force: bool,

    /// How to say it
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(crate) output: OutputFormat,
}

fn parse_name(text: &str) -> Result<String, String> {
    crate::settings::check_name(text).map(|()| text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};
    use expect_test::{Expect, expect};

    use super::super::Cli;

    fn check(line: &str, expected: &Expect) {
        let text = match Cli::try_parse_from(line.split_whitespace()) {
            Ok(cli) => format!("{:?}", cli.command),
            Err(error) => error.to_string().lines().take(3).collect::<Vec<_>>().join("\n"),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn the_command_line_makes_sense_to_clap() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_manifest_alone_means_its_settings() {
        check(
            "dacapo settings app.toml --show-values --env A=b=c",
            &expect![[
                r#"Settings(SettingsArguments { command: None, list: Some(ListSettingsArguments { manifest: "app.toml", env: [Assignment { name: "A", value: "b=c" }], show_values: true, output: Text }) })"#
            ]],
        );
        check(
            "dacapo settings list app.toml",
            &expect![[
                r#"Settings(SettingsArguments { command: Some(List(ListSettingsArguments { manifest: "app.toml", env: [], show_values: false, output: Text })), list: None })"#
            ]],
        );
        check(
            "dacapo settings add app.toml A -1",
            &expect![[
                r#"Settings(SettingsArguments { command: Some(Add(AddSettingArguments { setting: SettingArguments { manifest: "app.toml", name: "A", output: Text }, value: Some("-1") })), list: None })"#
            ]],
        );
        check(
            "dacapo settings add app.toml A -",
            &expect![[
                r#"Settings(SettingsArguments { command: Some(Add(AddSettingArguments { setting: SettingArguments { manifest: "app.toml", name: "A", output: Text }, value: Some("-") })), list: None })"#
            ]],
        );
        check(
            "dacapo settings add app.toml A=b",
            &expect![[r#"
            error: invalid value 'A=b' for '<NAME>': the name of a setting cannot have a '=' in it

            For more information, try '--help'."#]],
        );
        check(
            "dacapo settings delete app.toml A --output json",
            &expect![[
                r#"Settings(SettingsArguments { command: Some(Delete(SettingArguments { manifest: "app.toml", name: "A", output: Json })), list: None })"#
            ]],
        );
        check(
            "dacapo settings",
            &expect![[r#"
            error: the following required arguments were not provided:
              <MANIFEST>
        "#]],
        );
        check(
            "dacapo settings app.toml --env secret",
            &expect![[r#"
            error: invalid value 'secret' for '--env <NAME=VALUE>': write it as NAME=VALUE

            For more information, try '--help'."#]],
        );
    }

    #[test]
    fn the_doctor_needs_no_manifest() {
        check(
            "dacapo doctor",
            &expect!["Doctor(DoctorArguments { manifest: None, port: 7071, data_dir: None, env: [], output: Text })"],
        );
        check(
            "dacapo doctor --data-dir data",
            &expect![[r#"
            error: the following required arguments were not provided:
              <MANIFEST>
        "#]],
        );
        check(
            "dacapo import trips -o app.toml --force",
            &expect![[
                r#"Import(ImportArguments { folder: "trips", to: Some("app.toml"), force: true, output: Text })"#
            ]],
        );
    }
}
