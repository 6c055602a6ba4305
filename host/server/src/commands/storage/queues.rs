//! Queues: their lists, their messages, and what a message's text stands for.

use ports::{Metadata, NewMessage, QueueCreated, QueueError, QueueMessage, QueueStore};
use serde_json::{Value, json};
use storage_model::{DecodedText, QueueName, TextEncoding};

use super::account::Connected;
use super::{Failed, Said, text_of};
use crate::cli::{ListQueuesArguments, PeekArguments, PutMessageArguments, QueuesCommand, TimeToLive};
use crate::commands::columns::columns;
use crate::moment;

/// Queues of one page of a list.
const PAGE: usize = 1_000;

pub(super) async fn perform(command: &QueuesCommand, connected: &Connected) -> Result<Said, Failed> {
    let queues = &connected.client;
    match command {
        QueuesCommand::List(arguments) => list(arguments, queues).await,
        QueuesCommand::Peek(arguments) => peek(arguments, queues).await,
        QueuesCommand::Put(arguments) => put(arguments, queues).await,
        QueuesCommand::Clear(arguments) => {
            let name = &arguments.queue.name;
            queues.clear(name).await.map_err(|error| refused(error, name))?;
            Ok(said(name, "cleared", format!("Cleared the queue {name}.")))
        }
        QueuesCommand::Create(arguments) => {
            let name = &arguments.name;
            let created = queues.create_queue(name, Metadata::new()).await.map_err(|error| refused(error, name))?;
            Ok(match created {
                QueueCreated::Yes => said(name, "created", format!("Made the queue {name}.")),
                QueueCreated::Exists => said(name, "exists", format!("The queue {name} was there already.")),
            })
        }
        QueuesCommand::Delete(arguments) => {
            let name = &arguments.queue.name;
            queues.delete_queue(name).await.map_err(|error| refused(error, name))?;
            Ok(said(name, "deleted", format!("Deleted the queue {name}.")))
        }
    }
}

fn said(queue: &QueueName, outcome: &str, words: String) -> Said {
    Said { words, json: json!({ "queue": queue.as_str(), "outcome": outcome }) }
}

fn refused(error: QueueError, queue: &QueueName) -> Failed {
    match error {
        QueueError::QueueNotFound(_) => Failed::at_account(format!(
            "{error}; `dacapo storage queues list` shows those that are there, and `create {queue}` makes it"
        )),
        QueueError::Store(error) => Failed::of_store(error),
        QueueError::QueueExists(_) | QueueError::MessageNotFound | QueueError::PopReceiptMismatch => {
            Failed::at_account(error)
        }
    }
}

async fn list(arguments: &ListQueuesArguments, queues: &dyn QueueStore) -> Result<Said, Failed> {
    let mut found = Vec::new();
    let mut from: Option<String> = None;
    loop {
        let page = queues.list_queues(&arguments.prefix, from.as_deref(), PAGE).await;
        let page = page.map_err(|error| match error {
            QueueError::Store(error) => Failed::of_store(error),
            QueueError::QueueNotFound(_)
            | QueueError::QueueExists(_)
            | QueueError::MessageNotFound
            | QueueError::PopReceiptMismatch => Failed::at_account(error),
        })?;
        for queue in page.queues {
            // Lists do not tell how many messages there are.
            match queues.queue(&queue.name).await {
                Ok(view) => found.push((view.name, view.messages)),
                // Somebody has deleted it meanwhile.
                Err(QueueError::QueueNotFound(_)) => {}
                Err(error) => return Err(refused(error, &queue.name)),
            }
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let rows: Vec<Vec<String>> =
        found.iter().map(|(name, messages)| vec![name.to_string(), messages.to_string()]).collect();
    let heading = vec!["Queue".to_owned(), "Messages".to_owned()];
    let words = if rows.is_empty() {
        "There are no queues.".to_owned()
    } else {
        columns(&[vec![heading], rows].concat()).trim_end().to_owned()
    };
    let queues = found.iter().map(|(name, messages)| json!({ "name": name.as_str(), "messages": messages }));
    Ok(Said { words, json: json!({ "queues": queues.collect::<Vec<_>>() }) })
}

async fn peek(arguments: &PeekArguments, queues: &dyn QueueStore) -> Result<Said, Failed> {
    let name = &arguments.queue.name;
    let messages = queues.peek(name, usize::from(arguments.count)).await.map_err(|error| refused(error, name))?;
    let shown: Vec<Shown> = messages.iter().map(Shown::of).collect();
    let words: Vec<String> = shown.iter().map(Shown::in_words).collect();
    let words = if words.is_empty() {
        format!("No message of the queue {name} can be received now; hidden ones are not shown.")
    } else {
        words.join("\n\n")
    };
    let messages: Vec<Value> = shown.iter().map(Shown::as_json).collect();
    Ok(Said { words, json: json!({ "queue": name.as_str(), "messages": messages }) })
}

/// A message, and what its text stands for.
struct Shown<'m> {
    message: &'m QueueMessage,
    content: DecodedText,
}

impl Shown<'_> {
    fn of(message: &QueueMessage) -> Shown<'_> {
        let raw = |_| DecodedText { text: message.text.clone(), was_base64: false };
        Shown { message, content: TextEncoding::Auto.decode(&message.text).unwrap_or_else(raw) }
    }

    fn in_words(&self) -> String {
        let QueueMessage { id, inserted, dequeue_count, .. } = self.message;
        let received = match dequeue_count {
            0 => "never received".to_owned(),
            1 => "received once".to_owned(),
            n => format!("received {n} times"),
        };
        let encoding = if self.content.was_base64 { ", decoded from base64" } else { "" };
        format!("{id}: put {}, {received}{encoding}\n{}", moment::to_second(*inserted), self.content.text)
    }

    fn as_json(&self) -> Value {
        let QueueMessage { id, text, inserted, expires, dequeue_count, .. } = self.message;
        json!({
            "id": id,
            "text": self.content.text,
            "encoding": if self.content.was_base64 { "base64" } else { "none" },
            "rawText": text,
            "insertedOn": moment::to_second(*inserted),
            "expiresOn": moment::to_second(*expires),
            "dequeueCount": dequeue_count,
        })
    }
}

async fn put(arguments: &PutMessageArguments, queues: &dyn QueueStore) -> Result<Said, Failed> {
    let name = &arguments.queue.name;
    let content = text_of(&arguments.message)?;
    let encoded = arguments.encoding.of_text().encode(&content);
    let text = encoded.map_err(|error| Failed::Malformed(error.into()))?;
    let message = NewMessage {
        delay: arguments.visibility_timeout.unwrap_or_default(),
        time_to_live: match arguments.ttl {
            None => Some(NewMessage::DEFAULT_TIME_TO_LIVE),
            Some(TimeToLive::For(time)) => Some(time),
            Some(TimeToLive::Ever) => None,
        },
        ..NewMessage::new(text)
    };
    let put = queues.put_message(name, message).await.map_err(|error| refused(error, name))?;
    let words = format!("Put the message {} into the queue {name}.", put.id);
    let json =
        json!({ "queue": name.as_str(), "outcome": "put", "id": put.id, "visibleOn": moment::to_second(put.visible) });
    Ok(Said { words, json })
}
