//! Orchestrators as ordinary async functions: the context that they call, and the executor that drives them with a cursor.
//!
//! This is what a guest and its SDK do, without wasm: poll until nothing moves, ask the cursor for the next completion,
//! poll again.

use super::fixtures::{activity_call, child_call};
use crate::{
    Cursor, EntityId, Failure, HttpCall, Identity, InstanceId, Json, Next, RetryPolicy, StartOptions, Stopped,
    TaskNumber, Timestamp, TurnEnd,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(super) type Outcome = Result<Json, Failure>;
type Running = Pin<Box<dyn Future<Output = Outcome>>>;

/// The code of an orchestrator.
pub(super) type Author = Rc<dyn Fn(Ctx, Json) -> Running>;

/// Makes an author of an async function.
pub(super) fn author<F, R>(code: F) -> Author
where
    F: Fn(Ctx, Json) -> R + 'static,
    R: Future<Output = Outcome> + 'static,
{
    Rc::new(move |ctx, input| Box::pin(code(ctx, input)))
}

/// What the orchestrator and its driver share.
struct Shared {
    cursor: Cursor,
    /// Answers by task, each with its place in the order of arrival.
    outcomes: BTreeMap<TaskNumber, (usize, Outcome)>,
    given_up: BTreeSet<TaskNumber>,
    /// Lines that the code logged while it was not replaying.
    log: Vec<String>,
}

/// What an orchestrator can ask for.
#[derive(Clone)]
pub(super) struct Ctx(Rc<RefCell<Shared>>);

/// A task that was asked for. Dropping it does not give it up; [`Ctx::cancel`] does.
#[derive(Clone)]
pub(super) struct Task {
    ctx: Ctx,
    /// None after the cursor refused the request: such a task is never answered.
    number: Option<TaskNumber>,
}

impl Ctx {
    fn request(&self, ask: impl FnOnce(&mut Cursor) -> Result<TaskNumber, Stopped>) -> Task {
        let number = ask(&mut self.0.borrow_mut().cursor).ok();
        Task { ctx: self.clone(), number }
    }

    pub(super) fn call(&self, name: &str, input: &str) -> Task {
        self.activity(name, input, None)
    }

    pub(super) fn retry(&self, name: &str, input: &str, policy: RetryPolicy) -> Task {
        self.activity(name, input, Some(policy))
    }

    fn activity(&self, name: &str, input: &str, retry: Option<RetryPolicy>) -> Task {
        let call = activity_call(name, input, retry);
        self.request(|cursor| cursor.call_activity(call))
    }

    pub(super) fn child(&self, name: &str, input: &str) -> Task {
        self.sub_orchestration(name, input, None, None)
    }

    pub(super) fn child_as(&self, id: &str, name: &str, input: &str) -> Task {
        self.sub_orchestration(name, input, Some(id), None)
    }

    pub(super) fn sub_orchestration(
        &self,
        name: &str,
        input: &str,
        id: Option<&str>,
        retry: Option<RetryPolicy>,
    ) -> Task {
        let call = child_call(name, input, id, retry);
        self.request(|cursor| cursor.call_sub_orchestration(call))
    }

    pub(super) fn sleep(&self, seconds: u64) -> Task {
        self.timer(self.now().saturating_add(Duration::from_secs(seconds)))
    }

    pub(super) fn timer(&self, fire_at: Timestamp) -> Task {
        self.request(|cursor| cursor.create_timer(fire_at))
    }

    pub(super) fn event(&self, name: &str) -> Task {
        self.request(|cursor| cursor.wait_for_event(name))
    }

    pub(super) fn cancel(&self, task: &Task) {
        self.give_up(task, Cursor::cancel);
    }

    /// Gives up and stops what was asked for.
    pub(super) fn abort(&self, task: &Task) {
        self.give_up(task, Cursor::abort);
    }

    fn give_up(&self, task: &Task, how: impl FnOnce(&mut Cursor, TaskNumber)) {
        if let Some(number) = task.number {
            let mut shared = self.0.borrow_mut();
            how(&mut shared.cursor, number);
            shared.given_up.insert(number);
        }
    }

    pub(super) fn http(&self, call: HttpCall) -> Task {
        self.request(|cursor| cursor.call_http(call))
    }

    pub(super) fn entity(&self, id: &EntityId, operation: &str, input: &str) -> Task {
        let (id, operation, input) = (id.clone(), operation.to_owned(), Json::from(input));
        self.request(|cursor| cursor.call_entity(id, operation, input))
    }

    pub(super) fn signal(&self, id: &EntityId, operation: &str, input: &str) -> Result<(), Failure> {
        self.signal_at(id, operation, input, None)
    }

    pub(super) fn signal_at(
        &self,
        id: &EntityId,
        operation: &str,
        input: &str,
        at: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let (id, operation, input) = (id.clone(), operation.to_owned(), Json::from(input));
        let signaled = self.0.borrow_mut().cursor.signal_entity(id, operation, input, at);
        // A cursor that has stopped refuses everything; the driver finds out.
        signaled.unwrap_or(Ok(()))
    }

    pub(super) fn lock(&self, entities: &[EntityId]) -> Task {
        let entities = entities.to_vec();
        self.request(|cursor| cursor.lock_entities(entities))
    }

    pub(super) fn unlock(&self) {
        let _stopped = self.0.borrow_mut().cursor.unlock_entities();
    }

    pub(super) fn send(&self, id: &str, name: &str, input: &str) -> Result<(), Failure> {
        let sent = self.0.borrow_mut().cursor.send_event(id, name.to_owned(), Json::from(input));
        sent.unwrap_or(Ok(()))
    }

    /// Starts an orchestration that nobody waits for, and answers its id.
    pub(super) fn start(
        &self,
        name: &str,
        input: &str,
        id: Option<&str>,
        options: StartOptions,
    ) -> Result<String, Failure> {
        let (name, input, id) = (name.to_owned(), Json::from(input), id.map(str::to_owned));
        let started = self.0.borrow_mut().cursor.start_orchestration(name, input, id, options);
        started.map_or_else(|_| Ok(String::new()), |id| id.map(|id| id.to_string()))
    }

    /// The place in `tasks` of the one that completes first.
    pub(super) async fn any(&self, tasks: &[&Task]) -> usize {
        std::future::poll_fn(|_| {
            let shared = self.0.borrow();
            let arrival = |task: &Task| Some(shared.outcomes.get(&task.number?)?.0);
            let first = tasks.iter().enumerate().filter_map(|(place, task)| Some((arrival(task)?, place))).min();
            first.map_or(Poll::Pending, |(_, place)| Poll::Ready(place))
        })
        .await
    }

    /// What came of all tasks, in the order of the tasks.
    pub(super) async fn all(&self, tasks: Vec<Task>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await);
        }
        outcomes
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.borrow().cursor.now()
    }

    pub(super) fn guid(&self) -> String {
        self.0.borrow_mut().cursor.new_guid().to_string()
    }

    pub(super) fn is_replaying(&self) -> bool {
        self.0.borrow().cursor.is_replaying()
    }

    pub(super) fn instance(&self) -> InstanceId {
        self.0.borrow().cursor.identity().instance.clone()
    }

    pub(super) fn identity(&self) -> Identity {
        self.0.borrow().cursor.identity().clone()
    }

    pub(super) fn set_status(&self, status: Option<&str>) {
        self.0.borrow_mut().cursor.set_custom_status(status.map(Json::from));
    }

    pub(super) fn continue_as_new(&self, input: &str, preserve: bool) {
        self.0.borrow_mut().cursor.continue_as_new(Json::from(input), preserve, None);
    }

    /// One line of log; silent while replaying.
    pub(super) fn log(&self, line: impl Into<String>) {
        if !self.is_replaying() {
            self.0.borrow_mut().log.push(line.into());
        }
    }
}

impl Future for Task {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Outcome> {
        let Some(number) = self.number else {
            return Poll::Pending;
        };
        match self.ctx.0.borrow().outcomes.get(&number) {
            Some((_, outcome)) => Poll::Ready(outcome.clone()),
            None => Poll::Pending,
        }
    }
}

/// An orchestrator that runs, suspended between turns.
pub(super) struct Driver {
    shared: Rc<RefCell<Shared>>,
    code: Author,
    running: Option<Running>,
}

impl Driver {
    pub(super) fn new(cursor: Cursor, code: &Author) -> Driver {
        let shared = Shared { cursor, outcomes: BTreeMap::new(), given_up: BTreeSet::new(), log: Vec::new() };
        Driver { shared: Rc::new(RefCell::new(shared)), code: Rc::clone(code), running: None }
    }

    pub(super) fn cursor<R>(&self, look: impl FnOnce(&mut Cursor) -> R) -> R {
        look(&mut self.shared.borrow_mut().cursor)
    }

    pub(super) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.borrow_mut().log)
    }

    /// Runs until the orchestrator waits for something that is not known yet, or is at its end.
    pub(super) fn advance(&mut self) -> TurnEnd {
        match self.run() {
            Ok(end) => end,
            Err(stopped) => TurnEnd::Failed(stopped.failure()),
        }
    }

    fn run(&mut self) -> Result<TurnEnd, Stopped> {
        if self.running.is_none() {
            let input = self.cursor(Cursor::start)?;
            self.running = Some((self.code)(Ctx(Rc::clone(&self.shared)), input));
        }
        let running = self.running.as_mut().expect("it was just started");
        loop {
            if let Poll::Ready(result) = running.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Ok(self.shared.borrow_mut().cursor.returned(result));
            }
            let mut shared = self.shared.borrow_mut();
            match shared.cursor.next()? {
                Next::Waiting => return Ok(TurnEnd::Waiting),
                Next::Completed(completion) => {
                    assert!(!shared.given_up.contains(&completion.task), "a task that was given up was answered");
                    let arrival = shared.outcomes.len();
                    let again = shared.outcomes.insert(completion.task, (arrival, completion.outcome));
                    assert_eq!(again, None, "a task was answered twice");
                }
            }
        }
    }
}
