//! Entities as JSON: what clients of tables send and get, and what bindings hand to functions.

mod read;
mod write;

pub use read::EntityBody;
pub use write::{EntityForm, EntityPlace, MetadataLevel};

/// Follows a property's name to give that of its type's annotation.
const TYPE_ANNOTATION: &str = "@odata.type";
