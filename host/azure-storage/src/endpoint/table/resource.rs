//! What the path of a request names: `Tables('T')`, `T()`, `T(PartitionKey='p',RowKey='r')`, `$batch`.

use super::errors::{unkept, unnamed};
use crate::endpoint::call::unescaped;
use crate::endpoint::error::{ServiceError, code};
use storage_model::{EntityKey, TableName};

/// What a request is about.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Resource {
    /// A batch of changes, or one request in the clothes of a batch.
    Batch,
    /// All tables.
    Tables,
    /// One table as an entry among all tables.
    TableEntry(TableName),
    /// The entities of a table.
    Entities(TableName),
    /// One of them.
    Entity(TableName, EntityKey),
}

impl Resource {
    /// Reads the path below the account, with its escapes.
    pub(super) fn parse(path: &str) -> Result<Resource, ServiceError> {
        let path = unescaped(path)?;
        let path = path.trim_end_matches('/');
        let (name, arguments) = match path.split_once('(') {
            Some((name, rest)) => {
                let arguments = rest.strip_suffix(')').ok_or_else(|| unknown(path, "The ')' is missing."))?;
                (name, arguments.trim())
            }
            None => (path, ""),
        };
        if name == "$batch" && arguments.is_empty() {
            return Ok(Resource::Batch);
        }
        if name.eq_ignore_ascii_case("Tables") {
            return match arguments {
                "" => Ok(Resource::Tables),
                argument => match quoted(argument) {
                    Some((table, "")) => Ok(Resource::TableEntry(table.parse().map_err(unnamed)?)),
                    Some(_) | None => Err(unknown(path, "A table is named as in Tables('Trips').")),
                },
            };
        }
        let table = name.parse().map_err(unnamed)?;
        if arguments.is_empty() {
            return Ok(Resource::Entities(table));
        }
        let key = key(arguments)
            .ok_or_else(|| unknown(path, "An entity is named as in Trips(PartitionKey='p',RowKey='r')."))?;
        key.validate().map_err(|error| unkept(&error))?;
        Ok(Resource::Entity(table, key))
    }
}

fn unknown(path: &str, hint: &str) -> ServiceError {
    code::INVALID_URI.because(&format!("The path '{path}' names nothing here. {hint}"))
}

/// Both keys, in any order.
fn key(arguments: &str) -> Option<EntityKey> {
    let (first_name, first, rest) = argument(arguments)?;
    let (second_name, second, rest) = argument(rest.strip_prefix(',')?)?;
    match (first_name, second_name, rest) {
        ("PartitionKey", "RowKey", "") => Some(EntityKey { partition: first, row: second }),
        ("RowKey", "PartitionKey", "") => Some(EntityKey { partition: second, row: first }),
        _ => None,
    }
}

/// One `name='value'`, and what follows.
fn argument(text: &str) -> Option<(&str, String, &str)> {
    let (name, value) = text.split_once('=')?;
    let (value, rest) = quoted(value.trim_start())?;
    Some((name.trim(), value, rest.trim_start()))
}

/// A text in quotes, where a quote itself is doubled; and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let (before, after) = rest.split_once('\'')?;
        value.push_str(before);
        match after.strip_prefix('\'') {
            Some(after) => rest = after,
            None => return Some((value, after)),
        }
        value.push('\'');
    }
}
