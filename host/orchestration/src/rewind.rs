//! Taking a failed instance back to the last point from which it can go on.
//!
//! A rewind has two steps. The first one, here, runs no code. It keeps the history up to the last thing that the code itself
//! asked for, because what the code made of everything before is recorded, failures included. What the code saw after that is
//! taken out and comes once more in a turn of its own, the second step, but without the failures: so the code may go another
//! way from there without departing from its history. What the host did by itself after that point, tries and the pauses
//! between them, never reached the code and stays.
//!
//! The instance gets a new execution id, so that late answers to the old execution are ignored; whatever is open is asked for
//! anew under the new one. A call that failed for good is open again and has all its tries before it.

use crate::family::{Child, answer_to_parent, is_child_of, no_child_of};
use crate::history::Awaited;
use crate::settle::{derived_execution, status_at_work};
use crate::{
    ActivityTask, Caller, Checkpoint, CriticalSection, EntityId, Envelope, Event, EventId, EventKind, ExecutionId,
    History, IllegalEvent, InstanceRow, Ledger, Message, MessageKind, NewInstance, PresentApp, Reuse, RuntimeStatus,
    Timer, Timestamp, TurnRecord,
};
use std::collections::{BTreeMap, BTreeSet};

/// Makes the checkpoint for an instance that has ended and is asked to be rewound. One that has failed is taken back; any other
/// answers the parent that asks once more. All other messages are done with and change nothing.
///
/// An instance that has not ended has nothing to take back: only the demands are done with, and the rest waits for
/// [`admit`](crate::admit).
///
/// # Errors
/// When the events are no history, or cannot be taken back to one.
pub fn rewind(
    row: &InstanceRow,
    history: Vec<Event>,
    messages: Vec<Message>,
    now: Timestamp,
    present: &PresentApp,
) -> Result<Checkpoint, IllegalEvent> {
    let ended = row.status.is_terminal();
    let is_demand = |message: &Message| matches!(message.kind, MessageKind::RewindRequested { .. });
    let done_with = messages.iter().filter(|message| ended || is_demand(message)).map(|message| message.origin);
    let row = InstanceRow { updated_at: now, ..row.clone() };
    let mut checkpoint = Checkpoint::of_row(row, done_with.collect());
    checkpoint.more = !ended && checkpoint.consumed.len() < messages.len();
    let Some(demand) = Demand::of(&mut checkpoint, messages) else {
        return Ok(checkpoint);
    };
    match checkpoint.row.status {
        RuntimeStatus::Failed => take_back(&mut checkpoint, history, demand, now, present)?,
        RuntimeStatus::Completed | RuntimeStatus::Terminated | RuntimeStatus::Canceled => {
            let row = &checkpoint.row;
            if let (true, Some(parent)) = (demand.by_parent, &row.parent) {
                let answer = answer_to_parent(row, parent, row.output.clone(), row.failure.clone());
                checkpoint.messages.push(answer);
            }
        }
        RuntimeStatus::Running | RuntimeStatus::ContinuedAsNew | RuntimeStatus::Pending | RuntimeStatus::Suspended => {}
    }
    Ok(checkpoint)
}

/// What all demands of one batch come to.
struct Demand {
    reason: String,
    latest: bool,
    by_parent: bool,
}

impl Demand {
    /// The row learns the new execution of the parent that asks; whoever is not its parent is refused.
    fn of(checkpoint: &mut Checkpoint, messages: Vec<Message>) -> Option<Demand> {
        let mut all: Option<Demand> = None;
        for message in messages {
            // A demand for an execution that is over was met before.
            if message.execution.is_some_and(|execution| execution != checkpoint.row.execution) {
                continue;
            }
            let MessageKind::RewindRequested { reason, parent, latest } = message.kind else { continue };
            let by_parent = parent.is_some();
            match parent {
                Some(parent) if !is_child_of(checkpoint.row.parent.as_ref(), &parent) => {
                    let refusal = no_child_of(&checkpoint.row.id, &parent);
                    checkpoint.messages.push(refusal);
                    continue;
                }
                Some(parent) => checkpoint.row.parent = Some(parent),
                None => {}
            }
            let demand = all.get_or_insert(Demand { reason, latest, by_parent });
            demand.latest |= latest;
            demand.by_parent |= by_parent;
        }
        all
    }
}

fn take_back(
    checkpoint: &mut Checkpoint,
    history: Vec<Event>,
    demand: Demand,
    now: Timestamp,
    present: &PresentApp,
) -> Result<(), IllegalEvent> {
    let (events, before) = History::from_events(history)?.into_parts();
    let row = &mut checkpoint.row;
    row.execution = derived_execution(row.execution, "rewind");
    if demand.latest {
        row.pinned_to.clone_from(&present.digest);
    }
    let mut cut = Cut::of(&events);
    cut.belong_to(row.execution, row.pinned_to.as_ref());
    let kept: Vec<Event> = cut.turns.iter().flatten().cloned().collect();
    let (kept, after) = History::from_events(kept)?.into_parts();
    if after.started.is_none() && !cut.again.iter().any(|kind| matches!(kind, EventKind::ExecutionStarted(_))) {
        return Err(IllegalEvent { index: 0, event: "ExecutionRewound", why: "the execution never started" });
    }
    row.status = status_at_work(&after);
    (row.completed_at, row.output, row.failure) = (None, None, None);
    (row.turns, row.events) = (after.turns, after.events);
    let activities = before.outstanding.iter().filter(|(_, awaited)| **awaited == Awaited::Activity);
    checkpoint.cancelled_activities = activities.map(|(id, _)| *id).collect();
    ask_anew(checkpoint, &kept, &after, &cut.again, &demand, now);
    let (to, execution) = (checkpoint.row.id.clone(), Some(checkpoint.row.execution));
    let kind = MessageKind::ExecutionRewound { reason: demand.reason, again: cut.again };
    checkpoint.messages.push(Envelope::new(to, execution, kind));
    let records = cut.turns.into_iter().zip(0..).map(|(events, turn)| TurnRecord { turn, events });
    checkpoint.rewritten = Some(records.collect());
    Ok(())
}

/// A failed history, taken apart.
struct Cut {
    /// The turns that are kept.
    turns: Vec<Vec<Event>>,
    /// What the code is to see once more.
    again: Vec<EventKind>,
}

impl Cut {
    /// A history that does not end with a failed turn was set aside as it was: it is kept as a whole.
    fn of(events: &[Event]) -> Cut {
        let tries = Tries::of(events);
        let mut place = 0;
        let mut turns: Vec<Vec<(usize, Event)>> = Vec::new();
        for turn in events.split_inclusive(|event| event.kind == EventKind::OrchestratorCompleted) {
            turns.push((place..).zip(turn.iter().cloned()).collect());
            place += turn.len();
        }
        let ends = |(_, event): &(usize, Event)| matches!(event.kind, EventKind::ExecutionCompleted { .. });
        let failed = turns.pop_if(|turn| turn.iter().any(ends));
        let without_places = |turn: Vec<(usize, Event)>| turn.into_iter().map(|(_, event)| event).collect();
        let Some(failed) = failed else {
            return Cut { turns: turns.into_iter().map(without_places).collect(), again: Vec::new() };
        };
        let asked = |(_, event): &(usize, Event)| is_asked_by_code(&event.kind);
        let good = turns.iter().rposition(|turn| turn.iter().any(asked)).map_or(0, |last| last + 1);
        let after = turns.split_off(good);
        let mut cut = Cut { turns: turns.into_iter().map(without_places).collect(), again: Vec::new() };
        for turn in after {
            cut.part(turn, &tries);
        }
        for (place, event) in failed {
            if tries.fate_in_failed_turn(place, &event.kind) == Fate::Again {
                cut.again.push(event.kind);
            }
        }
        cut
    }

    /// Keeps of a turn what never reached the code, if there is anything.
    fn part(&mut self, turn: Vec<(usize, Event)>, tries: &Tries) {
        let mut stay = Vec::new();
        for (place, event) in turn {
            match tries.fate(place, &event.kind) {
                Fate::Stays => stay.push(event),
                Fate::Again => self.again.push(event.kind),
                Fate::Goes => {}
            }
        }
        let marker =
            |event: &Event| matches!(event.kind, EventKind::OrchestratorStarted | EventKind::OrchestratorCompleted);
        if !stay.iter().all(marker) {
            self.turns.push(stay);
        }
    }

    /// The start names the new execution.
    fn belong_to(&mut self, execution: ExecutionId, pinned_to: Option<&String>) {
        let kinds = self.turns.iter_mut().flatten().map(|event| &mut event.kind).chain(&mut self.again);
        for kind in kinds {
            if let EventKind::ExecutionStarted(started) = kind {
                started.execution = execution;
                started.pinned_to = pinned_to.cloned();
            }
        }
    }
}

/// What becomes of an event behind the last thing that the code asked for.
#[derive(PartialEq, Eq)]
enum Fate {
    /// It is kept where it is.
    Stays,
    /// The code sees it once more.
    Again,
    /// It is dropped.
    Goes,
}

/// The calls of a history with all their tries.
struct Tries {
    /// The first try of each action that is a try or a pause, by its id.
    first: BTreeMap<EventId, EventId>,
    /// The actions that are pauses between tries.
    pauses: BTreeSet<EventId>,
    /// The place of the last thing that the host did by itself about a call, by its first try.
    last_step: BTreeMap<EventId, usize>,
}

impl Tries {
    fn of(events: &[Event]) -> Tries {
        let mut tries = Tries { first: BTreeMap::new(), pauses: BTreeSet::new(), last_step: BTreeMap::new() };
        for (place, event) in events.iter().enumerate() {
            let Some(id) = event.kind.action_id() else { continue };
            let first = retry_of(&event.kind);
            tries.first.insert(id, first.unwrap_or(id));
            if let Some(first) = first {
                tries.last_step.insert(first, place);
                if let EventKind::TimerCreated { .. } = &event.kind {
                    tries.pauses.insert(id);
                }
            }
        }
        tries
    }

    /// Whether the host did anything by itself about the call behind this place: then what happened there was its own business.
    fn goes_on_behind(&self, place: usize, id: EventId) -> bool {
        let last = self.first.get(&id).and_then(|first| self.last_step.get(first));
        last.is_some_and(|last| *last > place)
    }

    fn fate(&self, place: usize, kind: &EventKind) -> Fate {
        match kind {
            EventKind::TaskFailed { scheduled, .. } | EventKind::SubOrchestrationInstanceFailed { scheduled, .. } => {
                if self.goes_on_behind(place, *scheduled) {
                    Fate::Stays
                } else {
                    Fate::Goes
                }
            }
            EventKind::TaskCompleted { scheduled, .. }
            | EventKind::SubOrchestrationInstanceCompleted { scheduled, .. } => {
                if self.goes_on_behind(place, *scheduled) { Fate::Stays } else { Fate::Again }
            }
            EventKind::TimerFired { timer, .. } => {
                let pause = self.pauses.contains(timer) && self.goes_on_behind(place, *timer);
                if pause { Fate::Stays } else { Fate::Again }
            }
            EventKind::ExecutionStarted(_) | EventKind::EntityOperationCompleted { .. } | EventKind::EventRaised(_) => {
                Fate::Again
            }
            // The locks went with the failure: they are asked for anew.
            EventKind::EntityLockGranted { .. } | EventKind::EntityOperationFailed { .. } => Fate::Goes,
            EventKind::OrchestratorStarted
            | EventKind::OrchestratorCompleted
            | EventKind::ExecutionSuspended { .. }
            | EventKind::ExecutionResumed { .. }
            | EventKind::ExecutionRewound { .. }
            | EventKind::ExecutionTerminated { .. }
            | EventKind::ExecutionCompleted { .. }
            | EventKind::TaskScheduled { .. }
            | EventKind::SubOrchestrationInstanceCreated { .. }
            | EventKind::TimerCreated { .. }
            | EventKind::EventSent { .. }
            | EventKind::EntityOperationCalled { .. }
            | EventKind::EntityOperationSignaled { .. }
            | EventKind::EntityLockRequested { .. }
            | EventKind::EntityUnlockSent { .. } => Fate::Stays,
        }
    }

    /// The failed turn is run again as a whole: what the host did by itself in it comes again, too.
    fn fate_in_failed_turn(&self, place: usize, kind: &EventKind) -> Fate {
        let is_held = matches!(kind, EventKind::ExecutionSuspended { .. } | EventKind::ExecutionResumed { .. });
        match self.fate(place, kind) {
            Fate::Stays if is_held || kind.answers().is_some() => Fate::Again,
            Fate::Stays | Fate::Goes => Fate::Goes,
            Fate::Again => Fate::Again,
        }
    }
}

/// The first try of the call that an action goes on with; none if the code asked for the action.
fn retry_of(kind: &EventKind) -> Option<EventId> {
    if let EventKind::TaskScheduled { retry_of, .. }
    | EventKind::SubOrchestrationInstanceCreated { retry_of, .. }
    | EventKind::TimerCreated { retry_of, .. } = kind
    {
        *retry_of
    } else {
        None
    }
}

fn is_asked_by_code(kind: &EventKind) -> bool {
    kind.action_id().is_some() && retry_of(kind).is_none()
}

/// Asks for everything that the kept history leaves open, under the name of the new execution. The locks come first, so that
/// they are ahead of the calls.
fn ask_anew(
    checkpoint: &mut Checkpoint,
    kept: &[Event],
    ledger: &Ledger,
    again: &[EventKind],
    demand: &Demand,
    now: Timestamp,
) {
    let answered: BTreeSet<EventId> = again.iter().filter_map(EventKind::answers).map(|(id, _)| id).collect();
    let depth = ledger.started.as_ref().map_or(0, |started| started.depth);
    let mut asking = Asking { checkpoint, demand, depth, now };
    if let Some((id, entities)) = open_section(kept) {
        asking.lock(id, entities);
    }
    for event in kept {
        let open = |id: &EventId| ledger.outstanding.contains_key(id) && !answered.contains(id);
        if event.kind.action_id().as_ref().is_some_and(open) {
            asking.ask(&event.kind);
        }
    }
}

/// The critical section that was entered, or asked for, and not left.
fn open_section(kept: &[Event]) -> Option<(EventId, &Vec<EntityId>)> {
    let mut open = None;
    for event in kept {
        if let EventKind::EntityLockRequested { id, entities } = &event.kind {
            open = Some((*id, entities));
        } else if let EventKind::EntityUnlockSent { .. } = &event.kind {
            open = None;
        }
    }
    open
}

struct Asking<'a> {
    checkpoint: &'a mut Checkpoint,
    demand: &'a Demand,
    depth: u32,
    now: Timestamp,
}

impl Asking<'_> {
    fn caller(&self, scheduled: EventId) -> Caller {
        let row = &self.checkpoint.row;
        Caller { instance: row.id.clone(), execution: row.execution, scheduled }
    }

    fn lock(&mut self, scheduled: EventId, entities: &[EntityId]) {
        let entities = entities.to_vec();
        if let Some(first) = entities.first().map(EntityId::instance_id) {
            let (owner, entities) = (self.caller(scheduled), entities.clone());
            let kind = MessageKind::EntityLockRequested { owner, entities, position: 0 };
            self.checkpoint.messages.push(Envelope::new(first, None, kind));
        }
        self.checkpoint.row.critical_section = Some(CriticalSection { scheduled, entities });
    }

    fn ask(&mut self, kind: &EventKind) {
        match kind {
            EventKind::TaskScheduled { .. } => self.schedule(kind),
            EventKind::SubOrchestrationInstanceCreated { .. } => self.rewind_child(kind),
            EventKind::TimerCreated { id, fire_at, .. } => {
                self.checkpoint.timers.push(Timer { id: *id, fire_at: *fire_at });
            }
            EventKind::EntityOperationCalled { id, entity, operation, input } => {
                let (caller, operation, input) = (self.caller(*id), operation.clone(), input.clone());
                let kind = MessageKind::EntityOperationCalled { caller, operation, input };
                self.checkpoint.messages.push(Envelope::new(entity.instance_id(), None, kind));
            }
            // Locks are asked for before all else; the rest waits for no answer.
            EventKind::EntityLockRequested { .. }
            | EventKind::EntityUnlockSent { .. }
            | EventKind::EventSent { .. }
            | EventKind::EntityOperationSignaled { .. }
            | EventKind::OrchestratorStarted
            | EventKind::OrchestratorCompleted
            | EventKind::ExecutionStarted(_)
            | EventKind::ExecutionCompleted { .. }
            | EventKind::ExecutionTerminated { .. }
            | EventKind::ExecutionSuspended { .. }
            | EventKind::ExecutionResumed { .. }
            | EventKind::ExecutionRewound { .. }
            | EventKind::TaskCompleted { .. }
            | EventKind::TaskFailed { .. }
            | EventKind::SubOrchestrationInstanceCompleted { .. }
            | EventKind::SubOrchestrationInstanceFailed { .. }
            | EventKind::TimerFired { .. }
            | EventKind::EventRaised(_)
            | EventKind::EntityOperationCompleted { .. }
            | EventKind::EntityOperationFailed { .. }
            | EventKind::EntityLockGranted { .. } => {}
        }
    }

    fn schedule(&mut self, kind: &EventKind) {
        let EventKind::TaskScheduled { id, name, input, timeouts, tags, .. } = kind else { return };
        let row = &self.checkpoint.row;
        let task = ActivityTask {
            instance: row.id.clone(),
            execution: row.execution,
            id: *id,
            name: name.clone(),
            input: input.clone(),
            attempt: 1,
            timeouts: *timeouts,
            tags: tags.clone(),
            caller: row.name.clone(),
            version: row.options.version.clone(),
            pinned_to: row.pinned_to.clone(),
        };
        self.checkpoint.activities.push(task);
    }

    /// A child that is still there is rewound, answers once more, or goes on, as it is; one that is gone is started anew.
    fn rewind_child(&mut self, kind: &EventKind) {
        let EventKind::SubOrchestrationInstanceCreated { id, name, instance_id, input, options, .. } = kind else {
            return;
        };
        let row = &self.checkpoint.row;
        let child = Child { id: *id, name, instance: instance_id, input, detached: false, options };
        let new = child.of(row, row.execution, self.depth, self.now);
        let Demand { reason, latest, .. } = self.demand;
        let kind = MessageKind::RewindRequested {
            reason: reason.clone(),
            parent: new.started.parent.clone(),
            latest: *latest,
        };
        let otherwise = Some(Envelope::new(instance_id.clone(), None, kind));
        self.checkpoint.children.push(NewInstance { reuse: Reuse::NEVER, otherwise, ..new });
    }
}
