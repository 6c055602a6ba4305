//! `[host]`: numbers within their bounds, defaults for what is not said. `[host.durableTask]` is in `durable_task`.

use std::fmt::Display;
use std::time::Duration;

use super::durable_task;
use super::names::quoted;
use crate::duration;
use crate::fields::Placed;
use crate::file::{FileGuest, FileHost, FileHttp};
use crate::problem::Report;
use crate::settings::{
    Bounds, DEFAULT_ROUTE_PREFIX, FUNCTION_TIMEOUT, GUEST_LOG_BYTES, GUEST_MEMORY_BYTES, GUEST_OUTPUT_BYTES,
    GuestSettings, HostSettings, HttpSettings, MessageEncoding, QueueSettings, REQUEST_BODY_BYTES, REQUESTS,
};

/// First segments of the host's own paths; a function's route never begins with one, whatever the prefix, as in Azure.
const RESERVED_SEGMENTS: [&str; 2] = ["admin", "runtime"];

/// Reserved as well when there is no prefix to keep functions apart.
const RESERVED_WITHOUT_PREFIX: [&str; 2] = ["dashboard", ".well-known"];

/// What Azure writes where there is no limit.
const NO_LIMIT: &str = "-1";

pub(super) fn segments_are_reserved(first: &str, prefix_is_empty: bool) -> bool {
    let is = |reserved: &&str| first.eq_ignore_ascii_case(reserved);
    RESERVED_SEGMENTS.iter().any(is) || (prefix_is_empty && RESERVED_WITHOUT_PREFIX.iter().any(is))
}

pub(super) fn check(host: &FileHost, app_name: &str, report: &Report<'_>) -> HostSettings {
    HostSettings {
        http: check_http(&host.http, report),
        durable_task: durable_task::check(&host.durable_task, app_name, report),
        guest: check_guest(&host.guest, report),
        queues: QueueSettings {
            max_polling_interval: Duration::from_secs(60),
            visibility_timeout: Duration::ZERO,
            batch_size: 16,
            new_batch_threshold: None,
            max_dequeue_count: 5,
            message_encoding: MessageEncoding::Auto,
        },
        function_timeout: match &host.function_timeout {
            Some(text) if text.get_ref() == NO_LIMIT => None,
            Some(text) => duration_within(text, "host.functionTimeout", FUNCTION_TIMEOUT, report),
            None => Some(FUNCTION_TIMEOUT.default),
        },
    }
}

fn check_http(http: &FileHttp, report: &Report<'_>) -> HttpSettings {
    let limits = Fields { path: "host.http", report };
    HttpSettings {
        route_prefix: check_prefix(http.route_prefix.as_ref(), report),
        max_request_body_bytes: limits.number(
            "maxRequestBodyBytes",
            http.max_request_body_bytes.as_ref(),
            REQUEST_BODY_BYTES,
        ),
        max_outstanding_requests: limits.or_unbounded("maxOutstandingRequests", http.max_outstanding_requests.as_ref()),
        max_concurrent_requests: limits.or_unbounded("maxConcurrentRequests", http.max_concurrent_requests.as_ref()),
        strict_azure_status: flag(http.strict_azure_status.as_ref(), false),
    }
}

fn check_guest(guest: &FileGuest, report: &Report<'_>) -> GuestSettings {
    let limits = Fields { path: "host.guest", report };
    GuestSettings {
        max_memory_bytes: limits.number("maxMemoryBytes", guest.max_memory_bytes.as_ref(), GUEST_MEMORY_BYTES),
        max_output_bytes: limits.number("maxOutputBytes", guest.max_output_bytes.as_ref(), GUEST_OUTPUT_BYTES),
        max_log_bytes: limits.number("maxLogBytes", guest.max_log_bytes.as_ref(), GUEST_LOG_BYTES),
    }
}

/// A section's numbers, each checked against its bounds.
pub(super) struct Fields<'a, 't> {
    pub(super) path: &'static str,
    pub(super) report: &'a Report<'t>,
}

impl Fields<'_, '_> {
    pub(super) fn number<T>(&self, key: &str, written: Option<&Placed<i64>>, bounds: Bounds<T>) -> T
    where
        T: TryFrom<i64> + PartialOrd + Display + Copy,
    {
        let Some(written) = written else { return bounds.default };
        match T::try_from(*written.get_ref()) {
            Ok(number) if number >= bounds.min && number <= bounds.max => number,
            Ok(_) | Err(_) => {
                let field = format!("{}.{key}", self.path);
                let what = format!("{} is out of range", written.get_ref());
                let next = format!("write a number from {} to {}", bounds.min, bounds.max);
                self.report.add(&written.span(), field, what, next);
                bounds.default
            }
        }
    }

    /// A number of requests, or -1 for none of one's own.
    fn or_unbounded(&self, key: &str, written: Option<&Placed<i64>>) -> Option<u32> {
        let written = written.filter(|written| *written.get_ref() != -1)?;
        Some(self.number(key, Some(written), REQUESTS))
    }
}

/// Reads a length of time and reports one that cannot be read or is out of bounds.
pub(super) fn duration_within(
    written: &Placed<String>,
    field: &str,
    bounds: Bounds<Duration>,
    report: &Report<'_>,
) -> Option<Duration> {
    let Some(duration) = duration::parse(written.get_ref()) else {
        let what = format!("{} is not a length of time", quoted(written.get_ref()));
        report.add(&written.span(), field, what, duration::FORMS);
        return None;
    };
    if duration < bounds.min || duration > bounds.max {
        let (min, max) = (duration::print(bounds.min), duration::print(bounds.max));
        let what = format!("{} is out of range", quoted(written.get_ref()));
        report.add(&written.span(), field, what, format!("write a length of time from {min} to {max}"));
        return None;
    }
    Some(duration)
}

fn check_prefix(written: Option<&Placed<String>>, report: &Report<'_>) -> String {
    let Some(written) = written else { return DEFAULT_ROUTE_PREFIX.to_owned() };
    let prefix = written.get_ref().trim_matches('/');
    let segment_is_good = |segment: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
        !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(allowed)
    };
    if !prefix.is_empty() && !prefix.split('/').all(segment_is_good) {
        let what = format!("{} is not a path of plain segments", quoted(written.get_ref()));
        let next = "write it like \"api\" or \"api/v1\", or \"\" for no prefix";
        report.add(&written.span(), "host.http.routePrefix", what, next);
    } else if segments_are_reserved(prefix.split('/').next().unwrap_or_default(), true) {
        let what = format!("{} begins with a segment that the host keeps for itself", quoted(written.get_ref()));
        report.add(&written.span(), "host.http.routePrefix", what, "choose another prefix");
    }
    prefix.to_owned()
}

pub(super) fn flag(written: Option<&Placed<bool>>, default: bool) -> bool {
    written.map_or(default, |written| *written.get_ref())
}
