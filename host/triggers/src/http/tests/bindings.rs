//! What happens around the functions: who may call, what is read before and written after, and what is tried again.

use super::world::{options, print, request};
use crate::http::{Admission, Gatekeeper, HttpParts, HttpTrigger, Surroundings};
use crate::world::{BEGIN, Fault, World, app};
use async_trait::async_trait;
use expect_test::{Expect, expect};
use futures::future::join_all;
use http::Response;
use http::request::Parts;
use http_body_util::{BodyExt, Full};
use manifest::expression::Expression;
use manifest::settings::MessageEncoding;
use manifest::{
    AuthLevel, Connection, Function, InputBinding, InputSource, OutputBinding, OutputTarget, QueueOutput, RetryDelay,
    RetryPolicy, TableInput,
};
use orchestration::Json;
use ports::{Clock, GuestFault, HttpAnswer, HttpFunctions, HttpInvocation};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Functions that write down how they are called, and do what the header `do` says.
struct Scripted {
    world: Arc<World>,
    runs: Mutex<u32>,
}

#[async_trait]
impl HttpFunctions for Scripted {
    async fn handle(&self, invocation: HttpInvocation) -> Result<HttpAnswer, GuestFault> {
        let HttpInvocation { function, route_parameters, request, inputs, .. } = invocation;
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("tests send whole bodies").to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        (self.world.note())(&format!("{function} {route_parameters:?} {body:?} {inputs:?}"));
        let run = {
            let mut runs = self.runs.lock().expect("nobody panicked");
            *runs += 1;
            *runs
        };
        let orders = head.headers.get("do").map_or("", |value| value.to_str().expect("visible characters"));
        let mut outputs = Vec::new();
        for order in orders.split(" and ") {
            match order.split_once(' ').unwrap_or((order, "")) {
                ("trap", times) if run <= times.parse().expect("a number of times") => {
                    return Err(GuestFault::Trapped { function, message: "unreachable".to_owned() });
                }
                ("vanish", _) => return Err(GuestFault::NotFound { kind: "function", name: function, known: vec![] }),
                ("sleep", seconds) => {
                    let seconds = Duration::from_secs(seconds.parse().expect("a number of seconds"));
                    self.world.clock.sleep_until(self.world.clock.now().saturating_add(seconds)).await;
                }
                ("out", value) => {
                    let (name, value) = value.split_once(' ').expect("a name and a value");
                    outputs.push((name.to_owned(), Json::from(value)));
                }
                _ => {}
            }
        }
        let body = Full::from("its own answer").map_err(|never| match never {}).boxed_unsync();
        Ok(HttpAnswer { response: Response::new(body), outputs })
    }
}

/// Whoever says so in a header.
struct Word;

impl Gatekeeper for Word {
    fn admit(&self, function: &str, level: AuthLevel, head: &Parts) -> Admission {
        match head.headers.get("key").map(|key| key.as_bytes()) {
            Some(b"master") => Admission::GrantedAsAdmin,
            Some(key) if key == function.as_bytes() && level <= AuthLevel::Function => Admission::Granted,
            _ if level == AuthLevel::Anonymous => Admission::Granted,
            _ => Admission::Denied,
        }
    }
}

fn expression(text: &str) -> Expression {
    Expression::parse(text).expect("the test's expression is one")
}

/// `Anyone`, `Known`, `Master` and the disabled `Off`, one for each level; `Order` with bindings.
fn functions() -> Vec<Function> {
    let text = r#"
[app]
name = "guarded"
version = "1.0.0"
[components.main]
source = "main.wasm"
[functions.Anyone]
trigger = { type = "httpTrigger", authLevel = "anonymous", methods = ["get"] }
[functions.Known]
trigger = { type = "httpTrigger", methods = ["get"] }
[functions.Master]
trigger = { type = "httpTrigger", authLevel = "admin", methods = ["get"] }
[functions.Off]
trigger = { type = "httpTrigger", authLevel = "anonymous", methods = ["get"] }
[functions.Order]
trigger = { type = "httpTrigger", authLevel = "anonymous", route = "orders/{customer}" }
"#;
    let mut functions = manifest::parse(text, "guarded.toml", &manifest::no_settings).expect("it is valid").functions;
    functions[3].disabled = true;
    let order = &mut functions[4];
    order.inputs = vec![InputBinding {
        name: "last".to_owned(),
        source: InputSource::Table(TableInput {
            table_name: expression("Orders"),
            partition_key: Some(expression("{customer}")),
            row_key: Some(expression("1")),
            filter: None,
            take: None,
            connection: Connection::default(),
        }),
    }];
    let queue = |name: &str, queue_name: &str| OutputBinding {
        name: name.to_owned(),
        target: OutputTarget::Queue(QueueOutput {
            queue_name: expression(queue_name),
            message_encoding: MessageEncoding::Auto,
            connection: Connection::default(),
        }),
    };
    order.outputs = vec![queue("q", "orders"), OutputBinding { name: "res".to_owned(), target: OutputTarget::Http }];
    functions
}

fn trigger(world: &Arc<World>, functions: Vec<Function>) -> HttpTrigger {
    let parts = HttpParts {
        functions: Arc::new(Scripted { world: Arc::clone(world), runs: Mutex::new(0) }),
        clock: Arc::new(world.clock.clone()),
        randomness: Arc::<crate::world::Counted>::clone(&world.randomness),
    };
    let surroundings = Surroundings { gatekeeper: Arc::new(Word), bindings: world.bindings.clone() };
    let mut options = options();
    options.limits.request_body_bytes = 100;
    HttpTrigger::guarded(&app(functions), parts, surroundings, options).unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[test]
fn only_who_may_call_reaches_a_function() {
    let world = Arc::new(World::new());
    let trigger = trigger(&world, functions());
    let mut table = String::new();
    for path in ["Anyone", "Known", "Master", "Off", "Nobody"] {
        for key in ["", "Known", "wrong", "master"] {
            for method in ["GET", "POST"] {
                let asked = request(&format!("{method} /api/{path}\nHost: h\nkey: {key}"));
                let answer = world.run(trigger.handle(asked)).expect("nothing waits");
                assert!(!answer.headers().contains_key("www-authenticate"), "as in Azure");
                table.push_str(&format!("{} ", answer.status().as_u16()));
            }
            table.push_str("| ");
        }
        table.push_str(&format!("{path}\n"));
    }
    // Each column: no key, the key of Known, a wrong key, the master key; GET and then POST, which nobody answers.
    expect![[r#"
        200 405 | 200 405 | 200 405 | 200 405 | Anyone
        401 401 | 200 405 | 401 401 | 200 405 | Known
        401 401 | 401 401 | 401 401 | 200 405 | Master
        404 404 | 404 404 | 404 404 | 200 405 | Off
        404 404 | 404 404 | 404 404 | 404 404 | Nobody
    "#]]
    .assert_eq(&table);
}

fn check(asked: &str, change: impl FnOnce(&mut Function), expected: &Expect) {
    check_in(&Arc::new(World::new()), asked, change, expected);
}

/// One request to `Order`, after a change of it: what ran, what was answered, what is in the account then.
fn check_in(world: &Arc<World>, asked: &str, change: impl FnOnce(&mut Function), expected: &Expect) {
    world.embedded.insert("Orders", r#"{"PartitionKey":"ann","RowKey":"1","total":5}"#);
    let mut functions = functions();
    change(&mut functions[4]);
    let trigger = trigger(world, functions);
    let answer = world.run(async { print(trigger.handle(request(asked)).await).await }).expect("it is answered");
    let stored = world.embedded.print();
    expected.assert_eq(&format!("{}-- answer\n{answer}-- stored\n{stored}", world.transcript()));
}

#[test]
fn inputs_are_read_before_and_outputs_written_after() {
    let asked =
        "POST /api/orders/ann\nHost: h\ndo: out q [1, 2] and out res {\"status\": 202, \"body\": {\"ok\": true}}\n\nhi";
    check(
        asked,
        |_| {},
        &expect![[r#"
        0:00.000 Order [("customer", "ann")] "hi" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        -- answer
        202 Accepted
        content-type: application/json; charset=utf-8
        content-length: 12
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"ok": true}
        -- stored
        orders: "1", received 0 times
        orders: "2", received 0 times
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
    check(
        "POST /api/orders/bob\nHost: h",
        |_| {},
        &expect![[r#"
        0:00.000 Order [("customer", "bob")] "" [("last", null)]
        -- answer
        200 OK
        content-length: 14
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        its own answer
        -- stored
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
}

#[test]
fn an_input_that_the_store_cannot_read_now_is_told_as_503() {
    let world = Arc::new(World::new());
    // The input cannot be read, and the function does not run.
    world.embedded.fail([Fault::Before]);
    check_in(
        &world,
        "POST /api/orders/ann\nHost: h\ndo: out q 1",
        |_| {},
        &expect![[r#"
        -- answer
        503 Service Unavailable
        content-type: application/problem+json
        retry-after: 1
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"input 'last': the table 'Orders' could not be read: the store is unavailable: the disk is full","function":"Order","hint":"Nothing was written. Call it again.","invocationId":"00000000-0000-4000-8000-000000000001","status":503,"title":"InputsNotRead","type":"about:blank"}
        -- stored
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
}

#[test]
fn what_cannot_be_read_or_written_is_a_problem() {
    let asked = "POST /api/orders/ann\nHost: h\ndo: out q 1";
    check(
        asked,
        named("{missing}"),
        &expect![[r#"
        0:00.000 Order [("customer", "ann")] "" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        -- answer
        500 Internal Server Error
        content-type: application/problem+json
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"binding 'q': the binding expression '{missing}' cannot be filled in: {missing}: there is no `missing`; there is: customer, Query, Headers","function":"Order","hint":"Compare the function's values and its bindings in the manifest; nothing was written.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"BindingFailed","type":"about:blank"}
        -- stored
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
    let world = Arc::new(World::new());
    // The input is read and the commit fails.
    world.embedded.fail([Fault::None, Fault::Before]);
    check_in(
        &world,
        asked,
        |_| {},
        &expect![[r#"
            0:00.000 Order [("customer", "ann")] "" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
            -- answer
            503 Service Unavailable
            content-type: application/problem+json
            retry-after: 1
            x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

            {"detail":"the function's outputs could not be written: the store is unavailable: the disk is full","function":"Order","hint":"The function ran and its answer was withheld, because its outputs are not there. Call it again.","invocationId":"00000000-0000-4000-8000-000000000001","status":503,"title":"OutputsNotWritten","type":"about:blank"}
            -- stored
            Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
        "#]],
    );
    check(
        "POST /api/orders/ann\nHost: h\ndo: out res {\"status\": 101}",
        |_| {},
        &expect![[r#"
        0:00.000 Order [("customer", "ann")] "" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        -- answer
        500 Internal Server Error
        content-type: application/problem+json
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"output 'res' does not take the value {\"status\": 101}: the status 101 is none that a response can end with; give a number from 200 to 599","function":"Order","hint":"Compare the function's values and its bindings in the manifest; nothing was written.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"BindingFailed","type":"about:blank"}
        -- stored
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
}

/// Makes the queue of the output `q` another one.
fn named(text: &str) -> impl FnOnce(&mut Function) + use<> {
    let name = expression(text);
    move |order| match &mut order.outputs[0].target {
        OutputTarget::Queue(queue) => queue.queue_name = name,
        OutputTarget::Table(_) | OutputTarget::Http | OutputTarget::DurableClient => panic!("it is a queue"),
    }
}

#[test]
fn expressions_name_the_parts_of_a_request() {
    let asked = "POST /api/orders/ann?size=xl&customer=shadowed&code=secret\nHost: h\nx-tag: red\nx-functions-key: secret\ndo: out q 1\n\n{\"size\": \"shadowed\", \"kind\": {\"of\": \"shoe\"}}";
    check(
        asked,
        named("{customer}-{size}-{Query.customer}-{headers.x-tag}-{kind.of}"),
        &expect![[r#"
        0:00.000 Order [("customer", "ann")] "{\"size\": \"shadowed\", \"kind\": {\"of\": \"shoe\"}}" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        -- answer
        200 OK
        content-length: 14
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        its own answer
        -- stored
        ann-xl-shadowed-red-shoe: "1", received 0 times
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
}

#[test]
fn expressions_do_not_name_keys() {
    let asked = "POST /api/orders/ann?code=secret\nHost: h\nx-functions-key: secret\ndo: out q 1";
    check(
        asked,
        named("{code}"),
        &expect![[r#"
            0:00.000 Order [("customer", "ann")] "" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
            -- answer
            500 Internal Server Error
            content-type: application/problem+json
            x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

            {"detail":"binding 'q': the binding expression '{code}' cannot be filled in: {code}: there is no `code`; there is: customer, Query, Headers","function":"Order","hint":"Compare the function's values and its bindings in the manifest; nothing was written.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"BindingFailed","type":"about:blank"}
            -- stored
            Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
        "#]],
    );
    check(
        asked,
        named("{headers.x-functions-key}"),
        &expect![[r#"
            0:00.000 Order [("customer", "ann")] "" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
            -- answer
            500 Internal Server Error
            content-type: application/problem+json
            x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

            {"detail":"binding 'q': the binding expression '{headers.x-functions-key}' cannot be filled in: {headers.x-functions-key}: `headers` has no `x-functions-key`; there is: do, host","function":"Order","hint":"Compare the function's values and its bindings in the manifest; nothing was written.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"BindingFailed","type":"about:blank"}
            -- stored
            Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
        "#]],
    );
}

#[test]
fn a_body_that_no_expression_can_use_is_told_apart() {
    check(
        "POST /api/orders/ann\nHost: h\ndo: out q 1\n\nno JSON",
        named("{kind}"),
        &expect![[r#"
        0:00.000 Order [("customer", "ann")] "no JSON" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        -- answer
        500 Internal Server Error
        content-type: application/problem+json
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"binding 'q': the binding expression '{kind}' cannot be filled in: {kind}: there is no `kind`; there is: customer, Query, Headers","function":"Order","hint":"Compare the function's values and its bindings in the manifest; nothing was written.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"BindingFailed","type":"about:blank"}
        -- stored
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
    let long = format!("POST /api/orders/ann\nHost: h\n\n{}", "x".repeat(101));
    check(
        &long,
        named("{kind}"),
        &expect![[r#"
        -- answer
        413 Payload Too Large
        content-type: text/plain; charset=utf-8
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        the request body is longer than 100 bytes; raise host.http.maxRequestBodyBytes
        -- stored
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
}

fn retry(max_retry_count: Option<u32>) -> impl FnOnce(&mut Function) {
    let delay = RetryDelay::Fixed(Duration::from_secs(2));
    move |order| order.retry = Some(RetryPolicy { max_retry_count, delay })
}

#[test]
fn a_function_that_goes_wrong_is_tried_again_while_the_caller_waits() {
    let asked = "POST /api/orders/ann\nHost: h\ndo: trap 2 and out q 1\n\nbody";
    check(
        asked,
        retry(Some(2)),
        &expect![[r#"
        0:00.000 Order [("customer", "ann")] "body" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        0:02.000 Order [("customer", "ann")] "body" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        0:04.000 Order [("customer", "ann")] "body" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        -- answer
        200 OK
        content-length: 14
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        its own answer
        -- stored
        orders: "1", received 0 times
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
    check(
        asked,
        retry(Some(1)),
        &expect![[r#"
        0:00.000 Order [("customer", "ann")] "body" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        0:02.000 Order [("customer", "ann")] "body" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        -- answer
        500 Internal Server Error
        content-type: application/problem+json
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"function 'Order' trapped: unreachable","function":"Order","hint":"The function's own code stopped; the first frames of the trap say where.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"FunctionTrapped","type":"about:blank"}
        -- stored
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
    check(
        "POST /api/orders/ann\nHost: h\ndo: vanish",
        retry(None),
        &expect![[r#"
        0:00.000 Order [("customer", "ann")] "" [("last", {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5})]
        -- answer
        500 Internal Server Error
        content-type: application/problem+json
        x-ms-invocation-id: 00000000-0000-4000-8000-000000000001

        {"detail":"there is no function named 'Order'; the app has: ","function":"Order","hint":"The manifest names a function that the component does not contain: correct the name, or build again.","invocationId":"00000000-0000-4000-8000-000000000001","status":500,"title":"FunctionNotFound","type":"about:blank"}
        -- stored
        Orders: {"PartitionKey":"ann","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":5}
    "#]],
    );
}

#[test]
fn a_function_runs_no_more_often_at_a_time_than_it_may() {
    let world = Arc::new(World::new());
    let mut functions = functions();
    functions[0].max_concurrency = Some(1);
    let trigger = trigger(&world, functions);
    let asked = || trigger.handle(request("GET /api/Anyone\nHost: h\ndo: sleep 10"));
    let answers = [asked(), asked()].map(|answer| async { print(answer.await).await });
    world.run(join_all(answers)).expect("both are answered");
    let elapsed = world.clock.now().saturating_since(BEGIN);
    assert_eq!(elapsed, Duration::from_secs(20));
    expect![[r#"
        0:00.000 Anyone [] "" []
        0:10.000 Anyone [] "" []
    "#]]
    .assert_eq(&world.transcript());
}

#[test]
fn a_function_can_be_run_by_hand_whoever_asks() {
    let world = Arc::new(World::new());
    let trigger = trigger(&world, functions());
    let run = |name: &str, asked: &str| {
        let answer = world.run(trigger.run_once(name, request(asked))).expect("nothing waits");
        answer.map(|answer| answer.status().as_u16())
    };
    assert_eq!(run("off", "POST /admin\nHost: h"), Some(200));
    assert_eq!(run("Master", "POST /api/Master\nHost: h"), Some(200));
    assert_eq!(run("Order", "POST /api/orders/ann\nHost: h\n\nbody"), Some(200));
    assert_eq!(run("Order", "POST /elsewhere\nHost: h"), Some(500), "there is no customer");
    assert_eq!(run("Nobody", "POST /api/orders/ann\nHost: h"), None);
    expect![[r#"
        0:00.000 Off [] "" []
        0:00.000 Master [] "" []
        0:00.000 Order [("customer", "ann")] "body" [("last", null)]
    "#]]
    .assert_eq(&world.transcript());
}
