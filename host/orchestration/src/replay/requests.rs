//! The requests that an orchestrator can make, each answered with a task number at once.

use super::external_events::Taken;
use super::http::HttpTask;
use super::{Action, Completion, Cursor, RecordedAction, Stopped};
use crate::{
    EntityId, EventId, Failure, InstanceId, Json, RetryPolicy, StartOptions, Tags, TaskNumber, Timeouts, Timestamp,
};
use uuid::Uuid;

/// A call of an activity.
#[derive(Clone, PartialEq, Debug)]
pub struct ActivityCall {
    /// The activity.
    pub name: String,
    /// Its argument.
    pub input: Json,
    /// When to try again.
    pub retry: Option<RetryPolicy>,
    /// How long one run may take.
    pub timeouts: Timeouts,
    /// Shown in the history.
    pub tags: Tags,
}

/// A call of another orchestrator.
#[derive(Clone, PartialEq, Debug)]
pub struct SubOrchestrationCall {
    /// The orchestrator.
    pub name: String,
    /// Its argument.
    pub input: Json,
    /// The child's id; none: a new deterministic GUID for each try.
    pub instance_id: Option<String>,
    /// What else it is started with.
    pub options: StartOptions,
    /// When to try again.
    pub retry: Option<RetryPolicy>,
}

/// A task that has not completed.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) request: Request,
    /// The action whose answer it waits for; a task that waits for an external event has none.
    pub(super) event: Option<EventId>,
}

/// What a task stands for.
#[derive(Debug)]
pub(super) enum Request {
    Activity(ActivityCall, Tries),
    SubOrchestration(SubOrchestrationCall, Tries),
    /// Boxed because it is large and rare.
    Http(Box<HttpTask>, Tries),
    Timer,
    /// An entity that was called.
    Entity(EntityId),
    /// Entering a critical section.
    Lock,
    ExternalEvent {
        name: String,
        /// The event that is on its way to the task; given back if the task is given up before.
        taken: Option<Taken>,
    },
}

/// How often a call was tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tries {
    /// The action that asked first.
    pub(super) first: EventId,
    pub(super) first_at: Timestamp,
    /// The number of failures so far.
    pub(super) failed: u32,
    /// Whether what is open is the timer between two tries.
    pub(super) paused: bool,
}

impl Cursor {
    /// Asks for an activity.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn call_activity(&mut self, call: ActivityCall) -> Result<TaskNumber, Stopped> {
        self.check()?;
        let task = self.new_task();
        if let Some(failure) = invalid_policy(call.retry.as_ref()) {
            self.answer(task, Err(failure));
            return Ok(task);
        }
        let event = self.schedule_task(&call, 1, None)?;
        let tries = Tries { first: event, first_at: self.now, failed: 0, paused: false };
        self.open(task, Request::Activity(call, tries), Some(event));
        Ok(task)
    }

    /// Asks for a child.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn call_sub_orchestration(&mut self, call: SubOrchestrationCall) -> Result<TaskNumber, Stopped> {
        self.check()?;
        let task = self.new_task();
        if let Some(failure) = invalid_policy(call.retry.as_ref()).or_else(|| self.invalid_child(&call)) {
            self.answer(task, Err(failure));
            return Ok(task);
        }
        let event = self.create_sub_orchestration(&call, None)?;
        let tries = Tries { first: event, first_at: self.now, failed: 0, paused: false };
        self.open(task, Request::SubOrchestration(call, tries), Some(event));
        Ok(task)
    }

    /// Asks to be woken at `fire_at` or later.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn create_timer(&mut self, fire_at: Timestamp) -> Result<TaskNumber, Stopped> {
        self.check()?;
        let task = self.new_task();
        let event = self.set_timer(fire_at, None)?;
        self.open(task, Request::Timer, Some(event));
        Ok(task)
    }

    /// Waits for an event of this name, compared without case. The oldest one that nobody took answers at once.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn wait_for_event(&mut self, name: &str) -> Result<TaskNumber, Stopped> {
        self.check()?;
        let task = self.new_task();
        let taken = self.external_events.wait(task, name);
        self.open(task, Request::ExternalEvent { name: name.to_owned(), taken: None }, None);
        if let Some(taken) = taken {
            self.hand_over(task, taken);
        }
        Ok(task)
    }

    /// Asks for what the caller knows to be impossible: the task completes with this failure, and nothing is recorded.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn refuse(&mut self, failure: Failure) -> Result<TaskNumber, Stopped> {
        self.check()?;
        let task = self.new_task();
        self.answer(task, Err(failure));
        Ok(task)
    }

    /// An event is on its way to a task that waits for it; until it is there, the task can still be given up.
    fn hand_over(&mut self, task: TaskNumber, event: Taken) {
        if let Some(Task { request: Request::ExternalEvent { taken, .. }, .. }) = self.tasks.get_mut(&task) {
            self.ready.push_back(Completion { task, outcome: Ok(event.input()) });
            *taken = Some(event);
        }
    }

    /// The events that are on their way to tasks. None of them arrives any more.
    pub(super) fn stop_handing_over(&mut self) -> Vec<Taken> {
        let taken = |completion: Completion| match self.tasks.remove(&completion.task)?.request {
            Request::ExternalEvent { taken, .. } => taken,
            Request::Activity(..)
            | Request::SubOrchestration(..)
            | Request::Http(..)
            | Request::Timer
            | Request::Entity(_)
            | Request::Lock => None,
        };
        self.ready.drain(..).filter_map(taken).collect()
    }

    /// Gives a task up: `next` will not answer it.
    pub fn cancel(&mut self, task: TaskNumber) {
        self.ready.retain(|completion| completion.task != task);
        let Some(Task { request, event }) = self.tasks.remove(&task) else {
            return;
        };
        if let Some(event) = event {
            self.by_event.remove(&event);
        }
        match request {
            Request::ExternalEvent { taken: Some(taken), .. } => {
                if let Some((next, taken)) = self.external_events.give_back(taken) {
                    self.hand_over(next, taken);
                }
            }
            Request::ExternalEvent { name, taken: None } => self.external_events.stop_waiting(task, &name),
            Request::Timer => self.cancel_timer(event),
            Request::Entity(entity) => self.call_ended(&entity),
            // Nobody would leave a section that nobody knows to have entered.
            Request::Lock => self.leave_section(),
            Request::Activity(_, tries) | Request::SubOrchestration(_, tries) | Request::Http(_, tries) => {
                self.cancel_timer(event.filter(|_| tries.paused));
            }
        }
    }

    fn cancel_timer(&mut self, timer: Option<EventId>) {
        if let (Some(id), false) = (timer, self.replaying) {
            self.actions.push(Action::CancelTimer { id });
        }
    }

    /// Gives a task up and stops what was asked for: an activity is interrupted, a child terminated.
    pub fn abort(&mut self, task: TaskNumber) {
        let open = self.tasks.get(&task).and_then(|task| match &task.request {
            Request::Activity(_, tries) | Request::SubOrchestration(_, tries) | Request::Http(_, tries)
                if !tries.paused =>
            {
                task.event
            }
            Request::Activity(..)
            | Request::SubOrchestration(..)
            | Request::Http(..)
            | Request::Timer
            | Request::Entity(_)
            | Request::Lock
            | Request::ExternalEvent { .. } => None,
        });
        self.cancel(task);
        if let (Some(id), false) = (open, self.replaying) {
            self.actions.push(Action::Abort { id });
        }
    }

    pub(super) fn schedule_task(
        &mut self,
        call: &ActivityCall,
        attempt: u32,
        retry_of: Option<EventId>,
    ) -> Result<EventId, Stopped> {
        let id = self.number("TaskScheduled", Some((&call.name, &call.input)))?;
        let ActivityCall { name, input, timeouts, tags, .. } = call.clone();
        self.emit(|| Action::ScheduleTask { id, name, input, attempt, retry_of, timeouts, tags });
        Ok(id)
    }

    pub(super) fn create_sub_orchestration(
        &mut self,
        call: &SubOrchestrationCall,
        retry_of: Option<EventId>,
    ) -> Result<EventId, Stopped> {
        let instance_id = match &call.instance_id {
            Some(chosen) => InstanceId::from_stored(chosen),
            None => self.default_child_id(),
        };
        let id = self.number("SubOrchestrationInstanceCreated", Some((&call.name, &call.input)))?;
        self.emit(|| Action::CreateSubOrchestration {
            id,
            name: call.name.clone(),
            instance_id,
            input: call.input.clone(),
            retry_of,
            detached: false,
            options: call.options.clone(),
        });
        Ok(id)
    }

    /// The GUID of a child follows from the execution and the place of the request, not from the clock: two executions of
    /// one instance may see the same time.
    pub(super) fn default_child_id(&self) -> InstanceId {
        let namespace = Uuid::from_u128(self.identity.execution.as_u128());
        let name = format!("child instance {}", self.next_event);
        InstanceId::from_random(Uuid::new_v5(&namespace, name.as_bytes()).as_u128())
    }

    pub(super) fn set_timer(&mut self, fire_at: Timestamp, retry_of: Option<EventId>) -> Result<EventId, Stopped> {
        let id = self.number("TimerCreated", None)?;
        self.emit(|| Action::CreateTimer { id, fire_at, retry_of });
        Ok(id)
    }

    /// Gives the next action its number, once it is known to be what the history records.
    pub(super) fn number(&mut self, kind: &'static str, call: Option<(&String, &Json)>) -> Result<EventId, Stopped> {
        let (name, input) = match call {
            Some((name, input)) if self.replaying => (Some(name.clone()), Some(input.clone())),
            Some(_) | None => (None, None),
        };
        self.number_of(kind, name, input)
    }

    pub(super) fn number_of(
        &mut self,
        kind: &'static str,
        name: Option<String>,
        input: Option<Json>,
    ) -> Result<EventId, Stopped> {
        let id = EventId(self.next_event);
        if self.replaying {
            self.compare(RecordedAction { id, kind, name, input })?;
        }
        if self.actions.len() >= self.limits.max_actions {
            let max = self.limits.max_actions;
            return Err(self.stop(Stopped::TooManyActions { max }));
        }
        self.next_event += 1;
        Ok(id)
    }

    /// What is replayed has been done before.
    pub(super) fn emit(&mut self, action: impl FnOnce() -> Action) {
        if !self.replaying {
            self.actions.push(action());
        }
    }

    pub(super) fn new_task(&mut self) -> TaskNumber {
        let task = TaskNumber(self.next_task);
        self.next_task += 1;
        task
    }

    pub(super) fn open(&mut self, task: TaskNumber, request: Request, event: Option<EventId>) {
        if let Some(event) = event {
            self.by_event.insert(event, task);
        }
        self.tasks.insert(task, Task { request, event });
    }

    /// A child may have neither its parent's id nor its grandparent's, and none that is no id at all.
    fn invalid_child(&self, call: &SubOrchestrationCall) -> Option<Failure> {
        if let Some(why) = self.no_child_in_section(&call.name) {
            return Some(why);
        }
        if call.options.start_at.is_some() {
            let message = format!(
                "cannot start the sub-orchestration '{}' at a later time: wait for a timer first, or start it detached",
                call.name
            );
            return Some(Failure::new(Failure::INVALID_ARGUMENT, message).non_retriable());
        }
        let id = call.instance_id.as_deref()?;
        let invalid = |why: String| {
            let message =
                format!("cannot start the sub-orchestration '{}' with the instance id '{id}': {why}", call.name);
            Some(Failure::new(Failure::INVALID_ARGUMENT, message).non_retriable())
        };
        if let Err(why) = InstanceId::parse(id) {
            return invalid(why.to_string());
        }
        if id == self.identity.instance.as_str() {
            return invalid("it is the parent's own id; choose another or leave it out".to_owned());
        }
        match &self.identity.parent {
            Some(parent) if parent.instance.as_str() == id => {
                invalid("it is the id of the parent's parent; choose another or leave it out".to_owned())
            }
            Some(_) | None => None,
        }
    }
}

fn invalid_policy(policy: Option<&RetryPolicy>) -> Option<Failure> {
    let why = policy?.validate().err()?;
    Some(Failure::new(Failure::INVALID_RETRY_POLICY, why.to_string()).non_retriable())
}
