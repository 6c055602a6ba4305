//! The booking of one trip: an orchestration, because a service that books may be slow, or away for a day.

use std::time::Duration;

use dacapo::{ActivityContext, Context, Failure, RetryPolicy};

use crate::rows::TripRow;

/// Books a seat, then notes it in the table.
#[dacapo::orchestrator]
pub(crate) async fn book_trip(ctx: Context, trip: TripRow) -> Result<TripRow, Failure> {
    let patient = RetryPolicy::new(5, Duration::from_secs(1)).backoff(2.0);
    let seat = ctx.call(book_seat, &trip).retry(patient).await?;
    let booked = TripRow { seat: Some(seat), ..trip };
    ctx.call(note_booking, &booked).await?;
    Ok(booked)
}

/// Stands for a service that books seats. The execution's id makes the same reference of every run of one call.
#[dacapo::activity]
pub(crate) fn book_seat(ctx: &ActivityContext, trip: TripRow) -> String {
    let reference: String = ctx.execution_id.chars().rev().take(6).collect();
    format!("{}-{}", trip.partition_key.to_uppercase(), reference.to_uppercase())
}

/// An activity runs at least once, and so does what it gives its outputs: the row is replaced by itself.
#[dacapo::activity]
pub(crate) fn note_booking(trip: TripRow) -> Result<(), Failure> {
    dacapo::output("trips", &trip)
}
