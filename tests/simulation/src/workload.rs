//! What clients do in a run, as data, so that the engine and the model get the same.

use crate::author::number;
use crate::author::triggered::Errand;
use orchestration::{EntityId, Json, Reuse, RuntimeStatus};
use ports::RewindTo;
use std::time::Duration;

/// One thing that a client does. It is tried again until it is done or refused: a broken connection says neither.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Starts an instance.
    Start { id: String, name: &'static str, input: Json, with: With },
    /// Starts one under a key; its id follows.
    StartByKey { key: String, name: &'static str, input: Json },
    /// Raises an event, once the instance is there. Without an id it may come twice when an answer is lost.
    Raise { id: String, event: &'static str, payload: Json, event_id: Option<String> },
    /// Tells an entity to do something, now or after a while. May tell it twice when an answer is lost.
    Signal { entity: EntityId, operation: &'static str, input: Json, after: Option<Duration> },
    /// Asks for its end, and for that of its children.
    Terminate { id: String, recursive: bool },
    /// Holds it.
    Suspend { id: String },
    /// Lets it go on.
    Resume { id: String },
    /// Has it run again from the last good point, if it has failed.
    Rewind { id: String, to: RewindTo },
    /// Starts it again, if it has ended or gets a new id.
    Restart { id: String, with_new_id: bool },
    /// Repairs the system outside that needs the key.
    Repair { key: String },
    /// Replaces the host by one with this app, unless there is a newer one already.
    Deploy { app: usize },
    /// Has the next version of the app begin in the same process: this one, unless there is a newer one already, or the same code
    /// built again.
    Swap { app: Option<usize> },
    /// Waits until it has ended.
    AwaitEnd { id: String },
    /// Waits until it has one of these statuses, or has ended.
    AwaitStatus { id: String, status: RuntimeStatus },
    /// Waits until it is at work.
    AwaitRunning { id: String },
    /// Waits until it has not failed any more, because it was rewound.
    AwaitRevival { id: String },
    /// Removes it, if it has ended.
    Purge { id: String },
    /// Removes it, whatever it does.
    PurgeAny { id: String },
    /// Lists all instances, page by page.
    List,
    /// Puts a message into a queue, which is made if it is not there.
    Put(Put),
    /// Receives a message and deletes it, if there is one.
    Take { queue: &'static str },
    /// Deletes all messages of a queue, if it is there.
    Clear { queue: &'static str },
    /// Removes a queue, if it is there.
    DeleteQueue { queue: &'static str },
    /// There is no host for a while.
    Outage(Duration),
    /// Does nothing for a while.
    Pause(Duration),
}

/// A message for a queue.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub(crate) queue: &'static str,
    pub(crate) errand: Errand,
    /// How long until it can be received.
    pub(crate) delay: Duration,
    /// How long until it goes by itself; none: as messages do of which nobody says it.
    pub(crate) time_to_live: Option<Duration>,
}

/// What else a start can say.
#[derive(Clone, Debug, Default)]
pub(crate) struct With {
    /// Of a version; none: that of the app.
    pub(crate) version: Option<&'static str>,
    /// After a while.
    pub(crate) after: Option<Duration>,
    /// Which instance it replaces.
    pub(crate) reuse: Option<Reuse>,
}

/// How an instance may end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As the model says, for one of the inputs that it was started with; or terminated, if anybody asked for it.
    AsModel,
    /// With one of these outputs; the model cannot know which.
    OneOf(Vec<Json>),
    /// The same, or failed.
    OneOfOrFailed(Vec<Json>),
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
    /// Instances that orchestrations and entities start.
    pub(crate) others: Vec<(String, &'static str, Json)>,
    /// What is left of entities: one of these.
    pub(crate) entities: Vec<(EntityId, Vec<Option<Json>>)>,
    /// How long the hub keeps completed instances.
    pub(crate) retention: Option<Duration>,
    /// The functions that messages and schedules start in this run.
    pub(crate) functions: Vec<&'static str>,
    /// How long after the beginning of the world timers come to their end.
    pub(crate) timers_for: Duration,
}

impl Workload {
    /// What one client does.
    pub(crate) fn of(acts: Vec<Act>) -> Workload {
        Workload { actors: vec![acts], ..Workload::default() }
    }

    /// What several clients do at once.
    pub(crate) fn of_all(actors: impl IntoIterator<Item = Vec<Act>>) -> Workload {
        Workload { actors: actors.into_iter().collect(), ..Workload::default() }
    }

    /// With an instance that does not end as the model says.
    pub(crate) fn ends(mut self, id: &str, ending: Ending) -> Workload {
        self.endings.push((id.to_owned(), ending));
        self
    }

    /// With an entity that must have this state in the end.
    pub(crate) fn leaves(self, entity: EntityId, state: Option<i64>) -> Workload {
        self.leaves_one_of(entity, &[state])
    }

    /// With an entity that must have one of these states in the end.
    pub(crate) fn leaves_one_of(mut self, entity: EntityId, states: &[Option<i64>]) -> Workload {
        self.entities.push((entity, states.iter().map(|state| state.map(number)).collect()));
        self
    }

    /// With functions that messages or schedules start.
    pub(crate) fn runs(mut self, functions: &[&'static str]) -> Workload {
        self.functions.extend(functions);
        self
    }

    /// Both.
    pub(crate) fn and(mut self, other: Workload) -> Workload {
        self.actors.extend(other.actors);
        self.endings.extend(other.endings);
        self.others.extend(other.others);
        self.entities.extend(other.entities);
        self.retention = self.retention.or(other.retention);
        self.functions.extend(other.functions);
        self.timers_for = self.timers_for.max(other.timers_for);
        self
    }

    /// All that is done.
    pub(crate) fn acts(&self) -> impl Iterator<Item = &Act> {
        self.actors.iter().flatten()
    }

    /// Whether anything orchestrates in it, or triggers alone are at work.
    pub(crate) fn has_orchestrations(&self) -> bool {
        self.acts().any(|act| match act {
            Act::Put(put) => put.errand.start,
            Act::Take { .. }
            | Act::Clear { .. }
            | Act::DeleteQueue { .. }
            | Act::Outage(_)
            | Act::Swap { .. }
            | Act::Pause(_) => false,
            Act::Start { .. }
            | Act::StartByKey { .. }
            | Act::Raise { .. }
            | Act::Signal { .. }
            | Act::Terminate { .. }
            | Act::Suspend { .. }
            | Act::Resume { .. }
            | Act::Rewind { .. }
            | Act::Restart { .. }
            | Act::Repair { .. }
            | Act::Deploy { .. }
            | Act::AwaitEnd { .. }
            | Act::AwaitStatus { .. }
            | Act::AwaitRunning { .. }
            | Act::AwaitRevival { .. }
            | Act::Purge { .. }
            | Act::PurgeAny { .. }
            | Act::List => true,
        })
    }

    /// How an instance is to end.
    pub(crate) fn ending(&self, id: &str) -> Ending {
        self.endings.iter().find(|(other, _)| other == id).map_or(Ending::AsModel, |(_, ending)| ending.clone())
    }
}

/// Puts a message into a queue.
pub(crate) fn put(queue: &'static str, errand: Errand) -> Act {
    Act::Put(Put { queue, errand, delay: Duration::ZERO, time_to_live: None })
}

/// One client that starts an instance and waits for its end.
pub(crate) fn start_and_wait(id: &str, name: &'static str, input: Json) -> Vec<Act> {
    vec![start(id, name, input), Act::AwaitEnd { id: id.to_owned() }]
}

/// Starts an instance at once.
pub(crate) fn start(id: &str, name: &'static str, input: Json) -> Act {
    Act::Start { id: id.to_owned(), name, input, with: With::default() }
}

/// The same as a whole workload, with a number as input.
pub(crate) fn simple(id: &str, name: &'static str, input: i64) -> Workload {
    Workload::of(start_and_wait(id, name, number(input)))
}
