//! The last of the log, for whoever asks from outside: what is kept of it, and a body that goes on as long as somebody reads.
//!
//! Owns the buffer and what readers choose of it. Nobody who logs waits for a reader: a reader who is slower than the log finds that
//! lines are gone, and is told how many. Text is made of lines only when they are read.

use bytes::Bytes;
use futures::Stream;
use futures::future::{Either, select};
use futures::stream;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tracing::Level;

use crate::clock::SystemClock;
use crate::console::{self, Event, Log, Record};
use crate::shutdown::Stopping;
use ports::Clock;

#[cfg(test)]
mod tests;

/// A few screens of a busy host.
const MAX_RECORDS: usize = 2_000;
/// Lines of functions may be 16 KiB long.
const MAX_BYTES: usize = 1 << 20;
/// A piece of a body: a reader that follows is not made to wait for more.
const RECORDS_AT_A_TIME: usize = 200;

/// The end of the log.
#[derive(Default)]
pub(crate) struct LogStream {
    kept: Mutex<Kept>,
    arrived: Notify,
}

#[derive(Default)]
struct Kept {
    records: VecDeque<Arc<Record>>,
    /// How many were before the first of them.
    gone: u64,
    bytes: usize,
}

/// Which lines somebody wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Only those of this function; its name is compared without case.
    pub(crate) function: Option<String>,
    /// Only those that are at least so grave.
    pub(crate) level: Option<Level>,
    /// Only those of invocations or instances whose id begins with this.
    pub(crate) invocation: Option<String>,
}

/// How lines are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Plain lines.
    Text,
    /// Records as of `dacapo start --output json`.
    Json,
}

/// What a reader finds.
struct Piece {
    records: Vec<Arc<Record>>,
    /// So many were gone before it came.
    missed: u64,
}

impl LogStream {
    /// Keeps a line for readers; the oldest make room.
    pub(crate) fn push(&self, record: Arc<Record>) {
        let mut kept = self.lock();
        kept.bytes = kept.bytes.saturating_add(record.event.approximate_bytes());
        kept.records.push_back(record);
        while kept.records.len() > MAX_RECORDS || kept.bytes > MAX_BYTES {
            let Some(oldest) = kept.records.pop_front() else { break };
            kept.bytes = kept.bytes.saturating_sub(oldest.event.approximate_bytes());
            kept.gone += 1;
        }
        drop(kept);
        self.arrived.notify_waiters();
    }

    /// What is kept; and then, for one who follows, whatever comes, until the host stops.
    pub(crate) fn read(
        self: Arc<Self>,
        selection: Selection,
        form: Form,
        follow: Option<Stopping>,
    ) -> impl Stream<Item = Bytes> + Send + 'static {
        let next = self.lock().gone;
        let reader = Reader { log: self, selection, form, follow, next };
        stream::unfold(reader, |mut reader| async move { reader.piece().await.map(|piece| (piece, reader)) })
    }

    /// What came since the record of this number.
    fn since(&self, next: &mut u64) -> Piece {
        let kept = self.lock();
        let missed = kept.gone.saturating_sub(*next);
        let skip = usize::try_from(next.saturating_sub(kept.gone)).unwrap_or(usize::MAX);
        let records: Vec<Arc<Record>> = kept.records.iter().skip(skip).take(RECORDS_AT_A_TIME).cloned().collect();
        *next = next.saturating_add(missed).saturating_add(records.len() as u64);
        Piece { records, missed }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who reads.
struct Reader {
    log: Arc<LogStream>,
    selection: Selection,
    form: Form,
    /// None: only what is kept.
    follow: Option<Stopping>,
    /// How many lines it has seen or missed.
    next: u64,
}

impl Reader {
    /// The next lines that it wants; none at the end.
    async fn piece(&mut self) -> Option<Bytes> {
        loop {
            let mut arrived = pin!(self.log.arrived.notified());
            // From here on an arrival is not overlooked, so what is not found below will be heard of.
            arrived.as_mut().enable();
            let piece = self.log.since(&mut self.next);
            if piece.records.is_empty() && piece.missed == 0 {
                let stopping = self.follow.clone()?;
                match select(arrived, stopping).await {
                    Either::Left(((), _)) => continue,
                    Either::Right(((), _)) => {
                        self.follow = None;
                        continue;
                    }
                }
            }
            let text = self.text(&piece);
            if !text.is_empty() {
                return Some(Bytes::from(text));
            }
        }
    }

    fn text(&self, piece: &Piece) -> String {
        let mut text = String::new();
        if piece.missed > 0 {
            self.render(&Record { at: SystemClock.now(), event: Event::LeftOut(piece.missed) }, &mut text);
        }
        for record in &piece.records {
            if matches!(&record.event, Event::Log(log) if self.selection.wants(log)) {
                self.render(record, &mut text);
            }
        }
        text
    }

    fn render(&self, record: &Record, text: &mut String) {
        match self.form {
            Form::Text => console::render_plain(record, text),
            Form::Json => console::render_json(record, text),
        }
    }
}

impl Selection {
    fn wants(&self, log: &Log) -> bool {
        let Selection { function, level, invocation } = self;
        let is_of = |id: &str| {
            let has = |of: &Option<String>| of.as_deref().is_some_and(|of| of.starts_with(id));
            has(&log.invocation_id) || has(&log.instance_id)
        };
        // Graver levels are smaller.
        level.is_none_or(|level| log.level <= level)
            && function
                .as_deref()
                .is_none_or(|name| log.function.as_deref().is_some_and(|function| function.eq_ignore_ascii_case(name)))
            && invocation.as_deref().is_none_or(is_of)
    }
}

/// The level of a word, Azure's or ours.
pub(crate) fn level(word: &str) -> Option<Level> {
    match word.to_ascii_lowercase().as_str() {
        "trace" => Some(Level::TRACE),
        "debug" => Some(Level::DEBUG),
        "information" | "info" => Some(Level::INFO),
        "warning" | "warn" => Some(Level::WARN),
        "error" | "critical" => Some(Level::ERROR),
        _ => None,
    }
}
