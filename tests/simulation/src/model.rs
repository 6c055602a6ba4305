//! The model: runs an orchestrator straight through, with nothing stored, nothing replayed and nothing failing.
//!
//! It shares the author's code with the engine and not one line of how the engine gets it done. Activities and children are
//! run at the very moment they are asked for; events are there when they are awaited.

use crate::author::activities::{self, OutsideSystems};
use crate::author::entities::{Hands, operate};
use crate::author::{Calls, Context, Order, Outcome, Request, Surroundings, apps, programs};
use crate::clock::EPOCH;
use orchestration::{
    ActivityTask, EntityAction, EntityId, EventId, ExecutionId, Failure, InstanceId, Json, RetryPolicy, Tags,
    TaskNumber, Timeouts, Timestamp,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// What all instances of the model share: the systems outside, and the events that clients will raise.
#[derive(Clone, Default)]
pub(crate) struct Model {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    systems: OutsideSystems,
    /// By instance: name and payload in the order of raising.
    events: BTreeMap<String, VecDeque<(String, Json)>>,
    entities: BTreeMap<EntityId, Json>,
    instances: u32,
}

impl Model {
    /// Raises an event before anything runs.
    pub(crate) fn raise(&self, instance: &str, name: &str, payload: Json) {
        self.lock().events.entry(instance.to_owned()).or_default().push_back((name.to_lowercase(), payload));
    }

    /// Runs an instance to its end; none if it would wait for ever.
    pub(crate) fn run(&self, instance: &str, name: &str, input: Json) -> Option<Outcome> {
        let Some(program) = programs::find(name, apps::FIRST) else {
            return Some(Err(Failure::new(Failure::ORCHESTRATOR_NOT_FOUND, name)));
        };
        let (mut input, mut now) = (input, EPOCH);
        loop {
            let context = Context::new();
            let mut interpreter = Box::new(Interpreter::new(self.clone(), instance, now));
            let mut future = program(context.clone(), input);
            let outcome = loop {
                context.enter(Surroundings::Model(interpreter));
                let polled = future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop()));
                match context.leave() {
                    Some(Surroundings::Model(back)) => interpreter = back,
                    Some(Surroundings::Cursor(_)) | None => unreachable!("the interpreter was only lent"),
                }
                match polled {
                    Poll::Ready(outcome) => break outcome,
                    Poll::Pending if context.has_trapped() => {
                        return Some(Err(Failure::new("FunctionTrapped", "unreachable")));
                    }
                    Poll::Pending => interpreter.complete_next(&context)?,
                }
            };
            match interpreter.continued.take() {
                Some(next) => (input, now) = (next, interpreter.now),
                None => return Some(outcome),
            }
        }
    }

    fn next_instance(&self) -> u32 {
        let mut state = self.lock();
        state.instances += 1;
        state.instances
    }

    fn take_event(&self, instance: &str, name: &str) -> Option<Json> {
        let mut state = self.lock();
        let events = state.events.get_mut(instance)?;
        let place = events.iter().position(|(known, _)| known == name)?;
        events.remove(place).map(|(_, payload)| payload)
    }

    fn give_back_event(&self, instance: &str, name: &str, payload: Json) {
        self.lock().events.entry(instance.to_owned()).or_default().push_front((name.to_owned(), payload));
    }

    /// Runs an operation on the spot, and what it tells others. One that fails changes nothing.
    fn operate(&self, entity: &EntityId, operation: &str, input: &Json, now: Timestamp) -> Outcome {
        let mut state = self.lock().entities.get(entity).cloned();
        let mut actions = Vec::new();
        let mut hands = Hands { state: &mut state, actions: &mut actions, now };
        let outcome = operate(entity, operation, input, &mut hands)
            .unwrap_or_else(|| Err(Failure::new("FunctionTrapped", "unreachable")));
        if outcome.is_ok() {
            match state {
                Some(state) => self.lock().entities.insert(entity.clone(), state),
                None => self.lock().entities.remove(entity),
            };
            for action in actions {
                // What an entity starts ends by itself; nobody here waits for it.
                if let EntityAction::Signal { entity, operation, input, .. } = action {
                    self.operate(&entity, &operation, &input, now).map(drop).unwrap_or_default();
                }
            }
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task whose answer is known, and when it comes.
struct Answer {
    outcome: Outcome,
    /// The name of the event that it takes, if it is one.
    event: Option<String>,
}

/// One execution of the model.
pub(crate) struct Interpreter {
    model: Model,
    instance: String,
    now: Timestamp,
    next_task: u32,
    guids: u32,
    answers: BTreeMap<(Timestamp, TaskNumber), Answer>,
    continued: Option<Json>,
}

impl Interpreter {
    fn new(model: Model, instance: &str, now: Timestamp) -> Interpreter {
        let instance = instance.to_owned();
        Interpreter { model, instance, now, next_task: 0, guids: 0, answers: BTreeMap::new(), continued: None }
    }

    /// Lets the next answer come; none if nothing is on its way.
    fn complete_next(&mut self, context: &Context) -> Option<()> {
        let ((at, task), answer) = self.answers.pop_first()?;
        self.now = self.now.max(at);
        context.finish(task, answer.outcome);
        Some(())
    }

    fn activity(&self, name: &str, input: &Json, retry: Option<&RetryPolicy>) -> (Timestamp, Outcome) {
        let Some(activity) = activities::find(name) else {
            return (self.now, Err(Failure::new(Failure::ACTIVITY_NOT_FOUND, name)));
        };
        let (mut at, mut attempt) = (self.now, 1);
        loop {
            let task = ActivityTask {
                instance: InstanceId::from_stored(&self.instance),
                execution: ExecutionId::from_random(0),
                id: EventId(0),
                name: name.to_owned(),
                input: input.clone(),
                attempt,
                timeouts: Timeouts::default(),
                tags: Tags::new(),
                caller: String::new(),
                version: None,
                pinned_to: Some(apps::FIRST.to_owned()),
            };
            let outcome = (activity.run)(&task, &mut self.model.lock().systems);
            at = at.saturating_add(activity.takes);
            let again = retry.is_some_and(|policy| attempt < policy.max_attempts);
            match outcome {
                Err(failure) if again && !failure.non_retriable => attempt += 1,
                outcome => return (at, outcome),
            }
        }
    }

    /// Runs a child on the spot; none if it never ends.
    fn child(&self, name: &str, input: &Json, id: Option<&str>, retry: Option<&RetryPolicy>) -> Option<Outcome> {
        let attempts = retry.map_or(1, |policy| policy.max_attempts);
        let mut last = None;
        for _ in 0..attempts {
            let id = id.map_or_else(|| format!("child {}", self.model.next_instance()), str::to_owned);
            let outcome = self.model.run(&id, name, input.clone())?;
            let done = outcome.as_ref().is_ok() || outcome.as_ref().is_err_and(|failure| failure.non_retriable);
            last = Some(outcome);
            if done {
                break;
            }
        }
        last
    }
}

impl Calls for Interpreter {
    fn request(&mut self, request: Request) -> Option<TaskNumber> {
        let task = TaskNumber(self.next_task);
        self.next_task += 1;
        let mut taken = None;
        let answer = match request {
            Request::Activity { name, input, retry, .. } => Some(self.activity(&name, &input, retry.as_ref())),
            Request::SubOrchestration { name, input, instance_id, retry } => {
                self.child(&name, &input, instance_id.as_deref(), retry.as_ref()).map(|outcome| (self.now, outcome))
            }
            Request::Timer { fire_at } => Some((fire_at, Ok(Json::null()))),
            Request::Event { name } => {
                let name = name.to_lowercase();
                let payload = self.model.take_event(&self.instance, &name);
                taken = Some(name);
                payload.map(|payload| (self.now, Ok(payload)))
            }
            Request::Entity { entity, operation, input } => {
                Some((self.now, self.model.operate(&entity, &operation, &input, self.now)))
            }
            // Nobody else is there to hold a lock.
            Request::Lock { .. } => Some((self.now, Ok(Json::null()))),
        };
        if let Some((at, outcome)) = answer {
            self.answers.insert((at, task), Answer { outcome, event: taken });
        }
        Some(task)
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Signal { entity, operation, input, .. } => {
                self.model.operate(&entity, &operation, &input, self.now).map(drop).unwrap_or_default();
            }
            // What others make of it is judged where they end.
            Order::Unlock | Order::SendEvent { .. } | Order::Start { .. } => {}
        }
    }

    fn abort(&mut self, task: TaskNumber) {
        self.cancel(task);
    }

    fn cancel(&mut self, task: TaskNumber) {
        let Some(key) = self.answers.keys().copied().find(|(_, other)| *other == task) else {
            return;
        };
        if let Some(Answer { outcome: Ok(payload), event: Some(name) }) = self.answers.remove(&key) {
            self.model.give_back_event(&self.instance, &name, payload);
        }
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn new_guid(&mut self) -> String {
        self.guids += 1;
        format!("guid {}", self.guids)
    }

    fn instance(&self) -> String {
        self.instance.clone()
    }

    fn set_custom_status(&mut self, _: Json) {}

    fn continue_as_new(&mut self, input: Json, _: Option<&str>) {
        self.continued = Some(input);
    }
}
