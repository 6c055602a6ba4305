//! What instances cost that only wait.

use crate::connection::Connection;
use crate::host::{Host, mib};
use crate::report::{Report, ms, percentile};
use anyhow::{Result, ensure};
use futures::future::try_join_all;
use http::{Method, StatusCode};
use std::time::Instant;

const INSTANCES: usize = 10_000;
const CLIENTS: usize = 50;
/// Longer than the measurement.
const SLEEP_MS: &str = "3600000";

/// Memory with 10,000 instances that wait for a timer, and how quickly one of them answers.
pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let host = Host::start().await?;
    let idle = host.resident_bytes()?;
    let address = host.address;
    let clients = (0..CLIENTS).map(|client| async move {
        let mut connection = Connection::open(address).await?;
        for number in 0..INSTANCES / CLIENTS {
            let path = format!("/runtime/webhooks/durabletask/orchestrators/Sleep/waiting-{client}-{number}");
            let (status, _) = connection.send(Method::POST, &path, SLEEP_MS).await?;
            ensure!(status == StatusCode::ACCEPTED, "starting {path} answered {status}");
        }
        anyhow::Ok(())
    });
    try_join_all(clients).await?;
    let mut connection = Connection::open(address).await?;
    until_all_run(&mut connection).await?;
    let waiting = host.resident_bytes()?;
    report.add(
        format!("memory with {INSTANCES} waiting instances"),
        format!("{} ({} above idle)", mib(waiting), mib(waiting.saturating_sub(idle))),
    );
    let mut times = Vec::new();
    for number in 0..INSTANCES / CLIENTS {
        let begun = Instant::now();
        let id = format!("waiting-{}-{number}", number % CLIENTS);
        let path = format!("/runtime/webhooks/durabletask/instances/{id}/terminate?reason=measured");
        let (status, _) = connection.send(Method::POST, &path, "").await?;
        ensure!(status == StatusCode::ACCEPTED, "terminating {id} answered {status}");
        times.push(begun.elapsed());
    }
    times.sort();
    let (p50, p99) = (ms(percentile(&times, 0.5)), ms(percentile(&times, 0.99)));
    report.add("a message to one of them, until durable", format!("p50 {p50}, p99 {p99}"));
    Ok(())
}

/// Each has run its first turn once none is pending any more.
async fn until_all_run(connection: &mut Connection) -> Result<()> {
    loop {
        let path = "/runtime/webhooks/durabletask/instances?runtimeStatus=Pending&top=1";
        let (_, body) = connection.send(Method::GET, path, "").await?;
        if serde_json::from_slice::<Vec<serde_json::Value>>(&body)?.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
