//! The scheduler: polls whichever future is ready, in an order drawn from the seed, on one thread.
//!
//! A process is a set of tasks that die together. A task that is stalled is ready or not like any other, but is not polled
//! before its time. When nothing can be polled, the clock jumps to the next deadline.

use crate::clock::VirtualClock;
use crate::random::Rng;
use futures::future::BoxFuture;
use orchestration::Timestamp;
use ports::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A future that is driven by itself; numbers are never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub(crate) struct TaskId(pub(crate) u32);

/// Tasks that die together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Process {
    /// A host with its workers; dies in a crash.
    Host,
    /// The world outside, which sees a crash as a broken connection.
    Outside,
}

/// What [`Scheduler::step`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// It polled a task.
    Polled,
    /// Nothing could be polled; time moved on.
    Jumped,
    /// Nothing can be polled, now or ever.
    Idle,
}

/// What a task says about itself while it is polled.
#[derive(Default)]
struct Signals {
    current: Option<TaskId>,
    stall_current_until: Option<Timestamp>,
}

/// The side of the scheduler that tasks can reach.
#[derive(Clone, Default)]
pub(crate) struct Handle {
    signals: Arc<Mutex<Signals>>,
}

impl Handle {
    /// The task that is being polled.
    pub(crate) fn current(&self) -> Option<TaskId> {
        self.lock().current
    }

    /// The current task, and with it all that it has going on at once, is not polled again before `moment`. The caller awaits
    /// the answer, so that the stall begins at once.
    pub(crate) async fn stall_until(&self, moment: Timestamp) {
        self.lock().stall_current_until = Some(moment);
        self.yield_now().await;
    }

    /// Lets others go first.
    pub(crate) async fn yield_now(&self) {
        let mut first = true;
        futures::future::poll_fn(|context| {
            if std::mem::take(&mut first) {
                context.waker().wake_by_ref();
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, Signals> {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Task {
    process: Process,
    future: BoxFuture<'static, ()>,
    waker: Waker,
}

type Ready = Arc<Mutex<BTreeSet<TaskId>>>;

struct Wakeup {
    task: TaskId,
    ready: Ready,
}

impl Wake for Wakeup {
    fn wake(self: Arc<Self>) {
        lock(&self.ready).insert(self.task);
    }
}

/// See the module.
pub(crate) struct Scheduler {
    clock: VirtualClock,
    order: Rng,
    tasks: BTreeMap<TaskId, Task>,
    next_task: u32,
    ready: Ready,
    stalled: BTreeMap<TaskId, Timestamp>,
    handle: Handle,
}

impl Scheduler {
    pub(crate) fn new(clock: VirtualClock, seed: u64) -> Scheduler {
        Scheduler {
            clock,
            order: Rng::for_purpose(seed, "order"),
            tasks: BTreeMap::new(),
            next_task: 0,
            ready: Ready::default(),
            stalled: BTreeMap::new(),
            handle: Handle::default(),
        }
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    pub(crate) fn spawn(&mut self, process: Process, future: BoxFuture<'static, ()>) -> TaskId {
        let id = TaskId(self.next_task);
        self.next_task += 1;
        let waker = Waker::from(Arc::new(Wakeup { task: id, ready: self.ready.clone() }));
        self.tasks.insert(id, Task { process, future, waker });
        lock(&self.ready).insert(id);
        id
    }

    /// Drops all futures of a process, wherever they stand.
    pub(crate) fn kill(&mut self, process: Process) {
        let dead: Vec<_> = self.tasks.iter().filter(|(_, task)| task.process == process).map(|(id, _)| *id).collect();
        for id in dead {
            self.remove(id);
        }
    }

    /// Whether any task of a process is left.
    pub(crate) fn is_alive(&self, process: Process) -> bool {
        self.tasks.values().any(|task| task.process == process)
    }

    /// Whether a task has not come to its end.
    pub(crate) fn is_there(&self, task: TaskId) -> bool {
        self.tasks.contains_key(&task)
    }

    /// Drops some of the futures of a process, wherever they stand.
    pub(crate) fn drop_tasks(&mut self, tasks: &[TaskId]) {
        tasks.iter().for_each(|task| self.remove(*task));
    }

    pub(crate) fn step(&mut self) -> Step {
        let now = self.clock.now();
        self.stalled.retain(|_, until| *until > now);
        let Some(id) = self.choose() else {
            return self.jump();
        };
        let Some(task) = self.tasks.get_mut(&id) else {
            return Step::Polled;
        };
        self.handle.lock().current = Some(id);
        let polled = task.future.as_mut().poll(&mut Context::from_waker(&task.waker));
        let stalled = {
            let mut signals = self.handle.lock();
            signals.current = None;
            signals.stall_current_until.take()
        };
        match polled {
            Poll::Ready(()) => self.remove(id),
            Poll::Pending => {
                if let Some(until) = stalled {
                    self.stalled.insert(id, until);
                }
            }
        }
        Step::Polled
    }

    /// Takes one of the ready tasks that are not stalled.
    fn choose(&mut self) -> Option<TaskId> {
        let mut ready = lock(&self.ready);
        let pollable = || ready.iter().filter(|id| !self.stalled.contains_key(*id)).copied();
        let count = pollable().count();
        if count == 0 {
            return None;
        }
        let chosen = pollable().nth(self.order.below(count))?;
        ready.remove(&chosen);
        Some(chosen)
    }

    fn jump(&mut self) -> Step {
        let deadlines = self.stalled.values().copied().chain(self.clock.next_deadline());
        match deadlines.min() {
            Some(moment) => {
                self.clock.advance_to(moment);
                Step::Jumped
            }
            None => Step::Idle,
        }
    }

    fn remove(&mut self, id: TaskId) {
        self.stalled.remove(&id);
        let task = self.tasks.remove(&id);
        // Dropping may wake others; afterwards the task itself is not ready any more.
        drop(task);
        lock(&self.ready).remove(&id);
    }
}

fn lock(ready: &Ready) -> MutexGuard<'_, BTreeSet<TaskId>> {
    ready.lock().unwrap_or_else(PoisonError::into_inner)
}
