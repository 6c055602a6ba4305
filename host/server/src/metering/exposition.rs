//! The counters as Prometheus reads them: text exposition format 0.0.4.

use super::FunctionUsage;
use std::fmt::{Display, Write};

/// The media type of the format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All counters as text. `uptime_seconds` is the time since the host started.
pub(crate) fn exposition(app: &str, version: &str, uptime_seconds: u64, usage: &[FunctionUsage]) -> String {
    let mut text = String::new();
    let mut family = Family { text: &mut text };
    family.head("dacapo_build_info", "gauge", "The version of the host; always 1.");
    family.sample("dacapo_build_info", app, &[("version", version)], &1);
    family.head("dacapo_uptime_seconds", "gauge", "Time since the host started.");
    family.sample("dacapo_uptime_seconds", app, &[], &uptime_seconds);
    family.head("dacapo_function_executions_total", "counter", "Runs of functions, turns of orchestrators included.");
    for FunctionUsage { app, function, usage } in usage {
        let outcome = |outcome| [("function", function.as_str()), ("outcome", outcome)];
        family.sample("dacapo_function_executions_total", app, &outcome("succeeded"), &usage.successes);
        family.sample("dacapo_function_executions_total", app, &outcome("failed"), &usage.failures);
    }
    let replayed = "Turns of orchestrators that first ran through the history again; executions, too.";
    family.each("dacapo_function_replayed_turns_total", replayed, usage, |usage| &usage.usage.replayed_turns);
    let turns = "Turns of orchestrators and batches of entities without a replay; executions, too.";
    family.each("dacapo_function_turns_total", turns, usage, |usage| &usage.usage.turns);
    family.head("dacapo_function_duration_seconds_total", "counter", "Time that guests ran.");
    for FunctionUsage { app, function, usage } in usage {
        family.sample("dacapo_function_duration_seconds_total", app, &[("function", function)], &usage.seconds());
    }
    let billed = "Memory by time, as the consumption plan of the cloud bills it.";
    family.head("dacapo_function_gb_seconds_total", "counter", billed);
    for FunctionUsage { app, function, usage } in usage {
        family.sample("dacapo_function_gb_seconds_total", app, &[("function", function)], &usage.gb_seconds());
    }
    text
}

struct Family<'a> {
    text: &'a mut String,
}

impl Family<'_> {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _infallible = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn each(&mut self, name: &str, help: &str, usage: &[FunctionUsage], value: impl Fn(&FunctionUsage) -> &u64) {
        self.head(name, "counter", help);
        for function in usage {
            self.sample(name, &function.app, &[("function", &function.function)], value(function));
        }
    }

    fn sample(&mut self, name: &str, app: &str, labels: &[(&str, &str)], value: &dyn Display) {
        let _infallible = write!(self.text, "{name}{{app=\"{}\"", escaped(app));
        for (label, text) in labels {
            let _infallible = write!(self.text, ",{label}=\"{}\"", escaped(text));
        }
        let _infallible = writeln!(self.text, "}} {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
