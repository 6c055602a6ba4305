//! The bindings of the function that runs: what the manifest has read for it, and where what it gives goes.
//!
//! Owns the JSON in between. What is behind a name is the manifest's; the host reads and writes it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Failure, payload};

/// The error type of a failure because a function has no binding of that name.
const UNKNOWN_BINDING: &str = "UnknownBinding";

/// The value of an input of the function that runs, by its name in the manifest: read before the function began.
///
/// One entity of a table is an object, and `null` if there is none, so that the type is an `Option`; several are an array.
///
/// ```
/// use dacapo::{Failure, Request, Response};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Report {
///     trips: u32,
/// }
///
/// /// The manifest binds `report` to an entity of a table.
/// #[dacapo::http]
/// fn show_report(_request: Request) -> Result<Response, Failure> {
///     let report: Option<Report> = dacapo::input("report")?;
///     Ok(match report {
///         Some(report) => Response::json(&report),
///         None => Response::new(404),
///     })
/// }
///
/// let _bindings = dacapo::testing::bindings().input("report", &Report { trips: 3 });
/// assert_eq!(show_report(Request::get("http://localhost/api/report")).unwrap().body, br#"{"trips":3}"#);
/// ```
///
/// Activities and functions with HTTP, queue and timer triggers have bindings. An orchestrator or entity that asks for one is
/// stopped by the host.
///
/// # Errors
/// With the type `UnknownBinding` when the manifest has no input of that name for this function, and with the type
/// `InvalidPayload` when the value is no `T`.
///
/// # Panics
/// In a test that has no [`testing::bindings`](crate::testing::bindings).
pub fn input<T: DeserializeOwned>(name: &str) -> Result<T, Failure> {
    payload::decode(&read(name).map_err(unknown_binding)?, &format!("the input '{name}'"))
}

/// Gives a value to an output of the function that runs, by its name in the manifest.
///
/// Nothing goes out before the function has ended well: then everything it gave is committed at once, and for a function
/// with a queue trigger together with the deletion of its message. Calls add up; an array means each of its values, and `null` (`None`, `()`) means nothing.
///
/// - A queue takes a text as it is, and anything else as JSON.
/// - A table takes an object with `PartitionKey` and `RowKey`, unless the manifest says the keys.
/// - A `durableClient` takes an object with `name` and, if wished, `input`, `instanceId`, `version`, `tags`, `startAt`.
///
/// ```
/// use dacapo::Failure;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Trip {
///     traveller: String,
/// }
///
/// #[dacapo::queue]
/// fn confirm(trip: Trip) -> Result<(), Failure> {
///     dacapo::output("mails", &format!("Dear {}, see you there.", trip.traveller))
/// }
///
/// let bindings = dacapo::testing::bindings();
/// confirm(Trip { traveller: "Ada".into() }).unwrap();
/// assert_eq!(bindings.outputs("mails"), ["Dear Ada, see you there."]);
/// ```
///
/// What a function with a queue or timer trigger, or an activity, *returns* goes to the output `$return`, if the manifest has
/// one.
///
/// # Errors
/// With the type `UnknownBinding` when the manifest has no output of that name for this function, and with the type
/// `InvalidPayload` when the value cannot be written as JSON.
///
/// # Panics
/// In a test that has no [`testing::bindings`](crate::testing::bindings).
pub fn output(name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Failure> {
    let value = payload::encode(value, &format!("the output '{name}'"))?;
    write(name, &value).map_err(unknown_binding)
}

fn unknown_binding(why: String) -> Failure {
    Failure::new(UNKNOWN_BINDING, why).non_retriable()
}

#[cfg(target_arch = "wasm32")]
use crate::component::{read_input as read, write_output as write};
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::{read_input as read, write_output as write};
