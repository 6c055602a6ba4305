//! Containers as such: making, removing them, and what is kept with them.

use super::lease::{Lease, Of};
use super::record::{self, BLOBS, Record, change, container_name, read};
use super::{CONTAINER_NOT_FOUND, blobs, conditions, list};
use crate::endpoint::answer::{self, Answer};
use crate::endpoint::call::Call;
use crate::endpoint::error::{ErrorCode, ServiceError, code};
use crate::endpoint::{Components, access_policies, metadata};
use http::{HeaderName, Method, StatusCode};
use ports::{DocumentError, DocumentWrite, Expecting};

const ALREADY_EXISTS: ErrorCode =
    ErrorCode::new(409, "ContainerAlreadyExists", "The specified container already exists.");
/// How many blobs go with each write when their container does.
const PAGE: usize = 32;

/// Answers what a request asks of one container.
pub(super) async fn answer(components: &Components, container: &str, call: &Call) -> Result<Answer, ServiceError> {
    if !call.query.is("restype", "container") {
        return Err(code::INVALID_QUERY_PARAMETER_VALUE
            .because("The path names a container; a request to one has restype=container.")
            .with("QueryParameterName", "restype")
            .with("QueryParameterValue", call.query.get("restype").unwrap_or("")));
    }
    match (call.query.get("comp"), &call.method) {
        (None, &Method::PUT) => create(components, container, call).await,
        (None, &Method::DELETE) => delete(components, container, call).await,
        (None | Some("metadata"), &Method::GET | &Method::HEAD) => {
            let record = existing(components, container).await?;
            Lease::check(
                record.properties.lease.as_ref(),
                call.header("x-ms-lease-id"),
                false,
                Of::Container,
                call.now,
            )?;
            let mut answer = answer::empty(StatusCode::OK);
            record.put_all(&mut answer, call.now);
            Ok(answer)
        }
        (Some("metadata"), &Method::PUT) => {
            let metadata = metadata::from_headers(&call.headers)?;
            update(components, container, call, |record| record.properties.metadata = metadata.clone()).await
        }
        (Some("acl"), &Method::GET | &Method::HEAD) => {
            let record = existing(components, container).await?;
            let mut answer = access_policies::answer(&record.properties.access_policies);
            record.put_state(&mut answer);
            Ok(answer)
        }
        (Some("acl"), &Method::PUT) => {
            let policies = access_policies::from_request(&call.body)?;
            update(components, container, call, |record| record.properties.access_policies = policies.clone()).await
        }
        (Some("lease"), &Method::PUT) => {
            blobs::lease(components, &container_name(container), CONTAINER_NOT_FOUND, call).await
        }
        (Some("list"), &Method::GET) => {
            existing(components, container).await?;
            list::blobs(components, container, call).await
        }
        (None | Some("metadata" | "acl" | "lease" | "list"), _) => Err(call.unsupported_method()),
        (Some(comp), _) => Err(super::not_here(&format!("comp={comp}"))),
    }
}

/// The container, or that there is none.
pub(super) async fn existing(components: &Components, container: &str) -> Result<Record, ServiceError> {
    read(components, &container_name(container)).await?.ok_or_else(|| CONTAINER_NOT_FOUND.because(""))
}

async fn create(components: &Components, container: &str, call: &Call) -> Result<Answer, ServiceError> {
    let metadata = metadata::from_headers(&call.headers)?;
    change(components, &container_name(container), |there| {
        if there.is_some() {
            return Err(ALREADY_EXISTS.because(""));
        }
        let mut record = Record::new(components, call.now);
        record.properties.metadata = metadata.clone();
        let mut answer = answer::empty(StatusCode::CREATED);
        record.put_state(&mut answer);
        Ok((Some(record), answer))
    })
    .await
}

async fn update(
    components: &Components,
    container: &str,
    call: &Call,
    edit: impl Fn(&mut Record) + Send + Sync,
) -> Result<Answer, ServiceError> {
    change(components, &container_name(container), |there| {
        let mut record = there.ok_or_else(|| CONTAINER_NOT_FOUND.because(""))?;
        conditions::check_write(call, Some(&record))?;
        Lease::check(record.properties.lease.as_ref(), call.header("x-ms-lease-id"), false, Of::Container, call.now)?;
        edit(&mut record);
        record.touch(components, call.now);
        let mut answer = answer::empty(StatusCode::OK);
        record.put_state(&mut answer);
        Ok((Some(record), answer))
    })
    .await
}

/// The container first: whoever puts a blob looks for it again afterwards, and takes the blob back.
async fn delete(components: &Components, container: &str, call: &Call) -> Result<Answer, ServiceError> {
    change(components, &container_name(container), |there| {
        let record = there.ok_or_else(|| CONTAINER_NOT_FOUND.because(""))?;
        conditions::check_write(call, Some(&record))?;
        Lease::check(record.properties.lease.as_ref(), call.header("x-ms-lease-id"), true, Of::Container, call.now)?;
        Ok((None, ()))
    })
    .await?;
    let prefix = [BLOBS, container, "/"].concat();
    loop {
        let page = record::read_page(components, &prefix, &prefix, PAGE).await?;
        let removal = |(name, _)| DocumentWrite { name, expecting: Expecting::Anything, content: None };
        let removals: Vec<DocumentWrite> = page.into_iter().map(removal).collect();
        if removals.is_empty() {
            let mut answer = answer::empty(StatusCode::ACCEPTED);
            answer::put(&mut answer, HeaderName::from_static("x-ms-delete-type-permanent"), "true");
            return Ok(answer);
        }
        components.documents.write_documents(removals).await.map_err(|error| match error {
            DocumentError::Changed { .. } => code::SERVER_BUSY.because(""),
            DocumentError::Store(error) => error.into(),
        })?;
    }
}
