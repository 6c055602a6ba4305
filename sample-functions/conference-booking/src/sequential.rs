//! **How do I do one thing after another?** As you would without durability: call, await, `?`.
//!
//! Kill the host between the flight and the hotel, start it again, and the trip goes on with the hotel. The results of the
//! first two calls are in the history; the orchestrator runs from its first line again and gets them from there.

use dacapo::{Context, Failure, Request, Response};

use crate::services::{book_conference, book_flight, book_hotel};
use crate::starting::start;
use crate::trips::{Itinerary, Trip};

/// Conference, flight, hotel.
#[dacapo::orchestrator]
pub(crate) async fn sequential(ctx: Context, trip: Trip) -> Result<Itinerary, Failure> {
    let ticket = ctx.call(book_conference, &trip).await?;
    let flight = ctx.call(book_flight, &trip).await?;
    let hotel = ctx.call(book_hotel, &trip).await?;
    Ok(Itinerary::new(&trip, vec![ticket, flight, hotel]))
}

/// `POST /api/trips/sequential`
#[dacapo::http]
pub(crate) fn start_sequential(request: Request) -> Result<Response, Failure> {
    start(sequential, &request)
}
