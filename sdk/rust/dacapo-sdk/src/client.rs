//! The durable client: starts and steers orchestrations from HTTP functions and activities.
//!
//! Owns the types and the two HTTP answers that Durable Functions gives. Leaves the work to the [`Instances`] behind it:
//! the host's import in a component, a recording double in a test.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::functions::Orchestrator;
use crate::http::Response;
use crate::{Failure, Timestamp, payload};

/// Starts and steers orchestrations.
///
/// For HTTP functions and activities. An orchestrator that uses it is stopped: it calls sub-orchestrators and activities
/// instead. In a test, get one from [`testing::instances`](crate::testing::instances).
#[derive(Clone)]
pub struct Client {
    instances: Rc<dyn Instances>,
}

/// What a client asks of: the import `client` of the contract.
pub(crate) trait Instances {
    fn start(&self, orchestrator: &str, input: &str, instance_id: Option<&str>) -> Result<String, ClientError>;
    fn status(&self, instance_id: &str) -> Result<InstanceStatus, ClientError>;
    fn raise_event(&self, instance_id: &str, name: &str, payload: &str) -> Result<(), ClientError>;
    fn terminate(&self, instance_id: &str, reason: &str) -> Result<(), ClientError>;
    fn wait_for_completion(&self, instance_id: &str, timeout: Duration) -> Result<InstanceStatus, ClientError>;
    fn management_uris(&self, instance_id: &str) -> String;
}

/// Why the host did not do what the client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// There is no such instance. Over HTTP: 404.
    NotFound(String),
    /// An instance of this id is at work already. Over HTTP: 409.
    AlreadyExists(String),
    /// The instance has ended. Over HTTP: 410.
    Gone(String),
    /// The call's own words are wrong: an unknown orchestrator, a malformed id, a payload too large. Over HTTP: 400.
    Invalid(String),
    /// The host cannot do it now. Over HTTP: 503.
    Unavailable(String),
}

/// Where an instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeStatus {
    /// Accepted, not begun.
    Pending,
    /// At work, or waiting.
    Running,
    /// Held back until it is resumed.
    Suspended,
    /// Between two generations.
    ContinuedAsNew,
    /// Ended with a result.
    Completed,
    /// Ended with a failure.
    Failed,
    /// Ended by somebody, before it began.
    Canceled,
    /// Ended by somebody.
    Terminated,
}

/// What is known about an instance. As JSON it is the status object of the management API.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InstanceStatus {
    /// The orchestrator.
    pub name: String,
    /// The instance.
    pub instance_id: String,
    /// Where it stands.
    pub runtime_status: RuntimeStatus,
    /// What it was started with, as JSON.
    pub input: Option<String>,
    /// What it returned, as JSON.
    pub output: Option<String>,
    /// What it last set as its custom status, as JSON.
    pub custom_status: Option<String>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When it was accepted.
    pub created_time: Timestamp,
    /// When it last changed.
    pub last_updated_time: Timestamp,
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
        let _handle = orchestrator;
        self.start_instance(O::NAME, None, input)
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
        let _handle = orchestrator;
        self.start_instance(O::NAME, Some(instance_id), input)
    }

    /// Starts an orchestrator that this crate does not know.
    ///
    /// # Errors
    /// [`ClientError::Invalid`], when nobody knows it, among others.
    pub fn start_by_name(&self, name: &str, input: &(impl Serialize + ?Sized)) -> Result<String, ClientError> {
        self.start_instance(name, None, input)
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
        self.start_instance(name, Some(instance_id), input)
    }

    fn start_instance(
        &self,
        name: &str,
        instance_id: Option<&str>,
        input: &(impl Serialize + ?Sized),
    ) -> Result<String, ClientError> {
        self.instances.start(name, &encode(input, "the input of an orchestrator")?, instance_id)
    }

    /// Where an instance stands.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] among others.
    pub fn status(&self, instance_id: &str) -> Result<InstanceStatus, ClientError> {
        self.instances.status(instance_id)
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
        self.instances.raise_event(instance_id, name, &encode(payload, "the payload of an event")?)
    }

    /// Ends an instance. Activities that run are not stopped; their results are dropped.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Gone`] when it has ended, among others.
    pub fn terminate(&self, instance_id: &str, reason: &str) -> Result<(), ClientError> {
        self.instances.terminate(instance_id, reason)
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

impl ClientError {
    pub(crate) fn error_type(&self) -> &'static str {
        match self {
            ClientError::NotFound(_) => "NotFound",
            ClientError::AlreadyExists(_) => "AlreadyExists",
            ClientError::Gone(_) => "Gone",
            ClientError::Invalid(_) => "Invalid",
            ClientError::Unavailable(_) => "Unavailable",
        }
    }

    pub(crate) fn http_status(&self) -> u16 {
        match self {
            ClientError::NotFound(_) => 404,
            ClientError::AlreadyExists(_) => 409,
            ClientError::Gone(_) => 410,
            ClientError::Invalid(_) => 400,
            ClientError::Unavailable(_) => 503,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::NotFound(text)
            | ClientError::AlreadyExists(text)
            | ClientError::Gone(text)
            | ClientError::Invalid(text)
            | ClientError::Unavailable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for ClientError {}

impl RuntimeStatus {
    /// Whether this is for good.
    pub fn is_terminal(self) -> bool {
        match self {
            RuntimeStatus::Completed | RuntimeStatus::Failed | RuntimeStatus::Canceled | RuntimeStatus::Terminated => {
                true
            }
            RuntimeStatus::Pending
            | RuntimeStatus::Running
            | RuntimeStatus::Suspended
            | RuntimeStatus::ContinuedAsNew => false,
        }
    }
}

/// The word that the management API uses.
impl fmt::Display for RuntimeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl InstanceStatus {
    /// What the instance returned, read as a type.
    ///
    /// # Errors
    /// When it has not returned anything, or something else.
    pub fn output<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let name = &self.name;
        payload::decode(self.output.as_deref().unwrap_or("null"), &format!("the output of {name}"))
    }
}

impl Serialize for InstanceStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let failed = self.failure.as_ref().and_then(|failure| to_raw_value(&failure.to_string()).ok());
        let mut object = serializer.serialize_struct("InstanceStatus", 8)?;
        object.serialize_field("name", &self.name)?;
        object.serialize_field("instanceId", &self.instance_id)?;
        object.serialize_field("runtimeStatus", &self.runtime_status.to_string())?;
        object.serialize_field("input", &embedded(self.input.as_deref()))?;
        object.serialize_field("customStatus", &embedded(self.custom_status.as_deref()))?;
        object.serialize_field("output", &embedded(self.output.as_deref()).or(failed))?;
        object.serialize_field("createdTime", &whole_seconds(self.created_time))?;
        object.serialize_field("lastUpdatedTime", &whole_seconds(self.last_updated_time))?;
        object.end()
    }
}

/// Payloads are embedded as the JSON that they are; what is none is shown as text.
fn embedded(json: Option<&str>) -> Option<Box<RawValue>> {
    let json = json?;
    RawValue::from_string(json.into()).or_else(|_| to_raw_value(json)).ok()
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    const TICKS: i64 = 10_000_000;
    Timestamp::from_ticks(time.ticks().div_euclid(TICKS) * TICKS)
}
