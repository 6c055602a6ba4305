//! The table service: which operation a request asks for, and the errors of tables.

mod batch;
mod changes;
mod continuation;
mod entities;
mod errors;
mod multipart;
mod representation;
mod resource;
mod tables;

use super::Components;
use super::answer::Answer;
use super::call::Call;
use super::error::{ServiceError, code};
use changes::Change;
use http::Method;
use resource::Resource;

/// Largest body of a request: a batch has at most 4 MiB.
pub(super) const MAX_BODY_BYTES: usize = 4 << 20;

/// Stands in for a method that proxies on the way do not let pass.
const METHOD_OVERRIDE: &str = "x-http-method";

/// Answers one request to the table service.
pub(super) async fn answer(components: &Components, call: &Call) -> Result<Answer, ServiceError> {
    let resource = Resource::parse(&call.path)?;
    if resource == Resource::Batch {
        return batch::answer(components, call).await;
    }
    answer_single(components, call, resource).await
}

/// Answers a request that is no batch; also the one request that a batch for reading holds.
async fn answer_single(components: &Components, call: &Call, resource: Resource) -> Result<Answer, ServiceError> {
    let tables = components.tables.as_ref();
    let method = method(call)?;
    match (resource, method.as_str()) {
        (Resource::Tables, "GET") => tables::list(tables, call).await,
        (Resource::Tables, "POST") => tables::create(tables, call).await,
        (Resource::TableEntry(name), "GET") => tables::get(tables, call, &name).await,
        (Resource::TableEntry(name), "DELETE") => tables::delete(tables, &name).await,
        (Resource::Entities(table), method) if call.query.is("comp", "acl") => match method {
            "GET" | "HEAD" => tables::access_policies(tables, &table).await,
            "PUT" => tables::set_access_policies(tables, call, &table).await,
            _ => Err(call.unsupported_method()),
        },
        (Resource::Entities(table), "GET") => entities::query(tables, call, table).await,
        (Resource::Entity(table, key), "GET") => entities::get(tables, call, &table, &key).await,
        (resource @ (Resource::Entities(_) | Resource::Entity(..)), _) => {
            let change = Change::from_request(&method, resource, &call.headers, &call.body)?;
            entities::write(tables, call, change).await
        }
        (Resource::Tables | Resource::TableEntry(_), _) => Err(call.unsupported_method()),
        (Resource::Batch, _) => Err(code::INVALID_INPUT.because("A batch holds no other batch.")),
    }
}

fn method(call: &Call) -> Result<Method, ServiceError> {
    match call.header(METHOD_OVERRIDE) {
        Some(method) if call.method == Method::POST => Method::from_bytes(method.trim().as_bytes())
            .map_err(|_| code::INVALID_HEADER_VALUE.because("").with("HeaderName", METHOD_OVERRIDE)),
        Some(_) | None => Ok(call.method.clone()),
    }
}
