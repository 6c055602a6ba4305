//! What an entity must look like to be kept; the limits are Azure's.

use crate::date::date_text;
use crate::entity::{Entity, EntityKey, InvalidEntity};
use crate::value::{EdmValue, Ticks};
use std::collections::BTreeSet;

/// Longest key, in bytes of its UTF-16.
pub const MAX_KEY_BYTES: usize = 1_024;
/// Longest name of a property, in characters.
pub const MAX_PROPERTY_NAME_CHARS: usize = 255;
/// Most properties of an entity, besides its keys and its timestamp.
pub const MAX_PROPERTIES: usize = 252;
/// Longest value of a property, in bytes; texts count as UTF-16.
pub const MAX_PROPERTY_BYTES: usize = 65_536;
/// Largest entity, in bytes, counted as Azure does.
pub const MAX_ENTITY_BYTES: usize = 1_048_576;

/// Earliest date that a property can have, 1601-01-01T00:00:00Z: Windows counts file times from there.
const EARLIEST_DATE: Ticks = -116_444_736_000_000_000;

/// What Azure adds to the bytes of an entity's keys, of each property and of each value of variable length.
const ENTITY_OVERHEAD: usize = 4;
const PROPERTY_OVERHEAD: usize = 8;
const LENGTH_OVERHEAD: usize = 4;

impl EntityKey {
    /// Whether an entity can have this key: at most 1 KiB each, without `/ \ # ?` and control characters.
    pub fn validate(&self) -> Result<(), InvalidEntity> {
        validate_key("PartitionKey", &self.partition)?;
        validate_key("RowKey", &self.row)
    }
}

fn validate_key(which: &'static str, key: &str) -> Result<(), InvalidEntity> {
    let bytes = utf16_bytes(key);
    if bytes > MAX_KEY_BYTES {
        return Err(InvalidEntity::KeyTooLarge { which, bytes, max: MAX_KEY_BYTES });
    }
    match key.chars().find(|c| matches!(c, '/' | '\\' | '#' | '?') || c.is_control()) {
        Some(found) => Err(InvalidEntity::KeyForbidden { which, found }),
        None => Ok(()),
    }
}

impl Entity {
    /// Whether a table can keep it: its keys, the names, number and sizes of its properties, and its size as a whole.
    pub fn validate(&self) -> Result<(), InvalidEntity> {
        self.key.validate()?;
        if self.properties.len() > MAX_PROPERTIES {
            return Err(InvalidEntity::TooManyProperties { count: self.properties.len() });
        }
        let mut names = BTreeSet::new();
        for (name, value) in &self.properties {
            validate_name(name)?;
            if !names.insert(name) {
                return Err(InvalidEntity::Malformed(format!("the property '{name}' is there twice; leave one out")));
            }
            validate_value(name, value)?;
        }
        let bytes = self.size();
        if bytes > MAX_ENTITY_BYTES { Err(InvalidEntity::TooLarge { bytes }) } else { Ok(()) }
    }

    /// How many bytes it takes, counted as Azure does.
    pub fn size(&self) -> usize {
        let keys = utf16_bytes(&self.key.partition) + utf16_bytes(&self.key.row);
        let property = |(name, value): &(String, EdmValue)| {
            let overhead = match value {
                EdmValue::String(_) | EdmValue::Binary(_) => PROPERTY_OVERHEAD + LENGTH_OVERHEAD,
                EdmValue::Boolean(_)
                | EdmValue::Int32(_)
                | EdmValue::Int64(_)
                | EdmValue::Double(_)
                | EdmValue::DateTime(_)
                | EdmValue::Guid(_) => PROPERTY_OVERHEAD,
            };
            overhead + utf16_bytes(name) + value_bytes(value)
        };
        ENTITY_OVERHEAD + keys + self.properties.iter().map(property).sum::<usize>()
    }
}

fn validate_name(name: &str) -> Result<(), InvalidEntity> {
    if matches!(name, "PartitionKey" | "RowKey" | "Timestamp") {
        return Err(InvalidEntity::Malformed(format!(
            "'{name}' belongs to every entity and is no property of its own"
        )));
    }
    if is_property_name(name) { Ok(()) } else { Err(InvalidEntity::PropertyName(name.to_owned())) }
}

/// Whether a property can have that name: an identifier as in C#.
pub(crate) fn is_property_name(name: &str) -> bool {
    let begins = name.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic());
    begins && name.chars().all(|c| c == '_' || c.is_alphanumeric()) && name.chars().count() <= MAX_PROPERTY_NAME_CHARS
}

fn validate_value(name: &str, value: &EdmValue) -> Result<(), InvalidEntity> {
    let bytes = value_bytes(value);
    if bytes > MAX_PROPERTY_BYTES {
        return Err(InvalidEntity::PropertyTooLarge { name: name.to_owned(), bytes });
    }
    match value {
        EdmValue::DateTime(moment) if *moment < EARLIEST_DATE => {
            Err(InvalidEntity::Malformed(format!("the property '{name}' is earlier than {}", date_text(EARLIEST_DATE))))
        }
        EdmValue::DateTime(_)
        | EdmValue::String(_)
        | EdmValue::Boolean(_)
        | EdmValue::Int32(_)
        | EdmValue::Int64(_)
        | EdmValue::Double(_)
        | EdmValue::Guid(_)
        | EdmValue::Binary(_) => Ok(()),
    }
}

fn value_bytes(value: &EdmValue) -> usize {
    match value {
        EdmValue::String(text) => utf16_bytes(text),
        EdmValue::Binary(bytes) => bytes.len(),
        EdmValue::Boolean(_) => 1,
        EdmValue::Int32(_) => 4,
        EdmValue::Int64(_) | EdmValue::Double(_) | EdmValue::DateTime(_) => 8,
        EdmValue::Guid(_) => 16,
    }
}

fn utf16_bytes(text: &str) -> usize {
    text.encode_utf16().count() * 2
}
