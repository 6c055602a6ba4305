//! Timers: never early, once, and not after they were taken back.

use super::conformance;
use crate::tests::world::{World, continuing, ending, id, kinds, poll_once, timer, waiting};
use orchestration::{EventId, MessageKind, Origin, RuntimeStatus, Timer, Timestamp};
use ports::WorkStore;
use std::time::Duration;

conformance![
    a_timer_is_never_early,
    a_timer_fires_after_a_restart,
    a_timer_that_was_due_while_nobody_looked_fires,
    a_waiting_worker_wakes_for_the_timer,
    an_earlier_timer_is_heard,
    a_cancelled_timer_does_not_fire,
    a_cancelled_timer_that_was_due_does_not_fire,
    a_consumed_timer_does_not_fire_again,
    a_timer_at_the_end_of_time_never_fires,
    timers_end_with_the_instance,
    timers_end_with_the_execution,
    timers_fire_in_the_order_of_their_moments,
];

/// Has the instance `a`, started before, set timers.
async fn set(world: &World, timers: Vec<Timer>) {
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.timers = timers;
    world.commit(&work.lease, checkpoint).await.unwrap();
}

async fn cancel(world: &World, event: u32) {
    world.raise(&id("a"), "cancel").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.cancelled_timers = vec![EventId(event)];
    checkpoint.consumed.retain(|origin| matches!(origin, Origin::Inbox(_)));
    world.commit(&work.lease, checkpoint).await.unwrap();
}

async fn a_timer_is_never_early(world: World) {
    world.start("a").await;
    set(&world, vec![timer(3, 10)]).await;
    world.clock.advance(Duration::from_nanos(9_999_999_900));
    world.no_turn().await;
    world.clock.advance(Duration::from_nanos(100));
    let work = world.turn().await;
    let [message] = &work.messages[..] else { panic!("one message") };
    let execution = work.row.execution;
    assert_eq!((message.origin, message.execution), (Origin::Timer(execution, EventId(3)), Some(execution)));
    assert_eq!(message.kind, MessageKind::TimerFired { timer: EventId(3), fire_at: timer(3, 10).fire_at });
}

async fn a_timer_fires_after_a_restart(mut world: World) {
    world.start("a").await;
    set(&world, vec![timer(3, 10)]).await;
    world.clock.advance(Duration::from_secs(9));
    world.reopen();
    world.no_turn().await;
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(kinds(&world.turn().await), ["TimerFired"]);
    world.reopen();
    assert_eq!(kinds(&world.turn().await), ["TimerFired"]);
}

async fn a_timer_that_was_due_while_nobody_looked_fires(mut world: World) {
    world.start("a").await;
    set(&world, vec![timer(3, 10)]).await;
    world.clock.advance(Duration::from_secs(86_400));
    world.reopen();
    assert_eq!(kinds(&world.turn().await), ["TimerFired"]);
}

async fn a_waiting_worker_wakes_for_the_timer(world: World) {
    world.start("a").await;
    set(&world, vec![timer(3, 10)]).await;
    let mut worker = world.take_turn();
    assert_eq!(poll_once(worker.as_mut()).await, None);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(kinds(&poll_once(worker.as_mut()).await.unwrap().unwrap()), ["TimerFired"]);
}

async fn an_earlier_timer_is_heard(world: World) {
    world.start("a").await;
    set(&world, vec![timer(3, 100)]).await;
    let mut worker = world.take_turn();
    assert_eq!(poll_once(worker.as_mut()).await, None);
    // Another worker takes the turn that sets the earlier timer, while the first goes on waiting.
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.timers = vec![timer(4, 5)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    assert_eq!(poll_once(worker.as_mut()).await, None);
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(kinds(&poll_once(worker.as_mut()).await.unwrap().unwrap()), ["TimerFired"]);
}

async fn a_cancelled_timer_does_not_fire(mut world: World) {
    world.start("a").await;
    set(&world, vec![timer(3, 10), timer(4, 10)]).await;
    cancel(&world, 3).await;
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.turn().await.messages.len(), 1);
    world.reopen();
    let work = world.turn().await;
    assert_eq!(work.messages[0].origin, Origin::Timer(work.row.execution, EventId(4)));
}

async fn a_cancelled_timer_that_was_due_does_not_fire(mut world: World) {
    world.start("a").await;
    set(&world, vec![timer(3, 10)]).await;
    world.clock.advance(Duration::from_secs(20));
    cancel(&world, 3).await;
    world.no_turn().await;
    world.reopen();
    world.no_turn().await;
}

async fn a_consumed_timer_does_not_fire_again(mut world: World) {
    world.start("a").await;
    set(&world, vec![timer(3, 10)]).await;
    world.clock.advance(Duration::from_secs(10));
    let work = world.turn().await;
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    world.no_turn().await;
    world.reopen();
    world.no_turn().await;
}

async fn a_timer_at_the_end_of_time_never_fires(mut world: World) {
    world.start("a").await;
    set(&world, vec![Timer { id: EventId(3), fire_at: Timestamp::MAX }]).await;
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(u64::from(u32::MAX)));
        world.no_turn().await;
        world.reopen();
    }
    world.clock.advance(Duration::MAX);
    world.no_turn().await;
}

async fn timers_end_with_the_instance(mut world: World) {
    let a = world.start("a").await;
    set(&world, vec![timer(3, 10), timer(4, 20)]).await;
    world.clock.advance(Duration::from_secs(10));
    world.raise(&a, "stop").await;
    let work = world.turn().await;
    let mut checkpoint = ending(&work, RuntimeStatus::Terminated);
    checkpoint.consumed.retain(|origin| matches!(origin, Origin::Inbox(_)));
    checkpoint.cancelled_timers = vec![EventId(3), EventId(4)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(100));
        world.no_turn().await;
        world.reopen();
    }
}

async fn timers_end_with_the_execution(mut world: World) {
    let a = world.start("a").await;
    set(&world, vec![timer(3, 10), timer(4, 20)]).await;
    world.raise(&a, "again").await;
    let work = world.turn().await;
    let mut checkpoint = continuing(&work, "next");
    checkpoint.cancelled_timers = vec![EventId(3), EventId(4)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.timers = vec![timer(3, 30)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(12));
        world.no_turn().await;
        world.reopen();
    }
    world.clock.advance(Duration::from_secs(6));
    assert_eq!(world.turn().await.messages.len(), 1);
}

async fn timers_fire_in_the_order_of_their_moments(world: World) {
    world.start("a").await;
    set(&world, vec![timer(0, 30), timer(1, 10), timer(2, 20)]).await;
    world.clock.advance(Duration::from_secs(60));
    let work = world.turn().await;
    let execution = work.row.execution;
    let expected: Vec<Origin> = [1, 2, 0].map(|event| Origin::Timer(execution, EventId(event))).into();
    assert_eq!(crate::tests::world::origins(&work), expected);
}
