//! `POST functions/{name}`: running a function by hand, also a disabled one, with `{"input": ...}`, or with nothing.
//!
//! | trigger | what `input` becomes | what comes back |
//! |---|---|---|
//! | queue | the text of a message that is in no queue | what was returned and output |
//! | timer | nothing: the timer fires now, not past due | what was returned and output |
//! | HTTP | the body of a POST to its route, as an administrator; or what `method` and `path` beside it say | the response |
//! | activity | the argument; the instance that it sees has the id of the invocation | what was returned |
//! | orchestration | the argument of a new instance | the instance's id and URIs |
//! | entity | 400: entities are signalled | |
//!
//! `input` is text, as in Azure, or any JSON: text that is JSON is JSON to an activity or an orchestrator, and any JSON is its
//! text to a message or a body. The caller gets 202 at once, and the run goes on without it. With `?wait=1` the answer is 200
//! with [`Report`], however the run ended. Outputs are committed in either case; the host waits for the run before it ends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Frame;
use manifest::route::Method as ListedMethod;
use manifest::{Function, Trigger};
use orchestration::{ActivityTask, EventId, ExecutionId, InstanceId, Json, Tags, Timeouts};
use ports::{
    Activities, ActivityInvocation, Body, ClientError, Clock, DurableClient, Heartbeat, Randomness, StartRequest,
    StoreError,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use tokio::sync::oneshot;
use tracing::Instrument;
use triggers::http::INVOCATION_ID;
use triggers::invocation::{Invocation, new_invocation_id};
use triggers::queue::ManualRun;

use super::functions::path_of;
use super::refusal::Refusal;
use super::{Admin, Served, asks_for};
use crate::background::{Background, NotTaken};
use crate::management::BASE_PATH;
use crate::management::reply::{self, Reply};
use crate::wiring::Triggers;

/// As much of a response as is shown; the rest is read and dropped.
const MAX_SHOWN_BYTES: usize = 16 << 20;

/// What the log says of why a function ran, as in Azure.
const REASON: &str = "This function was programmatically called via the host APIs.";

/// What runs functions by hand.
pub(crate) struct ManualRuns {
    /// Queue and timer functions.
    pub(crate) triggers: Arc<Triggers>,
    /// Activities.
    pub(crate) activities: Arc<dyn Activities>,
    /// Starts orchestrations.
    pub(crate) client: Arc<dyn DurableClient>,
    /// Tells how long a run took.
    pub(crate) clock: Arc<dyn Clock>,
    /// Invocation ids come from it.
    pub(crate) randomness: Arc<dyn Randomness>,
    /// Where runs go on that nobody waits for.
    pub(crate) background: Background,
}

/// The body of the request. What else is in it is passed over, as in Azure.
#[derive(Debug, Default, Deserialize)]
struct Given {
    input: Option<Box<RawValue>>,
    method: Option<String>,
    path: Option<String>,
}

/// What came of a run, for a caller that waits.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// Names the run in the log; an instance that was started has runs of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invocation_id: Option<String>,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// What the function returned; for an orchestration what its instance is managed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) returned: Option<Box<RawValue>>,
    /// What it gave its outputs, by their names; of queue and timer functions.
    pub(crate) outputs: BTreeMap<String, Vec<Box<RawValue>>>,
    /// What an HTTP function answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response: Option<Response>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// From when it was asked for, waiting for a place included.
    pub(crate) duration_ms: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// It went well.
    Succeeded,
    /// Also an HTTP function that answers with a status from 500.
    Failed,
}

/// What an HTTP function answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// Names and values; several of one name stand in several lines.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, if it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
    /// A body that is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body_base64: Option<String>,
    /// Whether the body was longer than what is shown.
    pub(crate) is_truncated: bool,
}

impl Given {
    /// The input as text: of a message, or of a body.
    fn text(&self) -> String {
        let Some(input) = &self.input else { return String::new() };
        serde_json::from_str(input.get()).unwrap_or_else(|_| input.get().to_owned())
    }

    /// The input as JSON: an argument.
    fn json(&self) -> Json {
        let Some(input) = &self.input else { return Json::null() };
        match serde_json::from_str::<String>(input.get()) {
            Ok(text) if serde_json::from_str::<&RawValue>(&text).is_ok() => Json::new(text),
            Ok(_) | Err(_) => Json::new(input.get()),
        }
    }

    /// Whether the text is JSON.
    fn is_json(&self) -> bool {
        serde_json::from_str::<&RawValue>(&self.text()).is_ok()
    }
}

impl Admin {
    pub(super) async fn run(&self, name: &str, head: &Parts, body: Body) -> Result<Reply, Refusal> {
        let served = self.served_with(name)?;
        let function = served.app.function(name).ok_or(Refusal::NotFound)?;
        let runs = &served.runs;
        let given = self.given(&served, body).await?;
        let waits = asks_for(head, "wait");
        let run: BoxFuture<'static, Report> = match &function.trigger {
            Trigger::Orchestration => return self.start(runs, &function.name, &given, head, waits).await,
            Trigger::Entity => return Err(signal_instead(&function.name)),
            Trigger::Http(trigger) => {
                let request = self.request(&served, trigger, &given, head)?;
                let (http, name) = (Arc::clone(&served.functions), function.name.clone());
                async move { of_response(http.run_once(&name, request).await).await }.boxed()
            }
            Trigger::Queue(_) => {
                let (triggers, name) = (Arc::clone(&runs.triggers), function.name.clone());
                async move { of_manual_run(triggers.queues.run_once(&name, given.text()).await) }.boxed()
            }
            Trigger::Timer(_) => {
                let (triggers, name) = (Arc::clone(&runs.triggers), function.name.clone());
                async move { of_manual_run(triggers.timers.run_once(&name).await) }.boxed()
            }
            Trigger::Activity(_) => runs.activity(function, given.json()),
        };
        conclude(runs, run, waits).await
    }

    async fn given(&self, served: &Served, body: Body) -> Result<Given, Refusal> {
        let limit_bytes = usize::try_from(served.app.host.http.max_request_body_bytes).unwrap_or(usize::MAX);
        let bytes = self.read(body, limit_bytes).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Given::default());
        }
        let wrong = |why: &dyn Display| {
            Refusal::Invalid(format!(
                "the body is not JSON of the shape {{\"input\": ...}}, in which the input is text or any JSON: {why}"
            ))
        };
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(wrong(&"it is no object"));
        }
        serde_json::from_slice(&bytes).map_err(|why| wrong(&why))
    }

    /// The request to an HTTP function.
    fn request(
        &self,
        served: &Served,
        trigger: &manifest::HttpTrigger,
        given: &Given,
        head: &Parts,
    ) -> Result<Request<Body>, Refusal> {
        let method = match &given.method {
            Some(method) => method.parse().map_err(|_| Refusal::Invalid(format!("{method:?} is no HTTP method")))?,
            None => method_of(trigger),
        };
        let path = match &given.path {
            Some(path) if path.starts_with('/') => path.clone(),
            Some(path) => return Err(Refusal::Invalid(format!("the path {path:?} does not begin with a slash"))),
            None if trigger.route.parameters().next().is_none() => path_of(&served.app, &trigger.route.to_string()),
            None => {
                let route = path_of(&served.app, &trigger.route.to_string());
                return Err(Refusal::Invalid(format!(
                    "the route {route} has parameters: say which path is meant, as \"path\" beside \"input\""
                )));
            }
        };
        let path: PathAndQuery =
            path.parse().map_err(|why| Refusal::Invalid(format!("the path {path:?} cannot stand in a URL: {why}")))?;
        let origin = self.origins.of(head).map_err(|why| Refusal::Invalid(why.to_string()))?;
        let uri = Uri::builder().scheme(origin.scheme).authority(origin.authority).path_and_query(path).build();
        let mut request = Request::new(Full::from(given.text()).map_err(|never| match never {}).boxed_unsync());
        *request.method_mut() = method;
        *request.uri_mut() = uri.map_err(|why| Refusal::Invalid(why.to_string()))?;
        if given.input.is_some() {
            let content_type = if given.is_json() { "application/json" } else { "text/plain; charset=utf-8" };
            request.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
        }
        Ok(request)
    }

    async fn start(
        &self,
        runs: &ManualRuns,
        name: &str,
        given: &Given,
        head: &Parts,
        waits: bool,
    ) -> Result<Reply, Refusal> {
        let began = runs.clock.now();
        let started = runs.client.start(StartRequest::new(name, given.json())).await;
        let id = started.map_err(|why| match why {
            ClientError::Store(StoreError::Unavailable { .. }) => Refusal::Busy(why.to_string()),
            ClientError::Store(StoreError::LeaseLost { .. } | StoreError::Corrupt { .. }) => {
                Refusal::Failed(why.to_string())
            }
            ClientError::NotFound(_)
            | ClientError::AlreadyExists { .. }
            | ClientError::Gone { .. }
            | ClientError::Conflict { .. }
            | ClientError::Invalid(_) => Refusal::Invalid(why.to_string()),
        })?;
        let origin = self.origin(head);
        let origin = (!origin.is_empty()).then_some(origin);
        let uris = runs.client.management_uris(id.as_str(), origin.as_deref());
        if !waits {
            return Ok(reply::text(StatusCode::ACCEPTED, "application/json", uris.as_str().to_owned()));
        }
        let duration = runs.clock.now().saturating_since(began);
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Ok(reply::json(StatusCode::OK, &Report { returned: raw(&uris), duration_ms, ..Report::succeeded(None) }))
    }
}

/// Hands a run to the background, and waits for it there if the caller does.
async fn conclude(runs: &ManualRuns, run: BoxFuture<'static, Report>, waits: bool) -> Result<Reply, Refusal> {
    let (sender, receiver) = oneshot::channel();
    let (clock, began) = (Arc::clone(&runs.clock), runs.clock.now());
    let timed = async move {
        let report = run.await;
        let duration = clock.now().saturating_since(began);
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        // Whoever waited may be gone.
        drop(sender.send(Report { duration_ms, ..report }));
    };
    runs.background.take(timed.boxed()).map_err(|why| match why {
        NotTaken::Full | NotTaken::Ending => Refusal::Busy(why.to_string()),
    })?;
    if !waits {
        return Ok(reply::empty(StatusCode::ACCEPTED));
    }
    match receiver.await {
        Ok(report) => Ok(reply::json(StatusCode::OK, &report)),
        Err(_) => Err(Refusal::Failed("the run broke off; the log says why".to_owned())),
    }
}

impl ManualRuns {
    /// Runs an activity that no orchestrator has called: what would be sent to one that waits is answered instead.
    fn activity(&self, function: &Function, input: Json) -> BoxFuture<'static, Report> {
        let id = new_invocation_id(&*self.randomness);
        let task = ActivityTask {
            instance: InstanceId::from_stored(&id),
            execution: ExecutionId::from_random(self.randomness.next_u128()),
            id: EventId(0),
            name: function.name.clone(),
            input,
            attempt: 1,
            timeouts: Timeouts::default(),
            tags: Tags::new(),
            caller: function.name.clone(),
            version: None,
            pinned_to: None,
        };
        let (activities, clock) = (Arc::clone(&self.activities), Arc::clone(&self.clock));
        async move {
            let mut log = Invocation::begin(&task.name, &id, REASON, clock, Vec::new());
            let invocation = ActivityInvocation { invocation_id: id.clone(), task, heartbeat: Arc::new(NobodyListens) };
            let ran = activities.run(invocation).instrument(log.span().clone()).await;
            let failed = match ran {
                Ok(Ok(returned)) => {
                    log.succeed();
                    return Report { returned: raw(&returned), ..Report::succeeded(Some(id)) };
                }
                Ok(Err(failure)) => format!("{}: {}", failure.error_type, failure.message),
                Err(fault) => fault.to_string(),
            };
            log.fail(failed.clone());
            Report::failed(Some(id), failed)
        }
        .boxed()
    }
}

/// Signs of life of an activity that was started by hand: its caller waits, or does not.
#[derive(Debug)]
struct NobodyListens;

impl Heartbeat for NobodyListens {
    fn beat(&self, _details: Option<Json>) {}
}

impl Report {
    fn succeeded(invocation_id: Option<String>) -> Report {
        Report {
            invocation_id,
            outcome: Outcome::Succeeded,
            returned: None,
            outputs: BTreeMap::new(),
            response: None,
            error: None,
            duration_ms: 0,
        }
    }

    fn failed(invocation_id: Option<String>, why: String) -> Report {
        Report { outcome: Outcome::Failed, error: Some(why), ..Report::succeeded(invocation_id) }
    }
}

fn of_manual_run(run: Option<ManualRun>) -> Report {
    let Some(ManualRun { invocation_id, outcome }) = run else { return unknown() };
    match outcome {
        Ok(ran) => {
            let mut report = Report { returned: raw(&ran.returned), ..Report::succeeded(Some(invocation_id)) };
            for (name, value) in &ran.outputs {
                report.outputs.entry(name.clone()).or_default().extend(raw(value));
            }
            report
        }
        Err(why) => Report::failed(Some(invocation_id), why),
    }
}

async fn of_response(response: Option<http::Response<Body>>) -> Report {
    let Some(response) = response else { return unknown() };
    let (head, mut body) = response.into_parts();
    let invocation_id = head.headers.get(INVOCATION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let mut shown = Vec::new();
    let (mut is_truncated, mut broken) = (false, None);
    // To its end, whatever is shown of it: an invocation whose body nobody reads is cancelled.
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) if data.len() <= MAX_SHOWN_BYTES - shown.len() => shown.extend_from_slice(&data),
            Ok(Ok(_)) => is_truncated = true,
            // Trailers.
            Ok(Err(_)) => {}
            Err(why) => broken = Some(format!("the response broke off: {why}")),
        }
    }
    let error = broken.or_else(|| {
        let status = head.status;
        status.is_server_error().then(|| format!("the function answered {status}"))
    });
    let (body, body_base64) = match String::from_utf8(shown) {
        Ok(text) => (Some(text), None),
        Err(error) => (None, Some(STANDARD.encode(error.as_bytes()))),
    };
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let response =
        Response { status: head.status.as_u16(), headers: headers.collect(), body, body_base64, is_truncated };
    let report = match error {
        Some(why) => Report::failed(invocation_id, why),
        None => Report::succeeded(invocation_id),
    };
    Report { response: Some(response), ..report }
}

/// The app has the function, and so has its trigger: they are made of the same manifest.
fn unknown() -> Report {
    Report::failed(None, "the function has no trigger".to_owned())
}

/// POST where the function takes it, and the first of its methods otherwise.
fn method_of(trigger: &manifest::HttpTrigger) -> Method {
    if trigger.methods.contains(ListedMethod::Post) {
        return Method::POST;
    }
    let first = trigger.methods.to_vec().into_iter().next();
    first.and_then(|method| method.as_str().parse().ok()).unwrap_or(Method::POST)
}

fn signal_instead(entity: &str) -> Refusal {
    Refusal::Invalid(format!(
        "'{entity}' is an entity, which runs when it is signalled: POST {BASE_PATH}/entities/{entity}/<key>?op=<operation> with \
         the operation's input as JSON"
    ))
}

fn raw(json: &Json) -> Option<Box<RawValue>> {
    RawValue::from_string(json.as_str().to_owned()).ok()
}
