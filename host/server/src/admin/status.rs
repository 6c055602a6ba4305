//! `GET /admin/host/status`: which app this is, and since when it runs.

use http::StatusCode;
use serde::Serialize;

use super::Admin;
use crate::management::reply::{self, Reply};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HostStatus<'a> {
    id: &'a str,
    state: &'static str,
    version: &'a str,
    /// In milliseconds.
    process_uptime: u64,
}

impl Admin {
    pub(super) fn status(&self) -> Reply {
        let uptime = self.clock.now().saturating_since(self.started).as_millis();
        let status = HostStatus {
            id: &self.app,
            state: "Running",
            version: self.version,
            process_uptime: u64::try_from(uptime).unwrap_or(u64::MAX),
        };
        reply::json(StatusCode::OK, &status)
    }
}
