//! What is said in the same words to people at a terminal and in plain lines.

use super::event::{Draining, Log, Summary};
use super::look::{counted, push_visible, short};
use std::time::Duration;

/// ` (after building for 2.3 s)`
pub(super) fn after_building(building: Option<Duration>) -> String {
    building.map(|time| format!(" (after building for {:.1} s)", time.as_secs_f64())).unwrap_or_default()
}

pub(super) fn not_reloaded(app: &str, error: &str) -> String {
    let mut text = format!("{app} was not reloaded: ");
    push_lines(&mut text, error, "  ");
    text.truncate(text.trim_end().len());
    text
}

pub(super) fn still_serving(serving: &str) -> String {
    format!("The version from before ({serving}) keeps serving.")
}

/// The first word about the end, and later ones where those are lines.
pub(super) fn draining(draining: Draining) -> String {
    if draining.is_first {
        let remaining_s = draining.remaining_s;
        return format!(
            "Stopping: no new work is taken, what runs is finished (at most {remaining_s} s). Press Ctrl+C again to stop at once."
        );
    }
    countdown(draining)
}

/// How the end comes near: short, because it must not take two lines of a terminal.
pub(super) fn countdown(draining: Draining) -> String {
    let Draining { remaining_s, outstanding, is_first: _ } = draining;
    match outstanding {
        0 => format!("Stopping: the last results are written down, {remaining_s} s left"),
        1 => format!("Stopping: 1 invocation is running, {remaining_s} s left"),
        more => format!("Stopping: {more} invocations are running, {remaining_s} s left"),
    }
}

/// `2 s · 5 functions · 1 invocation · 0 errors`
pub(super) fn stopped(summary: &Summary, uptime: &str) -> String {
    let functions = u64::try_from(summary.functions).unwrap_or(u64::MAX);
    let invocations = counted(summary.invocations.total(), "invocation");
    format!("{uptime} · {} · {invocations} · {}", counted(functions, "function"), counted(summary.errors, "error"))
}

pub(super) fn left_out(lines: u64) -> String {
    let lines = if lines == 1 { "1 line was".to_owned() } else { format!("{lines} lines were") };
    format!("{lines} left out here: more happened than could be printed")
}

/// The function's name.
pub(super) fn name(log: &Log) -> String {
    let mut name = String::new();
    push_visible(&mut name, log.function.as_deref().unwrap_or("?"));
    name
}

/// What tells the lines of one run of a function from those of another: the beginning of the invocation's id, or the whole id of
/// the instance, which people have chosen.
pub(super) fn short_id(log: &Log) -> Option<&str> {
    log.invocation_id.as_deref().map(short).or(log.instance_id.as_deref())
}

/// The text, and why.
pub(super) fn because(text: &str, reason: Option<&str>) -> String {
    let mut text = text.to_owned();
    if let Some(reason) = reason {
        text.push_str(": ");
        push_visible(&mut text, reason);
    }
    text
}

/// ` name=value` for each, and for the instance where nothing has named it yet.
pub(super) fn push_fields(line: &mut String, log: &Log) {
    let instance = log.instance_id.as_deref().filter(|_| log.function.is_none() || log.invocation_id.is_some());
    let instance = instance.map(|id| ("instance_id", id));
    let fields = log.fields.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in instance.into_iter().chain(fields) {
        line.push(' ');
        line.push_str(name);
        line.push('=');
        push_visible(line, value);
    }
}

/// Text of several lines, such as a compiler's: each but the first is indented. Ends the line.
pub(super) fn push_lines(out: &mut String, text: &str, indent: &str) {
    for (number, line) in text.trim_end().lines().enumerate() {
        if number > 0 {
            out.push_str(indent);
        }
        push_visible(out, line);
        out.push('\n');
    }
    if text.trim_end().is_empty() {
        out.push('\n');
    }
}
