//! What the world may know of an instance without reading its history.

use crate::{ExecutionId, Failure, InstanceId, Json, Parent, Timestamp};
use std::fmt;

/// Where an instance is in its life. The numbers are those of Durable Functions' API and storage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum RuntimeStatus {
    /// At least one turn ran.
    Running = 0,
    /// Ended with an output.
    Completed = 1,
    /// Between two executions; never observable from outside.
    ContinuedAsNew = 2,
    /// Ended with a failure.
    Failed = 3,
    /// Reserved by the protocol; never produced.
    Canceled = 4,
    /// Ended from outside.
    Terminated = 5,
    /// Created, no turn has run yet.
    Pending = 6,
    /// Held: nothing but resume and terminate moves it.
    Suspended = 7,
}

impl RuntimeStatus {
    /// Every status, by number.
    pub const ALL: [RuntimeStatus; 8] = [
        RuntimeStatus::Running,
        RuntimeStatus::Completed,
        RuntimeStatus::ContinuedAsNew,
        RuntimeStatus::Failed,
        RuntimeStatus::Canceled,
        RuntimeStatus::Terminated,
        RuntimeStatus::Pending,
        RuntimeStatus::Suspended,
    ];

    /// The name as the management API writes it.
    pub fn name(self) -> &'static str {
        match self {
            RuntimeStatus::Running => "Running",
            RuntimeStatus::Completed => "Completed",
            RuntimeStatus::ContinuedAsNew => "ContinuedAsNew",
            RuntimeStatus::Failed => "Failed",
            RuntimeStatus::Canceled => "Canceled",
            RuntimeStatus::Terminated => "Terminated",
            RuntimeStatus::Pending => "Pending",
            RuntimeStatus::Suspended => "Suspended",
        }
    }

    /// By name, with case, or by number.
    pub fn parse(text: &str) -> Option<RuntimeStatus> {
        Self::ALL.into_iter().find(|status| status.name() == text || (*status as u8).to_string() == text)
    }

    /// By number.
    pub fn from_number(number: u8) -> Option<RuntimeStatus> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether the instance has ended for good.
    pub fn is_terminal(self) -> bool {
        match self {
            RuntimeStatus::Completed | RuntimeStatus::Failed | RuntimeStatus::Canceled | RuntimeStatus::Terminated => {
                true
            }
            RuntimeStatus::Running
            | RuntimeStatus::ContinuedAsNew
            | RuntimeStatus::Pending
            | RuntimeStatus::Suspended => false,
        }
    }
}

impl fmt::Display for RuntimeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The row of an instance: always the fold of its history, written in the same commit.
#[derive(Clone, PartialEq, Debug)]
pub struct InstanceRow {
    /// Which instance.
    pub id: InstanceId,
    /// Its current execution.
    pub execution: ExecutionId,
    /// The orchestrator it runs.
    pub name: String,
    /// Where it is in its life.
    pub status: RuntimeStatus,
    /// When the current execution was started.
    pub created_at: Timestamp,
    /// When the last commit was.
    pub updated_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// The last value its code set.
    pub custom_status: Option<Json>,
    /// What it returned, or the reason of its termination.
    pub output: Option<Json>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Who waits for it.
    pub parent: Option<Parent>,
    /// The digest of the component that runs it, once known.
    pub component: Option<String>,
    /// How many turns its current execution has recorded.
    pub turns: u32,
    /// How many events its current execution has recorded.
    pub events: u64,
}
