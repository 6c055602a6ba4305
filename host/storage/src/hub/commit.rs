//! The commit of a checkpoint: one batch, fenced by the lease.

use super::claims::{Held, How, Want, Wants};
use super::create::in_the_way;
use super::outbox::Outbox;
use super::records::{delete_history, delete_origin, delete_row, put_input, put_row, put_timer, read_row};
use super::{Answer, Shared};
use crate::codec;
use crate::dispatch::{Committed, Delivery};
use crate::keys;
use crate::rows::{self, Batch, Table};
use orchestration::{
    Checkpoint, Envelope, InstanceId, InstanceRow, NewInstance, Origin, Reuse, RuntimeStatus, TurnRecord, farewell,
};
use ports::{Lease, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Shared {
    pub(super) async fn commit(self: &Arc<Shared>, lease: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError> {
        let held = loop {
            let wants = self.wants(&checkpoint)?;
            if let Err(busy) = self.begin(lease, &checkpoint, &wants)? {
                busy.await.unwrap_or_default();
                continue;
            }
            let held = self.held(wants);
            match self.still_wants(&checkpoint, &held) {
                Ok(true) => break held,
                Ok(false) => self.with(|state| state.dispatch.commit_failed(&checkpoint.row.id, lease)),
                Err(error) => {
                    self.with(|state| state.dispatch.commit_failed(&checkpoint.row.id, lease));
                    return Err(error);
                }
            }
        };
        let id = checkpoint.row.id.clone();
        match self.build(checkpoint) {
            Ok(built) => self.write(lease, held, built).wait().await,
            Err(error) => {
                self.with(|state| state.dispatch.commit_failed(&id, lease));
                Err(error)
            }
        }
    }

    /// The instances that a checkpoint touches: itself, who gets messages, and, alone, who is created. A child that may
    /// replace an instance at work also touches whoever hears the farewell of that one.
    fn wants(&self, checkpoint: &Checkpoint) -> Result<Wants, StoreError> {
        let own = &checkpoint.row.id;
        let want = Want::instance;
        let mut wants = vec![want(own, How::Together)];
        wants.extend(checkpoint.messages.iter().map(|message| want(&message.to, How::Together)));
        for child in checkpoint.children.iter().filter(|child| child.id != *own) {
            wants.push(want(&child.id, How::Alone));
            if may_replace_one_at_work(child)
                && let Some(old) = self.stored_row(&child.id)?
            {
                wants.extend(farewell(&old).iter().map(|message| want(&message.to, How::Together)));
            }
        }
        let otherwise = checkpoint.children.iter().filter_map(|child| child.otherwise.as_ref());
        wants.extend(otherwise.map(|message| want(&message.to, How::Together)));
        Ok(Wants::of(wants))
    }

    /// Whether what is held is enough, now that nothing of it changes any more.
    fn still_wants(&self, checkpoint: &Checkpoint, held: &Held) -> Result<bool, StoreError> {
        if !checkpoint.children.iter().any(may_replace_one_at_work) {
            return Ok(true);
        }
        Ok(held.covers(&self.wants(checkpoint)?))
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
            let stored = match cached {
                Some(row) => Some(row),
                None => read_row(view, &checkpoint.row.id)?.map(Arc::new),
            };
            check_basis(stored.as_deref(), &checkpoint)?;
            let mut building = Building { outbox: Outbox::new(self, view), created: BTreeSet::new() };
            building.history(stored.as_deref(), &checkpoint);
            building.work(&checkpoint);
            building.children(&checkpoint.row, checkpoint.children)?;
            building.messages(&checkpoint.row, checkpoint.messages)?;
            let removed = checkpoint.remove && !building.waits(self, &checkpoint.row.id, &checkpoint.consumed);
            building.row(stored.as_deref(), &checkpoint.row, removed);
            let Building { outbox: Outbox { batch, deliveries, .. }, created } = building;
            let committed = Committed {
                row: Arc::new(checkpoint.row),
                removed,
                more: checkpoint.more,
                execution: checkpoint.execution,
                consumed: checkpoint.consumed,
                cancelled_timers: checkpoint.cancelled_timers,
                cancelled_activities: checkpoint.cancelled_activities,
                activities: checkpoint.activities,
                timers: checkpoint.timers,
            };
            Ok(Built { batch, committed, created, deliveries })
        })
    }

    fn write(self: &Arc<Shared>, lease: &Lease, held: Held, built: Built) -> Answer<()> {
        let Built { batch, committed, created, deliveries } = built;
        let (answer, waiting) = Answer::channel();
        let (shared, lease) = (Arc::clone(self), lease.clone());
        let done = move |written: Result<(), StoreError>| {
            let row = Arc::clone(&committed.row);
            if written.is_err() {
                shared.with(|state| state.dispatch.commit_failed(&row.id, &lease));
            } else {
                shared.with(|state| {
                    // Receivers first: a message of this instance to itself is there when its turn ends.
                    created.iter().for_each(|id| state.dispatch.forget(id));
                    for delivery in deliveries {
                        state.dispatch.deliver(delivery);
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

/// Whether a child's start may end another instance that has not ended by itself.
pub(super) fn may_replace_one_at_work(child: &NewInstance) -> bool {
    let at_work = |status: &RuntimeStatus| !status.is_terminal() && child.reuse.allows(*status);
    child.reuse != Reuse::ENDED && RuntimeStatus::ALL.iter().any(at_work)
}

/// A checkpoint computed on a state that is gone changes nothing. A lease that counts rules it out, unless the caller mixes
/// leases up.
fn check_basis(stored: Option<&InstanceRow>, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    let id = &checkpoint.row.id;
    let is_basis = match stored {
        Some(row) => row.execution == checkpoint.execution,
        // An entity is there without a row, in its one execution.
        None => id.is_entity(),
    };
    if is_basis { Ok(()) } else { Err(StoreError::LeaseLost { what: format!("instance '{id}'") }) }
}

/// A batch, and what changes in memory once it is durable.
struct Built {
    batch: Batch,
    committed: Committed,
    created: BTreeSet<InstanceId>,
    deliveries: Vec<Delivery>,
}

struct Building<'a> {
    outbox: Outbox<'a>,
    created: BTreeSet<InstanceId>,
}

impl Building<'_> {
    /// What the turn recorded and consumed. When another execution begins, the one before goes: its history and its
    /// argument. Activities that it asked for still run, unless they are taken back.
    fn history(&mut self, stored: Option<&InstanceRow>, checkpoint: &Checkpoint) {
        let (row, batch) = (&checkpoint.row, &mut self.outbox.batch);
        let begins = row.execution != checkpoint.execution;
        if begins || checkpoint.rewritten.is_some() {
            delete_history(batch, &row.id, checkpoint.execution, stored.map_or(0, |stored| stored.turns));
        }
        if begins {
            batch.delete(Table::Inputs, keys::execution(&row.id, checkpoint.execution));
        }
        if let Some(input) = &checkpoint.next_input {
            put_input(batch, row, input);
        }
        let mut put_turn = |record: &TurnRecord| {
            let key = keys::turn(&row.id, row.execution, record.turn);
            batch.put(Table::History, key, codec::encode_turn(record));
        };
        // What a turn recorded belongs to the execution that it ran in, and goes with it.
        checkpoint.record.iter().filter(|_| !begins).for_each(&mut put_turn);
        checkpoint.rewritten.iter().flatten().for_each(&mut put_turn);
        for origin in &checkpoint.consumed {
            delete_origin(batch, &row.id, *origin);
        }
    }

    /// Activities and timers. What is new belongs to the execution that the row names.
    fn work(&mut self, checkpoint: &Checkpoint) {
        let (row, batch) = (&checkpoint.row, &mut self.outbox.batch);
        for event in &checkpoint.cancelled_timers {
            batch.delete(Table::Timers, keys::event(&row.id, checkpoint.execution, *event));
        }
        for event in &checkpoint.cancelled_activities {
            batch.delete(Table::Activities, keys::event(&row.id, checkpoint.execution, *event));
        }
        for task in &checkpoint.activities {
            let key = keys::event(&row.id, task.execution, task.id);
            batch.put(Table::Activities, key, codec::encode_activity(task));
        }
        for timer in &checkpoint.timers {
            put_timer(batch, keys::event(&row.id, row.execution, timer.id), timer.fire_at);
        }
    }

    /// Starts each child, or says what is to be said when its id is taken.
    fn children(&mut self, row: &InstanceRow, children: Vec<NewInstance>) -> Result<(), StoreError> {
        for mut child in children {
            let taken_here = child.id == row.id || self.created.contains(&child.id);
            let old = if taken_here { None } else { read_row(self.outbox.view, &child.id)? };
            if taken_here || in_the_way(old.as_ref(), child.reuse).is_some() {
                if let Some(envelope) = child.otherwise.take() {
                    self.send(row, envelope)?;
                }
                continue;
            }
            if old.is_some() || self.outbox.knows(&child.id) {
                self.outbox.remove(&child.id, old.as_ref())?;
            }
            self.created.insert(child.id.clone());
            self.outbox.create(child);
        }
        Ok(())
    }

    fn messages(&mut self, row: &InstanceRow, messages: Vec<Envelope>) -> Result<(), StoreError> {
        messages.into_iter().try_for_each(|envelope| self.send(row, envelope))
    }

    fn send(&mut self, row: &InstanceRow, envelope: Envelope) -> Result<(), StoreError> {
        let as_left_here = if envelope.to == row.id {
            Some(row.status)
        } else {
            self.created.contains(&envelope.to).then_some(RuntimeStatus::Pending)
        };
        self.outbox.send(&row.id, envelope, as_left_here)
    }

    /// Whether anything waits for the instance behind this checkpoint. What is sent to it at this very moment is not seen:
    /// an entity takes messages without a row, too.
    fn waits(&self, shared: &Shared, id: &InstanceId, consumed: &[Origin]) -> bool {
        self.outbox.deliveries.iter().any(|delivery| delivery.to == *id)
            || shared.with(|state| state.dispatch.has_more_for(id, consumed))
    }

    fn row(&mut self, stored: Option<&InstanceRow>, row: &InstanceRow, removed: bool) {
        let batch = &mut self.outbox.batch;
        match stored {
            Some(stored) if removed => delete_row(batch, stored),
            None if removed => {}
            Some(stored) if *stored == *row => {}
            stored => put_row(batch, stored, row),
        }
    }
}
