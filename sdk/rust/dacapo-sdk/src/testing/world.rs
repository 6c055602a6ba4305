//! The state of a scripted world, and how a running orchestrator asks of it.
//!
//! Asking only puts something on the agenda; what is on it happens in [`simulation`](super::simulation), when the world
//! is not borrowed by the orchestrator that asked.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use serde_json::Value;

use super::outcome::{Call, CallKind, LogLine};
use crate::execution::{Durable, Outcome, Request, TaskId};
use crate::{Identity, Level, RetryPolicy, Timestamp};

pub(super) struct World {
    pub(super) start: Timestamp,
    pub(super) now: Timestamp,
    /// By moment, then in the order in which it was put there.
    pub(super) agenda: BTreeMap<(Timestamp, u64), Item>,
    pub(super) instances: Vec<Instance>,
    pub(super) calls: Vec<Call>,
    pub(super) log: Vec<LogLine>,
    items_ever: u64,
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
    pub(super) generation: usize,
    pub(super) ended: bool,
    pub(super) next_input: Option<NextInput>,
    pub(super) custom_status: Option<Value>,
    /// Who waits for which event, oldest first; names in lower case.
    pub(super) waiting: VecDeque<(String, TaskId)>,
    /// Events that nobody has taken, oldest first.
    pub(super) buffered: VecDeque<(String, String)>,
    cancelled: BTreeSet<TaskId>,
    tasks: TaskId,
    guids: u32,
}

pub(super) struct NextInput {
    pub(super) input: String,
    pub(super) preserve_events: bool,
}

/// Something that will happen.
pub(super) enum Item {
    /// One try of an activity or sub-orchestration.
    Try(Attempt),
    /// A task ends.
    Complete(TaskOf, Outcome),
    /// Somebody raises an event.
    Event { instance_id: String, name: String, payload: String },
}

/// One try of a call.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) of: TaskOf,
    pub(super) kind: CallKind,
    pub(super) name: String,
    pub(super) input: String,
    pub(super) instance_id: Option<String>,
    pub(super) retry: Option<RetryPolicy>,
    /// From 0.
    pub(super) number: u32,
    pub(super) first_at: Timestamp,
}

impl World {
    pub(super) fn new(start: Timestamp) -> World {
        World {
            start,
            now: start,
            agenda: BTreeMap::new(),
            instances: Vec::new(),
            calls: Vec::new(),
            log: Vec::new(),
            items_ever: 0,
        }
    }

    pub(super) fn plan(&mut self, at: Timestamp, item: Item) {
        self.items_ever += 1;
        self.agenda.insert((at.max(self.now), self.items_ever), item);
    }

    pub(super) fn add_instance(&mut self, id: &str, name: &str, parent: Option<Attempt>) -> usize {
        self.instances.push(Instance {
            id: id.into(),
            name: name.into(),
            parent,
            generation: 0,
            ended: false,
            next_input: None,
            custom_status: None,
            waiting: VecDeque::new(),
            buffered: VecDeque::new(),
            cancelled: BTreeSet::new(),
            tasks: 0,
            guids: 0,
        });
        self.instances.len() - 1
    }

    /// Begins the next generation of an instance.
    pub(super) fn renew(&mut self, instance: usize, preserve_events: bool) {
        let instance = &mut self.instances[instance];
        instance.generation += 1;
        instance.waiting.clear();
        instance.cancelled.clear();
        (instance.tasks, instance.guids) = (0, 0);
        if !preserve_events {
            instance.buffered.clear();
        }
    }

    pub(super) fn record(&mut self, instance: usize, kind: CallKind, name: String, (input, attempt): (Value, u32)) {
        let (at, instance_id) = (self.now - self.start, self.instances[instance].id.clone());
        self.calls.push(Call { at, instance_id, kind, name, input, attempt });
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

/// A running orchestrator's hold on the world.
pub(super) struct Handle {
    pub(super) world: Rc<RefCell<World>>,
    pub(super) run: Run,
}

impl Handle {
    fn plan_call(&self, kind: CallKind, of: TaskOf, call: (&str, &str, Option<&RetryPolicy>, Option<&String>)) {
        let (name, input, retry, instance_id) = call;
        let mut world = self.world.borrow_mut();
        let now = world.now;
        let attempt = Attempt {
            of,
            kind,
            name: name.into(),
            input: input.into(),
            instance_id: instance_id.cloned(),
            retry: retry.cloned(),
            number: 0,
            first_at: now,
        };
        world.plan(now, Item::Try(attempt));
    }

    fn plan_timer(&self, of: TaskOf, fire_at: Timestamp) {
        let mut world = self.world.borrow_mut();
        world.record(self.run.instance, CallKind::Timer, fire_at.to_string(), (Value::Null, 1));
        world.plan(fire_at, Item::Complete(of, Ok("null".into())));
    }

    fn plan_event(&self, of: TaskOf, name: &str) {
        let mut world = self.world.borrow_mut();
        world.record(self.run.instance, CallKind::Event, name.into(), (Value::Null, 1));
        let (now, key) = (world.now, name.to_lowercase());
        let instance = &mut world.instances[self.run.instance];
        match instance.buffered.iter().position(|(buffered, _)| *buffered == key) {
            Some(at) => {
                let payload = instance.buffered.remove(at).map(|(_, payload)| payload).unwrap_or_default();
                world.plan(now, Item::Complete(of, Ok(payload)));
            }
            None => instance.waiting.push_back((key, of.task)),
        }
    }
}

impl Durable for Handle {
    fn request(&self, request: &Request) -> TaskId {
        let task = {
            let mut world = self.world.borrow_mut();
            let instance = &mut world.instances[self.run.instance];
            instance.tasks += 1;
            instance.tasks
        };
        let of = TaskOf { run: self.run, task };
        match request {
            Request::Activity { name, input, retry } => {
                self.plan_call(CallKind::Activity, of, (name, input, retry.as_ref(), None));
            }
            Request::SubOrchestration { name, input, instance_id, retry } => {
                let call = (name.as_str(), input.as_str(), retry.as_ref(), instance_id.as_ref());
                self.plan_call(CallKind::SubOrchestrator, of, call);
            }
            Request::Timer { fire_at } => self.plan_timer(of, *fire_at),
            Request::Event { name } => self.plan_event(of, name),
        }
        task
    }

    fn cancel(&self, task: TaskId) {
        let mut world = self.world.borrow_mut();
        let instance = &mut world.instances[self.run.instance];
        instance.waiting.retain(|(_, waiting)| *waiting != task);
        instance.cancelled.insert(task);
    }

    fn set_custom_status(&self, status: Option<&str>) {
        let status = status.and_then(|json| serde_json::from_str(json).ok());
        self.world.borrow_mut().instances[self.run.instance].custom_status = status;
    }

    fn continue_as_new(&self, input: &str, preserve_unprocessed_events: bool) {
        let next = NextInput { input: input.into(), preserve_events: preserve_unprocessed_events };
        self.world.borrow_mut().instances[self.run.instance].next_input = Some(next);
    }

    fn now(&self) -> Timestamp {
        self.world.borrow().now
    }

    /// The same on every run, and of the shape that the host's have.
    fn new_guid(&self) -> String {
        let mut world = self.world.borrow_mut();
        let instance = &mut world.instances[self.run.instance];
        instance.guids += 1;
        let Run { instance: number, generation } = self.run;
        format!("{:08x}-{:04x}-5000-8000-{:012x}", number + 1, generation & 0xffff, instance.guids)
    }

    fn is_replaying(&self) -> bool {
        false
    }

    fn identity(&self) -> Identity {
        let world = self.world.borrow();
        let instance = &world.instances[self.run.instance];
        Identity {
            instance_id: instance.id.clone(),
            execution_id: World::execution_id(self.run),
            name: instance.name.clone(),
            parent_instance_id: instance
                .parent
                .as_ref()
                .map(|attempt| world.instances[attempt.of.run.instance].id.clone()),
        }
    }

    fn log(&self, level: Level, message: &str) {
        let mut world = self.world.borrow_mut();
        let instance_id = world.instances[self.run.instance].id.clone();
        world.log.push(LogLine { instance_id, level, message: message.into() });
    }
}
