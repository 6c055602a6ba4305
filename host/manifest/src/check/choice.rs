//! Fields that take one of a few words.

use super::names::quoted;
use crate::fields::Placed;
use crate::problem::Report;
use crate::suggestion::nearest;

/// The words that a field takes and what they mean. Case is ignored, as host.json does.
pub(crate) struct Choice<T: 'static> {
    /// What a word stands for, with its article, as messages show it.
    pub(crate) noun: &'static str,
    pub(crate) all: &'static [T],
    pub(crate) word: fn(T) -> &'static str,
}

impl<T: Copy + Default> Choice<T> {
    /// What was chosen; the default when nothing was, or when it was reported.
    pub(crate) fn read(&self, written: Option<&Placed<String>>, field: &str, report: &Report<'_>) -> T {
        let Some(written) = written else { return T::default() };
        let mut all = self.all.iter().copied();
        if let Some(chosen) = all.find(|choice| (self.word)(*choice).eq_ignore_ascii_case(written.get_ref())) {
            return chosen;
        }
        let words: Vec<&str> = self.all.iter().map(|choice| (self.word)(*choice)).collect();
        let next = match nearest(written.get_ref(), words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use {}", or_list(&words)),
        };
        report.add(&written.span(), field, format!("{} is not {}", quoted(written.get_ref()), self.noun), next);
        T::default()
    }
}

/// `a, b or c`.
fn or_list(words: &[&str]) -> String {
    match words {
        [many @ .., last] if !many.is_empty() => format!("{} or {last}", many.join(", ")),
        few => few.join(", "),
    }
}
