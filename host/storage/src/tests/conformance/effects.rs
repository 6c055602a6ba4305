//! The effects of a function: all of them or none, with everything in memory as the rows are.

use super::conformance;
use crate::tests::user::{HOUR, entity, key, put, queue, receipt, receive, table, text_of};
use crate::tests::world::{START, World, ending, execution, id, kinds, new, new_execution, poll_once, waiting};
use futures::future::join_all;
use orchestration::{EventId, NewInstance, Parent, Reuse, RuntimeStatus};
use ports::{
    DocumentStore, DocumentWrite, EffectError, EffectStore, Effects, EntityWrite, Expecting, InstanceStore, Matching,
    Metadata, NewMessage, QueueMessage, QueueStore, Rest, TableStore,
};
use std::pin::pin;
use std::time::Duration;
use storage_model::{QueueName, TableName};

conformance![
    nothing_is_quickly_done,
    everything_is_there_or_nothing,
    a_lost_message_stops_everything,
    a_refused_entity_stops_everything,
    a_changed_document_stops_everything,
    of_racing_commits_one_has_the_message,
    what_is_missing_is_made_once,
    an_instance_in_the_way_is_left_alone,
    an_instance_that_has_ended_is_replaced,
    a_replaced_instance_says_farewell,
    an_effect_waits_for_whoever_is_at_it,
    a_poison_message_moves_in_one_step,
];

fn orders() -> QueueName {
    queue("orders")
}

fn trips() -> TableName {
    table("Trips")
}

/// A message in the hands of a function.
async fn held(world: &World) -> QueueMessage {
    world.create_queue(&orders(), Metadata::new()).await.unwrap();
    put(world, &orders(), "in").await;
    receive(world, &orders(), 1, HOUR).await.remove(0)
}

/// One effect of each kind, for a message.
fn effects(message: &QueueMessage) -> Effects {
    Effects {
        consumed: vec![receipt(&orders(), message)],
        messages: vec![
            (queue("out"), NewMessage::new("one")),
            (queue("out"), NewMessage { delay: Duration::from_secs(10), ..NewMessage::new("two") }),
        ],
        entities: vec![
            (trips(), EntityWrite::Insert(entity("a", "1", &[("x", 1)]))),
            (trips(), EntityWrite::Upsert(entity("b", "1", &[("x", 1)]), Rest::Merged)),
        ],
        starts: vec![new("a"), NewInstance { reuse: Reuse::NEVER, ..new("b") }],
        documents: vec![DocumentWrite {
            name: "timers/a".to_owned(),
            expecting: Expecting::Nothing,
            content: Some(b"1".to_vec()),
        }],
    }
}

/// What is there of the effects: messages in, messages out, entities, instances, documents.
async fn there(world: &World) -> [usize; 5] {
    let messages = async |name: QueueName| world.queue(&name).await.map_or(0, |view| view.messages as usize);
    let query = ports::EntitiesQuery { table: trips(), filter: None, limit: 99, from: None };
    [
        messages(orders()).await,
        messages(queue("out")).await,
        world.entities(&query).await.map_or(0, |page| page.entities.len()),
        world.query(&ports::InstanceQuery::default()).await.unwrap().instances.len(),
        world.documents("", None, 9).await.unwrap().len(),
    ]
}

async fn nothing_is_quickly_done(world: World) {
    assert_eq!(world.commit_effects(Effects::default()).await, Ok(()));
}

async fn everything_is_there_or_nothing(mut world: World) {
    let message = held(&world).await;
    assert_eq!(there(&world).await, [1, 0, 0, 0, 0]);
    {
        let mut turn = pin!(ports::WorkStore::take_turn(&*world));
        assert!(poll_once(turn.as_mut()).await.is_none());
        world.commit_effects(effects(&message)).await.unwrap();
        let work = turn.await.expect("whoever waits for a turn is woken");
        ports::WorkStore::abandon(&*world, &work.lease, START).await.unwrap();
    }
    for round in 0..2 {
        assert_eq!(there(&world).await, [0, 2, 2, 2, 1]);
        for _ in 0..2 {
            assert_eq!(kinds(&world.turn().await), ["ExecutionStarted"]);
        }
        world.no_turn().await;
        if round == 0 {
            assert_eq!(text_of(&receive(&world, &queue("out"), 9, Duration::from_secs(1)).await), "one");
        }
        world.reopen();
    }
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(text_of(&receive(&world, &queue("out"), 9, HOUR).await), "one two");
    let again = world.commit_effects(effects(&message)).await;
    assert!(matches!(again, Err(EffectError::MessageLost { .. })), "{again:?}");
}

async fn a_lost_message_stops_everything(mut world: World) {
    let message = held(&world).await;
    world.clock.advance(HOUR);
    let other = receive(&world, &orders(), 1, HOUR).await.remove(0);
    let lost = world.commit_effects(effects(&message)).await;
    assert_eq!(
        lost.unwrap_err().to_string(),
        format!(
            "the message {} of the queue 'orders' is no longer held: the pop receipt is not the one of the last receipt; \
             somebody has received the message since",
            message.id
        )
    );
    for _ in 0..2 {
        assert_eq!(there(&world).await, [1, 0, 0, 0, 0]);
        world.no_turn().await;
        world.reopen();
    }
    world.delete_message(&receipt(&orders(), &other)).await.unwrap();
    let strange = Effects { consumed: vec![receipt(&queue("strange"), &message)], ..Effects::default() };
    assert!(matches!(world.commit_effects(strange).await, Err(EffectError::MessageLost { .. })));
    world.delete_queue(&orders()).await.unwrap();
    assert!(matches!(world.commit_effects(effects(&message)).await, Err(EffectError::MessageLost { .. })));
    assert_eq!(there(&world).await, [0; 5]);
}

async fn a_refused_entity_stops_everything(world: World) {
    let message = held(&world).await;
    let mut refused = effects(&message);
    refused.entities.push((trips(), EntityWrite::Insert(entity("a", "1", &[]))));
    let error = world.commit_effects(refused.clone()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the table 'Trips' refused an entity: operation 0: an entity of that key exists already"
    );
    assert_eq!(there(&world).await, [1, 0, 0, 0, 0]);
    refused.entities = vec![(trips(), EntityWrite::Delete(key("c", "1"), Matching::Any))];
    assert!(matches!(world.commit_effects(refused).await, Err(EffectError::EntityRefused { .. })));
    world.commit_effects(effects(&message)).await.expect("the message is still held");
}

async fn a_changed_document_stops_everything(world: World) {
    let message = held(&world).await;
    let mut refused = effects(&message);
    refused.documents[0].expecting = Expecting::Version(7);
    let name = "timers/a".to_owned();
    assert_eq!(world.commit_effects(refused).await, Err(EffectError::DocumentChanged { name }));
    assert_eq!(there(&world).await, [1, 0, 0, 0, 0]);
    world.no_turn().await;
}

async fn of_racing_commits_one_has_the_message(mut world: World) {
    let message = held(&world).await;
    let racing = (0..6).map(|_| world.commit_effects(effects(&message)));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(racing).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 5));
    assert!(lost.iter().all(|lost| matches!(lost, Err(EffectError::MessageLost { .. }))), "{lost:?}");
    for _ in 0..2 {
        assert_eq!(there(&world).await, [0, 2, 2, 2, 1]);
        world.reopen();
    }
}

async fn what_is_missing_is_made_once(mut world: World) {
    let making = (0..10).map(|n| {
        world.commit_effects(Effects {
            messages: vec![(queue("out"), NewMessage::new("x")), (queue("other"), NewMessage::new("y"))],
            entities: vec![(trips(), EntityWrite::Insert(entity("a", &n.to_string(), &[])))],
            ..Effects::default()
        })
    });
    join_all(making).await.into_iter().for_each(Result::unwrap);
    for _ in 0..2 {
        assert_eq!(there(&world).await, [0, 10, 10, 0, 0]);
        assert_eq!(world.queue(&queue("other")).await.unwrap().messages, 10);
        world.reopen();
    }
}

async fn an_instance_in_the_way_is_left_alone(mut world: World) {
    let message = held(&world).await;
    world.start("a").await;
    let mut twice = effects(&message);
    twice.starts.push(new_execution("b", "second"));
    world.commit_effects(twice).await.unwrap();
    for _ in 0..2 {
        assert_eq!(there(&world).await, [0, 2, 2, 2, 1]);
        assert_eq!(world.read(&id("a"), false).await.unwrap().unwrap().row.status, RuntimeStatus::Running);
        assert_eq!(world.read(&id("b"), false).await.unwrap().unwrap().row.execution, execution("b"));
        assert_eq!(world.turn().await.row.id, id("b"));
        world.no_turn().await;
        world.reopen();
    }
}

async fn an_instance_that_has_ended_is_replaced(mut world: World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    world.commit(&work.lease, ending(&work, RuntimeStatus::Completed)).await.unwrap();
    let start = |reuse| NewInstance { reuse, ..new_execution("a", "next") };
    let changed = world.changed(&a);
    world.commit_effects(Effects { starts: vec![start(Reuse::NEVER)], ..Effects::default() }).await.unwrap();
    world.no_turn().await;
    world.commit_effects(Effects { starts: vec![start(Reuse::ENDED)], ..Effects::default() }).await.unwrap();
    changed.await;
    for _ in 0..2 {
        assert_eq!(world.turn().await.row.execution, execution("next"));
        world.no_turn().await;
        world.reopen();
    }
    assert_eq!(world.history(&a, execution("a")).await, Ok(Vec::new()));
}

async fn a_replaced_instance_says_farewell(world: World) {
    world.start("mother").await;
    let mut child = new("c");
    let (instance, execution) = (id("mother"), execution("mother"));
    child.started.parent = Some(Parent { instance, execution, name: "Hello".to_owned(), scheduled: EventId(1) });
    assert_eq!(world.create(child, Reuse::NEVER).await, Ok(ports::Created::Yes));
    let work = world.turn().await;
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    let start = NewInstance { reuse: Reuse::ANY, ..new_execution("c", "new") };
    world.commit_effects(Effects { starts: vec![start], ..Effects::default() }).await.unwrap();
    let mut turns = [kinds(&world.turn().await), kinds(&world.turn().await)].concat();
    turns.sort();
    assert_eq!(turns, ["ExecutionStarted", "SubOrchestrationInstanceFailed"]);
}

async fn an_effect_waits_for_whoever_is_at_it(world: World) {
    let message = held(&world).await;
    let receipt = receipt(&orders(), &message);
    // Neither is awaited before the other has begun: whoever comes first decides for both.
    let update = world.update_message(&receipt, HOUR, None);
    let (commit, updated) = futures::future::join(world.commit_effects(effects(&message)), update).await;
    assert_eq!((commit.is_ok(), updated.is_ok()), (commit.is_ok(), commit.is_err()));
    assert_eq!(there(&world).await[0], usize::from(updated.is_ok()));
    let (gone, put) = futures::future::join(
        world.delete_queue(&orders()),
        world.commit_effects(Effects { messages: vec![(orders(), NewMessage::new("x"))], ..Effects::default() }),
    )
    .await;
    assert_eq!((gone, put), (Ok(()), Ok(())));
    assert!(there(&world).await[0] <= 1);
}

async fn a_poison_message_moves_in_one_step(mut world: World) {
    let message = held(&world).await;
    let poison = orders().poison().unwrap();
    let messages = vec![(poison.clone(), NewMessage { time_to_live: None, ..NewMessage::new("in") })];
    let consumed = vec![receipt(&orders(), &message)];
    world.commit_effects(Effects { consumed, messages, ..Effects::default() }).await.unwrap();
    for _ in 0..2 {
        assert_eq!(world.queue(&orders()).await.unwrap().messages, 0);
        assert_eq!(text_of(&world.peek(&poison, 9).await.unwrap()), "in");
        world.reopen();
    }
}
