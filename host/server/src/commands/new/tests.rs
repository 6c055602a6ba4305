//! Names, edited texts, and what is added to a project on disk and what is refused.

use clap::Parser;
use expect_test::{Expect, expect};
use std::fs;
use std::path::Path;

use super::function_name::FunctionName;
use super::*;
use crate::cli::{self, Cli, FunctionArguments};

const MANIFEST: &str = "\
# Trips.
[app]
name = \"trips\"
version = \"1.0.0\"

[components.trips]
source = \"trips.wasm\" # built elsewhere

# What there is.

[functions.Old]
trigger = { type = \"activityTrigger\" }

# The host.
[host.http]
routePrefix = \"v1\"
";

const LIB_TEXT: &str = "//! Trips.\n\nmod old;\n#[cfg(test)]\nmod tests;\n";

fn arguments(line: &str) -> FunctionArguments {
    let command = Cli::try_parse_from(["dacapo", "new"].into_iter().chain(line.split_whitespace()));
    let cli::Command::New(new) = command.expect("it can be said").command else { panic!("{line} is another command") };
    new.function
}

fn wanted(line: &str) -> Result<Wanted, Problem> {
    settle(&arguments(line), &Decider::Nobody, &["Old".to_owned()])
}

#[test]
fn a_name_becomes_names_in_rust_and_of_queues() {
    let check = |name: &str, expected: &str| {
        let shown = match FunctionName::parse(name) {
            Ok(name) => {
                let derived = if name.is_derived() { "" } else { ", told to the SDK" };
                format!("{} {} {}{derived}", name.snake, name.pascal, name.kebab())
            }
            Err(problem) => problem,
        };
        assert_eq!(shown, expected);
    };
    check("BookTrip", "book_trip BookTrip book-trip");
    check("Hello", "hello Hello hello");
    check("GetV2Trip", "get_v2_trip GetV2Trip get-v2-trip");
    check("book-trip", "book_trip BookTrip book-trip, told to the SDK");
    check("HTTPGet", "http_get HttpGet http-get, told to the SDK");
    check("My__Function_", "my_function MyFunction my-function, told to the SDK");
    check("Match", "match_function MatchFunction match, told to the SDK");
    check("lib", "lib_function LibFunction lib, told to the SDK");
    let rule = "begin with a letter, go on with letters, digits, `-` and `_`, 128 characters at most";
    check("", &format!("\"\" cannot be a function's name: {rule}"));
    check("7up", &format!("\"7up\" cannot be a function's name: {rule}"));
    check("über", &format!("\"über\" cannot be a function's name: {rule}"));
    check("a/../b", &format!("\"a/../b\" cannot be a function's name: {rule}"));
    check("HOST", "\"HOST\" is a name that the host has for itself; choose another");
}

#[test]
fn whatever_is_not_said_is_missing_where_nobody_can_be_asked() {
    let check = |line: &str, expected: Expect| match wanted(line) {
        Ok(wanted) => panic!("{wanted:?}"),
        Err(Problem::NoAnswer(error)) => expected.assert_eq(&format!("2: {error}")),
        Err(problem) => expected.assert_eq(&format!("{}", problem.into_error())),
    };
    check(
        "--name Hello",
        expect![
            "2: --template TEMPLATE is missing: one of durable, http, activity, orchestration, queue, timer, entity"
        ],
    );
    check("--template http", expect!["2: --name NAME is missing: the function's name"]);
    check(
        "--template http --name Hello --schedule 0",
        expect!["2: --schedule is for the templates timer, and the template is http; leave it out"],
    );
    check(
        "--template queue --name Hello --route hello",
        expect!["2: --route is for the templates http and durable, and the template is queue; leave it out"],
    );
    check("--template http --name OLD", expect!["there is a function OLD already; choose another --name"]);
    check(
        "--template http --name a.b",
        expect![[
            r#"2: --name: "a.b" cannot be a function's name: begin with a letter, go on with letters, digits, `-` and `_`, 128 characters at most"#
        ]],
    );
}

/// What comes of the manifest: its lines that are new, or what is wrong.
#[expect(clippy::needless_pass_by_value, reason = "an expectation belongs to its check")]
fn check_manifest(line: &str, expected: Expect) {
    let wanted = wanted(line).map_err(Problem::into_error).expect("it is settled");
    let extended = extend((MANIFEST, LIB_TEXT), &wanted, None, &manifest::no_settings);
    expected.assert_eq(&match extended {
        Err(error) => format!("{error:#}"),
        Ok(extended) => {
            let (above, below) = MANIFEST.split_once("\n# The host.").expect("it is in the manifest");
            let text = extended.manifest_text.strip_prefix(above).expect("all above stays");
            let added = text.strip_suffix(&format!("\n# The host.{below}")).expect("all below stays");
            manifest::parse(&extended.manifest_text, "trips.toml", &manifest::no_settings).expect("it is right");
            format!("{added}{:#?}", extended.try_it)
        }
    });
}

#[test]
fn the_manifest_gets_sections_and_keeps_the_rest() {
    check_manifest(
        "--template http --name Hello --authlevel anonymous --route /hello/{name?}",
        expect![[r#"

        [functions.Hello]
        trigger = { type = "httpTrigger", methods = ["get", "post"], route = "hello/{name?}", authLevel = "anonymous" }
        [
            "curl 'http://localhost:7071/v1/hello/{name?}?name=Ada'",
        ]"#]],
    );
    check_manifest(
        "--template durable --name book-trip",
        expect![[r#"

        [functions.StartBookTrip]
        trigger = { type = "httpTrigger", methods = ["post"], route = "book-trip", authLevel = "function" }
        [functions.BookTripStatus]
        trigger = { type = "httpTrigger", methods = ["get"], route = "book-trip/{id}", authLevel = "function" }
        [functions.book-trip]
        trigger = { type = "orchestrationTrigger" }
        [functions.BookTripGreet]
        trigger = { type = "activityTrigger" }
        [functions.BookTripLetter]
        trigger = { type = "activityTrigger" }
        [
            "curl -i http://localhost:7071/v1/book-trip -d '[\"Ada\", \"Grace\"]'",
        ]"#]],
    );
}

#[test]
fn each_template_has_its_trigger_and_something_to_try() {
    check_manifest(
        "--template activity --name PlaceOrder",
        expect![[r#"

        [functions.PlaceOrder]
        trigger = { type = "activityTrigger" }
        [
            "in an orchestrator: ctx.call(crate::place_order::place_order, &order).await?",
        ]"#]],
    );
    check_manifest(
        "--template orchestration --name Approval",
        expect![[r#"

        [functions.Approval]
        trigger = { type = "orchestrationTrigger" }
        [
            "dacapo durable start-new Approval --id first --input '\"a trip to RustConf\"'",
            "dacapo durable raise-event first Approval --event-data true",
        ]"#]],
    );
    check_manifest(
        "--template queue --name TakeOrder --queue-name orders",
        expect![[r#"

        [functions.TakeOrder]
        trigger = { type = "queueTrigger", queueName = "orders" }
        [
            "dacapo invoke TakeOrder --data '{\"item\": \"coffee\", \"quantity\": 2}'",
        ]"#]],
    );
    check_manifest(
        "--template timer --name Report",
        expect![[r#"

        [functions.Report]
        trigger = { type = "timerTrigger", schedule = "0 */5 * * * *" }
        [
            "dacapo invoke Report",
        ]"#]],
    );
    check_manifest(
        "--template entity --name Counter",
        expect![[r#"

        [functions.Counter]
        trigger = { type = "entityTrigger" }
        [
            "in an orchestrator: ctx.entity::<crate::counter::Counter>(\"key\").add(&1).await?",
        ]"#]],
    );
}

#[test]
fn what_would_be_wrong_is_not_written() {
    check_manifest(
        "--template timer --name Report --schedule often",
        expect![[
            r#"the manifest would be wrong with the function Report: functions.Report.trigger.schedule: "often": `often` has 1 field where a schedule has six or five; write six fields (seconds, minutes, hours, day, month, weekday), five without the seconds, or an interval `hh:mm:ss`"#
        ]],
    );
    check_manifest(
        "--template queue --name TakeOrder --queue-name A",
        expect![[
            r#"the manifest would be wrong with the function TakeOrder: functions.TakeOrder.trigger.queueName: "A" is not the name of a queue: a name has 3 to 63 characters, and this one has 1; write a name such as "trip-requests""#
        ]],
    );
    check_manifest(
        "--template http --name Hello --route a}b",
        expect![[
            r#"the manifest would be wrong with the function Hello: functions.Hello.trigger.route: "a}b": has a `}` without a `{`; write `}}` for a brace in the path"#
        ]],
    );
}

#[test]
fn old_problems_are_not_the_new_functions() {
    let broken = MANIFEST.replace("version = \"1.0.0\"\n", "");
    let wanted = wanted("--template timer --name Report").map_err(Problem::into_error).expect("it is settled");
    let extended = extend((&broken, LIB_TEXT), &wanted, None, &manifest::no_settings).expect("it is added");
    assert!(extended.manifest_text.contains("[functions.Report]"));
}

#[test]
fn a_component_is_named_where_there_are_several() {
    let two = MANIFEST.replace("# What there is.", "[components.more]\nsource = \"more.wasm\"");
    let two = two.replace("[functions.Old]", "[functions.Old]\ncomponent = \"trips\"");
    let wanted = wanted("--template timer --name Report").map_err(Problem::into_error).expect("it is settled");
    let check = |manifest: &str, component: Option<&str>, expected: Expect| {
        let extended = extend((manifest, LIB_TEXT), &wanted, component, &manifest::no_settings);
        expected.assert_eq(&match extended {
            Err(error) => format!("{error:#}"),
            Ok(extended) => extended.manifest_text.lines().filter(|line| line.contains("component =")).collect(),
        });
    };
    check(
        &two,
        None,
        expect![
            "the manifest has several components; pass --component with the one that src/lib.rs is built into: trips, more"
        ],
    );
    check(&two, Some("more"), expect![[r#"component = "trips"component = "more""#]]);
    check(&two, Some("fewer"), expect!["--component: the manifest has no component fewer; it has: trips, more"]);
    check(MANIFEST, Some("trips"), expect![[""]]);
}

/// What comes of `src/lib.rs` with a module `hello`.
#[expect(clippy::needless_pass_by_value, reason = "an expectation belongs to its check")]
fn check_lib(lib: &str, expected: Expect) {
    expected.assert_eq(&editing::with_module(lib, "hello").unwrap_or_else(|error| error.to_string()));
}

#[test]
fn a_module_is_declared_where_the_alphabet_has_it() {
    check_lib(
        "",
        expect![[r#"
        mod hello;
    "#]],
    );
    check_lib(
        "//! Docs.\n",
        expect![[r#"
        //! Docs.

        mod hello;
    "#]],
    );
    check_lib(
        "//! Docs.\n\n#![warn(missing_docs)]\n\nuse x::y;\n",
        expect![[r#"
        //! Docs.

        #![warn(missing_docs)]

        mod hello;

        use x::y;
    "#]],
    );
    check_lib(
        "//! Docs.\n\nmod alpha;\npub(crate) mod zeta;\n\nfn f() {}\n",
        expect![[r#"
        //! Docs.

        mod alpha;
        mod hello;
        pub(crate) mod zeta;

        fn f() {}
    "#]],
    );
}

#[test]
fn attributes_stay_with_their_modules_and_no_module_is_declared_twice() {
    check_lib(
        "mod alpha;\n// What zeta is.\n#[cfg(test)]\nmod zeta;\n",
        expect![[r#"
        mod alpha;
        mod hello;
        // What zeta is.
        #[cfg(test)]
        mod zeta;
    "#]],
    );
    check_lib(
        "mod alpha;\n\nmod inline {\n    mod zeta;\n}\n",
        expect![[r#"
        mod alpha;
        mod hello;

        mod inline {
            mod zeta;
        }
    "#]],
    );
    check_lib(
        "mod alpha;\nmod hello;\n",
        expect!["src/lib.rs has a module `hello` already; choose another name, or take that line out"],
    );
    check_lib(
        "mod hello {}\n",
        expect!["src/lib.rs has a module `hello` already; choose another name, or take that line out"],
    );
}

/// A project in a temporary folder.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("src")).expect("it is new");
    fs::write(folder.path().join("trips.toml"), MANIFEST).expect("it is new");
    fs::write(folder.path().join(LIB), LIB_TEXT).expect("it is new");
    folder
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation belongs to its check")]
fn check_project(folder: &Path, line: &str, if_there: IfThere, expected: Expect) {
    let added = Project::read(Some(&folder.join("trips.toml")), &Environment::default()).and_then(|project| {
        let wanted = settle(&arguments(line), &Decider::Nobody, &project.functions()?)?;
        project.add(&wanted, None, if_there)
    });
    let shown = match added {
        Ok(added) => added.in_words(),
        Err(problem) => format!("{:#}", problem.into_error()),
    };
    expected.assert_eq(&shown.replace(&folder.display().to_string(), "F"));
}

#[test]
fn a_project_gets_a_function_once() {
    let folder = project();
    let folder = folder.path();
    check_project(
        folder,
        "--template queue --name TakeOrder",
        IfThere::Refuse,
        expect![[r#"
        Added TakeOrder to F/trips.toml
          created F/src/take_order.rs
          changed F/src/lib.rs
          changed F/trips.toml

        Next:
          cargo test
          dacapo start F/trips.toml
          dacapo invoke TakeOrder --data '{"item": "coffee", "quantity": 2}'"#]],
    );
    let source = fs::read_to_string(folder.join("src/take_order.rs")).expect("it was made");
    assert!(source.starts_with("//! `TakeOrder`: works on the messages of the queue `take-order`.\n"), "{source}");
    assert!(source.contains("#[dacapo::queue]\npub(crate) fn take_order(order: Order)"), "{source}");
    assert_eq!(
        fs::read_to_string(folder.join(LIB)).expect("it is there"),
        "//! Trips.\n\nmod old;\nmod take_order;\n#[cfg(test)]\nmod tests;\n"
    );
    check_project(
        folder,
        "--template http --name takeorder",
        IfThere::Refuse,
        expect!["there is a function takeorder already; choose another --name"],
    );
    check_project(
        folder,
        "--template http --name take-order",
        IfThere::Replace,
        expect!["src/lib.rs has a module `take_order` already; choose another name, or take that line out"],
    );
}

#[test]
fn a_source_that_is_there_stays_unless_somebody_forces_it() {
    let folder = project();
    let folder = folder.path();
    let source = folder.join("src/hello.rs");
    fs::write(&source, "mine").expect("it is new");
    check_project(
        folder,
        "--template http --name Hello",
        IfThere::Refuse,
        expect!["F/src/hello.rs would be overwritten; pass --force for that, or another --name"],
    );
    assert_eq!(fs::read_to_string(&source).expect("it is there"), "mine");
    assert_eq!(fs::read_to_string(folder.join("trips.toml")).expect("it is there"), MANIFEST);
    check_project(
        folder,
        "--template http --name Hello",
        IfThere::Replace,
        expect![[r#"
        Added Hello to F/trips.toml
          created F/src/hello.rs
          changed F/src/lib.rs
          changed F/trips.toml

        Next:
          cargo test
          dacapo start F/trips.toml
          curl 'http://localhost:7071/v1/hello?name=Ada'"#]],
    );
    assert!(fs::read_to_string(&source).expect("it is there").contains("GET /v1/hello?name=Ada"));
}

#[test]
fn functions_are_added_to_projects_only() {
    let folder = project();
    let folder = folder.path();
    fs::remove_file(folder.join(LIB)).expect("it was there");
    check_project(
        folder,
        "--template http --name Hello",
        IfThere::Refuse,
        expect![
            "F/src/lib.rs cannot be read; functions are added to a Rust project beside its manifest, as `dacapo init` makes one: No such file or directory (os error 2)"
        ],
    );
    fs::remove_file(folder.join("trips.toml")).expect("it was there");
    check_project(
        folder,
        "--template http --name Hello",
        IfThere::Refuse,
        expect!["there is no manifest F/trips.toml; check the path"],
    );
}

#[test]
fn a_name_that_the_template_has_for_something_else_becomes_longer() {
    let check = |line: &str, expected: &str| {
        let wanted = wanted(line).map_err(Problem::into_error).expect("it is settled");
        assert_eq!(format!("{} {}", wanted.name.snake, wanted.name.pascal), expected);
        assert!(wanted.source("").contains(&format!("name = \"{}\"", wanted.name.name)));
    };
    check("--template activity --name Order", "order_function OrderFunction");
    check("--template timer --name describe", "describe_function DescribeFunction");
    check("--template http --name Request", "request_function RequestFunction");
    check("--template entity --name Failure", "failure_function FailureFunction");
    for template in TEMPLATES {
        let first = template::first_name(template);
        let line = format!("--template {} --name {first}", template.word());
        let wanted = wanted(&line).map_err(Problem::into_error).expect("it is settled");
        assert!(wanted.name.is_derived(), "{line} is {:?}", wanted.name);
    }
}

#[test]
fn every_template_takes_every_name() {
    for template in TEMPLATES {
        for name in ["Hello", "my-queue", "function-name", "MyFunction", "loop", "Order"] {
            let line = format!("--template {} --name {name}", template.word());
            let wanted = wanted(&line).map_err(Problem::into_error).expect("it is settled");
            let text = wanted.source("api/");
            let says_its_name = text.contains(&format!("(name = \"{name}\")"));
            assert_eq!(says_its_name, !wanted.name.is_derived(), "{line}\n{text}");
            assert!(text.contains("#[cfg(test)]"), "{line}");
            let left = ["my-route", "my_function_", "start_my_function"].iter().find(|left| text.contains(**left));
            assert!(left.is_none() || wanted.name.snake == "my_function", "{line} leaves {left:?}");
        }
    }
}
