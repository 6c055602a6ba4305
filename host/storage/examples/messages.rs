//! How many messages a second the stores put, receive and delete, and how many of a function's effects they commit:
//! `cargo run --release -p storage --example messages [callers ...]`.
//!
//! Each caller does one thing after the other: a put is one synced write, a receipt of one message another, its deletion
//! another. `cycles` are what a queue function does: a receipt, and one commit that deletes the message and puts another.

use futures::future::BoxFuture;
use orchestration::Timestamp;
use ports::{Clock, EffectStore, Effects, Metadata, NewMessage, QueueError, QueueStore, Receipt, Receiver};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use storage::{Settings, TaskHub};
use storage_model::QueueName;
use tokio::task::JoinSet;

/// How many messages each caller puts.
const MESSAGES: usize = 200;
const HOUR: Duration = Duration::from_secs(3_600);

struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "a measurement measures the world")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_ms(0).saturating_add(since)
    }

    #[expect(clippy::disallowed_methods, reason = "a measurement measures the world")]
    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
        let left = moment.saturating_since(self.now()).min(HOUR);
        Box::pin(tokio::time::sleep(left))
    }
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
async fn main() -> Result<(), Failed> {
    println!(
        "{:<10} {:>8} {:>10} {:>10} {:>10} {:>10}",
        "store", "callers", "puts/s", "receives/s", "deletes/s", "cycles/s"
    );
    let asked: Result<Vec<usize>, _> = std::env::args().skip(1).map(|text| text.parse()).collect();
    let numbers = Some(asked?).filter(|asked| !asked.is_empty()).unwrap_or_else(|| vec![1, 16, 64, 256]);
    for callers in numbers {
        let folder = tempfile::tempdir()?;
        let memory = storage::memory(Arc::new(WallClock), Settings::default());
        let embedded = storage::embedded(folder.path(), Arc::new(WallClock), Settings::default())?;
        for (name, hub) in [("memory", memory), ("embedded", embedded)] {
            let [puts, receives, deletes, cycles] = measure(Arc::new(hub), callers).await?;
            println!("{name:<10} {callers:>8} {puts:>10.0} {receives:>10.0} {deletes:>10.0} {cycles:>10.0}");
        }
    }
    Ok(())
}

/// What is measured, one after the other.
#[derive(Clone, Copy)]
enum Part {
    Puts,
    ReceivesAndDeletes,
    Cycles,
}

async fn measure(hub: Arc<TaskHub>, callers: usize) -> Result<[f64; 4], Failed> {
    for name in ["orders", "answers"] {
        hub.create_queue(&name.parse()?, Metadata::new()).await?;
    }
    let [puts, _] = all(&hub, callers, Part::Puts).await?;
    let [receives, deletes] = all(&hub, callers, Part::ReceivesAndDeletes).await?;
    all(&hub, callers, Part::Puts).await?;
    let [cycles, _] = all(&hub, callers, Part::Cycles).await?;
    Ok([puts, receives, deletes, cycles])
}

/// How many a second all callers together do, of each of the two things that the part is made of.
async fn all(hub: &Arc<TaskHub>, callers: usize, part: Part) -> Result<[f64; 2], Failed> {
    let mut rates = [0.0; 2];
    let mut held: Vec<Vec<Receipt>> = vec![Vec::new(); callers];
    for (rate, second) in rates.iter_mut().zip([false, true]) {
        let begin = WallClock.now();
        let mut running = JoinSet::new();
        for receipts in std::mem::take(&mut held) {
            running.spawn(one(Arc::clone(hub), part, second, receipts));
        }
        while let Some(done) = running.join_next().await {
            held.push(done??);
        }
        let taken = WallClock.now().saturating_since(begin);
        *rate = (callers * MESSAGES) as f64 / taken.as_secs_f64();
    }
    Ok(rates)
}

async fn one(hub: Arc<TaskHub>, part: Part, second: bool, held: Vec<Receipt>) -> Result<Vec<Receipt>, Failed> {
    let (from, to): (QueueName, QueueName) = ("orders".parse()?, "answers".parse()?);
    let mut receipts = Vec::new();
    match part {
        Part::Puts | Part::Cycles if second => {}
        Part::Puts => {
            for _ in 0..MESSAGES {
                hub.put_message(&from, NewMessage::new("x".repeat(100))).await?;
            }
        }
        Part::ReceivesAndDeletes if second => {
            for receipt in held {
                hub.delete_message(&receipt).await?;
            }
        }
        Part::ReceivesAndDeletes => {
            for _ in 0..MESSAGES {
                receipts.extend(receive(&hub, &from).await?);
            }
        }
        Part::Cycles => {
            for _ in 0..MESSAGES {
                let consumed = receive(&hub, &from).await?;
                let messages = vec![(to.clone(), NewMessage::new("y".repeat(100)))];
                hub.commit_effects(Effects { consumed, messages, ..Effects::default() }).await?;
            }
        }
    }
    Ok(receipts)
}

async fn receive(hub: &TaskHub, queue: &QueueName) -> Result<Vec<Receipt>, QueueError> {
    let received = hub.receive(queue, 1, HOUR, Receiver::Host).await?;
    let receipt = |message: ports::QueueMessage| Receipt {
        queue: queue.clone(),
        id: message.id,
        pop_receipt: message.pop_receipt,
    };
    Ok(received.into_iter().map(receipt).collect())
}
