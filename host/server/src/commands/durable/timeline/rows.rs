//! What a history says happened, as rows: one for each thing that an orchestrator asked for or was told.

use orchestration::{EntityId, Event, EventId, EventKind, Failure, RuntimeStatus, Timestamp};
use std::collections::BTreeMap;

/// One row of a timeline.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) label: String,
    pub(super) pieces: Vec<Piece>,
    pub(super) outcome: Outcome,
    /// How often it was tried.
    pub(super) tries: u32,
    /// Why the last try failed.
    pub(super) failure: Option<String>,
}

/// A stretch of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) from: Timestamp,
    /// None: it goes on.
    pub(super) to: Option<Timestamp>,
    pub(super) shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Run,
    FailedRun,
    /// Between two tries.
    Pause,
    Wait,
    Moment,
}

/// What came of it so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Failed,
    Running,
    /// It is asked for, and nobody has begun with it.
    Queued,
    /// It is tried again then.
    TriedAgain {
        at: Timestamp,
    },
    Due {
        at: Timestamp,
    },
    Fired,
    Waits,
    Locked,
    Released,
    Held,
    Resumed,
    /// So often, in the past tense.
    Happened {
        times: u32,
        verb: &'static str,
    },
    /// The execution ended first.
    Left,
}

/// All rows of an execution, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// The orchestrator's name.
    pub(super) name: String,
    /// When and how it ended.
    pub(super) ended: Option<(Timestamp, RuntimeStatus)>,
    /// Why it failed.
    pub(super) failure: Option<String>,
    of_action: BTreeMap<EventId, usize>,
    of_label: BTreeMap<String, usize>,
}

impl Rows {
    pub(super) fn of(events: &[Event]) -> Rows {
        let mut rows = Rows::default();
        events.iter().for_each(|event| rows.add(event));
        if let Some((end, _)) = rows.ended {
            rows.close(end);
        }
        rows
    }

    /// Whether somebody holds it.
    pub(super) fn is_suspended(&self) -> bool {
        self.rows.iter().any(|row| row.outcome == Outcome::Held)
    }

    /// Says of an activity that nobody has begun with it.
    pub(super) fn queued(&mut self, action: EventId) {
        if let Some(row) = self.row(action).filter(|row| row.outcome == Outcome::Running) {
            row.outcome = Outcome::Queued;
        }
    }

    /// Something that no history knows: it waits for an event.
    pub(super) fn awaits(&mut self, event: &str, since: Timestamp) {
        let piece = Piece { from: since, to: None, shape: Shape::Wait };
        let index = self.labelled(format!("event {event}"), Outcome::Waits);
        self.rows[index].pieces.push(piece);
        self.rows[index].outcome = Outcome::Waits;
    }

    fn add(&mut self, event: &Event) {
        let at = event.at;
        match &event.kind {
            EventKind::OrchestratorStarted | EventKind::OrchestratorCompleted => {}
            EventKind::ExecutionStarted(started) => self.name.clone_from(&started.name),
            EventKind::ExecutionCompleted { status, failure, .. } => {
                self.ended = Some((at, *status));
                self.failure = failure.as_ref().map(in_one_line);
            }
            EventKind::ExecutionTerminated { .. } => self.ended = Some((at, RuntimeStatus::Terminated)),
            EventKind::ExecutionSuspended { .. } => self.hold(at),
            EventKind::ExecutionResumed { .. } => self.let_go(at),
            EventKind::ExecutionRewound { .. } => self.moment("rewound".to_owned(), "by hand", at),
            EventKind::TaskScheduled { .. }
            | EventKind::SubOrchestrationInstanceCreated { .. }
            | EventKind::TimerCreated { .. }
            | EventKind::EventSent { .. }
            | EventKind::EntityOperationCalled { .. }
            | EventKind::EntityOperationSignaled { .. }
            | EventKind::EntityLockRequested { .. } => self.ask(&event.kind, at),
            EventKind::EventRaised(raised) => self.moment(format!("event {}", raised.name), "raised", at),
            EventKind::TaskCompleted { scheduled, .. }
            | EventKind::SubOrchestrationInstanceCompleted { scheduled, .. }
            | EventKind::EntityOperationCompleted { scheduled, .. } => self.answer(*scheduled, Outcome::Ok, at),
            EventKind::TaskFailed { scheduled, failure }
            | EventKind::SubOrchestrationInstanceFailed { scheduled, failure }
            | EventKind::EntityOperationFailed { scheduled, failure } => self.fail(*scheduled, failure, at),
            EventKind::TimerFired { timer, .. } => self.fire(*timer, at),
            EventKind::EntityLockGranted { scheduled } => {
                self.answer(*scheduled, Outcome::Locked, at);
                if let Some(row) = self.row(*scheduled) {
                    row.pieces.push(Piece { from: at, to: None, shape: Shape::Run });
                }
            }
            EventKind::EntityUnlockSent { section, .. } => self.answer(*section, Outcome::Released, at),
        }
    }

    /// What the orchestrator asked for.
    fn ask(&mut self, kind: &EventKind, at: Timestamp) {
        match kind {
            EventKind::TaskScheduled { id, name, retry_of, .. } => self.begin(*id, *retry_of, name.clone(), at),
            EventKind::SubOrchestrationInstanceCreated { name, instance_id, detached: true, .. } => {
                self.moment(format!("start {name} ({instance_id})"), "started", at);
            }
            EventKind::SubOrchestrationInstanceCreated { id, name, instance_id, retry_of, .. } => {
                self.begin(*id, *retry_of, format!("{name} ({instance_id})"), at);
            }
            EventKind::EntityOperationCalled { id, entity, operation, .. } => {
                self.begin(*id, None, format!("{entity} {operation}"), at);
            }
            EventKind::EntityOperationSignaled { entity, operation, .. } => {
                self.moment(format!("{entity} {operation}"), "signaled", at);
            }
            EventKind::EventSent { instance_id, name, .. } => {
                self.moment(format!("event {name} to {instance_id}"), "sent", at);
            }
            EventKind::EntityLockRequested { id, entities } => {
                let entities: Vec<String> = entities.iter().map(EntityId::to_string).collect();
                self.wait(*id, format!("lock {}", entities.join(", ")), Outcome::Waits, at);
            }
            EventKind::TimerCreated { id, fire_at, retry_of } => {
                let Some(index) = retry_of.and_then(|first| self.of_action.get(&first).copied()) else {
                    return self.wait(*id, "timer".to_owned(), Outcome::Due { at: *fire_at }, at);
                };
                self.of_action.insert(*id, index);
                self.rows[index].pieces.push(Piece { from: at, to: None, shape: Shape::Pause });
                self.rows[index].outcome = Outcome::TriedAgain { at: *fire_at };
            }
            EventKind::OrchestratorStarted
            | EventKind::OrchestratorCompleted
            | EventKind::ExecutionStarted(_)
            | EventKind::ExecutionCompleted { .. }
            | EventKind::ExecutionTerminated { .. }
            | EventKind::ExecutionSuspended { .. }
            | EventKind::ExecutionResumed { .. }
            | EventKind::ExecutionRewound { .. }
            | EventKind::TaskCompleted { .. }
            | EventKind::TaskFailed { .. }
            | EventKind::SubOrchestrationInstanceCompleted { .. }
            | EventKind::SubOrchestrationInstanceFailed { .. }
            | EventKind::TimerFired { .. }
            | EventKind::EventRaised(_)
            | EventKind::EntityOperationCompleted { .. }
            | EventKind::EntityOperationFailed { .. }
            | EventKind::EntityLockGranted { .. }
            | EventKind::EntityUnlockSent { .. } => {}
        }
    }

    /// A try: of a row that is there, or the first one of a new row.
    fn begin(&mut self, id: EventId, retry_of: Option<EventId>, label: String, at: Timestamp) {
        let piece = Piece { from: at, to: None, shape: Shape::Run };
        let earlier = retry_of.and_then(|first| self.of_action.get(&first).copied());
        let index = earlier.unwrap_or_else(|| self.push(label, Outcome::Running));
        self.of_action.insert(id, index);
        let row = &mut self.rows[index];
        row.pieces.push(piece);
        row.outcome = Outcome::Running;
        row.tries += 1;
    }

    fn wait(&mut self, id: EventId, label: String, outcome: Outcome, at: Timestamp) {
        let index = self.push(label, outcome);
        self.of_action.insert(id, index);
        self.rows[index].pieces.push(Piece { from: at, to: None, shape: Shape::Wait });
    }

    /// What happens again and again stands in one row.
    fn moment(&mut self, label: String, verb: &'static str, at: Timestamp) {
        let index = self.labelled(label, Outcome::Happened { times: 0, verb });
        let row = &mut self.rows[index];
        row.pieces.push(Piece { from: at, to: Some(at), shape: Shape::Moment });
        if let Outcome::Happened { times, .. } = &mut row.outcome {
            *times += 1;
        }
    }

    fn hold(&mut self, at: Timestamp) {
        let index = self.labelled("suspended".to_owned(), Outcome::Held);
        let row = &mut self.rows[index];
        row.outcome = Outcome::Held;
        row.pieces.push(Piece { from: at, to: None, shape: Shape::Wait });
    }

    fn let_go(&mut self, at: Timestamp) {
        let index = self.labelled("suspended".to_owned(), Outcome::Resumed);
        self.rows[index].outcome = Outcome::Resumed;
        end_last(&mut self.rows[index], at);
    }

    fn answer(&mut self, asked: EventId, outcome: Outcome, at: Timestamp) {
        if let Some(row) = self.row(asked) {
            row.outcome = outcome;
            end_last(row, at);
        }
    }

    fn fail(&mut self, asked: EventId, failure: &Failure, at: Timestamp) {
        self.answer(asked, Outcome::Failed, at);
        if let Some(row) = self.row(asked) {
            row.failure = Some(in_one_line(failure));
            if let Some(piece) = row.pieces.last_mut() {
                piece.shape = Shape::FailedRun;
            }
        }
    }

    fn fire(&mut self, timer: EventId, at: Timestamp) {
        let Some(row) = self.row(timer) else { return };
        // The end of a pause is the beginning of the next try, which says so itself.
        let was_due = matches!(row.outcome, Outcome::Due { .. });
        self.answer(timer, if was_due { Outcome::Fired } else { Outcome::Queued }, at);
    }

    /// The execution ends: what is open stays without an answer.
    fn close(&mut self, end: Timestamp) {
        for row in &mut self.rows {
            for piece in row.pieces.iter_mut().filter(|piece| piece.to.is_none()) {
                piece.to = Some(end);
                row.outcome = Outcome::Left;
            }
        }
    }

    fn row(&mut self, action: EventId) -> Option<&mut Row> {
        self.of_action.get(&action).and_then(|index| self.rows.get_mut(*index))
    }

    fn labelled(&mut self, label: String, outcome: Outcome) -> usize {
        if let Some(index) = self.of_label.get(&label) {
            return *index;
        }
        let index = self.push(label.clone(), outcome);
        self.of_label.insert(label, index);
        index
    }

    fn push(&mut self, label: String, outcome: Outcome) -> usize {
        self.rows.push(Row { label, pieces: Vec::new(), outcome, tries: 0, failure: None });
        self.rows.len() - 1
    }
}

fn end_last(row: &mut Row, at: Timestamp) {
    if let Some(piece) = row.pieces.last_mut() {
        piece.to = piece.to.or(Some(at));
    }
}

fn in_one_line(failure: &Failure) -> String {
    format!("{}: {}", failure.error_type, failure.message)
}
