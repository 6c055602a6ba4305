//! **Can it wait for a person?** For an event, for as long as it takes, or until a deadline.
//!
//! The event may come before anybody waits: it is kept. The loser of the race is given up when it is dropped, so a timer
//! that is not needed any more does not hold the instance back.

use std::time::Duration;

use dacapo::{Client, Context, Failure, Request, Response};
use futures::select_biased;
use serde::{Deserialize, Serialize};

use crate::combined_trips::book_trip;
use crate::starting::start;
use crate::trips::{Itinerary, Trip};

/// The event that decides.
const APPROVAL: &str = "Approval";

const ONE_DAY_IN_SECONDS: u64 = 24 * 60 * 60;

/// What [`approved_trip`] takes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TripRequest {
    pub(crate) trip: Trip,
    /// How long an answer may take.
    #[serde(default = "one_day")]
    pub(crate) deadline_seconds: u64,
}

fn one_day() -> u64 {
    ONE_DAY_IN_SECONDS
}

/// The payload of the event.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Approval {
    pub(crate) approved: bool,
    pub(crate) by: String,
}

/// What [`approved_trip`] returns.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "camelCase")]
pub(crate) enum Decision {
    Approved { by: String, itinerary: Itinerary },
    Declined { by: String },
    DeadlinePassed,
}

/// Books a trip when somebody has said yes in time.
#[dacapo::orchestrator]
pub(crate) async fn approved_trip(ctx: Context, request: TripRequest) -> Result<Decision, Failure> {
    ctx.set_custom_status("waiting for approval");
    let mut approval = ctx.wait_for_event::<Approval>(APPROVAL);
    let mut deadline = ctx.sleep(Duration::from_secs(request.deadline_seconds));
    let answer = select_biased! {
        answer = approval => answer?,
        () = deadline => return Ok(Decision::DeadlinePassed),
    };
    if !answer.approved {
        return Ok(Decision::Declined { by: answer.by });
    }
    ctx.set_custom_status("booking");
    let itinerary = ctx.call_sub(book_trip, &request.trip).await?;
    Ok(Decision::Approved { by: answer.by, itinerary })
}

/// `POST /api/trips/approved-trip`
#[dacapo::http]
fn start_approved_trip(request: Request) -> Result<Response, Failure> {
    start(approved_trip, &request)
}

/// `POST /api/approvals/{instanceId}`: what the person's button would call. The management API's `sendEventPostUri` does
/// the same; a function of one's own can check who is asking.
#[dacapo::http]
pub(crate) fn approve(request: Request) -> Result<Response, Failure> {
    let approval: Approval = request.json()?;
    let instance_id = request.param("instanceId").unwrap_or_default();
    Client::new().raise_event(instance_id, APPROVAL, &approval)?;
    Ok(Response::new(202))
}
