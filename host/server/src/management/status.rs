//! An instance as the management API shows it: the status object, and which HTTP status goes with it.

use super::history::HistoryEvent;
use http::StatusCode;
use orchestration::{InstanceRow, Json, RuntimeStatus};
use ports::InstanceView;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::moment;

/// The status object, in the order in which Durable Functions writes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceStatus<'a> {
    name: &'a str,
    instance_id: &'a str,
    runtime_status: &'static str,
    input: Option<Embedded<'a>>,
    custom_status: Option<Embedded<'a>>,
    output: Option<Embedded<'a>>,
    created_time: String,
    last_updated_time: String,
    /// Only there when it was asked for; null while nothing has happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    history_events: Option<Option<Vec<HistoryEvent<'a>>>>,
}

impl<'a> InstanceStatus<'a> {
    /// The status object of an instance, without its history.
    pub(super) fn new(view: &'a InstanceView) -> InstanceStatus<'a> {
        let InstanceView { row, input } = view;
        InstanceStatus {
            name: &row.name,
            instance_id: row.id.as_str(),
            runtime_status: row.status.name(),
            input: input.as_ref().map(Embedded::of),
            custom_status: row.custom_status.as_ref().map(Embedded::of),
            output: output(row),
            created_time: moment::to_second(row.created_at),
            last_updated_time: moment::to_second(row.updated_at),
            history_events: None,
        }
    }

    /// With the history, which is null if it has no events.
    pub(super) fn with_history(mut self, events: Vec<HistoryEvent<'a>>) -> InstanceStatus<'a> {
        self.history_events = Some((!events.is_empty()).then_some(events));
        self
    }
}

/// A failed instance shows why it failed.
fn output(row: &InstanceRow) -> Option<Embedded<'_>> {
    match &row.failure {
        Some(failure) => Some(Embedded::Text(format!("{}: {}", failure.error_type, failure.message))),
        None => row.output.as_ref().map(Embedded::of),
    }
}

/// The HTTP status of an answer that shows an instance.
pub(super) fn code(status: RuntimeStatus, internal_server_error_on_failure: bool) -> StatusCode {
    match status {
        RuntimeStatus::Failed if internal_server_error_on_failure => StatusCode::INTERNAL_SERVER_ERROR,
        RuntimeStatus::Completed | RuntimeStatus::Failed | RuntimeStatus::Canceled | RuntimeStatus::Terminated => {
            StatusCode::OK
        }
        RuntimeStatus::Running | RuntimeStatus::ContinuedAsNew | RuntimeStatus::Pending | RuntimeStatus::Suspended => {
            StatusCode::ACCEPTED
        }
    }
}

/// A payload inside another JSON text: as it is, digit for digit, if it is JSON itself; as a string if not.
#[derive(Debug)]
pub(super) enum Embedded<'a> {
    Json(&'a RawValue),
    Text(String),
}

impl<'a> Embedded<'a> {
    pub(super) fn of(json: &'a Json) -> Embedded<'a> {
        match serde_json::from_str(json.as_str()) {
            Ok(raw) => Embedded::Json(raw),
            Err(_) => Embedded::Text(json.as_str().to_owned()),
        }
    }
}

impl Serialize for Embedded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Embedded::Json(raw) => raw.serialize(serializer),
            Embedded::Text(text) => serializer.serialize_str(text),
        }
    }
}
