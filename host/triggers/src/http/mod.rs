//! The HTTP trigger: a request in, the function that its route means, an answer out, both bodies streamed.
//!
//! Owns the order of checks (size, throttle, route, caller, host), the limits, the answers for requests that reach no function and for
//! functions that give no answer, and the log lines of an invocation. Leaves sockets to the server, routes to
//! `manifest`, and everything behind the function's name to the [`HttpFunctions`] port.

mod answer;
mod body;
mod function;
mod gatekeeper;
mod limits;
mod origin;

#[cfg(test)]
mod tests;

pub use answer::{FaultDetail, INVOCATION_ID};
pub use body::BodyTooLarge;
pub use gatekeeper::{Admission, Everybody, Gatekeeper};
pub use limits::{DEFAULT_CONCURRENT_REQUESTS, HttpLimits, MAX_TARGET_BYTES};
pub use origin::{BadHost, ForwardedHeaders, Origin, OriginPolicy};

use crate::bindings::{BindingParts, BindingSetupError};
use crate::concurrency::Place;
use crate::invocation::{Invocation, new_invocation_id};
use answer::{Refusal, Unanswered};
use body::Overflow;
use function::{HttpFunction, Tried};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, Uri};
use limits::Throttle;
use manifest::route::{self, Match, Reach, RouteTable};
use manifest::{App, AuthLevel, Trigger};
use ports::{Body, Clock, HttpFunctions, Randomness};
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

/// What stands around the functions.
#[derive(Clone)]
pub struct Surroundings {
    /// Who may call.
    pub gatekeeper: Arc<dyn Gatekeeper>,
    /// What bindings need.
    pub bindings: BindingParts,
}

/// The HTTP functions of one app, ready to be called.
pub struct HttpTrigger {
    routes: RouteTable,
    /// By position in the app, as the route table counts; none for functions with other triggers.
    functions: Vec<Option<HttpFunction>>,
    strict_azure_status: bool,
    throttle: Throttle,
    gatekeeper: Arc<dyn Gatekeeper>,
    parts: HttpParts,
    options: HttpOptions,
}

/// A request that has found its function.
struct Call {
    /// Its position in the app.
    index: usize,
    route_parameters: Vec<(String, String)>,
    /// The method on the request line.
    asked: Method,
    /// The method that the function sees: GET where a HEAD is answered by a function for GET.
    shown: Method,
    uri: Uri,
}

impl HttpTrigger {
    /// The trigger for an app's HTTP functions, unguarded and without bindings: everybody may call everything that is not
    /// disabled, and values that functions give to outputs go nowhere.
    pub fn new(app: &App, parts: HttpParts, options: HttpOptions) -> HttpTrigger {
        let functions = functions(app, None).unwrap_or_default();
        HttpTrigger::of(app, functions, Arc::new(Everybody), parts, options)
    }

    /// The trigger for an app's HTTP functions, with guards and bindings.
    ///
    /// # Errors
    /// Every connection that leads nowhere.
    pub fn guarded(
        app: &App,
        parts: HttpParts,
        surroundings: Surroundings,
        options: HttpOptions,
    ) -> Result<HttpTrigger, Vec<BindingSetupError>> {
        let functions = functions(app, Some(&surroundings.bindings))?;
        Ok(HttpTrigger::of(app, functions, surroundings.gatekeeper, parts, options))
    }

    fn of(
        app: &App,
        functions: Vec<Option<HttpFunction>>,
        gatekeeper: Arc<dyn Gatekeeper>,
        parts: HttpParts,
        options: HttpOptions,
    ) -> HttpTrigger {
        HttpTrigger {
            routes: app.route_table(),
            functions,
            strict_azure_status: app.host.http.strict_azure_status,
            throttle: Throttle::new(&options.limits),
            gatekeeper,
            parts,
            options,
        }
    }

    /// The same trigger with other guards.
    pub fn with_gatekeeper(self, gatekeeper: Arc<dyn Gatekeeper>) -> HttpTrigger {
        HttpTrigger { gatekeeper, ..self }
    }

    /// Whether a further request would be refused at the moment, because as many as may be are being served.
    pub fn is_full(&self) -> bool {
        self.throttle.enter().is_none()
    }

    /// Answers one request. Every request gets an answer; dropping the future or the answer's body ends the invocation.
    ///
    /// | status | when |
    /// |---|---|
    /// | 400 | no usable `Host` |
    /// | 401, empty | the gatekeeper does not let the caller in |
    /// | 404, empty | no such route, or the function is disabled and the caller is no administrator |
    /// | 405, `Allow` | a route, but not with this method; with those that the caller may use (401 if there are none, and 404 with `http.strictAzureStatus`) |
    /// | 413, 414 | body over `http.maxRequestBodyBytes`, target over [`MAX_TARGET_BYTES`] |
    /// | 429, `Retry-After` | `http.maxOutstandingRequests` are being served |
    /// | 500, 503, 504 | the function or its bindings went wrong, could not be started, ran out of time |
    /// | 501 | `CONNECT`: the host is no proxy |
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        match self.admit(&head).await {
            Ok((call, places)) => self.invoke(call, Request::from_parts(head, body), places).await,
            Err(refusal) => answer::refused(&refusal),
        }
    }

    /// Runs a function by hand, also a disabled one, whoever asks. What the path captures are its route parameters if the path
    /// leads to this function, and otherwise there are none. The request needs a `Host` or an absolute URI. None: there is no
    /// HTTP function of that name.
    pub async fn run_once(&self, function: &str, request: Request<Body>) -> Option<Response<Body>> {
        let is_named = |known: &HttpFunction| known.name.eq_ignore_ascii_case(function);
        let index = self.functions.iter().position(|known| known.as_ref().is_some_and(is_named))?;
        let (head, body) = request.into_parts();
        let route_parameters = match self.routes.find(head.method.as_str(), head.uri.path()) {
            Match::Function { index: found, params, .. } if found == index => owned(params),
            Match::Function { .. } | Match::MethodNotAllowed { .. } | Match::NotFound => Vec::new(),
        };
        let call = self.call(&head, index, route_parameters, false);
        let admitted = match call {
            Ok(call) => self.wait_for_places(&call).await.map(|places| (call, places)),
            Err(refusal) => Err(refusal),
        };
        Some(match admitted {
            Ok((call, places)) => self.invoke(call, Request::from_parts(head, body), places).await,
            Err(refusal) => answer::refused(&refusal),
        })
    }

    /// How far a request gets into the routes of this app, for whoever serves several.
    pub fn reach(&self, head: &Parts) -> Reach {
        self.routes.reach(head.method.as_str(), head.uri.path())
    }

    async fn admit(&self, head: &Parts) -> Result<(Call, Vec<Place>), Refusal> {
        self.check_size(head)?;
        let waiting = self.throttle.enter().ok_or(Refusal::Busy)?;
        let call = self.find(head)?;
        self.ask_gatekeeper(call.index, head)?;
        let mut places = self.wait_for_places(&call).await?;
        places.push(waiting);
        Ok((call, places))
    }

    /// The function's own place first: whoever waits for one keeps none of the host's from others.
    async fn wait_for_places(&self, call: &Call) -> Result<Vec<Place>, Refusal> {
        let own = self.function(call.index)?.gate.enter().await.ok_or(Refusal::Busy)?;
        let running = self.throttle.run().await.ok_or(Refusal::Busy)?;
        Ok(vec![own, running])
    }

    /// A disabled function is not there, whatever key comes with the request, unless it is an administrator's.
    fn ask_gatekeeper(&self, index: usize, head: &Parts) -> Result<(), Refusal> {
        let function = self.function(index)?;
        let level = if function.is_disabled { AuthLevel::Admin } else { function.auth_level };
        match (self.gatekeeper.admit(&function.name, level, head), function.is_disabled) {
            (Admission::GrantedAsAdmin, _) | (Admission::Granted, false) => Ok(()),
            (Admission::Granted | Admission::Denied, true) => Err(Refusal::NotFound),
            (Admission::Denied, false) => Err(Refusal::Denied),
        }
    }

    fn function(&self, index: usize) -> Result<&HttpFunction, Refusal> {
        self.functions.get(index).and_then(Option::as_ref).ok_or(Refusal::NotFound)
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
                return Err(self.wrong_method(allow, head));
            }
            Match::MethodNotAllowed { .. } | Match::NotFound => return Err(Refusal::NotFound),
        };
        self.call(head, index, owned(params), head_as_get)
    }

    /// Tells the methods that the caller may use on this path. Of functions that the caller may not call, not even the methods
    /// are told; and those that are disabled are not there.
    fn wrong_method(&self, allow: Vec<route::Method>, head: &Parts) -> Refusal {
        let mut is_denied = false;
        let mut open = Vec::new();
        for method in allow {
            let Match::Function { index, .. } = self.routes.find(method.as_str(), head.uri.path()) else { continue };
            match self.ask_gatekeeper(index, head) {
                Ok(()) => open.push(method),
                Err(refusal) => is_denied |= refusal == Refusal::Denied,
            }
        }
        match (open.is_empty(), is_denied) {
            (false, _) => Refusal::MethodNotAllowed { allow: open },
            (true, true) => Refusal::Denied,
            (true, false) => Refusal::NotFound,
        }
    }

    fn call(
        &self,
        head: &Parts,
        index: usize,
        route_parameters: Vec<(String, String)>,
        head_as_get: bool,
    ) -> Result<Call, Refusal> {
        let origin = self.options.origins.of(head)?;
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let uri = Uri::builder().scheme(origin.scheme).authority(origin.authority).path_and_query(target).build();
        Ok(Call {
            index,
            route_parameters,
            asked: head.method.clone(),
            shown: if head_as_get { Method::GET } else { head.method.clone() },
            uri: uri.map_err(|error| Refusal::BadTarget(error.to_string()))?,
        })
    }

    async fn invoke(&self, call: Call, request: Request<Body>, places: Vec<Place>) -> Response<Body> {
        let function = match self.function(call.index) {
            Ok(function) => function,
            Err(refusal) => return answer::refused(&refusal),
        };
        let (mut head, body) = request.into_parts();
        head.method = call.shown.clone();
        head.uri = call.uri.clone();
        let (body, overflow) = body::limited(body, self.options.limits.request_body_bytes);
        let request = Request::from_parts(head, body);
        let id = new_invocation_id(&*self.parts.randomness);
        let running = Invocation::begin(&function.name, &id, REASON, Arc::clone(&self.parts.clock), places);
        let tried = Tried { invocation_id: &id, started: running.started(), call: &call, parts: &self.parts };
        let answered = function.answer(&tried, request, &overflow);
        let answered = match (answered.instrument(running.span().clone()).await, overflow.error()) {
            // However the function took it, it has not seen the whole request.
            (_, Some(error)) => Err(error.into()),
            (Ok(response), None) if response.status().is_informational() => {
                Err(Unanswered::InterimStatus { function: function.name.clone(), status: response.status() })
            }
            (answered, None) => answered,
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

fn functions(app: &App, bindings: Option<&BindingParts>) -> Result<Vec<Option<HttpFunction>>, Vec<BindingSetupError>> {
    let (mut functions, mut errors) = (Vec::new(), Vec::new());
    for function in &app.functions {
        functions.push(match &function.trigger {
            Trigger::Http(trigger) => {
                HttpFunction::new(function, trigger, bindings).map_err(|error| errors.push(error)).ok()
            }
            Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => {
                None
            }
        });
    }
    if errors.is_empty() { Ok(functions) } else { Err(errors) }
}

fn owned(params: Vec<(&str, String)>) -> Vec<(String, String)> {
    params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
