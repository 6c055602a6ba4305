//! What the admin API answers: shapes, statuses, and what a change does to the answers after it.

mod apps;
mod functions;
mod host;
pub(crate) mod world;

use crate::admin::Admin;
use crate::background::BackgroundTasks;
use crate::shutdown::Stop;
use expect_test::{Expect, expect};
use http::{Method, Request};
use http_body_util::BodyExt;
use std::fmt::Write;
use tokio::task::JoinSet;
use world::{body, trips};

/// Sends requests one after the other, one a line: method, path, body. Long values are shortened to their first letters.
async fn check(requests: &str, expected: &Expect) {
    let (admin, background) = trips();
    check_on(&admin, background, requests, expected).await;
}

/// The same on an API that the test has made.
async fn check_on(admin: &Admin, background: BackgroundTasks, requests: &str, expected: &Expect) {
    let (_stop, stopping) = Stop::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(background.run(stopping));
    let mut text = String::new();
    for line in requests.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut parts = line.splitn(3, ' ');
        let method: Method = parts.next().and_then(|method| method.parse().ok()).expect("a method");
        let path = parts.next().expect("a path");
        let request = Request::builder().method(method).uri(path).header("host", "h:1");
        let answer = admin.handle(request.body(body(parts.next().unwrap_or_default())).expect("a request")).await;
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.expect("a whole body").to_bytes();
        writeln!(text, "{line}\n  {status} {}", shortened(&String::from_utf8_lossy(&bytes)))
            .expect("a string takes all");
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    expected.assert_eq(&lines.join("\n"));
}

/// Of values that the host made, what tells one from another.
fn shortened(text: &str) -> String {
    let mut pieces = text.split("dcpo_");
    let mut short = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (value, rest) = piece.split_at(piece.find('"').unwrap_or(piece.len()));
        write!(short, "dcpo_{}..{rest}", &value[..3]).expect("a string takes all");
    }
    short
}

#[tokio::test]
async fn keys_have_azures_shapes() {
    check(
        "GET /admin/host/keys
         GET /admin/host/functionkeys/default?code=not-in-links
         GET /admin/host/systemkeys
         GET /admin/host/systemkeys/_MASTER
         GET /admin/functions/starttrip/keys
         GET /admin/functions/StartTrip/keys/Default
         GET /admin/functions/BookTrip/keys",
        &expect![[r#"
            GET /admin/host/keys
              200 {"keys":[{"name":"default","value":"dcpo_fBA.."}],"links":[{"rel":"self","href":"http://h:1/admin/host/keys"}]}
            GET /admin/host/functionkeys/default?code=not-in-links
              200 {"name":"default","value":"dcpo_fBA..","links":[{"rel":"self","href":"http://h:1/admin/host/functionkeys/default"}]}
            GET /admin/host/systemkeys
              200 {"keys":[{"name":"durabletask_extension","value":"dcpo_sBw.."},{"name":"_master","value":"dcpo_mAQ.."}],"links":[{"rel":"self","href":"http://h:1/admin/host/systemkeys"}]}
            GET /admin/host/systemkeys/_MASTER
              200 {"name":"_master","value":"dcpo_mAQ..","links":[{"rel":"self","href":"http://h:1/admin/host/systemkeys/_MASTER"}]}
            GET /admin/functions/starttrip/keys
              200 {"keys":[{"name":"default","value":"dcpo_fCg.."}],"links":[{"rel":"self","href":"http://h:1/admin/functions/starttrip/keys"}]}
            GET /admin/functions/StartTrip/keys/Default
              200 {"name":"default","value":"dcpo_fCg..","links":[{"rel":"self","href":"http://h:1/admin/functions/StartTrip/keys/Default"}]}
            GET /admin/functions/BookTrip/keys
              200 {"keys":[],"links":[{"rel":"self","href":"http://h:1/admin/functions/BookTrip/keys"}]}"#]],
    )
    .await;
}

#[tokio::test]
async fn keys_are_made_set_and_deleted() {
    check(
        r#"POST /admin/host/keys/partner
           POST /admin/host/keys/Partner
           PUT /admin/host/keys/partner {"name": "partner", "value": "sesame-1"}
           GET /admin/host/functionkeys/partner
           DELETE /admin/host/keys/partner
           GET /admin/host/keys/partner
           PUT /admin/functions/BookTrip/keys/own {"value": "sesame-2"}
           GET /admin/functions/BookTrip/keys
           PUT /admin/host/systemkeys/_master {"value": "sesame-3"}
           POST /admin/host/systemkeys/_master
           DELETE /admin/host/systemkeys/_master
           DELETE /admin/host/systemkeys/durabletask_extension"#,
        &expect![[r#"
            POST /admin/host/keys/partner
              201 {"name":"partner","value":"dcpo_fDQ..","links":[{"rel":"self","href":"http://h:1/admin/host/keys/partner"}]}
            POST /admin/host/keys/Partner
              200 {"name":"partner","value":"dcpo_fEA..","links":[{"rel":"self","href":"http://h:1/admin/host/keys/Partner"}]}
            PUT /admin/host/keys/partner {"name": "partner", "value": "sesame-1"}
              200 {"name":"partner","value":"sesame-1","links":[{"rel":"self","href":"http://h:1/admin/host/keys/partner"}]}
            GET /admin/host/functionkeys/partner
              200 {"name":"partner","value":"sesame-1","links":[{"rel":"self","href":"http://h:1/admin/host/functionkeys/partner"}]}
            DELETE /admin/host/keys/partner
              204
            GET /admin/host/keys/partner
              404
            PUT /admin/functions/BookTrip/keys/own {"value": "sesame-2"}
              201 {"name":"own","value":"sesame-2","links":[{"rel":"self","href":"http://h:1/admin/functions/BookTrip/keys/own"}]}
            GET /admin/functions/BookTrip/keys
              200 {"keys":[{"name":"own","value":"sesame-2"}],"links":[{"rel":"self","href":"http://h:1/admin/functions/BookTrip/keys"}]}
            PUT /admin/host/systemkeys/_master {"value": "sesame-3"}
              200 {"name":"_master","value":"sesame-3","links":[{"rel":"self","href":"http://h:1/admin/host/systemkeys/_master"}]}
            POST /admin/host/systemkeys/_master
              200 {"name":"_master","value":"dcpo_mEw..","links":[{"rel":"self","href":"http://h:1/admin/host/systemkeys/_master"}]}
            DELETE /admin/host/systemkeys/_master
              400 the master key cannot be deleted; rotate it instead
            DELETE /admin/host/systemkeys/durabletask_extension
              204"#]],
    )
    .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_without_its_words() {
    check(
        r#"PUT /admin/host/keys/a
           PUT /admin/host/keys/a {"value": sesame-open}
           PUT /admin/host/keys/a {"value": ["sesame-open"]}
           PUT /admin/host/keys/a {"name": "a"}
           PUT /admin/host/keys/a {"name": "b", "value": "sesame-open"}
           PUT /admin/host/keys/a {"value": ""}
           PUT /admin/host/keys/a {"value": "se same-open"}
           PUT /admin/host/keys/a {"value": "dcpo_fsame-open"}
           PUT /admin/host/keys/_a {"value": "sesame-open"}
           POST /admin/host/keys/a%2Fb
           POST /admin/functions/StartTrip/keys/_master
           GET /admin/functions/StartTrip/keys/_master
           GET /admin/host/keys/%FF
           GET /admin/host//keys"#,
        &expect![[r#"
            PUT /admin/host/keys/a
              400 the body is not JSON of the shape {"name": "...", "value": "..."}
            PUT /admin/host/keys/a {"value": sesame-open}
              400 the body is not JSON of the shape {"name": "...", "value": "..."}
            PUT /admin/host/keys/a {"value": ["sesame-open"]}
              400 the body is not JSON of the shape {"name": "...", "value": "..."}
            PUT /admin/host/keys/a {"name": "a"}
              400 the body has no value; to have one made, send a POST request instead
            PUT /admin/host/keys/a {"name": "b", "value": "sesame-open"}
              400 the body names another key than the URL
            PUT /admin/host/keys/a {"value": ""}
              400 the value of a key has 8 to 512 characters
            PUT /admin/host/keys/a {"value": "se same-open"}
              400 the value of a key consists of visible ASCII characters without spaces
            PUT /admin/host/keys/a {"value": "dcpo_fsame-open"}
              400 the value begins like a key that Dacapo made, but is none; copy it again, from its first to its last character
            PUT /admin/host/keys/_a {"value": "sesame-open"}
              400 that is no name for a key; it begins with a letter or digit, goes on with letters, digits, '_', '-' and '.', and has at most 128 characters
            POST /admin/host/keys/a%2Fb
              400 that is no name for a key; it begins with a letter or digit, goes on with letters, digits, '_', '-' and '.', and has at most 128 characters
            POST /admin/functions/StartTrip/keys/_master
              400 that is no name for a key; it begins with a letter or digit, goes on with letters, digits, '_', '-' and '.', and has at most 128 characters
            GET /admin/functions/StartTrip/keys/_master
              404
            GET /admin/host/keys/%FF
              404
            GET /admin/host//keys
              404"#]],
    )
    .await;
    let long = format!("{{\"value\": \"{}\"}}", "x".repeat(17 << 10));
    let request = Request::builder().method("PUT").uri("/admin/host/keys/a").header("host", "h");
    assert_eq!(trips().0.handle(request.body(body(&long)).expect("a request")).await.status(), 413);
}
