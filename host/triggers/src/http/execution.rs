//! The life of one invocation as the log shows it: one line when it begins, one when it ends, however it ends.

use super::limits::Place;
use orchestration::Timestamp;
use ports::Clock;
use std::sync::Arc;
use tracing::{Level, Span};

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The function answered, with whatever status, and the answer was handed over in full.
    Succeeded,
    /// The function or the request's body went wrong.
    Failed(String),
    /// The caller went away first.
    Cancelled,
}

/// A running invocation. It lasts until the answer's last byte and holds its places until then.
pub(super) struct Execution {
    function: String,
    invocation_id: String,
    clock: Arc<dyn Clock>,
    started: Timestamp,
    span: Span,
    outcome: Outcome,
    _places: [Place; 2],
}

impl Execution {
    pub(super) fn begin(function: &str, invocation_id: &str, clock: Arc<dyn Clock>, places: [Place; 2]) -> Execution {
        let span = tracing::span!(Level::INFO, "invocation", function, invocation_id);
        tracing::info!(
            parent: &span,
            reason = "This function was programmatically called via the host APIs.",
            "Executing 'Functions.{function}'"
        );
        Execution {
            function: function.to_owned(),
            invocation_id: invocation_id.to_owned(),
            started: clock.now(),
            clock,
            span,
            outcome: Outcome::Cancelled,
            _places: places,
        }
    }

    /// Everything that happens in the invocation is logged under this.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    pub(super) fn function(&self) -> &str {
        &self.function
    }

    pub(super) fn invocation_id(&self) -> &str {
        &self.invocation_id
    }

    pub(super) fn succeed(&mut self) {
        self.outcome = Outcome::Succeeded;
    }

    pub(super) fn fail(&mut self, why: String) {
        self.outcome = Outcome::Failed(why);
    }
}

/// A caller that goes away drops whatever was under way; dropping is therefore the only place where every end passes.
impl Drop for Execution {
    fn drop(&mut self) {
        let elapsed = self.clock.now().saturating_since(self.started);
        let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let (span, function) = (&self.span, &self.function);
        match &self.outcome {
            Outcome::Succeeded => {
                tracing::info!(parent: span, outcome = "Succeeded", duration_ms, "Executed 'Functions.{function}'");
            }
            Outcome::Failed(error) => {
                tracing::error!(parent: span, outcome = "Failed", duration_ms, %error, "Executed 'Functions.{function}'");
            }
            Outcome::Cancelled => {
                tracing::info!(parent: span, outcome = "Cancelled", duration_ms, "Executed 'Functions.{function}'");
            }
        }
    }
}
