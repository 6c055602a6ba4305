//! Where the code departs from its history, and what is said about it.

use super::{Cursor, RecordedAction};
use crate::{EventKind, Failure, Json};
use std::collections::VecDeque;
use std::fmt;

/// How much of an input a message shows.
const SHOWN_INPUT_CHARS: usize = 120;

/// Why an orchestrator cannot go on.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Stopped {
    /// It asked for something else than it did the first time.
    #[error("Non-Deterministic workflow detected: {0}")]
    NonDeterministic(Box<NonDeterminism>),
    /// One turn asked for too much.
    #[error(
        "the orchestrator asked for more than {max} actions in one turn; split the work over sub-orchestrations, or raise \
         host.durableTask.maxOrchestrationActions"
    )]
    TooManyActions {
        /// The limit.
        max: usize,
    },
    /// There is no start in its events.
    #[error("the history has no ExecutionStarted, or holds the orchestrator since before its first line")]
    NotStarted,
}

impl Stopped {
    /// The failure that the instance ends with.
    pub fn failure(&self) -> Failure {
        let error_type = match self {
            Stopped::NonDeterministic(_) => Failure::NON_DETERMINISTIC,
            Stopped::TooManyActions { .. } => Failure::LIMIT_EXCEEDED,
            Stopped::NotStarted => Failure::CORRUPT_HISTORY,
        };
        Failure::new(error_type, self.to_string()).non_retriable()
    }
}

/// Both sides of a departure from the history.
#[derive(Clone, PartialEq, Debug)]
pub struct NonDeterminism {
    /// The place of the departure: an event of the history, counted from 0. Where too little is asked for, the record of
    /// what is missing; where too much, the end of the turn that does not record it.
    pub at: u64,
    /// What the history records at this place; none: nothing.
    pub recorded: Option<RecordedAction>,
    /// What the code does there now.
    pub requested: Requested,
}

/// What the code does at the place of the departure.
#[derive(Clone, PartialEq, Debug)]
pub enum Requested {
    /// It asks for something.
    Action(RecordedAction),
    /// It waits without asking.
    Nothing,
    /// It has returned.
    Returned,
}

impl NonDeterminism {
    /// What is recorded and what the code does now, as one sentence without its end.
    pub fn both_sides(&self) -> String {
        let recorded = match &self.recorded {
            Some(recorded) => format!("a previous execution of this orchestration scheduled {recorded}"),
            None => "a previous execution of this orchestration scheduled nothing at this place".to_owned(),
        };
        let now = match &self.requested {
            Requested::Action(requested) => format!("the current replay scheduled {requested}"),
            Requested::Nothing => "the current replay execution hasn't (yet?) scheduled this task".to_owned(),
            Requested::Returned => "the current replay execution has returned already".to_owned(),
        };
        let mut text = format!("{recorded}, but {now}");
        if let (
            Some(RecordedAction { input: Some(was), .. }),
            Requested::Action(RecordedAction { input: Some(is), .. }),
        ) = (&self.recorded, &self.requested)
            && was != is
        {
            text.push_str(&format!("; its input was {} and is now {}", shortened(was), shortened(is)));
        }
        text
    }
}

impl fmt::Display for NonDeterminism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (event {} of the history). Was a change made to the orchestrator code after this instance started running? Purge \
             the instance and start it again",
            self.both_sides(),
            self.at
        )
    }
}

fn shortened(input: &Json) -> String {
    match input.as_str().char_indices().nth(SHOWN_INPUT_CHARS) {
        Some((end, _)) => format!("{}…", &input.as_str()[..end]),
        None => input.to_string(),
    }
}

/// What the history records for one turn.
#[derive(Debug, Default)]
pub(super) struct TurnRecorded {
    /// What the orchestrator has not asked for yet, each with its place in the history.
    actions: VecDeque<(u64, RecordedAction)>,
    /// The place of the event that ends the turn.
    end: u64,
}

impl Cursor {
    /// Compares a request that is made while replaying with what the history records at its place.
    pub(super) fn compare(&mut self, requested: RecordedAction) -> Result<(), Stopped> {
        match self.recorded.actions.pop_front() {
            Some((_, recorded)) if recorded == requested => Ok(()),
            other => {
                let requested = Requested::Action(requested);
                Err(self.depart(other, requested))
            }
        }
    }

    fn depart(&mut self, recorded: Option<(u64, RecordedAction)>, requested: Requested) -> Stopped {
        let (at, recorded) = match recorded {
            Some((at, recorded)) => (at, Some(recorded)),
            None => (self.recorded.end, None),
        };
        self.stop(Stopped::NonDeterministic(Box::new(NonDeterminism { at, recorded, requested })))
    }

    /// At the end of a replayed turn everything that it recorded must have been asked for.
    pub(super) fn finish_turn(&mut self) {
        if let Some(recorded) = self.recorded.actions.pop_front() {
            self.depart(Some(recorded), Requested::Nothing);
        }
    }

    /// A return before the recorded end departs from the history as much as a wrong request does.
    pub(super) fn finish_replay(&mut self) -> Result<(), Stopped> {
        self.check()?;
        let rest = || self.events.iter().take(self.past).map(|event| &event.kind);
        let ends_this_turn = rest()
            .find(|kind| matches!(kind, EventKind::ExecutionCompleted { .. } | EventKind::OrchestratorCompleted))
            .is_some_and(|kind| matches!(kind, EventKind::ExecutionCompleted { .. }));
        if self.recorded.actions.is_empty() && (self.past == 0 || ends_this_turn) {
            return Ok(());
        }
        let recorded = self.recorded.actions.pop_front().or_else(|| {
            let later_turns = (self.walked..).zip(rest().skip(self.held_before));
            later_turns
                .skip_while(|(_, kind)| !matches!(kind, EventKind::OrchestratorCompleted))
                .find_map(|(at, kind)| Some((at, RecordedAction::of_event(kind)?)))
        });
        Err(self.depart(recorded, Requested::Returned))
    }

    /// What the history records of the turn that is being replayed, whose first event has just been walked.
    pub(super) fn record_of_this_turn(&self) -> TurnRecorded {
        let mut recorded = TurnRecorded { actions: VecDeque::new(), end: self.walked };
        for (at, event) in (self.walked..).zip(self.events.iter().take(self.past)) {
            recorded.end = at;
            if matches!(event.kind, EventKind::ExecutionCompleted { .. } | EventKind::OrchestratorCompleted) {
                break;
            }
            recorded.actions.extend(RecordedAction::of_event(&event.kind).map(|action| (at, action)));
        }
        recorded
    }
}
