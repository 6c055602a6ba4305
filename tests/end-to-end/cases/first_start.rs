//! The first thing a newcomer does: start a sample that nobody has built, and look at what is printed.

use expect_test::expect;
use std::process::Command;

use crate::host::{ANY_STORAGE_PORTS, Host, Process};
use crate::samples;

/// What differs from run to run, in words.
fn redact(greeting: &str, host: &Host) -> String {
    let lines = greeting.lines().map(|line| {
        let line = line.replace(host.origin(), "<origin>").replace(env!("CARGO_PKG_VERSION"), "<version>");
        let (from, to, instead) = match line.as_str() {
            ready if ready.starts_with("Ready in ") => ("in ", "", "<time>"),
            app if app.starts_with("App: ") => ("(", ")", "<digest>"),
            storage if storage.contains("/devstoreaccount1") => ("127.0.0.1:", "/devstoreaccount1", "<port>"),
            _ => return line,
        };
        let (before, rest) = line.split_once(from).unwrap_or((&line, ""));
        let after = rest.find(to).filter(|_| !to.is_empty()).map_or("", |end| &rest[end..]);
        format!("{before}{from}{instead}{after}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn start_builds_the_app_and_lists_its_functions() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
    command
        .arg("start")
        .arg(samples::repository_manifest("hello"))
        .args(["--port", "0", "--ephemeral", "--output", "compact"])
        .args(ANY_STORAGE_PORTS);
    let host = Host::ready(Process::run(&mut command));
    expect![[r#"
        Building sdk ...
        Building standard ...

        Dacapo <version>
        App: hello 1.0.0 (<digest>), instances stay on the version that started them
        Store: memory only, ends with the process

        Functions:

        	Hello: [GET] <origin>/api/hello

        	Greet: [POST] <origin>/api/greetings/{language}

        	Echo: [GET,POST,DELETE,HEAD,PATCH,PUT,OPTIONS,TRACE] <origin>/api/echo

        Storage endpoint (UseDevelopmentStorage=true):
        	blob  http://127.0.0.1:<port>/devstoreaccount1
        	queue http://127.0.0.1:<port>/devstoreaccount1
        	table http://127.0.0.1:<port>/devstoreaccount1
        Ready in <time>"#]]
    .assert_eq(&redact(&host.greeting, &host));
    assert!(host.greeting.contains(" ms (after building for "), "{}", host.greeting);
    let answer = host.client().get("/api/hello?name=you").expect(200);
    assert_eq!((answer.body.as_str(), answer.header("content-length")), ("Hello, you!\n", "12"));
    host.stop();
}

#[test]
fn a_port_of_ones_own_and_no_colours_in_a_pipe() {
    let host = Host::start(&samples::manifest("hello"), ["--ephemeral"]);
    assert!(host.origin().starts_with("http://localhost:"), "{}", host.origin());
    assert!(!host.greeting.contains('\u{1b}'), "{:?}", host.greeting);
    host.stop();
}

#[test]
fn state_is_kept_beside_the_manifest_unless_somebody_says_otherwise() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let manifest = folder.path().join("app.toml");
    std::fs::copy(samples::manifest("hello"), &manifest).expect("it can be copied");
    let state = folder.path().join(".dacapo/hello");
    let host = Host::start::<&str>(&manifest, []);
    assert!(host.greeting.contains(&format!("Store: {}\n", state.display())), "{}", host.greeting);
    host.stop();
    assert!(state.is_dir() && folder.path().join(".dacapo/cache").is_dir());
}

#[test]
fn version_and_help_are_there() {
    for (argument, expected) in [("--version", "dacapo "), ("--help", "Exit codes:")] {
        let (status, output) = Process::spawn([argument]).wait_for_end();
        assert!(status.success() && output.contains(expected), "{argument}: {status}\n{output}");
    }
    let (status, output) = Process::spawn(["start", "--prot", "80"]).wait_for_end();
    assert_eq!(status.code(), Some(2));
    assert!(output.contains("'--port'"), "{output}");
}
