//! **Can steps run at the same time?** A call is a future: join two and both are under way.
//!
//! `join!`, `try_join!`, `select!` and the rest of the `futures` crate work as always. `try_join!` is done at the first
//! failure and gives the other up; `join!` waits for both.

use dacapo::{Context, Failure, Request, Response};
use futures::try_join;
use serde::{Deserialize, Serialize};

use crate::combined_trips::{Tour, book_trip};
use crate::services::{ExpenseReport, Expenses, report_expenses};
use crate::starting::start;
use crate::trips::Itinerary;

/// What [`parallel_trips`] returns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TripsWithExpenses {
    pub(crate) itineraries: [Itinerary; 2],
    pub(crate) expenses: ExpenseReport,
}

/// Two trips at once, and one expense report when both are booked.
#[dacapo::orchestrator]
pub(crate) async fn parallel_trips(ctx: Context, tour: Tour) -> Result<TripsWithExpenses, Failure> {
    let [first, second] = &tour.trips;
    let (first, second) = try_join!(ctx.call_sub(book_trip, first), ctx.call_sub(book_trip, second))?;
    let expenses = Expenses {
        traveller: first.traveller.clone(),
        bookings: first.bookings.iter().chain(&second.bookings).cloned().collect(),
    };
    let expenses = ctx.call(report_expenses, &expenses).await?;
    Ok(TripsWithExpenses { itineraries: [first, second], expenses })
}

/// `POST /api/trips/parallel-trips`
#[dacapo::http]
fn start_parallel_trips(request: Request) -> Result<Response, Failure> {
    start(parallel_trips, &request)
}
