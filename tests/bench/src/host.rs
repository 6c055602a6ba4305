//! A host process of its own for each measurement, on an empty data folder.

use crate::report::{Report, ms};
use anyhow::{Context, Result, anyhow};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const STARTS: usize = 5;

/// A running host with the bench app.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    child: Child,
    /// Kept open so that the host never writes into a closed pipe.
    _output: Lines<BufReader<ChildStdout>>,
    _data: Option<TempDir>,
}

impl Host {
    /// Starts the bench app on an empty data folder.
    pub(crate) async fn start() -> Result<Host> {
        let data = tempfile::tempdir_in(scratch_folder()?)?;
        let mut host = Host::start_in(data.path()).await?;
        host._data = Some(data);
        Ok(host)
    }

    async fn start_in(data: &Path) -> Result<Host> {
        let binary = artifacts::host_binary();
        artifacts::guest("bench-functions");
        let mut child = Command::new(&binary)
            .arg("start")
            .arg(workspace().join("function-manifests/bench.toml"))
            .args(["--port", "0", "--no-build", "--data-dir"])
            .arg(data)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let stdout = child.stdout.take().context("the host's output is piped")?;
        let mut output = BufReader::new(stdout).lines();
        let address = read_address(&mut output).await?;
        Ok(Host { address, child, _output: output, _data: None })
    }

    /// Ends the process, so that another may use its data folder.
    async fn stop(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Resident memory of the process.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        self.status_line("VmRSS:").map(|kib| kib * 1024)
    }

    /// CPU time that the process has used so far, user and system.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()?))?;
        let after_name = stat.rsplit_once(')').context("a process stat line names the program in parentheses")?.1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        // USER_HZ is 100 on every Linux that we know.
        Ok(Duration::from_millis(ticks * 10))
    }

    fn status_line(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
        let number = line.split_whitespace().next().with_context(|| format!("no number in {name}"))?;
        Ok(number.parse()?)
    }

    fn pid(&self) -> Result<u32> {
        self.child.id().context("the host has ended")
    }
}

/// The host prints each HTTP function with its URL, and then that it is ready.
async fn read_address(output: &mut Lines<BufReader<ChildStdout>>) -> Result<SocketAddr> {
    let mut authority = None;
    while let Some(line) = output.next_line().await? {
        if let Some((_, rest)) = line.split_once("http://") {
            authority = rest.split(['/', ' ']).next().map(str::to_owned);
        }
        if line.contains("Ready") {
            let authority = authority.context("the host printed no URL before it was ready")?;
            let mut addresses = authority.to_socket_addrs()?;
            return addresses.find(SocketAddr::is_ipv4).with_context(|| format!("no IPv4 address for {authority}"));
        }
    }
    Err(anyhow!("the host ended before it was ready"))
}

/// From starting the process to the first answer of an HTTP function, components in the ahead-of-time cache.
pub(crate) async fn measure_startup(report: &mut Report) -> Result<()> {
    let data = tempfile::tempdir_in(scratch_folder()?)?;
    Host::start_in(data.path()).await?.stop().await?;
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let host = Host::start_in(data.path()).await?;
        let mut connection = crate::connection::Connection::open(host.address).await?;
        connection.send(http::Method::GET, "/api/hello", "").await?;
        times.push(begun.elapsed());
        report_memory_once(report, &host, times.len())?;
        host.stop().await?;
    }
    times.sort();
    report.add("start-up to the first answer, median of 5", ms(times[STARTS / 2]));
    Ok(())
}

fn report_memory_once(report: &mut Report, host: &Host, starts: usize) -> Result<()> {
    if starts == 1 {
        report.add("memory of an idle host", mib(host.resident_bytes()?));
    }
    Ok(())
}

/// Mebibytes.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// A folder on the disk that holds the build, not a memory file system.
pub(crate) fn scratch_folder() -> Result<PathBuf> {
    let folder = artifacts::host_binary().with_file_name("bench-data");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
