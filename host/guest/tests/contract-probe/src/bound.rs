//! The bindings of a function as commands, and what a run uses.

use crate::activities::compute;
use crate::bindings::wit_bindings;
use crate::client;
use crate::script;

pub(crate) fn run(script: &str) -> String {
    script::run(script, |words| match words {
        ["input", name] => shown(wit_bindings::input(name)),
        ["output", name, value] => shown(wit_bindings::output(name, value).map(|()| "taken".to_owned())),
        ["output-of", name, bytes] => {
            let value = "x".repeat(bytes.parse().expect("a number"));
            shown(wit_bindings::output(name, &value).map(|()| "taken".to_owned()))
        }
        ["allocate", bytes] => {
            let bytes: usize = bytes.parse().expect("a number");
            std::hint::black_box(vec![1_u8; bytes]).len().to_string()
        }
        ["compute"] => compute(),
        other => client::command(other),
    })
}

fn shown(result: Result<String, String>) -> String {
    match result {
        Ok(value) => value.replace('"', "'"),
        Err(text) => format!("refused: {text}"),
    }
}
