//! One run of one orchestrator: its open tasks, and the loop that polls its future.
//!
//! Holds no history and decides nothing: requests go to a [`Durable`] world (the host's imports, or the testing harness)
//! which answers with a task number, and completions come back one at a time through [`Driver::deliver`]. Each wakes
//! only the future that waits for it, so that joining thousands of tasks costs the same per task as joining two.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as PollContext, Poll, Wake, Waker};

use futures::future::LocalBoxFuture;

use crate::options::ActivityOptions;
use crate::{EntityId, Failure, HttpRequest, Identity, Level, RetryPolicy, StartOptions, Timestamp};

/// A task of an execution, as the world numbers it.
pub(crate) type TaskId = u32;

/// What a task ends with.
pub type Outcome = Result<String, Failure>;

/// What an orchestrator can ask of the world around it: the import `orchestration` of the contract without `next`.
pub(crate) trait Durable {
    fn request(&self, request: &Request) -> TaskId;
    fn cancel(&self, task: TaskId);
    fn abort(&self, task: TaskId);
    fn signal_entity(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &str,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), Failure>;
    fn unlock_entities(&self);
    fn send_event(&self, instance_id: &str, name: &str, payload: &str) -> Result<(), Failure>;
    fn start_orchestration(&self, name: &str, input: &str, options: &StartOptions) -> Outcome;
    fn set_custom_status(&self, status: Option<&str>);
    fn continue_as_new(&self, next: &NextExecution<'_>);
    fn now(&self) -> Timestamp;
    fn new_guid(&self) -> String;
    fn is_replaying(&self) -> bool;
    fn identity(&self) -> Identity;
    fn log(&self, level: Level, message: &str);
}

/// A task that an orchestrator wants done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Request {
    Activity { name: String, input: String, options: ActivityOptions },
    SubOrchestration { name: String, input: String, start: StartOptions, retry: Option<RetryPolicy> },
    Timer { fire_at: Timestamp },
    Event { name: String },
    Http(Box<HttpRequest>),
    EntityCall { entity: EntityId, operation: String, input: String },
    Lock { entities: Vec<EntityId> },
}

/// With what an instance begins anew.
pub(crate) struct NextExecution<'a> {
    pub(crate) input: &'a str,
    pub(crate) preserve_unprocessed_events: bool,
    pub(crate) new_version: Option<&'a str>,
}

/// How an open task is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GiveUp {
    /// Its end does not matter any more.
    Cancel,
    /// It is to be stopped.
    Abort,
}

/// What the futures of one run share.
pub(crate) struct Execution {
    pub(crate) world: Box<dyn Durable>,
    tasks: RefCell<BTreeMap<TaskId, Task>>,
    waiting: Cell<usize>,
    continued_as_new: Cell<bool>,
}

enum Task {
    /// Asked for. The waker is that of whoever polled last.
    Waiting(Waker),
    /// Answered, and not yet picked up.
    Finished(Outcome),
}

impl Execution {
    pub(crate) fn new(world: impl Durable + 'static) -> Rc<Execution> {
        Rc::new(Execution {
            world: Box::new(world),
            tasks: RefCell::new(BTreeMap::new()),
            waiting: Cell::new(0),
            continued_as_new: Cell::new(false),
        })
    }

    /// Asks for a task. Until a future polls it, nobody is woken for it.
    pub(crate) fn open(&self, request: &Request) -> TaskId {
        let task = self.world.request(request);
        self.tasks.borrow_mut().insert(task, Task::Waiting(Waker::noop().clone()));
        self.waiting.set(self.waiting.get() + 1);
        task
    }

    /// The outcome of an open task, once; until then the waker is kept.
    pub(crate) fn poll(&self, task: TaskId, context: &PollContext<'_>) -> Poll<Outcome> {
        let mut tasks = self.tasks.borrow_mut();
        match tasks.remove(&task) {
            Some(Task::Finished(outcome)) => Poll::Ready(outcome),
            Some(Task::Waiting(mut waker)) => {
                waker.clone_from(context.waker());
                tasks.insert(task, Task::Waiting(waker));
                Poll::Pending
            }
            None => unreachable!("a future polls its own open task, and only until it is ready"),
        }
    }

    /// Gives an open task up, because its future was dropped or its author said so.
    pub(crate) fn close(&self, task: TaskId, how: GiveUp) {
        let closed = self.tasks.borrow_mut().remove(&task);
        if let Some(Task::Waiting(_)) = closed {
            self.waiting.set(self.waiting.get() - 1);
            match how {
                GiveUp::Cancel => self.world.cancel(task),
                GiveUp::Abort => self.world.abort(task),
            }
        }
    }

    pub(crate) fn continue_as_new(&self, next: &NextExecution<'_>) {
        self.continued_as_new.set(true);
        self.world.continue_as_new(next);
    }

    fn finish(&self, task: TaskId, outcome: Outcome) {
        let woken = match self.tasks.borrow_mut().get_mut(&task) {
            Some(slot @ Task::Waiting(_)) => std::mem::replace(slot, Task::Finished(outcome)),
            Some(Task::Finished(_)) | None => return,
        };
        self.waiting.set(self.waiting.get() - 1);
        if let Task::Waiting(waker) = woken {
            waker.wake();
        }
    }
}

/// Polls an orchestrator's future.
pub(crate) struct Driver {
    execution: Rc<Execution>,
    future: LocalBoxFuture<'static, Outcome>,
    woken: Arc<Woken>,
    waker: Waker,
}

/// What [`Driver::run_until_waiting`] found.
pub(crate) enum Progress {
    /// The orchestrator waits for tasks.
    Waiting,
    /// It has ended. An orchestrator that continues as new ends with `null`.
    Ended(Outcome),
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Driver {
    pub(crate) fn new(execution: Rc<Execution>, future: LocalBoxFuture<'static, Outcome>) -> Driver {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        Driver { execution, future, woken, waker }
    }

    /// Polls for as long as somebody has woken the future.
    pub(crate) fn run_until_waiting(&mut self) -> Progress {
        while self.woken.0.swap(false, Ordering::Relaxed) {
            let polled = Pin::new(&mut self.future).poll(&mut PollContext::from_waker(&self.waker));
            match polled {
                Poll::Ready(Err(failure)) if failure.continues_as_new() => return Progress::Ended(Ok("null".into())),
                Poll::Ready(outcome) => return Progress::Ended(outcome),
                Poll::Pending => {}
            }
        }
        if self.execution.continued_as_new.get() {
            // The host ignores what is asked after it; waiting for an answer would be for ever.
            return Progress::Ended(Ok("null".into()));
        }
        if self.execution.waiting.get() == 0 {
            return Progress::Ended(Err(waits_for_nothing()));
        }
        Progress::Waiting
    }

    /// Hands over the outcome of a task and wakes whoever waits for it. One that was given up is dropped.
    pub(crate) fn deliver(&self, task: TaskId, outcome: Outcome) {
        self.execution.finish(task, outcome);
    }
}

fn waits_for_nothing() -> Failure {
    Failure::new(
        "NothingToWaitFor",
        "the orchestrator awaits a future that no durable task will ever wake: await only what its Context returned, \
         and combinations of that; do everything else in an activity",
    )
    .non_retriable()
}
