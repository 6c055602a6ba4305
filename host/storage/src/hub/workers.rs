//! What workers call: [`WorkStore`] over the dispatch and the rows.

use super::records::{corrupt, read_row};
use super::waiting::For;
use super::{Shared, TaskHub};
use crate::codec;
use crate::dispatch::{LeaseLost, TakenActivity, TakenTurn};
use crate::keys;
use crate::rows::{self, Table};
use async_trait::async_trait;
use futures::future::BoxFuture;
use orchestration::{ActivityTask, Checkpoint, Failure, InstanceRow, Json, Timestamp};
use ports::{ActivityWork, Lease, StoreError, TurnWork, WorkStore};
use std::sync::Arc;

#[async_trait]
impl WorkStore for TaskHub {
    async fn take_turn(&self) -> Result<TurnWork, StoreError> {
        loop {
            let taken = self.shared.take(For::Turns, |state, now| state.dispatch.take_turn(now)).await;
            if let Some(work) = self.shared.complete_turn(taken)? {
                return Ok(work);
            }
        }
    }

    async fn commit(&self, lease: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.shared.commit(lease, checkpoint).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        self.shared.with(|state| state.dispatch.release_turn(lease, now)).map_err(|lost| refused(lease, lost))
    }

    async fn take_activity(&self) -> Result<ActivityWork, StoreError> {
        loop {
            let taken = self.shared.take(For::Activities, |state, now| state.dispatch.take_activity(now)).await;
            if let Some(work) = self.shared.complete_activity(taken)? {
                return Ok(work);
            }
        }
    }

    async fn complete_activity(&self, lease: &Lease, result: Result<Json, Failure>) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        self.shared
            .with(|state| state.dispatch.complete_activity(lease, result, now))
            .map_err(|lost| refused(lease, lost))
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease, StoreError> {
        let now = self.shared.clock.now();
        self.shared.with(|state| state.dispatch.renew(lease, now)).map_err(|lost| refused(lease, lost))
    }

    fn revoked(&self, lease: &Lease) -> BoxFuture<'static, ()> {
        let now = self.shared.clock.now();
        // Under the lock: no revocation passes between the look and the registration.
        self.shared.with(|state| match state.dispatch.holds(lease, now) {
            true => self.shared.revocations.watch(&lease.epoch),
            false => Box::pin(std::future::ready(())),
        })
    }

    async fn abandon(&self, lease: &Lease, not_before: Timestamp) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        self.shared.with(|state| state.dispatch.abandon(lease, not_before, now)).map_err(|lost| refused(lease, lost))
    }
}

fn refused(lease: &Lease, _: LeaseLost) -> StoreError {
    StoreError::LeaseLost { what: lease.what.clone() }
}

impl Shared {
    /// Adds the row to a turn that was taken. Without a row that can be read there is no turn: the instance is put away until
    /// something new arrives for it, and its worker goes on to the next.
    fn complete_turn(&self, taken: TakenTurn) -> Result<Option<TurnWork>, StoreError> {
        let TakenTurn { id, lease, row, messages, failed_attempts } = taken;
        if let Some(row) = row {
            return Ok(Some(TurnWork { lease, row: (*row).clone(), messages, failed_attempts }));
        }
        match rows::read(&*self.rows, |view| read_row(view, &id)) {
            Ok(Some(row)) => {
                self.with(|state| state.dispatch.keep_row(&lease, Arc::new(row.clone())));
                Ok(Some(TurnWork { lease, row, messages, failed_attempts }))
            }
            Ok(None) if id.is_entity() => {
                // Not kept at hand: only what is stored is, and this row is not before the first commit.
                let row = InstanceRow::new_entity(id, self.clock.now());
                Ok(Some(TurnWork { lease, row, messages, failed_attempts }))
            }
            Ok(None) => {
                tracing::error!(instance = %id, messages = messages.len(), "messages for an instance without a row are put away");
                self.with(|state| state.dispatch.set_aside(&id));
                Ok(None)
            }
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(instance = %id, %error, "an instance that cannot be read is put away; purge it to be rid of it");
                self.with(|state| state.dispatch.set_aside(&id));
                Ok(None)
            }
            Err(error) => {
                self.give_back(&lease);
                Err(error)
            }
        }
    }

    /// Adds the task to an activity that was taken, if it was not at hand. One whose row cannot be read is put away.
    fn complete_activity(&self, taken: TakenActivity) -> Result<Option<ActivityWork>, StoreError> {
        let TakenActivity { key, lease, task } = taken;
        if let Some(task) = task {
            return Ok(Some(ActivityWork { lease, task }));
        }
        let row_key = keys::event(&key.instance, key.execution, key.event);
        let read: Result<Option<ActivityTask>, StoreError> =
            self.rows.get(Table::Activities, &row_key).and_then(|value| {
                let id = (key.instance.clone(), key.execution, key.event);
                let decoded = value.map(|value| codec::decode_activity(id, &value)).transpose();
                decoded.map_err(|why| corrupt(Table::Activities, &row_key, &why))
            });
        match read {
            Ok(Some(task)) => Ok(Some(ActivityWork { lease, task })),
            // Removed between the two steps, with its instance.
            Ok(None) => {
                self.with(|state| state.dispatch.remove_activity(&key));
                Ok(None)
            }
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(instance = %key.instance, %error, "an activity that cannot be read is put away");
                self.with(|state| state.dispatch.remove_activity(&key));
                Ok(None)
            }
            Err(error) => {
                self.give_back(&lease);
                Err(error)
            }
        }
    }

    /// Undoes a take that could not be completed.
    fn give_back(&self, lease: &Lease) {
        let now = self.clock.now();
        // The lease was made a moment ago; if it is lost all the same, the work is in other hands, which is as good.
        self.with(|state| state.dispatch.abandon(lease, now, now)).unwrap_or_default();
    }
}
