//! Messages: durable when put, one receiver at a time, receipts that count once, gone when deleted or expired.

use super::conformance;
use crate::tests::user::{HOUR, put, queue, receipt, receive, text_of};
use crate::tests::world::{START, World};
use futures::future::join_all;
use orchestration::Timestamp;
use ports::{Metadata, NewMessage, QueueError, QueueMessage, QueueStore, Receipt, Receiver};
use std::collections::BTreeSet;
use std::time::Duration;
use storage_model::QueueName;

conformance![
    a_message_is_as_it_was_put,
    a_received_message_is_hidden_and_counted,
    messages_come_in_order,
    a_delay_is_kept,
    nobody_receives_what_another_has,
    an_old_receipt_does_not_count,
    an_update_hides_and_replaces,
    an_update_to_nothing_shows_the_message,
    an_expired_message_is_gone,
    the_rows_of_expired_messages_go,
    looking_changes_nothing,
    the_host_s_messages_are_free_when_it_has_ended,
    a_delay_of_a_message_given_back_survives,
    ids_and_receipts_are_never_the_same,
    a_receipt_of_another_queue_does_not_count,
    a_clock_that_goes_back_hides_nothing_for_ever,
];

async fn made(world: &World, name: &str) -> QueueName {
    world.create_queue(&queue(name), Metadata::new()).await.unwrap();
    queue(name)
}

async fn a_message_is_as_it_was_put(mut world: World) {
    let name = made(&world, "orders").await;
    let text = "ä \u{0} \"json\": <xml>";
    let message = put(&world, &name, text).await;
    let expires = START.saturating_add(NewMessage::DEFAULT_TIME_TO_LIVE);
    let expected = QueueMessage { text: text.to_owned(), inserted: START, expires, visible: START, ..message.clone() };
    assert_eq!((message.dequeue_count, &message), (0, &expected));
    assert_eq!(message.id.len(), 36);
    let forever = NewMessage { time_to_live: None, ..NewMessage::new("for ever") };
    assert_eq!(world.put_message(&name, forever).await.unwrap().expires, Timestamp::MAX);
    for _ in 0..2 {
        let peeked = world.peek(&name, 9).await.unwrap();
        assert_eq!(peeked[0], QueueMessage { pop_receipt: String::new(), ..expected.clone() });
        assert_eq!((peeked[1].expires, peeked.len()), (Timestamp::MAX, 2));
        world.reopen();
    }
    world.update_message(&receipt(&name, &message), HOUR, None).await.expect("the putter's receipt counts");
}

async fn a_received_message_is_hidden_and_counted(mut world: World) {
    let name = made(&world, "orders").await;
    put(&world, &name, "x").await;
    for count in 1..4 {
        let received = receive(&world, &name, 1, HOUR).await;
        assert_eq!((received[0].dequeue_count, text_of(&received)), (count, "x".to_owned()));
        assert_eq!(received[0].visible, START.saturating_add(HOUR * count));
        for _ in 0..2 {
            assert_eq!(receive(&world, &name, 1, HOUR).await, []);
            assert_eq!(world.queue(&name).await.unwrap().messages, 1);
            world.reopen();
        }
        world.clock.advance(HOUR - Duration::from_nanos(100));
        assert_eq!(receive(&world, &name, 1, HOUR).await, []);
        world.clock.advance(Duration::from_nanos(100));
    }
}

async fn messages_come_in_order(mut world: World) {
    let name = made(&world, "orders").await;
    for text in ["a", "b", "c", "d", "e"] {
        put(&world, &name, text).await;
    }
    assert_eq!(text_of(&receive(&world, &name, 2, Duration::from_secs(1)).await), "a b");
    world.reopen();
    assert_eq!(text_of(&receive(&world, &name, 1, HOUR).await), "c");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(text_of(&receive(&world, &name, 32, HOUR).await), "d e a b");
}

async fn a_delay_is_kept(mut world: World) {
    let name = made(&world, "orders").await;
    let delayed = NewMessage { delay: Duration::from_secs(10), ..NewMessage::new("late") };
    let message = world.put_message(&name, delayed).await.unwrap();
    put(&world, &name, "now").await;
    assert_eq!(text_of(&receive(&world, &name, 9, HOUR).await), "now");
    world.reopen();
    assert_eq!(receive(&world, &name, 9, HOUR).await, []);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(receive(&world, &name, 9, HOUR).await[0].id, message.id);
}

async fn nobody_receives_what_another_has(world: World) {
    let name = made(&world, "orders").await;
    join_all((0..100).map(|n| world.put_message(&name, NewMessage::new(n.to_string())))).await;
    let taking = (0..16).map(|n| world.receive(&name, 1 + n, HOUR, Receiver::Client));
    let taken: Vec<QueueMessage> = join_all(taking).await.into_iter().flat_map(Result::unwrap).collect();
    let ids: BTreeSet<&str> = taken.iter().map(|message| message.id.as_str()).collect();
    assert_eq!((taken.len(), ids.len()), (100, 100));
    assert!(taken.iter().all(|message| message.dequeue_count == 1));
    // Each is deleted by two: one of them is told that it was too late.
    let deleting =
        taken.iter().chain(&taken).map(|message| async { world.delete_message(&receipt(&name, message)).await });
    let deleted = join_all(deleting).await;
    assert_eq!(deleted.iter().filter(|deleted| deleted.is_ok()).count(), 100);
    assert_eq!(deleted.iter().filter(|deleted| **deleted == Err(QueueError::MessageNotFound)).count(), 100);
}

async fn an_old_receipt_does_not_count(mut world: World) {
    let name = made(&world, "orders").await;
    put(&world, &name, "x").await;
    let first = receive(&world, &name, 1, Duration::from_secs(1)).await.remove(0);
    world.clock.advance(Duration::from_secs(1));
    world.reopen();
    // Nobody has received it since: being late alone does no harm.
    let updated = world.update_message(&receipt(&name, &first), Duration::from_secs(1), None).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let second = receive(&world, &name, 1, HOUR).await.remove(0);
    for old in [&first, &updated] {
        let old = receipt(&name, old);
        assert_eq!(world.delete_message(&old).await, Err(QueueError::PopReceiptMismatch));
        assert_eq!(world.update_message(&old, HOUR, None).await, Err(QueueError::PopReceiptMismatch));
    }
    let strange = Receipt { pop_receipt: "strange".to_owned(), ..receipt(&name, &second) };
    assert_eq!(world.delete_message(&strange).await, Err(QueueError::PopReceiptMismatch));
    let unknown = Receipt { id: "00000000-0000-4000-8000-000000000000".to_owned(), ..strange };
    assert_eq!(world.delete_message(&unknown).await, Err(QueueError::MessageNotFound));
    assert_eq!(world.delete_message(&receipt(&name, &second)).await, Ok(()));
    for _ in 0..2 {
        assert_eq!(world.delete_message(&receipt(&name, &second)).await, Err(QueueError::MessageNotFound));
        assert_eq!(world.queue(&name).await.unwrap().messages, 0);
        world.reopen();
    }
}

async fn an_update_hides_and_replaces(mut world: World) {
    let name = made(&world, "orders").await;
    put(&world, &name, "old").await;
    let message = receive(&world, &name, 1, Duration::from_secs(1)).await.remove(0);
    let updated = world.update_message(&receipt(&name, &message), HOUR, Some("new".to_owned())).await.unwrap();
    assert_eq!((updated.text.as_str(), updated.dequeue_count), ("new", 1));
    assert_eq!(updated.visible, START.saturating_add(HOUR));
    assert_ne!(updated.pop_receipt, message.pop_receipt);
    let again = world.update_message(&receipt(&name, &updated), HOUR, None).await.unwrap();
    assert_eq!(again.text, "new");
    world.clock.advance(Duration::from_secs(1));
    for _ in 0..2 {
        assert_eq!(receive(&world, &name, 1, HOUR).await, []);
        world.reopen();
    }
    world.clock.advance(HOUR);
    let last = receive(&world, &name, 1, HOUR).await.remove(0);
    assert_eq!((last.text.as_str(), last.dequeue_count), ("new", 2));
}

async fn an_update_to_nothing_shows_the_message(world: World) {
    let name = made(&world, "orders").await;
    put(&world, &name, "x").await;
    let message = receive(&world, &name, 1, HOUR).await.remove(0);
    world.update_message(&receipt(&name, &message), Duration::ZERO, None).await.unwrap();
    assert_eq!(receive(&world, &name, 1, HOUR).await[0].dequeue_count, 2);
}

async fn an_expired_message_is_gone(mut world: World) {
    let name = made(&world, "orders").await;
    let short = NewMessage { time_to_live: Some(Duration::from_secs(10)), ..NewMessage::new("short") };
    world.put_message(&name, short.clone()).await.unwrap();
    let held = receive(&world, &name, 1, HOUR).await.remove(0);
    world.put_message(&name, short).await.unwrap();
    put(&world, &name, "long").await;
    world.clock.advance(Duration::from_secs(10));
    for _ in 0..2 {
        assert_eq!(world.queue(&name).await.unwrap().messages, 1);
        assert_eq!(text_of(&world.peek(&name, 9).await.unwrap()), "long");
        let held = receipt(&name, &held);
        assert_eq!(world.delete_message(&held).await, Err(QueueError::MessageNotFound));
        assert_eq!(world.update_message(&held, HOUR, None).await, Err(QueueError::MessageNotFound));
        world.reopen();
    }
    assert_eq!(text_of(&receive(&world, &name, 9, HOUR).await), "long");
}

async fn the_rows_of_expired_messages_go(mut world: World) {
    let name = made(&world, "orders").await;
    let short = NewMessage { time_to_live: Some(Duration::from_secs(10)), ..NewMessage::new("short") };
    for _ in 0..10 {
        world.put_message(&name, short.clone()).await.unwrap();
    }
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(crate::tests::user::rows_of_queues(&mut world), [1, 10, 10, 0]);
    assert_eq!(receive(&world, &name, 1, HOUR).await, []);
    assert_eq!(crate::tests::user::rows_of_queues(&mut world), [1, 0, 0, 0]);
    for _ in 0..10 {
        world.put_message(&name, short.clone()).await.unwrap();
    }
    world.clock.advance(Duration::from_secs(10));
    // The first message after finds them gone, the second takes their rows along.
    for _ in 0..2 {
        assert_eq!(world.peek(&name, 1).await.unwrap().len(), 0);
        let message = put(&world, &name, "x").await;
        world.delete_message(&receipt(&name, &message)).await.unwrap();
    }
    assert_eq!(crate::tests::user::rows_of_queues(&mut world), [1, 0, 0, 0]);
}

async fn looking_changes_nothing(world: World) {
    let name = made(&world, "orders").await;
    for text in ["a", "b", "c"] {
        put(&world, &name, text).await;
    }
    for _ in 0..2 {
        let seen = world.peek(&name, 2).await.unwrap();
        assert_eq!((text_of(&seen), seen[0].dequeue_count), ("a b".to_owned(), 0));
    }
    receive(&world, &name, 1, HOUR).await;
    assert_eq!(text_of(&world.peek(&name, 9).await.unwrap()), "b c");
    assert_eq!(world.peek(&name, 0).await.unwrap(), []);
}

async fn the_host_s_messages_are_free_when_it_has_ended(mut world: World) {
    let name = made(&world, "orders").await;
    for text in ["a", "b", "c"] {
        put(&world, &name, text).await;
    }
    let a = world.receive(&name, 1, HOUR, Receiver::Host).await.unwrap().remove(0);
    let b = receive(&world, &name, 1, HOUR).await.remove(0);
    let a = world.update_message(&receipt(&name, &a), HOUR * 2, None).await.unwrap();
    for count in 2..4 {
        world.reopen();
        assert_eq!(world.delete_message(&receipt(&name, &a)).await, Err(QueueError::PopReceiptMismatch));
        let again = world.receive(&name, 1, HOUR, Receiver::Host).await.unwrap().remove(0);
        assert_eq!((again.text.as_str(), again.dequeue_count), ("a", count));
    }
    assert_eq!(text_of(&receive(&world, &name, 9, HOUR).await), "c", "b's client may still be there");
    assert_eq!(world.delete_message(&receipt(&name, &b)).await, Ok(()));
}

async fn a_delay_of_a_message_given_back_survives(mut world: World) {
    let name = made(&world, "orders").await;
    put(&world, &name, "x").await;
    let message = world.receive(&name, 1, HOUR, Receiver::Host).await.unwrap().remove(0);
    let back = world.give_back(&receipt(&name, &message), Duration::from_secs(10)).await.unwrap();
    assert_eq!(world.delete_message(&receipt(&name, &message)).await, Err(QueueError::PopReceiptMismatch));
    assert_eq!(back.visible, START.saturating_add(Duration::from_secs(10)));
    world.reopen();
    assert_eq!(receive(&world, &name, 1, HOUR).await, []);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(receive(&world, &name, 1, HOUR).await[0].dequeue_count, 2);
}

async fn ids_and_receipts_are_never_the_same(mut world: World) {
    let name = made(&world, "orders").await;
    let (mut ids, mut receipts) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..3 {
        for _ in 0..10 {
            let message = put(&world, &name, "x").await;
            ids.insert(message.id);
            receipts.insert(message.pop_receipt);
        }
        for message in receive(&world, &name, 10, HOUR).await {
            receipts.insert(message.pop_receipt.clone());
            world.delete_message(&receipt(&name, &message)).await.unwrap();
        }
        world.reopen();
    }
    assert_eq!((ids.len(), receipts.len()), (30, 60));
}

async fn a_receipt_of_another_queue_does_not_count(world: World) {
    let (one, other) = (made(&world, "one").await, made(&world, "other").await);
    let message = put(&world, &one, "x").await;
    assert_eq!(world.delete_message(&receipt(&other, &message)).await, Err(QueueError::MessageNotFound));
    assert_eq!(world.queue(&one).await.unwrap().messages, 1);
}

async fn a_clock_that_goes_back_hides_nothing_for_ever(mut world: World) {
    let name = made(&world, "orders").await;
    put(&world, &name, "x").await;
    world.receive(&name, 1, HOUR, Receiver::Host).await.unwrap();
    world.clock.set(Timestamp::from_unix_ms(1_600_000_000_000));
    world.reopen();
    assert_eq!(receive(&world, &name, 1, HOUR).await[0].dequeue_count, 2);
}
