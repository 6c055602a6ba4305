//! Waiting: as many workers wake as there is work, and one watches the clock for all.

use super::conformance;
use crate::tests::world::{LEASE, World, id, new, poll_once, ready, task, timer, waiting};
use futures::future::BoxFuture;
use futures::task::{ArcWake, waker};
use orchestration::Reuse;
use ports::{StoreError, TurnWork, WorkStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

conformance![
    one_piece_of_work_wakes_one_worker,
    as_many_wake_as_there_is_work,
    one_worker_watches_the_clock,
    the_watch_is_handed_over,
    a_worker_that_goes_away_passes_its_wake_on,
    workers_for_activities_watch_the_clock_too,
];

/// A worker whose wakes are counted.
struct Worker<'a> {
    future: BoxFuture<'a, Result<TurnWork, StoreError>>,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl ArcWake for Wakes {
    fn wake_by_ref(wakes: &Arc<Self>) {
        wakes.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl<'a> Worker<'a> {
    /// A worker that waits.
    fn new(world: &'a World) -> Worker<'a> {
        let mut worker = Worker { future: world.take_turn(), wakes: Arc::default() };
        assert_eq!(worker.poll(), None);
        worker
    }

    fn poll(&mut self) -> Option<TurnWork> {
        self.wakes.0.store(0, Ordering::Relaxed);
        let waker = waker(Arc::clone(&self.wakes));
        match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(work) => Some(work.unwrap()),
            Poll::Pending => None,
        }
    }

    fn is_woken(&self) -> bool {
        self.wakes.0.load(Ordering::Relaxed) > 0
    }
}

/// Polls whoever was woken until nobody is, and says how many polls that took and what was taken.
fn run(workers: &mut Vec<Worker<'_>>) -> (usize, Vec<TurnWork>) {
    let (mut polls, mut taken) = (0, Vec::new());
    while let Some(index) = workers.iter().position(Worker::is_woken) {
        polls += 1;
        if let Some(work) = workers[index].poll() {
            drop(workers.remove(index));
            taken.push(work);
        }
    }
    (polls, taken)
}

async fn one_piece_of_work_wakes_one_worker(world: World) {
    let mut workers: Vec<_> = (0..50).map(|_| Worker::new(&world)).collect();
    world.create(new("a"), Reuse::NEVER).await.unwrap();
    let (polls, taken) = run(&mut workers);
    assert_eq!(taken.len(), 1);
    assert!(polls <= 3, "{polls} polls for one turn");
}

async fn as_many_wake_as_there_is_work(world: World) {
    let mut workers: Vec<_> = (0..50).map(|_| Worker::new(&world)).collect();
    for n in 0..10 {
        world.create(new(&n.to_string()), Reuse::NEVER).await.unwrap();
    }
    assert!((10..=12).contains(&workers.iter().filter(|worker| worker.is_woken()).count()));
    let (polls, taken) = run(&mut workers);
    assert_eq!(taken.len(), 10);
    assert!(polls <= 24, "{polls} polls for ten turns");
}

async fn one_worker_watches_the_clock(world: World) {
    world.start("a").await;
    world.raise(&id("a"), "x").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.timers = vec![timer(1, 10)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    let mut workers: Vec<_> = (0..50).map(|_| Worker::new(&world)).collect();
    assert_eq!(world.clock.sleepers(), 1);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(workers.iter().filter(|worker| worker.is_woken()).count(), 1);
    let (polls, taken) = run(&mut workers);
    assert_eq!((taken.len(), world.clock.sleepers()), (1, 1));
    assert!(polls <= 4, "{polls} polls for one timer");
}

async fn the_watch_is_handed_over(world: World) {
    world.create(new("a"), Reuse::NEVER).await.unwrap();
    let work = world.turn().await;
    let watching = Worker::new(&world);
    let mut others: Vec<_> = (0..3).map(|_| Worker::new(&world)).collect();
    drop(watching);
    assert_eq!(run(&mut others).1, []);
    assert_eq!(world.clock.sleepers(), 1, "another watches");
    world.clock.advance(LEASE);
    let (_, taken) = run(&mut others);
    assert_eq!(taken.len(), 1);
    assert!(taken[0].lease.epoch > work.lease.epoch);
}

async fn a_worker_that_goes_away_passes_its_wake_on(world: World) {
    let mut workers: Vec<_> = (0..3).map(|_| Worker::new(&world)).collect();
    world.create(new("a"), Reuse::NEVER).await.unwrap();
    while let Some(woken) = workers.iter().position(Worker::is_woken).filter(|_| workers.len() > 1) {
        drop(workers.remove(woken));
    }
    assert_eq!(run(&mut workers).1.len(), 1, "the last one is woken and finds the turn");
}

async fn workers_for_activities_watch_the_clock_too(world: World) {
    world.start("a").await;
    world.raise(&id("a"), "x").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.activities = vec![task(&work, 1)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    let first = ready(world.take_activity()).await.unwrap().unwrap();
    let mut worker = world.take_activity();
    assert_eq!(poll_once(worker.as_mut()).await, None);
    world.clock.advance(LEASE);
    let second = poll_once(worker.as_mut()).await.expect("the expired activity is handed out").unwrap();
    assert!(second.lease.epoch > first.lease.epoch);
}
