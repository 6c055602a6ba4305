//! `dacapo templates`: what `init` and `new` can make. What is in the templates is up to `new`.

use serde::Serialize;

use super::new::{TEMPLATES, description};
use crate::cli::{OutputFormat, TemplatesArguments};
use crate::console::Console;

/// Runs the command to its end.
pub(crate) fn run(arguments: &TemplatesArguments, console: &Console) {
    console.notice(&in_format(arguments.output));
}

fn in_format(format: OutputFormat) -> String {
    #[derive(Serialize)]
    struct Listed {
        template: &'static str,
        description: &'static str,
    }
    let listed = TEMPLATES.map(|template| Listed { template: template.word(), description: description(template) });
    match format {
        // Structs of texts always serialise.
        OutputFormat::Json => serde_json::to_string_pretty(&listed).unwrap_or_default(),
        OutputFormat::Text => {
            let lines = listed.iter().map(|one| format!("{:<14} {}", one.template, one.description));
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_listed_in_both_formats() {
        expect_test::expect![[r#"
            durable        a durable workflow: an orchestration with its activities, started and followed over HTTP
            http           answers HTTP requests
            activity       a step of orchestrations, with effects
            orchestration  an orchestration that waits for somebody's decision
            queue          works on the messages of a queue
            timer          runs on a schedule
            entity         a small piece of state with operations on it"#]]
        .assert_eq(&in_format(OutputFormat::Text));
        let json: serde_json::Value = serde_json::from_str(&in_format(OutputFormat::Json)).expect("it is JSON");
        assert_eq!(json.as_array().map(Vec::len), Some(TEMPLATES.len()));
        assert_eq!(json[1]["template"], "http");
    }
}
