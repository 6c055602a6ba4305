//! What must not pile up: after all work is done, or taken back, nothing of it is left in memory.

use super::TaskHub;
use crate::tests::world::{LEASE, START, World, ending, id, later, new, task, timer, waiting};
use orchestration::{EventId, Json, Reuse, RuntimeStatus};
use ports::{InstanceStore, Purge, WorkStore};

/// Nothing is pending, claimed, leased or watched.
fn check_nothing_left(hub: &TaskHub) {
    hub.shared.with(|state| {
        assert!(state.dispatch.is_empty(), "{:?}", state.dispatch);
        assert!(state.claims.is_empty(), "{:?}", state.claims);
    });
    assert!(hub.shared.revocations.is_empty() && hub.shared.watchers.is_empty());
}

/// An instance with a turn and two activities in the hands of workers, and one of everything else.
async fn at_work(world: &World) -> Vec<ports::Lease> {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.activities = (0..3).map(|event| task(&work, event)).collect();
    checkpoint.timers = vec![timer(7, 10)];
    checkpoint.messages = vec![later(&a, "later", 100)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.raise(&a, "y").await;
    let leases = [
        world.turn().await.lease,
        world.take_activity().await.unwrap().lease,
        world.take_activity().await.unwrap().lease,
    ];
    leases.into()
}

#[tokio::test]
async fn a_purge_leaves_nothing() {
    let world = World::memory();
    let leases = at_work(&world).await;
    let revoked: Vec<_> = leases.iter().map(|lease| world.revoked(lease)).collect();
    assert_eq!(world.purge(&id("a"), Purge::Any).await, Ok(true));
    futures::future::join_all(revoked).await;
    for lease in &leases {
        assert!(world.renew(lease).await.is_err());
    }
    assert_eq!(crate::tests::world::ready(world.take_activity()).await, None);
    world.no_turn().await;
    check_nothing_left(&world);
}

#[tokio::test]
async fn activities_that_are_taken_back_leave_nothing() {
    let world = World::memory();
    world.start("a").await;
    for round in 0..10 {
        world.raise(&id("a"), "x").await;
        let work = world.turn().await;
        let mut checkpoint = waiting(&work);
        checkpoint.activities = (3 * round..3 * round + 3).map(|event| task(&work, event)).collect();
        world.commit(&work.lease, checkpoint).await.unwrap();
        let running = world.take_activity().await.unwrap();
        let answered = world.take_activity().await.unwrap();
        let revoked = world.revoked(&running.lease);
        // Nobody waits for these any more.
        drop((world.revoked(&running.lease), world.revoked(&answered.lease), world.changed(&id("a"))));
        world.complete_activity(&answered.lease, Ok(Json::null())).await.unwrap();
        let work = world.turn().await;
        let mut checkpoint = waiting(&work);
        checkpoint.consumed.clear();
        checkpoint.cancelled_activities = (3 * round..3 * round + 3).map(EventId).collect();
        world.commit(&work.lease, checkpoint).await.unwrap();
        revoked.await;
        assert_eq!(crate::tests::world::ready(world.take_activity()).await, None);
    }
    check_nothing_left(&world);
}

#[tokio::test]
async fn leases_that_run_out_leave_nothing() {
    let world = World::memory();
    let leases = at_work(&world).await;
    let revoked: Vec<_> = leases.iter().map(|lease| world.revoked(lease)).collect();
    world.clock.advance(LEASE * 2);
    let work = world.turn().await;
    let mut checkpoint = ending(&work, RuntimeStatus::Completed);
    checkpoint.cancelled_activities = (0..3).map(EventId).collect();
    world.commit(&work.lease, checkpoint).await.unwrap();
    assert_eq!(crate::tests::world::ready(world.take_activity()).await, None);
    drop(revoked);
    check_nothing_left(&world);
}

#[tokio::test]
async fn waiting_messages_of_an_entity_leave_nothing_when_they_are_consumed() {
    let world = World::memory();
    let counter = id("@counter@1");
    for name in ["one", "two"] {
        world.raise(&counter, name).await;
    }
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.consumed.truncate(1);
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.raise(&counter, "three").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.remove = true;
    world.commit(&work.lease, checkpoint).await.unwrap();
    check_nothing_left(&world);
    // What is refused leaves nothing either.
    world.create(new("a"), Reuse::NEVER).await.unwrap();
    let work = world.turn().await;
    world.abandon(&work.lease, START).await.unwrap();
    assert!(world.commit(&work.lease, waiting(&work)).await.is_err());
    assert_eq!(world.purge(&id("a"), Purge::Any).await, Ok(true));
    world.no_turn().await;
    check_nothing_left(&world);
}
