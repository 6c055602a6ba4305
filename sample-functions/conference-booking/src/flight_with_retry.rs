//! **What if it would work in a minute?** Hand the call a retry policy.
//!
//! The host evaluates it. The orchestrator sleeps through the tries, and a pause of a day costs no memory; after a crash
//! the count goes on where it was. Failures that say they are non-retriable end it at once.

use std::time::Duration;

use dacapo::{Context, Failure, Request, Response, RetryPolicy};

use crate::services::book_flight;
use crate::starting::start;
use crate::trips::{Booking, Trip};

/// Tries five times: at once, then after 1 s, 2 s, 4 s and 5 s.
#[dacapo::orchestrator]
pub(crate) async fn flight_with_retry(ctx: Context, trip: Trip) -> Result<Booking, Failure> {
    let patient = RetryPolicy::new(5, Duration::from_secs(1))
        .backoff(2.0)
        .max_interval(Duration::from_secs(5))
        // A price does not fall because we ask again.
        .stop_on(["TooExpensive"]);
    ctx.call(book_flight, &trip).retry(patient).await
}

/// `POST /api/trips/flight-with-retry`
#[dacapo::http]
fn start_flight_with_retry(request: Request) -> Result<Response, Failure> {
    start(flight_with_retry, &request)
}
