//! Where a timer stands: what has run, what is due next, which try is pending; and the document that this is kept in.
//!
//! Pure: moments come in as arguments. What runs when, and what is forgotten, is decided here alone.

use manifest::CatchUp;
use manifest::schedule::Schedule;
use orchestration::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use storage_model::{date_text, parse_date};

/// Who finds that the clock was set back by no more than this waits until it has caught up, so that nothing runs twice. By more:
/// the clock was wrong before, and what it said then is not waited for. Three hours, as in Vixie cron.
const MAX_SETBACK: Duration = Duration::from_secs(3 * 3600);

/// Why a run takes place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Reason {
    /// Its moment has come.
    Schedule,
    /// Its moment came while the host was not running.
    PastDue,
    /// The host has started.
    Startup,
}

/// One run, through all of its tries.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Run {
    pub(super) reason: Reason,
    /// The occurrence that it is for.
    pub(super) scheduled: Timestamp,
    /// When its first try began; none: there was none.
    pub(super) began: Option<Timestamp>,
    /// How many tries have failed.
    pub(super) failures: u32,
}

/// A run that has failed and is tried again.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Pending {
    pub(super) run: Run,
    /// When the next try is due.
    pub(super) at: Timestamp,
}

/// Where a timer stands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Standing {
    /// The schedule as it prints: a change is noticed by it.
    pub(super) schedule: String,
    /// The occurrence that the last run was for.
    pub(super) last: Option<Timestamp>,
    /// The occurrence that is due next; none: there is none.
    pub(super) next: Option<Timestamp>,
    /// When this was found.
    pub(super) updated: Timestamp,
    pub(super) pending: Option<Pending>,
    /// The invocation that this is the result of: whoever does not know whether its commit happened looks here.
    pub(super) invocation: Option<String>,
}

/// What decides over a timer's occurrences, in one life of the host.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) catch_up: CatchUp,
    /// When this life of the host began: what was due before was missed.
    pub(super) opened: Timestamp,
}

impl Rules<'_> {
    /// Of a timer that nothing is known of.
    pub(super) fn begin(&self, now: Timestamp) -> Standing {
        Standing {
            schedule: self.schedule.to_string(),
            last: None,
            next: self.next_after(now),
            updated: now,
            pending: None,
            invocation: None,
        }
    }

    /// What is remembered, as it counts for this schedule and this clock. Without a change, it is what it was.
    pub(super) fn resume(&self, remembered: Standing, now: Timestamp) -> Standing {
        let latest = remembered.last.map_or(remembered.updated, |last| last.max(remembered.updated));
        if latest.saturating_since(now) > MAX_SETBACK {
            let pending = remembered.pending.map(|pending| Pending { at: pending.at.min(now), ..pending });
            return Standing { pending, invocation: remembered.invocation, ..self.begin(now) };
        }
        let mut standing = remembered;
        if standing.schedule != self.schedule.to_string() {
            // From the same point as before, unless that makes it late for something that it never promised.
            let next = self.next_after(standing.last.unwrap_or(standing.updated));
            standing.next = if next.is_some_and(|next| next < now) { self.next_after(now) } else { next };
            standing.schedule = self.schedule.to_string();
            standing.updated = now;
        }
        standing.next = self.unless_forgotten(standing.next);
        standing
    }

    /// What is to run next, and when.
    pub(super) fn due(&self, standing: &Standing) -> Option<Pending> {
        standing.pending.or_else(|| {
            let next = standing.next?;
            let reason = if next < self.opened { Reason::PastDue } else { Reason::Schedule };
            Some(Pending { run: Run { reason, scheduled: next, began: None, failures: 0 }, at: next })
        })
    }

    /// What a start of the host with `runOnStartup` runs at once. Missed occurrences and pending tries are such a run themselves.
    pub(super) fn startup(&self, standing: &Standing, now: Timestamp) -> Pending {
        let regular = self.due(standing).map(|due| due.run).filter(|run| match run.reason {
            Reason::PastDue | Reason::Startup => true,
            Reason::Schedule => run.failures > 0,
        });
        let run = regular.unwrap_or(Run { reason: Reason::Startup, scheduled: now, began: None, failures: 0 });
        Pending { run, at: now }
    }

    /// After the last try of a run, whether it succeeded or not.
    pub(super) fn after(&self, standing: &Standing, run: &Run, began: Timestamp, now: Timestamp) -> Standing {
        Standing {
            last: Some(run.scheduled),
            next: self.following(run, began),
            updated: now,
            pending: None,
            ..standing.clone()
        }
    }

    /// The occurrence after a run that began at a moment. Occurrences that fell into the run are dropped except for the first, which
    /// is due at once; as in Azure Functions, where the next one is computed from the beginning of the run.
    pub(super) fn following(&self, run: &Run, began: Timestamp) -> Option<Timestamp> {
        let regular = self.next_after(run.scheduled);
        let one_by_one = match self.catch_up {
            CatchUp::All => run.reason == Reason::PastDue,
            CatchUp::One | CatchUp::None => false,
        };
        let next = if one_by_one || regular.is_none_or(|next| next > began) { regular } else { self.next_after(began) };
        self.unless_forgotten(next)
    }

    /// With `catchUp = "none"`, what was due before the host began is not waited for any more.
    fn unless_forgotten(&self, next: Option<Timestamp>) -> Option<Timestamp> {
        match self.catch_up {
            CatchUp::None if next.is_some_and(|next| next < self.opened) => {
                self.next_after(Timestamp::from_ticks(self.opened.ticks().saturating_sub(1)))
            }
            CatchUp::None | CatchUp::One | CatchUp::All => next,
        }
    }

    pub(super) fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        self.schedule.next_after(moment.ticks()).map(Timestamp::from_ticks)
    }
}

/// The document's content. Names are those of Azure's schedule status; moments are texts, for people to read.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    schedule: String,
    last: Option<String>,
    next: Option<String>,
    last_updated: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry: Option<StoredRetry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invocation: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredRetry {
    count: u32,
    at: String,
    reason: Reason,
    scheduled: String,
    began: String,
}

impl Standing {
    pub(super) fn to_json(&self) -> Vec<u8> {
        let text = |moment: Timestamp| date_text(moment.ticks());
        let stored = Stored {
            schedule: self.schedule.clone(),
            last: self.last.map(text),
            next: self.next.map(text),
            last_updated: text(self.updated),
            retry: self.pending.map(|Pending { run, at }| StoredRetry {
                count: run.failures,
                at: text(at),
                reason: run.reason,
                scheduled: text(run.scheduled),
                began: text(run.began.unwrap_or(run.scheduled)),
            }),
            invocation: self.invocation.clone(),
        };
        serde_json::to_vec(&stored).expect("texts and numbers always have a JSON form")
    }

    /// Reads what `to_json` wrote, or says what is wrong with it.
    pub(super) fn from_json(content: &[u8]) -> Result<Standing, String> {
        let stored: Stored = serde_json::from_slice(content).map_err(|error| error.to_string())?;
        let moment =
            |text: &str| parse_date(text).map(Timestamp::from_ticks).ok_or_else(|| format!("`{text}` is not a moment"));
        let pending = |retry: &StoredRetry| {
            let (scheduled, began) = (moment(&retry.scheduled)?, Some(moment(&retry.began)?));
            let run = Run { reason: retry.reason, scheduled, began, failures: retry.count };
            Ok::<_, String>(Pending { run, at: moment(&retry.at)? })
        };
        Ok(Standing {
            last: stored.last.as_deref().map(moment).transpose()?,
            next: stored.next.as_deref().map(moment).transpose()?,
            updated: moment(&stored.last_updated)?,
            pending: stored.retry.as_ref().map(pending).transpose()?,
            schedule: stored.schedule,
            invocation: stored.invocation,
        })
    }
}
