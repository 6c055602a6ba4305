//! What went wrong in a guest, told apart: from wasmtime's errors to [`GuestFault`].

use crate::GuestSettings;
use ports::GuestFault;
use std::time::Duration;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

/// Manifest keys that a fault names.
pub(crate) const FUNCTION_TIMEOUT_KEY: &str = "the trigger's timeout or host.functionTimeout";
pub(crate) const TURN_TIMEOUT_KEY: &str = "host.durableTask.orchestratorTurnTimeout";
const MEMORY_KEY: &str = "host.guest.maxMemoryBytes";
const OUTPUT_KEY: &str = "host.guest.maxOutputBytes";

/// How many frames of the guest's stack a message shows, innermost first.
const SHOWN_FRAMES: usize = 5;

/// Why the host stopped a guest; travels through wasmtime as the cause of a trap.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// It made a call that its kind of sandbox does not offer.
    #[error("{0}")]
    Forbidden(String),
    /// It asked for too much memory.
    #[error("more than {limit} bytes of memory")]
    OutOfMemory { limit: usize },
    /// It handed over too much.
    #[error("{len} bytes are too many")]
    OutputTooLarge { len: usize },
    /// Its turn took too long.
    #[error("the turn took too long")]
    TurnTimedOut,
    /// It departs from its history, or has gone over a limit.
    #[error(transparent)]
    Orchestration(orchestration::Stopped),
}

impl Stop {
    pub(crate) fn forbidden(text: impl Into<String>) -> wasmtime::Error {
        Stop::Forbidden(text.into()).into()
    }
}

/// Whether an error says that the pool has no place left.
pub(crate) fn is_pool_exhausted(error: &wasmtime::Error) -> bool {
    error.downcast_ref::<PoolConcurrencyLimitError>().is_some()
}

/// The fault of a guest that could not be made: its own code ran and trapped, or there was no room.
pub(crate) fn of_start(error: &wasmtime::Error, function: &str, settings: &GuestSettings) -> GuestFault {
    let guest_code_failed = error.downcast_ref::<Trap>().is_some() || error.downcast_ref::<Stop>().is_some();
    if guest_code_failed {
        return of_call(error, function, &[], settings);
    }
    GuestFault::Unavailable { function: function.to_owned(), message: format!("{error:#}") }
}

/// The fault of a call that ended with an error. `last_words` are the last lines that it wrote to standard error.
pub(crate) fn of_call(
    error: &wasmtime::Error,
    function: &str,
    last_words: &[String],
    settings: &GuestSettings,
) -> GuestFault {
    let function = function.to_owned();
    match error.downcast_ref::<Stop>() {
        Some(Stop::OutOfMemory { limit }) => {
            GuestFault::OutOfMemory { function, limit_bytes: *limit as u64, key: MEMORY_KEY }
        }
        Some(Stop::OutputTooLarge { len }) => output_too_large(&function, *len, settings),
        Some(Stop::TurnTimedOut) => timed_out(&function, settings.turn_timeout, TURN_TIMEOUT_KEY),
        Some(Stop::Forbidden(_) | Stop::Orchestration(_)) | None => {
            GuestFault::Trapped { function, message: trap_message(error, last_words) }
        }
    }
}

pub(crate) fn timed_out(function: &str, limit: Duration, key: &'static str) -> GuestFault {
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    GuestFault::TimedOut { function: function.to_owned(), limit_ms, key }
}

pub(crate) fn output_too_large(function: &str, len: usize, settings: &GuestSettings) -> GuestFault {
    GuestFault::OutputTooLarge {
        function: function.to_owned(),
        len: len as u64,
        limit_bytes: settings.max_output_bytes as u64,
        key: OUTPUT_KEY,
    }
}

fn trap_message(error: &wasmtime::Error, last_words: &[String]) -> String {
    let mut message = match error.downcast_ref::<Trap>() {
        // The stack of a Rust or C guest lies below its data, so that running over its end is such an access.
        Some(trap @ Trap::MemoryOutOfBounds) => format!("{trap} (an endless recursion ends like this, too)"),
        Some(trap) => trap.to_string(),
        None if error.downcast_ref::<wasmtime_wasi::I32Exit>().is_some() => {
            "it ended its process instead of returning; return a failure instead of calling exit".to_owned()
        }
        None => error.root_cause().to_string(),
    };
    if !last_words.is_empty() {
        message.push_str("; its last words on standard error: ");
        message.push_str(&last_words.join(" | "));
    }
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        let frames: Vec<String> = backtrace.frames().iter().take(SHOWN_FRAMES).map(frame).collect();
        if !frames.is_empty() {
            message.push_str("; in ");
            message.push_str(&frames.join(" < "));
        }
    }
    message
}

/// By name if the component has names; a stripped one has numbers only.
fn frame(frame: &wasmtime::FrameInfo) -> String {
    match frame.func_name() {
        Some(name) => name.to_owned(),
        None => format!("function {}", frame.func_index()),
    }
}
