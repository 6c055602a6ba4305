//! Rewinds: what is left of a failed history, and what is asked for anew.

use super::fold::{self, Open};
use super::watch::Seen;
use super::{Oracle, Violation};
use orchestration::{Checkpoint, Event, EventId, EventKind, InstanceRow, MessageKind};
use std::collections::BTreeSet;

impl Seen {
    /// The history was written anew, and nothing but failures is missing in it.
    pub(super) fn judge_rewind(
        &mut self,
        checkpoint: &Checkpoint,
        row: &InstanceRow,
        history: Vec<Event>,
    ) -> Result<(), Violation> {
        let (id, old) = (row.id.clone(), checkpoint.execution);
        let before = self.histories.remove(&(id.clone(), old)).unwrap_or_default();
        self.scheduled.retain(|(instance, execution, _)| *instance != id || *execution != old);
        let written: Vec<_> = checkpoint.rewritten.iter().flatten().flat_map(|turn| turn.events.clone()).collect();
        if history != written || row.execution == old {
            return wrong(format!("{id} was to have {written:#?} and has {history:#?}"));
        }
        let sum = fold::fold(&history)?;
        if let Some(difference) = sum.differs_from(row).filter(|_| !history.is_empty()) {
            return Err(Violation { oracle: Oracle::Row, detail: difference });
        }
        let again: Vec<&EventKind> = checkpoint
            .messages
            .iter()
            .filter(|message| message.to == id && message.execution == Some(row.execution))
            .filter_map(|message| {
                let MessageKind::ExecutionRewound { again, .. } = &message.kind else { return None };
                Some(again)
            })
            .flatten()
            .collect();
        if let Some(lost) = lost(&before, &history, &again) {
            return wrong(format!("the rewind of {id} has lost {lost:?} of {before:#?}; it keeps {history:#?}"));
        }
        let answered: BTreeSet<_> = again.iter().filter_map(|kind| kind.answers()).map(|(id, _)| id).collect();
        for (event, open) in sum.open.iter().filter(|(event, _)| !answered.contains(event)) {
            if !is_asked_for(checkpoint, *event, *open) {
                return wrong(format!("the rewind of {id} does not ask for {event:?} again: {checkpoint:#?}"));
            }
        }
        self.again.extend(answered.into_iter().map(|event| (row.execution, event)));
        if !history.is_empty() {
            self.histories.insert((id, row.execution), history);
        }
        Ok(())
    }
}

/// The first event that should still be there. What the code asked for in the failed turn is asked for again by itself.
fn lost<'a>(before: &'a [Event], kept: &[Event], again: &[&EventKind]) -> Option<&'a EventKind> {
    let last_turn = before.iter().rposition(|event| event.kind == EventKind::OrchestratorStarted).unwrap_or(0);
    let is_kept = |kind: &EventKind| kept.iter().any(|event| event.kind == *kind);
    before.iter().enumerate().map(|(place, event)| (place, &event.kind)).find_map(|(place, kind)| {
        let is_seen = matches!(
            kind,
            EventKind::TaskCompleted { .. }
                | EventKind::SubOrchestrationInstanceCompleted { .. }
                | EventKind::TimerFired { .. }
                | EventKind::EntityOperationCompleted { .. }
                | EventKind::EventRaised(_)
        );
        let is_there = if is_seen {
            is_kept(kind) || again.contains(&kind)
        } else {
            kind.action_id().is_none() || place >= last_turn || is_kept(kind)
        };
        (!is_there).then_some(kind)
    })
}

fn is_asked_for(checkpoint: &Checkpoint, event: EventId, open: Open) -> bool {
    let execution = checkpoint.row.execution;
    match open {
        Open::Activity => checkpoint.activities.iter().any(|task| (task.execution, task.id) == (execution, event)),
        Open::Timer(_) => checkpoint.timers.iter().any(|timer| timer.id == event),
        Open::Child => checkpoint.children.iter().any(|child| {
            child
                .started
                .parent
                .as_ref()
                .is_some_and(|parent| (parent.execution, parent.scheduled) == (execution, event))
        }),
        Open::Entity | Open::Lock => checkpoint.messages.iter().any(|message| {
            let (MessageKind::EntityOperationCalled { caller, .. }
            | MessageKind::EntityLockRequested { owner: caller, .. }) = &message.kind
            else {
                return false;
            };
            (caller.execution, caller.scheduled) == (execution, event)
        }),
    }
}

fn wrong(detail: String) -> Result<(), Violation> {
    Err(Violation { oracle: Oracle::Rewind, detail })
}
