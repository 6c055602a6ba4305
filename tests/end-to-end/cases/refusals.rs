//! What `dacapo start` refuses to start: each with a text that says what is wrong, where, and what to do.

use expect_test::{Expect, expect};
use std::net::TcpListener;
use std::path::Path;
use tempfile::TempDir;

use crate::host::{Host, refused};
use crate::samples;

const BAD_HOST: i32 = 1;
const BAD_APP: i32 = 3;

/// A folder with a manifest in it.
fn folder_with(manifest: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("app.toml"), manifest).expect("it can be written");
    folder
}

/// Starts the app in `folder`, which must be refused with this code and text.
fn check_in(folder: &Path, code: i32, expected: &Expect) {
    let manifest = folder.join("app.toml");
    let (exit_code, output) = refused([manifest.as_os_str(), "--port".as_ref(), "0".as_ref(), "--ephemeral".as_ref()]);
    let shown: Vec<&str> = output.lines().map(without_time).collect();
    let shown = shown.join("\n").replace(&folder.display().to_string(), "<folder>");
    expected.assert_eq(&format!("exit code {exit_code}\n{}", shown.trim_end()));
    assert_eq!(exit_code, code);
}

/// `12:34:56  [host] ...` without what differs each time.
fn without_time(line: &str) -> &str {
    match line.split_once("  [host] ") {
        Some((time, text)) if time.len() == "12:34:56".len() && time.is_ascii() => text,
        Some(_) | None => line,
    }
}

fn check(manifest: &str, code: i32, expected: &Expect) {
    check_in(folder_with(manifest).path(), code, expected);
}

/// An app with one component from a file and one activity in it.
fn app_with(source: &str, function: &str) -> String {
    format!(
        r#"[app]
name = "trips"
version = "1.0.0"
[components.booking]
source = "{source}"
[functions.{function}]
trigger = {{ type = "activityTrigger" }}
"#
    )
}

#[test]
fn every_problem_of_a_broken_manifest_is_named_at_once() {
    let manifest = r#"[app]
name = "trips"
verson = "1.0.0"
[components.booking]
source = "booking.wasm"
[functions.StartTrip]
trigger = { type = "httpTrigger", methods = ["pots"], route = "trips/{conference" }
[functions.BookTrip]
component = "bookings"
trigger = { type = "orchestrationTriger" }
"#;
    check(
        manifest,
        BAD_APP,
        &expect![[r#"
        exit code 3
        error: the manifest has 6 problems
        <folder>/app.toml:1: app.version: is missing; add `version = "1.0.0"`
        <folder>/app.toml:3: app.verson: unknown field; did you mean `version`?
        <folder>/app.toml:7: functions.StartTrip.trigger.methods: "pots" is not an HTTP method that a trigger can list; use get, post, delete, head, patch, put, options, trace; an empty list means all
        <folder>/app.toml:7: functions.StartTrip.trigger.route: "trips/{conference": `{conference` has no end; close it with `}`; braces inside a constraint are doubled
        <folder>/app.toml:9: functions.BookTrip.component: there is no component "bookings"; did you mean `booking`?
        <folder>/app.toml:10: functions.BookTrip.trigger.type: `orchestrationTriger` is not a trigger type; did you mean `orchestrationTrigger`?"#]],
    );
}

#[test]
fn two_functions_on_one_route() {
    let manifest = r#"[app]
name = "trips"
version = "1.0.0"
[components.booking]
source = "booking.wasm"
[functions.StartTrip]
trigger = { type = "httpTrigger", methods = ["post"], route = "trips/{conference}" }
[functions.BookTrip]
trigger = { type = "httpTrigger", methods = ["post", "put"], route = "Trips/{conference}/" }
"#;
    check(
        manifest,
        BAD_APP,
        &expect![[r#"
        exit code 3
        error: the manifest has a problem
        <folder>/app.toml:9: functions.BookTrip.trigger.route: `StartTrip` on line 6 and `BookTrip` on line 8 answer the same requests, `trips/{conference}` and `Trips/{conference}`; change one of the routes, or list methods that differ"#]],
    );
}

#[test]
fn a_manifest_that_is_not_there() {
    let folder = folder_with("");
    std::fs::rename(folder.path().join("app.toml"), folder.path().join("other.toml")).expect("it can be renamed");
    check_in(
        folder.path(),
        BAD_APP,
        &expect![[r#"
        exit code 3
        error: there is no manifest <folder>/app.toml; check the path; there is: <folder>/other.toml"#]],
    );
}

#[test]
fn a_component_that_is_not_there() {
    check(
        &app_with("missing.wasm", "BookFlight"),
        BAD_APP,
        &expect![[r#"
        exit code 3
        error: the app has a problem
        component 'booking': there is no file <folder>/missing.wasm; build it, or correct the component's `source`"#]],
    );
}

#[test]
fn a_component_that_is_none() {
    let folder = folder_with(&app_with("booking.wasm", "BookFlight"));
    std::fs::write(folder.path().join("booking.wasm"), "not WebAssembly").expect("it can be written");
    check_in(
        folder.path(),
        BAD_APP,
        &expect![[r#"
        exit code 3
        error: the app has a problem
        component 'booking': <folder>/booking.wasm is no WebAssembly file (it does not begin with \0asm); `source` names the .wasm file that the build makes"#]],
    );
}

#[test]
fn a_core_module_instead_of_a_component() {
    let folder = folder_with(&app_with("booking.wasm", "BookFlight"));
    let empty_module = b"\0asm\x01\0\0\0";
    std::fs::write(folder.path().join("booking.wasm"), empty_module).expect("it can be written");
    check_in(
        folder.path(),
        BAD_APP,
        &expect![[r#"
        exit code 3
        error: the app has a problem
        component 'booking': <folder>/booking.wasm is a core WebAssembly module, not a component; build it for the target wasm32-wasip2 (`rustup target add wasm32-wasip2`, then `cargo build --release --target wasm32-wasip2`), or turn it into a component with `wasm-tools component new`"#]],
    );
}

#[test]
fn a_function_that_the_component_lacks() {
    let guest = artifacts::guest("conference-booking");
    let folder = folder_with(&app_with("booking.wasm", "BookShip"));
    std::fs::copy(guest, folder.path().join("booking.wasm")).expect("it can be copied");
    check_in(
        folder.path(),
        BAD_APP,
        &expect![[r#"
        exit code 3
        error: the app has a problem
        <folder>/app.toml:6: function 'BookShip': the component 'booking' has no activity named 'BookShip'; it has: Approve (HTTP function), ApprovedTrip (orchestrator), BookConference (activity), BookFlight (activity), BookHotel (activity), BookTrain (activity), BookTrip (orchestrator), CancelBooking (activity), CombinedTrips (orchestrator), Compensating (orchestrator), EmailCampaign (orchestrator), FlightOrTrain (orchestrator), FlightWithRetry (orchestrator), ParallelTrips (orchestrator), PriceWatch (orchestrator), ReportExpenses (activity), SendEmail (activity), Sequential (orchestrator), StartApprovedTrip (HTTP function), StartBookTrip (HTTP function), StartCombinedTrips (HTTP function), StartCompensating (HTTP function), StartEmailCampaign (HTTP function), StartFlightOrTrain (HTTP function), StartFlightWithRetry (HTTP function), StartParallelTrips (HTTP function), StartPriceWatch (HTTP function), StartSequential (HTTP function)"#]],
    );
}

#[test]
fn a_build_that_fails() {
    let build = "[components.booking.build]\ncommand = \"echo cannot build today >&2; exit 7\"\n";
    let manifest = app_with("booking.wasm", "BookFlight") + build;
    check(
        &manifest,
        BAD_APP,
        &expect![[r#"
        exit code 3
        Building booking ...
        cannot build today
        error: component 'booking' cannot be built: `echo cannot build today >&2; exit 7` in <folder> ended with exit status: 7; correct what it says above, or start with --no-build to run what was built before"#]],
    );
}

#[test]
fn a_port_in_use_names_the_process() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let manifest = samples::manifest("hello");
    let (code, output) = refused([
        manifest.as_os_str(),
        "--ephemeral".as_ref(),
        "--no-build".as_ref(),
        "--port".as_ref(),
        port.as_ref(),
    ]);
    assert_eq!(code, BAD_HOST);
    assert!(output.contains(&format!("port {port} is in use")), "{output}");
    if cfg!(target_os = "linux") {
        assert!(output.contains(&format!("process {} (", std::process::id())), "{output}");
    }
    assert!(output.contains("choose another port with --port"), "{output}");
}

#[test]
fn a_data_folder_in_use_names_the_host() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let manifest = samples::manifest("hello");
    let first = Host::start(&manifest, ["--data-dir".as_ref(), data.path().as_os_str()]);
    let arguments = [manifest.as_os_str(), "--no-build".as_ref(), "--port".as_ref(), "0".as_ref()];
    let (code, output) = refused(arguments.into_iter().chain(["--data-dir".as_ref(), data.path().as_os_str()]));
    assert_eq!(code, BAD_HOST);
    let expected = format!("is in use by process {};", first.process.id());
    assert!(output.contains(&expected), "{output}");
    assert!(output.contains("choose another data folder"), "{output}");
    first.stop();
}
