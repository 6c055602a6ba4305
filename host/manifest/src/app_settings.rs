//! App settings in a manifest: `%NAME%` in its texts, and the settings that it names.
//!
//! Owns the notation and the list of what is referred to. Where settings come from is the caller's business: it hands in a
//! lookup. Everything is resolved once, while the manifest is read.

use std::cell::RefCell;
use std::ops::Range;

use crate::fields::Placed;
use crate::problem::Report;

/// Finds the value of an app setting.
pub type Lookup<'s> = dyn Fn(&str) -> Option<String> + 's;

/// A lookup that finds nothing.
pub fn no_settings(_name: &str) -> Option<String> {
    None
}

/// Where settings can be set, as messages say it.
pub(crate) const SOURCES: &str = "the environment, or under `[values]` in local.settings.toml beside the manifest";

/// What follows `NAME__` in settings that connect without a connection string.
pub(crate) const IDENTITY_SUFFIXES: [&str; 8] = [
    "serviceUri",
    "queueServiceUri",
    "tableServiceUri",
    "blobServiceUri",
    "accountName",
    "credential",
    "clientId",
    "fullyQualifiedNamespace",
];

/// A setting that a manifest refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingReference {
    /// The setting.
    pub name: String,
    /// The field that refers to it, in TOML's notation. For a connection that is not written down, the section that needs it.
    pub field: String,
    /// The line of that field in the manifest, from 1.
    pub line: usize,
    /// What it is for.
    pub purpose: SettingPurpose,
}

/// What a setting is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingPurpose {
    /// Part of a text, `%NAME%`.
    Text,
    /// A connection string. It may be missing: the host's own storage is meant then.
    Connection,
    /// Whether a function is disabled. It may be missing: the function runs then.
    Disabled,
}

/// The lookup, and what was asked for so far.
pub(crate) struct AppSettings<'s> {
    lookup: &'s Lookup<'s>,
    // Shared by every section that is open at the same time; borrowed only within `refer`.
    references: RefCell<Vec<SettingReference>>,
}

impl<'s> AppSettings<'s> {
    pub(crate) fn new(lookup: &'s Lookup<'s>) -> Self {
        AppSettings { lookup, references: RefCell::default() }
    }

    /// The value of a setting. Sections are written with `:` in Azure, and with `__` where a name cannot have that.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).or_else(|| name.contains(':').then(|| (self.lookup)(&name.replace(':', "__")))?)
    }

    /// Remembers that `field` refers to a setting.
    pub(crate) fn refer(
        &self,
        name: &str,
        field: &str,
        at: &Range<usize>,
        purpose: SettingPurpose,
        report: &Report<'_>,
    ) {
        let reference =
            SettingReference { name: name.to_owned(), field: field.to_owned(), line: report.line(at.start), purpose };
        self.references.borrow_mut().push(reference);
    }

    /// The text with every `%NAME%` replaced, and `%%` by a percent sign; none if something was reported.
    pub(crate) fn resolve(&self, written: &Placed<String>, field: &str, report: &Report<'_>) -> Option<Placed<String>> {
        let text = written.get_ref();
        if !text.contains('%') {
            return Some(written.clone());
        }
        let wrong = |what: String, next: String| report.add(&written.span(), field, what, next);
        let mut resolved = String::new();
        let mut pieces = text.split('%');
        resolved.push_str(pieces.next().unwrap_or_default());
        let mut is_good = true;
        // What stands between two percent signs alternates with what stands outside of them.
        while let Some(name) = pieces.next() {
            let Some(after) = pieces.next() else {
                wrong("has a % without its counterpart".to_owned(), UNBALANCED.to_owned());
                return None;
            };
            if name.is_empty() {
                resolved.push('%');
            } else if name.contains(char::is_whitespace) {
                wrong(format!("names no setting between its percent signs: `{name}`"), UNBALANCED.to_owned());
                is_good = false;
            } else {
                self.refer(name, field, &written.span(), SettingPurpose::Text, report);
                match self.get(name) {
                    Some(value) => resolved.push_str(&value),
                    None => {
                        wrong(format!("there is no app setting `{name}`"), format!("set it in {SOURCES}"));
                        is_good = false;
                    }
                }
            }
            resolved.push_str(after);
        }
        is_good.then(|| Placed::new(written.span(), resolved))
    }

    /// What was referred to, in the order of the lines.
    pub(crate) fn into_references(self) -> Vec<SettingReference> {
        let mut references = self.references.into_inner();
        references.sort_by(|a, b| a.line.cmp(&b.line).then_with(|| a.cmp(b)));
        references.dedup();
        references
    }
}

const UNBALANCED: &str = "write %NAME% for an app setting, and %% for a percent sign";
