//! Getting the port to listen on, and telling who has it when somebody else does.

use anyhow::{Context, anyhow};
use std::fmt;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

/// How far `--find-free-port` looks: further away nobody would look for the app.
const PORTS_TO_TRY: u16 = 100;

/// What to do when the port is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfTaken {
    /// Say who has it and give up.
    Refuse,
    /// Take the next free one above.
    TakeNext,
}

/// Listens at `wanted`. Nothing is accepted until the caller does; clients that connect meanwhile wait.
///
/// # Errors
/// The port is in use (naming the process where the system tells), the address is not of this machine, or the port needs
/// rights that this process lacks.
pub(crate) fn bind(wanted: SocketAddr, if_taken: IfTaken) -> anyhow::Result<TcpListener> {
    let last = match if_taken {
        IfTaken::Refuse => wanted.port(),
        IfTaken::TakeNext => wanted.port().saturating_add(PORTS_TO_TRY),
    };
    for port in wanted.port()..=last {
        match TcpListener::bind(SocketAddr::new(wanted.ip(), port)) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => {
                let explanation = explain(error.kind(), SocketAddr::new(wanted.ip(), port));
                return Err(error).context(explanation);
            }
        }
    }
    Err(taken(wanted, last))
}

/// The process that listens on a port of this machine; none where the system does not tell, or does not tell us.
pub(crate) fn holder(port: u16) -> Option<Process> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let inodes: Vec<u64> = tables
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .collect();
    if inodes.is_empty() {
        return None;
    }
    let sockets: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let processes = std::fs::read_dir("/proc").ok()?;
    processes.flatten().find_map(|entry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        holds_one_of(&entry.path(), &sockets).then(|| Process { id, name: process_name(&entry.path()) })
    })
}

/// A process as a person would look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) id: u32,
    /// Empty when the system does not tell.
    pub(crate) name: String,
}

impl Process {
    /// The process of this id, by the name that it has now.
    pub(crate) fn with_id(id: u32) -> Process {
        Process { id, name: process_name(&Path::new("/proc").join(id.to_string())) }
    }

    /// Whether it is called as this program is.
    pub(crate) fn is_dacapo(&self) -> bool {
        self.name == env!("CARGO_BIN_NAME")
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            "" => write!(f, "process {}", self.id),
            name => write!(f, "process {} ({name})", self.id),
        }
    }
}

fn taken(wanted: SocketAddr, last: u16) -> anyhow::Error {
    let port = wanted.port();
    if last != port {
        return anyhow!("all ports from {port} to {last} of {} are in use; choose another with --port", wanted.ip());
    }
    let by = holder(port).map(|process| format!(" by {process}")).unwrap_or_default();
    anyhow!("port {port} is in use{by}; stop that process, choose another port with --port, or pass --find-free-port")
}

fn explain(kind: ErrorKind, at: SocketAddr) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's list of errors is open")]
    match kind {
        ErrorKind::AddrNotAvailable => {
            format!("{} is no address of this machine; choose another with --address", at.ip())
        }
        ErrorKind::PermissionDenied => {
            format!(
                "no permission to listen on port {}; ports below 1024 are kept for root, choose a higher --port",
                at.port()
            )
        }
        _ => format!("cannot listen on {at}"),
    }
}

/// The sockets that listen on `port`, from the text of `/proc/net/tcp`: after a heading, one line each with the local address
/// in the second column (`0100007F:1B9F`), the state in the fourth (`0A` listens) and the inode in the tenth.
fn listening_inodes(table: &str, port: u16) -> Vec<u64> {
    let inode = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (_, local_port) = columns.get(1)?.rsplit_once(':')?;
        let listens = *columns.get(3)? == "0A" && u16::from_str_radix(local_port, 16).ok()? == port;
        if listens { columns.get(9)?.parse().ok() } else { None }
    };
    table.lines().skip(1).filter_map(inode).collect()
}

fn holds_one_of(process: &Path, sockets: &[String]) -> bool {
    let Ok(open_files) = std::fs::read_dir(process.join("fd")) else { return false };
    open_files
        .flatten()
        .filter_map(|file| std::fs::read_link(file.path()).ok())
        .any(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str()))
}

fn process_name(process: &Path) -> String {
    std::fs::read_to_string(process.join("comm")).map(|name| name.trim_end().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use std::net::Ipv4Addr;

    fn check_error(wanted: SocketAddr, expected: &Expect) {
        let error = bind(wanted, IfTaken::Refuse).expect_err("this address cannot be had");
        let message = error.to_string().replace(&wanted.port().to_string(), "PORT");
        expected.assert_eq(&message.replace(&std::process::id().to_string(), "PID"));
    }

    #[test]
    fn listening_sockets_are_found_by_port() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1B9F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 5051 1 0 100 0 0 10 0
   1: 0100007F:1B9F 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 5052 1 0 20 4 30 10 -1
   2: 0100007F:1BA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 5053 1 0 100 0 0 10 0
   garbage
";
        assert_eq!(listening_inodes(table, 7071), [5051]);
        assert_eq!(listening_inodes(table, 80), [0_u64; 0]);
        assert_eq!(listening_inodes("", 80), [0_u64; 0]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_that_has_the_port_is_named() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
        let address = taken.local_addr().expect("it is bound");
        assert_eq!(holder(address.port()).map(|process| process.id), Some(std::process::id()));
        let error = bind(address, IfTaken::Refuse).expect_err("the port is taken").to_string();
        assert!(error.contains(&format!("in use by process {} (", std::process::id())), "{error}");
    }

    #[test]
    fn the_next_free_port_is_taken_on_demand() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
        let address = taken.local_addr().expect("it is bound");
        let found = bind(address, IfTaken::TakeNext).expect("one of a hundred is free");
        assert!(found.local_addr().expect("it is bound").port() > address.port());
    }

    #[test]
    fn an_address_of_another_machine_is_refused() {
        // 192.0.2.0/24 is kept for documentation: no machine has it.
        let address = SocketAddr::from(([192, 0, 2, 1], 7071));
        check_error(address, &expect!["192.0.2.1 is no address of this machine; choose another with --address"]);
    }
}
