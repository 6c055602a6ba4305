//! The client side: the stores of users, kept by an account of Azure Storage or an emulator somewhere else.
//!
//! A [`Client`] is a [`QueueStore`](ports::QueueStore), a [`TableStore`](ports::TableStore) and an
//! [`EffectStore`](ports::EffectStore) by REST. It owns addresses, signatures, retries and the reading of answers; sockets, TLS
//! and time limits belong to whoever implements [`HttpSend`].
//!
//! What an account cannot do as the ports promise: effects are done one after the other, so that a crash between them repeats
//! them (at least once); a batch of entities must be of one partition; nobody tells when a message arrives. A request whose
//! answer was lost is sent again: a message may be put twice, and an insertion may find the entity that it has made.

mod batch;
mod connection;
mod effects;
mod exchange;
mod queues;
mod tables;

#[cfg(test)]
pub(crate) use batch::parts;
pub use connection::{ConnectionString, InvalidConnection};
#[cfg(test)]
pub(crate) use exchange::told;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use ports::{BoxError, Clock, Randomness};
use std::sync::Arc;

/// Sends HTTP requests.
#[async_trait]
pub trait HttpSend: Send + Sync {
    /// Sends one request with an absolute address, and waits for the whole answer. Redirects are not followed, nothing is tried
    /// again. Must end by itself in reasonable time: the client sets no time limit of its own.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, BoxError>;
}

/// What a client works with.
#[derive(Clone)]
pub struct Components {
    /// The way out.
    pub http: Arc<dyn HttpSend>,
    /// Dates requests, and waits between attempts.
    pub clock: Arc<dyn Clock>,
    /// Makes ids of requests, and spreads attempts.
    pub randomness: Arc<dyn Randomness>,
}

/// An account somewhere else. Cheap to share; has no state of its own.
pub struct Client {
    connection: ConnectionString,
    components: Components,
    max_attempts: u32,
}

impl Client {
    /// How often one request is sent before its last failure is told, unless somebody says otherwise.
    const MAX_ATTEMPTS: u32 = 4;

    /// A client for that account. Nothing is sent yet: whether the account is there and the key is right shows with the first
    /// request.
    pub fn new(connection: ConnectionString, components: Components) -> Client {
        Client { connection, components, max_attempts: Client::MAX_ATTEMPTS }
    }

    /// The same, with another number of attempts for each request; at least one. One is for people, who would rather know at once
    /// that nobody answers.
    #[must_use]
    pub fn with_attempts(self, max_attempts: u32) -> Client {
        Client { max_attempts: max_attempts.max(1), ..self }
    }

    /// The account.
    pub fn connection(&self) -> &ConnectionString {
        &self.connection
    }
}
