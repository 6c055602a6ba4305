//! Instances come and go: creation against races, and removal of all traces.

use super::claims::{Held, How, Subject, Want, Wants};
use super::outbox::Outbox;
use super::records::read_row;
use super::{Answer, Shared};
use crate::dispatch::Delivery;
use crate::rows::{self, Batch};
use orchestration::{InstanceId, InstanceRow, NewInstance, Reuse, farewell};
use ports::{Created, Purge, StoreError};
use std::sync::Arc;

impl Shared {
    pub(super) async fn create(self: &Arc<Shared>, new: NewInstance) -> Result<Created, StoreError> {
        // Without a claim first: asking for an instance that is there is common and must not wait for its writes.
        let mut seen = self.stored_row(&new.id)?;
        let (held, old) = loop {
            if let Some(row) = in_the_way(seen.as_ref(), new.reuse) {
                return Ok(Created::Exists { row: Box::new(row.clone()) });
            }
            let held = self.claim_alone(Subject::Instance(new.id.clone()), removal(&new.id, seen.as_ref())).await;
            let old = self.stored_row(&new.id)?;
            // What the old one says in farewell may have changed since, and with it whom to claim.
            if in_the_way(old.as_ref(), new.reuse).is_none() && held.covers(&removal(&new.id, old.as_ref())) {
                break (held, old);
            }
            seen = old;
        };
        let id = new.id.clone();
        let (batch, deliveries) = rows::read(&*self.rows, |view| {
            let mut outbox = Outbox::new(self, view);
            // Without a row something can still be pending, when the row was lost: it must not reach the new instance.
            if old.is_some() || self.with(|state| state.dispatch.knows(&id)) {
                outbox.remove(&id, old.as_ref())?;
            }
            outbox.create(new);
            Ok((outbox.batch, outbox.deliveries))
        })?;
        self.replace(id, (batch, deliveries), held).wait().await.map(|()| Created::Yes)
    }

    pub(super) async fn purge(self: &Arc<Shared>, id: &InstanceId, purge: Purge) -> Result<bool, StoreError> {
        let mut seen = self.removable_row(id, purge)?;
        let (held, row) = loop {
            let Some(row) = &seen else { return Ok(false) };
            let held = self.claim_alone(Subject::Instance(id.clone()), removal(id, row.as_ref())).await;
            let now = self.removable_row(id, purge)?;
            match now {
                Some(row) if held.covers(&removal(id, row.as_ref())) => break (held, row),
                changed => seen = changed,
            }
        };
        let (batch, deliveries) = rows::read(&*self.rows, |view| {
            let mut outbox = Outbox::new(self, view);
            outbox.remove(id, row.as_ref())?;
            Ok((outbox.batch, outbox.deliveries))
        })?;
        self.replace(id.clone(), (batch, deliveries), held).wait().await.map(|()| true)
    }

    /// Writes what is there instead of an instance, if anything.
    fn replace(
        self: &Arc<Shared>,
        id: InstanceId,
        (batch, deliveries): (Batch, Vec<Delivery>),
        held: Held,
    ) -> Answer<()> {
        let (answer, waiting) = Answer::channel();
        let shared = Arc::clone(self);
        let done = move |written: Result<(), StoreError>| {
            if written.is_ok() {
                shared.with(|state| {
                    state.dispatch.forget(&id);
                    for delivery in deliveries {
                        state.dispatch.deliver(delivery);
                    }
                });
                shared.watchers.wake(&id);
            }
            drop(held);
            answer.give(written);
        };
        self.rows.write(batch, Box::new(done));
        waiting
    }

    /// The row of an instance that may be purged: none within when it cannot be read or an entity has none, none at all
    /// when nothing may be purged.
    #[expect(clippy::option_option, reason = "there may be something to purge without a row")]
    fn removable_row(&self, id: &InstanceId, purge: Purge) -> Result<Option<Option<InstanceRow>>, StoreError> {
        match (self.stored_row(id), purge) {
            // A row that cannot be read can be removed: that is the way out.
            (Err(StoreError::Corrupt { .. }), Purge::Any) => Ok(Some(None)),
            (Ok(Some(row)), Purge::Any) => Ok(Some(Some(row))),
            (Ok(Some(row)), Purge::Ended) if row.status.is_terminal() || self.is_idle_entity(&row) => {
                Ok(Some(Some(row)))
            }
            (Ok(None), Purge::Any) if id.is_entity() => Ok(self.with(|state| state.dispatch.knows(id)).then_some(None)),
            (Ok(_), Purge::Ended | Purge::Any) => Ok(None),
            (Err(error), Purge::Ended | Purge::Any) => Err(error),
        }
    }

    /// What waits for an entity would wait for ever without it.
    fn is_idle_entity(&self, row: &InstanceRow) -> bool {
        let is_unlocked = row.entity.as_ref().is_some_and(|record| record.lock.is_none());
        is_unlocked && !self.with(|state| state.dispatch.knows(&row.id))
    }

    pub(super) fn stored_row(&self, id: &InstanceId) -> Result<Option<InstanceRow>, StoreError> {
        rows::read(&*self.rows, |view| read_row(view, id))
    }
}

/// An instance that a new one may not replace.
pub(super) fn in_the_way(row: Option<&InstanceRow>, reuse: Reuse) -> Option<&InstanceRow> {
    row.filter(|row| !reuse.allows(row.status))
}

/// The claims of who removes an instance: itself, and whoever hears its farewell.
fn removal(id: &InstanceId, row: Option<&InstanceRow>) -> Wants {
    let said = row.map(farewell).unwrap_or_default();
    let heard = said.into_iter().map(|envelope| Want::instance(&envelope.to, How::TogetherPastTheQueue));
    Wants::of(std::iter::once(Want::instance(id, How::Alone)).chain(heard).collect())
}
