//! Short ways to what users keep.

use super::world::World;
use crate::rows::{KeyRange, Rows, Table, read};
use ports::{Metadata, NewMessage, QueueMessage, QueueStore, Receipt, Receiver};
use std::ops::ControlFlow;
use std::time::Duration;
use storage_model::{EdmValue, Entity, EntityKey, QueueName, TableName};

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) fn queue(name: &str) -> QueueName {
    name.parse().unwrap()
}

pub(crate) fn table(name: &str) -> TableName {
    name.parse().unwrap()
}

pub(crate) fn metadata(pairs: &[(&str, &str)]) -> Metadata {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn key(partition: &str, row: &str) -> EntityKey {
    EntityKey { partition: partition.to_owned(), row: row.to_owned() }
}

/// An entity with numbers.
pub(crate) fn entity(partition: &str, row: &str, numbers: &[(&str, i32)]) -> Entity {
    let properties = numbers.iter().map(|(name, number)| ((*name).to_owned(), EdmValue::Int32(*number))).collect();
    Entity { key: key(partition, row), timestamp: 0, properties }
}

pub(crate) async fn put(world: &World, queue: &QueueName, text: &str) -> QueueMessage {
    world.put_message(queue, NewMessage::new(text)).await.unwrap()
}

pub(crate) async fn receive(world: &World, queue: &QueueName, count: usize, visibility: Duration) -> Vec<QueueMessage> {
    world.receive(queue, count, visibility, Receiver::Client).await.unwrap()
}

pub(crate) fn receipt(queue: &QueueName, message: &QueueMessage) -> Receipt {
    Receipt { queue: queue.clone(), id: message.id.clone(), pop_receipt: message.pop_receipt.clone() }
}

/// The bodies, in order.
pub(crate) fn text_of(messages: &[QueueMessage]) -> String {
    messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn count(rows: &dyn Rows, table: Table) -> usize {
    let mut found = 0;
    read(rows, |view| {
        view.scan(table, &KeyRange::all(), &mut |_, _| {
            found += 1;
            ControlFlow::Continue(())
        })
    })
    .unwrap();
    found
}

/// How many rows there are of queues, messages, bodies, and of what is being removed, after the store was opened again.
pub(crate) fn rows_of_queues(world: &mut World) -> [usize; 4] {
    world.reopen();
    let mut found = [0; 4];
    world.reopen_after(|rows| {
        found =
            [Table::Queues, Table::QueueMessages, Table::QueueBodies, Table::Dropped].map(|table| count(rows, table));
    });
    found
}
