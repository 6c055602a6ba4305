//! Users' queues and effects, and the functions that they start, with somebody watching.

use super::Watch;
use super::errands::Ended;
use crate::author::triggered::Errand;
use crate::clock::VirtualClock;
use crate::users::UserStores;
use async_trait::async_trait;
use orchestration::Failure;
use ports::{
    Clock, EffectError, EffectStore, Effects, GuestFault, Metadata, NewMessage, QueueCreated, QueueError,
    QueueFunctions, QueueInvocation, QueueMessage, QueuePage, QueueStore, QueueView, Ran, Receipt, Receiver,
    TaskHubStore, TimerFunctions, TimerInvocation,
};
use std::sync::Arc;
use std::time::Duration;
use storage_model::QueueName;

/// Shows every effect on `inner` to `watch`.
pub(crate) struct UsersTap {
    pub(crate) inner: UserStores,
    /// Where it is seen which orchestrations a commit has started.
    pub(crate) hub: Arc<dyn TaskHubStore>,
    pub(crate) watch: Watch,
    pub(crate) clock: VirtualClock,
}

impl UsersTap {
    /// The stores, watched.
    pub(crate) fn around(self) -> UserStores {
        let UserStores { tables, documents, .. } = self.inner.clone();
        let tap = Arc::new(self);
        UserStores { queues: tap.clone(), effects: tap, tables, documents }
    }
}

#[async_trait]
impl QueueStore for UsersTap {
    async fn create_queue(&self, name: &QueueName, metadata: Metadata) -> Result<QueueCreated, QueueError> {
        self.inner.queues.create_queue(name, metadata).await
    }

    async fn delete_queue(&self, name: &QueueName) -> Result<(), QueueError> {
        self.inner.queues.delete_queue(name).await?;
        self.watch.emptied(name);
        Ok(())
    }

    async fn queue(&self, name: &QueueName) -> Result<QueueView, QueueError> {
        self.inner.queues.queue(name).await
    }

    async fn set_queue(
        &self,
        name: &QueueName,
        metadata: Option<Metadata>,
        access_policies: Option<String>,
    ) -> Result<(), QueueError> {
        self.inner.queues.set_queue(name, metadata, access_policies).await
    }

    async fn list_queues(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<QueuePage, QueueError> {
        self.inner.queues.list_queues(prefix, from, limit).await
    }

    async fn put_message(&self, queue: &QueueName, message: NewMessage) -> Result<QueueMessage, QueueError> {
        let put = self.inner.queues.put_message(queue, message.clone()).await?;
        self.watch.put_message(queue, &message, self.clock.now());
        Ok(put)
    }

    async fn receive(
        &self,
        queue: &QueueName,
        count: usize,
        visibility: Duration,
        receiver: Receiver,
    ) -> Result<Vec<QueueMessage>, QueueError> {
        let messages = self.inner.queues.receive(queue, count, visibility, receiver).await?;
        self.watch.received(queue, count, receiver, &messages, self.clock.now());
        Ok(messages)
    }

    async fn peek(&self, queue: &QueueName, count: usize) -> Result<Vec<QueueMessage>, QueueError> {
        self.inner.queues.peek(queue, count).await
    }

    async fn update_message(
        &self,
        receipt: &Receipt,
        visibility: Duration,
        text: Option<String>,
    ) -> Result<QueueMessage, QueueError> {
        let message = self.inner.queues.update_message(receipt, visibility, text).await?;
        self.watch.held_on(receipt, &message, false, self.clock.now());
        Ok(message)
    }

    async fn give_back(&self, receipt: &Receipt, delay: Duration) -> Result<QueueMessage, QueueError> {
        let message = self.inner.queues.give_back(receipt, delay).await?;
        self.watch.held_on(receipt, &message, true, self.clock.now());
        Ok(message)
    }

    async fn delete_message(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.inner.queues.delete_message(receipt).await?;
        self.watch.took_out(receipt, self.clock.now());
        Ok(())
    }

    async fn clear(&self, queue: &QueueName) -> Result<(), QueueError> {
        self.inner.queues.clear(queue).await?;
        self.watch.emptied(queue);
        Ok(())
    }

    async fn arrival(&self, queue: &QueueName) {
        self.inner.queues.arrival(queue).await;
    }
}

#[async_trait]
impl EffectStore for UsersTap {
    async fn commit_effects(&self, effects: Effects) -> Result<(), EffectError> {
        let mut before = Vec::new();
        for start in &effects.starts {
            before.push(self.hub.read(&start.id, false).await?.map(|view| view.row));
        }
        self.inner.effects.commit_effects(effects.clone()).await?;
        let now = self.clock.now();
        for (start, before) in effects.starts.iter().zip(before) {
            let row = self.hub.read(&start.id, false).await?.map(|view| view.row);
            if row.is_some_and(|row| row.execution == start.started.execution) {
                self.watch.created(start, before.as_ref(), now);
            }
        }
        self.watch.committed_effects(&effects, now);
        Ok(())
    }
}

/// Functions as their listeners see them.
pub(crate) struct WatchedTriggered<F> {
    pub(crate) inner: F,
    pub(crate) watch: Watch,
    /// Which generation of the host listens: each keeps to its own limits.
    pub(crate) generation: u32,
}

#[async_trait]
impl<F: QueueFunctions> QueueFunctions for WatchedTriggered<F> {
    async fn run_queue(&self, invocation: QueueInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let tag = Errand::parse(&invocation.message.text).map(|errand| errand.tag).unwrap_or_default();
        let receipt = invocation.message.dequeue_count;
        let _running = self.watch.run_of_message_begins(&invocation.function, self.generation, &tag, receipt);
        let answer = self.inner.run_queue(invocation).await;
        self.watch.run_of_message_ended(&tag, receipt, ended(&answer));
        answer
    }
}

#[async_trait]
impl<F: TimerFunctions> TimerFunctions for WatchedTriggered<F> {
    async fn run_timer(&self, invocation: TimerInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let (function, moment) = (invocation.function.clone(), invocation.scheduled);
        let count = invocation.retry.retry_count;
        let _running = self.watch.timer_begins(&function, moment, count, invocation.is_past_due);
        let answer = self.inner.run_timer(invocation).await;
        self.watch.timer_ended(&function, moment, ended(&answer));
        answer
    }
}

fn ended(answer: &Result<Result<Ran, Failure>, GuestFault>) -> Ended {
    match answer {
        Ok(Ok(_)) => Ended::Well,
        Ok(Err(failure)) if failure.non_retriable => Ended::ForGood,
        Ok(Err(_)) => Ended::Badly,
        Err(GuestFault::Unavailable { .. }) => Ended::NotRun,
        Err(
            GuestFault::NotFound { .. }
            | GuestFault::Trapped { .. }
            | GuestFault::TimedOut { .. }
            | GuestFault::OutOfMemory { .. }
            | GuestFault::OutputTooLarge { .. },
        ) => Ended::Badly,
    }
}
