//! An entity that counts, and that breaks the contract on demand. It does not roll back: that is an SDK's part.

use crate::activities::compute;
use crate::bindings::exports::entity::{
    Action, Batch, BatchResult, EntitySignal, Guest, Operation, OrchestrationStart,
};
use crate::bindings::{Probe, activity_context, client, orchestration, wit_bindings};
use crate::script::{entity, failure, quote, start_options};

impl Guest for Probe {
    fn run(_function: String, batch: Batch) -> BatchResult {
        let head = format!("{:?} {:?} {} {}", batch.id, batch.state, batch.roll_back_on_failure, batch.now);
        let mut result = BatchResult { state: batch.state, results: Vec::new(), actions: Vec::new() };
        for operation in batch.operations {
            apply(&mut result, &operation, &head);
        }
        result
    }
}

fn apply(result: &mut BatchResult, operation: &Operation, head: &str) {
    let argument = operation.input.trim_matches('"');
    match operation.name.as_str() {
        "add" => {
            let number = |text: &str| text.parse::<i64>().expect("a number");
            let sum = result.state.as_deref().map_or(0, number) + number(argument);
            result.state = Some(sum.to_string());
        }
        "get" => {}
        "delete" => result.state = None,
        "look" => {
            let looked = format!("{head} {operation:?}").replace('"', "'");
            result.results.push(Ok(quote(&looked)));
            return;
        }
        "fail" => {
            result.results.push(Err(failure("Refused")));
            return;
        }
        "lose" => return,
        "signal" => result.actions.push(Action::Signal(EntitySignal {
            to: entity("Counter", argument),
            operation: "add".to_owned(),
            input: "1".to_owned(),
            deliver_at: None,
        })),
        "start" => result.actions.push(Action::StartOrchestration(OrchestrationStart {
            name: "Orchestrate".to_owned(),
            input: quote("who"),
            options: start_options(argument),
        })),
        "produce" => {
            result.results.push(Ok(quote(&"x".repeat(argument.parse().expect("a number")))));
            return;
        }
        "uris" => {
            result.results.push(Ok(client::management_uris(argument)));
            return;
        }
        "orchestrate" => drop(orchestration::new_guid()),
        "bind" => drop(wit_bindings::output("receipts", "1")),
        "beat" => activity_context::heartbeat(None),
        "compute" => compute(),
        other => panic!("no such operation: {other}"),
    }
    result.results.push(Ok(result.state.clone().unwrap_or_else(|| "null".to_owned())));
}
