//! Conversions of the values that several records share.

use super::{Unreadable, wire};
use orchestration::{
    EntityId, EventId, ExecutionId, ExecutionStarted, Failure, InstanceId, Json, Parent, RaisedEvent, RuntimeStatus,
    Section, StartOptions, Timeouts, Timestamp,
};
use std::time::Duration;

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
        options: options(&started.options),
        depth: started.depth,
        pinned_to: started.pinned_to.clone(),
        accepted_events: started.accepted_events.clone(),
    }
}

pub(super) fn read_started(started: wire::ExecutionStarted) -> Result<ExecutionStarted, Unreadable> {
    Ok(ExecutionStarted {
        name: started.name,
        input: Json::from(started.input),
        execution: read_execution(started.execution)?,
        parent: started.parent.map(read_parent).transpose()?,
        options: read_options(started.options),
        depth: started.depth,
        pinned_to: started.pinned_to,
        accepted_events: started.accepted_events,
    })
}

/// Nothing, when nothing was asked for: as it was written before there were options.
pub(super) fn options(options: &StartOptions) -> Option<wire::StartOptions> {
    (*options != StartOptions::default()).then(|| wire::StartOptions {
        version: options.version.clone(),
        tags: options.tags.clone(),
        start_at: options.start_at.map(Timestamp::ticks),
    })
}

pub(super) fn read_options(options: Option<wire::StartOptions>) -> StartOptions {
    let wire::StartOptions { version, tags, start_at } = options.unwrap_or_default();
    StartOptions { version, tags, start_at: start_at.map(Timestamp::from_ticks) }
}

/// Nothing, when there are none.
pub(super) fn timeouts(timeouts: Timeouts) -> Option<wire::Timeouts> {
    let span = |length: Duration| wire::Span { seconds: length.as_secs(), nanoseconds: length.subsec_nanos() };
    (timeouts != Timeouts::default())
        .then(|| wire::Timeouts { run: timeouts.run.map(span), heartbeat: timeouts.heartbeat.map(span) })
}

pub(super) fn read_timeouts(timeouts: Option<wire::Timeouts>) -> Result<Timeouts, Unreadable> {
    let wire::Timeouts { run, heartbeat } = timeouts.unwrap_or_default();
    Ok(Timeouts { run: run.map(read_span).transpose()?, heartbeat: heartbeat.map(read_span).transpose()? })
}

fn read_span(span: wire::Span) -> Result<Duration, Unreadable> {
    if span.nanoseconds >= 1_000_000_000 {
        return Err(Unreadable(format!("a timeout has {} ns beside its seconds", span.nanoseconds)));
    }
    Ok(Duration::new(span.seconds, span.nanoseconds))
}

pub(super) fn entity(entity: &EntityId) -> String {
    entity.to_string()
}

pub(super) fn read_entity(text: &str) -> Result<EntityId, Unreadable> {
    EntityId::of_instance(&InstanceId::from_stored(text))
        .ok_or_else(|| Unreadable(format!("'{text}' is not the id of an entity")))
}

pub(super) fn entities(entities: &[EntityId]) -> Vec<String> {
    entities.iter().map(entity).collect()
}

pub(super) fn read_entities(entities: &[String]) -> Result<Vec<EntityId>, Unreadable> {
    entities.iter().map(|text| read_entity(text)).collect()
}

pub(super) fn section(section: Section) -> wire::Section {
    wire::Section { execution: Some(execution(section.execution)), scheduled: section.scheduled.0 }
}

pub(super) fn read_section(section: Option<wire::Section>) -> Result<Section, Unreadable> {
    let section = section.ok_or_else(|| absent("the critical section"))?;
    Ok(Section { execution: read_execution(section.execution)?, scheduled: EventId(section.scheduled) })
}

pub(super) fn reason(reason: &str) -> wire::Reason {
    wire::Reason { reason: reason.to_owned() }
}

pub(super) fn raised(raised: &RaisedEvent) -> wire::Raised {
    wire::Raised { name: raised.name.clone(), input: text(&raised.input), id: raised.id.clone() }
}

pub(super) fn read_raised(raised: wire::Raised) -> RaisedEvent {
    RaisedEvent { name: raised.name, input: Json::from(raised.input), id: raised.id }
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
