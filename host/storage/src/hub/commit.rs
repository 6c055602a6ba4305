//! The commit of a checkpoint: one batch, fenced by the lease.

use super::claims::{Held, Want, Wants};
use super::records::{
    delete_history, delete_instance, delete_origin, put_message, put_new, put_row, put_timer, read_row,
};
use super::{Answer, Shared};
use crate::codec;
use crate::dispatch::Committed;
use crate::keys;
use crate::rows::{self, Batch, Table, View};
use orchestration::{Checkpoint, Envelope, InstanceId, InstanceRow, Message, NewInstance, Origin};
use ports::{Lease, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Shared {
    pub(super) async fn commit(self: &Arc<Shared>, lease: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError> {
        let wants = wants(&checkpoint);
        loop {
            match self.begin(lease, &checkpoint, &wants)? {
                Ok(()) => break,
                Err(busy) => busy.await.unwrap_or_default(),
            }
        }
        let held = self.held(wants);
        let id = checkpoint.row.id.clone();
        match self.build(checkpoint) {
            Ok(built) => self.write(lease, held, built).wait().await,
            Err(error) => {
                self.with(|state| state.dispatch.commit_failed(&id, lease));
                Err(error)
            }
        }
    }

    /// Checks the lease, claims all that the checkpoint touches, and pins the lease; or says what to wait for.
    fn begin(
        &self,
        lease: &Lease,
        checkpoint: &Checkpoint,
        wants: &Wants,
    ) -> Result<Result<(), tokio::sync::oneshot::Receiver<()>>, StoreError> {
        let now = self.clock.now();
        let lost = |_| StoreError::LeaseLost { what: lease.what.clone() };
        self.with(|state| {
            let id = state.dispatch.check_turn(lease, now).map_err(lost)?;
            if id != checkpoint.row.id {
                return Err(StoreError::LeaseLost { what: format!("instance '{}'", checkpoint.row.id) });
            }
            if let Err(busy) = state.claims.take(wants) {
                return Ok(Err(busy));
            }
            state.dispatch.committing(&id, lease);
            Ok(Ok(()))
        })
    }

    /// Reads what the checkpoint depends on and makes the batch. Nothing changes yet.
    fn build(&self, checkpoint: Checkpoint) -> Result<Built, StoreError> {
        let cached = self.with(|state| state.dispatch.row(&checkpoint.row.id));
        rows::read(&*self.rows, |view| {
            let old = match cached {
                Some(row) => row,
                None => Arc::new(self.old_row(view, &checkpoint)?),
            };
            if old.execution != checkpoint.execution {
                // Computed on a state that is gone. A lease that counts rules it out, unless the caller mixes leases up.
                return Err(StoreError::LeaseLost { what: format!("instance '{}'", old.id) });
            }
            let mut building = Building { shared: self, view, built: Built::default() };
            building.row(&old, &checkpoint);
            building.work(&checkpoint);
            if checkpoint.row.execution != checkpoint.execution {
                building.continue_as_new(&old, &checkpoint);
            }
            let Checkpoint {
                row, execution, consumed, activities, timers, cancelled_timers, children, messages, ..
            } = checkpoint;
            let row = Arc::new(row);
            building.children(&row, children)?;
            building.messages(&row, messages)?;
            building.built.committed =
                Some(Committed { row, execution, consumed, cancelled_timers, activities, timers });
            Ok(building.built)
        })
    }

    fn old_row(&self, view: &dyn View, checkpoint: &Checkpoint) -> Result<InstanceRow, StoreError> {
        let id = &checkpoint.row.id;
        read_row(view, id)?.ok_or_else(|| StoreError::LeaseLost { what: format!("instance '{id}'") })
    }

    fn write(self: &Arc<Shared>, lease: &Lease, held: Held, built: Built) -> Answer<()> {
        let Built { batch, committed, created, deliveries } = built;
        let (answer, waiting) = Answer::channel();
        let (shared, lease) = (Arc::clone(self), lease.clone());
        let done = move |written: Result<(), StoreError>| {
            let Some(committed) = committed else { return };
            let row = Arc::clone(&committed.row);
            if written.is_err() {
                shared.with(|state| state.dispatch.commit_failed(&row.id, &lease));
            } else {
                shared.with(|state| {
                    // Receivers first: a message of this instance to itself is there when its turn ends.
                    created.iter().for_each(|id| state.dispatch.forget(id));
                    for (to, message) in deliveries {
                        state.dispatch.deliver(&to, message);
                    }
                    let now = shared.clock.now();
                    state.dispatch.committed(committed, &lease, now);
                });
                shared.watchers.wake(&row.id);
                created.iter().for_each(|id| shared.watchers.wake(id));
            }
            drop(held);
            answer.give(written);
        };
        self.rows.write(batch, Box::new(done));
        waiting
    }
}

/// The instances that a checkpoint touches: itself, who gets messages, and, alone, who is created.
fn wants(checkpoint: &Checkpoint) -> Wants {
    let own = &checkpoint.row.id;
    let want = |id: &InstanceId, alone| Want { id: id.clone(), alone };
    let receivers = checkpoint.messages.iter().map(|message| want(&message.to, false));
    let children = checkpoint.children.iter().filter(|child| child.id != *own).map(|child| want(&child.id, true));
    Wants::of(std::iter::once(want(own, false)).chain(receivers).chain(children).collect())
}

/// A batch, and what changes in memory once it is durable.
#[derive(Default)]
struct Built {
    batch: Batch,
    committed: Option<Committed>,
    created: BTreeSet<InstanceId>,
    deliveries: Vec<(InstanceId, Message)>,
}

struct Building<'a> {
    shared: &'a Shared,
    view: &'a dyn View,
    built: Built,
}

impl Building<'_> {
    fn row(&mut self, old: &InstanceRow, checkpoint: &Checkpoint) {
        let batch = &mut self.built.batch;
        if *old != checkpoint.row {
            put_row(batch, Some(old), &checkpoint.row);
        }
        if let Some(record) = &checkpoint.record {
            let key = keys::turn(&old.id, checkpoint.execution, record.turn);
            batch.put(Table::History, key, codec::encode_turn(record));
        }
        for origin in &checkpoint.consumed {
            delete_origin(batch, &old.id, *origin);
        }
    }

    /// Activities and timers. What is new belongs to the execution that the row names.
    fn work(&mut self, checkpoint: &Checkpoint) {
        let (row, batch) = (&checkpoint.row, &mut self.built.batch);
        for event in &checkpoint.cancelled_timers {
            batch.delete(Table::Timers, keys::event(&row.id, checkpoint.execution, *event));
        }
        for task in &checkpoint.activities {
            let key = keys::event(&row.id, task.execution, task.id);
            batch.put(Table::Activities, key, codec::encode_activity(task));
        }
        for timer in &checkpoint.timers {
            put_timer(batch, keys::event(&row.id, row.execution, timer.id), timer.fire_at);
        }
    }

    /// The old execution goes: its history and its argument. Activities that it asked for still run.
    fn continue_as_new(&mut self, old: &InstanceRow, checkpoint: &Checkpoint) {
        let (id, execution, batch) = (&old.id, checkpoint.execution, &mut self.built.batch);
        delete_history(batch, id, execution, old.turns);
        batch.delete(Table::Inputs, keys::execution(id, execution));
        if let Some(input) = &checkpoint.next_input {
            batch.put(Table::Inputs, keys::execution(id, checkpoint.row.execution), codec::encode_input(input));
        }
    }

    /// Starts each child, or answers that its id is taken.
    fn children(&mut self, row: &InstanceRow, children: Vec<NewInstance>) -> Result<(), StoreError> {
        for child in children {
            let taken_here = child.id == row.id || self.built.created.contains(&child.id);
            let old = if taken_here { None } else { read_row(self.view, &child.id)? };
            if taken_here || old.as_ref().is_some_and(|old| !old.status.is_terminal()) {
                if let Some(Envelope { to, execution, kind }) = child.if_at_work {
                    self.message(&to, |origin| Message { origin, execution, kind });
                }
                continue;
            }
            if old.is_some() || self.shared.with(|state| state.dispatch.knows(&child.id)) {
                delete_instance(self.view, &mut self.built.batch, &child.id, old.as_ref())?;
            }
            self.built.created.insert(child.id.clone());
            let (row, message) = put_new(&mut self.built.batch, child, self.shared.next_sequence());
            self.built.deliveries.push((row.id, message));
        }
        Ok(())
    }

    fn messages(&mut self, row: &InstanceRow, messages: Vec<Envelope>) -> Result<(), StoreError> {
        for envelope in messages {
            if self.receives(row, &envelope.to)? {
                let Envelope { to, execution, kind } = envelope;
                self.message(&to, |origin| Message { origin, execution, kind });
            } else {
                tracing::debug!(
                    from = %row.id, to = %envelope.to, message = envelope.kind.name(),
                    "message dropped: its receiver does not exist or has ended"
                );
            }
        }
        Ok(())
    }

    /// Whether a receiver is there, as this very checkpoint leaves things.
    fn receives(&self, row: &InstanceRow, to: &InstanceId) -> Result<bool, StoreError> {
        if *to == row.id {
            return Ok(!row.status.is_terminal());
        }
        if self.built.created.contains(to) {
            return Ok(true);
        }
        if let Some(cached) = self.shared.with(|state| state.dispatch.row(to)) {
            return Ok(!cached.status.is_terminal());
        }
        Ok(read_row(self.view, to)?.is_some_and(|row| !row.status.is_terminal()))
    }

    fn message(&mut self, to: &InstanceId, message: impl FnOnce(Origin) -> Message) {
        let sequence = self.shared.next_sequence();
        let message = message(Origin::Inbox(sequence));
        put_message(&mut self.built.batch, to, sequence, &message);
        self.built.deliveries.push((to.clone(), message));
    }
}
