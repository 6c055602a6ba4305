//! The executor against a world that only numbers tasks: wakes, cancellation, ends, and cost.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::future::{Either, LocalBoxFuture, join_all, select};
use futures::stream::{FuturesUnordered, StreamExt};

use crate::execution::{Driver, Durable, Execution, NextExecution, Outcome, Progress, Request, TaskId};
use crate::{Context, EntityId, Failure, Identity, Level, StartOptions, Timestamp};

#[derive(Default)]
struct Numbering {
    requested: Cell<TaskId>,
    cancelled: RefCell<Vec<TaskId>>,
    aborted: RefCell<Vec<TaskId>>,
    unlocked: Cell<u32>,
    next_input: RefCell<Option<String>>,
}

impl Durable for Rc<Numbering> {
    fn request(&self, _request: &Request) -> TaskId {
        self.requested.set(self.requested.get() + 1);
        self.requested.get()
    }

    fn cancel(&self, task: TaskId) {
        self.cancelled.borrow_mut().push(task);
    }

    fn abort(&self, task: TaskId) {
        self.aborted.borrow_mut().push(task);
    }

    fn signal_entity(&self, _: &EntityId, _: &str, _: &str, _: Option<Timestamp>) -> Result<(), Failure> {
        unreachable!("these orchestrators signal nobody")
    }

    fn unlock_entities(&self) {
        self.unlocked.set(self.unlocked.get() + 1);
    }

    fn send_event(&self, _: &str, _: &str, _: &str) -> Result<(), Failure> {
        unreachable!("these orchestrators send no events")
    }

    fn start_orchestration(&self, _: &str, _: &str, _: &StartOptions) -> Outcome {
        unreachable!("these orchestrators start nothing")
    }

    fn set_custom_status(&self, _status: Option<&str>) {}

    fn continue_as_new(&self, next: &NextExecution<'_>) {
        *self.next_input.borrow_mut() = Some(next.input.into());
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn new_guid(&self) -> String {
        String::new()
    }

    fn is_replaying(&self) -> bool {
        false
    }

    fn identity(&self) -> Identity {
        unreachable!("these orchestrators do not ask who they are")
    }

    fn log(&self, _level: Level, _message: &str) {}
}

/// Starts an orchestrator and polls it once.
fn start<F>(orchestrator: impl FnOnce(Context) -> F) -> (Rc<Numbering>, Driver, Progress)
where
    F: Future<Output = Outcome> + 'static,
{
    let world = Rc::new(Numbering::default());
    let execution = Execution::new(Rc::clone(&world));
    let future: LocalBoxFuture<'static, Outcome> = Box::pin(orchestrator(Context::new(Rc::clone(&execution))));
    let mut driver = Driver::new(execution, future);
    let progress = driver.run_until_waiting();
    (world, driver, progress)
}

fn ended(progress: Progress) -> Option<Outcome> {
    match progress {
        Progress::Waiting => None,
        Progress::Ended(outcome) => Some(outcome),
    }
}

fn number(task: TaskId) -> Outcome {
    Ok(task.to_string())
}

/// Joining a fan-out polls each child when it is asked for and when its own task is done, and never otherwise.
#[test]
fn a_fan_out_is_linear() {
    const WIDTH: u32 = 5_000;
    thread_local!(static POLLS: Cell<u32> = const { Cell::new(0) });
    let (world, mut driver, progress) = start(|ctx| async move {
        let calls = (0..WIDTH).map(|n| {
            let mut call = ctx.call_by_name::<u32>("Echo", &n);
            std::future::poll_fn(move |context| {
                POLLS.set(POLLS.get() + 1);
                std::pin::Pin::new(&mut call).poll(context)
            })
        });
        let results: Result<Vec<u32>, Failure> = join_all(calls).await.into_iter().collect();
        Ok(results?.iter().sum::<u32>().to_string())
    });
    assert!(ended(progress).is_none());
    assert_eq!((world.requested.get(), POLLS.get()), (WIDTH, WIDTH));
    for task in (2..=WIDTH).rev() {
        driver.deliver(task, number(task));
        assert!(ended(driver.run_until_waiting()).is_none());
    }
    driver.deliver(1, number(1));
    assert_eq!(ended(driver.run_until_waiting()), Some(Ok((WIDTH * (WIDTH + 1) / 2).to_string())));
    assert_eq!(POLLS.get(), 2 * WIDTH);
    assert!(world.cancelled.borrow().is_empty());
}

#[test]
fn calls_are_lazy_and_start_makes_them_eager() {
    let (world, mut driver, progress) = start(|ctx| async move {
        let unused = ctx.call_by_name::<u32>("Unused", &0);
        let second = ctx.call_by_name::<u32>("Second", &0).start();
        let first = ctx.call_by_name::<u32>("First", &0).await?;
        drop(unused);
        Ok(format!("{first} {}", second.await?))
    });
    assert!(ended(progress).is_none());
    assert_eq!(world.requested.get(), 2);
    driver.deliver(1, number(10));
    assert!(ended(driver.run_until_waiting()).is_none());
    driver.deliver(2, number(20));
    assert_eq!(ended(driver.run_until_waiting()), Some(Ok("20 10".into())));
    assert!(world.cancelled.borrow().is_empty());
}

#[test]
fn dropping_gives_up_what_is_not_done() {
    let (world, mut driver, progress) = start(|ctx| async move {
        let event = ctx.wait_for_event::<bool>("Approval");
        let deadline = ctx.sleep(std::time::Duration::from_secs(1));
        match select(event, deadline).await {
            Either::Left((approved, _deadline)) => Ok(format!("{:?}", approved?)),
            Either::Right(((), _event)) => Ok("late".into()),
        }
    });
    assert!(ended(progress).is_none());
    driver.deliver(1, Ok("true".into()));
    assert_eq!(ended(driver.run_until_waiting()), Some(Ok("true".into())));
    assert_eq!(*world.cancelled.borrow(), [2]);
}

#[test]
fn aborting_stops_what_is_not_done() {
    let (world, mut driver, progress) = start(|ctx| async move {
        let started = ctx.call_by_name::<u32>("Started", &0).start();
        let dropped = ctx.call_by_name::<u32>("Dropped", &0).abort_on_drop().start();
        let done = ctx.call_by_name::<u32>("Done", &0).start();
        ctx.call_by_name::<u32>("Never", &0).abort();
        ctx.sleep(std::time::Duration::from_secs(1)).await;
        started.abort();
        drop(dropped);
        done.abort();
        Ok("null".into())
    });
    assert!(ended(progress).is_none());
    assert_eq!(world.requested.get(), 4);
    driver.deliver(3, number(3));
    driver.deliver(4, Ok("null".into()));
    assert!(ended(driver.run_until_waiting()).unwrap().is_ok());
    assert_eq!((world.aborted.borrow().as_slice(), world.cancelled.borrow().as_slice()), (&[1, 2][..], &[][..]));
}

/// However a lock is let go, the host hears of it once.
#[test]
fn a_lock_is_released_once() {
    let account = || EntityId::new("Account", "a");
    // Held, then dropped or unlocked.
    for explicitly in [false, true] {
        let (world, mut driver, _) = start(|ctx| async move {
            let lock = ctx.lock([account()]).await?;
            ctx.call_by_name::<u32>("Work", &0).await?;
            if explicitly {
                lock.unlock();
            }
            Ok("null".into())
        });
        driver.deliver(1, Ok("null".into()));
        assert!(ended(driver.run_until_waiting()).is_none());
        assert_eq!(world.unlocked.get(), 0);
        driver.deliver(2, number(2));
        assert!(ended(driver.run_until_waiting()).is_some());
        assert_eq!((world.unlocked.get(), world.cancelled.borrow().len()), (1, 0));
    }
    // Given up before it was granted, and between its grant and its use.
    for granted in [false, true] {
        let (world, mut driver, _) = start(|ctx| async move {
            let mut wish = ctx.lock([account()]);
            std::future::poll_fn(|context| {
                drop(std::pin::Pin::new(&mut wish).poll(context));
                std::task::Poll::Ready(())
            })
            .await;
            ctx.call_by_name::<u32>("Work", &0).await?;
            drop(wish);
            Ok("null".into())
        });
        if granted {
            driver.deliver(1, Ok("null".into()));
        }
        driver.deliver(2, number(2));
        assert!(ended(driver.run_until_waiting()).is_some());
        assert_eq!((world.unlocked.get(), world.cancelled.borrow().len()), (1, usize::from(!granted)));
    }
}

/// A completion that was on its way when its task was given up wakes nobody.
#[test]
fn a_late_completion_is_dropped() {
    let (world, mut driver, _) = start(|ctx| async move {
        drop(ctx.call_by_name::<u32>("Dropped", &0).start());
        ctx.call_by_name::<u32>("Kept", &0).await.map(|n| n.to_string())
    });
    assert_eq!(*world.cancelled.borrow(), [1]);
    driver.deliver(1, number(1));
    assert!(ended(driver.run_until_waiting()).is_none());
    driver.deliver(2, number(2));
    driver.deliver(2, number(3));
    assert_eq!(ended(driver.run_until_waiting()), Some(Ok("2".into())));
}

#[test]
fn results_come_in_the_order_of_the_history() {
    let (_, mut driver, _) = start(|ctx| async move {
        let calls: FuturesUnordered<_> = (0..3).map(|n| ctx.call_by_name::<u32>("Echo", &n)).collect();
        let order: Vec<_> = calls.map(|result| result.unwrap_or(0)).collect().await;
        Ok(format!("{order:?}"))
    });
    for task in [3, 1] {
        driver.deliver(task, number(task));
        assert!(ended(driver.run_until_waiting()).is_none());
    }
    driver.deliver(2, number(2));
    assert_eq!(ended(driver.run_until_waiting()), Some(Ok("[3, 1, 2]".into())));
}

#[test]
fn waiting_for_nothing_durable_is_a_failure() {
    let (_, _, progress) = start(|_| std::future::pending());
    assert!(ended(progress).unwrap().unwrap_err().is("NothingToWaitFor"));
    // One that wakes itself is not stuck.
    let (_, _, progress) = start(|_| async {
        let mut polls = 0;
        std::future::poll_fn(|context| {
            polls += 1;
            context.waker().wake_by_ref();
            if polls < 3 { std::task::Poll::Pending } else { std::task::Poll::Ready(Ok("3".into())) }
        })
        .await
    });
    assert_eq!(ended(progress), Some(Ok("3".into())));
}

#[test]
fn continuing_as_new_ends_the_run_however_it_is_returned() {
    let ends: [fn(Context) -> LocalBoxFuture<'static, Outcome>; 3] = [
        |ctx| Box::pin(async move { ctx.continue_as_new(&1) }),
        // Not returned, and something is awaited that the host will never answer.
        |ctx| {
            Box::pin(async move {
                drop(ctx.continue_as_new::<()>(&1));
                ctx.call_by_name::<String>("Late", &0).await
            })
        },
        |ctx| {
            Box::pin(async move {
                drop(ctx.continue_as_new::<()>(&1));
                Ok("17".into())
            })
        },
    ];
    for end in ends {
        let (world, _driver, progress) = start(end);
        assert!(ended(progress).unwrap().is_ok());
        assert_eq!(world.next_input.borrow().as_deref(), Some("1"));
    }
    // A failure after it wins.
    let (_, _, progress) = start(|ctx| async move {
        drop(ctx.continue_as_new::<()>(&1));
        Err(Failure::new("Boom", "after all"))
    });
    assert!(ended(progress).unwrap().unwrap_err().is("Boom"));
}

#[test]
fn what_cannot_be_written_or_read_is_a_failure_of_the_call() {
    let unwritable = std::collections::BTreeMap::from([((1, 2), 3)]);
    let (world, _, progress) = start(|ctx| async move { ctx.call_by_name::<String>("Echo", &unwritable).await });
    assert!(ended(progress).unwrap().unwrap_err().is("InvalidPayload"));
    assert_eq!(world.requested.get(), 0);

    let (_, mut driver, _) = start(|ctx| async move { ctx.call_by_name::<String>("Echo", &0).await });
    driver.deliver(1, Ok("[]".into()));
    assert!(ended(driver.run_until_waiting()).unwrap().unwrap_err().is("InvalidPayload"));
}

#[test]
#[should_panic(expected = "options come before the start")]
fn options_after_the_start_are_refused() {
    start(|ctx| async move {
        let policy = crate::RetryPolicy::new(2, std::time::Duration::from_secs(1));
        ctx.call_by_name::<String>("Echo", &0).start().retry(policy).await
    });
}
