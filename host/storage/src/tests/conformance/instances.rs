//! Instances as clients see them: created once, watched, read and removed.

use super::conformance;
use crate::tests::world::{
    START, World, ending, execution, id, kinds, new, new_execution, poll_once, ready, task, timer, waiting,
};
use futures::future::join_all;
use orchestration::{Json, Reuse, RuntimeStatus};
use ports::{Created, InstanceStore, Purge, StoreError, WorkStore};
use std::time::Duration;

conformance![
    a_new_instance_can_be_read,
    of_racing_creations_one_wins,
    reuse_is_as_asked,
    replacing_leaves_no_trace_of_the_old,
    replacing_shuts_out_whoever_works_on_the_old,
    purging_leaves_no_trace,
    purging_asks_whether_it_has_ended,
    purging_shuts_out_the_worker,
    changed_completes_at_the_next_commit,
    changed_can_be_given_up,
    ids_of_any_bytes_are_kept_apart,
    messages_race_with_removal,
];

async fn a_new_instance_can_be_read(mut world: World) {
    assert_eq!(world.read(&id("a"), true).await, Ok(None));
    assert_eq!(world.create(new("a"), Reuse::ENDED).await, Ok(Created::Yes));
    for _ in 0..2 {
        let view = world.read(&id("a"), true).await.unwrap().unwrap();
        assert_eq!(view.input, Some(Json::from("1")));
        let row = view.row;
        assert_eq!((row.execution, row.name.as_str(), row.status), (execution("a"), "Hello", RuntimeStatus::Pending));
        assert_eq!((row.created_at, row.updated_at, row.turns, row.events), (START, START, 0, 0));
        assert_eq!(world.read(&id("a"), false).await.unwrap().unwrap().input, None);
        world.reopen();
    }
}

/// The status of the instance that stands in the way; none of those if nothing does.
fn stands(created: &Result<Created, StoreError>) -> RuntimeStatus {
    match created {
        Ok(Created::Exists { row }) => row.status,
        Ok(Created::Yes) | Err(_) => RuntimeStatus::Canceled,
    }
}

async fn of_racing_creations_one_wins(mut world: World) {
    for round in 0..20 {
        let name = format!("r{round}");
        let contenders = (0..8).map(|n| world.create(new_execution(&name, &format!("{n}")), Reuse::ENDED));
        let results = join_all(contenders).await;
        let won: Vec<_> = (0..8).filter(|n| results[*n] == Ok(Created::Yes)).collect();
        let exists = results.iter().filter(|result| stands(result) == RuntimeStatus::Pending);
        assert_eq!((won.len(), exists.count()), (1, 7));
        let work = world.turn().await;
        assert_eq!(work.row.execution, execution(&won[0].to_string()));
        assert_eq!(kinds(&work), ["ExecutionStarted"]);
    }
    world.reopen();
    for _ in 0..20 {
        assert_eq!(kinds(&world.turn().await), ["ExecutionStarted"]);
    }
    world.no_turn().await;
}

async fn reuse_is_as_asked(world: World) {
    let a = world.start("a").await;
    let row = world.read(&a, false).await.unwrap().unwrap().row;
    assert_eq!(row.status, RuntimeStatus::Running);
    let only_failed = Reuse::of([RuntimeStatus::Failed, RuntimeStatus::Pending]);
    for reuse in [Reuse::ENDED, Reuse::NEVER, only_failed] {
        assert_eq!(world.create(new("a"), reuse).await, Ok(Created::Exists { row: Box::new(row.clone()) }));
    }
    world.no_turn().await;
    world.raise(&a, "stop").await;
    let work = world.turn().await;
    world.commit(&work.lease, ending(&work, RuntimeStatus::Completed)).await.unwrap();
    assert_eq!(stands(&world.create(new("a"), Reuse::NEVER).await), RuntimeStatus::Completed);
    assert_eq!(stands(&world.create(new("a"), only_failed).await), RuntimeStatus::Completed);
    assert_eq!(world.create(new_execution("a", "b"), Reuse::ENDED).await, Ok(Created::Yes));
    assert_eq!(world.turn().await.row.execution, execution("b"));
}

/// An ended instance with a history, a message, an activity and a timer.
async fn ended_with_everything(world: &World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    let mut checkpoint = ending(&work, RuntimeStatus::Failed);
    checkpoint.activities = vec![task(&work, 1), task(&work, 2)];
    checkpoint.timers = vec![timer(3, 10)];
    checkpoint.consumed.clear();
    checkpoint.more = true;
    world.commit(&work.lease, checkpoint).await.unwrap();
}

async fn replacing_leaves_no_trace_of_the_old(mut world: World) {
    ended_with_everything(&world).await;
    assert_eq!(world.create(new_execution("a", "b"), Reuse::ENDED).await, Ok(Created::Yes));
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(100));
        let work = world.turn().await;
        assert_eq!((work.row.execution, kinds(&work)), (execution("b"), vec!["ExecutionStarted".to_owned()]));
        assert_eq!(ready(world.take_activity()).await, None);
        assert_eq!(world.history(&id("a"), execution("a")).await, Ok(Vec::new()));
        world.reopen();
    }
}

async fn replacing_shuts_out_whoever_works_on_the_old(world: World) {
    ended_with_everything(&world).await;
    let turn = world.turn().await;
    let activity = world.take_activity().await.unwrap();
    assert_eq!(world.create(new_execution("a", "b"), Reuse::ENDED).await, Ok(Created::Yes));
    assert!(matches!(world.commit(&turn.lease, waiting(&turn)).await, Err(StoreError::LeaseLost { .. })));
    let lost = StoreError::LeaseLost { what: activity.lease.what.clone() };
    assert_eq!(world.complete_activity(&activity.lease, Ok(Json::null())).await, Err(lost));
    assert_eq!(kinds(&world.turn().await), ["ExecutionStarted"]);
}

async fn purging_leaves_no_trace(mut world: World) {
    world.start("ab").await;
    ended_with_everything(&world).await;
    assert_eq!(world.purge(&id("a"), Purge::Ended).await, Ok(true));
    assert_eq!(world.purge(&id("a"), Purge::Any).await, Ok(false));
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(100));
        assert_eq!(world.read(&id("a"), true).await, Ok(None));
        assert_eq!(world.history(&id("a"), execution("a")).await, Ok(Vec::new()));
        assert_eq!(ready(world.take_activity()).await, None);
        world.no_turn().await;
        let listed = world.query(&ports::InstanceQuery::default()).await.unwrap().instances;
        assert_eq!(listed.len(), 1, "the one whose id begins alike stays");
        world.reopen();
    }
}

async fn purging_asks_whether_it_has_ended(world: World) {
    let a = world.start("a").await;
    assert_eq!(world.purge(&id("nobody"), Purge::Any).await, Ok(false));
    assert_eq!(world.purge(&a, Purge::Ended).await, Ok(false));
    assert!(world.read(&a, false).await.unwrap().is_some());
    assert_eq!(world.purge(&a, Purge::Any).await, Ok(true));
    assert_eq!(world.read(&a, false).await, Ok(None));
}

async fn purging_shuts_out_the_worker(world: World) {
    world.create(new("a"), Reuse::ENDED).await.unwrap();
    let work = world.turn().await;
    assert_eq!(world.purge(&id("a"), Purge::Any).await, Ok(true));
    let lost = StoreError::LeaseLost { what: work.lease.what.clone() };
    assert_eq!(world.commit(&work.lease, waiting(&work)).await, Err(lost.clone()));
    assert_eq!(world.renew(&work.lease).await, Err(lost));
    assert_eq!(world.read(&id("a"), false).await, Ok(None));
}

async fn changed_completes_at_the_next_commit(world: World) {
    let a = world.start("a").await;
    let (mut first, mut second, mut other) = (world.changed(&a), world.changed(&a), world.changed(&id("b")));
    world.raise(&a, "x").await;
    assert_eq!(poll_once(first.as_mut()).await, None, "a message is not a commit");
    let work = world.turn().await;
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    // The commit came before the first poll of this one: registered is registered.
    assert_eq!(poll_once(second.as_mut()).await, Some(()));
    assert_eq!(poll_once(first.as_mut()).await, Some(()));
    assert_eq!(poll_once(other.as_mut()).await, None);
    assert_eq!(poll_once(world.changed(&a).as_mut()).await, None, "only commits after the call count");
    world.create(new("b"), Reuse::ENDED).await.unwrap();
    assert_eq!(poll_once(other.as_mut()).await, Some(()));
    let mut purged = world.changed(&a);
    assert_eq!(world.purge(&a, Purge::Any).await, Ok(true));
    assert_eq!(poll_once(purged.as_mut()).await, Some(()));
}

async fn changed_can_be_given_up(world: World) {
    let a = world.start("a").await;
    let kept = world.changed(&a);
    for _ in 0..100 {
        let mut given_up = world.changed(&a);
        assert_eq!(poll_once(given_up.as_mut()).await, None);
    }
    world.raise(&a, "x").await;
    let work = world.turn().await;
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    kept.await;
}

async fn ids_of_any_bytes_are_kept_apart(mut world: World) {
    let names = ["\0", "a", "a\0", "a\0\0", "a\0b", "a\u{1}", "ab", "ä", "\u{10ffff}", "@entity@key"];
    for name in names {
        world.create(new(name), Reuse::NEVER).await.unwrap();
    }
    assert_eq!(world.purge(&id("a"), Purge::Any).await, Ok(true));
    assert_eq!(world.purge(&id("a\0"), Purge::Any).await, Ok(true));
    world.reopen();
    let mut left: Vec<_> = names.into_iter().filter(|name| !["a", "a\0"].contains(name)).collect();
    left.sort_unstable();
    let both = ports::InstanceQuery { kind: ports::InstanceKind::Any, ..ports::InstanceQuery::default() };
    let page = world.query(&both).await.unwrap();
    let listed: Vec<_> = page.instances.iter().map(|view| view.row.id.as_str()).collect();
    assert_eq!(listed, left);
    for _ in &left {
        let work = world.turn().await;
        world.commit(&work.lease, waiting(&work)).await.unwrap();
    }
    world.no_turn().await;
}

async fn messages_race_with_removal(mut world: World) {
    for round in 0..20 {
        let name = format!("m{round}");
        let a = world.start(&name).await;
        let sends = join_all((0..8).map(|_| world.send(crate::tests::world::raised(&a, "x"))));
        let removal = async {
            assert_eq!(world.purge(&a, Purge::Any).await, Ok(true));
            world.create(new_execution(&name, "again"), Reuse::NEVER).await
        };
        let (sent, created) = futures::future::join(sends, removal).await;
        assert_eq!(created, Ok(Created::Yes));
        assert!(sent.iter().all(Result::is_ok));
        let work = world.turn().await;
        let kinds = kinds(&work);
        assert_eq!(kinds[0], "ExecutionStarted", "nothing that was sent to the removed instance reaches the new one");
        assert!(kinds[1..].iter().all(|kind| kind == "x"));
        world.commit(&work.lease, waiting(&work)).await.unwrap();
    }
    world.reopen();
    world.no_turn().await;
}
