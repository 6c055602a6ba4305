//! An HTTP function that says hello, beside the same answer from a bare hyper server in a process of its own.

use crate::connection::Connection;
use crate::host::Host;
use crate::report::{Report, ms, percentile};
use anyhow::{Context, Result};
use bytes::Bytes;
use futures::future::try_join_all;
use http::{Method, Response};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 32;

/// Requests per second over 32 connections, for both.
pub(crate) async fn measure(report: &mut Report, seconds: u64) -> Result<()> {
    let program = std::env::current_exe()?;
    let mut bare = Command::new(program).arg("--serve-bare-hyper").stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let stdout = bare.stdout.take().context("the server's output is piped")?;
    let line = BufReader::new(stdout).lines().next_line().await?.context("the bare server printed no address")?;
    let bare_rate = load(report, "hello HTTP, bare hyper", line.parse()?, seconds).await?;
    bare.kill().await?;

    let host = Host::start().await?;
    let rate = load(report, "hello HTTP, a fresh guest instance per request", host.address, seconds).await?;
    report.add("hello HTTP, share of bare hyper", format!("{:.0} %", 100.0 * rate / bare_rate));
    Ok(())
}

async fn load(report: &mut Report, what: &str, address: SocketAddr, seconds: u64) -> Result<f64> {
    requests_until(address, Instant::now() + Duration::from_millis(500)).await?;
    let begun = Instant::now();
    let mut times = requests_until(address, begun + Duration::from_secs(seconds)).await?;
    let rate = times.len() as f64 / begun.elapsed().as_secs_f64();
    times.sort();
    let (p50, p99) = (ms(percentile(&times, 0.5)), ms(percentile(&times, 0.99)));
    report.add(what, format!("{rate:.0} requests/s, p50 {p50}, p99 {p99}"));
    Ok(rate)
}

async fn requests_until(address: SocketAddr, end: Instant) -> Result<Vec<Duration>> {
    let clients = (0..CONNECTIONS).map(|_| async move {
        let mut connection = Connection::open(address).await?;
        let mut times = Vec::new();
        while Instant::now() < end {
            let begun = Instant::now();
            let (status, _) = connection.send(Method::GET, "/api/hello", "").await?;
            anyhow::ensure!(status.is_success(), "hello answered {status}");
            times.push(begun.elapsed());
        }
        Ok(times)
    });
    Ok(try_join_all(clients).await?.into_iter().flatten().collect())
}

/// Prints its address and answers every request with the same few bytes, until it is killed.
pub(crate) async fn serve_bare_hyper() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        connections.spawn(async move {
            let hello = service_fn(|_| async {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"Hello, world!"))))
            });
            // A client that goes away ends its connection with an error; there is nobody to tell.
            let _closed = http1::Builder::new().serve_connection(TokioIo::new(stream), hello).await;
        });
    }
}
