//! The next version of an app that is here: held against what instances have done so far, and compared with the one before.

use anyhow::anyhow;
use manifest::Versioning;
use std::time::Duration;

use super::{Begun, Differences, Host, Prepared};
use crate::clock::Stopwatch;
use crate::exit::Problem;
use crate::replay_check::{self, ReplayReport, Scope};
use crate::wiring;

/// What to do with instances whose recorded history the new code does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departing {
    /// Then the version is not begun.
    Refuse,
    /// It is begun all the same; they fail when they go on.
    Accept,
}

/// A version that was begun in the place of another one.
pub(crate) struct Replaced {
    /// What was served, and what is.
    pub(crate) begun: Begun,
    /// What is different.
    pub(crate) differences: Differences,
}

impl Replaced {
    /// With what is different.
    pub(crate) fn of(begun: Begun) -> Replaced {
        let differences = Differences::between(begun.before.as_deref(), &begun.now);
        Replaced { begun, differences }
    }
}

impl Host {
    /// Holds a version against the histories of the instances that will go on with it. How long that took; none: each
    /// instance stays on its version. `otherwise` is what else can be done about instances that depart, for the error.
    ///
    /// # Errors
    /// One departs, unless that is accepted; or a history cannot be read.
    pub(crate) async fn check_what_follows(
        &self,
        prepared: &Prepared,
        departing: Departing,
        otherwise: &str,
    ) -> Result<Option<Duration>, Problem> {
        let served = &prepared.generation.served;
        let is_pinned = served.app.versioning == Versioning::Pinned;
        if is_pinned || departing == Departing::Accept {
            return Ok(None);
        }
        let stopwatch = Stopwatch::start();
        let mut scope = Scope { changed_since: None };
        // The second look is for what has gone on during the first one.
        for _ in 0..2 {
            let begins = self.surroundings.clock.now();
            let (code, store) = (prepared.generation.code.clone(), prepared.app.store.clone());
            let report = replay_check::check(code, store, wiring::limits(&served.app), scope).await?;
            if report.departs > 0 {
                return Err(departs(&served.app.name, &report, otherwise));
            }
            scope = Scope { changed_since: Some(begins) };
        }
        Ok(Some(stopwatch.elapsed()))
    }
}

fn departs(app: &str, report: &ReplayReport, otherwise: &str) -> Problem {
    let told: Vec<String> = report.departures.iter().map(ToString::to_string).collect();
    let untold = report.departs.saturating_sub(u64::try_from(told.len()).unwrap_or(u64::MAX));
    let more = if untold == 0 { String::new() } else { format!("\nand {untold} more") };
    let (departs, checked) = (report.departs, report.checked);
    Problem::App(anyhow!(
        "{departs} of the {checked} instances of '{app}' that have not ended do not fit the new code, which they would go on with; \
         keep the old steps in their order, let the instances end, or {otherwise}\n{}{more}",
        told.join("\n")
    ))
}
