//! The rules of a commit, judged by what is stored right behind it.

use super::watch::{Seen, Work};
use super::{Oracle, Violation, Watch, fold, replay};
use orchestration::{Checkpoint, Event, EventKind, Failure, InstanceId, InstanceRow, MessageKind, RuntimeStatus};
use ports::{Lease, TurnWork};

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
    pub(super) fn committed(&self, lease: &Lease, checkpoint: &Checkpoint, stored: Stored) {
        let mut seen = self.lock();
        seen.commits += 1;
        let id = checkpoint.row.id.clone();
        seen.act_under(&Work::Turn(id.clone()), lease, "committed");
        let work = seen.turns.remove(&id);
        if let Err(violation) = seen.judge(checkpoint, work, stored) {
            seen.report(violation.oracle, violation.detail);
        }
    }
}

impl Seen {
    fn judge(&mut self, checkpoint: &Checkpoint, work: Option<TurnWork>, stored: Stored) -> Result<(), Violation> {
        let id = &checkpoint.row.id;
        let Some(row) = stored.row else {
            return wrong(Oracle::Row, format!("there is no row of {id} behind its commit"));
        };
        for child in &stored.created {
            self.forget(child);
        }
        self.consume(id, &checkpoint.consumed);
        for envelope in checkpoint.messages.iter().chain(checkpoint.children.iter().flat_map(|child| &child.if_at_work))
        {
            self.expect_message(&envelope.to);
        }
        self.judge_history(checkpoint, &row, stored.history, &stored.previous)?;
        if row != checkpoint.row {
            return wrong(Oracle::Row, format!("committed {:#?}, stored {row:#?}", checkpoint.row));
        }
        self.judge_effects(checkpoint)?;
        match work {
            Some(work) => judge_events(checkpoint, &work),
            None => Ok(()),
        }
    }

    fn judge_history(
        &mut self,
        checkpoint: &Checkpoint,
        row: &InstanceRow,
        history: Vec<Event>,
        previous: &[Event],
    ) -> Result<(), Violation> {
        let id = &row.id;
        if checkpoint.row.execution != checkpoint.execution {
            let old = (id.clone(), checkpoint.execution);
            self.histories.remove(&old);
            self.scheduled.retain(|(instance, execution, _)| (instance, *execution) != (&old.0, old.1));
            if !previous.is_empty() || !history.is_empty() || row.status != RuntimeStatus::Running {
                return wrong(Oracle::Append, format!("{id} did not begin anew: {row:?} {previous:?} {history:?}"));
            }
            return Ok(());
        }
        let key = (id.clone(), row.execution);
        if history.is_empty() && row.turns == 0 {
            return Ok(());
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
        self.histories.insert(key, history);
        Ok(())
    }

    /// What is recorded of an activity is what it returned.
    fn judge_effects(&mut self, checkpoint: &Checkpoint) -> Result<(), Violation> {
        let (id, execution) = (checkpoint.row.id.clone(), checkpoint.execution);
        for event in checkpoint.record.iter().flat_map(|record| &record.events) {
            let (scheduled, outcome) = match &event.kind {
                EventKind::TaskScheduled { id: event, .. } => {
                    self.scheduled.insert((id.clone(), execution, *event));
                    continue;
                }
                EventKind::TaskCompleted { scheduled, result } => (*scheduled, Ok(result.clone())),
                EventKind::TaskFailed { scheduled, failure } if is_own(failure) => (*scheduled, Err(failure.clone())),
                EventKind::TaskFailed { .. }
                | EventKind::OrchestratorStarted
                | EventKind::OrchestratorCompleted
                | EventKind::ExecutionStarted(_)
                | EventKind::ExecutionCompleted { .. }
                | EventKind::ExecutionTerminated { .. }
                | EventKind::SubOrchestrationInstanceCreated { .. }
                | EventKind::SubOrchestrationInstanceCompleted { .. }
                | EventKind::SubOrchestrationInstanceFailed { .. }
                | EventKind::TimerCreated { .. }
                | EventKind::TimerFired { .. }
                | EventKind::EventRaised(_) => continue,
            };
            let key = (id.clone(), execution, scheduled);
            let returned = self.invocations.get(&key).map_or(&[][..], Vec::as_slice);
            if !returned.contains(&outcome) {
                let detail = format!("{key:?} is recorded with {outcome:?}, but its runs returned {returned:?}");
                return wrong(Oracle::Effects, detail);
            }
        }
        Ok(())
    }
}

/// Whether an activity reported the failure itself, as opposed to its host.
fn is_own(failure: &Failure) -> bool {
    ![Failure::ACTIVITY_NOT_FOUND, "FunctionTrapped"].contains(&failure.error_type.as_str())
}

/// An event that is consumed is in the history, unless the instance has ended, or goes on under another execution (there the
/// model shows a loss).
fn judge_events(checkpoint: &Checkpoint, work: &TurnWork) -> Result<(), Violation> {
    if checkpoint.row.status.is_terminal() || checkpoint.row.execution != checkpoint.execution {
        return Ok(());
    }
    let recorded: Vec<_> =
        checkpoint.record.iter().flat_map(|record| &record.events).map(|event| &event.kind).collect();
    for message in &work.messages {
        if let MessageKind::EventRaised(raised) = &message.kind
            && checkpoint.consumed.contains(&message.origin)
            && !recorded.contains(&&EventKind::EventRaised(raised.clone()))
        {
            let id = &checkpoint.row.id;
            return wrong(Oracle::Events, format!("{id} consumed {raised:?} and nobody will ever see it"));
        }
    }
    Ok(())
}

fn wrong(oracle: Oracle, detail: String) -> Result<(), Violation> {
    Err(Violation { oracle, detail })
}
