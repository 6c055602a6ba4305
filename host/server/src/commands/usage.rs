//! `dacapo usage`: what the functions of a running host have used, as a table with an estimate.

#[cfg(test)]
mod tests;

use anyhow::{Context, bail};
use std::fmt::Write;

use super::admin_api::{self, SHORT, ask};
use crate::admin::{UsageNumbers, UsageReport};
use crate::cli::{OutputFormat, UsageArguments};
use crate::console::Console;
use crate::exit::Problem;
use crate::metering::{FREE_EXECUTIONS, FREE_GB_SECONDS};

const COLUMNS: [&str; 8] =
    ["Function", "Executions", "Succeeded", "Failed", "Turns", "Replayed", "Duration (s)", "GB-s"];

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::NoAnswer`] when the host cannot be asked.
pub(crate) fn run(arguments: &UsageArguments, console: &Console) -> Result<(), Problem> {
    console.notice(&admin_api::block_on(usage(arguments))?);
    Ok(())
}

async fn usage(arguments: &UsageArguments) -> anyhow::Result<String> {
    let answer = ask(&arguments.host, "/admin/host/usage", None, SHORT).await?;
    if answer.status != 200 {
        bail!("{} answered {} when it was asked for its usage", admin_api::origin(&arguments.host.url), answer.status);
    }
    match arguments.host.output {
        OutputFormat::Json => Ok(answer.content),
        OutputFormat::Text => {
            let report = serde_json::from_str(&answer.content).context("the host's answer is not understood")?;
            Ok(in_words(&report))
        }
    }
}

fn in_words(report: &UsageReport) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(report.functions.iter().map(|function| row(&function.function, &function.usage)));
    rows.push(row("Total", &report.total));
    let estimate = &report.estimate;
    let beyond = if estimate.billable_executions == 0 && estimate.billable_gb_seconds <= 0.0 {
        "nothing".to_owned()
    } else {
        let (executions, gb_seconds) = (grouped(estimate.billable_executions), seconds(estimate.billable_gb_seconds));
        format!("{executions} executions and {gb_seconds} GB-s")
    };
    format!(
        "App: {}\n\n{}\n\
         In the consumption plan of the cloud, if all of it fell within one month:\n  \
         {} of {} free executions ({:.1} %)\n  {} of {} free GB-s ({:.1} %)\n  billed beyond that: {beyond}",
        report.app,
        table(&rows),
        grouped(estimate.executions),
        grouped(FREE_EXECUTIONS),
        estimate.free_executions_percent,
        seconds(estimate.gb_seconds),
        seconds(FREE_GB_SECONDS).trim_end_matches(".0"),
        estimate.free_gb_seconds_percent,
    )
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
fn row(name: &str, usage: &UsageNumbers) -> [String; 8] {
    [
        name.to_owned(),
        grouped(usage.executions),
        grouped(usage.successes),
        grouped(usage.failures),
        grouped(usage.turns),
        grouped(usage.replayed_turns),
        seconds(usage.duration_ms as f64 / 1_000.0),
        seconds(usage.gb_seconds),
    ]
}

/// Names at the left, numbers at the right of their columns.
fn table(rows: &[[String; 8]]) -> String {
    let mut widths = [0; 8];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len());
        }
    }
    let mut text = String::new();
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            // Writing to a String cannot fail.
            let _infallible =
                if column == 0 { write!(text, "{cell:width$}") } else { write!(text, "  {cell:>width$}") };
        }
        text.push('\n');
    }
    text
}

/// With a comma for each thousand.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With one decimal, and never as more precise than that.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never negative, and what is beyond 2^64 is shown as that"
)]
fn seconds(number: f64) -> String {
    let tenths = (number * 10.0).round() as u64;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}
