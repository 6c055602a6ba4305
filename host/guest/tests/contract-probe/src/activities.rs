//! Activities that look at their call, give heartbeats, and never end.

use crate::bindings::exports::activity::{Guest, Invocation};
use crate::bindings::values::Failure;
use crate::bindings::{Probe, activity_context};
use crate::{bound, client, script};

impl Guest for Probe {
    fn invoke(function: String, input: String, invocation: Invocation) -> Result<String, Failure> {
        match function.as_str() {
            "LookAtTheCall" => Ok(script::quote(&format!("{invocation:?}").replace('"', "'"))),
            "CallTheClient" => Ok(script::run(&input, client::command)),
            "UseBindings" => Ok(bound::run(&input)),
            "Beat" => {
                activity_context::heartbeat(None);
                activity_context::heartbeat(Some(&input));
                Ok("null".to_owned())
            }
            "BeatForever" => {
                for beat in 0_u64.. {
                    activity_context::heartbeat(Some(&beat.to_string()));
                }
                Ok("null".to_owned())
            }
            "Compute" => compute(),
            other => panic!("no such activity: {other}"),
        }
    }
}

/// Never ends, and makes no call that would give the host an opportunity.
pub(crate) fn compute() -> ! {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_mul(31).wrapping_add(7));
    }
}
