//! Moments as the protocol writes them: RFC 1123 in headers and answers of queues, ISO 8601 elsewhere.

use orchestration::Timestamp;
use std::time::{Duration, UNIX_EPOCH};

/// 9999-12-31T23:59:59Z, the last second that either form can tell, in seconds since the Unix epoch. Stands for "never".
const LAST_SECOND: u64 = 253_402_300_799;

/// As in `Sun, 06 Nov 1994 08:49:37 GMT`, rounded down to whole seconds.
pub(crate) fn rfc1123(moment: Timestamp) -> String {
    let seconds = u64::try_from(moment.unix_ms() / 1_000).unwrap_or(0).min(LAST_SECOND);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Reads any of the forms of dates that HTTP knows. "Never" comes back as [`Timestamp::MAX`].
pub(crate) fn parse_rfc1123(text: &str) -> Option<Timestamp> {
    let moment = httpdate::parse_http_date(text.trim()).ok()?;
    let seconds = moment.duration_since(UNIX_EPOCH).ok()?.as_secs();
    if seconds >= LAST_SECOND {
        return Some(Timestamp::MAX);
    }
    Some(Timestamp::from_unix_ms(i64::try_from(seconds).ok()?.saturating_mul(1_000)))
}
