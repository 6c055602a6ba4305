//! What is said to an instance: an event, terminate, suspend, resume, rewind.
//!
//! Existence and end are told before anything is said about the request, then its content type, its payload, and at last
//! whether the operation fits. The operation itself checks again: the instance may move in between.

use super::reply::{self, Refusal, Reply};
use super::{Call, Management, body};
use http::StatusCode;
use orchestration::{Json, RaisedEvent, RuntimeStatus};
use ports::{Body, RewindTo};

impl Management {
    pub(super) async fn raise_event(
        &self,
        call: &Call,
        payload: Body,
        id: &str,
        event: String,
    ) -> Result<Reply, Refusal> {
        self.check_at_work(id).await?;
        if !body::says_json(&call.head.headers) {
            return Err(Refusal::ContentType);
        }
        let input = self.read_json(call, payload).await?;
        let event_id = match call.query.text("eventId") {
            Some(id) => Some(id.to_owned()),
            None => call.idempotency_key()?,
        };
        self.client.raise_event(id, RaisedEvent { name: event, input, id: event_id }).await?;
        Ok(reply::empty(StatusCode::ACCEPTED))
    }

    pub(super) async fn terminate(&self, call: &Call, id: &str) -> Result<Reply, Refusal> {
        self.check_at_work(id).await?;
        let reason = call.query.text("reason").map_or_else(Json::null, |reason| {
            // A string is always JSON.
            Json::new(serde_json::Value::from(reason).to_string())
        });
        self.client.terminate(id, reason, call.query.flag("recursive", false)).await?;
        Ok(reply::empty(StatusCode::ACCEPTED))
    }

    pub(super) async fn suspend(&self, call: &Call, id: &str) -> Result<Reply, Refusal> {
        let status = self.check_at_work(id).await?;
        if status == RuntimeStatus::Suspended {
            return Err(Refusal::WrongState(in_the_state("suspend", id, status)));
        }
        self.client.suspend(id, reason(call)).await?;
        Ok(reply::empty(StatusCode::ACCEPTED))
    }

    pub(super) async fn resume(&self, call: &Call, id: &str) -> Result<Reply, Refusal> {
        let status = self.check_at_work(id).await?;
        if status != RuntimeStatus::Suspended {
            return Err(Refusal::WrongState(in_the_state("resume", id, status)));
        }
        self.client.resume(id, reason(call)).await?;
        Ok(reply::empty(StatusCode::ACCEPTED))
    }

    pub(super) async fn rewind(&self, call: &Call, id: &str) -> Result<Reply, Refusal> {
        let status = self.client.status(id, false).await?.row.status;
        if status.is_terminal() && status != RuntimeStatus::Failed {
            return Err(Refusal::Ended { id: id.to_owned(), status });
        }
        if status != RuntimeStatus::Failed {
            let only = "The rewind operation is only supported on failed orchestration instances.";
            return Err(Refusal::WrongState(only.to_owned()));
        }
        let to = if call.query.flag("latest", false) { RewindTo::PresentApp } else { RewindTo::SameApp };
        self.client.rewind(id, reason(call), to).await?;
        Ok(reply::empty(StatusCode::ACCEPTED))
    }

    /// The status of an instance that has not ended.
    async fn check_at_work(&self, id: &str) -> Result<RuntimeStatus, Refusal> {
        let status = self.client.status(id, false).await?.row.status;
        if status.is_terminal() { Err(Refusal::Ended { id: id.to_owned(), status }) } else { Ok(status) }
    }
}

fn reason(call: &Call) -> String {
    call.query.text("reason").unwrap_or_default().to_owned()
}

/// In the words of Durable Functions.
fn in_the_state(what: &str, id: &str, status: RuntimeStatus) -> String {
    format!("Cannot {what} the orchestration instance {id} because instance is in the {status} state.")
}
