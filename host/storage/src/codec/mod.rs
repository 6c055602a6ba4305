//! The stored form of values: protobuf messages, private to this crate.
//!
//! Owns [`wire`] and [`user_wire`], the mirror structs whose field numbers are the format, and the conversions. A field is never renumbered or
//! reused; a new one is optional. What was written by any version reads for ever; what cannot be read is an [`Unreadable`],
//! never a panic. Keys are not repeated in values.

mod convert;
mod history;
mod inbox;
mod row;
mod user;
mod user_wire;
mod wire;

pub(crate) use row::{decode_row, encode_row};
pub(crate) use user::{
    MessageRow, QueueRow, TableRow, decode_body, decode_document, decode_entity, decode_queue, decode_queued,
    decode_table, encode_body, encode_document, encode_entity, encode_queue, encode_queued, encode_table,
};

use convert::absent;
use orchestration::{
    ActivityTask, EventId, ExecutionId, InstanceId, Json, Message, MessageKind, Origin, Timestamp, TurnRecord,
};
use prost::Message as _;

/// Why stored bytes are no value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) String);

impl From<prost::DecodeError> for Unreadable {
    fn from(error: prost::DecodeError) -> Unreadable {
        Unreadable(error.to_string())
    }
}

/// An execution's argument.
pub(crate) fn encode_input(input: &Json) -> Vec<u8> {
    wire::Input { json: convert::text(input) }.encode_to_vec()
}

pub(crate) fn decode_input(bytes: &[u8]) -> Result<Json, Unreadable> {
    Ok(Json::from(wire::Input::decode(bytes)?.json))
}

/// The events of one turn. Its number is in the key.
pub(crate) fn encode_turn(record: &TurnRecord) -> Vec<u8> {
    wire::Turn { events: record.events.iter().map(history::event).collect() }.encode_to_vec()
}

pub(crate) fn decode_turn(bytes: &[u8]) -> Result<Vec<orchestration::Event>, Unreadable> {
    wire::Turn::decode(bytes)?.events.into_iter().map(history::read_event).collect()
}

/// A message in an inbox, and when it is to be handed out if not at once. Its receiver and its place are in the key.
pub(crate) fn encode_message(
    execution: Option<ExecutionId>,
    kind: &MessageKind,
    deliver_at: Option<Timestamp>,
) -> Vec<u8> {
    wire::InboxMessage {
        execution: execution.map(convert::execution),
        kind: Some(inbox::kind(kind)),
        deliver_at: deliver_at.map(Timestamp::ticks),
    }
    .encode_to_vec()
}

pub(crate) fn decode_message(sequence: u64, bytes: &[u8]) -> Result<(Message, Option<Timestamp>), Unreadable> {
    let message = wire::InboxMessage::decode(bytes)?;
    let execution = inbox::read_optional_execution(message.execution)?;
    let kind = inbox::read_kind(message.kind.ok_or_else(|| absent("the message's kind"))?)?;
    let message_itself = Message { origin: Origin::Inbox(sequence), execution, kind };
    Ok((message_itself, message.deliver_at.map(Timestamp::from_ticks)))
}

/// A pending activity. Who asked for it is in the key.
pub(crate) fn encode_activity(task: &ActivityTask) -> Vec<u8> {
    wire::Activity {
        name: task.name.clone(),
        input: convert::text(&task.input),
        attempt: task.attempt,
        timeouts: convert::timeouts(task.timeouts),
        tags: task.tags.clone(),
        caller: task.caller.clone(),
        version: task.version.clone(),
        pinned_to: task.pinned_to.clone(),
    }
    .encode_to_vec()
}

pub(crate) fn decode_activity(
    (instance, execution, id): (InstanceId, ExecutionId, EventId),
    bytes: &[u8],
) -> Result<ActivityTask, Unreadable> {
    let task = wire::Activity::decode(bytes)?;
    Ok(ActivityTask {
        instance,
        execution,
        id,
        name: task.name,
        input: Json::from(task.input),
        attempt: task.attempt,
        timeouts: convert::read_timeouts(task.timeouts)?,
        tags: task.tags,
        caller: task.caller,
        version: task.version,
        pinned_to: task.pinned_to,
    })
}

/// When a timer is due.
pub(crate) fn encode_timer(fire_at: Timestamp) -> Vec<u8> {
    wire::Timer { fire_at: Some(fire_at.ticks()) }.encode_to_vec()
}

pub(crate) fn decode_timer(bytes: &[u8]) -> Result<Timestamp, Unreadable> {
    let ticks = wire::Timer::decode(bytes)?.fire_at.ok_or_else(|| absent("the moment"))?;
    Ok(Timestamp::from_ticks(ticks))
}

/// A number about the store itself.
pub(crate) fn encode_number(number: u64) -> Vec<u8> {
    wire::Number { value: number }.encode_to_vec()
}

pub(crate) fn decode_number(bytes: &[u8]) -> Result<u64, Unreadable> {
    Ok(wire::Number::decode(bytes)?.value)
}

/// 128 bits about the store itself.
pub(crate) fn encode_seed(seed: u128) -> Vec<u8> {
    user_wire::Seed { high: Some((seed >> 64) as u64), low: Some(seed as u64) }.encode_to_vec()
}

pub(crate) fn decode_seed(bytes: &[u8]) -> Result<u128, Unreadable> {
    let user_wire::Seed { high, low } = user_wire::Seed::decode(bytes)?;
    let (Some(high), Some(low)) = (high, low) else { return Err(absent("a half of the seed")) };
    Ok(u128::from(high) << 64 | u128::from(low))
}
