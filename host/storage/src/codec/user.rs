//! The stored form of what users keep: queues, messages, tables, entities, documents.

use super::convert::absent;
use super::{Unreadable, user_wire as wire};
use orchestration::Timestamp;
use ports::{Document, Metadata};
use prost::Message as _;
use storage_model::{EdmValue, Entity, EntityKey, Ticks};
use uuid::Uuid;

/// A user's queue. Its name is in the key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct QueueRow {
    /// What the keys of its messages begin with.
    pub(crate) number: u64,
    pub(crate) metadata: Metadata,
    pub(crate) access_policies: String,
}

impl QueueRow {
    pub(crate) fn new(number: u64, metadata: Metadata) -> QueueRow {
        QueueRow { number, metadata, access_policies: String::new() }
    }
}

pub(crate) fn encode_queue(row: &QueueRow) -> Vec<u8> {
    let QueueRow { number, metadata, access_policies } = row.clone();
    wire::Queue { number: Some(number), metadata, access_policies }.encode_to_vec()
}

pub(crate) fn decode_queue(bytes: &[u8]) -> Result<QueueRow, Unreadable> {
    let wire::Queue { number, metadata, access_policies } = wire::Queue::decode(bytes)?;
    Ok(QueueRow { number: number.ok_or_else(|| absent("the queue's number"))?, metadata, access_policies })
}

/// A message without its body. Its queue and its sequence are in the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MessageRow {
    pub(crate) inserted: Timestamp,
    pub(crate) visible: Timestamp,
    /// [`Timestamp::MAX`]: never.
    pub(crate) expires: Timestamp,
    pub(crate) dequeue_count: u32,
    /// The number of its last receipt or update; never given out again.
    pub(crate) receipt: u64,
    /// Whether a part of this process holds it, whose hold ends with the process.
    pub(crate) host: bool,
}

pub(crate) fn encode_queued(row: &MessageRow) -> Vec<u8> {
    wire::QueueMessage {
        inserted: row.inserted.ticks(),
        visible: row.visible.ticks(),
        expires: (row.expires != Timestamp::MAX).then(|| row.expires.ticks()),
        dequeue_count: row.dequeue_count,
        receipt: Some(row.receipt),
        host: row.host,
    }
    .encode_to_vec()
}

pub(crate) fn decode_queued(bytes: &[u8]) -> Result<MessageRow, Unreadable> {
    let row = wire::QueueMessage::decode(bytes)?;
    Ok(MessageRow {
        inserted: Timestamp::from_ticks(row.inserted),
        visible: Timestamp::from_ticks(row.visible),
        expires: row.expires.map_or(Timestamp::MAX, Timestamp::from_ticks),
        dequeue_count: row.dequeue_count,
        receipt: row.receipt.ok_or_else(|| absent("the receipt's number"))?,
        host: row.host,
    })
}

/// The body of a message.
pub(crate) fn encode_body(text: &str) -> Vec<u8> {
    wire::Body { text: Some(text.to_owned()) }.encode_to_vec()
}

pub(crate) fn decode_body(bytes: &[u8]) -> Result<String, Unreadable> {
    wire::Body::decode(bytes)?.text.ok_or_else(|| absent("the text"))
}

/// A user's table. Its name without case is in the key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TableRow {
    /// What the keys of its entities begin with.
    pub(crate) number: u64,
    /// As its creator wrote it.
    pub(crate) name: String,
    pub(crate) access_policies: String,
}

pub(crate) fn encode_table(row: &TableRow) -> Vec<u8> {
    let TableRow { number, name, access_policies } = row.clone();
    wire::Table { number: Some(number), name, access_policies }.encode_to_vec()
}

pub(crate) fn decode_table(bytes: &[u8]) -> Result<TableRow, Unreadable> {
    let wire::Table { number, name, access_policies } = wire::Table::decode(bytes)?;
    Ok(TableRow { number: number.ok_or_else(|| absent("the table's number"))?, name, access_policies })
}

/// An entity of a table. Its keys are in the key.
pub(crate) fn encode_entity(timestamp: Ticks, properties: &[(String, EdmValue)]) -> Vec<u8> {
    let property = |(name, value): &(String, EdmValue)| wire::Property { name: name.clone(), value: Some(edm(value)) };
    let properties = properties.iter().map(property).collect();
    wire::TableEntity { timestamp: Some(timestamp), properties }.encode_to_vec()
}

pub(crate) fn decode_entity(key: EntityKey, bytes: &[u8]) -> Result<Entity, Unreadable> {
    let row = wire::TableEntity::decode(bytes)?;
    let property = |property: wire::Property| {
        let value =
            property.value.ok_or_else(|| Unreadable(format!("the property '{}' has no value", property.name)))?;
        Ok::<_, Unreadable>((property.name, read_edm(value)?))
    };
    Ok(Entity {
        key,
        timestamp: row.timestamp.ok_or_else(|| absent("the timestamp"))?,
        properties: row.properties.into_iter().map(property).collect::<Result<_, _>>()?,
    })
}

fn edm(value: &EdmValue) -> wire::Edm {
    match value {
        EdmValue::String(text) => wire::Edm::String(text.clone()),
        EdmValue::Boolean(value) => wire::Edm::Boolean(*value),
        EdmValue::Int32(number) => wire::Edm::Int32(*number),
        EdmValue::Int64(number) => wire::Edm::Int64(*number),
        EdmValue::Double(number) => wire::Edm::Double(*number),
        EdmValue::DateTime(ticks) => wire::Edm::DateTime(*ticks),
        EdmValue::Guid(guid) => wire::Edm::Guid(guid.as_bytes().to_vec()),
        EdmValue::Binary(bytes) => wire::Edm::Binary(bytes.clone()),
    }
}

fn read_edm(value: wire::Edm) -> Result<EdmValue, Unreadable> {
    Ok(match value {
        wire::Edm::String(text) => EdmValue::String(text),
        wire::Edm::Boolean(value) => EdmValue::Boolean(value),
        wire::Edm::Int32(number) => EdmValue::Int32(number),
        wire::Edm::Int64(number) => EdmValue::Int64(number),
        wire::Edm::Double(number) => EdmValue::Double(number),
        wire::Edm::DateTime(ticks) => EdmValue::DateTime(ticks),
        wire::Edm::Guid(bytes) => EdmValue::Guid(
            Uuid::from_slice(&bytes).map_err(|_| Unreadable(format!("a GUID has {} bytes", bytes.len())))?,
        ),
        wire::Edm::Binary(bytes) => EdmValue::Binary(bytes),
    })
}

/// A document. Its name is in the key.
pub(crate) fn encode_document(version: u64, content: &[u8]) -> Vec<u8> {
    wire::Document { version: Some(version), content: content.to_vec() }.encode_to_vec()
}

pub(crate) fn decode_document(name: &str, bytes: &[u8]) -> Result<Document, Unreadable> {
    let wire::Document { version, content } = wire::Document::decode(bytes)?;
    let version = version.ok_or_else(|| absent("the version"))?;
    Ok(Document { name: name.to_owned(), version, content })
}
