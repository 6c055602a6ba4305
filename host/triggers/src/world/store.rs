//! One account in memory: queues, tables and commits, as strict as the real ones and no more forgiving.

use super::JumpingClock;
use async_trait::async_trait;
use futures::future::{Either, select};
use orchestration::{NewInstance, Timestamp};
use ports::{
    Clock, EffectError, EffectStore, Effects, EntitiesPage, EntitiesQuery, EntityWrite, Metadata, NewMessage,
    QueueCreated, QueueError, QueueMessage, QueuePage, QueueStore, QueueView, Receipt, Receiver, Rest, StoreError,
    TableError, TableStore, TableView,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage_model::{Entity, EntityKey, QueueName, TableName, Ticks};
use tokio::sync::watch;

/// How a call goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Not at all.
    None,
    /// It did nothing.
    Before,
    /// It did everything, and its answer was lost.
    After,
}

/// An account. Calls that change or receive anything, and `queue`, take a fault from the list, if there is one.
pub(crate) struct MemoryAccount {
    clock: JumpingClock,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    queues: BTreeMap<QueueName, Vec<QueueMessage>>,
    tables: BTreeMap<TableName, BTreeMap<EntityKey, Entity>>,
    started: Vec<NewInstance>,
    faults: VecDeque<Fault>,
    /// How long a call takes before it does anything, and as long again before it answers.
    latency: Duration,
    /// Names of calls, in order.
    calls: Vec<String>,
    counter: u64,
}

impl MemoryAccount {
    pub(super) fn new(clock: JumpingClock) -> Arc<MemoryAccount> {
        Arc::new(MemoryAccount { clock, state: Mutex::default(), changed: watch::channel(()).0 })
    }

    fn with<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.state.lock().expect("nobody panicked"))
    }

    /// Makes the next calls fail so.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.with(|state| state.faults.extend(faults));
    }

    /// Makes all calls succeed from now on.
    pub(crate) fn no_more_faults(&self) {
        self.with(|state| state.faults.clear());
    }

    /// What a process does that dies over a message: the message is visible again at once, and has been received.
    pub(crate) fn receive_and_forget(&self, queue: &str) -> bool {
        let queue: QueueName = queue.parse().expect("the test's queue has a good name");
        self.with(|state| match state.queues.get_mut(&queue).and_then(|messages| messages.first_mut()) {
            Some(message) => {
                message.dequeue_count += 1;
                true
            }
            None => false,
        })
    }

    /// Puts a message, whatever faults there are.
    pub(crate) fn put(&self, queue: &str, text: &str) {
        let queue = queue.parse().expect("the test's queue has a good name");
        self.with(|state| {
            let message = state.message(NewMessage::new(text), self.clock.now());
            state.queues.entry(queue).or_default().push(message);
        });
        self.changed.send_replace(());
    }

    /// Puts an entity, whatever faults there are.
    pub(crate) fn insert(&self, table: &str, json: &str) {
        let entity = storage_model::EntityBody::from_json(json).and_then(storage_model::EntityBody::into_entity);
        let entity = entity.expect("the test's entity is one");
        let table = table.parse().expect("the test's table has a good name");
        self.with(|state| state.tables.entry(table).or_default().insert(entity.key.clone(), entity));
    }

    /// The calls since this was last asked, with the time of each.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.with(|state| std::mem::take(&mut state.calls))
    }

    /// Every message, entity and start.
    pub(crate) fn print(&self) -> String {
        let now = self.clock.now();
        self.with(|state| {
            let mut lines = Vec::new();
            for (queue, messages) in &state.queues {
                for message in messages {
                    let hidden = message.visible.saturating_since(now).as_secs();
                    let hidden = if hidden > 0 { format!(", hidden for {hidden} s") } else { String::new() };
                    let QueueMessage { text, dequeue_count, .. } = message;
                    lines.push(format!("{queue}: {text:?}, received {dequeue_count} times{hidden}\n"));
                }
            }
            for (table, entities) in &state.tables {
                lines.extend(entities.values().map(|entity| format!("{table}: {}\n", entity.to_plain_json())));
            }
            for NewInstance { id, started, .. } in &state.started {
                let options = &started.options;
                lines.push(format!("started {} as '{id}' with {} {options:?}\n", started.name, started.input));
            }
            lines.concat()
        })
    }

    /// The texts in a queue.
    pub(crate) fn texts(&self, queue: &str) -> Vec<String> {
        let queue: QueueName = queue.parse().expect("the test's queue has a good name");
        self.with(|state| state.queues.get(&queue).into_iter().flatten().map(|message| message.text.clone()).collect())
    }

    /// Makes calls slow.
    pub(crate) fn slow_down(&self, latency: Duration) {
        self.with(|state| state.latency = latency);
    }

    /// One call: does it, or not, and says so, or not; all in its time.
    async fn call<T, E: From<StoreError>>(
        &self,
        name: &str,
        action: impl FnOnce(&mut State, Timestamp) -> Result<T, E> + Send,
    ) -> Result<T, E> {
        let latency = self.with(|state| state.latency);
        self.clock.sleep_until(self.clock.now().saturating_add(latency)).await;
        let answer = self.do_or_fail(name, action);
        self.changed.send_replace(());
        self.clock.sleep_until(self.clock.now().saturating_add(latency)).await;
        answer
    }

    fn do_or_fail<T, E: From<StoreError>>(
        &self,
        name: &str,
        action: impl FnOnce(&mut State, Timestamp) -> Result<T, E>,
    ) -> Result<T, E> {
        let now = self.clock.now();
        self.with(|state| {
            state.calls.push(format!("{} {name}", self.clock.elapsed()));
            let unavailable = || E::from(StoreError::Unavailable { detail: "the disk is full".to_owned() });
            match state.faults.pop_front().unwrap_or(Fault::None) {
                Fault::None => action(state, now),
                Fault::Before => Err(unavailable()),
                Fault::After => action(state, now).and_then(|_| Err(unavailable())),
            }
        })
    }
}

impl State {
    fn message(&mut self, new: NewMessage, now: Timestamp) -> QueueMessage {
        self.counter += 1;
        QueueMessage {
            id: format!("m{}", self.counter),
            text: new.text,
            inserted: now,
            expires: new.time_to_live.map_or(Timestamp::MAX, |time| now.saturating_add(time)),
            visible: now.saturating_add(new.delay),
            dequeue_count: 0,
            pop_receipt: format!("r{}", self.counter),
        }
    }

    /// The messages of a queue, and where the one of that receipt is.
    fn held(&mut self, receipt: &Receipt) -> Result<(&mut Vec<QueueMessage>, usize), QueueError> {
        let queue =
            self.queues.get_mut(&receipt.queue).ok_or_else(|| QueueError::QueueNotFound(receipt.queue.clone()))?;
        let index = queue.iter().position(|message| message.id == receipt.id).ok_or(QueueError::MessageNotFound)?;
        if queue[index].pop_receipt == receipt.pop_receipt {
            Ok((queue, index))
        } else {
            Err(QueueError::PopReceiptMismatch)
        }
    }

    fn write(&mut self, table: &TableName, write: EntityWrite) -> Result<(), TableError> {
        let entities = self.tables.entry(table.clone()).or_default();
        match write {
            EntityWrite::Insert(entity) if entities.contains_key(&entity.key) => {
                return Err(TableError::EntityExists { index: 0 });
            }
            EntityWrite::Upsert(entity, Rest::Merged) if entities.contains_key(&entity.key) => {
                let old = entities.get_mut(&entity.key).expect("it was just seen");
                for (name, value) in entity.properties {
                    old.properties.retain(|(known, _)| *known != name);
                    old.properties.push((name, value));
                }
            }
            EntityWrite::Insert(entity) | EntityWrite::Upsert(entity, _) => {
                entities.insert(entity.key.clone(), entity);
            }
            EntityWrite::Update(..) | EntityWrite::Delete(..) => unreachable!("bindings neither update nor delete"),
        }
        Ok(())
    }
}

#[async_trait]
impl EffectStore for MemoryAccount {
    async fn commit_effects(&self, effects: Effects) -> Result<(), EffectError> {
        self.call("commit", |state, now| {
            for receipt in &effects.consumed {
                state.held(receipt).map_err(|why| EffectError::MessageLost {
                    queue: receipt.queue.clone(),
                    id: receipt.id.clone(),
                    why: why.to_string(),
                })?;
            }
            let before = state.tables.clone();
            for (table, write) in effects.entities {
                if let Err(why) = state.write(&table, write) {
                    state.tables = before;
                    return Err(EffectError::EntityRefused { table, why: why.to_string() });
                }
            }
            for receipt in &effects.consumed {
                let (queue, index) = state.held(receipt).expect("it was just seen");
                queue.remove(index);
            }
            for (queue, message) in effects.messages {
                let message = state.message(message, now);
                state.queues.entry(queue).or_default().push(message);
            }
            state.started.extend(effects.starts);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl QueueStore for MemoryAccount {
    async fn create_queue(&self, _name: &QueueName, _metadata: Metadata) -> Result<QueueCreated, QueueError> {
        unreachable!("triggers create no queues")
    }

    async fn delete_queue(&self, _name: &QueueName) -> Result<(), QueueError> {
        unreachable!("triggers delete no queues")
    }

    async fn queue(&self, name: &QueueName) -> Result<QueueView, QueueError> {
        self.call("queue", |state, _| {
            let messages = state.queues.get(name).ok_or_else(|| QueueError::QueueNotFound(name.clone()))?;
            let view = QueueView {
                name: name.clone(),
                metadata: Metadata::new(),
                access_policies: String::new(),
                messages: messages.len() as u64,
            };
            Ok(view)
        })
        .await
    }

    async fn set_queue(&self, _: &QueueName, _: Option<Metadata>, _: Option<String>) -> Result<(), QueueError> {
        unreachable!("triggers set nothing of queues")
    }

    async fn list_queues(&self, _: &str, _: Option<&str>, _: usize) -> Result<QueuePage, QueueError> {
        unreachable!("triggers list no queues")
    }

    async fn put_message(&self, _queue: &QueueName, _message: NewMessage) -> Result<QueueMessage, QueueError> {
        unreachable!("triggers put messages as effects")
    }

    async fn receive(
        &self,
        queue: &QueueName,
        count: usize,
        visibility: Duration,
        _receiver: Receiver,
    ) -> Result<Vec<QueueMessage>, QueueError> {
        self.call(&format!("receive {count}"), |state, now| {
            state.counter += 1;
            let pop_receipt = format!("r{}", state.counter);
            let messages = state.queues.get_mut(queue).ok_or_else(|| QueueError::QueueNotFound(queue.clone()))?;
            messages.retain(|message| message.expires > now);
            let visible = messages.iter_mut().filter(|message| message.visible <= now).take(count);
            let receive = |message: &mut QueueMessage| {
                message.dequeue_count += 1;
                message.visible = now.saturating_add(visibility);
                message.pop_receipt = pop_receipt.clone();
                message.clone()
            };
            Ok(visible.map(receive).collect())
        })
        .await
    }

    async fn peek(&self, _queue: &QueueName, _count: usize) -> Result<Vec<QueueMessage>, QueueError> {
        unreachable!("triggers do not peek")
    }

    async fn update_message(
        &self,
        receipt: &Receipt,
        visibility: Duration,
        text: Option<String>,
    ) -> Result<QueueMessage, QueueError> {
        assert_eq!(text, None, "triggers change no messages");
        self.call(&format!("update {} for {visibility:?}", receipt.id), |state, now| {
            state.counter += 1;
            let pop_receipt = format!("r{}", state.counter);
            let (queue, index) = state.held(receipt)?;
            queue[index].visible = now.saturating_add(visibility);
            queue[index].pop_receipt = pop_receipt;
            Ok(queue[index].clone())
        })
        .await
    }

    async fn delete_message(&self, _receipt: &Receipt) -> Result<(), QueueError> {
        unreachable!("triggers delete messages as effects")
    }

    async fn clear(&self, _queue: &QueueName) -> Result<(), QueueError> {
        unreachable!("triggers clear no queues")
    }

    async fn arrival(&self, queue: &QueueName) {
        let mut changed = self.changed.subscribe();
        loop {
            let earliest = self.with(|state| state.queues.get(queue)?.iter().map(|message| message.visible).min());
            let earliest = earliest.unwrap_or(Timestamp::MAX);
            if earliest <= self.clock.now() {
                return;
            }
            match select(Box::pin(changed.changed()), self.clock.sleep_until(earliest)).await {
                Either::Left((change, _)) => change.expect("the sender is here"),
                Either::Right(((), _)) => {}
            }
        }
    }
}

#[async_trait]
impl TableStore for MemoryAccount {
    async fn create_table(&self, _name: &TableName) -> Result<(), TableError> {
        unreachable!("triggers create no tables")
    }

    async fn delete_table(&self, _name: &TableName) -> Result<(), TableError> {
        unreachable!("triggers delete no tables")
    }

    async fn table(&self, _name: &TableName) -> Result<TableView, TableError> {
        unreachable!("triggers look at no tables")
    }

    async fn set_table(&self, _name: &TableName, _access_policies: String) -> Result<(), TableError> {
        unreachable!("triggers set nothing of tables")
    }

    async fn list_tables(&self, _: Option<&str>, _: usize) -> Result<(Vec<TableView>, Option<String>), TableError> {
        unreachable!("triggers list no tables")
    }

    async fn entity(&self, table: &TableName, key: &EntityKey) -> Result<Option<Entity>, TableError> {
        self.call("entity", |state, _| {
            let entities = state.tables.get(table).ok_or_else(|| TableError::TableNotFound(table.clone()))?;
            Ok(entities.get(key).cloned())
        })
        .await
    }

    /// In pages of two.
    async fn entities(&self, query: &EntitiesQuery) -> Result<EntitiesPage, TableError> {
        self.call("entities", |state, _| {
            let entities =
                state.tables.get(&query.table).ok_or_else(|| TableError::TableNotFound(query.table.clone()))?;
            let begins = |key: &EntityKey| query.from.as_ref().is_none_or(|from| key >= from);
            let matches = |entity: &Entity| query.filter.as_ref().is_none_or(|filter| filter.matches(entity));
            let mut found: Vec<Entity> =
                entities.values().filter(|entity| begins(&entity.key) && matches(entity)).cloned().collect();
            let size = query.limit.min(2);
            let next = found.get(size).map(|entity| entity.key.clone());
            found.truncate(size);
            Ok(EntitiesPage { entities: found, next })
        })
        .await
    }

    async fn write_entities(&self, _: &TableName, _: Vec<EntityWrite>) -> Result<Vec<Option<Ticks>>, TableError> {
        unreachable!("triggers write entities as effects")
    }
}
