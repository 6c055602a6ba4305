//! Entities in memory: their states, and the real code of this crate run on them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::entity::{EntityAction, OperationRequest};
use crate::execution::Outcome;
use crate::functions;
use crate::operations::Batch;
use crate::{EntityId, Timestamp};

/// The entities that exist, with their states.
#[derive(Default)]
pub(super) struct Entities {
    states: BTreeMap<EntityId, Held>,
    operations_ever: u64,
}

pub(super) struct Held {
    pub(super) state: String,
    pub(super) last_operation_at: Timestamp,
}

/// Who wants what of an entity.
pub(super) struct Wanted<'a> {
    pub(super) to: &'a EntityId,
    pub(super) operation: &'a str,
    pub(super) input: &'a str,
    /// None for a client.
    pub(super) caller: Option<String>,
    pub(super) is_signal: bool,
}

impl Entities {
    pub(super) fn put(&mut self, id: EntityId, state: String, now: Timestamp) {
        self.states.insert(id, Held { state, last_operation_at: now });
    }

    pub(super) fn get(&self, id: &EntityId) -> Option<&Held> {
        self.states.get(id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&EntityId, &Held)> {
        self.states.iter()
    }

    pub(super) fn values(&self) -> BTreeMap<EntityId, Value> {
        let value = |held: &Held| serde_json::from_str(&held.state).unwrap_or(Value::Null);
        self.states.iter().map(|(id, held)| (id.clone(), value(held))).collect()
    }

    /// Runs one operation of an entity of this crate.
    pub(super) fn operate(&mut self, wanted: Wanted<'_>, now: Timestamp) -> (Outcome, Vec<EntityAction>) {
        self.operations_ever += 1;
        let id = wanted.to;
        let request = OperationRequest {
            name: wanted.operation.into(),
            input: wanted.input.into(),
            request_id: format!("request-{}", self.operations_ever),
            is_signal: wanted.is_signal,
            caller: wanted.caller,
        };
        let state = self.states.remove(id).map(|held| held.state);
        let batch = Batch { id: id.clone(), state, operations: vec![request], roll_back_on_failure: true, now };
        let mut result = functions::run_entity(id.name(), &batch);
        if let Some(state) = result.state {
            self.put(id.clone(), state, now);
        }
        let outcome = result.results.pop().unwrap_or_else(|| unreachable!("a batch of one has one result"));
        (outcome, result.actions)
    }
}
