//! Scripts: commands in, what they came to out.

use crate::bindings::values::{EntityId, Failure, StartOptions};

/// Runs each command and answers one line for each, as a JSON string.
pub(crate) fn run(script: &str, mut command: impl FnMut(&[&str]) -> String) -> String {
    let mut lines = Vec::new();
    for line in script.trim_matches('"').split(';').map(str::trim) {
        let words: Vec<&str> = line.split(' ').map(|word| if word == "''" { "" } else { word }).collect();
        lines.push(format!("{line} -> {}", command(&words)));
    }
    quote(&lines.join("\n"))
}

/// The text as JSON; the scripts and their answers have only characters for which Rust's notation is JSON's.
pub(crate) fn quote(text: &str) -> String {
    format!("{text:?}")
}

pub(crate) fn entity(name: &str, key: &str) -> EntityId {
    EntityId { name: name.to_owned(), key: key.to_owned() }
}

/// All of them set but the moment; `''` is no id.
pub(crate) fn start_options(id: &str) -> StartOptions {
    StartOptions {
        instance_id: (!id.is_empty()).then(|| id.to_owned()),
        version: Some("2.0".to_owned()),
        tags: vec![("team".to_owned(), "a".to_owned()), ("team".to_owned(), "b".to_owned())],
        start_at: None,
    }
}

pub(crate) fn outcome<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
    match result {
        Ok(value) => format!("{value:?}").replace('"', "'"),
        Err(failure) => format!("{}: {}", failure.error_type, failure.message),
    }
}

pub(crate) fn failure(error_type: &str) -> Failure {
    Failure {
        error_type: error_type.to_owned(),
        message: "as you wish".to_owned(),
        details: None,
        non_retriable: true,
        causes: Vec::new(),
        properties: Vec::new(),
    }
}
