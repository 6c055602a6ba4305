//! Activities: one fresh guest, one call; and the signs of life that it gives meanwhile.

use super::{Call, Invocation, Occasion};
use crate::bindings::{activity_context, exports, failure_from_wit, failure_len};
use crate::fault::{self, Stop};
use crate::sandbox::Sandbox;
use orchestration::{ActivityTask, Failure, Json};
use ports::GuestFault;

pub(crate) async fn run_activity(
    sandbox: &Sandbox<Invocation>,
    state: Invocation,
    call: &Call<'_>,
    task: &ActivityTask,
) -> Result<Result<Json, Failure>, GuestFault> {
    let output = state.output();
    let input = task.input.as_str().to_owned();
    let invocation = exports::activity::Invocation {
        id: call.invocation_id.to_owned(),
        instance_id: task.instance.as_str().to_owned(),
        execution_id: task.execution.to_string(),
        task_id: task.id.0,
        attempt: task.attempt,
        version: task.version.clone(),
    };
    let work = async {
        let mut guest =
            sandbox.instantiate(state).await.map_err(|e| fault::of_start(&e, call.function, call.settings))?;
        let returned = async {
            let Some(indices) = &guest.exports.activity else {
                return Err(wasmtime::Error::msg("the component exports no activities"));
            };
            let activity = indices.load(&mut guest.store, &guest.instance)?;
            activity.call_invoke(&mut guest.store, call.entry_point, &input, &invocation).await
        };
        returned.await.map_err(|e| fault::of_call(&e, call.function, &output.last_words(), call.settings))
    };
    let result = call.within(work).await?;
    let len = result.as_ref().map_or_else(failure_len, String::len);
    if len > call.settings.max_output_bytes {
        return Err(fault::output_too_large(call.function, len, call.settings));
    }
    Ok(result.map(Json::from).map_err(failure_from_wit))
}

impl activity_context::Host for Invocation {
    fn heartbeat(&mut self, details: Option<String>) -> wasmtime::Result<()> {
        let heartbeat = match &self.occasion {
            Occasion::Activity(heartbeat) => heartbeat,
            Occasion::Http { .. } | Occasion::Entity | Occasion::Describe => {
                return Err(Stop::forbidden("only a running activity gives heartbeats; leave the call out here"));
            }
        };
        let len = details.as_ref().map_or(0, String::len);
        if len > self.max_output_bytes {
            return Err(Stop::OutputTooLarge { len }.into());
        }
        heartbeat.beat(details.map(Json::from));
        Ok(())
    }
}
