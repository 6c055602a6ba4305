//! `dacapo durable`: everything that can be done with instances, over the management API of a host that runs.

mod events;
mod hub;
mod instance;
mod list;
mod paint;
mod purge;
mod replay;
mod show;
mod start;
mod steer;
mod timeline;
mod watch;

#[cfg(test)]
mod tests;

use self::paint::{Look, harmless_json};
use crate::cli::{DurableCommand, OutputFormat};
use crate::console::Console;
use crate::exit::Problem;
use crate::settings::Environment;

/// How wide lines are where nobody says.
const DEFAULT_WIDTH: usize = 80;
/// How many lines a terminal has that does not say.
const DEFAULT_HEIGHT: usize = 24;

/// What there is to say.
#[derive(Debug)]
struct Said {
    text: String,
    /// Whether what was asked for came about.
    is_well: bool,
}

impl Said {
    fn well(text: String) -> Said {
        Said { text, is_well: true }
    }
}

/// Runs a command to its end.
///
/// # Errors
/// [`Problem::Host`] when the host refuses it, [`Problem::Wanting`] when an instance did not complete and that was said,
/// [`Problem::NoAnswer`] when the host cannot be asked.
pub(crate) fn run(command: &DurableCommand, environment: &Environment, console: &Console) -> Result<(), Problem> {
    if let DurableCommand::Replay(arguments) = command {
        return replay::run(arguments, environment, console);
    }
    let look = look(environment, console);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::NoAnswer(error.into()))?;
    let said = runtime.block_on(answer(command, look, &mut |text| console.draw(text)))?;
    if !said.text.is_empty() {
        console.draw(&format!("{}\n", said.text));
    }
    if said.is_well { Ok(()) } else { Err(Problem::Wanting) }
}

fn look(environment: &Environment, console: &Console) -> Look {
    let size = console.terminal_size();
    let (width, height) = size.unwrap_or((environment.columns().unwrap_or(DEFAULT_WIDTH), DEFAULT_HEIGHT));
    Look { colours: console.colours_on_output(), terminal: console.is_terminal(), width, height }
}

/// Runs a command; what there is to say before its end is drawn.
async fn answer(command: &DurableCommand, look: Look, draw: &mut dyn FnMut(&str)) -> Result<Said, Problem> {
    match command {
        DurableCommand::StartNew(arguments) => start::start(arguments, look, draw).await,
        DurableCommand::Restart(arguments) => start::restart(arguments, look, draw).await,
        DurableCommand::GetInstances(arguments) => list::list(arguments, look).await,
        DurableCommand::GetRuntimeStatus(arguments) => show::status(arguments, look).await,
        DurableCommand::GetHistory(arguments) => show::history(arguments, look).await,
        DurableCommand::RaiseEvent(arguments) => steer::raise_event(arguments).await,
        DurableCommand::Terminate(arguments) => steer::terminate(arguments).await,
        DurableCommand::Suspend(arguments) => steer::suspend(arguments).await,
        DurableCommand::Resume(arguments) => steer::resume(arguments).await,
        DurableCommand::Rewind(arguments) => steer::rewind(arguments).await,
        DurableCommand::PurgeHistory(arguments) => {
            if purge::is_confirmed(arguments, look)? {
                purge::purge(arguments).await
            } else {
                Ok(Said { text: "Nothing was purged.".to_owned(), is_well: false })
            }
        }
        DurableCommand::Watch(arguments) => watch::watch(arguments, look, draw).await,
        // It runs without a host, too, and on a runtime of its own.
        DurableCommand::Replay(_) => Ok(Said::well(String::new())),
    }
}

/// JSON of a host as it is said: byte for byte into a file, and escaped where a terminal would obey it.
fn json(text: &str, look: Look) -> String {
    let text = text.trim_end();
    if look.terminal { harmless_json(text) } else { text.to_owned() }
}

/// What was done, for people or for programs.
fn done(output: OutputFormat, text: String, json: &serde_json::Value) -> Said {
    Said::well(match output {
        OutputFormat::Text => text,
        OutputFormat::Json => json.to_string(),
    })
}
