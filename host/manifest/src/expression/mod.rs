//! Binding expressions: texts with `{places}` that are filled in when a function runs.
//!
//! Owns their grammar and what each place becomes. What data there is for a run, what time it is and which GUIDs are new are
//! for the caller to say, through [`Data`]; settings (`%NAME%`) were filled in before a text gets here.
//!
//! Literal braces are doubled. Between single ones stands a path into the data of the trigger, `{a}` or `{a.b.c}`, compared
//! without case, or one of the words that the host itself knows:
//!
//! | Place | What it becomes |
//! |---|---|
//! | `{rand-guid}`, `{rand-guid:N}` | a new GUID, in .NET's form `D`, or in `N`, `D`, `B` or `P` |
//! | `{datetime}`, `{datetime:yyyy-MM}` | the time of the run in UTC, as .NET's format strings say |
//! | `{sys.methodname}`, `{sys.utcnow}`, `{sys.randguid}` | the function's name, the time of the run, a new GUID |

mod evaluate;
mod guid;
mod moment;
mod parse;

use std::fmt;

pub use self::evaluate::{Data, MissingValue};
use self::guid::GuidFormat;
use self::moment::MomentFormat;

/// A text with places to fill in.
#[derive(Clone, PartialEq, Eq)]
pub struct Expression {
    text: String,
    parts: Vec<Part>,
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {next_step}")]
pub struct ExpressionError {
    /// What is wrong, without a full stop.
    pub what: String,
    /// What to do about it.
    pub next_step: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Place(Place),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// What stands between the braces.
    text: String,
    source: Source,
}

/// Where the value of a place comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    RandomGuid(GuidFormat),
    Moment(MomentFormat),
    FunctionName,
    /// At least one name; all are compared without case.
    Data(Vec<String>),
}

impl Expression {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// Braces that do not match, a place without a name, a word of the host's with a format that it does not know.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        Ok(Expression { text: text.to_owned(), parts: parse::parts(text)? })
    }

    /// The text as it was written, with settings filled in.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What every evaluation comes to, if there is nothing to fill in.
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            [Part::Place(_), ..] | [Part::Literal(_), _, ..] => None,
        }
    }

    /// The paths into the trigger's data that a run must find, in the order of the text.
    pub fn paths(&self) -> impl Iterator<Item = &[String]> {
        self.parts.iter().filter_map(|part| match part {
            Part::Place(Place { source: Source::Data(path), .. }) => Some(path.as_slice()),
            Part::Place(Place { source: Source::RandomGuid(_) | Source::Moment(_) | Source::FunctionName, .. })
            | Part::Literal(_) => None,
        })
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.text)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
