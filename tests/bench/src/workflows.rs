//! Orchestrations over the management API: short ones at several levels of concurrency, fan-outs, long sequences.

use crate::connection::Connection;
use crate::host::Host;
use crate::report::{Report, ms, percentile};
use anyhow::Result;
use futures::future::try_join_all;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const CONCURRENCIES: [usize; 4] = [1, 16, 64, 256];
const STEPS: u32 = 5;
const REPEATS: usize = 5;

/// Workflows of five sequential activities, started and awaited by one request each.
pub(crate) async fn measure_short(report: &mut Report, seconds: u64) -> Result<()> {
    for concurrency in CONCURRENCIES {
        let host = Host::start().await?;
        let warm_up = Instant::now() + Duration::from_millis(500);
        run_until(host.address, concurrency, warm_up).await?;
        let cpu_before = host.cpu_time()?;
        let begun = Instant::now();
        let mut times = run_until(host.address, concurrency, begun + Duration::from_secs(seconds)).await?;
        let elapsed = begun.elapsed().as_secs_f64();
        let cpu = host.cpu_time()? - cpu_before;
        times.sort();
        let workflows = times.len() as f64 / elapsed;
        let steps = times.len() as u32 * STEPS;
        report.add(
            format!("{STEPS}-step workflows, {concurrency} at a time"),
            format!(
                "p50 {} ({}), p99 {}, {workflows:.0} workflows/s, {:.0} steps/s, {} us CPU/step",
                ms(percentile(&times, 0.5)),
                report.in_syncs(percentile(&times, 0.5)),
                ms(percentile(&times, 0.99)),
                workflows * f64::from(STEPS),
                cpu.as_micros() / u128::from(steps.max(1)),
            ),
        );
    }
    Ok(())
}

async fn run_until(address: SocketAddr, concurrency: usize, end: Instant) -> Result<Vec<Duration>> {
    let clients = (0..concurrency).map(|_| async move {
        let mut connection = Connection::open(address).await?;
        let mut times = Vec::new();
        while Instant::now() < end {
            let begun = Instant::now();
            connection.run_orchestration("Chain", &STEPS.to_string()).await?;
            times.push(begun.elapsed());
        }
        anyhow::Ok(times)
    });
    Ok(try_join_all(clients).await?.into_iter().flatten().collect())
}

/// One orchestration that starts many activities at once and joins them.
pub(crate) async fn measure_fan_out(report: &mut Report) -> Result<()> {
    for width in [100, 1000] {
        let host = Host::start().await?;
        let median = median_of(host.address, "FanOut", width).await?;
        report.add(format!("fan-out and join of {width}"), format!("{} ({})", ms(median), report.in_syncs(median)));
    }
    Ok(())
}

/// One orchestration of many sequential activities: the time per step must not grow with the history.
pub(crate) async fn measure_sequences(report: &mut Report) -> Result<()> {
    for length in [1000, 10_000] {
        let host = Host::start().await?;
        let median = median_of(host.address, "Chain", length).await?;
        report.add(
            format!("sequence of {length} steps"),
            format!("{} in all, {} a step", ms(median), ms(median / length)),
        );
    }
    Ok(())
}

async fn median_of(address: SocketAddr, orchestrator: &str, input: u32) -> Result<Duration> {
    let mut connection = Connection::open(address).await?;
    connection.run_orchestration(orchestrator, "3").await?;
    let mut times = Vec::new();
    let repeats = if input >= 10_000 { 1 } else { REPEATS };
    for _ in 0..repeats {
        let begun = Instant::now();
        connection.run_orchestration(orchestrator, &input.to_string()).await?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(percentile(&times, 0.5))
}
