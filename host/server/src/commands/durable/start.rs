//! Starting an orchestration, and starting one once more; on request with its end.

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

pub(super) async fn start(arguments: &StartNewArguments, look: Look) -> Result<Said, Problem> {
    let input = payload(arguments.input.as_deref(), "the input")?;
    let mut segments = vec!["orchestrators", arguments.function()];
    segments.extend(arguments.id.as_deref());
    let mut question = Question::post(&segments, input)
        .with("version", arguments.instance_version.as_ref())
        .with("startAt", arguments.start_at);
    for tag in &arguments.tag {
        question = question.with("tag", Some(format!("{}={}", tag.name, tag.value)));
    }
    started(question, &arguments.waiting, &arguments.hub, look).await
}

pub(super) async fn restart(arguments: &RestartArguments, look: Look) -> Result<Said, Problem> {
    let question = Question::post(&["instances", arguments.instance.id(), "restart"], None)
        .with("restartWithNewInstanceId", Some(!arguments.same_id));
    started(question, &arguments.waiting, &arguments.hub, look).await
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

async fn started(question: Question, waiting: &WaitArguments, hub: &HubArguments, look: Look) -> Result<Said, Problem> {
    let stopwatch = Stopwatch::start();
    let answer = hub::ask(hub, question).await?;
    let started: Started = hub::read(&answer)?;
    if !waiting.wait {
        return Ok(Said::well(match hub.host.output {
            OutputFormat::Text => started.in_words(),
            OutputFormat::Json => json(&answer.content, look),
        }));
    }
    let status = ended(&started.id, waiting.timeout, hub).await?;
    let is_well = status.runtime_status == orchestration::RuntimeStatus::Completed;
    let text = match hub.host.output {
        OutputFormat::Text => format!("{}\n\n{}", started.in_words(), outcome(&status, stopwatch, look)),
        // Texts and JSON always serialise.
        OutputFormat::Json => json(&serde_json::to_string(&status).unwrap_or_default(), look),
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
