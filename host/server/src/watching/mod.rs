//! What happens to the files of apps under development: manifests, settings, components and the sources of components.
//!
//! The system tells that something happened, the content of the files decides what: a file that was touched and not changed is
//! no change, and it does not matter in which way an editor replaces a file. One thread owns all of it; [`Watch`] is its other
//! end. What is done about a change is left to the development loop.

mod changes;
mod mailbox;
mod notices;
mod observer;
mod reading;
mod survey;
#[cfg(test)]
mod tests;
mod watched;

use anyhow::Context;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::changes::{AppChanges, Changes};
pub(crate) use self::watched::{Sources, Watched};

use self::mailbox::{Mailbox, Order};
use self::observer::{Observer, system_watcher};
use crate::clock::Stopwatch;

/// How patient watching is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// A change is looked at after nothing more has happened for this long: editors and compilers touch several files.
    pub(crate) quiet: Duration,
    /// It is looked at after this long, however much goes on happening.
    pub(crate) at_most: Duration,
    /// How often to look where the system does not tell.
    pub(crate) poll: Duration,
}

impl Pace {
    /// For people: shorter than they notice, longer than an editor takes to save.
    pub(crate) const USUAL: Pace =
        Pace { quiet: Duration::from_millis(50), at_most: Duration::from_millis(500), poll: Duration::from_secs(2) };
}

/// What the thread tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Files have changed.
    Changed(Changes),
    /// Watching has a trouble of its own: what, why, and what to do. It goes on in spite of it.
    Notice(String),
}

/// Watches until it is dropped.
pub(crate) struct Watch {
    mailbox: Arc<Mailbox>,
    seen: mpsc::UnboundedReceiver<Seen>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Remembers the files as they are and watches from here on. Reads all of them, on this thread, before it returns.
    ///
    /// # Errors
    /// There is no thread to be had. That the system cannot watch is no error but a [`Seen::Notice`].
    pub(crate) fn start(watched: Vec<Watched>, pace: Pace) -> anyhow::Result<Watch> {
        Watch::start_with(watched, pace, system_watcher)
    }

    fn start_with(watched: Vec<Watched>, pace: Pace, make: observer::MakeWatcher) -> anyhow::Result<Watch> {
        let mailbox = Arc::new(Mailbox::new(pace));
        let (tell, seen) = mpsc::unbounded_channel();
        let observer = Observer::start(watched, pace, Arc::clone(&mailbox), tell, make);
        let thread = std::thread::Builder::new().name("watching".to_owned()).spawn(move || observer.run());
        let thread = thread.context("there is no thread that could watch the files")?;
        Ok(Watch { mailbox, seen, thread: Some(thread) })
    }

    /// The next thing that is seen. Changes are never empty, and each is told once. May be dropped and asked again, as in a
    /// `select!`.
    pub(crate) async fn next(&mut self) -> Seen {
        match self.seen.recv().await {
            Some(seen) => seen,
            // The thread is gone: it has broken off, and nothing will change any more.
            None => std::future::pending().await,
        }
    }

    /// Looks now, and tells all that nobody was told yet: what has happened just before, without waiting for quiet. What was
    /// built a moment ago is told here and not again later. Changes may be empty.
    pub(crate) async fn look(&mut self) -> (Changes, Vec<String>) {
        self.order(|done| Order::Look { done }).await;
        let mut changes = Changes::none(Stopwatch::start());
        let mut notices = Vec::new();
        while let Ok(seen) = self.seen.try_recv() {
            match seen {
                Seen::Changed(more) => changes.add(more),
                Seen::Notice(notice) => notices.push(notice),
            }
        }
        (changes, notices)
    }

    /// Watches this from now on, with apps in the same places. A file that was watched before is still compared with what it
    /// was then; a new one is remembered as it is.
    pub(crate) async fn refresh(&mut self, watched: Vec<Watched>) {
        self.order(|done| Order::Refresh { watched, done }).await;
    }

    async fn order(&self, order: impl FnOnce(oneshot::Sender<()>) -> Order) {
        let (done, is_done) = oneshot::channel();
        self.mailbox.order(order(done));
        // Nobody answers if the thread has broken off; then there is nothing to be seen.
        drop(is_done.await);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.mailbox.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("watching files broke off");
        }
    }
}
