//! **Timers are taken back** by dropping them: a reminder for tomorrow does not hold an instance back that is done today.

use std::time::Duration;

use dacapo::Context;
use futures::future::{Either, select};

const DAY: Duration = Duration::from_secs(86_400);

/// Two timers race; the loser is dropped, and with that taken back.
#[dacapo::orchestrator]
pub(crate) async fn cancelled_timer(ctx: Context, milliseconds: u64) -> String {
    let (work, reminder) = (ctx.sleep(Duration::from_millis(milliseconds)), ctx.sleep(DAY));
    match select(work, reminder).await {
        Either::Left(((), reminder)) => {
            drop(reminder);
            "done, without a reminder".into()
        }
        Either::Right(((), _work)) => "the reminder came first".into(),
    }
}
