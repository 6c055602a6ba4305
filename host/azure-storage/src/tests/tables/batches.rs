//! Batches: all or nothing, told as clients expect it to the last byte; and what is no batch.

use super::{filled, send, without_stamps};
use crate::Service;
use expect_test::{Expect, expect};
use proptest::prelude::*;

/// A change set of operations; each is a request line, headers in lines, and after an empty line the body.
fn batch(operations: &[&str]) -> String {
    let parts = operations.iter().map(|operation| {
        let operation = operation.replace('\n', "\r\n");
        format!("--changeset_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{operation}\r\n")
    });
    let parts: String = parts.collect();
    with_changes(&format!("{parts}--changeset_1--\r\n"))
}

fn with_changes(changes: &str) -> String {
    let head = "POST ~/$batch\ncontent-type: multipart/mixed; boundary=batch_1\n\n";
    format!(
        "{head}--batch_1\r\nContent-Type: multipart/mixed; boundary=changeset_1\r\n\r\n{changes}\r\n--batch_1--\r\n"
    )
}

const ADDRESS: &str = "http://127.0.0.1:10001/devstoreaccount1";

/// What each part says; whole answers are among the sessions.
const EVERYWHERE: [&str; 5] = [
    "Content-Type: application/http\n",
    "Content-Transfer-Encoding: binary\n",
    "X-Content-Type-Options: nosniff\n",
    "Cache-Control: no-cache\n",
    "DataServiceVersion: 3.0;\n",
];

/// What comes back, and what is in the table afterwards. Ends of lines that lack a CR are shown.
fn check(request: &str, expected: &Expect) {
    let world = filled();
    let answer = send(&world, request).replace("-0000-4000-8000-", "-");
    let (head, body) = answer.split_at(answer.find("--batchresponse").unwrap_or(answer.len()));
    let mut body = body.trim_end_matches('\n').replace("\r\n", "\r").replace('\n', "<LF>").replace('\r', "\n");
    for line in EVERYWHERE {
        body = body.replace(line, "");
    }
    let after = send(&world, "GET ~/Trips()?$select=RowKey,n,s\naccept: application/json;odata=nometadata\n");
    expected.assert_eq(&format!("{head}{body}after: {}\n", after.lines().nth(1).unwrap_or("")));
}

fn insert(partition: &str, row: &str) -> String {
    format!(
        "POST {ADDRESS}/Trips HTTP/1.1\nPrefer: return-no-content\n\n{{\"PartitionKey\":\"{partition}\",\"RowKey\":\"{row}\"}}"
    )
}

#[test]
fn a_batch_does_all() {
    check(
        &batch(&[
            &insert("p", "it's"),
            &format!(
                "POST {ADDRESS}/Trips HTTP/1.1\nAccept: application/json;odata=nometadata\n\n{{\"PartitionKey\":\"p\",\"RowKey\":\"8\"}}"
            ),
            &format!("PUT {ADDRESS}/Trips(PartitionKey='p',RowKey='1') HTTP/1.1\nIf-Match: *\n\n{{\"s\":\"ü\"}}"),
            "MERGE http://localhost:1/devstoreaccount1/Trips(PartitionKey='p',RowKey='2')?timeout=3 HTTP/1.1\n\n\n{\"s\":\"x\"}",
            "DELETE /devstoreaccount1/Trips(PartitionKey='p',RowKey='3') HTTP/1.1\nIf-Match: *\n\n",
        ]),
        &expect![[r#"
            202
            --batchresponse_00000000-000000000005
            Content-Type: multipart/mixed; boundary=changesetresponse_00000000-000000000005

            --changesetresponse_00000000-000000000005

            HTTP/1.1 204 No Content
            dataserviceid: http://127.0.0.1:10001/devstoreaccount1/Trips(PartitionKey='p',RowKey='it''s')
            preference-applied: return-no-content
            location: http://127.0.0.1:10001/devstoreaccount1/Trips(PartitionKey='p',RowKey='it''s')
            ETag: W/"datetime'2026-11-22T12%3A00%3A00.0000003Z'"


            --changesetresponse_00000000-000000000005

            HTTP/1.1 201 Created
            content-type: application/json;odata=nometadata;streaming=true;charset=utf-8
            location: http://127.0.0.1:10001/devstoreaccount1/Trips(PartitionKey='p',RowKey='8')
            ETag: W/"datetime'2026-11-22T12%3A00%3A00.0000004Z'"

            {"PartitionKey":"p","RowKey":"8","Timestamp":"2026-11-22T12:00:00.0000004Z"}
            --changesetresponse_00000000-000000000005

            HTTP/1.1 204 No Content
            ETag: W/"datetime'2026-11-22T12%3A00%3A00.0000005Z'"


            --changesetresponse_00000000-000000000005

            HTTP/1.1 204 No Content
            ETag: W/"datetime'2026-11-22T12%3A00%3A00.0000006Z'"


            --changesetresponse_00000000-000000000005

            HTTP/1.1 204 No Content


            --changesetresponse_00000000-000000000005--
            --batchresponse_00000000-000000000005--
            after: {"value":[{"RowKey":"1","s":"ü"},{"RowKey":"2","n":2,"s":"x"},{"RowKey":"8"},{"RowKey":"it's"}]}
        "#]],
    );
}

#[test]
fn a_batch_that_fails_does_nothing() {
    check(
        &batch(&[&insert("p", "9"), &insert("p", "1")]),
        &expect![[r#"
            202
            --batchresponse_00000000-000000000005
            Content-Type: multipart/mixed; boundary=changesetresponse_00000000-000000000005

            --changesetresponse_00000000-000000000005

            HTTP/1.1 409 Conflict
            content-type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8
            x-ms-error-code: EntityAlreadyExists

            {"odata.error":{"code":"EntityAlreadyExists","message":{"lang":"en-US","value":"1:The specified entity already exists."}}}
            --changesetresponse_00000000-000000000005--
            --batchresponse_00000000-000000000005--
            after: {"value":[{"RowKey":"1","n":1},{"RowKey":"2","n":2},{"RowKey":"3","n":3}]}
        "#]],
    );
    check(
        &batch(&[
            &insert("p", "9"),
            &format!("DELETE {ADDRESS}/Trips(PartitionKey='p',RowKey='none') HTTP/1.1\nIf-Match: *\n\n"),
        ]),
        &expect![[r#"
            202
            --batchresponse_00000000-000000000005
            Content-Type: multipart/mixed; boundary=changesetresponse_00000000-000000000005

            --changesetresponse_00000000-000000000005

            HTTP/1.1 404 Not Found
            content-type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8
            x-ms-error-code: ResourceNotFound

            {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"1:The specified resource does not exist."}}}
            --changesetresponse_00000000-000000000005--
            --batchresponse_00000000-000000000005--
            after: {"value":[{"RowKey":"1","n":1},{"RowKey":"2","n":2},{"RowKey":"3","n":3}]}
        "#]],
    );
    check(
        &batch(&[&format!(
            "PUT {ADDRESS}/Trips(PartitionKey='p',RowKey='1') HTTP/1.1\nIf-Match: W/\"datetime'2020-01-01T00%3A00%3A00Z'\"\n\n{{}}"
        )]),
        &expect![[r#"
            202
            --batchresponse_00000000-000000000005
            Content-Type: multipart/mixed; boundary=changesetresponse_00000000-000000000005

            --changesetresponse_00000000-000000000005

            HTTP/1.1 412 Precondition Failed
            content-type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8
            x-ms-error-code: UpdateConditionNotSatisfied

            {"odata.error":{"code":"UpdateConditionNotSatisfied","message":{"lang":"en-US","value":"0:The update condition specified in the request was not satisfied."}}}
            --changesetresponse_00000000-000000000005--
            --batchresponse_00000000-000000000005--
            after: {"value":[{"RowKey":"1","n":1},{"RowKey":"2","n":2},{"RowKey":"3","n":3}]}
        "#]],
    );
}

/// Only status, code and message.
fn check_refused(request: &str, expected: &Expect) {
    let world = filled();
    let seen = send(&world, request);
    let status = seen.lines().find_map(|line| line.strip_prefix("HTTP/1.1 ")).unwrap_or("(no part)").trim();
    let error = seen.find("{\"odata.error\"").map_or("", |at| seen[at..].lines().next().unwrap_or(""));
    let first = seen.lines().next().unwrap_or("");
    expected.assert_eq(&format!("{first} {status} {}", error.trim()));
    let after = send(&world, "GET ~/Trips()?$select=RowKey\naccept: application/json;odata=nometadata\n");
    assert_eq!(after, "200\n{\"value\":[{\"RowKey\":\"1\"},{\"RowKey\":\"2\"},{\"RowKey\":\"3\"}]}\n");
}

#[test]
fn operations_that_cannot_be_in_one_batch() {
    check_refused(
        &batch(&[&insert("p", "9"), &insert("q", "9")]),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"CommandsInBatchActOnDifferentPartitions","message":{"lang":"en-US","value":"1:All commands in a batch must operate on same entity group."}}}"#
        ]],
    );
    check_refused(
        &batch(&[&insert("p", "9"), &insert("p", "8"), &insert("p", "9")]),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"InvalidDuplicateRow","message":{"lang":"en-US","value":"2:The batch request contains multiple changes with same row key. An entity can appear only once in a batch request."}}}"#
        ]],
    );
    check_refused(
        &batch(&[&insert("p", "9"), &insert("p", "8").replace("/Trips", "/Others")]),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"CommandsInBatchActOnDifferentPartitions","message":{"lang":"en-US","value":"1:All commands in a batch must operate on same entity group."}}}"#
        ]],
    );
    check_refused(
        &batch(&[&insert("p", "9").replace("/Trips", "/Nowhere")]),
        &expect![[
            r#"202 404 Not Found {"odata.error":{"code":"TableNotFound","message":{"lang":"en-US","value":"0:The table specified does not exist."}}}"#
        ]],
    );
}

#[test]
fn operations_that_cannot_be_in_any_batch() {
    check_refused(
        &batch(&[&insert("p", "9"), "GET /devstoreaccount1/Trips(PartitionKey='p',RowKey='1') HTTP/1.1\n\n"]),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"1:One of the request inputs is not valid. A change set holds changes only; reading is a batch of its own."}}}"#
        ]],
    );
    check_refused(
        &batch(&[&insert("p", "9"), "DELETE /devstoreaccount1/Trips(PartitionKey='p',RowKey='1') HTTP/1.1\n\n"]),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"MissingRequiredHeader","message":{"lang":"en-US","value":"1:An HTTP header that's mandatory for this request is not specified. Deleting asks for If-Match: an ETag, or * for any.\nHeaderName:If-Match"}}}"#
        ]],
    );
    check_refused(
        &batch(&[&insert("p", "9"), "POST /devstoreaccount1/Tables HTTP/1.1\n\n{\"TableName\":\"Others\"}"]),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"1:One of the request inputs is not valid. Only entities can be changed here."}}}"#
        ]],
    );
    check_refused(
        &batch(&["POST /devstoreaccount1/$batch HTTP/1.1\n\n"]),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"0:One of the request inputs is not valid. Only entities can be changed here."}}}"#
        ]],
    );
    check_refused(
        &batch(&["POST /elsewhere/Trips HTTP/1.1\n\n{}"]),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"0:One of the request inputs is not valid. '/elsewhere/Trips' is not below this account."}}}"#
        ]],
    );
    check_refused(
        &batch(&[&insert("p", "9"), &insert("p", "a/b")]),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"OutOfRangeInput","message":{"lang":"en-US","value":"1:One of the request inputs is out of range. The RowKey contains '/'; leave out '/', '\\', '#', '?' and control characters."}}}"#
        ]],
    );
    check_refused(
        &batch(&["POST Trips"]),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"0:One of the request inputs is not valid. The batch cannot be read: 'POST Trips' is no request line; write 'POST http://address HTTP/1.1'."}}}"#
        ]],
    );
}

#[test]
fn more_than_a_hundred_operations_are_too_many() {
    let many: Vec<String> = (0..101).map(|i| insert("p", &format!("n{i}"))).collect();
    check_refused(
        &batch(&many.iter().map(String::as_str).collect::<Vec<_>>()),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"100:One of the request inputs is not valid. The batch request operation exceeds the maximum 100 changes per change set."}}}"#
        ]],
    );
    let many: Vec<String> = (0..1_000).map(|i| insert("p", &format!("n{i}"))).collect();
    check_refused(
        &batch(&many.iter().map(String::as_str).collect::<Vec<_>>()),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"100:One of the request inputs is not valid. The batch request operation exceeds the maximum 100 changes per change set."}}}"#
        ]],
    );
}

#[test]
fn a_hundred_operations_are_not_too_many() {
    let many: Vec<String> = (0..100).map(|i| insert("p", &format!("n{i}"))).collect();
    let seen = send(&filled(), &batch(&many.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(seen.matches("HTTP/1.1 204 No Content").count(), 100, "{seen}");
}

#[test]
fn what_is_no_batch() {
    let head = "POST ~/$batch\ncontent-type: multipart/mixed; boundary=batch_1\n\n";
    check_refused(
        "POST ~/$batch\ncontent-type: application/json\n\n{}",
        &expect![[
            r#"400 (no part) {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The batch cannot be read: 'application/json' is not multipart/mixed with a boundary."}}}"#
        ]],
    );
    check_refused(
        "POST ~/$batch\ncontent-type: multipart/mixed\n\n--\r\n",
        &expect![[
            r#"400 (no part) {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The batch cannot be read: 'multipart/mixed' is not multipart/mixed with a boundary."}}}"#
        ]],
    );
    check_refused(
        "GET ~/$batch\n",
        &expect![[
            r#"405 (no part) {"odata.error":{"code":"UnsupportedHttpVerb","message":{"lang":"en-US","value":"The resource doesn't support specified Http Verb. The method was GET."}}}"#
        ]],
    );
    check_refused(
        &format!("{head}nothing"),
        &expect![[
            r#"400 (no part) {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The batch cannot be read: the closing boundary '--batch_1--' is missing."}}}"#
        ]],
    );
    check_refused(
        &format!("{head}--batch_1--\r\n"),
        &expect![[
            r#"400 (no part) {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The batch cannot be read: there is no part."}}}"#
        ]],
    );
    check_refused(
        &format!("{head}--batch_1\r\n\r\n--batch_1\r\n\r\n--batch_1--\r\n"),
        &expect![[
            r#"400 (no part) {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The batch cannot be read: there are more parts than 1."}}}"#
        ]],
    );
    check_refused(
        &format!("{head}--batch_1\r\nno header\r\n\r\n--batch_1--\r\n"),
        &expect![[
            r#"400 (no part) {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The batch cannot be read: 'no header' is no header line."}}}"#
        ]],
    );
    check_refused(
        &format!("{head}--batch_1\r\nContent-Type: text/plain\r\n\r\n--batch_1--\r\n"),
        &expect![[
            r#"400 (no part) {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The batch cannot be read: a part of a batch has the type application/http, and this has 'text/plain'."}}}"#
        ]],
    );
}

#[test]
fn what_is_no_change_set() {
    check_refused(
        &with_changes("--changeset_1--\r\n"),
        &expect![[
            r#"400 (no part) {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The batch cannot be read: there is no part."}}}"#
        ]],
    );
    check_refused(
        &with_changes("--changeset_1\r\nContent-Type: text/plain\r\n\r\n--changeset_1--\r\n"),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"0:One of the request inputs is not valid. The batch cannot be read: a part of a batch has the type application/http, and this has 'text/plain'."}}}"#
        ]],
    );
    let whole = batch(&[&insert("p", "9")]);
    check_refused(
        &whole.replace("--changeset_1--", ""),
        &expect![[
            r#"400 (no part) {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The batch cannot be read: the closing boundary '--changeset_1--' is missing."}}}"#
        ]],
    );
    check_refused(
        &whole.replace("--batch_1--", ""),
        &expect![[
            r#"400 (no part) {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The batch cannot be read: the closing boundary '--batch_1--' is missing."}}}"#
        ]],
    );
}

#[test]
fn a_batch_may_read_one_thing() {
    let reading = |target: &str| {
        format!(
            "POST ~/$batch\ncontent-type: multipart/mixed; boundary=\"batch_1\"\n\n--batch_1\r\nContent-Type: application/http\r\n\r\n\
             GET {target} HTTP/1.1\r\nAccept: application/json;odata=nometadata\r\n\r\n--batch_1--\r\n"
        )
    };
    check(
        &reading(&format!("{ADDRESS}/Trips(PartitionKey='p',RowKey='1')?$select=n")),
        &expect![[r#"
            202
            --batchresponse_00000000-000000000005

            HTTP/1.1 200 OK
            content-type: application/json;odata=nometadata;streaming=true;charset=utf-8
            ETag: W/"datetime'2026-11-22T12%3A00%3A00.0000000Z'"

            {"n":1}
            --batchresponse_00000000-000000000005--
            after: {"value":[{"RowKey":"1","n":1},{"RowKey":"2","n":2},{"RowKey":"3","n":3}]}
        "#]],
    );
    check(
        &reading("/devstoreaccount1/Trips()?$filter=n%20lt%202&$select=n"),
        &expect![[r#"
            202
            --batchresponse_00000000-000000000005

            HTTP/1.1 200 OK
            content-type: application/json;odata=nometadata;streaming=true;charset=utf-8

            {"value":[{"n":1}]}
            --batchresponse_00000000-000000000005--
            after: {"value":[{"RowKey":"1","n":1},{"RowKey":"2","n":2},{"RowKey":"3","n":3}]}
        "#]],
    );
    check(
        &reading("/devstoreaccount1/Trips(PartitionKey='p',RowKey='none')"),
        &expect![[r#"
            202
            --batchresponse_00000000-000000000005

            HTTP/1.1 404 Not Found
            content-type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8
            x-ms-error-code: ResourceNotFound

            {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"0:The specified resource does not exist."}}}
            --batchresponse_00000000-000000000005--
            after: {"value":[{"RowKey":"1","n":1},{"RowKey":"2","n":2},{"RowKey":"3","n":3}]}
        "#]],
    );
    check_refused(
        &reading("/devstoreaccount1/$batch"),
        &expect![[
            r#"202 400 Bad Request {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"0:One of the request inputs is not valid. A batch holds no other batch."}}}"#
        ]],
    );
}

proptest! {
    /// Whatever is cut out of a batch or put into it, there is an answer, and either all was done or nothing.
    #[test]
    fn damaged_batches_do_all_or_nothing(from in 0_usize..700, length in 0_usize..80, filling in "(?s)[\r\n\\-a: ]{0,4}") {
        let world = filled();
        let whole = batch(&[&insert("p", "8"), &insert("p", "9")]);
        let (head, body) = whole.split_once("\n\n").unwrap();
        let at = |position: usize| (0..=position.min(body.len())).rev().find(|&at| body.is_char_boundary(at)).unwrap_or(0);
        let damaged = format!("{head}\n\n{}{filling}{}", &body[..at(from)], &body[at(from + length)..]);
        let answer = without_stamps(&world.send_one(Service::Table, &damaged));
        prop_assert!(answer.starts_with("202\n") || answer.starts_with("400\n"), "{answer}");
        let done = answer.matches("HTTP/1.1 20").count();
        let after = send(&world, "GET ~/Trips()?$select=RowKey\naccept: application/json;odata=nometadata\n");
        prop_assert_eq!(after.matches("\"RowKey\":").count(), 3 + done, "{}\n{}", answer, after);
    }
}
