//! Waiting: for a moment, for an event, and for an event until a moment.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as PollContext, Poll};
use std::time::Duration;

use futures::future::FusedFuture;
use serde::de::DeserializeOwned;

use super::{Task, resolves_to_its_payload};
use crate::execution::{Execution, Request};
use crate::{Failure, Timestamp};

/// A durable timer; resolves when its time has come. Dropping it takes it back.
#[must_use = "a timer does nothing until it is awaited, joined or started"]
pub struct Sleep(Task);

/// A waiting for an external event; resolves to its payload. Dropping it ends the waiting, so that a later event is kept
/// for the next who waits.
#[must_use = "nobody waits for the event until this is awaited, joined or started"]
pub struct Event<T> {
    task: Task,
    name: String,
    payload: PhantomData<fn() -> T>,
}

/// A waiting for an external event for so long and no longer; see [`Event::timeout`].
#[must_use = "nobody waits for the event until this is awaited or joined"]
pub struct TimedEvent<T> {
    /// Both none once it has ended.
    waiting: Option<(Event<T>, Sleep)>,
    after: Duration,
    default: Option<T>,
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
        let task = Task::new(execution, Ok(Request::Event { name: name.into() }));
        Event { task, name: name.into(), payload: PhantomData }
    }

    /// Begins to wait now rather than at the first poll.
    pub fn start(mut self) -> Event<T> {
        self.task.start();
        self
    }

    /// Waits for so long, from now on, and no longer; then fails with the type `TimedOut`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use dacapo::{Context, Failure};
    /// # const DAY: Duration = Duration::from_secs(86_400);
    /// # async fn wait(ctx: Context) -> Result<bool, Failure> {
    /// let approved = ctx.wait_for_event::<bool>("Approval").timeout(DAY).or_default(false).await?;
    /// # Ok(approved)
    /// # }
    /// ```
    pub fn timeout(self, after: Duration) -> TimedEvent<T> {
        let execution = &self.task.execution;
        let sleep = Sleep::new(execution, execution.world.now() + after);
        TimedEvent { waiting: Some((self, sleep)), after, default: None }
    }
}

impl<T> TimedEvent<T> {
    /// Resolves to this value, instead of failing, when the time is over.
    pub fn or_default(mut self, value: T) -> TimedEvent<T> {
        self.default = Some(value);
        self
    }
}

resolves_to_its_payload!(Event);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<()> {
        self.0.poll_outcome(context).map(|_fired| ())
    }
}

impl FusedFuture for Sleep {
    fn is_terminated(&self) -> bool {
        self.0.is_done()
    }
}

/// None of its fields is ever pinned.
impl<T> Unpin for TimedEvent<T> {}

impl<T: DeserializeOwned> Future for TimedEvent<T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<Result<T, Failure>> {
        let this = &mut *self;
        let Some((event, sleep)) = &mut this.waiting else { panic!("a task was polled again after it had ended") };
        let outcome = match Pin::new(&mut *event).poll(context) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending if Pin::new(sleep).poll(context).is_ready() => {
                let message = format!("the event '{}' did not come within {:?}", event.name, this.after);
                this.default.take().ok_or_else(|| Failure::new("TimedOut", message))
            }
            Poll::Pending => return Poll::Pending,
        };
        // Gives up whichever of the two is still open.
        this.waiting = None;
        Poll::Ready(outcome)
    }
}

impl<T: DeserializeOwned> FusedFuture for TimedEvent<T> {
    fn is_terminated(&self) -> bool {
        self.waiting.is_none()
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
