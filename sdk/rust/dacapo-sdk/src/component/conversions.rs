//! Values of the contract from our own, and back.

use std::time::Duration;

use super::bindings::dacapo::functions::values;
use crate::{Cause, EntityId, Failure, StartOptions, Timestamp};

// Not `From`: the bindings make an `Error` of `values::Failure`, and every error converts into a `Failure` already.
pub(super) fn failure_from(failure: values::Failure) -> Failure {
    let cause =
        |cause: values::Cause| Cause { error_type: cause.error_type, message: cause.message, details: cause.details };
    Failure::from_parts(
        (failure.error_type, failure.message, failure.details),
        failure.non_retriable,
        failure.causes.into_iter().map(cause).collect(),
        failure.properties.into_iter().collect(),
    )
}

pub(super) fn failure_into(failure: &Failure) -> values::Failure {
    let cause = |cause: &Cause| values::Cause {
        error_type: cause.error_type.clone(),
        message: cause.message.clone(),
        details: cause.details.clone(),
    };
    values::Failure {
        error_type: failure.error_type().into(),
        message: failure.message().into(),
        details: failure.details().map(Into::into),
        non_retriable: failure.is_non_retriable(),
        causes: failure.causes().iter().map(cause).collect(),
        properties: failure.properties().iter().map(|(n, v)| (n.clone(), v.clone())).collect(),
    }
}

pub(super) fn entity_id(id: &EntityId) -> values::EntityId {
    values::EntityId { name: id.name().into(), key: id.key().into() }
}

pub(super) fn start_options(options: &StartOptions) -> values::StartOptions {
    values::StartOptions {
        instance_id: options.instance_id.clone(),
        version: options.version.clone(),
        tags: options.tags.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        start_at: options.start_at.map(Timestamp::ticks),
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A limit shorter than a millisecond is one millisecond: none at all would be the opposite.
pub(super) fn limit(duration: Duration) -> u64 {
    milliseconds(duration).max(1)
}
