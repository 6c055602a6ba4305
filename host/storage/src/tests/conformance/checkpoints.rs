//! Checkpoints: all or nothing, with everything they bring and take away.

use super::conformance;
use crate::tests::world::{
    LEASE, START, World, continuing, ending, execution, id, kinds, new, new_execution, raised, ready, task, timer,
    waiting,
};
use orchestration::{Envelope, EventId, Failure, Json, MessageKind, NewInstance, Parent, Reuse, RuntimeStatus};
use ports::{InstanceStore, StoreError, TurnWork, WorkStore};

conformance![
    nothing_of_a_refused_checkpoint_is_there,
    the_history_grows_by_turns,
    continuing_as_new_replaces_the_execution,
    a_child_is_created_with_its_parent_s_checkpoint,
    a_child_whose_id_is_at_work_is_answered,
    a_child_replaces_an_ended_instance,
    of_two_children_of_one_id_the_second_is_answered,
    a_parent_cannot_be_its_own_child,
    messages_reach_others_and_new_children,
    messages_to_nobody_are_dropped,
    a_checkpoint_that_only_consumes_is_legal,
    a_checkpoint_of_another_instance_is_refused,
    a_commit_that_nobody_waits_for_counts,
];

fn child(work: &TurnWork, name: &str, of: &str) -> NewInstance {
    let mut child = new_execution(name, of);
    child.started.parent = Some(Parent {
        instance: work.row.id.clone(),
        execution: work.row.execution,
        name: work.row.name.clone(),
        scheduled: EventId(0),
    });
    let failure = Failure::new(Failure::ALREADY_EXISTS, "taken");
    let kind = MessageKind::SubOrchestrationInstanceFailed { scheduled: EventId(0), failure };
    child.otherwise = Some(Envelope::new(work.row.id.clone(), None, kind));
    child
}

async fn with_children(world: &World, names: &[(&str, &str)]) {
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.children = names.iter().map(|(name, of)| child(&work, name, of)).collect();
    world.commit(&work.lease, checkpoint).await.unwrap();
}

async fn nothing_of_a_refused_checkpoint_is_there(mut world: World) {
    world.start("a").await;
    world.start("b").await;
    world.raise(&id("a"), "x").await;
    let stale = world.turn().await;
    world.clock.advance(LEASE);
    let fresh = world.turn().await;
    let mut checkpoint = ending(&stale, RuntimeStatus::Completed);
    checkpoint.activities = vec![task(&stale, 1)];
    checkpoint.timers = vec![timer(2, 1)];
    checkpoint.children = vec![child(&stale, "c", "c")];
    checkpoint.messages = vec![raised(&id("b"), "y")];
    assert!(matches!(world.commit(&stale.lease, checkpoint).await, Err(StoreError::LeaseLost { .. })));
    let row = world.read(&id("a"), false).await.unwrap().unwrap().row;
    assert_eq!(row, fresh.row);
    assert_eq!(world.history(&id("a"), execution("a")).await.unwrap().len(), 1);
    assert_eq!(world.read(&id("c"), false).await, Ok(None));
    for _ in 0..2 {
        assert_eq!(ready(world.take_activity()).await, None);
        world.clock.advance(LEASE);
        let again = world.turn().await;
        assert_eq!((again.row.id.clone(), kinds(&again)), (id("a"), vec!["x".to_owned()]));
        world.no_turn().await;
        world.reopen();
    }
}

async fn the_history_grows_by_turns(mut world: World) {
    let a = world.start("a").await;
    for turn in 1..300 {
        world.raise(&a, "x").await;
        let work = world.turn().await;
        assert_eq!(work.row.turns, turn);
        let mut checkpoint = waiting(&work);
        let record = checkpoint.record.as_mut().unwrap();
        record.events[0].at = START.saturating_add(std::time::Duration::from_secs(u64::from(turn)));
        world.commit(&work.lease, checkpoint).await.unwrap();
    }
    world.reopen();
    let history = world.history(&a, execution("a")).await.unwrap();
    assert_eq!(history.len(), 300);
    assert!(history.is_sorted_by_key(|event| event.at), "oldest first");
    assert_eq!(world.history(&a, execution("other")).await, Ok(Vec::new()));
}

async fn continuing_as_new_replaces_the_execution(mut world: World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    world.raise(&a, "y").await;
    let work = world.turn().await;
    let mut checkpoint = continuing(&work, "next");
    checkpoint.consumed.truncate(1);
    world.commit(&work.lease, checkpoint).await.unwrap();
    assert_eq!(world.history(&a, execution("a")).await, Ok(Vec::new()));
    for _ in 0..2 {
        let view = world.read(&a, true).await.unwrap().unwrap();
        assert_eq!((view.row.execution, view.input), (execution("next"), Some(Json::from("2"))));
        let work = world.turn().await;
        assert_eq!(kinds(&work), ["y", "ExecutionStarted"]);
        assert_eq!(work.messages[1].execution, Some(execution("next")));
        world.reopen();
    }
    let work = world.turn().await;
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    assert_eq!(world.history(&a, execution("next")).await.unwrap().len(), 1);
}

async fn a_child_is_created_with_its_parent_s_checkpoint(mut world: World) {
    world.start("a").await;
    with_children(&world, &[("c", "c")]).await;
    for _ in 0..2 {
        let work = world.turn().await;
        assert_eq!((work.row.id.clone(), kinds(&work)), (id("c"), vec!["ExecutionStarted".to_owned()]));
        let parent = work.row.parent.as_ref().unwrap();
        assert_eq!((&parent.instance, work.row.status), (&id("a"), RuntimeStatus::Pending));
        world.no_turn().await;
        world.reopen();
    }
}

async fn a_child_whose_id_is_at_work_is_answered(mut world: World) {
    world.start("a").await;
    world.start("c").await;
    with_children(&world, &[("c", "other")]).await;
    for _ in 0..2 {
        let work = world.turn().await;
        assert_eq!((work.row.id.clone(), kinds(&work)), (id("a"), vec!["SubOrchestrationInstanceFailed".to_owned()]));
        world.no_turn().await;
        assert_eq!(world.read(&id("c"), false).await.unwrap().unwrap().row.execution, execution("c"));
        world.reopen();
    }
}

async fn a_child_replaces_an_ended_instance(mut world: World) {
    world.start("a").await;
    let c = world.start("c").await;
    world.raise(&c, "stop").await;
    let work = world.turn().await;
    world.commit(&work.lease, ending(&work, RuntimeStatus::Failed)).await.unwrap();
    with_children(&world, &[("c", "again")]).await;
    for _ in 0..2 {
        let work = world.turn().await;
        assert_eq!((work.row.execution, kinds(&work)), (execution("again"), vec!["ExecutionStarted".to_owned()]));
        assert_eq!((work.row.status, work.row.completed_at), (RuntimeStatus::Pending, None));
        assert_eq!(world.history(&c, execution("c")).await, Ok(Vec::new()));
        world.reopen();
    }
}

async fn of_two_children_of_one_id_the_second_is_answered(world: World) {
    world.start("a").await;
    with_children(&world, &[("c", "first"), ("c", "second")]).await;
    let works = [world.turn().await, world.turn().await];
    world.no_turn().await;
    let of = |name| works.iter().find(|work| work.row.id == id(name)).unwrap();
    assert_eq!((of("c").row.execution, kinds(of("c"))), (execution("first"), vec!["ExecutionStarted".to_owned()]));
    assert_eq!(kinds(of("a")), ["SubOrchestrationInstanceFailed"]);
}

async fn a_parent_cannot_be_its_own_child(world: World) {
    world.start("a").await;
    with_children(&world, &[("a", "other")]).await;
    let work = world.turn().await;
    assert_eq!((work.row.execution, kinds(&work)), (execution("a"), vec!["SubOrchestrationInstanceFailed".to_owned()]));
}

async fn messages_reach_others_and_new_children(mut world: World) {
    world.start("a").await;
    world.start("b").await;
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.children = vec![child(&work, "c", "c")];
    checkpoint.messages = ["b", "c", "a", "b"].map(|to| raised(&id(to), to)).into();
    world.commit(&work.lease, checkpoint).await.unwrap();
    for _ in 0..2 {
        let mut works = [world.turn().await, world.turn().await, world.turn().await];
        works.sort_by(|one, other| one.row.id.cmp(&other.row.id));
        let messages: Vec<_> = works.iter().map(kinds).collect();
        assert_eq!(messages, [vec!["a"], vec!["b", "b"], vec!["ExecutionStarted", "c"]]);
        world.no_turn().await;
        world.reopen();
    }
}

async fn messages_to_nobody_are_dropped(mut world: World) {
    world.start("a").await;
    let b = world.start("b").await;
    world.raise(&b, "stop").await;
    let work = world.turn().await;
    world.commit(&work.lease, ending(&work, RuntimeStatus::Completed)).await.unwrap();
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.messages = vec![raised(&b, "late"), raised(&id("nobody"), "lost")];
    world.commit(&work.lease, checkpoint).await.unwrap();
    assert_eq!(world.create(new("nobody"), Reuse::NEVER).await, Ok(ports::Created::Yes));
    for _ in 0..2 {
        let work = world.turn().await;
        assert_eq!((work.row.id.clone(), kinds(&work)), (id("nobody"), vec!["ExecutionStarted".to_owned()]));
        world.no_turn().await;
        world.reopen();
    }
}

async fn a_checkpoint_that_only_consumes_is_legal(mut world: World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    (checkpoint.row, checkpoint.record) = (work.row.clone(), None);
    world.commit(&work.lease, checkpoint).await.unwrap();
    for _ in 0..2 {
        world.no_turn().await;
        assert_eq!(world.read(&a, false).await.unwrap().unwrap().row, work.row);
        world.reopen();
    }
}

async fn a_checkpoint_of_another_instance_is_refused(world: World) {
    world.create(new("a"), Reuse::NEVER).await.unwrap();
    world.create(new("b"), Reuse::NEVER).await.unwrap();
    let (a, b) = (world.turn().await, world.turn().await);
    assert!(matches!(world.commit(&a.lease, waiting(&b)).await, Err(StoreError::LeaseLost { .. })));
    world.commit(&b.lease, waiting(&b)).await.unwrap();
    world.commit(&a.lease, waiting(&a)).await.unwrap();
}

async fn a_commit_that_nobody_waits_for_counts(mut world: World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.messages = vec![raised(&a, "y")];
    let changed = world.changed(&a);
    // Polled once, which hands it to the store, and then dropped, as when a connection breaks.
    drop(ready(world.commit(&work.lease, checkpoint)).await);
    changed.await;
    // Nobody is left to release the instance.
    world.clock.advance(LEASE);
    assert_eq!(kinds(&world.turn().await), ["y"]);
    world.reopen();
    assert_eq!(kinds(&world.turn().await), ["y"]);
}
