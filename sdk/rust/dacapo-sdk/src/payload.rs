//! JSON in and out, and what a function says when the JSON is not what it takes.

use std::any::type_name;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Failure;
use crate::failure::short_name;

/// The error type of a failure because a payload does not fit its type.
pub(crate) const INVALID_PAYLOAD: &str = "InvalidPayload";

/// `what` names the payload in the failure: "the input of BookFlight".
pub(crate) fn decode<T: DeserializeOwned>(json: &str, what: &str) -> Result<T, Failure> {
    serde_json::from_str(json).map_err(|error| unreadable(what, type_name::<T>(), &error))
}

pub(crate) fn encode<T: Serialize + ?Sized>(value: &T, what: &str) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| unwritable(what, type_name::<T>(), &error))
}

// Out of line: the two above exist once for every type of every function, and this is most of them.
#[cold]
#[inline(never)]
fn unreadable(what: &str, type_name: &str, error: &serde_json::Error) -> Failure {
    let message = format!("{what} is not a {}: {error}", short_name(type_name));
    Failure::new(INVALID_PAYLOAD, message).non_retriable()
}

#[cold]
#[inline(never)]
fn unwritable(what: &str, type_name: &str, error: &serde_json::Error) -> Failure {
    let message = format!("{what}, a {}, cannot be written as JSON: {error}", short_name(type_name));
    Failure::new(INVALID_PAYLOAD, message).non_retriable()
}
