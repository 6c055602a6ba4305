//! Whether the ports are free that an app and its storage endpoint listen on, and who has them otherwise.

use manifest::App;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use super::Finding;
use crate::accounts;
use crate::port::{self, Process};
use crate::storage_endpoint::DEFAULT_PORTS;

const SUBJECT: &str = "ports";

pub(super) fn look(functions: u16, app: Option<&App>, findings: &mut Vec<Finding>) {
    let storage = match app {
        Some(app) if accounts::connections(app).is_empty() => Need::Optional,
        Some(_) => Need::Required,
        None => Need::Optional,
    };
    let wanted = [
        (functions, "the functions", "choose another one with --port, or pass --find-free-port", Need::Required),
        (DEFAULT_PORTS.blob, "blobs", "choose another one with --blob-port, or pass --no-storage-endpoint", storage),
        (DEFAULT_PORTS.queue, "queues", "choose another one with --queue-port, or pass --no-storage-endpoint", storage),
        (DEFAULT_PORTS.table, "tables", "choose another one with --table-port, or pass --no-storage-endpoint", storage),
    ];
    for (number, purpose, remedy, need) in wanted {
        findings.push(judge(number, purpose, remedy, need, &PortState::of(number)));
    }
}

/// Whether a start goes on without the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// Whether a port of this machine can be listened on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PortState {
    Free,
    /// The process, if the system tells.
    Taken(Option<Process>),
    /// The reason.
    Refused(String),
}

impl PortState {
    fn of(number: u16) -> PortState {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, number)) {
            Ok(_) => PortState::Free,
            Err(error) if error.kind() == ErrorKind::AddrInUse => PortState::Taken(port::holder(number)),
            Err(error) => PortState::Refused(error.to_string()),
        }
    }
}

pub(super) fn judge(number: u16, purpose: &str, remedy: &str, need: Need, state: &PortState) -> Finding {
    let name = format!("port {number} for {purpose}");
    match state {
        PortState::Free => Finding::ok(SUBJECT, format!("{name} is free")),
        // A doctor is asked about apps that run, too.
        PortState::Taken(Some(process)) if process.is_dacapo() => Finding::warning(
            SUBJECT,
            format!("{name} is in use by a host: {process}"),
            format!("for one more host beside it, {remedy}"),
        ),
        PortState::Taken(process) => {
            let by = process.as_ref().map(|process| format!(" by {process}")).unwrap_or_default();
            let (what, remedy) = (format!("{name} is in use{by}"), format!("stop that process, {remedy}"));
            match need {
                Need::Required => Finding::problem(SUBJECT, what, remedy),
                Need::Optional => Finding::warning(SUBJECT, what, remedy),
            }
        }
        PortState::Refused(why) => Finding::problem(SUBJECT, format!("{name} cannot be listened on: {why}"), remedy),
    }
}
