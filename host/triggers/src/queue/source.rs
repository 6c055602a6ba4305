//! Where a listener's messages come from: told by the store that keeps them, or by looking into the queue of a service.

use crate::accounts::AccountId;
use crate::queue::{HELD_FOR, QueueParts};
use crate::retry::backoff;
use futures::future::{BoxFuture, Either, Shared, select};
use ports::{QueueError, QueueMessage, QueueStore, Receiver};
use std::sync::Arc;
use std::time::Duration;
use storage_model::QueueName;
use tokio::sync::watch;

/// Shortest time between two looks into an empty queue. Azure's number.
const MIN_POLLING_INTERVAL: Duration = Duration::from_millis(100);

/// Longest time between two tries of a store that tells of arrivals and then fails: such a store is in this process, and what
/// ails it (a full disk) passes when somebody has seen to it.
const MAX_ERROR_DELAY: Duration = Duration::from_secs(5);

/// The end of listening.
pub(super) type Stopping = Shared<BoxFuture<'static, ()>>;

/// One queue, as one listener sees it.
pub(super) struct Source {
    queue: QueueName,
    queues: Arc<dyn QueueStore>,
    parts: QueueParts,
    way: Way,
    /// Looks in a row that found nothing, or failed.
    barren: u32,
    /// Whether the last look failed.
    failing: bool,
}

enum Way {
    /// The store tells.
    Pushed,
    /// The service has to be asked.
    Polled {
        max_interval: Duration,
        /// What this process itself puts into the queue.
        own_writes: watch::Receiver<()>,
        /// Whether the queue was there when it was last looked for; asked again after every error.
        exists: bool,
    },
}

impl Source {
    pub(super) fn new(queue: QueueName, account: AccountId, max_interval: Duration, parts: QueueParts) -> Source {
        let accounts = &parts.bindings.accounts;
        let way = if accounts.account(account).pushes {
            Way::Pushed
        } else {
            Way::Polled { max_interval, own_writes: accounts.watch(account, &queue), exists: false }
        };
        Source { queues: Arc::clone(&accounts.account(account).queues), queue, way, barren: 0, failing: false, parts }
    }

    /// Waits until it is time to look, and looks: up to `count` messages, maybe none. None: listening has ended, and nothing
    /// was received.
    pub(super) async fn fetch(&mut self, count: usize, stopping: Stopping) -> Option<Vec<QueueMessage>> {
        {
            let wait = Box::pin(self.wait());
            if let Either::Left(_) = select(stopping, wait).await {
                return None;
            }
        }
        // From here on it is not given up: what was received and not taken would be hidden from everybody.
        match self.look(count).await {
            Ok(messages) => {
                self.barren = if messages.is_empty() { self.barren.saturating_add(1) } else { 0 };
                self.failing = false;
                Some(messages)
            }
            Err(why) => {
                self.barren = self.barren.saturating_add(1);
                // Once for a row of failures: they repeat.
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(queue = %self.queue, %why, "the queue could not be read; trying again until it can");
                }
                Some(Vec::new())
            }
        }
    }

    async fn wait(&mut self) {
        let clock = Arc::clone(&self.parts.clock);
        let delay = |max| match self.barren {
            0 => None,
            barren => Some(backoff(MIN_POLLING_INTERVAL, max, barren - 1, &*self.parts.randomness)),
        };
        match &mut self.way {
            Way::Pushed => {
                if self.failing
                    && let Some(delay) = delay(MAX_ERROR_DELAY)
                {
                    clock.sleep_until(clock.now().saturating_add(delay)).await;
                }
                self.queues.arrival(&self.queue).await;
            }
            Way::Polled { max_interval, own_writes, .. } => {
                if let Some(delay) = delay(*max_interval) {
                    let due = clock.sleep_until(clock.now().saturating_add(delay));
                    // The sender is among the accounts, which outlive the listener.
                    select(due, Box::pin(own_writes.changed())).await;
                }
                own_writes.mark_unchanged();
            }
        }
    }

    async fn look(&mut self, count: usize) -> Result<Vec<QueueMessage>, QueueError> {
        if let Way::Polled { exists, .. } = &mut self.way
            && !*exists
        {
            match self.queues.queue(&self.queue).await {
                Ok(_) => *exists = true,
                Err(QueueError::QueueNotFound(_)) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        let received = self.queues.receive(&self.queue, count, HELD_FOR, Receiver::Host).await;
        if let (Way::Polled { exists, .. }, Err(_)) = (&mut self.way, &received) {
            *exists = false;
        }
        match received {
            Err(QueueError::QueueNotFound(_)) => Ok(Vec::new()),
            other => other,
        }
    }
}
