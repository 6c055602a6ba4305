//! Every function, run natively: orchestrators and entities with virtual time, HTTP functions with a double of the client.

#![expect(clippy::needless_pass_by_value, reason = "an expectation belongs to its check")]

use std::time::Duration;

use dacapo::testing::{Scripted, instances};
use dacapo::{ActivityContext, Client, HttpResponse, Orchestrator, Request};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::about::{about_me, upgrade};
use crate::account::{Account, transfer};
use crate::approval::{wait_for_approval, wait_for_approval_until};
use crate::cancelled_timer::cancelled_timer;
use crate::collector::collect;
use crate::counter::{Counter, add_to_counter, count_later, read_counter, use_counter};
use crate::echo::echo;
use crate::report::order_report;
use crate::rewind::{fail_once, fail_once_in_child, flaky_step};
use crate::sensor::Sensor;
use crate::service::{call_service, job};
use crate::slow_step::{abort_slow_step, run_slow_step};
use crate::starting::{find_by_tag, start};

const SECOND: Duration = Duration::from_secs(1);

/// What was asked for and what came of it, the entities included.
fn check<O: Orchestrator>(script: Scripted, orchestrator: O, input: Value, expected: Expect) {
    let input: O::Input = serde_json::from_value(input).unwrap();
    let outcome = script.real_activities().run(orchestrator, &input);
    let result = match &outcome.result {
        Ok(output) => serde_json::to_string(output).unwrap(),
        Err(failure) => format!("{failure:?}"),
    };
    let entities: String = outcome.entities.iter().map(|(id, state)| format!("{id} = {state}\n")).collect();
    expected.assert_eq(&format!("{}after {:?}: {result}\n{entities}", outcome.transcript(), outcome.elapsed));
}

#[test]
fn an_echo() {
    for input in [json!(null), json!(0), json!(""), json!({ "a": [1, 2] })] {
        assert_eq!(Scripted::new().run(echo, &input).result, Ok(input));
    }
}

#[test]
fn a_counter_is_signalled_and_called() {
    check(
        Scripted::new().entity("stock", &Counter { value: 2 }),
        use_counter,
        json!({ "key": "stock", "amount": 3 }),
        expect![[r#"
                  0s test: signal @counter@stock add 3
                  0s test: @counter@stock get null
            after 0ns: 5
            @counter@stock = {"value":5}
        "#]],
    );
    check(
        Scripted::new(),
        count_later,
        json!({ "key": "stock", "amount": 3, "seconds": 60 }),
        expect![[r#"
              0s test: signal @counter@stock add at 2026-01-01T00:01:00Z 3
        after 0ns: null
        @counter@stock = {"value":3}
    "#]],
    );
}

#[test]
fn a_counter_is_reached_over_http() {
    let instances = instances();
    let request = |request: Request| request.with_param("key", "stock");
    assert_eq!(read_counter(request(Request::get("http://h/"))).unwrap().status, 404);
    for amount in [5, -2, -9] {
        assert_eq!(add_to_counter(request(Request::post("http://h/", &amount))).unwrap().status, 202);
    }
    // The last one would have gone below zero, and has changed nothing.
    assert_eq!(read_counter(request(Request::get("http://h/"))).unwrap().body, br#"{"value":3}"#);
    Client::new().signal::<Counter>("stock").reset().unwrap();
    assert_eq!(Client::new().entity_state("stock").unwrap(), Some(Counter { value: 0 }));
    Client::new().signal::<Counter>("stock").delete().unwrap();
    assert_eq!(read_counter(request(Request::get("http://h/"))).unwrap().status, 404);
    assert_eq!(instances.signals().len(), 5);
}

#[test]
fn money_moves_in_a_critical_section() {
    let order = || json!({ "from": "ada", "to": "bob", "amount": 30 });
    check(
        Scripted::new().entity("ada", &Account { balance: 100 }),
        transfer,
        order(),
        expect![[r#"
              0s test: lock @account@ada, @account@bob
              0s test: @account@ada balance null
              0s test: @account@ada withdraw 30
              0s test: @account@bob deposit 30
              0s test: unlock
        after 0ns: {"transfer":"done","from":70,"to":30}
        @account@ada = {"balance":70}
        @account@bob = {"balance":30}
    "#]],
    );
    check(
        Scripted::new().entity("ada", &Account { balance: 20 }),
        transfer,
        order(),
        expect![[r#"
              0s test: lock @account@ada, @account@bob
              0s test: @account@ada balance null
              0s test: unlock
        after 0ns: {"transfer":"refused","balance":20}
        @account@ada = {"balance":20}
    "#]],
    );
}

#[test]
fn a_sensor_raises_an_alarm_once() {
    let instances = instances();
    for reading in [20, 120, 130, 20] {
        Client::new().signal::<Sensor>("oven").report(&reading).unwrap();
    }
    let started: Vec<_> = instances.started().into_iter().map(|s| (s.name, s.instance_id, s.input)).collect();
    assert_eq!(started, [("RaiseAlarm".into(), "alarm-oven".into(), json!(120))]);
    assert_eq!(Client::new().entity_state("readings").unwrap(), Some(Counter { value: 4 }));
}

#[test]
fn an_approval_comes_or_does_not() {
    let approval = json!({ "approved": true, "by": "Grace" });
    let script = || Scripted::new().event_at(SECOND * 5, "APPROVAL", &approval);
    check(
        script(),
        wait_for_approval,
        json!(null),
        expect![[r#"
              0s test: event Approval
        after 5s: {"approved":true,"by":"Grace"}
    "#]],
    );
    check(
        script(),
        wait_for_approval_until,
        json!(10),
        expect![[r#"
              0s test: event Approval
              0s test: timer until 2026-01-01T00:00:10Z
        after 5s: {"approved":true,"by":"Grace"}
    "#]],
    );
    check(
        script(),
        wait_for_approval_until,
        json!(2),
        expect![[r#"
              0s test: event Approval
              0s test: timer until 2026-01-01T00:00:02Z
        after 2s: {"approved":false,"by":"nobody"}
    "#]],
    );
}

#[test]
fn the_reminder_does_not_hold_it_back() {
    check(
        Scripted::new(),
        cancelled_timer,
        json!(10),
        expect![[r#"
              0s test: timer until 2026-01-01T00:00:00.01Z
              0s test: timer until 2026-01-02T00:00:00Z
        after 10ms: "done, without a reminder"
    "#]],
    );
}

#[test]
fn the_flaky_step_fails_in_one_execution() {
    let _instances = instances();
    check(
        Scripted::new(),
        fail_once,
        json!(null),
        expect![[r#"
              0s test: SteadyStep null
              0s test: FlakyStep null
        after 0ns: Flaky: rewind the instance and it will work
    "#]],
    );
    check(
        Scripted::new().instance_id("parent"),
        fail_once_in_child,
        json!(null),
        expect![[r#"
              0s parent: orchestrator FailOnce null
              0s 00000000000000010000000000000001:1: SteadyStep null
              0s 00000000000000010000000000000001:1: FlakyStep null
        after 0ns: Flaky: rewind the instance and it will work
    "#]],
    );
    let mut ctx = ActivityContext::default();
    ctx.instance_id = "other".into();
    ctx.execution_id = "one".into();
    assert!(flaky_step(&ctx).unwrap_err().is("Flaky"));
    assert!(flaky_step(&ctx).unwrap_err().is("Flaky"));
    ctx.execution_id = "two".into();
    assert_eq!(flaky_step(&ctx).as_deref(), Ok("it works in two"));
}

#[test]
fn a_slow_step_is_limited() {
    let script = || Scripted::new().activity("SlowStep", |_: Value| Ok("done")).activity_takes("SlowStep", SECOND * 2);
    check(
        script(),
        run_slow_step,
        json!({ "takesMs": 2000, "timeoutMs": 1000, "attempts": 2 }),
        expect![[r#"
              0s test: SlowStep {"attempts":2,"heartbeatTimeoutMs":null,"silent":false,"takesMs":2000,"timeoutMs":1000}
            1.1s test: SlowStep {"attempts":2,"heartbeatTimeoutMs":null,"silent":false,"takesMs":2000,"timeoutMs":1000} (attempt 2)
        after 2.1s: ActivityTimeout: the activity was stopped after 1s
    "#]],
    );
    check(
        script(),
        run_slow_step,
        json!({ "takesMs": 2000, "silent": true, "heartbeatTimeoutMs": 500 }),
        expect![[r#"
              0s test: SlowStep {"attempts":null,"heartbeatTimeoutMs":500,"silent":true,"takesMs":2000,"timeoutMs":null}
        after 500ms: ActivityHeartbeatTimeout: the activity was stopped after 500ms
    "#]],
    );
    check(
        script(),
        abort_slow_step,
        json!({ "takesMs": 2000, "timeoutMs": 300 }),
        expect![[r#"
              0s test: timer until 2026-01-01T00:00:00.3Z
              0s test: SlowStep {"attempts":null,"heartbeatTimeoutMs":null,"silent":false,"takesMs":2000,"timeoutMs":300}
            0.3s test: abort SlowStep
        after 300ms: "stopped: nothing came within 300ms"
    "#]],
    );
    let outcome = Scripted::new()
        .real_activities()
        .run(run_slow_step, &serde_json::from_value(json!({ "takesMs": 100 })).unwrap());
    assert_eq!((outcome.result.as_deref(), outcome.heartbeats.len()), (Ok("done at attempt 1"), 2));
}

/// The service that the sample brings along, asked by the sample.
#[test]
fn a_service_is_asked_until_it_is_done() {
    let ask = |request: &dacapo::HttpRequest| {
        let polls = request.url().rsplit('/').next().unwrap_or_default();
        let response = job(Request::get(request.url()).with_param("polls", polls))?;
        let answer = HttpResponse::new(response.status, String::from_utf8(response.body)?);
        Ok(match response.headers.iter().find(|(name, _)| name == "location") {
            Some((_, location)) => {
                answer.with_header("location", String::from_utf8(location.clone())?).with_header("retry-after", "1")
            }
            None => answer,
        })
    };
    check(
        Scripted::new().http(ask),
        call_service,
        json!("http://127.0.0.1:7071/api/jobs/2"),
        expect![[r#"
              0s test: GET http://127.0.0.1:7071/api/jobs/2
              1s test: GET http://127.0.0.1:7071/api/jobs/1
              2s test: GET http://127.0.0.1:7071/api/jobs/0
        after 2s: {"statusCode":200,"headers":{},"content":"the job is done"}
    "#]],
    );
    assert!(job(Request::get("http://h/").with_param("polls", "x")).unwrap_err().is("BadRequest"));
}

#[test]
fn a_report_is_ordered_and_delivered() {
    check(
        Scripted::new(),
        order_report,
        json!("bees"),
        expect![[r#"
              0s test: start WriteReport {"forInstance":"test","subject":"bees"}
              0s test: event ReportReady
              0s started-1: timer until 2026-01-01T00:00:00.1Z
            0.1s started-1: send event ReportReady to test: "all about bees"
        after 100ms: "all about bees"
    "#]],
    );
}

#[test]
fn items_are_carried_over() {
    let items = ["a", "b", "c"].iter().fold(Scripted::new(), |script, item| script.event_at(SECOND, "Item", item));
    let outcome = items.run(collect, &serde_json::from_value(json!({ "wanted": 3 })).unwrap());
    assert_eq!(outcome.result, Ok(["a", "b", "c"].map(String::from).into()));
    assert_eq!(outcome.continued_as_new.len(), 3);
}

#[test]
fn versions_and_tags_are_kept_and_inherited() {
    check(
        Scripted::new().version("0.9.0").tag("customer", "ada"),
        about_me,
        json!(true),
        expect![[r#"
              0s test: orchestrator AboutMe false
        after 0ns: {"version":"0.9.0","tags":{"customer":"ada"},"greeting":"Hi","child":{"version":"1.0.0","tags":{"child":"yes","customer":"ada"},"greeting":"Good day"}}
    "#]],
    );
    assert_eq!(Scripted::new().version("1.0.0").run(upgrade, &0).result.as_deref(), Ok("at 2.0.0 after 1 generations"));
}

#[test]
fn starts_have_options() {
    let instances = instances();
    let url = "http://h/api/start/Echo?instanceId=e1&version=2.0.0&tag=customer=ada&tag=kind=test&startAt=2030-01-01T00:00:00Z";
    let post = |url: &str| Request::post(url, &7).with_param("orchestrator", "Echo");
    assert_eq!(start(post(url)).unwrap().status, 202);
    let started = &instances.started()[0];
    assert_eq!((started.name.as_str(), started.instance_id.as_str(), &started.input), ("Echo", "e1", &json!(7)));
    for _ in 0..2 {
        let response = start(post("http://h/api/start/Echo").with_header("Idempotency-Key", "k")).unwrap();
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(body["id"], "instance-2");
    }
    for wrong in ["tag=x", "startAt=soon", "colour=red"] {
        let failure = start(post(&format!("http://h/api/start/Echo?{wrong}"))).unwrap_err();
        assert!(failure.is("BadRequest"), "{wrong}: {failure}");
    }
    let by_tag = Request::get("http://h/").with_param("name", "customer").with_param("value", "ada");
    assert_eq!(find_by_tag(by_tag).unwrap().body, br#"[{"id":"e1","status":"Pending"}]"#);
}
