//! The keys of what users keep: queues, messages, tables, entities and documents.
//!
//! What belongs to a queue or table begins with its number, which is never given out again, so that a new one of the same name
//! has nothing of the old one. Keys of entities sort by UTF-16 code units, as tables promise: each half of a surrogate pair is
//! written like a character of its own (CESU-8), which sorts exactly so and is as short as UTF-8 for everything else.

use super::{END, ESCAPED_ZERO, Malformed};
use crate::rows::KeyRange;
use storage_model::{EntityKey, QueueName, TableName};

const NUMBER: usize = 8;

/// What rows can belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// A queue, by number.
    Queue(u64),
    /// A table, by number.
    Table(u64),
}

pub(crate) fn queue(name: &QueueName) -> Vec<u8> {
    name.as_str().as_bytes().to_vec()
}

pub(crate) fn table(name: &TableName) -> Vec<u8> {
    name.folded().into_bytes()
}

pub(crate) fn document(name: &str) -> Vec<u8> {
    name.as_bytes().to_vec()
}

/// A message in its queue.
pub(crate) fn owned(queue: u64, sequence: u64) -> Vec<u8> {
    let mut key = owned_prefix(queue);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// What the keys of all rows begin with that belong to a queue or table.
pub(crate) fn owned_prefix(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// Reads the key of a message: its queue's number and its sequence.
pub(crate) fn parse_owned(key: &[u8]) -> Result<(u64, u64), Malformed> {
    let (queue, sequence) = split_number(key)?;
    let sequence = sequence.try_into().map_err(|_| Malformed("the sequence number does not have 8 bytes"))?;
    Ok((queue, u64::from_be_bytes(sequence)))
}

/// An entity in its table.
pub(crate) fn entity(table: u64, key: &EntityKey) -> Vec<u8> {
    let mut bytes = partition(table, &key.partition);
    push_units(&mut bytes, &key.row);
    bytes.extend_from_slice(&END);
    bytes
}

/// What the keys of all entities of a partition begin with.
pub(crate) fn partition(table: u64, partition: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(NUMBER + partition.len() + 2 * END.len());
    bytes.extend_from_slice(&table.to_be_bytes());
    push_units(&mut bytes, partition);
    bytes.extend_from_slice(&END);
    bytes
}

/// Reads the key of an entity.
pub(crate) fn parse_entity(key: &[u8]) -> Result<EntityKey, Malformed> {
    let (_, rest) = split_number(key)?;
    let (partition, rest) = split_units(rest)?;
    let (row, rest) = split_units(rest)?;
    if rest.is_empty() { Ok(EntityKey { partition, row }) } else { Err(Malformed("something follows the row key")) }
}

/// What is gone and still has rows.
pub(crate) fn dropped(owner: Owner) -> Vec<u8> {
    let (kind, number) = match owner {
        Owner::Queue(number) => (b'q', number),
        Owner::Table(number) => (b't', number),
    };
    let mut key = vec![kind];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Reads what is gone.
pub(crate) fn parse_dropped(key: &[u8]) -> Result<Owner, Malformed> {
    let (kind, rest) = key.split_first().ok_or(Malformed("it is empty"))?;
    let number = rest.try_into().map(u64::from_be_bytes).map_err(|_| Malformed("the number does not have 8 bytes"))?;
    match kind {
        b'q' => Ok(Owner::Queue(number)),
        b't' => Ok(Owner::Table(number)),
        _ => Err(Malformed("it is neither a queue's nor a table's")),
    }
}

impl Owner {
    /// The keys of its rows.
    pub(crate) fn range(self) -> KeyRange {
        match self {
            Owner::Queue(number) | Owner::Table(number) => KeyRange::prefix(owned_prefix(number)),
        }
    }
}

fn split_number(key: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    let (number, rest) = key.split_first_chunk::<NUMBER>().ok_or(Malformed("there is no number in it"))?;
    Ok((u64::from_be_bytes(*number), rest))
}

fn push_units(key: &mut Vec<u8>, text: &str) {
    for unit in text.encode_utf16() {
        match unit {
            0 => key.extend_from_slice(&ESCAPED_ZERO),
            0x01..0x80 => key.push(unit as u8),
            0x80..0x800 => key.extend_from_slice(&[0xc0 | (unit >> 6) as u8, continued(unit)]),
            _ => key.extend_from_slice(&[0xe0 | (unit >> 12) as u8, continued(unit >> 6), continued(unit)]),
        }
    }
}

fn continued(bits: u16) -> u8 {
    0x80 | (bits & 0x3f) as u8
}

/// Splits off a text and its end.
fn split_units(key: &[u8]) -> Result<(String, &[u8]), Malformed> {
    let mut units = Vec::with_capacity(key.len());
    let mut rest = key;
    let low = |byte: u8| u16::from(byte & 0x3f);
    loop {
        let (unit, tail) = match rest {
            [0x00, 0x00, tail @ ..] => {
                let text = String::from_utf16(&units).map_err(|_| Malformed("it has half a surrogate pair"))?;
                return Ok((text, tail));
            }
            [0x00, 0xff, tail @ ..] => (0, tail),
            [byte @ 0x01..0x80, tail @ ..] => (u16::from(*byte), tail),
            [one @ 0xc0..0xe0, two @ 0x80..0xc0, tail @ ..] => (u16::from(one & 0x1f) << 6 | low(*two), tail),
            [one @ 0xe0..0xf0, two @ 0x80..0xc0, three @ 0x80..0xc0, tail @ ..] => {
                (u16::from(one & 0x0f) << 12 | low(*two) << 6 | low(*three), tail)
            }
            _ => return Err(Malformed("the text is not in CESU-8, or does not end")),
        };
        units.push(unit);
        rest = tail;
    }
}
