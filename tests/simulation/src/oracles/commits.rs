//! The rules of a commit, judged by what is stored right behind it.

use super::watch::{Seen, Work};
use super::{Oracle, Violation, Watch, fold, replay};
use orchestration::{
    Checkpoint, Event, EventKind, ExecutionId, Failure, InstanceId, InstanceRow, MessageKind, NewInstance, Timestamp,
};
use ports::{Lease, TurnWork};
use std::collections::BTreeSet;

/// What is stored behind a commit.
pub(super) struct Stored {
    pub(super) row: Option<InstanceRow>,
    /// The history of the row's execution.
    pub(super) history: Vec<Event>,
    /// The history of the execution that the turn belonged to, when it is another one.
    pub(super) previous: Vec<Event>,
    /// The children that were started, as opposed to those whose id was taken.
    pub(super) created: Vec<InstanceId>,
}

impl Watch {
    /// A commit took effect.
    pub(super) fn committed(&self, lease: &Lease, checkpoint: &Checkpoint, stored: Stored, now: Timestamp) {
        let mut seen = self.lock();
        seen.commits += 1;
        let id = checkpoint.row.id.clone();
        seen.act_under(&Work::Turn(id.clone()), lease, "committed");
        let work = seen.turns.remove(&id);
        if let Err(violation) = seen.judge(checkpoint, work, stored, now) {
            seen.report(violation.oracle, violation.detail);
        }
    }
}

impl Seen {
    fn judge(
        &mut self,
        checkpoint: &Checkpoint,
        work: Option<TurnWork>,
        stored: Stored,
        now: Timestamp,
    ) -> Result<(), Violation> {
        let id = &checkpoint.row.id;
        self.consume(id, &checkpoint.consumed);
        self.send_all(checkpoint, &stored.created, now);
        let Some(row) = stored.row else {
            if !checkpoint.remove {
                return wrong(Oracle::Row, format!("there is no row of {id} behind its commit"));
            }
            return match work {
                Some(work) => self.entities.committed(checkpoint, &work),
                None => Ok(()),
            };
        };
        if row.entity.is_some() {
            if let Some(work) = work {
                self.entities.committed(checkpoint, &work)?;
            }
            return as_committed(&row, checkpoint);
        }
        self.pin(&row);
        let accepted = self.judge_history(checkpoint, &row, stored.history, &stored.previous)?;
        as_committed(&row, checkpoint)?;
        self.judge_effects(checkpoint)?;
        match work {
            Some(work) => judge_events(checkpoint, &work, &accepted),
            None => Ok(()),
        }
    }

    /// What leaves with the commit.
    fn send_all(&mut self, checkpoint: &Checkpoint, created: &[InstanceId], now: Timestamp) {
        let id = &checkpoint.row.id;
        for child in &checkpoint.children {
            if created.contains(&child.id) {
                self.forget(&child.id);
                self.letters.start(child, now);
            }
        }
        let said = checkpoint.children.iter().filter_map(|child: &NewInstance| child.otherwise.as_ref());
        for envelope in checkpoint.messages.iter().chain(said) {
            self.entities.asked(Some(id), envelope);
            self.send(envelope, now);
        }
        let stopped = &checkpoint.cancelled_activities;
        let stopped: Vec<_> = stopped.iter().map(|event| (id.clone(), checkpoint.execution, *event)).collect();
        for key in stopped {
            self.scheduled.remove(&key);
            self.cancelled.insert(key);
        }
        let asked = checkpoint.activities.iter().map(|task| (task.instance.clone(), task.execution, task.id));
        self.scheduled.extend(asked);
    }

    /// Answers the ids of the events that the instance has accepted.
    fn judge_history(
        &mut self,
        checkpoint: &Checkpoint,
        row: &InstanceRow,
        history: Vec<Event>,
        previous: &[Event],
    ) -> Result<BTreeSet<String>, Violation> {
        let id = &row.id;
        if checkpoint.row.execution != checkpoint.execution {
            if !previous.is_empty() {
                return wrong(Oracle::Append, format!("{id} keeps {previous:#?} of its last execution"));
            }
            if checkpoint.rewritten.is_some() {
                return self.judge_rewind(checkpoint, row, history).map(|()| BTreeSet::new());
            }
            let old = (id.clone(), checkpoint.execution);
            self.histories.remove(&old);
            self.scheduled.retain(|(instance, execution, _)| (instance, *execution) != (&old.0, old.1));
            if !history.is_empty() || row.status.is_terminal() {
                return wrong(Oracle::Append, format!("{id} did not begin anew: {row:?} {history:?}"));
            }
            return Ok(BTreeSet::new());
        }
        let key = (id.clone(), row.execution);
        if history.is_empty() && row.turns == 0 {
            return Ok(BTreeSet::new());
        }
        let sum = fold::fold(&history)?;
        let recorded = checkpoint.record.as_ref().map_or(&[][..], |record| &record.events);
        let before = self.histories.get(&key).map_or(&[][..], Vec::as_slice);
        if history.len() != before.len() + recorded.len()
            || !history.starts_with(before)
            || !history.ends_with(recorded)
        {
            let detail = format!("{id} had {before:#?}, committed {recorded:#?}, has {history:#?}");
            return wrong(Oracle::Append, detail);
        }
        if let Some(difference) = sum.differs_from(row) {
            return wrong(Oracle::Row, difference);
        }
        if !recorded.is_empty() {
            replay::check_last_turn(row, &history)?;
        }
        for event in recorded {
            if let Some((scheduled, _)) = event.kind.answers()
                && !self.again.contains(&(row.execution, scheduled))
            {
                self.entities.heard(id, row.execution, &event.kind, &history)?;
            }
        }
        self.histories.insert(key, history);
        Ok(sum.accepted)
    }

    /// What is recorded of an activity is what it returned.
    fn judge_effects(&mut self, checkpoint: &Checkpoint) -> Result<(), Violation> {
        for event in checkpoint.record.iter().flat_map(|record| &record.events) {
            let (scheduled, outcome) = if let EventKind::TaskCompleted { scheduled, result } = &event.kind {
                (*scheduled, Ok(result.clone()))
            } else if let EventKind::TaskFailed { scheduled, failure } = &event.kind
                && is_own(failure)
            {
                (*scheduled, Err(failure.clone()))
            } else {
                continue;
            };
            let execution: ExecutionId = checkpoint.execution;
            let key = (checkpoint.row.id.clone(), execution, scheduled);
            let returned = self.invocations.get(&key).map_or(&[][..], Vec::as_slice);
            if !returned.contains(&outcome) && !self.again.contains(&(execution, scheduled)) {
                let detail = format!("{key:?} is recorded with {outcome:?}, but its runs returned {returned:?}");
                return wrong(Oracle::Effects, detail);
            }
        }
        Ok(())
    }
}

fn as_committed(row: &InstanceRow, checkpoint: &Checkpoint) -> Result<(), Violation> {
    if *row == checkpoint.row {
        return Ok(());
    }
    wrong(Oracle::Row, format!("committed {:#?}, stored {row:#?}", checkpoint.row))
}

/// Whether an activity reported the failure itself, as opposed to its host.
fn is_own(failure: &Failure) -> bool {
    let of_host = [
        Failure::ACTIVITY_NOT_FOUND,
        Failure::ACTIVITY_TIMEOUT,
        Failure::ACTIVITY_HEARTBEAT_TIMEOUT,
        Failure::CANCELED,
        "FunctionTrapped",
    ];
    !of_host.contains(&failure.error_type.as_str())
}

/// An event that is consumed is in the history, unless the instance has ended, or goes on under another execution (there the
/// model shows a loss), or the event was accepted before.
fn judge_events(checkpoint: &Checkpoint, work: &TurnWork, accepted: &BTreeSet<String>) -> Result<(), Violation> {
    if checkpoint.row.status.is_terminal() || checkpoint.row.execution != checkpoint.execution {
        return Ok(());
    }
    let recorded: Vec<_> =
        checkpoint.record.iter().flat_map(|record| &record.events).map(|event| &event.kind).collect();
    for message in &work.messages {
        if let MessageKind::EventRaised(raised) = &message.kind
            && checkpoint.consumed.contains(&message.origin)
            && !recorded.contains(&&EventKind::EventRaised(raised.clone()))
            && !raised.id.as_ref().is_some_and(|id| accepted.contains(id))
        {
            let id = &checkpoint.row.id;
            return wrong(Oracle::Events, format!("{id} consumed {raised:?} and nobody will ever see it"));
        }
    }
    Ok(())
}

fn wrong<T>(oracle: Oracle, detail: String) -> Result<T, Violation> {
    Err(Violation { oracle, detail })
}
