//! **Can a workflow be a step of another?** Yes: a sub-orchestration is called like an activity.
//!
//! The child is an instance of its own, with its own id, status and history, so that a long workflow does not end up with
//! one history as long. When the child fails, its failure is the error of the call.

use dacapo::{Context, Failure, Request, Response};
use serde::{Deserialize, Serialize};

use crate::services::{book_conference, book_flight, book_hotel};
use crate::starting::start;
use crate::trips::{Itinerary, Trip};

/// What [`combined_trips`] takes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tour {
    pub(crate) trips: [Trip; 2],
}

/// One trip after the other; the second is not begun when the first cannot be had.
#[dacapo::orchestrator]
pub(crate) async fn combined_trips(ctx: Context, tour: Tour) -> Result<[Itinerary; 2], Failure> {
    let [first, second] = &tour.trips;
    let first = ctx.call_sub(book_trip, first).await?;
    let second = ctx.call_sub(book_trip, second).await?;
    Ok([first, second])
}

/// Books one trip. A child of this orchestrator and of others; nothing keeps it from being started by itself.
#[dacapo::orchestrator]
pub(crate) async fn book_trip(ctx: Context, trip: Trip) -> Result<Itinerary, Failure> {
    let ticket = ctx.call(book_conference, &trip).await?;
    let flight = ctx.call(book_flight, &trip).await?;
    let hotel = ctx.call(book_hotel, &trip).await?;
    Ok(Itinerary::new(&trip, vec![ticket, flight, hotel]))
}

/// `POST /api/trips/combined-trips`
#[dacapo::http]
fn start_combined_trips(request: Request) -> Result<Response, Failure> {
    start(combined_trips, &request)
}

/// `POST /api/trips/book-trip`
#[dacapo::http]
fn start_book_trip(request: Request) -> Result<Response, Failure> {
    start(book_trip, &request)
}
