//! `[host.logging]`, in the file of a production host `[logging]`: levels for the categories of Azure's logs that have a counterpart here.

use super::choice::Choice;
use crate::fields::{Placed, join};
use crate::file::FileLogging;
use crate::problem::Report;
use crate::settings::{LogLevel, LoggingSettings};
use crate::suggestion::nearest;

const LEVELS: Choice<LogLevel> = Choice {
    noun: "a log level",
    all: &[
        LogLevel::Trace,
        LogLevel::Debug,
        LogLevel::Information,
        LogLevel::Warning,
        LogLevel::Error,
        LogLevel::Critical,
        LogLevel::None,
    ],
    word: LogLevel::as_str,
};

/// As suggestions for misspelt ones.
const CATEGORIES: [&str; 5] = ["default", "Function", "Host", "DurableTask", "Host.Triggers.DurableTask"];

/// `path` is that of the table of levels.
pub(crate) fn check(written: &FileLogging, path: &str, report: &Report<'_>) -> LoggingSettings {
    let mut settings = LoggingSettings::default();
    for (category, level) in &written.log_level {
        let field = join(path, category.get_ref());
        let level_read = Some(LEVELS.read(Some(level), &field, report));
        match category.get_ref().to_ascii_lowercase().as_str() {
            "default" => settings.default = level_read,
            "function" => settings.function = level_read,
            "host" => settings.host = level_read,
            "durabletask" | "host.triggers.durabletask" => settings.durable_task = level_read,
            _ => report_category(category, &field, report),
        }
    }
    settings
}

fn report_category(category: &Placed<String>, field: &str, report: &Report<'_>) {
    let name = category.get_ref();
    let below = |parent: &str| name.get(..parent.len()).is_some_and(|start| start.eq_ignore_ascii_case(parent));
    let next = if let Some(near) = nearest(name, CATEGORIES) {
        format!("did you mean `{near}`?")
    } else if below("Function.") {
        "remove it: levels are the same for all functions, `Function`".to_owned()
    } else if below("DurableTask.") {
        "write `DurableTask`".to_owned()
    } else if below("Host.") {
        "write `Host`, or remove it".to_owned()
    } else {
        "remove it: the categories here are default, Function, Host and DurableTask".to_owned()
    };
    report.add(&category.span(), field, "is a category that has no counterpart here", next);
}
