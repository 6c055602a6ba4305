//! What a list of events adds up to, if it is a history at all: the rules written a second time, apart from the core's own.

use super::{Oracle, Violation};
use orchestration::{
    Event, EventId, EventKind, ExecutionStarted, Failure, InstanceRow, Json, RuntimeStatus, Timestamp,
};
use std::collections::BTreeMap;

/// A request without an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Open {
    Activity,
    Child,
    Timer(Timestamp),
}

/// The sum of a history.
#[derive(Debug, Default)]
pub(super) struct Fold {
    started: Option<ExecutionStarted>,
    ended: Option<(RuntimeStatus, Option<Json>, Option<Failure>)>,
    open: BTreeMap<EventId, Open>,
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
        if !begins_turn && self.started.is_some() == is_start {
            return illegal("an execution starts once, before anything else happens");
        }
        self.apply(event)
    }

    fn apply(&mut self, event: &Event) -> Result<(), Wrong> {
        match &event.kind {
            EventKind::OrchestratorStarted => self.in_turn = true,
            EventKind::OrchestratorCompleted => {
                self.in_turn = false;
                self.turns += 1;
            }
            EventKind::ExecutionStarted(started) => self.started = Some(ExecutionStarted::clone(started)),
            EventKind::ExecutionCompleted { status, output, failure } => {
                self.ended = Some((*status, output.clone(), failure.clone()));
            }
            EventKind::TaskScheduled { id, .. } => self.ask(*id, Open::Activity)?,
            EventKind::SubOrchestrationInstanceCreated { id, .. } => self.ask(*id, Open::Child)?,
            EventKind::TimerCreated { id, fire_at } => self.ask(*id, Open::Timer(*fire_at))?,
            EventKind::TaskCompleted { scheduled, .. } | EventKind::TaskFailed { scheduled, .. } => {
                self.answer(*scheduled, |open| open == Open::Activity)?;
            }
            EventKind::SubOrchestrationInstanceCompleted { scheduled, .. }
            | EventKind::SubOrchestrationInstanceFailed { scheduled, .. } => {
                self.answer(*scheduled, |open| open == Open::Child)?;
            }
            EventKind::TimerFired { timer, .. } => {
                let due = self.answer(*timer, |open| matches!(open, Open::Timer(_)))?;
                if matches!(due, Open::Timer(fire_at) if event.at < fire_at) {
                    return Err((Oracle::Timers, "it fired before its time"));
                }
            }
            EventKind::EventRaised(_) | EventKind::ExecutionTerminated { .. } => {}
        }
        Ok(())
    }

    fn ask(&mut self, id: EventId, open: Open) -> Result<(), Wrong> {
        if id.0 != self.actions {
            return Err((Oracle::History, "its number does not follow the last one"));
        }
        self.actions += 1;
        self.open.insert(id, open);
        Ok(())
    }

    fn answer(&mut self, id: EventId, is_kind: impl Fn(Open) -> bool) -> Result<Open, Wrong> {
        match self.open.remove(&id) {
            Some(open) if is_kind(open) => Ok(open),
            Some(_) | None => Err((Oracle::History, "it answers no open request of its kind")),
        }
    }

    /// The first thing in which the row differs from the history.
    pub(super) fn differs_from(&self, row: &InstanceRow) -> Option<String> {
        let Some(started) = &self.started else {
            return Some("the history has no start".to_owned());
        };
        let (status, output, failure) = match &self.ended {
            Some((status, output, failure)) => (*status, output.clone(), failure.clone()),
            None => (RuntimeStatus::Running, None, None),
        };
        let completed_at = self.ended.is_some().then_some(self.last_at);
        let checks = [
            ("name", row.name == started.name),
            ("execution", row.execution == started.execution),
            ("parent", row.parent == started.parent),
            ("status", row.status == status),
            ("output", row.output == output),
            ("failure", row.failure == failure),
            ("turns", row.turns == self.turns),
            ("events", row.events == self.events),
            ("creation", Some(row.created_at) <= self.first_at),
            ("update", row.updated_at == self.last_at),
            ("completion", row.completed_at == completed_at),
        ];
        let wrong = checks.iter().find(|(_, right)| !right).map(|(what, _)| *what)?;
        Some(format!("the {wrong} of {row:#?} is not that of its history: {self:#?}"))
    }
}
