//! Several versions of an app in one process, one after the other: whose turn it is to follow the schedule of a timer.
//!
//! A new version does so from when the one before has ended its last run, so that runs never overlap. It goes on with the life of
//! the one before: an occurrence that came meanwhile was not missed by the host.

use super::TimerListener;
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{BoxFuture, Shared};
use orchestration::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// One version follows another one within far less than this. When nobody has followed a schedule for longer, as while the host
/// was asked to take no work, a new life of the timer begins.
const LONGEST_GAP: Duration = Duration::from_secs(10);

/// See the module. One per app and process.
#[derive(Default)]
pub struct TimerTurns {
    /// By function, in lower case.
    last: Mutex<BTreeMap<String, Turn>>,
}

/// The last turn of a timer.
#[derive(Clone)]
struct Turn {
    /// Completes when it and all before it have ended.
    ended: Shared<BoxFuture<'static, ()>>,
    /// When the first of an unbroken row of them began.
    since: Timestamp,
    /// When it was told to end.
    stopped: Arc<OnceLock<Timestamp>>,
}

impl TimerTurns {
    /// The timers of the next version, one future for each of its listeners: it waits for its turn and follows the schedule until
    /// `stopping` completes and its last run has ended, or until the schedule ends. Dropping one ends its turn.
    pub fn next(
        &self,
        listeners: Vec<TimerListener>,
        stopping: &(impl Future<Output = ()> + Clone + Send + 'static),
    ) -> Vec<BoxFuture<'static, ()>> {
        listeners.into_iter().map(|listener| self.enter(listener, stopping.clone())).collect()
    }

    fn enter(
        &self,
        listener: TimerListener,
        stopping: impl Future<Output = ()> + Send + 'static,
    ) -> BoxFuture<'static, ()> {
        let (own, ended) = oneshot::channel::<()>();
        let function = listener.function().to_lowercase();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.get(&function).cloned();
        let now = listener.now();
        let goes_on = |turn: &&Turn| turn.stopped.get().is_none_or(|at| now.saturating_since(*at) <= LONGEST_GAP);
        let since = before.as_ref().filter(goes_on).map(|turn| turn.since);
        let before = before.map(|turn| turn.ended);
        let stopped: Arc<OnceLock<Timestamp>> = Arc::default();
        let turn = Turn { ended: end(before.clone(), ended), since: since.unwrap_or(now), stopped: stopped.clone() };
        last.insert(function, turn);
        async move {
            if let Some(before) = before {
                before.await;
            }
            let clock = listener.clock();
            let stopping = stopping.inspect(move |()| stopped.set(clock.now()).unwrap_or_default());
            match since {
                Some(since) => listener.go_on(since, stopping).await,
                None => listener.run(stopping).await,
            }
            drop(own);
        }
        .boxed()
    }
}

/// A turn that is never taken, because its future is dropped, does not let the next one overtake those before.
fn end(before: Option<Shared<BoxFuture<'static, ()>>>, own: oneshot::Receiver<()>) -> Shared<BoxFuture<'static, ()>> {
    let ended = async move {
        if let Some(before) = before {
            before.await;
        }
        own.map(drop).await;
    };
    ended.boxed().shared()
}
