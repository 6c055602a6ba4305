//! What becomes durable after a batch of operations.
//!
//! Everything follows from the batch and the guest's answer: ids of what the operations start and the requests of what they
//! signal come from the request that ran last, so that a batch that is settled twice says the same.

use super::admission::Step;
use super::{EntityAction, EntityAdmission, EntityOperation, EntityOutcome};
use crate::{
    Caller, Checkpoint, EntityRecord, Envelope, ExecutionId, ExecutionStarted, Failure, InstanceId, InstanceRow, Json,
    MessageKind, NewInstance, PresentApp, Reuse, Timestamp,
};
use uuid::Uuid;

/// The namespace of what follows from an operation.
const NAMESPACE: Uuid = Uuid::from_u128(0x0f6e_21b9_6d0b_4a53_9d0e_7f6a_52c1_3b84);

/// Makes the checkpoint of a batch. Without operations the outcome says nothing: all stays as it is.
///
/// Signals and starts go out ahead of the answers, so that whoever reacts to an answer comes behind them.
pub fn settle_entity(
    row: &InstanceRow,
    admission: EntityAdmission,
    outcome: EntityOutcome,
    now: Timestamp,
    present: &PresentApp,
) -> Checkpoint {
    let EntityAdmission { operations, steps, consumed, lock, waiting, more, ignored: _ } = admission;
    let outcome = if operations.is_empty() { EntityOutcome::unchanged(row) } else { outcome };
    let mut checkpoint = Checkpoint::of_row(InstanceRow { updated_at: now, ..row.clone() }, consumed);
    if let Some(last) = operations.last() {
        let acting = Acting { entity: &row.id, request: &last.request, now, present };
        for (place, action) in outcome.actions.into_iter().enumerate() {
            acting.act(&mut checkpoint, place, action);
        }
    }
    checkpoint.messages.extend(replies(&operations, steps, outcome.results));
    checkpoint.more = more;
    checkpoint.remove = outcome.state.is_none() && lock.is_none() && waiting == 0;
    let before = row.entity.as_ref().and_then(|record| record.last_operation_at);
    let last_operation_at = if operations.is_empty() { before } else { Some(now) };
    checkpoint.row.entity = Some(Box::new(EntityRecord { state: outcome.state, lock, last_operation_at }));
    checkpoint
}

/// What goes out for each operation and lock, in the order in which they were taken.
fn replies(
    operations: &[EntityOperation],
    steps: Vec<Step>,
    results: Vec<Result<Json, Failure>>,
) -> impl Iterator<Item = Envelope> {
    let mut operations = operations.iter();
    let mut results = results.into_iter();
    steps.into_iter().filter_map(move |step| match step {
        Step::Send(envelope) => Some(envelope),
        Step::Answer(caller) => {
            let operation = operations.next();
            let result = results.next().unwrap_or_else(|| Err(missing(operation)));
            Some(answer(caller?, result))
        }
    })
}

/// A guest that answers fewer operations than it got leaves the rest undone, as far as anybody knows.
fn missing(operation: Option<&EntityOperation>) -> Failure {
    let name = operation.map_or("", |operation| &operation.name);
    let message = format!(
        "the entity gave no result for the operation '{name}'; it must give one for each operation of a batch, in order"
    );
    Failure::new(Failure::INVALID_ENTITY_RESULT, message).non_retriable()
}

fn answer(caller: Caller, result: Result<Json, Failure>) -> Envelope {
    let Caller { instance, execution, scheduled } = caller;
    let kind = match result {
        Ok(result) => MessageKind::EntityOperationCompleted { scheduled, result },
        Err(failure) => MessageKind::EntityOperationFailed { scheduled, failure },
    };
    Envelope::new(instance, Some(execution), kind)
}

/// Who wants something done, and when.
struct Acting<'a> {
    entity: &'a InstanceId,
    /// The request that ran last.
    request: &'a str,
    now: Timestamp,
    present: &'a PresentApp,
}

impl Acting<'_> {
    fn act(&self, checkpoint: &mut Checkpoint, place: usize, action: EntityAction) {
        match action {
            EntityAction::Signal { entity, operation, input, deliver_at } => {
                let request = format!("{:032x}", self.derived("signal", place));
                let sender = Some(self.entity.clone());
                let kind = MessageKind::EntityOperationSignaled { sender, request, operation, input };
                checkpoint.messages.push(Envelope { deliver_at, ..Envelope::new(entity.instance_id(), None, kind) });
            }
            EntityAction::StartOrchestration { name, input, instance_id, mut options } => {
                options.version = options.version.or_else(|| self.present.default_version.clone());
                let execution = ExecutionId::from_random(self.derived("execution", place));
                let started = ExecutionStarted {
                    options,
                    pinned_to: self.present.digest.clone(),
                    ..ExecutionStarted::new(name, input, execution)
                };
                let id = instance_id.unwrap_or_else(|| InstanceId::from_random(self.derived("instance", place)));
                let (at, reuse) = (self.now, Reuse::ENDED);
                checkpoint.children.push(NewInstance {
                    id,
                    started,
                    at,
                    reuse,
                    otherwise: None,
                    idempotency_key: None,
                });
            }
        }
    }

    fn derived(&self, what: &str, place: usize) -> u128 {
        let name = format!("{} {} {place} {what}", self.entity, self.request);
        Uuid::new_v5(&NAMESPACE, name.as_bytes()).as_u128()
    }
}
