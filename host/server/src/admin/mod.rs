//! The admin API, everything under `/admin`: what the host is, and what its operator may change.
//!
//! Owns the paths and who may use them: the master key opens everything, and `/admin/host/ping` is open to everybody. Each
//! file beside this one parses and answers the operations of one subject; to add a subject, add a file, a variant of
//! [`Operation`], its line in [`find`] and its line in [`Admin::answer`]. What is no operation is 404 without a body,
//! whoever asks; paths are compared without case, and one slash at the end is passed over.

mod body;
mod keys;
mod refusal;
mod status;

#[cfg(test)]
mod tests;

use http::request::Parts;
use http::{Method, Request, StatusCode};
use orchestration::Timestamp;
use percent_encoding::percent_decode_str;
use ports::{Body, Clock};
use std::sync::Arc;
use triggers::http::OriginPolicy;

use crate::auth::Doors;
use crate::keys::KeyRing;
use crate::management::reply::{self, Reply};

/// What the API needs to be served.
pub(crate) struct Admin {
    /// The app.
    pub(crate) app: String,
    /// Its functions' names, in the order of the manifest.
    pub(crate) functions: Vec<String>,
    /// The host's version.
    pub(crate) version: &'static str,
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
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Operation {
    /// `GET`, `POST host/ping`
    Ping,
    /// `GET host/status`
    Status,
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
    match fixed.as_slice() {
        ["host", "ping"] => (reads(method) || method == Method::POST).then_some(Operation::Ping),
        ["host", "status"] => reads(method).then_some(Operation::Status),
        _ => keys::find(method, &fixed, &segments).map(Operation::Keys),
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

impl Admin {
    /// Answers one request.
    pub(crate) async fn handle(&self, request: Request<Body>) -> Reply {
        let (head, body) = request.into_parts();
        let Some(operation) = find(&head.method, head.uri.path()) else { return reply::empty(StatusCode::NOT_FOUND) };
        if operation != Operation::Ping && !self.doors.admit_admin(&head) {
            return reply::empty(StatusCode::UNAUTHORIZED);
        }
        self.answer(operation, &head, body).await
    }

    async fn answer(&self, operation: Operation, head: &Parts, body: Body) -> Reply {
        match operation {
            Operation::Ping => reply::empty(StatusCode::OK),
            Operation::Status => self.status(),
            Operation::Keys(operation) => self.of_keys(operation, head, body).await,
        }
    }

    /// The name of a function as the manifest has it; none if there is none.
    fn function(&self, name: &str) -> Option<&str> {
        self.functions.iter().find(|function| function.eq_ignore_ascii_case(name)).map(String::as_str)
    }
}
