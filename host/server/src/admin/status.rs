//! How the host is, for people (`host/status`) and for machines that decide whether to send it work (`host/ping` and the
//! health check).

use http::StatusCode;
use http::request::Parts;
use serde::Serialize;

use super::{Admin, asks_for};
use crate::listeners::Intake;
use crate::machine;
use crate::management::reply::{self, Reply};

/// Where load balancers and orchestrators of containers ask; open to everybody.
pub(crate) const HEALTH_PATH: &str = "/.well-known/dacapo/health";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HostStatus<'a> {
    id: &'a str,
    state: &'static str,
    version: &'a str,
    version_details: String,
    instance_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    computer_name: Option<String>,
    /// In milliseconds.
    process_uptime: u64,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

impl Admin {
    pub(super) fn status(&self) -> Reply {
        let apps = self.host.apps.all();
        let mut with: Vec<String> =
            apps.iter().map(|served| format!("{} {}", served.app.name, served.app.version)).collect();
        if with.is_empty() {
            with.push("no app".to_owned());
        }
        let status = HostStatus {
            id: &apps.iter().map(|served| served.app.name.as_str()).collect::<Vec<_>>().join(","),
            state: match self.intake() {
                Intake::Open => "Running",
                Intake::Closing | Intake::Closed => "Draining",
                Intake::Ending => "Stopping",
            },
            version: self.version,
            version_details: format!("Dacapo {} with {}", self.version, with.join(", ")),
            instance_id: &self.instance_id,
            computer_name: machine::name(),
            process_uptime: u64::try_from(self.uptime().as_millis()).unwrap_or(u64::MAX),
        };
        reply::json(StatusCode::OK, &status)
    }

    pub(super) fn ping(&self, head: &Parts) -> Reply {
        let is_full =
            asks_for(head, "checkHealth") && self.host.apps.all().iter().any(|served| served.functions.is_full());
        reply::empty(if is_full { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK })
    }

    /// 200 as long as the host takes work, 503 from when it is drained or ends. Requests are answered to the very end all the
    /// same.
    pub(crate) fn health(&self) -> Reply {
        let (status, word) = match self.intake() {
            Intake::Open => (StatusCode::OK, "ok"),
            Intake::Closing | Intake::Closed => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
            Intake::Ending => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        };
        reply::json(status, &Health { status: word })
    }

    pub(super) fn uptime(&self) -> std::time::Duration {
        self.clock.now().saturating_since(self.started)
    }
}
