//! The activity that orchestrators call when they ask for an HTTP request: the host makes it, for them and within their limits.
//!
//! One run is one request with its redirects. Polling and trying again are the core's, and in the history.

use manifest::OutboundHost;
use orchestration::{ActivityTask, Failure, HttpRequest, Json};
use std::time::Duration;

use crate::outbound::{Bounds, Outbound, SendError};

/// For a request without a timeout of its own: as in .NET, where Durable Functions' requests are made.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(100);

/// The engine stops an activity at the end of its timeout and knows nothing of HTTP. A request ends this much earlier, so
/// that its end has a name that retry policies can tell apart.
const AHEAD_OF_ENGINE: Duration = Duration::from_millis(20);

/// Makes the requests.
pub(crate) struct DurableHttp {
    outbound: Outbound,
    max_body_bytes: usize,
}

impl DurableHttp {
    /// `max_body_bytes`: answers become payloads, and payloads have a limit.
    pub(crate) fn new(outbound: Outbound, max_body_bytes: usize) -> DurableHttp {
        DurableHttp { outbound, max_body_bytes }
    }

    /// Runs [`HttpCall::ACTIVITY`](orchestration::HttpCall::ACTIVITY) for an orchestrator that may ask these hosts.
    ///
    /// # Errors
    /// `HttpRequestFailed`, `HttpRequestTimeout`, and what the request itself takes for a failure (`HttpStatus`).
    pub(crate) async fn run(&self, task: &ActivityTask, hosts: &[OutboundHost]) -> Result<Json, Failure> {
        let request = HttpRequest::from_json(&task.input).map_err(|why| {
            Failure::new(Failure::INVALID_ARGUMENT, format!("the HTTP request cannot be read: {why}")).non_retriable()
        })?;
        let allows = |https: bool, host: &str, port: u16| hosts.iter().any(|entry| entry.allows(https, host, port));
        let timeout = match task.timeouts.run {
            Some(timeout) => timeout.saturating_sub(AHEAD_OF_ENGINE.min(timeout / 10)),
            None => DEFAULT_TIMEOUT,
        };
        let bounds = Bounds { allows: &allows, timeout, max_body_bytes: self.max_body_bytes };
        match self.outbound.send(request.clone(), bounds).await {
            Ok(response) => request.outcome(&response),
            Err(error) => Err(failure(&request, task, &error)),
        }
    }
}

fn failure(request: &HttpRequest, task: &ActivityTask, error: &SendError) -> Failure {
    let error_type = match error {
        SendError::TimedOut(_) => Failure::HTTP_REQUEST_TIMEOUT,
        SendError::Malformed(_)
        | SendError::NotAllowed(_)
        | SendError::TooManyRedirects
        | SendError::Connection { .. }
        | SendError::TooLarge { .. } => Failure::HTTP_REQUEST_FAILED,
    };
    let failure =
        Failure::new(error_type, format!("{} of the orchestrator '{}': {error}", request.shown(), task.caller));
    if error.may_pass() { failure } else { failure.non_retriable() }
}
