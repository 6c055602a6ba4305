//! Entities: one fresh guest, one batch of operations. Keeping the state, and doing what the operations want done, is the
//! caller's part.

use super::{Call, Invocation, Returned, run};
use crate::bindings::{entity_from_wit, entity_to_wit, exports, failure_from_wit, failure_len, start_from_wit};
use crate::fault;
use crate::sandbox::Sandbox;
use exports::entity::{Action, Batch, BatchResult, Operation};
use orchestration::{EntityAction, EntityOperation, EntityOutcome, InstanceId, InvalidInstanceId, Json, Timestamp};
use ports::{EntityBatch, GuestFault};

pub(crate) async fn run_entity(
    sandbox: &Sandbox<Invocation>,
    state: Invocation,
    call: &Call<'_>,
    batch: EntityBatch,
) -> Result<EntityOutcome, GuestFault> {
    let operations = batch.operations.len();
    let batch = batch_to_wit(batch);
    let work = run(sandbox, state, call, async |guest| {
        let Some(indices) = &guest.exports.entity else {
            return Err(wasmtime::Error::msg("the component exports no entities"));
        };
        let entity = indices.load(&mut guest.store, &guest.instance)?;
        entity.call_run(&mut guest.store, call.entry_point, &batch).await
    });
    let Returned { value: result, measurement, .. } = call.within(work).await?;
    let len = result_len(&result);
    if len > call.settings.max_output_bytes {
        return Err(fault::output_too_large(call.function, len, call.settings));
    }
    let broken = |message| GuestFault::Trapped { function: call.function.to_string(), message };
    if result.results.len() != operations {
        let results = result.results.len();
        return Err(broken(format!("it answered {results} results for {operations} operations; give one for each")));
    }
    let actions = result.actions.into_iter().map(action_from_wit).collect::<Result<Vec<_>, String>>();
    let actions = actions.map_err(broken)?;
    measurement.end(result.results.iter().all(Result::is_ok));
    Ok(EntityOutcome {
        state: result.state.map(Json::from),
        results: result.results.into_iter().map(|r| r.map(Json::from).map_err(failure_from_wit)).collect(),
        actions,
    })
}

fn batch_to_wit(batch: EntityBatch) -> Batch {
    let operation = |operation: EntityOperation| Operation {
        name: operation.name,
        input: operation.input.as_str().to_owned(),
        request_id: operation.request,
        is_signal: operation.is_signal,
        caller: operation.caller.map(|caller| caller.as_str().to_owned()),
    };
    Batch {
        id: entity_to_wit(&batch.entity),
        state: batch.state.map(|state| state.as_str().to_owned()),
        operations: batch.operations.into_iter().map(operation).collect(),
        roll_back_on_failure: batch.roll_back,
        now: batch.now.ticks(),
    }
}

/// What the answer takes, in bytes of text.
fn result_len(result: &BatchResult) -> usize {
    let state = result.state.as_ref().map_or(0, String::len);
    let results: usize = result.results.iter().map(|r| r.as_ref().map_or_else(failure_len, String::len)).sum();
    let action = |action: &Action| match action {
        Action::Signal(signal) => {
            signal.to.name.len() + signal.to.key.len() + signal.operation.len() + signal.input.len()
        }
        Action::StartOrchestration(start) => {
            let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
            let tags: usize = start.options.tags.iter().map(|(name, value)| name.len() + value.len()).sum();
            start.name.len()
                + start.input.len()
                + text(&start.options.instance_id)
                + text(&start.options.version)
                + tags
        }
    };
    state + results + result.actions.iter().map(action).sum::<usize>()
}

/// A malformed id has no operation to which its failure could be told, so it is a fault of the whole batch; whoever runs the
/// operations one by one then finds the one that it belongs to.
fn action_from_wit(action: Action) -> Result<EntityAction, String> {
    match action {
        Action::Signal(signal) => {
            let entity = entity_from_wit(&signal.to)
                .map_err(|why| format!("it wants to signal '{}', but {why}", signal.operation))?;
            Ok(EntityAction::Signal {
                entity,
                operation: signal.operation,
                input: Json::from(signal.input),
                deliver_at: signal.deliver_at.map(Timestamp::from_ticks),
            })
        }
        Action::StartOrchestration(start) => {
            let (chosen, options) = start_from_wit(start.options);
            let instance_id =
                chosen.as_deref().map(InstanceId::parse).transpose().map_err(|why: InvalidInstanceId| {
                    let id = chosen.as_deref().unwrap_or_default();
                    format!("it wants to start '{}' with the instance id '{id}': {why}", start.name)
                })?;
            Ok(EntityAction::StartOrchestration {
                name: start.name,
                input: Json::from(start.input),
                instance_id,
                options,
            })
        }
    }
}
