//! Books conference trips: every pattern of a durable workflow, told in the order of a newcomer's questions.
//!
//! Each module answers one question with an orchestrator and the HTTP function that starts it. Start reading at
//! [`sequential`]; `README.md` has the curl lines.
//!
//! | question | module | orchestrator |
//! |---|---|---|
//! | How do I do one thing after another? | [`sequential`] | `Sequential` |
//! | What if a step fails? | [`flight_or_train`] | `FlightOrTrain` |
//! | What if it fails when half is done? | [`compensating`] | `Compensating` |
//! | What if it would work in a minute? | [`flight_with_retry`] | `FlightWithRetry` |
//! | Can a workflow be a step of another? | [`combined_trips`] | `CombinedTrips`, `BookTrip` |
//! | Can steps run at the same time? | [`parallel_trips`] | `ParallelTrips` |
//! | Hundreds of them? | [`email_campaign`] | `EmailCampaign` |
//! | Can it wait for a person? | [`approved_trip`] | `ApprovedTrip` |
//! | Can it run for ever? | [`price_watch`] | `PriceWatch` |
//!
//! What they call, the activities, is in [`services`]; what goes in and out is in [`trips`].

mod approved_trip;
mod combined_trips;
mod compensating;
mod email_campaign;
mod flight_or_train;
mod flight_with_retry;
mod parallel_trips;
mod price_watch;
mod sequential;
mod services;
mod starting;
#[cfg(test)]
mod tests;
mod trips;
