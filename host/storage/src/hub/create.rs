//! Instances come and go: creation against races, and removal of all traces.

use super::records::{delete_instance, put_new, read_row};
use super::{Answer, Shared};
use crate::rows::{self, Batch};
use orchestration::{InstanceId, InstanceRow, NewInstance};
use ports::{Created, Purge, Reuse, StoreError};
use std::sync::Arc;

impl Shared {
    pub(super) async fn create(self: &Arc<Shared>, new: NewInstance, reuse: Reuse) -> Result<Created, StoreError> {
        // Without a claim first: asking for an instance that is there is common and must not wait for its writes.
        if let Some(status) = in_the_way(self.stored_row(&new.id)?.as_ref(), reuse) {
            return Ok(Created::Exists { status });
        }
        let held = self.claim_alone(&new.id).await;
        let mut batch = Batch::default();
        let blocked = rows::read(&*self.rows, |view| {
            let old = read_row(view, &new.id)?;
            let blocked = in_the_way(old.as_ref(), reuse);
            // Without a row something can still be pending, when the row was lost: it must not reach the new instance.
            if blocked.is_none() && (old.is_some() || self.with(|state| state.dispatch.knows(&new.id))) {
                delete_instance(view, &mut batch, &new.id, old.as_ref())?;
            }
            Ok(blocked)
        })?;
        if let Some(status) = blocked {
            return Ok(Created::Exists { status });
        }
        let (row, message) = put_new(&mut batch, new, self.next_sequence());
        let (answer, waiting) = Answer::channel();
        let shared = Arc::clone(self);
        let done = move |written: Result<(), StoreError>| {
            if written.is_ok() {
                shared.with(|state| {
                    state.dispatch.forget(&row.id);
                    state.dispatch.deliver(&row.id, message);
                });
                shared.watchers.wake(&row.id);
            }
            drop(held);
            answer.give(written.map(|()| Created::Yes));
        };
        self.rows.write(batch, Box::new(done));
        waiting.wait().await
    }

    pub(super) async fn purge(self: &Arc<Shared>, id: &InstanceId, purge: Purge) -> Result<bool, StoreError> {
        let held = self.claim_alone(id).await;
        let mut batch = Batch::default();
        let removable = rows::read(&*self.rows, |view| {
            let row = match (read_row(view, id), purge) {
                // A row that cannot be read can be removed: that is the way out.
                (Err(StoreError::Corrupt { .. }), Purge::Any) => None,
                (Ok(Some(row)), Purge::Any) => Some(row),
                (Ok(Some(row)), Purge::Ended) if row.status.is_terminal() => Some(row),
                (Ok(_), Purge::Ended | Purge::Any) => return Ok(false),
                (Err(error), Purge::Ended | Purge::Any) => return Err(error),
            };
            delete_instance(view, &mut batch, id, row.as_ref())?;
            Ok(true)
        })?;
        if !removable {
            return Ok(false);
        }
        let (answer, waiting) = Answer::channel();
        let (shared, id) = (Arc::clone(self), id.clone());
        let done = move |written: Result<(), StoreError>| {
            if written.is_ok() {
                shared.with(|state| state.dispatch.forget(&id));
                shared.watchers.wake(&id);
            }
            drop(held);
            answer.give(written.map(|()| true));
        };
        self.rows.write(batch, Box::new(done));
        waiting.wait().await
    }

    pub(super) fn stored_row(&self, id: &InstanceId) -> Result<Option<InstanceRow>, StoreError> {
        rows::read(&*self.rows, |view| read_row(view, id))
    }
}

/// The status of an instance that a new one may not replace.
pub(super) fn in_the_way(row: Option<&InstanceRow>, reuse: Reuse) -> Option<orchestration::RuntimeStatus> {
    let status = row?.status;
    let replaceable = match reuse {
        Reuse::Ended => status.is_terminal(),
        Reuse::Never => false,
    };
    (!replaceable).then_some(status)
}
