//! Tables: their lists, and entities as rows and as JSON.

use anyhow::anyhow;
use ports::{EntitiesQuery, EntityWrite, Matching, Rest, TableError, TableStore};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use storage_model::{EdmValue, Entity, EntityBody, EntityKey, Filter, TableName, date_text};

use super::account::Connected;
use super::{Failed, Said, text_of};
use crate::cli::{DeleteEntityArguments, PutEntityArguments, ShowEntitiesArguments, TablesCommand};
use crate::commands::columns::columns;

/// Entities and tables of one page of a list; the protocol gives no more.
const PAGE: usize = 1_000;

/// Changes that the protocol does at once.
const BATCH: usize = 100;

/// Characters of a value that people see; programs get all.
const MAX_SHOWN_CHARS: usize = 60;

pub(super) async fn perform(command: &TablesCommand, connected: &Connected) -> Result<Said, Failed> {
    let tables = &connected.client;
    match command {
        TablesCommand::List(_) => list(tables).await,
        TablesCommand::Show(arguments) => show(arguments, tables).await,
        TablesCommand::Put(arguments) => put(arguments, tables).await,
        TablesCommand::Delete(arguments) => delete(arguments, tables).await,
        TablesCommand::Clear(arguments) => {
            let name = &arguments.table.name;
            let count = clear(name, tables).await.map_err(|error| refused(error, name))?;
            let words = format!("Deleted {} of the table {name}.", counted(count));
            Ok(Said { words, json: json!({ "table": name.as_str(), "outcome": "cleared", "entities": count }) })
        }
        TablesCommand::Create(arguments) => {
            let name = &arguments.name;
            match tables.create_table(name).await {
                Ok(()) => Ok(said(name, "created", format!("Made the table {name}."))),
                Err(TableError::TableExists(_)) => {
                    Ok(said(name, "exists", format!("The table {name} was there already.")))
                }
                Err(error) => Err(refused(error, name)),
            }
        }
        TablesCommand::Drop(arguments) => {
            let name = &arguments.table.name;
            tables.delete_table(name).await.map_err(|error| refused(error, name))?;
            Ok(said(name, "dropped", format!("Deleted the table {name}.")))
        }
    }
}

fn said(table: &TableName, outcome: &str, words: String) -> Said {
    Said { words, json: json!({ "table": table.as_str(), "outcome": outcome }) }
}

fn refused(error: TableError, table: &TableName) -> Failed {
    match error {
        TableError::TableNotFound(_) => Failed::at_account(format!(
            "{error}; `dacapo storage tables list` shows those that are there, and `create {table}` makes it"
        )),
        // The number of the operation says nothing where there is one.
        TableError::EntityNotFound { .. } => Failed::at_account(format!("the table '{table}' has no such entity")),
        TableError::Invalid { why, .. } => Failed::at_account(why),
        TableError::Store(error) => Failed::of_store(error),
        TableError::TableExists(_) | TableError::EntityExists { .. } | TableError::NotMatching { .. } => {
            Failed::at_account(error)
        }
    }
}

fn refused_list(error: TableError) -> Failed {
    match error {
        TableError::Store(error) => Failed::of_store(error),
        TableError::TableNotFound(_)
        | TableError::TableExists(_)
        | TableError::EntityExists { .. }
        | TableError::EntityNotFound { .. }
        | TableError::NotMatching { .. }
        | TableError::Invalid { .. } => Failed::at_account(error),
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 entity".to_owned() } else { format!("{count} entities") }
}

async fn list(tables: &dyn TableStore) -> Result<Said, Failed> {
    let mut names: Vec<TableName> = Vec::new();
    let mut from: Option<String> = None;
    loop {
        let (page, next) = tables.list_tables(from.as_deref(), PAGE).await.map_err(refused_list)?;
        names.extend(page.into_iter().map(|table| table.name));
        from = next;
        if from.is_none() {
            break;
        }
    }
    let names: Vec<&str> = names.iter().map(TableName::as_str).collect();
    let words = if names.is_empty() { "There are no tables.".to_owned() } else { names.join("\n") };
    let tables: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    Ok(Said { words, json: json!({ "tables": tables }) })
}

async fn show(arguments: &ShowEntitiesArguments, tables: &dyn TableStore) -> Result<Said, Failed> {
    let name = &arguments.table.name;
    let top = usize::try_from(arguments.top).unwrap_or(usize::MAX);
    let mut entities: Vec<Entity> = Vec::new();
    let mut query = EntitiesQuery { table: name.clone(), filter: filter(arguments)?, limit: 0, from: None };
    loop {
        query.limit = (top - entities.len()).min(PAGE);
        let page = tables.entities(&query).await.map_err(|error| refused(error, name))?;
        entities.extend(page.entities);
        query.from = page.next;
        if query.from.is_none() || entities.len() >= top {
            break;
        }
    }
    let is_all = query.from.is_none();
    let mut words = if entities.is_empty() {
        format!("No entity of the table {name} is like that.")
    } else {
        columns(&rows(&entities)).trim_end().to_owned()
    };
    if !is_all {
        words.push_str("\n\nThere are more; --top shows them.");
    }
    // Texts that the model has made are JSON.
    let values = entities.iter().map(|entity| serde_json::from_str(&entity.to_plain_json()).unwrap_or(Value::Null));
    let json = json!({ "table": name.as_str(), "entities": values.collect::<Vec<Value>>(), "hasMore": !is_all });
    Ok(Said { words, json })
}

/// What all options ask for together.
fn filter(arguments: &ShowEntitiesArguments) -> Result<Option<Filter>, Failed> {
    let equals = |property: &str, key: &Option<String>| {
        key.as_ref().map(|key| format!("{property} eq '{}'", key.replace('\'', "''")))
    };
    let conditions = [
        equals("PartitionKey", &arguments.partition_key),
        equals("RowKey", &arguments.row_key),
        arguments.filter.as_ref().map(|filter| format!("({filter})")),
    ];
    let conditions: Vec<String> = conditions.into_iter().flatten().collect();
    if conditions.is_empty() {
        return Ok(None);
    }
    Filter::parse(&conditions.join(" and ")).map(Some).map_err(|error| Failed::Malformed(anyhow!("{error}")))
}

/// A heading of all properties that there are, in the order in which they come, and a row for each entity.
fn rows(entities: &[Entity]) -> Vec<Vec<String>> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in entities.iter().flat_map(|entity| &entity.properties) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let heading = ["PartitionKey", "RowKey"].into_iter().chain(names.iter().copied());
    let mut rows: Vec<Vec<String>> = vec![heading.map(str::to_owned).collect()];
    rows.extend(entities.iter().map(|entity| {
        let values: BTreeMap<&str, &EdmValue> =
            entity.properties.iter().map(|(name, value)| (name.as_str(), value)).collect();
        let keys = [shortened(&entity.key.partition), shortened(&entity.key.row)];
        let cell = |name: &&str| values.get(name).map(|value| shown(value)).unwrap_or_default();
        keys.into_iter().chain(names.iter().map(cell)).collect()
    }));
    rows
}

fn shown(value: &EdmValue) -> String {
    match value {
        EdmValue::String(text) => shortened(text),
        EdmValue::Boolean(flag) => flag.to_string(),
        EdmValue::Int32(number) => number.to_string(),
        EdmValue::Int64(number) => number.to_string(),
        EdmValue::Double(number) => number.to_string(),
        EdmValue::DateTime(ticks) => date_text(*ticks),
        EdmValue::Guid(guid) => guid.to_string(),
        EdmValue::Binary(bytes) => format!("({} bytes)", bytes.len()),
    }
}

/// One line, and not a long one.
fn shortened(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= MAX_SHOWN_CHARS {
        return line;
    }
    line.chars().take(MAX_SHOWN_CHARS - 3).chain("...".chars()).collect()
}

async fn put(arguments: &PutEntityArguments, tables: &dyn TableStore) -> Result<Said, Failed> {
    let name = &arguments.table.name;
    let entities = entities_of(&text_of(&arguments.entity)?)?;
    let rest = if arguments.merge { Rest::Merged } else { Rest::Replaced };
    let mut keys = Vec::new();
    for entity in entities {
        let key = entity.key.clone();
        let write = EntityWrite::Upsert(entity, rest);
        tables.write_entities(name, vec![write]).await.map_err(|error| refused(error, name))?;
        keys.push(key);
    }
    let words = match keys.as_slice() {
        [key] => format!("Wrote the entity {} of the table {name}.", shown_key(key)),
        keys => format!("Wrote {} of the table {name}.", counted(keys.len())),
    };
    let keys: Vec<Value> = keys.iter().map(|key| json!({ "PartitionKey": key.partition, "RowKey": key.row })).collect();
    Ok(Said { words, json: json!({ "table": name.as_str(), "outcome": "written", "entities": keys }) })
}

fn shown_key(key: &EntityKey) -> String {
    format!("{} / {}", key.partition, key.row)
}

/// The entities of a JSON text: an object, or a list of objects. Nothing is written unless all of them are right.
fn entities_of(json: &str) -> Result<Vec<Entity>, Failed> {
    let malformed = |what: String| Failed::Malformed(anyhow!("{what}"));
    let objects: Vec<Box<RawValue>> = if json.trim_start().starts_with('[') {
        serde_json::from_str(json).map_err(|error| malformed(format!("that is no list of entities: {error}")))?
    } else {
        vec![serde_json::from_str(json).map_err(|error| malformed(format!("that is no entity: {error}")))?]
    };
    let entity = |object: &RawValue| {
        let body = EntityBody::from_json(object.get()).and_then(EntityBody::into_entity);
        let entity = body.map_err(|error| malformed(format!("that is no entity: {error}")))?;
        entity.validate().map_err(|error| malformed(format!("the entity {}: {error}", shown_key(&entity.key))))?;
        Ok(entity)
    };
    objects.iter().map(|object| entity(object)).collect()
}

async fn delete(arguments: &DeleteEntityArguments, tables: &dyn TableStore) -> Result<Said, Failed> {
    let name = &arguments.table.name;
    let key = arguments.key();
    let words = format!("Deleted the entity {} of the table {name}.", shown_key(&key));
    let write = EntityWrite::Delete(key, Matching::Any);
    tables.write_entities(name, vec![write]).await.map_err(|error| refused(error, name))?;
    Ok(said(name, "deleted", words))
}

/// Deletes all entities, partition by partition, and says how many. Those that come meanwhile may stay.
async fn clear(table: &TableName, tables: &dyn TableStore) -> Result<usize, TableError> {
    let mut count = 0;
    let mut query = EntitiesQuery { table: table.clone(), filter: None, limit: PAGE, from: None };
    loop {
        let page = tables.entities(&query).await?;
        for of_partition in page.entities.chunk_by(|a, b| a.key.partition == b.key.partition) {
            for batch in of_partition.chunks(BATCH) {
                count += delete_all(table, batch, tables).await?;
            }
        }
        query.from = page.next;
        if query.from.is_none() {
            return Ok(count);
        }
    }
}

/// Of one partition. One that somebody else has deleted meanwhile is no reason to leave the others.
async fn delete_all(table: &TableName, batch: &[Entity], tables: &dyn TableStore) -> Result<usize, TableError> {
    let deletion = |entity: &Entity| EntityWrite::Delete(entity.key.clone(), Matching::Any);
    match tables.write_entities(table, batch.iter().map(deletion).collect()).await {
        Ok(_) => return Ok(batch.len()),
        Err(TableError::EntityNotFound { .. }) => {}
        Err(error) => return Err(error),
    }
    let mut count = 0;
    for entity in batch {
        match tables.write_entities(table, vec![deletion(entity)]).await {
            Ok(_) => count += 1,
            Err(TableError::EntityNotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}
