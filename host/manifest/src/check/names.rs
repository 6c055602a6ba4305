//! Rules for names that authors choose.

use crate::fields::Placed;
use crate::problem::Report;

/// Longest app name, in characters.
pub const MAX_APP_NAME_CHARS: usize = 64;
/// Longest function name, in characters; Azure's limit.
pub const MAX_FUNCTION_NAME_CHARS: usize = 128;

/// What a kind of name must look like. All names are ASCII, so that a character is a byte.
#[derive(Clone, Copy)]
pub(super) struct NameRule {
    begins_with_letter: bool,
    /// Besides letters and digits.
    also: &'static str,
    min: usize,
    max: usize,
    /// For people.
    description: &'static str,
}

pub(super) const APP: NameRule = NameRule {
    begins_with_letter: true,
    also: "-_",
    min: 1,
    max: MAX_APP_NAME_CHARS,
    description: "begin with a letter, go on with letters, digits, `-` and `_`, 64 characters at most",
};

pub(super) const COMPONENT: NameRule = APP;

pub(super) const FUNCTION: NameRule = NameRule {
    begins_with_letter: true,
    also: "-_",
    min: 1,
    max: MAX_FUNCTION_NAME_CHARS,
    description: "begin with a letter, go on with letters, digits, `-` and `_`, 128 characters at most",
};

/// Azure's limit.
pub(super) const BINDING: NameRule = FUNCTION;

pub(super) const VERSION: NameRule = NameRule {
    begins_with_letter: false,
    also: "-_.+",
    min: 1,
    max: 64,
    description: "use letters, digits, `.`, `-`, `_` and `+`, 64 characters at most, such as \"1.0.0\"",
};

/// A task hub's name becomes part of the names of queues and tables, which take nothing else.
pub(super) const HUB: NameRule = NameRule {
    begins_with_letter: true,
    also: "",
    min: 3,
    max: 45,
    description: "begin with a letter, go on with letters and digits, 3 to 45 characters",
};

impl NameRule {
    pub(super) fn holds(self, name: &str) -> bool {
        let allowed = |c: char| c.is_ascii_alphanumeric() || self.also.contains(c);
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic()) || !self.begins_with_letter;
        begins && name.chars().all(allowed) && (self.min..=self.max).contains(&name.len())
    }
}

/// Reports a name that breaks its rule; says whether it keeps it.
pub(super) fn check(name: &Placed<String>, field: &str, rule: NameRule, report: &Report<'_>) -> bool {
    let holds = rule.holds(name.get_ref());
    if !holds {
        let what = format!("{} is not a valid name", quoted(name.get_ref()));
        report.add(&name.span(), field, what, rule.description);
    }
    holds
}

/// A text as messages show it: escaped, and not longer than a line.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    format!("{shown:?}")
}
