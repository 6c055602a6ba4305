//! What a batch says to other instances: messages into inboxes, new instances, and the farewell of those that it removes.

use super::Shared;
use super::records::{delete_instance, put_message, put_new, read_row};
use crate::dispatch::Delivery;
use crate::rows::{Batch, View};
use orchestration::{
    Envelope, InstanceId, InstanceRow, Message, NewInstance, Origin, RuntimeStatus, Timestamp, farewell,
};
use ports::StoreError;

/// A batch in the making, and the messages to hand out once it is durable.
pub(super) struct Outbox<'a> {
    shared: &'a Shared,
    pub(super) view: &'a dyn View,
    pub(super) batch: Batch,
    pub(super) deliveries: Vec<Delivery>,
    now: Timestamp,
}

impl<'a> Outbox<'a> {
    pub(super) fn new(shared: &'a Shared, view: &'a dyn View) -> Outbox<'a> {
        let now = shared.clock.now();
        Outbox { shared, view, batch: Batch::default(), deliveries: Vec::new(), now }
    }

    /// Creates an instance. Whatever is there of an older one of its id is removed first.
    pub(super) fn create(&mut self, new: NewInstance) {
        let delivery = put_new(&mut self.batch, new, self.shared.next_sequence(), self.now);
        self.deliveries.push(delivery);
    }

    /// Whether anything is pending of an instance.
    pub(super) fn knows(&self, id: &InstanceId) -> bool {
        self.shared.with(|state| state.dispatch.knows(id))
    }

    /// Removes all of an instance, which says farewell if it was at work.
    pub(super) fn remove(&mut self, id: &InstanceId, row: Option<&InstanceRow>) -> Result<(), StoreError> {
        delete_instance(self.view, &mut self.batch, id, row)?;
        for envelope in row.map(farewell).unwrap_or_default() {
            // Whoever waits for itself waits no more.
            if envelope.to != *id {
                self.send(id, envelope, None)?;
            }
        }
        Ok(())
    }

    /// Puts a message into the inbox of its receiver, if there is one that takes it. `status` is the receiver's as the batch
    /// leaves it, where that differs from what is stored.
    pub(super) fn send(
        &mut self,
        from: &InstanceId,
        envelope: Envelope,
        status: Option<RuntimeStatus>,
    ) -> Result<(), StoreError> {
        let status = match status {
            Some(status) => Some(status),
            None => self.shared.status(self.view, &envelope.to)?,
        };
        if takes(&envelope, status) {
            self.put(envelope);
        } else {
            tracing::debug!(
                %from, to = %envelope.to, message = envelope.kind.name(),
                "message dropped: its receiver does not exist or has ended"
            );
        }
        Ok(())
    }

    /// Puts a message into the inbox of its receiver, whether that is there or not.
    pub(super) fn put(&mut self, envelope: Envelope) {
        let delivery = put_envelope(&mut self.batch, envelope, self.shared.next_sequence(), self.now);
        self.deliveries.push(delivery);
    }
}

/// Writes a message into the inbox of its receiver.
pub(super) fn put_envelope(batch: &mut Batch, envelope: Envelope, sequence: u64, now: Timestamp) -> Delivery {
    let Envelope { to, execution, kind, deliver_at } = envelope;
    let message = Message { origin: Origin::Inbox(sequence), execution, kind };
    put_message(batch, Delivery { to, message, not_before: deliver_at }, now)
}

/// Whether a receiver takes a message. An entity needs no row for that.
pub(super) fn takes(envelope: &Envelope, receiver: Option<RuntimeStatus>) -> bool {
    envelope.to.is_entity() || receiver.is_some_and(|status| envelope.is_for(status))
}

impl Shared {
    /// The status of an instance, if there is one of that id. Of entities nobody needs to know.
    fn status(&self, view: &dyn View, id: &InstanceId) -> Result<Option<RuntimeStatus>, StoreError> {
        match self.cached_status(id) {
            None if !id.is_entity() => Ok(read_row(view, id)?.map(|row| row.status)),
            known => Ok(known),
        }
    }

    /// The status of an instance that is being worked on.
    pub(super) fn cached_status(&self, id: &InstanceId) -> Option<RuntimeStatus> {
        self.with(|state| state.dispatch.row(id)).map(|row| row.status)
    }
}
