//! The HTTP management API of Durable Functions: start, look at, list, steer and purge instances, and entities.
//!
//! Owns paths, queries, payloads, status codes and the order of checks. Everything that changes an instance goes through the
//! [`DurableClient`] port; what needs no decision (lists, histories, purges) goes straight to the store. `openapi.json` beside
//! this file describes every operation; it is served as it is.

mod addressee;
mod body;
mod entities;
mod explain;
mod history;
mod looks;
mod messages;
mod purge;
mod query;
pub(crate) mod reply;
mod route;
mod starts;
mod status;
mod uris;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use addressee::Addressee;
pub(crate) use explain::Explainer;
pub(crate) use route::BASE_PATH;
pub(crate) use uris::ManagementUris;

use http::request::Parts;
use http::{HeaderName, Request, StatusCode};
use orchestration::InstanceId;
use percent_encoding::{CONTROLS, percent_decode_str, utf8_percent_encode};
use ports::{Body, Clock, DurableClient, InstanceStore, PageToken};
use query::Query;
use reply::{Refusal, Reply};
use route::{Action, Operation};
use std::sync::Arc;
use triggers::http::OriginPolicy;

/// The description of the API, in OpenAPI 3.1.
const OPENAPI: &str = include_str!("openapi.json");

/// The most instances in one page: their inputs, outputs and statuses are in memory together.
const MAX_PAGE: usize = 1_000;

/// A caller's own name for a request that it may send twice.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What the API needs to be served.
pub(crate) struct Management {
    /// Starts and steers instances.
    pub(crate) client: Arc<dyn DurableClient>,
    /// Lists, histories and purges.
    pub(crate) store: Arc<dyn InstanceStore>,
    /// Tells what an instance is doing.
    pub(crate) explainer: Arc<dyn Explainer>,
    /// Tells what "until now" means for a purge, and when a payload takes too long.
    pub(crate) clock: Arc<dyn Clock>,
    /// Makes the URIs in answers; knows the task hub's name.
    pub(crate) uris: ManagementUris,
    /// Where requests were sent to.
    pub(crate) origins: OriginPolicy,
    /// Longest request body, in bytes: `host.durableTask.maxPayloadBytes`.
    pub(crate) max_payload_bytes: usize,
    /// Whether histories show the arguments of activities: `host.durableTask.storeInputsInOrchestrationHistory`.
    pub(crate) show_activity_inputs: bool,
}

/// One request on its way through an operation.
struct Call {
    head: Parts,
    query: Query,
    /// Scheme and authority that URIs in the answer begin with.
    origin: String,
}

impl Call {
    /// The URI of the request itself, absolute, and in ASCII also where the caller's was not.
    fn own_uri(&self) -> String {
        let target = self.head.uri.path_and_query().map_or("", |target| target.as_str());
        format!("{}{}", self.origin, utf8_percent_encode(target, CONTROLS))
    }

    /// How much of a list is wanted at once; 0: as much as the store thinks right.
    fn page_size(&self) -> usize {
        self.query.count("top").map_or(0, |top| top.min(MAX_PAGE))
    }

    /// Where the caller wants a list to go on. Clients send the header back as they got it, some as `null` at the end.
    fn continuation_token(&self) -> Option<PageToken> {
        let text = self.head.headers.get(reply::CONTINUATION_TOKEN)?.to_str().ok()?.trim();
        if text.is_empty() || text == "null" {
            return None;
        }
        Some(PageToken(percent_decode_str(text).decode_utf8().ok()?.into_owned()))
    }

    /// The header `Idempotency-Key`. One that cannot be read is refused: whoever sends it relies on it.
    fn idempotency_key(&self) -> Result<Option<String>, Refusal> {
        let Some(value) = self.head.headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
        match value.to_str().map(str::trim) {
            Ok(key) if !key.is_empty() => Ok(Some(key.to_owned())),
            Ok(_) | Err(_) => {
                let why = "the header Idempotency-Key is empty or not of visible ASCII characters";
                Err(Refusal::Argument(why.to_owned()))
            }
        }
    }
}

impl Management {
    /// Whether requests for this path are the API's to answer.
    pub(crate) fn owns(path: &str) -> bool {
        route::below_base(path).is_some()
    }

    /// Whether the task hub has an instance of that id; none: that cannot be told at the moment.
    pub(crate) async fn has(&self, id: &str) -> Option<bool> {
        let Ok(id) = InstanceId::parse(id) else { return Some(false) };
        self.store.read(&id, false).await.ok().map(|found| found.is_some())
    }

    /// Answers one request. What is no operation is answered with 404 and no body.
    pub(crate) async fn handle(&self, request: Request<Body>) -> Reply {
        let (head, body) = request.into_parts();
        match self.answer(head, body).await {
            Ok(reply) => reply,
            Err(refusal) => {
                if let Refusal::Failed(why) | Refusal::Unavailable(why) = &refusal {
                    tracing::warn!(%why, "a management operation failed");
                }
                reply::refused(&refusal)
            }
        }
    }

    async fn answer(&self, head: Parts, body: Body) -> Result<Reply, Refusal> {
        let operation = route::find(&head.method, head.uri.path()).ok_or(Refusal::Unmatched)?;
        let origin = self.origins.of(&head).map_err(|error| Refusal::Argument(error.to_string()))?.to_string();
        let query = Query::parse(head.uri.query());
        self.check_task_hub(&query)?;
        let call = Call { head, query, origin };
        match operation {
            Operation::Start { function, instance_id } => self.start(&call, body, function, instance_id).await,
            Operation::ListEntities { name } => self.list_entities(&call, name).await,
            Operation::ReadEntity { name, key } => self.read_entity(&name, &key).await,
            Operation::SignalEntity { name, key } => self.signal_entity(&call, body, &name, &key).await,
            Operation::DeleteEntity { name, key } => self.delete_entity(&name, &key).await,
            Operation::List => self.list(&call).await,
            Operation::PurgeMany => self.purge_many(&call).await,
            Operation::Instance { id, action } => self.act(&call, body, &id, action).await,
            // There is one host on a task hub, and this is it.
            Operation::MakePrimary => Ok(reply::empty(StatusCode::OK)),
            Operation::OpenApi => Ok(reply::text(StatusCode::OK, "application/json", OPENAPI)),
        }
    }

    async fn act(&self, call: &Call, body: Body, id: &str, action: Action) -> Result<Reply, Refusal> {
        match action {
            Action::Status => self.status(call, id).await,
            Action::Purge => self.purge(call, id).await,
            Action::RaiseEvent { event } => self.raise_event(call, body, id, event).await,
            Action::Terminate => self.terminate(call, id).await,
            Action::Suspend => self.suspend(call, id).await,
            Action::Resume => self.resume(call, id).await,
            Action::Rewind => self.rewind(call, id).await,
            Action::Restart => self.restart(call, id).await,
            Action::Explain => self.explain(id).await,
            Action::History => self.history(id).await,
        }
    }

    /// A caller that means another task hub must not change this one.
    fn check_task_hub(&self, query: &Query) -> Result<(), Refusal> {
        match query.text("taskHub") {
            Some(named) if !named.eq_ignore_ascii_case(&self.uris.task_hub) => Err(Refusal::Argument(format!(
                "the task hub '{named}' is not served here; this host serves '{}'",
                self.uris.task_hub
            ))),
            Some(_) | None => Ok(()),
        }
    }
}
