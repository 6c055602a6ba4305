//! What waits to be printed. Whoever prints may be slow: a terminal that is scrolled back, a pipe that nobody reads. Nobody who has
//! something to tell waits for that: what finds no room is left out, and how much that was is told as soon as there is room again.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::event::Record;

/// A busy host logs some ten thousand lines a second: this is what comes while a terminal thinks.
const MAX_LINES: usize = 8_192;
/// Lines of functions may be 16 KiB long.
const MAX_BYTES: usize = 4 << 20;
/// What the host itself has to say finds room behind a flood of lines.
const RESERVED_LINES: usize = 512;

/// Who may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    /// Lines of the log.
    Line,
    /// What the host tells the person who started it.
    Word,
}

/// The queue between all who tell and the one thread that prints.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    printed: Condvar,
}

#[derive(Default)]
struct Waiting {
    records: VecDeque<Arc<Record>>,
    bytes: usize,
    left_out: u64,
    /// The thread has nothing to do and must be woken.
    idle: bool,
}

/// What is printed in one go, oldest first.
pub(super) struct Batch {
    pub(super) records: VecDeque<Arc<Record>>,
    /// So many lines that came after these found no room.
    pub(super) left_out: u64,
}

impl Queue {
    /// Never waits.
    pub(super) fn push(&self, record: Arc<Record>, rank: Rank) {
        let mut waiting = self.lock();
        let (lines, bytes) = (waiting.records.len(), record.event.approximate_bytes());
        let has_room = match rank {
            Rank::Line => lines < MAX_LINES && waiting.bytes.saturating_add(bytes) <= MAX_BYTES,
            Rank::Word => lines < MAX_LINES + RESERVED_LINES,
        };
        if !has_room {
            waiting.left_out += 1;
            return;
        }
        waiting.bytes = waiting.bytes.saturating_add(bytes);
        waiting.records.push_back(record);
        if std::mem::take(&mut waiting.idle) {
            drop(waiting);
            self.filled.notify_one();
        }
    }

    /// Everything that waits, for the one who prints. Waits until there is something. Asking again says that the batch before was
    /// printed.
    pub(super) fn take(&self) -> Batch {
        let mut waiting = self.lock();
        while waiting.records.is_empty() && waiting.left_out == 0 {
            waiting.idle = true;
            self.printed.notify_all();
            waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.bytes = 0;
        let left_out = std::mem::take(&mut waiting.left_out);
        Batch { records: std::mem::take(&mut waiting.records), left_out }
    }

    /// Waits until everything is printed, but not for ever: a pipe that nobody reads must not keep a process alive.
    pub(super) fn flush(&self, patience: Duration) {
        let waiting = self.lock();
        let is_busy = |waiting: &mut Waiting| !(waiting.idle && waiting.records.is_empty());
        drop(self.printed.wait_timeout_while(waiting, patience, is_busy));
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
