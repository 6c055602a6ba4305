//! Where the code departs from its history, and what is said about it.

use super::{Cursor, RecordedAction};
use crate::{Failure, Json};
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
    #[error("the history does not begin with ExecutionStarted")]
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
    pub(super) fn returned_early(recorded: Option<RecordedAction>) -> NonDeterminism {
        NonDeterminism { recorded, requested: Requested::Returned }
    }
}

impl fmt::Display for NonDeterminism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.recorded {
            Some(recorded) => write!(f, "a previous execution of this orchestration scheduled {recorded}")?,
            None => write!(f, "a previous execution of this orchestration scheduled nothing at this place")?,
        }
        match &self.requested {
            Requested::Action(requested) => write!(f, ", but the current replay scheduled {requested}")?,
            Requested::Nothing => write!(f, ", but the current replay execution hasn't (yet?) scheduled this task")?,
            Requested::Returned => write!(f, ", but the current replay execution has returned already")?,
        }
        if let (
            Some(RecordedAction { input: Some(was), .. }),
            Requested::Action(RecordedAction { input: Some(is), .. }),
        ) = (&self.recorded, &self.requested)
            && was != is
        {
            write!(f, "; its input was {} and is now {}", shortened(was), shortened(is))?;
        }
        write!(
            f,
            ". Was a change made to the orchestrator code after this instance started running? Purge \
             the instance and start it again"
        )
    }
}

fn shortened(input: &Json) -> String {
    match input.as_str().char_indices().nth(SHOWN_INPUT_CHARS) {
        Some((end, _)) => format!("{}…", &input.as_str()[..end]),
        None => input.to_string(),
    }
}

impl Cursor {
    /// Compares a request that is made while replaying with what the history records at its place.
    pub(super) fn compare(&mut self, requested: RecordedAction) -> Result<(), Stopped> {
        match self.recorded.pop_front() {
            Some(recorded) if recorded == requested => Ok(()),
            recorded => {
                let requested = Requested::Action(requested);
                Err(self.stop(Stopped::NonDeterministic(Box::new(NonDeterminism { recorded, requested }))))
            }
        }
    }

    /// At the end of a replayed turn everything that it recorded must have been asked for.
    pub(super) fn finish_turn(&mut self) {
        if let Some(recorded) = self.recorded.pop_front() {
            let requested = Requested::Nothing;
            self.stop(Stopped::NonDeterministic(Box::new(NonDeterminism { recorded: Some(recorded), requested })));
        }
    }
}
