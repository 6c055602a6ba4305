//! The admin API, everything under `/admin`: what the host and its functions are, running them by hand, and what their
//! operator may change. What machines ask of a host stands beside it: its health, and its counters for Prometheus.
//!
//! Owns the paths and who may use them: the master key opens everything, and `/admin/host/ping` is open to everybody. Each
//! file beside this one parses and answers the operations of one subject; to add a subject, add a file, a variant of
//! [`Operation`], its line in [`find`] and its line in [`Admin::answer`]. What is no operation is 404 without a body,
//! whoever asks; paths are compared without case, and one slash at the end is passed over.
//!
//! | request | answer |
//! |---|---|
//! | `GET`, `POST host/ping` | 200; with `?checkHealth=1` 429 when no further request would be taken |
//! | `GET host/status`, `host/config`, `host/usage` | 200 with JSON |
//! | `GET host/logs` | see `logs` |
//! | `POST host/drain`, `GET host/drain/status`, `POST host/resume` | see `drain` |
//! | `GET functions`, `functions/{name}`, `functions/{name}/status` | 200 with records as in Azure; 404 |
//! | `POST functions/{name}` | see `run` |
//! | everything about apps, deploying included | see `apps` |
//! | everything about keys | see `keys` |

mod apps;
mod body;
mod config;
mod drain;
mod functions;
mod keys;
mod logs;
mod refusal;
mod run;
mod status;
mod usage;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use run::{ManualRuns, Outcome, Report};
pub(crate) use status::HEALTH_PATH;
pub(crate) use usage::{UsageNumbers, UsageReport};

use http::header::{CONNECTION, HeaderValue};
use http::request::Parts;
use http::{Method, Request, StatusCode};
use hyper::body::Body as _;
use orchestration::Timestamp;
use percent_encoding::percent_decode_str;
use ports::{Body, Clock};
use refusal::Refusal;
use std::sync::Arc;
use triggers::http::OriginPolicy;

use crate::auth::Doors;
use crate::deploying::Deployer;
use crate::hosting::{Host, Served};
use crate::keys::KeyRing;
use crate::listeners::Intake;
use crate::log_stream::LogStream;
use crate::management::reply::{self, Reply};

/// What the API needs to be served.
pub(crate) struct Admin {
    /// The apps that are served.
    pub(crate) host: Arc<Host>,
    /// Takes deploys; none: the host was started with manifests.
    pub(crate) deployer: Option<Arc<Deployer>>,
    /// The host's version.
    pub(crate) version: &'static str,
    /// Tells this run of the host from others.
    pub(crate) instance_id: String,
    /// When the host started.
    pub(crate) started: Timestamp,
    /// Tells how long ago that is.
    pub(crate) clock: Arc<dyn Clock>,
    /// Who may use it.
    pub(crate) doors: Doors,
    /// The keys that it shows and changes.
    pub(crate) keys: Arc<KeyRing>,
    /// Where requests were sent to, for links in answers.
    pub(crate) origins: OriginPolicy,
    /// The last of the log.
    pub(crate) logs: Arc<LogStream>,
}

/// What a request asks for. Names of functions are as the caller wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Operation {
    Ping,
    Status,
    Config,
    Usage,
    Drain,
    DrainStatus,
    Resume,
    Logs,
    Functions,
    Function(String),
    FunctionStatus(String),
    Run(String),
    /// Everything about apps.
    Apps(apps::Operation),
    /// Everything about keys.
    Keys(keys::Operation),
}

/// The operation; none for everything that is not one. `path` begins with `/admin`.
fn find(method: &Method, path: &str) -> Option<Operation> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Option<Vec<String>> = path.split('/').skip(2).map(decode).collect();
    let segments: Vec<&str> = segments.as_ref()?.iter().map(String::as_str).collect();
    // Fixed parts of paths are compared in lower case; names that callers choose keep theirs.
    let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let fixed: Vec<&str> = lower.iter().map(String::as_str).collect();
    let (is_read, is_post) = (reads(method), method == Method::POST);
    match (fixed.as_slice(), segments.as_slice()) {
        (["host", "ping"], _) => (is_read || is_post).then_some(Operation::Ping),
        (["host", "status"], _) => is_read.then_some(Operation::Status),
        (["host", "config"], _) => is_read.then_some(Operation::Config),
        (["host", "usage"], _) => is_read.then_some(Operation::Usage),
        (["host", "drain"], _) => is_post.then_some(Operation::Drain),
        (["host", "drain", "status"], _) => is_read.then_some(Operation::DrainStatus),
        (["host", "logs"], _) => is_read.then_some(Operation::Logs),
        (["host", "resume"], _) => is_post.then_some(Operation::Resume),
        (["functions"], _) => is_read.then_some(Operation::Functions),
        (["functions", _], [_, name]) if is_post => Some(Operation::Run((*name).to_owned())),
        (["functions", _], [_, name]) => is_read.then(|| Operation::Function((*name).to_owned())),
        (["functions", _, "status"], [_, name, _]) => is_read.then(|| Operation::FunctionStatus((*name).to_owned())),
        (_, segments) => {
            let of_apps = apps::find(method, &fixed, segments).map(Operation::Apps);
            of_apps.or_else(|| keys::find(method, &fixed, segments).map(Operation::Keys))
        }
    }
}

fn decode(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    (!text.is_empty()).then(|| text.into_owned())
}

/// HEAD asks what GET would answer; the connection drops the body.
fn reads(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// Whether a query has the parameter and says yes to it.
fn asks_for(head: &Parts, name: &str) -> bool {
    parameter(head, name).is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
}

/// What a query says under a name, which is compared without case.
fn parameter(head: &Parts, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.into_owned())
}

impl Admin {
    /// Answers one request.
    pub(crate) async fn handle(&self, request: Request<Body>) -> Reply {
        let (head, body) = request.into_parts();
        let has_body = !body.is_end_stream();
        let mut reply = match find(&head.method, head.uri.path()) {
            None => reply::empty(StatusCode::NOT_FOUND),
            Some(operation) if operation != Operation::Ping && !self.doors.admit_admin(&head) => {
                reply::empty(StatusCode::UNAUTHORIZED)
            }
            Some(operation) => self.answer(operation, &head, body).await,
        };
        // A body that nobody has read ends the connection. Callers who keep connections must know before they use it again.
        if has_body && reply.status().is_client_error() {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        reply
    }

    async fn answer(&self, operation: Operation, head: &Parts, body: Body) -> Reply {
        let done = match operation {
            Operation::Ping => Ok(self.ping(head)),
            Operation::Status => Ok(self.status()),
            Operation::Config => self.config(head),
            Operation::Usage => Ok(self.usage()),
            Operation::Drain => Ok(self.drain()),
            Operation::DrainStatus => Ok(self.drain_status()),
            Operation::Resume => self.resume(),
            Operation::Logs => self.logs(head),
            Operation::Functions => Ok(self.functions(head)),
            Operation::Function(name) => self.function_record(&name, head),
            Operation::FunctionStatus(name) => self.function_status(&name),
            Operation::Run(name) => self.run(&name, head, body).await,
            Operation::Apps(operation) => self.of_apps(operation, head, body).await,
            Operation::Keys(operation) => Ok(self.of_keys(operation, head, body).await),
        };
        done.unwrap_or_else(|refusal| refusal.reply())
    }

    /// The app of a function and the function's name as the manifest has it; none if there is none.
    fn function(&self, name: &str) -> Option<String> {
        let served = self.host.apps.with_function(name)?;
        served.app.function(name).map(|function| function.name.clone())
    }

    fn served_with(&self, function: &str) -> Result<Arc<Served>, Refusal> {
        self.host.apps.with_function(function).ok_or(Refusal::NotFound)
    }

    /// Whether the host takes work by itself.
    fn intake(&self) -> Intake {
        self.host.intake()
    }

    /// Scheme and authority that links in an answer begin with; empty if the request does not tell.
    fn origin(&self, head: &Parts) -> String {
        self.origins.of(head).map(|origin| origin.to_string()).unwrap_or_default()
    }
}
