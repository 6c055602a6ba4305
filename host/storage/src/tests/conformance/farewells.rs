//! Instances that are removed or replaced while they are at work: whoever depends on them hears of it in the same commit.

use super::conformance;
use crate::tests::world::{World, ending, execution, id, kinds, new, new_execution, raised, waiting};
use futures::future::join;
use orchestration::{Checkpoint, CriticalSection, EntityId, EventId, NewInstance, Parent, Reuse, RuntimeStatus};
use ports::{Created, InstanceStore, Purge, Sent, StoreError, TurnWork};

conformance![
    replacing_one_at_work_says_farewell,
    replacing_an_ended_one_says_nothing,
    purging_one_at_work_says_farewell,
    a_child_that_replaces_one_at_work_says_its_farewell,
    a_farewell_to_a_parent_that_is_gone_is_dropped,
    those_who_say_farewell_to_each_other_both_go,
    removals_race_with_the_work_of_those_who_hear_of_them,
];

/// The instance `name`, at work as the child of `parent`, in a critical section over the entity `@lock@1`.
async fn child(world: &World, name: &str, parent: &str) {
    let mut new = new_execution(name, name);
    new.started.parent = Some(Parent {
        instance: id(parent),
        execution: execution(parent),
        name: "Hello".to_owned(),
        scheduled: EventId(7),
    });
    assert_eq!(world.create(new, Reuse::NEVER).await, Ok(Created::Yes));
    let work = world.turn().await;
    assert_eq!(work.row.id, id(name));
    let mut checkpoint = waiting(&work);
    let entities = vec![EntityId::parse("lock", "1").unwrap()];
    checkpoint.row.critical_section = Some(CriticalSection { scheduled: EventId(1), entities });
    world.commit(&work.lease, checkpoint).await.unwrap();
}

/// All turns there are, by instance and messages.
async fn turns(world: &World) -> Vec<(String, Vec<String>)> {
    let mut turns: Vec<_> = Vec::new();
    while let Some(work) = crate::tests::world::ready(ports::WorkStore::take_turn(&**world)).await {
        let work: TurnWork = work.unwrap();
        turns.push((work.row.id.as_str().to_owned(), kinds(&work)));
    }
    turns.sort();
    turns
}

/// The same, and consumes them.
async fn consume(world: &World) -> Vec<(String, Vec<String>)> {
    let mut turns: Vec<_> = Vec::new();
    while let Some(work) = crate::tests::world::ready(ports::WorkStore::take_turn(&**world)).await {
        let work = work.unwrap();
        turns.push((work.row.id.as_str().to_owned(), kinds(&work)));
        let consumes = Checkpoint::of_row(work.row.clone(), waiting(&work).consumed);
        world.commit(&work.lease, consumes).await.unwrap();
    }
    turns
}

/// The turns of the parent `mother` and of the entity, and these.
fn heard(mut others: Vec<(&str, &str)>) -> Vec<(String, Vec<String>)> {
    others.extend([("@lock@1", "EntityUnlockSent"), ("mother", "SubOrchestrationInstanceFailed")]);
    others.sort_unstable();
    others.into_iter().map(|(id, kind)| (id.to_owned(), vec![kind.to_owned()])).collect()
}

async fn replacing_one_at_work_says_farewell(mut world: World) {
    world.start("mother").await;
    child(&world, "c", "mother").await;
    assert_eq!(world.create(new_execution("c", "new"), Reuse::ANY).await, Ok(Created::Yes));
    for _ in 0..2 {
        assert_eq!(turns(&world).await, heard(vec![("c", "ExecutionStarted")]));
        let row = world.read(&id("c"), false).await.unwrap().unwrap().row;
        assert_eq!((row.execution, row.status, row.parent), (execution("new"), RuntimeStatus::Pending, None));
        world.reopen();
    }
}

async fn replacing_an_ended_one_says_nothing(world: World) {
    world.start("mother").await;
    child(&world, "c", "mother").await;
    world.raise(&id("c"), "stop").await;
    let work = world.turn().await;
    let mut checkpoint = ending(&work, RuntimeStatus::Failed);
    checkpoint.row.critical_section = None;
    world.commit(&work.lease, checkpoint).await.unwrap();
    assert_eq!(world.create(new_execution("c", "new"), Reuse::ENDED).await, Ok(Created::Yes));
    assert_eq!(turns(&world).await, [("c".to_owned(), vec!["ExecutionStarted".to_owned()])]);
}

async fn purging_one_at_work_says_farewell(mut world: World) {
    world.start("mother").await;
    child(&world, "c", "mother").await;
    assert_eq!(world.purge(&id("c"), Purge::Any).await, Ok(true));
    for _ in 0..2 {
        assert_eq!(turns(&world).await, heard(vec![]));
        assert_eq!(world.read(&id("c"), false).await, Ok(None));
        world.reopen();
    }
}

/// A checkpoint of `a` that starts this child.
async fn start_child(world: &World, child: NewInstance) -> Result<(), StoreError> {
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.children = vec![child];
    world.commit(&work.lease, checkpoint).await
}

async fn a_child_that_replaces_one_at_work_says_its_farewell(mut world: World) {
    world.start("mother").await;
    world.start("a").await;
    child(&world, "c", "mother").await;
    let replacing = NewInstance { reuse: Reuse::ANY, ..new_execution("c", "new") };
    start_child(&world, replacing).await.unwrap();
    for _ in 0..2 {
        assert_eq!(turns(&world).await, heard(vec![("c", "ExecutionStarted")]));
        world.reopen();
    }
}

async fn a_farewell_to_a_parent_that_is_gone_is_dropped(mut world: World) {
    child(&world, "c", "nobody").await;
    assert_eq!(world.purge(&id("c"), Purge::Any).await, Ok(true));
    assert_eq!(world.create(new("nobody"), Reuse::NEVER).await, Ok(Created::Yes));
    let expected = [("@lock@1", "EntityUnlockSent"), ("nobody", "ExecutionStarted")];
    for _ in 0..2 {
        let expected = expected.map(|(id, kind)| (id.to_owned(), vec![kind.to_owned()]));
        assert_eq!(turns(&world).await, expected);
        world.reopen();
    }
}

/// Each is the other's parent, and both are removed at once while messages to both are being written: both removals queue.
async fn those_who_say_farewell_to_each_other_both_go(mut world: World) {
    for round in 0..20 {
        let (one, other) = (format!("one{round}"), format!("other{round}"));
        child(&world, &one, &other).await;
        child(&world, &other, &one).await;
        let (one, other) = (id(&one), id(&other));
        let (to_one, to_other) = (raised(&one, "x"), raised(&other, "x"));
        let sends = join(world.send(to_one), world.send(to_other));
        let purges = join(world.purge(&one, Purge::Any), world.purge(&other, Purge::Any));
        assert_eq!(join(sends, purges).await, ((Ok(Sent::Yes), Ok(Sent::Yes)), (Ok(true), Ok(true))));
        world.reopen();
        let unlocked = ("@lock@1".to_owned(), vec!["EntityUnlockSent".to_owned(); 2]);
        assert_eq!(consume(&world).await, [unlocked], "only the entity is there");
    }
}

/// Whoever hears of a removal is at work meanwhile, and everything is heard of.
async fn removals_race_with_the_work_of_those_who_hear_of_them(world: World) {
    world.start("mother").await;
    for round in 0..20 {
        let name = format!("c{round}");
        child(&world, &name, "mother").await;
        world.raise(&id("mother"), "work").await;
        let work = world.turn().await;
        assert_eq!((work.row.id.clone(), kinds(&work)), (id("mother"), vec!["work".to_owned()]));
        let replaced = world.create(new_execution(&name, "new"), Reuse::ANY);
        let (committed, replaced) = join(world.commit(&work.lease, waiting(&work)), replaced).await;
        assert_eq!((committed, replaced), (Ok(()), Ok(Created::Yes)));
        let mut turns = consume(&world).await;
        turns.sort();
        assert_eq!(turns, heard(vec![(name.as_str(), "ExecutionStarted")]));
    }
}
