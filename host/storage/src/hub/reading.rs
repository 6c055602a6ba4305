//! What clients call: [`InstanceStore`], with the reads of single instances.

use super::pins;
use super::records::{corrupt, read_row};
use super::{Shared, TaskHub};
use crate::codec;
use crate::keys;
use crate::rows::{self, KeyRange, Table, View};
use async_trait::async_trait;
use futures::future::BoxFuture;
use orchestration::{Envelope, Event, ExecutionId, InstanceId, InstanceRow, NewInstance};
use ports::{AppPins, Created, InstanceQuery, InstanceStore, InstanceView, Page, Pending, Purge, Sent, StoreError};
use std::ops::ControlFlow;

#[async_trait]
impl InstanceStore for TaskHub {
    async fn create(&self, instance: NewInstance) -> Result<Created, StoreError> {
        self.shared.create(instance).await
    }

    async fn send(&self, envelope: Envelope) -> Result<Sent, StoreError> {
        self.shared.send(envelope).await
    }

    async fn read(&self, id: &InstanceId, with_input: bool) -> Result<Option<InstanceView>, StoreError> {
        rows::read(&*self.shared.rows, |view| {
            read_row(view, id)?.map(|row| with_payloads(view, row, with_input)).transpose()
        })
    }

    async fn history(&self, id: &InstanceId, execution: ExecutionId) -> Result<Vec<Event>, StoreError> {
        self.shared.history(id, execution)
    }

    async fn query(&self, query: &InstanceQuery) -> Result<Page, StoreError> {
        self.shared.query(query)
    }

    async fn pending(&self, id: &InstanceId) -> Result<Option<Pending>, StoreError> {
        self.shared.pending(id)
    }

    async fn pinned_apps(&self) -> Result<Vec<String>, StoreError> {
        rows::read(&*self.shared.rows, pins::pinned_apps)
    }

    async fn pins(&self) -> Result<Vec<AppPins>, StoreError> {
        rows::read(&*self.shared.rows, pins::pins)
    }

    async fn purge(&self, id: &InstanceId, purge: Purge) -> Result<bool, StoreError> {
        self.shared.purge(id, purge).await
    }

    fn changed(&self, id: &InstanceId) -> BoxFuture<'static, ()> {
        self.shared.watchers.watch(id)
    }
}

/// Adds to a row what was asked for with it.
pub(super) fn with_payloads(view: &dyn View, row: InstanceRow, with_input: bool) -> Result<InstanceView, StoreError> {
    if !with_input {
        return Ok(InstanceView { row, input: None });
    }
    let key = keys::execution(&row.id, row.execution);
    let value = view.get(Table::Inputs, &key)?;
    let input = value.map(|value| codec::decode_input(&value)).transpose();
    Ok(InstanceView { row, input: input.map_err(|why| corrupt(Table::Inputs, &key, &why))? })
}

impl Shared {
    /// An entity that something waits for is there, be it without a row.
    fn pending(&self, id: &InstanceId) -> Result<Option<Pending>, StoreError> {
        let execution = match self.stored_row(id)? {
            Some(row) => row.execution,
            None if id.is_entity() && self.with(|state| state.dispatch.knows(id)) => ExecutionId::ENTITY,
            None => return Ok(None),
        };
        Ok(Some(self.with(|state| state.dispatch.pending(id, execution))))
    }

    fn history(&self, id: &InstanceId, execution: ExecutionId) -> Result<Vec<Event>, StoreError> {
        let range = KeyRange::prefix(keys::execution(id, execution));
        rows::read(&*self.rows, |view| {
            let mut events = Vec::new();
            let mut broken = None;
            view.scan(Table::History, &range, &mut |key, value| match codec::decode_turn(value) {
                Ok(turn) => {
                    events.extend(turn);
                    ControlFlow::Continue(())
                }
                Err(why) => {
                    broken = Some(corrupt(Table::History, key, &why));
                    ControlFlow::Break(())
                }
            })?;
            broken.map_or(Ok(events), Err)
        })
    }
}
