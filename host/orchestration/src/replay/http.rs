//! Durable HTTP: a request is an activity of the host, polling for its end is timers and further requests.

use super::requests::ActivityCall;
use super::{Cursor, Stopped};
use crate::{Json, RetryPolicy, Tags, TaskNumber, Timeouts};
use std::time::Duration;

/// An HTTP request that the host makes for an orchestrator.
#[derive(Clone, PartialEq, Debug)]
pub struct HttpCall {
    /// The method.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub content: Option<String>,
    /// While the answer is 202 with a Location, wait and ask there.
    pub follow_accepted: bool,
    /// When to try again.
    pub retry: Option<RetryPolicy>,
    /// Status codes that `retry` takes as failures; empty: all from 400.
    pub retry_on_status: Vec<u16>,
    /// For one request.
    pub timeout: Option<Duration>,
}

impl HttpCall {
    /// The activity of the host that makes one request.
    pub const ACTIVITY: &str = "BuiltIn::HttpActivity";
}

impl Cursor {
    /// Makes an HTTP request.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn call_http(&mut self, call: HttpCall) -> Result<TaskNumber, Stopped> {
        let timeouts = Timeouts { run: call.timeout, heartbeat: None };
        self.call_activity(ActivityCall {
            name: HttpCall::ACTIVITY.to_owned(),
            input: Json::from(call.url),
            retry: call.retry,
            timeouts,
            tags: Tags::new(),
        })
    }
}
