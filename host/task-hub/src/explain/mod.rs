//! Why an instance stands where it stands: what it waits for, since when, what went wrong last, what comes next.
//!
//! Plain data for people and programs; how it is written is the management API's part. It is put together of the row, the
//! history, what the store holds for the instance, and what is known of it in this process. Those four are read one after
//! the other, so that an instance which goes on meanwhile may be shown between two states.

mod requests;

use crate::{Inner, Progress, TaskHub};
use orchestration::{EntityId, Event, EventId, EventKind, Failure, InstanceId, InstanceRow, RuntimeStatus, Timestamp};
use ports::{ClientError, Pending, StoreError};
use requests::{Asked, Requests};

/// One instance, explained.
#[derive(Clone, PartialEq, Debug)]
pub struct Explanation {
    /// The instance as of its last commit: status, times, failure, the app that it is pinned to.
    pub row: InstanceRow,
    /// Why its code does not run although it has not ended; none: it does, whenever what it waits for is there.
    pub hold: Option<Hold>,
    /// What it waits for according to its history, in the order in which it was asked for. What the code has given up
    /// without stopping it is among it. Empty once it has ended.
    pub waits: Vec<Wait>,
    /// The external events that it waits for, which no history records.
    pub awaited_events: AwaitedEvents,
    /// When its last turn was committed: since then it waits.
    pub waits_since: Timestamp,
    /// The last failure that it was answered with.
    pub last_failure: Option<LastFailure>,
    /// The retry that comes first.
    pub next_retry: Option<NextRetry>,
    /// Whether its code is kept in memory; otherwise its history is replayed at its next turn.
    pub is_live: bool,
    /// Whether a worker runs a turn of it now.
    pub in_turn: bool,
    /// Events in its history.
    pub history_events: u64,
    /// Roughly what they take, in bytes.
    pub history_bytes: u64,
    /// Why the history cannot be read; none: it can.
    pub history_problem: Option<String>,
    /// Messages that it has not consumed.
    pub pending_messages: usize,
    /// Messages that are to be handed out later, by moment.
    pub scheduled_messages: Vec<Timestamp>,
    /// How often its present turn was tried in vain.
    pub failed_turn_attempts: u32,
    /// The orchestration that has locked it, if it is an entity.
    pub locked_by: Option<InstanceId>,
}

/// Why code does not run.
#[derive(Clone, PartialEq, Debug)]
pub enum Hold {
    /// It starts later.
    ScheduledStart {
        /// Not before this moment.
        at: Timestamp,
    },
    /// The app that runs has another version.
    Version {
        /// Which, and which the instance has.
        mismatch: Failure,
    },
    /// It was created and its first turn is still to come.
    NoTurnYet,
    /// Somebody holds it.
    Suspended {
        /// Since when; none if the history cannot be read.
        since: Option<Timestamp>,
        /// Why.
        reason: String,
    },
}

/// One thing that an instance waits for.
#[derive(Clone, PartialEq, Debug)]
pub enum Wait {
    /// An activity.
    Activity {
        /// The request.
        id: EventId,
        /// The activity.
        name: String,
        /// Which try this is, counted from 1.
        attempt: u32,
        /// When it was asked for.
        since: Timestamp,
        /// How far it is.
        state: ActivityState,
    },
    /// A timer.
    Timer {
        /// The request.
        id: EventId,
        /// When it is due.
        due: Timestamp,
        /// When it was set.
        since: Timestamp,
    },
    /// The pause before a failed activity or child is tried again.
    Retry {
        /// The request for the pause.
        id: EventId,
        /// What is tried again.
        name: String,
        /// Which try comes next, counted from 1.
        attempt: u32,
        /// When.
        due: Timestamp,
        /// When the pause began.
        since: Timestamp,
    },
    /// A child.
    SubOrchestration {
        /// The request.
        id: EventId,
        /// Its orchestrator.
        name: String,
        /// Its id.
        instance: InstanceId,
        /// Which try this is, counted from 1.
        attempt: u32,
        /// When it was asked for.
        since: Timestamp,
    },
    /// An entity that was called.
    Entity {
        /// The request.
        id: EventId,
        /// Which.
        entity: EntityId,
        /// What it is asked to do.
        operation: String,
        /// When it was asked.
        since: Timestamp,
    },
    /// A critical section.
    Lock {
        /// The request.
        id: EventId,
        /// Its entities, in the order in which they are locked.
        entities: Vec<EntityId>,
        /// When it was asked for.
        since: Timestamp,
    },
}

/// How far an activity is.
#[derive(Clone, PartialEq, Debug)]
pub enum ActivityState {
    /// It waits for a worker.
    Queued,
    /// A worker runs it; its progress is known if the worker is in this process.
    Running(Option<Progress>),
    /// It has ended, and its result waits for the instance's next turn.
    Answered,
}

/// The external events that code waits for. Only the code itself knows, as it stands in memory.
#[derive(Clone, PartialEq, Debug)]
pub enum AwaitedEvents {
    /// Their names, sorted; a name stands here once for each time that it is waited for.
    Known(Vec<String>),
    /// The code is not in memory. It may wait for something outside its history, such as an external event; if
    /// [`Explanation::waits`] is empty and no message is pending, it does.
    Unknown,
}

/// A failure that an instance was answered with.
#[derive(Clone, PartialEq, Debug)]
pub struct LastFailure {
    /// When.
    pub at: Timestamp,
    /// What failed: an activity, an orchestrator, an entity.
    pub name: String,
    /// Why.
    pub failure: Failure,
}

/// What is tried again.
#[derive(Clone, PartialEq, Debug)]
pub struct NextRetry {
    /// What.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// Which try that is, counted from 1.
    pub attempt: u32,
}

impl TaskHub {
    /// Explains an instance, or an entity.
    ///
    /// # Errors
    /// When there is none of that id.
    pub async fn explain(&self, id: &str) -> Result<Explanation, ClientError> {
        self.inner.explain(id).await
    }
}

impl Inner {
    async fn explain(&self, id: &str) -> Result<Explanation, ClientError> {
        let instance = InstanceId::from_stored(id);
        let Some(view) = self.parts.store.read(&instance, false).await? else {
            return Err(ClientError::NotFound(id.to_owned()));
        };
        let row = view.row;
        let (history, history_problem) = match self.parts.store.history(&row.id, row.execution).await {
            Ok(history) => (history, None),
            Err(corrupt @ StoreError::Corrupt { .. }) => (Vec::new(), Some(corrupt.to_string())),
            Err(error) => return Err(error.into()),
        };
        let pending = self.parts.store.pending(&row.id).await?.unwrap_or_default();
        let requests = Requests::of(&history);
        let waits = if row.status.is_terminal() { Vec::new() } else { self.waits(&row, &requests, &pending) };
        let awaited = self.live.look(&row, orchestration::Cursor::awaited_events);
        Ok(Explanation {
            hold: self.hold(&row, &history),
            next_retry: next_retry(&waits),
            waits,
            is_live: awaited.is_some(),
            awaited_events: awaited_events(&row, awaited),
            waits_since: row.updated_at,
            last_failure: requests.last_failure(),
            in_turn: pending.leased,
            history_events: history.len() as u64,
            history_bytes: history.iter().map(|event| event.kind.bytes()).sum(),
            history_problem,
            pending_messages: pending.messages,
            scheduled_messages: pending.scheduled,
            failed_turn_attempts: pending.failed_attempts,
            locked_by: row.entity.as_ref().and_then(|entity| Some(entity.lock.as_ref()?.owner.clone())),
            row,
        })
    }

    fn hold(&self, row: &InstanceRow, history: &[Event]) -> Option<Hold> {
        if row.entity.is_some() || row.status.is_terminal() {
            return None;
        }
        if row.status == RuntimeStatus::Suspended {
            return Some(suspended(history));
        }
        let is_pending = row.status == RuntimeStatus::Pending;
        match row.options.start_at {
            Some(at) if is_pending && at > self.parts.clock.now() => return Some(Hold::ScheduledStart { at }),
            Some(_) | None => {}
        }
        match self.version_gate(row) {
            Err(mismatch) => Some(Hold::Version { mismatch }),
            Ok(()) => is_pending.then_some(Hold::NoTurnYet),
        }
    }

    fn waits(&self, row: &InstanceRow, requests: &Requests<'_>, pending: &Pending) -> Vec<Wait> {
        let open = requests.open().filter_map(|(id, asked)| {
            if let EventKind::TaskScheduled { name, .. } = asked.kind {
                let (name, attempt, since) = (name.clone(), asked.attempt, asked.at);
                return Some(Wait::Activity { id, name, attempt, since, state: self.activity_state(row, id, pending) });
            }
            if let EventKind::TimerCreated { fire_at, retry_of, .. } = asked.kind {
                // One that the store does not know was taken back, or is about to fire.
                let is_set = pending.timers.iter().any(|(timer, _)| *timer == id);
                let retried = retry_of.and_then(|first| requests.tried(first));
                return is_set.then(|| timer(id, asked.at, *fire_at, retried));
            }
            elsewhere(id, asked)
        });
        open.collect()
    }

    fn activity_state(&self, row: &InstanceRow, id: EventId, pending: &Pending) -> ActivityState {
        match pending.activities.iter().find(|activity| activity.id == id) {
            None => ActivityState::Answered,
            Some(activity) if activity.running => ActivityState::Running(self.running.progress((row.execution, id))),
            Some(_) => ActivityState::Queued,
        }
    }
}

fn timer(id: EventId, since: Timestamp, due: Timestamp, retried: Option<(&str, u32)>) -> Wait {
    match retried {
        Some((name, tries)) => Wait::Retry { id, name: name.to_owned(), attempt: tries + 1, due, since },
        None => Wait::Timer { id, due, since },
    }
}

/// What another instance has to answer.
fn elsewhere(id: EventId, asked: &Asked<'_>) -> Option<Wait> {
    let Asked { at: since, attempt, kind } = *asked;
    if let EventKind::SubOrchestrationInstanceCreated { name, instance_id, .. } = kind {
        let (name, instance) = (name.clone(), instance_id.clone());
        return Some(Wait::SubOrchestration { id, name, instance, attempt, since });
    }
    if let EventKind::EntityOperationCalled { entity, operation, .. } = kind {
        return Some(Wait::Entity { id, entity: entity.clone(), operation: operation.clone(), since });
    }
    let EventKind::EntityLockRequested { entities, .. } = kind else { return None };
    Some(Wait::Lock { id, entities: entities.clone(), since })
}

fn suspended(history: &[Event]) -> Hold {
    let last = history.iter().rev().find_map(|event| {
        let EventKind::ExecutionSuspended { reason } = &event.kind else { return None };
        Some((event.at, reason.clone()))
    });
    let (since, reason) = last.unzip();
    Hold::Suspended { since, reason: reason.unwrap_or_default() }
}

/// Code that has not begun or has ended waits for no event.
fn awaited_events(row: &InstanceRow, live: Option<Vec<String>>) -> AwaitedEvents {
    let has_no_code = row.entity.is_some() || row.status.is_terminal() || row.turns == 0;
    match live {
        Some(names) => AwaitedEvents::Known(names),
        None if has_no_code => AwaitedEvents::Known(Vec::new()),
        None => AwaitedEvents::Unknown,
    }
}

fn next_retry(waits: &[Wait]) -> Option<NextRetry> {
    let retries = waits.iter().filter_map(|wait| match wait {
        Wait::Retry { name, attempt, due, .. } => Some(NextRetry { name: name.clone(), at: *due, attempt: *attempt }),
        Wait::Activity { .. }
        | Wait::Timer { .. }
        | Wait::SubOrchestration { .. }
        | Wait::Entity { .. }
        | Wait::Lock { .. } => None,
    });
    retries.min_by_key(|retry| retry.at)
}
