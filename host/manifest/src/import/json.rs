//! JSON as Azure's tools read it, and its values in TOML's notation.

use serde_json::{Map, Value};

use super::ImportError;
use crate::fields::join;

/// The object that a file holds. Comments and a byte order mark are skipped, as Azure's tools do.
pub(super) fn object(file: &str, text: &str) -> Result<Map<String, Value>, ImportError> {
    let wrong = |what: String| ImportError::File {
        file: file.to_owned(),
        what,
        next_step: "correct the file; it must be a JSON object",
    };
    let text = without_comments(text.trim_start_matches('\u{feff}'));
    // Azure writes host.json anew where it is empty.
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(&text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(wrong("is no JSON object".to_owned()))
        }
        Err(error) => Err(wrong(format!("is not JSON: {error}"))),
    }
}

/// `//` and `/* */` outside of strings become spaces, so that lines and columns stay.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    let blank = |kept: &mut String, comment: &str| {
        kept.extend(comment.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
    };
    while let Some(at) = rest.find(['"', '/']) {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        let end = if from.starts_with('"') {
            let end = end_of_string(from);
            kept.push_str(&from[..end]);
            end
        } else if from.starts_with("//") {
            let end = from.find('\n').unwrap_or(from.len());
            blank(&mut kept, &from[..end]);
            end
        } else if from.starts_with("/*") {
            let end = from.find("*/").map_or(from.len(), |end| end + 2);
            blank(&mut kept, &from[..end]);
            end
        } else {
            kept.push('/');
            1
        };
        rest = &from[end..];
    }
    kept.push_str(rest);
    kept
}

/// How many bytes the string at the beginning of a text has, quotes included.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A value in TOML's notation, on one line. None for null, which TOML does not have.
pub(super) fn to_toml(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(to_toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => {
            let fields =
                object.iter().filter_map(|(key, value)| Some(format!("{} = {}", join("", key), to_toml(value)?)));
            let fields: Vec<String> = fields.collect();
            if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
        }
    })
}

/// A text as a basic string of TOML, which takes JSON's escapes.
pub(super) fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    // JSON leaves this one control character as it is, and TOML does not take it.
    json.replace('\u{7f}', "\\u007f")
}
