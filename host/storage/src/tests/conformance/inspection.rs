//! What waits for an instance, and which apps are in use.

use super::conformance;
use crate::tests::world::{
    LEASE, START, World, continuing, ending, execution, id, later, new, new_execution, raised, task, timer, waiting,
};
use orchestration::{EventId, Json, Reuse, RuntimeStatus};
use ports::{Created, InstanceStore, Pending, PendingActivity, Purge, Sent, WorkStore};

conformance![
    pending_names_everything,
    pending_counts_attempts,
    pending_is_of_the_present_execution,
    apps_in_use_are_those_of_instances_that_may_run,
    apps_in_use_follow_the_row,
    the_idempotency_key_is_in_the_row,
];

async fn pending(world: &World, name: &str) -> Option<Pending> {
    world.pending(&id(name)).await.unwrap()
}

async fn pending_names_everything(mut world: World) {
    assert_eq!((pending(&world, "a").await, pending(&world, "@e@1").await), (None, None));
    let a = world.start("a").await;
    assert_eq!(pending(&world, "a").await, Some(Pending::default()));
    world.raise(&a, "x").await;
    let work = world.turn().await;
    let one = Pending { messages: 1, leased: true, ..Pending::default() };
    assert_eq!(pending(&world, "a").await, Some(one));
    let mut checkpoint = waiting(&work);
    checkpoint.activities = [5, 3, 4].map(|event| task(&work, event)).into();
    checkpoint.timers = vec![timer(7, 20), timer(6, 10)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    assert_eq!(world.send(later(&a, "later", 100)).await, Ok(Sent::Yes));
    assert_eq!(world.send(later(&a, "sooner", 50)).await, Ok(Sent::Yes));
    world.raise(&a, "x").await;
    let activities = |running: [Option<bool>; 3]| {
        let of =
            |(event, running): (u32, Option<bool>)| Some(PendingActivity { id: EventId(event), running: running? });
        (3..).zip(running).filter_map(of).collect::<Vec<_>>()
    };
    let expected = |running, messages| Pending {
        messages,
        scheduled: vec![later(&a, "", 50).deliver_at.unwrap(), later(&a, "", 100).deliver_at.unwrap()],
        leased: false,
        failed_attempts: 0,
        activities: activities(running),
        timers: vec![(EventId(6), timer(6, 10).fire_at), (EventId(7), timer(7, 20).fire_at)],
    };
    assert_eq!(pending(&world, "a").await, Some(expected([Some(false); 3], 1)));
    let first = world.take_activity().await.unwrap();
    let second = world.take_activity().await.unwrap();
    assert_eq!((first.task.id, second.task.id), (EventId(5), EventId(3)));
    world.complete_activity(&first.lease, Ok(Json::null())).await.unwrap();
    assert_eq!(pending(&world, "a").await, Some(expected([Some(true), Some(false), None], 2)));
    world.reopen();
    assert_eq!(pending(&world, "a").await, Some(expected([Some(false); 3], 1)), "as far as it is durable");
}

async fn pending_counts_attempts(world: World) {
    world.create(new("a"), Reuse::NEVER).await.unwrap();
    for attempts in 1..=3 {
        let work = world.turn().await;
        if attempts == 2 {
            world.clock.advance(LEASE);
            world.turn().await;
            assert_eq!(pending(&world, "a").await.unwrap().failed_attempts, attempts);
            world.clock.advance(LEASE);
            continue;
        }
        world.abandon(&work.lease, START).await.unwrap();
        let pending = pending(&world, "a").await.unwrap();
        assert_eq!((pending.leased, pending.messages), (false, 1));
    }
    let work = world.turn().await;
    assert_eq!(pending(&world, "a").await.unwrap().failed_attempts, work.failed_attempts);
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    assert_eq!(pending(&world, "a").await, Some(Pending::default()));
}

async fn pending_is_of_the_present_execution(world: World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.activities = vec![task(&work, 1)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.raise(&a, "x").await;
    let work = world.turn().await;
    world.commit(&work.lease, continuing(&work, "next")).await.unwrap();
    assert_eq!(pending(&world, "a").await, Some(Pending { messages: 1, ..Pending::default() }));
}

pub(super) async fn pinned(world: &World, name: &str, app: &str) {
    let mut new = new(name);
    new.started.pinned_to = Some(app.to_owned());
    assert_eq!(world.create(new, Reuse::ENDED).await, Ok(Created::Yes));
    let work = world.turn().await;
    assert_eq!(work.row.pinned_to.as_deref(), Some(app));
    world.commit(&work.lease, waiting(&work)).await.unwrap();
}

async fn check_apps(world: &mut World, expected: &[&str]) {
    for _ in 0..2 {
        assert_eq!(world.pinned_apps().await.unwrap(), expected);
        world.reopen();
    }
}

pub(super) async fn end(world: &World, name: &str, status: RuntimeStatus) {
    world.raise(&id(name), "stop").await;
    let work = world.turn().await;
    world.commit(&work.lease, ending(&work, status)).await.unwrap();
}

async fn apps_in_use_are_those_of_instances_that_may_run(mut world: World) {
    world.start("unpinned").await;
    check_apps(&mut world, &[]).await;
    for (name, app) in [("a", "one"), ("b", "two"), ("c", "one"), ("d", "three")] {
        pinned(&world, name, app).await;
    }
    check_apps(&mut world, &["one", "three", "two"]).await;
    end(&world, "a", RuntimeStatus::Completed).await;
    end(&world, "b", RuntimeStatus::Terminated).await;
    check_apps(&mut world, &["one", "three"]).await;
    assert_eq!(world.purge(&id("c"), Purge::Any).await, Ok(true));
    check_apps(&mut world, &["three"]).await;
    let mut next = new_execution("d", "next");
    next.started.pinned_to = Some("four".to_owned());
    assert_eq!(world.create(next, Reuse::ANY).await, Ok(Created::Yes));
    check_apps(&mut world, &["four"]).await;
}

/// Failed and rewound, and continued on another app.
async fn apps_in_use_follow_the_row(mut world: World) {
    pinned(&world, "a", "one").await;
    end(&world, "a", RuntimeStatus::Failed).await;
    check_apps(&mut world, &["one"]).await;
    let mut rewind = raised(&id("a"), "");
    rewind.kind = orchestration::MessageKind::RewindRequested { reason: String::new(), parent: None, latest: false };
    assert_eq!(world.send(rewind).await, Ok(Sent::Yes));
    let work = world.turn().await;
    world.commit(&work.lease, continuing(&work, "b")).await.unwrap();
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.row.status = RuntimeStatus::Running;
    world.commit(&work.lease, checkpoint).await.unwrap();
    check_apps(&mut world, &["one"]).await;
    world.raise(&id("a"), "go").await;
    let work = world.turn().await;
    let mut checkpoint = continuing(&work, "c");
    checkpoint.row.pinned_to = Some("two".to_owned());
    world.commit(&work.lease, checkpoint).await.unwrap();
    check_apps(&mut world, &["two"]).await;
}

async fn the_idempotency_key_is_in_the_row(mut world: World) {
    let mut new = new("a");
    new.idempotency_key = Some("key".to_owned());
    assert_eq!(world.create(new, Reuse::ENDED).await, Ok(Created::Yes));
    for _ in 0..2 {
        let row = world.read(&id("a"), false).await.unwrap().unwrap().row;
        assert_eq!((row.idempotency_key.as_deref(), row.execution), (Some("key"), execution("a")));
        let again = world.create(new_execution("a", "b"), Reuse::NEVER).await;
        assert_eq!(again, Ok(Created::Exists { row: Box::new(row) }));
        world.reopen();
    }
}
