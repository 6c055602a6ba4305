//! Users' data, and the functions that messages and schedules start, as a process under faults sees them.

use super::{Call, Faults, Hit, Kind, Side};
use crate::users::UserStores;
use async_trait::async_trait;
use orchestration::Failure;
use ports::{
    Document, DocumentError, DocumentStore, DocumentWrite, EffectError, EffectStore, Effects, EntitiesPage,
    EntitiesQuery, EntityWrite, GuestFault, Metadata, NewMessage, QueueCreated, QueueError, QueueFunctions,
    QueueInvocation, QueueMessage, QueuePage, QueueStore, QueueView, Ran, Receipt, Receiver, StoreError, TableError,
    TableStore, TableView, TimerFunctions, TimerInvocation,
};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use storage_model::{Entity, EntityKey, QueueName, TableName, Ticks};

/// Stores with faults before and after every call.
pub(crate) struct FaultyUsers {
    pub(crate) inner: UserStores,
    pub(crate) faults: Arc<Faults>,
}

impl FaultyUsers {
    async fn call<T: Send, E: From<StoreError> + Display + Send>(
        &self,
        call: Call,
        subject: &str,
        effect: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let unavailable = |detail: &str| StoreError::Unavailable { detail: format!("simulated: {detail}") };
        if let Some(Hit { kind: Kind::Refuse, .. }) = self.faults.reach(call, Side::Before, subject, "").await {
            return Err(unavailable("the request was refused").into());
        }
        let answer = effect.await;
        let effect = answer.as_ref().err().map_or_else(|| "ok".to_owned(), ToString::to_string);
        match self.faults.reach(call, Side::After, subject, &effect).await {
            Some(Hit { kind: Kind::Lose, .. }) => Err(unavailable("the answer was lost").into()),
            Some(_) | None => answer,
        }
    }
}

#[async_trait]
impl QueueStore for FaultyUsers {
    async fn create_queue(&self, name: &QueueName, metadata: Metadata) -> Result<QueueCreated, QueueError> {
        self.call(Call::ChangeQueue, name.as_str(), self.inner.queues.create_queue(name, metadata)).await
    }

    async fn delete_queue(&self, name: &QueueName) -> Result<(), QueueError> {
        self.call(Call::ChangeQueue, name.as_str(), self.inner.queues.delete_queue(name)).await
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
        let subject = format!("{queue} {}", message.text);
        self.call(Call::PutMessage, &subject, self.inner.queues.put_message(queue, message)).await
    }

    async fn receive(
        &self,
        queue: &QueueName,
        count: usize,
        visibility: Duration,
        receiver: Receiver,
    ) -> Result<Vec<QueueMessage>, QueueError> {
        let effect = self.inner.queues.receive(queue, count, visibility, receiver);
        self.call(Call::Receive, &format!("{queue} {count}"), effect).await
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
        let effect = self.inner.queues.update_message(receipt, visibility, text);
        self.call(Call::RenewMessage, &subject(receipt), effect).await
    }

    async fn give_back(&self, receipt: &Receipt, delay: Duration) -> Result<QueueMessage, QueueError> {
        self.call(Call::GiveBack, &subject(receipt), self.inner.queues.give_back(receipt, delay)).await
    }

    async fn delete_message(&self, receipt: &Receipt) -> Result<(), QueueError> {
        self.call(Call::ChangeQueue, &subject(receipt), self.inner.queues.delete_message(receipt)).await
    }

    async fn clear(&self, queue: &QueueName) -> Result<(), QueueError> {
        self.call(Call::ChangeQueue, queue.as_str(), self.inner.queues.clear(queue)).await
    }

    /// May say that something has come when nothing has: the port does not rule it out.
    async fn arrival(&self, queue: &QueueName) {
        match self.faults.reach(Call::Arrival, Side::Before, queue.as_str(), "").await {
            Some(Hit { kind: Kind::Duplicate, .. }) => {}
            Some(_) | None => self.inner.queues.arrival(queue).await,
        }
    }
}

fn subject(receipt: &Receipt) -> String {
    format!("{} {}", receipt.queue, receipt.id)
}

#[async_trait]
impl EffectStore for FaultyUsers {
    async fn commit_effects(&self, effects: Effects) -> Result<(), EffectError> {
        let consumed = effects.consumed.iter().map(subject);
        let documents = effects.documents.iter().map(|write| write.name.clone());
        let subject = consumed.chain(documents).collect::<Vec<_>>().join(" ");
        self.call(Call::CommitEffects, &subject, self.inner.effects.commit_effects(effects)).await
    }
}

#[async_trait]
impl DocumentStore for FaultyUsers {
    async fn document(&self, name: &str) -> Result<Option<Document>, StoreError> {
        self.call(Call::ReadUser, name, self.inner.documents.document(name)).await
    }

    async fn documents(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<Vec<Document>, StoreError> {
        self.call(Call::ReadUser, prefix, self.inner.documents.documents(prefix, from, limit)).await
    }

    async fn write_documents(&self, writes: Vec<DocumentWrite>) -> Result<Vec<Option<u64>>, DocumentError> {
        let subject = writes.iter().map(|write| write.name.as_str()).collect::<Vec<_>>().join(" ");
        self.call(Call::WriteDocuments, &subject, self.inner.documents.write_documents(writes)).await
    }
}

/// Functions write tables with their effects alone: only reads have faults of their own.
#[async_trait]
impl TableStore for FaultyUsers {
    async fn create_table(&self, name: &TableName) -> Result<(), TableError> {
        self.inner.tables.create_table(name).await
    }

    async fn delete_table(&self, name: &TableName) -> Result<(), TableError> {
        self.inner.tables.delete_table(name).await
    }

    async fn table(&self, name: &TableName) -> Result<TableView, TableError> {
        self.inner.tables.table(name).await
    }

    async fn set_table(&self, name: &TableName, access_policies: String) -> Result<(), TableError> {
        self.inner.tables.set_table(name, access_policies).await
    }

    async fn list_tables(
        &self,
        from: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<TableView>, Option<String>), TableError> {
        self.inner.tables.list_tables(from, limit).await
    }

    async fn entity(&self, table: &TableName, key: &EntityKey) -> Result<Option<Entity>, TableError> {
        self.call(Call::ReadUser, &format!("{table} {}", key.partition), self.inner.tables.entity(table, key)).await
    }

    async fn entities(&self, query: &EntitiesQuery) -> Result<EntitiesPage, TableError> {
        self.call(Call::ReadUser, &query.table.to_string(), self.inner.tables.entities(query)).await
    }

    async fn write_entities(
        &self,
        table: &TableName,
        writes: Vec<EntityWrite>,
    ) -> Result<Vec<Option<Ticks>>, TableError> {
        self.inner.tables.write_entities(table, writes).await
    }
}

/// Functions that find no room, or trap when they are done.
pub(crate) struct FaultyTriggered<F> {
    pub(crate) inner: F,
    pub(crate) faults: Arc<Faults>,
}

impl<F> FaultyTriggered<F> {
    async fn run(
        &self,
        call: Call,
        function: &str,
        subject: &str,
        run: impl Future<Output = Result<Result<Ran, Failure>, GuestFault>>,
    ) -> Result<Result<Ran, Failure>, GuestFault> {
        let (function, message) = (function.to_owned(), "simulated".to_owned());
        if let Some(Hit { kind: Kind::Refuse, .. }) = self.faults.reach(call, Side::Before, subject, "").await {
            return Err(GuestFault::Unavailable { function, message });
        }
        let answer = run.await;
        let effect = if matches!(answer, Ok(Ok(_))) { "ok" } else { "failed" };
        match self.faults.reach(call, Side::After, subject, effect).await {
            Some(Hit { kind: Kind::Trap, .. }) => Err(GuestFault::Trapped { function, message }),
            Some(_) | None => answer,
        }
    }
}

#[async_trait]
impl<F: QueueFunctions> QueueFunctions for FaultyTriggered<F> {
    async fn run_queue(&self, invocation: QueueInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let function = invocation.function.clone();
        let subject = format!("{function} {} {}", invocation.message.dequeue_count, invocation.message.text);
        self.run(Call::RunQueue, &function, &subject, self.inner.run_queue(invocation)).await
    }
}

#[async_trait]
impl<F: TimerFunctions> TimerFunctions for FaultyTriggered<F> {
    async fn run_timer(&self, invocation: TimerInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let function = invocation.function.clone();
        let subject = format!("{function} {} try {}", invocation.scheduled, invocation.retry.retry_count);
        self.run(Call::RunTimer, &function, &subject, self.inner.run_timer(invocation)).await
    }
}
