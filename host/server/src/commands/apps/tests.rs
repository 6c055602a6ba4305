//! What people read of a host's answers, and which requests are sent for them.

use super::*;
use expect_test::{Expect, expect};

fn check<T: DeserializeOwned>(status: u16, body: &str, in_words: &dyn Fn(T) -> String, expected: &Expect) {
    let answered = Answered { status, body: body.to_owned() };
    let understood = match told(&answered, OutputFormat::Json, in_words) {
        Ok(json) => json == body,
        Err(problem) => !matches!(problem, Problem::NoAnswer(_)),
    };
    let text = match told(&answered, OutputFormat::Text, in_words) {
        Ok(text) => text,
        Err(Problem::Host(refusal)) => format!("refused: {refusal}"),
        Err(Problem::NoAnswer(_)) => "not understood".to_owned(),
        Err(problem) => format!("{problem:?}"),
    };
    assert_eq!(understood, text != "not understood", "JSON is printed as the host gave it");
    assert!(text.starts_with("refused: ") == (status != 200) || !understood, "{text}");
    expected.assert_eq(&text);
}

#[test]
fn apps_are_a_table() {
    let in_words = |apps: Vec<AppSummary>| answers::table(&apps);
    let body = r#"[
        {"name": "trips", "version": "1.1.0", "digest": "d1", "bundle": "0123456789abcdef", "deployedAt": "2026-01-01T00:00:00.1234567Z",
         "functions": 7, "source": "deployment", "taskHub": "TripsHub"},
        {"name": "mail", "version": "2", "digest": "d2", "bundle": null, "deployedAt": null, "functions": 1,
         "source": "manifest", "taskHub": "mail"}]"#;
    check(
        200,
        body,
        &in_words,
        &expect![[r#"
        Name   Version  Functions  Bundle        Deployed              Task hub
        trips  1.1.0    7          0123456789ab  2026-01-01T00:00:00Z  TripsHub
        mail   2        1          manifest      -                     mail
    "#]],
    );
    check(200, "[]", &in_words, &expect!["There are no apps; deploy one with `dacapo deploy`."]);
    check(200, "<html>", &in_words, &expect!["not understood"]);
}

#[test]
fn an_app_tells_which_versions_are_alive_and_why() {
    let body = r#"{"name": "trips", "version": "1.1.0", "digest": "0123456789abcdef", "bundle": "abcdef0123456789",
        "deployedAt": "2026-01-02T00:00:00Z", "functions": 2, "source": "deployment", "taskHub": "TripsHub",
        "versions": [
            {"digest": "0123456789abcdef", "version": "1.1.0", "present": true, "running": 3, "failed": 0, "example": null, "why": "present"},
            {"digest": "fedcba9876543210", "version": "1.0.0", "present": false, "running": 12, "failed": 1, "example": "trip-7", "why": "12 instances run on it"}],
        "deployments": [
            {"bundle": "abcdef0123456789", "version": "1.1.0", "digest": "d", "deployedAt": "2026-01-02T00:00:00Z", "present": true},
            {"bundle": "bbcdef0123456789", "version": "1.0.0", "digest": "e", "deployedAt": "2026-01-01T00:00:00Z", "present": false}],
        "functionNames": ["BookTrip", "StartTrip"], "routes": ["POST /api/trips"]}"#;
    check(
        200,
        body,
        &|app: AppView| app.in_words(),
        &expect![[r#"
        trips 1.1.0

        App digest:  0123456789ab
        Bundle:      abcdef012345
        Deployed:    2026-01-02T00:00:00Z
        Task hub:    TripsHub

        Versions that are alive:
        Version  Digest        Running  Failed  Kept because            Such as
        1.1.0    0123456789ab  3        0       present
        1.0.0    fedcba987654  12       1       12 instances run on it  trip-7

        Deployments:
           Version  Bundle        Deployed
        *  1.1.0    abcdef012345  2026-01-02T00:00:00Z
           1.0.0    bbcdef012345  2026-01-01T00:00:00Z

        Functions:
          BookTrip
          StartTrip

        Routes:
          POST /api/trips
    "#]],
    );
    let manifest = r#"{"name": "trips", "version": "1", "digest": "d", "source": "manifest", "functions": 0}"#;
    check(
        200,
        manifest,
        &|app: AppView| app.in_words(),
        &expect![[r#"
        trips 1

        App digest:  d
        Bundle:      manifest
        Deployed:    -
        Task hub:
    "#]],
    );
}

#[test]
fn refusals_say_what_is_wrong() {
    let in_words = |report: SwitchReport| report.rolled_back();
    let refused = r#"{"error": {"code": "Conflict", "message": "trips cannot be deployed", "problems":
        ["route POST api/trips: the app mail has it", "function StartTrip: the app mail has one"]}}"#;
    check(
        409,
        refused,
        &in_words,
        &expect![[r#"
        refused: trips cannot be deployed
          route POST api/trips: the app mail has it
          function StartTrip: the app mail has one"#]],
    );
    check(
        404,
        r#"{"error": {"code": "NotFound", "message": "there is no app trips"}}"#,
        &in_words,
        &expect![[r#"
        refused: there is no app trips"#]],
    );
    check(404, "", &in_words, &expect!["not understood"]);
}

#[test]
fn removing_says_what_ran() {
    let in_words = |removed: Removed| removed.in_words();
    check(200, r#"{"app": "trips", "instances": 0}"#, &in_words, &expect!["Removed trips."]);
    check(
        200,
        r#"{"app": "trips", "instances": 12}"#,
        &in_words,
        &expect!["Removed trips, of which 12 instances were running."],
    );
}

#[test]
fn names_and_digests_are_escaped() {
    let arguments = |to: Option<&str>, force| RollbackArguments {
        name: "a/b".to_owned(),
        to: to.map(str::to_owned),
        force,
        host: HostArguments { url: String::new(), key: None, output: OutputFormat::Text },
    };
    let paths = [arguments(None, false), arguments(Some("a&b"), false), arguments(Some("ab12"), true)];
    let paths = paths.map(|arguments| rollback_path(&arguments));
    expect![[r#"
        /admin/apps/a%2Fb/rollback
        /admin/apps/a%2Fb/rollback?to=a%26b
        /admin/apps/a%2Fb/rollback?to=ab12&force=1"#]]
    .assert_eq(&paths.join("\n"));
}
