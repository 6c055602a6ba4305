//! The state of a scripted world: the clock, the agenda, the instances, the locks.
//!
//! Running orchestrators reach it through [`handle`](super::handle), which only puts something on the agenda; what is on
//! it happens in [`simulation`](super::simulation), when the world is not borrowed by the orchestrator that asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::Value;

use super::entities::Entities;
use super::outcome::{Call, CallKind, LogLine};
use crate::execution::{Outcome, TaskId};
use crate::options::ActivityOptions;
use crate::{EntityId, HttpRequest, RetryPolicy, StartOptions, Timestamp};

pub(super) struct World {
    pub(super) start: Timestamp,
    pub(super) now: Timestamp,
    /// By moment, then in the order in which it was put there.
    pub(super) agenda: BTreeMap<(Timestamp, u64), Item>,
    pub(super) instances: Vec<Instance>,
    pub(super) entities: Entities,
    /// Which run holds the lock of an entity.
    pub(super) locks: BTreeMap<EntityId, Run>,
    /// What waits for a lock to be released, in the order of arrival.
    pub(super) blocked: VecDeque<Item>,
    pub(super) calls: Vec<Call>,
    pub(super) log: Vec<LogLine>,
    items_ever: u64,
    starts_ever: u64,
}

/// A generation of an instance: what a completion must still be about to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    pub(super) instance: usize,
    pub(super) generation: usize,
}

/// A task of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskOf {
    pub(super) run: Run,
    pub(super) task: TaskId,
}

pub(super) struct Instance {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) parent: Option<Attempt>,
    pub(super) version: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) generation: usize,
    pub(super) ended: bool,
    pub(super) next_input: Option<NextInput>,
    pub(super) custom_status: Option<Value>,
    /// Who waits for which event, oldest first; names in lower case.
    pub(super) waiting: VecDeque<(String, TaskId)>,
    /// Events that nobody has taken, oldest first.
    pub(super) buffered: VecDeque<(String, String)>,
    pub(super) section: Option<Section>,
    /// Calls of entities that are not answered.
    pub(super) entity_calls: BTreeMap<TaskId, EntityId>,
    /// What can be aborted, by what it calls.
    pub(super) called: BTreeMap<TaskId, String>,
    pub(super) cancelled: BTreeSet<TaskId>,
    pub(super) tasks: TaskId,
    pub(super) guids: u32,
}

/// A critical section, wished for or entered.
pub(super) struct Section {
    pub(super) entities: Vec<EntityId>,
    pub(super) granted: bool,
}

pub(super) struct NextInput {
    pub(super) input: String,
    pub(super) preserve_events: bool,
    pub(super) new_version: Option<String>,
}

/// Something that will happen.
pub(super) enum Item {
    /// One try of an activity, a sub-orchestration or an HTTP request.
    Try(Box<Attempt>),
    /// A task ends.
    Complete(TaskOf, Outcome),
    /// Somebody raises an event.
    Event { instance_id: String, name: String, payload: String },
    /// Somebody wants an entity to do something.
    Operation(Operation),
    /// A run wants entities locked.
    Lock { of: TaskOf, entities: Vec<EntityId> },
    /// Somebody starts an orchestration that nobody waits for.
    Start(Start),
}

pub(super) struct Operation {
    pub(super) to: EntityId,
    pub(super) name: String,
    pub(super) input: String,
    pub(super) sender: Sender,
}

/// Who sent an operation.
#[derive(Clone)]
pub(super) enum Sender {
    /// A run that waits for the answer.
    Caller(TaskOf),
    /// A run that does not.
    Run(Run),
    Entity(EntityId),
}

pub(super) struct Start {
    pub(super) name: String,
    pub(super) input: String,
    pub(super) id: String,
    pub(super) options: StartOptions,
}

/// One try of a call.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) of: TaskOf,
    pub(super) target: Target,
    pub(super) retry: Option<RetryPolicy>,
    /// From 0.
    pub(super) number: u32,
    pub(super) first_at: Timestamp,
    /// How often an HTTP request was answered with 202.
    pub(super) polls: u32,
}

/// What is tried.
#[derive(Clone)]
pub(super) enum Target {
    Activity { name: String, input: String, options: ActivityOptions },
    SubOrchestration { name: String, input: String, start: StartOptions },
    Http(Box<HttpRequest>),
}

impl Target {
    pub(super) fn name(&self) -> String {
        match self {
            Target::Activity { name, .. } | Target::SubOrchestration { name, .. } => name.clone(),
            Target::Http(request) => format!("{} {}", request.method, request.url),
        }
    }

    fn kind(&self) -> CallKind {
        match self {
            Target::Activity { .. } => CallKind::Activity,
            Target::SubOrchestration { .. } => CallKind::SubOrchestrator,
            Target::Http(_) => CallKind::Http,
        }
    }

    fn input(&self) -> Value {
        match self {
            Target::Activity { input, .. } | Target::SubOrchestration { input, .. } => value(input),
            Target::Http(_) => Value::Null,
        }
    }
}

/// JSON as it is shown.
pub(super) fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or(Value::Null)
}

impl World {
    pub(super) fn new(start: Timestamp) -> World {
        World {
            start,
            now: start,
            agenda: BTreeMap::new(),
            instances: Vec::new(),
            entities: Entities::default(),
            locks: BTreeMap::new(),
            blocked: VecDeque::new(),
            calls: Vec::new(),
            log: Vec::new(),
            items_ever: 0,
            starts_ever: 0,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    pub(super) fn plan(&mut self, at: Timestamp, item: Item) {
        self.items_ever += 1;
        self.agenda.insert((at.max(self.now), self.items_ever), item);
    }

    pub(super) fn add_instance(
        &mut self,
        id: &str,
        name: &str,
        parent: Option<Attempt>,
        options: &StartOptions,
    ) -> usize {
        let mut tags = match &parent {
            Some(attempt) => self.instances[attempt.of.run.instance].tags.clone(),
            None => BTreeMap::new(),
        };
        tags.extend(options.tags.clone());
        self.instances.push(Instance {
            id: id.into(),
            name: name.into(),
            parent,
            version: options.version.clone(),
            tags,
            generation: 0,
            ended: false,
            next_input: None,
            custom_status: None,
            waiting: VecDeque::new(),
            buffered: VecDeque::new(),
            section: None,
            entity_calls: BTreeMap::new(),
            called: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            tasks: 0,
            guids: 0,
        });
        self.instances.len() - 1
    }

    /// An id for an orchestration that was started without one.
    pub(super) fn new_instance_id(&mut self) -> String {
        self.starts_ever += 1;
        format!("started-{}", self.starts_ever)
    }

    /// Begins the next generation of an instance.
    pub(super) fn renew(&mut self, instance: usize, next: &NextInput) {
        self.unlock(Run { instance, generation: self.instances[instance].generation });
        let instance = &mut self.instances[instance];
        instance.generation += 1;
        instance.waiting.clear();
        instance.cancelled.clear();
        instance.entity_calls.clear();
        instance.called.clear();
        (instance.tasks, instance.guids) = (0, 0);
        if !next.preserve_events {
            instance.buffered.clear();
        }
        if next.new_version.is_some() {
            instance.version.clone_from(&next.new_version);
        }
    }

    /// Ends an instance, and its children if it was ended by somebody.
    pub(super) fn end(&mut self, instance: usize, with_children: bool) {
        self.unlock(Run { instance, generation: self.instances[instance].generation });
        self.instances[instance].ended = true;
        if !with_children {
            return;
        }
        let is_child = |other: &Instance| {
            !other.ended && other.parent.as_ref().is_some_and(|attempt| attempt.of.run.instance == instance)
        };
        let children: Vec<usize> =
            (0..self.instances.len()).filter(|&other| is_child(&self.instances[other])).collect();
        for child in children {
            self.end(child, true);
        }
    }

    /// Ends the critical section of a run, if it has one, and lets those who wait for its entities try again.
    pub(super) fn unlock(&mut self, run: Run) {
        if self.instances[run.instance].section.take().is_none() {
            return;
        }
        self.record(run, CallKind::Unlock, String::new(), (Value::Null, 1));
        self.locks.retain(|_, owner| *owner != run);
        for item in std::mem::take(&mut self.blocked) {
            self.plan(self.now, item);
        }
    }

    pub(super) fn record(&mut self, run: Run, kind: CallKind, name: String, (input, attempt): (Value, u32)) {
        let instance_id = self.instances[run.instance].id.clone();
        self.record_for(instance_id, kind, name, (input, attempt));
    }

    pub(super) fn record_for(
        &mut self,
        instance_id: String,
        kind: CallKind,
        name: String,
        (input, attempt): (Value, u32),
    ) {
        self.calls.push(Call { at: self.elapsed(), instance_id, kind, name, input, attempt });
    }

    pub(super) fn record_try(&mut self, attempt: &Attempt) {
        let target = &attempt.target;
        self.record(attempt.of.run, target.kind(), target.name(), (target.input(), attempt.number + 1));
    }

    /// Whether the end of this task still matters to anybody.
    pub(super) fn is_open(&self, of: TaskOf) -> bool {
        let instance = &self.instances[of.run.instance];
        !instance.ended && instance.generation == of.run.generation && !instance.cancelled.contains(&of.task)
    }

    pub(super) fn execution_id(run: Run) -> String {
        format!("{:016x}{:016x}", run.instance + 1, run.generation + 1)
    }
}
