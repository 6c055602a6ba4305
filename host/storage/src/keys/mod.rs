//! The keys of all tables.
//!
//! An id of any bytes is followed by other parts, and still the order of keys is the order of ids, and no id's rows begin
//! like another's: each zero byte of an id becomes `00 ff`, and `00 00` ends it. Numbers are big-endian, so that they sort.

mod user;

pub(crate) use user::{
    Owner, document, dropped, entity, owned, owned_prefix, parse_dropped, parse_entity, parse_owned, partition, queue,
    table,
};

use orchestration::{EventId, ExecutionId, InstanceId, RuntimeStatus};

const ESCAPED_ZERO: [u8; 2] = [0x00, 0xff];
const END: [u8; 2] = [0x00, 0x00];
/// Room for what follows an id: execution, number.
const TAIL: usize = 16 + 8;

/// The row of an instance, and what the keys of all that belongs to it begin with.
pub(crate) fn instance(id: &InstanceId) -> Vec<u8> {
    let mut key = Vec::with_capacity(id.as_str().len() + END.len() + TAIL);
    push_text(&mut key, id.as_str());
    key
}

/// What the keys of all instances begin with whose ids begin with `prefix`.
pub(crate) fn id_prefix(prefix: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(prefix.len());
    push_escaped(&mut key, prefix);
    key
}

/// What belongs to one execution.
pub(crate) fn execution(id: &InstanceId, execution: ExecutionId) -> Vec<u8> {
    let mut key = instance(id);
    key.extend_from_slice(&execution.as_u128().to_be_bytes());
    key
}

/// One turn's record in the history.
pub(crate) fn turn(id: &InstanceId, of: ExecutionId, turn: u32) -> Vec<u8> {
    let mut key = execution(id, of);
    key.extend_from_slice(&turn.to_be_bytes());
    key
}

/// An activity or a timer.
pub(crate) fn event(id: &InstanceId, of: ExecutionId, event: EventId) -> Vec<u8> {
    turn(id, of, event.0)
}

/// A message in an inbox.
pub(crate) fn message(id: &InstanceId, sequence: u64) -> Vec<u8> {
    let mut key = instance(id);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// An instance in the index by status; the prefix of all of that status without one.
pub(crate) fn by_status(status: RuntimeStatus, id: Option<&InstanceId>) -> Vec<u8> {
    let mut key = vec![status as u8];
    if let Some(id) = id {
        push_text(&mut key, id.as_str());
    }
    key
}

/// An instance in the index by orchestrator; the prefix of all of that name without one.
pub(crate) fn by_name(name: &str, id: Option<&InstanceId>) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + END.len() + TAIL);
    push_text(&mut key, name);
    if let Some(id) = id {
        push_text(&mut key, id.as_str());
    }
    key
}

/// An instance in the index by app; the prefix of all that are pinned to that app without one.
pub(crate) fn by_app(app: &str, id: Option<&InstanceId>) -> Vec<u8> {
    by_name(app, id)
}

/// Splits a key into the id that it begins with and the rest.
pub(crate) fn split_id(key: &[u8]) -> Result<(InstanceId, &[u8]), Malformed> {
    let (text, rest) = split_text(key)?;
    Ok((InstanceId::from_stored(&text), rest))
}

/// Splits a key into the text that it begins with and the rest.
pub(crate) fn split_text(key: &[u8]) -> Result<(String, &[u8]), Malformed> {
    let mut text = Vec::with_capacity(key.len());
    let mut rest = key;
    loop {
        match rest {
            [0x00, 0x00, tail @ ..] => {
                let text = String::from_utf8(text).map_err(|_| Malformed("the id is not UTF-8"))?;
                return Ok((text, tail));
            }
            [0x00, 0xff, tail @ ..] => {
                text.push(0x00);
                rest = tail;
            }
            [0x00, ..] | [] => return Err(Malformed("the id does not end")),
            [byte, tail @ ..] => {
                text.push(*byte);
                rest = tail;
            }
        }
    }
}

/// Reads the key of an activity or a timer.
pub(crate) fn parse_event(key: &[u8]) -> Result<(InstanceId, ExecutionId, EventId), Malformed> {
    let (id, rest) = split_id(key)?;
    let (execution, event) = rest.split_first_chunk().ok_or(Malformed("there is no execution in it"))?;
    let event = event.try_into().map_err(|_| Malformed("the event's number does not have 4 bytes"))?;
    Ok((id, ExecutionId::from_random(u128::from_be_bytes(*execution)), EventId(u32::from_be_bytes(event))))
}

/// Reads the key of a message.
pub(crate) fn parse_message(key: &[u8]) -> Result<(InstanceId, u64), Malformed> {
    let (id, rest) = split_id(key)?;
    let sequence = rest.try_into().map_err(|_| Malformed("the sequence number does not have 8 bytes"))?;
    Ok((id, u64::from_be_bytes(sequence)))
}

/// Why bytes are no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the key is malformed: {0}")]
pub(crate) struct Malformed(&'static str);

fn push_text(key: &mut Vec<u8>, text: &str) {
    push_escaped(key, text);
    key.extend_from_slice(&END);
}

fn push_escaped(key: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        if byte == 0 {
            key.extend_from_slice(&ESCAPED_ZERO);
        } else {
            key.push(byte);
        }
    }
}
