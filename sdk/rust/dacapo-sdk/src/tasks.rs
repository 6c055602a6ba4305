//! The futures that a [`Context`](crate::Context) returns: one open request each.
//!
//! Like every Rust future they do nothing until they are polled: the request goes to the host at the first poll, or at
//! `start`. Dropping one before it is done gives the task up.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as PollContext, Poll, ready};
use std::time::Duration;

use futures::future::FusedFuture;
use serde::de::DeserializeOwned;

use crate::execution::{Execution, Outcome, Request, TaskId};
use crate::{Failure, RetryPolicy, Timestamp, payload};

/// A call of an activity; resolves to its result.
///
/// Does nothing until it is awaited, joined, or [started](ActivityCall::start).
#[must_use = "a call does nothing until it is awaited, joined or started"]
pub struct ActivityCall<T> {
    task: Task,
    output: PhantomData<fn() -> T>,
}

/// A call of another orchestrator; resolves to its result.
///
/// Does nothing until it is awaited, joined, or [started](SubOrchestration::start).
#[must_use = "a call does nothing until it is awaited, joined or started"]
pub struct SubOrchestration<T> {
    task: Task,
    output: PhantomData<fn() -> T>,
}

/// A durable timer; resolves when its time has come.
#[must_use = "a timer does nothing until it is awaited, joined or started"]
pub struct Sleep(Task);

/// A waiting for an external event; resolves to its payload.
#[must_use = "nobody waits for the event until this is awaited, joined or started"]
pub struct Event<T> {
    task: Task,
    payload: PhantomData<fn() -> T>,
}

impl<T> ActivityCall<T> {
    pub(crate) fn new(execution: &Rc<Execution>, name: &str, input: Result<String, Failure>) -> ActivityCall<T> {
        let request = input.map(|input| Request::Activity { name: name.into(), input, retry: None });
        ActivityCall { task: Task::new(execution, request), output: PhantomData }
    }

    /// Tries again when the activity fails. The host does it; this future sees the last outcome only.
    ///
    /// # Panics
    /// After [`start`](ActivityCall::start).
    #[track_caller]
    pub fn retry(mut self, policy: RetryPolicy) -> ActivityCall<T> {
        if let Some(Request::Activity { retry, .. }) = self.task.request_mut() {
            *retry = Some(policy);
        }
        self
    }

    /// Sends the request now rather than at the first poll.
    pub fn start(mut self) -> ActivityCall<T> {
        self.task.start();
        self
    }
}

impl<T> SubOrchestration<T> {
    pub(crate) fn new(execution: &Rc<Execution>, name: &str, input: Result<String, Failure>) -> SubOrchestration<T> {
        let request = input.map(|input| {
            let (name, instance_id, retry) = (name.into(), None, None);
            Request::SubOrchestration { name, input, instance_id, retry }
        });
        SubOrchestration { task: Task::new(execution, request), output: PhantomData }
    }

    /// Tries again, with a new child, when the orchestrator fails.
    ///
    /// # Panics
    /// After [`start`](SubOrchestration::start).
    #[track_caller]
    pub fn retry(mut self, policy: RetryPolicy) -> SubOrchestration<T> {
        if let Some(Request::SubOrchestration { retry, .. }) = self.task.request_mut() {
            *retry = Some(policy);
        }
        self
    }

    /// Names the child. Without it, the id is the parent's execution id, a colon and a number.
    ///
    /// # Panics
    /// After [`start`](SubOrchestration::start).
    #[track_caller]
    pub fn with_instance_id(mut self, id: impl Into<String>) -> SubOrchestration<T> {
        if let Some(Request::SubOrchestration { instance_id, .. }) = self.task.request_mut() {
            *instance_id = Some(id.into());
        }
        self
    }

    /// Sends the request now rather than at the first poll.
    pub fn start(mut self) -> SubOrchestration<T> {
        self.task.start();
        self
    }
}

impl Sleep {
    pub(crate) fn new(execution: &Rc<Execution>, fire_at: Timestamp) -> Sleep {
        Sleep(Task::new(execution, Ok(Request::Timer { fire_at })))
    }

    /// Sets the timer now rather than at the first poll.
    pub fn start(mut self) -> Sleep {
        self.0.start();
        self
    }
}

impl<T> Event<T> {
    pub(crate) fn new(execution: &Rc<Execution>, name: &str) -> Event<T> {
        Event { task: Task::new(execution, Ok(Request::Event { name: name.into() })), payload: PhantomData }
    }

    /// Begins to wait now rather than at the first poll.
    pub fn start(mut self) -> Event<T> {
        self.task.start();
        self
    }
}

impl<T: DeserializeOwned> Future for ActivityCall<T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<Result<T, Failure>> {
        self.task.poll_decoded(context)
    }
}

impl<T: DeserializeOwned> Future for SubOrchestration<T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<Result<T, Failure>> {
        self.task.poll_decoded(context)
    }
}

impl<T: DeserializeOwned> Future for Event<T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<Result<T, Failure>> {
        self.task.poll_decoded(context)
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<()> {
        self.0.poll_outcome(context).map(|_fired| ())
    }
}

impl<T: DeserializeOwned> FusedFuture for ActivityCall<T> {
    fn is_terminated(&self) -> bool {
        self.task.is_done()
    }
}

impl<T: DeserializeOwned> FusedFuture for SubOrchestration<T> {
    fn is_terminated(&self) -> bool {
        self.task.is_done()
    }
}

impl<T: DeserializeOwned> FusedFuture for Event<T> {
    fn is_terminated(&self) -> bool {
        self.task.is_done()
    }
}

impl FusedFuture for Sleep {
    fn is_terminated(&self) -> bool {
        self.0.is_done()
    }
}

/// Nothing came in time; see [`Context::timeout`](crate::Context::timeout).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// How long was waited.
    pub after: Duration,
}

impl std::fmt::Display for TimedOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "nothing came within {:?}", self.after)
    }
}

impl std::error::Error for TimedOut {}

/// One request on its way from "not yet asked" to "picked up".
struct Task {
    execution: Rc<Execution>,
    state: State,
}

enum State {
    Unasked(Request),
    Open(TaskId),
    /// The request could not even be written down.
    Broken(Failure),
    Done,
}

impl Task {
    fn new(execution: &Rc<Execution>, request: Result<Request, Failure>) -> Task {
        let state = match request {
            Ok(request) => State::Unasked(request),
            Err(failure) => State::Broken(failure),
        };
        Task { execution: Rc::clone(execution), state }
    }

    #[track_caller]
    fn request_mut(&mut self) -> Option<&mut Request> {
        match &mut self.state {
            State::Unasked(request) => Some(request),
            State::Broken(_) => None,
            State::Open(_) | State::Done => panic!("options come before the start of a call, not after it"),
        }
    }

    fn start(&mut self) {
        if let State::Unasked(request) = &self.state {
            self.state = State::Open(self.execution.open(request));
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    fn poll_outcome(&mut self, context: &PollContext<'_>) -> Poll<Outcome> {
        self.start();
        let outcome = match std::mem::replace(&mut self.state, State::Done) {
            State::Open(id) => {
                self.state = State::Open(id);
                ready!(self.execution.poll(id, context))
            }
            State::Broken(failure) => Err(failure),
            State::Unasked(_) | State::Done => panic!("a task was polled again after it had ended"),
        };
        self.state = State::Done;
        Poll::Ready(outcome)
    }

    fn poll_decoded<T: DeserializeOwned>(&mut self, context: &PollContext<'_>) -> Poll<Result<T, Failure>> {
        self.poll_outcome(context).map(|outcome| payload::decode(&outcome?, "the result of a task"))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let State::Open(id) = self.state {
            self.execution.close(id);
        }
    }
}
