//! The storage endpoint, beside Azurite under the same load: throughput, latency, memory, and how soon a message that was put
//! has had its function run.

mod azurite;
mod client;
mod load;

use crate::host::{BENCH, Host, StorageEndpoint, TRIPS, mib, scratch_folder};
use crate::report::{Report, ms, percentile};
use anyhow::{Context, Result, bail};
use azurite::Azurite;
use client::Client;
use load::{Figures, Load, Target};
use std::path::Path;
use std::time::{Duration, Instant};

const CONNECTIONS: [usize; 2] = [1, 32];
/// How many times Azurite's rate of sending and receiving the endpoint is to have.
const AIM: f64 = 20.0;
/// How many messages are put one after the other to see when their function has run.
const TRIPS_SENT: usize = 200;
/// Longer than any function's run takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything about the storage endpoint.
pub(crate) async fn measure(report: &mut Report, seconds: u64, azurite: Option<&Path>) -> Result<()> {
    let data = tempfile::tempdir_in(scratch_folder()?)?;
    // The first host compiles the app, which takes memory of its own.
    Host::start_in(data.path(), &BENCH, StorageEndpoint::Off).await?.stop().await?;
    let host = Host::start_in(data.path(), &BENCH, StorageEndpoint::Off).await?;
    let bare = host.resident_bytes()?;
    host.stop().await?;
    let host = Host::start_in(data.path(), &BENCH, StorageEndpoint::On).await?;
    let idle = host.resident_bytes()?;
    let ours = measure_target(target(&host)?, seconds).await?;
    let loaded = host.resident_bytes()?;
    host.stop().await?;
    let found = match azurite::find(azurite) {
        Ok(file) => {
            let azurite = Azurite::start(&file).await?;
            let idle = azurite.memory()?;
            let figures = measure_target(azurite.target, seconds).await?;
            Some((figures, idle, azurite.memory()?))
        }
        Err(problem) => {
            report.add("storage endpoint beside Azurite", format!("not compared: {problem}"));
            None
        }
    };
    let theirs = found.as_ref().map(|(figures, _, _)| figures.as_slice());
    compare(report, &ours, theirs);
    let above = |bytes: u64| format!("{} ({} above a host without it)", mib(bytes), mib(bytes.saturating_sub(bare)));
    report.add("memory with an idle storage endpoint", above(idle));
    report.add("memory after that load", above(loaded));
    if let Some((_, idle, loaded)) = found {
        report.add("memory of Azurite, idle and after the same load", format!("{idle}, {loaded}"));
    }
    measure_runs(report).await
}

fn target(host: &Host) -> Result<Target> {
    let address = |service| host.storage(service).with_context(|| format!("the host printed no {service} address"));
    Ok(Target { process: host.pid()?, queue: address("queue")?, table: address("table")? })
}

/// What was measured with that many connections, in the order of [`Load::ALL`].
type Round = (usize, Vec<Figures>);

async fn measure_target(target: Target, seconds: u64) -> Result<Vec<Round>> {
    let mut rounds = Vec::new();
    for connections in CONNECTIONS {
        rounds.push((connections, target.measure(connections, seconds).await?));
    }
    Ok(rounds)
}

/// A row for each load, and one for the aim.
fn compare(report: &mut Report, ours: &[Round], theirs: Option<&[Round]>) {
    for (round, (connections, figures)) in ours.iter().enumerate() {
        let mut ratios = Vec::new();
        for (place, load) in Load::ALL.into_iter().enumerate() {
            let mut text = in_words(&figures[place]);
            if let Some((_, azurite)) = theirs.map(|theirs| &theirs[round]) {
                let ratio = figures[place].per_second / azurite[place].per_second;
                text.push_str(&format!("; Azurite {}: {ratio:.1} times", in_words(&azurite[place])));
                ratios.push(ratio);
            }
            let plural = if *connections == 1 { "" } else { "s" };
            report.add(format!("{}, {connections} connection{plural}", load.name()), text);
        }
        // A single connection waits for the disk most of the time, whoever answers it.
        if let ([send, receive, ..], true) = (&ratios[..], *connections > 1) {
            let met = if send.min(*receive) >= AIM { "met" } else { "not met" };
            report.add(
                format!("sends and receives, {connections} connections, aim {AIM} times Azurite"),
                format!("{send:.1} and {receive:.1} times: {met}"),
            );
        }
    }
}

fn in_words(figures: &Figures) -> String {
    format!("{:.0}/s, p50 {}, {} us CPU", figures.per_second, ms(figures.p50), figures.cpu.as_micros())
}

/// From the moment at which a message is sent to the moment at which a client sees the row that its function wrote.
async fn measure_runs(report: &mut Report) -> Result<()> {
    let host = Host::start_app(&TRIPS, StorageEndpoint::On).await?;
    let target = target(&host)?;
    let mut queue = Client::of_queues(target.queue).await?;
    let mut table = Client::of_tables(target.table).await?;
    queue.create_queue("trip-requests").await?;
    let mut times = Vec::new();
    for number in 0..TRIPS_SENT {
        let row = format!("t{number}");
        let text = format!(r#"{{"id":"{row}","traveller":"Ada Lovelace","conference":"rust"}}"#);
        let begun = Instant::now();
        queue.put_message("trip-requests", &text).await?;
        while !table.finds("Trips", "rust", &row).await? {
            if begun.elapsed() > PATIENCE {
                bail!("the function of the message for {row} has not run within {} s", PATIENCE.as_secs());
            }
        }
        times.push(begun.elapsed());
    }
    times.sort();
    let (p50, p99) = (percentile(&times, 0.5), percentile(&times, 0.99));
    report.add(
        "from sending a message to the row of its function",
        format!("p50 {} ({}), p99 {}", ms(p50), report.in_syncs(p50), ms(p99)),
    );
    Ok(())
}
