//! The blob service, as far as hosts and small state need it: block blobs that fit into one document, and leases.
//!
//! A container is a document `blob-containers/{container}`, a blob a document `blobs/{container}/{blob}`. Blocks, pages, appends,
//! copies, snapshots and versions are not there, and say so.

mod blobs;
mod conditions;
mod containers;
mod lease;
mod list;
mod record;

use super::Components;
use super::answer::{self, Answer};
use super::call::{Call, unescaped};
use super::error::{ErrorCode, ServiceError, code};
use http::{HeaderName, Method, StatusCode};
use ports::Document;
use storage_model::{InvalidName, QueueName};

/// Largest body of a request: a document without the room for a blob's properties.
pub(super) const MAX_BODY_BYTES: usize = Document::MAX_BYTES - record::MAX_PROPERTIES_BYTES;
/// As in Azure.
const MAX_NAME_CHARS: usize = 1_024;

/// Answers one request to the blob service.
pub(super) async fn answer(components: &Components, call: &Call) -> Result<Answer, ServiceError> {
    let (container, blob) = call.path.split_once('/').unwrap_or((&call.path, ""));
    if container.is_empty() {
        return account(components, call).await;
    }
    let container = parse_container(container)?;
    if blob.is_empty() {
        return containers::answer(components, &container, call).await;
    }
    let blob = unescaped(blob)?;
    if blob.chars().count() > MAX_NAME_CHARS {
        return Err(code::OUT_OF_RANGE_INPUT.because("A blob's name has at most 1,024 characters."));
    }
    blobs::answer(components, &container, &blob, call).await
}

async fn account(components: &Components, call: &Call) -> Result<Answer, ServiceError> {
    match (call.query.get("restype"), call.query.get("comp")) {
        (None, Some("list")) if call.method == Method::GET => list::containers(components, call).await,
        (Some("account"), Some("properties")) if matches!(call.method, Method::GET | Method::HEAD) => {
            let mut answer = answer::empty(StatusCode::OK);
            answer::put(&mut answer, HeaderName::from_static("x-ms-sku-name"), "Standard_RAGRS");
            answer::put(&mut answer, HeaderName::from_static("x-ms-account-kind"), "StorageV2");
            Ok(answer)
        }
        (None, Some("list")) | (Some("account"), Some("properties")) => Err(call.unsupported_method()),
        _ => Err(code::INVALID_QUERY_PARAMETER_VALUE
            .because("")
            .with("QueryParameterName", "comp")
            .with("QueryParameterValue", call.query.get("comp").unwrap_or(""))),
    }
}

/// Containers have the names that queues have.
fn parse_container(part: &str) -> Result<String, ServiceError> {
    let name = unescaped(part)?;
    match name.parse::<QueueName>() {
        Ok(_) => Ok(name.into_owned()),
        Err(error @ InvalidName::Length { .. }) => Err(code::OUT_OF_RANGE_INPUT.because(&error.to_string())),
        Err(InvalidName::Queue | InvalidName::Table | InvalidName::Reserved) => Err(code::INVALID_RESOURCE_NAME.because(
            "A container's name is made of lower-case letters, digits and single hyphens, and begins and ends with a letter or digit.",
        )),
    }
}

const CONTAINER_NOT_FOUND: ErrorCode =
    ErrorCode::new(404, "ContainerNotFound", "The specified container does not exist.");
const BLOB_NOT_FOUND: ErrorCode = ErrorCode::new(404, "BlobNotFound", "The specified blob does not exist.");
const CONDITION_NOT_MET: ErrorCode =
    ErrorCode::new(412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.");

/// The operation is none of this subset.
fn not_here(what: &str) -> ServiceError {
    code::NOT_IMPLEMENTED.because(&format!("{what} is not part of this endpoint's blobs."))
}
