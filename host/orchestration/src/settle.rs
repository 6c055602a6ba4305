//! The other end of a turn: what must become durable in one commit.
//!
//! Total: every way a turn can end gives a checkpoint. A turn whose actions were produced elsewhere settles through the same
//! function.

use crate::family::{Child, end_instance, terminate_child};
use crate::history::Awaited;
use crate::limits::{Turned, depth};
use crate::{
    Action, ActivityTask, Admission, Caller, Checkpoint, CriticalSection, EntityId, Envelope, Event, EventId,
    EventKind, ExecutionId, ExecutionStarted, Failure, IllegalEvent, InstanceId, InstanceRow, Json, Ledger, Limits,
    MessageKind, NewInstance, Origin, RaisedEvent, RuntimeStatus, Section, Termination, Timer, Timestamp, TurnEnd,
    TurnRecord,
};
use std::collections::BTreeSet;

/// How many ids of accepted events continue-as-new hands on: the latest, because a sender repeats what it sent last.
const CARRIED_EVENT_IDS: usize = 1000;

/// The app as it is now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PresentApp {
    /// The digest to which new instances are pinned; none: they are not.
    pub digest: Option<String>,
    /// The version of instances that are started without one.
    pub default_version: Option<String>,
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
    /// The guards.
    pub limits: &'a Limits,
    /// The app as it is now.
    pub present: &'a PresentApp,
}

/// What a turn comes to.
#[derive(Clone, PartialEq, Debug)]
pub struct Settled {
    /// What must become durable.
    pub checkpoint: Checkpoint,
    /// What the history adds up to after it.
    pub ledger: Ledger,
    /// Limits that the instance has come near in this turn, in words.
    pub warnings: Vec<String>,
}

/// Makes the checkpoint of a turn, and what the history adds up to after it.
///
/// # Errors
/// When the turn would not leave a legal history: the actions do not belong to this execution.
pub fn settle(settling: Settling<'_>) -> Result<Settled, IllegalEvent> {
    let Settling { row, ledger, admission, actions, custom_status, end, now, limits, present } = settling;
    let mut before = row.clone();
    if let Some(parent) = admission.parent {
        before.parent = Some(parent);
        before.updated_at = now;
    }
    let row = &before;
    let mut checkpoint = Checkpoint::of_row(row.clone(), admission.consumed);
    checkpoint.messages = admission.refusals;
    if admission.events.is_empty() {
        return Ok(Settled { checkpoint, ledger, warnings: Vec::new() });
    }
    let (turn, first_action) = (ledger.turns, EventId(ledger.next_event_id));
    let mut turning = Turning { checkpoint: &mut checkpoint, ledger: &ledger, present, events: admission.events, now };
    let mut warnings = Vec::new();
    let end = match admission.termination {
        Some(termination) => turning.terminated(termination),
        None => {
            let (admitted, refusals) = (turning.events.len(), turning.checkpoint.messages.len());
            turning.act(actions);
            let end = End::of(end);
            let events = &turning.events;
            match limits.check(&Turned {
                row,
                ledger: &ledger,
                events,
                custom_status: custom_status.as_ref(),
                end: &end,
                now,
            }) {
                Ok(near) => {
                    warnings = near;
                    if let Some(custom_status) = custom_status {
                        turning.checkpoint.row.custom_status = custom_status;
                    }
                    end
                }
                Err(failure) => {
                    turning.undo(admitted, refusals, row);
                    End::Failed(failure)
                }
            }
        }
    };
    turning.close(end);
    let events = turning.events;
    let mut after = ledger;
    for event in &events {
        after.append(event)?;
    }
    finish_row(&mut checkpoint, &after, first_action, now);
    if checkpoint.row.execution == checkpoint.execution {
        checkpoint.record = Some(TurnRecord { turn, events });
    }
    Ok(Settled { checkpoint, ledger: after, warnings })
}

/// A turn's end, with the one that comes from outside.
pub(crate) enum End {
    Waiting,
    Completed(Json),
    Failed(Failure),
    Terminated(Json),
    ContinuedAsNew { input: Json, carried_over: Vec<RaisedEvent>, new_version: Option<String> },
}

impl End {
    fn of(end: TurnEnd) -> End {
        match end {
            TurnEnd::Waiting => End::Waiting,
            TurnEnd::Completed(output) => End::Completed(output),
            TurnEnd::Failed(failure) => End::Failed(failure),
            TurnEnd::ContinuedAsNew { input, carried_over, new_version } => {
                End::ContinuedAsNew { input, carried_over, new_version }
            }
        }
    }
}

/// The checkpoint of a turn while it is being made.
struct Turning<'a> {
    checkpoint: &'a mut Checkpoint,
    ledger: &'a Ledger,
    present: &'a PresentApp,
    events: Vec<Event>,
    now: Timestamp,
}

impl Turning<'_> {
    fn push(&mut self, kind: EventKind) {
        self.events.push(Event { at: self.now, kind });
    }

    /// Turns actions into events and into what must be sent.
    fn act(&mut self, actions: Vec<Action>) {
        let answered: BTreeSet<EventId> =
            self.events.iter().filter_map(|event| event.kind.answers()).map(|(id, _)| id).collect();
        for action in actions {
            match action {
                Action::ScheduleTask { .. } => self.schedule(action),
                Action::CreateSubOrchestration { .. } => self.create_child(action),
                Action::CreateTimer { id, fire_at, retry_of } => {
                    self.checkpoint.timers.push(Timer { id, fire_at });
                    self.push(EventKind::TimerCreated { id, fire_at, retry_of });
                }
                Action::CancelTimer { id } => cancel_timer(self.checkpoint, id),
                Action::Abort { id } => {
                    if !answered.contains(&id) {
                        self.abort(id);
                    }
                }
                Action::SendEvent { id, instance_id, name, input } => {
                    let raised = RaisedEvent { name: name.clone(), input: input.clone(), id: None };
                    self.send(Envelope::new(instance_id.clone(), None, MessageKind::EventRaised(raised)));
                    self.push(EventKind::EventSent { id, instance_id, name, input });
                }
                Action::CallEntity { id, entity, operation, input } => {
                    let (operation_name, argument) = (operation.clone(), input.clone());
                    let kind = MessageKind::EntityOperationCalled {
                        caller: self.caller(id),
                        operation: operation_name,
                        input: argument,
                    };
                    self.send(Envelope::new(entity.instance_id(), None, kind));
                    self.push(EventKind::EntityOperationCalled { id, entity, operation, input });
                }
                Action::SignalEntity { .. } => self.signal(action),
                Action::LockEntities { id, entities } => self.lock(id, entities),
                Action::UnlockEntities { id, section } => {
                    self.checkpoint.messages.extend(release(&mut self.checkpoint.row));
                    self.push(EventKind::EntityUnlockSent { id, section });
                }
            }
        }
    }

    fn caller(&self, scheduled: EventId) -> Caller {
        Caller { instance: self.checkpoint.row.id.clone(), execution: self.checkpoint.execution, scheduled }
    }

    fn send(&mut self, envelope: Envelope) {
        self.checkpoint.messages.push(envelope);
    }

    fn schedule(&mut self, action: Action) {
        let Action::ScheduleTask { id, name, input, attempt, retry_of, timeouts, tags } = action else { return };
        let row = &self.checkpoint.row;
        let task = ActivityTask {
            instance: row.id.clone(),
            execution: self.checkpoint.execution,
            id,
            name: name.clone(),
            input: input.clone(),
            attempt,
            timeouts,
            tags: tags.clone(),
            caller: row.name.clone(),
            version: row.options.version.clone(),
            pinned_to: row.pinned_to.clone(),
        };
        self.checkpoint.activities.push(task);
        self.push(EventKind::TaskScheduled { id, name, input, retry_of, timeouts, tags });
    }

    fn create_child(&mut self, action: Action) {
        let Action::CreateSubOrchestration { id, name, instance_id, input, retry_of, detached, mut options } = action
        else {
            return;
        };
        let row = &self.checkpoint.row;
        for (tag, value) in &row.options.tags {
            options.tags.entry(tag.clone()).or_insert_with(|| value.clone());
        }
        options.version = options.version.or_else(|| self.present.default_version.clone());
        let child = Child { id, name: &name, instance: &instance_id, input: &input, detached, options: &options };
        let depth = depth(self.ledger, &self.events);
        let new = child.of(row, self.checkpoint.execution, depth, self.now);
        self.checkpoint.children.push(new);
        self.push(EventKind::SubOrchestrationInstanceCreated {
            id,
            name,
            instance_id,
            input,
            retry_of,
            detached,
            options,
        });
    }

    fn signal(&mut self, action: Action) {
        let Action::SignalEntity { id, entity, operation, input, deliver_at } = action else { return };
        let kind = MessageKind::EntityOperationSignaled {
            sender: Some(self.checkpoint.row.id.clone()),
            request: format!("{}:{id}", self.checkpoint.execution),
            operation: operation.clone(),
            input: input.clone(),
        };
        self.send(Envelope { deliver_at, ..Envelope::new(entity.instance_id(), None, kind) });
        self.push(EventKind::EntityOperationSignaled { id, entity, operation, input, deliver_at });
    }

    /// The request goes to the first entity, which hands it on.
    fn lock(&mut self, id: EventId, entities: Vec<EntityId>) {
        if let Some(first) = entities.first() {
            let owner = self.caller(id);
            let kind = MessageKind::EntityLockRequested { owner, entities: entities.clone(), position: 0 };
            self.send(Envelope::new(first.instance_id(), None, kind));
        }
        self.checkpoint.row.critical_section = Some(CriticalSection { scheduled: id, entities: entities.clone() });
        self.push(EventKind::EntityLockRequested { id, entities });
    }

    /// Stops what is open and answers it in its place. What was asked for in this very turn does not even begin.
    fn abort(&mut self, id: EventId) {
        let failure = Failure::new(Failure::CANCELED, "it was canceled by the orchestrator that asked for it");
        let activities = self.checkpoint.activities.len();
        self.checkpoint.activities.retain(|task| task.id != id);
        if self.checkpoint.activities.len() < activities {
            return self.push(EventKind::TaskFailed { scheduled: id, failure });
        }
        let children = self.checkpoint.children.len();
        let is_it = |new: &NewInstance| new.started.parent.as_ref().is_some_and(|parent| parent.scheduled == id);
        self.checkpoint.children.retain(|new| !is_it(new));
        if self.checkpoint.children.len() < children {
            return self.push(EventKind::SubOrchestrationInstanceFailed { scheduled: id, failure });
        }
        if self.ledger.outstanding.get(&id) == Some(&Awaited::Activity) {
            self.checkpoint.cancelled_activities.push(id);
            return self.push(EventKind::TaskFailed { scheduled: id, failure });
        }
        if let Some(child) = self.ledger.children.get(&id).cloned() {
            let reason = Json::from("\"canceled by its parent\"");
            self.send(terminate_child(self.checkpoint.execution, child, reason));
            self.push(EventKind::SubOrchestrationInstanceFailed { scheduled: id, failure });
        }
    }

    /// Nothing of what the code asked for in this turn happens.
    fn undo(&mut self, admitted: usize, refusals: usize, row: &InstanceRow) {
        self.events.truncate(admitted);
        let consumed = std::mem::take(&mut self.checkpoint.consumed);
        let mut messages = std::mem::take(&mut self.checkpoint.messages);
        messages.truncate(refusals);
        *self.checkpoint = Checkpoint { messages, ..Checkpoint::of_row(row.clone(), consumed) };
    }

    /// Stops what can be stopped of what the instance asked for.
    fn terminated(&mut self, Termination { reason, recurse }: Termination) -> End {
        let answered: BTreeSet<EventId> =
            self.events.iter().filter_map(|event| event.kind.answers()).map(|(id, _)| id).collect();
        let open = |(id, _): &(&EventId, &Awaited)| !answered.contains(id);
        let activities = self.ledger.outstanding.iter().filter(open);
        self.checkpoint.cancelled_activities =
            activities.filter(|(_, awaited)| **awaited == Awaited::Activity).map(|(id, _)| *id).collect();
        if recurse {
            let execution = self.checkpoint.execution;
            let children = self.ledger.children.iter().filter(|(id, _)| !answered.contains(id));
            let stop = |(_, child): (_, &InstanceId)| terminate_child(execution, child.clone(), reason.clone());
            self.checkpoint.messages.extend(children.map(stop));
        }
        End::Terminated(reason)
    }

    /// Writes the end of the turn, and of the execution if it ends.
    fn close(&mut self, end: End) {
        // Whatever ends an execution leaves its critical section, and does so under the name of that execution.
        if !matches!(end, End::Waiting) {
            self.checkpoint.messages.extend(release(&mut self.checkpoint.row));
        }
        let ended = match end {
            End::Waiting => None,
            End::Completed(output) => Some((RuntimeStatus::Completed, Some(output), None)),
            End::Failed(failure) => Some((RuntimeStatus::Failed, None, Some(failure))),
            End::Terminated(reason) => Some((RuntimeStatus::Terminated, Some(reason), None)),
            End::ContinuedAsNew { input, carried_over, new_version } => {
                self.continue_as_new(&input, carried_over, new_version);
                Some((RuntimeStatus::ContinuedAsNew, Some(input), None))
            }
        };
        if let Some((status, output, failure)) = ended {
            if status.is_terminal() {
                end_instance(self.checkpoint, status, (output.clone(), failure.clone()), self.now);
            }
            self.push(EventKind::ExecutionCompleted { status, output, failure });
        }
        self.push(EventKind::OrchestratorCompleted);
    }

    /// The instance goes on under the same id with an empty history. Its row keeps name, parent, tags and custom status, and
    /// version and app unless a new version is named.
    fn continue_as_new(&mut self, input: &Json, carried_over: Vec<RaisedEvent>, new_version: Option<String>) {
        let next = derived_execution(self.checkpoint.execution, "continue as new");
        let accepted_events = self.accepted_events();
        let row = &mut self.checkpoint.row;
        if let Some(version) = new_version {
            row.options.version = Some(version);
            row.pinned_to.clone_from(&self.present.digest);
        }
        row.options.start_at = None;
        row.execution = next;
        row.created_at = self.now;
        row.continued = row.continued.once_more(self.now);
        let started = ExecutionStarted {
            name: row.name.clone(),
            input: input.clone(),
            execution: next,
            parent: row.parent.clone(),
            options: row.options.clone(),
            depth: depth(self.ledger, &self.events),
            pinned_to: row.pinned_to.clone(),
            accepted_events,
        };
        let to = row.id.clone();
        self.checkpoint.next_input = Some(input.clone());
        if let Some(reason) = self.held() {
            self.send(Envelope::new(to.clone(), Some(next), MessageKind::ExecutionSuspended { reason }));
        }
        let kind = MessageKind::ExecutionStarted { started: Box::new(started), carried_over };
        self.send(Envelope::new(to, Some(next), kind));
    }

    /// Why the execution is held at the end of the turn, if it is. One that ran was not held when the turn began.
    fn held(&self) -> Option<String> {
        let mut held = None;
        for event in &self.events {
            if let EventKind::ExecutionSuspended { reason } = &event.kind {
                held = Some(reason.clone());
            } else if let EventKind::ExecutionResumed { .. } = &event.kind {
                held = None;
            }
        }
        held
    }

    fn accepted_events(&self) -> Vec<String> {
        let mut accepted = self.ledger.accepted_events.clone();
        for event in &self.events {
            if let EventKind::EventRaised(RaisedEvent { id: Some(id), .. }) = &event.kind {
                accepted.insert(id);
            } else if let EventKind::ExecutionStarted(started) = &event.kind {
                // An execution that ends in its first turn hands on what it was handed.
                started.accepted_events.iter().for_each(|id| accepted.insert(id));
            }
        }
        accepted.latest(CARRIED_EVENT_IDS)
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

/// Leaves the critical section, if the instance is in one: the release takes the road of the request, so it goes to the first
/// entity alone.
pub(crate) fn release(row: &mut InstanceRow) -> Option<Envelope> {
    let CriticalSection { scheduled, entities } = row.critical_section.take()?;
    let section = Section { execution: row.execution, scheduled };
    let first = entities.first()?.instance_id();
    Some(Envelope::new(first, None, MessageKind::EntityUnlockSent { section, entities, position: 0 }))
}

/// What follows from the events alone. The actions of this turn begin with `first_action`: a timer among them is not set
/// at all when the execution ends.
fn finish_row(checkpoint: &mut Checkpoint, after: &Ledger, first_action: EventId, now: Timestamp) {
    let row = &mut checkpoint.row;
    row.updated_at = now;
    let goes_on = row.execution != checkpoint.execution;
    row.turns = if goes_on { 0 } else { after.turns };
    row.events = if goes_on { 0 } else { after.events };
    if goes_on || after.ended.is_none() {
        row.status = status_at_work(after);
    }
    if after.ended.is_some() {
        checkpoint.timers.clear();
        let open_before = after.outstanding.range(..first_action);
        checkpoint.cancelled_timers =
            open_before.filter(|(_, awaited)| **awaited == Awaited::Timer).map(|(id, _)| *id).collect();
    }
}

/// The status of an instance that has not ended, or that goes on in another execution.
pub(crate) fn status_at_work(ledger: &Ledger) -> RuntimeStatus {
    match (ledger.suspended, &ledger.started) {
        (true, _) => RuntimeStatus::Suspended,
        (false, Some(_)) => RuntimeStatus::Running,
        (false, None) => RuntimeStatus::Pending,
    }
}

/// The checkpoint that ends an instance whose history cannot be used: the row says why, the stored history stays as it is.
pub fn set_aside(row: &InstanceRow, consumed: Vec<Origin>, failure: Failure, now: Timestamp) -> Checkpoint {
    let mut checkpoint = Checkpoint::of_row(InstanceRow { updated_at: now, ..row.clone() }, consumed);
    checkpoint.messages.extend(release(&mut checkpoint.row));
    end_instance(&mut checkpoint, RuntimeStatus::Failed, (None, Some(failure)), now);
    checkpoint
}

/// The id of an execution that follows from another: the same step, run again, makes the same id.
pub(crate) fn derived_execution(execution: ExecutionId, step: &str) -> ExecutionId {
    let namespace = uuid::Uuid::from_u128(execution.as_u128());
    ExecutionId::from_random(uuid::Uuid::new_v5(&namespace, step.as_bytes()).as_u128())
}
