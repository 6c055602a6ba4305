//! Entities: reading one, listing them, and telling one to do something.

use super::reply::{self, Refusal, Reply};
use super::{Call, Management, body};
use http::StatusCode;
use orchestration::{EntityId, Json};
use ports::{Body, EntityQuery, EntityView};
use serde::Serialize;

use super::status::Embedded;

use crate::moment;

/// What `DELETE` tells an entity to do; every entity knows it.
const DELETE: &str = "delete";

/// An entity in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    entity_id: Id<'a>,
    last_operation_time: String,
    /// Only there when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Embedded<'a>>,
}

#[derive(Serialize)]
struct Id<'a> {
    name: &'a str,
    key: &'a str,
}

impl<'a> Listed<'a> {
    fn new(view: &'a EntityView) -> Listed<'a> {
        Listed {
            entity_id: Id { name: view.id.name(), key: view.id.key() },
            last_operation_time: moment::to_second(view.last_operation_at),
            state: view.state.as_ref().map(Embedded::of),
        }
    }
}

impl Management {
    pub(super) async fn read_entity(&self, name: &str, key: &str) -> Result<Reply, Refusal> {
        let entity = parse(name, key)?;
        match self.client.read_entity(&entity).await?.and_then(|view| view.state) {
            Some(state) => Ok(reply::text(StatusCode::OK, "application/json", state.as_str().to_owned())),
            None => Err(Refusal::UnknownEntity(entity.to_string())),
        }
    }

    pub(super) async fn list_entities(&self, call: &Call, name: Option<String>) -> Result<Reply, Refusal> {
        let query = &call.query;
        let page = self
            .client
            .query_entities(&EntityQuery {
                name,
                last_operation_from: query.moment("lastOperationTimeFrom"),
                last_operation_to: query.moment("lastOperationTimeTo"),
                with_state: query.flag("fetchState", false),
                with_transient: false,
                page_size: call.page_size(),
                after: call.continuation_token(),
            })
            .await?;
        let listed: Vec<_> = page.entities.iter().map(Listed::new).collect();
        Ok(reply::page(&listed, page.next.as_ref()))
    }

    pub(super) async fn signal_entity(
        &self,
        call: &Call,
        payload: Body,
        name: &str,
        key: &str,
    ) -> Result<Reply, Refusal> {
        let entity = parse(name, key)?;
        let text = self.read_text(call, payload).await?;
        let headers = &call.head.headers;
        let input = if text.is_empty() {
            Json::null()
        } else if body::says_json(headers) {
            body::json(text).map_err(Refusal::InvalidEntityJson)?
        } else {
            // Whatever else it is, it is text to the entity; a string is always JSON.
            Json::new(serde_json::Value::from(text).to_string())
        };
        let operation = call.query.text("op").unwrap_or_default().to_owned();
        self.client.signal_entity(entity, operation, input, None).await?;
        Ok(reply::empty(StatusCode::ACCEPTED))
    }

    pub(super) async fn delete_entity(&self, name: &str, key: &str) -> Result<Reply, Refusal> {
        self.client.signal_entity(parse(name, key)?, DELETE.to_owned(), Json::null(), None).await?;
        Ok(reply::empty(StatusCode::ACCEPTED))
    }
}

fn parse(name: &str, key: &str) -> Result<EntityId, Refusal> {
    EntityId::parse(name, key).map_err(|why| Refusal::Argument(format!("the entity '@{name}@{key}': {why}")))
}
