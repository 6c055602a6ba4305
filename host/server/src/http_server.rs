//! The server on its socket: connections, and which part of the host answers a request.
//!
//! Owns connection limits and the graceful end. Knows of each part only the paths that are its own; what the parts answer is
//! theirs.

#[cfg(test)]
mod tests;

use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use orchestration::Timestamp;
use ports::{Body, Clock};
use serde::Serialize;
use std::convert::Infallible;
use std::fmt::Write;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use triggers::http::HttpTrigger;

use crate::management::Management;
use crate::management::reply::{self, Reply};

/// Open connections at a time; further ones wait in the kernel. Below what a process may usually have open.
const MAX_CONNECTIONS: usize = 8_192;

/// How long a connection may take to send a request's head, which includes the time that it is kept open without one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// Wait after a refused accept: it is almost always that the process has no file descriptor left, and some must end first.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// The parts of the host that answer requests.
pub(crate) struct Services {
    /// Everything that is nobody else's.
    pub(crate) functions: HttpTrigger,
    /// `/runtime/webhooks/durabletask`
    pub(crate) management: Management,
    /// `/admin`
    pub(crate) admin: Admin,
    /// `/`
    pub(crate) home: HomePage,
}

/// What the admin API tells. (Keys, function records and manual runs are not there yet.)
pub(crate) struct Admin {
    /// The app.
    pub(crate) app: String,
    /// The host's version.
    pub(crate) version: &'static str,
    /// When the host started.
    pub(crate) started: Timestamp,
    /// Tells how long ago that is.
    pub(crate) clock: Arc<dyn Clock>,
}

/// What stands at `/`.
pub(crate) enum HomePage {
    /// 204: nobody is told what runs here.
    Empty,
    /// This HTML.
    Page(String),
}

/// Serves until `stopping` completes; then takes no new connection or request, and returns when the running requests are
/// answered. Dropping the future ends them where they are.
pub(crate) async fn serve(
    listener: TcpListener,
    services: Arc<Services>,
    clock: Arc<dyn Clock>,
    stopping: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stopping = pin!(stopping);
    loop {
        tokio::select! {
            () = &mut stopping => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => report(ended),
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _peer)) => {
                    connections.spawn(connection(stream, Arc::clone(&services), graceful.watcher()));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted at the moment");
                    clock.sleep_until(clock.now().saturating_add(ACCEPT_BACKOFF)).await;
                }
            },
        }
    }
    drop(listener);
    graceful.shutdown().await;
    while let Some(ended) = connections.join_next().await {
        report(ended);
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}

/// The peer was gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(stream: TcpStream, services: Arc<Services>, watcher: Watcher) {
    // Answers are small and somebody waits for each; without it the kernel holds back the last piece of one.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its small packets back");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let services = Arc::clone(&services);
        async move {
            let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
            Ok::<_, Infallible>(services.answer(request).await)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(served).await {
        tracing::debug!(%error, "a connection broke off");
    }
}

impl Services {
    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Reply {
        match Part::of(&request) {
            Part::Functions => self.functions.handle(request).await,
            Part::Management => self.management.handle(request).await,
            Part::Admin => self.admin.answer(&request),
            Part::Home => self.home.answer(),
            Part::Nobody => reply::empty(StatusCode::NOT_FOUND),
        }
    }
}

/// Who answers a request.
enum Part {
    Functions,
    Management,
    Admin,
    Home,
    Nobody,
}

impl Part {
    /// The host's own paths win over functions, whose routes may not begin like them.
    fn of(request: &Request<Body>) -> Part {
        let path = request.uri().path();
        let first = path.split('/').nth(1).unwrap_or_default();
        if Management::owns(path) {
            Part::Management
        } else if first.eq_ignore_ascii_case("admin") {
            Part::Admin
        } else if first.eq_ignore_ascii_case("runtime") {
            Part::Nobody
        } else if path == "/" && reads(request.method()) {
            Part::Home
        } else {
            Part::Functions
        }
    }
}

fn reads(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HostStatus<'a> {
    id: &'a str,
    state: &'static str,
    version: &'a str,
    /// In milliseconds.
    process_uptime: u64,
}

impl Admin {
    fn answer(&self, request: &Request<Body>) -> Reply {
        let path = request.uri().path().trim_end_matches('/');
        let reads = reads(request.method());
        if path.eq_ignore_ascii_case("/admin/host/ping") && (reads || request.method() == Method::POST) {
            return reply::empty(StatusCode::OK);
        }
        if path.eq_ignore_ascii_case("/admin/host/status") && reads {
            let uptime = self.clock.now().saturating_since(self.started).as_millis();
            let status = HostStatus {
                id: &self.app,
                state: "Running",
                version: self.version,
                process_uptime: u64::try_from(uptime).unwrap_or(u64::MAX),
            };
            return reply::json(StatusCode::OK, &status);
        }
        reply::empty(StatusCode::NOT_FOUND)
    }
}

impl HomePage {
    /// A page that names an app's functions; each with what starts it, such as its methods and URL.
    pub(crate) fn listing<'a>(
        app: &str,
        version: &str,
        functions: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> HomePage {
        let (app, version) = (Escaped(app), Escaped(version));
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{app}</title>\n<h1>{app}</h1>\n\
             <p>Served by Dacapo {version}.</p>\n<table>\n"
        );
        for (name, started_by) in functions {
            // Writing to a String cannot fail.
            let _infallible =
                writeln!(page, "<tr><th align=\"left\">{}</th><td>{}</td></tr>", Escaped(name), Escaped(started_by));
        }
        page.push_str("</table>\n</html>\n");
        HomePage::Page(page)
    }

    fn answer(&self) -> Reply {
        match self {
            HomePage::Empty => reply::empty(StatusCode::NO_CONTENT),
            HomePage::Page(page) => reply::text(StatusCode::OK, "text/html; charset=utf-8", page.clone()),
        }
    }
}

/// Text that cannot leave its place in HTML.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}
