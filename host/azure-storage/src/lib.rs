//! The REST protocol of Azure Storage, both ends of it.
//!
//! `endpoint` answers requests as Azure would, from the user's stores behind the ports; `client` is those stores, kept by an
//! account somewhere else. Both share signatures, XML and dates. Neither opens a socket: the server listens and sends.

mod account;
pub mod client;
mod dates;
pub mod endpoint;
mod signing;
#[cfg(test)]
mod tests;
mod xml;

pub use account::{Account, InvalidAccount};

/// The three services of an account. Each has an address of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Service {
    /// Containers of blobs.
    Blob,
    /// Queues of messages.
    Queue,
    /// Tables of entities.
    Table,
}

impl Service {
    /// How the service is called in host names and documents.
    pub fn name(self) -> &'static str {
        match self {
            Service::Blob => "blob",
            Service::Queue => "queue",
            Service::Table => "table",
        }
    }
}
