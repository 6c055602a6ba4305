//! The operations on one instance, and the list of all: start, status, list, raise an event, terminate.

use super::history::{self, Shown};
use super::reply::{self, Refusal, Reply};
use super::status::{self, InstanceStatus};
use super::uris::{InstanceUris, Payload};
use super::{Call, Management, body};
use futures::future::{Either, select};
use http::header::LOCATION;
use http::{HeaderName, StatusCode};
use orchestration::{Json, RuntimeStatus};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use ports::{Body, InstanceQuery, InstanceView, PageToken, StartRequest};
use std::pin::pin;
use std::time::Duration;

/// Where a list goes on; empty at its end.
const CONTINUATION_TOKEN: HeaderName = HeaderName::from_static("x-ms-continuation-token");
/// What of a token cannot stand in a header, and `%` itself.
const NOT_IN_TOKEN: &AsciiSet = &CONTROLS.add(b'%').add(b' ');

/// Advice in answers to a start and to a look at a running instance, in seconds; both as in Durable Functions.
const RETRY_AFTER_START: u32 = 10;
const RETRY_AFTER_STATUS: u32 = 5;

/// The most instances in one page: their inputs, outputs and statuses are in memory together.
const MAX_PAGE: usize = 1_000;

/// The longest that one request may wait for an instance to end. Who wants to wait longer asks again.
const MAX_WAIT: Duration = Duration::from_secs(3_600);

/// How long a payload may take to arrive: megabytes over a poor line, but no connection held for nothing.
const PAYLOAD_TIMEOUT: Duration = Duration::from_secs(60);

impl Management {
    pub(super) async fn start(
        &self,
        call: &Call,
        payload: Body,
        function: String,
        instance_id: Option<String>,
    ) -> Result<Reply, Refusal> {
        let input = self.read_payload(call, payload).await?;
        let wait = wait_of(call)?;
        let id = self.client.start(StartRequest { name: function, input, instance_id }).await?;
        let ended = match wait {
            Some(timeout) => {
                let view = self.client.wait(id.as_str(), timeout).await?;
                view.row.status.is_terminal().then_some(view)
            }
            None => None,
        };
        match ended {
            None => Ok(self.check_status(call, id.as_str())),
            Some(view) if view.row.status == RuntimeStatus::Completed => {
                let output = view.row.output.unwrap_or_else(Json::null);
                Ok(reply::text(StatusCode::OK, "application/json", output.as_str().to_owned()))
            }
            Some(_) => self.status(call, id.as_str()).await,
        }
    }

    async fn read_payload(&self, call: &Call, payload: Body) -> Result<Json, Refusal> {
        let read = pin!(body::read_json(&call.head.headers, payload, self.max_payload_bytes));
        match select(read, self.clock.sleep_until(self.clock.now().saturating_add(PAYLOAD_TIMEOUT))).await {
            Either::Left((json, _)) => json,
            Either::Right(_) => Err(Refusal::TooSlow),
        }
    }

    /// 202 with everything that can be done with an instance.
    fn check_status(&self, call: &Call, id: &str) -> Reply {
        let internal_server_error_on_failure = call.query.flag("returnInternalServerErrorOnFailure", false);
        let payload = Payload::CheckStatus { internal_server_error_on_failure };
        let uris: InstanceUris = self.uris.of(id, Some(&call.origin), payload);
        let reply = reply::json(StatusCode::ACCEPTED, &uris);
        reply::retry_after(reply::with_header(reply, LOCATION, &uris.status_query_get_uri), RETRY_AFTER_START)
    }

    pub(super) async fn status(&self, call: &Call, id: &str) -> Result<Reply, Refusal> {
        let query = &call.query;
        let show_input = query.flag("showInput", true);
        let view = self.client.status(id, show_input).await?;
        let InstanceView { row, .. } = &view;
        let code = status::code(row.status, query.flag("returnInternalServerErrorOnFailure", false));
        let reply = if query.flag("showHistory", false) {
            let events = self.store.history(&row.id, row.execution).await?;
            let shown = Shown {
                inputs: show_input,
                activity_inputs: show_input && self.show_activity_inputs,
                results: query.flag("showHistoryOutput", false),
            };
            let history = history::project(&events, shown);
            reply::json(code, &InstanceStatus::new(&view).with_history(history))
        } else {
            reply::json(code, &InstanceStatus::new(&view))
        };
        if code != StatusCode::ACCEPTED {
            return Ok(reply);
        }
        Ok(reply::retry_after(reply::with_header(reply, LOCATION, &call.own_uri()), RETRY_AFTER_STATUS))
    }

    pub(super) async fn list(&self, call: &Call) -> Result<Reply, Refusal> {
        let query = &call.query;
        let prefix = query.text("instanceIdPrefix");
        let page = self
            .store
            .query(&InstanceQuery {
                statuses: query.statuses().known,
                created_from: query.moment("createdTimeFrom"),
                created_to: query.moment("createdTimeTo"),
                name: None,
                id_prefix: prefix.map(str::to_owned),
                with_input: query.flag("showInput", true),
                page_size: query.count("top").map_or(0, |top| top.min(MAX_PAGE)),
                after: token_of(call),
            })
            .await?;
        // Entities are instances too, but nobody expects them among orchestrations without asking.
        let entities = prefix.is_some_and(|prefix| prefix.starts_with('@'));
        let shown = page.instances.iter().filter(|view| entities || !view.row.id.as_str().starts_with('@'));
        let statuses: Vec<_> = shown.map(InstanceStatus::new).collect();
        let token = page.next.map_or_else(String::new, |token| utf8_percent_encode(&token.0, NOT_IN_TOKEN).to_string());
        Ok(reply::with_header(reply::json(StatusCode::OK, &statuses), CONTINUATION_TOKEN, &token))
    }

    pub(super) async fn raise_event(
        &self,
        call: &Call,
        payload: Body,
        id: &str,
        event: &str,
    ) -> Result<Reply, Refusal> {
        self.check_at_work(id).await?;
        if !body::says_json(&call.head.headers) {
            return Err(Refusal::ContentType);
        }
        let input = self.read_payload(call, payload).await?;
        self.client.raise_event(id, event, input).await?;
        Ok(reply::empty(StatusCode::ACCEPTED))
    }

    pub(super) async fn terminate(&self, call: &Call, id: &str) -> Result<Reply, Refusal> {
        self.check_at_work(id).await?;
        let reason = call.query.text("reason").map_or_else(Json::null, |reason| {
            // A string is always JSON.
            Json::new(serde_json::Value::from(reason).to_string())
        });
        self.client.terminate(id, reason).await?;
        Ok(reply::empty(StatusCode::ACCEPTED))
    }

    /// Existence and end are told before anything is said about the request. The operation itself checks again: the
    /// instance may end in between.
    async fn check_at_work(&self, id: &str) -> Result<(), Refusal> {
        let row = self.client.status(id, false).await?.row;
        if row.status.is_terminal() { Err(Refusal::Ended { id: id.to_owned(), status: row.status }) } else { Ok(()) }
    }
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

/// Where the caller wants the list to go on. Clients send the header back as they got it, some as `null` at the end.
fn token_of(call: &Call) -> Option<PageToken> {
    let text = call.head.headers.get(CONTINUATION_TOKEN)?.to_str().ok()?.trim();
    if text.is_empty() || text == "null" {
        return None;
    }
    Some(PageToken(percent_decode_str(text).decode_utf8().ok()?.into_owned()))
}
