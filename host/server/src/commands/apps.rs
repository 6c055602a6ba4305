//! `dacapo apps`: the apps of a host that takes deploys: looking at them, going back, and taking them off.
//!
//! Owns what a person reads of the host's answers; with `--output json`, they are printed as the host gave them.

mod answers;
#[cfg(test)]
mod tests;

use anyhow::anyhow;
use orchestration::HttpRequest;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use std::io::IsTerminal;
use std::time::Duration;

pub(super) use self::answers::SwitchReport;

use self::answers::{AppSummary, AppView, ErrorAnswer, Removed};
use super::admin_api::{self, LONG, SHORT, block_on, origin};
use crate::cli::{AppsCommand, HostArguments, OutputFormat, RemoveAppArguments, RollbackArguments};
use crate::console::Console;
use crate::exit::Problem;

const PATH: &str = "/admin/apps";

/// What a host has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// JSON, if a host of Dacapo has answered.
    pub(super) body: String,
}

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::Wanting`] when the host has refused it, which has been said; [`Problem::NoAnswer`] when it cannot be asked.
pub(crate) fn run(command: &AppsCommand, console: &Console) -> Result<(), Problem> {
    match command {
        AppsCommand::List(arguments) => {
            let answered = block_on(ask(&arguments.host, "GET", PATH.to_owned(), SHORT))?;
            finish(&answered, arguments.host.output, console, &|apps: Vec<AppSummary>| answers::table(&apps))
        }
        AppsCommand::Show(arguments) => {
            let answered = block_on(ask(&arguments.host, "GET", path(&arguments.name), SHORT))?;
            finish(&answered, arguments.host.output, console, &|app: AppView| app.in_words())
        }
        AppsCommand::Rollback(arguments) => {
            let answered = block_on(ask(&arguments.host, "POST", rollback_path(arguments), LONG))?;
            finish(&answered, arguments.host.output, console, &|report: SwitchReport| report.rolled_back())
        }
        AppsCommand::Remove(arguments) => {
            confirm(arguments)?;
            let force = if arguments.force { "?force=1" } else { "" };
            let path = format!("{}{force}", path(&arguments.name));
            let answered = block_on(ask(&arguments.host, "DELETE", path, LONG))?;
            finish(&answered, arguments.host.output, console, &|removed: Removed| removed.in_words())
        }
    }
}

fn path(name: &str) -> String {
    format!("{PATH}/{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

fn rollback_path(arguments: &RollbackArguments) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(to) = &arguments.to {
        query.append_pair("to", to);
    }
    if arguments.force {
        query.append_pair("force", "1");
    }
    let query = query.finish();
    let separator = if query.is_empty() { "" } else { "?" };
    format!("{}/rollback{separator}{query}", path(&arguments.name))
}

/// Nobody takes an app off a host by a slip of the hand.
fn confirm(arguments: &RemoveAppArguments) -> Result<(), Problem> {
    if arguments.yes {
        return Ok(());
    }
    let (name, host) = (&arguments.name, origin(&arguments.host.url));
    if !std::io::stdin().is_terminal() {
        return Err(Problem::Host(anyhow!("removing {name} from {host} takes a confirmation; give --yes")));
    }
    let question = format!("Remove the app {name} from {host}?");
    match dialoguer::Confirm::new().with_prompt(question).default(false).interact() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Problem::Host(anyhow!("nothing was removed"))),
        Err(error) => Err(Problem::Host(anyhow!("the terminal cannot be asked: {error}; give --yes"))),
    }
}

async fn ask(host: &HostArguments, method: &str, path: String, timeout: Duration) -> anyhow::Result<Answered> {
    let request =
        HttpRequest { method: method.to_owned(), url: path, headers: Vec::new(), content: None, fail_on_status: None };
    let answer = admin_api::send(host, request, timeout).await?;
    if answer.status == 401 {
        return Err(admin_api::wants_master_key(&origin(&host.url), host.key()));
    }
    Ok(Answered { status: answer.status, body: answer.content })
}

/// Says what the host has answered: in words, or as it is.
///
/// # Errors
/// [`Problem::Host`] with the words of a refusal, or [`Problem::Wanting`] when it has been printed as it is;
/// [`Problem::NoAnswer`] when it is not understood.
pub(super) fn finish<T: DeserializeOwned>(
    answered: &Answered,
    output: OutputFormat,
    console: &Console,
    in_words: &dyn Fn(T) -> String,
) -> Result<(), Problem> {
    let text = told(answered, output, in_words)?;
    console.notice(text.trim_end());
    if answered.is_refusal() { Err(Problem::Wanting) } else { Ok(()) }
}

impl Answered {
    fn is_refusal(&self) -> bool {
        !(200..300).contains(&self.status)
    }
}

/// What to print on standard output.
///
/// # Errors
/// The words of a refusal, and an answer that is not understood.
pub(super) fn told<T: DeserializeOwned>(
    answered: &Answered,
    output: OutputFormat,
    in_words: &dyn Fn(T) -> String,
) -> Result<String, Problem> {
    let Answered { status, body } = answered;
    let strange =
        || Problem::NoAnswer(anyhow!("the answer {status} is not one of Dacapo's; is a host of this version there?"));
    if answered.is_refusal() {
        let refusal: ErrorAnswer = serde_json::from_str(body).map_err(|_| strange())?;
        return match output {
            OutputFormat::Text => Err(Problem::Host(anyhow!(refusal.in_words()))),
            OutputFormat::Json => Ok(body.clone()),
        };
    }
    let answer = serde_json::from_str(body).map_err(|_| strange())?;
    Ok(match output {
        OutputFormat::Text => in_words(answer),
        OutputFormat::Json => body.clone(),
    })
}

/// As much of a digest as people need.
pub(super) fn shown(digest: &str) -> &str {
    const SHOWN_DIGEST_CHARS: usize = 12;
    digest.get(..SHOWN_DIGEST_CHARS).unwrap_or(digest)
}
