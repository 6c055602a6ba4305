//! Every import of an orchestrator as a command.

use crate::bindings::orchestration::{ActivityOptions, HttpRequest, RetryPolicy, SubOrchestrationOptions};
use crate::bindings::values::{Failure, StartOptions};
use crate::bindings::{Probe, activity_context, exports, orchestration, wit_bindings};
use crate::script::{entity, outcome, quote, run, start_options};

const SECOND: i64 = 10_000_000;

impl exports::orchestrator::Guest for Probe {
    fn run(_function: String, input: String) -> Result<String, Failure> {
        Ok(run(&input, |words| calls(words).or_else(|| messages(words)).unwrap_or_else(|| itself(words))))
    }
}

/// What completes later.
fn calls(words: &[&str]) -> Option<String> {
    let task = match words {
        ["activity", name, input] => orchestration::call_activity(
            name,
            input,
            &ActivityOptions {
                retry: None,
                timeout: Some(1_500),
                heartbeat_timeout: Some(500),
                tags: vec![("purpose".to_owned(), "test".to_owned())],
            },
        ),
        ["child", name, id] => child(name, start_options(id)),
        ["child-later", name] => {
            child(name, StartOptions { start_at: Some(orchestration::current_utc()), ..start_options("") })
        }
        ["timer"] => orchestration::create_timer(orchestration::current_utc() + SECOND),
        ["event", name] => orchestration::wait_for_event(name),
        ["http", method, url] => orchestration::call_http(&HttpRequest {
            method: (*method).to_owned(),
            url: (*url).to_owned(),
            headers: vec![("x-purpose".to_owned(), "test".to_owned())],
            content: Some("content".to_owned()),
            follow_accepted: true,
            retry: Some(RetryPolicy {
                max_attempts: 2,
                first_interval: 1_000,
                backoff_coefficient: 1.0,
                max_interval: None,
                retry_timeout: None,
                retry_on: Vec::new(),
                stop_on: Vec::new(),
            }),
            retry_on_status: vec![503],
            timeout: Some(2_000),
        }),
        ["call", name, key, operation, input] => orchestration::call_entity(&entity(name, key), operation, input),
        ["lock", entities @ ..] => {
            let entities: Vec<_> = entities.chunks_exact(2).map(|id| entity(id[0], id[1])).collect();
            orchestration::lock_entities(&entities)
        }
        _ => return None,
    };
    Some(format!("task {task}"))
}

fn child(name: &str, start: StartOptions) -> u32 {
    orchestration::call_sub_orchestrator(name, &quote("who"), &SubOrchestrationOptions { start, retry: None })
}

/// What nobody waits for.
fn messages(words: &[&str]) -> Option<String> {
    let later = orchestration::current_utc() + 3_600 * SECOND;
    Some(match words {
        ["signal", name, key, operation] => {
            outcome(orchestration::signal_entity(&entity(name, key), operation, "1", None))
        }
        ["signal-later", name, key, operation] => {
            outcome(orchestration::signal_entity(&entity(name, key), operation, "1", Some(later)))
        }
        ["send", id, name] => outcome(orchestration::send_event(id, name, "7")),
        ["start", name, id] => outcome(orchestration::start_orchestration(name, &quote("who"), &start_options(id))),
        _ => return None,
    })
}

/// What concerns the orchestration itself.
fn itself(words: &[&str]) -> String {
    match words {
        ["next"] => {
            let completion = orchestration::next();
            return format!("{} {}", completion.task, outcome(completion.outcome));
        }
        ["unlock"] => orchestration::unlock_entities(),
        ["abort", task] => orchestration::abort(task.parse().expect("a number")),
        ["cancel", task] => orchestration::cancel(task.parse().expect("a number")),
        ["again", script, version] => orchestration::continue_as_new(&quote(script), true, Some(version)),
        ["who"] => return format!("{:?}", orchestration::who_am_i()).replace('"', "'"),
        ["input", name] => drop(wit_bindings::input(name)),
        ["heartbeat"] => activity_context::heartbeat(None),
        other => panic!("no such command: {other:?}"),
    }
    "done".to_owned()
}
