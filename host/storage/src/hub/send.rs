//! Messages from outside into the inbox of an instance.

use super::claims::Held;
use super::records::{put_message, read_row};
use super::{Answer, Shared};
use crate::rows::{self, Batch};
use orchestration::{Envelope, Message, Origin};
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
    pub(super) fn receives(&self, envelope: &Envelope) -> Result<Sent, StoreError> {
        let row = match self.with(|state| state.dispatch.row(&envelope.to)) {
            Some(row) => Some(row),
            None => rows::read(&*self.rows, |view| read_row(view, &envelope.to))?.map(Arc::new),
        };
        Ok(match row {
            None => Sent::NoInstance,
            Some(row) if row.status.is_terminal() => Sent::Ended,
            Some(_) => Sent::Yes,
        })
    }

    fn put(self: &Arc<Shared>, envelope: Envelope, held: Held) -> Answer<Sent> {
        let Envelope { to, execution, kind } = envelope;
        let sequence = self.next_sequence();
        let message = Message { origin: Origin::Inbox(sequence), execution, kind };
        let mut batch = Batch::default();
        put_message(&mut batch, &to, sequence, &message);
        let (answer, waiting) = Answer::channel();
        let shared = Arc::clone(self);
        let done = move |written: Result<(), StoreError>| {
            if written.is_ok() {
                shared.with(|state| state.dispatch.deliver(&to, message));
            }
            drop(held);
            answer.give(written.map(|()| Sent::Yes));
        };
        self.rows.write(batch, Box::new(done));
        waiting
    }
}
