//! Planted bugs around one version of the app that follows another one.

use super::check;
use super::hooked::{Hooked, Hooks};
use super::model::Unpinned;
use crate::faults::{Faults, Kind};
use crate::oracles::Oracle;
use crate::scenarios;
use crate::world::{Handover, Setup, Tuning};
use async_trait::async_trait;
use orchestration::{Checkpoint, ExecutionId, InstanceId};
use ports::{Lease, Orchestrators, StoreError, TaskHubStore, TurnWork};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn setup(scenario: &str) -> Setup {
    let scenario = scenarios::find(scenario).expect("the scenario exists");
    Setup::new(1, (scenario.workload)("x"))
}

fn with(handover: Handover, scenario: &str) -> Setup {
    Setup { handover, ..setup(scenario) }
}

/// Instances of the version before run on the code of the next one.
fn unpinned(scenario: &str) -> Setup {
    let wrap = |inner: Arc<dyn Orchestrators>| -> Arc<dyn Orchestrators> { Arc::new(Unpinned(inner)) };
    Setup { wrap_code: Some(Arc::new(wrap)), ..setup(scenario) }
}

/// Leases that outlive everybody, as if somebody renewed them for ever.
fn with_endless_leases(setup: Setup) -> Setup {
    let lease_time = Duration::from_secs(50 * 365 * 86_400);
    Setup { tuning: Tuning { lease_time, ..Tuning::default() }, ..setup }
}

/// How many turns each execution has had.
type Turns = BTreeMap<(InstanceId, ExecutionId), u32>;

/// What is kept alive is taken for true, however far another engine has moved the instance on.
#[derive(Default)]
struct Stale {
    kept: Mutex<Turns>,
}

#[async_trait]
impl Hooks for Stale {
    async fn take_turn(&self, store: &dyn TaskHubStore) -> Result<TurnWork, StoreError> {
        let mut work = store.take_turn().await?;
        let key = (work.row.id.clone(), work.row.execution);
        if let Some(turns) = self.kept.lock().expect("no test panics with it").get(&key) {
            work.row.turns = *turns;
        }
        Ok(work)
    }

    async fn commit(&self, store: &dyn TaskHubStore, lease: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError> {
        let (key, turns) = ((checkpoint.row.id.clone(), checkpoint.row.execution), checkpoint.row.turns);
        let ends = checkpoint.row.status.is_terminal();
        store.commit(lease, checkpoint).await?;
        let mut kept = self.kept.lock().expect("no test panics with it");
        if ends {
            kept.remove(&key)
        } else {
            kept.insert(key, turns)
        };
        Ok(())
    }
}

fn stale(scenario: &str) -> Setup {
    let wrap = |inner: Arc<dyn TaskHubStore>, _: &Arc<Faults>| -> Arc<dyn TaskHubStore> {
        Arc::new(Hooked { inner, hooks: Stale::default() })
    };
    Setup { wrap_engine: Some(Arc::new(wrap)), ..with(Handover::GoesOn, scenario) }
}

#[test]
fn instances_on_the_code_of_another_version_are_caught() {
    check::without_faults(&unpinned("swap-pins"), Oracle::Pinning);
    check::without_faults(&unpinned("swap-upgrades"), Oracle::Pinning);
    check::under(
        || Setup { tuning: Tuning { live_instances: 0, ..Tuning::default() }, ..unpinned("sequence") },
        Kind::Swap,
        &[Oracle::Pinning],
    );
}

#[test]
fn work_that_is_dropped_is_caught() {
    check::without_faults(&with(Handover::IsDropped, "swap-amid-long-activity"), Oracle::Handover);
    check::without_faults(&with(Handover::IsDropped, "swap-amid-message"), Oracle::Handover);
    check::under(|| with(Handover::IsDropped, "sequence"), Kind::Swap, &[Oracle::Handover]);
    check::under(|| with_endless_leases(with(Handover::IsDropped, "one-activity")), Kind::Swap, &[Oracle::Liveness]);
}

#[test]
fn timers_that_do_not_wait_for_their_turn_are_caught() {
    check::without_faults(&with(Handover::TimersAtOnce, "swap-amid-timer"), Oracle::Concurrency);
    check::under(|| with(Handover::TimersAtOnce, "timer-takes-long"), Kind::Swap, &[Oracle::Concurrency]);
}

#[test]
fn instances_that_are_kept_alive_behind_their_store_are_caught() {
    check::under(|| stale("sequence"), Kind::Swap, &[Oracle::Row]);
}
