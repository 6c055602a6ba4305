//! What must hold once everything has come to rest: nothing was left undone, and all ended as it should.

use super::{Oracle, Watch};
use crate::author::Outcome;
use crate::author::activities::OutsideSystems;
use crate::model::Model;
use crate::workload::{Act, Ending, Workload};
use futures::FutureExt;
use orchestration::{InstanceRow, Json, RuntimeStatus};
use ports::{InstanceQuery, TaskHubStore};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A world at rest.
pub(crate) struct Rest<'a> {
    /// Freshly opened over the rows: nothing of the last process is left in it.
    pub(crate) store: Arc<dyn TaskHubStore>,
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
    let instances = rest.instances();
    for row in instances.values().filter(|row| !row.status.is_terminal()) {
        rest.watch.report(Oracle::Liveness, format!("nothing moves any more, and this has not ended: {row:#?}"));
    }
    rest.judge_endings(&instances);
    rest.judge_effects();
    rest.judge_leftovers();
    let systems = rest.systems.lock().unwrap_or_else(PoisonError::into_inner);
    if systems.total() != OutsideSystems::default().total() || systems.on_its_way() != 0 {
        rest.watch.report(Oracle::Bank, format!("in the end the books do not balance: {systems:?}"));
    }
}

impl Rest<'_> {
    fn instances(&self) -> BTreeMap<String, InstanceRow> {
        let query = InstanceQuery { page_size: 10_000, ..InstanceQuery::default() };
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
            if let Act::Start { id, name, input } = act {
                starts.entry(id).or_default().push((name, input));
            }
        }
        for (id, starts) in starts {
            let row = instances.get(id);
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
            (Ending::AsModel | Ending::OneOf(_) | Ending::Terminated, None) => return Err("it is lost".to_owned()),
            (Ending::AsModel | Ending::OneOf(_) | Ending::Terminated, Some(row)) => row,
        };
        let may_be_terminated =
            self.workload.acts().any(|act| matches!(act, Act::Terminate { id: terminated } if terminated == id));
        if row.status == RuntimeStatus::Terminated && may_be_terminated {
            return Ok(());
        }
        let right = match &ending {
            Ending::OneOf(outputs) => row.output.as_ref().is_some_and(|output| outputs.contains(output)),
            Ending::Terminated => false,
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
            if let Act::Raise { id, event, payload } = act {
                model.raise(id, event, payload.clone());
            }
        }
        model.run(id, name, input.clone())
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
