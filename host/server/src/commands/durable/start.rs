//! Starting an orchestration, and starting one once more; on request with its end.

use orchestration::{HttpResponse, RuntimeStatus};
use serde::Deserialize;

use super::super::invoke;
use super::hub::{self, Question};
use super::instance::{Status, ended};
use super::paint::{Look, visible};
use super::{Said, json};
use crate::cli::{HubArguments, OutputFormat, RestartArguments, StartNewArguments, WaitArguments, check_json};
use crate::clock::Stopwatch;
use crate::exit::Problem;

/// Where a new instance is managed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    id: String,
    status_query_get_uri: String,
    send_event_post_uri: String,
    terminate_post_uri: String,
    suspend_post_uri: String,
    resume_post_uri: String,
    restart_post_uri: String,
    purge_history_delete_uri: String,
}

impl Started {
    fn in_words(&self) -> String {
        let uris = [
            ("Status", &self.status_query_get_uri),
            ("Raise event", &self.send_event_post_uri),
            ("Terminate", &self.terminate_post_uri),
            ("Suspend", &self.suspend_post_uri),
            ("Resume", &self.resume_post_uri),
            ("Restart", &self.restart_post_uri),
            ("Purge", &self.purge_history_delete_uri),
        ];
        let lines = uris.map(|(name, uri)| format!("\n  {name:<13}{}", visible(uri)));
        format!("Started the instance {}{}", visible(&self.id), lines.concat())
    }
}

pub(super) async fn start(
    arguments: &StartNewArguments,
    look: Look,
    draw: &mut dyn FnMut(&str),
) -> Result<Said, Problem> {
    let input = payload(arguments.input.as_deref(), "the input")?;
    let mut segments = vec!["orchestrators", arguments.function()];
    segments.extend(arguments.id.as_deref());
    let mut question = Question::post(&segments, input)
        .with("version", arguments.instance_version.as_ref())
        .with("startAt", arguments.start_at);
    for tag in &arguments.tag {
        question = question.with("tag", Some(format!("{}={}", tag.name, tag.value)));
    }
    let started = ask(question, &arguments.hub).await?;
    told(started, &arguments.waiting, &arguments.hub, look, draw).await
}

pub(super) async fn restart(
    arguments: &RestartArguments,
    look: Look,
    draw: &mut dyn FnMut(&str),
) -> Result<Said, Problem> {
    let question = Question::post(&["instances", arguments.instance.id(), "restart"], None)
        .with("restartWithNewInstanceId", Some(!arguments.same_id));
    let started = ask(question, &arguments.hub).await?;
    told(started, &arguments.waiting, &arguments.hub, look, draw).await
}

/// A payload that must be JSON.
///
/// # Errors
/// It cannot be read, or is none.
pub(super) fn payload(data: Option<&str>, what: &str) -> Result<Option<String>, Problem> {
    let Some(data) = data else { return Ok(None) };
    let text = invoke::read(data).map_err(Problem::NoAnswer)?;
    check_json(&text).map_err(|why| Problem::NoAnswer(anyhow::anyhow!("{what} cannot be sent: {why}")))?;
    Ok(Some(text))
}

/// Asks for an instance.
async fn ask(question: Question, hub: &HubArguments) -> Result<(Started, HttpResponse), Problem> {
    let answer = hub::ask(hub, question).await?;
    Ok((hub::read(&answer)?, answer))
}

async fn told(
    (started, answer): (Started, HttpResponse),
    waiting: &WaitArguments,
    hub: &HubArguments,
    look: Look,
    draw: &mut dyn FnMut(&str),
) -> Result<Said, Problem> {
    let stopwatch = Stopwatch::start();
    let is_text = hub.host.output == OutputFormat::Text;
    if !waiting.wait {
        let text = if is_text { started.in_words() } else { json(&answer.content, look) };
        return Ok(Said::well(text));
    }
    if is_text {
        // Whoever waits long wants to know under which id.
        draw(&format!("{}\n\n", started.in_words()));
    }
    let status = ended(&started.id, waiting.timeout, hub).await?;
    let is_well = status.runtime_status == RuntimeStatus::Completed;
    let text = if is_text {
        outcome(&status, stopwatch, look)
    } else {
        // Texts and JSON always serialise.
        json(&serde_json::to_string(&status).unwrap_or_default(), look)
    };
    Ok(Said { text, is_well })
}

fn outcome(status: &Status, stopwatch: Stopwatch, look: Look) -> String {
    let said = status.in_one_line(look);
    if status.runtime_status.is_terminal() {
        return said;
    }
    let waited = stopwatch.elapsed().as_secs_f64();
    format!("Still {said} after {waited:.1} s; `dacapo durable watch {}` follows it.", visible(&status.instance_id))
}
