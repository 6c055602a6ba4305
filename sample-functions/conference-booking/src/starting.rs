//! What all HTTP starters have in common.
//!
//! `Sequential` is started by `StartSequential` at `POST /api/trips/sequential`, and so on: the body is the orchestrator's
//! input. The answer is 202 with the URIs to follow and steer the instance; with `?wait=5` it is the result itself, if
//! that is there within five seconds.

use std::time::Duration;

use dacapo::{Client, Failure, Orchestrator, Request, Response};

/// Starts an orchestrator with the body of a request as its input.
pub(crate) fn start<O: Orchestrator>(orchestrator: O, request: &Request) -> Result<Response, Failure> {
    let client = Client::new();
    let id = client.start(orchestrator, &request.json()?)?;
    match request.query("wait") {
        None => Ok(client.check_status_response(&id)),
        Some(wait) => {
            let seconds = wait.parse().map_err(|_| {
                Failure::new("BadRequest", format!("wait={wait} is not a number of seconds")).with_http_status(400)
            })?;
            Ok(client.wait_for_completion_or_check_status(&id, Duration::from_secs(seconds))?)
        }
    }
}
