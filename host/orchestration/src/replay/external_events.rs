//! External events of one execution: who waits for which, and those that nobody has taken yet.

use crate::{Json, RaisedEvent, TaskNumber};
use std::collections::{BTreeMap, VecDeque};

/// Waiting tasks and untaken events, both first in, first out by name. Names are compared without case.
#[derive(Debug, Default)]
pub(super) struct ExternalEvents {
    /// By name in lower case.
    waiting: BTreeMap<String, VecDeque<TaskNumber>>,
    /// By name in lower case, each with its place in the order of arrival over all names.
    untaken: BTreeMap<String, VecDeque<(u64, RaisedEvent)>>,
    arrived: u64,
}

/// An event that a task has taken and that can be given back.
#[derive(Debug)]
pub(super) struct Taken {
    arrival: u64,
    event: RaisedEvent,
}

impl Taken {
    /// What came with the event.
    pub(super) fn input(&self) -> Json {
        self.event.input.clone()
    }
}

impl ExternalEvents {
    /// An event arrives: the oldest task that waits for its name gets it, else it is kept.
    pub(super) fn raise(&mut self, event: RaisedEvent) -> Option<(TaskNumber, Json)> {
        let name = event.name.to_lowercase();
        self.arrived += 1;
        match self.waiting.get_mut(&name).and_then(VecDeque::pop_front) {
            Some(task) => Some((task, event.input)),
            None => {
                self.untaken.entry(name).or_default().push_back((self.arrived, event));
                None
            }
        }
    }

    /// A task wants an event: it takes the oldest one that is there, else it waits.
    pub(super) fn wait(&mut self, task: TaskNumber, name: &str) -> Option<Taken> {
        let name = name.to_lowercase();
        match self.untaken.get_mut(&name).and_then(VecDeque::pop_front) {
            Some((arrival, event)) => Some(Taken { arrival, event }),
            None => {
                self.waiting.entry(name).or_default().push_back(task);
                None
            }
        }
    }

    /// A task that waits for `name` gives up.
    pub(super) fn stop_waiting(&mut self, task: TaskNumber, name: &str) {
        if let Some(waiting) = self.waiting.get_mut(&name.to_lowercase()) {
            waiting.retain(|other| *other != task);
        }
    }

    /// A task gives up an event that it took: the oldest task that waits for its name gets it, else it is kept at its old
    /// place.
    pub(super) fn give_back(&mut self, taken: Taken) -> Option<(TaskNumber, Taken)> {
        match self.waiting.get_mut(&taken.event.name.to_lowercase()).and_then(VecDeque::pop_front) {
            Some(task) => Some((task, taken)),
            None => {
                self.keep(taken);
                None
            }
        }
    }

    fn keep(&mut self, taken: Taken) {
        let queue = self.untaken.entry(taken.event.name.to_lowercase()).or_default();
        let place = queue.partition_point(|(arrival, _)| *arrival < taken.arrival);
        queue.insert(place, (taken.arrival, taken.event));
    }

    /// All events that nobody took, in the order of arrival; those that were on their way to a task are among them.
    pub(super) fn take_untaken(&mut self, on_their_way: impl IntoIterator<Item = Taken>) -> Vec<RaisedEvent> {
        for taken in on_their_way {
            self.keep(taken);
        }
        let mut untaken: Vec<_> = std::mem::take(&mut self.untaken).into_values().flatten().collect();
        untaken.sort_by_key(|(arrival, _)| *arrival);
        untaken.into_iter().map(|(_, event)| event).collect()
    }
}
