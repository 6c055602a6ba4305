//! What users keep, when the store opens: which queues and tables there are, every message's small row, and the removal of
//! what was still being removed. Bodies, entities and documents are not read.

use super::super::records::set_aside;
use super::super::{Settings, records::corrupt};
use super::queues::decode_queue;
use super::tables::decode_table;
use super::{Dropping, STAMPS};
use crate::codec::{self, MessageRow};
use crate::keys::{self, Owner};
use crate::rows::{Batch, KeyRange, Table, View};
use crate::user::{Ids, Queue, User};
use orchestration::Timestamp;
use ports::StoreError;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use storage_model::QueueName;

/// The key in [`Table::Meta`] of the number that ids and receipts are made with.
const SEED: &[u8] = b"seed";

/// What was found.
pub(in super::super) struct OpenedUser {
    pub(in super::super) user: User,
    pub(in super::super) ids: Ids,
    /// Queues and tables whose removal is to be finished.
    pub(in super::super) dropped: Vec<Dropping>,
}

/// Reads it all. `batch` takes what must be written before anything else happens.
pub(in super::super) fn load(
    view: &dyn View,
    settings: &Settings,
    now: Timestamp,
    batch: &mut Batch,
) -> Result<OpenedUser, StoreError> {
    let ids = Ids::new(seed(view, settings, batch)?);
    let user = User::new(last_stamp(view)?);
    let mut loading = Loading { user, batch, names: BTreeMap::new(), dropped: BTreeSet::new(), strays: 0, now };
    let mut dropped = Vec::new();
    loading.each(view, Table::Dropped, |loading, key, _| {
        let owner = keys::parse_dropped(key).map_err(|why| why.to_string())?;
        if let Owner::Queue(number) = owner {
            loading.dropped.insert(number);
        }
        dropped.push(Dropping::of(owner));
        Ok(())
    })?;
    loading.each(view, Table::Queues, |loading, key, value| {
        let (name, row) = decode_queue(key, value)?;
        loading.names.insert(row.number, name.clone());
        loading.user.queues.insert(name, Queue::new(row.number));
        Ok(())
    })?;
    loading.each(view, Table::UserTables, |loading, _, value| {
        let (name, row) = decode_table(value)?;
        loading.user.tables.insert(name.folded(), row.number);
        Ok(())
    })?;
    loading.each(view, Table::QueueMessages, |loading, key, value| {
        let (queue, sequence) = keys::parse_owned(key).map_err(|why| why.to_string())?;
        let row = codec::decode_queued(value).map_err(|why| why.to_string())?;
        loading.message(queue, sequence, row);
        Ok(())
    })?;
    if loading.strays > 0 {
        tracing::error!(messages = loading.strays, "messages of queues that could not be read are left where they are");
    }
    Ok(OpenedUser { user: loading.user, ids, dropped })
}

fn seed(view: &dyn View, settings: &Settings, batch: &mut Batch) -> Result<u128, StoreError> {
    if let Some(value) = view.get(Table::Meta, SEED)? {
        return codec::decode_seed(&value).map_err(|why| corrupt(Table::Meta, SEED, &why));
    }
    batch.put(Table::Meta, SEED.to_vec(), codec::encode_seed(settings.id_seed));
    Ok(settings.id_seed)
}

fn last_stamp(view: &dyn View) -> Result<i64, StoreError> {
    let Some(value) = view.get(Table::Meta, STAMPS)? else { return Ok(0) };
    let mark = codec::decode_number(&value).map_err(|why| corrupt(Table::Meta, STAMPS, &why))?;
    Ok(i64::try_from(mark).unwrap_or(i64::MAX))
}

struct Loading<'a> {
    user: User,
    batch: &'a mut Batch,
    /// The queues by number.
    names: BTreeMap<u64, QueueName>,
    /// Queues that are gone.
    dropped: BTreeSet<u64>,
    /// Messages of no queue.
    strays: usize,
    now: Timestamp,
}

impl Loading<'_> {
    fn message(&mut self, number: u64, sequence: u64, mut row: MessageRow) {
        let name = self.names.get(&number);
        let Some(queue) = name.and_then(|name| self.user.queues.get_mut(name)) else {
            self.strays += usize::from(!self.dropped.contains(&number));
            return;
        };
        if row.host {
            // Who held it is gone: it is as if nobody had received it, but counted.
            row = MessageRow { visible: row.inserted.min(self.now), receipt: 0, host: false, ..row };
        }
        queue.set(sequence, row);
    }

    fn each(
        &mut self,
        view: &dyn View,
        table: Table,
        mut load: impl FnMut(&mut Self, &[u8], &[u8]) -> Result<(), String>,
    ) -> Result<(), StoreError> {
        view.scan(table, &KeyRange::all(), &mut |key, value| {
            if let Err(why) = load(self, key, value) {
                set_aside(self.batch, table, key, value, &why);
            }
            ControlFlow::Continue(())
        })
    }
}
