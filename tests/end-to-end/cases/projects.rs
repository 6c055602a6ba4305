//! A project from its first command to its answers: made, formatted, linted, tested and built with plain cargo, then served.

use serde_json::json;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::development::{OWN_TIME, told_time};
use crate::host::{ANY_STORAGE_PORTS, Host, Process};
use crate::samples::repository_file;

/// What `dacapo new` makes, each under a name of its own. Rust's functions cannot have the names `loop` and `say-hello`, and `Request` is
/// something else in a source with HTTP functions.
const FUNCTIONS: [&[&str]; 9] = [
    &["--template", "http", "--name", "Greet", "--route", "greetings"],
    &["--template", "activity", "--name", "PlaceOrder"],
    &["--template", "orchestration", "--name", "Approval"],
    &["--template", "queue", "--name", "TakeOrder"],
    &["--template", "timer", "--name", "Report"],
    &["--template", "entity", "--name", "Counter"],
    &["--template", "http", "--name", "Loop", "--authlevel", "anonymous"],
    &["--template", "http", "--name", "Request", "--authlevel", "admin"],
    &["--template", "durable", "--name", "say-hello", "--route", "v2/hello"],
];

/// Of the times that the host tells: tenths of seconds, if they are long.
const ROUNDING: Duration = Duration::from_millis(100);

/// A folder below the target folder, so that what was built for it in another run is there; the sources are not.
fn project_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-project");
    for made in ["src", ".dacapo"] {
        match std::fs::remove_dir_all(folder.join(made)) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{made}: {error}"),
            Ok(()) | Err(_) => {}
        }
    }
    folder
}

/// Runs a command in a folder, which has to succeed, and answers what it printed.
fn run<A: AsRef<OsStr>>(folder: &Path, program: &str, arguments: impl IntoIterator<Item = A>) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    // What cargo was told about this repository is not for the project; and nobody debugs it.
    command.env_remove("CARGO_TARGET_DIR").env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0");
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{printed}\n{errors}", output.status);
    printed
}

fn make_project(folder: &Path) {
    let dacapo = env!("CARGO_BIN_EXE_dacapo");
    let parent = folder.parent().expect("a folder below the target folder");
    let init = ["init", "new-project", "--app", "shop", "--name", "Welcome", "--force", "--output", "json"];
    let made: serde_json::Value = serde_json::from_str(&run(parent, dacapo, init)).expect("it is JSON");
    assert_eq!((&made["app"], &made["manifest"]), (&json!("shop"), &json!("new-project/shop.toml")));
    for function in FUNCTIONS {
        run(folder, dacapo, ["new"].iter().chain(function));
    }
    // The versions that are on this machine, because this repository has them.
    std::fs::copy(repository_file("Cargo.lock"), folder.join("Cargo.lock")).expect("it can be copied");
}

#[test]
fn every_template_becomes_a_function_that_is_tested_built_and_served() {
    let folder = project_folder();
    make_project(&folder);
    run(&folder, "cargo", ["fmt", "--check"]);
    run(&folder, "cargo", ["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"]);
    let tested = run(&folder, "cargo", ["test"]);
    // What there is least: two of the starter and one of each other template.
    assert!(tested.contains("test result: ok. ") && tested.matches("... ok").count() >= 9, "{tested}");
    // As `dacapo start` does it, which says nothing while it takes its time.
    run(&folder, "cargo", ["build", "--release", "--target", "wasm32-wasip2", "--target-dir", "target"]);

    let mut start = Command::new(env!("CARGO_BIN_EXE_dacapo"));
    start.args(["start", "shop.toml", "--port", "0", "--ephemeral"]).args(ANY_STORAGE_PORTS);
    start.current_dir(&folder).env_remove("CARGO_TARGET_DIR");
    let mut host = Host::ready(Process::run(&mut start));
    follow_the_starters(&mut host);
    use_the_functions(&mut host);
    edit_a_source(&mut host, &folder.join("src/greet.rs"));
    host.stop();
}

/// Starts each durable starter over HTTP, and asks it how far it is.
fn follow_the_starters(host: &mut Host) {
    for route in ["welcome", "v2/hello"] {
        let started = host.client().post(&format!("/api/{route}"), r#"["Ada", "Grace"]"#).expect(202).json();
        let id = started["id"].as_str().expect("an id").to_owned();
        host.wait_for_status(&id, "Completed");
        let status = host.client().get(&format!("/api/{route}/{id}")).expect(200).json();
        assert_eq!((&status["instanceId"], &status["output"]), (&json!(id), &json!("Hello, Ada!\nHello, Grace!")));
        assert_eq!(status["customStatus"], "writing the letter");
        host.client().get(&format!("/api/{route}/nobody")).expect(404);
    }
}

fn use_the_functions(host: &mut Host) {
    let client = host.client();
    assert_eq!(client.get("/api/greetings?name=Ada").expect(200).body, "Hello, Ada!\n");
    assert_eq!(client.get("/api/request").expect(200).body, "Hello, world!\n");
    assert_eq!(client.post("/api/loop", r#""Grace""#).expect(200).body, "Hello, Grace!\n");

    let id = client.start("Approval", &json!("a trip"));
    host.wait_for_custom_status(&id, "waiting for the event Approval");
    client.raise(&id, "Approval", &json!(true));
    assert_eq!(host.wait_for_status(&id, "Completed")["output"], "a trip: approved");

    client.signal("Counter/stock", "add", &json!(5));
    host.wait_for_entity("Counter/stock", Some(&json!({ "value": 5 })));

    let dacapo = env!("CARGO_BIN_EXE_dacapo");
    let here = Path::new(".");
    run(here, dacapo, ["invoke", "Report", "--url", host.origin()]);
    run(here, dacapo, ["invoke", "TakeOrder", "--data", r#"{"item": "tea", "quantity": 1}"#, "--url", host.origin()]);
    let order = r#"{"item": "tea", "quantity": 2}"#;
    let placed = run(here, dacapo, ["invoke", "PlaceOrder", "--data", order, "--url", host.origin()]);
    assert!(placed.contains("2 x tea ("), "{placed}");
}

/// Saves a mistake and then other code, as somebody does who writes it, and looks at what the host does meanwhile.
#[expect(clippy::print_stdout, reason = "the numbers are what one wants to see of it")]
#[expect(clippy::disallowed_methods, reason = "it is measured how long a person waits")]
fn edit_a_source(host: &mut Host, source: &Path) {
    let greet = |host: &Host| host.client().get("/api/greetings?name=Ada").expect(200).body;
    let before = std::fs::read_to_string(source).expect("it was made");
    let save = |text: String| std::fs::write(source, text).expect("it can be written");
    save(before.replacen("format!(", "format!(mistake, ", 1));
    host.process.wait_for("keeps serving");
    host.process.lines_until_quiet();
    assert!(host.process.errors().contains("error: format argument must be a string literal"), "the compiler is heard");
    assert_eq!(greet(host), "Hello, Ada!\n");

    let begin = Instant::now();
    save(before.replacen("Hello, ", "Good day, ", 1));
    let line = host.process.wait_for_line("[reload] ");
    assert_eq!(greet(host), "Good day, Ada!\n");
    let took = begin.elapsed();
    println!("from saving to the first answer: {took:?}; {line}");
    let compiling = told_time(&line, "built") + told_time(&line, "loaded");
    let own = took.saturating_sub(compiling);
    assert!(own <= OWN_TIME + ROUNDING, "{own:?} besides the compilers: {line}");
}

#[test]
fn whoever_is_no_terminal_is_asked_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let check = |arguments: &[&str], expected: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
        let (status, output) = Process::run(command.args(arguments).current_dir(folder.path())).wait_for_end();
        assert_eq!(status.code(), Some(2), "{output}");
        assert_eq!(output, expected);
    };
    run(folder.path(), env!("CARGO_BIN_EXE_dacapo"), ["init", "--empty", "--app", "shop"]);
    check(
        &["new", "--name", "Hello"],
        "error: --template TEMPLATE is missing: one of durable, http, activity, orchestration, queue, timer, entity\n",
    );
    check(&["add", "--template", "http"], "error: --name NAME is missing: the function's name\n");
}

/// Runs `dacapo` at a terminal, types `keys` whenever the text before them is there, and answers its exit code and what was shown.
fn at_terminal(folder: &Path, steps: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new("python3");
    command.arg(repository_file("tests/end-to-end/clients/terminal.py")).arg(json!(steps).to_string());
    command.arg(env!("CARGO_BIN_EXE_dacapo")).args(arguments).current_dir(folder);
    let output = command.output().expect("python3 is there, as for the other clients");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

const DOWN: &str = "\u{1b}[B";
const ENTER: &str = "\r";
const CONTROL_C: &str = "\u{3}";
/// How a terminal is told about the cursor: `h` follows to show it, `l` to hide it, as lists do.
const CURSOR: &str = "\u{1b}[?25";

#[test]
fn a_person_at_a_terminal_is_asked_for_what_is_open() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let steps = [
        ("Name of the app", ENTER),
        ("Template", &format!("{DOWN}{ENTER}")),
        ("Name of the function", "7up\r"),
        ("cannot be a function's name", "\u{8}\u{8}\u{8}ShowTrip\r"),
        ("Route", "trips/{id}\r"),
    ];
    let (code, shown) = at_terminal(folder.path(), &steps, &["init", "shop"]);
    assert!(code == Some(0) && shown.contains("Made the app shop with ShowTrip"), "{code:?}\n{shown}");

    let project = folder.path().join("shop");
    let steps = [("Name of the function", ENTER), ("Queue", "orders\r")];
    let (code, shown) = at_terminal(&project, &steps, &["new", "--template", "queue"]);
    assert!(code == Some(0) && shown.contains("Added TakeOrder to shop.toml"), "{code:?}\n{shown}");
    let manifest = std::fs::read_to_string(project.join("shop.toml")).expect("it was made");
    let added = "\n[functions.ShowTrip]\ntrigger = { type = \"httpTrigger\", methods = [\"get\", \"post\"], \
                 route = \"trips/{id}\", authLevel = \"function\" }\n\
                 \n[functions.TakeOrder]\ntrigger = { type = \"queueTrigger\", queueName = \"orders\" }\n";
    assert!(manifest.ends_with(added), "{manifest}");
}

#[test]
fn whoever_has_enough_of_questions_gets_the_terminal_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for steps in [
        vec![("Name of the app", CONTROL_C)],
        vec![("Name of the app", ENTER), ("Template", CONTROL_C)],
        vec![("Name of the app", ENTER), ("Template", ENTER), ("Name of the function", CONTROL_C)],
    ] {
        let (code, shown) = at_terminal(folder.path(), &steps, &["init", "shop"]);
        assert!(code == Some(1) && shown.contains("stopped; nothing was written"), "{code:?}\n{shown}");
        let (_, end) = shown.rsplit_once(CURSOR).expect("the cursor was shown at last");
        assert!(end.starts_with('h'), "{shown:?}");
        assert!(!folder.path().join("shop").exists());
    }
}
