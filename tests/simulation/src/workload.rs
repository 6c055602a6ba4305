//! What clients do in a run, as data, so that the engine and the model get the same.

use crate::author::number;
use orchestration::Json;
use std::time::Duration;

/// One thing that a client does. It is tried again until it is done or refused: a broken connection says neither.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Starts an instance.
    Start { id: String, name: &'static str, input: Json },
    /// Raises an event, once the instance is there. May raise it twice when an answer is lost.
    Raise { id: String, event: &'static str, payload: Json },
    /// Asks for its end.
    Terminate { id: String },
    /// Waits until it has ended.
    AwaitEnd { id: String },
    /// Waits until it is at work.
    AwaitRunning { id: String },
    /// Removes it, if it has ended.
    Purge { id: String },
    /// Removes it, whatever it does.
    PurgeAny { id: String },
    /// Lists all instances, page by page.
    List,
    /// Does nothing for a while.
    Pause(Duration),
}

/// How an instance may end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As the model says, for one of the inputs that it was started with; or terminated, if anybody asked for it.
    AsModel,
    /// With one of these outputs; the model cannot know which.
    OneOf(Vec<Json>),
    /// Terminated, whatever the model says.
    Terminated,
    /// It is gone.
    Purged,
}

/// What all clients do, each by itself, and what must come of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workload {
    pub(crate) actors: Vec<Vec<Act>>,
    /// Instances that end otherwise than as the model says.
    pub(crate) endings: Vec<(String, Ending)>,
}

impl Workload {
    /// Both.
    pub(crate) fn and(mut self, other: Workload) -> Workload {
        self.actors.extend(other.actors);
        self.endings.extend(other.endings);
        self
    }

    /// All that is done.
    pub(crate) fn acts(&self) -> impl Iterator<Item = &Act> {
        self.actors.iter().flatten()
    }

    /// How an instance is to end.
    pub(crate) fn ending(&self, id: &str) -> Ending {
        self.endings.iter().find(|(other, _)| other == id).map_or(Ending::AsModel, |(_, ending)| ending.clone())
    }
}

/// One client that starts an instance and waits for its end.
pub(crate) fn start_and_wait(id: &str, name: &'static str, input: Json) -> Vec<Act> {
    vec![Act::Start { id: id.to_owned(), name, input }, Act::AwaitEnd { id: id.to_owned() }]
}

/// The same as a whole workload, with a number as input.
pub(crate) fn simple(id: &str, name: &'static str, input: i64) -> Workload {
    Workload { actors: vec![start_and_wait(id, name, number(input))], endings: Vec::new() }
}
