//! `dacapo settings`: the settings of an app, where their values come from and who refers to them; and changes to the file
//! of settings beside the manifest.

mod edit;
mod list;
mod survey;
#[cfg(test)]
mod tests;

use crate::cli::{SettingsArguments, SettingsCommand};
use crate::console::Console;
use crate::exit::Problem;
use crate::settings::Environment;

pub(crate) use self::survey::survey;

/// Runs the command to its end.
///
/// # Errors
/// The manifest or the settings file is wrong or cannot be read; or [`Problem::Wanting`]: a setting is missing.
pub(crate) fn run(arguments: &SettingsArguments, environment: &Environment, console: &Console) -> Result<(), Problem> {
    let listed = |what| list::run(what, environment, console);
    match (&arguments.command, &arguments.list) {
        (Some(SettingsCommand::List(what)), _) | (None, Some(what)) => listed(what),
        (Some(SettingsCommand::Add(what)), _) => edit::add(what, environment, console),
        (Some(SettingsCommand::Delete(what)), _) => edit::delete(what, console),
        (None, None) => Err(Problem::Host(anyhow::anyhow!("name the manifest whose settings are to be shown"))),
    }
}
