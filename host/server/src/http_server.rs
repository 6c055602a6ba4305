//! The server on its socket: connections, and which part of the host answers a request.
//!
//! Owns connection limits and the graceful end. Knows of each part only the paths that are its own; what the parts answer is
//! theirs.

mod headers;

#[cfg(test)]
mod tests;

pub(crate) use headers::AddedHeaders;

use async_trait::async_trait;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use ports::{Body, Clock};
use std::convert::Infallible;
use std::fmt::Write;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use triggers::http::OriginPolicy;

use crate::admin::{Admin, HEALTH_PATH};
use crate::auth::Doors;
use crate::cors::{Cors, Crossing};
use crate::hosting::{Apps, Managed, Served};
use crate::management::Management;
use crate::management::reply::{self, Reply};

/// Open connections at a time; further ones wait in the kernel. Below what a process may usually have open.
const MAX_CONNECTIONS: usize = 8_192;

/// How long a connection may take to send a request's head, which includes the time that it is kept open without one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// Wait after a refused accept: it is almost always that the process has no file descriptor left, and some must end first.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Where Prometheus looks if nobody tells it otherwise.
const METRICS_PATH: &str = "/metrics";

/// The parts of the host that answer requests.
pub(crate) struct Services {
    /// Their functions answer what is nobody else's, and their management `/runtime/webhooks/durabletask`.
    pub(crate) apps: Arc<Apps>,
    /// `/admin`, `/metrics` and the health check
    pub(crate) admin: Admin,
    /// `/`
    pub(crate) home: HomePage,
    /// Who may use what.
    pub(crate) doors: Doors,
    /// Where requests were sent to.
    pub(crate) origins: OriginPolicy,
}

/// What stands at `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HomePage {
    /// 204: nobody is told what runs here.
    Empty,
    /// The functions of all apps.
    Listing {
        /// The host's version.
        version: &'static str,
    },
}

/// Whoever answers the requests of a listener.
#[async_trait]
pub(crate) trait Answers: Send + Sync + 'static {
    /// Answers one request.
    async fn answer(&self, request: Request<Body>) -> Response<Body>;
}

/// Serves until `stopping` completes; then takes no new connection or request, and returns when the running requests are
/// answered. Dropping the future ends them where they are.
pub(crate) async fn serve<A: Answers>(
    listener: TcpListener,
    services: Arc<A>,
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

async fn connection<A: Answers>(stream: TcpStream, services: Arc<A>, watcher: Watcher) {
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

#[async_trait]
impl Answers for Services {
    /// Preflights come before everything else: browsers send them without keys, to routes whose functions need not know
    /// OPTIONS.
    async fn answer(&self, request: Request<Body>) -> Reply {
        let (head, body) = request.into_parts();
        match Part::of(&head) {
            Part::Functions => self.answer_by_function(head, body).await,
            Part::Management => self.answer_by_management(head, body).await,
            Part::Nobody => reply::empty(StatusCode::NOT_FOUND),
            Part::Admin => self.admin.handle(Request::from_parts(head, body)).await,
            Part::Metrics => self.admin.metrics(&head),
            Part::Health => self.admin.health(),
            Part::Home => self.home.answer(&self.apps),
        }
    }
}

impl Services {
    /// The app is chosen once: whatever is swapped meanwhile, the request stays with the version that it found.
    async fn answer_by_function(&self, head: Parts, body: Body) -> Reply {
        let Some(served) = self.apps.for_functions(&head) else { return reply::empty(StatusCode::NOT_FOUND) };
        let crossing = match served.cors.as_ref().map(|cors| (cors, cors.preflight(&head))) {
            Some((_, Some(reply))) => return reply,
            Some((cors, None)) => Some((cors, cors.crossing(&head))),
            None => None,
        };
        // Most apps add nothing; then nothing needs to be remembered.
        let origin = if served.added.is_empty() { None } else { self.origins.of(&head).ok() };
        let mut reply = served.functions.handle(Request::from_parts(head, body)).await;
        if let Some(origin) = origin {
            served.added.add(origin.scheme.as_str(), origin.authority.host(), reply.headers_mut());
        }
        if let Some((cors, crossing)) = crossing {
            cors.mark(crossing, reply.headers_mut());
        }
        reply
    }

    async fn answer_by_management(&self, head: Parts, body: Body) -> Reply {
        // Before the caller is known, nobody is told which task hubs there are; browsers ask before they show a key.
        let first = self.apps.all().first().cloned();
        if let Some(reply) = first.as_ref().and_then(|first| first.cors.as_ref()?.preflight(&head)) {
            return reply;
        }
        if !self.doors.admit_management(&head) {
            let mut reply = reply::empty(StatusCode::UNAUTHORIZED);
            if let Some((cors, crossing)) = first.as_deref().and_then(|first| crossing(first, &head)) {
                cors.mark(crossing, reply.headers_mut());
            }
            return reply;
        }
        match self.apps.for_management(&head).await {
            Managed::Nobody => reply::empty(StatusCode::NOT_FOUND),
            Managed::Unclear(hubs) => reply::unclear(&hubs),
            Managed::App(served) => {
                let crossing = crossing(&served, &head);
                let mut reply = served.management.handle(Request::from_parts(head, body)).await;
                if let Some((cors, crossing)) = crossing {
                    cors.mark(crossing, reply.headers_mut());
                }
                reply
            }
        }
    }
}

/// What a request is to the cross-origin rules of an app, if it has any.
fn crossing<'a>(served: &'a Served, head: &Parts) -> Option<(&'a Cors, Crossing)> {
    served.cors.as_ref().map(|cors| (cors, cors.crossing(head)))
}

/// Who answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Functions,
    Management,
    Admin,
    Metrics,
    Health,
    Home,
    Nobody,
}

impl Part {
    /// The host's own paths win over functions, whose routes may not begin like them.
    fn of(head: &Parts) -> Part {
        let path = head.uri.path();
        let first = path.split('/').nth(1).unwrap_or_default();
        if Management::owns(path) {
            Part::Management
        } else if first.eq_ignore_ascii_case("admin") {
            Part::Admin
        } else if first.eq_ignore_ascii_case("runtime") {
            Part::Nobody
        } else if path == METRICS_PATH && reads(&head.method) {
            Part::Metrics
        } else if path == HEALTH_PATH && reads(&head.method) {
            Part::Health
        } else if path == "/" && reads(&head.method) {
            Part::Home
        } else {
            Part::Functions
        }
    }
}

fn reads(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

impl HomePage {
    fn answer(self, apps: &Apps) -> Reply {
        match self {
            HomePage::Empty => reply::empty(StatusCode::NO_CONTENT),
            HomePage::Listing { version } => {
                reply::text(StatusCode::OK, "text/html; charset=utf-8", page(&apps.all(), version))
            }
        }
    }
}

/// Names the functions of all apps; each with what starts it, such as its methods and URL.
fn page(apps: &[Arc<Served>], version: &str) -> String {
    let title = apps.iter().map(|served| served.app.name.as_str()).collect::<Vec<_>>().join(", ");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{}</title>\n",
        Escaped(if title.is_empty() { "Dacapo" } else { &title })
    );
    // Writing to a String cannot fail.
    for served in apps {
        let _infallible = writeln!(page, "<h1>{}</h1>\n<table>", Escaped(&served.app.name));
        for (name, started_by) in &served.listing {
            let _infallible =
                writeln!(page, "<tr><th align=\"left\">{}</th><td>{}</td></tr>", Escaped(name), Escaped(started_by));
        }
        page.push_str("</table>\n");
    }
    let _infallible = write!(page, "<p>Served by Dacapo {}.</p>\n</html>\n", Escaped(version));
    page
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
