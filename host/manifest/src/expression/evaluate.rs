//! From an expression and the data of a run to a text.

use std::fmt;

use serde_json::Value;
use storage_model::Ticks;

use super::guid::GuidFormat;
use super::{Expression, Part, Place, Source};

/// More names than this do not help whoever reads a message.
const SHOWN_NAMES: usize = 20;

/// What there is for one run of a function.
pub trait Data {
    /// The value of that name, compared without case: a property of the trigger's payload or metadata, or an object such as
    /// `Query`, whose properties `{Query.x}` names.
    fn value(&self, name: &str) -> Option<&Value>;

    /// All names, for messages; in a stable order.
    fn names(&self) -> Vec<&str>;

    /// The time of the run; the same for all expressions of one run.
    fn moment(&self) -> Ticks;

    /// A new GUID at each call.
    fn random_guid(&self) -> u128;

    /// The name of the function in the manifest.
    fn function(&self) -> &str;
}

/// A place of an expression that a run could not fill in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the binding expression '{expression}' cannot be filled in: {{{place}}}: {problem}")]
pub struct MissingValue {
    /// The expression, with settings filled in.
    pub expression: String,
    /// What stands between the braces.
    pub place: String,
    /// What is wrong, and what there is instead.
    pub problem: String,
}

impl Expression {
    /// Fills in all places. Texts appear as they are, numbers and booleans as in JSON.
    ///
    /// # Errors
    ///
    /// The first place without a value, or with one that is no text, number or boolean.
    pub fn evaluate(&self, data: &dyn Data) -> Result<String, MissingValue> {
        self.fill(data, |_, value| Ok(value))
    }

    /// Fills in all places of an OData filter so that no value can change its meaning: within quotes, apostrophes are
    /// doubled; outside of them, only numbers and booleans may appear.
    ///
    /// # Errors
    ///
    /// As for [`Expression::evaluate`], and a value that would change the filter.
    pub fn evaluate_filter(&self, data: &dyn Data) -> Result<String, MissingValue> {
        self.fill(data, |before, value| {
            let is_quoted = before.matches('\'').count() % 2 == 1;
            if is_quoted {
                return Ok(value.replace('\'', "''"));
            }
            if value == "true" || value == "false" || is_number(&value) {
                return Ok(value);
            }
            Err("its value is neither a number nor a boolean; put single quotes around the place".to_owned())
        })
    }

    /// `check` sees what comes before a value, and the value.
    fn fill(
        &self,
        data: &dyn Data,
        check: impl Fn(&str, String) -> Result<String, String>,
    ) -> Result<String, MissingValue> {
        let mut filled = String::with_capacity(self.text.len());
        for part in &self.parts {
            match part {
                Part::Literal(text) => filled.push_str(text),
                Part::Place(place) => {
                    let value = place_value(place, data).and_then(|value| check(&filled, value));
                    let value = value.map_err(|problem| MissingValue {
                        expression: self.text.clone(),
                        place: place.text.clone(),
                        problem,
                    })?;
                    filled.push_str(&value);
                }
            }
        }
        Ok(filled)
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && serde_json::from_str::<serde_json::Number>(text).is_ok()
}

fn place_value(place: &Place, data: &dyn Data) -> Result<String, String> {
    match &place.source {
        Source::RandomGuid(format) => Ok(GuidFormat::print(*format, data.random_guid())),
        Source::Moment(format) => Ok(format.print(data.moment())),
        Source::FunctionName => Ok(data.function().to_owned()),
        Source::Data(path) => data_value(path, data),
    }
}

fn data_value(path: &[String], data: &dyn Data) -> Result<String, String> {
    let mut names = path.iter();
    let first = names.next().map_or("", String::as_str);
    let mut value = data.value(first).ok_or_else(|| format!("there is no `{first}`; {}", Known(data.names())))?;
    let mut reached = first.to_owned();
    for name in names {
        let Value::Object(object) = value else {
            return Err(format!("`{reached}` is {}, which has no `{name}`", kind(value)));
        };
        // The exact name wins over one that differs in case.
        let found = object.get(name).or_else(|| {
            let same = |known: &String| known.to_lowercase() == name.to_lowercase();
            object.iter().find(|(known, _)| same(known)).map(|(_, value)| value)
        });
        let known = || Known(object.keys().map(String::as_str).collect());
        value = found.ok_or_else(|| format!("`{reached}` has no `{name}`; {}", known()))?;
        reached = format!("{reached}.{name}");
    }
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Object(object) => {
            let known = Known(object.keys().map(String::as_str).collect());
            Err(format!("`{reached}` is an object, not a text; name one of its properties; {known}"))
        }
        Value::Null | Value::Array(_) => Err(format!("`{reached}` is {}, not a text", kind(value))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// What there is, as the end of a message.
struct Known<'a>(Vec<&'a str>);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(SHOWN_NAMES)];
        if shown.is_empty() {
            return f.write_str("there is nothing");
        }
        write!(f, "there is: {}", shown.join(", "))?;
        if self.0.len() > SHOWN_NAMES { write!(f, " and {} more", self.0.len() - SHOWN_NAMES) } else { Ok(()) }
    }
}
