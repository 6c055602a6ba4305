//! `dacapo durable replay`: whether code fits a recorded history.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::Path;

use crate::client::MANAGEMENT;
use crate::host::{Host, Process};
use crate::renovation::{Renovation, after, before};
use crate::samples;

/// Runs the command, and answers its exit code and what it says.
pub(super) fn replay<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> (i32, String) {
    let mut all: Vec<_> = ["durable", "replay"].map(|word| OsStr::new(word).to_owned()).into();
    all.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
    let (status, output) = Process::spawn(all).wait_for_end();
    (status.code().expect("it ended by itself"), output)
}

/// Replays a history on a component; moments are redacted.
fn check(history: &Path, component: &Path, expected: &Expect) {
    let (code, output) = replay([history.as_os_str(), "--component".as_ref(), component.as_os_str()]);
    let shown: Vec<String> = output.lines().map(redact).collect();
    expected.assert_eq(&format!("exit code {code}\n{}", shown.join("\n")));
}

fn redact(line: &str) -> String {
    match line.split_once("\"timestamp\":\"") {
        Some((before, after)) => {
            let rest = after.split_once('"').map_or("", |(_, rest)| rest);
            format!("{before}\"timestamp\":\"..\"{rest}")
        }
        None => line.to_owned(),
    }
}

/// A host with one instance that waits and one that has ended.
fn host(app: &Renovation) -> Host {
    let mut host = app.start();
    let client = host.client();
    for id in ["waiting", "finished"] {
        client.start_as("Renovate", id, &json!(null));
        // An event that comes sooner is taken in one turn with the activity's result.
        host.look_until(&format!("{id} waits"), |client| (client.explain(id)["turns"] == 2).then_some(()));
    }
    client.raise("finished", "Dry", &json!(null));
    host.wait_for_end("finished");
    host
}

#[test]
fn histories_in_files_are_compared_with_code() {
    let app = Renovation::new("pinned");
    let host = host(&app);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for id in ["waiting", "finished"] {
        let history = host.client().get(&format!("{MANAGEMENT}/instances/{id}/history")).expect(200).body;
        std::fs::write(folder.path().join(id), history).expect("it can be written");
    }
    host.stop();
    check(
        &folder.path().join("finished"),
        &before(),
        &expect![[r#"
            exit code 0
            Fits: 'Renovate' does what the 15 events of the instance finished record, and ends as recorded."#]],
    );
    check(
        &folder.path().join("waiting"),
        &before(),
        &expect![[r#"
        exit code 0
        Fits: 'Renovate' does what the 7 events of the instance waiting record, and waits where they end."#]],
    );
    check(
        &folder.path().join("finished"),
        &after(),
        &expect![[r#"
        exit code 1
        Departs: 'Renovate' leaves the history of the instance finished at line 3 of the history
          {"eventType":"TaskScheduled","timestamp":"..","eventId":0,"name":"Paint","input":null}
          a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'Paint', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'Plaster'"#]],
    );
    check(
        &folder.path().join("waiting"),
        &after(),
        &expect![[r#"
        exit code 1
        Departs: 'Renovate' leaves the history of the instance waiting at line 3 of the history
          {"eventType":"TaskScheduled","timestamp":"..","eventId":0,"name":"Paint","input":null}
          a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'Paint', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'Plaster'"#]],
    );
}

#[test]
fn histories_are_fetched_from_a_host() {
    let app = Renovation::new("pinned");
    let host = host(&app);
    let from_host = |id: &str, code: &[&OsStr]| {
        let arguments =
            [OsStr::new(id), "--url".as_ref(), host.origin().as_ref(), "--output".as_ref(), "json".as_ref()];
        let (exit_code, output) = replay(arguments.into_iter().chain(code.iter().copied()));
        let verdict: Value = serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}"));
        (exit_code, verdict)
    };
    let manifest = app.manifest();
    let (code, verdict) = from_host("finished", &["--manifest".as_ref(), manifest.as_os_str()]);
    assert_eq!((code, &verdict["fits"], &verdict["outcome"]), (0, &json!(true), &json!("ends")), "{verdict:#}");
    let (code, verdict) = from_host("waiting", &["--component".as_ref(), before().as_os_str()]);
    assert_eq!((code, &verdict["fits"], &verdict["outcome"]), (0, &json!(true), &json!("waits")), "{verdict:#}");
    let (code, verdict) = from_host("waiting", &["--component".as_ref(), after().as_os_str()]);
    assert_eq!((code, &verdict["fits"], &verdict["outcome"]), (1, &json!(false), &json!("departs")), "{verdict:#}");
    assert_eq!((&verdict["line"], &verdict["event"]["name"]), (&json!(3), &json!("Paint")), "{verdict:#}");
    // It has looked, and touched nothing.
    assert_eq!(host.client().status("waiting")["runtimeStatus"], "Running");
    host.stop();
}

#[test]
fn a_question_that_cannot_be_answered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("it can be written");
        file.into_os_string()
    };
    let component = samples::repository_file("Cargo.toml").into_os_string();
    let started = r#"{"eventType":"OrchestratorStarted","timestamp":"2024-01-01T00:00:00.0000000Z"}"#;
    let word = |text: &str| OsStr::new(text).to_owned();
    for (arguments, words) in [
        (vec![word("some-instance")], "--component"),
        (vec![], "<INSTANCE-ID|FILE>"),
        (vec![word("no/such/file"), word("--component"), component.clone()], "there is no file no/such/file"),
        (vec![file("none", "nothing"), word("--component"), component.clone()], "line 1: it is no event"),
        (vec![file("early", started), word("--component"), component.clone()], "it has no event ExecutionStarted"),
        (
            vec![word("somebody"), word("--url"), word("http://127.0.0.1:1"), word("--component"), component.clone()],
            "no host that could know an instance",
        ),
    ] {
        let (code, output) = replay(&arguments);
        assert_eq!(code, 2, "{arguments:?}: {output}");
        assert!(output.contains(words), "{arguments:?}: {output}");
    }
}
