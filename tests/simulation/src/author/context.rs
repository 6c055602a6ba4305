//! What an orchestrator holds: it asks for tasks, and awaits them in whatever combination.

use super::{Calls, Order, Outcome, Request, Surroundings};
use orchestration::{EntityId, Json, RetryPolicy, TaskNumber, Timeouts, Timestamp};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

/// The hand of one orchestrator on its world. Clones are the same hand.
#[derive(Clone)]
pub(crate) struct Context {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    /// Not there while the orchestrator is suspended.
    surroundings: Option<Surroundings>,
    tasks: BTreeMap<TaskNumber, Slot>,
    trapped: bool,
}

enum Slot {
    Waiting(Waker),
    Finished(Outcome),
}

impl Context {
    pub(crate) fn new() -> Context {
        let shared = Shared { surroundings: None, tasks: BTreeMap::new(), trapped: false };
        Context { shared: Arc::new(Mutex::new(shared)) }
    }

    /// Hands the world in before the orchestrator is polled.
    pub(crate) fn enter(&self, surroundings: Surroundings) {
        self.lock_shared().surroundings = Some(surroundings);
    }

    /// Takes the world out again.
    pub(crate) fn leave(&self) -> Option<Surroundings> {
        self.lock_shared().surroundings.take()
    }

    /// Answers an open task and wakes whoever awaits it. One that was given up is nobody's.
    pub(crate) fn finish(&self, task: TaskNumber, outcome: Outcome) {
        let waker = {
            let mut shared = self.lock_shared();
            match shared.tasks.get_mut(&task) {
                Some(slot @ Slot::Waiting(_)) => std::mem::replace(slot, Slot::Finished(outcome)),
                Some(Slot::Finished(_)) | None => return,
            }
        };
        if let Slot::Waiting(waker) = waker {
            waker.wake();
        }
    }

    /// Calls an activity.
    pub(crate) fn call(&self, name: &str, input: Json) -> TaskFuture {
        self.ask(Request::Activity { name: name.to_owned(), input, retry: None, timeouts: Timeouts::default() })
    }

    /// Calls an activity, and again when it fails.
    pub(crate) fn call_with(&self, name: &str, input: Json, retry: RetryPolicy) -> TaskFuture {
        self.call_within(name, input, retry, Timeouts::default())
    }

    /// Calls an activity that may take only so long, and again when it fails.
    pub(crate) fn call_within(&self, name: &str, input: Json, retry: RetryPolicy, timeouts: Timeouts) -> TaskFuture {
        self.ask(Request::Activity { name: name.to_owned(), input, retry: Some(retry), timeouts })
    }

    /// Asks an entity to do something.
    pub(crate) fn entity(&self, entity: &EntityId, operation: &str, input: Json) -> TaskFuture {
        self.ask(Request::Entity { entity: entity.clone(), operation: operation.to_owned(), input })
    }

    /// Enters a critical section.
    pub(crate) fn lock(&self, entities: &[EntityId]) -> TaskFuture {
        self.ask(Request::Lock { entities: entities.to_vec() })
    }

    /// Leaves it.
    pub(crate) fn unlock(&self) {
        self.order(Order::Unlock);
    }

    /// Tells an entity to do something, after a while if there is one.
    pub(crate) fn signal(&self, entity: &EntityId, operation: &str, input: Json, after: Option<Duration>) {
        let deliver_at = after.map(|after| self.now().saturating_add(after));
        self.order(Order::Signal { entity: entity.clone(), operation: operation.to_owned(), input, deliver_at });
    }

    /// Raises an event at another instance.
    pub(crate) fn send(&self, instance_id: &str, name: &str, input: Json) {
        self.order(Order::SendEvent { instance_id: instance_id.to_owned(), name: name.to_owned(), input });
    }

    /// Starts an orchestration that nobody waits for.
    pub(crate) fn start(&self, name: &str, input: Json, instance_id: &str) {
        self.order(Order::Start { name: name.to_owned(), input, instance_id: instance_id.to_owned() });
    }

    /// Traps: the guest does not come back from here.
    pub(crate) async fn trap(&self) -> Outcome {
        self.lock_shared().trapped = true;
        std::future::pending().await
    }

    /// Whether it has trapped.
    pub(crate) fn has_trapped(&self) -> bool {
        self.lock_shared().trapped
    }

    /// Calls another orchestrator; without an id it gets a new one.
    pub(crate) fn sub(&self, name: &str, input: Json, id: Option<&str>) -> TaskFuture {
        let instance_id = id.map(str::to_owned);
        self.ask(Request::SubOrchestration { name: name.to_owned(), input, instance_id, retry: None })
    }

    /// Calls another orchestrator, and again when it fails.
    pub(crate) fn sub_with(&self, name: &str, input: Json, retry: RetryPolicy) -> TaskFuture {
        self.ask(Request::SubOrchestration { name: name.to_owned(), input, instance_id: None, retry: Some(retry) })
    }

    /// Waits.
    pub(crate) fn sleep(&self, duration: Duration) -> TaskFuture {
        let fire_at = self.now().saturating_add(duration);
        self.ask(Request::Timer { fire_at })
    }

    /// Waits for an event.
    pub(crate) fn event(&self, name: &str) -> TaskFuture {
        self.ask(Request::Event { name: name.to_owned() })
    }

    /// The time of the turn.
    pub(crate) fn now(&self) -> Timestamp {
        self.with(|calls| calls.now()).unwrap_or_default()
    }

    /// A new id that is the same in every replay.
    pub(crate) fn new_guid(&self) -> String {
        self.with(|calls| calls.new_guid()).unwrap_or_default()
    }

    /// Its own id.
    pub(crate) fn instance(&self) -> String {
        self.with(|calls| calls.instance()).unwrap_or_default()
    }

    /// Shows something in the instance's status.
    pub(crate) fn set_custom_status(&self, status: Json) {
        self.with(|calls| calls.set_custom_status(status));
    }

    /// Starts over once the orchestrator returns.
    pub(crate) fn continue_as_new(&self, input: Json) -> Outcome {
        self.with(|calls| calls.continue_as_new(input, None));
        Ok(Json::null())
    }

    /// Starts over on the present app, as that version.
    pub(crate) fn upgrade(&self, input: Json, version: &str) -> Outcome {
        self.with(|calls| calls.continue_as_new(input, Some(version)));
        Ok(Json::null())
    }

    fn order(&self, order: Order) {
        self.with(|calls| calls.order(order));
    }

    fn ask(&self, request: Request) -> TaskFuture {
        let task = self.with(|calls| calls.request(request)).flatten();
        if let Some(task) = task {
            self.lock_shared().tasks.insert(task, Slot::Waiting(Waker::noop().clone()));
        }
        TaskFuture { context: self.clone(), task }
    }

    fn with<T>(&self, act: impl FnOnce(&mut dyn Calls) -> T) -> Option<T> {
        self.lock_shared().surroundings.as_mut().map(|surroundings| act(surroundings.calls()))
    }

    fn lock_shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that was asked for. Dropped before it is answered, it is given up.
pub(crate) struct TaskFuture {
    context: Context,
    task: Option<TaskNumber>,
}

impl TaskFuture {
    /// Leaves the task to itself: it goes on, and nobody awaits it.
    pub(crate) fn detach(mut self) {
        self.task = None;
    }

    /// Gives the task up and stops what was asked for.
    pub(crate) fn abort(mut self) {
        if let Some(task) = self.task.take() {
            let slot = self.context.lock_shared().tasks.remove(&task);
            if let Some(Slot::Waiting(_)) = slot {
                self.context.with(|calls| calls.abort(task));
            }
        }
    }
}

impl Future for TaskFuture {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> Poll<Outcome> {
        let Some(task) = self.task else {
            return Poll::Pending;
        };
        let outcome = {
            let mut shared = self.context.lock_shared();
            match shared.tasks.remove(&task) {
                Some(Slot::Finished(outcome)) => outcome,
                Some(Slot::Waiting(_)) | None => {
                    shared.tasks.insert(task, Slot::Waiting(context.waker().clone()));
                    return Poll::Pending;
                }
            }
        };
        self.task = None;
        Poll::Ready(outcome)
    }
}

impl Drop for TaskFuture {
    fn drop(&mut self) {
        if let Some(task) = self.task {
            let slot = self.context.lock_shared().tasks.remove(&task);
            if let Some(Slot::Waiting(_)) = slot {
                self.context.with(|calls| calls.cancel(task));
            }
        }
    }
}
