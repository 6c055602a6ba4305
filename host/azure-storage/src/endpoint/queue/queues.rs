//! Queues as such: making, listing, removing them, and what is kept with them.

use super::refused;
use crate::endpoint::answer::{self, Answer};
use crate::endpoint::call::Call;
use crate::endpoint::error::{ErrorCode, ServiceError, code};
use crate::endpoint::{access_policies, metadata};
use crate::xml::Writer;
use http::{HeaderName, Method, StatusCode};
use ports::{QueueCreated, QueuePage, QueueStore};
use storage_model::QueueName;

/// Most queues in one page of a list, and how many there are when the client does not say.
const MAX_PAGE: i64 = 5_000;

const APPROXIMATE_MESSAGES: HeaderName = HeaderName::from_static("x-ms-approximate-messages-count");
const INVALID_MARKER: ErrorCode = ErrorCode::new(400, "InvalidMarker", "The specified marker is invalid.");

/// Answers what a request asks of one queue.
pub(super) async fn answer(queues: &dyn QueueStore, name: &QueueName, call: &Call) -> Result<Answer, ServiceError> {
    match (call.query.get("comp"), &call.method) {
        (None, &Method::PUT) => create(queues, name, call).await,
        (None, &Method::DELETE) => {
            queues.delete_queue(name).await.map_err(refused)?;
            Ok(answer::empty(StatusCode::NO_CONTENT))
        }
        (Some("metadata"), &Method::GET | &Method::HEAD) => {
            let view = queues.queue(name).await.map_err(refused)?;
            let mut answer = answer::empty(StatusCode::OK);
            answer::put(&mut answer, APPROXIMATE_MESSAGES, &view.messages.to_string());
            metadata::put(&mut answer, &view.metadata);
            Ok(answer)
        }
        (Some("metadata"), &Method::PUT) => {
            let metadata = metadata::from_headers(&call.headers)?;
            queues.set_queue(name, Some(metadata), None).await.map_err(refused)?;
            Ok(answer::empty(StatusCode::NO_CONTENT))
        }
        (Some("acl"), &Method::GET | &Method::HEAD) => {
            let view = queues.queue(name).await.map_err(refused)?;
            Ok(access_policies::answer(&view.access_policies))
        }
        (Some("acl"), &Method::PUT) => {
            let policies = access_policies::from_request(&call.body)?;
            queues.set_queue(name, None, Some(policies)).await.map_err(refused)?;
            Ok(answer::empty(StatusCode::NO_CONTENT))
        }
        (None | Some("metadata" | "acl"), _) => Err(call.unsupported_method()),
        (Some(_), _) => Err(unknown_comp(call)),
    }
}

fn unknown_comp(call: &Call) -> ServiceError {
    code::INVALID_QUERY_PARAMETER_VALUE
        .because("")
        .with("QueryParameterName", "comp")
        .with("QueryParameterValue", call.query.get("comp").unwrap_or(""))
}

async fn create(queues: &dyn QueueStore, name: &QueueName, call: &Call) -> Result<Answer, ServiceError> {
    let metadata = metadata::from_headers(&call.headers)?;
    let created = queues.create_queue(name, metadata).await.map_err(refused)?;
    Ok(answer::empty(match created {
        QueueCreated::Yes => StatusCode::CREATED,
        QueueCreated::Exists => StatusCode::NO_CONTENT,
    }))
}

/// One page of the account's queues.
pub(super) async fn list(queues: &dyn QueueStore, call: &Call) -> Result<Answer, ServiceError> {
    if !call.query.is("comp", "list") {
        return Err(unknown_comp(call));
    }
    if call.method != Method::GET {
        return Err(call.unsupported_method());
    }
    let asked = call.query.number("maxresults", 1, i64::MAX)?;
    let limit = usize::try_from(asked.unwrap_or(MAX_PAGE).min(MAX_PAGE)).unwrap_or(1);
    let prefix = call.query.get("prefix").unwrap_or("");
    let marker = call.query.get("marker").filter(|marker| !marker.is_empty());
    if marker.is_some_and(|marker| marker.parse::<QueueName>().is_err()) {
        return Err(INVALID_MARKER.because(""));
    }
    let page = queues.list_queues(prefix, marker, limit).await.map_err(refused)?;
    Ok(answer::xml(StatusCode::OK, document(&page, call, asked)))
}

fn document(page: &QueuePage, call: &Call, asked: Option<i64>) -> String {
    let with_metadata = call
        .query
        .get("include")
        .is_some_and(|included| included.split(',').any(|part| part.eq_ignore_ascii_case("metadata")));
    let mut writer = Writer::with_capacity(256 + 64 * page.queues.len());
    writer.open_with("EnumerationResults", [("ServiceEndpoint", [&call.base_url, "/"].concat().as_str())]);
    for (element, parameter) in [("Prefix", "prefix"), ("Marker", "marker")] {
        if let Some(value) = call.query.get(parameter).filter(|value| !value.is_empty()) {
            writer.element(element, value);
        }
    }
    if let Some(number) = asked.and_then(|number| u64::try_from(number).ok()) {
        writer.number("MaxResults", number);
    }
    writer.open("Queues");
    for queue in &page.queues {
        writer.open("Queue");
        writer.element("Name", queue.name.as_str());
        if with_metadata {
            writer.open("Metadata");
            queue.metadata.iter().for_each(|(name, value)| writer.element(name, value));
            writer.close("Metadata");
        }
        writer.close("Queue");
    }
    writer.close("Queues");
    writer.element("NextMarker", page.next.as_deref().unwrap_or(""));
    writer.close("EnumerationResults");
    writer.finish()
}
