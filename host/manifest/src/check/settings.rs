//! `[host]`: numbers within their bounds, defaults for what is not said. Its larger sections have modules of their own.

use std::fmt::Display;
use std::time::Duration;

use super::names::quoted;
use super::{durable_task, http, logging, queues};
use crate::duration;
use crate::fields::Placed;
use crate::file::{FileGuest, FileHost, FileStorage};
use crate::problem::Report;
use crate::settings::{
    Bounds, FUNCTION_TIMEOUT, GUEST_LOG_BYTES, GUEST_MEMORY_BYTES, GUEST_OUTPUT_BYTES, GuestSettings, HostSettings,
    RESERVED_DISK_BYTES, StorageSettings,
};

/// What Azure writes where there is no limit.
const NO_LIMIT: &str = "-1";

pub(super) fn check(host: &FileHost, app_name: &str, report: &Report<'_>) -> HostSettings {
    HostSettings {
        http: http::check(&host.http, report),
        durable_task: durable_task::check(&host.durable_task, app_name, report),
        guest: check_guest(&host.guest, report),
        storage: check_storage(&host.storage, report),
        queues: queues::check(&host.queues, "host.queues", &queues::defaults(), report),
        logging: logging::check(&host.logging, "host.logging.logLevel", report),
        function_timeout: match &host.function_timeout {
            Some(text) if text.get_ref() == NO_LIMIT => None,
            Some(text) => duration_within(text, "host.functionTimeout", FUNCTION_TIMEOUT, report),
            None => Some(FUNCTION_TIMEOUT.default),
        },
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

fn check_storage(storage: &FileStorage, report: &Report<'_>) -> StorageSettings {
    let fields = Fields { path: "host.storage", report };
    let reserve = storage.reserved_disk_bytes.as_ref();
    StorageSettings { reserved_disk_bytes: fields.number("reservedDiskBytes", reserve, RESERVED_DISK_BYTES) }
}

/// A section's numbers, each checked against its bounds.
pub(super) struct Fields<'a, 't> {
    pub(super) path: &'a str,
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

pub(super) fn flag(written: Option<&Placed<bool>>, default: bool) -> bool {
    written.map_or(default, |written| *written.get_ref())
}
