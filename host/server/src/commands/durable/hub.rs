//! Asking a host's management API, and saying why it refuses, for all commands about instances.

use anyhow::{Context, anyhow};
use orchestration::{HttpRequest, HttpResponse};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::super::admin_api::{self, SHORT};
use super::paint::visible;
use crate::cli::HubArguments;
use crate::exit::Problem;
use crate::management::BASE_PATH;

/// How much of an answer that is no error of the API is shown.
const MAX_SHOWN_CHARS: usize = 500;

/// What a host is asked, below the path of the API.
pub(super) struct Question {
    method: &'static str,
    path: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(String, String)>,
    json: Option<String>,
}

impl Question {
    /// Asks for something at a path whose segments are encoded here.
    pub(super) fn get(segments: &[&str]) -> Question {
        let path = segments.iter().map(|segment| format!("/{}", utf8_percent_encode(segment, NON_ALPHANUMERIC)));
        Question { method: "GET", path: path.collect(), query: Vec::new(), headers: Vec::new(), json: None }
    }

    /// Has something done; the payload is JSON.
    pub(super) fn post(segments: &[&str], json: Option<String>) -> Question {
        Question { method: "POST", json, ..Question::get(segments) }
    }

    /// Has something removed.
    pub(super) fn delete(segments: &[&str]) -> Question {
        Question { method: "DELETE", ..Question::get(segments) }
    }

    /// With a parameter of the query, if there is a value for it.
    pub(super) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Question {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// With a switch of the query, which is off without it.
    pub(super) fn when(self, name: &'static str, on: bool) -> Question {
        self.with(name, on.then_some(true))
    }

    /// With a header, if there is a value for it.
    pub(super) fn header(mut self, name: &str, value: Option<&str>) -> Question {
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self
    }

    fn target(&self, arguments: &HubArguments) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.query);
        query.extend_pairs(arguments.task_hub_name.iter().map(|name| ("taskHub", name)));
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{BASE_PATH}{}{mark}{query}", self.path)
    }
}

/// Asks. Any status below 300 is an answer.
///
/// # Errors
/// [`Problem::NoAnswer`] without a host, or with one that wants another key; [`Problem::Host`] when it refuses.
pub(super) async fn ask(arguments: &HubArguments, question: Question) -> Result<HttpResponse, Problem> {
    let answer = send(arguments, question).await?;
    if answer.status < 300 { Ok(answer) } else { Err(refused(&answer)) }
}

/// Asks. Any status but 401 is an answer.
///
/// # Errors
/// [`Problem::NoAnswer`] without a host, or with one that wants another key.
pub(super) async fn send(arguments: &HubArguments, question: Question) -> Result<HttpResponse, Problem> {
    let request = HttpRequest {
        method: question.method.to_owned(),
        url: question.target(arguments),
        headers: question.headers,
        content: question.json,
        fail_on_status: None,
    };
    let answer = admin_api::send(&arguments.host, request, SHORT).await.map_err(Problem::NoAnswer)?;
    if answer.status == 401 {
        let origin = admin_api::origin(&arguments.host.url);
        let wrong = if arguments.host.key().is_some() { "does not take this key" } else { "asks for a key" };
        return Err(Problem::NoAnswer(anyhow!(
            "{origin} {wrong}: give its system key durabletask_extension or its master key (_master) with --key. \
             `dacapo keys list <manifest> --show-values` shows them"
        )));
    }
    Ok(answer)
}

/// Reads what the host answered.
///
/// # Errors
/// [`Problem::NoAnswer`]: it is something else, as from another server.
pub(super) fn read<T: DeserializeOwned>(answer: &HttpResponse) -> Result<T, Problem> {
    let read = serde_json::from_str(&answer.content).context("the answer is none of Dacapo's; is --url right?");
    read.map_err(Problem::NoAnswer)
}

/// Why the host did not do it, in its own words.
pub(super) fn refused(answer: &HttpResponse) -> Problem {
    let HttpResponse { status, content, .. } = answer;
    let said = message(content);
    Problem::Host(match (status, said) {
        (404, Some(said)) if said.starts_with("No instance") => {
            anyhow!("{said} `dacapo durable get-instances` lists those that are there.")
        }
        (404, None) => anyhow!("the host answered 404 and nothing else: it has no management API of instances there"),
        (_, Some(said)) => anyhow!("{said}"),
        (status, None) => anyhow!("the host answered {status}: {}", excerpt(content)),
    })
}

/// The message in one of the shapes that errors have: the API's own, a bare string, and that of the admin API.
fn message(content: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(content).ok()?;
    let text = |value: Option<&serde_json::Value>| {
        value.and_then(|value| value.as_str()).filter(|text| !text.is_empty()).map(visible)
    };
    let general = text(Some(&value)).or_else(|| text(value.get("Message")));
    // The general message says no more than the status then, but for a payload that is no JSON.
    match (text(value.get("ExceptionMessage")), general) {
        (Some(detail), Some(general)) if general.contains("JSON") => Some(format!("{general}: {detail}")),
        (Some(detail), _) => Some(detail),
        (None, Some(general)) => Some(general),
        (None, None) => text(value.pointer("/error/message")),
    }
}

fn excerpt(content: &str) -> String {
    let text: String = content.trim().chars().take(MAX_SHOWN_CHARS).collect();
    if text.is_empty() { "nothing".to_owned() } else { visible(&text) }
}
