//! Queues by REST: the port's operations as requests, and answers read back into messages. Sending belongs to `exchange`.

use super::Client;
use super::exchange::{Ask, Failed, escaped, unreadable};
use crate::Service;
use crate::dates;
use crate::xml::{self, Element, Writer};
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Response, StatusCode};
use orchestration::Timestamp;
use ports::{
    Metadata, NewMessage, QueueCreated, QueueError, QueueMessage, QueuePage, QueueStore, QueueView, Receipt, Receiver,
    StoreError,
};
use std::time::Duration;
use storage_model::QueueName;

const METADATA: &str = "x-ms-meta-";

fn ask(method: Method, path: String) -> Ask {
    Ask::new(Service::Queue, method, path)
}

fn messages(queue: &QueueName) -> String {
    format!("{queue}/messages")
}

fn message(receipt: &Receipt) -> String {
    format!("{}/messages/{}", receipt.queue, escaped(&receipt.id))
}

/// Whole seconds, rounded up: nothing becomes visible sooner than it was asked to.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn refused(failed: Failed, queue: &QueueName) -> QueueError {
    match failed.code() {
        "QueueNotFound" => QueueError::QueueNotFound(queue.clone()),
        "QueueAlreadyExists" => QueueError::QueueExists(queue.clone()),
        "MessageNotFound" => QueueError::MessageNotFound,
        "PopReceiptMismatch" => QueueError::PopReceiptMismatch,
        _ => QueueError::Store(failed.into()),
    }
}

fn with_metadata(mut ask: Ask, metadata: Metadata) -> Result<Ask, QueueError> {
    for (name, value) in metadata {
        let header = HeaderName::try_from(format!("{METADATA}{name}")).map_err(|_| StoreError::Unavailable {
            detail: format!("metadata cannot have the name '{name}': it is sent as a header"),
        })?;
        ask = ask.header(header, value);
    }
    Ok(ask)
}

fn metadata_of(headers: &HeaderMap) -> Metadata {
    let pairs = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(METADATA)?;
        Some((name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
    });
    pairs.collect()
}

fn message_body(text: &str) -> Result<String, QueueError> {
    if text.chars().any(|c| !xml::is_allowed(c)) {
        return Err(QueueError::Store(StoreError::Unavailable {
            detail: "the message has characters that XML cannot tell, such as control characters; encode it in base64"
                .to_owned(),
        }));
    }
    let mut writer = Writer::with_capacity(text.len() + 128);
    writer.open("QueueMessage");
    // Not `element`, which leaves out what is empty: the text must be there.
    writer.open("MessageText");
    writer.text(text);
    writer.close("MessageText");
    writer.close("QueueMessage");
    Ok(writer.finish())
}

fn messages_of(response: &Response<Bytes>) -> Result<Vec<QueueMessage>, StoreError> {
    let list = Element::parse(response.body()).map_err(|error| unreadable("a request for messages", error))?;
    let messages = list.children.iter().filter(|child| child.name == "QueueMessage");
    messages.map(message_of).collect()
}

fn message_of(element: &Element) -> Result<QueueMessage, StoreError> {
    let date = |name: &str| dates::parse_rfc1123(element.text_of(name));
    let missing = |name: &str| unreadable("a request for messages", format!("there is no {name}"));
    let required = |name: &'static str| date(name).ok_or_else(|| missing(name));
    let id = element.text_of("MessageId");
    if id.is_empty() {
        return Err(missing("MessageId"));
    }
    Ok(QueueMessage {
        id: id.to_owned(),
        text: element.text_of("MessageText").to_owned(),
        inserted: required("InsertionTime")?,
        expires: required("ExpirationTime")?,
        // Not told to those who only look.
        visible: date("TimeNextVisible").unwrap_or(required("InsertionTime")?),
        dequeue_count: element.text_of("DequeueCount").parse().unwrap_or(0),
        pop_receipt: element.text_of("PopReceipt").to_owned(),
    })
}

#[async_trait]
impl QueueStore for Client {
    async fn create_queue(&self, name: &QueueName, metadata: Metadata) -> Result<QueueCreated, QueueError> {
        let ask = with_metadata(ask(Method::PUT, name.to_string()), metadata)?;
        let response = self.exchange(&ask).await.map_err(|failed| refused(failed, name))?;
        let is_new = response.status() == StatusCode::CREATED;
        Ok(if is_new { QueueCreated::Yes } else { QueueCreated::Exists })
    }

    async fn delete_queue(&self, name: &QueueName) -> Result<(), QueueError> {
        self.exchange(&ask(Method::DELETE, name.to_string())).await.map_err(|failed| refused(failed, name))?;
        Ok(())
    }

    /// Asks twice: metadata and access policies have addresses of their own.
    async fn queue(&self, name: &QueueName) -> Result<QueueView, QueueError> {
        let get = |comp: &str| ask(Method::GET, name.to_string()).with("comp", comp);
        let (metadata, policies) = (get("metadata"), get("acl"));
        let response = self.exchange(&metadata).await.map_err(|failed| refused(failed, name))?;
        let policies = self.exchange(&policies).await.map_err(|failed| refused(failed, name))?;
        let count = response.headers().get("x-ms-approximate-messages-count");
        let messages = count.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
        Ok(QueueView {
            name: name.clone(),
            metadata: metadata_of(response.headers()),
            access_policies: policies_of(policies.body()),
            messages,
        })
    }

    async fn set_queue(
        &self,
        name: &QueueName,
        metadata: Option<Metadata>,
        access_policies: Option<String>,
    ) -> Result<(), QueueError> {
        let put = |comp: &str| ask(Method::PUT, name.to_string()).with("comp", comp);
        if let Some(metadata) = metadata {
            let ask = with_metadata(put("metadata"), metadata)?;
            self.exchange(&ask).await.map_err(|failed| refused(failed, name))?;
        }
        if let Some(policies) = access_policies {
            let ask = put("acl").body("application/xml", policies);
            self.exchange(&ask).await.map_err(|failed| refused(failed, name))?;
        }
        Ok(())
    }

    /// `from` is the marker of the page before: the service's own text, not a name.
    async fn list_queues(&self, prefix: &str, from: Option<&str>, limit: usize) -> Result<QueuePage, QueueError> {
        let mut list = ask(Method::GET, String::new()).with("comp", "list").with("include", "metadata");
        list = list.with("prefix", prefix).with_number("maxresults", limit.clamp(1, 5_000) as u64);
        if let Some(marker) = from {
            list = list.with("marker", marker);
        }
        let response = self.exchange(&list).await.map_err(StoreError::from)?;
        let page = Element::parse(response.body()).map_err(|error| unreadable("a list of queues", error))?;
        let queues = page.child("Queues").map_or(&[][..], |queues| &queues.children);
        let queues = queues.iter().map(|queue| {
            let name = queue.text_of("Name").parse().map_err(|error| unreadable("a list of queues", error))?;
            let metadata = queue.child("Metadata").map_or(&[][..], |metadata| &metadata.children);
            let metadata = metadata.iter().map(|pair| (pair.name.clone(), pair.text.clone())).collect();
            Ok(QueueView { name, metadata, access_policies: String::new(), messages: 0 })
        });
        let queues = queues.collect::<Result<Vec<_>, StoreError>>()?;
        let next = Some(page.text_of("NextMarker").to_owned()).filter(|next| !next.is_empty());
        Ok(QueuePage { queues, next })
    }

    async fn put_message(&self, queue: &QueueName, message: NewMessage) -> Result<QueueMessage, QueueError> {
        let time_to_live = message.time_to_live.map_or("-1".to_owned(), |life| seconds(life).max(1).to_string());
        let put = ask(Method::POST, messages(queue))
            .with_number("visibilitytimeout", seconds(message.delay))
            .with("messagettl", time_to_live)
            .body("application/xml", message_body(&message.text)?);
        let response = self.exchange(&put).await.map_err(|failed| refused(failed, queue))?;
        let put = messages_of(&response)?.pop();
        let put = put.ok_or_else(|| unreadable("a message that was put", "there is none"))?;
        Ok(QueueMessage { text: message.text, ..put })
    }

    /// Whoever receives, messages come back when their visibility lapses: the service does not know of processes.
    async fn receive(
        &self,
        queue: &QueueName,
        count: usize,
        visibility: Duration,
        _receiver: Receiver,
    ) -> Result<Vec<QueueMessage>, QueueError> {
        let get = ask(Method::GET, messages(queue))
            .with_number("numofmessages", count.clamp(1, 32) as u64)
            .with_number("visibilitytimeout", seconds(visibility).max(1));
        Ok(messages_of(&self.exchange(&get).await.map_err(|failed| refused(failed, queue))?)?)
    }

    async fn peek(&self, queue: &QueueName, count: usize) -> Result<Vec<QueueMessage>, QueueError> {
        let get = ask(Method::GET, messages(queue))
            .with_number("numofmessages", count.clamp(1, 32) as u64)
            .with("peekonly", "true");
        Ok(messages_of(&self.exchange(&get).await.map_err(|failed| refused(failed, queue))?)?)
    }

    /// The service answers only what changed: the rest of the message is empty, unless it was given.
    async fn update_message(
        &self,
        receipt: &Receipt,
        visibility: Duration,
        text: Option<String>,
    ) -> Result<QueueMessage, QueueError> {
        let mut put = ask(Method::PUT, message(receipt))
            .with("popreceipt", receipt.pop_receipt.as_str())
            .with_number("visibilitytimeout", seconds(visibility));
        if let Some(text) = &text {
            put = put.body("application/xml", message_body(text)?);
        }
        let response = self.exchange(&put).await.map_err(|failed| refused(failed, &receipt.queue))?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        let pop_receipt = header("x-ms-popreceipt");
        if pop_receipt.is_empty() {
            return Err(unreadable("an update of a message", "there is no pop receipt").into());
        }
        let now = self.components.clock.now();
        Ok(QueueMessage {
            id: receipt.id.clone(),
            text: text.unwrap_or_default(),
            inserted: now,
            expires: Timestamp::MAX,
            visible: dates::parse_rfc1123(header("x-ms-time-next-visible"))
                .unwrap_or_else(|| now.saturating_add(visibility)),
            dequeue_count: 0,
            pop_receipt: pop_receipt.to_owned(),
        })
    }

    async fn delete_message(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let delete = ask(Method::DELETE, message(receipt)).with("popreceipt", receipt.pop_receipt.as_str());
        match self.exchange(&delete).await {
            Ok(_) => Ok(()),
            // An attempt whose answer was lost has deleted it.
            Err(Failed::Refused(refusal)) if refusal.attempts > 1 && refusal.code == "MessageNotFound" => Ok(()),
            Err(failed) => Err(refused(failed, &receipt.queue)),
        }
    }

    async fn clear(&self, queue: &QueueName) -> Result<(), QueueError> {
        self.exchange(&ask(Method::DELETE, messages(queue))).await.map_err(|failed| refused(failed, queue))?;
        Ok(())
    }

    /// Completes at once: nobody tells. Whoever waits for messages of such an account asks for them, and knows how often.
    async fn arrival(&self, _queue: &QueueName) {}
}

/// As they came; an empty list is none.
pub(super) fn policies_of(body: &[u8]) -> String {
    let is_empty = Element::parse(body).is_ok_and(|policies| policies.children.is_empty());
    if is_empty { String::new() } else { String::from_utf8_lossy(body).into_owned() }
}
