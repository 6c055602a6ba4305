//! Running a batch of operations on the state of one entity.
//!
//! Owns the rules: names compared without case, a state that exists only once something has changed it, the implicit
//! `delete`, and the way back when an operation fails. Pure: what operations ask for comes back as values.

use crate::entity::{Entity, EntityAction, EntityContext, Operation, OperationRequest};
use crate::execution::Outcome;
use crate::{EntityId, Failure, Timestamp, payload};

/// What the host wants done with one entity.
pub(crate) struct Batch {
    pub(crate) id: EntityId,
    /// None: it does not exist yet.
    pub(crate) state: Option<String>,
    /// In the order of arrival.
    pub(crate) operations: Vec<OperationRequest>,
    pub(crate) roll_back_on_failure: bool,
    pub(crate) now: Timestamp,
}

/// What came of a batch.
pub(crate) struct BatchResult {
    /// None: it does not exist any more.
    pub(crate) state: Option<String>,
    /// One for each operation.
    pub(crate) results: Vec<Outcome>,
    pub(crate) actions: Vec<EntityAction>,
}

/// The operation that every entity has, unless it has one of that name itself.
const DELETE: &str = "delete";

/// Runs the operations one after the other.
pub(crate) fn run_batch<E: Entity>(batch: &Batch) -> BatchResult {
    let mut entity = State::<E> { json: batch.state.clone(), live: None };
    let mut actions = Vec::new();
    let mut run = |request| {
        let context = EntityContext::new(&batch.id, request, batch.now);
        let outcome = entity.operate(&context, request, batch.roll_back_on_failure);
        if outcome.is_ok() || !batch.roll_back_on_failure {
            actions.extend(context.take_actions());
        }
        outcome
    };
    let results = batch.operations.iter().map(&mut run).collect();
    BatchResult { state: entity.json, results, actions }
}

struct State<E> {
    /// What is true after the last operation that counts.
    json: Option<String>,
    /// The same as a value, once an operation has needed it.
    live: Option<E>,
}

impl<E: Entity> State<E> {
    fn operate(&mut self, context: &EntityContext, request: &OperationRequest, roll_back: bool) -> Outcome {
        let Some(operation) = find::<E>(&request.name) else {
            return match request.name.eq_ignore_ascii_case(DELETE) {
                true => {
                    self.delete();
                    Ok("null".into())
                }
                false => Err(unknown::<E>(&request.name)),
            };
        };
        let mut live = match self.live.take() {
            Some(live) => live,
            None => self.read(&context.id().to_string())?,
        };
        let outcome = (operation.run)(&mut live, context, &request.input);
        if outcome.is_err() && roll_back {
            return outcome;
        }
        if context.is_deleted() {
            self.delete();
        } else if operation.changes {
            self.json = Some(payload::encode(&live, &format!("the state of {}", E::NAME))?);
            self.live = Some(live);
        } else {
            self.live = Some(live);
        }
        outcome
    }

    fn read(&self, id: &str) -> Result<E, Failure> {
        match &self.json {
            Some(json) => payload::decode(json, &format!("the state of {id}")),
            None => Ok(E::default()),
        }
    }

    fn delete(&mut self) {
        (self.json, self.live) = (None, None);
    }
}

fn find<E: Entity>(name: &str) -> Option<&'static Operation<E>> {
    E::OPERATIONS.iter().find(|operation| operation.name.eq_ignore_ascii_case(name))
}

fn unknown<E: Entity>(name: &str) -> Failure {
    let mut known: Vec<_> = E::OPERATIONS.iter().map(|operation| operation.name).collect();
    if !known.contains(&DELETE) {
        known.push(DELETE);
    }
    let message = format!("{} has no operation '{name}'; it has: {}", E::NAME, known.join(", "));
    Failure::new("EntityOperationNotFound", message).non_retriable()
}
