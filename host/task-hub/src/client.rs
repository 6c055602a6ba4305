//! The client side of a task hub: start, look, raise, terminate, wait, list, purge.

use crate::Settings;
use futures::future::{Either, select};
use orchestration::{Envelope, ExecutionId, ExecutionStarted, InstanceId, Json, MessageKind, NewInstance, RaisedEvent};
use ports::{
    ClientError, Clock, Created, InstanceStore, InstanceView, Randomness, Reuse, Sent, StartRequest, StoreError,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Starts and steers orchestrations. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    store: Arc<dyn InstanceStore>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    /// The orchestrators' names as the manifest writes them, by name in lower case.
    orchestrators: Arc<BTreeMap<String, String>>,
    payload_bytes: usize,
}

impl Client {
    /// A client of the hub in `store`, for an app with these orchestrators.
    pub fn new(
        store: Arc<dyn InstanceStore>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
        orchestrators: impl IntoIterator<Item = String>,
        settings: &Settings,
    ) -> Client {
        let orchestrators = orchestrators.into_iter().map(|name| (name.to_lowercase(), name)).collect();
        Client {
            store,
            clock,
            randomness,
            orchestrators: Arc::new(orchestrators),
            payload_bytes: settings.payload_bytes,
        }
    }

    /// Starts an orchestration; it is durable when this returns. An instance of the same id that has ended is replaced.
    ///
    /// # Errors
    /// When the orchestrator is unknown, the id is malformed or at work, or the input is too large.
    pub async fn start(&self, request: StartRequest) -> Result<InstanceId, ClientError> {
        let name = self.orchestrator(&request.name)?;
        self.check_payload("input", &request.input)?;
        let id = match request.instance_id.as_deref() {
            Some(chosen) => InstanceId::parse(chosen).map_err(|why| ClientError::Invalid(why.to_string()))?,
            None => InstanceId::from_random(self.randomness.next_u128()),
        };
        let execution = ExecutionId::from_random(self.randomness.next_u128());
        let started = ExecutionStarted { name, input: request.input, execution, parent: None };
        let new = NewInstance { id: id.clone(), started, at: self.clock.now(), if_at_work: None };
        match self.store.create(new, Reuse::Ended).await? {
            Created::Yes => Ok(id),
            Created::Exists { status } => Err(ClientError::AlreadyExists { id: id.to_string(), status }),
        }
    }

    /// The status of an instance.
    ///
    /// # Errors
    /// When there is none of that id.
    pub async fn status(&self, id: &str, with_input: bool) -> Result<InstanceView, ClientError> {
        let view = self.store.read(&InstanceId::from_stored(id), with_input).await?;
        view.ok_or_else(|| ClientError::NotFound(id.to_owned()))
    }

    /// Raises an event; it is durable when this returns. Nobody needs to wait for it yet.
    ///
    /// # Errors
    /// When there is no such instance, it has ended, or the payload is too large.
    pub async fn raise_event(&self, id: &str, name: &str, input: Json) -> Result<(), ClientError> {
        self.check_payload("payload", &input)?;
        self.send(id, MessageKind::EventRaised(RaisedEvent { name: name.to_owned(), input })).await
    }

    /// Asks for an instance's end; the demand is durable when this returns.
    ///
    /// # Errors
    /// When there is no such instance, it has ended already, or the reason is too large.
    pub async fn terminate(&self, id: &str, reason: Json) -> Result<(), ClientError> {
        self.check_payload("reason", &reason)?;
        self.send(id, MessageKind::ExecutionTerminated { reason }).await
    }

    /// Waits until the instance has ended or the time is over, and answers its status then.
    ///
    /// # Errors
    /// When there is no such instance, or it is purged in the meantime.
    pub async fn wait(&self, id: &str, timeout: Duration) -> Result<InstanceView, ClientError> {
        let deadline = self.clock.now().saturating_add(timeout);
        let instance = InstanceId::from_stored(id);
        loop {
            // Asked for before the status is read, so that no change falls between the two.
            let changed = self.store.changed(&instance);
            let view = self.status(id, false).await?;
            if view.row.status.is_terminal() || self.clock.now() >= deadline {
                return Ok(view);
            }
            match select(changed, self.clock.sleep_until(deadline)).await {
                Either::Left(_) | Either::Right(_) => {}
            }
        }
    }

    /// The store, for what needs no decision: lists, histories, purges.
    pub fn store(&self) -> &Arc<dyn InstanceStore> {
        &self.store
    }

    async fn send(&self, id: &str, kind: MessageKind) -> Result<(), ClientError> {
        let to = InstanceId::from_stored(id);
        match self.store.send(Envelope { to: to.clone(), execution: None, kind }).await? {
            Sent::Yes => Ok(()),
            Sent::NoInstance => Err(ClientError::NotFound(id.to_owned())),
            Sent::Ended => Err(self.gone(&to).await?),
        }
    }

    async fn gone(&self, id: &InstanceId) -> Result<ClientError, StoreError> {
        Ok(match self.store.read(id, false).await? {
            Some(view) => ClientError::Gone { id: id.to_string(), status: view.row.status },
            None => ClientError::NotFound(id.to_string()),
        })
    }

    fn orchestrator(&self, name: &str) -> Result<String, ClientError> {
        self.orchestrators.get(&name.to_lowercase()).cloned().ok_or_else(|| {
            let known: Vec<_> = self.orchestrators.values().map(String::as_str).collect();
            ClientError::Invalid(format!(
                "the function '{name}' doesn't exist, is disabled, or is not an orchestrator function; the known orchestrator \
                 functions are: {}",
                known.join(", ")
            ))
        })
    }

    fn check_payload(&self, what: &str, payload: &Json) -> Result<(), ClientError> {
        if payload.len() <= self.payload_bytes {
            return Ok(());
        }
        Err(ClientError::Invalid(format!(
            "the {what} has {} bytes; at most {} are allowed (host.durableTask.maxPayloadBytes); store large data elsewhere and \
             send a reference",
            payload.len(),
            self.payload_bytes
        )))
    }
}
