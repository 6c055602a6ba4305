//! What a run looks like: the same one for people, for files and for programs.

use expect_test::{Expect, expect};
use serde_json::Value;
use std::fs;

use crate::client::Client;
use crate::development::{Project, masked, says};
use crate::host::{Host, Process};
use crate::terminal::{CONTROL_C, Terminal};

/// One invocation that succeeds, one that says something and fails, a reload, and the first again. Waits for each of the three
/// texts, which say that an invocation of `Which` has ended, one of `Talk`, and a reload.
fn run(origin: &str, project: &Project, marks: [&str; 3], mut wait_for: impl FnMut(&str)) {
    let client = Client::new(origin);
    let [which, talk, reload] = marks;
    assert_eq!(client.get("/api/which").expect(200).body, says(0));
    wait_for(which);
    client.get("/api/talk?fail=1").expect(500);
    wait_for(talk);
    project.save("editions", 1);
    wait_for(reload);
    assert_eq!(client.get("/api/which").expect(200).body, says(1));
    wait_for(which);
}

/// What a host printed over a whole run.
fn whole_run(project: &Project, options: &[&str], marks: [&str; 3]) -> (String, String) {
    let mut host = project.start(&[&["--ephemeral"], options].concat());
    let origin = host.origin().to_owned();
    run(&origin, project, marks, |text| host.process.wait_for(text));
    (origin, host.stop())
}

/// Lines without what differs from run to run, and as a terminal shows them in the end, but for colours and links: `␛` is for
/// what begins those.
fn without_chance(output: &str, origin: &str, project: &Project) -> String {
    let folder = project.folder().display().to_string();
    let lines = output.lines().map(|line| {
        let line = line.rsplit(CLEAR_LINE).next().unwrap_or_default().replace('\u{1b}', "␛");
        let line = line.replace(origin, "<origin>").replace(&folder, "<folder>");
        let mut parts = line.split("127.0.0.1:");
        let mut shown = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            shown.push_str("127.0.0.1:<port>");
            shown.push_str(part.trim_start_matches(|letter: char| letter.is_ascii_digit()));
        }
        // Where it was depends on the compiler.
        let shown = shown.split_once("; in function ").map_or(shown.clone(), |(before, _)| format!("{before}; in ..."));
        // A run may take less than a second, or more.
        let shown = masked(&shown).replace("<time> ms", "<time>").replace("<time> s", "<time>");
        shown.replace(env!("CARGO_PKG_VERSION"), "<version>")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// How a line of a terminal is written anew.
const CLEAR_LINE: &str = "\r\u{1b}[2K";

const PLAIN_MARKS: [&str; 3] = ["[invocation end] Which", "[invocation end] Talk", "[reload] "];

#[test]
fn plain_lines_for_files_and_pipes() {
    let project = Project::new();
    let (origin, output) = whole_run(&project, &[], PLAIN_MARKS);
    expect![[r#"
        <now>  [host] Building editions ...
        <now>  [host] Dacapo <version>
        <now>  [host] App: editions 1.0.0 (<id>), instances stay on the version that started them
        <now>  [host] Store: memory only, ends with the process
        <now>  [host] Management API: <origin>/runtime/webhooks/durabletask
        <now>  [function loaded]  Which httpTrigger GET <origin>/api/which
        <now>  [function loaded]  Tarry httpTrigger GET <origin>/api/tarry
        <now>  [function loaded]  Talk httpTrigger GET <origin>/api/talk
        <now>  [function loaded]  HandIn httpTrigger POST <origin>/api/hand-in
        <now>  [function loaded]  Work queueTrigger
        <now>  [function loaded]  Stay orchestrationTrigger
        <now>  [function loaded]  Tell activityTrigger
        <now>  [storage endpoint] blob http://127.0.0.1:<port>/devstoreaccount1
        <now>  [storage endpoint] queue http://127.0.0.1:<port>/devstoreaccount1
        <now>  [storage endpoint] table http://127.0.0.1:<port>/devstoreaccount1
        <now>  [host] Host ready (<time>) (after building for <time>)
        <now>  [invocation start] Which (id=<id>)
        <now>  [invocation end] Which succeeded in <time>
        <now>  [invocation start] Talk (id=<id>)
        <now>  [function] Talk (id=<id>): a line on standard output
        <now>  [function] Talk (id=<id>): a line on standard error
        <now>  [invocation end] Talk failed in <time> (id=<id>): function 'Talk' trapped: wasm trap: wasm `unreachable` instruction executed; its last words on standard error: a line on standard error; in ...
        <now>  [build] Building editions ...
        <now>  [build] Built editions in <time>
        <now>  [function changed]  Which
        <now>  [function changed]  Tarry
        <now>  [function changed]  Talk
        <now>  [function changed]  HandIn
        <now>  [function changed]  Work
        <now>  [function changed]  Stay
        <now>  [function changed]  Tell
        <now>  [reload] Reloaded editions (<time>): built in <time>, loaded in <time>, switched in <time> (<id>)
        <now>  [invocation start] Which (id=<id>)
        <now>  [invocation end] Which succeeded in <time>
        <now>  [shutdown] Stopping: no new work is taken, what runs is finished (at most <time>). Press Ctrl+C again to stop at once.
        <now>  [shutdown] Stopped after <time> · 7 functions · 3 invocations · 1 error"#]].assert_eq(&without_chance(&output, &origin, &project));
}

#[test]
fn the_log_file_gets_the_same_lines_behind_what_was_there() {
    let project = Project::new();
    project.write("host.log", "from before\n");
    let (_, output) = whole_run(&project, &["--log-file", "host.log"], PLAIN_MARKS);
    let log = fs::read_to_string(project.folder().join("host.log")).expect("it is there");
    assert_eq!(log, format!("from before\n{output}"));

    // Whatever is printed besides.
    project.save("editions", 0);
    let marks = [r#""function":"Which""#, r#""function":"Talk""#, r#""from":"recycling","to":"ready","#];
    let (_, output) = whole_run(&project, &["--log-file", "second.log", "--output", "json"], marks);
    let log = fs::read_to_string(project.folder().join("second.log")).expect("it is there");
    assert!(output.starts_with('{') && log.contains("[invocation end] Talk failed in "), "{output}\n{log}");
}

#[test]
fn everything_that_is_known_for_whoever_asks() {
    let project = Project::new();
    let (origin, output) = whole_run(&project, &["--verbose"], PLAIN_MARKS);
    let of_functions: Vec<&str> =
        output.lines().filter(|line| line.contains("Which") || line.contains("Talk")).collect();
    expect![[r#"
        <now>  [function loaded]  Which httpTrigger GET <origin>/api/which
        <now>  [function loaded]  Talk httpTrigger GET <origin>/api/talk
        <now>  [invocation start] Which (id=<id>): This function was programmatically called via the host APIs.
        <now>  [invocation end] Which succeeded in <time> (id=<id>)
        <now>  [invocation start] Talk (id=<id>): This function was programmatically called via the host APIs.
        <now>  [function] Talk (id=<id>): a line on standard output
        <now>  [function] Talk (id=<id>): a line on standard error
        <now>  [invocation end] Talk failed in <time> (id=<id>): function 'Talk' trapped: wasm trap: wasm `unreachable` instruction executed; its last words on standard error: a line on standard error; in ...
        <now>  [function changed]  Which
        <now>  [function changed]  Talk
        <now>  [invocation start] Which (id=<id>): This function was programmatically called via the host APIs.
        <now>  [invocation end] Which succeeded in <time> (id=<id>)"#]].assert_eq(&without_chance(&of_functions.join("\n"), &origin, &project));
}

/// The fields of a record that say what it is about.
fn told(record: &Value) -> String {
    let text = |field: &str| record[field].as_str().unwrap_or_default().to_owned();
    let kind = text("kind");
    let about = match kind.as_str() {
        "log" => format!("{} {}: {}", text("level"), text("category"), text("message")),
        "host_state_changed" => format!("{} -> {} {}", text("from"), text("to"), record["trigger"]),
        "function_discovered" => format!("{} {} {}", text("name"), text("trigger_type"), record["http_methods"]),
        "invocation_started" => text("function"),
        "invocation_completed" => format!("{} {} {}", text("function"), text("result"), record["error"]["message"]),
        "summary" => format!("{} {} {}", text("exit_reason"), record["function_count"], record["invocations"]),
        "start_initialization_progress" => format!("{} {}", text("step"), text("message")),
        _ => text("message"),
    };
    format!("{kind}: {}", about.trim_end())
}

#[test]
fn records_for_programs() {
    let project = Project::new();
    let marks = [
        r#""kind":"invocation_completed","#,
        r#""kind":"invocation_completed","#,
        r#""from":"recycling","to":"ready","#,
    ];
    let (origin, output) = whole_run(&project, &["--output", "json"], marks);
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    let records: Vec<Value> = output.lines().map(parse).collect();
    for record in &records {
        assert!(record["schema_version"] == 1 && record["timestamp"].is_string(), "{record:#}");
    }
    let lines: Vec<String> = records.iter().map(told).collect();
    expect![[r#"
        start_initialization_started: 
        start_initialization_progress: start Building editions ...
        start_initialization_progress: app editions 1.0.0 (<id>), instances stay on the version that started them
        cli_diagnostic: Management API: <origin>/runtime/webhooks/durabletask
        function_discovered: Which httpTrigger ["GET"]
        function_discovered: Tarry httpTrigger ["GET"]
        function_discovered: Talk httpTrigger ["GET"]
        function_discovered: HandIn httpTrigger ["POST"]
        function_discovered: Work queueTrigger []
        function_discovered: Stay orchestrationTrigger []
        function_discovered: Tell activityTrigger []
        log: information Host.Storage: Storage endpoint: blob http://127.0.0.1:<port>/devstoreaccount1
        log: information Host.Storage: Storage endpoint: queue http://127.0.0.1:<port>/devstoreaccount1
        log: information Host.Storage: Storage endpoint: table http://127.0.0.1:<port>/devstoreaccount1
        start_initialization_completed: 
        host_state_changed: starting -> ready null
        log: information Function.Which: Executing 'Functions.Which' (Reason='This function was programmatically called via the host APIs.', Id=<id>)
        invocation_started: Which
        log: information Function.Which: Executed 'Functions.Which' (Succeeded, Id=<id>, Duration=<time>)
        invocation_completed: Which succeeded null
        log: information Function.Talk: Executing 'Functions.Talk' (Reason='This function was programmatically called via the host APIs.', Id=<id>)
        invocation_started: Talk
        log: information Function.Talk.User: a line on standard output
        log: information Function.Talk.User: a line on standard error
        log: error Function.Talk: Executed 'Functions.Talk' (Failed, Id=<id>, Duration=<time>)
        invocation_completed: Talk failed "function 'Talk' trapped: wasm trap: wasm `unreachable` instruction executed; its last words on standard error: a line on standard error; in ...
        log: information Host.Build: Building editions
        log: information Host.Build: Built editions in <time>
        log: information Host.Reload: Reloaded editions as <id>: built in <time>, loaded in <time>, switched in <time>; changed functions: Which, Tarry, Talk, HandIn, Work, Stay, Tell
        host_state_changed: recycling -> ready "file_change"
        log: information Function.Which: Executing 'Functions.Which' (Reason='This function was programmatically called via the host APIs.', Id=<id>)
        invocation_started: Which
        log: information Function.Which: Executed 'Functions.Which' (Succeeded, Id=<id>, Duration=<time>)
        invocation_completed: Which succeeded null
        cli_diagnostic: Stopping: no new work is taken, what runs is finished (at most <time>). Press Ctrl+C again to stop at once.
        host_state_changed: ready -> stopped null
        summary: sigint 7 {"failed":1,"succeeded":2,"total":3}"#]].assert_eq(&without_chance(&lines.join("\n"), &origin, &project));
    let last = records.last().expect("there are records");
    let invocations = serde_json::json!({ "total": 3, "succeeded": 2, "failed": 1 });
    assert_eq!((&last["kind"], &last["invocations"]), (&Value::from("summary"), &invocations));
    // Whose words they are is in the record.
    let of = |kind: &str, function: &str| {
        let found = records.iter().find(|record| record["kind"] == kind && record["function"] == function);
        found.unwrap_or_else(|| panic!("no {kind} of {function}"))["invocation_id"].clone()
    };
    let talk = of("invocation_started", "Talk");
    assert!(
        talk.is_string() && of("invocation_completed", "Talk") == talk && of("invocation_started", "Which") != talk
    );
    for stream in ["output", "error"] {
        let text = format!("a line on standard {stream}");
        let line = records.iter().find(|record| record["message"] == text).expect("functions are heard");
        assert_eq!(line["attributes"]["function.invocation_id"], talk, "{line:#}");
    }
}

/// What a terminal shows of a run with a change in it, in an environment that has this variable.
fn check_terminal(variable: &str, expected: &Expect) {
    let project = Project::new();
    project.save("editions", 0);
    let mut terminal = Terminal::run(|command| {
        project.add_to(command, &["editions"], &["--ephemeral"]);
        command.env(variable, "1");
    });
    terminal.wait_for("Ready in ");
    let shown = terminal.shown();
    let origin = &shown[shown.find("http://localhost:").expect("functions have addresses")..];
    let end = origin["http://".len()..].find('/').expect("and paths") + "http://".len();
    let origin = origin[..end].to_owned();
    run(&origin, &project, [" Which ", " Talk ", "Reloaded"], |text| drop(terminal.wait_for(text)));
    terminal.keys(CONTROL_C);
    let (status, shown) = terminal.wait_for_end();
    assert!(status.success(), "{status}: {shown}");
    expected.assert_eq(&without_chance(&shown, &origin, &project));
}

#[test]
fn compact_for_people_at_a_terminal() {
    check_terminal(
        "DACAPO_NOTHING",
        &expect![[r#"
            ␛[90mBuilding editions ...␛[0m

            ␛[33mDacapo <version>␛[0m
            App: editions 1.0.0 (<id>), instances stay on the version that started them
            Store: memory only, ends with the process
            Management API: <origin>/runtime/webhooks/durabletask

            ␛[33mFunctions:␛[0m

            	␛[33mWhich␛[0m: [GET] ␛[32m␛]8;;<origin>/api/which␛\<origin>/api/which␛]8;;␛\␛[0m

            	␛[33mTarry␛[0m: [GET] ␛[32m␛]8;;<origin>/api/tarry␛\<origin>/api/tarry␛]8;;␛\␛[0m

            	␛[33mTalk␛[0m: [GET] ␛[32m␛]8;;<origin>/api/talk␛\<origin>/api/talk␛]8;;␛\␛[0m

            	␛[33mHandIn␛[0m: [POST] ␛[32m␛]8;;<origin>/api/hand-in␛\<origin>/api/hand-in␛]8;;␛\␛[0m

            	␛[33mWork␛[0m: queueTrigger

            	␛[33mStay␛[0m: orchestrationTrigger

            	␛[33mTell␛[0m: activityTrigger

            Storage endpoint (UseDevelopmentStorage=true):
            	blob  ␛[32m␛]8;;http://127.0.0.1:<port>/devstoreaccount1␛\http://127.0.0.1:<port>/devstoreaccount1␛]8;;␛\␛[0m
            	queue ␛[32m␛]8;;http://127.0.0.1:<port>/devstoreaccount1␛\http://127.0.0.1:<port>/devstoreaccount1␛]8;;␛\␛[0m
            	table ␛[32m␛]8;;http://127.0.0.1:<port>/devstoreaccount1␛\http://127.0.0.1:<port>/devstoreaccount1␛]8;;␛\␛[0m
            Ready in <time> (after building for <time>)
            ␛[32m✓␛[0m Which <time>␛[90m  (id <id>)␛[0m
              ␛[90mTalk <id>␛[0m  a line on standard output
              ␛[90mTalk <id>␛[0m  a line on standard error
            ␛[31m✗ Talk <time>  (id <id>): function 'Talk' trapped: wasm trap: wasm `unreachable` instruction executed; its last words on standard error: a line on standard error; in ...
            ␛[90mBuilding editions ...␛[0m
            ␛[90mBuilt editions in <time>␛[0m
            ␛[32mReloaded editions in <time>␛[0m: built in <time>, loaded in <time>, switched in <time> (<id>)
              ~ ␛[33mWhich␛[0m
              ~ ␛[33mTarry␛[0m
              ~ ␛[33mTalk␛[0m
              ~ ␛[33mHandIn␛[0m
              ~ ␛[33mWork␛[0m
              ~ ␛[33mStay␛[0m
              ~ ␛[33mTell␛[0m
            ␛[32m✓␛[0m Which <time>␛[90m  (id <id>)␛[0m
            ^C
            Stopping: no new work is taken, what runs is finished (at most <time>). Press Ctrl+C again to stop at once.
            Stopped after <time> · 7 functions · 3 invocations · 1 error."#]],
    );
}

#[test]
fn compact_without_colours() {
    check_terminal(
        "NO_COLOR",
        &expect![[r#"
            Building editions ...

            Dacapo <version>
            App: editions 1.0.0 (<id>), instances stay on the version that started them
            Store: memory only, ends with the process
            Management API: <origin>/runtime/webhooks/durabletask

            Functions:

            	Which: [GET] ␛]8;;<origin>/api/which␛\<origin>/api/which␛]8;;␛\

            	Tarry: [GET] ␛]8;;<origin>/api/tarry␛\<origin>/api/tarry␛]8;;␛\

            	Talk: [GET] ␛]8;;<origin>/api/talk␛\<origin>/api/talk␛]8;;␛\

            	HandIn: [POST] ␛]8;;<origin>/api/hand-in␛\<origin>/api/hand-in␛]8;;␛\

            	Work: queueTrigger

            	Stay: orchestrationTrigger

            	Tell: activityTrigger

            Storage endpoint (UseDevelopmentStorage=true):
            	blob  ␛]8;;http://127.0.0.1:<port>/devstoreaccount1␛\http://127.0.0.1:<port>/devstoreaccount1␛]8;;␛\
            	queue ␛]8;;http://127.0.0.1:<port>/devstoreaccount1␛\http://127.0.0.1:<port>/devstoreaccount1␛]8;;␛\
            	table ␛]8;;http://127.0.0.1:<port>/devstoreaccount1␛\http://127.0.0.1:<port>/devstoreaccount1␛]8;;␛\
            Ready in <time> (after building for <time>)
            ✓ Which <time>  (id <id>)
              Talk <id>  a line on standard output
              Talk <id>  a line on standard error
            ✗ Talk <time>  (id <id>): function 'Talk' trapped: wasm trap: wasm `unreachable` instruction executed; its last words on standard error: a line on standard error; in ...
            Building editions ...
            Built editions in <time>
            Reloaded editions in <time>: built in <time>, loaded in <time>, switched in <time> (<id>)
              ~ Which
              ~ Tarry
              ~ Talk
              ~ HandIn
              ~ Work
              ~ Stay
              ~ Tell
            ✓ Which <time>  (id <id>)
            ^C
            Stopping: no new work is taken, what runs is finished (at most <time>). Press Ctrl+C again to stop at once.
            Stopped after <time> · 7 functions · 3 invocations · 1 error."#]],
    );
}

#[test]
fn the_log_can_be_followed_from_elsewhere() {
    let project = Project::new();
    let mut host: Host = project.start(&["--ephemeral"]);
    let mut follower = Process::spawn(["logs", "--follow", "--url", host.origin()]);
    let client = host.client();
    // Whoever follows is told the last lines first, so that it does not matter when it has begun.
    client.get("/api/talk?fail=1").expect(500);
    let mut lines = follower.lines_until("[invocation end] Talk");
    project.reload(&mut host, 1);
    client.get("/api/which").expect(200);
    lines.extend(follower.lines_until("[invocation end] Which"));
    expect![[r#"
        <now>  [invocation start] Talk (id=<id>)
        <now>  [function] Talk (id=<id>): a line on standard output
        <now>  [function] Talk (id=<id>): a line on standard error
        <now>  [invocation end] Talk failed in <time> (id=<id>): function 'Talk' trapped: wasm trap: wasm `unreachable` instruction executed; its last words on standard error: a line on standard error; in ...
        <now>  [invocation start] Which (id=<id>)
        <now>  [invocation end] Which succeeded in <time>"#]].assert_eq(&without_chance(&lines.join("\n"), host.origin(), &project));
    host.stop();
    let (status, output) = follower.wait_for_end();
    assert!(status.success(), "{status}: {output}");
}
