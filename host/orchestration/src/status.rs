//! What the world may know of an instance without reading its history.

use crate::{EntityId, EventId, ExecutionId, Failure, InstanceId, Json, Parent, Section, StartOptions, Timestamp};
use std::fmt;
use std::time::Duration;

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

/// Which existing instance of the same id a new one may replace: those in any of these statuses. One that is at work is
/// terminated by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reuse(u8);

impl Reuse {
    /// None: the id must be new.
    pub const NEVER: Reuse = Reuse(0);
    /// One that has ended; Durable Functions' default, `NonRunningStates`.
    pub const ENDED: Reuse = Reuse(
        1 << RuntimeStatus::Completed as u8
            | 1 << RuntimeStatus::Failed as u8
            | 1 << RuntimeStatus::Canceled as u8
            | 1 << RuntimeStatus::Terminated as u8,
    );
    /// Any; Durable Functions' `AnyState`.
    pub const ANY: Reuse = Reuse(u8::MAX);

    /// One in any of these statuses.
    pub fn of(statuses: impl IntoIterator<Item = RuntimeStatus>) -> Reuse {
        Reuse(statuses.into_iter().fold(0, |set, status| set | 1 << status as u8))
    }

    /// Whether an instance in this status may be replaced.
    pub fn allows(self, status: RuntimeStatus) -> bool {
        self.0 & (1 << status as u8) != 0
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
    /// The digest of the app that runs it for its whole life; none: the present one.
    pub pinned_to: Option<String>,
    /// Version, tags, and the moment before which it does not start.
    pub options: StartOptions,
    /// The key under which it was started, so that the same start is not made twice.
    pub idempotency_key: Option<String>,
    /// The critical section that it is in, or has asked for. Whatever removes the row sends [`farewell`](crate::farewell).
    pub critical_section: Option<CriticalSection>,
    /// How often it continued as new lately.
    pub continued: Continued,
    /// What it is as an entity; none: it is an orchestration.
    pub entity: Option<Box<EntityRecord>>,
    /// How many turns its current execution has recorded.
    pub turns: u32,
    /// How many events its current execution has recorded.
    pub events: u64,
}

impl InstanceRow {
    /// The row of an instance that is created now.
    pub fn new(id: InstanceId, execution: ExecutionId, name: String, created_at: Timestamp) -> InstanceRow {
        InstanceRow {
            id,
            execution,
            name,
            status: RuntimeStatus::Pending,
            created_at,
            updated_at: created_at,
            completed_at: None,
            custom_status: None,
            output: None,
            failure: None,
            parent: None,
            pinned_to: None,
            options: StartOptions::default(),
            idempotency_key: None,
            critical_section: None,
            continued: Continued::default(),
            entity: None,
            turns: 0,
            events: 0,
        }
    }

    /// The row of an entity that does not exist yet.
    pub fn new_entity(id: InstanceId, now: Timestamp) -> InstanceRow {
        let name = EntityId::of_instance(&id).map(|entity| entity.name().to_owned()).unwrap_or_default();
        let row = InstanceRow::new(id, ExecutionId::ENTITY, name, now);
        InstanceRow { status: RuntimeStatus::Running, entity: Some(Box::default()), ..row }
    }
}

/// A critical section as its owner sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CriticalSection {
    /// The request for it, of the row's execution.
    pub scheduled: EventId,
    /// Its entities, in the order in which they are locked.
    pub entities: Vec<EntityId>,
}

/// How often an instance continued as new within the current minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Continued {
    /// When the minute began.
    pub since: Timestamp,
    /// How often since then.
    pub times: u32,
}

impl Continued {
    /// As it is after one more time.
    pub fn once_more(self, now: Timestamp) -> Continued {
        let over = self.times == 0 || now.saturating_since(self.since) >= Duration::from_secs(60);
        if over {
            Continued { since: now, times: 1 }
        } else {
            Continued { times: self.times.saturating_add(1), ..self }
        }
    }
}

/// What an entity is between two batches of operations.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EntityRecord {
    /// Its state; none: it does not exist, but it may be locked.
    pub state: Option<Json>,
    /// Who has locked it.
    pub lock: Option<EntityLock>,
    /// When it last did something.
    pub last_operation_at: Option<Timestamp>,
}

/// Who has locked an entity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntityLock {
    /// The orchestration.
    pub owner: InstanceId,
    /// Its critical section.
    pub section: Section,
}
