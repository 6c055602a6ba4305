//! The activities: the only code here that would talk to the world outside.
//!
//! An activity is ordinary code. It may call a service, read a clock, fail. The host runs it **at least once**: after a
//! crash it may run again although it had finished, so a booking must not happen twice because its request did. The way
//! is an idempotency key that is the same for every run of one call; here the booking's reference is made from it.

use std::fmt;
use std::time::Duration;

use dacapo::{ActivityContext, Failure};
use serde::{Deserialize, Serialize};

use crate::trips::{Behaviour, Booking, Trip};

/// Books a ticket for the conference.
#[dacapo::activity]
pub(crate) fn book_conference(ctx: &ActivityContext, trip: Trip) -> Result<Booking, BookingError> {
    let service = Service { name: "ticket", code: "TK", usual_price_cents: 35_000 };
    service.book(ctx, &trip.conference, &trip.simulate.conference)
}

/// Books a flight, unless it costs more than the trip allows.
#[dacapo::activity]
pub(crate) fn book_flight(ctx: &ActivityContext, trip: Trip) -> Result<Booking, BookingError> {
    let service = Service { name: "flight", code: "FL", usual_price_cents: 18_000 };
    let price_cents = service.price_cents(&trip.simulate.flight);
    match trip.max_flight_price_cents {
        Some(limit_cents) if price_cents > limit_cents => Err(BookingError::TooExpensive { price_cents, limit_cents }),
        _ => service.book(ctx, &trip.conference, &trip.simulate.flight),
    }
}

/// Books a train.
#[dacapo::activity]
pub(crate) fn book_train(ctx: &ActivityContext, trip: Trip) -> Result<Booking, BookingError> {
    let service = Service { name: "train", code: "TR", usual_price_cents: 9_500 };
    service.book(ctx, &trip.conference, &trip.simulate.train)
}

/// Books a hotel.
#[dacapo::activity]
pub(crate) fn book_hotel(ctx: &ActivityContext, trip: Trip) -> Result<Booking, BookingError> {
    let service = Service { name: "hotel", code: "HO", usual_price_cents: 24_000 };
    service.book(ctx, &trip.conference, &trip.simulate.hotel)
}

/// What [`cancel_booking`] takes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Cancellation {
    pub(crate) booking: Booking,
    pub(crate) simulate: Behaviour,
}

/// Gives a booking back. Cancelling what is cancelled already changes nothing, so running twice does no harm.
#[dacapo::activity]
pub(crate) fn cancel_booking(ctx: &ActivityContext, cancellation: Cancellation) -> Result<String, BookingError> {
    answer(ctx, "cancellation", &cancellation.simulate)?;
    Ok(format!("{} is cancelled", cancellation.booking.reference))
}

/// What [`report_expenses`] takes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Expenses {
    pub(crate) traveller: String,
    pub(crate) bookings: Vec<Booking>,
}

/// What [`report_expenses`] returns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExpenseReport {
    pub(crate) traveller: String,
    pub(crate) bookings: usize,
    pub(crate) total_cents: u32,
}

/// Adds up what was spent. It cannot fail, so it returns a value rather than a `Result`.
#[dacapo::activity]
pub(crate) fn report_expenses(expenses: Expenses) -> ExpenseReport {
    ExpenseReport {
        bookings: expenses.bookings.len(),
        total_cents: expenses.bookings.iter().map(|booking| booking.price_cents).sum(),
        traveller: expenses.traveller,
    }
}

/// What [`send_email`] takes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Email {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) simulate: Behaviour,
}

/// Sends an e-mail.
#[dacapo::activity]
pub(crate) fn send_email(ctx: &ActivityContext, email: Email) -> Result<(), BookingError> {
    answer(ctx, &email.to, &email.simulate)
}

/// Why a service did not do what it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum BookingError {
    /// It may work when asked again.
    Unavailable { service: String, attempt: u32 },
    /// It will not.
    Refused { service: String },
    /// It will when the price has fallen.
    TooExpensive { price_cents: u32, limit_cents: u32 },
}

impl fmt::Display for BookingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BookingError::Unavailable { service, attempt } => write!(f, "{service}: no answer at attempt {attempt}"),
            BookingError::Refused { service } => write!(f, "{service}: refused for good"),
            BookingError::TooExpensive { price_cents, limit_cents } => {
                write!(f, "the flight costs {price_cents} cents, more than {limit_cents}")
            }
        }
    }
}

/// An error of one's own becomes a failure by `From`. (One that implements `std::error::Error` would not even need this;
/// it is here because the variants are failures of different types, which orchestrators and retry policies tell apart.)
impl From<BookingError> for Failure {
    fn from(error: BookingError) -> Failure {
        let message = error.to_string();
        match error {
            BookingError::Unavailable { .. } => Failure::new("Unavailable", message),
            BookingError::Refused { .. } => Failure::new("Refused", message).non_retriable(),
            BookingError::TooExpensive { price_cents, .. } => {
                Failure::new("TooExpensive", message).with_property("priceCents", price_cents.to_string())
            }
        }
    }
}

struct Service {
    name: &'static str,
    code: &'static str,
    usual_price_cents: u32,
}

impl Service {
    fn price_cents(&self, today: &Behaviour) -> u32 {
        today.price_cents.unwrap_or(self.usual_price_cents)
    }

    fn book(&self, ctx: &ActivityContext, conference: &str, today: &Behaviour) -> Result<Booking, BookingError> {
        answer(ctx, self.name, today)?;
        Ok(Booking {
            what: format!("{} for {conference}", self.name),
            reference: format!("{}-{}", self.code, idempotency_key(ctx)),
            price_cents: self.price_cents(today),
        })
    }
}

/// The pretended answer of a service.
fn answer(ctx: &ActivityContext, service: &str, today: &Behaviour) -> Result<(), BookingError> {
    if today.delay_ms > 0 {
        take(Duration::from_millis(today.delay_ms));
    }
    if today.refuses {
        return Err(BookingError::Refused { service: service.into() });
    }
    if ctx.attempt <= today.failures {
        return Err(BookingError::Unavailable { service: service.into(), attempt: ctx.attempt });
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the service is slow, and an activity may block")]
fn take(duration: Duration) {
    std::thread::sleep(duration);
}

/// Six letters and digits that are the same whenever this call runs, and other ones for every other call.
fn idempotency_key(ctx: &ActivityContext) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    // FNV-1a: short, and the same everywhere. A real service would take the two values as they are.
    let bytes = ctx.instance_id.bytes().chain(ctx.task_id.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    (0..6).map(|digit| char::from(ALPHABET[(hash >> (34 + 5 * digit)) as usize % ALPHABET.len()])).collect()
}
