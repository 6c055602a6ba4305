//! Bodies on their way through, piece by piece: a request's, which may be too long, and a response's, whose end is the end
//! of the invocation. Nothing is collected here.

use crate::invocation::Invocation;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use ports::{Body, BoxError};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// A request body is longer than `http.maxRequestBodyBytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request body is longer than {limit_bytes} bytes; raise host.http.maxRequestBodyBytes")]
pub struct BodyTooLarge {
    /// The limit.
    pub limit_bytes: u64,
}

/// Tells the response what became of the request's body.
#[derive(Clone, Debug)]
pub(super) struct Overflow {
    seen: Arc<AtomicBool>,
    error: BodyTooLarge,
}

impl Overflow {
    pub(super) fn error(&self) -> Option<BodyTooLarge> {
        self.seen.load(Ordering::Acquire).then_some(self.error)
    }
}

/// The body, cut off with an error when it turns out to be longer than allowed.
pub(super) fn limited(body: Body, limit_bytes: u64) -> (Body, Overflow) {
    let overflow = Overflow { seen: Arc::new(AtomicBool::new(false)), error: BodyTooLarge { limit_bytes } };
    let limited = Limited { body, left: limit_bytes, overflow: overflow.clone() };
    (limited.boxed_unsync(), overflow)
}

struct Limited {
    body: Body,
    left: u64,
    overflow: Overflow,
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.overflow.error().is_some() {
            return Poll::Ready(None);
        }
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        let len = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref).map_or(0, Bytes::len);
        match self.left.checked_sub(len as u64) {
            Some(left) => {
                self.left = left;
                Poll::Ready(frame)
            }
            None => {
                self.overflow.seen.store(true, Ordering::Release);
                Poll::Ready(Some(Err(self.overflow.error.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer. The invocation lasts as long as it; it breaks off, and with it the connection, when the
/// request's body proves too long after the answer has begun.
pub(super) fn tracked(body: Body, expected_bytes: Option<u64>, invocation: Invocation, overflow: Overflow) -> Body {
    let mut tracked = Tracked { body, expected_bytes, sent_bytes: 0, invocation: Some(invocation), overflow };
    if tracked.is_complete() {
        tracked.succeed();
    }
    tracked.boxed_unsync()
}

struct Tracked {
    body: Body,
    /// What the caller will take, if that is known: a reader that has all of it never asks for the end.
    expected_bytes: Option<u64>,
    sent_bytes: u64,
    /// None once it has ended.
    invocation: Option<Invocation>,
    overflow: Overflow,
}

impl Tracked {
    fn is_complete(&self) -> bool {
        self.body.is_end_stream() || self.expected_bytes.is_some_and(|expected| self.sent_bytes >= expected)
    }

    fn succeed(&mut self) {
        if let Some(mut invocation) = self.invocation.take() {
            invocation.succeed();
        }
    }

    fn fail(&mut self, error: &BoxError) {
        if let Some(mut invocation) = self.invocation.take() {
            invocation.fail(error.to_string());
        }
    }
}

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let span = self.invocation.as_ref().map(|invocation| invocation.span().clone());
        let _entered = span.as_ref().map(tracing::Span::enter);
        let polled = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        let polled = match self.overflow.error() {
            // The function may have taken the cut for the end: its answer is to something else than what was asked.
            Some(error) if self.invocation.is_some() => Some(Err(error.into())),
            Some(_) | None => polled,
        };
        match &polled {
            Some(Ok(frame)) => {
                self.sent_bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
                if self.is_complete() {
                    self.succeed();
                }
            }
            Some(Err(error)) => self.fail(error),
            None => self.succeed(),
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
