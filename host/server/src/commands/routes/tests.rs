//! Routes in their order, and requests that reach a function or not.

use super::*;
use expect_test::{Expect, expect};

const MANIFEST: &str = r#"
    [app]
    name = "trips"
    version = "1"
    [components.a]
    source = "a.wasm"
    [functions.AnyTrip]
    trigger = { type = "httpTrigger", route = "trips/{*rest}", authLevel = "anonymous" }
    [functions.ShowTrip]
    trigger = { type = "httpTrigger", methods = ["get"], route = "trips/{conference}/{id:int}" }
    [functions.Mine]
    trigger = { type = "httpTrigger", methods = ["get", "post"], route = "trips/mine", authLevel = "admin" }
    [functions.Off]
    trigger = { type = "httpTrigger", methods = ["get"], route = "off" }
    disabled = true
    [functions.Named]
    trigger = { type = "httpTrigger", methods = ["post"], route = "named/%SEGMENT%" }
    [functions.Other]
    trigger = { type = "activityTrigger" }"#;

fn outline_of(manifest: &str) -> Outline {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.toml");
    std::fs::write(&file, manifest).expect("it can be written");
    let outline = outline::read(Some(&file), &[], &Environment::default());
    let mut outline = outline.unwrap_or_else(|problem| panic!("{:#}", problem.into_error()));
    outline.located.file = "app.toml".to_owned();
    outline
}

#[test]
fn routes_stand_in_the_order_in_which_they_win() {
    expect![[r#"
        Methods   Path                              Function  Auth level
        GET       /api/off                          Off       function    disabled
        GET,POST  /api/trips/mine                   Mine      admin
        POST      /api/named/%SEGMENT%              Named     function
        GET       /api/trips/{conference}/{id:int}  ShowTrip  function
        any       /api/trips/{*rest}                AnyTrip   anonymous

        Notice: `/api/trips/mine` runs `Mine`, whose route is more specific; Azure would run `AnyTrip`, whose name comes first.
        Notice: `/api/trips/x/1` runs `ShowTrip`, whose route is more specific; Azure would run `AnyTrip`, whose name comes first.
        Not set here: SEGMENT. What refers to it is shown as it is written; see `dacapo settings app.toml`."#]]
    .assert_eq(&Routes::of(&outline_of(MANIFEST)).in_words());
    let nothing = MANIFEST.replace("httpTrigger\"", "activityTrigger\" } #");
    assert_eq!(Routes::of(&outline_of(&nothing)).in_words(), "There are no HTTP functions.");
}

#[test]
fn programs_read_routes_and_notices() {
    let manifest = MANIFEST.split("[functions.Off]").next().unwrap_or_default();
    let json: serde_json::Value =
        serde_json::from_str(&as_json(&Routes::of(&outline_of(manifest)))).expect("it is JSON");
    expect![[
        r#"{"authLevel":"admin","disabled":false,"function":"Mine","methods":["GET","POST"],"path":"/api/trips/mine"}"#
    ]]
    .assert_eq(&json["routes"][0].to_string());
    expect![[r#"{"path":"/api/trips/mine","runsHere":"Mine","runsInAzure":"AnyTrip"}"#]]
        .assert_eq(&json["notices"][0].to_string());
}

fn check(request: &str, runs: bool, expected: &Expect) {
    let request = Request::parse(request).expect("it is a request");
    let reached = reached(&request, &outline_of(MANIFEST));
    expected.assert_eq(&reached.in_words());
    assert_eq!(reached.runs(), runs);
}

#[test]
fn a_request_reaches_a_function_with_its_parameters() {
    check(
        "GET /api/trips/rust%20conf/42?draft=1",
        true,
        &expect![[r#"
            GET /api/trips/rust%20conf/42 reaches ShowTrip at /api/trips/{conference}/{id:int}.
              conference = "rust conf"
              id = "42"
            Callers need a key of the function or of the host."#]],
    );
    check(
        "http://localhost:7071/api/trips/a/b",
        true,
        &expect![[r#"
            GET /api/trips/a/b reaches AnyTrip at /api/trips/{*rest}.
              rest = "a/b"
            Anybody may call it."#]],
    );
    check(
        "head /api/trips/mine",
        true,
        &expect![[r#"
            HEAD /api/trips/mine reaches Mine at /api/trips/mine.
            Callers need the master key.
            It runs as for GET, and the body of its response is dropped."#]],
    );
    check(
        "/api/off",
        false,
        &expect![[r#"
            GET /api/off reaches Off at /api/off.
            Callers need a key of the function or of the host.
            It is disabled: only callers with the master key reach it."#]],
    );
}

#[test]
fn a_request_reaches_nobody() {
    check("GET /api/nothing", false, &expect!["GET /api/nothing reaches no function: none has such a path."]);
    check("PUT /api/off", false, &expect!["PUT /api/off reaches no function: this path is there for GET, HEAD."]);
    check("http://localhost", false, &expect!["GET / reaches no function: none has such a path."]);
}

#[test]
fn what_is_no_request_is_told() {
    let check = |text: &str, expected: &Expect| {
        expected.assert_eq(&Request::parse(text).expect_err(text).to_string());
    };
    check("", &expect!["'' is no request: write a method and a path, such as 'GET /api/trips'"]);
    check("GET trips", &expect!["'trips' is no path: it begins with a slash, such as /api/trips"]);
    check(
        "GET /api HTTP/1.1",
        &expect!["'GET /api HTTP/1.1' is no request: write a method and a path, such as 'GET /api/trips'"],
    );
}

#[test]
fn programs_read_what_a_request_reaches() {
    let request = Request::parse("GET /api/trips/mine").expect("it is a request");
    let json: serde_json::Value =
        serde_json::from_str(&reached(&request, &outline_of(MANIFEST)).as_json()).expect("it is JSON");
    expect![[r#"{"allow":[],"function":"Mine","headAsGet":false,"method":"GET","parameters":{},"path":"/api/trips/mine","route":{"authLevel":"admin","disabled":false,"function":"Mine","methods":["GET","POST"],"path":"/api/trips/mine"}}"#]]
        .assert_eq(&json.to_string());
}
