//! The client side of a task hub: start, look, steer, wait, list and purge orchestrations; tell, look at and list entities.
//!
//! Everything that a call asks for is checked here before the store hears of it; what the store answers is put into words
//! here. Management URIs are the server's part.

mod entities;
mod purging;
mod start;

use crate::Settings;
use futures::future::{Either, select};
use orchestration::{
    EntityId, Envelope, ExecutionId, InstanceId, InstanceRow, Json, MessageKind, RaisedEvent, RuntimeStatus, Timestamp,
};
use ports::{
    ClientError, Clock, InstanceQuery, InstanceStore, InstanceView, Page, Randomness, RewindTo, Sent, StoreError,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The longest idempotency key, event id or tag's name, in bytes: they are kept with every instance.
const MAX_KEY_LEN: usize = 256;

/// How long a rewind waits for the engine, which takes milliseconds unless it is stopped or has more to do than it can.
const REWIND_PATIENCE: Duration = Duration::from_secs(1);

/// The parts that a client is put together from.
#[derive(Clone)]
pub struct ClientParts {
    /// Where instances live.
    pub store: Arc<dyn InstanceStore>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Where new ids come from.
    pub randomness: Arc<dyn Randomness>,
    /// The names of the app's orchestrators.
    pub orchestrators: Vec<String>,
    /// The names of the app's entities.
    pub entities: Vec<String>,
}

/// Starts and steers orchestrations and entities. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    store: Arc<dyn InstanceStore>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    /// The orchestrators' names as the manifest writes them, by name in lower case.
    orchestrators: Arc<BTreeMap<String, String>>,
    /// The entities' names likewise.
    entities: Arc<BTreeMap<String, String>>,
    settings: Arc<Settings>,
}

impl Client {
    /// A client of the hub in the store, for an app with these functions.
    pub fn new(parts: ClientParts, settings: &Settings) -> Client {
        let ClientParts { store, clock, randomness, orchestrators, entities } = parts;
        let by_name = |names: Vec<String>| names.into_iter().map(|name| (name.to_lowercase(), name)).collect();
        Client {
            store,
            clock,
            randomness,
            orchestrators: Arc::new(by_name(orchestrators)),
            entities: Arc::new(by_name(entities)),
            settings: Arc::new(settings.clone()),
        }
    }

    /// The status of an instance.
    ///
    /// # Errors
    /// When there is none of that id.
    pub async fn status(&self, id: &str, with_input: bool) -> Result<InstanceView, ClientError> {
        let view = self.store.read(&orchestration_id(id)?, with_input).await?;
        view.ok_or_else(|| ClientError::NotFound(id.to_owned()))
    }

    /// One page of the instances that meet all conditions.
    ///
    /// # Errors
    /// When the store cannot do it.
    pub async fn query(&self, query: &InstanceQuery) -> Result<Page, ClientError> {
        Ok(self.store.query(query).await?)
    }

    /// Raises an event; it is durable when this returns. Nobody needs to wait for it yet. One with an id is accepted once.
    ///
    /// # Errors
    /// When there is no such instance, it has ended, or the payload or the event's id is too large.
    pub async fn raise_event(&self, id: &str, event: RaisedEvent) -> Result<(), ClientError> {
        self.check_payload("payload", event.input.len())?;
        if let Some(event_id) = &event.id {
            check_key("event id", event_id)?;
        }
        self.send(id, None, MessageKind::EventRaised(event)).await
    }

    /// Asks for an instance's end, and with `recursive` for that of all children that it waits for; durable when this
    /// returns.
    ///
    /// # Errors
    /// When there is no such instance, it has ended already, or the reason is too large.
    pub async fn terminate(&self, id: &str, reason: Json, recursive: bool) -> Result<(), ClientError> {
        self.check_payload("reason", reason.len())?;
        self.send(id, None, MessageKind::ExecutionTerminated { reason, recurse: recursive, by_parent: None }).await
    }

    /// Holds an instance: its code does not run before it is resumed. Durable when this returns.
    ///
    /// # Errors
    /// When there is no such instance, it has ended, or it is held already.
    pub async fn suspend(&self, id: &str, reason: String) -> Result<(), ClientError> {
        self.check_payload("reason", reason.len())?;
        let row = self.at_work(id).await?;
        if row.status == RuntimeStatus::Suspended {
            return Err(conflict("suspend", &row, "resume it first"));
        }
        self.send(id, None, MessageKind::ExecutionSuspended { reason }).await
    }

    /// Lets a held instance go on; durable when this returns.
    ///
    /// # Errors
    /// When there is no such instance, it has ended, or it is not held.
    pub async fn resume(&self, id: &str, reason: String) -> Result<(), ClientError> {
        self.check_payload("reason", reason.len())?;
        let row = self.at_work(id).await?;
        if row.status != RuntimeStatus::Suspended {
            return Err(conflict("resume", &row, "only a suspended instance can be resumed"));
        }
        self.send(id, None, MessageKind::ExecutionResumed { reason }).await
    }

    /// Runs a failed instance again from the last good point; durable when this returns. Waits up to a second until the engine
    /// has begun, so that nobody who looks next takes the failure from before for one of the new run.
    ///
    /// # Errors
    /// When there is no such instance, or it has not failed.
    pub async fn rewind(&self, id: &str, reason: String, to: RewindTo) -> Result<(), ClientError> {
        self.check_payload("reason", reason.len())?;
        let row = self.status(id, false).await?.row;
        let latest = match to {
            RewindTo::SameApp => false,
            RewindTo::PresentApp => true,
        };
        let kind = MessageKind::RewindRequested { reason, parent: None, latest };
        let not_failed = |row: &InstanceRow| conflict("rewind", row, "rewind is only supported on failed instances");
        if row.status != RuntimeStatus::Failed {
            return Err(not_failed(&row));
        }
        // Only this failure: of two requests at a time the second must not undo what comes of the first.
        let envelope = Envelope::new(row.id.clone(), Some(row.execution), kind);
        match self.store.send(envelope).await? {
            Sent::Yes => {}
            Sent::NoInstance => return Err(ClientError::NotFound(id.to_owned())),
            Sent::Ended => return Err(not_failed(&self.status(id, false).await?.row)),
        }
        let deadline = self.clock.now().saturating_add(REWIND_PATIENCE);
        // What was sent is durable, whatever comes of looking at it.
        drop(self.until(id, deadline, |now| *now != row).await);
        Ok(())
    }

    /// Waits until the instance has ended or the time is over, and answers its status then.
    ///
    /// # Errors
    /// When there is no such instance, or it is purged in the meantime.
    pub async fn wait(&self, id: &str, timeout: Duration) -> Result<InstanceView, ClientError> {
        let deadline = self.clock.now().saturating_add(timeout);
        self.until(id, deadline, |row| row.status.is_terminal()).await
    }

    /// The status as soon as it is like this, or at the deadline.
    async fn until(
        &self,
        id: &str,
        deadline: Timestamp,
        is_it: impl Fn(&InstanceRow) -> bool,
    ) -> Result<InstanceView, ClientError> {
        let instance = orchestration_id(id)?;
        loop {
            // Asked for before the status is read, so that no change falls between the two.
            let changed = self.store.changed(&instance);
            let view = self.status(id, false).await?;
            if is_it(&view.row) || self.clock.now() >= deadline {
                return Ok(view);
            }
            match select(changed, self.clock.sleep_until(deadline)).await {
                Either::Left(_) | Either::Right(_) => {}
            }
        }
    }

    /// The store, for what needs no decision: histories.
    pub fn store(&self) -> &Arc<dyn InstanceStore> {
        &self.store
    }

    async fn send(&self, id: &str, execution: Option<ExecutionId>, kind: MessageKind) -> Result<(), ClientError> {
        let to = orchestration_id(id)?;
        match self.store.send(Envelope::new(to.clone(), execution, kind)).await? {
            Sent::Yes => Ok(()),
            Sent::NoInstance => Err(ClientError::NotFound(id.to_owned())),
            Sent::Ended => Err(self.gone(&to).await?),
        }
    }

    /// The row of an instance that has not ended.
    async fn at_work(&self, id: &str) -> Result<InstanceRow, ClientError> {
        let row = self.status(id, false).await?.row;
        if row.status.is_terminal() {
            return Err(ClientError::Gone { id: id.to_owned(), status: row.status });
        }
        Ok(row)
    }

    async fn gone(&self, id: &InstanceId) -> Result<ClientError, StoreError> {
        Ok(match self.store.read(id, false).await? {
            Some(view) => ClientError::Gone { id: id.to_string(), status: view.row.status },
            None => ClientError::NotFound(id.to_string()),
        })
    }

    fn check_payload(&self, what: &str, len: usize) -> Result<(), ClientError> {
        let limit = self.settings.limits.max_payload_bytes;
        if len <= limit {
            return Ok(());
        }
        Err(ClientError::Invalid(format!(
            "the {what} has {len} bytes; at most {limit} are allowed (host.durableTask.maxPayloadBytes); store large data \
             elsewhere and send a reference"
        )))
    }
}

/// The id of an orchestration. Those of entities look alike, but nothing that is done to orchestrations makes sense for them.
fn orchestration_id(id: &str) -> Result<InstanceId, ClientError> {
    let instance = InstanceId::from_stored(id);
    if !instance.is_entity() {
        return Ok(instance);
    }
    let named = match EntityId::of_instance(&instance) {
        Some(entity) => format!("the entity '{}' with the key '{}'", entity.name(), entity.key()),
        None => "an entity".to_owned(),
    };
    Err(ClientError::Invalid(format!(
        "'{id}' is the id of {named}, not of an orchestration; entities are signaled, read and listed by their own operations"
    )))
}

fn conflict(what: &'static str, row: &InstanceRow, remedy: &'static str) -> ClientError {
    ClientError::Conflict { what, id: row.id.to_string(), status: row.status, remedy }
}

fn check_key(what: &str, key: &str) -> Result<(), ClientError> {
    if key.is_empty() || key.len() > MAX_KEY_LEN {
        let len = key.len();
        return Err(ClientError::Invalid(format!(
            "the {what} has {len} bytes; give 1 to {MAX_KEY_LEN}, or leave it out"
        )));
    }
    Ok(())
}
