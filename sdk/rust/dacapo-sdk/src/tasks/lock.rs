//! Critical sections over entities: asking for one, and being in one.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as PollContext, Poll, ready};

use futures::future::FusedFuture;

use super::Task;
use crate::execution::{Execution, Request};
use crate::{EntityId, Failure};

/// A wish for a critical section; resolves to the [`Lock`] on all its entities. Dropping it takes the wish back.
///
/// Does nothing until it is awaited or joined.
#[must_use = "nothing is locked until this is awaited"]
pub struct LockRequest {
    task: Task,
}

/// A critical section: for as long as this value lives, its entities serve this orchestration only. Dropping it, the end
/// of the orchestrator and continue-as-new end the section.
#[must_use = "the section ends when the lock is dropped: bind it with `let _lock = ...`"]
pub struct Lock {
    execution: Rc<Execution>,
}

impl LockRequest {
    pub(crate) fn new(execution: &Rc<Execution>, entities: Vec<EntityId>) -> LockRequest {
        LockRequest { task: Task::new(execution, Ok(Request::Lock { entities })) }
    }
}

impl Lock {
    /// Ends the section. The same as dropping the lock, for those who like to see it.
    pub fn unlock(self) {
        drop(self);
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.execution.world.unlock_entities();
    }
}

impl Future for LockRequest {
    type Output = Result<Lock, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<Result<Lock, Failure>> {
        let outcome = ready!(self.task.poll_outcome(context));
        Poll::Ready(outcome.map(|_granted| Lock { execution: Rc::clone(&self.task.execution) }))
    }
}

impl FusedFuture for LockRequest {
    fn is_terminated(&self) -> bool {
        self.task.is_done()
    }
}

impl Drop for LockRequest {
    fn drop(&mut self) {
        // Also when the lock was granted and nobody has picked it up: then giving up the task alone would keep it.
        if self.task.is_open() {
            self.task.execution.world.unlock_entities();
        }
    }
}
