//! Removing instances with their histories, after a question where a person can answer it.

use anyhow::anyhow;
use orchestration::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::io::{IsTerminal, stdin};

use super::hub::{self, Question};
use super::list::filtered;
use super::paint::{Look, visible};
use super::{Said, done};
use crate::cli::PurgeHistoryArguments;
use crate::exit::Problem;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Purged {
    instances_deleted: u64,
}

/// Whether it may be done: scripts mean what they say, people are asked.
///
/// # Errors
/// [`Problem::NoAnswer`]: the terminal is gone.
pub(super) fn is_confirmed(arguments: &PurgeHistoryArguments, look: Look) -> Result<bool, Problem> {
    if arguments.yes || !look.terminal || !stdin().is_terminal() {
        return Ok(true);
    }
    let asked = dialoguer::Confirm::new().with_prompt(question(arguments)).default(false).interact();
    asked.map_err(|why| Problem::NoAnswer(anyhow!("you were asked whether to purge, and did not answer: {why}")))
}

fn question(arguments: &PurgeHistoryArguments) -> String {
    let ended = if arguments.force { ", also if it has not ended" } else { "" };
    if let Some(id) = arguments.id() {
        return format!("Purge {} with its history{ended}?", visible(id));
    }
    let filter = &arguments.filter;
    let mut which = String::new();
    if let Some(moment) = filter.created_after {
        which.push_str(&format!(" created since {moment}"));
    }
    if let Some(moment) = filter.created_before {
        which.push_str(&format!(" created until {moment}"));
    }
    if !filter.runtime_status.is_empty() {
        let names: Vec<&str> = filter.runtime_status.iter().map(|status| status.name()).collect();
        which.push_str(&format!(" that are {}", names.join(" or ")));
    }
    let ended = if arguments.force { ", also those that have not ended" } else { ", if they have ended" };
    format!("Purge all instances{which} with their histories{ended}?")
}

pub(super) async fn purge(arguments: &PurgeHistoryArguments) -> Result<Said, Problem> {
    let output = arguments.hub.host.output;
    let Some(id) = arguments.id() else {
        let deleted = purge_many(arguments).await?;
        let said = match deleted {
            0 => "No instance fits: nothing was purged.".to_owned(),
            1 => "Purged 1 instance.".to_owned(),
            deleted => format!("Purged {deleted} instances."),
        };
        return Ok(done(output, said, &json!({ "instancesDeleted": deleted })));
    };
    let question = Question::delete(&["instances", id]).when("force", arguments.force);
    hub::ask(&arguments.hub, question).await.map_err(in_own_words)?;
    Ok(done(output, format!("Purged {}.", visible(id)), &json!({ "instancesDeleted": 1 })))
}

/// The host speaks of its own parameter; here it is an option.
fn in_own_words(problem: Problem) -> Problem {
    match problem {
        Problem::Host(error) => {
            Problem::Host(anyhow!("{}", error.to_string().replace("add force=true", "add --force")))
        }
        other @ (Problem::App(_)
        | Problem::Aborted
        | Problem::Interrupted
        | Problem::Departs
        | Problem::NoAnswer(_)
        | Problem::Wanting) => other,
    }
}

async fn purge_many(arguments: &PurgeHistoryArguments) -> Result<u64, Problem> {
    let mut question = filtered(Question::delete(&["instances"]), &arguments.filter).when("force", arguments.force);
    if arguments.filter.created_after.is_none() {
        // The API wants a beginning; nothing is older than this.
        question = question.with("createdTimeFrom", Some(Timestamp::default()));
    }
    let answer = hub::send(&arguments.hub, question).await?;
    match answer.status {
        // So it says that nothing fits. A refusal has a body.
        404 if answer.content.is_empty() => Ok(0),
        status if status < 300 => Ok(hub::read::<Purged>(&answer)?.instances_deleted),
        _ => Err(hub::refused(&answer)),
    }
}
