//! Queues and tables for users, as pure rules: which names there may be, what an entity is, what a filter means.
//!
//! Azure Storage's rules, for everybody who speaks of queues and tables here: the store that keeps them, the endpoint that
//! shows them to clients, the bindings that write into them. Knows neither clocks nor I/O, and no stored formats.

mod date;
mod entity;
mod filter;
mod json;
mod limits;
mod message_text;
mod names;
mod value;

#[cfg(test)]
mod tests;

pub use date::{date_text, etag, parse_date, parse_etag};
pub use entity::{Entity, EntityKey, InvalidEntity, utf16_order};
pub use filter::{
    Comparison, Filter, FilterError, KeyBounds, KeyRange, MAX_FILTER_COMPARISONS, MAX_FILTER_NESTING, Operand,
};
pub use json::{EntityBody, EntityForm, EntityPlace, MetadataLevel};
pub use limits::{MAX_ENTITY_BYTES, MAX_KEY_BYTES, MAX_PROPERTIES, MAX_PROPERTY_BYTES, MAX_PROPERTY_NAME_CHARS};
pub use message_text::{DecodedText, MAX_MESSAGE_BYTES, TextEncoding, TextTooLong, UndecodableText};
pub use names::{InvalidName, MAX_QUEUE_NAME_CHARS, QueueName, TableName};
pub use value::{EdmType, EdmValue, Ticks};
