//! Conversions of the values that several records share.

use super::{Unreadable, wire};
use orchestration::{
    EventId, ExecutionId, ExecutionStarted, Failure, InstanceId, Json, Parent, RaisedEvent, RuntimeStatus,
};

/// How many causes of a failure are kept. Beyond a thousand nobody reads them, and a chain of boxes is dropped recursively.
pub(super) const MAX_CAUSES: usize = 1000;

pub(super) fn absent(what: &str) -> Unreadable {
    Unreadable(format!("{what} is missing"))
}

pub(super) fn text(json: &Json) -> String {
    json.as_str().to_owned()
}

pub(super) fn execution(execution: ExecutionId) -> wire::Execution {
    let bits = execution.as_u128();
    wire::Execution { high: (bits >> 64) as u64, low: bits as u64 }
}

pub(super) fn read_execution(execution: Option<wire::Execution>) -> Result<ExecutionId, Unreadable> {
    let wire::Execution { high, low } = execution.ok_or_else(|| absent("the execution"))?;
    Ok(ExecutionId::from_random(u128::from(high) << 64 | u128::from(low)))
}

pub(super) fn read_status(number: u32) -> Result<RuntimeStatus, Unreadable> {
    u8::try_from(number)
        .ok()
        .and_then(RuntimeStatus::from_number)
        .ok_or_else(|| Unreadable(format!("there is no status {number}")))
}

pub(super) fn parent(parent: &Parent) -> wire::Parent {
    wire::Parent {
        instance: parent.instance.as_str().to_owned(),
        execution: Some(execution(parent.execution)),
        name: parent.name.clone(),
        scheduled: parent.scheduled.0,
    }
}

pub(super) fn read_parent(parent: wire::Parent) -> Result<Parent, Unreadable> {
    Ok(Parent {
        instance: InstanceId::from_stored(&parent.instance),
        execution: read_execution(parent.execution)?,
        name: parent.name,
        scheduled: EventId(parent.scheduled),
    })
}

pub(super) fn failure(failure: &Failure) -> wire::Failure {
    let links = std::iter::successors(Some(failure), |failure| failure.cause.as_deref());
    let chain = links.take(MAX_CAUSES).map(|failure| wire::FailureLink {
        error_type: failure.error_type.clone(),
        message: failure.message.clone(),
        details: failure.details.clone(),
        non_retriable: failure.non_retriable,
        properties: failure.properties.clone(),
    });
    wire::Failure { chain: chain.collect() }
}

pub(super) fn read_failure(failure: wire::Failure) -> Result<Failure, Unreadable> {
    if failure.chain.len() > MAX_CAUSES {
        return Err(Unreadable(format!(
            "a failure has {} causes; at most {MAX_CAUSES} are written",
            failure.chain.len()
        )));
    }
    let mut outer: Option<Failure> = None;
    for link in failure.chain.into_iter().rev() {
        outer = Some(Failure {
            error_type: link.error_type,
            message: link.message,
            details: link.details,
            non_retriable: link.non_retriable,
            cause: outer.map(Box::new),
            properties: link.properties,
        });
    }
    outer.ok_or_else(|| absent("the failure"))
}

pub(super) fn started(started: &ExecutionStarted) -> wire::ExecutionStarted {
    wire::ExecutionStarted {
        name: started.name.clone(),
        input: text(&started.input),
        execution: Some(execution(started.execution)),
        parent: started.parent.as_ref().map(parent),
    }
}

pub(super) fn read_started(started: wire::ExecutionStarted) -> Result<ExecutionStarted, Unreadable> {
    Ok(ExecutionStarted {
        name: started.name,
        input: Json::from(started.input),
        execution: read_execution(started.execution)?,
        parent: started.parent.map(read_parent).transpose()?,
    })
}

pub(super) fn raised(raised: &RaisedEvent) -> wire::Raised {
    wire::Raised { name: raised.name.clone(), input: text(&raised.input) }
}

pub(super) fn read_raised(raised: wire::Raised) -> RaisedEvent {
    RaisedEvent { name: raised.name, input: Json::from(raised.input) }
}

pub(super) fn completed(scheduled: EventId, result: &Json) -> wire::Completed {
    wire::Completed { scheduled: scheduled.0, result: text(result) }
}

pub(super) fn failed(scheduled: EventId, why: &Failure) -> wire::Failed {
    wire::Failed { scheduled: scheduled.0, failure: Some(failure(why)) }
}

pub(super) fn read_failed(failed: wire::Failed) -> Result<(EventId, Failure), Unreadable> {
    let failure = read_failure(failed.failure.ok_or_else(|| absent("the failure"))?)?;
    Ok((EventId(failed.scheduled), failure))
}
