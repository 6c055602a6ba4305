//! What stands around an activity that has bindings: its inputs before, its outputs after, and its places.
//!
//! Owns when outputs become durable: before the activity's result counts. The result itself becomes durable with the turn
//! that consumes it, which is another commit; so an activity, and with it its outputs, happens at least once. What starts an
//! activity, and how it is run, is left to the caller.

#[cfg(test)]
mod tests;

use crate::accounts::AccountId;
use crate::bindings::{BindingData, BindingError, BindingParts, BindingSetupError, FunctionBindings};
use crate::concurrency::Gate;
use manifest::{App, Trigger};
use orchestration::{ActivityTask, Failure, Json};
use ports::{BoundValues, Clock, EffectError, GuestFault, Ran, Randomness, StoreError, TableError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the failure of a binding is called; callers' retry policies can match on it.
pub const BINDING_FAILED: &str = "BindingFailed";

/// The parts of the world that activities with bindings need.
#[derive(Clone)]
pub struct ActivityParts {
    /// Where tables and queues are.
    pub bindings: BindingParts,
    /// The time that expressions see.
    pub clock: Arc<dyn Clock>,
    /// New GUIDs of expressions come from it.
    pub randomness: Arc<dyn Randomness>,
}

/// The bindings and places of the activities of one app.
pub struct ActivityBindings {
    /// By name in lower case.
    activities: BTreeMap<String, Activity>,
    parts: ActivityParts,
}

struct Activity {
    name: String,
    gate: Gate,
    bindings: FunctionBindings,
}

impl ActivityBindings {
    /// Those of an app.
    ///
    /// # Errors
    /// Every connection that leads nowhere.
    pub fn new(app: &App, parts: ActivityParts) -> Result<ActivityBindings, Vec<BindingSetupError>> {
        let (mut activities, mut errors) = (BTreeMap::new(), Vec::new());
        for function in &app.functions {
            match &function.trigger {
                Trigger::Activity(_) => match FunctionBindings::new(function, parts.bindings.clone()) {
                    Ok(bindings) => {
                        let activity =
                            Activity { name: function.name.clone(), gate: Gate::of_function(function), bindings };
                        activities.insert(function.name.to_lowercase(), activity);
                    }
                    Err(error) => errors.push(error),
                },
                Trigger::Http(_) | Trigger::Orchestration | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => {
                }
            }
        }
        if errors.is_empty() { Ok(ActivityBindings { activities, parts }) } else { Err(errors) }
    }

    /// Runs an activity with `run`, which gets the values of its inputs, and commits its outputs. An activity that the app does
    /// not have is run without; `run` knows what to say.
    ///
    /// A store that cannot do it at the moment is [`GuestFault::Unavailable`], so that the activity is run again; any other
    /// trouble with bindings is the failure [`BINDING_FAILED`], which the caller's retry policy sees.
    ///
    /// # Errors
    /// When the function itself goes wrong, or the store is unavailable.
    pub async fn run<R>(
        &self,
        task: &ActivityTask,
        run: impl FnOnce(BoundValues) -> R,
    ) -> Result<Result<Json, Failure>, GuestFault>
    where
        R: Future<Output = Result<Result<Ran, Failure>, GuestFault>>,
    {
        let Some(activity) = self.activities.get(&task.name.to_lowercase()) else {
            return Ok(run(Vec::new()).await?.map(|ran| ran.returned));
        };
        let _place = activity.gate.enter().await;
        let data = self.data(activity, task);
        let inputs = match activity.bindings.read_inputs(&data).await {
            Ok(inputs) => inputs,
            Err(BindingError::Unreadable { why: TableError::Store(why @ StoreError::Unavailable { .. }), .. }) => {
                return unavailable(activity, &why);
            }
            Err(why) => return Ok(Err(Failure::new(BINDING_FAILED, why.to_string()))),
        };
        let ran = match run(inputs).await? {
            Ok(ran) => ran,
            Err(failure) => return Ok(Err(failure)),
        };
        let produced = match activity.bindings.effects(&data, &ran) {
            Ok(produced) => produced,
            Err(why) => return Ok(Err(Failure::new(BINDING_FAILED, why.to_string()))),
        };
        match self.parts.bindings.accounts.commit(AccountId::EMBEDDED, produced.effects).await {
            Ok(()) => Ok(Ok(ran.returned)),
            Err(EffectError::Store(why @ StoreError::Unavailable { .. })) => unavailable(activity, &why),
            Err(why) => Ok(Err(Failure::new(BINDING_FAILED, why.to_string()))),
        }
    }

    /// The properties of the argument, and below them who asked.
    fn data(&self, activity: &Activity, task: &ActivityTask) -> BindingData {
        let data = BindingData::new(&activity.name, self.parts.clock.now(), Arc::clone(&self.parts.randomness));
        if activity.bindings.names_asked().next().is_none() {
            return data;
        }
        data.with_metadata("instanceId", task.instance.as_str()).with_payload(task.input.as_str())
    }
}

fn unavailable<T>(activity: &Activity, why: &StoreError) -> Result<T, GuestFault> {
    Err(GuestFault::Unavailable { function: activity.name.clone(), message: why.to_string() })
}
