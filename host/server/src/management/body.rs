//! Payloads on their way in: read up to a limit, checked to be JSON where they must be, kept byte for byte.

use super::reply::Refusal;
use super::{Call, Management};
use futures::future::{Either, select};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;
use orchestration::Json;
use ports::Body;
use serde::de::IgnoredAny;
use std::pin::pin;
use std::time::Duration;

/// How long a payload may take to arrive: megabytes over a poor line, but no connection held for nothing.
const PAYLOAD_TIMEOUT: Duration = Duration::from_secs(60);

impl Management {
    /// Reads a payload that must be JSON. No payload is `null`.
    pub(super) async fn read_json(&self, call: &Call, payload: Body) -> Result<Json, Refusal> {
        json(self.read_text(call, payload).await?).map_err(Refusal::InvalidJson)
    }

    /// Reads a payload.
    pub(super) async fn read_text(&self, call: &Call, payload: Body) -> Result<String, Refusal> {
        let read = pin!(read(&call.head.headers, payload, self.max_payload_bytes));
        match select(read, self.clock.sleep_until(self.clock.now().saturating_add(PAYLOAD_TIMEOUT))).await {
            Either::Left((text, _)) => text,
            Either::Right(_) => Err(Refusal::TooSlow),
        }
    }
}

/// Checks that a text is JSON, or says where and why it is none. No text at all is `null`.
pub(super) fn json(text: String) -> Result<Json, String> {
    if text.trim().is_empty() {
        return Ok(Json::null());
    }
    match serde_json::from_str::<IgnoredAny>(&text) {
        Ok(_) => Ok(Json::from(text)),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the request says that its body is JSON.
pub(super) fn says_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

async fn read(headers: &HeaderMap, mut body: Body, limit_bytes: usize) -> Result<String, Refusal> {
    let stated = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if stated.is_some_and(|bytes| bytes > limit_bytes as u64) {
        return Err(Refusal::TooLarge { limit_bytes });
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::InvalidJson(format!("the request's body broke off: {error}")))?;
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit_bytes - bytes.len() {
            return Err(Refusal::TooLarge { limit_bytes });
        }
        bytes.extend_from_slice(&data);
    }
    String::from_utf8(bytes).map_err(|error| Refusal::InvalidJson(format!("the request's body is not UTF-8: {error}")))
}
