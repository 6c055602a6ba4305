//! What went wrong in a function, as data: it is stored in the history and comes back to the orchestrator that asked.
//!
//! Owns the conversion from Rust's errors. Leaves retrying to the host, and what an HTTP client gets to see to `http`.

use std::any::{Any, type_name};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use crate::ClientError;

/// The failure of a function.
///
/// Every [`std::error::Error`] converts into one, so `?` works on anything: the error type is the name of the Rust type
/// without its path, the message is what it displays, and the chain of [`source`](Error::source) becomes the causes.
/// Like `anyhow::Error`, and for the same reason, a `Failure` is not itself a `std::error::Error`.
///
/// ```
/// use dacapo::Failure;
///
/// fn seats(text: &str) -> Result<u32, Failure> {
///     Ok(text.parse()?)
/// }
/// let failure = seats("many").unwrap_err();
/// assert_eq!(failure.error_type(), "ParseIntError");
/// assert_eq!(failure.message(), "invalid digit found in string");
///
/// let sold_out = Failure::new("OutOfStock", "the last seat is gone").non_retriable().with_property("flight", "DL 42");
/// assert!(sold_out.is("OutOfStock"));
/// ```
///
/// To choose another error type for an error of your own, implement `From<YourError> for Failure` and leave
/// `std::error::Error` out.
// Boxed: a result is returned far more often than a failure, and should not be as large as one.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(Box<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    error_type: String,
    message: String,
    details: Option<String>,
    non_retriable: bool,
    causes: Vec<Cause>,
    properties: BTreeMap<String, String>,
    http_status: Option<u16>,
    continues_as_new: bool,
}

/// One link in the chain of what led to a [`Failure`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What kind of failure it was.
    pub error_type: String,
    /// What it said.
    pub message: String,
    /// Free text for a person.
    pub details: Option<String>,
}

impl Failure {
    /// A failure of a kind that callers and retry policies match on, with a message for people.
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure(Box::new(Parts {
            error_type: error_type.into(),
            message: message.into(),
            details: None,
            non_retriable: false,
            causes: Vec::new(),
            properties: BTreeMap::new(),
            http_status: None,
            continues_as_new: false,
        }))
    }

    /// The failure that an error behind a pointer stands for (`Box<dyn Error>`, `anyhow::Error::as_ref`).
    pub fn from_error(error: &(dyn Error + 'static)) -> Failure {
        let mut failure = Failure::new(type_of(error), error.to_string());
        failure.0.causes = chain(error.source());
        failure
    }

    /// Says that trying again cannot help: every retry policy gives up at once.
    #[must_use]
    pub fn non_retriable(mut self) -> Failure {
        self.0.non_retriable = true;
        self
    }

    /// Appends what led to this failure, and what led to that.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Failure>) -> Failure {
        let Parts { error_type, message, details, causes, .. } = *cause.into().0;
        self.0.causes.push(Cause { error_type, message, details });
        self.0.causes.extend(causes);
        self
    }

    /// Adds free text for a person, such as a backtrace.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Failure {
        self.0.details = Some(details.into());
        self
    }

    /// Sets a named value that callers can read.
    #[must_use]
    pub fn with_property(mut self, name: impl Into<String>, value: impl Into<String>) -> Failure {
        self.0.properties.insert(name.into(), value.into());
        self
    }

    /// What an HTTP function answers when it returns this failure: the client gets this status and the message. Without
    /// it the client gets a bare 500 and the failure goes to the log. Other functions ignore it; it is not stored.
    #[must_use]
    pub fn with_http_status(mut self, status: u16) -> Failure {
        self.0.http_status = Some(status);
        self
    }

    /// What kind of failure it is.
    pub fn error_type(&self) -> &str {
        &self.0.error_type
    }

    /// Whether it is of this kind.
    pub fn is(&self, error_type: &str) -> bool {
        self.0.error_type == error_type
    }

    /// What it says.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Free text for a person.
    pub fn details(&self) -> Option<&str> {
        self.0.details.as_deref()
    }

    /// Whether trying again is known to be useless.
    pub fn is_non_retriable(&self) -> bool {
        self.0.non_retriable
    }

    /// What led to it, nearest first.
    pub fn causes(&self) -> &[Cause] {
        &self.0.causes
    }

    /// A value set by [`with_property`](Failure::with_property).
    pub fn property(&self, name: &str) -> Option<&str> {
        self.0.properties.get(name).map(String::as_str)
    }

    /// All values set by [`with_property`](Failure::with_property), by name.
    pub fn properties(&self) -> &BTreeMap<String, String> {
        &self.0.properties
    }

    pub(crate) fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// The marker that travels as an error from `continue_as_new` to the end of the orchestrator.
    pub(crate) fn continue_as_new() -> Failure {
        let mut failure = Failure::new("ContinuedAsNew", "the orchestrator starts again with a new input");
        failure.0.continues_as_new = true;
        failure
    }

    pub(crate) fn continues_as_new(&self) -> bool {
        self.0.continues_as_new
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn from_parts(
        (error_type, message, details): (String, String, Option<String>),
        non_retriable: bool,
        causes: Vec<Cause>,
        properties: BTreeMap<String, String>,
    ) -> Failure {
        let new = *Failure::new(error_type, message).0;
        Failure(Box::new(Parts { details, non_retriable, causes, properties, ..new }))
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Failure {
        let mut failure = Failure::new(short_name(type_name::<E>()), error.to_string());
        failure.0.causes = chain(error.source());
        if let Some(error) = (&error as &dyn Any).downcast_ref::<ClientError>() {
            failure.0.error_type = error.error_type().into();
            failure.0.http_status = Some(error.http_status());
        }
        failure
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.error_type, self.0.message)
    }
}

/// Shows what a person needs: the chain, one cause a line. `fn main() -> Result<(), Failure>` and `unwrap` print this.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        if self.0.non_retriable {
            f.write_str(" (non-retriable)")?;
        }
        for (name, value) in &self.0.properties {
            write!(f, "\n  {name} = {value}")?;
        }
        for cause in &self.0.causes {
            write!(f, "\n  caused by {}: {}", cause.error_type, cause.message)?;
        }
        if let Some(details) = &self.0.details {
            write!(f, "\n{details}")?;
        }
        Ok(())
    }
}

fn chain(first: Option<&(dyn Error + 'static)>) -> Vec<Cause> {
    /// Nobody nests errors this deep on purpose; a `source` that returns itself must not hang us.
    const LONGEST_CHAIN: usize = 64;
    std::iter::successors(first, |&error| error.source())
        .take(LONGEST_CHAIN)
        .map(|error| Cause { error_type: type_of(error), message: error.to_string(), details: None })
        .collect()
}

/// The type behind a `dyn Error` is not to be had; its derived `Debug` begins with a name, which is nearly as good.
fn type_of(error: &(dyn Error + 'static)) -> String {
    if error.is::<std::io::Error>() {
        return "io::Error".into();
    }
    let debug = format!("{error:?}");
    let name: String = debug.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    match name.chars().next() {
        Some(first) if first.is_ascii_uppercase() => name,
        _ => "Error".into(),
    }
}

/// `a::b::Trouble<c::D>` is `Trouble`.
pub(crate) fn short_name(path: &str) -> &str {
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path)
}
