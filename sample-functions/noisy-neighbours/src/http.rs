//! HTTP functions: a fault in one is a 500 for that client.

use dacapo::{Failure, Request, Response};

use crate::misbehaviour::{How, misbehave};

/// `POST /api/misbehave` with a way to misbehave in JSON, such as `"panic"`.
#[dacapo::http]
fn misbehave_over_http(request: Request) -> Result<Response, Failure> {
    let how: How = request.json()?;
    Ok(Response::text(misbehave(how)))
}
