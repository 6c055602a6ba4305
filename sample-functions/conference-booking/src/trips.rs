//! What goes in and out: trips, bookings, itineraries. Plain data, as JSON in camel case.

use serde::{Deserialize, Serialize};

/// Who wants to go where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Trip {
    pub(crate) traveller: String,
    pub(crate) conference: String,
    /// The flight may cost so much; any price if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_flight_price_cents: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) simulate: Simulation,
}

/// How the booking services behave today, so that every path of a workflow can be seen. A real one has no such thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Simulation {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) conference: Behaviour,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) flight: Behaviour,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) train: Behaviour,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) hotel: Behaviour,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) cancellation: Behaviour,
}

/// How one service behaves.
///
/// Activities remember nothing, so "fails twice" cannot be a counter somewhere: the service looks at which try it is,
/// which the host tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Behaviour {
    /// The first so many tries fail; a later one may succeed.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) failures: u32,
    /// Says no, and will say no however often it is asked.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) refuses: bool,
    /// Takes so long to answer.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) delay_ms: u64,
    /// Asks for this price rather than the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price_cents: Option<u32>,
}

/// Something booked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Booking {
    pub(crate) what: String,
    pub(crate) reference: String,
    pub(crate) price_cents: u32,
}

/// A trip with all that was booked for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Itinerary {
    pub(crate) traveller: String,
    pub(crate) conference: String,
    pub(crate) bookings: Vec<Booking>,
    pub(crate) total_cents: u32,
}

impl Itinerary {
    pub(crate) fn new(trip: &Trip, bookings: Vec<Booking>) -> Itinerary {
        Itinerary {
            traveller: trip.traveller.clone(),
            conference: trip.conference.clone(),
            total_cents: bookings.iter().map(|booking| booking.price_cents).sum(),
            bookings,
        }
    }
}

/// Keeps what is as usual out of the JSON.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
