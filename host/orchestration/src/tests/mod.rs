//! The rules of the core, as transcripts.

mod aborting;
mod activities;
mod admission;
mod author;
mod children;
mod continue_as_new;
mod critical_sections;
mod determinism;
mod entities;
mod external_events;
mod fit;
mod fixtures;
mod http;
mod limits;
mod locks;
mod programs;
mod properties;
mod retries;
mod rewinding;
mod sending;
mod settling;
mod suspending;
mod termination;
mod timers;
mod transitions;
mod values;
mod versions;
mod what_code_sees;
mod world;

use crate::{Failure, Json};
use author::Outcome;

/// A result made of text.
fn ok(text: impl Into<String>) -> Outcome {
    Ok(Json::from(text.into()))
}

/// A failure of a type, with a message that says nothing.
fn fail(error_type: &str) -> Outcome {
    Err(Failure::new(error_type, "no luck"))
}

/// An outcome as text, for orchestrators that show what they got.
fn shown(outcome: &Outcome) -> String {
    match outcome {
        Ok(result) => result.to_string(),
        Err(failure) => format!("!{failure}"),
    }
}
