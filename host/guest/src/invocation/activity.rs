//! Activities: one fresh guest, one call; and the signs of life that it gives meanwhile.

use super::{Call, Invocation, Occasion, finish, run};
use crate::bindings::{activity_context, exports};
use crate::fault::Stop;
use crate::sandbox::Sandbox;
use orchestration::{ActivityTask, Failure, Json};
use ports::{GuestFault, Ran};

pub(crate) async fn run_activity(
    sandbox: &Sandbox<Invocation>,
    state: Invocation,
    call: &Call<'_>,
    task: &ActivityTask,
) -> Result<Result<Ran, Failure>, GuestFault> {
    let invocation = exports::activity::Invocation {
        id: call.invocation_id.to_owned(),
        instance_id: task.instance.as_str().to_owned(),
        execution_id: task.execution.to_string(),
        task_id: task.id.0,
        attempt: task.attempt,
        version: task.version.clone(),
    };
    let input = task.input.as_str().to_owned();
    let work = run(sandbox, state, call, async |guest| {
        let Some(indices) = &guest.exports.activity else {
            return Err(wasmtime::Error::msg("the component exports no activities"));
        };
        let activity = indices.load(&mut guest.store, &guest.instance)?;
        activity.call_invoke(&mut guest.store, call.entry_point, &input, &invocation).await
    });
    finish(call, call.within(work).await?)
}

impl activity_context::Host for Invocation {
    fn heartbeat(&mut self, details: Option<String>) -> wasmtime::Result<()> {
        let heartbeat = match &self.occasion {
            Occasion::Activity { heartbeat, .. } => heartbeat,
            Occasion::Http { .. }
            | Occasion::Stream { .. }
            | Occasion::Triggered(_)
            | Occasion::Entity
            | Occasion::Describe => {
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
