//! Where the storage endpoint is, who has its ports if it is not, and what it answers to somebody who cannot sign.

use expect_test::expect;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use ureq::http::Method;

use super::storage_clients::storage_host;
use crate::account::Account;
use crate::host::{Host, Process};
use crate::samples;

const BAD_HOST: i32 = 1;

/// Where clients look that are told to use the emulator.
const BLOB_PORT: u16 = 10_000;

const QUEUE_APP: &str = r#"
[functions.Echo]
trigger = { type = "queueTrigger", queueName = "incoming" }
"#;

#[test]
fn it_can_be_left_out() {
    let manifest = samples::queue_jobs("without-endpoint", QUEUE_APP);
    let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
    command.arg("start").arg(&manifest).args(["--port", "0", "--no-build", "--ephemeral", "--no-storage-endpoint"]);
    let host = Host::ready(Process::run(&mut command));
    assert!(!host.greeting.to_lowercase().contains("storage endpoint"), "{}", host.greeting);
    host.stop();
}

#[test]
fn a_port_in_use_names_the_process_and_the_way_out() {
    let manifest = samples::queue_jobs("busy-port", QUEUE_APP);
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    for (flag, service) in [("--blob-port", "blob"), ("--queue-port", "queue"), ("--table-port", "table")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
        command.arg("start").arg(&manifest).args(["--port", "0", "--no-build", "--ephemeral"]);
        for other in ["--blob-port", "--queue-port", "--table-port"] {
            command.args([other, if other == flag { &port } else { "0" }]);
        }
        let (status, output) = Process::run(&mut command).wait_for_end();
        assert_eq!(status.code(), Some(BAD_HOST), "{output}");
        assert!(
            output.contains(&format!("port {port}, where the storage endpoint has its {service} service")),
            "{output}"
        );
        if cfg!(target_os = "linux") {
            assert!(output.contains(&format!("is in use by process {} (", std::process::id())), "{output}");
        }
        assert!(output.contains(flag) && output.contains("--no-storage-endpoint"), "{output}");
    }
}

#[test]
fn an_app_without_queues_goes_on_without_its_ports() {
    let _taken = take_port(BLOB_PORT);
    let start = |manifest: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
        command.arg("start").arg(manifest).args(["--port", "0", "--no-build", "--ephemeral"]);
        Process::run(&mut command)
    };
    let host = Host::ready(start(&samples::manifest("hello")));
    let notice = host.greeting.lines().find(|line| line.contains("No storage endpoint: ")).unwrap_or_default();
    assert!(
        notice.contains("port 10000, where the storage endpoint has its blob service, is in use"),
        "{}",
        host.greeting
    );
    host.client().get("/api/hello").expect(200);
    host.stop();

    // One with queues does not: somebody would look for them there.
    let (status, output) = start(&samples::queue_jobs("busy-default-port", QUEUE_APP)).wait_for_end();
    assert_eq!(status.code(), Some(BAD_HOST), "{output}");
    assert!(output.contains("--no-storage-endpoint"), "{output}");
}

/// Holds a port, or has it held by whoever does: another test's host, for as long as it lives.
fn take_port(port: u16) -> TcpListener {
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return listener,
            // Ends when its holder does, or when it has heard nothing for a while.
            Err(_) => drop(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map(|mut holder| holder.read(&mut [0]))),
        }
    }
}

#[test]
fn a_wrong_signature_is_answered_with_what_should_have_been_signed() {
    let (host, connection) = storage_host();
    let account = Account::new(&connection).with_wrong_key();
    let answer = account.ask_queues(Method::GET, "/incoming/messages?peekonly=true&numofmessages=3", "").expect(403);
    assert_eq!(answer.header("x-ms-error-code"), "AuthenticationFailed");
    let (before, signed) = answer.body.split_once("x-ms-date:").expect("it is said what was signed");
    let (_, signed) = signed.split_once('\n').expect("a date is a line");
    expect![[r#"
        x-ms-version:2024-11-04
        /devstoreaccount1/devstoreaccount1/incoming/messages'.</AuthenticationErrorDetail></Error>"#]]
    .assert_eq(signed);
    assert!(before.contains("AuthenticationFailed"), "{before}");

    let answer = account.ask_tables(Method::GET, "/Trips()?$top=1", "").expect(403);
    assert!(answer.body.contains("/devstoreaccount1/devstoreaccount1/Trips()"), "{answer:?}");
    host.stop();
}

#[test]
fn ids_of_messages_cannot_be_guessed_from_another_host() {
    let first_id = || {
        let (host, connection) = storage_host();
        let account = Account::new(&connection);
        account.create_queue("incoming");
        let body = "<QueueMessage><MessageText>hello</MessageText></QueueMessage>";
        let answer = account.ask_queues(Method::POST, "/incoming/messages", body).expect(201);
        host.stop();
        let (_, id) = answer.body.split_once("<MessageId>").expect("an id");
        id.split('<').next().expect("it ends").to_owned()
    };
    assert_ne!(first_id(), first_id());
}
