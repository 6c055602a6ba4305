//! Components: where they are, where they may send requests, how they are built.

use std::collections::BTreeMap;

use super::names::{self, quoted};
use crate::app::{Build, Component};
use crate::fields::{Placed, join};
use crate::file::{FileBuild, FileComponent};
use crate::outbound::OutboundHost;
use crate::problem::Report;

/// Longest path or command line in a manifest; Linux takes no longer path.
const MAX_PATH_BYTES: usize = 4_096;

pub(super) fn check(components: &[FileComponent], report: &Report<'_>) -> BTreeMap<String, Component> {
    components.iter().map(|component| (component.name.get_ref().clone(), check_one(component, report))).collect()
}

fn check_one(component: &FileComponent, report: &Report<'_>) -> Component {
    let path = join("components", component.name.get_ref());
    names::check(&component.name, &path, names::COMPONENT, report);
    let hosts_field = join(&path, "allowedOutboundHosts");
    let hosts = component.allowed_outbound_hosts.iter();
    Component {
        source: checked_path(component.source.as_ref(), &join(&path, "source"), report).unwrap_or_default(),
        allowed_outbound_hosts: hosts.filter_map(|host| outbound_host(host, &hosts_field, report)).collect(),
        build: component.build.as_ref().map(|build| check_build(build, &join(&path, "build"), report)),
    }
}

fn check_build(build: &FileBuild, path: &str, report: &Report<'_>) -> Build {
    let watch_field = join(path, "watch");
    Build {
        command: checked_path(build.command.as_ref(), &join(path, "command"), report).unwrap_or_default(),
        watch: build.watch.iter().filter_map(|glob| checked_path(Some(glob), &watch_field, report)).collect(),
        workdir: checked_path(build.workdir.as_ref(), &join(path, "workdir"), report),
    }
}

fn outbound_host(host: &Placed<String>, field: &str, report: &Report<'_>) -> Option<OutboundHost> {
    match host.get_ref().parse() {
        Ok(host) => Some(host),
        Err(reason) => {
            let what = format!("{} {reason}", quoted(host.get_ref()));
            let next =
                "write it like \"api.example.com\", \"https://*.example.com\" or \"localhost:8080\", without a path";
            report.add(&host.span(), field, what, next);
            None
        }
    }
}

/// A path, glob or command line: what is in it is between the author and the system, but there must be something.
fn checked_path(path: Option<&Placed<String>>, field: &str, report: &Report<'_>) -> Option<String> {
    let path = path?;
    let text = path.get_ref();
    let what = if text.trim().is_empty() {
        "is empty".to_owned()
    } else if text.len() > MAX_PATH_BYTES {
        format!("is longer than {MAX_PATH_BYTES} bytes")
    } else if text.chars().any(char::is_control) {
        format!("{} contains a control character", quoted(text))
    } else {
        return Some(text.clone());
    };
    report.add(&path.span(), field, what, "write one line of text; paths are relative to the manifest's folder");
    None
}
