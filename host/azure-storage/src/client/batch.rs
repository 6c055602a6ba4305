//! Several writes of one partition as one request, all or nothing: an entity group transaction.

use super::Client;
use super::exchange::{Ask, Failed, Refusal, told, unreadable};
use super::tables::{MAX_BATCH, refused, write_ask, written};
use crate::Service;
use http::Method;
use ports::{EntityWrite, StoreError, TableError};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use storage_model::{TableName, Ticks};

/// Whether an account can do them at once.
pub(super) fn fits(writes: &[EntityWrite]) -> bool {
    let partitions: BTreeSet<&str> = writes.iter().map(|write| write.key().partition.as_str()).collect();
    let rows: BTreeSet<&str> = writes.iter().map(|write| write.key().row.as_str()).collect();
    writes.len() <= MAX_BATCH && partitions.len() <= 1 && rows.len() == writes.len()
}

pub(super) async fn write(
    client: &Client,
    table: &TableName,
    writes: &[EntityWrite],
) -> Result<Vec<Option<Ticks>>, TableError> {
    if writes.is_empty() {
        return Ok(Vec::new());
    }
    if !fits(writes) {
        let detail = format!(
            "an account writes at most {MAX_BATCH} entities of one partition at once, each of them once; write them one after \
             the other"
        );
        return Err(StoreError::Unavailable { detail }.into());
    }
    let id = uuid::Uuid::from_u128(client.components.randomness.next_u128());
    let address = client.connection.address(Service::Table).unwrap_or("");
    let asks = writes.iter().map(|write| write_ask(table, write));
    let body = body(id, address, asks);
    let post = Ask::new(Service::Table, Method::POST, "$batch")
        .body(&format!("multipart/mixed; boundary=batch_{id}"), body)
        .header(http::header::ACCEPT, "application/json;odata=minimalmetadata")
        .header(http::HeaderName::from_static("dataserviceversion"), "3.0");
    let response = client.exchange(&post).await.map_err(|failed| refused(failed, table, 0))?;
    let parts = parts(&String::from_utf8_lossy(response.body()));
    if let Some(failure) = parts.iter().find(|part| part.status >= 400) {
        return Err(failure.error(table));
    }
    if parts.len() != writes.len() {
        let why = format!("it has {} parts for {} writes", parts.len(), writes.len());
        return Err(unreadable("a batch", why).into());
    }
    let written = writes.iter().zip(parts).map(|(write, part)| match write {
        EntityWrite::Delete(..) => Ok(None),
        EntityWrite::Insert(_) | EntityWrite::Upsert(..) | EntityWrite::Update(..) => {
            written(part.etag.as_deref()).map(Some)
        }
    });
    Ok(written.collect::<Result<Vec<_>, StoreError>>()?)
}

fn body(id: uuid::Uuid, address: &str, asks: impl Iterator<Item = Ask>) -> String {
    let mut text = format!("--batch_{id}\r\nContent-Type: multipart/mixed; boundary=changeset_{id}\r\n\r\n");
    for (index, ask) in asks.enumerate() {
        let head = format!(
            "--changeset_{id}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {index}\r\n\r\n\
             {} {address}/{} HTTP/1.1\r\n",
            ask.method, ask.path
        );
        text.push_str(&head);
        for (name, value) in &ask.headers {
            write!(text, "{name}: {value}\r\n").expect("texts take everything");
        }
        text.push_str("\r\n");
        text.push_str(&String::from_utf8_lossy(&ask.body));
        text.push_str("\r\n");
    }
    write!(text, "--changeset_{id}--\r\n--batch_{id}--\r\n").expect("texts take everything");
    text
}

/// The answer to one write, or to the one that failed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Part {
    status: u16,
    etag: Option<String>,
    /// A line that is a JSON object: an error.
    json: String,
}

/// Reads what counts of an answer: status lines, ETags, errors. The boundaries around them say nothing more.
pub(crate) fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(status) = line.strip_prefix("HTTP/1.1 ") {
            let status = status.split(' ').next().and_then(|status| status.parse().ok()).unwrap_or(0);
            parts.push(Part { status, ..Part::default() });
        } else if let Some(part) = parts.last_mut() {
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("etag") => part.etag = Some(value.trim().to_owned()),
                _ if line.starts_with('{') => part.json = line.to_owned(),
                _ => {}
            }
        }
    }
    parts
}

impl Part {
    /// The message begins with the number of the write that failed, and a colon.
    fn error(&self, table: &TableName) -> TableError {
        let (code, message) = told(self.json.as_bytes()).unwrap_or_default();
        let index = message.split_once(':').and_then(|(index, _)| index.parse().ok()).unwrap_or(0);
        let message = message.lines().next().unwrap_or("").to_owned();
        let from = format!("the batch for the table '{table}'");
        refused(Failed::Refused(Refusal { status: self.status, code, message, attempts: 1, from }), table, index)
    }
}
