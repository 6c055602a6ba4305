//! The cursor: answers an orchestrator's calls from its history, and collects what it asks for once the history runs out.
//!
//! The orchestrator runs from its first line. Each request gets a task number at once; [`Cursor::next`] walks the events
//! one by one and answers with the completion of an open task, so that the code interleaves exactly as it did the first
//! time. While the events are old, every request is compared with what the history records at that place; when they run
//! out, the turn is over and the requests since then are its actions. A cursor lives as long as the guest that it drives:
//! the next turn hands it new events, or a new cursor walks the whole history again. Both give the same actions.
//!
//! Retry policies are followed here, so that a guest is not woken for a retry.

mod action;
mod answers;
mod comparison;
mod entities;
mod external_events;
mod fit;
mod http;
mod requests;

pub use action::{Action, RecordedAction};
pub use comparison::{NonDeterminism, Requested, Stopped};
pub use fit::{Departure, Fit, Recording};
pub use http::{HttpCall, HttpRequest, HttpResponse, HttpSettings};
pub use requests::{ActivityCall, SubOrchestrationCall};

use crate::{
    Event, EventId, EventKind, ExecutionId, ExecutionStarted, Failure, InstanceId, Json, Limits, Parent, RaisedEvent,
    Tags, TaskNumber, Timestamp,
};
use comparison::TurnRecorded;
use entities::CriticalSection;
use external_events::ExternalEvents;
use requests::{Request, Task};
use std::collections::{BTreeMap, HashMap, VecDeque};
use uuid::Uuid;

/// The namespace of deterministic GUIDs, as in the isolated .NET worker.
const GUID_NAMESPACE: Uuid = Uuid::from_u128(0x9e952958_5e33_4daf_827f_2fa12937b875);

/// Who runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Identity {
    /// The instance.
    pub instance: InstanceId,
    /// Its current execution.
    pub execution: ExecutionId,
    /// The orchestrator.
    pub name: String,
    /// Who waits for it.
    pub parent: Option<Parent>,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// Whatever was attached to it.
    pub tags: Tags,
}

/// The answer to a request.
#[derive(Clone, PartialEq, Debug)]
pub struct Completion {
    /// Which request.
    pub task: TaskNumber,
    /// What came of it.
    pub outcome: Result<Json, Failure>,
}

/// What [`Cursor::next`] answers.
#[derive(Clone, PartialEq, Debug)]
pub enum Next {
    /// A task completed: the orchestrator goes on.
    Completed(Completion),
    /// Nothing more is known: the turn is over.
    Waiting,
}

/// How a turn ended.
#[derive(Clone, PartialEq, Debug)]
pub enum TurnEnd {
    /// It waits for an answer.
    Waiting,
    /// It returned.
    Completed(Json),
    /// It returned a failure, or cannot go on.
    Failed(Failure),
    /// It returned after asking to start over.
    ContinuedAsNew {
        /// The argument of the next execution.
        input: Json,
        /// Events that the next execution gets before any other.
        carried_over: Vec<RaisedEvent>,
        /// The version of the next execution, if it is not to be the same; it then runs on the present app.
        new_version: Option<String>,
    },
}

/// What the orchestrator asked for when it asked to start over.
#[derive(Debug)]
struct ContinueAsNew {
    input: Json,
    preserve: bool,
    new_version: Option<String>,
}

/// A place in the history of one execution, and what the orchestrator has asked for up to there.
#[derive(Debug)]
pub struct Cursor {
    identity: Identity,
    limits: Limits,
    http: HttpSettings,
    /// Events that have not been walked; the first `past` of them were recorded in earlier turns.
    events: VecDeque<Event>,
    past: usize,
    /// How many of the first events are those that were held back until now.
    held_before: usize,
    /// How many events of the history are behind it.
    walked: u64,
    replaying: bool,
    recorded: TurnRecorded,
    started: Option<ExecutionStarted>,
    now: Timestamp,
    guids: u32,
    next_event: u32,
    next_task: u32,
    tasks: HashMap<TaskNumber, Task>,
    by_event: HashMap<EventId, TaskNumber>,
    /// Answers that need no further event.
    ready: VecDeque<Completion>,
    external_events: ExternalEvents,
    suspended: bool,
    /// What came while it was suspended.
    held_back: VecDeque<Event>,
    critical_section: Option<CriticalSection>,
    actions: Vec<Action>,
    custom_status: Option<Option<Json>>,
    continued: Option<ContinueAsNew>,
    stopped: Option<Stopped>,
}

impl Cursor {
    /// A cursor before the first of `past` events, all of them recorded in earlier turns.
    pub fn new(identity: Identity, limits: Limits, past: Vec<Event>) -> Cursor {
        Cursor {
            identity,
            limits,
            http: HttpSettings::default(),
            past: past.len(),
            events: VecDeque::from(past),
            held_before: 0,
            walked: 0,
            replaying: false,
            recorded: TurnRecorded::default(),
            started: None,
            now: Timestamp::default(),
            guids: 0,
            next_event: 0,
            next_task: 0,
            tasks: HashMap::new(),
            by_event: HashMap::new(),
            ready: VecDeque::new(),
            external_events: ExternalEvents::default(),
            suspended: false,
            held_back: VecDeque::new(),
            critical_section: None,
            actions: Vec::new(),
            custom_status: None,
            continued: None,
            stopped: None,
        }
    }

    /// With other settings for HTTP calls than the default ones.
    pub fn with_http(self, http: HttpSettings) -> Cursor {
        Cursor { http, ..self }
    }

    /// Adds the events of a new turn behind the others.
    pub fn feed(&mut self, events: impl IntoIterator<Item = Event>) {
        self.events.extend(events);
    }

    /// Walks up to the start of the execution, and on until it is not held, and answers the orchestrator's argument.
    ///
    /// # Errors
    /// When the events have no start, or it is held from before its start to their end.
    pub fn start(&mut self) -> Result<Json, Stopped> {
        while self.started.is_none() || self.suspended {
            let Some(event) = self.take_event() else {
                return Err(self.stop(Stopped::NotStarted));
            };
            self.walk(event);
        }
        match &self.started {
            Some(started) => Ok(started.input.clone()),
            None => Err(Stopped::NotStarted),
        }
    }

    /// Waits for the next completion of an open task.
    ///
    /// # Errors
    /// When the orchestrator departs from its history, or has gone over a limit; every later call fails in the same way.
    #[expect(clippy::should_implement_trait, reason = "named as in the guest contract; it is no iterator")]
    pub fn next(&mut self) -> Result<Next, Stopped> {
        loop {
            self.check()?;
            if let Some(completion) = self.ready.pop_front() {
                self.tasks.remove(&completion.task);
                return Ok(Next::Completed(completion));
            }
            match self.take_event() {
                Some(event) => self.walk(event),
                None => return Ok(Next::Waiting),
            }
        }
    }

    /// The time of the current turn.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether the code that runs now has run before.
    pub fn is_replaying(&self) -> bool {
        self.replaying
    }

    /// Who runs.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The next deterministic GUID: version 5 of `{instance id}_{time of the turn}_{counter}`.
    pub fn new_guid(&mut self) -> Uuid {
        let name = format!("{}_{}_{}", self.identity.instance, self.now, self.guids);
        self.guids += 1;
        Uuid::new_v5(&GUID_NAMESPACE, name.as_bytes())
    }

    /// Sets what the instance's status shows from this turn on; `None` clears it.
    pub fn set_custom_status(&mut self, status: Option<Json>) {
        if !self.replaying {
            self.custom_status = Some(status);
        }
    }

    /// Asks to start over with `input` once the orchestrator returns. `preserve` keeps the events that nobody took. A new
    /// version moves the instance to the present app.
    pub fn continue_as_new(&mut self, input: Json, preserve: bool, new_version: Option<String>) {
        self.continued = Some(ContinueAsNew { input, preserve, new_version });
    }

    /// Why the orchestrator cannot go on, if it cannot.
    pub fn stopped(&self) -> Option<&Stopped> {
        self.stopped.as_ref()
    }

    /// The actions of the turn that just ended, and the custom status if the turn set one. What an orchestrator asked for
    /// before it was stopped is void.
    pub fn take_actions(&mut self) -> (Vec<Action>, Option<Option<Json>>) {
        let (actions, custom_status) = (std::mem::take(&mut self.actions), self.custom_status.take());
        if self.stopped.is_some() { (Vec::new(), None) } else { (actions, custom_status) }
    }

    /// How many answers the code still waits for; for diagnosis.
    pub fn open_tasks(&self) -> usize {
        self.tasks.len()
    }

    /// The names of the external events that the code waits for, as it wrote them, in the order in which it began to wait; for
    /// diagnosis.
    pub fn awaited_events(&self) -> Vec<String> {
        let waits = self.tasks.iter().filter_map(|(number, task)| match &task.request {
            Request::ExternalEvent { name, taken: None } => Some((*number, name.clone())),
            Request::ExternalEvent { taken: Some(_), .. }
            | Request::Activity(..)
            | Request::SubOrchestration(..)
            | Request::Timer
            | Request::Entity(_)
            | Request::Lock
            | Request::Http(..) => None,
        });
        let in_order: BTreeMap<TaskNumber, String> = waits.collect();
        in_order.into_values().collect()
    }

    /// What it means that the orchestrator returned.
    pub fn returned(&mut self, result: Result<Json, Failure>) -> TurnEnd {
        if let Err(stopped) = self.finish_replay() {
            return TurnEnd::Failed(stopped.failure());
        }
        match (result, self.continued.take()) {
            (Err(failure), _) => TurnEnd::Failed(failure),
            (Ok(output), None) => TurnEnd::Completed(output),
            (Ok(_), Some(ContinueAsNew { input, preserve, new_version })) => {
                TurnEnd::ContinuedAsNew { input, carried_over: self.left_over(preserve), new_version }
            }
        }
    }

    /// Events that nobody took: those that came before, if they are to be preserved, and always those of this turn that
    /// were not walked any more.
    fn left_over(&mut self, preserve: bool) -> Vec<RaisedEvent> {
        let kept = if preserve {
            let on_their_way = self.stop_handing_over();
            self.external_events.take_untaken(on_their_way)
        } else {
            Vec::new()
        };
        let held_back = std::mem::take(&mut self.held_back);
        let unwalked = held_back.into_iter().chain(self.events.drain(..)).filter_map(|event| match event.kind {
            EventKind::EventRaised(raised) => Some(raised),
            EventKind::OrchestratorStarted
            | EventKind::OrchestratorCompleted
            | EventKind::ExecutionStarted(_)
            | EventKind::ExecutionCompleted { .. }
            | EventKind::ExecutionTerminated { .. }
            | EventKind::TaskScheduled { .. }
            | EventKind::TaskCompleted { .. }
            | EventKind::TaskFailed { .. }
            | EventKind::SubOrchestrationInstanceCreated { .. }
            | EventKind::SubOrchestrationInstanceCompleted { .. }
            | EventKind::SubOrchestrationInstanceFailed { .. }
            | EventKind::TimerCreated { .. }
            | EventKind::TimerFired { .. }
            | EventKind::ExecutionSuspended { .. }
            | EventKind::ExecutionResumed { .. }
            | EventKind::ExecutionRewound { .. }
            | EventKind::EventSent { .. }
            | EventKind::EntityOperationCalled { .. }
            | EventKind::EntityOperationSignaled { .. }
            | EventKind::EntityOperationCompleted { .. }
            | EventKind::EntityOperationFailed { .. }
            | EventKind::EntityLockRequested { .. }
            | EventKind::EntityLockGranted { .. }
            | EventKind::EntityUnlockSent { .. } => None,
        });
        kept.into_iter().chain(unwalked).collect()
    }

    fn take_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        match self.held_before.checked_sub(1) {
            Some(fewer) => self.held_before = fewer,
            None => self.walked += 1,
        }
        Some(event)
    }

    fn check(&self) -> Result<(), Stopped> {
        match &self.stopped {
            Some(stopped) => Err(stopped.clone()),
            None => Ok(()),
        }
    }

    /// Remembers the first reason to stop and answers it.
    fn stop(&mut self, why: Stopped) -> Stopped {
        self.stopped.get_or_insert(why).clone()
    }
}
