//! Tables as such: create, list, delete; their access policies.

use super::errors::{refused, unnamed};
use super::representation::{Preference, Root, json, json_body, level_of};
use super::{continuation, entities};
use crate::endpoint::access_policies as policies;
use crate::endpoint::answer::{self, Answer};
use crate::endpoint::call::Call;
use crate::endpoint::error::{ServiceError, code};
use http::StatusCode;
use http::header::{self, HeaderName};
use ports::{TableError, TableStore, TableView};
use serde_json::{Map, Value};
use storage_model::{EdmValue, Entity, EntityKey, Filter, MetadataLevel, TableName};

const NEXT_TABLE_NAME: HeaderName = HeaderName::from_static("x-ms-continuation-nexttablename");

/// Creates a table; the body names it.
pub(super) async fn create(tables: &dyn TableStore, call: &Call) -> Result<Answer, ServiceError> {
    let level = level_of(call)?;
    let body = json_body(&call.headers, &call.body)?;
    let body: Value = serde_json::from_str(body)
        .map_err(|error| code::INVALID_INPUT.because(&format!("The body is no JSON: {error}.")))?;
    let Some(name) = body.get("TableName").and_then(Value::as_str) else {
        return Err(code::INVALID_INPUT.because("The body names the table as in {\"TableName\":\"Trips\"}."));
    };
    let name: TableName = name.parse().map_err(unnamed)?;
    tables.create_table(&name).await.map_err(refused)?;
    let root = Root::of(call);
    let preference = Preference::of(&call.headers);
    let mut answer = match preference {
        Preference::NoContent => answer::empty(StatusCode::NO_CONTENT),
        Preference::Content | Preference::Unsaid => {
            json(StatusCode::CREATED, level, standing_alone(root, level, &name).to_string())
        }
    };
    preference.confirm(&mut answer);
    answer::put(&mut answer, header::LOCATION, &format!("{}/Tables('{name}')", root.url));
    Ok(answer)
}

/// Tells whether a table is there.
pub(super) async fn get(tables: &dyn TableStore, call: &Call, name: &TableName) -> Result<Answer, ServiceError> {
    let level = level_of(call)?;
    let view = tables.table(name).await.map_err(missing_entry)?;
    Ok(json(StatusCode::OK, level, standing_alone(Root::of(call), level, &view.name).to_string()))
}

/// Removes a table with all that is in it.
pub(super) async fn delete(tables: &dyn TableStore, name: &TableName) -> Result<Answer, ServiceError> {
    tables.delete_table(name).await.map_err(missing_entry)?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// As an entry among tables it is a resource; only to entities it is a table.
fn missing_entry(error: TableError) -> ServiceError {
    match error {
        TableError::TableNotFound(_) => code::RESOURCE_NOT_FOUND.because(""),
        error @ (TableError::TableExists(_)
        | TableError::EntityExists { .. }
        | TableError::EntityNotFound { .. }
        | TableError::NotMatching { .. }
        | TableError::Invalid { .. }
        | TableError::Store(_)) => refused(error),
    }
}

/// Lists tables by name. The filter may compare `TableName`.
pub(super) async fn list(tables: &dyn TableStore, call: &Call) -> Result<Answer, ServiceError> {
    let level = level_of(call)?;
    let filter = entities::filter(call)?;
    let limit = entities::top(call)?;
    let mut from =
        call.query.get("NextTableName").map(|token| continuation::key("NextTableName", token)).transpose()?;
    let mut found: Vec<TableView> = Vec::new();
    // A filter costs rounds, not answers: the page is filled while there are tables.
    loop {
        let (page, next) = tables.list_tables(from.as_deref(), limit - found.len()).await.map_err(refused)?;
        let matching =
            page.into_iter().filter(|view| filter.as_ref().is_none_or(|filter| is_named(filter, &view.name)));
        found.extend(matching);
        from = next;
        if from.is_none() || found.len() >= limit {
            break;
        }
    }
    let root = Root::of(call);
    let entries: Vec<Value> = found.iter().map(|view| entry(root, level, &view.name).into()).collect();
    let mut body = Map::new();
    if level != MetadataLevel::None {
        body.insert("odata.metadata".to_owned(), format!("{}/$metadata#Tables", root.url).into());
    }
    body.insert("value".to_owned(), entries.into());
    let mut answer = json(StatusCode::OK, level, Value::from(body).to_string());
    if let Some(next) = from {
        answer::put(&mut answer, NEXT_TABLE_NAME, &continuation::token(&next));
    }
    Ok(answer)
}

/// Filters speak of entities; an entry among tables is one with a single property.
fn is_named(filter: &Filter, name: &TableName) -> bool {
    let key = EntityKey { partition: String::new(), row: String::new() };
    let properties = vec![("TableName".to_owned(), EdmValue::String(name.to_string()))];
    filter.matches(&Entity { key, timestamp: 0, properties })
}

fn standing_alone(root: Root<'_>, level: MetadataLevel, name: &TableName) -> Value {
    let mut entry = entry(root, level, name);
    if level != MetadataLevel::None {
        entry.insert("odata.metadata".to_owned(), format!("{}/$metadata#Tables/@Element", root.url).into());
    }
    entry.into()
}

fn entry(root: Root<'_>, level: MetadataLevel, name: &TableName) -> Map<String, Value> {
    let mut entry = Map::new();
    if level == MetadataLevel::Full {
        entry.insert("odata.type".to_owned(), format!("{}.Tables", root.account()).into());
        entry.insert("odata.id".to_owned(), format!("{}/Tables('{name}')", root.url).into());
        entry.insert("odata.editLink".to_owned(), format!("Tables('{name}')").into());
    }
    entry.insert("TableName".to_owned(), name.as_str().into());
    entry
}

/// Shows the stored access policies.
pub(super) async fn access_policies(tables: &dyn TableStore, name: &TableName) -> Result<Answer, ServiceError> {
    let view = tables.table(name).await.map_err(refused)?;
    Ok(policies::answer(&view.access_policies))
}

/// Replaces them.
pub(super) async fn set_access_policies(
    tables: &dyn TableStore,
    call: &Call,
    name: &TableName,
) -> Result<Answer, ServiceError> {
    let kept = policies::from_request(&call.body)?;
    tables.set_table(name, kept).await.map_err(refused)?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
