//! The values that a function gives to an output: one after the other, as the text of a message, as an entity.

use serde_json::value::RawValue;
use storage_model::{Entity, EntityBody};

/// The values that a JSON text stands for: the items of an array, nothing for `null`, else itself. Each is as it was written.
pub(super) fn items(text: &str) -> Result<Vec<&str>, String> {
    let text = text.trim();
    let items = if text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        items.into_iter().map(RawValue::get).collect()
    } else {
        vec![text]
    };
    Ok(items.into_iter().filter(|item| !matches!(*item, "null" | "")).collect())
}

/// What a message says: a JSON string's text, or the JSON text of anything else.
pub(super) fn message_text(item: &str) -> Result<String, String> {
    if item.starts_with('"') {
        serde_json::from_str(item).map_err(|error| error.to_string())
    } else {
        Ok(item.to_owned())
    }
}

/// The entity that a JSON object describes; keys that it does not name are those of the binding.
pub(super) fn entity(item: &str, partition: Option<String>, row: Option<String>) -> Result<Entity, String> {
    let mut body = EntityBody::from_json(item).map_err(|why| why.to_string())?;
    body.partition = body.partition.or(partition);
    body.row = body.row.or(row);
    let entity = body.into_entity().map_err(|why| why.to_string())?;
    entity.validate().map_err(|why| why.to_string())?;
    Ok(entity)
}
