//! Entities: what a table is made of.

use crate::value::{EdmValue, Ticks};
use std::cmp::Ordering;

/// What names an entity in its table. Ordered by partition, then row, as [`utf16_order`] does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EntityKey {
    /// Entities of one partition can be written together.
    pub partition: String,
    /// Unique in the partition.
    pub row: String,
}

impl Ord for EntityKey {
    fn cmp(&self, other: &EntityKey) -> Ordering {
        utf16_order(&self.partition, &other.partition).then_with(|| utf16_order(&self.row, &other.row))
    }
}

impl PartialOrd for EntityKey {
    fn partial_cmp(&self, other: &EntityKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of texts in tables: by their UTF-16 code units. Differs from Rust's own order, which is that of code points, only
/// for characters beyond U+FFFF: those come before U+E000.
pub fn utf16_order(a: &str, b: &str) -> Ordering {
    let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    // The first byte that differs may be in the middle of a character; its beginning is the same in both.
    let begin = (0..=common).rev().find(|&at| a.is_char_boundary(at) && b.is_char_boundary(at)).unwrap_or(0);
    a[begin..].encode_utf16().cmp(b[begin..].encode_utf16())
}

/// An entity of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct Entity {
    /// Its name.
    pub key: EntityKey,
    /// When it was last written; set by the store, strictly increasing in a table, and thereby the entity's ETag. What a
    /// writer puts here is ignored.
    pub timestamp: Ticks,
    /// Its properties in the order of writing, without the two keys and the timestamp. Names are unique, with case.
    pub properties: Vec<(String, EdmValue)>,
}

/// Why an entity cannot be kept.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidEntity {
    /// Azure's `KeyValueTooLarge`.
    #[error("the {which} has {bytes} bytes as UTF-16; at most {max} are allowed")]
    KeyTooLarge {
        /// `PartitionKey` or `RowKey`.
        which: &'static str,
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        max: usize,
    },
    /// Azure's `OutOfRangeInput`.
    #[error("the {which} contains {found:?}; leave out '/', '\\', '#', '?' and control characters")]
    KeyForbidden {
        /// `PartitionKey` or `RowKey`.
        which: &'static str,
        /// What is not allowed.
        found: char,
    },
    /// Azure's `PropertiesNeedValue`.
    #[error("the {which} is missing")]
    KeyMissing {
        /// `PartitionKey` or `RowKey`.
        which: &'static str,
    },
    /// Azure's `PropertyNameInvalid`.
    #[error(
        "'{0}' cannot be a property's name: it begins with a letter or '_', goes on with letters, digits and '_', and has at most 255 characters"
    )]
    PropertyName(String),
    /// Azure's `TooManyProperties`.
    #[error("the entity has {count} properties; at most 252 are allowed besides its keys and its timestamp")]
    TooManyProperties {
        /// How many it has.
        count: usize,
    },
    /// Azure's `PropertyValueTooLarge`.
    #[error("the property '{name}' takes {bytes} bytes; at most 65536 are allowed")]
    PropertyTooLarge {
        /// Which.
        name: String,
        /// How much it takes.
        bytes: usize,
    },
    /// Azure's `EntityTooLarge`.
    #[error("the entity takes {bytes} bytes; at most 1048576 are allowed")]
    TooLarge {
        /// How much it takes.
        bytes: usize,
    },
    /// Azure's `InvalidInput`.
    #[error("{0}")]
    Malformed(String),
}
