//! Talking to a host: plain HTTP, and the management API's vocabulary on top.

use serde_json::Value;
use ureq::http::{HeaderMap, Method, Request, Response};
use ureq::{Agent, AsSendBody, Body};

use crate::host::PATIENCE;

/// Where the management API stands.
pub(crate) const MANAGEMENT: &str = "/runtime/webhooks/durabletask";

/// Bodies above this are not sent before the host has said that it wants them, as `curl` does it: a host that refuses one does
/// not read it.
const LARGE: usize = 1 << 20;

/// A client with connections of its own.
#[derive(Clone)]
pub(crate) struct Client {
    origin: String,
    agent: Agent,
    /// Shown with every request.
    key: Option<String>,
}

/// An answer with its whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers here are ASCII"))
    }

    /// The same, if the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

impl Client {
    pub(crate) fn new(origin: &str) -> Client {
        // No proxy: whatever the environment says, the host is on this machine.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build();
        Client { origin: origin.to_owned(), agent: config.into(), key: None }
    }

    /// Somebody who shows a key with every request, over connections of its own.
    pub(crate) fn with_key(&self, key: &str) -> Client {
        Client { key: Some(key.to_owned()), ..Client::new(&self.origin) }
    }

    /// Sends a request; `path` may be a whole URL.
    #[track_caller]
    pub(crate) fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        self.try_send(method, path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The same for a host that may be gone at any moment.
    pub(crate) fn try_send(&self, method: Method, path: &str, body: &str) -> Result<Answer, ureq::Error> {
        self.try_send_with(method, path, &[], body)
    }

    /// The same with headers.
    pub(crate) fn try_send_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        if body.len() > LARGE {
            request = request.header("expect", "100-continue");
        }
        self.run(request.body(body.to_owned())?)
    }

    /// A whole URL; `path` may be one already.
    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with("http://") { path.to_owned() } else { format!("{}{path}", self.origin) }
    }

    /// Sends any request.
    pub(crate) fn run(&self, request: Request<impl AsSendBody>) -> Result<Answer, ureq::Error> {
        let mut response = self.begin(request)?;
        let body = response.body_mut().with_config().limit(u64::MAX).read_to_string()?;
        Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
    }

    /// Sends any request; the body of the answer is still to come.
    pub(crate) fn begin(&self, mut request: Request<impl AsSendBody>) -> Result<Response<Body>, ureq::Error> {
        if let Some(key) = &self.key {
            request.headers_mut().insert("x-functions-key", key.parse().expect("keys are ASCII"));
        }
        self.agent.run(request)
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "")
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, body)
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "")
    }

    /// Starts an orchestration through the management API and answers its id.
    #[track_caller]
    pub(crate) fn start(&self, orchestrator: &str, input: &Value) -> String {
        let answer = self.post(&format!("{MANAGEMENT}/orchestrators/{orchestrator}"), &input.to_string()).expect(202);
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Starts one under an id.
    #[track_caller]
    pub(crate) fn start_as(&self, orchestrator: &str, id: &str, input: &Value) {
        self.post(&format!("{MANAGEMENT}/orchestrators/{orchestrator}/{id}"), &input.to_string()).expect(202);
    }

    /// Starts one and waits for it in the same request: the output of one that completes, else its status object.
    #[track_caller]
    pub(crate) fn outcome(&self, orchestrator: &str, input: &Value) -> Value {
        let path = format!("{MANAGEMENT}/orchestrators/{orchestrator}?timeout=60&pollingInterval=1");
        self.post(&path, &input.to_string()).expect(200).json()
    }

    /// Asks for something to be done with an instance, such as `suspend?reason=lunch`.
    #[track_caller]
    pub(crate) fn tell(&self, id: &str, what: &str) -> Answer {
        self.post(&format!("{MANAGEMENT}/instances/{id}/{what}"), "")
    }

    /// Raises an event; `event` may go on with a query.
    #[track_caller]
    pub(crate) fn raise(&self, id: &str, event: &str, payload: &Value) {
        self.post(&format!("{MANAGEMENT}/instances/{id}/raiseEvent/{event}"), &payload.to_string()).expect(202);
    }

    /// Signals an entity, such as `Counter/stock`.
    #[track_caller]
    pub(crate) fn signal(&self, entity: &str, operation: &str, input: &Value) {
        self.post(&format!("{MANAGEMENT}/entities/{entity}?op={operation}"), &input.to_string()).expect(202);
    }

    /// The state of an entity that exists.
    #[track_caller]
    pub(crate) fn entity(&self, entity: &str) -> Option<Value> {
        let answer = self.get(&format!("{MANAGEMENT}/entities/{entity}"));
        if answer.status == 404 { None } else { Some(answer.expect(200).json()) }
    }

    /// What an instance or entity is doing.
    #[track_caller]
    pub(crate) fn explain(&self, id: &str) -> Value {
        self.get(&format!("{MANAGEMENT}/instances/{id}/explain")).expect(200).json()
    }

    /// The ids that a query finds, such as `tag=kind=test`.
    #[track_caller]
    pub(crate) fn find(&self, query: &str) -> Vec<String> {
        let found = self.get(&format!("{MANAGEMENT}/instances?{query}")).expect(200).json();
        let found = found.as_array().expect("a list").iter();
        found.map(|status| status["instanceId"].as_str().expect("an id").to_owned()).collect()
    }

    /// The status object of an instance.
    #[track_caller]
    pub(crate) fn status(&self, id: &str) -> Value {
        self.get(&format!("{MANAGEMENT}/instances/{id}?showHistory=true&showHistoryOutput=true")).json()
    }
}
