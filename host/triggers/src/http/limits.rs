//! How much the HTTP trigger takes at a time: the numbers, and the places that requests hold while they are served.

use crate::concurrency::{Gate, Place};
use manifest::settings::HttpSettings;

/// The longest request target (path and query), in bytes. Azure's documented limit.
pub const MAX_TARGET_BYTES: usize = 4096;

/// Requests running at a time when the manifest does not say. Each holds a guest instance, of which a process has a few
/// thousand at most; beyond this, waiting is cheaper than failing.
pub const DEFAULT_CONCURRENT_REQUESTS: u32 = 1_000;

/// Memory set aside for each outstanding request when the manifest does not say how many there may be: connection buffers,
/// head and the part of a body that is on its way.
const BYTES_PER_OUTSTANDING_REQUEST: u64 = 256 << 10;
const OUTSTANDING_WHEN_UNSET: std::ops::RangeInclusive<u64> = 256..=65_536;

/// The trigger's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Longest request body, in bytes; longer ones are answered with 413.
    pub request_body_bytes: u64,
    /// Requests running and waiting together; beyond, 429.
    pub outstanding_requests: u32,
    /// Requests running; the others wait.
    pub concurrent_requests: u32,
}

impl HttpLimits {
    /// The manifest's numbers; for the number of outstanding requests, unless given, as many as `memory_bytes` of memory
    /// have room for.
    pub fn new(settings: &HttpSettings, memory_bytes: u64) -> HttpLimits {
        let fitting = memory_bytes / BYTES_PER_OUTSTANDING_REQUEST;
        let fitting = fitting.clamp(*OUTSTANDING_WHEN_UNSET.start(), *OUTSTANDING_WHEN_UNSET.end());
        HttpLimits {
            request_body_bytes: settings.max_request_body_bytes,
            outstanding_requests: settings
                .max_outstanding_requests
                .unwrap_or_else(|| u32::try_from(fitting).unwrap_or(u32::MAX)),
            concurrent_requests: settings.max_concurrent_requests.unwrap_or(DEFAULT_CONCURRENT_REQUESTS),
        }
    }
}

/// The places.
#[derive(Debug)]
pub(super) struct Throttle {
    outstanding: Gate,
    concurrent: Gate,
}

impl Throttle {
    pub(super) fn new(limits: &HttpLimits) -> Throttle {
        Throttle {
            outstanding: Gate::new(limits.outstanding_requests),
            concurrent: Gate::new(limits.concurrent_requests),
        }
    }

    /// A place to be or to wait in; none when the host is full.
    pub(super) fn enter(&self) -> Option<Place> {
        self.outstanding.try_enter()
    }

    /// Waits for a place to run in, first come, first served. None only if the throttle were closed, which nobody does.
    pub(super) async fn run(&self) -> Option<Place> {
        self.concurrent.enter().await
    }
}
