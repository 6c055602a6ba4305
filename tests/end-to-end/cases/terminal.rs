//! What a person at a terminal is asked and shown while things go on: the end of a host, a question before something is removed, an
//! instance that is watched. Making projects is in `projects`.

use serde_json::json;
use std::process::Command;
use std::thread::ScopedJoinHandle;
use ureq::http::Method;

use crate::client::{Answer, Client, MANAGEMENT};
use crate::development::{Project, says};
use crate::host::{Host, Process};
use crate::terminal::{CONTROL_C, Terminal};

/// A host at a terminal, and where it answers.
fn host_at_terminal(project: &Project) -> (Terminal, Client) {
    let mut terminal = Terminal::run(|command| project.add_to(command, &["editions"], &["--ephemeral", "--verbose"]));
    terminal.wait_for("Ready in ");
    let shown = terminal.shown();
    let port = shown.split("http://localhost:").nth(1).and_then(|rest| rest.split('/').next()).expect("an address");
    let client = Client::new(&format!("http://localhost:{port}"));
    (terminal, client)
}

/// Runs `test` while a request takes so long.
fn with_slow_request(
    client: &Client,
    terminal: &mut Terminal,
    milliseconds: u32,
    test: impl FnOnce(&mut Terminal, ScopedJoinHandle<'_, Result<Answer, ureq::Error>>),
) {
    std::thread::scope(|scope| {
        let path = format!("/api/tarry?ms={milliseconds}");
        let request = scope.spawn(move || client.try_send(Method::GET, &path, ""));
        terminal.wait_for("▸ Tarry");
        test(terminal, request);
    });
}

#[test]
fn the_end_waits_for_what_runs_and_counts_down_in_one_line() {
    let project = Project::new();
    let (mut terminal, client) = host_at_terminal(&project);
    with_slow_request(&client, &mut terminal, 3_500, |terminal, request| {
        terminal.keys(CONTROL_C);
        terminal.wait_for("Press Ctrl+C again to stop at once.");
        let between = [
            terminal.wait_for("Stopping: 1 invocation is running"),
            terminal.wait_for("Stopping: 1 invocation is running"),
            terminal.wait_for("Stopping: 1 invocation is running"),
        ];
        // Each is written over the one before.
        assert!(between[1..].iter().all(|text| text.contains("\r\u{1b}[2K") && !text.contains('\n')), "{between:?}");
        let answer = request.join().expect("it does not panic").expect("the request is answered");
        assert_eq!(answer.expect(200).body, says(0));
    });
    terminal.wait_for("✓\u{1b}[0m Tarry");
    let (status, shown) = terminal.wait_for_end();
    assert_eq!(status.code(), Some(0), "{shown}");
    let last = shown.trim_end().rsplit(['\n', '\r']).next().unwrap_or_default().replace("\u{1b}[2K", "");
    assert!(last.starts_with("Stopped after ") && last.contains("1 invocation · 0 errors"), "{shown:?}");
}

#[test]
fn whoever_presses_it_twice_does_not_wait() {
    let project = Project::new();
    let (mut terminal, client) = host_at_terminal(&project);
    with_slow_request(&client, &mut terminal, 60_000, |terminal, request| {
        terminal.keys(CONTROL_C);
        terminal.wait_for("Press Ctrl+C again to stop at once.");
        terminal.keys(CONTROL_C);
        request.join().expect("it does not panic").expect_err("the host is gone");
    });
    let (status, shown) = terminal.wait_for_end();
    assert_eq!(status.code(), Some(130), "{shown}");
}

/// A host with instances that wait, of these names.
fn host_with_instances(project: &Project, ids: &[&str]) -> Host {
    let mut host = project.start(&["--ephemeral"]);
    for id in ids {
        host.client().start_as("Stay", id, &json!(null));
        host.look_until(&format!("{id} waits"), |client| {
            (client.explain(id)["waitingFor"][0]["kind"] == "Event").then_some(())
        });
    }
    host
}

/// `dacapo durable` at a terminal.
fn durable(host: &Host, arguments: &[&str]) -> Terminal {
    Terminal::run(|command| {
        command.arg("durable").args(arguments).args(["--url", host.origin()]);
    })
}

#[test]
fn a_person_is_asked_before_instances_are_purged() {
    let project = Project::new();
    let mut host = host_with_instances(&project, &["first"]);
    host.client().raise("first", "Go", &json!(null));
    host.wait_for_end("first");
    let is_there = |host: &Host| host.client().get(&format!("{MANAGEMENT}/instances/first")).status == 200;
    for (keys, ending, remains) in [("n", 1, true), ("\r", 1, true), ("y", 0, false)] {
        let mut terminal = durable(&host, &["purge-history", "first"]);
        terminal.wait_for("Purge first with its history?");
        terminal.wait_for("[y/N]");
        assert!(is_there(&host));
        terminal.keys(keys);
        let (status, shown) = terminal.wait_for_end();
        assert_eq!((status.code(), is_there(&host)), (Some(ending), remains), "{keys:?}: {shown}");
    }
    host.stop();
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let project = Project::new();
    let mut host = host_with_instances(&project, &["first"]);
    host.client().raise("first", "Go", &json!(null));
    host.wait_for_end("first");
    let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
    command.args(["durable", "purge-history", "first", "--url", host.origin()]);
    let (status, output) = Process::run(&mut command).wait_for_end();
    assert!(status.success() && !output.contains('?'), "{status}: {output}");
    host.client().get(&format!("{MANAGEMENT}/instances/first")).expect(404);
    host.stop();
}

#[test]
fn an_instance_is_watched_while_it_goes_on() {
    let project = Project::new();
    let host = host_with_instances(&project, &["first"]);
    let mut terminal = durable(&host, &["watch", "first"]);
    terminal.wait_for("Running");
    terminal.wait_for("Go");
    host.client().raise("first", "Go", &json!(null));
    // Drawn anew over what was drawn before: the cursor goes up.
    let between = terminal.wait_for("Completed");
    assert!(between.contains("\u{1b}[") && between.contains("A\r"), "{between:?}");
    let (status, shown) = terminal.wait_for_end();
    assert!(status.success() && shown.contains("\u{1b}[32m"), "{status}: {shown}");

    // Whoever has seen enough goes, and the instance stays.
    host.client().start_as("Stay", "second", &json!(null));
    let mut terminal = durable(&host, &["watch", "second"]);
    terminal.wait_for("Running");
    terminal.keys(CONTROL_C);
    let (status, shown) = terminal.wait_for_end();
    assert_eq!(status.code(), Some(130), "{shown}");
    assert_eq!(host.client().status("second")["runtimeStatus"], "Running");
    host.stop();
}
