//! Requests: how they get into the queue, what becomes of them, and of those that are none.

use dacapo::{Failure, QueueMessage, Request, Response};
use serde::Serialize;

use crate::rows::{RefusedRow, TripRequest, TripRow};

/// `POST /api/trips`: puts the body into the queue and answers before anybody has looked at it.
///
/// The message is durable when the client has its answer. Any program that can write to the queue could have sent it.
#[dacapo::http]
pub(crate) fn request_trip(request: Request) -> Result<Response, Failure> {
    dacapo::output("requests", request.text()?)?;
    Ok(Response::new(202))
}

/// An orchestration to start, as an output of type `durableClient` takes it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    name: &'static str,
    instance_id: String,
    input: TripRow,
}

/// Works on a message of the queue `trip-requests`: its text, read as JSON.
///
/// The row, the start of the booking and the receipt go out together with the deletion of the message: all or nothing. If the
/// host dies in the middle, the message comes back and nothing has happened; a booking is never started twice.
///
/// A message that is no request is moved to the poison queue at once. A request whose id is taken cannot be inserted: nothing of
/// it goes out, and after five tries it is in the poison queue, too.
#[dacapo::queue]
pub(crate) fn accept_trip(trip: TripRequest) -> Result<String, Failure> {
    let row = TripRow { partition_key: trip.conference, row_key: trip.id, traveller: trip.traveller, seat: None };
    dacapo::output("trips", &row)?;
    let receipt = format!("{} is on the list for {}", row.traveller, row.partition_key);
    dacapo::output("booking", &Start { name: "BookTrip", instance_id: format!("trip-{}", row.row_key), input: row })?;
    // The output `$return` is the queue `trip-receipts`.
    Ok(receipt)
}

/// Works on what ends in `trip-requests-poison`: keeps the text, whatever it is, for somebody to look at.
#[dacapo::queue]
pub(crate) fn refuse_trip(text: &str, message: &QueueMessage) -> RefusedRow {
    RefusedRow { row_key: message.id.clone(), text: text.to_owned(), received: message.inserted.to_string() }
}
