//! A host with a task hub in memory, whose instances move on when somebody looks at them.

use crate::management::Management;
use crate::management::reply::{self, Reply};
use crate::management::tests::world::{World, instance, management};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use orchestration::{Event, RuntimeStatus};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::super::timeline::tests::history;
use crate::history_file;

type Step = Box<dyn FnOnce(&World) + Send>;

pub(super) struct Host {
    pub(super) world: Arc<World>,
    key: Option<&'static str>,
    /// What happens before the next looks at a status, one by one.
    steps: Mutex<VecDeque<Step>>,
}

impl Host {
    pub(super) fn of(world: World) -> Host {
        Host { world: Arc::new(world), key: None, steps: Mutex::default() }
    }

    /// One that asks for a key.
    pub(super) fn locked(key: &'static str) -> Host {
        Host { key: Some(key), ..Host::of(World::default()) }
    }

    /// At the next look there is something else.
    pub(super) fn then(self, step: impl FnOnce(&World) + Send + 'static) -> Host {
        self.steps.lock().expect("nobody panicked").push_back(Box::new(step));
        self
    }

    /// What the client was told to do.
    pub(super) fn said(&self) -> String {
        self.world.said.lock().expect("nobody panicked").join("\n")
    }

    /// Runs `asking` while the host answers.
    pub(super) async fn serve<T>(&self, asking: impl AsyncFnOnce(String) -> T) -> T {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let management = Arc::new(Management { max_payload_bytes: 1_000, ..management(&self.world) });
        let connections = async {
            let mut tasks = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let (sender, mut requests) = tokio::sync::mpsc::channel(1);
                tasks.spawn(connection(stream, sender));
                // One after the other, here, where the steps can be seen.
                while let Some((request, answered)) = requests.recv().await {
                    let answer: tokio::sync::oneshot::Sender<Reply> = answered;
                    drop(answer.send(self.answer(&management, request).await));
                }
            }
        };
        tokio::select! {
            () = connections => unreachable!("it serves for ever"),
            answer = asking(url) => answer,
        }
    }

    async fn answer(&self, management: &Management, request: Request<ports::Body>) -> Reply {
        let given = request.headers().get("x-functions-key").and_then(|key| key.to_str().ok());
        if self.key.is_some() && given != self.key {
            return reply::empty(StatusCode::UNAUTHORIZED);
        }
        let is_look = request.method() == Method::GET && request.uri().path().split('/').count() == 6;
        let step = is_look.then(|| self.steps.lock().expect("nobody panicked").pop_front()).flatten();
        if let Some(step) = step {
            step(&self.world);
        }
        management.handle(request).await
    }
}

type Asked = (Request<ports::Body>, tokio::sync::oneshot::Sender<Reply>);

async fn connection(stream: tokio::net::TcpStream, requests: tokio::sync::mpsc::Sender<Asked>) {
    let service = service_fn(|request: Request<Incoming>| async {
        let (head, body) = request.into_parts();
        let bytes: Bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let body = Full::from(bytes).map_err(|never| match never {}).boxed_unsync();
        let (answered, answer) = tokio::sync::oneshot::channel();
        drop(requests.send((Request::from_parts(head, body), answered)).await);
        Ok::<_, Infallible>(answer.await.unwrap_or_else(|_| reply::empty(StatusCode::BAD_GATEWAY)))
    });
    // A client may hang up.
    drop(http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await);
}

/// The events of the instance `t`, without or with its end.
pub(super) fn events(lines: &str) -> Vec<Event> {
    history_file::read(&history(lines)).expect("a history").events
}

/// Makes `t` be in a state, with this history.
pub(super) fn is(status: RuntimeStatus, lines: &'static str) -> impl FnOnce(&World) + Send + 'static {
    move |world| world.put(instance("t", status, 0), events(lines))
}
