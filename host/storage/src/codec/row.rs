//! The row of an instance and its stored form.

use super::{Unreadable, convert, wire};
use orchestration::{
    Continued, CriticalSection, EntityLock, EntityRecord, EventId, InstanceId, InstanceRow, Json, Timestamp,
};
use prost::Message as _;

/// The row of an instance. Its id is in the key.
pub(crate) fn encode_row(row: &InstanceRow) -> Vec<u8> {
    wire::InstanceRow {
        execution: Some(convert::execution(row.execution)),
        name: row.name.clone(),
        status: row.status as u32,
        created_at: row.created_at.ticks(),
        updated_at: row.updated_at.ticks(),
        completed_at: row.completed_at.map(Timestamp::ticks),
        custom_status: row.custom_status.as_ref().map(convert::text),
        output: row.output.as_ref().map(convert::text),
        failure: row.failure.as_ref().map(convert::failure),
        parent: row.parent.as_ref().map(convert::parent),
        pinned_to: row.pinned_to.clone(),
        turns: row.turns,
        events: row.events,
        options: convert::options(&row.options),
        idempotency_key: row.idempotency_key.clone(),
        critical_section: row.critical_section.as_ref().map(section),
        continued: continued(row.continued),
        entity: row.entity.as_deref().map(entity),
    }
    .encode_to_vec()
}

pub(crate) fn decode_row(id: InstanceId, bytes: &[u8]) -> Result<InstanceRow, Unreadable> {
    let row = wire::InstanceRow::decode(bytes)?;
    Ok(InstanceRow {
        id,
        execution: convert::read_execution(row.execution)?,
        name: row.name,
        status: convert::read_status(row.status)?,
        created_at: Timestamp::from_ticks(row.created_at),
        updated_at: Timestamp::from_ticks(row.updated_at),
        completed_at: row.completed_at.map(Timestamp::from_ticks),
        custom_status: row.custom_status.map(Json::from),
        output: row.output.map(Json::from),
        failure: row.failure.map(convert::read_failure).transpose()?,
        parent: row.parent.map(convert::read_parent).transpose()?,
        pinned_to: row.pinned_to,
        options: convert::read_options(row.options),
        idempotency_key: row.idempotency_key,
        critical_section: row.critical_section.as_ref().map(read_section).transpose()?,
        continued: read_continued(row.continued),
        entity: row.entity.map(read_entity).transpose()?.map(Box::new),
        turns: row.turns,
        events: row.events,
    })
}

fn section(section: &CriticalSection) -> wire::CriticalSection {
    wire::CriticalSection { scheduled: section.scheduled.0, entities: convert::entities(&section.entities) }
}

fn read_section(section: &wire::CriticalSection) -> Result<CriticalSection, Unreadable> {
    Ok(CriticalSection { scheduled: EventId(section.scheduled), entities: convert::read_entities(&section.entities)? })
}

/// Nothing, when it never did: the row of an instance that does not continue stays small.
fn continued(continued: Continued) -> Option<wire::Continued> {
    (continued != Continued::default())
        .then(|| wire::Continued { since: continued.since.ticks(), times: continued.times })
}

fn read_continued(continued: Option<wire::Continued>) -> Continued {
    let wire::Continued { since, times } = continued.unwrap_or_default();
    Continued { since: Timestamp::from_ticks(since), times }
}

fn entity(entity: &EntityRecord) -> wire::EntityRecord {
    let lock = entity.lock.as_ref().map(|lock| wire::EntityLock {
        owner: lock.owner.as_str().to_owned(),
        section: Some(convert::section(lock.section)),
    });
    wire::EntityRecord {
        state: entity.state.as_ref().map(convert::text),
        lock,
        last_operation_at: entity.last_operation_at.map(Timestamp::ticks),
    }
}

fn read_entity(entity: wire::EntityRecord) -> Result<EntityRecord, Unreadable> {
    let lock = entity.lock.map(|lock| {
        let section = convert::read_section(lock.section)?;
        Ok::<_, Unreadable>(EntityLock { owner: InstanceId::from_stored(&lock.owner), section })
    });
    Ok(EntityRecord {
        state: entity.state.map(Json::from),
        lock: lock.transpose()?,
        last_operation_at: entity.last_operation_at.map(Timestamp::from_ticks),
    })
}
