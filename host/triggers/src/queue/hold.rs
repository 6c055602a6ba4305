//! Keeping hold of a message while it is worked on: its visibility is renewed at half the time, and every renewal has a new
//! receipt.

use super::HELD_FOR;
use futures::future::{Either, select};
use ports::{Clock, QueueError, QueueStore, Receipt};
use std::pin::pin;
use std::time::Duration;

/// A renewal that failed is tried again after half the time, but not sooner than this. Azure's number.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(60);

/// Runs `work` while holding the message. `receipt` is the present one at every moment when nothing of this runs.
///
/// When the message is lost, because somebody else has it or it is gone, the work goes on without it: nothing here can tell
/// how far it has come. Its effects will be refused.
pub(super) async fn hold<T>(
    queues: &dyn QueueStore,
    clock: &dyn Clock,
    receipt: &mut Receipt,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    let mut interval = HELD_FOR / 2;
    loop {
        let due = clock.sleep_until(clock.now().saturating_add(interval));
        match select(work.as_mut(), due).await {
            Either::Left((done, _)) => return done,
            Either::Right(((), _)) => {}
        }
        let (renewed, done) = {
            let renewal = pin!(queues.update_message(receipt, HELD_FOR, None));
            match select(renewal, work.as_mut()).await {
                Either::Left((renewed, _)) => (renewed, None),
                // Not left halfway: its answer is the receipt that the effects need.
                Either::Right((done, renewal)) => (renewal.await, Some(done)),
            }
        };
        let is_lost = match renewed {
            Ok(message) => {
                receipt.pop_receipt = message.pop_receipt;
                interval = HELD_FOR / 2;
                false
            }
            Err(QueueError::Store(why)) => {
                interval = (interval / 2).max(SHORTEST_INTERVAL);
                let again_seconds = interval.as_secs();
                tracing::warn!(queue = %receipt.queue, message_id = receipt.id, %why, again_seconds, "a message could not be renewed");
                false
            }
            Err(
                why @ (QueueError::QueueNotFound(_)
                | QueueError::QueueExists(_)
                | QueueError::MessageNotFound
                | QueueError::PopReceiptMismatch),
            ) => {
                tracing::warn!(queue = %receipt.queue, message_id = receipt.id, %why, "a message was lost while it was worked on");
                true
            }
        };
        match done {
            Some(done) => return done,
            None if is_lost => return work.await,
            None => {}
        }
    }
}
