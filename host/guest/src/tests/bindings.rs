//! Bindings: the values that a function is given and gives, the names that it may use, and who may not use any.

use super::fixtures::{
    activity_task, app, app_with_bindings, bind_all, invocation, load, runtime, runtime_with, small_settings, stable,
};
use super::http::{post, request};
use super::world::{Between, World};
use crate::{App, FunctionKind, GuestSettings};
use expect_test::{Expect, expect};
use http_body_util::BodyExt as _;
use orchestration::{EntityId, EntityOperation, Json, Timestamp};
use ports::{Activities as _, BoundValues, EntityBatch, HttpFunctions as _, Ran};

fn inputs() -> BoundValues {
    vec![("rates".to_owned(), Json::from("[1,2]")), ("receipts".to_owned(), Json::from("7"))]
}

/// What an activity made of its bindings: its answer, and what went to the outputs.
async fn check_in(app: &App, script: &str, expected: Expect) {
    let call = invocation(activity_task("UseBindings", &format!("{script:?}")));
    let outcome = match app.run_activity(call, inputs()).await {
        Ok(Ok(Ran { returned, outputs })) => {
            let seen: String = serde_json::from_str(returned.as_str()).expect("a text");
            let outputs: Vec<String> = outputs.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            format!("{seen}\n\n{}", outputs.join("\n"))
        }
        Ok(Err(failure)) => format!("failed: {failure:?}"),
        Err(fault) => format!("{}: {}", fault.error_type(), stable(&fault)),
    };
    expected.assert_eq(&outcome);
}

async fn check(script: &str, expected: Expect) {
    check_in(&app_with_bindings(&["rates"], &["receipts", "orders", "$return"]).await, script, expected).await;
}

#[tokio::test]
async fn values_go_in_and_out_in_order() {
    check(
        "input rates; output receipts 1; output orders {'a':2}; output receipts 3",
        expect![[r#"
        input rates -> [1,2]
        output receipts 1 -> taken
        output orders {'a':2} -> taken
        output receipts 3 -> taken

        receipts = 1
        orders = {'a':2}
        receipts = 3"#]],
    )
    .await;
}

#[tokio::test]
async fn names_are_those_of_the_manifest() {
    check("input prices; input receipts; output invoices 1; output RECEIPTS 1; output $return 1", expect![[r#"
        input prices -> refused: the manifest has no input named 'prices' for this function; it has: rates
        input receipts -> refused: the manifest has no input named 'receipts' for this function; it has: rates
        output invoices 1 -> refused: the manifest has no output named 'invoices' for this function; it has: receipts, orders
        output RECEIPTS 1 -> refused: the manifest has no output named 'RECEIPTS' for this function; it has: receipts, orders
        output $return 1 -> refused: the output '$return' takes what the function returns; return the value

    "#]]).await;
    let unbound = app("contract-probe").await;
    check_in(
        &unbound,
        "input rates; output receipts 1",
        expect![[r#"
        input rates -> refused: the manifest has no input named 'rates' for this function; it has: none
        output receipts 1 -> refused: the manifest has no output named 'receipts' for this function; it has: none

    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_input_that_nobody_read_is_told() {
    let app = app_with_bindings(&["rates"], &["receipts"]).await;
    let task = activity_task("UseBindings", r#""input rates""#);
    let returned = app.run(invocation(task)).await.expect("no fault").expect("no failure");
    expect![[r#""input rates -> refused: the input 'rates' was not read for this call""#]].assert_eq(returned.as_str());
}

/// Whoever runs an activity by the port does not ask for its outputs.
#[tokio::test]
async fn outputs_are_not_lost_without_a_word() {
    let app = app_with_bindings(&["rates"], &["receipts"]).await;
    let task = activity_task("UseBindings", r#""output receipts 1; output receipts 2""#);
    let fault = app.run(invocation(task)).await.expect_err("a fault");
    expect!["function 'UseBindings' trapped: it gave values to its outputs (receipts, receipts), which nobody takes in this run"].assert_eq(&stable(&fault));
}

/// Each value counts for 64 bytes besides its own.
#[tokio::test]
async fn outputs_are_bounded() {
    let settings = GuestSettings { max_output_bytes: 1_000, ..small_settings() };
    let runtime = runtime_with(settings);
    let component = load(&runtime, "contract-probe").await;
    let mut bindings = bind_all(&component);
    for binding in bindings.iter_mut().filter(|binding| binding.kind == FunctionKind::Activity) {
        binding.outputs = vec!["receipts".to_owned()];
    }
    let app = App::for_replay(&runtime, bindings).expect("all bound");
    check_in(&app, "output-of receipts 436; output-of unknown 2000", expect![[r#"
        output-of receipts 436 -> taken
        output-of unknown 2000 -> refused: the manifest has no output named 'unknown' for this function; it has: receipts

        receipts = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"#]]).await;
    check_in(&app, "output-of receipts 500; output-of receipts 373", expect!["FunctionOutputTooLarge: function 'UseBindings' returned 1001 bytes where at most 1000 are allowed; return less, or raise host.guest.maxOutputBytes"]).await;
}

#[tokio::test]
async fn an_http_function_has_them_too() {
    let app = app_with_bindings(&["rates"], &["receipts"]).await;
    let post = post("/bind", "input rates; output receipts 5");
    let call = ports::HttpInvocation { inputs: inputs(), ..request("BindOverHttp", post) };
    let answer = app.handle(call).await.expect("no fault");
    assert_eq!(answer.outputs, [("receipts".to_owned(), Json::from("5"))]);
    let body = answer.response.into_body().collect().await.expect("a body").to_bytes();
    expect![[r#""input rates -> [1,2]\noutput receipts 5 -> taken""#]].assert_eq(&String::from_utf8_lossy(&body));
}

#[tokio::test]
async fn who_decides_has_none() {
    let probe = app("contract-probe").await;
    let row = World::new(&probe, Between::KeepAlive).run("Orchestrate", r#""input rates""#).await;
    expect!["FunctionTrapped: function 'Orchestrate' trapped: an orchestrator must not use bindings; let it call an activity that reads the input or writes the output"].assert_eq(&stable(&row.failure.expect("a failure")));
    let batch = EntityBatch {
        invocation_id: "call-1".to_owned(),
        entity: EntityId::parse("Counter", "a").expect("a good id"),
        state: None,
        operations: vec![EntityOperation {
            name: "bind".to_owned(),
            input: Json::from("null"),
            request: "request-1".to_owned(),
            is_signal: true,
            caller: None,
        }],
        roll_back: true,
        now: Timestamp::from_unix_ms(0),
    };
    let fault = ports::Entities::run(&probe, batch).await.expect_err("a fault");
    expect!["function 'Counter' trapped: an entity has no bindings; let it start an orchestration whose activity reads the input or writes the output"].assert_eq(&stable(&fault));
    let streaming = super::http::probe(&runtime(), &[]).await;
    let fault = streaming.handle(request("Probe", post("/bindings", ""))).await.expect_err("a fault");
    expect!["function 'Probe' trapped: a streaming HTTP function has no bindings; write it as one that takes and gives whole bodies"].assert_eq(&stable(&fault));
}
