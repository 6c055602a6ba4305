//! What came of a scripted run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::{Entity, EntityId, Failure, Level};

/// What came of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunOutcome<T> {
    /// What the orchestrator returned in the end.
    pub result: Result<T, Failure>,
    /// How much virtual time has passed.
    pub elapsed: Duration,
    /// What the orchestrator, its children and its entities asked for, in the order of the virtual time.
    pub calls: Vec<Call>,
    /// The custom status at the end.
    pub custom_status: Option<Value>,
    /// The inputs with which it continued as new.
    pub continued_as_new: Vec<Value>,
    /// What the orchestrator and its children logged.
    pub log: Vec<LogLine>,
    /// The states of all entities that exist in the end, when they have done all that they were asked for.
    pub entities: BTreeMap<EntityId, Value>,
    /// The heartbeats that real activities gave: the activity, and the details.
    pub heartbeats: Vec<(String, Value)>,
}

/// One thing that was asked for; each try of a retry policy is one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// How long after the start.
    pub at: Duration,
    /// The instance that asked.
    pub instance_id: String,
    /// What for.
    pub kind: CallKind,
    /// The name of the function or event; for others what their [`CallKind`] says.
    pub name: String,
    /// The input of a function or operation, the payload of an event; null for the others.
    pub input: Value,
    /// Which try it is; 1 is the first.
    pub attempt: u32,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// A run of an activity.
    Activity,
    /// A run of another orchestrator.
    SubOrchestrator,
    /// A run of another orchestrator that nobody waits for.
    Start,
    /// To be woken at a moment, which is the name.
    Timer,
    /// To be told of an event.
    Event,
    /// To raise an event at another instance; the name is `Event to instance`.
    SentEvent,
    /// An HTTP request; the name is `METHOD url`.
    Http,
    /// An operation of an entity; the name is `@name@key operation`.
    EntityCall,
    /// An operation of an entity, without waiting; the name is `@name@key operation`, followed by the moment if there is
    /// one.
    Signal,
    /// A critical section; the name lists the entities.
    Lock,
    /// The end of the critical section.
    Unlock,
    /// To stop a call; the name is that of the call.
    Abort,
}

/// A line that was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// The instance that logged it.
    pub instance_id: String,
    /// How loud.
    pub level: Level,
    /// What.
    pub message: String,
}

impl<T> RunOutcome<T> {
    /// How often an activity or orchestrator of that name was run, counting every try.
    pub fn count(&self, name: &str) -> usize {
        self.runs().filter(|call| call.name == name).count()
    }

    /// The names of the activities and orchestrators that were run, in order.
    pub fn names(&self) -> Vec<&str> {
        self.runs().map(|call| call.name.as_str()).collect()
    }

    /// The state of an entity in the end; none if it does not exist.
    ///
    /// # Panics
    /// When the state is not one of that type.
    pub fn entity<E: Entity>(&self, key: &str) -> Option<E> {
        let state = self.entities.get(&EntityId::of::<E>(key))?;
        match serde_json::from_value(state.clone()) {
            Ok(state) => Some(state),
            Err(error) => panic!("the state of {} '{key}' is something else: {error}", E::NAME),
        }
    }

    /// All calls as text, one a line, to compare with an expectation.
    pub fn transcript(&self) -> String {
        self.calls.iter().map(|call| format!("{call}\n")).collect()
    }

    fn runs(&self) -> impl Iterator<Item = &Call> {
        let runs = |kind| matches!(kind, CallKind::Activity | CallKind::SubOrchestrator | CallKind::Start);
        self.calls.iter().filter(move |call| runs(call.kind))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call { at, instance_id, kind, name, input, attempt } = self;
        write!(f, "{:>8} {instance_id}: ", format!("{}s", at.as_secs_f64()))?;
        match kind {
            CallKind::Activity | CallKind::EntityCall => write!(f, "{name} {input}")?,
            CallKind::SubOrchestrator => write!(f, "orchestrator {name} {input}")?,
            CallKind::Start => write!(f, "start {name} {input}")?,
            CallKind::Timer => write!(f, "timer until {name}")?,
            CallKind::Event => write!(f, "event {name}")?,
            CallKind::SentEvent => write!(f, "send event {name}: {input}")?,
            CallKind::Http => write!(f, "{name}")?,
            CallKind::Signal => write!(f, "signal {name} {input}")?,
            CallKind::Lock => write!(f, "lock {name}")?,
            CallKind::Unlock => write!(f, "unlock")?,
            CallKind::Abort => write!(f, "abort {name}")?,
        }
        match attempt {
            0 | 1 => Ok(()),
            attempt => write!(f, " (attempt {attempt})"),
        }
    }
}
