//! A world for the trigger: one app, functions that are closures, a clock that stands, counted randomness.

use super::super::{FaultDetail, ForwardedHeaders, HttpLimits, HttpOptions, HttpParts, HttpTrigger, OriginPolicy};
use async_trait::async_trait;
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt, pending};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use orchestration::Timestamp;
use ports::{Body, BoxError, Clock, GuestFault, HttpAnswer, HttpFunctions, HttpInvocation, Randomness};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a test's functions do.
pub(super) type Answer = BoxFuture<'static, Result<Response<Body>, GuestFault>>;

struct Functions<F>(F);

#[async_trait]
impl<F: Fn(HttpInvocation) -> Answer + Send + Sync> HttpFunctions for Functions<F> {
    async fn handle(&self, invocation: HttpInvocation) -> Result<HttpAnswer, GuestFault> {
        self.0(invocation).await.map(|response| HttpAnswer { response, outputs: Vec::new() })
    }
}

/// Every look at it takes 5 ms.
struct SteppingClock(AtomicU64);

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        let looks = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_unix_ms(i64::try_from(looks * 5).expect("tests look at the clock a few times"))
    }

    fn sleep_until(&self, _moment: Timestamp) -> BoxFuture<'static, ()> {
        pending().boxed()
    }
}

struct Counted(AtomicU64);

impl Randomness for Counted {
    fn next_u128(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

pub(super) const APP: &str = r#"
[app]
name = "greetings"
version = "1.0.0"
[components.main]
source = "greetings.wasm"
[functions.Hello]
trigger = { type = "httpTrigger", methods = ["get", "post"], route = "hello/{name}/{times:int?}", authLevel = "anonymous" }
[functions.Anything]
trigger = { type = "httpTrigger", route = "any/{*rest}", authLevel = "anonymous" }
[functions.Work]
trigger = { type = "activityTrigger" }
"#;

pub(super) fn options() -> HttpOptions {
    HttpOptions {
        limits: HttpLimits { request_body_bytes: 16, outstanding_requests: 3, concurrent_requests: 2 },
        fault_detail: FaultDetail::Problem,
        origins: OriginPolicy {
            own: "127.0.0.1:7071".parse().expect("an authority"),
            forwarded: ForwardedHeaders::Ignored,
        },
    }
}

pub(super) fn trigger(
    app: &str,
    options: HttpOptions,
    functions: impl Fn(HttpInvocation) -> Answer + Send + Sync + 'static,
) -> HttpTrigger {
    crate::world::keep_log_lines();
    let app = manifest::parse(app, "greetings.toml", &manifest::no_settings).expect("the test's manifest is valid");
    let parts = HttpParts {
        functions: Arc::new(Functions(functions)),
        clock: Arc::new(SteppingClock(AtomicU64::new(0))),
        randomness: Arc::new(Counted(AtomicU64::new(1))),
    };
    HttpTrigger::new(&app, parts, options)
}

pub(super) fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body of unknown length.
pub(super) fn pieces(pieces: Vec<Result<&'static str, &'static str>>) -> Body {
    let frames =
        pieces.into_iter().map(|piece| piece.map(|text| Frame::data(Bytes::from(text))).map_err(BoxError::from));
    BodyExt::boxed_unsync(StreamBody::new(futures::stream::iter(frames)))
}

/// Answers with what it was asked.
pub(super) fn echo(invocation: HttpInvocation) -> Answer {
    async move {
        let HttpInvocation { function, route_parameters, request, .. } = invocation;
        let (head, body) = request.into_parts();
        let body = match body.collect().await {
            Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
            Err(error) => format!("broken body: {error}"),
        };
        Ok(Response::new(full(format!("{function} {} {} {route_parameters:?} {body:?}", head.method, head.uri))))
    }
    .boxed()
}

/// A request from its text: request line, headers, an empty line, body.
pub(super) fn request(text: &str) -> Request<Body> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut line = lines.next().expect("a request line").split(' ');
    let mut request = Request::builder().method(line.next().expect("a method")).uri(line.next().expect("a target"));
    if line.next() == Some("HTTP/1.0") {
        request = request.version(http::Version::HTTP_10);
    }
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a header");
        request = request.header(name, value);
    }
    request.body(full(body.to_owned())).expect("a request")
}

/// A response as text: status, headers, body.
pub(super) async fn print(response: Response<Body>) -> String {
    let (head, body) = response.into_parts();
    let mut text = format!("{}\n", head.status);
    for (name, value) in &head.headers {
        writeln!(text, "{name}: {}", value.to_str().expect("visible headers")).expect("a string takes all");
    }
    match body.collect().await.map(|body| body.to_bytes()) {
        Ok(bytes) if bytes.is_empty() => {}
        Ok(bytes) => writeln!(text, "\n{}", String::from_utf8_lossy(&bytes)).expect("a string takes all"),
        Err(error) => writeln!(text, "\nbroken off: {error}").expect("a string takes all"),
    }
    text
}
