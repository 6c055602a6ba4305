//! What goes in and out: requests as JSON in camel case, and the rows of tables, whose keys are written as tables have them.

use serde::{Deserialize, Serialize};

/// Who wants to go where. The id is the sender's, and the same for one trip however often it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TripRequest {
    pub(crate) id: String,
    pub(crate) traveller: String,
    pub(crate) conference: String,
}

/// A trip in the table `Trips`: by conference, then by the request's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TripRow {
    pub(crate) partition_key: String,
    pub(crate) row_key: String,
    pub(crate) traveller: String,
    /// What there is to show for it, once it is booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seat: Option<String>,
}

/// A message that nobody could work on, in the table `RefusedRequests`: by the message's id, and by the day of its refusal,
/// which is the manifest's part.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RefusedRow {
    pub(crate) row_key: String,
    pub(crate) text: String,
    pub(crate) received: String,
}

/// One night's report in the table `Reports`: its row key is the day.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReportRow {
    pub(crate) partition_key: String,
    pub(crate) row_key: String,
    pub(crate) booked: usize,
    pub(crate) waiting: usize,
    /// Bookings of long ago whose histories were removed.
    pub(crate) purged: u32,
}
