//! Changes of entities: from a request to what a store is asked to write, and from what it wrote to an answer.
//!
//! Alone or in a batch, a change is the same.

use super::errors::unkept;
use super::representation::{Preference, Root, json, json_body, level};
use super::resource::Resource;
use crate::endpoint::answer::{self, Answer};
use crate::endpoint::error::{ServiceError, code};
use http::header::HeaderName;
use http::{HeaderMap, Method, StatusCode, header};
use ports::{EntityWrite, Matching, Rest};
use storage_model::{Entity, EntityBody, EntityKey, MetadataLevel, TableName, Ticks, etag, parse_etag};

const DATA_SERVICE_ID: HeaderName = HeaderName::from_static("dataserviceid");

/// One change that a request asks for.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Change {
    pub(super) table: TableName,
    pub(super) write: EntityWrite,
    pub(super) reply: Reply,
}

/// How a change is answered once it is done.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Reply {
    /// With what was inserted, or at least where it is.
    Inserted { entity: Box<Entity>, level: MetadataLevel, preference: Preference },
    /// With the new ETag.
    Written,
    /// With nothing.
    Deleted,
}

impl Change {
    /// Reads a request whose path names entities or one entity. The entity is checked against the limits of tables.
    pub(super) fn from_request(
        method: &Method,
        resource: Resource,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Change, ServiceError> {
        let unsupported = || code::UNSUPPORTED_HTTP_VERB.because(&format!("The method was {method}."));
        match (resource, method.as_str()) {
            (Resource::Entities(table), "POST") => insertion(table, headers, body),
            (Resource::Entity(table, key), "PUT") => replacement((table, key), Rest::Replaced, headers, body),
            (Resource::Entity(table, key), "PATCH" | "MERGE") => replacement((table, key), Rest::Merged, headers, body),
            (Resource::Entity(table, key), "DELETE") => {
                let matching = if_match(headers)?.ok_or_else(|| {
                    code::MISSING_REQUIRED_HEADER
                        .because("Deleting asks for If-Match: an ETag, or * for any.")
                        .with("HeaderName", "If-Match")
                })?;
                Ok(Change { table, write: EntityWrite::Delete(key, matching), reply: Reply::Deleted })
            }
            (Resource::Batch | Resource::Tables | Resource::TableEntry(_), _) => {
                Err(code::INVALID_INPUT.because("Only entities can be changed here."))
            }
            (Resource::Entities(_) | Resource::Entity(..), _) => Err(unsupported()),
        }
    }
}

fn insertion(table: TableName, headers: &HeaderMap, body: &[u8]) -> Result<Change, ServiceError> {
    let level = level(headers, None)?;
    let body = EntityBody::from_json(json_body(headers, body)?);
    let entity = checked(body.and_then(EntityBody::into_entity))?;
    let reply = Reply::Inserted { entity: Box::new(entity.clone()), level, preference: Preference::of(headers) };
    Ok(Change { table, write: EntityWrite::Insert(entity), reply })
}

fn replacement(
    (table, key): (TableName, EntityKey),
    rest: Rest,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Change, ServiceError> {
    let body = EntityBody::from_json(json_body(headers, body)?);
    let entity = checked(body.map(|body| body.with_key(key)))?;
    let write = match if_match(headers)? {
        Some(matching) => EntityWrite::Update(entity, rest, matching),
        None => EntityWrite::Upsert(entity, rest),
    };
    Ok(Change { table, write, reply: Reply::Written })
}

fn checked(entity: Result<Entity, storage_model::InvalidEntity>) -> Result<Entity, ServiceError> {
    let entity = entity.and_then(|entity| entity.validate().map(|()| entity));
    entity.map_err(|error| unkept(&error))
}

fn if_match(headers: &HeaderMap) -> Result<Option<Matching>, ServiceError> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    match value.to_str().unwrap_or("").trim() {
        "*" => Ok(Some(Matching::Any)),
        text => match parse_etag(text) {
            Some(written) => Ok(Some(Matching::Written(written))),
            None => Err(code::INVALID_INPUT
                .because(&format!("The etag value '{text}' specified in one of the request headers is not valid."))),
        },
    }
}

impl Reply {
    /// The answer; `written` is the timestamp that the store gave the entity.
    pub(super) fn answer(self, root: Root<'_>, table: &TableName, written: Option<Ticks>) -> Answer {
        let mut answer = match self {
            Reply::Inserted { mut entity, level, preference } => {
                entity.timestamp = written.unwrap_or_default();
                inserted(&entity, level, preference, root, table)
            }
            Reply::Written | Reply::Deleted => answer::empty(StatusCode::NO_CONTENT),
        };
        if let Some(written) = written {
            answer::put(&mut answer, header::ETAG, &etag(written));
        }
        answer
    }
}

fn inserted(
    entity: &Entity,
    level: MetadataLevel,
    preference: Preference,
    root: Root<'_>,
    table: &TableName,
) -> Answer {
    let address = format!("{}/{}", root.url, entity.address(table.as_str()));
    let mut answer = match preference {
        Preference::NoContent => answer::empty(StatusCode::NO_CONTENT),
        Preference::Content | Preference::Unsaid => {
            json(StatusCode::CREATED, level, entity.to_json(&root.form(level, table.as_str())))
        }
    };
    if preference == Preference::NoContent {
        answer::put(&mut answer, DATA_SERVICE_ID, &address);
    }
    preference.confirm(&mut answer);
    answer::put(&mut answer, header::LOCATION, &address);
    answer
}
