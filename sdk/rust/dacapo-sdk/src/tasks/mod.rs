//! The futures that a [`Context`](crate::Context) returns: one open request each.
//!
//! Like every Rust future they do nothing until they are polled: the request goes to the host at the first poll, or at
//! `start`. Dropping one before it is done gives the task up; `abort` also stops it.

mod calls;
mod events;
mod lock;

use std::rc::Rc;
use std::task::{Context as PollContext, Poll, ready};

use serde::de::DeserializeOwned;

pub use calls::{ActivityCall, EntityCall, HttpCall, SubOrchestration};
pub use events::{Event, Sleep, TimedEvent, TimedOut};
pub use lock::{Lock, LockRequest};

use crate::execution::{Execution, GiveUp, Outcome, Request, TaskId};
use crate::{Failure, payload};

/// Makes a future of a wrapper of a [`Task`]: it resolves to the decoded outcome.
macro_rules! resolves_to_its_payload {
    ($($future:ident),+) => {$(
        impl<T: DeserializeOwned> Future for $future<T> {
            type Output = Result<T, Failure>;

            fn poll(mut self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<Result<T, Failure>> {
                self.task.poll_decoded(context)
            }
        }

        impl<T: DeserializeOwned> FusedFuture for $future<T> {
            fn is_terminated(&self) -> bool {
                self.task.is_done()
            }
        }
    )+};
}
use resolves_to_its_payload;

/// One request on its way from "not yet asked" to "picked up".
struct Task {
    execution: Rc<Execution>,
    state: State,
    /// What dropping it does, if it is open then.
    when_dropped: GiveUp,
}

enum State {
    // Boxed: most of the life of a task, nobody needs it.
    Unasked(Box<Request>),
    Open(TaskId),
    /// The request could not even be written down.
    Broken(Failure),
    Done,
}

impl Task {
    fn new(execution: &Rc<Execution>, request: Result<Request, Failure>) -> Task {
        let state = match request {
            Ok(request) => State::Unasked(Box::new(request)),
            Err(failure) => State::Broken(failure),
        };
        Task { execution: Rc::clone(execution), state, when_dropped: GiveUp::Cancel }
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

    /// Gives the task up and stops it.
    fn abort(mut self) {
        self.when_dropped = GiveUp::Abort;
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
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
            self.execution.close(id, self.when_dropped);
        }
    }
}
