//! How the process ends: the kinds of failure that a script can tell apart, and their exit codes.

use std::process::ExitCode;

use crate::console::Console;

/// For `--help`; [`Problem`] decides.
pub(crate) const CODES: &str = "\
Exit codes:
  0    done, or stopped after everything that ran was finished
  1    the host could not do it: port or data folder in use, disk trouble, unfinished work
  2    the command line is wrong
  3    the manifest or the app is wrong: fix it and start again
  130  stopped at once by a second Ctrl+C

Logs follow RUST_LOG when it is set; NO_COLOR switches colours off.";

const HOST_FAILED: u8 = 1;
const DEPARTS: u8 = 1;
const WANTING: u8 = 1;
/// As for a wrong command line: a script that asks a question got no answer.
const NO_ANSWER: u8 = 2;
const APP_IS_WRONG: u8 = 3;
/// What shells report for a process that Ctrl+C ended.
const ABORTED: i32 = 130;
const INTERRUPTED: u8 = 130;

/// Why a command ended before its work was done.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The manifest or the components are wrong; only their author can help.
    App(anyhow::Error),
    /// The machine, the store or the host itself.
    Host(anyhow::Error),
    /// A person asked twice.
    Aborted,
    /// A person stopped looking on; nothing else stops.
    Interrupted,
    /// The code departs from a history; that has been said.
    Departs,
    /// The question whether it does has no answer.
    NoAnswer(anyhow::Error),
    /// Something that a command was to look at is not as it has to be; that has been said.
    Wanting,
}

impl Problem {
    /// What is wrong, for a command to which all kinds are one.
    pub(crate) fn into_error(self) -> anyhow::Error {
        match self {
            Problem::App(error) | Problem::Host(error) | Problem::NoAnswer(error) => error,
            Problem::Aborted | Problem::Interrupted => anyhow::anyhow!("it was stopped"),
            Problem::Wanting => anyhow::anyhow!("something is not as it has to be"),
            Problem::Departs => anyhow::anyhow!("the code departs from the history"),
        }
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Problem {
        Problem::Host(error)
    }
}

/// Prints what went wrong, if anything, and gives the process its exit code.
pub(crate) fn finish(outcome: Result<(), Problem>, console: &Console) -> ExitCode {
    let code = match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Problem::App(error)) => {
            console.error(&error);
            ExitCode::from(APP_IS_WRONG)
        }
        Err(Problem::Host(error)) => {
            console.error(&error);
            ExitCode::from(HOST_FAILED)
        }
        Err(Problem::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(Problem::Departs) => ExitCode::from(DEPARTS),
        Err(Problem::Wanting) => ExitCode::from(WANTING),
        Err(Problem::NoAnswer(error)) => {
            console.error(&error);
            ExitCode::from(NO_ANSWER)
        }
        Err(Problem::Aborted) => {
            console.notice("Stopped at once; unfinished work goes on at the next start.");
            // Not a return: the person does not want to wait for anything that a destructor might wait for. The store is
            // made to survive exactly this.
            console.finish();
            std::process::exit(ABORTED)
        }
    };
    console.finish();
    code
}
