//! One turn of an entity: as many of the waiting operations as one batch takes, run by the guest in one call.
//!
//! A guest that goes wrong takes its whole batch with it. The operations of that batch are then run one by one, so that the
//! one that is to blame is found, and fails alone, and the others are done.

use super::{Turn, Undone};
use crate::Inner;
use orchestration::{EntityId, EntityOperation, EntityOutcome, Failure, Json, Message, admit_entity, settle_entity};
use ports::{EntityBatch, GuestFault};

impl Inner {
    pub(super) async fn entity_turn(&self, turn: &mut Turn, messages: Vec<Message>) -> Result<(), Undone> {
        // A host that was started anew does not remember the batch; the attempts tell that there was one.
        let one_by_one = turn.failed_attempts > 0 || self.broken_batches.is_one_by_one(&turn.row.id);
        let max_operations = if one_by_one { 1 } else { self.settings.entity_batch_size.max(1) };
        let admission = admit_entity(&turn.row, messages, max_operations);
        for (message, why) in &admission.ignored {
            tracing::debug!(instance_id = %turn.row.id, message = message.kind.name(), ?why, "a message was ignored");
        }
        let operations = admission.operations.len();
        let outcome = if operations == 0 {
            EntityOutcome::unchanged(&turn.row)
        } else {
            self.run_operations(turn, &admission.operations).await?
        };
        let checkpoint = settle_entity(&turn.row, admission, outcome, turn.now, &self.settings.present);
        self.commit(turn, checkpoint).await?;
        if operations > 0 {
            self.broken_batches.one_less(&turn.row.id);
        }
        self.release(&turn.lease).await;
        Ok(())
    }

    async fn run_operations(&self, turn: &mut Turn, operations: &[EntityOperation]) -> Result<EntityOutcome, Undone> {
        let Some(entity) = EntityId::of_instance(&turn.row.id) else {
            let failure = Failure::new(Failure::INVALID_ARGUMENT, format!("'{}' is no entity's id", turn.row.id));
            return Ok(all_failed(turn, operations, &failure));
        };
        let invocation_id = format!("{:032x}", self.parts.randomness.next_u128());
        tracing::debug!(function = entity.name(), %invocation_id, %entity, operations = operations.len(), "Executing an entity");
        let batch = EntityBatch {
            invocation_id: invocation_id.clone(),
            entity: entity.clone(),
            state: turn.row.entity.as_ref().and_then(|record| record.state.clone()),
            operations: operations.to_vec(),
            roll_back: self.settings.roll_back,
            now: turn.now,
        };
        let ran = self.under_lease(&mut turn.lease, self.parts.entities.run(batch)).await;
        let ran = ran.map_err(Undone::interrupted)?.and_then(|outcome| self.outcome_of_allowed_size(&entity, outcome));
        match ran {
            Ok(outcome) => {
                log_results(&entity, operations, &outcome);
                Ok(outcome)
            }
            Err(fault) => self.after_entity_fault(turn, operations, fault),
        }
    }

    /// A state or a result that is too large is a fault of the batch, so that the operation to blame is found.
    fn outcome_of_allowed_size(&self, entity: &EntityId, outcome: EntityOutcome) -> Result<EntityOutcome, GuestFault> {
        let limit = self.settings.limits.max_payload_bytes;
        let results = outcome.results.iter().flatten().map(Json::len);
        let largest = results.chain(outcome.state.as_ref().map(Json::len)).max().unwrap_or(0);
        if largest <= limit {
            return Ok(outcome);
        }
        Err(GuestFault::OutputTooLarge {
            function: entity.name().to_owned(),
            len: largest as u64,
            limit_bytes: limit as u64,
            key: "host.durableTask.maxPayloadBytes",
        })
    }

    /// What is missing stays missing. What trapped is tried again, at first with the operations one by one.
    fn after_entity_fault(
        &self,
        turn: &Turn,
        operations: &[EntityOperation],
        fault: GuestFault,
    ) -> Result<EntityOutcome, Undone> {
        match fault {
            GuestFault::NotFound { .. } => Ok(all_failed(turn, operations, &fault.failure())),
            GuestFault::Unavailable { .. } => Err(Undone::Fault(fault)),
            GuestFault::Trapped { .. }
            | GuestFault::TimedOut { .. }
            | GuestFault::OutOfMemory { .. }
            | GuestFault::OutputTooLarge { .. } => {
                if operations.len() == 1 && self.was_last_attempt(turn) {
                    tracing::warn!(instance_id = %turn.row.id, operation = operations[0].name, %fault,
                        "an operation of an entity was given up");
                    Ok(all_failed(turn, operations, &fault.failure()))
                } else {
                    if operations.len() > 1 {
                        self.broken_batches.add(&turn.row.id, operations.len());
                    }
                    Err(Undone::Fault(fault))
                }
            }
        }
    }
}

/// The entity stays as it was, and everybody who waits hears why.
fn all_failed(turn: &Turn, operations: &[EntityOperation], failure: &Failure) -> EntityOutcome {
    let results = operations.iter().map(|_| Err(failure.clone())).collect();
    EntityOutcome { results, ..EntityOutcome::unchanged(&turn.row) }
}

/// Nobody else would hear of a signal that failed.
fn log_results(entity: &EntityId, operations: &[EntityOperation], outcome: &EntityOutcome) {
    for (operation, result) in operations.iter().zip(&outcome.results) {
        if let Err(failure) = result {
            tracing::warn!(%entity, operation = operation.name, is_signal = operation.is_signal, %failure,
                "an operation of an entity failed");
        }
    }
}
