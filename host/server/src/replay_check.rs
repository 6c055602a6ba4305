//! Whether new code of an app fits the instances that are under way: each of their histories is replayed on it before it
//! takes over. Nothing is written, and no instance notices.
//!
//! Only instances without a pin follow the app's latest version, and only they are looked at. They go on meanwhile: what
//! changed after the check is found by another one over what [changed since](Scope::changed_since).

#[cfg(test)]
mod tests;

use anyhow::{Context, bail};
use orchestration::{
    Cursor, Event, EventKind, Fit, History, Identity, InstanceId, InstanceRow, Limits, RecordedAction, Recording,
    RuntimeStatus, Timestamp, TurnEnd,
};
use ports::{
    Advanced, GuestFault, InstanceKind, InstanceQuery, InstanceStore, Orchestrator, Orchestrators, PageToken,
    StoreError,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use tokio::task::JoinSet;

use crate::machine;

/// Departures that are told one by one: enough to see what they have in common.
const MAX_TOLD_DEPARTURES: usize = 20;

/// Instances that are listed at once. Their rows are small; histories are read one at a time by each worker.
const PAGE_SIZE: usize = 500;

/// How often an instance is read anew that continued as new while it was looked at. One that does so all the time has little
/// history to depart from.
const MAX_READS: usize = 3;

/// Which instances to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scope {
    /// Only those with a commit at this moment or later; none: all.
    pub(crate) changed_since: Option<Timestamp>,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplayReport {
    /// How many instances were looked at.
    pub(crate) checked: u64,
    /// How many of them the code fits, or have ended meanwhile.
    pub(crate) fits: u64,
    /// How many of them the code does not fit.
    pub(crate) departs: u64,
    /// The first of these by id, at most [`MAX_TOLD_DEPARTURES`].
    pub(crate) departures: Vec<Departure>,
}

/// An instance that the code does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Departure {
    /// Its id.
    pub(crate) instance: String,
    /// What it runs.
    pub(crate) orchestrator: String,
    /// The first event that the code does not match, counted from 0; as many as there are events where the code goes on
    /// although the history has ended; none where the code did not get to the end for another reason.
    pub(crate) at_event: Option<u64>,
    /// Kind and name of that event, if it exists.
    pub(crate) event: Option<String>,
    /// Both sides in words.
    pub(crate) why: String,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}', instance {}", self.orchestrator, self.instance)?;
        match (self.at_event, &self.event) {
            (Some(at), Some(event)) => write!(f, ", event {at}, {event}")?,
            (Some(_), None) => f.write_str(", after its last event")?,
            (None, _) => {}
        }
        write!(f, ": {}", self.why)
    }
}

/// Replays the history of each orchestration that has not ended and is not pinned, on as many threads as there are cores.
///
/// # Errors
/// The store cannot be read, or the host has no room to run the code: nothing is known then.
pub(crate) async fn check(
    code: Arc<dyn Orchestrators>,
    store: Arc<dyn InstanceStore>,
    limits: Limits,
    scope: Scope,
) -> anyhow::Result<ReplayReport> {
    let known = code.names().iter().map(|name| name.to_lowercase()).collect();
    let check = Arc::new(Check { code, known, store, limits });
    let (mut tally, mut after) = (Tally::default(), None);
    let mut running = JoinSet::new();
    loop {
        let page = check.page(scope, after).await?;
        for row in page.0 {
            if running.len() >= machine::cores() {
                tally.take_one(&mut running).await?;
            }
            running.spawn(check.clone().instance(row));
        }
        after = page.1;
        if after.is_none() {
            break;
        }
    }
    while !running.is_empty() {
        tally.take_one(&mut running).await?;
    }
    Ok(tally.into_report())
}

/// Who an execution is, by its history; none if it has not begun.
pub(crate) fn identity(instance: InstanceId, history: &History) -> Option<Identity> {
    let started = history.ledger().started.clone()?;
    Some(Identity {
        instance,
        execution: started.execution,
        name: started.name,
        parent: started.parent,
        version: started.options.version,
        tags: started.options.tags,
    })
}

/// Runs an orchestrator that has just begun over all that is recorded, and compares.
///
/// # Errors
/// The sandbox stopped the code before it had departed.
pub(crate) async fn compare(
    orchestrator: &mut dyn Orchestrator,
    identity: Identity,
    recording: &Recording,
    limits: Limits,
) -> Result<Fit, GuestFault> {
    let events = recording.events().to_vec();
    // What a host has let pass once is not too much now.
    let limits = Limits { max_actions: limits.max_actions.max(events.len()), ..limits };
    let (mut cursor, advanced) = orchestrator.advance(Box::new(Cursor::new(identity, limits, events))).await;
    // Code that departs is stopped there, which may look like a fault.
    match (cursor.stopped().is_some(), advanced) {
        (true, _) | (false, Ok(Advanced::Waiting)) => Ok(recording.verdict(&cursor, &TurnEnd::Waiting)),
        (false, Ok(Advanced::Returned(result))) => {
            let end = cursor.returned(result);
            Ok(recording.verdict(&cursor, &end))
        }
        (false, Err(fault)) => Err(fault),
    }
}

struct Check {
    code: Arc<dyn Orchestrators>,
    /// The names of its orchestrators in lower case: they are compared without case.
    known: BTreeSet<String>,
    store: Arc<dyn InstanceStore>,
    limits: Limits,
}

impl Check {
    /// The instances of one page that follow the latest version, and where the next page begins.
    async fn page(
        &self,
        scope: Scope,
        after: Option<PageToken>,
    ) -> anyhow::Result<(Vec<InstanceRow>, Option<PageToken>)> {
        let query = InstanceQuery {
            statuses: RuntimeStatus::ALL.into_iter().filter(|status| !status.is_terminal()).collect(),
            kind: InstanceKind::Orchestrations,
            updated_from: scope.changed_since,
            page_size: PAGE_SIZE,
            after,
            ..InstanceQuery::default()
        };
        let page = self.store.query(&query).await.context("the instances of the app cannot be listed")?;
        let rows = page.instances.into_iter().map(|view| view.row);
        Ok((rows.filter(|row| row.pinned_to.is_none()).collect(), page.next))
    }

    /// Instances go on while they are looked at: what counts is what they are afterwards.
    async fn instance(self: Arc<Self>, mut row: InstanceRow) -> anyhow::Result<Option<Departure>> {
        let id = row.id.clone();
        for _ in 0..MAX_READS {
            let found = self.departure(&row).await.with_context(|| format!("instance {id}"))?;
            let now = self.store.read(&id, false).await.with_context(|| format!("instance {id}"))?;
            match now.map(|view| view.row) {
                Some(now) if now.status.is_terminal() || now.pinned_to.is_some() => return Ok(None),
                Some(now) if now.execution == row.execution => return Ok(found),
                Some(now) => row = now,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    async fn departure(&self, row: &InstanceRow) -> anyhow::Result<Option<Departure>> {
        let missing = self.missing(row);
        if missing.is_some() || row.turns == 0 {
            return Ok(missing);
        }
        let Some(history) = self.history(row).await? else { return Ok(None) };
        let (Some(identity), Some(recording)) = (identity(row.id.clone(), &history), Recording::of(history)) else {
            // No line of it has run: it is held since before.
            return Ok(None);
        };
        let fit = match self.code.begin(&row.name, None).await {
            Ok(mut orchestrator) => compare(orchestrator.as_mut(), identity, &recording, self.limits).await,
            Err(fault) => Err(fault),
        };
        match fit {
            Ok(Fit::Waits | Fit::Ends | Fit::EndedByHost { .. }) => Ok(None),
            Ok(Fit::Departs(orchestration::Departure { at, why })) => {
                let event = usize::try_from(at).ok().and_then(|at| recording.events().get(at));
                Ok(Some(Departure { at_event: Some(at), event: event.map(named), ..departure(row, why) }))
            }
            Err(fault) => faulted(row, &fault).map(Some),
        }
    }

    /// None if there is none any more, since the execution has ended; or if it is damaged, so that it runs on no code at all.
    async fn history(&self, row: &InstanceRow) -> anyhow::Result<Option<History>> {
        let damaged = |why: &dyn fmt::Display| {
            tracing::warn!(instance = %row.id, %why, "its history is damaged, and so not replayed");
            Ok(None)
        };
        let events = match self.store.history(&row.id, row.execution).await {
            Ok(events) => events,
            Err(error @ StoreError::Corrupt { .. }) => return damaged(&error),
            Err(error @ (StoreError::Unavailable { .. } | StoreError::LeaseLost { .. })) => return Err(error.into()),
        };
        if events.iter().any(|event| matches!(event.kind, EventKind::ExecutionCompleted { .. })) {
            return Ok(None);
        }
        History::from_events(events).map_or_else(|why| damaged(&why), |history| Ok(Some(history)))
    }

    /// Nothing can be said of it if the code still has its orchestrator.
    fn missing(&self, row: &InstanceRow) -> Option<Departure> {
        if self.known.contains(&row.name.to_lowercase()) {
            return None;
        }
        Some(departure(row, format!("the app has no orchestrator named '{}' any more", row.name)))
    }
}

fn faulted(row: &InstanceRow, fault: &GuestFault) -> anyhow::Result<Departure> {
    match fault {
        // It says nothing about the code.
        GuestFault::Unavailable { .. } => bail!("its history cannot be replayed now: {fault}; try again"),
        GuestFault::NotFound { .. }
        | GuestFault::Trapped { .. }
        | GuestFault::TimedOut { .. }
        | GuestFault::OutOfMemory { .. }
        | GuestFault::OutputTooLarge { .. } => {
            Ok(departure(row, format!("the code does not get through its history: {fault}")))
        }
    }
}

fn departure(row: &InstanceRow, why: String) -> Departure {
    Departure { instance: row.id.to_string(), orchestrator: row.name.clone(), at_event: None, event: None, why }
}

/// Payloads are left out: they may be long, and secret.
fn named(event: &Event) -> String {
    let kind = event.kind.name();
    // Departures are at what the code asks for; at other events the kind says enough.
    let name = RecordedAction::of_event(&event.kind).and_then(|action| action.name);
    name.map_or_else(|| kind.to_owned(), |name| format!("{kind} '{name}'"))
}

/// What has come of instances so far.
#[derive(Default)]
struct Tally {
    checked: u64,
    departs: u64,
    /// By id, so that the same ones are told each time.
    told: BTreeMap<String, Departure>,
}

impl Tally {
    async fn take_one(&mut self, running: &mut JoinSet<anyhow::Result<Option<Departure>>>) -> anyhow::Result<()> {
        let Some(joined) = running.join_next().await else { return Ok(()) };
        let departure = joined.context("replaying a history failed")??;
        self.checked += 1;
        if let Some(departure) = departure {
            self.departs += 1;
            self.told.insert(departure.instance.clone(), departure);
            if self.told.len() > MAX_TOLD_DEPARTURES {
                self.told.pop_last();
            }
        }
        Ok(())
    }

    fn into_report(self) -> ReplayReport {
        let Tally { checked, departs, told } = self;
        ReplayReport { checked, fits: checked - departs, departs, departures: told.into_values().collect() }
    }
}
