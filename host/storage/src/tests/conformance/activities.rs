//! Activities: at least once, until the checkpoint that consumes the result is durable.

use super::conformance;
use crate::tests::world::{LEASE, START, World, continuing, execution, id, kinds, new_execution, ready, task, waiting};
use orchestration::{EventId, Failure, Json, MessageKind, Origin, Reuse, RuntimeStatus};
use ports::{ActivityWork, InstanceStore, Purge, StoreError, WorkStore};
use std::time::Duration;

conformance![
    an_activity_is_handed_out_after_the_commit,
    a_result_becomes_a_message,
    a_failure_becomes_a_message,
    a_result_that_was_not_consumed_is_lost_with_the_process_and_the_activity_runs_again,
    a_consumed_result_never_runs_again,
    an_expired_activity_is_handed_out_again,
    a_renewed_activity_is_not,
    an_abandoned_activity_waits,
    many_activities_are_handed_out_in_order,
    large_arguments_are_not_all_kept_in_memory,
    a_result_for_a_purged_instance_goes_nowhere,
    an_activity_of_the_execution_before_still_runs,
    a_result_for_an_ended_instance_is_handed_out,
];

/// Has the instance `a` ask for activities with these numbers.
async fn ask(world: &World, events: std::ops::Range<u32>) {
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.activities = events.map(|event| task(&work, event)).collect();
    world.commit(&work.lease, checkpoint).await.unwrap();
}

async fn activity(world: &World) -> ActivityWork {
    ready(world.take_activity()).await.expect("an activity is ready").unwrap()
}

async fn no_activity(world: &World) {
    assert_eq!(ready(world.take_activity()).await, None, "no activity is ready");
}

async fn an_activity_is_handed_out_after_the_commit(mut world: World) {
    world.start("a").await;
    no_activity(&world).await;
    ask(&world, 7..8).await;
    let work = activity(&world).await;
    assert_eq!((work.task.id, work.task.name.as_str(), work.task.attempt), (EventId(7), "Greet", 1));
    no_activity(&world).await;
    world.reopen();
    assert_eq!(activity(&world).await.task, work.task);
}

async fn a_result_becomes_a_message(world: World) {
    world.start("a").await;
    ask(&world, 0..1).await;
    let work = activity(&world).await;
    world.no_turn().await;
    world.complete_activity(&work.lease, Ok(Json::from("42"))).await.unwrap();
    let turn = world.turn().await;
    let [message] = &turn.messages[..] else { panic!("one message") };
    assert_eq!(message.origin, Origin::Activity(execution("a"), EventId(0)));
    assert_eq!(message.execution, Some(execution("a")));
    assert_eq!(message.kind, MessageKind::TaskCompleted { scheduled: EventId(0), result: Json::from("42") });
    let lost = StoreError::LeaseLost { what: work.lease.what.clone() };
    assert_eq!(world.complete_activity(&work.lease, Ok(Json::from("43"))).await, Err(lost));
}

async fn a_failure_becomes_a_message(world: World) {
    world.start("a").await;
    ask(&world, 0..1).await;
    let work = activity(&world).await;
    let failure = Failure::new("Oops", "it broke").non_retriable();
    world.complete_activity(&work.lease, Err(failure.clone())).await.unwrap();
    assert_eq!(world.turn().await.messages[0].kind, MessageKind::TaskFailed { scheduled: EventId(0), failure });
}

async fn a_result_that_was_not_consumed_is_lost_with_the_process_and_the_activity_runs_again(mut world: World) {
    world.start("a").await;
    ask(&world, 0..1).await;
    let work = activity(&world).await;
    world.complete_activity(&work.lease, Ok(Json::null())).await.unwrap();
    world.turn().await;
    world.reopen();
    world.no_turn().await;
    assert_eq!(activity(&world).await.task, work.task);
}

async fn a_consumed_result_never_runs_again(mut world: World) {
    world.start("a").await;
    ask(&world, 0..1).await;
    let work = activity(&world).await;
    world.complete_activity(&work.lease, Ok(Json::null())).await.unwrap();
    let turn = world.turn().await;
    world.commit(&turn.lease, waiting(&turn)).await.unwrap();
    for _ in 0..2 {
        world.no_turn().await;
        no_activity(&world).await;
        world.reopen();
    }
}

async fn an_expired_activity_is_handed_out_again(world: World) {
    world.start("a").await;
    ask(&world, 0..1).await;
    let stale = activity(&world).await;
    world.clock.advance(LEASE);
    let fresh = activity(&world).await;
    assert!(fresh.lease.epoch > stale.lease.epoch);
    assert_eq!(fresh.task, stale.task);
    let lost = StoreError::LeaseLost { what: stale.lease.what.clone() };
    assert_eq!(world.complete_activity(&stale.lease, Ok(Json::null())).await, Err(lost.clone()));
    assert_eq!(world.renew(&stale.lease).await, Err(lost));
    world.no_turn().await;
    world.complete_activity(&fresh.lease, Ok(Json::null())).await.unwrap();
    assert_eq!(kinds(&world.turn().await), ["TaskCompleted"]);
}

async fn a_renewed_activity_is_not(world: World) {
    world.start("a").await;
    ask(&world, 0..1).await;
    let mut lease = activity(&world).await.lease;
    for _ in 0..4 {
        world.clock.advance(LEASE / 2);
        lease = world.renew(&lease).await.unwrap();
        no_activity(&world).await;
    }
    world.complete_activity(&lease, Ok(Json::null())).await.unwrap();
}

async fn an_abandoned_activity_waits(world: World) {
    world.start("a").await;
    ask(&world, 0..1).await;
    let work = activity(&world).await;
    world.abandon(&work.lease, START.saturating_add(Duration::from_secs(3))).await.unwrap();
    world.clock.advance(Duration::from_millis(2_999));
    no_activity(&world).await;
    world.clock.advance(Duration::from_millis(1));
    assert!(activity(&world).await.lease.epoch > work.lease.epoch);
}

async fn many_activities_are_handed_out_in_order(mut world: World) {
    world.start("a").await;
    ask(&world, 0..500).await;
    for event in 0..250 {
        let work = activity(&world).await;
        assert_eq!(work.task.id, EventId(event));
        world.complete_activity(&work.lease, Ok(Json::null())).await.unwrap();
    }
    let turn = world.turn().await;
    assert_eq!(turn.messages.len(), 250);
    world.commit(&turn.lease, waiting(&turn)).await.unwrap();
    world.reopen();
    for event in 250..500 {
        assert_eq!(activity(&world).await.task.id, EventId(event));
    }
    no_activity(&world).await;
}

async fn large_arguments_are_not_all_kept_in_memory(world: World) {
    world.start("a").await;
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    // More than the store keeps at hand: the last ones are read again when they are taken.
    checkpoint.activities = (0..40)
        .map(|event| {
            let mut task = task(&work, event);
            task.input = Json::from(event.to_string().repeat(1024 * 1024));
            task
        })
        .collect();
    let asked = checkpoint.activities.clone();
    world.commit(&work.lease, checkpoint).await.unwrap();
    for asked in asked {
        let work = activity(&world).await;
        assert!(work.task == asked, "activity {} is handed out as it was asked for", asked.id);
        world.complete_activity(&work.lease, Ok(Json::null())).await.unwrap();
    }
    no_activity(&world).await;
}

async fn a_result_for_a_purged_instance_goes_nowhere(mut world: World) {
    world.start("a").await;
    ask(&world, 0..1).await;
    let work = activity(&world).await;
    assert_eq!(world.purge(&id("a"), Purge::Any).await, Ok(true));
    assert_eq!(world.create(new_execution("a", "b"), Reuse::ENDED).await, Ok(ports::Created::Yes));
    let lost = StoreError::LeaseLost { what: work.lease.what.clone() };
    assert_eq!(world.complete_activity(&work.lease, Ok(Json::null())).await, Err(lost));
    assert_eq!(kinds(&world.turn().await), ["ExecutionStarted"]);
    world.reopen();
    no_activity(&world).await;
}

/// It was asked for, so it runs; its result is handed out like any other, for the core to ignore.
async fn an_activity_of_the_execution_before_still_runs(mut world: World) {
    let a = world.start("a").await;
    ask(&world, 0..2).await;
    world.raise(&a, "x").await;
    let turn = world.turn().await;
    world.commit(&turn.lease, continuing(&turn, "next")).await.unwrap();
    let begun = world.turn().await;
    world.commit(&begun.lease, waiting(&begun)).await.unwrap();
    world.reopen();
    for event in [EventId(0), EventId(1)] {
        let work = activity(&world).await;
        assert_eq!((work.task.execution, work.task.id), (execution("a"), event));
        world.complete_activity(&work.lease, Ok(Json::null())).await.unwrap();
        let turn = world.turn().await;
        assert_eq!(turn.messages[0].execution, Some(execution("a")));
        world.commit(&turn.lease, waiting(&turn)).await.unwrap();
    }
    world.reopen();
    no_activity(&world).await;
    world.no_turn().await;
}

async fn a_result_for_an_ended_instance_is_handed_out(mut world: World) {
    let a = world.start("a").await;
    ask(&world, 0..1).await;
    world.raise(&a, "x").await;
    let turn = world.turn().await;
    world.commit(&turn.lease, crate::tests::world::ending(&turn, RuntimeStatus::Completed)).await.unwrap();
    let work = activity(&world).await;
    world.complete_activity(&work.lease, Ok(Json::null())).await.unwrap();
    let turn = world.turn().await;
    assert_eq!((turn.row.status, kinds(&turn)), (RuntimeStatus::Completed, vec!["TaskCompleted".to_owned()]));
    let mut only_consumes = waiting(&turn);
    (only_consumes.row, only_consumes.record) = (turn.row.clone(), None);
    world.commit(&turn.lease, only_consumes).await.unwrap();
    world.reopen();
    no_activity(&world).await;
    world.no_turn().await;
}
