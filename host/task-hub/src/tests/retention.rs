//! What is removed by itself, and when.

use super::store::Done;
use super::world::{World, after, id, row};
use crate::{Retention, Settings, Stop};
use futures::FutureExt;
use orchestration::{InstanceRow, RuntimeStatus};
use ports::Purge;
use std::time::Duration;

fn ended(name: &str, status: RuntimeStatus, at: u64) -> InstanceRow {
    InstanceRow { id: id(name), status, completed_at: Some(after(at)), ..row(1) }
}

fn world(retention: Retention) -> World {
    let world = World::with(|_| {}, |settings| settings.retention = retention);
    for (name, at) in [("c-old", 0), ("c-older", 0), ("c-oldest", 0), ("c-young", 500)] {
        world.store.put(ended(name, RuntimeStatus::Completed, at));
    }
    world.store.put(ended("failed", RuntimeStatus::Failed, 0));
    world.store.put(ended("terminated", RuntimeStatus::Terminated, 0));
    world.store.put(InstanceRow { id: id("running"), ..row(1) });
    world
}

fn purged(world: &World, until: u64) -> Vec<String> {
    let never: Stop = futures::future::pending().boxed().shared();
    let worker = world.hub.inner.housekeeping_worker(&never);
    assert_eq!(world.clock.run_until(after(until), worker), None, "it works until it is stopped");
    let name = |done| {
        let Done::Purged(id, Purge::Ended) = done else { panic!("{done:?}") };
        id.to_string()
    };
    world.store.done().into_iter().map(name).collect()
}

fn hours(n: u64) -> Option<Duration> {
    Some(Duration::from_secs(n * 3600))
}

#[test]
fn each_status_has_its_own_time() {
    let world = world(Retention { completed: hours(1), failed: hours(2), terminated: None });
    assert_eq!(purged(&world, 3_599), [""; 0]);
    assert_eq!(purged(&world, 3_601), ["c-old", "c-older", "c-oldest"]);
    assert_eq!(purged(&world, 7_300), ["c-young", "failed"]);
    assert_eq!(world.store.rows.lock().unwrap().len(), 2, "terminated ones are kept for ever, running ones anyway");
}

#[test]
fn a_short_retention_is_looked_at_more_often() {
    let world = world(Retention { terminated: Some(Duration::from_secs(10)), ..Retention::default() });
    assert!(Settings::HOUSEKEEPING_INTERVAL > Duration::from_secs(10));
    assert_eq!(purged(&world, 11), ["terminated"]);
}

#[test]
fn the_worker_ends_when_it_is_stopped() {
    let world = world(Retention { failed: hours(1), ..Retention::default() });
    let stop: Stop = futures::future::ready(()).boxed().shared();
    world.clock.run(world.hub.inner.housekeeping_worker(&stop));
    assert_eq!(world.store.done(), []);
}

#[test]
fn there_is_a_worker_only_if_anything_is_to_be_removed() {
    let never: Stop = futures::future::pending().boxed().shared();
    let count = |world: &World| world.hub.workers(&never).len();
    let without = count(&World::new());
    assert_eq!(count(&world(Retention { failed: hours(1), ..Retention::default() })), without + 1);
}
