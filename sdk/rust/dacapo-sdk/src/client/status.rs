//! What is known about an instance, and how that is written as JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::{Failure, Timestamp, payload};

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
    /// The version that it was started with, if it was with one.
    pub version: Option<String>,
    /// Its tags, inherited ones included.
    pub tags: BTreeMap<String, String>,
}

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
