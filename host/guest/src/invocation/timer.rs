//! Functions that a schedule starts: one fresh guest, one occurrence.

use super::{Call, Invocation, finish, run};
use crate::bindings::exports::timer;
use crate::sandbox::Sandbox;
use orchestration::{Failure, Timestamp};
use ports::{GuestFault, Ran, TimerInvocation};

pub(crate) async fn run_timer(
    sandbox: &Sandbox<Invocation>,
    state: Invocation,
    call: &Call<'_>,
    started_by: TimerInvocation,
) -> Result<Result<Ran, Failure>, GuestFault> {
    let occurrence = timer::Occurrence {
        scheduled: started_by.scheduled.ticks(),
        is_past_due: started_by.is_past_due,
        adjusts_for_dst: started_by.adjusts_for_dst,
        last: started_by.last.map(Timestamp::ticks),
        next: started_by.next.map(Timestamp::ticks),
        last_updated: started_by.last_updated.map(Timestamp::ticks),
    };
    let invocation = timer::Invocation {
        id: call.invocation_id.to_owned(),
        retry_count: started_by.retry.retry_count,
        max_retry_count: started_by.retry.max_retry_count,
    };
    let work = run(sandbox, state, call, async |guest| {
        let Some(indices) = &guest.exports.timer else {
            return Err(wasmtime::Error::msg("the component exports no timer functions"));
        };
        let function = indices.load(&mut guest.store, &guest.instance)?;
        function.call_invoke(&mut guest.store, call.entry_point, occurrence, &invocation).await
    });
    finish(call, call.within(work).await?)
}
