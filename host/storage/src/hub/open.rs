//! Opening: one scan of what is pending fills the dispatch. Records that cannot be read are set aside with their bytes, and
//! the rest runs.

use super::claims::Claims;
use super::records::set_aside;
use super::user::{self, Dropping, OpenedUser};
use super::waiting::Waiting;
use super::{Settings, Shared, State, TaskHub};
use crate::codec;
use crate::dispatch::{Delivery, Dispatch, EventKey};
use crate::keys;
use crate::rows::{self, Batch, KeyRange, Rows, Table, View};
use ports::{Clock, StoreError};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, mpsc};
use tokio::sync::Notify;

/// The key in [`Table::Meta`] of how many times the store was opened.
const OPENINGS: &[u8] = b"openings";
/// How many leases one opening can give out before their epochs meet those of the next: a million a second for a year. The same
/// goes for what users' messages are numbered with.
const NUMBERS_PER_OPENING: u32 = 45;

impl TaskHub {
    /// Fills the dispatch from the rows.
    pub(crate) fn open(rows: Arc<dyn Rows>, clock: Arc<dyn Clock>, settings: Settings) -> Result<TaskHub, StoreError> {
        let (batch, opened) = rows::read(&*rows, |view| {
            let openings = openings(view)? + 1;
            let first_number = openings << NUMBERS_PER_OPENING;
            let mut loading = Loading {
                dispatch: Dispatch::new(settings.lease_time, first_number),
                batch: Batch::default(),
                next_sequence: 0,
            };
            loading.batch.put(Table::Meta, OPENINGS.to_vec(), codec::encode_number(openings));
            loading.inbox(view)?;
            loading.activities(view)?;
            loading.timers(view)?;
            let user = user::load(view, &settings, clock.now(), &mut loading.batch)?;
            let Loading { dispatch, batch, next_sequence } = loading;
            Ok((batch, Opened { dispatch, next_sequence, first_number, user }))
        })?;
        write_and_wait(&*rows, batch)?;
        let Opened { dispatch, next_sequence, first_number, user: OpenedUser { user, ids, dropped } } = opened;
        for dropping in dropped {
            finish_dropping(&*rows, dropping)?;
        }
        let state = Mutex::new(State { dispatch, claims: Claims::default(), waiting: Waiting::default(), user });
        let shared = Shared {
            rows,
            clock,
            settings,
            state,
            turns: Notify::new(),
            activities: Notify::new(),
            rearm: Notify::new(),
            watchers: Arc::default(),
            revocations: Arc::default(),
            arrivals: Arc::default(),
            next_sequence: AtomicU64::new(next_sequence),
            next_number: AtomicU64::new(first_number),
            ids,
        };
        Ok(TaskHub { shared: Arc::new(shared) })
    }
}

/// What the rows hold, in memory.
struct Opened {
    dispatch: Dispatch,
    next_sequence: u64,
    first_number: u64,
    user: OpenedUser,
}

/// Removes the rows of a queue or table that is gone.
fn finish_dropping(rows: &dyn Rows, mut dropping: Dropping) -> Result<(), StoreError> {
    loop {
        let (is_last, batch) = rows::read(rows, |view| {
            let mut batch = Batch::default();
            Ok((dropping.step(view, &mut batch)?, batch))
        })?;
        write_and_wait(rows, batch)?;
        if is_last {
            return Ok(());
        }
    }
}

fn openings(view: &dyn View) -> Result<u64, StoreError> {
    let Some(value) = view.get(Table::Meta, OPENINGS)? else { return Ok(0) };
    codec::decode_number(&value).map_err(|why| super::records::corrupt(Table::Meta, OPENINGS, &why))
}

fn write_and_wait(rows: &dyn Rows, batch: Batch) -> Result<(), StoreError> {
    let (sender, receiver) = mpsc::channel();
    rows.write(batch, Box::new(move |written| sender.send(written).unwrap_or_default()));
    receiver.recv().unwrap_or_else(|_| {
        Err(StoreError::Unavailable { detail: "the store stopped while it was being opened".to_owned() })
    })
}

struct Loading {
    dispatch: Dispatch,
    /// Moves what cannot be read out of the way.
    batch: Batch,
    next_sequence: u64,
}

impl Loading {
    fn inbox(&mut self, view: &dyn View) -> Result<(), StoreError> {
        self.each(view, Table::Inbox, |loading, key, value| {
            let (id, sequence) = keys::parse_message(key).map_err(|why| why.to_string())?;
            loading.next_sequence = loading.next_sequence.max(sequence.saturating_add(1));
            let (message, not_before) = codec::decode_message(sequence, value).map_err(|why| why.to_string())?;
            loading.dispatch.deliver(Delivery { to: id, message, not_before });
            Ok(())
        })
    }

    fn activities(&mut self, view: &dyn View) -> Result<(), StoreError> {
        self.each(view, Table::Activities, |loading, key, value| {
            let key = keys::parse_event(key).map_err(|why| why.to_string())?;
            let task = codec::decode_activity(key, value).map_err(|why| why.to_string())?;
            loading.dispatch.schedule(task);
            Ok(())
        })
    }

    fn timers(&mut self, view: &dyn View) -> Result<(), StoreError> {
        self.each(view, Table::Timers, |loading, key, value| {
            let (instance, execution, event) = keys::parse_event(key).map_err(|why| why.to_string())?;
            let fire_at = codec::decode_timer(value).map_err(|why| why.to_string())?;
            loading.dispatch.arm(EventKey { instance, execution, event }, fire_at);
            Ok(())
        })
    }

    fn each(
        &mut self,
        view: &dyn View,
        table: Table,
        load: impl Fn(&mut Loading, &[u8], &[u8]) -> Result<(), String>,
    ) -> Result<(), StoreError> {
        view.scan(table, &KeyRange::all(), &mut |key, value| {
            if let Err(why) = load(self, key, value) {
                self.set_aside(table, key, value, &why);
            }
            ControlFlow::Continue(())
        })
    }

    fn set_aside(&mut self, table: Table, key: &[u8], value: &[u8], why: &str) {
        set_aside(&mut self.batch, table, key, value, why);
    }
}
