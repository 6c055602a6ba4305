//! Blobs: putting, getting, removing them, their properties and leases.

use super::lease::{Action, Lease, Of};
use super::record::{Record, blob_name, change, read};
use super::{BLOB_NOT_FOUND, conditions, containers, not_here};
use crate::endpoint::answer::{self, Answer};
use crate::endpoint::call::Call;
use crate::endpoint::error::{ErrorCode, ServiceError, code};
use crate::endpoint::{Components, metadata};
use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{Method, StatusCode};
use ports::Metadata;

const INVALID_RANGE: ErrorCode =
    ErrorCode::new(416, "InvalidRange", "The range specified is invalid for the current size of the resource.");

/// Headers that readers get back, and those under which writers set them, besides `x-ms-blob-` with the same name.
const KEPT_HEADERS: &[&str] =
    &["content-type", "content-encoding", "content-language", "content-md5", "cache-control", "content-disposition"];

/// Answers what a request asks of one blob.
pub(super) async fn answer(
    components: &Components,
    container: &str,
    blob: &str,
    call: &Call,
) -> Result<Answer, ServiceError> {
    let name = blob_name(container, blob);
    for parameter in ["snapshot", "versionid"] {
        if call.query.get(parameter).is_some() {
            return Err(not_here(parameter));
        }
    }
    match (call.query.get("comp"), &call.method) {
        (None, &Method::PUT) => put(components, container, &name, call).await,
        (None, &Method::GET | &Method::HEAD) => get(components, container, &name, call).await,
        (Some("metadata"), &Method::GET | &Method::HEAD) => {
            let record = existing(components, container, &name).await?;
            check_read(call, &record)?;
            let mut answer = answer::empty(StatusCode::OK);
            record.put_state(&mut answer);
            metadata::put(&mut answer, &record.properties.metadata);
            Ok(answer)
        }
        (None, &Method::DELETE) => delete(components, container, &name, call).await,
        (Some("metadata"), &Method::PUT) => {
            let metadata = metadata::from_headers(&call.headers)?;
            update(components, container, &name, call, |record| record.properties.metadata = metadata.clone()).await
        }
        (Some("properties"), &Method::PUT) => {
            let headers = kept_headers(call, false);
            update(components, container, &name, call, |record| record.properties.headers = headers.clone()).await
        }
        (Some("lease"), &Method::PUT) => {
            containers::existing(components, container).await?;
            lease(components, &name, BLOB_NOT_FOUND, call).await
        }
        (None | Some("metadata" | "properties" | "lease"), _) => Err(call.unsupported_method()),
        (Some(comp), _) => Err(not_here(&format!("comp={comp}"))),
    }
}

/// The blob, or that it or its container is not there.
async fn existing(components: &Components, container: &str, name: &str) -> Result<Record, ServiceError> {
    match read(components, name).await? {
        Some(record) => Ok(record),
        None => {
            containers::existing(components, container).await?;
            Err(BLOB_NOT_FOUND.because(""))
        }
    }
}

fn kept_headers(call: &Call, with_plain: bool) -> Metadata {
    let value = |name: &str| {
        let set = call.header(&["x-ms-blob-", name].concat());
        let plain = if with_plain { call.header(name) } else { None };
        set.or(plain).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let kept = KEPT_HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?)));
    let mut headers: Metadata = kept.collect();
    headers.entry("content-type".to_owned()).or_insert_with(|| "application/octet-stream".to_owned());
    headers
}

async fn put(components: &Components, container: &str, name: &str, call: &Call) -> Result<Answer, ServiceError> {
    match call.header("x-ms-blob-type") {
        Some("BlockBlob") => {}
        Some(other) => return Err(not_here(other)),
        None => return Err(code::MISSING_REQUIRED_HEADER.because("").with("HeaderName", "x-ms-blob-type")),
    }
    if call.header("x-ms-copy-source").is_some() {
        return Err(not_here("x-ms-copy-source"));
    }
    containers::existing(components, container).await?;
    let (metadata, headers) = (metadata::from_headers(&call.headers)?, kept_headers(call, true));
    let answer = change(components, name, |there| {
        conditions::check_write(call, there.as_ref())?;
        let before = there.map(|there| there.properties);
        let lease = before.as_ref().and_then(|before| before.lease.clone());
        Lease::check(lease.as_ref(), call.header("x-ms-lease-id"), true, Of::Blob, call.now)?;
        let mut record = Record::new(components, call.now);
        record.properties.created = before.map_or(record.properties.created, |before| before.created);
        record.properties.metadata = metadata.clone();
        record.properties.headers = headers.clone();
        // A lease that nobody holds any more ends with the first write.
        record.properties.lease = lease.filter(|lease| Lease::phase(Some(lease), call.now).is_locked());
        record.content = call.body.to_vec();
        let mut answer = answer::empty(StatusCode::CREATED);
        record.put_state(&mut answer);
        answer::put(&mut answer, HeaderName::from_static("x-ms-request-server-encrypted"), "false");
        Ok((Some(record), answer))
    })
    .await?;
    // Whoever removed the container meanwhile may have missed this blob.
    if let Err(error) = containers::existing(components, container).await {
        change(components, name, |_| Ok((None, ()))).await?;
        return Err(error);
    }
    Ok(answer)
}

fn check_read(call: &Call, record: &Record) -> Result<(), ServiceError> {
    conditions::check_read(call, record)?;
    Lease::check(record.properties.lease.as_ref(), call.header("x-ms-lease-id"), false, Of::Blob, call.now)
}

async fn get(components: &Components, container: &str, name: &str, call: &Call) -> Result<Answer, ServiceError> {
    let record = existing(components, container, name).await?;
    check_read(call, &record)?;
    let len = record.content.len();
    let asked = call.header("x-ms-range").or_else(|| call.header("range")).and_then(parse_range);
    let mut answer = answer::empty(StatusCode::OK);
    record.put_all(&mut answer, call.now);
    answer::put(&mut answer, HeaderName::from_static("x-ms-blob-type"), "BlockBlob");
    let created = orchestration::Timestamp::from_ticks(record.properties.created);
    answer::put(&mut answer, HeaderName::from_static("x-ms-creation-time"), &crate::dates::rfc1123(created));
    answer::put(&mut answer, header::ACCEPT_RANGES, "bytes");
    if call.method == Method::HEAD {
        answer::put(&mut answer, header::CONTENT_LENGTH, &len.to_string());
        return Ok(answer);
    }
    let content = Bytes::from(record.content);
    let Some((first, last)) = asked else {
        *answer.body_mut() = content;
        return Ok(answer);
    };
    if first >= len {
        return Err(INVALID_RANGE.because("").header(header::CONTENT_RANGE, &format!("bytes */{len}")));
    }
    let end = last.map_or(len, |last| last.saturating_add(1).min(len));
    answer::put(&mut answer, header::CONTENT_RANGE, &format!("bytes {first}-{}/{len}", end - 1));
    // The hash is of the whole.
    if let Some(hash) = answer.headers_mut().remove("content-md5") {
        answer.headers_mut().insert(HeaderName::from_static("x-ms-blob-content-md5"), hash);
    }
    *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    *answer.body_mut() = content.slice(first..end);
    Ok(answer)
}

/// `bytes=first-last` and `bytes=first-`; other forms count as none, as in Azure.
fn parse_range(text: &str) -> Option<(usize, Option<usize>)> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok()?;
    match last {
        "" => Some((first, None)),
        last => last.parse().ok().filter(|last| *last >= first).map(|last| (first, Some(last))),
    }
}

async fn update(
    components: &Components,
    container: &str,
    name: &str,
    call: &Call,
    edit: impl Fn(&mut Record) + Send + Sync,
) -> Result<Answer, ServiceError> {
    containers::existing(components, container).await?;
    change(components, name, |there| {
        let mut record = there.ok_or_else(|| BLOB_NOT_FOUND.because(""))?;
        conditions::check_write(call, Some(&record))?;
        Lease::check(record.properties.lease.as_ref(), call.header("x-ms-lease-id"), true, Of::Blob, call.now)?;
        edit(&mut record);
        record.touch(components, call.now);
        let mut answer = answer::empty(StatusCode::OK);
        record.put_state(&mut answer);
        Ok((Some(record), answer))
    })
    .await
}

async fn delete(components: &Components, container: &str, name: &str, call: &Call) -> Result<Answer, ServiceError> {
    containers::existing(components, container).await?;
    change(components, name, |there| {
        let record = there.ok_or_else(|| BLOB_NOT_FOUND.because(""))?;
        conditions::check_write(call, Some(&record))?;
        Lease::check(record.properties.lease.as_ref(), call.header("x-ms-lease-id"), true, Of::Blob, call.now)?;
        Ok((None, ()))
    })
    .await?;
    let mut answer = answer::empty(StatusCode::ACCEPTED);
    answer::put(&mut answer, HeaderName::from_static("x-ms-delete-type-permanent"), "true");
    Ok(answer)
}

/// Does an action on the lease of a blob or container.
pub(super) async fn lease(
    components: &Components,
    name: &str,
    missing: ErrorCode,
    call: &Call,
) -> Result<Answer, ServiceError> {
    let new_id = || uuid::Builder::from_random_bytes(components.randomness.next_u128().to_be_bytes()).into_uuid();
    let action = Action::from_request(call, || new_id().to_string())?;
    change(components, name, |there| {
        let mut record = there.ok_or_else(|| missing.because(""))?;
        conditions::check_write(call, Some(&record))?;
        let outcome = Lease::act(record.properties.lease.take(), &action, call.now)?;
        record.properties.lease = outcome.lease;
        let mut answer = answer::empty(StatusCode::from_u16(outcome.status).unwrap_or(StatusCode::OK));
        record.put_state(&mut answer);
        if let Some(id) = outcome.id {
            answer::put(&mut answer, HeaderName::from_static("x-ms-lease-id"), &id);
        }
        if let Some(seconds) = outcome.remaining {
            answer::put(&mut answer, HeaderName::from_static("x-ms-lease-time"), &seconds.to_string());
        }
        Ok((Some(record), answer))
    })
    .await
}
