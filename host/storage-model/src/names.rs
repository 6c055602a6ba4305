//! Names of queues and tables.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Longest name of a queue, in characters.
pub const MAX_QUEUE_NAME_CHARS: usize = 63;
const MIN_NAME_CHARS: usize = 3;
const MAX_TABLE_NAME_CHARS: usize = 63;

/// What follows a queue's name to give that of its poison queue.
const POISON_SUFFIX: &str = "-poison";

/// Why a text is no name of a queue or table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidName {
    /// Azure's `OutOfRangeInput`.
    #[error("a name has 3 to 63 characters, and this one has {chars}")]
    Length {
        /// How many it has.
        chars: usize,
    },
    /// A queue's name has another form.
    #[error(
        "a queue's name is made of lower-case letters, digits and single hyphens, and begins and ends with a letter or digit"
    )]
    Queue,
    /// A table's name has another form.
    #[error("a table's name is made of letters and digits, and begins with a letter")]
    Table,
    /// A table's name that the service keeps for itself.
    #[error("the name 'tables' is reserved")]
    Reserved,
}

/// The name of a queue: 3 to 63 lower-case letters, digits and single hyphens.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QueueName(String);

impl QueueName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where messages of this queue go that cannot be worked on. None for a poison queue itself, and where the name would be
    /// too long: there a message stays until it expires.
    pub fn poison(&self) -> Option<QueueName> {
        let name = format!("{}{POISON_SUFFIX}", self.0);
        let is_poison = self.0.ends_with(POISON_SUFFIX);
        (!is_poison && name.len() <= MAX_QUEUE_NAME_CHARS).then_some(QueueName(name))
    }
}

impl FromStr for QueueName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<QueueName, InvalidName> {
        let chars = text.chars().count();
        if !(MIN_NAME_CHARS..=MAX_QUEUE_NAME_CHARS).contains(&chars) {
            return Err(InvalidName::Length { chars });
        }
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let good = |part: &str| !part.is_empty() && part.bytes().all(allowed);
        if text.split('-').all(good) { Ok(QueueName(text.to_owned())) } else { Err(InvalidName::Queue) }
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a table, as its creator wrote it; compared without case.
#[derive(Clone, Debug)]
pub struct TableName(String);

impl TableName {
    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for all spellings of one name; what stores sort and look up by.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for TableName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<TableName, InvalidName> {
        let chars = text.chars().count();
        if !(MIN_NAME_CHARS..=MAX_TABLE_NAME_CHARS).contains(&chars) {
            return Err(InvalidName::Length { chars });
        }
        let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        if !begins || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(InvalidName::Table);
        }
        if text.eq_ignore_ascii_case("tables") { Err(InvalidName::Reserved) } else { Ok(TableName(text.to_owned())) }
    }
}

impl PartialEq for TableName {
    fn eq(&self, other: &TableName) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for TableName {}

impl PartialOrd for TableName {
    fn partial_cmp(&self, other: &TableName) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TableName {
    fn cmp(&self, other: &TableName) -> Ordering {
        self.folded().cmp(&other.folded())
    }
}

impl std::hash::Hash for TableName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
