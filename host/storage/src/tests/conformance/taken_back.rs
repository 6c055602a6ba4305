//! Activities that are taken back: handed out no more, and whoever runs one hears of it.

use super::conformance;
use crate::tests::world::{LEASE, START, World, id, kinds, new_execution, poll_once, ready, task, waiting};
use futures::future::BoxFuture;
use orchestration::{EventId, Json, Reuse};
use ports::{ActivityWork, Created, InstanceStore, Lease, Purge, StoreError, WorkStore};

conformance![
    a_pending_activity_is_not_handed_out_any_more,
    the_lease_of_a_running_activity_is_lost,
    an_answer_that_was_not_consumed_is_dropped,
    an_abandoned_activity_does_not_come_back,
    purging_and_replacing_revoke,
    a_lease_that_runs_out_is_never_revoked,
    a_lease_that_ends_well_is_not_revoked,
    a_lease_that_is_lost_already_is_revoked_at_once,
    a_renewed_lease_is_revoked,
    the_lease_of_a_turn_is_revoked_when_the_instance_goes,
];

/// Has the instance `a` ask for activities with these numbers.
async fn ask(world: &World, events: std::ops::Range<u32>) {
    world.start("a").await;
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.activities = events.map(|event| task(&work, event)).collect();
    world.commit(&work.lease, checkpoint).await.unwrap();
}

/// Has it take these back.
async fn take_back(world: &World, events: &[u32]) {
    world.raise(&id("a"), "cancel").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.cancelled_activities = events.iter().copied().map(EventId).collect();
    checkpoint.consumed.truncate(1);
    world.commit(&work.lease, checkpoint).await.unwrap();
}

async fn activity(world: &World) -> ActivityWork {
    ready(world.take_activity()).await.expect("an activity is ready").unwrap()
}

async fn no_activity(world: &World) {
    assert_eq!(ready(world.take_activity()).await, None, "no activity is ready");
}

async fn is_revoked(revoked: &mut BoxFuture<'static, ()>) -> bool {
    poll_once(revoked.as_mut()).await.is_some()
}

async fn check_lost(world: &World, lease: &Lease) {
    let lost = StoreError::LeaseLost { what: lease.what.clone() };
    assert_eq!(world.renew(lease).await, Err(lost.clone()));
    assert_eq!(world.abandon(lease, START).await, Err(lost.clone()));
    assert_eq!(world.complete_activity(lease, Ok(Json::null())).await, Err(lost));
}

async fn a_pending_activity_is_not_handed_out_any_more(mut world: World) {
    ask(&world, 0..4).await;
    take_back(&world, &[1, 2, 9]).await;
    for _ in 0..2 {
        assert_eq!(activity(&world).await.task.id, EventId(0));
        assert_eq!(activity(&world).await.task.id, EventId(3));
        no_activity(&world).await;
        world.reopen();
    }
}

async fn the_lease_of_a_running_activity_is_lost(mut world: World) {
    ask(&world, 0..2).await;
    let (first, second) = (activity(&world).await, activity(&world).await);
    let (mut taken, mut kept) = (world.revoked(&first.lease), world.revoked(&second.lease));
    let mut twice = world.revoked(&first.lease);
    assert!(!is_revoked(&mut taken).await && !is_revoked(&mut kept).await);
    take_back(&world, &[0]).await;
    assert!(is_revoked(&mut taken).await && is_revoked(&mut twice).await && !is_revoked(&mut kept).await);
    check_lost(&world, &first.lease).await;
    world.no_turn().await;
    world.clock.advance(LEASE);
    assert_eq!(activity(&world).await.task.id, EventId(1));
    no_activity(&world).await;
    world.reopen();
    assert_eq!(activity(&world).await.task.id, EventId(1));
    no_activity(&world).await;
}

async fn an_answer_that_was_not_consumed_is_dropped(mut world: World) {
    ask(&world, 0..1).await;
    world.raise(&id("a"), "cancel").await;
    let work = world.turn().await;
    let running = activity(&world).await;
    // Between the take of the turn and its commit.
    world.complete_activity(&running.lease, Ok(Json::null())).await.unwrap();
    let mut checkpoint = waiting(&work);
    checkpoint.cancelled_activities = vec![EventId(0)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    for _ in 0..2 {
        world.no_turn().await;
        no_activity(&world).await;
        world.reopen();
    }
}

async fn an_abandoned_activity_does_not_come_back(world: World) {
    ask(&world, 0..1).await;
    let work = activity(&world).await;
    world.abandon(&work.lease, START.saturating_add(LEASE)).await.unwrap();
    take_back(&world, &[0]).await;
    world.clock.advance(LEASE * 2);
    no_activity(&world).await;
}

async fn purging_and_replacing_revoke(mut world: World) {
    ask(&world, 0..2).await;
    let work = activity(&world).await;
    let mut revoked = world.revoked(&work.lease);
    assert_eq!(world.purge(&id("a"), Purge::Any).await, Ok(true));
    assert!(is_revoked(&mut revoked).await);
    check_lost(&world, &work.lease).await;
    no_activity(&world).await;
    ask(&world, 0..2).await;
    let work = activity(&world).await;
    let mut revoked = world.revoked(&work.lease);
    assert_eq!(world.create(new_execution("a", "b"), Reuse::ANY).await, Ok(Created::Yes));
    assert!(is_revoked(&mut revoked).await);
    check_lost(&world, &work.lease).await;
    for _ in 0..2 {
        no_activity(&world).await;
        assert_eq!(kinds(&world.turn().await), ["ExecutionStarted"]);
        world.reopen();
    }
}

async fn a_lease_that_runs_out_is_never_revoked(world: World) {
    ask(&world, 0..1).await;
    let stale = activity(&world).await;
    let mut revoked = world.revoked(&stale.lease);
    world.clock.advance(LEASE);
    let fresh = activity(&world).await;
    let mut of_fresh = world.revoked(&fresh.lease);
    assert!(!is_revoked(&mut revoked).await);
    take_back(&world, &[0]).await;
    assert!(is_revoked(&mut of_fresh).await);
    assert!(!is_revoked(&mut revoked).await, "its lease was lost before");
}

async fn a_lease_that_ends_well_is_not_revoked(world: World) {
    ask(&world, 0..2).await;
    let (completed, abandoned) = (activity(&world).await, activity(&world).await);
    let mut revoked = [world.revoked(&completed.lease), world.revoked(&abandoned.lease)];
    world.complete_activity(&completed.lease, Ok(Json::null())).await.unwrap();
    world.abandon(&abandoned.lease, START).await.unwrap();
    take_back(&world, &[1]).await;
    assert_eq!(world.purge(&id("a"), Purge::Any).await, Ok(true));
    for revoked in &mut revoked {
        assert!(!is_revoked(revoked).await);
    }
}

async fn a_lease_that_is_lost_already_is_revoked_at_once(world: World) {
    ask(&world, 0..1).await;
    let work = activity(&world).await;
    take_back(&world, &[0]).await;
    assert!(is_revoked(&mut world.revoked(&work.lease)).await);
}

async fn a_renewed_lease_is_revoked(world: World) {
    ask(&world, 0..1).await;
    let work = activity(&world).await;
    let mut before = world.revoked(&work.lease);
    world.clock.advance(LEASE / 2);
    let renewed = world.renew(&work.lease).await.unwrap();
    let mut after = world.revoked(&renewed);
    world.clock.advance(LEASE / 2);
    assert!(!is_revoked(&mut before).await && !is_revoked(&mut after).await);
    take_back(&world, &[0]).await;
    assert!(is_revoked(&mut before).await && is_revoked(&mut after).await, "it is one lease");
}

async fn the_lease_of_a_turn_is_revoked_when_the_instance_goes(world: World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    let mut revoked = world.revoked(&work.lease);
    // During the commit the lease is held, too.
    WorkStore::commit(&*world, &work.lease, waiting(&work)).await.unwrap();
    assert!(!is_revoked(&mut revoked).await);
    assert_eq!(world.purge(&a, Purge::Any).await, Ok(true));
    assert!(is_revoked(&mut revoked).await);
}
