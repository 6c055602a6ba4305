//! **Durable HTTP.** The host sends a request for the orchestrator, and asks again while the answer is 202 with a
//! `Location`. The waiting is a durable timer: the process may end meanwhile, and nothing runs.
//!
//! Requests go only where the component's `allowedOutboundHosts` say: here, to this machine.

use std::time::Duration;

use dacapo::{Context, Failure, HttpRequest, HttpResponse, Request, Response, RetryPolicy};

/// Asks the URL that it is given, and returns status, headers and content of the final answer.
#[dacapo::orchestrator]
pub(crate) async fn call_service(ctx: Context, url: String) -> Result<HttpResponse, Failure> {
    let request = HttpRequest::get(url)
        .timeout(Duration::from_secs(10))
        .retry(RetryPolicy::new(3, Duration::from_secs(1)))
        .retry_on_status([429, 503]);
    ctx.call_http(request).await
}

/// `GET /api/jobs/{polls}`: a service to ask. It is not done before it was asked so many times more.
#[dacapo::http]
pub(crate) fn job(request: Request) -> Result<Response, Failure> {
    let polls: u32 = request
        .param("polls")
        .and_then(|polls| polls.parse().ok())
        .ok_or_else(|| Failure::new("BadRequest", "the last part of the path is a number").with_http_status(400))?;
    Ok(match polls.checked_sub(1) {
        None => Response::text("the job is done"),
        Some(left) => {
            Response::new(202).with_header("location", format!("/api/jobs/{left}")).with_header("retry-after", "1")
        }
    })
}
