//! The URIs under which an instance is managed: what a caller gets back who started one.
//!
//! Text, and no request is looked at. Where keys are asked for, the URIs carry the one of the management API as it is now, as
//! in Azure: whoever is given them can use them.

use super::route::BASE_PATH;
use orchestration::Json;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::fmt;

use crate::auth::Doors;

/// RFC 3986's unreserved characters stay as they are.
const NOT_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The connection that every URI names; there is one store.
const CONNECTION: &str = "Storage";

/// Makes URIs for the instances of one task hub.
#[derive(Clone, Debug)]
pub(crate) struct ManagementUris {
    /// Scheme and authority under which the host reaches itself, for answers that belong to no request.
    pub(crate) own_origin: String,
    /// The task hub.
    pub(crate) task_hub: String,
    /// Know the key that the URIs need.
    pub(crate) doors: Doors,
}

/// The URIs of one instance. Braces in them stand literally, for the caller to fill in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceUris {
    /// The instance.
    pub(crate) id: String,
    /// Where its status is.
    pub(crate) status_query_get_uri: String,
    send_event_post_uri: String,
    terminate_post_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rewind_post_uri: Option<String>,
    purge_history_delete_uri: String,
    restart_post_uri: String,
    suspend_post_uri: String,
    resume_post_uri: String,
}

/// Which of the two payloads is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// The body of an answer to a start.
    CheckStatus {
        /// Whether the status URI is to answer 500 for an instance that failed.
        internal_server_error_on_failure: bool,
    },
    /// What a function asks for: with the URI for rewinding besides.
    Management,
}

impl ManagementUris {
    /// The URIs of an instance, below `origin` (scheme and authority) or, without one, below the host's own.
    pub(crate) fn of(&self, id: &str, origin: Option<&str>, payload: Payload) -> InstanceUris {
        let origin = origin.unwrap_or(&self.own_origin);
        let instance = format!("{origin}{BASE_PATH}/instances/{}", Encoded(id));
        let key = self.doors.management_key();
        let code = key.map(|key| format!("&code={}", Encoded(key.reveal()))).unwrap_or_default();
        let hub = format!("taskHub={}&connection={CONNECTION}{code}", Encoded(&self.task_hub));
        let with_reason = |operation| format!("{instance}/{operation}?reason={{text}}&{hub}");
        let on_failure = match payload {
            Payload::CheckStatus { internal_server_error_on_failure: true } => {
                "&returnInternalServerErrorOnFailure=true"
            }
            Payload::CheckStatus { internal_server_error_on_failure: false } | Payload::Management => "",
        };
        InstanceUris {
            id: id.to_owned(),
            status_query_get_uri: format!("{instance}?{hub}{on_failure}"),
            send_event_post_uri: format!("{instance}/raiseEvent/{{eventName}}?{hub}"),
            terminate_post_uri: with_reason("terminate"),
            rewind_post_uri: (payload == Payload::Management).then(|| with_reason("rewind")),
            purge_history_delete_uri: format!("{instance}?{hub}"),
            restart_post_uri: format!("{instance}/restart?{hub}"),
            suspend_post_uri: with_reason("suspend"),
            resume_post_uri: with_reason("resume"),
        }
    }

    /// The URIs as functions get them: what [`ports::DurableClient::management_uris`] answers.
    pub(crate) fn json(&self, id: &str, origin: Option<&str>) -> Json {
        let uris = self.of(id, origin, Payload::Management);
        // A struct of strings always serialises.
        Json::new(serde_json::to_string(&uris).unwrap_or_default())
    }
}

struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        utf8_percent_encode(self.0, NOT_UNRESERVED).fmt(f)
    }
}
