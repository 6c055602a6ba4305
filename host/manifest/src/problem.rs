//! What is wrong with a manifest, and where: the problems that a reader of the file can act on.
//!
//! Owns their collection, their order and how they print. What counts as a problem is decided in `fields` and `check`.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

/// One thing that is wrong in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The field in TOML's own notation, such as `functions.BookTrip.trigger.route`. Empty for the file as a whole.
    pub field: String,
    /// What is wrong, without a full stop.
    pub what: String,
    /// What to do about it.
    pub next_step: String,
}

/// Everything that is wrong with one manifest, in the order of its lines. Never empty.
///
/// Displays as one line per problem: `app.toml:12: functions.BookTrip.trigger.route: what is wrong; what to do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file as it was named to [`crate::parse`].
    pub file: String,
    /// The problems; at least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:{}: ", self.file, problem.line)?;
            if !problem.field.is_empty() {
                write!(f, "{}: ", problem.field)?;
            }
            write!(f, "{}; {}", problem.what, problem.next_step)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Gathers problems while a manifest is read, and turns byte offsets into lines.
pub(crate) struct Report<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
    // Shared by every section that is open at the same time; borrowed only within `add`.
    found: RefCell<Vec<Problem>>,
    /// The fields that each table may have, by the table's path: what the schema is compared with.
    #[cfg(test)]
    pub(crate) known_fields: RefCell<std::collections::BTreeMap<String, std::collections::BTreeSet<&'static str>>>,
}

impl<'t> Report<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Report {
            text,
            line_starts,
            found: RefCell::default(),
            #[cfg(test)]
            known_fields: RefCell::default(),
        }
    }

    /// Records that `field`, which stands at `span` in the text, is wrong.
    pub(crate) fn add(
        &self,
        span: &Range<usize>,
        field: impl Into<String>,
        what: impl Into<String>,
        next: impl Into<String>,
    ) {
        let (line, column) = self.position(span.start);
        let (what, next_step) = (one_line(&what.into()), one_line(&next.into()));
        let problem = Problem { line, column, field: field.into(), what, next_step };
        self.found.borrow_mut().push(problem);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// The line of a byte offset, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// Everything found, in the order of the file. The same problem found twice is told once.
    pub(crate) fn into_problems(self, file: &str) -> Problems {
        let mut problems = self.found.into_inner();
        problems.sort();
        problems.dedup();
        Problems { file: file.to_owned(), problems }
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let before = self.text.get(self.line_starts[line - 1]..offset);
        (line, before.map_or(1, |text| text.chars().count() + 1))
    }
}

/// Texts that quote the manifest may bring line breaks and worse with them.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}
