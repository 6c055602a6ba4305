//! Which account is meant, and whether somebody answered for it.

use anyhow::{anyhow, bail};
use async_trait::async_trait;
use azure_storage::client::{Client, Components, ConnectionString, HttpSend};
use azure_storage::{Account, Service};
use bytes::Bytes;
use http::{Request, Response};
use ports::BoxError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::accounts::DEVELOPMENT_STORAGE;
use crate::cli::AccountArguments;
use crate::clock::{SystemClock, SystemRandomness};
use crate::outbound::Outbound;
use crate::storage_endpoint::{DEFAULT_PORTS, account_of};

/// An account, and the way to it.
pub(super) struct Connected {
    pub(super) client: Client,
    way: Arc<Way>,
    is_here: bool,
}

/// What became of the last request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// Somebody answered it, or there was none.
    Nowhere,
    /// It never came to an answer.
    Unanswered,
}

struct Way {
    outbound: Outbound,
    was_lost: AtomicBool,
}

#[async_trait]
impl HttpSend for Way {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, BoxError> {
        let answer = HttpSend::send(&self.outbound, request).await;
        self.was_lost.store(answer.is_err(), Ordering::Relaxed);
        answer
    }
}

impl Connected {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// There is no such account: the connection string is none, or options do not fit together.
    pub(super) fn to(arguments: &AccountArguments) -> anyhow::Result<Connected> {
        let (connection, is_here) = connection(arguments)?;
        let clock = Arc::new(SystemClock);
        let way = Arc::new(Way { outbound: Outbound::new(clock.clone()), was_lost: AtomicBool::new(false) });
        let components = Components { http: way.clone(), clock, randomness: Arc::new(SystemRandomness) };
        // Whoever waits at a terminal can try again, and wants to know at once.
        Ok(Connected { client: Client::new(connection, components).with_attempts(1), way, is_here })
    }

    pub(super) fn gone(&self) -> Gone {
        if self.way.was_lost.load(Ordering::Relaxed) { Gone::Unanswered } else { Gone::Nowhere }
    }

    /// What to do when nobody answers.
    pub(super) fn advice(&self) -> String {
        let address = |service| self.client.connection().address(service).unwrap_or("nowhere");
        let (queues, tables) = (address(Service::Queue), address(Service::Table));
        if self.is_here {
            format!(
                "no storage endpoint answers; start a host with `dacapo start <manifest>`, or say where it is with \
                 --queue-port and --table-port (now: {queues}, {tables})"
            )
        } else {
            format!(
                "the account does not answer; check the connection string and the network (now: {queues}, {tables})"
            )
        }
    }
}

/// The account's addresses and key, and whether it is on this machine.
fn connection(arguments: &AccountArguments) -> anyhow::Result<(ConnectionString, bool)> {
    let text = arguments.connection_string.trim();
    let AccountArguments { queue_port, table_port, account, .. } = arguments;
    let is_here = text.is_empty() || text.split('=').next() == Some(DEVELOPMENT_STORAGE) && !text.contains("Proxy");
    let has_options = queue_port.is_some() || table_port.is_some() || account.is_some();
    if !is_here {
        if has_options {
            bail!(
                "--account, --queue-port and --table-port are for a host on this machine, and the connection string leads \
                 elsewhere; leave them out, or pass --connection-string UseDevelopmentStorage=true"
            );
        }
        return Ok((ConnectionString::parse(text)?, false));
    }
    let account = match account {
        None => Account::development(),
        Some(app) => account_of(app).ok_or_else(|| {
            anyhow!(
                "no app named '{app}' has an account of its own: that takes 3 letters or digits; leave out --account"
            )
        })?,
    };
    let (name, key) = (account.name(), Account::DEVELOPMENT_KEY);
    let queues = queue_port.unwrap_or(DEFAULT_PORTS.queue);
    let tables = table_port.unwrap_or(DEFAULT_PORTS.table);
    let text = format!(
        "AccountName={name};AccountKey={key};QueueEndpoint=http://127.0.0.1:{queues}/{name};\
         TableEndpoint=http://127.0.0.1:{tables}/{name}"
    );
    Ok((ConnectionString::parse(&text)?, true))
}
