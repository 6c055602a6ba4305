//! The durable client: starts and steers orchestrations and entities from activities and functions with HTTP, queue and
//! timer triggers.
//!
//! Owns the types and the two HTTP answers that Durable Functions gives. Leaves the work to the [`Instances`] behind it:
//! the host's import in a component, a recording double in a test.

mod error;
mod query;
mod status;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;

pub use error::ClientError;
use query::Pages;
pub use query::{EntityQuery, EntityState, InstanceQuery, Page, PurgeFilter};
pub use status::{InstanceStatus, RuntimeStatus};

use crate::entity::{self, Entity, EntitySignaller};
use crate::functions::Orchestrator;
use crate::http::Response;
use crate::{EntityId, Failure, StartOptions, Timestamp, payload};

/// Starts and steers orchestrations and entities.
///
/// For activities and functions with HTTP, queue and timer triggers. An orchestrator that uses it is stopped: it calls sub-orchestrators and activities
/// instead. In a test, get one from [`testing::instances`](crate::testing::instances).
#[derive(Clone)]
pub struct Client {
    pub(crate) instances: Rc<dyn Instances>,
}

/// What a client asks of: the import `client` of the contract.
pub(crate) trait Instances {
    fn start(
        &self,
        orchestrator: &str,
        input: &str,
        options: &StartOptions,
        idempotency_key: Option<&str>,
    ) -> Result<String, ClientError>;
    fn status(&self, instance_id: &str) -> Result<InstanceStatus, ClientError>;
    fn query(&self, query: &InstanceQuery, token: Option<&str>) -> Result<Page<InstanceStatus>, ClientError>;
    fn raise_event(
        &self,
        instance_id: &str,
        name: &str,
        payload: &str,
        event_id: Option<&str>,
    ) -> Result<(), ClientError>;
    fn terminate(&self, instance_id: &str, reason: &str, recursive: bool) -> Result<(), ClientError>;
    fn suspend(&self, instance_id: &str, reason: &str) -> Result<(), ClientError>;
    fn resume(&self, instance_id: &str, reason: &str) -> Result<(), ClientError>;
    fn rewind(&self, instance_id: &str, reason: &str) -> Result<(), ClientError>;
    fn restart(&self, instance_id: &str, with_new_instance_id: bool) -> Result<String, ClientError>;
    fn purge(&self, instance_id: &str) -> Result<(), ClientError>;
    fn purge_by(&self, filter: &PurgeFilter) -> Result<u32, ClientError>;
    fn clean_entities(&self) -> Result<u32, ClientError>;
    fn wait_for_completion(&self, instance_id: &str, timeout: Duration) -> Result<InstanceStatus, ClientError>;
    fn signal_entity(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &str,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), ClientError>;
    fn read_entity(&self, entity: &EntityId) -> Result<Option<EntityState>, ClientError>;
    fn query_entities(&self, query: &EntityQuery, token: Option<&str>) -> Result<Page<EntityState>, ClientError>;
    fn management_uris(&self, instance_id: &str) -> String;
}

impl Client {
    /// The client of the function that runs now.
    ///
    /// # Panics
    /// Outside a component; a test takes [`testing::instances`](crate::testing::instances) first.
    #[cfg(target_arch = "wasm32")]
    #[expect(clippy::new_without_default, reason = "it is a handle on the host, not a value with a default")]
    pub fn new() -> Client {
        Client::over(Rc::new(crate::component::HostInstances))
    }

    /// The client of the function that runs now.
    ///
    /// # Panics
    /// Outside a component; a test takes [`testing::instances`](crate::testing::instances) first.
    #[cfg(not(target_arch = "wasm32"))]
    #[expect(clippy::new_without_default, reason = "it is a handle on the host, not a value with a default")]
    pub fn new() -> Client {
        Client::over(crate::testing::current_instances())
    }

    pub(crate) fn over(instances: Rc<dyn Instances>) -> Client {
        Client { instances }
    }

    /// Starts an orchestration under a new id and returns the id, once the start is durable.
    ///
    /// # Errors
    /// When the host refuses or cannot, as for every method here.
    pub fn start<O: Orchestrator>(&self, orchestrator: O, input: &O::Input) -> Result<String, ClientError> {
        self.start_with(&StartOptions::new(), orchestrator, input)
    }

    /// Starts an orchestration under an id of your own. While an instance of that id is at work there is no second one,
    /// so that a request sent twice starts one orchestration.
    ///
    /// # Errors
    /// [`ClientError::AlreadyExists`] among others.
    pub fn start_with_id<O: Orchestrator>(
        &self,
        instance_id: &str,
        orchestrator: O,
        input: &O::Input,
    ) -> Result<String, ClientError> {
        self.start_with(&StartOptions::new().instance_id(instance_id), orchestrator, input)
    }

    /// Starts an orchestrator that this crate does not know.
    ///
    /// # Errors
    /// [`ClientError::Invalid`], when nobody knows it, among others.
    pub fn start_by_name(&self, name: &str, input: &(impl Serialize + ?Sized)) -> Result<String, ClientError> {
        self.start_by_name_with(&StartOptions::new(), name, input)
    }

    /// Starts an orchestrator that this crate does not know, under an id of your own.
    ///
    /// # Errors
    /// [`ClientError::AlreadyExists`] among others.
    pub fn start_by_name_with_id(
        &self,
        instance_id: &str,
        name: &str,
        input: &(impl Serialize + ?Sized),
    ) -> Result<String, ClientError> {
        self.start_by_name_with(&StartOptions::new().instance_id(instance_id), name, input)
    }

    /// Starts an orchestration with options: a version, tags, a moment.
    ///
    /// # Errors
    /// [`ClientError::AlreadyExists`] among others.
    pub fn start_with<O: Orchestrator>(
        &self,
        options: &StartOptions,
        orchestrator: O,
        input: &O::Input,
    ) -> Result<String, ClientError> {
        let _handle = orchestrator;
        self.start_by_name_with(options, O::NAME, input)
    }

    /// Starts an orchestrator that this crate does not know, with options.
    ///
    /// # Errors
    /// [`ClientError::AlreadyExists`] among others.
    pub fn start_by_name_with(
        &self,
        options: &StartOptions,
        name: &str,
        input: &(impl Serialize + ?Sized),
    ) -> Result<String, ClientError> {
        self.instances.start(name, &encode(input, "the input of an orchestrator")?, options, None)
    }

    /// Starts an orchestration once for each key, whoever asks and how often: a second start with the same key starts
    /// nothing and returns the id of the first, even when that has ended.
    ///
    /// # Errors
    /// When the key was used for another orchestrator, among others.
    pub fn start_once<O: Orchestrator>(
        &self,
        idempotency_key: &str,
        options: &StartOptions,
        orchestrator: O,
        input: &O::Input,
    ) -> Result<String, ClientError> {
        let _handle = orchestrator;
        self.start_by_name_once(idempotency_key, options, O::NAME, input)
    }

    /// Like [`start_once`](Client::start_once), for an orchestrator that this crate does not know.
    ///
    /// # Errors
    /// In the same way.
    pub fn start_by_name_once(
        &self,
        idempotency_key: &str,
        options: &StartOptions,
        name: &str,
        input: &(impl Serialize + ?Sized),
    ) -> Result<String, ClientError> {
        let input = encode(input, "the input of an orchestrator")?;
        self.instances.start(name, &input, options, Some(idempotency_key))
    }

    /// Where an instance stands.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] among others.
    pub fn status(&self, instance_id: &str) -> Result<InstanceStatus, ClientError> {
        self.instances.status(instance_id)
    }

    /// All instances that a query finds, in the order of their ids; pages are fetched as they are needed.
    pub fn query(&self, query: &InstanceQuery) -> impl Iterator<Item = Result<InstanceStatus, ClientError>> + use<> {
        let (client, query) = (self.clone(), query.clone());
        Pages::new(move |token| client.query_page(&query, token))
    }

    /// One page of what a query finds: the first, or the one that a token of the last page leads to.
    ///
    /// # Errors
    /// When the host refuses or cannot.
    pub fn query_page(
        &self,
        query: &InstanceQuery,
        continuation_token: Option<&str>,
    ) -> Result<Page<InstanceStatus>, ClientError> {
        self.instances.query(query, continuation_token)
    }

    /// Sends an event to an instance.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Gone`] when it has ended, among others.
    pub fn raise_event(
        &self,
        instance_id: &str,
        name: &str,
        payload: &(impl Serialize + ?Sized),
    ) -> Result<(), ClientError> {
        self.instances.raise_event(instance_id, name, &encode(payload, "the payload of an event")?, None)
    }

    /// Sends an event that is accepted once: sent again with the same id, it changes nothing. For senders that try again.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Gone`] when it has ended, among others.
    pub fn raise_event_once(
        &self,
        event_id: &str,
        instance_id: &str,
        name: &str,
        payload: &(impl Serialize + ?Sized),
    ) -> Result<(), ClientError> {
        self.instances.raise_event(instance_id, name, &encode(payload, "the payload of an event")?, Some(event_id))
    }

    /// Ends an instance and stops its activities. Its children run on.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Gone`] when it has ended, among others.
    pub fn terminate(&self, instance_id: &str, reason: &str) -> Result<(), ClientError> {
        self.instances.terminate(instance_id, reason, false)
    }

    /// Ends an instance, its children, and theirs.
    ///
    /// # Errors
    /// As for [`terminate`](Client::terminate).
    pub fn terminate_with_children(&self, instance_id: &str, reason: &str) -> Result<(), ClientError> {
        self.instances.terminate(instance_id, reason, true)
    }

    /// Holds an instance back until it is resumed. What arrives meanwhile is kept.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Gone`] when it has ended, [`ClientError::Conflict`] when it is suspended
    /// already, among others.
    pub fn suspend(&self, instance_id: &str, reason: &str) -> Result<(), ClientError> {
        self.instances.suspend(instance_id, reason)
    }

    /// Lets a suspended instance go on.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Gone`] when it has ended, [`ClientError::Conflict`] when it is not
    /// suspended, among others.
    pub fn resume(&self, instance_id: &str, reason: &str) -> Result<(), ClientError> {
        self.instances.resume(instance_id, reason)
    }

    /// Runs a failed instance again from the last good point: what has failed is tried again, what has been done is kept.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Conflict`] when it is at work, [`ClientError::Gone`] when it has ended in
    /// another way, among others.
    pub fn rewind(&self, instance_id: &str, reason: &str) -> Result<(), ClientError> {
        self.instances.rewind(instance_id, reason)
    }

    /// Starts an orchestration again with the input, version and tags that it had, under a new id, and returns the id.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] among others.
    pub fn restart(&self, instance_id: &str) -> Result<String, ClientError> {
        self.instances.restart(instance_id, true)
    }

    /// Starts an instance that has ended again under its own id.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::AlreadyExists`] or [`ClientError::Conflict`] when it has not ended, among
    /// others.
    pub fn restart_in_place(&self, instance_id: &str) -> Result<(), ClientError> {
        self.instances.restart(instance_id, false).map(drop)
    }

    /// Removes all traces of an instance that has ended.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Conflict`] when it has not ended, among others.
    pub fn purge(&self, instance_id: &str) -> Result<(), ClientError> {
        self.instances.purge(instance_id)
    }

    /// Removes all traces of all instances that match and have ended, and returns how many they were.
    ///
    /// # Errors
    /// When the host refuses or cannot.
    pub fn purge_by(&self, filter: &PurgeFilter) -> Result<u32, ClientError> {
        self.instances.purge_by(filter)
    }

    /// Releases the locks of entities whose owner is gone, and returns how many. A last resort: whatever ends an owner
    /// releases its locks. Entities without a state are gone by themselves.
    ///
    /// # Errors
    /// When the host refuses or cannot.
    pub fn clean_entities(&self) -> Result<u32, ClientError> {
        self.instances.clean_entities()
    }

    /// Signals an entity of this crate: `client.signal::<Counter>("stock").add(&5)?`. Nobody hears of the result.
    pub fn signal<E: Entity>(&self, key: impl Into<String>) -> E::Signals<Client> {
        EntitySignaller::to::<E>(self.clone(), key, None)
    }

    /// Like [`signal`](Client::signal), but not before that moment.
    pub fn signal_at<E: Entity>(&self, key: impl Into<String>, moment: Timestamp) -> E::Signals<Client> {
        EntitySignaller::to::<E>(self.clone(), key, Some(moment))
    }

    /// Signals an entity that this crate does not know.
    ///
    /// # Errors
    /// [`ClientError::Invalid`], when nobody knows it, among others.
    pub fn signal_entity(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &(impl Serialize + ?Sized),
    ) -> Result<(), ClientError> {
        entity::send(self, entity, operation, input, None)
    }

    /// Like [`signal_entity`](Client::signal_entity), but not before that moment.
    ///
    /// # Errors
    /// In the same way.
    pub fn signal_entity_at(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &(impl Serialize + ?Sized),
        moment: Timestamp,
    ) -> Result<(), ClientError> {
        entity::send(self, entity, operation, input, Some(moment))
    }

    /// The state of an entity of this crate; none if it does not exist. A signal that was just sent may not be in it yet.
    ///
    /// # Errors
    /// [`ClientError::Invalid`] when the state is not one of that type, among others.
    pub fn entity_state<E: Entity>(&self, key: impl Into<String>) -> Result<Option<E>, ClientError> {
        let Some(entity) = self.read_entity(&EntityId::of::<E>(key))? else { return Ok(None) };
        let invalid = |failure: Failure| ClientError::Invalid(failure.message().into());
        entity.state.is_some().then(|| entity.state().map_err(invalid)).transpose()
    }

    /// What is known about an entity; none if it does not exist.
    ///
    /// # Errors
    /// When the host refuses or cannot.
    pub fn read_entity(&self, entity: &EntityId) -> Result<Option<EntityState>, ClientError> {
        self.instances.read_entity(entity)
    }

    /// All entities that a query finds; pages are fetched as they are needed.
    pub fn query_entities(
        &self,
        query: &EntityQuery,
    ) -> impl Iterator<Item = Result<EntityState, ClientError>> + use<> {
        let (client, query) = (self.clone(), query.clone());
        Pages::new(move |token| client.query_entities_page(&query, token))
    }

    /// One page of the entities that a query finds.
    ///
    /// # Errors
    /// When the host refuses or cannot.
    pub fn query_entities_page(
        &self,
        query: &EntityQuery,
        continuation_token: Option<&str>,
    ) -> Result<Page<EntityState>, ClientError> {
        self.instances.query_entities(query, continuation_token)
    }

    /// Waits until an instance has ended or the time is over, and returns its status then.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] among others.
    pub fn wait_for_completion(&self, instance_id: &str, timeout: Duration) -> Result<InstanceStatus, ClientError> {
        self.instances.wait_for_completion(instance_id, timeout)
    }

    /// The URIs of the management API for an instance, by name: `statusQueryGetUri`, `sendEventPostUri`, ...
    pub fn management_uris(&self, instance_id: &str) -> BTreeMap<String, String> {
        read_uris(&self.instances.management_uris(instance_id))
    }

    /// The answer to "start this": 202, where to ask for the status, and the URIs to steer it.
    pub fn check_status_response(&self, instance_id: &str) -> Response {
        let uris = self.instances.management_uris(instance_id);
        let location = read_uris(&uris).remove("statusQueryGetUri");
        let response = Response::new(202)
            .with_header("content-type", "application/json")
            .with_header("retry-after", "10")
            .with_body(uris);
        match location {
            Some(location) => response.with_header("location", location),
            None => response,
        }
    }

    /// Waits for the end and answers with it: 200 with the output if the instance has completed, 200 with its status if
    /// it ended in another way. When the time is over first, answers as
    /// [`check_status_response`](Client::check_status_response).
    ///
    /// # Errors
    /// [`ClientError::NotFound`] among others.
    pub fn wait_for_completion_or_check_status(
        &self,
        instance_id: &str,
        timeout: Duration,
    ) -> Result<Response, ClientError> {
        let status = self.wait_for_completion(instance_id, timeout)?;
        Ok(match status.runtime_status {
            RuntimeStatus::Completed => Response::new(200)
                .with_header("content-type", "application/json")
                .with_body(status.output.unwrap_or_else(|| "null".into())),
            RuntimeStatus::Failed | RuntimeStatus::Terminated | RuntimeStatus::Canceled => Response::json(&status),
            RuntimeStatus::Pending
            | RuntimeStatus::Running
            | RuntimeStatus::Suspended
            | RuntimeStatus::ContinuedAsNew => self.check_status_response(instance_id),
        })
    }
}

/// Empty if it is not what the contract promises: then there is nothing to show, which the caller sees soon enough.
fn read_uris(json: &str) -> BTreeMap<String, String> {
    serde_json::from_str(json).unwrap_or_default()
}

fn encode(value: &(impl Serialize + ?Sized), what: &str) -> Result<String, ClientError> {
    payload::encode(value, what).map_err(|failure| ClientError::Invalid(failure.message().into()))
}
