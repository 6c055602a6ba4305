//! Tables by REST: single writes and reads as requests, and entities read back. Several writes at once belong to `batch`.

use super::Client;
use super::batch;
use super::exchange::{Ask, Failed, unreadable};
use super::queues::policies_of;
use crate::Service;
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, ETAG, IF_MATCH};
use http::{HeaderMap, HeaderName, Method};
use ports::{EntitiesPage, EntitiesQuery, EntityWrite, Matching, Rest, StoreError, TableError, TableStore, TableView};
use serde::Deserialize;
use serde_json::value::RawValue;
use storage_model::{Entity, EntityBody, EntityKey, InvalidEntity, TableName, Ticks, etag, parse_date, parse_etag};

/// With the types that values do not tell.
const MINIMAL: &str = "application/json;odata=minimalmetadata";
/// With nothing besides values.
const PLAIN: &str = "application/json;odata=nometadata";
const JSON: &str = "application/json";
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Most entities and tables of one page, as in Azure.
const MAX_PAGE: usize = 1_000;
/// Most writes of one batch, as in Azure.
pub(super) const MAX_BATCH: usize = 100;

fn ask(method: Method, path: impl Into<String>) -> Ask {
    Ask::new(Service::Table, method, path)
        .header(ACCEPT, PLAIN)
        .header(HeaderName::from_static("dataserviceversion"), "3.0")
}

/// What a refusal means for the write with that number.
pub(super) fn refused(failed: Failed, table: &TableName, index: usize) -> TableError {
    let (code, message) = match &failed {
        Failed::Refused(refusal) => (refusal.code.as_str(), refusal.message.as_str()),
        Failed::Unreachable(_) => ("", ""),
    };
    match code {
        "TableNotFound" => TableError::TableNotFound(table.clone()),
        "TableAlreadyExists" => TableError::TableExists(table.clone()),
        "EntityAlreadyExists" => TableError::EntityExists { index },
        "ResourceNotFound" | "EntityNotFound" => TableError::EntityNotFound { index },
        "UpdateConditionNotSatisfied" | "ConditionNotMet" => TableError::NotMatching { index },
        "PropertyNameInvalid"
        | "PropertyNameTooLong"
        | "PropertyValueTooLarge"
        | "KeyValueTooLarge"
        | "EntityTooLarge"
        | "TooManyProperties"
        | "InvalidInput"
        | "OutOfRangeInput"
        | "PropertiesNeedValue" => {
            TableError::Invalid { index, why: InvalidEntity::Malformed(format!("{code}: {message}")) }
        }
        _ => TableError::Store(failed.into()),
    }
}

/// A request that concerns a table as such: what is not there is the table.
fn refused_table(failed: Failed, table: &TableName) -> TableError {
    let error = refused(failed, table, 0);
    if matches!(error, TableError::EntityNotFound { .. }) { TableError::TableNotFound(table.clone()) } else { error }
}

/// One write as a request.
pub(super) fn write_ask(table: &TableName, write: &EntityWrite) -> Ask {
    let keyed = |method: Method, key: &EntityKey| {
        let entity = Entity { key: key.clone(), timestamp: 0, properties: Vec::new() };
        ask(method, entity.address(table.as_str()))
    };
    let method = |rest: Rest| match rest {
        Rest::Replaced => Method::PUT,
        Rest::Merged => Method::PATCH,
    };
    match write {
        EntityWrite::Insert(entity) => {
            ask(Method::POST, table.as_str()).header(PREFER, "return-no-content").body(JSON, entity.to_request_json())
        }
        EntityWrite::Upsert(entity, rest) => keyed(method(*rest), &entity.key).body(JSON, entity.to_request_json()),
        EntityWrite::Update(entity, rest, matching) => {
            keyed(method(*rest), &entity.key).header(IF_MATCH, if_match(*matching)).body(JSON, entity.to_request_json())
        }
        EntityWrite::Delete(key, matching) => keyed(Method::DELETE, key).header(IF_MATCH, if_match(*matching)),
    }
}

fn if_match(matching: Matching) -> String {
    match matching {
        Matching::Any => "*".to_owned(),
        Matching::Written(written) => etag(written),
    }
}

/// What a service says of an entity besides its keys and properties.
#[derive(Deserialize)]
struct Written {
    #[serde(rename = "odata.etag")]
    etag: Option<String>,
    #[serde(rename = "Timestamp")]
    timestamp: Option<String>,
}

/// A page; entities stay texts, which have their properties in order.
#[derive(Deserialize)]
struct List {
    value: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct ListedTable {
    #[serde(rename = "TableName")]
    name: String,
}

/// An entity as a service tells it.
fn entity_of(json: &str) -> Result<Entity, StoreError> {
    let unreadable = |why: String| unreadable("a request for entities", why);
    let body = EntityBody::from_json(json).map_err(|error| unreadable(error.to_string()))?;
    let mut entity = body.into_entity().map_err(|error| unreadable(error.to_string()))?;
    let written: Written = serde_json::from_str(json).map_err(|error| unreadable(error.to_string()))?;
    let etag = written.etag.as_deref().and_then(parse_etag);
    let timestamp = etag.or_else(|| written.timestamp.as_deref().and_then(parse_date));
    entity.timestamp = timestamp.ok_or_else(|| unreadable("there is no timestamp".to_owned()))?;
    Ok(entity)
}

fn list_of(body: &Bytes) -> Result<Vec<Box<RawValue>>, StoreError> {
    let list: List = serde_json::from_slice(body).map_err(|error| unreadable("a request for a list", error))?;
    Ok(list.value)
}

fn token(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|token| !token.is_empty()).map(str::to_owned)
}

/// When an entity was written, as its ETag says.
pub(super) fn written(etag: Option<&str>) -> Result<Ticks, StoreError> {
    etag.and_then(parse_etag).ok_or_else(|| unreadable("a write of an entity", "there is no ETag of an entity"))
}

#[async_trait]
impl TableStore for Client {
    async fn create_table(&self, name: &TableName) -> Result<(), TableError> {
        let body = serde_json::json!({ "TableName": name.as_str() }).to_string();
        let post = ask(Method::POST, "Tables").header(PREFER, "return-no-content").body(JSON, body);
        self.exchange(&post).await.map_err(|failed| refused(failed, name, 0))?;
        Ok(())
    }

    async fn delete_table(&self, name: &TableName) -> Result<(), TableError> {
        let delete = ask(Method::DELETE, format!("Tables('{name}')"));
        self.exchange(&delete).await.map_err(|failed| refused_table(failed, name))?;
        Ok(())
    }

    async fn table(&self, name: &TableName) -> Result<TableView, TableError> {
        let get = Ask::new(Service::Table, Method::GET, name.as_str()).with("comp", "acl");
        let response = self.exchange(&get).await.map_err(|failed| refused_table(failed, name))?;
        Ok(TableView { name: name.clone(), access_policies: policies_of(response.body()) })
    }

    async fn set_table(&self, name: &TableName, access_policies: String) -> Result<(), TableError> {
        let put = Ask::new(Service::Table, Method::PUT, name.as_str()).with("comp", "acl");
        let put = put.body("application/xml", access_policies);
        self.exchange(&put).await.map_err(|failed| refused_table(failed, name))?;
        Ok(())
    }

    /// `from` is what the page before gave: the service's own text, not a name.
    async fn list_tables(
        &self,
        from: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<TableView>, Option<String>), TableError> {
        let mut get = ask(Method::GET, "Tables").with_number("$top", limit.clamp(1, MAX_PAGE) as u64);
        if let Some(from) = from {
            get = get.with("NextTableName", from);
        }
        let response = self.exchange(&get).await.map_err(StoreError::from)?;
        let tables = list_of(response.body())?;
        let views = tables.iter().map(|table| {
            let table: ListedTable =
                serde_json::from_str(table.get()).map_err(|error| unreadable("a list of tables", error))?;
            let name = table.name.parse().map_err(|error| unreadable("a list of tables", error))?;
            Ok(TableView { name, access_policies: String::new() })
        });
        let views = views.collect::<Result<Vec<_>, StoreError>>()?;
        Ok((views, token(response.headers(), "x-ms-continuation-nexttablename")))
    }

    async fn entity(&self, table: &TableName, key: &EntityKey) -> Result<Option<Entity>, TableError> {
        let address = Entity { key: key.clone(), timestamp: 0, properties: Vec::new() }.address(table.as_str());
        let get = ask(Method::GET, address).header(ACCEPT, MINIMAL);
        match self.exchange(&get).await {
            Ok(response) => {
                let json = std::str::from_utf8(response.body());
                Ok(Some(entity_of(json.map_err(|error| unreadable("a request for an entity", error))?)?))
            }
            Err(failed) => {
                let error = refused(failed, table, 0);
                if matches!(error, TableError::EntityNotFound { .. }) { Ok(None) } else { Err(error) }
            }
        }
    }

    /// `from` is what the page before gave: the service's own texts, not a key.
    async fn entities(&self, query: &EntitiesQuery) -> Result<EntitiesPage, TableError> {
        let mut get = ask(Method::GET, format!("{}()", query.table)).header(ACCEPT, MINIMAL);
        get = get.with_number("$top", query.limit.clamp(1, MAX_PAGE) as u64);
        if let Some(filter) = &query.filter {
            get = get.with("$filter", filter.to_string());
        }
        if let Some(from) = &query.from {
            get = get.with("NextPartitionKey", from.partition.as_str());
            if !from.row.is_empty() {
                get = get.with("NextRowKey", from.row.as_str());
            }
        }
        let response = self.exchange(&get).await.map_err(|failed| refused_table(failed, &query.table))?;
        let rows = list_of(response.body())?;
        let entities = rows.iter().map(|row| entity_of(row.get())).collect::<Result<Vec<_>, _>>()?;
        let partition = token(response.headers(), "x-ms-continuation-nextpartitionkey");
        let row = token(response.headers(), "x-ms-continuation-nextrowkey").unwrap_or_default();
        Ok(EntitiesPage { entities, next: partition.map(|partition| EntityKey { partition, row }) })
    }

    /// All or nothing only within one partition and up to 100 writes, each of another entity: an account can do no more.
    async fn write_entities(
        &self,
        table: &TableName,
        writes: Vec<EntityWrite>,
    ) -> Result<Vec<Option<Ticks>>, TableError> {
        let [write] = writes.as_slice() else { return batch::write(self, table, &writes).await };
        let response = self.exchange(&write_ask(table, write)).await.map_err(|failed| refused(failed, table, 0))?;
        if matches!(write, EntityWrite::Delete(..)) {
            return Ok(vec![None]);
        }
        let etag = response.headers().get(ETAG).and_then(|value| value.to_str().ok());
        Ok(vec![Some(written(etag)?)])
    }
}
