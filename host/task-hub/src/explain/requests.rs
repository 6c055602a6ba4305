//! What an execution asked for according to its history, and how it was answered.

use super::LastFailure;
use orchestration::{Event, EventId, EventKind, Failure, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// One request.
pub(super) struct Asked<'a> {
    /// When it was made.
    pub(super) at: Timestamp,
    /// Which try of its call it is, counted from 1.
    pub(super) attempt: u32,
    /// The event that records it.
    pub(super) kind: &'a EventKind,
}

/// All requests of one execution that can be answered.
#[derive(Default)]
pub(super) struct Requests<'a> {
    asked: BTreeMap<EventId, Asked<'a>>,
    answered: BTreeSet<EventId>,
    /// When the last failure came, and to which request.
    failed: Option<(Timestamp, EventId, &'a Failure)>,
    /// How often each call was tried, by its first request.
    tries: BTreeMap<EventId, u32>,
}

impl<'a> Requests<'a> {
    /// Of the events of one execution.
    pub(super) fn of(history: &'a [Event]) -> Requests<'a> {
        let mut requests = Requests::default();
        for event in history {
            requests.add(event);
        }
        requests
    }

    /// Those without an answer, in order.
    pub(super) fn open(&self) -> impl Iterator<Item = (EventId, &Asked<'a>)> {
        self.asked.iter().filter(|(id, _)| !self.answered.contains(id)).map(|(id, asked)| (*id, asked))
    }

    /// What a call asks for, by its first request, and how often it was tried.
    pub(super) fn tried(&self, first: EventId) -> Option<(&'a str, u32)> {
        Some((name(self.asked.get(&first)?.kind)?, *self.tries.get(&first)?))
    }

    /// The last answer that was a failure.
    pub(super) fn last_failure(&self) -> Option<LastFailure> {
        let (at, id, failure) = self.failed?;
        let name = self.asked.get(&id).and_then(|asked| name(asked.kind)).unwrap_or_default();
        Some(LastFailure { at, name: name.to_owned(), failure: failure.clone() })
    }

    fn add(&mut self, event: &'a Event) {
        if let Some((id, _)) = event.kind.answers() {
            self.answered.insert(id);
            if let Some(failure) = failure(&event.kind) {
                self.failed = Some((event.at, id, failure));
            }
        }
        if let EventKind::ExecutionRewound { .. } = event.kind {
            // Every call has all its tries again.
            self.tries.values_mut().for_each(|tries| *tries = 1);
        }
        let Some((id, first)) = asks(&event.kind) else { return };
        let tries = self.tries.entry(first).or_insert(0);
        *tries += 1;
        self.asked.insert(id, Asked { at: event.at, attempt: *tries, kind: &event.kind });
    }
}

/// The number of a request that waits for an answer, and the request that its call began with.
fn asks(kind: &EventKind) -> Option<(EventId, EventId)> {
    if let EventKind::TaskScheduled { id, retry_of, .. }
    | EventKind::SubOrchestrationInstanceCreated { id, retry_of, detached: false, .. } = kind
    {
        return Some((*id, retry_of.unwrap_or(*id)));
    }
    if let EventKind::TimerCreated { id, .. }
    | EventKind::EntityOperationCalled { id, .. }
    | EventKind::EntityLockRequested { id, .. } = kind
    {
        return Some((*id, *id));
    }
    None
}

fn name(kind: &EventKind) -> Option<&str> {
    if let EventKind::TaskScheduled { name, .. } | EventKind::SubOrchestrationInstanceCreated { name, .. } = kind {
        return Some(name);
    }
    let EventKind::EntityOperationCalled { entity, .. } = kind else { return None };
    Some(entity.name())
}

fn failure(kind: &EventKind) -> Option<&Failure> {
    let (EventKind::TaskFailed { failure, .. }
    | EventKind::SubOrchestrationInstanceFailed { failure, .. }
    | EventKind::EntityOperationFailed { failure, .. }) = kind
    else {
        return None;
    };
    Some(failure)
}
