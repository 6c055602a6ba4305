//! What a guest writes to standard output and standard error: captured line by line as log events.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A longer line becomes several events.
const MAX_LINE_BYTES: usize = 16 * 1024;
/// What a guest may hand over in one write.
const WRITE_BYTES: usize = 64 * 1024;
/// The last lines of standard error that a fault quotes: a panic takes two to four.
const LAST_WORDS: usize = 6;
/// How much of each of them.
const LAST_WORD_BYTES: usize = 1024;

/// What Rust says after every panic, and what nobody can do in a sandbox.
const BACKTRACE_HINT: &str = "note: run with `RUST_BACKTRACE";

/// Who writes: the fields of each event.
#[derive(Clone, Debug)]
pub(crate) enum Speaker {
    /// An invocation of a function.
    Invocation { function: Arc<str>, id: Arc<str> },
    /// An instance of an orchestrator.
    Orchestrator { function: Arc<str>, instance: Arc<str> },
}

/// Tells whether lines are to be dropped at the moment, as those of code that runs again are.
pub(crate) type Silence = Box<dyn Fn() -> bool + Send>;

/// The log of one guest. Clones write to the same log.
#[derive(Clone)]
pub(crate) struct GuestOutput(Arc<Mutex<Log>>);

struct Log {
    speaker: Speaker,
    silence: Silence,
    /// Whether what is pending was written in silence.
    silent: bool,
    limit: usize,
    written: usize,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    last_words: VecDeque<String>,
}

/// The two streams of a guest.
#[derive(Clone, Copy)]
enum Channel {
    Stdout,
    Stderr,
}

impl GuestOutput {
    pub(crate) fn new(speaker: Speaker, limit: usize, silence: Silence) -> GuestOutput {
        GuestOutput(Arc::new(Mutex::new(Log {
            speaker,
            silence,
            silent: false,
            limit,
            written: 0,
            stdout: Vec::new(),
            stderr: Vec::new(),
            last_words: VecDeque::new(),
        })))
    }

    pub(crate) fn stdout(&self) -> impl StdoutStream + use<> {
        Stream { output: self.clone(), channel: Channel::Stdout }
    }

    pub(crate) fn stderr(&self) -> impl StdoutStream + use<> {
        Stream { output: self.clone(), channel: Channel::Stderr }
    }

    /// A line that the guest logs by a call of its own.
    pub(crate) fn log(&self, level: tracing::Level, line: &str) {
        self.with(|log| {
            log.notice_silence();
            log.line(level, line);
        });
    }

    /// The last lines of standard error.
    pub(crate) fn last_words(&self) -> Vec<String> {
        self.finish_lines();
        self.with(|log| log.last_words.iter().cloned().collect())
    }

    /// Logs what has no line end yet.
    pub(crate) fn finish_lines(&self) {
        self.with(|log| {
            log.finish_line(Channel::Stdout);
            log.finish_line(Channel::Stderr);
        });
    }

    /// From here on another speaker writes, with the whole limit before it.
    pub(crate) fn restart(&self, speaker: Speaker) {
        self.with(|log| {
            log.speaker = speaker;
            log.written = 0;
        });
    }

    fn with<R>(&self, act: impl FnOnce(&mut Log) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Log {
    /// A line that is begun in silence does not drag what follows into it, nor the other way round.
    fn notice_silence(&mut self) {
        let silent = (self.silence)();
        if silent != self.silent {
            self.finish_line(Channel::Stdout);
            self.finish_line(Channel::Stderr);
            self.silent = silent;
        }
    }

    fn write(&mut self, channel: Channel, bytes: &[u8]) {
        self.notice_silence();
        for mut piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            while !piece.is_empty() {
                let room = MAX_LINE_BYTES - self.pending(channel).len();
                let (now, later) = piece.split_at(piece.len().min(room));
                self.pending(channel).extend_from_slice(now);
                if now.ends_with(b"\n") || self.pending(channel).len() == MAX_LINE_BYTES {
                    self.finish_line(channel);
                }
                piece = later;
            }
        }
    }

    fn pending(&mut self, channel: Channel) -> &mut Vec<u8> {
        match channel {
            Channel::Stdout => &mut self.stdout,
            Channel::Stderr => &mut self.stderr,
        }
    }

    fn finish_line(&mut self, channel: Channel) {
        let bytes = std::mem::take(self.pending(channel));
        let text = String::from_utf8_lossy(&bytes);
        let line = text.trim_end();
        if line.is_empty() {
            return;
        }
        if matches!(channel, Channel::Stderr) && !line.starts_with(BACKTRACE_HINT) {
            if self.last_words.len() == LAST_WORDS {
                self.last_words.pop_front();
            }
            self.last_words.push_back(line[..line.floor_char_boundary(LAST_WORD_BYTES)].to_owned());
        }
        self.line(tracing::Level::INFO, line);
    }

    fn line(&mut self, level: tracing::Level, line: &str) {
        if self.silent {
            return;
        }
        let before = self.written;
        self.written = before.saturating_add(line.len());
        if self.written <= self.limit {
            emit(&self.speaker, level, line);
        } else if before <= self.limit {
            let notice = format!("truncated: more than {} bytes of log; raise host.guest.maxLogBytes", self.limit);
            emit(&self.speaker, tracing::Level::WARN, &notice);
        }
    }
}

/// A guest that ends, or is stopped, in the middle of a line still gets it logged.
impl Drop for Log {
    fn drop(&mut self) {
        self.finish_line(Channel::Stdout);
        self.finish_line(Channel::Stderr);
    }
}

fn emit(speaker: &Speaker, level: tracing::Level, line: &str) {
    // The level of an event is part of its static description.
    macro_rules! event {
        ($level:expr) => {
            match speaker {
                Speaker::Invocation { function, id } => {
                    tracing::event!(target: "guest", $level, function = %function, invocation_id = %id, "{line}");
                }
                Speaker::Orchestrator { function, instance } => {
                    tracing::event!(target: "guest", $level, function = %function, instance_id = %instance, "{line}");
                }
            }
        };
    }
    match level {
        tracing::Level::TRACE => event!(tracing::Level::TRACE),
        tracing::Level::DEBUG => event!(tracing::Level::DEBUG),
        tracing::Level::INFO => event!(tracing::Level::INFO),
        tracing::Level::WARN => event!(tracing::Level::WARN),
        tracing::Level::ERROR => event!(tracing::Level::ERROR),
    }
}

/// One stream of a guest; always ready.
struct Stream {
    output: GuestOutput,
    channel: Channel,
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    /// Only guests of component-model async would ask for it, and those are not run.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Stream { output: self.output.clone(), channel: self.channel })
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        let channel = self.channel;
        self.output.with(|log| log.write(channel, &bytes));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[async_trait::async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}
