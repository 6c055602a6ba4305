//! What must hold once everything has come to rest: nothing was left undone, and all ended as it should.

use super::{Oracle, Watch, replay, settled};
use crate::author::Outcome;
use crate::author::activities::OutsideSystems;
use crate::model::Model;
use crate::users::UserStores;
use crate::workload::{Act, Ending, Workload};
use futures::FutureExt;
use orchestration::{InstanceRow, Json, RuntimeStatus, Timestamp};
use ports::{InstanceKind, InstanceQuery, TaskHubStore};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A world at rest.
pub(crate) struct Rest<'a> {
    /// Freshly opened over the rows: nothing of the last process is left in it.
    pub(crate) store: Arc<dyn TaskHubStore>,
    /// The same store, for users' data.
    pub(crate) users: UserStores,
    pub(crate) now: Timestamp,
    pub(crate) watch: &'a Watch,
    pub(crate) systems: &'a Mutex<OutsideSystems>,
    pub(crate) workload: &'a Workload,
    pub(crate) clients_are_done: bool,
}

/// Judges it.
pub(crate) fn judge(rest: &Rest<'_>) {
    if !rest.clients_are_done {
        rest.watch.report(Oracle::Liveness, "nothing moves any more, and clients still wait");
    }
    let instances = rest.instances(InstanceKind::Orchestrations);
    for row in instances.values().filter(|row| !row.status.is_terminal()) {
        rest.watch.report(Oracle::Liveness, format!("nothing moves any more, and this has not ended: {row:#?}"));
    }
    rest.judge_endings(&instances);
    settled::judge(&rest.users, rest.watch, rest.workload, &instances, rest.now);
    rest.judge_fit(&instances);
    rest.judge_entities();
    rest.judge_retention(&instances);
    rest.judge_effects();
    rest.judge_leftovers();
    let systems = rest.systems.lock().unwrap_or_else(PoisonError::into_inner);
    if systems.total() != OutsideSystems::default().total() || systems.on_its_way() != 0 {
        rest.watch.report(Oracle::Bank, format!("in the end the books do not balance: {systems:?}"));
    }
}

impl Rest<'_> {
    fn instances(&self, kind: InstanceKind) -> BTreeMap<String, InstanceRow> {
        let query = InstanceQuery { kind, page_size: 10_000, ..InstanceQuery::default() };
        match self.store.query(&query).now_or_never() {
            Some(Ok(page)) => page.instances.into_iter().map(|view| (view.row.id.to_string(), view.row)).collect(),
            Some(Err(error)) => {
                self.watch.report(Oracle::Listing, format!("the instances cannot be listed: {error}"));
                BTreeMap::new()
            }
            None => {
                self.watch.report(Oracle::Listing, "listing the instances waits for something");
                BTreeMap::new()
            }
        }
    }

    fn judge_endings(&self, instances: &BTreeMap<String, InstanceRow>) {
        let mut starts: BTreeMap<&str, Vec<(&'static str, &Json)>> = BTreeMap::new();
        for act in self.workload.acts() {
            if let Act::Start { id, name, input, .. } = act {
                starts.entry(id).or_default().push((name, input));
            }
        }
        for (id, name, input) in &self.workload.others {
            starts.entry(id).or_default().push((name, input));
        }
        for (id, starts) in starts {
            // What was kept for its time is judged as it was.
            let removed = self.watch.removed(id).map(|(row, _)| row);
            let removed =
                removed.filter(|_| self.workload.retention.is_some() && self.workload.ending(id) != Ending::Purged);
            let row = instances.get(id).or(removed.as_ref());
            if let Err(why) = self.judge_ending(id, &starts, row) {
                self.watch.report(Oracle::Model, format!("{id}: {why}; it is {row:#?}"));
            }
        }
    }

    fn judge_ending(
        &self,
        id: &str,
        starts: &[(&'static str, &Json)],
        row: Option<&InstanceRow>,
    ) -> Result<(), String> {
        let ending = self.workload.ending(id);
        let row = match (&ending, row) {
            (Ending::Purged, None) => return Ok(()),
            (Ending::Purged, Some(_)) => return Err("it should have been purged".to_owned()),
            (_, None) => return Err("it is lost".to_owned()),
            (_, Some(row)) => row,
        };
        let may_be_terminated =
            self.workload.acts().any(|act| matches!(act, Act::Terminate { id: terminated, .. } if terminated == id));
        if row.status == RuntimeStatus::Terminated && may_be_terminated {
            return Ok(());
        }
        let right = match &ending {
            Ending::OneOf(outputs) => row.output.as_ref().is_some_and(|output| outputs.contains(output)),
            Ending::OneOfOrFailed(outputs) => {
                row.status == RuntimeStatus::Failed
                    || row.output.as_ref().is_some_and(|output| outputs.contains(output))
            }
            Ending::Terminated => row.status == RuntimeStatus::Terminated,
            Ending::AsModel => {
                let expected: Vec<_> = starts.iter().map(|(name, input)| self.model(id, name, input)).collect();
                if !expected.iter().flatten().any(|outcome| is_as(row, outcome)) {
                    return Err(format!("the model comes to {expected:?}"));
                }
                true
            }
            Ending::Purged => true,
        };
        if right { Ok(()) } else { Err(format!("expected {ending:?}")) }
    }

    /// What the model makes of one instance, with the events that clients raise.
    fn model(&self, id: &str, name: &str, input: &Json) -> Option<Outcome> {
        let model = Model::default();
        for act in self.workload.acts() {
            if let Act::Raise { id, event, payload, .. } = act {
                model.raise(id, event, payload.clone());
            }
        }
        model.run(id, name, input.clone())
    }

    /// The code still fits every history that is stored, as a whole.
    fn judge_fit(&self, instances: &BTreeMap<String, InstanceRow>) {
        for row in instances.values() {
            let Some(Ok(history)) = self.store.history(&row.id, row.execution).now_or_never() else {
                self.watch.report(Oracle::Replay, format!("the history of {} cannot be read", row.id));
                continue;
            };
            if let Err(why) = replay::check_whole(row, history) {
                self.watch.report(Oracle::Replay, format!("{}: {why}", row.id));
            }
        }
    }

    /// Nobody holds a lock any more, what was deleted is gone, and all that was asked for was done.
    fn judge_entities(&self) {
        let entities = self.instances(InstanceKind::Entities);
        for row in entities.values() {
            let record = row.entity.as_deref().cloned().unwrap_or_default();
            if let Some(lock) = record.lock {
                self.watch.report(Oracle::Locks, format!("in the end {} is still locked by {lock:?}", row.id));
            } else if record.state.is_none() {
                self.watch.report(Oracle::Leftovers, format!("there is nothing of {}, but its row", row.id));
            }
        }
        for (entity, states) in &self.workload.entities {
            let row = entities.get(entity.instance_id().as_str());
            let state = row.and_then(|row| row.entity.as_deref()).and_then(|record| record.state.clone());
            if !states.contains(&state) {
                self.watch.report(Oracle::Model, format!("in the end {entity} is {state:?}, not one of {states:?}"));
            }
        }
        if let Some(never_done) = self.watch.never_done() {
            self.watch.report(Oracle::Entities, never_done);
        }
    }

    /// Completed instances go once they were kept long enough, and not before.
    fn judge_retention(&self, instances: &BTreeMap<String, InstanceRow>) {
        let Some(kept) = self.workload.retention else { return };
        let is_purged = |id: &str| {
            self.workload
                .acts()
                .any(|act| matches!(act, Act::Purge { id: purged } | Act::PurgeAny { id: purged } if purged == id))
        };
        let completed = |row: &&InstanceRow| row.status == RuntimeStatus::Completed;
        for row in instances.values().filter(completed) {
            self.watch.report(Oracle::Retention, format!("{} is still there", row.id));
        }
        for act in self.workload.acts() {
            let Act::Start { id, .. } = act else { continue };
            let Some((row, at)) = self.watch.removed(id).filter(|(row, _)| completed(&row)) else { continue };
            let lived = row.completed_at.map(|ended| at.saturating_since(ended)).unwrap_or_default();
            if lived < kept && !is_purged(id) {
                self.watch.report(Oracle::Retention, format!("{id} was removed {lived:?} after its end"));
            }
        }
    }

    fn judge_effects(&self) {
        if let Some(key) = self.watch.never_ran() {
            self.watch.report(Oracle::Effects, format!("{key:?} was asked for and never ran"));
        }
    }

    /// Whoever opens the store finds nothing to do.
    fn judge_leftovers(&self) {
        if let Some(turn) = self.store.take_turn().now_or_never() {
            self.watch.report(Oracle::Leftovers, format!("there is a turn to do: {turn:#?}"));
        }
        if let Some(activity) = self.store.take_activity().now_or_never() {
            self.watch.report(Oracle::Leftovers, format!("there is an activity to run: {activity:#?}"));
        }
    }
}

fn is_as(row: &InstanceRow, outcome: &Outcome) -> bool {
    match outcome {
        Ok(output) => row.status == RuntimeStatus::Completed && row.output.as_ref() == Some(output),
        Err(failure) => {
            row.status == RuntimeStatus::Failed
                && row.failure.as_ref().is_some_and(|recorded| recorded.error_type == failure.error_type)
        }
    }
}
