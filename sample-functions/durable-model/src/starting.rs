//! **Starts with options**: an id, a version, tags, a moment, a key that makes starting twice starting once.
//!
//! The management API starts orchestrators too; this is the same with the durable client, in a function that could check
//! who is asking.

use dacapo::{Client, Failure, InstanceQuery, Request, Response, StartOptions, Timestamp};
use serde_json::{Value, json};

/// `POST /api/start/{orchestrator}?instanceId=..&version=..&tag=name=value&startAt=..`, with the input as the body and
/// perhaps the header `Idempotency-Key`.
#[dacapo::http]
pub(crate) fn start(request: Request) -> Result<Response, Failure> {
    let orchestrator = request.param("orchestrator").unwrap_or_default();
    let (options, input) = (start_options(&request)?, request.json::<Value>()?);
    let client = Client::new();
    let id = match request.header("idempotency-key") {
        Some(key) => client.start_by_name_once(key, &options, orchestrator, &input)?,
        None => client.start_by_name_with(&options, orchestrator, &input)?,
    };
    Ok(client.check_status_response(&id))
}

fn start_options(request: &Request) -> Result<StartOptions, Failure> {
    let wrong = |what: String| Failure::new("BadRequest", what).with_http_status(400);
    let mut options = StartOptions::new();
    for (name, value) in request.query_pairs() {
        options = match name.as_str() {
            "instanceId" => options.instance_id(value),
            "version" => options.version(value),
            "startAt" => {
                let moment: Timestamp = value.parse().map_err(|error| wrong(format!("startAt: {error}")))?;
                options.start_at(moment)
            }
            "tag" => match value.split_once('=') {
                Some((tag, value)) => options.tag(tag, value),
                None => return Err(wrong(format!("tag={value} is not name=value"))),
            },
            other => return Err(wrong(format!("'{other}' is none of instanceId, version, tag, startAt"))),
        };
    }
    Ok(options)
}

/// `GET /api/tagged/{name}/{value}`: the ids of all instances with a tag, page after page.
#[dacapo::http]
pub(crate) fn find_by_tag(request: Request) -> Result<Response, Failure> {
    let parameter = |name| request.param(name).unwrap_or_default();
    let query = InstanceQuery::new().tag(parameter("name"), parameter("value")).page_size(100);
    let mut found = Vec::new();
    for status in Client::new().query(&query) {
        let status = status?;
        found.push(json!({ "id": status.instance_id, "status": status.runtime_status.to_string() }));
    }
    Ok(Response::json(&found))
}
