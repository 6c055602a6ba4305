//! The tasks of a host: more can be added while it runs, each tells when it ends that should not have, and their end can be
//! waited for.

use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use crate::shutdown::Stopping;

/// See the module.
pub(crate) struct Tasks {
    running: Mutex<JoinSet<()>>,
    failures: mpsc::UnboundedSender<String>,
}

/// What went wrong, as it happens.
pub(crate) struct Failures(mpsc::UnboundedReceiver<String>);

impl Tasks {
    /// None yet.
    pub(crate) fn new() -> (Tasks, Failures) {
        let (failures, receiver) = mpsc::unbounded_channel();
        (Tasks { running: Mutex::default(), failures }, Failures(receiver))
    }

    /// Begins a task. That it ends before `stopping` completes, or that it panics, is a failure of the host. That somebody
    /// gives it up is none.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        stopping: Stopping,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> AbortHandle {
        let failures = self.failures.clone();
        let watched = async move {
            let outcome = AssertUnwindSafe(task).catch_unwind().await;
            let what = match outcome {
                Ok(()) if stopping.now_or_never().is_some() => return,
                Ok(()) => format!("a part of the host ended by itself: {name}"),
                Err(_) => format!("a part of the host failed: {name}; the log says why"),
            };
            // Nobody listens any more once the host ends.
            drop(failures.send(what));
        };
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while running.try_join_next().is_some() {}
        running.spawn(watched)
    }

    /// Completes when no task is left.
    pub(crate) async fn ended(&self) {
        loop {
            let mut running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
            if running.is_empty() {
                return;
            }
            while running.join_next().await.is_some() {}
        }
    }

    /// Ends every task at its next wait.
    pub(crate) fn abort(&self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

impl Failures {
    /// The next one.
    pub(crate) async fn next(&mut self) -> String {
        match self.0.recv().await {
            Some(failure) => failure,
            None => std::future::pending().await,
        }
    }
}
