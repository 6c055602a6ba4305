//! **What if a step fails?** Then its `await` is an `Err`, and what follows is up to you.
//!
//! A failure is data: its type, message and causes go through the history, so a replay takes the same branch.

use dacapo::{Context, Failure, Request, Response};

use crate::services::{book_conference, book_flight, book_hotel, book_train};
use crate::starting::start;
use crate::trips::{Itinerary, Trip};

/// Goes by train when there is no flight.
#[dacapo::orchestrator]
pub(crate) async fn flight_or_train(ctx: Context, trip: Trip) -> Result<Itinerary, Failure> {
    let ticket = ctx.call(book_conference, &trip).await?;
    let journey = match ctx.call(book_flight, &trip).await {
        Ok(flight) => flight,
        Err(failure) => {
            // Logged once, however often this line is replayed.
            ctx.warn(format_args!("no flight ({failure}): taking the train"));
            ctx.call(book_train, &trip).await?
        }
    };
    let hotel = ctx.call(book_hotel, &trip).await?;
    Ok(Itinerary::new(&trip, vec![ticket, journey, hotel]))
}

/// `POST /api/trips/flight-or-train`
#[dacapo::http]
fn start_flight_or_train(request: Request) -> Result<Response, Failure> {
    start(flight_or_train, &request)
}
