//! Asking a person at a terminal: lists to choose from and lines to type. Questions go to standard error, so that what a command
//! prints stays clean.

use anyhow::{Context, anyhow};
use dialoguer::console::Term;
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Input, Select};
use std::io::{self, IsTerminal};
use tokio::runtime::Runtime;

use crate::exit::Problem;

/// Somebody who answers questions.
pub(crate) struct Person {
    terminal: Term,
    theme: ColorfulTheme,
    /// Listens for Ctrl+C as long as there are questions.
    _interrupts: Runtime,
}

impl Person {
    /// Whoever sits at the terminal; none where nobody could see a question or answer it.
    ///
    /// # Errors
    /// The system refuses what it takes to listen for Ctrl+C.
    pub(crate) fn at_terminal() -> Result<Option<Person>, Problem> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(None);
        }
        let interrupts = without_sudden_death().context("listening for Ctrl+C").map_err(Problem::Host)?;
        Ok(Some(Person { terminal: Term::stderr(), theme: ColorfulTheme::default(), _interrupts: interrupts }))
    }

    /// One of a list, by its index.
    ///
    /// # Errors
    /// The person wants no more questions.
    pub(crate) fn choose(&self, what: &str, items: &[String]) -> Result<usize, Problem> {
        let question = Select::with_theme(&self.theme).with_prompt(what).items(items).default(0);
        let chosen = question.interact_on_opt(&self.terminal);
        self.answer(chosen)?.ok_or_else(stopped)
    }

    /// A line that holds.
    ///
    /// # Errors
    /// The person wants no more questions.
    pub(crate) fn line(
        &self,
        what: &str,
        default: Option<String>,
        holds: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String, Problem> {
        let check = |line: &String| holds(line);
        let mut question = Input::<String>::with_theme(&self.theme).with_prompt(what).validate_with(check);
        if let Some(default) = default {
            question = question.default(default);
        }
        let typed = question.interact_text_on(&self.terminal);
        self.answer(typed)
    }

    fn answer<T>(&self, answered: dialoguer::Result<T>) -> Result<T, Problem> {
        answered.map_err(|dialoguer::Error::IO(error)| {
            // A list hides it and a question that ends in the middle leaves it so.
            drop(self.terminal.show_cursor());
            drop(self.terminal.write_line(""));
            match error.kind() == io::ErrorKind::Interrupted {
                true => stopped(),
                false => Problem::Host(anyhow!(error).context("the terminal cannot be asked")),
            }
        })
    }
}

fn stopped() -> Problem {
    Problem::Host(anyhow!("stopped; nothing was written"))
}

/// As long as somebody listens for Ctrl+C it does not end the process, but the question: so that the cursor can come back.
fn without_sudden_death() -> io::Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    #[cfg(unix)]
    {
        let _context = runtime.enter();
        // The system keeps calling the listener that this installs.
        drop(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?);
    }
    Ok(runtime)
}
