//! Functions that messages of a queue start: one fresh guest, one message.

use super::{Call, Invocation, finish, run};
use crate::bindings::exports::queue;
use crate::sandbox::Sandbox;
use orchestration::{Failure, Timestamp};
use ports::{GuestFault, QueueInvocation, Ran};

pub(crate) async fn run_queue(
    sandbox: &Sandbox<Invocation>,
    state: Invocation,
    call: &Call<'_>,
    started_by: QueueInvocation,
) -> Result<Result<Ran, Failure>, GuestFault> {
    let QueueInvocation { queue, message, retry, .. } = started_by;
    let message = queue::Message {
        id: message.id,
        queue: queue.as_str().to_owned(),
        text: message.text,
        dequeue_count: message.dequeue_count,
        inserted: message.inserted.ticks(),
        expires: (message.expires != Timestamp::MAX).then(|| message.expires.ticks()),
        next_visible: message.visible.ticks(),
        pop_receipt: message.pop_receipt,
    };
    let invocation = queue::Invocation {
        id: call.invocation_id.to_owned(),
        retry_count: retry.retry_count,
        max_retry_count: retry.max_retry_count,
    };
    let work = run(sandbox, state, call, async |guest| {
        let Some(indices) = &guest.exports.queue else {
            return Err(wasmtime::Error::msg("the component exports no queue functions"));
        };
        let function = indices.load(&mut guest.store, &guest.instance)?;
        function.call_invoke(&mut guest.store, call.entry_point, &message, &invocation).await
    });
    finish(call, call.within(work).await?)
}
