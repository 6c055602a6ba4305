//! A host process of its own for each measurement, on an empty data folder.

use crate::report::{Report, ms};
use anyhow::{Context, Result, anyhow};
use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const STARTS: usize = 5;

/// The binary to measure, if somebody named one.
static BINARY: OnceLock<PathBuf> = OnceLock::new();

/// A running host.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    /// The services of the storage endpoint.
    storage: BTreeMap<String, SocketAddr>,
    child: Child,
    /// Kept open so that the host never writes into a closed pipe.
    output: Lines<BufReader<ChildStdout>>,
    _data: Option<TempDir>,
}

/// What a host runs: a file of `function-manifests` and the crate of its guest.
pub(crate) struct App {
    manifest: &'static str,
    guest: &'static str,
}

/// Functions that do nothing.
pub(crate) const BENCH: App = App { manifest: "bench.toml", guest: "bench-functions" };
/// A queue function with bindings.
pub(crate) const TRIPS: App = App { manifest: "trips-by-queue.toml", guest: "trips-by-queue" };

/// Whether a host offers its storage to clients of Azure Storage, at any free ports.
#[derive(Clone, Copy)]
pub(crate) enum StorageEndpoint {
    /// As it is unless somebody turns it off.
    On,
    Off,
}

/// Measures this binary from now on, instead of one that is built.
pub(crate) fn use_binary(file: PathBuf) {
    // Called once, before anything is started.
    drop(BINARY.set(file));
}

/// What is measured.
pub(crate) fn binary() -> PathBuf {
    BINARY.get().cloned().unwrap_or_else(artifacts::host_binary)
}

impl Host {
    /// Starts the bench app on an empty data folder.
    pub(crate) async fn start() -> Result<Host> {
        Host::start_app(&BENCH, StorageEndpoint::On).await
    }

    /// Starts an app on an empty data folder.
    pub(crate) async fn start_app(app: &App, storage: StorageEndpoint) -> Result<Host> {
        let data = tempfile::tempdir_in(scratch_folder()?)?;
        let mut host = Host::start_in(data.path(), app, storage).await?;
        host._data = Some(data);
        Ok(host)
    }

    /// Starts an app on a data folder that other hosts may have used before.
    pub(crate) async fn start_in(data: &Path, app: &App, storage: StorageEndpoint) -> Result<Host> {
        artifacts::guest(app.guest);
        let mut command = Command::new(binary());
        command
            .arg("start")
            .arg(workspace().join("function-manifests").join(app.manifest))
            .args(["--output", "compact", "--port", "0", "--no-build", "--no-watch", "--data-dir"])
            .arg(data)
            .args(match storage {
                StorageEndpoint::On => &["--blob-port", "0", "--queue-port", "0", "--table-port", "0"][..],
                StorageEndpoint::Off => &["--no-storage-endpoint"],
            });
        Host::spawn(command).await
    }

    /// Builds, serves and watches the project in a folder.
    pub(crate) async fn start_project(folder: &Path) -> Result<Host> {
        let mut command = Command::new(binary());
        command.args(["start", "--output", "compact", "--port", "0", "--no-storage-endpoint"]).current_dir(folder);
        Host::spawn(command).await
    }

    async fn spawn(mut command: Command) -> Result<Host> {
        let spawned = command
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run {}", binary().display()));
        let mut child = spawned?;
        let stdout = child.stdout.take().context("the host's output is piped")?;
        let mut output = BufReader::new(stdout).lines();
        let (address, storage) = read_addresses(&mut output).await?;
        Ok(Host { address, storage, child, output, _data: None })
    }

    /// How long the build of the next reload took, by what the host prints.
    pub(crate) async fn built_in(&mut self) -> Result<Duration> {
        while let Some(line) = self.output.next_line().await? {
            let Some((_, rest)) = line.split_once(": built in ") else { continue };
            let seconds = rest.split_whitespace().next().context("a number follows")?;
            return Ok(Duration::from_secs_f64(seconds.parse()?));
        }
        Err(anyhow!("the host ended before it had built anything"))
    }

    /// Where a service of the storage endpoint answers: `queue` or `table`.
    pub(crate) fn storage(&self, service: &str) -> Option<SocketAddr> {
        self.storage.get(service).copied()
    }

    /// Ends the process, so that another may use its data folder.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Resident memory of the process.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        resident_bytes(self.pid()?)
    }

    /// CPU time that the process has used so far.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        cpu_time(self.pid()?)
    }

    /// The number of the process.
    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.id().context("the host has ended")
    }
}

/// Resident memory of a process.
pub(crate) fn resident_bytes(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in a process status")?;
    let kib = line.split_whitespace().next().context("no number behind VmRSS")?;
    Ok(kib.parse::<u64>()? * 1024)
}

/// CPU time that a process has used so far, user and system.
pub(crate) fn cpu_time(process: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit_once(')').context("a process stat line names the program in parentheses")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    // USER_HZ is 100 on every Linux that we know.
    Ok(Duration::from_millis(ticks * 10))
}

/// The host prints each HTTP function with its URL, each service of the storage endpoint, and then that it is ready.
async fn read_addresses(
    output: &mut Lines<BufReader<ChildStdout>>,
) -> Result<(SocketAddr, BTreeMap<String, SocketAddr>)> {
    let (mut functions, mut storage) = (None, BTreeMap::new());
    while let Some(line) = output.next_line().await? {
        if let Some((before, rest)) = line.split_once("http://") {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            if path.starts_with("devstoreaccount1") {
                storage.insert(before.trim().to_owned(), authority.parse()?);
            } else {
                functions = Some(authority.to_owned());
            }
        }
        if line.contains("Ready") {
            let authority = functions.context("the host printed no URL before it was ready")?;
            let mut addresses = authority.to_socket_addrs()?;
            let address = addresses.find(SocketAddr::is_ipv4);
            return Ok((address.with_context(|| format!("no IPv4 address for {authority}"))?, storage));
        }
    }
    Err(anyhow!("the host ended before it was ready"))
}

/// From starting the process to the first answer of an HTTP function, components in the ahead-of-time cache.
pub(crate) async fn measure_startup(report: &mut Report) -> Result<()> {
    let data = tempfile::tempdir_in(scratch_folder()?)?;
    Host::start_in(data.path(), &BENCH, StorageEndpoint::On).await?.stop().await?;
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let host = Host::start_in(data.path(), &BENCH, StorageEndpoint::On).await?;
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
    let folder = std::env::current_exe()?.with_file_name("bench-data");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Where cargo builds: this program is in the folder of its profile there.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().and_then(Path::parent).context("cargo builds into a folder of a folder")?;
    Ok(folder.to_owned())
}

/// The repository.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
