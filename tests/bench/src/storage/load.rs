//! The load: the same for whoever answers it.

use super::client::Client;
use crate::host::cpu_time;
use crate::report::percentile;
use anyhow::{Result, ensure};
use futures::future::try_join_all;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Where a storage service answers.
#[derive(Clone, Copy)]
pub(super) struct Target {
    /// Whose CPU time counts.
    pub(super) process: u32,
    pub(super) queue: SocketAddr,
    pub(super) table: SocketAddr,
}

/// What is measured.
#[derive(Clone, Copy)]
pub(super) enum Load {
    Send,
    ReceiveAndDelete,
    Insert,
    QueryByKey,
}

/// How often something was done in how long.
pub(super) struct Figures {
    pub(super) per_second: f64,
    pub(super) p50: Duration,
    /// Of whoever answers, each time.
    pub(super) cpu: Duration,
}

impl Load {
    /// In this order, each finds what the one before left.
    pub(super) const ALL: [Load; 4] = [Load::Send, Load::ReceiveAndDelete, Load::Insert, Load::QueryByKey];

    pub(super) fn name(self) -> &'static str {
        match self {
            Load::Send => "queue: sends",
            Load::ReceiveAndDelete => "queue: receives, each with its delete",
            Load::Insert => "table: inserts",
            Load::QueryByKey => "table: queries by key",
        }
    }
}

impl Target {
    /// All loads, one after the other, on a queue and a table of their own.
    pub(super) async fn measure(self, connections: usize, seconds: u64) -> Result<Vec<Figures>> {
        let (queue, table) = (format!("bench-{connections}"), format!("Bench{connections}"));
        Client::of_queues(self.queue).await?.create_queue(&queue).await?;
        Client::of_tables(self.table).await?.create_table(&table).await?;
        let mut all = Vec::new();
        let mut done = vec![0; connections];
        for load in Load::ALL {
            let cpu_before = cpu_time(self.process)?;
            let begun = Instant::now();
            let end = begun + Duration::from_secs(seconds);
            let callers = done.iter().enumerate().map(|(caller, inserted)| match load {
                Load::Send => tokio::spawn(send(self, queue.clone(), end)),
                Load::ReceiveAndDelete => tokio::spawn(receive_and_delete(self, queue.clone(), end)),
                Load::Insert => tokio::spawn(insert(self, table.clone(), caller, end)),
                Load::QueryByKey => tokio::spawn(query_by_key(self, table.clone(), caller, *inserted, end)),
            });
            let times = try_join_all(callers).await?.into_iter().collect::<Result<Vec<_>>>()?;
            let elapsed = begun.elapsed().as_secs_f64();
            let cpu = cpu_time(self.process)?.saturating_sub(cpu_before);
            done = times.iter().map(Vec::len).collect();
            let mut times = times.concat();
            ensure!(!times.is_empty(), "{}: nothing was done in {seconds} s", load.name());
            times.sort();
            let cpu = cpu.div_f64(times.len() as f64);
            all.push(Figures { per_second: times.len() as f64 / elapsed, p50: percentile(&times, 0.5), cpu });
        }
        Ok(all)
    }
}

async fn send(target: Target, queue: String, end: Instant) -> Result<Vec<Duration>> {
    let mut client = Client::of_queues(target.queue).await?;
    // As long as a small JSON document in base64.
    let text = "eyJ0cmF2ZWxsZXIiOiJBZGEifQ==".repeat(4);
    let mut times = Vec::new();
    while Instant::now() < end {
        let begun = Instant::now();
        client.put_message(&queue, &text).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// Ends earlier when the queue is empty.
async fn receive_and_delete(target: Target, queue: String, end: Instant) -> Result<Vec<Duration>> {
    let mut client = Client::of_queues(target.queue).await?;
    let mut times = Vec::new();
    while Instant::now() < end {
        let begun = Instant::now();
        let Some(receipt) = client.receive(&queue).await? else { break };
        client.delete_message(&queue, &receipt).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

async fn insert(target: Target, table: String, caller: usize, end: Instant) -> Result<Vec<Duration>> {
    let mut client = Client::of_tables(target.table).await?;
    let partition = format!("p{caller}");
    let mut times = Vec::new();
    while Instant::now() < end {
        let begun = Instant::now();
        client.insert(&table, &partition, &row_key(times.len())).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

async fn query_by_key(
    target: Target,
    table: String,
    caller: usize,
    inserted: usize,
    end: Instant,
) -> Result<Vec<Duration>> {
    let mut client = Client::of_tables(target.table).await?;
    let partition = format!("p{caller}");
    let mut times = Vec::new();
    while Instant::now() < end && inserted > 0 {
        let begun = Instant::now();
        // A prime: not in the order of insertion.
        let row = row_key(times.len().wrapping_mul(7_919) % inserted);
        ensure!(client.finds(&table, &partition, &row).await?, "{table} has lost {partition} {row}");
        times.push(begun.elapsed());
    }
    Ok(times)
}

fn row_key(number: usize) -> String {
    format!("r{number:08}")
}
