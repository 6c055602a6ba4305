//! An endpoint with a clock that tests move, and requests and answers as text.

use super::fake_documents::FakeDocuments;
use super::fake_queues::FakeQueues;
use super::fake_tables::FakeTables;
use crate::endpoint::{Components, Endpoint};
use crate::signing::{HeaderOrder, Scheme, Signable};
use crate::{Account, Service, dates};
use bytes::Bytes;
use futures::executor::block_on;
use futures::future::{self, BoxFuture, FutureExt};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use orchestration::Timestamp;
use ports::{Body, Clock, Randomness};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Stands until somebody sleeps or a test moves it.
pub(crate) struct FakeClock(Mutex<Timestamp>);

impl FakeClock {
    pub(crate) fn move_on(&self, duration: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.saturating_add(duration);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
        let mut now = self.0.lock().unwrap();
        *now = (*now).max(moment);
        future::ready(()).boxed()
    }
}

/// Counts.
#[derive(Default)]
pub(crate) struct FakeRandomness(Mutex<u128>);

impl Randomness for FakeRandomness {
    fn next_u128(&self) -> u128 {
        let mut number = self.0.lock().unwrap();
        *number += 1;
        *number
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) queues: Arc<FakeQueues>,
    pub(crate) endpoint: Arc<Endpoint>,
}

impl World {
    /// 2026-11-22T12:00:00Z, and nothing stored.
    pub(crate) fn new() -> World {
        let clock = Arc::new(FakeClock(Mutex::new(Timestamp::from_unix_ms(1_795_348_800_000))));
        let queues = Arc::new(FakeQueues::new(clock.clone()));
        let components = Components {
            queues: queues.clone(),
            tables: Arc::new(FakeTables::new(clock.clone())),
            documents: Arc::new(FakeDocuments::default()),
            clock: clock.clone(),
            randomness: Arc::new(FakeRandomness::default()),
        };
        let endpoint = Arc::new(Endpoint::new(Account::development(), components));
        World { clock, queues, endpoint }
    }

    /// Sends requests to a service, one after the other, and tells the answers. A request is a line with method and path (`~`
    /// stands for the account), headers in lines, and the body after an empty line; `---` stands between two. They are signed
    /// unless they say otherwise in an `authorization` header; an empty one takes it away.
    pub(crate) fn send(&self, service: Service, requests: &str) -> String {
        let answers = requests.split("\n---\n").map(|request| self.send_one(service, request.trim_start()));
        answers.collect::<Vec<_>>().join("---\n")
    }

    /// Sends one request, in which `---` means nothing.
    pub(crate) fn send_one(&self, service: Service, text: &str) -> String {
        let response = self.exchange(service, self.signed(service, text));
        told(&response)
    }

    /// Sends a request as it is.
    pub(crate) fn exchange(&self, service: Service, request: Request<Bytes>) -> Response<Bytes> {
        block_on(async {
            let request = request.map(|body| Body::new(Full::new(body).map_err(|never| match never {})));
            let (head, body) = self.endpoint.handle(service, request).await.into_parts();
            Response::from_parts(head, body.collect().await.unwrap().to_bytes())
        })
    }

    /// One request with its signature.
    pub(crate) fn signed(&self, service: Service, text: &str) -> Request<Bytes> {
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let mut lines = head.lines();
        let (method, path) = lines.next().unwrap().trim().split_once(' ').unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("127.0.0.1:10001"));
        headers.insert("x-ms-date", dates::rfc1123(self.clock.now()).parse().unwrap());
        if !body.is_empty() {
            headers.insert("content-length", body.len().to_string().parse().unwrap());
        }
        for line in lines {
            let (name, value) = line.trim().split_once(':').unwrap();
            let replaced = ["x-ms-date", "host"].contains(&name);
            let (name, value) = (name.parse::<HeaderName>().unwrap(), value.trim().parse().unwrap());
            if replaced {
                headers.insert(name, value);
            } else {
                headers.append(name, value);
            }
        }
        let uri: http::Uri = path.replace('~', "/devstoreaccount1").parse().unwrap();
        let account = Account::development();
        let signable = Signable {
            service,
            account: account.name(),
            method,
            path: uri.path(),
            query: uri.query().unwrap_or(""),
            headers: &headers,
            order: HeaderOrder::Service,
        };
        let signature = account.keys()[0].sign(&signable.string_to_sign(Scheme::SharedKey));
        match headers.get(header::AUTHORIZATION) {
            None => {
                let value = format!("SharedKey {}:{signature}", account.name());
                headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            }
            Some(value) if value.is_empty() => {
                headers.remove(header::AUTHORIZATION);
            }
            Some(_) => {}
        }
        let mut request = Request::builder().method(method).uri(uri).body(Bytes::from(body.to_owned())).unwrap();
        *request.headers_mut() = headers;
        request
    }
}

/// Status, headers without those that all answers have, and the body.
pub(crate) fn told(response: &Response<Bytes>) -> String {
    let mut text = format!("{}\n", response.status().as_u16());
    let everywhere = ["x-ms-request-id", "x-ms-version", "date", "content-type"];
    let mut headers: Vec<_> =
        response.headers().iter().filter(|(name, _)| !everywhere.contains(&name.as_str())).collect();
    headers.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in headers {
        writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    let body = String::from_utf8_lossy(response.body());
    let body = body.strip_prefix(r#"<?xml version="1.0" encoding="utf-8"?>"#).unwrap_or(&body);
    if !body.is_empty() {
        writeln!(text, "{}", without_stamp(body).replace("><", ">\n<")).unwrap();
    }
    text
}

/// Ids of requests count up with every request, which says nothing.
fn without_stamp(body: &str) -> String {
    match (body.find("\nRequestId:"), body.find("\nTime:")) {
        (Some(from), Some(to)) => [&body[..from], &body[to + "\nTime:2026-11-22T12:00:00.0000000Z".len()..]].concat(),
        _ => body.to_owned(),
    }
}
