//! Holding the host back from new work and letting it go again, while it runs.
//!
//! | request | answer |
//! |---|---|
//! | `POST host/drain` | 202: no new messages, occurrences of timers, turns or activities are taken |
//! | `GET host/drain/status` | 200 `{state: Disabled, InProgress or Completed, outstandingInvocations, outstandingRetries}` |
//! | `POST host/resume` | 200 `{State}`; 409 when the host ends |
//!
//! As in Azure, nothing that runs is stopped, and requests are answered as ever: they are for whoever routes them. What is
//! started meanwhile waits in the store. `Completed` is told when nothing of before runs any more, and no request.

use http::StatusCode;
use serde::Serialize;

use super::Admin;
use super::refusal::Refusal;
use crate::listeners::Intake;
use crate::management::reply::{self, Reply};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DrainStatus {
    state: &'static str,
    outstanding_invocations: u64,
    outstanding_retries: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResumeStatus {
    state: &'static str,
}

impl Admin {
    pub(super) fn drain(&self) -> Reply {
        tracing::info!("an operator drains the host: it takes no new work");
        self.host.surroundings.hold_back.hold_back();
        reply::empty(StatusCode::ACCEPTED)
    }

    pub(super) fn drain_status(&self) -> Reply {
        let outstanding = self.host.surroundings.outstanding.count();
        let state = match (self.intake(), outstanding) {
            (Intake::Open, _) => "Disabled",
            (Intake::Closed, 0) => "Completed",
            (Intake::Closing | Intake::Closed | Intake::Ending, _) => "InProgress",
        };
        // Retries wait in the store, where no drain has to wait for them; there are none in memory to be counted.
        let status = DrainStatus { state, outstanding_invocations: outstanding, outstanding_retries: 0 };
        reply::json(StatusCode::OK, &status)
    }

    pub(super) fn resume(&self) -> Result<Reply, Refusal> {
        self.host.surroundings.hold_back.let_go();
        if self.intake() == Intake::Ending {
            return Err(Refusal::Conflict("the host ends; start it again"));
        }
        tracing::info!("the host takes work");
        Ok(reply::json(StatusCode::OK, &ResumeStatus { state: "Running" }))
    }
}
