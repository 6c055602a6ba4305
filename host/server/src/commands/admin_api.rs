//! Asking the admin API of a host that runs, for the commands that do.
//!
//! Owns how a host is reached and what is said when it cannot be; what an answer means is up to the command.

use anyhow::{Context, anyhow};
use orchestration::{HttpRequest, HttpResponse};
use std::sync::Arc;
use std::time::Duration;

use crate::cli::HostArguments;
use crate::clock::SystemClock;
use crate::exit::Problem;
use crate::management::BASE_PATH;
use crate::outbound::{Bounds, Outbound};

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 1 << 30;

/// What is not asked: a run for which somebody waits may take this long.
pub(super) const LONG: Duration = Duration::from_secs(24 * 3_600);
/// What the host answers from memory.
pub(super) const SHORT: Duration = Duration::from_secs(60);

/// Runs a command that asks a host, to its end.
///
/// # Errors
/// [`Problem::NoAnswer`] for whatever keeps the command from its answer.
pub(super) fn block_on<T>(asking: impl Future<Output = anyhow::Result<T>>) -> Result<T, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::NoAnswer(error.into()))?;
    runtime.block_on(asking).map_err(Problem::NoAnswer)
}

/// Sends a request to a path below the host; with JSON, it is a POST. Any status but 401 is an answer.
///
/// # Errors
/// The host cannot be reached, or asks for a key.
pub(super) async fn ask(
    host: &HostArguments,
    path: &str,
    json: Option<String>,
    timeout: Duration,
) -> anyhow::Result<HttpResponse> {
    let method = if json.is_some() { "POST" } else { "GET" };
    let request = HttpRequest {
        method: method.to_owned(),
        url: path.to_owned(),
        headers: Vec::new(),
        content: json,
        fail_on_status: None,
    };
    let answer = send(host, request, timeout).await?;
    if answer.status == 401 {
        return Err(wants_master_key(&origin(&host.url), host.key()));
    }
    Ok(answer)
}

/// What is said of a 401: `key` is what was given.
pub(super) fn wants_master_key(origin: &str, key: Option<&str>) -> anyhow::Error {
    let wrong = if key.is_some() { "does not take this key; it " } else { "" };
    anyhow!(
        "{origin} {wrong}asks for its master key: give it with --key or as DACAPO_KEY. `dacapo keys list <manifest> --show-values` \
         shows it as _master; for `dacapo serve`, with --data-dir instead of the manifest"
    )
}

/// Sends a request, whose URL is a path below the host, with the key that the person gave; its content is JSON. Any status is an
/// answer.
///
/// # Errors
/// The host cannot be reached.
pub(super) async fn send(
    host: &HostArguments,
    request: HttpRequest,
    timeout: Duration,
) -> anyhow::Result<HttpResponse> {
    let origin = origin(&host.url);
    let mut headers = request.headers;
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    headers.extend(host.key().map(|key| ("x-functions-key".to_owned(), key.to_owned())));
    let request = HttpRequest { url: format!("{origin}{}", request.url), headers, ..request };
    let bounds = Bounds { allows: &|_https, _host, _port| true, timeout, max_body_bytes: MAX_ANSWER_BYTES };
    let answer = Outbound::new(Arc::new(SystemClock)).send(request, bounds).await;
    answer.with_context(|| {
        format!("no host answers at {origin}; start one with `dacapo start <manifest>`, or say where it is with --url")
    })
}

/// Scheme, host and port, however the person wrote them.
pub(super) fn origin(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let url = ["/admin", BASE_PATH].into_iter().find_map(|path| url.strip_suffix(path)).unwrap_or(url);
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}
