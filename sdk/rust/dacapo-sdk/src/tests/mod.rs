//! Tests of the SDK against itself; those of whole orchestrations stand in `scripted`.

#![expect(clippy::needless_pass_by_value, reason = "an expectation belongs to its check")]

mod calls;
mod client;
mod entities;
mod execution;
mod failure;
mod functions;
mod http;
mod scripted;
mod timestamp;
mod triggered;
