//! Rows of a queue or table that is gone: removed in batches of a bounded size, the first of which takes the name away.
//!
//! While rows are left, [`Table::Dropped`] says so, and the next opening goes on where a crash came between. A new queue or
//! table of the same name has another number and sees nothing of it.

use super::super::{Answer, Shared};
use super::Draft;
use crate::keys::{self, Owner};
use crate::rows::{self, Batch, KeyRange, Table, View};
use ports::StoreError;
use std::ops::ControlFlow;
use std::sync::Arc;

/// How many rows one batch removes: bounds how long other callers wait behind it.
const MAX_AT_ONCE: usize = 4_096;

/// What is still to be removed.
#[derive(Debug)]
pub(in super::super) struct Dropping {
    owner: Owner,
    rest: Vec<(Table, KeyRange)>,
}

impl Dropping {
    pub(in super::super) fn of(owner: Owner) -> Dropping {
        let tables: &[Table] = match owner {
            Owner::Queue(_) => &[Table::QueueMessages, Table::QueueBodies],
            Owner::Table(_) => &[Table::UserEntities],
        };
        Dropping { owner, rest: tables.iter().map(|table| (*table, owner.range())).collect() }
    }

    /// Adds the removal of the next rows to a batch. Answers whether these are the last.
    pub(in super::super) fn step(&mut self, view: &dyn View, batch: &mut Batch) -> Result<bool, StoreError> {
        let mut left = MAX_AT_ONCE;
        while let Some((table, range)) = self.rest.last_mut() {
            let mut last = None;
            view.scan(*table, range, &mut |key, _| {
                if left == 0 {
                    return ControlFlow::Break(());
                }
                left -= 1;
                batch.delete(*table, key.to_vec());
                last = Some(key.to_vec());
                ControlFlow::Continue(())
            })?;
            if left == 0 {
                if let Some(last) = last {
                    *range = range.clone().after(last);
                }
                return Ok(false);
            }
            self.rest.pop();
        }
        batch.delete(Table::Dropped, keys::dropped(self.owner));
        Ok(true)
    }
}

impl Draft<'_> {
    /// Begins to remove all rows of a queue or table. Answers what is left for later batches, if anything.
    pub(super) fn drop_rows(&mut self, owner: Owner) -> Result<Option<Dropping>, StoreError> {
        let mut dropping = Dropping::of(owner);
        if dropping.step(self.view, &mut self.outbox.batch)? {
            return Ok(None);
        }
        self.batch().put(Table::Dropped, keys::dropped(owner), Vec::new());
        Ok(Some(dropping))
    }
}

impl Shared {
    /// Removes what is left. What fails here or is given up is done by the next opening.
    pub(super) async fn finish_dropping(self: &Arc<Shared>, dropping: Option<Dropping>) {
        let Some(mut dropping) = dropping else { return };
        loop {
            let step = rows::read(&*self.rows, |view| {
                let mut batch = Batch::default();
                Ok((dropping.step(view, &mut batch)?, batch))
            });
            let written = match step {
                Ok((is_last, batch)) => {
                    let (caller, answer) = Answer::channel();
                    self.rows.write(batch, Box::new(move |written| caller.give(written.map(|()| is_last))));
                    answer.wait().await
                }
                Err(error) => Err(error),
            };
            match written {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => {
                    tracing::warn!(?dropping, %error, "rows of what was deleted stay until the store is opened again");
                    return;
                }
            }
        }
    }
}
