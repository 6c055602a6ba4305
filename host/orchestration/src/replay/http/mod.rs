//! Durable HTTP: a request is an activity of the host, and polling for its end is timers and further requests.
//!
//! What happens by itself here is what makes the call durable: trying again, and asking at the `Location` of a 202 until the
//! answer is another one. All of it is in the history. The exchange itself is the host's.

mod message;

pub use message::{HttpRequest, HttpResponse};

use super::requests::{ActivityCall, Request, Tries};
use super::{Cursor, Stopped};
use crate::{EventId, Failure, Json, RetryPolicy, Tags, TaskNumber, Timeouts, Timestamp};
use std::time::{Duration, SystemTime};

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
    /// The activity of the host that makes one request. Its input is an [`HttpRequest`], its result what
    /// [`HttpRequest::outcome`] makes of the [`HttpResponse`].
    pub const ACTIVITY: &str = "BuiltIn::HttpActivity";
}

/// What the host decides about HTTP calls (`host.durableTask.httpSettings`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HttpSettings {
    /// The pause before the next poll where a 202 names none (`defaultAsyncRequestSleepTimeMilliseconds`).
    pub poll_pause: Duration,
}

impl Default for HttpSettings {
    /// 30 seconds, as in Durable Functions.
    fn default() -> HttpSettings {
        HttpSettings { poll_pause: Duration::from_secs(30) }
    }
}

/// A call on its way.
#[derive(Debug)]
pub(super) struct HttpTask {
    /// The request that is open or will be made after the pause.
    request: HttpRequest,
    /// Whether it was made before; else the pause is one between polls.
    made: bool,
    follow_accepted: bool,
    pub(super) retry: Option<RetryPolicy>,
    timeouts: Timeouts,
}

impl Cursor {
    /// Makes an HTTP request and, while it is accepted but not done, asks for its end.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn call_http(&mut self, call: HttpCall) -> Result<TaskNumber, Stopped> {
        self.check()?;
        let task = self.new_task();
        match HttpTask::of(call) {
            Ok(http) => self.first_try(task, http)?,
            Err(failure) => self.answer(task, Err(failure)),
        }
        Ok(task)
    }

    /// The host has an answer that is no failure.
    pub(super) fn http_answered(&mut self, task: TaskNumber, http: HttpTask, result: Json) {
        let Some((request, fire_at)) = http.next_poll(&result, self.now, self.http) else {
            return self.answer(task, Ok(result));
        };
        // A failure to set the timer is kept in `stopped`.
        if let Ok(timer) = self.set_timer(fire_at, None) {
            let tries = Tries { first: timer, first_at: self.now, failed: 0, paused: true };
            let http = HttpTask { request, made: false, ..http };
            self.open(task, Request::Http(Box::new(http), tries), Some(timer));
        }
    }

    /// The pause before the next poll or the next try is over.
    pub(super) fn http_goes_on(&mut self, task: TaskNumber, http: HttpTask, tries: Tries) -> Result<(), Stopped> {
        if !http.made {
            return self.first_try(task, http);
        }
        let event = self.make_request(&http, tries.failed + 1, Some(tries.first))?;
        self.open(task, Request::Http(Box::new(http), Tries { paused: false, ..tries }), Some(event));
        Ok(())
    }

    /// Each request, polls among them, has all tries of the policy.
    fn first_try(&mut self, task: TaskNumber, http: HttpTask) -> Result<(), Stopped> {
        let event = self.make_request(&http, 1, None)?;
        let tries = Tries { first: event, first_at: self.now, failed: 0, paused: false };
        self.open(task, Request::Http(Box::new(HttpTask { made: true, ..http }), tries), Some(event));
        Ok(())
    }

    fn make_request(&mut self, http: &HttpTask, attempt: u32, retry_of: Option<EventId>) -> Result<EventId, Stopped> {
        let call = ActivityCall {
            name: HttpCall::ACTIVITY.to_owned(),
            input: http.request.to_json(),
            retry: None,
            timeouts: http.timeouts,
            tags: Tags::new(),
        };
        self.schedule_task(&call, attempt, retry_of)
    }
}

impl HttpTask {
    fn of(call: HttpCall) -> Result<HttpTask, Failure> {
        let HttpCall { method, url, headers, content, follow_accepted, retry, retry_on_status, timeout } = call;
        // A query may hold secrets.
        let shown = format!("{method} {}", url.split_once('?').map_or(url.as_str(), |(path, _)| path));
        if let Some(why) = retry.as_ref().and_then(|policy| policy.validate().err()) {
            return Err(Failure::new(Failure::INVALID_RETRY_POLICY, why.to_string()).non_retriable());
        }
        let fail_on_status = retry.is_some().then_some(retry_on_status);
        let request = HttpRequest { method, url, headers, content, fail_on_status }.checked().map_err(|why| {
            Failure::new(Failure::INVALID_ARGUMENT, format!("cannot send the HTTP request '{shown}': {why}"))
                .non_retriable()
        })?;
        let timeouts = Timeouts { run: timeout, heartbeat: None };
        Ok(HttpTask { request: with_content_type(request), made: false, follow_accepted, retry, timeouts })
    }

    /// The request that asks for the end of this one, and when to make it; none if this answer is the end.
    fn next_poll(&self, result: &Json, now: Timestamp, settings: HttpSettings) -> Option<(HttpRequest, Timestamp)> {
        if !self.follow_accepted {
            return None;
        }
        let response = HttpResponse::from_json(result).filter(|response| response.status == 202)?;
        let moved = self.request.moved_to(response.header("location")?)?;
        let goes_along = |name: &str| {
            let name = name.to_ascii_lowercase();
            !name.starts_with("content-") && name != "transfer-encoding" && name != "x-functions-key"
        };
        let headers = moved.headers.into_iter().filter(|(name, _)| goes_along(name)).collect();
        let poll = HttpRequest { method: "GET".to_owned(), headers, content: None, ..moved };
        let retry_after = response.header("retry-after").and_then(|text| moment(text.trim(), now));
        Some((poll, retry_after.unwrap_or_else(|| now.saturating_add(settings.poll_pause))))
    }
}

/// A body without a type is plain text, as in Durable Functions.
fn with_content_type(mut request: HttpRequest) -> HttpRequest {
    let has_type = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if request.content.is_some() && !has_type {
        request.headers.push(("content-type".to_owned(), "text/plain; charset=utf-8".to_owned()));
    }
    request
}

/// What `Retry-After` names: seconds from now, or a date.
fn moment(retry_after: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(seconds) = retry_after.parse() {
        return Some(now.saturating_add(Duration::from_secs(seconds)));
    }
    let date = httpdate::parse_http_date(retry_after).ok()?;
    let since_epoch = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::default().saturating_add(since_epoch))
}
