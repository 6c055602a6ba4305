//! HTTP functions of unmodified standard components, `wasi:http/incoming-handler`: bodies stream both ways.
//!
//! The response is handed out when the guest sets it; the guest runs on in a task of its own that feeds the body. The task
//! ends with the guest, when its time is over, or when somebody drops the body before its end. A guest that fails after
//! it has set its response breaks the body off, so that a client never takes half an answer for a whole one.

use super::http::Incoming;
use super::{Call, Invocation, not_started};
use crate::component::Component;
use crate::fault;
use crate::sandbox::Guest;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use ports::{Body, BoxError, GuestFault};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wasmtime_wasi_http::{Error, WasiHttpView as _};

/// The guests that still produce their bodies. Dropping this stops them.
#[derive(Default)]
pub(crate) struct StreamingTasks(Mutex<JoinSet<()>>);

impl StreamingTasks {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task)
    }

    /// How many of them there are.
    pub(crate) fn len(&self) -> usize {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.len()
    }
}

type SetResponse = Result<http::Response<HyperOutgoingBody>, ErrorCode>;

/// An owned [`Call`], for the task that outlives the caller.
struct OwnedCall {
    function: Arc<str>,
    invocation_id: String,
    timeout: Option<std::time::Duration>,
    settings: crate::GuestSettings,
}

impl OwnedCall {
    fn of(call: &Call<'_>) -> OwnedCall {
        OwnedCall {
            function: Arc::clone(call.function),
            invocation_id: call.invocation_id.to_owned(),
            timeout: call.timeout,
            settings: call.settings.clone(),
        }
    }

    fn borrow(&self) -> Call<'_> {
        Call {
            function: &self.function,
            entry_point: "",
            invocation_id: &self.invocation_id,
            timeout: self.timeout,
            grace: std::time::Duration::ZERO,
            settings: &self.settings,
        }
    }
}

pub(crate) async fn handle_streaming(
    component: &Arc<Component>,
    tasks: &StreamingTasks,
    state: Invocation,
    call: &Call<'_>,
    incoming: Incoming,
) -> Result<http::Response<Body>, GuestFault> {
    let (set_response, response) = oneshot::channel();
    let (tell_outcome, outcome) = oneshot::channel();
    let (tell_answered, answered) = oneshot::channel();
    let (component, owned) = (Arc::clone(component), OwnedCall::of(call));
    let task = tasks.spawn(async move {
        let ends = Ends { set_response, tell_outcome, answered };
        run(&component, state, &owned.borrow(), incoming.request, ends).await;
    });
    // If the caller gives up before there is a response, nobody is left to stop the guest.
    let guard = AbortOnDrop(Some(task));
    let trapped = |message: String| GuestFault::Trapped { function: call.function.to_string(), message };
    let response = response.await;
    // The guest's task may have ended with its guest.
    let _gone = tell_answered.send(matches!(response, Ok(Ok(_))));
    match response {
        Ok(Ok(response)) => Ok(StreamedBody::of(response, outcome, guard)),
        Ok(Err(code)) => Err(trapped(format!("it answered with the error {code:?} instead of a response"))),
        Err(_) => match outcome.await {
            Ok(Err(fault)) => Err(fault),
            Ok(Ok(())) | Err(_) => Err(trapped("it returned without setting its response-outparam".to_owned())),
        },
    }
}

/// The task's ends of what connects it with its caller.
struct Ends {
    set_response: oneshot::Sender<SetResponse>,
    tell_outcome: oneshot::Sender<Result<(), GuestFault>>,
    /// Whether there was a response.
    answered: oneshot::Receiver<bool>,
}

/// Runs the guest to its end. The outcome is told before the guest is dropped, and with it the sending side of the body: who
/// sees the body end can tell whether that was meant.
async fn run(component: &Component, state: Invocation, call: &Call<'_>, request: http::Request<Body>, ends: Ends) {
    let Ends { set_response, tell_outcome, answered } = ends;
    let output = state.output();
    let measurement = state.measure(call);
    let mut guest = match component.invocations().instantiate(state).await {
        Ok(guest) => guest,
        Err(error) => {
            let _gone = tell_outcome.send(Err(not_started(&error, call, measurement)));
            return;
        }
    };
    let work = async {
        let returned = handle(&mut guest, request, set_response).await;
        returned.map_err(|e| fault::of_call(&e, call.function, &output.last_words(), call.settings))
    };
    let outcome = call.within(work).await;
    let returned = outcome.is_ok();
    if let Err(fault) = &outcome {
        tracing::warn!(function = %call.function, invocation_id = call.invocation_id, "{fault}");
    }
    // Nobody listens any more when the response was dropped.
    let _gone = tell_outcome.send(outcome);
    // A guest that has set no response takes its end of that with it.
    drop(guest);
    measurement.end(returned && answered.await.unwrap_or(false));
}

async fn handle(
    guest: &mut Guest<'_, Invocation>,
    request: http::Request<Body>,
    set_response: oneshot::Sender<SetResponse>,
) -> wasmtime::Result<()> {
    let Some(indices) = &guest.exports.wasi_http else {
        return Err(wasmtime::Error::msg("the component exports no wasi:http/incoming-handler"));
    };
    let scheme = match request.uri().scheme_str() {
        Some("https") => Scheme::Https,
        Some(_) | None => Scheme::Http,
    };
    let request = request.map(|body| body.map_err(|error| Error::InternalError(Some(error.to_string()))));
    let request = guest.store.data_mut().http().new_incoming_request(scheme, request)?;
    let response = guest.store.data_mut().http().new_response_outparam(set_response)?;
    let handler = indices.load(&mut guest.store, &guest.instance)?;
    handler.call_handle(&mut guest.store, request, response).await
}

/// Stops a guest that nobody waits for.
struct AbortOnDrop(Option<AbortHandle>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

/// The body that a guest is still producing.
struct StreamedBody {
    inner: HyperOutgoingBody,
    outcome: oneshot::Receiver<Result<(), GuestFault>>,
    guard: AbortOnDrop,
    ended: bool,
    /// What is still to come of a body whose length was announced.
    remaining: Option<u64>,
}

impl StreamedBody {
    fn of(
        response: http::Response<HyperOutgoingBody>,
        outcome: oneshot::Receiver<Result<(), GuestFault>>,
        guard: AbortOnDrop,
    ) -> http::Response<Body> {
        let announced = response.headers().get(http::header::CONTENT_LENGTH);
        let remaining = announced.and_then(|length| length.to_str().ok()?.parse().ok());
        response.map(|inner| {
            let nothing_to_come = inner.is_end_stream();
            let mut body = StreamedBody { inner, outcome, guard, ended: false, remaining };
            if nothing_to_come {
                body.let_run_on();
            }
            body.boxed_unsync()
        })
    }

    /// The whole body has been produced: whoever drops it now has not given up on it.
    fn let_run_on(&mut self) {
        self.guard.0 = None;
    }

    fn count(&mut self, frame: &Frame<Bytes>) {
        if let (Some(remaining), Some(data)) = (&mut self.remaining, frame.data_ref()) {
            *remaining = remaining.saturating_sub(data.len() as u64);
            if *remaining == 0 {
                self.let_run_on();
            }
        }
    }

    /// The guest has ended its body. If it runs on, that is its own business from here.
    fn end(&mut self) -> Option<Result<Frame<Bytes>, BoxError>> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        match self.outcome.try_recv() {
            Ok(Err(fault)) => Some(Err(fault.into())),
            Ok(Ok(())) | Err(_) => {
                self.let_run_on();
                None
            }
        }
    }
}

impl http_body::Body for StreamedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(Some(frame)) => {
                if let Ok(frame) = &frame {
                    self.count(frame);
                }
                Poll::Ready(Some(frame.map_err(BoxError::from)))
            }
            Poll::Ready(None) => Poll::Ready(self.end()),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
