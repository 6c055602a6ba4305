//! The request of a deploy: a long body with its length, sent in pieces, while somebody watches; and an answer that comes line by
//! line.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};
use indicatif::{ProgressBar, ProgressStyle};
use std::convert::Infallible;
use std::io::IsTerminal;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use super::phases::Lines;
use super::{answered, broke_off};
use crate::cli::DeployArguments;
use crate::clock;
use crate::commands::admin_api::{origin, wants_master_key};
use crate::commands::apps::Answered;
use crate::outbound;

/// What is handed to the connection at a time: often enough for a bar that moves.
const PIECE_BYTES: usize = 64 << 10;

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// How long a host may take nothing more of a bundle that it has not got whole.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

const BAR: &str = "{msg} [{bar:40}] {bytes}/{total_bytes}";

/// Sends a bundle and follows what the host says about it, each phase as a line.
///
/// # Errors
/// The host cannot be reached, asks for another key, takes nothing any more, or breaks off.
pub(super) async fn send(arguments: &DeployArguments, bytes: Bytes, say: &dyn Fn(&str)) -> anyhow::Result<Answered> {
    let origin = origin(&arguments.to);
    let force = if arguments.force { "?force=1" } else { "" };
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(format!("{origin}/admin/apps{force}"))
        .header(CONTENT_TYPE, "application/zip")
        .header(ACCEPT, "application/x-ndjson, application/json")
        .header(CONTENT_LENGTH, bytes.len());
    if let Some(key) = &arguments.key {
        request = request.header("x-functions-key", key);
    }
    let bar = bar(bytes.len() as u64);
    let left = Arc::new(AtomicUsize::new(bytes.len()));
    let pieces = Pieces { bytes, left: left.clone(), bar: bar.clone() };
    let request = request.body(pieces).context("the key or the URL cannot be sent")?;
    let client = outbound::client();
    let answer = tokio::select! {
        answer = client.request(request) => answer,
        () = stalled(&left) => {
            bar.finish_and_clear();
            let (patience, left) = (STALL_TIMEOUT.as_secs(), left.load(Ordering::Relaxed));
            bail!("{origin} has taken nothing for {patience} s, and lacks {left} bytes of the bundle; nothing was deployed. Look at the host and the network, and deploy again")
        }
    };
    bar.finish_and_clear();
    let answer = answer.map_err(|error| match error.is_connect() {
        true => anyhow::Error::new(error).context(format!(
            "no host answers at {origin}; start one with `dacapo serve`, or say where it is with --to"
        )),
        // The host may have all of it by now.
        false => anyhow::Error::new(error).context(broke_off(&origin)),
    })?;
    let (head, mut body) = answer.into_parts();
    let status = head.status.as_u16();
    if status == 401 {
        return Err(wants_master_key(&origin, arguments.key.as_deref()));
    }
    let is_lines = head.headers.get(CONTENT_TYPE).is_some_and(|is| is.as_bytes().starts_with(b"application/x-ndjson"));
    let mut lines = Lines::default();
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| broke_off(&origin))?.into_data() else { continue };
        if whole.len() + data.len() > MAX_ANSWER_BYTES {
            bail!("the answer of {origin} is longer than {MAX_ANSWER_BYTES} bytes; is a host of Dacapo there?");
        }
        whole.extend_from_slice(&data);
        if is_lines {
            lines.take(&data, say);
        }
    }
    if !is_lines {
        return Ok(answered(status, String::from_utf8_lossy(&whole).into_owned()));
    }
    lines.into_end().ok_or_else(|| broke_off(&origin))
}

/// One that is seen at a terminal only; it is drawn on standard error.
fn bar(length: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length).with_message("Sending");
    match ProgressStyle::with_template(BAR) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Ends when nothing was taken for too long; never once all has been.
async fn stalled(left: &AtomicUsize) {
    let mut before = usize::MAX;
    loop {
        match left.load(Ordering::Relaxed) {
            0 => std::future::pending().await,
            now if now == before => return,
            now => before = now,
        }
        clock::after(STALL_TIMEOUT).await;
    }
}

/// A body of known length, in pieces.
struct Pieces {
    bytes: Bytes,
    /// The length of `bytes`, for others.
    left: Arc<AtomicUsize>,
    bar: ProgressBar,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.bytes.len().min(PIECE_BYTES);
        let piece = self.bytes.split_to(length);
        self.left.store(self.bytes.len(), Ordering::Relaxed);
        self.bar.inc(piece.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}
