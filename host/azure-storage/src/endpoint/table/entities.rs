//! Entities, one request at a time: get, query, write.

use super::changes::Change;
use super::continuation;
use super::errors::{refused, sentence};
use super::representation::{Root, json, level_of};
use crate::endpoint::answer::{self, Answer};
use crate::endpoint::call::Call;
use crate::endpoint::error::{ServiceError, code};
use http::StatusCode;
use http::header::{self, HeaderName};
use ports::{EntitiesQuery, TableStore};
use storage_model::{EntityKey, Filter, MetadataLevel, TableName, etag};

/// Most entries of one page.
const MAX_PAGE: usize = 1_000;

const NEXT_PARTITION_KEY: HeaderName = HeaderName::from_static("x-ms-continuation-nextpartitionkey");
const NEXT_ROW_KEY: HeaderName = HeaderName::from_static("x-ms-continuation-nextrowkey");

/// One entity.
pub(super) async fn get(
    tables: &dyn TableStore,
    call: &Call,
    table: &TableName,
    key: &EntityKey,
) -> Result<Answer, ServiceError> {
    let level = level_of(call)?;
    let entity = tables.entity(table, key).await.map_err(refused)?;
    let entity = entity.ok_or_else(|| code::RESOURCE_NOT_FOUND.because(""))?;
    let select = select(call);
    let mut form = Root::of(call).form(level, table.as_str());
    form.select = select.as_deref();
    let mut answer = json(StatusCode::OK, level, entity.to_json(&form));
    answer::put(&mut answer, header::ETAG, &etag(entity.timestamp));
    Ok(answer)
}

/// One page of the entities that meet a filter.
pub(super) async fn query(tables: &dyn TableStore, call: &Call, table: TableName) -> Result<Answer, ServiceError> {
    let level = level_of(call)?;
    let select = select(call);
    let query = EntitiesQuery { filter: filter(call)?, limit: top(call)?, from: from(call)?, table };
    let page = tables.entities(&query).await.map_err(refused)?;
    let root = Root::of(call);
    let mut form = root.form(level, query.table.as_str());
    form.select = select.as_deref();
    form.stands_alone = false;
    let entities: Vec<String> = page.entities.iter().map(|entity| entity.to_json(&form)).collect();
    let context = match level {
        MetadataLevel::None => String::new(),
        MetadataLevel::Minimal | MetadataLevel::Full => {
            let context = serde_json::Value::from(format!("{}/$metadata#{}", root.url, query.table));
            format!("\"odata.metadata\":{context},")
        }
    };
    let mut answer = json(StatusCode::OK, level, format!("{{{context}\"value\":[{}]}}", entities.join(",")));
    if let Some(next) = page.next {
        answer::put(&mut answer, NEXT_PARTITION_KEY, &continuation::token(&next.partition));
        answer::put(&mut answer, NEXT_ROW_KEY, &continuation::token(&next.row));
    }
    Ok(answer)
}

/// One change.
pub(super) async fn write(tables: &dyn TableStore, call: &Call, change: Change) -> Result<Answer, ServiceError> {
    let Change { table, write, reply } = change;
    let written = tables.write_entities(&table, vec![write]).await.map_err(refused)?;
    Ok(reply.answer(Root::of(call), &table, written.first().copied().flatten()))
}

/// `$filter`; none: everything.
pub(super) fn filter(call: &Call) -> Result<Option<Filter>, ServiceError> {
    let text = call.query.get("$filter").map(str::trim).filter(|text| !text.is_empty());
    text.map(Filter::parse).transpose().map_err(|error| code::INVALID_INPUT.because(&sentence(&error)))
}

/// `$top`; none: as many as a page takes.
pub(super) fn top(call: &Call) -> Result<usize, ServiceError> {
    let Some(text) = call.query.get("$top") else {
        return Ok(MAX_PAGE);
    };
    match text.trim().parse() {
        Ok(top) if (1..=MAX_PAGE).contains(&top) => Ok(top),
        Ok(_) | Err(_) => {
            Err(code::INVALID_INPUT.because(&format!("$top is a number from 1 to {MAX_PAGE}, and this is '{text}'.")))
        }
    }
}

/// `$select`; none: every property.
fn select(call: &Call) -> Option<Vec<String>> {
    let names = call.query.get("$select")?.split(',').map(|name| name.trim().to_owned());
    let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    let is_everything = names.is_empty() || names.iter().any(|name| name == "*");
    (!is_everything).then_some(names)
}

fn from(call: &Call) -> Result<Option<EntityKey>, ServiceError> {
    let key = |name| call.query.get(name).map(|token| continuation::key(name, token)).transpose();
    let (partition, row) = (key("NextPartitionKey")?, key("NextRowKey")?);
    Ok(partition.map(|partition| EntityKey { partition, row: row.unwrap_or_default() }))
}
