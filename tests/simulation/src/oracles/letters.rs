//! What is on its way: an inbox hands out what was sent, each message once, and none before its time.

use super::Oracle;
use orchestration::{Envelope, InstanceId, Message, MessageKind, NewInstance, Origin, Timestamp};
use std::collections::BTreeMap;

/// One message on its way.
struct Letter {
    kind: MessageKind,
    not_before: Timestamp,
    /// Its place in the inbox, once it was seen there.
    place: Option<u64>,
}

/// All that was sent and not consumed.
#[derive(Default)]
pub(super) struct Letters {
    by_receiver: BTreeMap<InstanceId, Vec<Letter>>,
}

impl Letters {
    /// A message is in the inbox of its receiver.
    pub(super) fn send(&mut self, envelope: &Envelope, now: Timestamp) {
        self.put(&envelope.to, envelope.kind.clone(), envelope.deliver_at.unwrap_or(now));
    }

    /// An instance is created with the message that starts it.
    pub(super) fn start(&mut self, new: &NewInstance, now: Timestamp) {
        let kind = MessageKind::ExecutionStarted { started: Box::new(new.started.clone()), carried_over: Vec::new() };
        self.put(&new.id, kind, new.started.options.start_at.unwrap_or(now));
    }

    fn put(&mut self, to: &InstanceId, kind: MessageKind, not_before: Timestamp) {
        self.by_receiver.entry(to.clone()).or_default().push(Letter { kind, not_before, place: None });
    }

    /// A message is handed out.
    pub(super) fn arrive(
        &mut self,
        to: &InstanceId,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), (Oracle, String)> {
        let Origin::Inbox(place) = message.origin else { return Ok(()) };
        let letters = self.by_receiver.entry(to.clone()).or_default();
        let known = letters.iter().position(|letter| letter.place == Some(place) && letter.kind == message.kind);
        let new = || letters.iter().position(|letter| letter.place.is_none() && letter.kind == message.kind);
        let Some(found) = known.or_else(new) else {
            return Err((Oracle::Messages, format!("{to} was handed something that nobody sent: {message:?}")));
        };
        let letter = &mut letters[found];
        letter.place = Some(place);
        if now < letter.not_before {
            let detail = format!("{to} was handed {message:?} before {:?}", letter.not_before);
            return Err((Oracle::Messages, detail));
        }
        Ok(())
    }

    /// Messages are done with.
    pub(super) fn consume(&mut self, to: &InstanceId, origins: &[Origin]) {
        if let Some(letters) = self.by_receiver.get_mut(to) {
            letters.retain(|letter| letter.place.is_none_or(|place| !origins.contains(&Origin::Inbox(place))));
        }
    }

    /// An instance is gone with its inbox.
    pub(super) fn forget(&mut self, to: &InstanceId) {
        self.by_receiver.remove(to);
    }
}
