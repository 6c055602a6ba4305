//! The HTTP trigger: a request in, the function that its route means, an answer out, both bodies streamed.
//!
//! Owns the order of checks (size, throttle, route, host), the limits, the answers for requests that reach no function and for
//! functions that give no answer, and the log lines of an invocation. Leaves sockets to the server, routes to
//! `manifest`, and everything behind the function's name to the [`HttpFunctions`] port.

mod answer;
mod body;
mod limits;
mod origin;

#[cfg(test)]
mod tests;

pub use answer::{FaultDetail, INVOCATION_ID};
pub use body::BodyTooLarge;
pub use limits::{DEFAULT_CONCURRENT_REQUESTS, HttpLimits, MAX_TARGET_BYTES};
pub use origin::{BadHost, ForwardedHeaders, Origin, OriginPolicy};

use crate::concurrency::Place;
use crate::invocation::{Invocation, new_invocation_id};
use answer::{Refusal, Unanswered};
use body::Overflow;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, Uri};
use limits::Throttle;
use manifest::App;
use manifest::route::{Match, RouteTable};
use ports::{Body, Clock, HttpAnswer, HttpFunctions, HttpInvocation, Randomness};
use std::sync::Arc;
use tracing::Instrument;

/// What the log says of why a function ran.
const REASON: &str = "This function was programmatically called via the host APIs.";

/// The parts of the world that the trigger needs.
#[derive(Clone)]
pub struct HttpParts {
    /// Runs the functions.
    pub functions: Arc<dyn HttpFunctions>,
    /// Tells how long they took.
    pub clock: Arc<dyn Clock>,
    /// Invocation ids come from it.
    pub randomness: Arc<dyn Randomness>,
}

/// How the trigger behaves.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// How much it takes at a time.
    pub limits: HttpLimits,
    /// What a caller learns of faults.
    pub fault_detail: FaultDetail,
    /// Where requests were sent to.
    pub origins: OriginPolicy,
}

/// The HTTP functions of one app, ready to be called.
pub struct HttpTrigger {
    routes: RouteTable,
    /// By position in the app, as the route table counts; functions with other triggers are never looked up.
    names: Vec<String>,
    strict_azure_status: bool,
    throttle: Throttle,
    parts: HttpParts,
    options: HttpOptions,
}

/// A request that has found its function.
struct Call {
    function: String,
    route_parameters: Vec<(String, String)>,
    /// The method on the request line.
    asked: Method,
    /// The method that the function sees: GET where a HEAD is answered by a function for GET.
    shown: Method,
    uri: Uri,
}

impl HttpTrigger {
    /// The trigger for an app's HTTP functions.
    pub fn new(app: &App, parts: HttpParts, options: HttpOptions) -> HttpTrigger {
        HttpTrigger {
            routes: app.route_table(),
            names: app.functions.iter().map(|function| function.name.clone()).collect(),
            strict_azure_status: app.host.http.strict_azure_status,
            throttle: Throttle::new(&options.limits),
            parts,
            options,
        }
    }

    /// Answers one request. Every request gets an answer; dropping the future or the answer's body ends the invocation.
    ///
    /// | status | when |
    /// |---|---|
    /// | 400 | no usable `Host` |
    /// | 404, empty | no such route |
    /// | 405, `Allow` | a route, but not with this method (404 with `http.strictAzureStatus`) |
    /// | 413, 414 | body over `http.maxRequestBodyBytes`, target over [`MAX_TARGET_BYTES`] |
    /// | 429, `Retry-After` | `http.maxOutstandingRequests` are being served |
    /// | 500, 503, 504 | the function went wrong, could not be started, ran out of time |
    /// | 501 | `CONNECT`: the host is no proxy |
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        let (call, places) = match self.admit(&head).await {
            Ok(admitted) => admitted,
            Err(refusal) => return answer::refused(&refusal),
        };
        let (body, overflow) = body::limited(body, self.options.limits.request_body_bytes);
        head.method = call.shown.clone();
        head.uri = call.uri.clone();
        self.invoke(call, Request::from_parts(head, body), overflow, places).await
    }

    async fn admit(&self, head: &Parts) -> Result<(Call, [Place; 2]), Refusal> {
        self.check_size(head)?;
        let waiting = self.throttle.enter().ok_or(Refusal::Busy)?;
        let call = self.find(head)?;
        let running = self.throttle.run().await.ok_or(Refusal::Busy)?;
        Ok((call, [waiting, running]))
    }

    fn check_size(&self, head: &Parts) -> Result<(), Refusal> {
        let limit_bytes = self.options.limits.request_body_bytes;
        let stated = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if stated.is_some_and(|bytes| bytes > limit_bytes) {
            return Err(BodyTooLarge { limit_bytes }.into());
        }
        let bytes = head.uri.path().len() + head.uri.query().map_or(0, |query| query.len() + 1);
        if bytes > MAX_TARGET_BYTES { Err(Refusal::TargetTooLong { bytes }) } else { Ok(()) }
    }

    fn find(&self, head: &Parts) -> Result<Call, Refusal> {
        if head.method == Method::CONNECT {
            return Err(Refusal::Connect);
        }
        let (index, params, head_as_get) = match self.routes.find(head.method.as_str(), head.uri.path()) {
            Match::Function { index, params, head_as_get } => (index, params, head_as_get),
            Match::MethodNotAllowed { allow } if !self.strict_azure_status => {
                return Err(Refusal::MethodNotAllowed { allow });
            }
            Match::MethodNotAllowed { .. } | Match::NotFound => return Err(Refusal::NotFound),
        };
        let function = self.names.get(index).cloned().ok_or(Refusal::NotFound)?;
        let origin = self.options.origins.of(head)?;
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let uri = Uri::builder().scheme(origin.scheme).authority(origin.authority).path_and_query(target).build();
        Ok(Call {
            function,
            route_parameters: params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            asked: head.method.clone(),
            shown: if head_as_get { Method::GET } else { head.method.clone() },
            uri: uri.map_err(|error| Refusal::BadTarget(error.to_string()))?,
        })
    }

    async fn invoke(
        &self,
        call: Call,
        request: Request<Body>,
        overflow: Overflow,
        places: [Place; 2],
    ) -> Response<Body> {
        let invocation_id = new_invocation_id(&*self.parts.randomness);
        let running =
            Invocation::begin(&call.function, &invocation_id, REASON, Arc::clone(&self.parts.clock), places.into());
        let invocation = HttpInvocation {
            invocation_id,
            function: call.function.clone(),
            route_parameters: call.route_parameters,
            request,
            inputs: Vec::new(),
        };
        let answered = self.parts.functions.handle(invocation).instrument(running.span().clone()).await;
        let answered = match (overflow.error(), answered) {
            // However the function took it, it has not seen the whole request.
            (Some(error), _) => Err(error.into()),
            (None, Err(fault)) => Err(fault.into()),
            (None, Ok(HttpAnswer { response, .. })) if response.status().is_informational() => {
                Err(Unanswered::InterimStatus { function: call.function, status: response.status() })
            }
            (None, Ok(HttpAnswer { response, .. })) => Ok(response),
        };
        self.conclude(answered, &call.asked, running, overflow)
    }

    fn conclude(
        &self,
        answered: Result<Response<Body>, Unanswered>,
        asked: &Method,
        mut invocation: Invocation,
        overflow: Overflow,
    ) -> Response<Body> {
        // Ours are 36 visible characters.
        let invocation_id = HeaderValue::from_str(invocation.id()).ok();
        let mut response = match answered {
            Ok(mut response) => {
                let expected_bytes = answer::settle_head(&mut response, asked);
                if expected_bytes == Some(0) {
                    invocation.succeed();
                    answer::without_body(response)
                } else {
                    response.map(|body| body::tracked(body, expected_bytes, invocation, overflow))
                }
            }
            Err(why) => {
                invocation.fail(why.to_string());
                answer::unanswered(&why, self.options.fault_detail, &invocation)
            }
        };
        if let Some(value) = invocation_id {
            response.headers_mut().insert(INVOCATION_ID, value);
        }
        response
    }
}
