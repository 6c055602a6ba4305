//! Input and output bindings of activities: read before an activity runs, committed before its result counts.

use manifest::{App, Trigger};
use orchestration::{ActivityTask, Failure, Json};
use ports::{ActivityInvocation, Clock, EffectError, GuestFault, Randomness, Ran};
use std::collections::BTreeMap;
use std::sync::Arc;
use triggers::accounts::AccountId;
use triggers::bindings::{BindingData, BindingError, BindingParts, BindingSetupError, FunctionBindings};

/// What an activity fails with when a binding is at fault.
const ERROR_TYPE: &str = "BindingFailed";

/// The bindings of an app's activities. Those without any are not in it.
pub(crate) struct ActivityBindings {
    /// By name in lower case.
    functions: BTreeMap<String, FunctionBindings>,
    parts: BindingParts,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

impl ActivityBindings {
    /// The bindings of the activities of an app.
    ///
    /// # Errors
    /// Every connection that leads nowhere.
    pub(crate) fn new(
        app: &App,
        parts: &BindingParts,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<ActivityBindings, Vec<BindingSetupError>> {
        let (mut functions, mut errors) = (BTreeMap::new(), Vec::new());
        for function in app.functions.iter().filter(|function| matches!(function.trigger, Trigger::Activity(_))) {
            match FunctionBindings::new(function, parts.clone()) {
                Ok(bindings) if bindings.is_empty() => {}
                Ok(bindings) => drop(functions.insert(function.name.to_lowercase(), bindings)),
                Err(error) => errors.push(error),
            }
        }
        let bindings = ActivityBindings { functions, parts: parts.clone(), clock, randomness };
        if errors.is_empty() { Ok(bindings) } else { Err(errors) }
    }

    /// Runs an activity of `app` with what is bound to it. The outputs are durable when its result is there; if the host dies
    /// in between, the activity runs again and they happen again, as with everything that an activity does.
    pub(crate) async fn run(
        &self,
        app: &guest::App,
        invocation: ActivityInvocation,
    ) -> Result<Result<Json, Failure>, GuestFault> {
        let Some(bindings) = self.functions.get(&invocation.task.name.to_lowercase()) else {
            return ports::Activities::run(app, invocation).await;
        };
        let data = self.data(&invocation.task);
        let function = invocation.task.name.clone();
        let inputs = match bindings.read_inputs(&data).await {
            Ok(inputs) => inputs,
            Err(error) => return failed(&function, &error),
        };
        let ran = match app.run_activity(invocation, inputs).await? {
            Ok(ran) => ran,
            Err(failure) => return Ok(Err(failure)),
        };
        let produced = match bindings.effects(&data, &ran) {
            Ok(produced) => produced,
            Err(error) => return failed(&function, &error),
        };
        let Ran { returned, .. } = ran;
        match self.parts.accounts.commit(AccountId::EMBEDDED, produced.effects).await {
            Ok(()) => Ok(Ok(returned)),
            // Neither is the activity's doing: it runs again.
            Err(error @ (EffectError::Store(_) | EffectError::Outside(_))) => {
                Err(GuestFault::Unavailable { function, message: format!("its outputs were not written: {error}") })
            }
            Err(
                error @ (EffectError::MessageLost { .. }
                | EffectError::EntityRefused { .. }
                | EffectError::DocumentChanged { .. }),
            ) => Ok(Err(Failure::new(ERROR_TYPE, error.to_string()))),
        }
    }

    fn data(&self, task: &ActivityTask) -> BindingData {
        BindingData::new(&task.name, self.clock.now(), self.randomness.clone())
            .with_payload(task.input.as_str())
            .with_metadata("instanceId", task.instance.as_str())
    }
}

/// A store that cannot be read is not the activity's doing; anything else is a failure that its orchestrator hears of.
fn failed(function: &str, error: &BindingError) -> Result<Result<Json, Failure>, GuestFault> {
    match error {
        BindingError::Unreadable { why: ports::TableError::Store(_), .. } => {
            Err(GuestFault::Unavailable { function: function.to_owned(), message: error.to_string() })
        }
        BindingError::Unreadable { .. }
        | BindingError::Expression { .. }
        | BindingError::Evaluated { .. }
        | BindingError::Value { .. }
        | BindingError::Undeclared { .. }
        | BindingError::TooLarge { .. } => Ok(Err(Failure::new(ERROR_TYPE, error.to_string()))),
    }
}
