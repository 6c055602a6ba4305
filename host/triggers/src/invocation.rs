//! The life of one invocation as the log shows it: one line when it begins, one when it ends, however it ends. The same for
//! every trigger; what starts it is a reason in the first line.

use crate::concurrency::Place;
use orchestration::Timestamp;
use ports::{Clock, Randomness};
use std::sync::Arc;
use tracing::{Level, Span};

/// A random UUID with dashes, as Azure's invocation ids are.
pub fn new_invocation_id(randomness: &dyn Randomness) -> String {
    uuid::Builder::from_random_bytes(randomness.next_u128().to_be_bytes()).into_uuid().to_string()
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Succeeded,
    Failed(String),
    /// Whoever ran it went away first.
    Cancelled,
}

/// A running invocation. It holds its places until it is dropped, which is when its last line is written.
#[derive(Debug)]
pub struct Invocation {
    function: String,
    id: String,
    clock: SharedClock,
    started: Timestamp,
    span: Span,
    outcome: Outcome,
    _places: Vec<Place>,
}

/// A clock that can stand in a struct that is printed.
struct SharedClock(Arc<dyn Clock>);

impl std::fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl Invocation {
    /// Begins one, with its first line. `reason` says what started it, as Azure's host does.
    pub fn begin(function: &str, id: &str, reason: &str, clock: Arc<dyn Clock>, places: Vec<Place>) -> Invocation {
        let span = tracing::span!(Level::INFO, "invocation", function, invocation_id = id);
        tracing::info!(name: "invocation_started", parent: &span, reason, "Executing 'Functions.{function}'");
        Invocation {
            function: function.to_owned(),
            id: id.to_owned(),
            started: clock.now(),
            clock: SharedClock(clock),
            span,
            outcome: Outcome::Cancelled,
            _places: places,
        }
    }

    /// Everything that happens in the invocation is logged under this.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// The function's name in the manifest.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// When it began: the time that its binding expressions see.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// It ended well. The last call of `succeed` and `fail` counts; without any, it was cancelled.
    pub fn succeed(&mut self) {
        self.outcome = Outcome::Succeeded;
    }

    /// It ended badly.
    pub fn fail(&mut self, why: String) {
        self.outcome = Outcome::Failed(why);
    }
}

/// Whoever goes away drops whatever was under way; dropping is therefore the only place where every end passes.
impl Drop for Invocation {
    fn drop(&mut self) {
        let elapsed = self.clock.0.now().saturating_since(self.started);
        let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let (span, function, id) = (&self.span, self.function.as_str(), self.id.as_str());
        // The level of an event is part of its static description. Function and id are told again, because a span that nobody
        // wants to see does not exist.
        macro_rules! ended {
            ($level:ident, $outcome:literal $(, $error:ident)?) => {
                tracing::$level!(
                    name: "invocation_completed", parent: span, function, invocation_id = id, outcome = $outcome,
                    duration_ms, $(%$error,)? "Executed 'Functions.{function}'"
                )
            };
        }
        match &self.outcome {
            Outcome::Succeeded => ended!(info, "Succeeded"),
            Outcome::Failed(error) => ended!(error, "Failed", error),
            Outcome::Cancelled => ended!(info, "Cancelled"),
        }
    }
}
