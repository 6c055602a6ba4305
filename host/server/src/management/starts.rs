//! Starting an instance, and starting one again: the answer with all URIs, or the instance's end for a caller that waits.

use super::reply::{self, Refusal, Reply};
use super::uris::{InstanceUris, Payload};
use super::{Call, Management};
use http::StatusCode;
use http::header::LOCATION;
use orchestration::{InstanceId, Json, RuntimeStatus, StartOptions, Tags};
use ports::{Body, ClientError, StartRequest};
use std::time::Duration;

/// Advice in the answer to a start, in seconds; as in Durable Functions.
const RETRY_AFTER_START: u32 = 10;

/// The longest that one request may wait for an instance to end. Who wants to wait longer asks again.
const MAX_WAIT: Duration = Duration::from_secs(3_600);

impl Management {
    pub(super) async fn start(
        &self,
        call: &Call,
        payload: Body,
        function: String,
        instance_id: Option<String>,
    ) -> Result<Reply, Refusal> {
        let input = self.read_json(call, payload).await?;
        let wait = wait_of(call)?;
        let request = StartRequest {
            instance_id,
            options: options_of(call)?,
            idempotency_key: call.idempotency_key()?,
            ..StartRequest::new(function, input)
        };
        let id = self.client.start(request).await?;
        self.started(call, &id, wait).await
    }

    pub(super) async fn restart(&self, call: &Call, id: &str) -> Result<Reply, Refusal> {
        let wait = wait_of(call)?;
        let with_new_id = call.query.flag("restartWithNewInstanceId", true);
        let restarted = self.client.restart(id, with_new_id).await.map_err(|error| match error {
            ClientError::NotFound(id) => Refusal::NothingToRestart(id),
            ClientError::AlreadyExists { .. }
            | ClientError::Gone { .. }
            | ClientError::Conflict { .. }
            | ClientError::Invalid(_)
            | ClientError::Store(_) => Refusal::from(error),
        })?;
        self.started(call, &restarted, wait).await
    }

    /// For a caller that waits: the output of what completes in time, the status of what ends otherwise.
    async fn started(&self, call: &Call, id: &InstanceId, wait: Option<Duration>) -> Result<Reply, Refusal> {
        let Some(timeout) = wait else { return Ok(self.check_status(call, id.as_str())) };
        let view = self.client.wait(id.as_str(), timeout).await?;
        if !view.row.status.is_terminal() {
            return Ok(self.check_status(call, id.as_str()));
        }
        if view.row.status == RuntimeStatus::Completed {
            let output = view.row.output.unwrap_or_else(Json::null);
            return Ok(reply::text(StatusCode::OK, "application/json", output.as_str().to_owned()));
        }
        self.status(call, id.as_str()).await
    }

    /// 202 with everything that can be done with an instance.
    fn check_status(&self, call: &Call, id: &str) -> Reply {
        let internal_server_error_on_failure = call.query.flag("returnInternalServerErrorOnFailure", false);
        let payload = Payload::CheckStatus { internal_server_error_on_failure };
        let uris: InstanceUris = self.uris.of(id, Some(&call.origin), payload);
        let reply = reply::json(StatusCode::ACCEPTED, &uris);
        reply::retry_after(reply::with_header(reply, LOCATION, &uris.status_query_get_uri), RETRY_AFTER_START)
    }
}

/// What the query says besides; a start that would drop some of it unseen is refused instead.
fn options_of(call: &Call) -> Result<StartOptions, Refusal> {
    let mut tags = Tags::new();
    for pair in call.query.all("tag") {
        match pair.split_once('=') {
            Some((name, value)) if !name.is_empty() => drop(tags.insert(name.to_owned(), value.to_owned())),
            Some(_) | None => {
                return Err(Refusal::Argument(format!("'tag' is {pair:?}; it must be a name, '=' and a value")));
            }
        }
    }
    let start_at = match call.query.text("startAt") {
        None => None,
        Some(text) => Some(call.query.moment("startAt").ok_or_else(|| {
            Refusal::Argument(format!("'startAt' is {text:?}; it must be in ISO 8601, such as 2024-01-31T08:00:00Z"))
        })?),
    };
    Ok(StartOptions { version: call.query.text("version").map(str::to_owned), tags, start_at })
}

/// How long to wait for the end of what is started: only if both parameters say how. The interval is checked and then not
/// needed, because waiting here is not polling.
fn wait_of(call: &Call) -> Result<Option<Duration>, Refusal> {
    let seconds = |name: &str| match call.query.text(name) {
        None => Ok(None),
        Some(text) => {
            let seconds = text.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            match seconds {
                Some(seconds) => Ok(Some(seconds)),
                None => Err(Refusal::Argument(format!("'{name}' is {text:?}; it must be a number of seconds from 0"))),
            }
        }
    };
    match (seconds("timeout")?, seconds("pollingInterval")?) {
        (Some(timeout), Some(interval)) if interval > timeout => Err(Refusal::Argument(format!(
            "'pollingInterval' ({} s) is longer than 'timeout' ({} s)",
            interval.as_secs_f64(),
            timeout.as_secs_f64()
        ))),
        (Some(timeout), Some(_)) => Ok(Some(timeout.min(MAX_WAIT))),
        (Some(_) | None, _) => Ok(None),
    }
}
