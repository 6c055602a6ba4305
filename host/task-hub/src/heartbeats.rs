//! The signs of life of the activities that run in this process: when each began, when it was heard of last, and how far it
//! has come. Kept in memory only; whatever is missing here is not running here.

use orchestration::{EventId, ExecutionId, Json, Timestamp};
use ports::{Clock, Heartbeat};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How far a running activity has come.
#[derive(Clone, PartialEq, Debug)]
pub struct Progress {
    /// When this run began.
    pub since: Timestamp,
    /// When it gave a sign of life; none: it has given none yet.
    pub last_heartbeat: Option<Timestamp>,
    /// What it said last about itself.
    pub details: Option<Json>,
}

/// The request that a run answers.
type Key = (ExecutionId, EventId);

/// All runs of this process.
#[derive(Default)]
pub(crate) struct RunningActivities {
    runs: Arc<Mutex<BTreeMap<Key, Arc<Beats>>>>,
}

impl RunningActivities {
    /// Begins a run; it is listed until the answer is dropped.
    pub(crate) fn begin(&self, key: Key, clock: Arc<dyn Clock>) -> Run {
        let progress = Progress { since: clock.now(), last_heartbeat: None, details: None };
        let beats = Arc::new(Beats { clock, progress: Mutex::new(progress) });
        lock(&self.runs).insert(key, beats.clone());
        Run { key, beats, runs: self.runs.clone() }
    }

    /// How far a run has come; none if it is not running here.
    pub(crate) fn progress(&self, key: Key) -> Option<Progress> {
        let beats = lock(&self.runs).get(&key).cloned()?;
        Some(beats.progress())
    }
}

/// One run.
pub(crate) struct Run {
    key: Key,
    beats: Arc<Beats>,
    runs: Arc<Mutex<BTreeMap<Key, Arc<Beats>>>>,
}

impl Run {
    /// Where its signs of life go.
    pub(crate) fn heartbeat(&self) -> Arc<dyn Heartbeat> {
        self.beats.clone()
    }

    /// When it was heard of last; its beginning counts.
    pub(crate) fn last_sign_of_life(&self) -> Timestamp {
        let progress = self.beats.progress();
        progress.last_heartbeat.unwrap_or(progress.since)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let mut runs = lock(&self.runs);
        // A later run of the same activity may stand here already.
        if runs.get(&self.key).is_some_and(|beats| Arc::ptr_eq(beats, &self.beats)) {
            runs.remove(&self.key);
        }
    }
}

struct Beats {
    clock: Arc<dyn Clock>,
    progress: Mutex<Progress>,
}

impl Beats {
    fn progress(&self) -> Progress {
        lock(&self.progress).clone()
    }
}

impl Heartbeat for Beats {
    fn beat(&self, details: Option<Json>) {
        let now = self.clock.now();
        let mut progress = lock(&self.progress);
        progress.last_heartbeat = Some(now);
        if details.is_some() {
            progress.details = details;
        }
    }
}

impl fmt::Debug for Beats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.progress().fmt(f)
    }
}

/// A panic elsewhere leaves a list that is still true.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
