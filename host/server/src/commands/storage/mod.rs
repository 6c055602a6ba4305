//! `dacapo storage`: what a person sees of queues and tables, and does with them, over the protocol of Azure Storage.
//!
//! Owns which account is meant, and how the command ends; queues and tables have a module each.

mod account;
mod queues;
mod tables;

#[cfg(test)]
mod tests;

use anyhow::{Context, anyhow};
use ports::StoreError;
use std::fmt;
use std::io::{IsTerminal, Read, stdin};
use std::path::Path;

use self::account::{Connected, Gone};
use crate::cli::{AccountArguments, OutputFormat, QueuesCommand, StorageCommand, TablesCommand};
use crate::console::Console;
use crate::exit::Problem;

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::Host`] when the account refuses, [`Problem::NoAnswer`] when there is none, or nothing to ask it.
pub(crate) fn run(command: &StorageCommand, console: &Console) -> Result<(), Problem> {
    if !may_go_on(command, console)? {
        console.notice("Nothing was deleted.");
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::NoAnswer(error.into()))?;
    let said = runtime.block_on(perform(command))?;
    console.notice(&said);
    Ok(())
}

/// Does it, and says what came of it.
async fn perform(command: &StorageCommand) -> Result<String, Problem> {
    let account = account_of(command);
    let connected = Connected::to(account).map_err(Problem::NoAnswer)?;
    let done = match command {
        StorageCommand::Queues(command) => queues::perform(command, &connected).await,
        StorageCommand::Tables(command) => tables::perform(command, &connected).await,
    };
    let said = done.map_err(|failed| connected.problem(failed))?;
    Ok(match account.output {
        OutputFormat::Text => said.words,
        // A value always serialises.
        OutputFormat::Json => serde_json::to_string_pretty(&said.json).unwrap_or_default(),
    })
}

/// What there is to say, in both ways.
struct Said {
    words: String,
    json: serde_json::Value,
}

/// Why something was not done.
enum Failed {
    /// By the account, or because nobody is there; which of the two, `account` finds out.
    AtAccount(anyhow::Error),
    /// The command line asks for something that cannot be.
    Malformed(anyhow::Error),
}

impl Failed {
    fn at_account(error: impl fmt::Display) -> Failed {
        Failed::AtAccount(anyhow!("{error}"))
    }

    /// With what the account has said, and without what that means to a function that is to be tried again.
    fn of_store(error: StoreError) -> Failed {
        match error {
            StoreError::Unavailable { detail } => Failed::at_account(detail),
            StoreError::LeaseLost { .. } | StoreError::Corrupt { .. } => Failed::at_account(error),
        }
    }
}

fn account_of(command: &StorageCommand) -> &AccountArguments {
    match command {
        StorageCommand::Queues(QueuesCommand::List(list)) => &list.account,
        StorageCommand::Queues(QueuesCommand::Peek(peek)) => &peek.queue.account,
        StorageCommand::Queues(QueuesCommand::Put(put)) => &put.queue.account,
        StorageCommand::Queues(QueuesCommand::Create(queue)) => &queue.account,
        StorageCommand::Queues(QueuesCommand::Clear(removed) | QueuesCommand::Delete(removed)) => {
            &removed.queue.account
        }
        StorageCommand::Tables(TablesCommand::List(list)) => &list.account,
        StorageCommand::Tables(TablesCommand::Show(show)) => &show.table.account,
        StorageCommand::Tables(TablesCommand::Put(put)) => &put.table.account,
        StorageCommand::Tables(TablesCommand::Delete(delete)) => &delete.table.account,
        StorageCommand::Tables(TablesCommand::Create(table)) => &table.account,
        StorageCommand::Tables(TablesCommand::Clear(removed) | TablesCommand::Drop(removed)) => &removed.table.account,
    }
}

/// Scripts mean what they say; people are asked before much is gone.
fn may_go_on(command: &StorageCommand, console: &Console) -> Result<bool, Problem> {
    let Some(question) = question(command) else { return Ok(true) };
    if !console.is_terminal() || !stdin().is_terminal() {
        return Ok(true);
    }
    let asked = dialoguer::Confirm::new().with_prompt(question).default(false).interact();
    asked.map_err(|why| Problem::NoAnswer(anyhow!("you were asked whether to delete, and did not answer: {why}")))
}

/// What to ask first; none: it is harmless, or nobody wants to be asked.
fn question(command: &StorageCommand) -> Option<String> {
    let (question, yes) = match command {
        StorageCommand::Queues(QueuesCommand::Clear(queue)) => {
            (format!("Delete all messages of the queue {}?", queue.queue.name), queue.yes)
        }
        StorageCommand::Queues(QueuesCommand::Delete(queue)) => {
            (format!("Delete the queue {} with all its messages?", queue.queue.name), queue.yes)
        }
        StorageCommand::Tables(TablesCommand::Clear(table)) => {
            (format!("Delete all entities of the table {}?", table.table.name), table.yes)
        }
        StorageCommand::Tables(TablesCommand::Drop(table)) => {
            (format!("Delete the table {} with all its entities?", table.table.name), table.yes)
        }
        StorageCommand::Queues(
            QueuesCommand::List(_) | QueuesCommand::Peek(_) | QueuesCommand::Put(_) | QueuesCommand::Create(_),
        )
        | StorageCommand::Tables(
            TablesCommand::List(_)
            | TablesCommand::Show(_)
            | TablesCommand::Put(_)
            | TablesCommand::Delete(_)
            | TablesCommand::Create(_),
        ) => return None,
    };
    (!yes).then_some(question)
}

/// The text that a person means: the text itself, a file's after `@`, or that of standard input for `-`.
fn text_of(given: &str) -> Result<String, Failed> {
    let read = || {
        if given == "-" {
            let mut text = String::new();
            stdin().lock().read_to_string(&mut text).context("standard input cannot be read as text")?;
            return Ok(text);
        }
        match given.strip_prefix('@') {
            Some(file) => std::fs::read_to_string(Path::new(file)).with_context(|| format!("{file} cannot be read")),
            None => Ok(given.to_owned()),
        }
    };
    read().map_err(Failed::Malformed)
}

impl Connected {
    /// How the command ends that failed.
    fn problem(&self, failed: Failed) -> Problem {
        match failed {
            Failed::Malformed(error) => Problem::NoAnswer(error),
            Failed::AtAccount(error) => match self.gone() {
                Gone::Nowhere => Problem::Host(error),
                Gone::Unanswered => Problem::NoAnswer(error.context(self.advice())),
            },
        }
    }
}
