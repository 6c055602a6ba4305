//! The ways to misbehave, as plain code without a function of the app around it: the same for an activity, an
//! orchestrator and an HTTP function.

use std::hint::black_box;
use std::io::Write;

use serde::{Deserialize, Serialize};

/// How to misbehave; in JSON one of `"panic"`, `"loop"`, `"memory"`, `"output"`, `"stdout"`, `"stack"`, `"exit"`, `"not"`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum How {
    /// Panic, with a message on standard error.
    Panic,
    /// Compute for ever.
    Loop,
    /// Take memory, and touch it, for ever.
    Memory,
    /// Return [`OVERLONG_BYTES`] of text.
    Output,
    /// Write to standard output for ever.
    Stdout,
    /// Call itself for ever.
    Stack,
    /// End the process, which is the host's, were it allowed.
    Exit,
    /// Behave. The neighbours of the others do this, and must not notice.
    Not,
}

/// More than the host takes from one call unless the manifest says otherwise.
pub(crate) const OVERLONG_BYTES: usize = 20 * 1024 * 1024;

/// Misbehaves. If it returns, then with a text.
pub(crate) fn misbehave(how: How) -> String {
    match how {
        How::Panic => panic!("as you wish"),
        How::Loop => compute_for_ever(),
        How::Memory => take_memory_for_ever(),
        How::Output => "x".repeat(OVERLONG_BYTES),
        How::Stdout => write_for_ever(),
        How::Stack => recurse(black_box(0)).to_string(),
        How::Exit => std::process::exit(3),
        How::Not => "well behaved".into(),
    }
}

pub(crate) fn compute_for_ever() -> ! {
    let mut number: u64 = 0;
    loop {
        number = black_box(number.wrapping_mul(31).wrapping_add(7));
    }
}

fn take_memory_for_ever() -> ! {
    const CHUNK_BYTES: usize = 1024 * 1024;
    let mut taken = Vec::new();
    loop {
        taken.push(black_box(vec![1_u8; CHUNK_BYTES]));
    }
}

fn write_for_ever() -> ! {
    let mut stdout = std::io::stdout();
    loop {
        // A host that stops listening is not a reason to stop.
        writeln!(stdout, "{}", "noise ".repeat(100)).ok();
    }
}

#[expect(unconditional_recursion, reason = "the stack is to overflow")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[63]
}
