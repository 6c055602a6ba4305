//! Entities: small pieces of state with operations on them, one batch at a time per entity.
//!
//! An entity keeps no history: its row holds its state and its lock, and what cannot be done yet waits in its inbox. This module
//! decides which of the waiting requests can be done now, and makes the checkpoint of what came of them. Running the
//! operations is the guest's part.

mod admission;
mod settlement;

pub use admission::{EntityAdmission, admit_entity};
pub use settlement::settle_entity;

use crate::{EntityId, Failure, InstanceId, InstanceRow, Json, StartOptions, Timestamp};

/// One operation, as the guest gets it.
#[derive(Clone, PartialEq, Debug)]
pub struct EntityOperation {
    /// What to do, as the sender wrote it.
    pub name: String,
    /// Its argument.
    pub input: Json,
    /// The same for every run of this operation, and for no other.
    pub request: String,
    /// Nobody waits for the result.
    pub is_signal: bool,
    /// The instance that asked; none for a client.
    pub caller: Option<InstanceId>,
}

/// What a guest made of a batch.
#[derive(Clone, PartialEq, Debug)]
pub struct EntityOutcome {
    /// The new state; none: the entity does not exist any more.
    pub state: Option<Json>,
    /// One result for each operation, in order.
    pub results: Vec<Result<Json, Failure>>,
    /// What the operations want done.
    pub actions: Vec<EntityAction>,
}

impl EntityOutcome {
    /// What comes of no operations: all stays as it is.
    pub fn unchanged(row: &InstanceRow) -> EntityOutcome {
        let state = row.entity.as_ref().and_then(|record| record.state.clone());
        EntityOutcome { state, results: Vec::new(), actions: Vec::new() }
    }
}

/// What an operation can want done besides changing the state.
#[derive(Clone, PartialEq, Debug)]
pub enum EntityAction {
    /// Tell an entity to do something.
    Signal {
        /// The entity.
        entity: EntityId,
        /// What to do.
        operation: String,
        /// Its argument.
        input: Json,
        /// Not before this moment.
        deliver_at: Option<Timestamp>,
    },
    /// Start an orchestration that nobody waits for.
    StartOrchestration {
        /// The orchestrator.
        name: String,
        /// Its argument.
        input: Json,
        /// Its id; none: one that follows from the request that ran last and the place of the action.
        instance_id: Option<InstanceId>,
        /// What else it is started with.
        options: StartOptions,
    },
}
