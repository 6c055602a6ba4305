//! **What if it fails when half is done?** Undo the other half.
//!
//! There is no transaction over an airline and a hotel. What there is: the orchestrator knows what it has booked, and it
//! gets to run to its end whatever happens to the machine. Patterns with this shape are called sagas.

use std::time::Duration;

use dacapo::{Context, Failure, Request, Response, RetryPolicy};

use crate::services::{Cancellation, book_conference, book_flight, book_hotel, cancel_booking};
use crate::starting::start;
use crate::trips::{Booking, Itinerary, Trip};

/// Books everything or, in the end, nothing.
#[dacapo::orchestrator]
pub(crate) async fn compensating(ctx: Context, trip: Trip) -> Result<Itinerary, Failure> {
    let mut booked = Vec::new();
    match book_all(&ctx, &trip, &mut booked).await {
        Ok(()) => Ok(Itinerary::new(&trip, booked)),
        Err(failure) => {
            let undone = cancel_all(&ctx, &trip, booked).await?;
            Err(Failure::new("TripUndone", format!("undone: {}", undone.join(", "))).with_cause(failure))
        }
    }
}

/// An ordinary helper: what it has booked so far is there even when it fails.
async fn book_all(ctx: &Context, trip: &Trip, booked: &mut Vec<Booking>) -> Result<(), Failure> {
    booked.push(ctx.call(book_conference, trip).await?);
    booked.push(ctx.call(book_flight, trip).await?);
    booked.push(ctx.call(book_hotel, trip).await?);
    Ok(())
}

/// The last first. Giving up here would leave somebody with a booking, so it is tried for long.
async fn cancel_all(ctx: &Context, trip: &Trip, booked: Vec<Booking>) -> Result<Vec<String>, Failure> {
    let mut undone = Vec::new();
    for booking in booked.into_iter().rev() {
        let cancellation = Cancellation { booking, simulate: trip.simulate.cancellation.clone() };
        let persistent =
            RetryPolicy::new(10, Duration::from_secs(1)).backoff(2.0).max_interval(Duration::from_secs(60));
        ctx.call(cancel_booking, &cancellation).retry(persistent).await?;
        undone.push(cancellation.booking.what);
    }
    Ok(undone)
}

/// `POST /api/trips/compensating`
#[dacapo::http]
fn start_compensating(request: Request) -> Result<Response, Failure> {
    start(compensating, &request)
}
