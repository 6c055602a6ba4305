//! The HTTP management API of Durable Functions: start, look at, list, signal, terminate and purge instances.
//!
//! Owns paths, queries, payloads, status codes and the order of checks. Everything that changes an instance goes through the
//! [`DurableClient`] port; what needs no decision (lists, histories, purges) goes straight to the store.

mod body;
mod history;
mod moment;
mod operations;
mod purge;
mod query;
pub(crate) mod reply;
mod route;
mod status;
mod uris;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use uris::ManagementUris;

use http::Request;
use http::request::Parts;
use percent_encoding::{CONTROLS, utf8_percent_encode};
use ports::{Body, Clock, DurableClient, InstanceStore};
use query::Query;
use reply::{Refusal, Reply};
use route::Operation;
use std::sync::Arc;
use triggers::http::OriginPolicy;

/// What the API needs to be served.
pub(crate) struct Management {
    /// Starts and steers instances.
    pub(crate) client: Arc<dyn DurableClient>,
    /// Lists, histories and purges.
    pub(crate) store: Arc<dyn InstanceStore>,
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
}

impl Management {
    /// Whether requests for this path are the API's to answer.
    pub(crate) fn owns(path: &str) -> bool {
        route::below_base(path).is_some()
    }

    /// Answers one request. What is no operation is answered with 404 and no body.
    pub(crate) async fn handle(&self, request: Request<Body>) -> Reply {
        let (head, body) = request.into_parts();
        match self.answer(head, body).await {
            Ok(reply) => reply,
            Err(refusal) => {
                if let Refusal::Failed(why) = &refusal {
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
            Operation::Status { id } => self.status(&call, &id).await,
            Operation::List => self.list(&call).await,
            Operation::RaiseEvent { id, event } => self.raise_event(&call, body, &id, &event).await,
            Operation::Terminate { id } => self.terminate(&call, &id).await,
            Operation::Purge { id } => self.purge(&call, &id).await,
            Operation::PurgeMany => self.purge_many(&call).await,
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
