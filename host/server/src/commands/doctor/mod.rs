//! `dacapo doctor`: what keeps an app from running, or this machine from running apps, each with its remedy.
//!
//! Owns what is looked at and in which order. Each subject has a module that first gathers facts and then judges them, so
//! that judgements can be tested without a broken machine. Nobody is asked over the network, and nothing is changed but the cache
//! of compiled components, which a start would fill as well.

mod app;
mod components;
mod contents;
mod ports;
mod state;
mod toolchain;
mod watching;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::cli::{DoctorArguments, OutputFormat};
use crate::console::Console;
use crate::data_folder::Layout;
use crate::exit::Problem;
use crate::settings::Environment;

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::Wanting`] when there are problems.
pub(crate) fn run(arguments: &DoctorArguments, environment: &Environment, console: &Console) -> Result<(), Problem> {
    let diagnosis = diagnose(arguments, environment)?;
    console.notice(&match arguments.output {
        OutputFormat::Text => diagnosis.in_words(),
        OutputFormat::Json => diagnosis.as_json(),
    });
    if diagnosis.count(Level::Problem) == 0 { Ok(()) } else { Err(Problem::Wanting) }
}

fn diagnose(arguments: &DoctorArguments, environment: &Environment) -> Result<Diagnosis, Problem> {
    let mut findings = Vec::new();
    let app = match &arguments.manifest {
        Some(manifest) => app::look(manifest, &arguments.env, environment, &mut findings)?,
        None => None,
    };
    match &app {
        Some(located) => {
            toolchain::look_for(&located.app, &located.folder, &mut findings);
            components::look(&located.app, &located.folder, &mut findings);
            let layout = Layout::of(&located.app.name, &located.folder, arguments.data_dir.as_deref());
            if components::are_there(&located.app, &located.folder) {
                contents::look(located, &layout.cache, &mut findings);
            }
            watching::look(located, &mut findings);
        }
        // A manifest that is wrong may say anything about what it needs.
        None if arguments.manifest.is_some() => {}
        None => toolchain::look(&mut findings),
    }
    ports::look(arguments.port, app.as_ref().map(|located| &located.app), &mut findings);
    if let Some(located) = &app {
        let layout = Layout::of(&located.app.name, &located.folder, arguments.data_dir.as_deref());
        state::look(&layout, located.app.host.storage.reserved_disk_bytes, &mut findings);
    }
    Ok(Diagnosis { findings })
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Level {
    /// As it should be.
    Ok,
    /// It works, perhaps not as it is meant to.
    Warning,
    /// It does not work.
    Problem,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Problem => "problem",
        }
    }
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// What it belongs to, such as `ports`.
    subject: &'static str,
    level: Level,
    what: String,
    /// What to do; only where there is something to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    fn ok(subject: &'static str, what: impl Into<String>) -> Finding {
        Finding { subject, level: Level::Ok, what: what.into(), remedy: None }
    }

    fn warning(subject: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { subject, level: Level::Warning, what: what.into(), remedy: Some(remedy.into()) }
    }

    fn problem(subject: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { subject, level: Level::Problem, what: what.into(), remedy: Some(remedy.into()) }
    }
}

/// Everything that was looked at, in the order in which a start would meet it.
struct Diagnosis {
    findings: Vec<Finding>,
}

impl Diagnosis {
    fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    fn in_words(&self) -> String {
        let mut text: String = self.findings.iter().map(line).collect();
        let (problems, warnings) = (self.count(Level::Problem), self.count(Level::Warning));
        text.push_str(&match (problems, warnings) {
            (0, 0) => "\nEverything is in place.".to_owned(),
            (problems, warnings) => {
                format!("\n{}, {}.", counted(problems, "problem"), counted(warnings, "warning"))
            }
        });
        text
    }

    fn as_json(&self) -> String {
        #[derive(Serialize)]
        struct Report<'d> {
            problems: usize,
            warnings: usize,
            findings: &'d [Finding],
        }
        let report = Report {
            problems: self.count(Level::Problem),
            warnings: self.count(Level::Warning),
            findings: &self.findings,
        };
        // A struct of texts and numbers always serialises.
        serde_json::to_string_pretty(&report).unwrap_or_default()
    }
}

/// Where the text of a finding begins.
const MARGIN: usize = 9;

/// A finding, and its remedy below it.
fn line(finding: &Finding) -> String {
    let Finding { subject, level, what, remedy } = finding;
    let below = |text: &str| text.replace('\n', &format!("\n{:MARGIN$}", ""));
    let remedy = remedy.as_ref().map(|remedy| format!("{:MARGIN$}-> {}\n", "", below(remedy))).unwrap_or_default();
    format!("{:MARGIN$}{subject}: {}\n{remedy}", level.as_str(), below(what))
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
