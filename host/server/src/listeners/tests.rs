//! Held back and let go, with listeners that end when the test says so.

use super::{HoldBack, Intake, Listen, Listeners};
use crate::shutdown::{Stop, Stopping};
use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

/// Two listeners: one ends as soon as it is asked to, the other one has work that the test lets end.
struct World {
    listeners: Arc<Listeners>,
    held_back: HoldBack,
    begun: Arc<AtomicUsize>,
    work: Arc<Semaphore>,
    stop: Option<Stop>,
    task: JoinSet<()>,
}

impl World {
    fn new() -> World {
        let (begun, work) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let listen: Listen = Box::new({
            let (begun, work) = (Arc::clone(&begun), Arc::clone(&work));
            move |stopping: &Stopping| -> Vec<BoxFuture<'static, ()>> {
                begun.fetch_add(1, Ordering::SeqCst);
                let (idle, busy, work) = (stopping.clone(), stopping.clone(), Arc::clone(&work));
                let works = async move {
                    busy.await;
                    work.acquire().await.expect("nobody closes it").forget();
                };
                vec![idle.boxed(), works.boxed()]
            }
        });
        let held_back = HoldBack::new();
        let (listeners, (stop, stopping)) = (Arc::new(Listeners::new(held_back.clone())), Stop::new());
        let mut task = JoinSet::new();
        task.spawn(Arc::clone(&listeners).run(listen, stopping));
        World { listeners, held_back, begun, work, stop: Some(stop), task }
    }

    async fn until(&self, wanted: Intake) {
        let mut intake = self.listeners.watch();
        intake.wait_for(|intake| *intake == wanted).await.expect("the sender is here");
        assert_eq!(self.listeners.intake(), wanted);
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn work_ends_before_the_intake_is_closed() {
    let world = World::new();
    assert_eq!(world.listeners.intake(), Intake::Open, "it is about to be");
    world.until(Intake::Open).await;
    world.held_back.hold_back();
    assert_eq!(world.listeners.intake(), Intake::Closing, "at once, for whoever asks next");
    world.until(Intake::Closing).await;
    world.held_back.hold_back();
    world.work.add_permits(1);
    world.until(Intake::Closed).await;
    world.held_back.let_go();
    world.until(Intake::Open).await;
    assert_eq!(world.begun(), 2, "once for each time that it was let go");
}

#[tokio::test]
async fn letting_go_does_not_wait_for_work_of_before() {
    let mut world = World::new();
    world.until(Intake::Open).await;
    world.held_back.hold_back();
    world.until(Intake::Closing).await;
    world.held_back.let_go();
    world.until(Intake::Open).await;
    assert_eq!(world.begun(), 2);
    // What ends now is of the first round, and the host goes on.
    world.work.add_permits(1);
    world.held_back.hold_back();
    world.until(Intake::Closing).await;
    world.work.add_permits(1);
    world.until(Intake::Closed).await;
    drop(world.stop.take());
    world.task.join_next().await.expect("a task").expect("it ends well");
}

#[tokio::test]
async fn the_end_waits_for_work() {
    let mut world = World::new();
    world.until(Intake::Open).await;
    drop(world.stop.take());
    world.until(Intake::Ending).await;
    world.held_back.let_go();
    assert_eq!(world.listeners.intake(), Intake::Ending, "it is too late");
    assert!(world.task.try_join_next().is_none(), "something is still at work");
    world.work.add_permits(1);
    let begun = world.begun();
    world.task.join_next().await.expect("a task").expect("it ends well");
    assert_eq!(begun, 1);
}

#[tokio::test]
async fn a_listener_that_ends_or_panics_is_noticed() {
    let run = |listen: Listen| {
        let (stop, stopping) = Stop::new();
        let mut task = JoinSet::new();
        task.spawn(Arc::new(Listeners::new(HoldBack::new())).run(listen, stopping));
        async move {
            let ended = task.join_next().await.expect("a task");
            drop(stop);
            ended
        }
    };
    let ends: Listen = Box::new(|_| vec![async {}.boxed(), std::future::pending().boxed()]);
    run(ends).await.expect("it ends by itself, which its owner notices");
    let (sender, receiver) = oneshot::channel::<()>();
    drop(sender);
    let receiver = std::sync::Mutex::new(Some(receiver));
    let panics: Listen = Box::new(move |_| {
        let receiver = receiver.lock().expect("nobody panicked here").take().expect("it is begun once");
        vec![async move { receiver.await.expect("the sender is gone") }.boxed()]
    });
    assert!(run(panics).await.expect_err("it panics").is_panic());
}

#[tokio::test]
async fn the_last_word_is_heard_before_the_task_of_the_listeners_runs_again() {
    // Often, because the order in which the task looks at what has happened is by chance.
    for _ in 0..50 {
        let (tell, told) = std::sync::mpsc::channel();
        let (finish, finished) = oneshot::channel::<()>();
        let finished = finished.map(|_| ()).shared();
        let (done, mut at_work) = tokio::sync::mpsc::unbounded_channel();
        let listen: Listen = Box::new(move |stopping: &Stopping| {
            tell.send(stopping.clone()).expect("the test listens");
            let (finished, done) = (finished.clone(), done.clone());
            let works = async move {
                finished.await;
                done.send(()).expect("the test listens");
            };
            vec![stopping.clone().boxed(), works.boxed()]
        });
        let (listeners, (stop, stopping)) = (Arc::new(Listeners::new(HoldBack::new())), Stop::new());
        let mut task = JoinSet::new();
        task.spawn(Arc::clone(&listeners).run(listen, stopping));
        listeners.watch().wait_for(|intake| *intake == Intake::Open).await.expect("the sender is here");
        let given = told.recv().expect("it has begun");
        assert!(given.clone().now_or_never().is_none());
        stop.ask();
        // There is one thread, and it is here.
        assert!(given.now_or_never().is_some());
        listeners.watch().wait_for(|intake| *intake == Intake::Ending).await.expect("the sender is here");
        // What is at work is not given up because another listener was quick to end.
        finish.send(()).expect("it is at work");
        assert_eq!(at_work.recv().await, Some(()));
        task.join_next().await;
    }
}
