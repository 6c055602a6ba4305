//! Typed access to the tables of a TOML document, field by field.
//!
//! Every access that fails is reported and reading goes on, so that one pass finds everything: serde would stop at the
//! first. Knows TOML's types and nothing about what the fields mean.

use std::fmt::Write as _;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::app_settings::AppSettings;
use crate::problem::Report;
use crate::suggestion::did_you_mean;

/// A value together with where it stands in the text.
pub(crate) type Placed<T> = Spanned<T>;

/// What a field may be that takes a switch or a text.
pub(crate) enum FlagOrText {
    Flag(bool),
    Text(Placed<String>),
}

/// One table of the document, and which of its fields somebody asked for.
pub(crate) struct Section<'t, 'r> {
    /// The table's own name in TOML's notation; empty for the document.
    pub(crate) path: String,
    /// Where the table's name stands; missing fields are reported here.
    pub(crate) at: Range<usize>,
    table: &'t DeTable<'t>,
    settings: &'r AppSettings<'r>,
    report: &'r Report<'t>,
    known: Vec<&'static str>,
    /// Fields that were told apart already; never suggested.
    refused: Vec<&'static str>,
}

impl<'t, 'r> Section<'t, 'r> {
    pub(crate) fn document(table: &'t DeTable<'t>, settings: &'r AppSettings<'r>, report: &'r Report<'t>) -> Self {
        Section { path: String::new(), at: 0..0, table, settings, report, known: Vec::new(), refused: Vec::new() }
    }

    pub(crate) fn report(&self) -> &'r Report<'t> {
        self.report
    }

    /// The full name of a field of this table.
    pub(crate) fn field(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Whether the field is there, of whatever type.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Option<Placed<String>> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str().map(|text| Spanned::new(value.span(), text.to_owned()));
        text.or_else(|| self.wrong_type(key, value, "a string in quotes"))
    }

    /// A text with app settings filled in.
    pub(crate) fn setting_text(&mut self, key: &'static str) -> Option<Placed<String>> {
        let text = self.text(key)?;
        self.settings.resolve(&text, &self.field(key), self.report)
    }

    pub(crate) fn flag(&mut self, key: &'static str) -> Option<Placed<bool>> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool().map(|flag| Spanned::new(value.span(), flag));
        flag.or_else(|| self.wrong_type(key, value, "true or false"))
    }

    pub(crate) fn integer(&mut self, key: &'static str) -> Option<Placed<i64>> {
        let value = self.value(key)?;
        let Some(written) = value.get_ref().as_integer() else {
            return self.wrong_type(key, value, "a whole number");
        };
        let number = i64::from_str_radix(written.as_str(), written.radix());
        let number = number.ok().map(|number| Spanned::new(value.span(), number));
        number.or_else(|| {
            let what = format!("{written} is too large for any setting");
            self.report.add(&value.span(), self.field(key), what, "write a smaller whole number");
            None
        })
    }

    /// A list of strings. Elements of another type are reported and left out.
    pub(crate) fn texts(&mut self, key: &'static str) -> Option<Placed<Vec<Placed<String>>>> {
        let value = self.value(key)?;
        let Some(array) = value.get_ref().as_array() else {
            return self.wrong_type(key, value, "a list of strings such as [\"one\", \"two\"]");
        };
        let mut texts = Vec::new();
        for element in array.iter() {
            match element.get_ref().as_str() {
                Some(text) => texts.push(Spanned::new(element.span(), text.to_owned())),
                None => self.report_type(key, element, "only strings in this list"),
            }
        }
        Some(Spanned::new(value.span(), texts))
    }

    /// The same with app settings filled in.
    pub(crate) fn setting_texts(&mut self, key: &'static str) -> Option<Placed<Vec<Placed<String>>>> {
        let texts = self.texts(key)?;
        let field = self.field(key);
        let resolve = |text: &Placed<String>| self.settings.resolve(text, &field, self.report);
        Some(Spanned::new(texts.span(), texts.get_ref().iter().filter_map(resolve).collect()))
    }

    /// True, false, or a text as it stands.
    pub(crate) fn flag_or_text(&mut self, key: &'static str) -> Option<FlagOrText> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(FlagOrText::Flag(*flag)),
            DeValue::String(text) => Some(FlagOrText::Text(Spanned::new(value.span(), text.clone().into_owned()))),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                self.wrong_type(key, value, "true, false, or the name of an app setting in quotes")
            }
        }
    }

    /// Every field of this table, each a text with app settings filled in, in the order of the file: for tables whose keys the
    /// author chose.
    pub(crate) fn named_texts(&self) -> Vec<(Placed<String>, Placed<String>)> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let text = |name: &str, value: &Spanned<DeValue<'_>>| {
            let text = value.get_ref().as_str().map(|text| Spanned::new(value.span(), text.to_owned()));
            let text = text.or_else(|| self.wrong_type(name, value, "a string in quotes"))?;
            self.settings.resolve(&text, &self.field(name), self.report)
        };
        let named = entries.into_iter().filter_map(|(name, value)| {
            let text = text(name.get_ref(), value)?;
            Some((Spanned::new(name.span(), name.get_ref().clone().into_owned()), text))
        });
        named.collect()
    }

    /// Every field of this table as the text that an environment has of it, in the order of the file; numbers and switches may be
    /// written without quotes.
    pub(crate) fn named_values(&self) -> Vec<(String, String)> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let text = |name: &str, value: &Spanned<DeValue<'_>>| match value.get_ref() {
            DeValue::String(text) => Some(text.clone().into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .map(|number| number.to_string())
                .or_else(|| self.wrong_type(name, value, "a number of this size in quotes")),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Some(flag.to_string()),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                self.wrong_type(name, value, "a text, a number, or true or false: functions see it as text")
            }
        };
        let named = entries.into_iter().filter_map(|(name, value)| {
            let text = text(name.get_ref(), value)?;
            Some((name.get_ref().clone().into_owned(), text))
        });
        named.collect()
    }

    /// A table within this one.
    pub(crate) fn section(&mut self, key: &'static str) -> Option<Section<'t, 'r>> {
        self.known.push(key);
        let (name, value) = self.table.get_key_value(key)?;
        self.open(key, name.span(), value)
    }

    /// Every field of this table, each a table itself, in the order of the file: for tables whose keys are names that the
    /// author chose.
    pub(crate) fn named_sections(&self) -> Vec<(Placed<String>, Option<Section<'t, 'r>>)> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        entries
            .into_iter()
            .map(|(name, value)| {
                let section = self.open(name.get_ref(), name.span(), value);
                (Spanned::new(name.span(), name.get_ref().clone().into_owned()), section)
            })
            .collect()
    }

    /// Reports fields that Azure Functions has and this host does not, each with what to do instead; they are not reported as
    /// unknown then.
    pub(crate) fn refuse(&mut self, fields: &[(&'static str, &str)]) {
        for (key, next) in fields {
            self.refused.push(key);
            if let Some((name, _)) = self.table.get_key_value(*key) {
                self.report.add(&name.span(), self.field(key), "has no counterpart here", *next);
            }
        }
    }

    /// Reports that a field that must be there is not.
    pub(crate) fn missing(&self, key: &str, example: &str) {
        self.report.add(&self.at, self.field(key), "is missing", format!("add {example}"));
    }

    /// Every field that nobody asked for is reported.
    pub(crate) fn finish(self) {
        #[cfg(test)]
        self.report.known_fields.borrow_mut().insert(self.path.clone(), self.known.iter().copied().collect());
        for (name, _) in self.table.iter() {
            let key = name.get_ref().as_ref();
            if !self.known.contains(&key) && !self.refused.contains(&key) {
                let next = if self.known.is_empty() {
                    "remove it: this table takes no other fields".to_owned()
                } else {
                    did_you_mean(name.get_ref(), &self.known)
                };
                self.report.add(&name.span(), self.field(name.get_ref()), "unknown field", next);
            }
        }
    }

    fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.push(key);
        self.table.get(key)
    }

    fn open(&self, key: &str, at: Range<usize>, value: &'t Spanned<DeValue<'t>>) -> Option<Section<'t, 'r>> {
        let Some(table) = value.get_ref().as_table() else {
            return self.wrong_type(key, value, "a table: a section of its own, or `{ field = value }`");
        };
        Some(Section { path: self.field(key), at, table, known: Vec::new(), refused: Vec::new(), ..*self })
    }

    fn wrong_type<T>(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) -> Option<T> {
        self.report_type(key, value, expected);
        None
    }

    fn report_type(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        let article = if matches!(value.get_ref(), DeValue::Integer(_) | DeValue::Array(_)) { "an" } else { "a" };
        let what = format!("has the wrong type, {article} {}", value.get_ref().type_str());
        self.report.add(&value.span(), self.field(key), what, format!("write {expected}"));
    }
}

/// `path.key`, with quotes around a key that TOML would not take bare.
pub(crate) fn join(path: &str, key: &str) -> String {
    let mut joined = path.to_owned();
    if !path.is_empty() {
        joined.push('.');
    }
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare {
        joined.push_str(key);
    } else {
        // Debug form escapes quotes and control characters; writing to a string cannot fail.
        write!(joined, "{key:?}").unwrap_or_default();
    }
    joined
}
