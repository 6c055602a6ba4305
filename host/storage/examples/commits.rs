//! How many commits a second the stores take, and how long one takes:
//! `cargo run --release -p storage --example commits [callers ...]`.
//!
//! Each caller raises an event and commits the turn that it causes: one synced message and one synced checkpoint per round
//! that records a history entry of three events, rewrites the instance's row, schedules an activity and takes another's
//! result in.

use futures::future::BoxFuture;
use orchestration::{
    ActivityTask, Checkpoint, Event, EventId, EventKind, ExecutionId, ExecutionStarted, InstanceId, Json, NewInstance,
    Reuse, RuntimeStatus, Tags, Timeouts, Timestamp, TurnRecord,
};
use ports::{Clock, InstanceStore, StoreError, TurnWork, WorkStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};
use storage::{Settings, TaskHub};
use tokio::task::JoinSet;

const STEPS: u32 = 200;

struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "a measurement measures the world")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_ms(0).saturating_add(since)
    }

    #[expect(clippy::disallowed_methods, reason = "a measurement measures the world")]
    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
        let left = moment.saturating_since(self.now()).min(Duration::from_secs(3600));
        Box::pin(tokio::time::sleep(left))
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:<10} {:>8} {:>12} {:>14}", "store", "callers", "commits/s", "us a commit");
    let asked: Result<Vec<usize>, _> = std::env::args().skip(1).map(|text| text.parse()).collect();
    let numbers = Some(asked?).filter(|asked| !asked.is_empty()).unwrap_or_else(|| vec![1, 16, 64, 256]);
    for callers in numbers {
        let folder = tempfile::tempdir()?;
        let memory = storage::memory(Arc::new(WallClock), Settings::default());
        let embedded = storage::embedded(folder.path(), Arc::new(WallClock), Settings::default())?;
        for (name, hub) in [("memory", memory), ("embedded", embedded)] {
            let taken = measure(Arc::new(hub), callers).await?;
            let commits = callers * STEPS as usize;
            let (rate, each) =
                (commits as f64 / taken.as_secs_f64(), taken.as_secs_f64() * 1e6 * callers as f64 / commits as f64);
            println!("{name:<10} {callers:>8} {rate:>12.0} {each:>14.0}");
        }
    }
    Ok(())
}

/// Runs `callers` instances of [`STEPS`] activities each, with as many workers.
async fn measure(hub: Arc<TaskHub>, callers: usize) -> Result<Duration, StoreError> {
    for caller in 0..callers {
        hub.create(instance(caller)).await?;
    }
    let ended = Arc::new(AtomicUsize::new(0));
    let begin = WallClock.now();
    let mut workers = JoinSet::new();
    for _ in 0..callers {
        let (turns, activities, ended) = (Arc::clone(&hub), Arc::clone(&hub), Arc::clone(&ended));
        workers.spawn(async move {
            loop {
                let work = turns.take_turn().await?;
                let checkpoint = step(&work);
                let last = checkpoint.row.status.is_terminal();
                turns.commit(&work.lease, checkpoint).await?;
                turns.release(&work.lease).await?;
                if last && ended.fetch_add(1, Ordering::Relaxed) + 1 == callers {
                    return Ok::<(), StoreError>(());
                }
            }
        });
        workers.spawn(async move {
            loop {
                let work = activities.take_activity().await?;
                activities.complete_activity(&work.lease, Ok(work.task.input)).await?;
            }
        });
    }
    if let Some(first) = workers.join_next().await {
        first.unwrap_or(Ok(()))?;
    }
    let taken = WallClock.now().saturating_since(begin);
    workers.shutdown().await;
    Ok(taken)
}

fn instance(number: usize) -> NewInstance {
    let execution = ExecutionId::from_random(number as u128);
    NewInstance {
        id: InstanceId::from_random(number as u128),
        started: ExecutionStarted::new("Bench", payload(), execution),
        at: WallClock.now(),
        reuse: Reuse::ENDED,
        otherwise: None,
        idempotency_key: None,
    }
}

fn payload() -> Json {
    Json::from(format!("\"{}\"", "x".repeat(100)))
}

fn step(work: &TurnWork) -> Checkpoint {
    let mut row = work.row.clone();
    row.turns += 1;
    let last = row.turns >= STEPS;
    row.status = if last { RuntimeStatus::Completed } else { RuntimeStatus::Running };
    let id = EventId(row.turns);
    let task = ActivityTask {
        instance: row.id.clone(),
        execution: row.execution,
        id,
        name: "Greet".to_owned(),
        input: payload(),
        attempt: 1,
        timeouts: Timeouts::default(),
        tags: Tags::new(),
        caller: row.name.clone(),
        version: None,
        pinned_to: None,
    };
    let kinds = [
        EventKind::OrchestratorStarted,
        EventKind::TaskCompleted { scheduled: EventId(row.turns - 1), result: payload() },
        EventKind::TaskScheduled {
            id,
            name: task.name.clone(),
            input: payload(),
            retry_of: None,
            timeouts: Timeouts::default(),
            tags: Tags::new(),
        },
        EventKind::OrchestratorCompleted,
    ];
    let events = kinds.into_iter().map(|kind| Event { at: row.updated_at, kind }).collect();
    let record = TurnRecord { turn: row.turns - 1, events };
    let consumed = work.messages.iter().map(|message| message.origin).collect();
    Checkpoint {
        record: Some(record),
        activities: if last { Vec::new() } else { vec![task] },
        ..Checkpoint::of_row(row, consumed)
    }
}
