//! What functions have used: as JSON with an estimate for people and programs, as text for Prometheus.

use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};

use super::Admin;
use crate::management::reply::{self, Reply};
use crate::metering::{CONTENT_TYPE, Estimate, FunctionUsage, Usage, exposition};

/// `GET host/usage`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageReport {
    /// The apps, with commas between them.
    pub(crate) app: String,
    /// By app and name.
    pub(crate) functions: Vec<UsageOfFunction>,
    /// All together.
    pub(crate) total: UsageNumbers,
    /// What the consumption plan of the cloud would make of it, if it was used within a month.
    pub(crate) estimate: Estimate,
}

/// One function.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UsageOfFunction {
    /// Its app.
    #[serde(default)]
    pub(crate) app: String,
    /// Its name.
    pub(crate) function: String,
    /// What it has used since it was first counted.
    #[serde(flatten)]
    pub(crate) usage: UsageNumbers,
}

/// Counters, in the units in which they are shown.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageNumbers {
    /// Runs, without those turns that only ran through a history again.
    pub(crate) executions: u64,
    /// Runs that went well, all turns included.
    pub(crate) successes: u64,
    /// Runs that did not.
    pub(crate) failures: u64,
    /// Turns from where the guest stood.
    pub(crate) turns: u64,
    /// Turns that ran through the history first.
    pub(crate) replayed_turns: u64,
    /// Time that guests ran.
    pub(crate) duration_ms: u64,
    /// Memory by time, as billed.
    pub(crate) gb_seconds: f64,
}

impl UsageNumbers {
    fn of(usage: &Usage) -> UsageNumbers {
        UsageNumbers {
            executions: usage.executions(),
            successes: usage.successes,
            failures: usage.failures,
            turns: usage.turns,
            replayed_turns: usage.replayed_turns,
            duration_ms: usage.duration_us / 1_000,
            gb_seconds: usage.gb_seconds(),
        }
    }
}

impl Admin {
    /// What each function of each app has used.
    fn used(&self) -> Vec<FunctionUsage> {
        self.host.apps.all().iter().flat_map(|served| served.metering.usage()).collect()
    }

    fn app_names(&self) -> String {
        self.host.apps.all().iter().map(|served| served.app.name.as_str()).collect::<Vec<_>>().join(",")
    }

    pub(super) fn usage(&self) -> Reply {
        let usage = self.used();
        let total = usage.iter().fold(Usage::default(), |total, function| total.plus(function.usage));
        let functions = usage.iter().map(|function| UsageOfFunction {
            app: function.app.clone(),
            function: function.function.clone(),
            usage: UsageNumbers::of(&function.usage),
        });
        let report = UsageReport {
            app: self.app_names(),
            functions: functions.collect(),
            total: UsageNumbers::of(&total),
            estimate: total.estimate(),
        };
        reply::json(StatusCode::OK, &report)
    }

    /// `/metrics`: the counters as Prometheus reads them. They are for the operator, like everything else here.
    pub(crate) fn metrics(&self, head: &Parts) -> Reply {
        if !self.doors.admit_admin(head) {
            return reply::empty(StatusCode::UNAUTHORIZED);
        }
        let usage = self.used();
        let text = exposition(&self.app_names(), self.version, self.uptime().as_secs(), &usage);
        reply::text(StatusCode::OK, CONTENT_TYPE, text)
    }
}
