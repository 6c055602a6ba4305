//! What people read of a run, and what they read instead of one.

use super::*;
use crate::cli::HostArguments;
use expect_test::{Expect, expect};

fn check(report: &str, expected: &Expect) {
    expected.assert_eq(&in_words(&serde_json::from_str(report).expect("a report")));
}

#[test]
fn a_run_is_told_line_by_line() {
    check(
        r#"{"invocationId": "7f", "outcome": "Succeeded", "returned": "ok", "outputs": {"trips": [{"a": 1.50}, 2], "more": ["x"]}, "durationMs": 12}"#,
        &expect![[r#"
            Succeeded in 12 ms (invocation 7f)
            Returned: "ok"
            Output more: "x"
            Output trips: {"a": 1.50}
            Output trips: 2"#]],
    );
    check(
        r#"{"invocationId": "7f", "outcome": "Failed", "outputs": {}, "error": "TripError: no seats", "durationMs": 3}"#,
        &expect![[r#"
            Failed after 3 ms (invocation 7f): TripError: no seats
            What the function logged is in the host's log, with the id of the invocation."#]],
    );
    check(
        r#"{"outcome": "Succeeded", "returned": {"id": "a1", "statusQueryGetUri": "http://h/a1", "more": 1}, "outputs": {}, "durationMs": 3}"#,
        &expect![[r#"
            Started the instance a1
            Status: http://h/a1"#]],
    );
    check(
        r#"{"outcome": "Succeeded", "outputs": {}, "durationMs": 3, "response": {"status": 201, "headers": [["a", "b"], ["a", "c"]], "body": "made\n", "isTruncated": false}}"#,
        &expect![[r#"
            Succeeded in 3 ms

            HTTP 201
            a: b
            a: c

            made"#]],
    );
    check(
        r#"{"outcome": "Succeeded", "outputs": {}, "durationMs": 3, "response": {"status": 200, "headers": [], "bodyBase64": "AP8=", "isTruncated": true}}"#,
        &expect![[r#"
            Succeeded in 3 ms

            HTTP 200

            (a body that is no text)
            (and more)"#]],
    );
}

#[test]
fn inputs_come_from_where_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("input.json");
    std::fs::write(&file, "{\"a\": 1}\n").expect("it can be written");
    assert_eq!(read(&format!("@{}", file.display())).expect("it is there"), "{\"a\": 1}\n");
    assert_eq!(read("a@b").expect("text"), "a@b");
    let missing = read("@no/such/file").expect_err("it is not there");
    assert_eq!(missing.to_string(), "no/such/file cannot be read");
}

#[tokio::test]
async fn a_host_that_is_not_there_is_named() {
    // Nobody can listen there.
    for url in ["http://127.0.0.1:0/", "127.0.0.1:0", "http://127.0.0.1:0/admin/"] {
        let host = HostArguments { url: url.to_owned(), key: None, output: OutputFormat::Text };
        let arguments = InvokeArguments { function: "BookTrip".to_owned(), data: None, no_wait: false, host };
        let error = invoke(&arguments, None).await.err().expect("nobody answers");
        expect!["no host answers at http://127.0.0.1:0; start one with `dacapo start <manifest>`, or say where it is with --url"]
            .assert_eq(&error.to_string());
    }
}
