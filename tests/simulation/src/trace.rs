//! What happened, in order: one line per point, in fixed columns, and a hash over all of them.

use crate::clock::EPOCH;
use crate::faults::{Call, Kind, Side};
use crate::scheduler::TaskId;
use orchestration::Timestamp;
use std::fmt;

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: Timestamp,
    pub(crate) task: Option<TaskId>,
    pub(crate) point: u64,
    pub(crate) call: Call,
    pub(crate) side: Side,
    /// The instance or the work that it is about.
    pub(crate) subject: String,
    /// What came of the call, behind it.
    pub(crate) effect: String,
    pub(crate) fault: Option<Kind>,
}

/// All lines of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    lines: Vec<Line>,
}

impl Trace {
    pub(crate) fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// The same for the same run, and for no other.
    pub(crate) fn hash(&self) -> u64 {
        fnv(self.to_string().as_bytes())
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>14} {:>5} {:>6} {:<18} {:<44} effect", "seconds", "task", "point", "call", "subject")?;
        for line in &self.lines {
            line.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at.saturating_since(EPOCH).as_secs_f64();
        let task = self.task.map_or_else(|| "-".to_owned(), |task| task.0.to_string());
        let call = match self.side {
            Side::Before => format!("{:?}", self.call),
            Side::After => format!("  .. {:?}", self.call),
        };
        write!(f, "{seconds:>14.4} {task:>5} {:>6} {call:<18} {:<44} {}", self.point, self.subject, self.effect)?;
        match self.fault {
            Some(fault) => writeln!(f, " <- {fault}"),
            None => writeln!(f),
        }
    }
}

/// The 64-bit FNV-1a hash.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
