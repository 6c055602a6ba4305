//! Turns: taken under leases, committed once, redelivered until then.

use super::conformance;
use crate::tests::world::{
    LEASE, START, World, ending, id, kinds, new, origins, poll_once, raised, ready, task, timer, waiting,
};
use orchestration::{Reuse, RuntimeStatus, Timestamp};
use ports::{InstanceStore, Sent, StoreError, WorkStore};
use std::time::Duration;

conformance![
    a_created_instance_is_handed_out,
    one_holder_at_a_time,
    a_committed_instance_is_held_until_it_is_released,
    a_committed_instance_that_is_not_released_is_handed_out_when_the_lease_is_over,
    an_expired_lease_is_refused_everywhere,
    what_was_not_consumed_waits_for_the_next_message,
    what_was_not_consumed_comes_at_once_when_there_is_more_to_do,
    what_arrives_during_a_turn_wakes_what_waits,
    a_message_to_itself_wakes_what_waits,
    a_timer_and_a_result_wake_what_waits,
    messages_keep_their_order,
    abandoned_work_waits_and_counts,
    renewing_keeps_the_work,
    a_waiting_worker_is_woken,
    what_was_durable_survives_a_restart,
    ended_and_absent_instances_take_no_messages,
];

async fn a_created_instance_is_handed_out(world: World) {
    world.no_turn().await;
    world.create(new("a"), Reuse::ENDED).await.unwrap();
    let work = world.turn().await;
    assert_eq!(
        (work.row.status, kinds(&work), work.failed_attempts),
        (RuntimeStatus::Pending, vec!["ExecutionStarted".to_owned()], 0)
    );
}

async fn one_holder_at_a_time(world: World) {
    world.create(new("a"), Reuse::ENDED).await.unwrap();
    let work = world.turn().await;
    world.raise(&id("a"), "x").await;
    world.no_turn().await;
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    assert_eq!(kinds(&world.turn().await), ["x"]);
}

async fn a_committed_instance_is_held_until_it_is_released(world: World) {
    world.create(new("a"), Reuse::ENDED).await.unwrap();
    let work = world.turn().await;
    WorkStore::commit(&*world, &work.lease, waiting(&work)).await.unwrap();
    world.raise(&id("a"), "x").await;
    world.no_turn().await;
    world.release(&work.lease).await.unwrap();
    let next = world.turn().await;
    assert_eq!((kinds(&next), next.row.turns, next.failed_attempts), (vec!["x".to_owned()], 1, 0));
    assert_eq!(world.release(&work.lease).await, Err(StoreError::LeaseLost { what: lost_what(&work) }));
}

async fn a_committed_instance_that_is_not_released_is_handed_out_when_the_lease_is_over(world: World) {
    world.create(new("a"), Reuse::ENDED).await.unwrap();
    let work = world.turn().await;
    WorkStore::commit(&*world, &work.lease, waiting(&work)).await.unwrap();
    world.raise(&id("a"), "x").await;
    world.clock.advance(LEASE);
    assert_eq!(kinds(&world.turn().await), ["x"]);
    assert_eq!(world.release(&work.lease).await, Err(StoreError::LeaseLost { what: lost_what(&work) }));
}

async fn an_expired_lease_is_refused_everywhere(world: World) {
    world.create(new("a"), Reuse::ENDED).await.unwrap();
    let stale = world.turn().await;
    world.clock.advance(LEASE);
    let fresh = world.turn().await;
    assert!(fresh.lease.epoch > stale.lease.epoch);
    assert_eq!((fresh.failed_attempts, kinds(&fresh)), (1, kinds(&stale)));
    let lost = StoreError::LeaseLost { what: stale.lease.what.clone() };
    assert_eq!(world.commit(&stale.lease, ending(&stale, RuntimeStatus::Failed)).await, Err(lost.clone()));
    assert_eq!(world.renew(&stale.lease).await, Err(lost.clone()));
    assert_eq!(world.abandon(&stale.lease, Timestamp::MAX).await, Err(lost.clone()));
    assert_eq!(world.complete_activity(&stale.lease, Ok("1".into())).await, Err(lost.clone()));
    assert_eq!(world.read(&id("a"), false).await.unwrap().unwrap().row.status, RuntimeStatus::Pending);
    world.commit(&fresh.lease, waiting(&fresh)).await.unwrap();
    assert_eq!(
        world.commit(&fresh.lease, waiting(&fresh)).await,
        Err(StoreError::LeaseLost { what: lost_what(&fresh) })
    );
    world.no_turn().await;
}

fn lost_what(work: &ports::TurnWork) -> String {
    work.lease.what.clone()
}

/// Takes the turn of `a` with the messages x, y and z, and consumes y.
async fn consume_the_second_of_three(world: &World, more: bool) {
    let a = world.start("a").await;
    for name in ["x", "y", "z"] {
        world.raise(&a, name).await;
    }
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.consumed = vec![origins(&work)[1]];
    checkpoint.more = more;
    world.commit(&work.lease, checkpoint).await.unwrap();
}

async fn what_was_not_consumed_waits_for_the_next_message(mut world: World) {
    consume_the_second_of_three(&world, false).await;
    world.no_turn().await;
    world.clock.advance(LEASE * 2);
    world.no_turn().await;
    world.raise(&id("a"), "next").await;
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["x", "z", "next"]);
    // Given back, it is handed out again: nothing has been committed.
    world.abandon(&work.lease, START).await.unwrap();
    let work = world.turn().await;
    assert_eq!((kinds(&work), work.failed_attempts), (vec!["x".to_owned(), "z".to_owned(), "next".to_owned()], 1));
    let mut checkpoint = waiting(&work);
    checkpoint.consumed.remove(0);
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.no_turn().await;
    // Whoever opens the store cannot know what was looked at before.
    for _ in 0..2 {
        world.reopen();
        assert_eq!(kinds(&world.turn().await), ["x"]);
    }
}

async fn what_was_not_consumed_comes_at_once_when_there_is_more_to_do(world: World) {
    consume_the_second_of_three(&world, true).await;
    let work = world.turn().await;
    assert_eq!((kinds(&work), work.failed_attempts), (vec!["x".to_owned(), "z".to_owned()], 0));
    let mut checkpoint = waiting(&work);
    checkpoint.more = true;
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.no_turn().await;
}

async fn what_arrives_during_a_turn_wakes_what_waits(world: World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    world.raise(&a, "during").await;
    let mut checkpoint = waiting(&work);
    checkpoint.consumed.clear();
    world.commit(&work.lease, checkpoint).await.unwrap();
    assert_eq!(kinds(&world.turn().await), ["x", "during"]);
}

async fn a_message_to_itself_wakes_what_waits(world: World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.consumed.clear();
    checkpoint.messages = vec![raised(&a, "own")];
    world.commit(&work.lease, checkpoint).await.unwrap();
    assert_eq!(kinds(&world.turn().await), ["x", "own"]);
}

async fn a_timer_and_a_result_wake_what_waits(world: World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.consumed.clear();
    (checkpoint.timers, checkpoint.activities) = (vec![timer(1, 10)], vec![task(&work, 2)]);
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.no_turn().await;
    let activity = world.take_activity().await.unwrap();
    world.complete_activity(&activity.lease, Ok("1".into())).await.unwrap();
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["x", "TaskCompleted"]);
    let mut checkpoint = waiting(&work);
    checkpoint.consumed.remove(0);
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(kinds(&world.turn().await), ["x", "TimerFired"]);
}

async fn messages_keep_their_order(mut world: World) {
    let a = world.start("a").await;
    let names: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    for name in &names {
        world.raise(&a, name).await;
    }
    world.reopen();
    assert_eq!(kinds(&world.turn().await), names);
}

async fn abandoned_work_waits_and_counts(world: World) {
    world.create(new("a"), Reuse::ENDED).await.unwrap();
    let work = world.turn().await;
    let later = START.saturating_add(Duration::from_secs(5));
    world.abandon(&work.lease, later).await.unwrap();
    world.raise(&id("a"), "x").await;
    world.clock.advance(Duration::from_nanos(4_999_999_900));
    world.no_turn().await;
    world.clock.advance(Duration::from_nanos(100));
    let again = world.turn().await;
    assert_eq!((again.failed_attempts, kinds(&again)), (1, vec!["ExecutionStarted".to_owned(), "x".to_owned()]));
    assert!(again.lease.epoch > work.lease.epoch);
    world.commit(&again.lease, waiting(&again)).await.unwrap();
    world.raise(&id("a"), "y").await;
    assert_eq!(world.turn().await.failed_attempts, 0);
}

async fn renewing_keeps_the_work(world: World) {
    world.create(new("a"), Reuse::ENDED).await.unwrap();
    let work = world.turn().await;
    let mut lease = work.lease.clone();
    for _ in 0..5 {
        world.clock.advance(LEASE / 2);
        lease = world.renew(&lease).await.unwrap();
        world.no_turn().await;
    }
    world.commit(&lease, waiting(&work)).await.unwrap();
}

async fn a_waiting_worker_is_woken(world: World) {
    let mut worker = world.take_turn();
    assert_eq!(poll_once(worker.as_mut()).await, None);
    world.create(new("a"), Reuse::ENDED).await.unwrap();
    assert!(poll_once(worker.as_mut()).await.is_some());
    drop(worker);
    let mut worker = world.take_turn();
    assert_eq!(poll_once(worker.as_mut()).await, None);
    world.clock.advance(LEASE);
    assert!(poll_once(worker.as_mut()).await.is_some(), "the expired lease wakes the waiting worker");
}

async fn what_was_durable_survives_a_restart(mut world: World) {
    world.create(new("a"), Reuse::ENDED).await.unwrap();
    let before = world.turn().await;
    world.reopen();
    let work = world.turn().await;
    assert_eq!((&work.row, &work.messages), (&before.row, &before.messages));
    assert!(matches!(world.commit(&before.lease, waiting(&before)).await, Err(StoreError::LeaseLost { .. })));
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    world.reopen();
    world.no_turn().await;
    let row = world.read(&id("a"), false).await.unwrap().unwrap().row;
    assert_eq!((row.status, row.turns), (RuntimeStatus::Running, 1));
}

async fn ended_and_absent_instances_take_no_messages(world: World) {
    assert_eq!(world.send(raised(&id("a"), "x")).await, Ok(Sent::NoInstance));
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    world.commit(&work.lease, ending(&work, RuntimeStatus::Completed)).await.unwrap();
    assert_eq!(world.send(raised(&a, "y")).await, Ok(Sent::Ended));
    assert_eq!(ready(world.take_turn()).await, None);
}
