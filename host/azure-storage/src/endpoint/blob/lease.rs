//! Leases of containers and blobs: who may write for how long.
//!
//! The table of states and actions is Azure's, from "Lease Blob". Deciding is pure; time comes in.

use crate::endpoint::call::Call;
use crate::endpoint::error::{ErrorCode, ServiceError, code};
use orchestration::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const ALREADY_PRESENT: ErrorCode = ErrorCode::new(409, "LeaseAlreadyPresent", "There is already a lease present.");
const ID_MISMATCH: ErrorCode = ErrorCode::new(
    409,
    "LeaseIdMismatchWithLeaseOperation",
    "The lease ID specified did not match the lease ID for the blob or container.",
);
const NOT_PRESENT: ErrorCode =
    ErrorCode::new(409, "LeaseNotPresentWithLeaseOperation", "There is currently no lease on the blob or container.");
const BREAKING_NOT_ACQUIRED: ErrorCode = ErrorCode::new(
    409,
    "LeaseIsBreakingAndCannotBeAcquired",
    "The lease ID matched, but the lease is currently in breaking state and cannot be acquired until it is broken.",
);
const BREAKING_NOT_CHANGED: ErrorCode = ErrorCode::new(
    409,
    "LeaseIsBreakingAndCannotBeChanged",
    "The lease ID matched, but the lease is currently in breaking state and cannot be changed.",
);
const BROKEN_NOT_RENEWED: ErrorCode = ErrorCode::new(
    409,
    "LeaseIsBrokenAndCannotBeRenewed",
    "The lease ID matched, but the lease has been broken explicitly and cannot be renewed.",
);
const ID_MISSING: ErrorCode = ErrorCode::new(
    412,
    "LeaseIdMissing",
    "There is currently a lease on the resource and no lease ID was specified in the request.",
);
const LOST: ErrorCode =
    ErrorCode::new(412, "LeaseLost", "A lease ID was specified, but the lease for the resource has expired.");

/// What a lease is for; the codes of errors differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Of {
    Blob,
    Container,
}

/// The lease that was last acquired, as long as it was not released.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Lease {
    id: String,
    /// How long it lasts after a renewal, in seconds; none: for ever.
    seconds: Option<u64>,
    /// When it ends, in ticks.
    ends: i64,
    /// Whether it is broken when it ends.
    breaking: bool,
}

/// Where a lease is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Available,
    Leased,
    Expired,
    Breaking,
    Broken,
}

impl Phase {
    pub(super) fn name(self) -> &'static str {
        match self {
            Phase::Available => "available",
            Phase::Leased => "leased",
            Phase::Expired => "expired",
            Phase::Breaking => "breaking",
            Phase::Broken => "broken",
        }
    }

    pub(super) fn status(self) -> &'static str {
        if self.is_locked() { "locked" } else { "unlocked" }
    }

    pub(super) fn is_locked(self) -> bool {
        matches!(self, Phase::Leased | Phase::Breaking)
    }
}

/// What a client does with a lease.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Acquire { seconds: Option<u64>, id: String },
    Renew { id: String },
    Change { id: String, proposed: String },
    Release { id: String },
    Break { period: Option<u64> },
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Outcome {
    pub(super) lease: Option<Lease>,
    pub(super) status: u16,
    /// The id for the answer.
    pub(super) id: Option<String>,
    /// How long until a broken lease ends, in seconds.
    pub(super) remaining: Option<u64>,
}

impl Action {
    /// Reads it from a request. `new_id` is for those who do not propose one.
    pub(super) fn from_request(call: &Call, new_id: impl Fn() -> String) -> Result<Action, ServiceError> {
        let id = || required(call, "x-ms-lease-id").and_then(guid);
        match required(call, "x-ms-lease-action")?.to_ascii_lowercase().as_str() {
            "acquire" => {
                let proposed = call.header("x-ms-proposed-lease-id").filter(|id| !id.is_empty());
                let seconds = match required(call, "x-ms-lease-duration")? {
                    "-1" => None,
                    text => Some(number("x-ms-lease-duration", text, 15, 60)?),
                };
                Ok(Action::Acquire { seconds, id: proposed.map(guid).transpose()?.unwrap_or_else(new_id) })
            }
            "renew" => Ok(Action::Renew { id: id()? }),
            "change" => {
                Ok(Action::Change { id: id()?, proposed: required(call, "x-ms-proposed-lease-id").and_then(guid)? })
            }
            "release" => Ok(Action::Release { id: id()? }),
            "break" => {
                let period = call.header("x-ms-lease-break-period").filter(|text| !text.is_empty());
                Ok(Action::Break {
                    period: period.map(|text| number("x-ms-lease-break-period", text, 0, 60)).transpose()?,
                })
            }
            other => Err(invalid("x-ms-lease-action", other)),
        }
    }
}

fn required<'a>(call: &'a Call, name: &'static str) -> Result<&'a str, ServiceError> {
    call.header(name).ok_or_else(|| code::MISSING_REQUIRED_HEADER.because("").with("HeaderName", name))
}

fn invalid(name: &str, value: &str) -> ServiceError {
    code::INVALID_HEADER_VALUE.because("").with("HeaderName", name).with("HeaderValue", value)
}

fn number(name: &str, text: &str, min: u64, max: u64) -> Result<u64, ServiceError> {
    text.parse().ok().filter(|number| (min..=max).contains(number)).ok_or_else(|| invalid(name, text))
}

fn guid(text: &str) -> Result<String, ServiceError> {
    uuid::Uuid::parse_str(text).map(|id| id.to_string()).map_err(|_| invalid("x-ms-lease-id", text))
}

impl Lease {
    /// Where it is at that moment.
    pub(super) fn phase(lease: Option<&Lease>, now: Timestamp) -> Phase {
        match lease {
            None => Phase::Available,
            Some(lease) => match (lease.breaking, lease.ends > now.ticks()) {
                (false, true) => Phase::Leased,
                (false, false) => Phase::Expired,
                (true, true) => Phase::Breaking,
                (true, false) => Phase::Broken,
            },
        }
    }

    /// Told while somebody holds it.
    pub(super) fn duration_name(&self, now: Timestamp) -> Option<&'static str> {
        let is_leased = Lease::phase(Some(self), now) == Phase::Leased;
        is_leased.then_some(if self.seconds.is_some() { "fixed" } else { "infinite" })
    }

    fn starting(id: String, seconds: Option<u64>, now: Timestamp) -> Lease {
        let ends = seconds.map_or(Timestamp::MAX, |seconds| now.saturating_add(Duration::from_secs(seconds)));
        Lease { id, seconds, ends: ends.ticks(), breaking: false }
    }

    /// How long until it ends, in seconds, rounded up.
    fn remaining(&self, now: Timestamp) -> u64 {
        let left = Timestamp::from_ticks(self.ends).saturating_since(now);
        left.as_secs() + u64::from(left.subsec_nanos() > 0)
    }

    /// Does an action.
    pub(super) fn act(lease: Option<Lease>, action: &Action, now: Timestamp) -> Result<Outcome, ServiceError> {
        let phase = Lease::phase(lease.as_ref(), now);
        let held_id = lease.as_ref().map(|lease| lease.id.clone());
        let is_held = |id: &String| held_id.as_ref() == Some(id);
        let done = |status: u16, lease: Option<Lease>| {
            let id = lease.as_ref().map(|lease| lease.id.clone());
            Ok(Outcome { lease, status, id, remaining: None })
        };
        match action {
            Action::Acquire { seconds, id } => match phase {
                Phase::Leased if !is_held(id) => Err(ALREADY_PRESENT.because("")),
                Phase::Breaking if is_held(id) => Err(BREAKING_NOT_ACQUIRED.because("")),
                Phase::Breaking => Err(ALREADY_PRESENT.because("")),
                Phase::Leased | Phase::Available | Phase::Expired | Phase::Broken => {
                    done(201, Some(Lease::starting(id.clone(), *seconds, now)))
                }
            },
            Action::Renew { id } => match (phase, lease) {
                (Phase::Leased | Phase::Expired, Some(lease)) if is_held(id) => {
                    done(200, Some(Lease::starting(lease.id, lease.seconds, now)))
                }
                (Phase::Breaking | Phase::Broken, _) if is_held(id) => Err(BROKEN_NOT_RENEWED.because("")),
                _ => Err(ID_MISMATCH.because("")),
            },
            Action::Change { id, proposed } => match (phase, lease) {
                (Phase::Leased, Some(lease)) if is_held(id) || is_held(proposed) => {
                    done(200, Some(Lease { id: proposed.clone(), ..lease }))
                }
                (Phase::Leased, _) => Err(ID_MISMATCH.because("")),
                (Phase::Breaking, _) if is_held(id) => Err(BREAKING_NOT_CHANGED.because("")),
                (Phase::Breaking, _) => Err(ID_MISMATCH.because("")),
                (Phase::Available | Phase::Expired | Phase::Broken, _) => Err(NOT_PRESENT.because("")),
            },
            Action::Release { id } if is_held(id) => done(200, None),
            Action::Release { .. } => Err(ID_MISMATCH.because("")),
            Action::Break { period } => match lease {
                None => Err(NOT_PRESENT.because("")),
                Some(lease) => Ok(lease.broken(*period, now)),
            },
        }
    }

    /// A fixed lease ends when it would have, an endless one at once, unless the period says sooner.
    fn broken(self, period: Option<u64>, now: Timestamp) -> Outcome {
        let left = if self.ends == Timestamp::MAX.ticks() { period.unwrap_or(0) } else { self.remaining(now) };
        let remaining = period.map_or(left, |period| period.min(left));
        let ends = now.saturating_add(Duration::from_secs(remaining)).ticks().min(self.ends.max(now.ticks()));
        let lease = Lease { ends, breaking: true, ..self };
        Outcome { lease: Some(lease), status: 202, id: None, remaining: Some(remaining) }
    }

    /// Whether who wrote this request may write, or read under its lease.
    pub(super) fn check(
        lease: Option<&Lease>,
        given: Option<&str>,
        writes: bool,
        of: Of,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let phase = Lease::phase(lease, now);
        let given = given.filter(|id| !id.is_empty()).map(guid).transpose()?;
        let (mismatch, not_present) = match of {
            Of::Blob => ("LeaseIdMismatchWithBlobOperation", "LeaseNotPresentWithBlobOperation"),
            Of::Container => ("LeaseIdMismatchWithContainerOperation", "LeaseNotPresentWithContainerOperation"),
        };
        let mismatch =
            ErrorCode::new(412, mismatch, "The lease ID specified did not match the lease ID for the resource.");
        let not_present = ErrorCode::new(412, not_present, "There is currently no lease on the resource.");
        match (given, phase.is_locked()) {
            (None, true) if writes => Err(ID_MISSING.because("")),
            (None, _) => Ok(()),
            (Some(id), true) if lease.is_some_and(|lease| lease.id == id) => Ok(()),
            (Some(_), true) => Err(mismatch.because("")),
            (Some(id), false) if lease.is_some_and(|lease| lease.id == id) => Err(LOST.because("")),
            (Some(_), false) => Err(not_present.because("")),
        }
    }
}
