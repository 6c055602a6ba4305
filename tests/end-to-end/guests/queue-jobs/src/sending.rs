//! An HTTP function that puts messages.

use dacapo::{Failure, Request, Response};

/// Gives the body to the output `messages`.
#[dacapo::http]
fn send(request: Request) -> Result<Response, Failure> {
    dacapo::output("messages", request.text()?)?;
    Ok(Response::new(202))
}
