//! Queues and tables for users, as pure rules: which names there may be, what an entity is, what a filter means.
//!
//! Azure Storage's rules, for everybody who speaks of queues and tables here: the store that keeps them, the endpoint that
//! shows them to clients, the bindings that write into them. Knows neither clocks nor I/O, and no stored formats.

mod entity;
mod filter;
mod names;
mod value;

pub use entity::{Entity, EntityKey, InvalidEntity};
pub use filter::{Comparison, Filter, FilterError, Operand};
pub use names::{InvalidName, MAX_QUEUE_NAME_CHARS, QueueName, TableName};
pub use value::{EdmType, EdmValue, Ticks};
