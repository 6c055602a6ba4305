//! Functions that messages and schedules start: the text of the message is the script, or the input `script` of the timer.

use crate::bindings::exports::{queue, timer};
use crate::bindings::values::Failure;
use crate::bindings::{Probe, wit_bindings};
use crate::bound;
use crate::script::{failure, quote};

impl queue::Guest for Probe {
    fn invoke(_function: String, message: queue::Message, invocation: queue::Invocation) -> Result<String, Failure> {
        match message.text.as_str() {
            "look" => Ok(look(&(&message, &invocation))),
            "fail" => {
                wit_bindings::output("receipts", "1").expect("an output of that name");
                Err(failure("Refused"))
            }
            script => Ok(bound::run(script)),
        }
    }
}

impl timer::Guest for Probe {
    fn invoke(
        _function: String,
        occurrence: timer::Occurrence,
        invocation: timer::Invocation,
    ) -> Result<String, Failure> {
        match wit_bindings::input("script") {
            Ok(script) => Ok(bound::run(&script)),
            Err(_) => Ok(look(&(&occurrence, &invocation))),
        }
    }
}

fn look(seen: &impl std::fmt::Debug) -> String {
    quote(&format!("{seen:?}").replace('"', "'"))
}
