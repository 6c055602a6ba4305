//! What is to be handed out later: durable at once, never early, once.

use super::conformance;
use crate::tests::world::{
    START, World, ending, execution, id, kinds, later, new, new_execution, poll_once, raised, waiting,
};
use orchestration::{Envelope, NewInstance, Reuse, RuntimeStatus, Timestamp};
use ports::{Created, InstanceStore, Purge, Sent, WorkStore};
use std::time::Duration;

conformance![
    a_message_is_never_early,
    a_message_is_handed_out_once,
    a_message_of_a_checkpoint_is_handed_out_when_due,
    a_message_whose_moment_has_come_keeps_its_place,
    messages_come_in_the_order_of_their_moments,
    a_message_at_the_end_of_time_never_comes,
    a_waiting_worker_wakes_for_the_message,
    a_later_message_does_not_wake_what_waits,
    a_scheduled_start_waits,
    a_scheduled_start_takes_messages_before,
    a_scheduled_start_of_a_child_waits,
    a_scheduled_start_ends_with_the_instance,
    delayed_messages_end_with_the_instance,
];

const COUNTER: &str = "@counter@1";

/// A start `seconds` after the tests begin.
fn starting(name: &str, of: &str, seconds: u64) -> NewInstance {
    let mut new = new_execution(name, of);
    new.started.options.start_at = Some(START.saturating_add(Duration::from_secs(seconds)));
    new
}

async fn send(world: &World, envelope: Envelope) {
    assert_eq!(world.send(envelope).await, Ok(Sent::Yes));
}

async fn a_message_is_never_early(mut world: World) {
    send(&world, later(&id(COUNTER), "x", 10)).await;
    for _ in 0..2 {
        world.no_turn().await;
        world.reopen();
    }
    world.clock.advance(Duration::from_nanos(9_999_999_900));
    world.no_turn().await;
    world.clock.advance(Duration::from_nanos(100));
    assert_eq!(kinds(&world.turn().await), ["x"]);
}

async fn a_message_is_handed_out_once(mut world: World) {
    send(&world, later(&id(COUNTER), "x", 10)).await;
    send(&world, raised(&id(COUNTER), "now")).await;
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["now"]);
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    // It is due while nobody has the store open.
    world.clock.advance(Duration::from_secs(10));
    world.reopen();
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["x"]);
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    for _ in 0..2 {
        world.no_turn().await;
        world.reopen();
    }
}

async fn a_message_of_a_checkpoint_is_handed_out_when_due(mut world: World) {
    let a = world.start("a").await;
    world.raise(&a, "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.messages = vec![later(&id(COUNTER), "x", 10), raised(&id(COUNTER), "now")];
    world.commit(&work.lease, checkpoint).await.unwrap();
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["now"]);
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    world.reopen();
    world.no_turn().await;
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(kinds(&world.turn().await), ["x"]);
}

async fn a_message_whose_moment_has_come_keeps_its_place(mut world: World) {
    world.clock.advance(Duration::from_secs(10));
    send(&world, later(&id(COUNTER), "past", 5)).await;
    send(&world, raised(&id(COUNTER), "x")).await;
    send(&world, later(&id(COUNTER), "now", 10)).await;
    for _ in 0..2 {
        assert_eq!(kinds(&world.turn().await), ["past", "x", "now"]);
        world.reopen();
    }
}

async fn messages_come_in_the_order_of_their_moments(mut world: World) {
    for (name, seconds) in [("c", 30), ("a", 10), ("b1", 20), ("b2", 20)] {
        send(&world, later(&id(COUNTER), name, seconds)).await;
    }
    world.clock.advance(Duration::from_secs(60));
    for _ in 0..2 {
        assert_eq!(kinds(&world.turn().await), ["a", "b1", "b2", "c"]);
        world.reopen();
    }
}

async fn a_message_at_the_end_of_time_never_comes(mut world: World) {
    let mut never = raised(&id(COUNTER), "x");
    never.deliver_at = Some(Timestamp::MAX);
    send(&world, never).await;
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(1_000_000_000));
        world.no_turn().await;
        let pending = world.pending(&id(COUNTER)).await.unwrap().unwrap();
        assert_eq!(pending.scheduled, [Timestamp::MAX]);
        world.reopen();
    }
}

async fn a_waiting_worker_wakes_for_the_message(world: World) {
    let mut worker = world.take_turn();
    assert_eq!(poll_once(worker.as_mut()).await, None);
    send(&world, later(&id(COUNTER), "x", 10)).await;
    assert_eq!(poll_once(worker.as_mut()).await, None);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(kinds(&poll_once(worker.as_mut()).await.expect("it is due").unwrap()), ["x"]);
}

async fn a_later_message_does_not_wake_what_waits(world: World) {
    send(&world, raised(&id(COUNTER), "left")).await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.consumed.clear();
    world.commit(&work.lease, checkpoint).await.unwrap();
    send(&world, later(&id(COUNTER), "x", 10)).await;
    world.no_turn().await;
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(kinds(&world.turn().await), ["left", "x"]);
}

async fn a_scheduled_start_waits(mut world: World) {
    assert_eq!(world.create(starting("a", "a", 10), Reuse::ENDED).await, Ok(Created::Yes));
    let again = world.create(new("a"), Reuse::ENDED).await;
    assert!(matches!(again, Ok(Created::Exists { .. })), "it is there");
    for _ in 0..2 {
        world.no_turn().await;
        let row = world.read(&id("a"), false).await.unwrap().unwrap().row;
        assert_eq!((row.status, row.created_at), (RuntimeStatus::Pending, START));
        assert_eq!(row.options.start_at, Some(START.saturating_add(Duration::from_secs(10))));
        world.reopen();
    }
    world.clock.advance(Duration::from_secs(10));
    for _ in 0..2 {
        assert_eq!(kinds(&world.turn().await), ["ExecutionStarted"]);
        world.reopen();
    }
}

async fn a_scheduled_start_takes_messages_before(mut world: World) {
    world.create(starting("a", "a", 10), Reuse::ENDED).await.unwrap();
    world.raise(&id("a"), "early").await;
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["early"]);
    let mut checkpoint = waiting(&work);
    checkpoint.row.status = RuntimeStatus::Pending;
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.reopen();
    world.no_turn().await;
    world.clock.advance(Duration::from_secs(10));
    let work = world.turn().await;
    assert_eq!((kinds(&work), work.row.turns), (vec!["ExecutionStarted".to_owned()], 1));
}

async fn a_scheduled_start_of_a_child_waits(mut world: World) {
    let a = world.start("a").await;
    world.raise(&a, "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.children = vec![starting("c", "c", 10)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    for _ in 0..2 {
        world.no_turn().await;
        assert_eq!(world.read(&id("c"), false).await.unwrap().unwrap().row.status, RuntimeStatus::Pending);
        world.reopen();
    }
    world.clock.advance(Duration::from_secs(10));
    let work = world.turn().await;
    assert_eq!((work.row.id.clone(), kinds(&work)), (id("c"), vec!["ExecutionStarted".to_owned()]));
}

async fn a_scheduled_start_ends_with_the_instance(mut world: World) {
    world.create(starting("a", "a", 10), Reuse::ENDED).await.unwrap();
    world.raise(&id("a"), "stop").await;
    let work = world.turn().await;
    world.commit(&work.lease, ending(&work, RuntimeStatus::Terminated)).await.unwrap();
    assert_eq!(world.create(starting("a", "b", 20), Reuse::ENDED).await, Ok(Created::Yes));
    world.clock.advance(Duration::from_secs(10));
    for _ in 0..2 {
        world.no_turn().await;
        world.reopen();
    }
    world.clock.advance(Duration::from_secs(10));
    let work = world.turn().await;
    assert_eq!((work.row.execution, kinds(&work)), (execution("b"), vec!["ExecutionStarted".to_owned()]));
    world.no_turn().await;
}

async fn delayed_messages_end_with_the_instance(mut world: World) {
    send(&world, later(&id(COUNTER), "x", 10)).await;
    assert_eq!(world.purge(&id(COUNTER), Purge::Any).await, Ok(true));
    send(&world, later(&id(COUNTER), "y", 20)).await;
    world.clock.advance(Duration::from_secs(20));
    for _ in 0..2 {
        assert_eq!(kinds(&world.turn().await), ["y"]);
        world.reopen();
    }
}
