//! Everything about apps: which there are, deploying one, going back, and removing one.
//!
//! | request | answer |
//! |---|---|
//! | `GET apps` | 200 with all apps |
//! | `POST apps[?force=1]` with a bundle | 200 with a report |
//! | `GET apps/{name}` | 200 with its versions, deployments and routes |
//! | `POST apps/{name}/rollback[?to=...][&force=1]` | 200 with a report |
//! | `DELETE apps/{name}[?force=1]` | 200 with how many instances had not ended |
//!
//! What is refused is told as `{"error": {code, message, problems}}`. A caller that accepts `application/x-ndjson` gets 200 and
//! a line for each phase as it ends; the last line has `report` or `error`. A deploy that has begun goes on when its caller
//! goes away.

use bytes::Bytes;
use futures::FutureExt;
use futures::channel::mpsc;
use futures::stream::StreamExt;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use ports::Body;
use serde::Serialize;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

use super::refusal::Refusal;
use super::{Admin, asks_for, parameter, reads};
use crate::clock::Stopwatch;
use crate::deploying::{self, DeployReport, Deployer, Failed, Phase, PhaseReport, Why};
use crate::hosting::Departing;
use crate::management::reply::{self, Reply};

/// How long a bundle may take to arrive: the largest one over a slow line.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(30 * 60);

const NDJSON: &str = "application/x-ndjson";

/// What a request asks for. Names are as the caller wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    List,
    Deploy,
    Show(String),
    RollBack(String),
    Remove(String),
}

/// The operation; none for everything that is not one. `fixed` is `segments` in lower case.
pub(super) fn find(method: &Method, fixed: &[&str], segments: &[&str]) -> Option<Operation> {
    let name = |index: usize| segments.get(index).map(|name| (*name).to_owned());
    match fixed {
        ["apps"] if reads(method) => Some(Operation::List),
        ["apps"] if method == Method::POST => Some(Operation::Deploy),
        ["apps", _] if reads(method) => name(1).map(Operation::Show),
        ["apps", _] if method == Method::DELETE => name(1).map(Operation::Remove),
        ["apps", _, "rollback"] if method == Method::POST => name(1).map(Operation::RollBack),
        _ => None,
    }
}

/// What is to be done with deployments.
enum Change {
    Deploy(Bytes),
    RollBack { app: String, to: Option<String> },
}

/// A line of an answer that tells of phases.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Phase(&'a PhaseReport),
    Report { report: &'a DeployReport },
    Error { error: ErrorLine<'a> },
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    status: u16,
    #[serde(flatten)]
    failed: &'a Failed,
}

impl Admin {
    pub(super) async fn of_apps(&self, operation: Operation, head: &Parts, body: Body) -> Result<Reply, Refusal> {
        let deployer = self.deployer.as_deref();
        let done = match operation {
            Operation::List => {
                deploying::summaries(&self.host, deployer).await.map(|all| reply::json(StatusCode::OK, &all))
            }
            Operation::Show(name) => {
                deploying::details(&self.host, deployer, &name).await.map(|app| reply::json(StatusCode::OK, &app))
            }
            Operation::Remove(name) => match &self.deployer {
                Some(deployer) => {
                    let removed = deployer.remove(&name, asks_for(head, "force")).await;
                    removed.map(|removed| reply::json(StatusCode::OK, &removed))
                }
                None => Err(takes_no_deploys()),
            },
            Operation::Deploy => match &self.deployer {
                Some(deployer) => {
                    let stopwatch = Stopwatch::start();
                    let received = match self.receive(body).await {
                        Ok(received) => received,
                        Err(failed) => return Ok(refused(&failed)),
                    };
                    let detail = format!("{} bytes", received.len());
                    let first = PhaseReport::of(Phase::Received, stopwatch.elapsed(), detail);
                    Ok(self.change(deployer, Change::Deploy(received), Some(first), head).await?)
                }
                None => Err(takes_no_deploys()),
            },
            Operation::RollBack(app) => match &self.deployer {
                Some(deployer) => {
                    let to = parameter(head, "to").filter(|to| !to.is_empty());
                    Ok(self.change(deployer, Change::RollBack { app, to }, None, head).await?)
                }
                None => Err(takes_no_deploys()),
            },
        };
        Ok(done.unwrap_or_else(|failed| refused(&failed)))
    }

    /// A bundle, as long as it may be. Whoever says beforehand that it is longer need not send it.
    async fn receive(&self, body: Body) -> Result<Bytes, Failed> {
        let limit_bytes = usize::try_from(bundle::MAX_BUNDLE_BYTES).unwrap_or(usize::MAX);
        let received = self.read_within(body, limit_bytes, UPLOAD_TIMEOUT).await;
        received.map(Bytes::from).map_err(|refusal| match refusal {
            Refusal::TooLarge { limit_bytes } => {
                let message = format!("the bundle is longer than {limit_bytes} bytes; make its components smaller");
                Failed::new(Why::TooLarge, "BadBundle", &message)
            }
            Refusal::Invalid(why) => not_received(&why),
            Refusal::TooSlow => not_received("it took too long"),
            Refusal::NotFound | Refusal::Conflict(_) | Refusal::Busy(_) | Refusal::Failed(_) => {
                not_received("the host could not read it")
            }
        })
    }

    /// Does it in the background, and tells the caller of it.
    async fn change(
        &self,
        deployer: &Arc<Deployer>,
        change: Change,
        first: Option<PhaseReport>,
        head: &Parts,
    ) -> Result<Reply, Refusal> {
        let departing = if asks_for(head, "force") { Departing::Accept } else { Departing::Refuse };
        let (lines, heard) = mpsc::unbounded::<Bytes>();
        let (sender, receiver) = oneshot::channel();
        let deployer = Arc::clone(deployer);
        let work = async move {
            // Nobody may listen any more.
            let say = |line: &Line<'_>| drop(lines.unbounded_send(in_one_line(line)));
            let tell = |phase: PhaseReport| say(&Line::Phase(&phase));
            first.into_iter().for_each(tell);
            let outcome = match change {
                Change::Deploy(bytes) => deployer.deploy(bytes, departing, &tell).await,
                Change::RollBack { app, to } => deployer.roll_back(&app, to.as_deref(), departing, &tell).await,
            };
            match &outcome {
                Ok(report) => say(&Line::Report { report }),
                Err(failed) => {
                    say(&Line::Error { error: ErrorLine { status: status_of(failed.why).as_u16(), failed } });
                }
            }
            drop(sender.send(outcome));
        };
        let taken = self.host.surroundings.background.take(work.boxed());
        taken.map_err(|why| Refusal::Busy(why.to_string()))?;
        if wants_phases(head) {
            let frames = heard.map(|line| Ok::<_, Infallible>(Frame::data(line)));
            let body = StreamBody::new(frames).map_err(|never| match never {}).boxed_unsync();
            let mut reply = Reply::new(body);
            reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON));
            return Ok(reply);
        }
        match receiver.await {
            Ok(Ok(report)) => Ok(reply::json(StatusCode::OK, &report)),
            Ok(Err(failed)) => Ok(refused(&failed)),
            Err(_) => Err(Refusal::Failed("the deploy broke off; the log says why".to_owned())),
        }
    }
}

fn wants_phases(head: &Parts) -> bool {
    head.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains(NDJSON))
}

fn in_one_line(line: &Line<'_>) -> Bytes {
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    Bytes::from(text)
}

fn refused(failed: &Failed) -> Reply {
    reply::json(status_of(failed.why), &json!({ "error": failed }))
}

fn status_of(why: Why) -> StatusCode {
    match why {
        Why::Invalid => StatusCode::BAD_REQUEST,
        Why::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Why::NotFound => StatusCode::NOT_FOUND,
        Why::Conflict => StatusCode::CONFLICT,
        Why::NoRoom => StatusCode::INSUFFICIENT_STORAGE,
        Why::Host => StatusCode::INTERNAL_SERVER_ERROR,
        Why::Ending => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn not_received(why: &str) -> Failed {
    let message = format!("the bundle has not arrived: {why}; send it again");
    Failed::invalid("BadBundle", &message, Vec::new())
}

fn takes_no_deploys() -> Failed {
    let message = "this host was started with manifests and takes no deploys: change the manifests, or start a host that does with \
                   `dacapo serve`";
    Failed::conflict("StartedFromManifests", message, Vec::new())
}
