//! The activity that orchestrators call when they ask for an HTTP request: the host makes it, for them and within their limits.
//!
//! One run is one request with its redirects. Polling and trying again are the core's, and in the history.

use manifest::OutboundHost;
use orchestration::{ActivityTask, Failure, HttpRequest, Json};
use std::sync::Arc;
use std::time::Duration;

use crate::outbound::{Bounds, Outbound, SendError};

/// For a request without a timeout of its own: as in .NET, where Durable Functions' requests are made.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(100);

/// The engine stops an activity at the end of its timeout and knows nothing of HTTP. A request ends this much earlier, so
/// that its end has a name that retry policies can tell apart.
const AHEAD_OF_ENGINE: Duration = Duration::from_millis(20);

/// Makes the requests.
pub(crate) struct DurableHttp {
    outbound: Arc<Outbound>,
    max_body_bytes: usize,
}

impl DurableHttp {
    /// `max_body_bytes`: answers become payloads, and payloads have a limit.
    pub(crate) fn new(outbound: Arc<Outbound>, max_body_bytes: usize) -> DurableHttp {
        DurableHttp { outbound, max_body_bytes }
    }

    /// Runs [`HttpCall::ACTIVITY`](orchestration::HttpCall::ACTIVITY) for an orchestrator that may ask these hosts.
    ///
    /// # Errors
    /// `HttpRequestFailed`, `HttpRequestTimeout`, and what the request itself takes for a failure (`HttpStatus`).
    pub(crate) async fn run(&self, task: &ActivityTask, hosts: &[OutboundHost]) -> Result<Json, Failure> {
        let request = HttpRequest::from_json(&task.input).map_err(|why| {
            Failure::new(Failure::INVALID_ARGUMENT, format!("the HTTP request cannot be read: {why}")).non_retriable()
        })?;
        let allows = |https: bool, host: &str, port: u16| hosts.iter().any(|entry| entry.allows(https, host, port));
        let timeout = match task.timeouts.run {
            Some(timeout) => timeout.saturating_sub(AHEAD_OF_ENGINE.min(timeout / 10)),
            None => DEFAULT_TIMEOUT,
        };
        let bounds = Bounds { allows: &allows, timeout, max_body_bytes: self.max_body_bytes };
        match self.outbound.send(request.clone(), bounds).await {
            Ok(response) => request.outcome(&response),
            Err(error) => Err(failure(&request, task, &error)),
        }
    }
}

fn failure(request: &HttpRequest, task: &ActivityTask, error: &SendError) -> Failure {
    let (error_type, why) = match error {
        SendError::TimedOut(_) => {
            let asked = task.timeouts.run.unwrap_or(DEFAULT_TIMEOUT);
            (Failure::HTTP_REQUEST_TIMEOUT, format!("there was no whole answer within {} ms", asked.as_millis()))
        }
        SendError::Malformed(_)
        | SendError::NotAllowed(_)
        | SendError::TooManyRedirects
        | SendError::Connection { .. }
        | SendError::TooLarge { .. } => (Failure::HTTP_REQUEST_FAILED, error.to_string()),
    };
    let failure = Failure::new(error_type, format!("{} of the orchestrator '{}': {why}", request.shown(), task.caller));
    if error.may_pass() { failure } else { failure.non_retriable() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use expect_test::{Expect, expect};
    use orchestration::{EventId, ExecutionId, HttpCall, InstanceId, Tags, Timeouts};
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// One request to a server that answers with this text; with nothing, it only listens.
    async fn check(answer: &str, fail_on_status: Option<Vec<u16>>, expected: &Expect) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("some port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let request = HttpRequest {
            method: "GET".to_owned(),
            url: format!("http://127.0.0.1:{port}/orders?secret"),
            headers: Vec::new(),
            content: None,
            fail_on_status,
        };
        let task = ActivityTask {
            instance: InstanceId::from_stored("t"),
            execution: ExecutionId::from_random(1),
            id: EventId(0),
            name: HttpCall::ACTIVITY.to_owned(),
            input: request.to_json(),
            attempt: 1,
            timeouts: Timeouts { run: answer.is_empty().then_some(Duration::from_millis(50)), heartbeat: None },
            tags: Tags::new(),
            caller: "Order".to_owned(),
            version: None,
            pinned_to: None,
        };
        let hosts = ["127.0.0.1".parse().expect("a host")];
        let http = DurableHttp::new(Arc::new(Outbound::new(Arc::new(SystemClock))), 1_000);
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            stream.read_buf(&mut Vec::with_capacity(1_024)).await.expect("a request");
            if !answer.is_empty() {
                stream.write_all(answer.as_bytes()).await.expect("the client reads");
            }
            std::future::pending::<()>().await;
        };
        let outcome = tokio::select! {
            outcome = http.run(&task, &hosts) => outcome,
            () = serve => unreachable!("it serves for ever"),
        };
        let said = match outcome {
            Ok(result) => result.to_string(),
            Err(failure) => format!("{failure} (retriable: {})", !failure.non_retriable),
        };
        expected.assert_eq(&said.replace(&port.to_string(), "PORT"));
    }

    #[tokio::test]
    async fn an_answer_is_a_result_or_a_failure_as_the_request_says() {
        let busy = "HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 5\r\n\r\nlater";
        check(
            busy,
            None,
            &expect![[r#"{"statusCode":503,"headers":{"retry-after":"7","content-length":"5"},"content":"later"}"#]],
        )
        .await;
        check(
            busy,
            Some(Vec::new()),
            &expect!["HttpStatus: GET http://127.0.0.1:PORT/orders was answered with status 503 (retriable: true)"],
        )
        .await;
        check(
            busy,
            Some(vec![503]),
            &expect!["HttpStatus: GET http://127.0.0.1:PORT/orders was answered with status 503 (retriable: true)"],
        )
        .await;
        check(
            busy,
            Some(vec![429]),
            &expect![[r#"{"statusCode":503,"headers":{"retry-after":"7","content-length":"5"},"content":"later"}"#]],
        )
        .await;
    }

    #[tokio::test]
    async fn a_request_without_an_answer_ends_before_the_engine_stops_it() {
        check("", None, &expect!["HttpRequestTimeout: GET http://127.0.0.1:PORT/orders of the orchestrator 'Order': there was no whole answer within 50 ms (retriable: true)"]).await;
    }

    #[tokio::test]
    async fn what_is_no_http_is_a_failure() {
        check("hello\r\n\r\n", None, &expect!["HttpRequestFailed: GET http://127.0.0.1:PORT/orders of the orchestrator 'Order': 127.0.0.1:PORT cannot be asked: client error (SendRequest): invalid HTTP version parsed (retriable: true)"]).await;
    }
}
