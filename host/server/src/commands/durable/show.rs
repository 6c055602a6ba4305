//! Looking at one instance: its status with what it waits for, and its history.

use serde::Deserialize;

use super::events::Teller;
use super::hub::{self, Question};
use super::instance::{Status, moment, payload};
use super::paint::{Line, Look, Paint, Span, table, to_text, visible};
use super::timeline::{Frame, Present, draw};
use super::{Said, json};
use crate::cli::{GetHistoryArguments, GetRuntimeStatusArguments, HubArguments, OutputFormat};
use crate::clock::SystemClock;
use crate::exit::Problem;
use crate::history_file::{self, HistoryFile, Unreadable};
use ports::Clock;

/// The part of an explanation that is for people.
#[derive(Deserialize)]
struct Summary {
    summary: String,
}

pub(super) async fn status(arguments: &GetRuntimeStatusArguments, look: Look) -> Result<Said, Problem> {
    let (id, shown, hub) = (arguments.instance.id(), &arguments.shown, &arguments.hub);
    let status = Status::of(id, shown.show_input, hub).await?;
    Ok(Said::well(match hub.host.output {
        OutputFormat::Text => in_words(arguments, &status, look).await,
        OutputFormat::Json => {
            let output = status.output.clone().filter(|_| shown.show_output);
            // Texts and JSON always serialise.
            json(&serde_json::to_string(&Status { output, ..status }).unwrap_or_default(), look)
        }
    }))
}

async fn in_words(arguments: &GetRuntimeStatusArguments, status: &Status, look: Look) -> String {
    let shown = &arguments.shown;
    let mut rows = vec![
        ("Instance", Span::plain(&status.instance_id)),
        ("Name", Span::plain(&status.name)),
        ("Status", Span::new(status.runtime_status.name(), Paint::of(status.runtime_status))),
        ("Created (UTC)", moment(&status.created_time)),
        ("Last change (UTC)", moment(&status.last_updated_time)),
    ];
    if !status.runtime_status.is_terminal() {
        rows.extend(summary(&status.instance_id, &arguments.hub).await.map(|said| ("Now", Span::plain(&said))));
    }
    rows.extend(status.custom_status.iter().map(|json| ("Custom status", Span::plain(&payload(json)))));
    if shown.show_input {
        rows.extend(status.input.iter().map(|json| ("Input", Span::plain(&payload(json)))));
    }
    match status.failure() {
        Some(why) => rows.push(("Failure", Span::plain(&why))),
        None if shown.show_output => {
            rows.extend(status.output.iter().map(|json| ("Output", Span::plain(&payload(json)))));
        }
        None => {}
    }
    let rows = rows.into_iter().map(|(name, value)| vec![Span::new(name, Paint::Aside), value]);
    to_text(&table(rows.collect()), look.colours).trim_end().to_owned()
}

/// What an instance is doing, in one sentence; none if the host does not say.
async fn summary(id: &str, hub: &HubArguments) -> Option<String> {
    let answer = hub::ask(hub, Question::get(&["instances", id, "explain"])).await.ok()?;
    serde_json::from_str(&answer.content).ok().map(|Summary { summary }| summary)
}

pub(super) async fn history(arguments: &GetHistoryArguments, look: Look) -> Result<Said, Problem> {
    let (id, hub) = (arguments.instance.id(), &arguments.hub);
    let answer = hub::ask(hub, Question::get(&["instances", id, "history"])).await?;
    if hub.host.output == OutputFormat::Json && !arguments.graph {
        return Ok(Said::well(json(&answer.content, look)));
    }
    let Some(history) = read(&answer.content)? else {
        return Ok(Said::well(format!("{} has no history yet.", visible(id))));
    };
    let lines = if arguments.graph {
        let frame = Frame { width: look.width, max_rows: None };
        draw(&history, &Present::default(), SystemClock.now(), frame)
    } else {
        told(&history, look)
    };
    Ok(Said::well(to_text(&lines, look.colours).trim_end().to_owned()))
}

/// Reads a history; none before its first event.
///
/// # Errors
/// [`Problem::NoAnswer`]: it is none, or that of a later version of the host.
pub(super) fn read(text: &str) -> Result<Option<HistoryFile>, Problem> {
    match history_file::read(text) {
        Ok(history) => Ok(Some(history)),
        Err(Unreadable::NotStarted) => Ok(None),
        Err(why) => {
            Err(Problem::NoAnswer(anyhow::anyhow!("the history cannot be read: {}", visible(&why.to_string()))))
        }
    }
}

fn told(history: &HistoryFile, look: Look) -> Vec<Line> {
    let mut teller = Teller::default();
    let mut rows = vec![["Time (UTC)", "Event", "What"].map(|cell| Span::new(cell, Paint::Aside)).to_vec()];
    rows.extend(history.events.iter().map(|event| teller.tell(event)));
    let width = if look.terminal { look.width } else { usize::MAX };
    table(rows).into_iter().map(|line| line.cut(width)).collect()
}
