//! The contract with guests as Rust: generated from `sdk/wit`, and the conversions between its values and the core's.

use orchestration::{EntityId, Failure, InstanceId, InvalidInstanceId, RetryPolicy, StartOptions, Tags, Timestamp};
use std::time::Duration;

pub(crate) use generated::dacapo::functions::{
    activity_context, bindings as wit_bindings, client, orchestration as wit_orchestration, values,
};
pub(crate) use generated::exports::dacapo::functions as exports;

mod generated {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "function-app",
        imports: {
            "dacapo:functions/orchestration.next": async | trappable,
            "dacapo:functions/client.start": async | trappable,
            "dacapo:functions/client.status": async | trappable,
            "dacapo:functions/client.query": async | trappable,
            "dacapo:functions/client.raise-event": async | trappable,
            "dacapo:functions/client.terminate": async | trappable,
            "dacapo:functions/client.suspend": async | trappable,
            "dacapo:functions/client.resume": async | trappable,
            "dacapo:functions/client.rewind": async | trappable,
            "dacapo:functions/client.restart": async | trappable,
            "dacapo:functions/client.purge": async | trappable,
            "dacapo:functions/client.purge-by": async | trappable,
            "dacapo:functions/client.clean-entities": async | trappable,
            "dacapo:functions/client.wait-for-completion": async | trappable,
            "dacapo:functions/client.signal-entity": async | trappable,
            "dacapo:functions/client.read-entity": async | trappable,
            "dacapo:functions/client.query-entities": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        require_store_data_send: true,
    });
}

/// Imports of the contract that one of the two kinds of sandbox does not offer; without a version.
pub(crate) const ORCHESTRATION: &str = "dacapo:functions/orchestration";
pub(crate) const ACTIVITY_CONTEXT: &str = "dacapo:functions/activity-context";
pub(crate) const BINDINGS: &str = "dacapo:functions/bindings";
pub(crate) const CLIENT: &str = "dacapo:functions/client";

/// A longer chain of causes is cut: a failure nests its causes, and a guest may hand over any number.
const MAX_CAUSES: usize = 32;

pub(crate) fn failure_from_wit(failure: values::Failure) -> Failure {
    let nest = |cause: Option<Box<Failure>>, link: values::Cause| {
        let values::Cause { error_type, message, details } = link;
        Some(Box::new(Failure { error_type, message, details, cause, ..Failure::default() }))
    };
    let values::Failure { error_type, message, details, non_retriable, mut causes, properties } = failure;
    causes.truncate(MAX_CAUSES);
    Failure {
        error_type,
        message,
        details,
        non_retriable,
        cause: causes.into_iter().rev().fold(None, nest),
        properties: properties.into_iter().collect(),
    }
}

pub(crate) fn failure_to_wit(failure: Failure) -> values::Failure {
    let mut causes = Vec::new();
    let mut next = failure.cause;
    while let Some(cause) = next {
        let Failure { error_type, message, details, cause, .. } = *cause;
        causes.push(values::Cause { error_type, message, details });
        next = cause;
    }
    values::Failure {
        error_type: failure.error_type,
        message: failure.message,
        details: failure.details,
        non_retriable: failure.non_retriable,
        causes,
        properties: failure.properties.into_iter().collect(),
    }
}

/// What a failure takes, in bytes of text.
pub(crate) fn failure_len(failure: &values::Failure) -> usize {
    let details = |details: &Option<String>| details.as_ref().map_or(0, String::len);
    let cause = |cause: &values::Cause| cause.error_type.len() + cause.message.len() + details(&cause.details);
    failure.error_type.len()
        + failure.message.len()
        + details(&failure.details)
        + failure.causes.iter().map(cause).sum::<usize>()
        + failure.properties.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
}

/// The entity that a guest means, or what is wrong with what it says.
pub(crate) fn entity_from_wit(id: &values::EntityId) -> Result<EntityId, String> {
    let values::EntityId { name, key } = id;
    EntityId::parse(name, key).map_err(|why| {
        let why = match why {
            InvalidInstanceId::Empty => "the name is empty; give it at least one character".to_owned(),
            InvalidInstanceId::TooLong { len } => {
                format!("'@name@key' has {len} bytes; at most {} are allowed", InstanceId::MAX_LEN)
            }
            InvalidInstanceId::Reserved | InvalidInstanceId::Forbidden { found: '@' } => {
                "the name must not contain '@'".to_owned()
            }
            InvalidInstanceId::Forbidden { found } => {
                format!("{found:?} is not allowed; leave out '/', '\\', '#', '?' and control characters")
            }
        };
        format!("there can be no entity with the name '{name}' and the key '{key}': {why}")
    })
}

pub(crate) fn entity_to_wit(id: &EntityId) -> values::EntityId {
    values::EntityId { name: id.name().to_owned(), key: id.key().to_owned() }
}

/// The id that was chosen, if one was, and the rest.
pub(crate) fn start_from_wit(options: values::StartOptions) -> (Option<String>, StartOptions) {
    let values::StartOptions { instance_id, version, tags, start_at } = options;
    (instance_id, StartOptions { version, tags: tags_from_wit(tags), start_at: start_at.map(Timestamp::from_ticks) })
}

/// Of several tags of one name the last one counts.
pub(crate) fn tags_from_wit(tags: Vec<(String, String)>) -> Tags {
    tags.into_iter().collect()
}

pub(crate) fn tags_to_wit(tags: Tags) -> Vec<(String, String)> {
    tags.into_iter().collect()
}

pub(crate) fn retry_from_wit(policy: wit_orchestration::RetryPolicy) -> RetryPolicy {
    let first_interval = Duration::from_millis(policy.first_interval);
    RetryPolicy {
        max_attempts: policy.max_attempts,
        first_interval,
        backoff_coefficient: policy.backoff_coefficient,
        max_interval: match policy.max_interval {
            Some(max_interval) => Duration::from_millis(max_interval),
            None => RetryPolicy::DEFAULT_MAX_INTERVAL.max(first_interval),
        },
        retry_timeout: policy.retry_timeout.map(Duration::from_millis),
        retry_on: policy.retry_on,
        stop_on: policy.stop_on,
    }
}
