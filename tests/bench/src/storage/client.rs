//! A client of Azure Storage: requests with SharedKey signatures over one connection that is kept open. Knows only the few
//! operations that are measured, and as little of their answers as the next request needs.

use crate::connection::Connection;
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;
use std::net::SocketAddr;
use std::time::SystemTime;

/// The account of emulators; Azure publishes its key.
pub(super) const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const VERSION: &str = "2024-11-04";

/// Which text a service wants signed.
#[derive(Clone, Copy)]
enum Service {
    Queue,
    Table,
}

/// One signed connection to a service.
pub(super) struct Client {
    connection: Connection,
    service: Service,
    key: Hmac<Sha256>,
}

/// What deletes a message that was received.
pub(super) struct Receipt {
    id: String,
    pop_receipt: String,
}

impl Client {
    pub(super) async fn of_queues(address: SocketAddr) -> Result<Client> {
        Client::open(address, Service::Queue).await
    }

    pub(super) async fn of_tables(address: SocketAddr) -> Result<Client> {
        Client::open(address, Service::Table).await
    }

    async fn open(address: SocketAddr, service: Service) -> Result<Client> {
        let key = Hmac::new_from_slice(&STANDARD.decode(KEY)?)?;
        Ok(Client { connection: Connection::open(address).await?, service, key })
    }

    pub(super) async fn create_queue(&mut self, queue: &str) -> Result<()> {
        self.expect(StatusCode::CREATED, Method::PUT, queue, "", "").await.map(drop)
    }

    pub(super) async fn put_message(&mut self, queue: &str, text: &str) -> Result<()> {
        let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        self.expect(StatusCode::CREATED, Method::POST, &format!("{queue}/messages"), "", &body).await.map(drop)
    }

    /// One message; none: there is none to receive.
    pub(super) async fn receive(&mut self, queue: &str) -> Result<Option<Receipt>> {
        let path = format!("{queue}/messages");
        let body = self.expect(StatusCode::OK, Method::GET, &path, "numofmessages=1&visibilitytimeout=300", "").await?;
        let body = std::str::from_utf8(&body)?;
        let Some(id) = element(body, "MessageId") else { return Ok(None) };
        let pop_receipt = element(body, "PopReceipt").context("a received message has a receipt")?;
        Ok(Some(Receipt { id: id.to_owned(), pop_receipt: pop_receipt.to_owned() }))
    }

    pub(super) async fn delete_message(&mut self, queue: &str, receipt: &Receipt) -> Result<()> {
        let path = format!("{queue}/messages/{}", receipt.id);
        let query = format!("popreceipt={}", utf8_percent_encode(&receipt.pop_receipt, NON_ALPHANUMERIC));
        self.expect(StatusCode::NO_CONTENT, Method::DELETE, &path, &query, "").await.map(drop)
    }

    pub(super) async fn create_table(&mut self, table: &str) -> Result<()> {
        let body = format!(r#"{{"TableName":"{table}"}}"#);
        self.expect(StatusCode::NO_CONTENT, Method::POST, "Tables", "", &body).await.map(drop)
    }

    /// Inserts an entity with a text, a number and a truth value.
    pub(super) async fn insert(&mut self, table: &str, partition: &str, row: &str) -> Result<()> {
        let body = format!(
            r#"{{"PartitionKey":"{partition}","RowKey":"{row}","Traveller":"Ada Lovelace","Nights":3,"Booked":true}}"#
        );
        self.expect(StatusCode::NO_CONTENT, Method::POST, table, "", &body).await.map(drop)
    }

    /// Whether an entity is there; if so, it was sent.
    pub(super) async fn finds(&mut self, table: &str, partition: &str, row: &str) -> Result<bool> {
        let path = format!("{table}(PartitionKey='{partition}',RowKey='{row}')");
        let (status, body) = self.send(Method::GET, &path, "", "").await?;
        ensure!(
            status == StatusCode::OK || status == StatusCode::NOT_FOUND,
            "GET {path} answered {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(status == StatusCode::OK)
    }

    async fn expect(
        &mut self,
        status: StatusCode,
        method: Method,
        path: &str,
        query: &str,
        body: &str,
    ) -> Result<Bytes> {
        let (answered, bytes) = self.send(method.clone(), path, query, body).await?;
        ensure!(answered == status, "{method} {path} answered {answered}: {}", String::from_utf8_lossy(&bytes));
        Ok(bytes)
    }

    /// `query` has at most one parameter whose value is escaped, and its parameters are in order.
    async fn send(&mut self, method: Method, path: &str, query: &str, body: &str) -> Result<(StatusCode, Bytes)> {
        let path = format!("/{ACCOUNT}/{path}");
        let date = httpdate::fmt_http_date(SystemTime::now());
        let (content_type, text) = match self.service {
            Service::Queue => ("application/xml", queue_text(&method, &path, query, body, &date)),
            Service::Table => ("application/json", format!("{method}\n\napplication/json\n{date}\n/{ACCOUNT}{path}")),
        };
        let separator = if query.is_empty() { "" } else { "?" };
        let request = Request::builder()
            .method(method)
            .uri([&path, separator, query].concat())
            .header("host", self.connection.address().to_string())
            .header("accept", "application/json;odata=minimalmetadata")
            .header("content-type", content_type)
            .header("prefer", "return-no-content")
            .header("x-ms-date", date)
            .header("x-ms-version", VERSION)
            .header("authorization", format!("SharedKey {ACCOUNT}:{}", self.sign(&text)))
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
        self.connection.exchange(request).await
    }

    fn sign(&self, text: &str) -> String {
        let mut mac = self.key.clone();
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

/// What the queue service wants signed: the method and eleven headers, a line each, then its own headers, then the resource.
fn queue_text(method: &Method, path: &str, query: &str, body: &str, date: &str) -> String {
    let length = if body.is_empty() { String::new() } else { body.len().to_string() };
    let mut text = format!(
        "{method}\n\n\n{length}\n\napplication/xml\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{VERSION}\n/{ACCOUNT}{path}"
    );
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
        text.extend(["\n", name, ":", &value]);
    }
    text
}

/// The text of the first element of that name. Ids and receipts have no character that XML escapes.
fn element<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = document.split_once(&format!("<{name}>"))?;
    behind.split_once("</").map(|(text, _)| text)
}
