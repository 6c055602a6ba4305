//! The rows that belong to an instance, as changes of a batch.

use crate::codec::{self, Unreadable};
use crate::keys;
use crate::rows::{Batch, KeyRange, Table, View, record_name};
use orchestration::{
    ExecutionId, InstanceId, InstanceRow, Message, MessageKind, NewInstance, Origin, RuntimeStatus, Timestamp,
};
use ports::StoreError;
use std::ops::ControlFlow;

/// The tables whose keys begin with an instance.
const OF_INSTANCES: [Table; 6] =
    [Table::Instances, Table::Inputs, Table::History, Table::Inbox, Table::Activities, Table::Timers];

/// A record that is there and cannot be read.
pub(super) fn corrupt(table: Table, key: &[u8], why: &Unreadable) -> StoreError {
    StoreError::Corrupt { record: record_name(table, key), detail: why.to_string() }
}

/// The row of an instance.
pub(super) fn read_row(view: &dyn View, id: &InstanceId) -> Result<Option<InstanceRow>, StoreError> {
    let key = keys::instance(id);
    let Some(value) = view.get(Table::Instances, &key)? else { return Ok(None) };
    decode_row(id, &key, &value).map(Some)
}

pub(super) fn decode_row(id: &InstanceId, key: &[u8], value: &[u8]) -> Result<InstanceRow, StoreError> {
    codec::decode_row(id.clone(), value).map_err(|why| corrupt(Table::Instances, key, &why))
}

/// Writes a row, and the indexes where it differs from the old one.
pub(super) fn put_row(batch: &mut Batch, old: Option<&InstanceRow>, new: &InstanceRow) {
    let id = Some(&new.id);
    if old.is_none_or(|old| old.status != new.status) {
        if let Some(old) = old {
            batch.delete(Table::ByStatus, keys::by_status(old.status, id));
        }
        batch.put(Table::ByStatus, keys::by_status(new.status, id), Vec::new());
    }
    if old.is_none_or(|old| old.name != new.name) {
        if let Some(old) = old {
            batch.delete(Table::ByName, keys::by_name(&old.name, id));
        }
        batch.put(Table::ByName, keys::by_name(&new.name, id), Vec::new());
    }
    batch.put(Table::Instances, keys::instance(&new.id), codec::encode_row(new));
}

/// Writes an instance that was asked for and the message that starts it. Whatever of an older instance of the same id is
/// there must be deleted by the same batch before.
pub(super) fn put_new(batch: &mut Batch, new: NewInstance, sequence: u64) -> (InstanceRow, Message) {
    let NewInstance { id, started, at, if_at_work: _ } = new;
    let row = InstanceRow {
        id,
        execution: started.execution,
        name: started.name.clone(),
        status: RuntimeStatus::Pending,
        created_at: at,
        updated_at: at,
        completed_at: None,
        custom_status: None,
        output: None,
        failure: None,
        parent: started.parent.clone(),
        component: None,
        turns: 0,
        events: 0,
    };
    put_row(batch, None, &row);
    batch.put(Table::Inputs, keys::execution(&row.id, row.execution), codec::encode_input(&started.input));
    let kind = MessageKind::ExecutionStarted { started: Box::new(started), carried_over: Vec::new() };
    let message = Message { origin: Origin::Inbox(sequence), execution: Some(row.execution), kind };
    put_message(batch, &row.id, sequence, &message);
    (row, message)
}

/// Writes a message into an inbox.
pub(super) fn put_message(batch: &mut Batch, to: &InstanceId, sequence: u64, message: &Message) {
    batch.put(Table::Inbox, keys::message(to, sequence), codec::encode_message(message.execution, &message.kind));
}

/// Deletes the record that a message came from.
pub(super) fn delete_origin(batch: &mut Batch, id: &InstanceId, origin: Origin) {
    match origin {
        Origin::Inbox(sequence) => batch.delete(Table::Inbox, keys::message(id, sequence)),
        Origin::Activity(execution, event) => batch.delete(Table::Activities, keys::event(id, execution, event)),
        Origin::Timer(execution, event) => batch.delete(Table::Timers, keys::event(id, execution, event)),
    }
}

/// Deletes all that is there of an instance. Without a readable row its entries in the indexes stay behind; listing skips
/// entries that lead nowhere.
pub(super) fn delete_instance(
    view: &dyn View,
    batch: &mut Batch,
    id: &InstanceId,
    row: Option<&InstanceRow>,
) -> Result<(), StoreError> {
    if let Some(row) = row {
        batch.delete(Table::ByStatus, keys::by_status(row.status, Some(id)));
        batch.delete(Table::ByName, keys::by_name(&row.name, Some(id)));
    }
    let range = KeyRange::prefix(keys::instance(id));
    for table in OF_INSTANCES {
        view.scan(table, &range, &mut |key, _| {
            batch.delete(table, key.to_vec());
            ControlFlow::Continue(())
        })?;
    }
    Ok(())
}

/// The recorded turns of an execution, by the numbers they were given.
pub(super) fn delete_history(batch: &mut Batch, id: &InstanceId, execution: ExecutionId, turns: u32) {
    for turn in 0..turns {
        batch.delete(Table::History, keys::turn(id, execution, turn));
    }
}

/// Writes when a timer is due.
pub(super) fn put_timer(batch: &mut Batch, key: Vec<u8>, fire_at: Timestamp) {
    batch.put(Table::Timers, key, codec::encode_timer(fire_at));
}
