//! What waits for the watching thread: events of the system, put together until things are quiet, and orders.

use notify::event::{AccessKind, AccessMode, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, EventKind};
use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

use super::reading::Suspects;
use super::watched::Watched;
use super::{Pace, notices};
use crate::clock::Stopwatch;

/// Names that are kept apart; beyond that, every file is looked at.
const MAX_NAMES: usize = 10_000;

/// What the owner wants of the thread. `done` is told afterwards.
#[derive(Debug)]
pub(super) enum Order {
    Look { done: oneshot::Sender<()> },
    Refresh { watched: Vec<Watched>, done: oneshot::Sender<()> },
}

/// Events that belong together.
#[derive(Debug)]
struct Burst {
    first: Stopwatch,
    last: Stopwatch,
}

/// All that came since the thread looked last.
#[derive(Debug, Default)]
pub(super) struct Mail {
    burst: Option<Burst>,
    names: BTreeSet<OsString>,
    /// Events were lost, or nobody sends any.
    is_everything_suspect: bool,
    /// What was removed or renamed; the system may have ceased to watch it.
    pub(super) gone: BTreeSet<PathBuf>,
    pub(super) notices: Vec<String>,
    pub(super) orders: VecDeque<Order>,
    is_closed: bool,
}

impl Mail {
    /// Since the first event; from now on if there was none.
    pub(super) fn since(&self) -> Stopwatch {
        self.burst.as_ref().map_or_else(Stopwatch::start, |burst| burst.first)
    }

    pub(super) fn suspects(&mut self) -> Suspects {
        if self.is_everything_suspect { Suspects::All } else { Suspects::Named(std::mem::take(&mut self.names)) }
    }
}

/// How much longer to wait, `first` after the first event and `last` after the last one.
pub(super) fn patience(pace: Pace, first: Duration, last: Duration) -> Duration {
    pace.quiet.saturating_sub(last).min(pace.at_most.saturating_sub(first))
}

/// Between those who send and the thread. Holds as much as there are names, whatever happens.
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
    bell: Condvar,
    pace: Pace,
}

impl Mailbox {
    pub(super) fn new(pace: Pace) -> Mailbox {
        Mailbox { mail: Mutex::new(Mail::default()), bell: Condvar::new(), pace }
    }

    pub(super) fn order(&self, order: Order) {
        self.open().orders.push_back(order);
        self.bell.notify_one();
    }

    pub(super) fn close(&self) {
        self.open().is_closed = true;
        self.bell.notify_one();
    }

    /// Takes what the system tells; most of it says nothing about content.
    pub(super) fn event(&self, event: notify::Result<Event>) {
        let mut mail = self.open();
        let event = match event {
            Ok(event) if event.need_rescan() => {
                mail.is_everything_suspect = true;
                mail.notices.push(notices::events_lost());
                event
            }
            Ok(event) if is_about_content(&event.kind) => event,
            Ok(_) => return,
            Err(error) => {
                // What it was about is unknown, or would have to be watched and is not.
                tracing::debug!(%error, "watching files");
                mail.is_everything_suspect = true;
                Event::new(EventKind::Other)
            }
        };
        if takes_away(&event.kind) {
            mail.gone.extend(event.paths.iter().cloned());
        }
        if mail.names.len() < MAX_NAMES {
            mail.names.extend(event.paths.iter().filter_map(|path| path.file_name().map(ToOwned::to_owned)));
        } else {
            mail.is_everything_suspect = true;
        }
        let now = Stopwatch::start();
        mail.burst.get_or_insert(Burst { first: now, last: now }).last = now;
        self.bell.notify_one();
    }

    /// Waits until something has to be done: an order at once, events when they have come to rest, and everything once in a
    /// while if `polls`. None when nobody needs the thread any more.
    pub(super) fn take(&self, polls: bool) -> Option<Mail> {
        let mut mail = self.open();
        loop {
            if mail.is_closed {
                return None;
            }
            if !mail.orders.is_empty() {
                return Some(std::mem::take(&mut *mail));
            }
            let wait = match &mail.burst {
                Some(burst) => Some(patience(self.pace, burst.first.elapsed(), burst.last.elapsed())),
                None => polls.then_some(self.pace.poll),
            };
            let Some(wait) = wait else {
                mail = self.bell.wait(mail).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if wait.is_zero() {
                return Some(std::mem::take(&mut *mail));
            }
            let (after, waited) = self.bell.wait_timeout(mail, wait).unwrap_or_else(PoisonError::into_inner);
            mail = after;
            if waited.timed_out() && mail.burst.is_none() {
                mail.is_everything_suspect = true;
                return Some(std::mem::take(&mut *mail));
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opening and reading says nothing; above all, our own reading must not make us look again.
fn is_about_content(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => *access == AccessKind::Close(AccessMode::Write),
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}

/// Whether a watched folder may be no longer watched.
fn takes_away(kind: &EventKind) -> bool {
    match kind {
        EventKind::Remove(RemoveKind::Any | RemoveKind::File | RemoveKind::Folder | RemoveKind::Other) => true,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => false,
        EventKind::Modify(ModifyKind::Name(_)) => true,
        EventKind::Modify(_) | EventKind::Access(_) | EventKind::Create(_) | EventKind::Any | EventKind::Other => false,
    }
}
