//! Write Dacapo functions in Rust.
//!
//! A function app is a crate of plain functions, each under an attribute that says what it is:
//!
//! - [`activity`](macro@activity): ordinary code with effects. Runs at least once.
//! - [`orchestrator`](macro@orchestrator): an `async fn` that calls activities, waits for timers and events, and survives
//!   the process, because the host replays it from its recorded history.
//! - [`entity`](macro@entity): a small piece of state with operations on it, one at a time.
//! - [`http`](macro@http): answers a request; starts and steers orchestrations through a [`Client`].
//! - [`queue`](macro@queue): works on a message of a queue.
//! - [`timer`](macro@timer): runs on a schedule.
//!
//! ```
//! use dacapo::{Client, Context, Failure, Request, Response};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Trip {
//!     conference: String,
//! }
//!
//! #[dacapo::activity]
//! fn book_flight(trip: Trip) -> Result<String, Failure> {
//!     Ok(format!("a seat on the flight to {}", trip.conference))
//! }
//!
//! #[dacapo::orchestrator]
//! async fn travel(ctx: Context, trip: Trip) -> Result<String, Failure> {
//!     let seat = ctx.call(book_flight, &trip).await?;
//!     ctx.info(format_args!("booked {seat}"));
//!     Ok(seat)
//! }
//!
//! #[dacapo::http]
//! fn start_travel(request: Request) -> Result<Response, Failure> {
//!     let client = Client::new();
//!     let id = client.start(travel, &request.json()?)?;
//!     Ok(client.check_status_response(&id))
//! }
//!
//! // An ordinary test, without WebAssembly and without a host:
//! let outcome = dacapo::testing::Scripted::new()
//!     .activity("BookFlight", |trip: Trip| Ok(format!("12A to {}", trip.conference)))
//!     .run(travel, &Trip { conference: "RustConf".into() });
//! assert_eq!(outcome.result.unwrap(), "12A to RustConf");
//! ```
//!
//! Make the crate a `cdylib` and build it with `cargo build --target wasm32-wasip2`: the result is a component, and the
//! functions in it are found by themselves. There is no list of them to keep, except the manifest's triggers.
//!
//! **Bindings.** What the manifest binds to a function comes and goes by name: [`input()`] reads what was read for it,
//! [`output()`] gives what goes out when it has ended well. A message can be worked on, and what comes of it written to other
//! queues and tables, in one commit:
//!
//! ```
//! use dacapo::{Client, Context, Failure, TimerInfo};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Trip {
//!     traveller: String,
//!     conference: String,
//! }
//!
//! #[dacapo::orchestrator]
//! async fn go_there(ctx: Context, trip: Trip) -> String {
//!     format!("{} is on the way to {} with {}", trip.traveller, trip.conference, ctx.instance_id())
//! }
//!
//! /// The message is a `Trip` as JSON. What it returns is the output `$return`.
//! #[dacapo::queue]
//! fn receive_trip(trip: Trip) -> Result<String, Failure> {
//!     dacapo::output("log", &serde_json::json!({ "PartitionKey": trip.conference, "RowKey": trip.traveller }))?;
//!     let id = Client::new().start(go_there, &trip)?;
//!     Ok(format!("{} travels as {id}", trip.traveller))
//! }
//!
//! #[dacapo::timer]
//! fn count_trips(timer: TimerInfo) -> Result<usize, Failure> {
//!     let trips: Vec<Trip> = dacapo::input("trips")?;
//!     if timer.is_past_due {
//!         println!("late: the host was not running");
//!     }
//!     Ok(trips.len())
//! }
//!
//! let bindings = dacapo::testing::bindings();
//! let instances = dacapo::testing::instances();
//! let trip = Trip { traveller: "Ada".into(), conference: "RustConf".into() };
//! assert!(receive_trip(trip).unwrap().starts_with("Ada travels as "));
//! assert_eq!(instances.started()[0].name, "GoThere");
//! assert_eq!(bindings.outputs("log")[0]["PartitionKey"], "RustConf");
//! ```
//!
//! **Futures.** What [`Context`] returns are ordinary futures. `futures::join!`, `try_join!`, `select!` and `join_all`
//! work; dropping one that is not done gives its task up. They are lazy: a call goes out when it is first polled, or at
//! once with `.start()`.

mod bindings;
mod client;
#[cfg(target_arch = "wasm32")]
mod component;
mod context;
mod durable_http;
mod entity;
mod entity_id;
mod execution;
mod failure;
mod functions;
mod http;
mod operations;
mod options;
mod payload;
mod queue;
mod retry;
mod tasks;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod timer;
mod timestamp;

// The macros expand to `::dacapo::...`, in this crate's own tests too.
#[cfg(test)]
extern crate self as dacapo;

pub use bindings::{input, output};
pub use client::{
    Client, ClientError, EntityQuery, EntityState, InstanceQuery, InstanceStatus, Page, PurgeFilter, RuntimeStatus,
};
pub use context::{Context, Identity, Level};
pub use dacapo_sdk_macros::{activity, entity, http, orchestrator, queue, timer};
pub use durable_http::{HeaderValues, HttpRequest, HttpResponse};
pub use entity::{Entity, EntityCaller, EntityContext, EntitySignaller, Signaller};
pub use entity_id::{EntityId, EntityIdError};
pub use failure::{Cause, Failure};
pub use functions::{Activity, ActivityContext, Orchestrator};
pub use http::{IntoResponse, Request, Response};
pub use options::StartOptions;
pub use queue::QueueMessage;
pub use retry::RetryPolicy;
pub use tasks::{
    ActivityCall, EntityCall, Event, HttpCall, Lock, LockRequest, Sleep, SubOrchestration, TimedEvent, TimedOut,
};
pub use timer::TimerInfo;
pub use timestamp::{Timestamp, TimestampError};

/// What the attribute macros expand to. Not for use by hand, and not stable.
#[doc(hidden)]
pub mod __private {
    pub use futures::future::LocalBoxFuture;
    pub use inventory;

    pub use crate::entity::Operation;
    pub use crate::execution::Outcome;
    pub use crate::functions::Function;

    /// The message of a queue function, read as the type that it takes.
    pub fn message_as<T: serde::de::DeserializeOwned>(
        message: &crate::QueueMessage,
        function: &str,
    ) -> Result<T, crate::Failure> {
        crate::payload::decode(&message.text, &format!("the message for {function}"))
    }

    /// What a function returned, as JSON.
    pub fn returned<T: serde::Serialize>(result: Result<T, crate::Failure>, function: &str) -> Outcome {
        crate::payload::encode(&result?, &format!("the result of {function}"))
    }

    /// The two halves of a `Result`, under whatever name the function's signature has it.
    #[diagnostic::on_unimplemented(message = "`{Self}` is named `Result` but is not a `std::result::Result`")]
    pub trait Fallible {
        /// The type of success.
        type Value;
        /// With the error as a failure.
        fn into_outcome(self) -> Result<Self::Value, crate::Failure>;
    }

    impl<T, E: Into<crate::Failure>> Fallible for Result<T, E> {
        type Value = T;

        fn into_outcome(self) -> Result<T, crate::Failure> {
            self.map_err(Into::into)
        }
    }
}
