//! What an instance says to its parent and to its children: starts, ends, and that one of them is gone.

use crate::settle::{derived_execution, release};
use crate::{
    Checkpoint, Envelope, EventId, ExecutionId, ExecutionStarted, Failure, InstanceId, InstanceRow, Json, MessageKind,
    NewInstance, Parent, Reuse, RuntimeStatus, StartOptions, Timestamp,
};

/// A child as its parent asks for it.
pub(crate) struct Child<'a> {
    pub(crate) id: EventId,
    pub(crate) name: &'a str,
    pub(crate) instance: &'a InstanceId,
    pub(crate) input: &'a Json,
    pub(crate) detached: bool,
    pub(crate) options: &'a StartOptions,
}

impl Child<'_> {
    /// Its execution id follows from its parent's, so that the same turn run twice starts the same child. It runs on the app
    /// that its parent is pinned to.
    pub(crate) fn of(&self, row: &InstanceRow, execution: ExecutionId, depth: u32, at: Timestamp) -> NewInstance {
        let scheduled = self.id;
        let parent = Parent { instance: row.id.clone(), execution, name: row.name.clone(), scheduled };
        NewInstance {
            id: self.instance.clone(),
            started: ExecutionStarted {
                name: self.name.to_owned(),
                input: self.input.clone(),
                execution: derived_execution(execution, &format!("child {scheduled}")),
                parent: (!self.detached).then_some(parent),
                options: self.options.clone(),
                depth: depth.saturating_add(1),
                pinned_to: row.pinned_to.clone(),
                accepted_events: Vec::new(),
            },
            at,
            reuse: Reuse::ENDED,
            otherwise: (!self.detached).then(|| self.refusal(row, execution)),
            idempotency_key: None,
        }
    }

    /// What the parent hears when the id is taken.
    fn refusal(&self, row: &InstanceRow, execution: ExecutionId) -> Envelope {
        let (name, id, scheduled) = (self.name, self.instance, self.id);
        let failure = Failure::new(
            Failure::ALREADY_EXISTS,
            format!(
                "cannot start the sub-orchestration '{name}': an instance with the id '{id}' is at work already; wait for it, \
                 or choose another id"
            ),
        );
        let kind = MessageKind::SubOrchestrationInstanceFailed { scheduled, failure };
        Envelope::new(row.id.clone(), Some(execution), kind)
    }
}

/// Ends a child together with its parent's execution, and its children with it.
pub(crate) fn terminate_child(parent: ExecutionId, child: InstanceId, reason: Json) -> Envelope {
    let kind = MessageKind::ExecutionTerminated { reason, recurse: true, by_parent: Some(parent) };
    Envelope::new(child, None, kind)
}

/// What must be said for an instance that is removed, or replaced by another of its id, while it is at work: its locks are
/// released, and its parent learns that it was terminated. Goes into the same batch as the removal.
pub fn farewell(row: &InstanceRow) -> Vec<Envelope> {
    let mut row = row.clone();
    let mut messages: Vec<_> = release(&mut row).into_iter().collect();
    if row.status.is_terminal() {
        return messages;
    }
    row.status = RuntimeStatus::Terminated;
    if let Some(parent) = row.parent.clone() {
        let reason = Json::from("\"it was removed while it was at work\"");
        messages.push(answer_to_parent(&row, &parent, Some(reason), None));
    }
    messages
}

/// The instance ends for good, and its parent hears of it.
pub(crate) fn end_instance(
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

/// What a parent hears of the end of its child.
pub(crate) fn answer_to_parent(
    row: &InstanceRow,
    parent: &Parent,
    output: Option<Json>,
    failure: Option<Failure>,
) -> Envelope {
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
    Envelope::new(parent.instance.clone(), Some(parent.execution), kind)
}

/// Whether an instance is the child that a parent asked for by this request, whichever of its executions asked.
pub(crate) fn is_child_of(child: Option<&Parent>, parent: &Parent) -> bool {
    child.is_some_and(|known| known.instance == parent.instance && known.scheduled == parent.scheduled)
}

/// What an instance answers that is taken for a child and is none.
pub(crate) fn no_child_of(id: &InstanceId, parent: &Parent) -> Envelope {
    let failure = Failure::new(
        Failure::ALREADY_EXISTS,
        format!(
            "cannot rewind the sub-orchestration '{id}': the instance of that id is another one now; purge it and rewind \
             again, and a new one is started"
        ),
    );
    let kind = MessageKind::SubOrchestrationInstanceFailed { scheduled: parent.scheduled, failure };
    Envelope::new(parent.instance.clone(), Some(parent.execution), kind)
}
