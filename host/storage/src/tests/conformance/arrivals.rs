//! Waiting for messages: at once when there is one, pushed when one comes, by the clock when one becomes visible.

use super::conformance;
use crate::tests::user::{HOUR, put, queue, receipt, receive};
use crate::tests::world::{World, poll_once, ready};
use ports::{EffectStore, Effects, Metadata, NewMessage, QueueStore};
use std::pin::pin;
use std::time::Duration;

conformance![
    what_is_there_has_arrived,
    a_put_arrives,
    a_message_arrives_when_its_delay_ends,
    a_message_arrives_when_its_visibility_lapses,
    a_shorter_delay_arrives_first,
    a_message_that_is_shown_again_arrives,
    a_message_of_an_effect_arrives,
    everybody_who_waits_is_woken,
    whoever_gives_up_leaves_nothing,
    a_message_that_expires_does_not_arrive,
];

const SECOND: Duration = Duration::from_secs(1);

async fn what_is_there_has_arrived(mut world: World) {
    let name = queue("orders");
    world.create_queue(&name, Metadata::new()).await.unwrap();
    assert_eq!(ready(world.arrival(&name)).await, None);
    put(&world, &name, "x").await;
    for _ in 0..2 {
        assert_eq!(ready(world.arrival(&name)).await, Some(()));
        world.reopen();
    }
    receive(&world, &name, 1, HOUR).await;
    assert_eq!(ready(world.arrival(&name)).await, None);
}

async fn a_put_arrives(world: World) {
    let name = queue("orders");
    // The queue need not be there.
    let mut arrival = pin!(world.arrival(&name));
    assert_eq!(poll_once(arrival.as_mut()).await, None);
    world.create_queue(&name, Metadata::new()).await.unwrap();
    assert_eq!(poll_once(arrival.as_mut()).await, None);
    put(&world, &name, "x").await;
    arrival.await;
}

async fn a_message_arrives_when_its_delay_ends(world: World) {
    let name = queue("orders");
    world.create_queue(&name, Metadata::new()).await.unwrap();
    let mut arrival = pin!(world.arrival(&name));
    assert_eq!(poll_once(arrival.as_mut()).await, None);
    let late = NewMessage { delay: SECOND * 10, ..NewMessage::new("late") };
    world.put_message(&name, late).await.unwrap();
    assert_eq!(poll_once(arrival.as_mut()).await, None);
    world.clock.advance(SECOND * 9);
    assert_eq!(poll_once(arrival.as_mut()).await, None);
    world.clock.advance(SECOND);
    arrival.await;
}

async fn a_message_arrives_when_its_visibility_lapses(mut world: World) {
    let name = queue("orders");
    world.create_queue(&name, Metadata::new()).await.unwrap();
    put(&world, &name, "x").await;
    receive(&world, &name, 1, SECOND * 10).await;
    world.reopen();
    let mut arrival = pin!(world.arrival(&name));
    assert_eq!(poll_once(arrival.as_mut()).await, None);
    world.clock.advance(SECOND * 10);
    arrival.await;
    assert_eq!(receive(&world, &name, 1, HOUR).await.len(), 1);
}

async fn a_shorter_delay_arrives_first(world: World) {
    let name = queue("orders");
    world.create_queue(&name, Metadata::new()).await.unwrap();
    let delayed = |seconds| NewMessage { delay: SECOND * seconds, ..NewMessage::new("x") };
    world.put_message(&name, delayed(20)).await.unwrap();
    let mut arrival = pin!(world.arrival(&name));
    assert_eq!(poll_once(arrival.as_mut()).await, None);
    world.put_message(&name, delayed(30)).await.unwrap();
    world.put_message(&name, delayed(10)).await.unwrap();
    assert_eq!(poll_once(arrival.as_mut()).await, None);
    world.clock.advance(SECOND * 10);
    arrival.await;
}

async fn a_message_that_is_shown_again_arrives(world: World) {
    let name = queue("orders");
    world.create_queue(&name, Metadata::new()).await.unwrap();
    put(&world, &name, "x").await;
    let message = receive(&world, &name, 1, HOUR).await.remove(0);
    let mut arrival = pin!(world.arrival(&name));
    assert_eq!(poll_once(arrival.as_mut()).await, None);
    world.update_message(&receipt(&name, &message), Duration::ZERO, None).await.unwrap();
    arrival.await;
}

async fn a_message_of_an_effect_arrives(world: World) {
    let name = queue("orders");
    let mut arrival = pin!(world.arrival(&name));
    assert_eq!(poll_once(arrival.as_mut()).await, None);
    let messages = vec![(name.clone(), NewMessage::new("x"))];
    world.commit_effects(Effects { messages, ..Effects::default() }).await.unwrap();
    arrival.await;
}

async fn everybody_who_waits_is_woken(world: World) {
    let name = queue("orders");
    world.create_queue(&name, Metadata::new()).await.unwrap();
    let mut arrivals: Vec<_> = (0..5).map(|_| world.arrival(&name)).collect();
    for arrival in &mut arrivals {
        assert_eq!(poll_once(arrival.as_mut()).await, None);
    }
    put(&world, &name, "x").await;
    futures::future::join_all(arrivals).await;
}

async fn whoever_gives_up_leaves_nothing(world: World) {
    let name = queue("orders");
    world.create_queue(&name, Metadata::new()).await.unwrap();
    put(&world, &name, "x").await;
    receive(&world, &name, 1, HOUR).await;
    assert_eq!(ready(world.arrival(&name)).await, None);
    assert_eq!(world.clock.sleepers(), 0);
    {
        let mut arrival = pin!(world.arrival(&name));
        assert_eq!(poll_once(arrival.as_mut()).await, None);
        assert_eq!(world.clock.sleepers(), 1);
    }
    assert_eq!(world.clock.sleepers(), 0);
}

async fn a_message_that_expires_does_not_arrive(world: World) {
    let name = queue("orders");
    world.create_queue(&name, Metadata::new()).await.unwrap();
    let short = NewMessage { delay: SECOND * 10, time_to_live: Some(SECOND * 10), ..NewMessage::new("short") };
    world.put_message(&name, short).await.unwrap();
    let mut arrival = pin!(world.arrival(&name));
    assert_eq!(poll_once(arrival.as_mut()).await, None);
    world.clock.advance(SECOND * 10);
    assert_eq!(poll_once(arrival.as_mut()).await, None);
}
