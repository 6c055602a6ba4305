//! Requests to whoever the input names.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo::{Context, Failure, HttpRequest, HttpResponse, RetryPolicy};
use serde::{Deserialize, Serialize};

/// A request and how it is made.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    timeout_ms: Option<u64>,
    attempts: Option<u32>,
    #[serde(default)]
    retry_on: Vec<u16>,
}

/// Makes the request and returns the final answer.
#[dacapo::orchestrator]
async fn ask(ctx: Context, question: Question) -> Result<HttpResponse, Failure> {
    let mut request = HttpRequest::get(question.url);
    for (name, value) in question.headers {
        request = request.header(name, value);
    }
    if let Some(timeout) = question.timeout_ms {
        request = request.timeout(Duration::from_millis(timeout));
    }
    if let Some(attempts) = question.attempts {
        request = request.retry(RetryPolicy::new(attempts, Duration::from_millis(10)));
        request = request.retry_on_status(question.retry_on);
    }
    ctx.call_http(request).await
}
