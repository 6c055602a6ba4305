//! Rewinds: another history in one step, and the ways to children that have ended or are gone.

use super::conformance;
use crate::tests::world::{
    START, World, continuing, ending, execution, id, kinds, new, new_execution, raised, waiting,
};
use orchestration::{
    Checkpoint, Envelope, Event, EventKind, InstanceId, Json, MessageKind, NewInstance, Reuse, RuntimeStatus,
    TurnRecord,
};
use ports::{Created, InstanceStore, Sent, StoreError, TurnWork};

conformance![
    a_rewind_replaces_the_history,
    a_rewind_under_a_lost_lease_changes_nothing,
    a_rewind_within_the_execution_shortens_the_history,
    an_ended_instance_takes_the_demand_to_be_rewound,
    an_ended_child_is_asked_to_rewind,
    a_child_at_work_is_asked_to_rewind,
    a_child_that_is_gone_is_created_again,
    a_child_is_told_through_another,
];

fn rewind(to: &InstanceId) -> Envelope {
    let kind = MessageKind::RewindRequested { reason: "again".to_owned(), parent: None, latest: false };
    Envelope::new(to.clone(), None, kind)
}

fn recorded(turn: u32, reason: &str) -> TurnRecord {
    let kind = EventKind::ExecutionRewound { reason: reason.to_owned() };
    TurnRecord { turn, events: vec![Event { at: START, kind }] }
}

fn reasons(history: &[Event]) -> Vec<&str> {
    let mut reasons = Vec::new();
    for event in history {
        let EventKind::ExecutionRewound { reason } = &event.kind else { panic!("{event:?}") };
        reasons.push(reason.as_str());
    }
    reasons
}

/// A failed instance with five turns.
async fn failed(world: &World, name: &str) {
    let a = world.start(name).await;
    for turn in 1..5 {
        world.raise(&a, "x").await;
        let work = world.turn().await;
        let checkpoint = if turn < 4 { waiting(&work) } else { ending(&work, RuntimeStatus::Failed) };
        world.commit(&work.lease, checkpoint).await.unwrap();
    }
}

/// The checkpoint that begins the execution `next` with two turns of history.
fn rewound(work: &TurnWork, next: &str) -> Checkpoint {
    let mut checkpoint = continuing(work, next);
    checkpoint.rewritten = Some(vec![recorded(0, "first"), recorded(1, "second")]);
    (checkpoint.row.turns, checkpoint.row.events, checkpoint.row.completed_at) = (2, 2, None);
    checkpoint.next_input = Some(Json::from("1"));
    let kind = MessageKind::ExecutionRewound { reason: "again".to_owned(), again: Vec::new() };
    checkpoint.messages = vec![Envelope::new(work.row.id.clone(), Some(checkpoint.row.execution), kind)];
    checkpoint
}

async fn a_rewind_replaces_the_history(mut world: World) {
    failed(&world, "a").await;
    let a = id("a");
    assert_eq!(world.history(&a, execution("a")).await.unwrap().len(), 5);
    assert_eq!(world.send(rewind(&a)).await, Ok(Sent::Yes));
    let work = world.turn().await;
    assert_eq!((kinds(&work), work.row.status), (vec!["RewindRequested".to_owned()], RuntimeStatus::Failed));
    world.commit(&work.lease, rewound(&work, "next")).await.unwrap();
    for _ in 0..2 {
        assert_eq!(world.history(&a, execution("a")).await, Ok(Vec::new()));
        let history = world.history(&a, execution("next")).await.unwrap();
        assert_eq!(reasons(&history), ["first", "second"]);
        let view = world.read(&a, true).await.unwrap().unwrap();
        assert_eq!((view.row.execution, view.row.status), (execution("next"), RuntimeStatus::Running));
        assert_eq!(view.input, Some(Json::from("1")));
        assert_eq!(kinds(&world.turn().await), ["ExecutionRewound"]);
        world.reopen();
    }
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.record = Some(recorded(2, "third"));
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.reopen();
    assert_eq!(reasons(&world.history(&a, execution("next")).await.unwrap()), ["first", "second", "third"]);
}

async fn a_rewind_under_a_lost_lease_changes_nothing(mut world: World) {
    failed(&world, "a").await;
    world.send(rewind(&id("a"))).await.unwrap();
    let stale = world.turn().await;
    world.clock.advance(crate::tests::world::LEASE);
    let refused = world.commit(&stale.lease, rewound(&stale, "next")).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost { .. })));
    for _ in 0..2 {
        assert_eq!(world.history(&id("a"), execution("a")).await.unwrap().len(), 5);
        assert_eq!(world.history(&id("a"), execution("next")).await, Ok(Vec::new()));
        assert_eq!(world.read(&id("a"), true).await.unwrap().unwrap().input, Some(Json::from("1")));
        assert_eq!(kinds(&world.turn().await), ["RewindRequested"]);
        world.reopen();
    }
}

async fn a_rewind_within_the_execution_shortens_the_history(mut world: World) {
    failed(&world, "a").await;
    world.send(rewind(&id("a"))).await.unwrap();
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    (checkpoint.record, checkpoint.row.turns, checkpoint.row.events) = (None, 1, 1);
    checkpoint.rewritten = Some(vec![recorded(0, "only")]);
    world.commit(&work.lease, checkpoint).await.unwrap();
    for _ in 0..2 {
        assert_eq!(reasons(&world.history(&id("a"), execution("a")).await.unwrap()), ["only"]);
        assert_eq!(world.read(&id("a"), true).await.unwrap().unwrap().input, Some(Json::from("1")));
        world.reopen();
    }
}

async fn an_ended_instance_takes_the_demand_to_be_rewound(world: World) {
    assert_eq!(world.send(rewind(&id("a"))).await, Ok(Sent::NoInstance));
    failed(&world, "a").await;
    assert_eq!(world.send(raised(&id("a"), "x")).await, Ok(Sent::Ended));
    world.no_turn().await;
    assert_eq!(world.send(rewind(&id("a"))).await, Ok(Sent::Yes));
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["RewindRequested"]);
    let consumes = Checkpoint::of_row(work.row.clone(), waiting(&work).consumed);
    world.commit(&work.lease, consumes).await.unwrap();
    world.no_turn().await;
}

/// Has `a` start the child `c` again, or send this if it is there.
async fn again(world: &World, otherwise: Envelope) {
    world.start("a").await;
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    let child = NewInstance { reuse: Reuse::NEVER, otherwise: Some(otherwise), ..new_execution("c", "new") };
    checkpoint.children = vec![child];
    world.commit(&work.lease, checkpoint).await.unwrap();
}

async fn an_ended_child_is_asked_to_rewind(mut world: World) {
    failed(&world, "c").await;
    again(&world, rewind(&id("c"))).await;
    for _ in 0..2 {
        let work = world.turn().await;
        assert_eq!((work.row.execution, kinds(&work)), (execution("c"), vec!["RewindRequested".to_owned()]));
        world.no_turn().await;
        world.reopen();
    }
}

async fn a_child_at_work_is_asked_to_rewind(world: World) {
    world.start("c").await;
    again(&world, rewind(&id("c"))).await;
    let work = world.turn().await;
    assert_eq!((work.row.execution, kinds(&work)), (execution("c"), vec!["RewindRequested".to_owned()]));
    world.no_turn().await;
}

async fn a_child_that_is_gone_is_created_again(world: World) {
    again(&world, rewind(&id("c"))).await;
    let work = world.turn().await;
    assert_eq!((work.row.execution, kinds(&work)), (execution("new"), vec!["ExecutionStarted".to_owned()]));
    world.no_turn().await;
}

async fn a_child_is_told_through_another(mut world: World) {
    world.start("c").await;
    assert_eq!(world.create(new("b"), Reuse::NEVER).await, Ok(Created::Yes));
    let work = world.turn().await;
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    again(&world, raised(&id("b"), "told")).await;
    for _ in 0..2 {
        let work = world.turn().await;
        assert_eq!((work.row.id.clone(), kinds(&work)), (id("b"), vec!["told".to_owned()]));
        world.no_turn().await;
        world.reopen();
    }
}
