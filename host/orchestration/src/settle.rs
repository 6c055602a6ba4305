//! The two ends of a turn: which messages become events, and what must become durable in one commit.
//!
//! Both are total: every kind of message in every state is admitted or ignored with a reason, and every way a turn can
//! end gives a checkpoint. A turn whose actions were produced elsewhere settles through the same function.

use crate::history::Awaited;
use crate::{
    Action, Envelope, Event, EventId, EventKind, ExecutionId, ExecutionStarted, Failure, IllegalEvent, InstanceId,
    InstanceRow, Json, Ledger, Message, MessageKind, Origin, Parent, RuntimeStatus, Timestamp, TurnEnd,
};
use std::collections::BTreeSet;

/// What becomes of a batch of messages.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Admission {
    /// The new events in order, `OrchestratorStarted` first; empty if no message was admitted.
    pub events: Vec<Event>,
    /// The messages of the batch that are done with once the checkpoint is durable, by where they came from: all but those
    /// of clients to an execution whose start is still to come.
    pub consumed: Vec<Origin>,
    /// The messages that became no event, and why.
    pub ignored: Vec<(Message, Ignored)>,
    /// Set when the instance is to be terminated: its code does not run any more.
    pub termination: Option<Json>,
}

/// Why a message becomes no event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ignored {
    /// It is for an execution that is over.
    StaleExecution,
    /// The instance has ended, or ends in this turn.
    Ended,
    /// The execution has started before.
    StartedBefore,
    /// The execution has not started and this message does not start it.
    NotStarted,
    /// It answers a request that has its answer, or that was never made.
    NothingWaits,
}

/// Decides which messages become events of the current execution.
pub fn admit(ledger: &Ledger, row: &InstanceRow, messages: Vec<Message>, now: Timestamp) -> Admission {
    let mut admitting = Admitting {
        ledger,
        row,
        now,
        started: ledger.started.is_some(),
        answered: BTreeSet::new(),
        admission: Admission::default(),
    };
    let (starts, others): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|message| matches!(message.kind, MessageKind::ExecutionStarted { .. }));
    for message in starts.into_iter().chain(others) {
        if admitting.waits_for_start(&message) {
            continue;
        }
        admitting.admission.consumed.push(message.origin);
        match admitting.verdict(&message) {
            Ok(()) => admitting.record(message.kind),
            Err(why) => admitting.admission.ignored.push((message, why)),
        }
    }
    if !admitting.admission.events.is_empty() {
        admitting.admission.events.insert(0, Event { at: now, kind: EventKind::OrchestratorStarted });
    }
    admitting.admission
}

struct Admitting<'a> {
    ledger: &'a Ledger,
    row: &'a InstanceRow,
    now: Timestamp,
    started: bool,
    answered: BTreeSet<EventId>,
    admission: Admission,
}

impl Admitting<'_> {
    /// What a client sent to the instance, whichever execution is current, must not be lost because a store hands it out
    /// before the start that another sender sent: it stays in the inbox.
    fn waits_for_start(&self, message: &Message) -> bool {
        let from_client = matches!(message.kind, MessageKind::EventRaised(_) | MessageKind::ExecutionTerminated { .. });
        from_client && message.execution.is_none() && !self.started && !self.row.status.is_terminal()
    }

    fn verdict(&mut self, message: &Message) -> Result<(), Ignored> {
        if message.execution.is_some_and(|execution| execution != self.row.execution) {
            return Err(Ignored::StaleExecution);
        }
        if self.row.status.is_terminal() || self.ledger.ended.is_some() || self.admission.termination.is_some() {
            return Err(Ignored::Ended);
        }
        match &message.kind {
            MessageKind::ExecutionStarted { .. } if self.started => Err(Ignored::StartedBefore),
            MessageKind::ExecutionStarted { .. } | MessageKind::ExecutionTerminated { .. } => Ok(()),
            MessageKind::TaskCompleted { .. }
            | MessageKind::TaskFailed { .. }
            | MessageKind::SubOrchestrationInstanceCompleted { .. }
            | MessageKind::SubOrchestrationInstanceFailed { .. }
            | MessageKind::TimerFired { .. }
            | MessageKind::EventRaised(_)
                if !self.started =>
            {
                Err(Ignored::NotStarted)
            }
            MessageKind::EventRaised(_) => Ok(()),
            MessageKind::TaskCompleted { scheduled, .. } | MessageKind::TaskFailed { scheduled, .. } => {
                self.answer(*scheduled, Awaited::Activity)
            }
            MessageKind::SubOrchestrationInstanceCompleted { scheduled, .. }
            | MessageKind::SubOrchestrationInstanceFailed { scheduled, .. } => {
                self.answer(*scheduled, Awaited::SubOrchestration)
            }
            MessageKind::TimerFired { timer, .. } => self.answer(*timer, Awaited::Timer),
        }
    }

    /// Only the first answer to an open request counts.
    fn answer(&mut self, id: EventId, awaited: Awaited) -> Result<(), Ignored> {
        if self.ledger.outstanding.get(&id) == Some(&awaited) && self.answered.insert(id) {
            Ok(())
        } else {
            Err(Ignored::NothingWaits)
        }
    }

    fn record(&mut self, kind: MessageKind) {
        let kind = match kind {
            MessageKind::ExecutionStarted { started, carried_over } => {
                self.started = true;
                self.push(EventKind::ExecutionStarted(started));
                for raised in carried_over {
                    self.push(EventKind::EventRaised(raised));
                }
                return;
            }
            MessageKind::TaskCompleted { scheduled, result } => EventKind::TaskCompleted { scheduled, result },
            MessageKind::TaskFailed { scheduled, failure } => EventKind::TaskFailed { scheduled, failure },
            MessageKind::SubOrchestrationInstanceCompleted { scheduled, result } => {
                EventKind::SubOrchestrationInstanceCompleted { scheduled, result }
            }
            MessageKind::SubOrchestrationInstanceFailed { scheduled, failure } => {
                EventKind::SubOrchestrationInstanceFailed { scheduled, failure }
            }
            MessageKind::TimerFired { timer, fire_at } => EventKind::TimerFired { timer, fire_at },
            MessageKind::EventRaised(raised) => EventKind::EventRaised(raised),
            MessageKind::ExecutionTerminated { reason } => {
                self.admission.termination = Some(reason.clone());
                EventKind::ExecutionTerminated { reason }
            }
        };
        self.push(kind);
    }

    fn push(&mut self, kind: EventKind) {
        self.admission.events.push(Event { at: self.now, kind });
    }
}

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
    /// The records that the consumed messages came from: they go.
    pub consumed: Vec<Origin>,
    /// Activities to run.
    pub activities: Vec<ActivityTask>,
    /// Timers to set.
    pub timers: Vec<Timer>,
    /// Timers of `execution` to take back.
    pub cancelled_timers: Vec<EventId>,
    /// Children to start.
    pub children: Vec<NewInstance>,
    /// Messages to other instances, and to itself when it continues as new.
    pub messages: Vec<Envelope>,
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
}

/// A timer of an instance.
#[derive(Clone, PartialEq, Debug)]
pub struct Timer {
    /// The request that its firing answers.
    pub id: EventId,
    /// Not before this moment.
    pub fire_at: Timestamp,
}

/// An instance to create, if none of its id is at work.
#[derive(Clone, PartialEq, Debug)]
pub struct NewInstance {
    /// Its id.
    pub id: InstanceId,
    /// Its first event.
    pub started: ExecutionStarted,
    /// When it was asked for.
    pub at: Timestamp,
    /// What to send if an instance of that id is at work, instead of creating it.
    pub if_at_work: Option<Envelope>,
}

/// What [`settle`] needs to know of a turn.
#[derive(Debug)]
pub struct Settling<'a> {
    /// The row before the turn.
    pub row: &'a InstanceRow,
    /// What the history adds up to before the turn.
    pub ledger: Ledger,
    /// What became of the inbox.
    pub admission: Admission,
    /// What the orchestrator asked for.
    pub actions: Vec<Action>,
    /// The custom status, if the turn set one.
    pub custom_status: Option<Option<Json>>,
    /// How the turn ended. Ignored when the admission terminates the instance.
    pub end: TurnEnd,
    /// The time of the turn: that of the admission.
    pub now: Timestamp,
}

/// Makes the checkpoint of a turn, and what the history adds up to after it.
///
/// # Errors
/// When the turn would not leave a legal history: the actions do not belong to this execution.
pub fn settle(settling: Settling<'_>) -> Result<(Checkpoint, Ledger), IllegalEvent> {
    let Settling { row, ledger, admission, actions, custom_status, end, now } = settling;
    let mut checkpoint = Checkpoint {
        row: row.clone(),
        execution: row.execution,
        next_input: None,
        record: None,
        consumed: admission.consumed,
        activities: Vec::new(),
        timers: Vec::new(),
        cancelled_timers: Vec::new(),
        children: Vec::new(),
        messages: Vec::new(),
    };
    if admission.events.is_empty() {
        return Ok((checkpoint, ledger));
    }
    let mut events = admission.events;
    let (turn, first_action) = (ledger.turns, EventId(ledger.next_event_id));
    let mut after = ledger;
    let end = match admission.termination {
        Some(reason) => End::Terminated(reason),
        None => {
            act(&mut checkpoint, &mut events, actions, now);
            End::of(end)
        }
    };
    close(&mut checkpoint, &mut events, end, custom_status, now);
    for event in &events {
        after.append(event)?;
    }
    finish_row(&mut checkpoint, &after, first_action, now);
    if checkpoint.row.execution == checkpoint.execution {
        checkpoint.record = Some(TurnRecord { turn, events });
    }
    Ok((checkpoint, after))
}

/// A turn's end, with the one that comes from outside.
enum End {
    Waiting,
    Completed(Json),
    Failed(Failure),
    Terminated(Json),
    ContinuedAsNew(Json, Vec<crate::RaisedEvent>),
}

impl End {
    fn of(end: TurnEnd) -> End {
        match end {
            TurnEnd::Waiting => End::Waiting,
            TurnEnd::Completed(output) => End::Completed(output),
            TurnEnd::Failed(failure) => End::Failed(failure),
            TurnEnd::ContinuedAsNew { input, carried_over } => End::ContinuedAsNew(input, carried_over),
        }
    }
}

/// Turns actions into events and into what must be sent.
fn act(checkpoint: &mut Checkpoint, events: &mut Vec<Event>, actions: Vec<Action>, now: Timestamp) {
    for action in actions {
        let kind = match action {
            Action::ScheduleTask { id, name, input, attempt } => {
                checkpoint.activities.push(ActivityTask {
                    instance: checkpoint.row.id.clone(),
                    execution: checkpoint.execution,
                    id,
                    name: name.clone(),
                    input: input.clone(),
                    attempt,
                });
                EventKind::TaskScheduled { id, name, input }
            }
            Action::CreateSubOrchestration { id, name, instance_id, input } => {
                let child = child(checkpoint, (id, &name, &instance_id, &input), now);
                checkpoint.children.push(child);
                EventKind::SubOrchestrationInstanceCreated { id, name, instance_id, input }
            }
            Action::CreateTimer { id, fire_at } => {
                checkpoint.timers.push(Timer { id, fire_at });
                EventKind::TimerCreated { id, fire_at }
            }
            Action::CancelTimer { id } => {
                cancel_timer(checkpoint, id);
                continue;
            }
        };
        events.push(Event { at: now, kind });
    }
}

/// A child whose execution id follows from its parent's, so that the same turn run twice starts the same child.
fn child(
    checkpoint: &Checkpoint,
    (scheduled, name, id, input): (EventId, &str, &InstanceId, &Json),
    at: Timestamp,
) -> NewInstance {
    let row = &checkpoint.row;
    let execution = derived_execution(checkpoint.execution, &format!("child {scheduled}"));
    let parent =
        Parent { instance: row.id.clone(), execution: checkpoint.execution, name: row.name.clone(), scheduled };
    let failure = Failure::new(
        Failure::ALREADY_EXISTS,
        format!(
            "cannot start the sub-orchestration '{name}': an instance with the id '{id}' is at work already; wait for it, or \
             choose another id"
        ),
    );
    NewInstance {
        id: id.clone(),
        started: ExecutionStarted { name: name.to_owned(), input: input.clone(), execution, parent: Some(parent) },
        at,
        if_at_work: Some(Envelope {
            to: row.id.clone(),
            execution: Some(checkpoint.execution),
            kind: MessageKind::SubOrchestrationInstanceFailed { scheduled, failure },
        }),
    }
}

/// A timer that was set in this very turn leaves nothing to take back in the store.
fn cancel_timer(checkpoint: &mut Checkpoint, id: EventId) {
    let before = checkpoint.timers.len();
    checkpoint.timers.retain(|timer| timer.id != id);
    if checkpoint.timers.len() == before {
        checkpoint.cancelled_timers.push(id);
    }
}

/// Writes the end of the turn, and of the execution if it ends.
fn close(
    checkpoint: &mut Checkpoint,
    events: &mut Vec<Event>,
    end: End,
    custom_status: Option<Option<Json>>,
    now: Timestamp,
) {
    if let Some(custom_status) = custom_status {
        checkpoint.row.custom_status = custom_status;
    }
    let ended = match end {
        End::Waiting => {
            checkpoint.row.status = RuntimeStatus::Running;
            None
        }
        End::Completed(output) => Some((RuntimeStatus::Completed, Some(output), None)),
        End::Failed(failure) => Some((RuntimeStatus::Failed, None, Some(failure))),
        End::Terminated(reason) => Some((RuntimeStatus::Terminated, Some(reason), None)),
        End::ContinuedAsNew(input, carried_over) => {
            continue_as_new(checkpoint, &input, carried_over, now);
            Some((RuntimeStatus::ContinuedAsNew, Some(input), None))
        }
    };
    if let Some((status, output, failure)) = ended {
        if status.is_terminal() {
            end_instance(checkpoint, status, (output.clone(), failure.clone()), now);
        }
        events.push(Event { at: now, kind: EventKind::ExecutionCompleted { status, output, failure } });
    }
    events.push(Event { at: now, kind: EventKind::OrchestratorCompleted });
}

/// The instance goes on under the same id with an empty history. Its row keeps name, parent and custom status.
fn continue_as_new(checkpoint: &mut Checkpoint, input: &Json, carried_over: Vec<crate::RaisedEvent>, now: Timestamp) {
    let next = derived_execution(checkpoint.execution, "continue as new");
    let row = &mut checkpoint.row;
    let parent = row.parent.clone();
    let started = ExecutionStarted { name: row.name.clone(), input: input.clone(), execution: next, parent };
    row.execution = next;
    row.status = RuntimeStatus::Running;
    row.created_at = now;
    checkpoint.next_input = Some(input.clone());
    checkpoint.messages.push(Envelope {
        to: row.id.clone(),
        execution: Some(next),
        kind: MessageKind::ExecutionStarted { started: Box::new(started), carried_over },
    });
}

/// The instance ends for good, and its parent hears of it.
fn end_instance(
    checkpoint: &mut Checkpoint,
    status: RuntimeStatus,
    (output, failure): (Option<Json>, Option<Failure>),
    now: Timestamp,
) {
    let row = &mut checkpoint.row;
    row.status = status;
    row.completed_at = Some(now);
    row.output.clone_from(&output);
    row.failure.clone_from(&failure);
    if let Some(parent) = row.parent.clone() {
        let message = answer_to_parent(row, &parent, output, failure);
        checkpoint.messages.push(message);
    }
}

fn answer_to_parent(row: &InstanceRow, parent: &Parent, output: Option<Json>, failure: Option<Failure>) -> Envelope {
    let scheduled = parent.scheduled;
    let output = output.unwrap_or_else(Json::null);
    let kind = match (row.status, failure) {
        (RuntimeStatus::Completed, _) => MessageKind::SubOrchestrationInstanceCompleted { scheduled, result: output },
        (_, Some(failure)) => MessageKind::SubOrchestrationInstanceFailed { scheduled, failure },
        (_, None) => MessageKind::SubOrchestrationInstanceFailed {
            scheduled,
            failure: Failure::new(
                Failure::TERMINATED,
                format!("the sub-orchestration '{}' ('{}') was terminated: {output}", row.name, row.id),
            ),
        },
    };
    Envelope { to: parent.instance.clone(), execution: Some(parent.execution), kind }
}

/// What follows from the events alone. The actions of this turn begin with `first_action`: a timer among them is not set
/// at all when the execution ends.
fn finish_row(checkpoint: &mut Checkpoint, after: &Ledger, first_action: EventId, now: Timestamp) {
    let row = &mut checkpoint.row;
    row.updated_at = now;
    let goes_on = row.execution != checkpoint.execution;
    row.turns = if goes_on { 0 } else { after.turns };
    row.events = if goes_on { 0 } else { after.events };
    if after.ended.is_some() {
        checkpoint.timers.clear();
        let open_before = after.outstanding.range(..first_action);
        checkpoint.cancelled_timers =
            open_before.filter(|(_, awaited)| **awaited == Awaited::Timer).map(|(id, _)| *id).collect();
    }
}

/// The checkpoint that ends an instance whose history cannot be used: the row says why, the stored history stays as it is.
pub fn set_aside(row: &InstanceRow, consumed: Vec<Origin>, failure: Failure, now: Timestamp) -> Checkpoint {
    let mut checkpoint = Checkpoint {
        row: InstanceRow { updated_at: now, ..row.clone() },
        execution: row.execution,
        next_input: None,
        record: None,
        consumed,
        activities: Vec::new(),
        timers: Vec::new(),
        cancelled_timers: Vec::new(),
        children: Vec::new(),
        messages: Vec::new(),
    };
    end_instance(&mut checkpoint, RuntimeStatus::Failed, (None, Some(failure)), now);
    checkpoint
}

/// The id of an execution that follows from another: the same step, run again, makes the same id.
fn derived_execution(execution: ExecutionId, step: &str) -> ExecutionId {
    let namespace = uuid::Uuid::from_u128(execution.as_u128());
    ExecutionId::from_random(uuid::Uuid::new_v5(&namespace, step.as_bytes()).as_u128())
}
