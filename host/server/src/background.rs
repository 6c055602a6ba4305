//! Work that was promised to somebody who does not wait for it: it goes on when the caller goes away, and the host waits for
//! it before it ends.

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use crate::shutdown::Stopping;

/// Works at a time; further ones wait.
const AT_A_TIME: usize = 100;

/// Works that may wait; more are refused, so that no caller can fill the memory.
const MAY_WAIT: usize = 1_000;

/// Takes work. Clones take it for the same [`BackgroundTasks`].
#[derive(Clone)]
pub(crate) struct Background(mpsc::Sender<BoxFuture<'static, ()>>);

/// Does it.
pub(crate) struct BackgroundTasks(mpsc::Receiver<BoxFuture<'static, ()>>);

/// Why work was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTaken {
    /// Too much of it waits already.
    #[error("too many runs are waiting; try again when some have ended")]
    Full,
    /// The host ends.
    #[error("the host ends and takes no new work")]
    Ending,
}

impl Background {
    /// Both ends.
    pub(crate) fn new() -> (Background, BackgroundTasks) {
        let (sender, receiver) = mpsc::channel(MAY_WAIT);
        (Background(sender), BackgroundTasks(receiver))
    }

    /// Promises that `work` is done; it must end by itself.
    ///
    /// # Errors
    /// It is not; with why.
    pub(crate) fn take(&self, work: BoxFuture<'static, ()>) -> Result<(), NotTaken> {
        self.0.try_send(work).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotTaken::Full,
            mpsc::error::TrySendError::Closed(_) => NotTaken::Ending,
        })
    }
}

impl BackgroundTasks {
    /// Does what comes until `stopping` completes and all that was taken is done.
    pub(crate) async fn run(self, stopping: Stopping) {
        let BackgroundTasks(mut works) = self;
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                () = stopping.clone() => break,
                Some(ended) = tasks.join_next() => report(ended),
                Some(work) = works.recv(), if tasks.len() < AT_A_TIME => drop(tasks.spawn(work)),
            }
        }
        works.close();
        while let Some(work) = works.recv().await {
            if tasks.len() >= AT_A_TIME
                && let Some(ended) = tasks.join_next().await
            {
                report(ended);
            }
            tasks.spawn(work);
        }
        while let Some(ended) = tasks.join_next().await {
            report(ended);
        }
    }
}

/// A work that panicked is nobody else's trouble.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a run in the background broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shutdown::Stop;
    use futures::FutureExt;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn break_off() {
        panic!("on purpose");
    }

    #[tokio::test]
    async fn what_was_taken_is_done_before_the_end() {
        let (background, tasks) = Background::new();
        let (stop, stopping) = Stop::new();
        let done = Arc::new(AtomicUsize::new(0));
        let all = AT_A_TIME * 2;
        for _ in 0..all {
            let done = Arc::clone(&done);
            let work = async move {
                tokio::task::yield_now().await;
                done.fetch_add(1, Ordering::SeqCst);
            };
            background.take(work.boxed()).expect("there is room");
        }
        background.take(async { break_off() }.boxed()).expect("there is room");
        stop.ask();
        tasks.run(stopping).await;
        assert_eq!(done.load(Ordering::SeqCst), all);
        assert_eq!(background.take(async {}.boxed()), Err(NotTaken::Ending));
    }

    #[test]
    fn too_much_is_refused() {
        let (background, _tasks) = Background::new();
        for _ in 0..MAY_WAIT {
            background.take(async {}.boxed()).expect("there is room");
        }
        assert_eq!(background.take(async {}.boxed()), Err(NotTaken::Full));
    }
}
