//! `dacapo invoke`: runs a function of a running host by hand, and says what came of it.

#[cfg(test)]
mod tests;

use anyhow::{Context, bail};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use super::admin_api::{self, LONG, SHORT, ask};
use crate::admin::{Outcome, Report};
use crate::cli::{InvokeArguments, OutputFormat};
use crate::console::Console;
use crate::exit::Problem;

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::Wanting`] when the function failed; [`Problem::NoAnswer`] when it did not run.
pub(crate) fn run(arguments: &InvokeArguments, console: &Console) -> Result<(), Problem> {
    let input = arguments.data.as_deref().map(read).transpose().map_err(Problem::NoAnswer)?;
    let invoked = admin_api::block_on(invoke(arguments, input))?;
    console.notice(&invoked.said);
    if invoked.has_failed { Err(Problem::Wanting) } else { Ok(()) }
}

/// What there is to say, and whether the function failed.
struct Invoked {
    said: String,
    has_failed: bool,
}

/// What an orchestration's instance is managed with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    id: String,
    status_query_get_uri: String,
}

/// The names in records of functions.
#[derive(Deserialize)]
struct Named {
    name: String,
}

/// The payload that the person means: text, `@` and a file, or `-` for standard input.
///
/// # Errors
/// It cannot be read.
pub(super) fn read(data: &str) -> anyhow::Result<String> {
    if data == "-" {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).context("standard input cannot be read as text")?;
        return Ok(text);
    }
    match data.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(Path::new(file)).with_context(|| format!("{file} cannot be read")),
        None => Ok(data.to_owned()),
    }
}

async fn invoke(arguments: &InvokeArguments, input: Option<String>) -> anyhow::Result<Invoked> {
    let function = utf8_percent_encode(&arguments.function, NON_ALPHANUMERIC);
    let wait = if arguments.no_wait { "" } else { "?wait=1" };
    let body = input.map_or_else(|| json!({}), |input| json!({ "input": input }));
    let answer =
        ask(&arguments.host, &format!("/admin/functions/{function}{wait}"), Some(body.to_string()), LONG).await?;
    match answer.status {
        200 => {
            let report: Report =
                serde_json::from_str(&answer.content).context("the host's answer is not understood")?;
            let has_failed = report.outcome == Outcome::Failed;
            let said = match arguments.host.output {
                OutputFormat::Json => answer.content,
                OutputFormat::Text => in_words(&report),
            };
            Ok(Invoked { said, has_failed })
        }
        202 => Ok(Invoked { said: taken(arguments, &answer.content), has_failed: false }),
        400 => bail!("'{}' was not run: {}", arguments.function, answer.content),
        404 => bail!("{}", unknown(arguments).await?),
        status => bail!("'{}' was not run: the host answered {status}: {}", arguments.function, answer.content),
    }
}

fn taken(arguments: &InvokeArguments, content: &str) -> String {
    match (arguments.host.output, started(content)) {
        (OutputFormat::Json, Some(_)) => content.to_owned(),
        (OutputFormat::Json, None) => json!({ "outcome": "Accepted" }).to_string(),
        (OutputFormat::Text, Some(instance)) => instance,
        (OutputFormat::Text, None) => {
            format!("'{}' runs; what comes of it is in the host's log.", arguments.function)
        }
    }
}

/// What is said of a new instance, if that is what the text describes.
fn started(json: &str) -> Option<String> {
    let Instance { id, status_query_get_uri } = serde_json::from_str(json).ok()?;
    Some(format!("Started the instance {id}\nStatus: {status_query_get_uri}"))
}

async fn unknown(arguments: &InvokeArguments) -> anyhow::Result<String> {
    let answer = ask(&arguments.host, "/admin/functions", None, SHORT).await?;
    let Ok(functions) = serde_json::from_str::<Vec<Named>>(&answer.content) else {
        let origin = admin_api::origin(&arguments.host.url);
        return Ok(format!("{origin} is no host of functions, or an old one: it has no /admin/functions"));
    };
    let names: Vec<String> = functions.into_iter().map(|function| function.name).collect();
    Ok(format!("the app has no function '{}'; it has: {}", arguments.function, names.join(", ")))
}

fn in_words(report: &Report) -> String {
    if let Some(instance) = report.returned.as_ref().and_then(|returned| started(returned.get())) {
        return instance;
    }
    let invocation = report.invocation_id.as_ref().map(|id| format!(" (invocation {id})")).unwrap_or_default();
    let mut text = match report.outcome {
        Outcome::Succeeded => format!("Succeeded in {} ms{invocation}", report.duration_ms),
        Outcome::Failed => {
            let why = report.error.as_deref().unwrap_or("the host does not say why");
            let hint = "What the function logged is in the host's log, with the id of the invocation.";
            format!("Failed after {} ms{invocation}: {why}\n{hint}", report.duration_ms)
        }
    };
    // Writing to a String cannot fail.
    if let Some(returned) = &report.returned {
        let _infallible = write!(text, "\nReturned: {}", returned.get());
    }
    for (name, values) in &report.outputs {
        for value in values {
            let _infallible = write!(text, "\nOutput {name}: {}", value.get());
        }
    }
    if let Some(response) = &report.response {
        let _infallible = write!(text, "\n\nHTTP {}", response.status);
        for (name, value) in &response.headers {
            let _infallible = write!(text, "\n{name}: {value}");
        }
        let body = response.body.as_deref();
        let body = body.or(response.body_base64.as_deref().map(|_| "(a body that is no text)")).unwrap_or_default();
        let _infallible = write!(text, "\n\n{body}{}", if response.is_truncated { "\n(and more)" } else { "" });
    }
    text.trim_end().to_owned()
}
