//! A storage account as plain HTTP has it: requests signed by hand, so that nothing of the host's own code or of a client library
//! stands between a test and what goes over the wire.

use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::BTreeMap;
use ureq::http::request::Builder;
use ureq::http::{Method, Request};

use crate::client::{Answer, Client};

/// The version of the protocol that is spoken.
const VERSION: &str = "2024-11-04";

/// How many messages one request may ask for.
const MOST_MESSAGES: usize = 32;

/// An account, and who may use it.
#[derive(Clone)]
pub(crate) struct Account {
    name: String,
    key: Vec<u8>,
    queues: String,
    tables: String,
    client: Client,
}

/// A message of a queue.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Message {
    pub(crate) text: String,
    pub(crate) dequeue_count: u32,
}

impl Account {
    /// The account that a connection string leads to.
    pub(crate) fn new(connection: &str) -> Account {
        let parts: BTreeMap<&str, &str> = connection.split(';').filter_map(|part| part.split_once('=')).collect();
        Account {
            name: parts["AccountName"].to_owned(),
            key: BASE64_STANDARD.decode(parts["AccountKey"]).expect("keys are base64"),
            queues: parts["QueueEndpoint"].to_owned(),
            tables: parts["TableEndpoint"].to_owned(),
            client: Client::new(""),
        }
    }

    /// Somebody who guesses.
    pub(crate) fn with_wrong_key(&self) -> Account {
        Account { key: b"wrong".to_vec(), ..self.clone() }
    }

    /// Makes a queue, also where it is there already.
    pub(crate) fn create_queue(&self, queue: &str) {
        let answer = self.ask_queues(Method::PUT, &format!("/{queue}"), "");
        assert!([201, 204].contains(&answer.status), "{answer:?}");
    }

    /// Puts a message into a queue that is there.
    #[track_caller]
    pub(crate) fn put(&self, queue: &str, text: &str) {
        self.try_put(queue, text).expect("the service is there").expect(201);
    }

    /// The same for a service that may be gone at any moment.
    pub(crate) fn try_put(&self, queue: &str, text: &str) -> Result<Answer, ureq::Error> {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        self.try_ask_queues(Method::POST, &format!("/{queue}/messages"), &body)
    }

    /// The messages that can be seen, sorted; at most 32. A queue that is not there has none.
    pub(crate) fn peek(&self, queue: &str) -> Vec<Message> {
        let path = format!("/{queue}/messages?peekonly=true&numofmessages={MOST_MESSAGES}");
        let answer = self.ask_queues(Method::GET, &path, "");
        let mut messages = if answer.status == 404 { Vec::new() } else { messages(&answer.expect(200).body) };
        messages.sort_unstable();
        messages
    }

    /// The texts of the messages that can be seen.
    pub(crate) fn texts(&self, queue: &str) -> Vec<String> {
        self.peek(queue).into_iter().map(|message| message.text).collect()
    }

    /// Hides every message that can be seen for an hour, and answers their texts, sorted.
    pub(crate) fn take_all(&self, queue: &str) -> Vec<String> {
        let path = format!("/{queue}/messages?visibilitytimeout=3600&numofmessages={MOST_MESSAGES}");
        let mut all = Vec::new();
        loop {
            let answer = self.ask_queues(Method::GET, &path, "");
            let batch = if answer.status == 404 { Vec::new() } else { messages(&answer.expect(200).body) };
            if batch.is_empty() {
                all.sort_unstable();
                return all;
            }
            all.extend(batch.into_iter().map(|message| message.text));
        }
    }

    /// How many messages a queue has, those that are hidden included.
    pub(crate) fn count(&self, queue: &str) -> usize {
        let answer = self.ask_queues(Method::GET, &format!("/{queue}?comp=metadata"), "");
        if answer.status == 404 {
            return 0;
        }
        let answer = answer.expect(200);
        answer.header("x-ms-approximate-messages-count").parse().expect("a number")
    }

    /// The entities of a table by their keys, without timestamps; at most 1,000. A table that is not there has none.
    pub(crate) fn rows(&self, table: &str) -> Vec<Value> {
        let answer = self.ask_tables(Method::GET, &format!("/{table}()"), "");
        if answer.status == 404 {
            return Vec::new();
        }
        let answer = answer.expect(200);
        assert_eq!(answer.header("x-ms-continuation-NextPartitionKey"), "", "more than a page");
        let mut rows = answer.json()["value"].as_array().expect("a list").clone();
        for row in &mut rows {
            row.as_object_mut().expect("an entity").remove("Timestamp");
        }
        rows
    }

    /// Any request to the queues; `path` is what follows the account.
    pub(crate) fn ask_queues(&self, method: Method, path: &str, body: &str) -> Answer {
        self.try_ask_queues(method, path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn try_ask_queues(&self, method: Method, path: &str, body: &str) -> Result<Answer, ureq::Error> {
        let date = now();
        let content_type = if body.is_empty() { "" } else { "application/xml" };
        let url = format!("{}{path}", self.queues);
        let resource = self.resource(&url);
        let signed = format!("{method}\n\n{content_type}\n\nx-ms-date:{date}\nx-ms-version:{VERSION}\n{resource}");
        let request = Request::builder().method(method).uri(url).header("x-ms-date", date);
        self.send(request, content_type, &signed, body)
    }

    /// Any request to the tables; `path` is what follows the account.
    pub(crate) fn ask_tables(&self, method: Method, path: &str, body: &str) -> Answer {
        let date = now();
        let content_type = if body.is_empty() { "" } else { "application/json" };
        let url = format!("{}{path}", self.tables);
        let signed = format!("{date}\n{}", self.resource(&url));
        let request = Request::builder().method(method).uri(url).header("x-ms-date", date);
        let answer = self.send(request, content_type, &signed, body);
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The resource as the signature "SharedKeyLite" has it: account, path, and of the query `comp` alone.
    fn resource(&self, url: &str) -> String {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let path = path.trim_start_matches("http://");
        let path = &path[path.find('/').expect("the account is in the path")..];
        let component = query.split('&').find(|part| part.starts_with("comp="));
        format!("/{}{path}{}", self.name, component.map(|part| format!("?{part}")).unwrap_or_default())
    }

    /// Sends a request with the signature of a text.
    fn send(&self, request: Builder, content_type: &str, signed: &str, body: &str) -> Result<Answer, ureq::Error> {
        let mut signature = Hmac::<Sha256>::new_from_slice(&self.key).expect("any key will do");
        signature.update(signed.as_bytes());
        let signature = BASE64_STANDARD.encode(signature.finalize().into_bytes());
        let mut request = request
            .header("x-ms-version", VERSION)
            .header("accept", "application/json;odata=nometadata")
            .header("authorization", format!("SharedKeyLite {}:{signature}", self.name));
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        self.client.run(request.body(body.to_owned())?)
    }
}

/// The time as HTTP has it.
fn now() -> String {
    jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// What stands between the tags of a list of messages.
fn messages(xml: &str) -> Vec<Message> {
    let field = |message: &str, name: &str| {
        let (_, rest) = message.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    };
    let texts = xml.split("<QueueMessage>").skip(1).map(|message| Message {
        text: unescaped(&field(message, "MessageText").unwrap_or_default()),
        dequeue_count: field(message, "DequeueCount").expect("it is counted").parse().expect("a number"),
    });
    texts.collect()
}

fn unescaped(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escape, letter)| text.replace(escape, letter))
}
