//! Lists of instances, as a table or as JSON.

use serde::Serialize;
use serde_json::value::RawValue;

use super::hub::{self, Question};
use super::instance::{Status, moment};
use super::paint::{Look, Paint, Span, shortened, table, to_text, visible};
use super::{Said, json};
use crate::cli::{FilterArguments, GetInstancesArguments, OutputFormat};
use crate::exit::Problem;

/// Where a list goes on.
const CONTINUATION_TOKEN: &str = "x-ms-continuation-token";

/// The widest payload in a table, in columns; what is longer is for `get-runtime-status` and for JSON.
const MAX_CELL_WIDTH: usize = 40;

/// A page as `--output json` writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    instances: Vec<Status>,
    continuation_token: Option<String>,
}

/// The question with what a filter asks for.
pub(super) fn filtered(question: Question, filter: &FilterArguments) -> Question {
    let statuses: Vec<&str> = filter.runtime_status.iter().map(|status| status.name()).collect();
    question
        .with("createdTimeFrom", filter.created_after)
        .with("createdTimeTo", filter.created_before)
        .with("runtimeStatus", (!statuses.is_empty()).then(|| statuses.join(",")))
}

pub(super) async fn list(arguments: &GetInstancesArguments, look: Look) -> Result<Said, Problem> {
    let mut question = filtered(Question::get(&["instances"]), &arguments.filter)
        .with("instanceIdPrefix", arguments.id_prefix.as_ref())
        .with("showInput", Some(arguments.shown.show_input))
        .with("top", Some(arguments.top))
        .header(CONTINUATION_TOKEN, arguments.continuation_token.as_deref());
    for tag in &arguments.tag {
        question = question.with("tag", Some(format!("{}={}", tag.name, tag.value)));
    }
    let answer = hub::ask(&arguments.hub, question).await?;
    let mut instances: Vec<Status> = hub::read(&answer)?;
    if !arguments.shown.show_output {
        instances.iter_mut().for_each(|status| status.output = None);
    }
    let token = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(CONTINUATION_TOKEN));
    let token = token.map(|(_, value)| value.clone()).filter(|value| !value.is_empty());
    Ok(Said::well(match arguments.hub.host.output {
        OutputFormat::Text => in_words(&instances, token.as_deref(), arguments, look),
        OutputFormat::Json => {
            // Texts and JSON always serialise.
            json(&serde_json::to_string(&Page { instances, continuation_token: token }).unwrap_or_default(), look)
        }
    }))
}

fn in_words(instances: &[Status], token: Option<&str>, arguments: &GetInstancesArguments, look: Look) -> String {
    if instances.is_empty() {
        return "There are no such instances.".to_owned();
    }
    let shown = &arguments.shown;
    let mut header = vec!["Instance", "Name", "Status", "Created (UTC)", "Last change (UTC)"];
    header.extend(shown.show_input.then_some("Input"));
    header.extend(shown.show_output.then_some("Output"));
    let mut rows = vec![header.into_iter().map(|cell| Span::new(cell, Paint::Aside)).collect()];
    rows.extend(instances.iter().map(|status| {
        let mut row = vec![
            Span::plain(&status.instance_id),
            Span::plain(&status.name),
            Span::new(status.runtime_status.name(), Paint::of(status.runtime_status)),
            moment(&status.created_time),
            moment(&status.last_updated_time),
        ];
        row.extend(shown.show_input.then(|| cell(status.input.as_deref())));
        row.extend(shown.show_output.then(|| cell(status.output.as_deref())));
        row
    }));
    let mut text = to_text(&table(rows), look.colours);
    if let Some(token) = token {
        text.push_str(&format!("\nThere are more: --continuation-token {}", shell_word(token)));
    }
    text.trim_end().to_owned()
}

fn cell(payload: Option<&RawValue>) -> Span {
    Span::plain(&shortened(payload.map_or("", RawValue::get), MAX_CELL_WIDTH))
}

/// A token so that it can be given back as it is.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:@%/+=,".contains(c);
    let text = visible(text);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
