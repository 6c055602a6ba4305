//! Messages from outside into the inbox of an instance.

use super::claims::Held;
use super::outbox::{put_envelope, takes};
use super::records::read_row;
use super::{Answer, Shared};
use crate::rows::{self, Batch};
use orchestration::Envelope;
use ports::{Sent, StoreError};
use std::sync::Arc;

impl Shared {
    pub(super) async fn send(self: &Arc<Shared>, envelope: Envelope) -> Result<Sent, StoreError> {
        let held = self.claim(&envelope.to).await;
        match self.receives(&envelope)? {
            Sent::Yes => self.put(envelope, held).wait().await,
            refused @ (Sent::NoInstance | Sent::Ended) => Ok(refused),
        }
    }

    /// Whether the receiver can take messages.
    fn receives(&self, envelope: &Envelope) -> Result<Sent, StoreError> {
        let status = match self.cached_status(&envelope.to) {
            None if !envelope.to.is_entity() => {
                rows::read(&*self.rows, |view| read_row(view, &envelope.to))?.map(|row| row.status)
            }
            known => known,
        };
        Ok(match status {
            status if takes(envelope, status) => Sent::Yes,
            None => Sent::NoInstance,
            Some(_) => Sent::Ended,
        })
    }

    fn put(self: &Arc<Shared>, envelope: Envelope, held: Held) -> Answer<Sent> {
        let mut batch = Batch::default();
        let delivery = put_envelope(&mut batch, envelope, self.next_sequence(), self.clock.now());
        let (answer, waiting) = Answer::channel();
        let shared = Arc::clone(self);
        let done = move |written: Result<(), StoreError>| {
            if written.is_ok() {
                shared.with(|state| state.dispatch.deliver(delivery));
            }
            drop(held);
            answer.give(written.map(|()| Sent::Yes));
        };
        self.rows.write(batch, Box::new(done));
        waiting
    }
}
