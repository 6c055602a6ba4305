//! Entities: there without being created, gone when they say so and nothing waits for them.

use super::conformance;
use crate::tests::world::{LEASE, START, World, id, kinds, later, new, raised, waiting};
use orchestration::{Checkpoint, EntityRecord, InstanceRow, Json, Reuse, RuntimeStatus};
use ports::{InstanceKind, InstanceQuery, InstanceStore, Pending, Purge, Sent, StoreError, TurnWork};

conformance![
    an_entity_takes_messages_without_a_row,
    an_entity_without_a_row_takes_messages_from_a_checkpoint,
    the_first_commit_writes_and_lists_the_row,
    an_entity_that_is_removed_leaves_no_trace,
    an_entity_that_never_had_a_row_can_be_removed,
    the_row_stays_while_something_waits,
    the_row_stays_while_something_is_scheduled,
    the_row_stays_when_the_entity_signals_itself,
    a_message_that_arrives_during_a_removal_is_handed_out,
    messages_that_race_with_removals_are_all_handed_out,
    a_removal_under_a_lost_lease_changes_nothing,
    an_idle_entity_is_purged_like_what_has_ended,
    an_entity_can_be_purged_with_all_that_waits,
];

const COUNTER: &str = "@counter@1";

/// The checkpoint of a batch that leaves the entity with this state and consumes all.
fn with_state(work: &TurnWork, state: &str) -> Checkpoint {
    let state = Some(Json::from(state));
    let entity = EntityRecord { state, lock: None, last_operation_at: Some(START) };
    let row = InstanceRow { entity: Some(Box::new(entity)), ..work.row.clone() };
    Checkpoint::of_row(row, waiting(work).consumed)
}

/// The same, with nothing left.
fn without_state(work: &TurnWork) -> Checkpoint {
    let row = InstanceRow::new_entity(work.row.id.clone(), START);
    Checkpoint { remove: true, ..Checkpoint::of_row(row, waiting(work).consumed) }
}

async fn signal(world: &World, name: &str) {
    world.raise(&id(COUNTER), name).await;
}

async fn row(world: &World) -> Option<InstanceRow> {
    world.read(&id(COUNTER), false).await.unwrap().map(|view| view.row)
}

async fn entities(world: &World) -> Vec<String> {
    let query = InstanceQuery {
        kind: InstanceKind::Entities,
        statuses: vec![RuntimeStatus::Running],
        ..InstanceQuery::default()
    };
    let by_name = InstanceQuery { name: Some("counter".to_owned()), kind: InstanceKind::Any, ..query.clone() };
    let listed = world.query(&query).await.unwrap().instances;
    assert_eq!(listed, world.query(&by_name).await.unwrap().instances, "every index knows the same");
    listed.into_iter().map(|view| view.row.id.as_str().to_owned()).collect()
}

/// Has the counter with this state.
async fn counter(world: &World, state: &str) {
    signal(world, "set").await;
    let work = world.turn().await;
    world.commit(&work.lease, with_state(&work, state)).await.unwrap();
}

async fn an_entity_takes_messages_without_a_row(mut world: World) {
    signal(&world, "one").await;
    signal(&world, "two").await;
    for _ in 0..2 {
        let work = world.turn().await;
        assert_eq!(
            (&work.row, kinds(&work)),
            (&InstanceRow::new_entity(id(COUNTER), START), vec!["one".into(), "two".into()])
        );
        assert_eq!((row(&world).await, entities(&world).await), (None, vec![]), "only commits write the row");
        world.no_turn().await;
        world.reopen();
    }
}

async fn an_entity_without_a_row_takes_messages_from_a_checkpoint(mut world: World) {
    world.start("a").await;
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.messages = vec![raised(&id(COUNTER), "one")];
    world.commit(&work.lease, checkpoint).await.unwrap();
    for _ in 0..2 {
        let work = world.turn().await;
        assert_eq!((work.row.id.clone(), kinds(&work)), (id(COUNTER), vec!["one".to_owned()]));
        world.reopen();
    }
}

async fn the_first_commit_writes_and_lists_the_row(mut world: World) {
    signal(&world, "one").await;
    let work = world.turn().await;
    let checkpoint = with_state(&work, "1");
    let written = checkpoint.row.clone();
    world.commit(&work.lease, checkpoint).await.unwrap();
    for _ in 0..2 {
        world.no_turn().await;
        assert_eq!((row(&world).await, entities(&world).await), (Some(written.clone()), vec![COUNTER.to_owned()]));
        world.reopen();
    }
    signal(&world, "two").await;
    assert_eq!(world.turn().await.row, written);
}

async fn an_entity_that_is_removed_leaves_no_trace(mut world: World) {
    counter(&world, "1").await;
    signal(&world, "delete").await;
    let work = world.turn().await;
    assert_eq!(row(&world).await, Some(work.row.clone()));
    world.commit(&work.lease, without_state(&work)).await.unwrap();
    for _ in 0..2 {
        assert_eq!((row(&world).await, entities(&world).await), (None, vec![]));
        assert_eq!(world.pending(&id(COUNTER)).await, Ok(None));
        world.no_turn().await;
        world.reopen();
    }
    signal(&world, "again").await;
    assert_eq!(world.turn().await.row, InstanceRow::new_entity(id(COUNTER), START));
}

async fn an_entity_that_never_had_a_row_can_be_removed(mut world: World) {
    signal(&world, "look").await;
    let work = world.turn().await;
    world.commit(&work.lease, without_state(&work)).await.unwrap();
    for _ in 0..2 {
        assert_eq!((row(&world).await, entities(&world).await), (None, vec![]));
        world.no_turn().await;
        world.reopen();
    }
}

async fn the_row_stays_while_something_waits(mut world: World) {
    signal(&world, "delete").await;
    signal(&world, "locked out").await;
    let work = world.turn().await;
    let mut checkpoint = without_state(&work);
    checkpoint.consumed.truncate(1);
    let given = checkpoint.row.clone();
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.no_turn().await;
    for _ in 0..2 {
        assert_eq!((row(&world).await, entities(&world).await), (Some(given.clone()), vec![COUNTER.to_owned()]));
        world.reopen();
    }
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["locked out"]);
    world.commit(&work.lease, without_state(&work)).await.unwrap();
    assert_eq!((row(&world).await, entities(&world).await), (None, vec![]));
}

async fn the_row_stays_while_something_is_scheduled(mut world: World) {
    counter(&world, "1").await;
    assert_eq!(world.send(later(&id(COUNTER), "tomorrow", 100)).await, Ok(Sent::Yes));
    signal(&world, "delete").await;
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["delete"]);
    world.commit(&work.lease, without_state(&work)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(row(&world).await, Some(InstanceRow::new_entity(id(COUNTER), START)));
        world.no_turn().await;
        world.reopen();
    }
    world.clock.advance(LEASE * 2);
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["tomorrow"]);
    world.commit(&work.lease, without_state(&work)).await.unwrap();
    assert_eq!(row(&world).await, None);
}

async fn the_row_stays_when_the_entity_signals_itself(world: World) {
    counter(&world, "1").await;
    signal(&world, "delete").await;
    let work = world.turn().await;
    let messages = vec![raised(&id(COUNTER), "own")];
    world.commit(&work.lease, Checkpoint { messages, ..without_state(&work) }).await.unwrap();
    assert!(row(&world).await.is_some());
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["own"]);
    world.commit(&work.lease, without_state(&work)).await.unwrap();
    assert_eq!(row(&world).await, None);
}

async fn a_message_that_arrives_during_a_removal_is_handed_out(mut world: World) {
    counter(&world, "1").await;
    signal(&world, "delete").await;
    let work = world.turn().await;
    signal(&world, "during").await;
    world.commit(&work.lease, without_state(&work)).await.unwrap();
    for _ in 0..2 {
        assert!(row(&world).await.is_some());
        assert_eq!(kinds(&world.turn().await), ["during"]);
        world.reopen();
    }
}

async fn messages_that_race_with_removals_are_all_handed_out(mut world: World) {
    let mut handed_out = 0;
    for round in 0..50 {
        signal(&world, "delete").await;
        let work = world.turn().await;
        handed_out += work.messages.len();
        let commit = world.commit(&work.lease, without_state(&work));
        let send = world.send(raised(&id(COUNTER), "race"));
        let (committed, sent) = if round % 2 == 0 {
            futures::future::join(commit, send).await
        } else {
            let (sent, committed) = futures::future::join(send, commit).await;
            (committed, sent)
        };
        assert_eq!((committed, sent), (Ok(()), Ok(Sent::Yes)));
        if round % 5 == 0 {
            world.reopen();
        }
    }
    let work = world.turn().await;
    handed_out += work.messages.len();
    assert_eq!(handed_out, 100);
    world.commit(&work.lease, without_state(&work)).await.unwrap();
    world.no_turn().await;
    assert_eq!(row(&world).await, None);
}

async fn a_removal_under_a_lost_lease_changes_nothing(world: World) {
    counter(&world, "1").await;
    signal(&world, "delete").await;
    let stale = world.turn().await;
    world.clock.advance(LEASE);
    assert!(matches!(world.commit(&stale.lease, without_state(&stale)).await, Err(StoreError::LeaseLost { .. })));
    assert_eq!(row(&world).await, Some(stale.row));
    assert_eq!(kinds(&world.turn().await), ["delete"]);
}

async fn an_idle_entity_is_purged_like_what_has_ended(mut world: World) {
    counter(&world, "1").await;
    signal(&world, "one").await;
    assert_eq!(world.purge(&id(COUNTER), Purge::Ended).await, Ok(false), "an operation waits");
    let work = world.turn().await;
    world.commit(&work.lease, with_state(&work, "2")).await.unwrap();
    assert_eq!(world.send(later(&id(COUNTER), "tomorrow", 100)).await, Ok(Sent::Yes));
    assert_eq!(world.purge(&id(COUNTER), Purge::Ended).await, Ok(false), "a signal is scheduled");
    world.clock.advance(LEASE * 100);
    let work = world.turn().await;
    world.commit(&work.lease, with_state(&work, "3")).await.unwrap();
    assert_eq!(world.purge(&id(COUNTER), Purge::Ended).await, Ok(true));
    world.reopen();
    assert_eq!(row(&world).await, None);
}

async fn an_entity_can_be_purged_with_all_that_waits(mut world: World) {
    counter(&world, "1").await;
    signal(&world, "one").await;
    assert_eq!(world.send(later(&id(COUNTER), "tomorrow", 100)).await, Ok(Sent::Yes));
    let work = world.turn().await;
    assert_eq!(world.purge(&id(COUNTER), Purge::Any).await, Ok(true));
    assert!(matches!(world.commit(&work.lease, with_state(&work, "2")).await, Err(StoreError::LeaseLost { .. })));
    // One that has no row, and only messages that no turn could make anything of.
    assert_eq!(world.send(raised(&id("@broken@1"), "one")).await, Ok(Sent::Yes));
    let pending = Pending { messages: 1, ..Pending::default() };
    assert_eq!(world.pending(&id("@broken@1")).await, Ok(Some(pending)));
    assert_eq!(world.purge(&id("@broken@1"), Purge::Any).await, Ok(true));
    assert_eq!(world.purge(&id("@broken@1"), Purge::Any).await, Ok(false));
    assert_eq!(world.create(new("a"), Reuse::NEVER).await, Ok(ports::Created::Yes));
    for _ in 0..2 {
        world.clock.advance(LEASE * 2);
        assert_eq!((row(&world).await, entities(&world).await), (None, vec![]));
        assert_eq!(world.turn().await.row.id, id("a"));
        world.no_turn().await;
        world.reopen();
    }
}
