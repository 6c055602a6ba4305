//! How many invocations are running in this process, whoever started them.
//!
//! Counts around the ports of functions, so that neither triggers nor the engine nor guests know of it. A function whose
//! response is still streamed is running.

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use orchestration::{ActivityTask, Cursor, EntityOutcome, Failure, Json, Timeouts};
use ports::{
    Activities, ActivityInvocation, Advanced, Body, BoxError, Entities, EntityBatch, GuestFault, HttpAnswer,
    HttpFunctions, HttpInvocation, Orchestrator, Orchestrators, QueueFunctions, QueueInvocation, Ran, TimerFunctions,
    TimerInvocation,
};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

/// The number. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outstanding(Arc<AtomicU64>);

/// An invocation that runs until this is dropped.
struct Running(Outstanding);

impl Outstanding {
    /// How many there are now.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn begin(&self) -> Running {
        self.0.fetch_add(1, Ordering::Relaxed);
        Running(self.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Functions whose invocations are counted.
pub(crate) struct Counted<F> {
    functions: Arc<F>,
    outstanding: Outstanding,
}

impl<F> Counted<F> {
    /// Counts whatever is run through it.
    pub(crate) fn new(functions: Arc<F>, outstanding: Outstanding) -> Counted<F> {
        Counted { functions, outstanding }
    }
}

#[async_trait]
impl<F: HttpFunctions> HttpFunctions for Counted<F> {
    async fn handle(&self, invocation: HttpInvocation) -> Result<HttpAnswer, GuestFault> {
        let running = self.outstanding.begin();
        let HttpAnswer { response, outputs } = self.functions.handle(invocation).await?;
        let response = response.map(|body| CountedBody { body, _running: running }.boxed_unsync());
        Ok(HttpAnswer { response, outputs })
    }
}

#[async_trait]
impl<F: QueueFunctions> QueueFunctions for Counted<F> {
    async fn run_queue(&self, invocation: QueueInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let _running = self.outstanding.begin();
        self.functions.run_queue(invocation).await
    }
}

#[async_trait]
impl<F: TimerFunctions> TimerFunctions for Counted<F> {
    async fn run_timer(&self, invocation: TimerInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let _running = self.outstanding.begin();
        self.functions.run_timer(invocation).await
    }
}

#[async_trait]
impl<F: Activities> Activities for Counted<F> {
    fn timeouts(&self, task: &ActivityTask) -> Timeouts {
        self.functions.timeouts(task)
    }

    async fn run(&self, invocation: ActivityInvocation) -> Result<Result<Json, Failure>, GuestFault> {
        let _running = self.outstanding.begin();
        self.functions.run(invocation).await
    }
}

#[async_trait]
impl<F: Entities> Entities for Counted<F> {
    fn names(&self) -> Vec<String> {
        self.functions.names()
    }

    async fn run(&self, batch: EntityBatch) -> Result<EntityOutcome, GuestFault> {
        let _running = self.outstanding.begin();
        self.functions.run(batch).await
    }
}

#[async_trait]
impl<F: Orchestrators> Orchestrators for Counted<F> {
    fn names(&self) -> Vec<String> {
        self.functions.names()
    }

    async fn begin(&self, name: &str, pinned_to: Option<&str>) -> Result<Box<dyn Orchestrator>, GuestFault> {
        let orchestrator = self.functions.begin(name, pinned_to).await?;
        Ok(Box::new(CountedTurns { orchestrator, outstanding: self.outstanding.clone() }))
    }
}

/// A body whose invocation runs for as long as it lasts. It is as long as it was: a known length becomes `Content-Length`.
struct CountedBody {
    body: Body,
    _running: Running,
}

impl hyper::body::Body for CountedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An orchestrator whose turns are counted; waiting between them is not running.
struct CountedTurns {
    orchestrator: Box<dyn Orchestrator>,
    outstanding: Outstanding,
}

#[async_trait]
impl Orchestrator for CountedTurns {
    async fn advance(&mut self, cursor: Box<Cursor>) -> (Box<Cursor>, Result<Advanced, GuestFault>) {
        let _running = self.outstanding.begin();
        self.orchestrator.advance(cursor).await
    }

    fn memory_bytes(&self) -> usize {
        self.orchestrator.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use http_body_util::{Empty, Full, StreamBody};
    use hyper::body::Body as _;
    use std::sync::Mutex;
    use tokio::sync::oneshot;

    /// Answers with a body that ends when the test lets it.
    struct Streaming(Mutex<Option<Body>>);

    #[async_trait]
    impl HttpFunctions for Streaming {
        async fn handle(&self, _invocation: HttpInvocation) -> Result<HttpAnswer, GuestFault> {
            let Some(body) = self.0.lock().expect("nobody panicked").take() else {
                return std::future::pending().await;
            };
            Ok(HttpAnswer { response: http::Response::new(body), outputs: Vec::new() })
        }
    }

    fn invocation() -> HttpInvocation {
        let body: Body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        HttpInvocation {
            invocation_id: "1".to_owned(),
            function: "Stream".to_owned(),
            route_parameters: Vec::new(),
            request: http::Request::new(body),
            inputs: Vec::new(),
        }
    }

    #[test]
    fn what_streams_is_running_and_what_is_dropped_is_not() {
        let (sender, receiver) = oneshot::channel::<()>();
        let end = receiver.map(|_| Ok::<_, BoxError>(Frame::data(Bytes::from_static(b"the end"))));
        let body = StreamBody::new(end.into_stream()).boxed_unsync();
        let outstanding = Outstanding::default();
        let counted = Counted::new(Arc::new(Streaming(Mutex::new(Some(body)))), outstanding.clone());
        let answer = counted.handle(invocation()).now_or_never().expect("it does not wait").expect("an answer");
        assert_eq!(outstanding.count(), 1, "its body is not at its end");
        let mut second = counted.handle(invocation());
        assert!((&mut second).now_or_never().is_none(), "there is no second body");
        assert_eq!(outstanding.count(), 2);
        drop(second);
        assert_eq!(outstanding.count(), 1);
        drop(sender);
        answer.response.into_body().collect().now_or_never().expect("it is at its end").expect("a whole body");
        assert_eq!(outstanding.count(), 0);
    }

    #[test]
    fn a_body_of_known_length_keeps_it() {
        let body = Full::new(Bytes::from_static(b"hello")).map_err(|never| match never {}).boxed_unsync();
        let counted = Counted::new(Arc::new(Streaming(Mutex::new(Some(body)))), Outstanding::default());
        let answer = counted.handle(invocation()).now_or_never().expect("it does not wait").expect("an answer");
        assert_eq!(answer.response.body().size_hint().exact(), Some(5));
    }
}
