//! **Can it run for ever?** Yes, if it begins anew from time to time: a history that only grows would be replayed in ever
//! longer time.
//!
//! `continue_as_new` ends this generation and begins the next one, of the same instance, with a new input and an empty
//! history. What must not be forgotten goes into the input.

use std::time::Duration;

use dacapo::{Context, Failure, Request, Response};
use serde::{Deserialize, Serialize};

use crate::services::book_flight;
use crate::starting::start;
use crate::trips::{Booking, Trip};

/// What [`price_watch`] takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Watch {
    /// Its `maxFlightPriceCents` is the price to wait for, its `simulate.flight.priceCents` the price of today.
    pub(crate) trip: Trip,
    /// How long from look to look.
    pub(crate) every_seconds: u64,
    /// The pretended market: so much less from look to look. A real price moves by itself.
    #[serde(default)]
    pub(crate) price_falls_by_cents: u32,
    /// How often it has looked so far.
    #[serde(default)]
    pub(crate) looks: u32,
}

/// What [`price_watch`] returns.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Purchase {
    pub(crate) flight: Booking,
    pub(crate) looks: u32,
}

/// Books the flight as soon as it is cheap enough.
#[dacapo::orchestrator]
pub(crate) async fn price_watch(ctx: Context, watch: Watch) -> Result<Purchase, Failure> {
    match ctx.call(book_flight, &watch.trip).await {
        Ok(flight) => Ok(Purchase { flight, looks: watch.looks + 1 }),
        Err(failure) if failure.is("TooExpensive") => {
            ctx.set_custom_status(failure.message());
            ctx.sleep(Duration::from_secs(watch.every_seconds)).await;
            ctx.continue_as_new(&watch.next())
        }
        Err(failure) => Err(failure),
    }
}

impl Watch {
    fn next(mut self) -> Watch {
        self.looks += 1;
        let price = &mut self.trip.simulate.flight.price_cents;
        *price = price.map(|cents| cents.saturating_sub(self.price_falls_by_cents));
        self
    }
}

/// `POST /api/trips/price-watch`
#[dacapo::http]
fn start_price_watch(request: Request) -> Result<Response, Failure> {
    start(price_watch, &request)
}
