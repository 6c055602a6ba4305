//! The value that a turn comes to: what must become durable, all of it or nothing.

use crate::{
    Envelope, Event, EventId, ExecutionId, ExecutionStarted, InstanceId, InstanceRow, Json, Origin, Reuse, Tags,
    Timeouts, Timestamp,
};

/// The value that must become durable after a turn, as one atomic step.
#[derive(Clone, PartialEq, Debug)]
pub struct Checkpoint {
    /// The new row. Its execution differs from `execution` when the instance continues as new.
    pub row: InstanceRow,
    /// The execution that the turn belonged to. When the row names another one, its history goes; what `messages` and
    /// `next_input` bring belongs to the new one. Its timers are among `cancelled_timers`; its pending activities still run,
    /// because they were asked for, and their results are ignored.
    pub execution: ExecutionId,
    /// The argument of the next execution, when the instance continues as new.
    pub next_input: Option<Json>,
    /// What to append to the history of `execution`.
    pub record: Option<TurnRecord>,
    /// The history of the execution that the row names, when the instance is rewound: turn by turn, from 0.
    pub rewritten: Option<Vec<TurnRecord>>,
    /// The records that the consumed messages came from: they go.
    pub consumed: Vec<Origin>,
    /// Activities to run.
    pub activities: Vec<ActivityTask>,
    /// Timers to set.
    pub timers: Vec<Timer>,
    /// Timers of `execution` to take back.
    pub cancelled_timers: Vec<EventId>,
    /// Activities of `execution` to take back; one that runs is stopped.
    pub cancelled_activities: Vec<EventId>,
    /// Children to start.
    pub children: Vec<NewInstance>,
    /// Messages to other instances, and to itself when it continues as new.
    pub messages: Vec<Envelope>,
    /// Whether the row goes, because the entity that it stands for does not exist any more. It stays while anything waits for
    /// the entity, scheduled signals among it.
    pub remove: bool,
    /// Whether there is more to do at once with what was handed out and not consumed. Otherwise that waits until something
    /// new arrives.
    pub more: bool,
}

impl Checkpoint {
    /// A checkpoint that leaves all as it is but the row and what was consumed.
    pub fn of_row(row: InstanceRow, consumed: Vec<Origin>) -> Checkpoint {
        Checkpoint {
            execution: row.execution,
            row,
            next_input: None,
            record: None,
            rewritten: None,
            consumed,
            activities: Vec::new(),
            timers: Vec::new(),
            cancelled_timers: Vec::new(),
            cancelled_activities: Vec::new(),
            children: Vec::new(),
            messages: Vec::new(),
            remove: false,
            more: false,
        }
    }
}

/// The events of one turn: one record of the store.
#[derive(Clone, PartialEq, Debug)]
pub struct TurnRecord {
    /// Its place in the execution, from 0.
    pub turn: u32,
    /// Its events in order.
    pub events: Vec<Event>,
}

/// An activity that is to be run at least once.
#[derive(Clone, PartialEq, Debug)]
pub struct ActivityTask {
    /// The instance that asked.
    pub instance: InstanceId,
    /// Its execution.
    pub execution: ExecutionId,
    /// The request that the result answers.
    pub id: EventId,
    /// The activity.
    pub name: String,
    /// Its argument.
    pub input: Json,
    /// Which try of the caller's retry policy this is, counted from 1.
    pub attempt: u32,
    /// How long one run may take.
    pub timeouts: Timeouts,
    /// Whatever the caller attached.
    pub tags: Tags,
    /// The orchestrator that asked.
    pub caller: String,
    /// The version of the instance that asked.
    pub version: Option<String>,
    /// The digest of the app that the instance runs on; none: the present one.
    pub pinned_to: Option<String>,
}

/// A timer of an instance.
#[derive(Clone, PartialEq, Debug)]
pub struct Timer {
    /// The request that its firing answers.
    pub id: EventId,
    /// Not before this moment.
    pub fire_at: Timestamp,
}

/// An instance to create.
#[derive(Clone, PartialEq, Debug)]
pub struct NewInstance {
    /// Its id.
    pub id: InstanceId,
    /// Its first event. It is handed out at `started.options.start_at`, or at once.
    pub started: ExecutionStarted,
    /// When it was asked for.
    pub at: Timestamp,
    /// Which instance of the same id it may replace.
    pub reuse: Reuse,
    /// What to send if an instance of that id stands in the way, instead of creating this one.
    pub otherwise: Option<Envelope>,
    /// The key under which a client starts it.
    pub idempotency_key: Option<String>,
}

impl NewInstance {
    /// The row that it begins with.
    pub fn row(&self) -> InstanceRow {
        let started = &self.started;
        let row = InstanceRow::new(self.id.clone(), started.execution, started.name.clone(), self.at);
        InstanceRow {
            parent: started.parent.clone(),
            pinned_to: started.pinned_to.clone(),
            options: started.options.clone(),
            idempotency_key: self.idempotency_key.clone(),
            ..row
        }
    }
}
