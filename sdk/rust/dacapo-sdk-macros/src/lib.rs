//! The attribute macros of `dacapo-sdk`; use them through that crate, which documents them with examples.
//!
//! Owns the syntax: what signatures are accepted and what is said about the others. What the generated code does is
//! decided in `dacapo-sdk`: the macros only implement its traits and register the function.

mod arguments;
mod entity;
mod expand;
mod signature;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::{Item, ItemFn, parse_macro_input};

use crate::arguments::Arguments;

/// Makes an activity of a function: ordinary code that may have effects and runs at least once.
///
/// ```
/// # #[derive(serde::Serialize, serde::Deserialize)] struct Trip;
/// # #[derive(serde::Serialize, serde::Deserialize)] struct Booking;
/// use dacapo::{ActivityContext, Failure};
///
/// #[dacapo::activity]
/// fn book_flight(trip: Trip) -> Result<Booking, Failure> {
///     # let _ = trip; Ok(Booking)
///     // ...
/// }
///
/// #[dacapo::activity(name = "Book-Hotel")]
/// fn book_hotel(ctx: &ActivityContext, trip: Trip) -> Booking {
///     # let _ = trip; Booking
///     // `ctx.attempt` tells which try this is.
/// }
/// ```
///
/// **Signature.** A plain `fn` with at most one input, which may be preceded by `&ActivityContext`. It returns a value, or
/// a `Result` (written with that name) whose error converts into `dacapo::Failure`. Input and output cross the border as
/// JSON, so they implement serde's `Serialize` and `DeserializeOwned`.
///
/// **Name.** `book_flight` is known to the host as `BookFlight`, unless `name = "..."` says otherwise.
///
/// **Use.** The name stays what it was, a function to call: `book_flight(trip)`. It is also the handle for a call through
/// the host, checked by the compiler: `ctx.call(book_flight, &trip).await?`.
///
/// ```compile_fail
/// # #[derive(serde::Serialize, serde::Deserialize)] struct Trip;
/// #[dacapo::activity]
/// fn book_flight(trip: Trip) -> String {
///     # let _ = trip; String::new()
///     // ...
/// }
/// # async fn wrong(ctx: dacapo::Context) {
/// let seat = ctx.call(book_flight, &"Oslo").await; // expected `&Trip`, found `&&str`
/// # }
/// ```
#[proc_macro_attribute]
pub fn activity(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as Arguments);
    let function = parse_macro_input!(item as ItemFn);
    expand::activity(&arguments, function).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Makes an orchestrator of an `async fn`: it calls activities and waits, for seconds or months, and survives the process.
///
/// ```
/// # #[derive(serde::Serialize, serde::Deserialize)] struct Trip;
/// # #[dacapo::activity] fn book_flight(trip: Trip) -> String { let _ = trip; String::new() }
/// use dacapo::{Context, Failure};
///
/// #[dacapo::orchestrator]
/// async fn travel(ctx: Context, trip: Trip) -> Result<String, Failure> {
///     let seat = ctx.call(book_flight, &trip).await?;
///     Ok(seat)
/// }
///
/// #[dacapo::orchestrator]
/// async fn round_trip(ctx: Context, trip: Trip) -> Result<[String; 2], Failure> {
///     let there = ctx.call_sub(travel, &trip).await?;
///     let back = ctx.call_sub(travel, &trip).await?;
///     Ok([there, back])
/// }
/// ```
///
/// **Signature.** An `async fn` that takes a `Context` and at most one input. It returns a value, or a `Result` (written
/// with that name) whose error converts into `dacapo::Failure`. Input and output implement serde's `Serialize` and
/// `DeserializeOwned`.
///
/// **Name.** `round_trip` is known to the host as `RoundTrip`, unless `name = "..."` says otherwise.
///
/// ```compile_fail
/// # #[dacapo::activity] fn book_flight() -> String { String::new() }
/// # async fn wrong(ctx: dacapo::Context) {
/// let seat = ctx.call_sub(book_flight, &()).await; // `book_flight` is not an orchestrator
/// # }
/// ```
#[proc_macro_attribute]
pub fn orchestrator(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as Arguments);
    let function = parse_macro_input!(item as ItemFn);
    expand::orchestrator(&arguments, function).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Makes an entity of a type: a small piece of state with operations on it, which run one at a time.
///
/// ```
/// use dacapo::{Context, EntityContext, Failure};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Counter {
///     value: i64,
/// }
///
/// #[dacapo::entity]
/// impl Counter {
///     fn add(&mut self, ctx: &EntityContext, amount: i64) -> Result<i64, Failure> {
///         self.value += amount;
///         if self.value < 0 {
///             return Err(Failure::new("Negative", format!("{} would be below zero", ctx.id())));
///         }
///         Ok(self.value)
///     }
///
///     fn get(&self) -> i64 {
///         self.value
///     }
/// }
///
/// #[dacapo::orchestrator]
/// async fn count(ctx: Context) -> Result<i64, Failure> {
///     ctx.signal::<Counter>("stock").add(&3)?;
///     ctx.entity::<Counter>("stock").get().await
/// }
/// ```
///
/// **State.** The value of the type is the state of one entity, kept as JSON; the type implements serde's `Serialize` and
/// `DeserializeOwned`, and `Default`: the state of an entity that does not exist yet. An operation with `&mut self` brings
/// the entity into being; one with `&self` does not.
///
/// **Operations.** Every method in the block, known by its name, which senders may write in any case. It takes `&self` or
/// `&mut self`, then perhaps `&EntityContext`, then at most one input; it returns a value, or a `Result` (written with that
/// name) whose error converts into `dacapo::Failure`. After a failure, state and wishes are as they were before the
/// operation. Everything that is no operation goes into another `impl` block.
///
/// **Deleting.** Every entity has an operation `delete`, unless it has a method of that name. An operation can also call
/// `ctx.delete()`.
///
/// **Name.** `Counter` is known to the host as `Counter`, unless `name = "..."` says otherwise; names are compared without
/// case.
///
/// ```compile_fail
/// # #[derive(Default, serde::Serialize, serde::Deserialize)] struct Counter;
/// #[dacapo::entity]
/// impl Counter {
///     async fn add(&mut self, amount: i64) {} // an operation is a plain function: it cannot wait
/// }
/// ```
///
/// ```compile_fail
/// # #[derive(Default, serde::Serialize, serde::Deserialize)] struct Counter;
/// #[dacapo::entity]
/// impl Counter {
///     fn add(&mut self, a: i64, b: i64) {} // an operation has one input
/// }
/// ```
#[proc_macro_attribute]
pub fn entity(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as Arguments);
    let item = parse_macro_input!(item as Item);
    entity::entity(&arguments, &item).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Makes an HTTP function of a function from request to response.
///
/// ```
/// use dacapo::{Failure, Request, Response};
///
/// #[dacapo::http]
/// fn greet(request: Request) -> Result<Response, Failure> {
///     let name: String = request.json()?;
///     Ok(Response::text(format!("Hello, {name}!")))
/// }
/// assert_eq!(greet(Request::post("http://localhost/api/greet", "you")).unwrap().body, b"Hello, you!");
/// ```
///
/// **Signature.** A plain `fn` that takes a `Request` or nothing. It returns a `Response`, a text, or a `Result` of one of
/// these. An error becomes a 500 and a line of log, unless the failure names a status of its own.
///
/// **Name.** `start_trip` is known to the host as `StartTrip`, unless `name = "..."` says otherwise. Route and methods
/// are the manifest's.
#[proc_macro_attribute]
pub fn http(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as Arguments);
    let function = parse_macro_input!(item as ItemFn);
    expand::http(&arguments, function).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Makes a queue function of a function from a message to a result.
///
/// ```
/// # #[derive(serde::Serialize, serde::Deserialize)] struct Trip { traveller: String }
/// use dacapo::{Failure, QueueMessage};
///
/// /// The text of the message is a `Trip` as JSON.
/// #[dacapo::queue]
/// fn receive_trip(trip: Trip) -> Result<(), Failure> {
///     dacapo::output("mails", &format!("Dear {}", trip.traveller))
/// }
///
/// /// With what the host knows about the message.
/// #[dacapo::queue(name = "Receive-Again")]
/// fn receive_again(trip: Trip, message: &QueueMessage) -> String {
///     format!("{} at try {}", trip.traveller, message.dequeue_count)
/// }
///
/// /// The text as it is.
/// #[dacapo::queue]
/// fn log_line(text: &str) {
///     println!("{text}");
/// }
///
/// /// All of it.
/// #[dacapo::queue]
/// fn look(message: QueueMessage) -> Result<Vec<u8>, Failure> {
///     message.json()
/// }
/// # let _bindings = dacapo::testing::bindings();
/// # let message = QueueMessage::new(r#"{"traveller":"Ada"}"#);
/// # assert!(dacapo::testing::run_queue("ReceiveTrip", &message).unwrap().is_null());
/// # assert_eq!(dacapo::testing::run_queue("Receive-Again", &message).unwrap(), "Ada at try 1");
/// # assert!(dacapo::testing::run_queue("LogLine", &message).unwrap().is_null());
/// # assert!(dacapo::testing::run_queue("Look", &message).is_err());
/// ```
///
/// **Signature.** A plain `fn`. Its first parameter says what it makes of the text: `String` or `&str` take it as it is,
/// `QueueMessage` or `&QueueMessage` take the message with all that is known about it, and any other type that implements
/// serde's `DeserializeOwned` takes it as JSON. A `&QueueMessage` may follow. It returns nothing, a value that implements
/// `Serialize`, or a `Result` (written with that name) whose error converts into `dacapo::Failure`.
///
/// **What becomes of the message.** When the function returns a value, the message is deleted, together with everything that
/// goes to the outputs: all of it or nothing. When it fails, the message comes back later, and after the last try goes to
/// the poison queue; at once if the failure is non-retriable. So it is for a message that cannot be read as the parameter's
/// type.
///
/// **Name.** `receive_trip` is known to the host as `ReceiveTrip`, unless `name = "..."` says otherwise. The queue is the
/// manifest's.
///
/// ```compile_fail
/// #[dacapo::queue]
/// async fn receive(text: String) {} // a queue function is a plain function: it may block
/// ```
///
/// ```compile_fail
/// # #[derive(serde::Serialize, serde::Deserialize)] struct Trip;
/// #[dacapo::queue]
/// fn receive(trip: &Trip) {} // the message is decoded for this call and belongs to it: take it by value
/// ```
///
/// ```compile_fail
/// #[dacapo::queue]
/// fn receive(traveller: String, conference: String) {} // the second parameter is a `&QueueMessage`
/// ```
#[proc_macro_attribute]
pub fn queue(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as Arguments);
    let function = parse_macro_input!(item as ItemFn);
    expand::queue(&arguments, function).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Makes a timer function of a function that a schedule starts.
///
/// ```
/// use dacapo::{Client, Failure, PurgeFilter, TimerInfo, Timestamp};
///
/// #[dacapo::timer]
/// fn clean_up(timer: TimerInfo) -> Result<u32, Failure> {
///     Ok(Client::new().purge_by(&PurgeFilter::created_from(Timestamp::UNIX_EPOCH).created_to(timer.scheduled))?)
/// }
///
/// #[dacapo::timer(name = "Tick-Tock")]
/// fn tick() {
///     println!("tick");
/// }
/// # assert!(dacapo::testing::run_timer("Tick-Tock", &TimerInfo::new(dacapo::Timestamp::UNIX_EPOCH)).unwrap().is_null());
/// ```
///
/// **Signature.** A plain `fn` that takes a `TimerInfo`, by value or by reference, or nothing. It returns nothing, a value
/// that implements serde's `Serialize`, or a `Result` (written with that name) whose error converts into `dacapo::Failure`.
/// What it returns goes to the output `$return`, if the manifest has one.
///
/// **Name.** `clean_up` is known to the host as `CleanUp`, unless `name = "..."` says otherwise. The schedule is the
/// manifest's.
///
/// ```compile_fail
/// #[dacapo::timer]
/// fn clean_up(days: u32) {} // a timer function takes a `TimerInfo`, or nothing
/// ```
#[proc_macro_attribute]
pub fn timer(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as Arguments);
    let function = parse_macro_input!(item as ItemFn);
    expand::timer(&arguments, function).unwrap_or_else(|error| error.into_compile_error()).into()
}
