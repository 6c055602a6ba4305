//! Queues: made once, described, listed, cleared and removed with all that is in them.

use super::conformance;
use crate::tests::user::{HOUR, metadata, put, queue, receipt, receive, text_of};
use crate::tests::world::{World, poll_once};
use ports::{Metadata, NewMessage, QueueCreated, QueueError, QueueStore, Receiver};
use std::pin::pin;
use std::time::Duration;

conformance![
    a_queue_is_made_once,
    a_racing_creation_makes_one_queue,
    what_is_kept_with_a_queue_survives,
    a_missing_queue_is_refused_everywhere,
    queues_are_listed_by_name,
    a_queue_goes_with_its_messages,
    a_new_queue_has_nothing_of_the_old_one,
    a_cleared_queue_is_empty_for_good,
    many_messages_are_removed_in_several_steps,
];

async fn a_queue_is_made_once(mut world: World) {
    let name = queue("orders");
    assert_eq!(world.create_queue(&name, metadata(&[("Color", "red")])).await, Ok(QueueCreated::Yes));
    for _ in 0..2 {
        assert_eq!(world.create_queue(&name, metadata(&[("color", "red")])).await, Ok(QueueCreated::Exists));
        for other in [metadata(&[("Color", "Red")]), Metadata::new()] {
            assert_eq!(world.create_queue(&name, other).await, Err(QueueError::QueueExists(name.clone())));
        }
        assert_eq!(world.queue(&name).await.unwrap().metadata, metadata(&[("Color", "red")]));
        world.reopen();
    }
}

async fn a_racing_creation_makes_one_queue(world: World) {
    let name = queue("orders");
    let racing = (0..8).map(|_| world.create_queue(&name, Metadata::new()));
    let created = futures::future::join_all(racing).await;
    assert_eq!(created.iter().filter(|created| **created == Ok(QueueCreated::Yes)).count(), 1);
    assert_eq!(created.iter().filter(|created| **created == Ok(QueueCreated::Exists)).count(), 7);
}

async fn what_is_kept_with_a_queue_survives(mut world: World) {
    let name = queue("orders");
    world.create_queue(&name, metadata(&[("a", "1")])).await.unwrap();
    put(&world, &name, "x").await;
    world.set_queue(&name, None, Some("<SignedIdentifiers/>".to_owned())).await.unwrap();
    world.set_queue(&name, Some(metadata(&[("b", "2")])), None).await.unwrap();
    for _ in 0..2 {
        let view = world.queue(&name).await.unwrap();
        assert_eq!((view.metadata, view.messages), (metadata(&[("b", "2")]), 1));
        assert_eq!((view.access_policies.as_str(), &view.name), ("<SignedIdentifiers/>", &name));
        world.reopen();
    }
}

async fn a_missing_queue_is_refused_everywhere(world: World) {
    let name = queue("nothing");
    let missing = QueueError::QueueNotFound(name.clone());
    let strange = ports::Receipt { queue: name.clone(), id: "x".to_owned(), pop_receipt: "y".to_owned() };
    assert_eq!(world.queue(&name).await, Err(missing.clone()));
    assert_eq!(world.delete_queue(&name).await, Err(missing.clone()));
    assert_eq!(world.clear(&name).await, Err(missing.clone()));
    assert_eq!(world.set_queue(&name, None, None).await, Err(missing.clone()));
    assert_eq!(world.put_message(&name, NewMessage::new("x")).await, Err(missing.clone()));
    assert_eq!(world.receive(&name, 1, HOUR, Receiver::Client).await, Err(missing.clone()));
    assert_eq!(world.peek(&name, 1).await, Err(missing.clone()));
    assert_eq!(world.delete_message(&strange).await, Err(missing.clone()));
    assert_eq!(world.update_message(&strange, HOUR, None).await, Err(missing));
}

async fn queues_are_listed_by_name(mut world: World) {
    for name in ["beta", "alpha", "beta-poison", "gamma", "beta2"] {
        world.create_queue(&queue(name), Metadata::new()).await.unwrap();
        put(&world, &queue(name), "x").await;
    }
    let list = async |world: &World, prefix: &str, from: Option<&str>, limit| {
        let page = world.list_queues(prefix, from, limit).await.unwrap();
        assert!(page.queues.iter().all(|view| view.messages == 1));
        (page.queues.iter().map(|view| view.name.to_string()).collect::<Vec<_>>().join(" "), page.next)
    };
    for _ in 0..2 {
        assert_eq!(list(&world, "", None, 9).await, ("alpha beta beta-poison beta2 gamma".to_owned(), None));
        assert_eq!(list(&world, "beta", None, 2).await, ("beta beta-poison".to_owned(), Some("beta2".to_owned())));
        assert_eq!(list(&world, "beta", Some("beta2"), 2).await, ("beta2".to_owned(), None));
        assert_eq!(list(&world, "", Some("b"), 1).await, ("beta".to_owned(), Some("beta-poison".to_owned())));
        assert_eq!(list(&world, "x", None, 9).await, (String::new(), None));
        world.reopen();
    }
}

async fn a_queue_goes_with_its_messages(mut world: World) {
    let (name, other) = (queue("orders"), queue("others"));
    world.create_queue(&name, Metadata::new()).await.unwrap();
    world.create_queue(&other, Metadata::new()).await.unwrap();
    put(&world, &name, "x").await;
    put(&world, &other, "y").await;
    world.delete_queue(&name).await.unwrap();
    for _ in 0..2 {
        assert_eq!(world.queue(&name).await, Err(QueueError::QueueNotFound(name.clone())));
        assert_eq!(world.queue(&other).await.unwrap().messages, 1);
        assert_eq!(crate::tests::user::rows_of_queues(&mut world), [1, 1, 1, 0]);
    }
}

async fn a_new_queue_has_nothing_of_the_old_one(mut world: World) {
    let name = queue("orders");
    world.create_queue(&name, Metadata::new()).await.unwrap();
    put(&world, &name, "old").await;
    let old = receive(&world, &name, 1, Duration::ZERO).await.remove(0);
    // The removal and the next creation go at the same time; messages come in between.
    let (gone, made) = (world.delete_queue(&name), world.create_queue(&name, metadata(&[("new", "1")])));
    let (gone, made) = futures::future::join(gone, made).await;
    gone.unwrap();
    if made != Ok(QueueCreated::Yes) {
        world.create_queue(&name, metadata(&[("new", "1")])).await.unwrap();
    }
    put(&world, &name, "new").await;
    assert_eq!(world.delete_message(&receipt(&name, &old)).await, Err(QueueError::MessageNotFound));
    for _ in 0..2 {
        assert_eq!(text_of(&world.peek(&name, 9).await.unwrap()), "new");
        world.reopen();
    }
}

async fn a_cleared_queue_is_empty_for_good(mut world: World) {
    let name = queue("orders");
    world.create_queue(&name, metadata(&[("a", "1")])).await.unwrap();
    for text in ["x", "y"] {
        put(&world, &name, text).await;
    }
    let held = receive(&world, &name, 1, HOUR).await.remove(0);
    world.clear(&name).await.unwrap();
    assert_eq!(world.delete_message(&receipt(&name, &held)).await, Err(QueueError::MessageNotFound));
    put(&world, &name, "z").await;
    for _ in 0..2 {
        let view = world.queue(&name).await.unwrap();
        assert_eq!((view.messages, view.metadata), (1, metadata(&[("a", "1")])));
        assert_eq!(text_of(&world.peek(&name, 9).await.unwrap()), "z");
        assert_eq!(crate::tests::user::rows_of_queues(&mut world), [1, 1, 1, 0]);
    }
}

async fn many_messages_are_removed_in_several_steps(mut world: World) {
    let name = queue("orders");
    world.create_queue(&name, Metadata::new()).await.unwrap();
    let effects = ports::Effects {
        messages: (0..5_000).map(|_| (name.clone(), NewMessage::new("x"))).collect(),
        ..ports::Effects::default()
    };
    for _ in 0..2 {
        ports::EffectStore::commit_effects(&*world, effects.clone()).await.unwrap();
    }
    assert_eq!(world.queue(&name).await.unwrap().messages, 10_000);
    {
        // Given up after the first step, in which the queue goes, unless the store is quicker.
        let mut clearing = pin!(world.clear(&name));
        while world.queue(&name).await.unwrap().messages > 0 {
            poll_once(clearing.as_mut()).await;
        }
    }
    put(&world, &name, "new").await;
    assert_eq!(text_of(&world.peek(&name, 9).await.unwrap()), "new");
    assert_eq!(crate::tests::user::rows_of_queues(&mut world), [1, 1, 1, 0], "the opening did the rest");
    assert_eq!(text_of(&world.peek(&name, 9).await.unwrap()), "new");
}
