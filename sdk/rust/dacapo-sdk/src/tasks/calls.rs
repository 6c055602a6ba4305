//! Calls: of activities, of other orchestrators, of entities and of HTTP services.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as PollContext, Poll};
use std::time::Duration;

use futures::future::FusedFuture;
use serde::de::DeserializeOwned;

use super::{Task, resolves_to_its_payload};
use crate::execution::{Execution, GiveUp, Request};
use crate::options::ActivityOptions;
use crate::{EntityId, Failure, HttpRequest, HttpResponse, RetryPolicy, StartOptions};

/// A call of an activity; resolves to its result.
///
/// Does nothing until it is awaited, joined, or [started](ActivityCall::start). Dropping it drops the result: the activity
/// runs on. To stop the activity, [`abort`](ActivityCall::abort) the call.
#[must_use = "a call does nothing until it is awaited, joined or started"]
pub struct ActivityCall<T> {
    task: Task,
    output: PhantomData<fn() -> T>,
}

/// A call of another orchestrator; resolves to its result.
///
/// Does nothing until it is awaited, joined, or [started](SubOrchestration::start). Dropping it drops the result: the
/// child runs on. To terminate the child, [`abort`](SubOrchestration::abort) the call.
#[must_use = "a call does nothing until it is awaited, joined or started"]
pub struct SubOrchestration<T> {
    task: Task,
    output: PhantomData<fn() -> T>,
}

/// A call of an operation of an entity; resolves to its result.
///
/// Does nothing until it is awaited, joined, or [started](EntityCall::start).
#[must_use = "a call does nothing until it is awaited, joined or started"]
pub struct EntityCall<T> {
    task: Task,
    output: PhantomData<fn() -> T>,
}

/// A durable HTTP request; resolves to the response.
///
/// Does nothing until it is awaited, joined, or [started](HttpCall::start).
#[must_use = "a call does nothing until it is awaited, joined or started"]
pub struct HttpCall {
    task: Task,
}

impl<T> ActivityCall<T> {
    pub(crate) fn new(execution: &Rc<Execution>, name: &str, input: Result<String, Failure>) -> ActivityCall<T> {
        let options = ActivityOptions::default();
        let request = input.map(|input| Request::Activity { name: name.into(), input, options });
        ActivityCall { task: Task::new(execution, request), output: PhantomData }
    }

    #[track_caller]
    fn with(mut self, change: impl FnOnce(&mut ActivityOptions)) -> ActivityCall<T> {
        if let Some(Request::Activity { options, .. }) = self.task.request_mut() {
            change(options);
        }
        self
    }

    /// Tries again when the activity fails. The host does it; this future sees the last outcome only.
    ///
    /// # Panics
    /// After [`start`](ActivityCall::start), as for every option here.
    #[track_caller]
    pub fn retry(self, policy: RetryPolicy) -> ActivityCall<T> {
        self.with(|options| options.retry = Some(policy))
    }

    /// Stops a run that takes longer, at least a millisecond; it has failed with the type `ActivityTimeout`, which a retry
    /// policy tries again. Without it, the `timeout` of the function in the manifest counts.
    ///
    /// # Panics
    /// After [`start`](ActivityCall::start).
    #[track_caller]
    pub fn timeout(self, timeout: Duration) -> ActivityCall<T> {
        self.with(|options| options.timeout = Some(timeout))
    }

    /// Stops a run that gives no [heartbeat](crate::ActivityContext::heartbeat) for so long, at least a millisecond; it has
    /// failed with the type `ActivityHeartbeatTimeout`. Without it, the `heartbeatTimeout` of the function in the manifest
    /// counts.
    ///
    /// # Panics
    /// After [`start`](ActivityCall::start).
    #[track_caller]
    pub fn heartbeat_timeout(self, timeout: Duration) -> ActivityCall<T> {
        self.with(|options| options.heartbeat_timeout = Some(timeout))
    }

    /// Sets a tag, which is shown in the history.
    ///
    /// # Panics
    /// After [`start`](ActivityCall::start).
    #[track_caller]
    pub fn tag(self, name: impl Into<String>, value: impl Into<String>) -> ActivityCall<T> {
        self.with(|options| {
            options.tags.insert(name.into(), value.into());
        })
    }

    /// Makes dropping this future stop the activity, as [`abort`](ActivityCall::abort) does: for `ctx.timeout(...)` and
    /// `select!`.
    pub fn abort_on_drop(mut self) -> ActivityCall<T> {
        self.task.when_dropped = GiveUp::Abort;
        self
    }

    /// Sends the request now rather than at the first poll.
    pub fn start(mut self) -> ActivityCall<T> {
        self.task.start();
        self
    }

    /// Gives the call up and stops the activity: it is interrupted wherever it is, or not begun. One that was never
    /// started is forgotten.
    pub fn abort(self) {
        self.task.abort();
    }
}

impl<T> SubOrchestration<T> {
    pub(crate) fn new(execution: &Rc<Execution>, name: &str, input: Result<String, Failure>) -> SubOrchestration<T> {
        let request = input.map(|input| {
            let (name, start, retry) = (name.into(), StartOptions::new(), None);
            Request::SubOrchestration { name, input, start, retry }
        });
        SubOrchestration { task: Task::new(execution, request), output: PhantomData }
    }

    #[track_caller]
    fn with(mut self, change: impl FnOnce(&mut StartOptions)) -> SubOrchestration<T> {
        if let Some(Request::SubOrchestration { start, .. }) = self.task.request_mut() {
            change(start);
        }
        self
    }

    /// Tries again, with a new child, when the orchestrator fails.
    ///
    /// # Panics
    /// After [`start`](SubOrchestration::start), as for every option here.
    #[track_caller]
    pub fn retry(mut self, policy: RetryPolicy) -> SubOrchestration<T> {
        if let Some(Request::SubOrchestration { retry, .. }) = self.task.request_mut() {
            *retry = Some(policy);
        }
        self
    }

    /// Names the child. Without it, the id is made from the parent's execution and the number of the call.
    ///
    /// # Panics
    /// After [`start`](SubOrchestration::start).
    #[track_caller]
    pub fn with_instance_id(self, id: impl Into<String>) -> SubOrchestration<T> {
        self.with(|start| start.instance_id = Some(id.into()))
    }

    /// The version that the child sees; without it, the host's `defaultVersion`.
    ///
    /// # Panics
    /// After [`start`](SubOrchestration::start).
    #[track_caller]
    pub fn version(self, version: impl Into<String>) -> SubOrchestration<T> {
        self.with(|start| start.version = Some(version.into()))
    }

    /// Sets a tag of the child, besides those that it inherits.
    ///
    /// # Panics
    /// After [`start`](SubOrchestration::start).
    #[track_caller]
    pub fn tag(self, name: impl Into<String>, value: impl Into<String>) -> SubOrchestration<T> {
        self.with(|start| {
            start.tags.insert(name.into(), value.into());
        })
    }

    /// Makes dropping this future terminate the child, as [`abort`](SubOrchestration::abort) does: for
    /// `ctx.timeout(...)` and `select!`.
    pub fn abort_on_drop(mut self) -> SubOrchestration<T> {
        self.task.when_dropped = GiveUp::Abort;
        self
    }

    /// Sends the request now rather than at the first poll.
    pub fn start(mut self) -> SubOrchestration<T> {
        self.task.start();
        self
    }

    /// Gives the call up and terminates the child, and its children. One that was never started is forgotten.
    pub fn abort(self) {
        self.task.abort();
    }
}

impl<T> EntityCall<T> {
    pub(crate) fn new(
        execution: &Rc<Execution>,
        entity: &EntityId,
        operation: &str,
        input: Result<String, Failure>,
    ) -> EntityCall<T> {
        let (entity, operation) = (entity.clone(), operation.into());
        let request = input.map(|input| Request::EntityCall { entity, operation, input });
        EntityCall { task: Task::new(execution, request), output: PhantomData }
    }

    /// Sends the request now rather than at the first poll.
    pub fn start(mut self) -> EntityCall<T> {
        self.task.start();
        self
    }
}

impl HttpCall {
    pub(crate) fn new(execution: &Rc<Execution>, mut request: HttpRequest) -> HttpCall {
        let request = match request.unwritable.take() {
            Some(failure) => Err(failure),
            None => Ok(Request::Http(Box::new(request))),
        };
        HttpCall { task: Task::new(execution, request) }
    }

    /// Sends the request now rather than at the first poll.
    pub fn start(mut self) -> HttpCall {
        self.task.start();
        self
    }

    /// Gives the call up and breaks off the request. One that was never started is forgotten.
    pub fn abort(self) {
        self.task.abort();
    }
}

resolves_to_its_payload!(ActivityCall, SubOrchestration, EntityCall);

impl Future for HttpCall {
    type Output = Result<HttpResponse, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<Result<HttpResponse, Failure>> {
        self.task.poll_decoded(context)
    }
}

impl FusedFuture for HttpCall {
    fn is_terminated(&self) -> bool {
        self.task.is_done()
    }
}
