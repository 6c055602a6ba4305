//! Measures a real host process from outside and prints one table; asserts nothing.
//!
//! `cargo bench-dacapo` measures everything; `cargo bench-dacapo --only http --only startup` a part. The load generator
//! runs on the same machine as the host, so throughput is shared between the two.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and waits; that is its purpose")]
#![expect(clippy::print_stdout, reason = "its table is its product")]

mod connection;
mod disk;
mod host;
mod http_hello;
mod reload;
mod report;
mod storage;
mod waiting;
mod workflows;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use report::Report;
use std::path::PathBuf;

/// Measures the Dacapo host: workflows, fan-out, long histories, HTTP, start-up, reloads, memory, and its storage endpoint beside Azurite.
#[derive(Parser)]
#[command(after_help = "Examples:\n  cargo bench-dacapo\n  cargo bench-dacapo --only workflows --seconds 10")]
struct Arguments {
    /// Measure only these parts.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// How long each throughput measurement runs.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Measure this binary instead of building one.
    #[arg(long, value_name = "FILE")]
    host: Option<PathBuf>,
    /// The azurite.js to compare the storage endpoint with, instead of the one that npm installs below the target folder.
    #[arg(long, value_name = "FILE")]
    azurite: Option<PathBuf>,
    /// Serve the bare hyper hello that the HTTP numbers are compared with; used by the benchmark itself.
    #[arg(long, hide = true)]
    serve_bare_hyper: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Workflows,
    FanOut,
    Sequence,
    Http,
    Startup,
    Reload,
    Waiting,
    Storage,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.serve_bare_hyper {
        return http_hello::serve_bare_hyper().await;
    }
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    if let Some(file) = arguments.host {
        host::use_binary(file);
    }
    let mut report = Report::new(disk::sync_latency()?);
    if wanted(Part::Startup) {
        host::measure_startup(&mut report).await?;
    }
    if wanted(Part::Reload) {
        reload::measure(&mut report).await?;
    }
    if wanted(Part::Workflows) {
        workflows::measure_short(&mut report, arguments.seconds).await?;
    }
    if wanted(Part::FanOut) {
        workflows::measure_fan_out(&mut report).await?;
    }
    if wanted(Part::Sequence) {
        workflows::measure_sequences(&mut report).await?;
    }
    if wanted(Part::Http) {
        http_hello::measure(&mut report, arguments.seconds).await?;
    }
    if wanted(Part::Waiting) {
        waiting::measure(&mut report).await?;
    }
    if wanted(Part::Storage) {
        storage::measure(&mut report, arguments.seconds, arguments.azurite.as_deref()).await?;
    }
    println!("\n{report}");
    Ok(())
}
