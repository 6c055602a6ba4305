//! The rows that belong to an instance, as changes of a batch.

use crate::codec::{self, Unreadable};
use crate::dispatch::Delivery;
use crate::keys;
use crate::rows::{Batch, KeyRange, Table, View, record_name};
use orchestration::{
    ExecutionId, InstanceId, InstanceRow, Json, Message, MessageKind, NewInstance, Origin, RuntimeStatus, Timestamp,
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

/// Moves a record that cannot be read out of the way, with its bytes.
pub(super) fn set_aside(batch: &mut Batch, table: Table, key: &[u8], value: &[u8], why: &str) {
    tracing::error!(
        record = record_name(table, key),
        why,
        "a stored record cannot be read; it is set aside in the quarantine table and everything else goes on"
    );
    let mut place = table.name().as_bytes().to_vec();
    place.push(b'/');
    place.extend_from_slice(key);
    batch.put(Table::Quarantine, place, value.to_vec());
    batch.delete(table, key.to_vec());
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
    let (app_before, app) = (old.and_then(app_in_use), app_in_use(new));
    if app_before != app {
        if let Some(before) = app_before {
            batch.delete(Table::ByApp, keys::by_app(before, id));
        }
        if let Some(app) = app {
            batch.put(Table::ByApp, keys::by_app(app, id), Vec::new());
        }
    }
    batch.put(Table::Instances, keys::instance(&new.id), codec::encode_row(new));
}

/// The app that must be kept for an instance: one that has failed can be rewound, and then runs on it again.
fn app_in_use(row: &InstanceRow) -> Option<&str> {
    row.pinned_to.as_deref().filter(|_| !row.status.is_terminal() || row.status == RuntimeStatus::Failed)
}

/// Takes a row out of its table and the indexes.
pub(super) fn delete_row(batch: &mut Batch, row: &InstanceRow) {
    let id = Some(&row.id);
    batch.delete(Table::ByStatus, keys::by_status(row.status, id));
    batch.delete(Table::ByName, keys::by_name(&row.name, id));
    if let Some(app) = app_in_use(row) {
        batch.delete(Table::ByApp, keys::by_app(app, id));
    }
    batch.delete(Table::Instances, keys::instance(&row.id));
}

/// Writes an instance that was asked for and the message that starts it. Whatever of an older instance of the same id is
/// there must be deleted by the same batch before.
pub(super) fn put_new(batch: &mut Batch, new: NewInstance, sequence: u64, now: Timestamp) -> Delivery {
    let row = new.row();
    put_row(batch, None, &row);
    put_input(batch, &row, &new.started.input);
    let not_before = new.started.options.start_at;
    let kind = MessageKind::ExecutionStarted { started: Box::new(new.started), carried_over: Vec::new() };
    let message = Message { origin: Origin::Inbox(sequence), execution: Some(row.execution), kind };
    put_message(batch, Delivery { to: row.id, message, not_before }, now)
}

/// Writes the argument of the execution that the row names.
pub(super) fn put_input(batch: &mut Batch, row: &InstanceRow, input: &Json) {
    batch.put(Table::Inputs, keys::execution(&row.id, row.execution), codec::encode_input(input));
}

/// Writes a message into an inbox. One whose moment has come is from then on like any other, so that it keeps its place
/// among those that its sender sends next.
pub(super) fn put_message(batch: &mut Batch, delivery: Delivery, now: Timestamp) -> Delivery {
    let Delivery { to, message, not_before } = delivery;
    let not_before = not_before.filter(|at| *at > now);
    if let Origin::Inbox(sequence) = message.origin {
        let value = codec::encode_message(message.execution, &message.kind, not_before);
        batch.put(Table::Inbox, keys::message(&to, sequence), value);
    }
    Delivery { to, message, not_before }
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
        delete_row(batch, row);
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
