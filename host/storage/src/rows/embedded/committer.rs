//! The one thread that writes: drains what is waiting, writes it as one batch, syncs once, answers all.

use super::Tables;
use super::space::Gate;
use crate::rows::{Batch, Change, Done};
use fjall::{OwnedWriteBatch, PersistMode};
use ports::StoreError;
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::mpsc::{Receiver, SendError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

/// How many changes one batch has at most, unless a single caller brings more: bounds how long the others wait.
const MAX_GROUP: usize = 16_384;

/// A caller's batch, one change per row.
struct Job {
    changes: Vec<Change>,
    done: Done,
}

/// The handle of the thread. Each caller waits for its answer, so there are never more jobs than callers.
pub(super) struct Committer {
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Committer {
    pub(super) fn start(tables: Tables, gate: Gate) -> std::io::Result<Committer> {
        let (sender, receiver) = channel();
        let thread =
            std::thread::Builder::new().name("committer".to_owned()).spawn(move || run(&tables, gate, &receiver))?;
        Ok(Committer { jobs: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn write(&self, batch: Batch, done: Done) {
        let job = Job { changes: batch.into_changes(), done };
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = match &*jobs {
            Some(sender) => sender.send(job).map_err(|SendError(job)| job),
            None => Err(job),
        };
        drop(jobs);
        if let Err(job) = refused {
            (job.done)(Err(StoreError::Unavailable { detail: "the store is closed".to_owned() }));
        }
    }

    /// Waits until everything is written that was handed in.
    pub(super) fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // An answer may be what lets the store go: then this is the thread itself, which ends without being waited for.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the committer of the store panicked; what was not answered may not be durable");
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.close();
    }
}

fn run(tables: &Tables, mut gate: Gate, jobs: &Receiver<Job>) {
    let mut left_over = None;
    while let Some(first) = left_over.take().or_else(|| jobs.recv().ok()) {
        gate.look();
        let mut group = Group::default();
        group.add(first, &mut gate);
        while group.changes < MAX_GROUP {
            let Ok(job) = jobs.try_recv() else { break };
            if group.conflicts(&job) {
                left_over = Some(job);
                break;
            }
            group.add(job, &mut gate);
        }
        if !group.jobs.is_empty() {
            group.commit(tables);
        }
    }
}

/// Jobs that become one batch of the database. They have no row in common: the database gives a whole batch one sequence
/// number, under which the later of two changes of a row cannot be told.
#[derive(Default)]
struct Group {
    jobs: Vec<Job>,
    changes: usize,
    /// Hashes of rows. Two rows of one hash only cost a batch of its own.
    rows: HashSet<u64>,
}

impl Group {
    fn conflicts(&self, job: &Job) -> bool {
        job.changes.iter().any(|change| self.rows.contains(&hash(change)))
    }

    /// Takes a job in. One that there is no room for is answered at once.
    fn add(&mut self, job: Job, gate: &mut Gate) {
        if let Err(full) = gate.admit(&job.changes) {
            return (job.done)(Err(full));
        }
        self.rows.extend(job.changes.iter().map(hash));
        self.changes += job.changes.len();
        self.jobs.push(job);
    }

    fn commit(self, tables: &Tables) {
        let mut batch = OwnedWriteBatch::with_capacity(tables.database.clone(), self.changes)
            .durability(Some(PersistMode::SyncData));
        let mut callers = Vec::with_capacity(self.jobs.len());
        for job in self.jobs {
            for Change { table, key, value } in job.changes {
                match value {
                    Some(value) => batch.insert(tables.keyspace(table), key, value),
                    None => batch.remove(tables.keyspace(table), key),
                }
            }
            callers.push(job.done);
        }
        // Synced before the rows become visible to readers, and refused from the first failure on until the store is opened
        // anew: after a failed sync nobody knows what is on the disk.
        let written = batch.commit().map_err(|error| StoreError::Unavailable {
            detail: format!("writing failed, and no write is taken before the host is started again: {error}"),
        });
        if let Err(error) = &written {
            tracing::error!(%error, callers = callers.len(), "a group of commits was not written");
        }
        for done in callers {
            done(written.clone());
        }
    }
}

fn hash(change: &Change) -> u64 {
    let mut hasher = DefaultHasher::new();
    change.table.hash(&mut hasher);
    change.key.hash(&mut hasher);
    hasher.finish()
}
