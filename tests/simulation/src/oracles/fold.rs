//! What a list of events adds up to, if it is a history at all: the rules written a second time, apart from the core's own.

use super::{Oracle, Violation};
use orchestration::{
    Awaited, Event, EventId, EventKind, ExecutionStarted, Failure, InstanceRow, Json, Parent, RuntimeStatus, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// A request without an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Open {
    Activity,
    Child,
    Timer(Timestamp),
    Entity,
    Lock,
}

/// The sum of a history.
#[derive(Debug, Default)]
pub(super) struct Fold {
    started: Option<ExecutionStarted>,
    ended: Option<(RuntimeStatus, Option<Json>, Option<Failure>)>,
    pub(super) open: BTreeMap<EventId, Open>,
    /// The ids of all events that were accepted, in this execution or before.
    pub(super) accepted: BTreeSet<String>,
    /// Whether events follow that an earlier execution left over.
    carrying: bool,
    suspended: bool,
    /// Whether anything in this turn came that code may see.
    moved: bool,
    actions: u32,
    turns: u32,
    events: u64,
    in_turn: bool,
    first_at: Option<Timestamp>,
    last_at: Timestamp,
}

/// Adds up a history.
pub(super) fn fold(events: &[Event]) -> Result<Fold, Violation> {
    let mut fold = Fold::default();
    for (place, event) in events.iter().enumerate() {
        fold.add(event).map_err(|(oracle, why)| Violation {
            oracle,
            detail: format!(
                "event {place}, {}: {why}\n{}",
                event.kind.name(),
                orchestration::transcript::transcript(events)
            ),
        })?;
    }
    if fold.in_turn {
        let detail = "the history ends within a turn".to_owned();
        return Err(Violation { oracle: Oracle::History, detail });
    }
    Ok(fold)
}

type Wrong = (Oracle, &'static str);

impl Fold {
    fn add(&mut self, event: &Event) -> Result<(), Wrong> {
        let illegal = |why| Err((Oracle::History, why));
        if event.at < self.last_at {
            return illegal("it is earlier than the one before it");
        }
        self.first_at.get_or_insert(event.at);
        self.last_at = event.at;
        self.events += 1;
        let begins_turn = matches!(event.kind, EventKind::OrchestratorStarted);
        if begins_turn == self.in_turn {
            return illegal("turns are not nested, and nothing is outside of them");
        }
        if self.ended.is_some() && !matches!(event.kind, EventKind::OrchestratorCompleted) {
            return illegal("the execution has ended");
        }
        let is_start = matches!(event.kind, EventKind::ExecutionStarted(_));
        if is_start && self.started.is_some() {
            return illegal("an execution starts once");
        }
        let is_action = event.kind.action_id().is_some();
        if self.started.is_none() && (is_action || event.kind.answers().is_some()) {
            return illegal("nothing is asked for and nothing answered before the start");
        }
        let by_code = matches!(&event.kind, EventKind::ExecutionCompleted { status, .. }
            if *status != RuntimeStatus::Terminated);
        if (is_action || by_code) && !self.moved {
            return Err((Oracle::Suspension, "code has run while it was held, or on nothing"));
        }
        self.apply(event)
    }

    fn apply(&mut self, event: &Event) -> Result<(), Wrong> {
        self.moved |= !self.suspended && moves(&event.kind);
        self.carrying = matches!(event.kind, EventKind::ExecutionStarted(_))
            || self.carrying && matches!(event.kind, EventKind::EventRaised(_));
        match &event.kind {
            EventKind::OrchestratorStarted => (self.in_turn, self.moved) = (true, false),
            EventKind::OrchestratorCompleted => {
                self.in_turn = false;
                self.turns += 1;
            }
            EventKind::ExecutionStarted(started) => {
                self.started = Some(ExecutionStarted::clone(started));
                self.accepted.extend(started.accepted_events.iter().cloned());
            }
            EventKind::ExecutionCompleted { status, output, failure } => {
                self.ended = Some((*status, output.clone(), failure.clone()));
            }
            EventKind::ExecutionSuspended { .. } => self.suspended = true,
            EventKind::ExecutionResumed { .. } => {
                self.suspended = false;
                self.moved = true;
            }
            EventKind::EventRaised(raised) => {
                // What the last execution left over was accepted there, and comes right behind the start.
                if raised.id.as_ref().is_some_and(|id| !self.accepted.insert(id.clone()) && !self.carrying) {
                    return Err((Oracle::Events, "an event of this id was accepted before"));
                }
            }
            EventKind::TaskScheduled { id, .. } => self.ask(*id, Some(Open::Activity))?,
            EventKind::SubOrchestrationInstanceCreated { id, detached, .. } => {
                self.ask(*id, (!detached).then_some(Open::Child))?;
            }
            EventKind::TimerCreated { id, fire_at, .. } => self.ask(*id, Some(Open::Timer(*fire_at)))?,
            EventKind::EntityOperationCalled { id, .. } => self.ask(*id, Some(Open::Entity))?,
            EventKind::EntityLockRequested { id, .. } => self.ask(*id, Some(Open::Lock))?,
            EventKind::EventSent { id, .. }
            | EventKind::EntityOperationSignaled { id, .. }
            | EventKind::EntityUnlockSent { id, .. } => self.ask(*id, None)?,
            EventKind::TaskCompleted { .. }
            | EventKind::TaskFailed { .. }
            | EventKind::SubOrchestrationInstanceCompleted { .. }
            | EventKind::SubOrchestrationInstanceFailed { .. }
            | EventKind::EntityOperationCompleted { .. }
            | EventKind::EntityOperationFailed { .. }
            | EventKind::EntityLockGranted { .. }
            | EventKind::TimerFired { .. } => self.answer(event)?,
            EventKind::ExecutionRewound { .. } | EventKind::ExecutionTerminated { .. } => {}
        }
        Ok(())
    }

    fn answer(&mut self, event: &Event) -> Result<(), Wrong> {
        let Some((id, awaited)) = event.kind.answers() else { return Ok(()) };
        let fits = |open: Open| match open {
            Open::Activity => awaited == Awaited::Activity,
            Open::Child => awaited == Awaited::SubOrchestration,
            Open::Timer(_) => awaited == Awaited::Timer,
            Open::Entity => awaited == Awaited::Entity,
            Open::Lock => awaited == Awaited::Lock,
        };
        match self.open.remove(&id).filter(|open| fits(*open)) {
            Some(Open::Timer(fire_at)) if event.at < fire_at => Err((Oracle::Timers, "it fired before its time")),
            Some(_) => Ok(()),
            None => Err((Oracle::History, "it answers no open request of its kind")),
        }
    }

    /// What nobody answers is not open.
    fn ask(&mut self, id: EventId, open: Option<Open>) -> Result<(), Wrong> {
        if id.0 != self.actions {
            return Err((Oracle::History, "its number does not follow the last one"));
        }
        self.actions += 1;
        if let Some(open) = open {
            self.open.insert(id, open);
        }
        Ok(())
    }

    /// The first thing in which the row differs from the history.
    pub(super) fn differs_from(&self, row: &InstanceRow) -> Option<String> {
        let (status, output, failure) = match (&self.ended, &self.started) {
            (Some((status, output, failure)), _) => (*status, output.clone(), failure.clone()),
            (None, _) if self.suspended => (RuntimeStatus::Suspended, None, None),
            (None, Some(_)) => (RuntimeStatus::Running, None, None),
            (None, None) => (RuntimeStatus::Pending, None, None),
        };
        let is_as_started = |is_as: &dyn Fn(&ExecutionStarted) -> bool| self.started.as_ref().is_none_or(is_as);
        // A parent that was rewound waits under the name of its new execution.
        let child_of = |parent: &Option<Parent>| parent.as_ref().map(|it| (it.instance.clone(), it.scheduled));
        let completed_at = self.ended.is_some().then_some(self.last_at);
        let checks = [
            ("name", is_as_started(&|started| row.name == started.name)),
            ("execution", is_as_started(&|started| row.execution == started.execution)),
            ("app", is_as_started(&|started| row.pinned_to == started.pinned_to)),
            ("parent", is_as_started(&|started| child_of(&row.parent) == child_of(&started.parent))),
            ("status", row.status == status),
            ("output", row.output == output),
            ("failure", row.failure == failure),
            ("turns", row.turns == self.turns),
            ("events", row.events == self.events),
            ("creation", Some(row.created_at) <= self.first_at),
            ("update", row.updated_at >= self.last_at),
            ("completion", row.completed_at == completed_at),
        ];
        let wrong = checks.iter().find(|(_, right)| !right).map(|(what, _)| *what)?;
        Some(format!("the {wrong} of {row:#?} is not that of its history: {self:#?}"))
    }
}

/// Whether code that is not held may act on it. That it is held is nothing to act on.
fn moves(kind: &EventKind) -> bool {
    let is_note = matches!(
        kind,
        EventKind::OrchestratorStarted | EventKind::OrchestratorCompleted | EventKind::ExecutionSuspended { .. }
    );
    !is_note && kind.action_id().is_none()
}
