//! A manifest in the making: lines that know where they come from, and what is left of them when the checks are done.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Note;
use super::json::{quoted, to_toml};
use crate::app_settings::{Lookup, SOURCES};
use crate::fields::join;
use crate::problem::Problem;

/// What stands for the value of a field that names an app setting which is not there, while the manifest is checked.
const SAMPLES: [(&str, &str); 7] = [
    ("queueName", "sample"),
    ("tableName", "Sample"),
    ("schedule", "0 0 0 * * *"),
    ("timeZone", "UTC"),
    ("functionTimeout", "1m"),
    ("hubName", "Sample"),
    ("connection", "Sample"),
];

/// Where a line comes from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    pub(super) file: String,
    pub(super) place: String,
}

impl Origin {
    pub(super) fn file(file: &str) -> Origin {
        Origin { file: file.to_owned(), place: String::new() }
    }

    /// A property of the value at this place.
    pub(super) fn property(&self, name: &str) -> Origin {
        Origin { file: self.file.clone(), place: join(&self.place, name) }
    }

    /// An element of the array at this place.
    pub(super) fn element(&self, index: usize) -> Origin {
        Origin { file: self.file.clone(), place: format!("{}[{index}]", self.place) }
    }

    pub(super) fn note(&self, what: impl Into<String>, next_step: impl Into<String>) -> Note {
        Note { file: self.file.clone(), place: self.place.clone(), what: what.into(), next_step: next_step.into() }
    }
}

#[derive(Debug, Default)]
pub(super) struct Draft {
    lines: Vec<Line>,
    pub(super) notes: Vec<Note>,
}

#[derive(Debug)]
struct Line {
    /// The path of the section that it opens or stands in.
    section: String,
    /// The key; none: this is the header of the section.
    key: Option<String>,
    text: String,
    /// What names settings, in the text, as it was before it was quoted.
    names_settings: Option<String>,
    origin: Origin,
}

impl Line {
    /// The section that goes when this line goes: a header's own; a trigger or binding is nothing without its type, and a
    /// function is nothing without its trigger. None: only the line.
    fn group_with_it(&self) -> Option<String> {
        let is_of_function = self.section.starts_with("functions.");
        let goes = match &self.key {
            None => true,
            Some(key) => key == "type" && is_of_function,
        };
        let function = self.section.strip_suffix(".trigger").filter(|_| is_of_function);
        goes.then(|| function.unwrap_or(&self.section).to_owned())
    }
}

impl Draft {
    /// Opens a section; what follows is in it.
    pub(super) fn section(&mut self, path: &str, origin: &Origin) {
        let text = format!("[{path}]");
        self.lines.push(Line {
            section: path.to_owned(),
            key: None,
            text,
            names_settings: None,
            origin: origin.clone(),
        });
    }

    pub(super) fn text_field(&mut self, key: &str, text: &str, origin: &Origin) {
        self.field(key, &Value::from(text), origin);
    }

    /// Adds a field to the open section; null is left out.
    pub(super) fn field(&mut self, key: &str, value: &Value, origin: &Origin) {
        let Some(toml) = to_toml(value) else { return };
        let section = self.lines.last().map(|line| line.section.clone()).unwrap_or_default();
        let names_settings = value.as_str().filter(|text| text.contains('%')).map(str::to_owned);
        let text = format!("{} = {toml}", join("", key));
        self.lines.push(Line { section, key: Some(key.to_owned()), text, names_settings, origin: origin.clone() });
    }

    /// Opens a section with the properties of an object; objects in it become sections of their own.
    pub(super) fn object(&mut self, path: &str, object: &Map<String, Value>, origin: &Origin) {
        self.section(path, origin);
        self.properties(path, object, origin);
    }

    /// Adds the properties of an object to the section that is open, `path`.
    pub(super) fn properties(&mut self, path: &str, object: &Map<String, Value>, origin: &Origin) {
        let (objects, others): (Vec<_>, Vec<_>) = object.iter().partition(|(_, value)| value.is_object());
        for (key, value) in others {
            self.field(key, value, &origin.property(key));
        }
        for (key, value) in objects {
            if let Value::Object(inner) = value {
                self.object(&join(path, key), inner, &origin.property(key));
            }
        }
    }

    /// Checks the manifest and removes what is wrong in it until nothing is; says what is left, and what was removed. An error
    /// if it comes to nothing.
    pub(super) fn settle(mut self, settings: &Lookup<'_>) -> Result<(String, Vec<Note>), Vec<Note>> {
        self.note_missing_settings(settings);
        // Each round removes a line at least.
        while self.lines.iter().any(|line| self.is_function(&line.section)) {
            match crate::parse(&self.trial(settings), "", settings) {
                Ok(_) => return Ok((self.print(), self.notes)),
                Err(problems) if self.remove(&problems.problems) => {}
                Err(_) => break,
            }
        }
        Err(self.notes)
    }

    /// The manifest as it is checked: each of our lines is a line of the text.
    fn trial(&self, settings: &Lookup<'_>) -> String {
        let lines = self.lines.iter().map(|line| match (&line.key, &line.names_settings) {
            (Some(key), Some(text)) if missing_settings(text, settings).next().is_some() => {
                let sample = SAMPLES.iter().find(|(known, _)| known == key).map_or("sample", |(_, sample)| sample);
                format!("{} = {}\n", join("", key), quoted(sample))
            }
            (Some(_), Some(_) | None) | (None, _) => format!("{}\n", line.text),
        });
        lines.collect()
    }

    fn note_missing_settings(&mut self, settings: &Lookup<'_>) {
        for line in &self.lines {
            let Some(text) = &line.names_settings else { continue };
            for name in missing_settings(text, settings) {
                let what = format!("names the app setting `{name}`, which local.settings.json does not have");
                self.notes.push(line.origin.note(what, format!("set it in {SOURCES}")));
            }
        }
    }

    /// Removes the lines of these problems, or the parts of the manifest that make no sense without them. False: there are none.
    fn remove(&mut self, problems: &[Problem]) -> bool {
        let mut groups: Vec<String> = Vec::new();
        let mut single: BTreeSet<usize> = BTreeSet::new();
        for problem in problems {
            let index = problem.line.saturating_sub(1);
            let Some(line) = self.lines.get(index) else { continue };
            let group = line.group_with_it();
            let is_function = group.as_ref().is_some_and(|group| self.is_function(group));
            let left_out = if is_function { "the function is left out" } else { "left out" };
            // Something that is missing is reported at the section that should have it.
            let missing = problem.field.strip_prefix(&line.section).and_then(|rest| rest.strip_prefix('.'));
            let missing = missing.filter(|_| line.key.is_none()).map_or(String::new(), |key| format!("`{key}` "));
            let next_step = problem.next_step.as_str();
            let next_step = next_step.strip_prefix("remove it: ").unwrap_or(next_step);
            self.notes.push(line.origin.note(format!("{missing}{}: {left_out}", problem.what), next_step));
            match group {
                Some(group) => groups.push(group),
                None => drop(single.insert(index)),
            }
        }
        let before = self.lines.len();
        let is_in = |section: &str, group: &String| {
            section.strip_prefix(group.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let lines = std::mem::take(&mut self.lines).into_iter().enumerate();
        let kept = lines
            .filter(|(index, line)| !single.contains(index) && !groups.iter().any(|group| is_in(&line.section, group)));
        self.lines = kept.map(|(_, line)| line).collect();
        self.lines.len() < before
    }

    fn is_function(&self, section: &str) -> bool {
        let trigger = format!("{section}.trigger");
        self.lines.iter().any(|line| line.section == trigger)
    }

    fn print(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            // Headers of sections that only hold sections say nothing.
            let has_fields = || self.lines.iter().any(|other| other.section == line.section && other.key.is_some());
            if !line.section.starts_with("functions.") && line.key.is_none() && !has_fields() {
                continue;
            }
            // The sections of one function, and of the host, stand together.
            let begins =
                line.key.is_none() && (line.section.matches('.').count() <= 1 || line.section.starts_with("host."));
            if begins && !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line.text);
            text.push('\n');
        }
        text
    }
}

/// The settings that a text names as `%NAME%` and that are not there.
fn missing_settings<'a>(text: &'a str, settings: &'a Lookup<'_>) -> impl Iterator<Item = &'a str> {
    let names = text.split('%').skip(1).step_by(2);
    names.filter(|name| !name.is_empty() && settings(name).is_none())
}
