//! Durable HTTP: requests as activities of the host, polling and retries as timers and further requests, and where secrets go.

use super::author::Ctx;
use super::fixtures::{begin, cursor, event, http_call};
use super::world::{BEGIN, Scenario, check};
use super::{Outcome, ok, shown};
use crate::{
    Action, ActivityTask, EventId, EventKind, Failure, HttpCall, HttpRequest, HttpResponse, HttpSettings, Json, Next,
    RetryPolicy,
};
use expect_test::{Expect, expect};
use std::rc::Rc;
use std::time::Duration;

fn get(url: &str) -> HttpCall {
    http_call(url, None)
}

fn response(status: u16, headers: &[(&str, &str)], content: &str) -> HttpResponse {
    HttpResponse { status, headers: pairs(headers), content: content.to_owned() }
}

fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// One call; the server sees each request with the number of requests before it to the same path.
fn calling(call: HttpCall, server: impl Fn(&HttpRequest, &ActivityTask) -> HttpResponse + 'static) -> Scenario {
    let main = move |ctx: Ctx, _| {
        let task = ctx.http(call.clone());
        async move { ok(shown(&task.await)) }
    };
    Scenario::new(main).activity(HttpCall::ACTIVITY, 1, move |task| {
        let request = HttpRequest::from_json(&task.input).expect("what the cursor writes can be read");
        request.outcome(&server(&request, task))
    })
}

#[test]
fn one_request() {
    let call = HttpCall {
        method: "POST".to_owned(),
        headers: pairs(&[("Accept", "text/plain"), ("X-Two", "1"), ("x-two", "2")]),
        content: Some("\"hello\"\n".to_owned()),
        timeout: Some(Duration::from_secs(3)),
        ..get("HTTPS://Example.COM:443/a%20b?q=1#part")
    };
    let scenario = calling(call, |_, task| {
        assert_eq!(task.timeouts.run, Some(Duration::from_secs(3)));
        response(503, &[("Retry-After", "7"), ("Set-Cookie", "a"), ("set-cookie", "b")], "later")
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 BuiltIn::HttpActivity({"method":"POST","uri":"https://example.com/a%20b?q=1","headers":{"Accept":"text/plain","X-Two":["1","2"],"content-type":"text/plain; charset=utf-8"},"content":"\"hello\"\n"})
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = {"statusCode":503,"headers":{"Retry-After":"7","Set-Cookie":["a","b"]},"content":"later"}
            1.000  ExecutionCompleted                 Completed {"statusCode":503,"headers":{"Retry-After":"7","Set-Cookie":["a","b"]},"content":"later"}
            1.000  OrchestratorCompleted
    "#]],
    );
}

#[test]
fn polling_until_it_is_done() {
    let call = HttpCall {
        method: "POST".to_owned(),
        headers: pairs(&[("authorization", "Bearer x"), ("x-functions-key", "y"), ("accept", "z")]),
        content: Some("order".to_owned()),
        ..get("https://shop.example/orders?new")
    };
    let scenario = calling(call, |request, _| match request.url.as_str() {
        "https://shop.example/orders?new" => response(202, &[("LOCATION", "status/1?a=b"), ("retry-after", "5")], ""),
        // No pause named: the default.
        "https://shop.example/status/1?a=b" => response(202, &[("Location", "/status/2")], "half"),
        // A date: 2024-01-01T00:01:00Z.
        "https://shop.example/status/2" => {
            response(202, &[("Location", "/3"), ("Retry-After", "Mon, 01 Jan 2024 00:01:00 GMT")], "")
        }
        "https://shop.example/3" => response(202, &[("Location", "/4"), ("Retry-After", "soon")], ""),
        other => response(200, &[], other),
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 BuiltIn::HttpActivity({"method":"POST","uri":"https://shop.example/orders?new","headers":{"authorization":"Bearer x","x-functions-key":"y","accept":"z","content-type":"text/plain; charset=utf-8"},"content":"order"})
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskCompleted                      #0 = {"statusCode":202,"headers":{"LOCATION":"status/1?a=b","retry-after":"5"},"content":""}
            1.000  TimerCreated                       #1 at 2024-01-01T00:00:06.0000000Z
            1.000  OrchestratorCompleted
            6.000  OrchestratorStarted
            6.000  TimerFired                         #1
            6.000  TaskScheduled                      #2 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/status/1?a=b","headers":{"authorization":"Bearer x","accept":"z"}})
            6.000  OrchestratorCompleted
            7.000  OrchestratorStarted
            7.000  TaskCompleted                      #2 = {"statusCode":202,"headers":{"Location":"/status/2"},"content":"half"}
            7.000  TimerCreated                       #3 at 2024-01-01T00:00:37.0000000Z
            7.000  OrchestratorCompleted
           37.000  OrchestratorStarted
           37.000  TimerFired                         #3
           37.000  TaskScheduled                      #4 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/status/2","headers":{"authorization":"Bearer x","accept":"z"}})
           37.000  OrchestratorCompleted
           38.000  OrchestratorStarted
           38.000  TaskCompleted                      #4 = {"statusCode":202,"headers":{"Location":"/3","Retry-After":"Mon, 01 Jan 2024 00:01:00 GMT"},"content":""}
           38.000  TimerCreated                       #5 at 2024-01-01T00:01:00.0000000Z
           38.000  OrchestratorCompleted
           60.000  OrchestratorStarted
           60.000  TimerFired                         #5
           60.000  TaskScheduled                      #6 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/3","headers":{"authorization":"Bearer x","accept":"z"}})
           60.000  OrchestratorCompleted
           61.000  OrchestratorStarted
           61.000  TaskCompleted                      #6 = {"statusCode":202,"headers":{"Location":"/4","Retry-After":"soon"},"content":""}
           61.000  TimerCreated                       #7 at 2024-01-01T00:01:31.0000000Z
           61.000  OrchestratorCompleted
           91.000  OrchestratorStarted
           91.000  TimerFired                         #7
           91.000  TaskScheduled                      #8 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/4","headers":{"authorization":"Bearer x","accept":"z"}})
           91.000  OrchestratorCompleted
           92.000  OrchestratorStarted
           92.000  TaskCompleted                      #8 = {"statusCode":200,"headers":{},"content":"https://shop.example/4"}
           92.000  ExecutionCompleted                 Completed {"statusCode":200,"headers":{},"content":"https://shop.example/4"}
           92.000  OrchestratorCompleted
    "#]],
    );
}

/// The answer is the 202 itself where there is nowhere to ask.
#[test]
fn accepted_without_a_place_to_ask() {
    let check = |call: HttpCall, headers: &'static [(&str, &str)], expected: &Expect| {
        let story = calling(call, |_, _| response(202, headers, "")).story();
        let end =
            story.lines().find_map(|line| line.split_once("ExecutionCompleted                 Completed ")).unwrap();
        expected.assert_eq(end.1);
        assert!(!story.contains("TimerCreated"), "{story}");
    };
    let url = "https://shop.example/orders";
    check(get(url), &[], &expect![[r#"{"statusCode":202,"headers":{},"content":""}"#]]);
    check(
        get(url),
        &[("Location", "mailto:a@b.example")],
        &expect![[r#"{"statusCode":202,"headers":{"Location":"mailto:a@b.example"},"content":""}"#]],
    );
    check(
        get(url),
        &[("Location", "http://")],
        &expect![[r#"{"statusCode":202,"headers":{"Location":"http://"},"content":""}"#]],
    );
    check(
        HttpCall { follow_accepted: false, ..get(url) },
        &[("Location", "/1")],
        &expect![[r#"{"statusCode":202,"headers":{"Location":"/1"},"content":""}"#]],
    );
}

/// Three tries, after one and two seconds, where the service is busy.
fn trying() -> HttpCall {
    HttpCall {
        retry: Some(RetryPolicy { backoff_coefficient: 2.0, ..RetryPolicy::new(3, Duration::from_secs(1)) }),
        retry_on_status: vec![503, 429],
        ..get("https://shop.example/orders?code=secret")
    }
}

#[test]
fn trying_again() {
    let scenario = calling(trying(), |request, task| match (request.url.as_str(), task.attempt) {
        ("https://shop.example/orders?code=secret", 1) => response(503, &[], "busy"),
        ("https://shop.example/orders?code=secret", _) => {
            response(202, &[("Location", "/1"), ("Retry-After", "1")], "")
        }
        // Each poll has all its tries.
        (_, 1 | 2) => response(429, &[], "slower"),
        (_, _) => response(404, &[], "no failure, because it is not named"),
    });
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/orders?code=secret","headers":{},"statusCodesToRetry":[503,429]})
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! HttpStatus: GET https://shop.example/orders was answered with status 503
            1.000  TimerCreated                       #1 at 2024-01-01T00:00:02.0000000Z
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #1
            2.000  TaskScheduled                      #2 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/orders?code=secret","headers":{},"statusCodesToRetry":[503,429]})
            2.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  TaskCompleted                      #2 = {"statusCode":202,"headers":{"Location":"/1","Retry-After":"1"},"content":""}
            3.000  TimerCreated                       #3 at 2024-01-01T00:00:04.0000000Z
            3.000  OrchestratorCompleted
            4.000  OrchestratorStarted
            4.000  TimerFired                         #3
            4.000  TaskScheduled                      #4 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/1","headers":{},"statusCodesToRetry":[503,429]})
            4.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TaskFailed                         #4 ! HttpStatus: GET https://shop.example/1 was answered with status 429
            5.000  TimerCreated                       #5 at 2024-01-01T00:00:06.0000000Z
            5.000  OrchestratorCompleted
            6.000  OrchestratorStarted
            6.000  TimerFired                         #5
            6.000  TaskScheduled                      #6 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/1","headers":{},"statusCodesToRetry":[503,429]})
            6.000  OrchestratorCompleted
            7.000  OrchestratorStarted
            7.000  TaskFailed                         #6 ! HttpStatus: GET https://shop.example/1 was answered with status 429
            7.000  TimerCreated                       #7 at 2024-01-01T00:00:09.0000000Z
            7.000  OrchestratorCompleted
            9.000  OrchestratorStarted
            9.000  TimerFired                         #7
            9.000  TaskScheduled                      #8 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/1","headers":{},"statusCodesToRetry":[503,429]})
            9.000  OrchestratorCompleted
           10.000  OrchestratorStarted
           10.000  TaskCompleted                      #8 = {"statusCode":404,"headers":{},"content":"no failure, because it is not named"}
           10.000  ExecutionCompleted                 Completed {"statusCode":404,"headers":{},"content":"no failure, because it is not named"}
           10.000  OrchestratorCompleted
        besides
            2.000  main runs BuiltIn::HttpActivity, attempt 2
            6.000  main runs BuiltIn::HttpActivity, attempt 2
            9.000  main runs BuiltIn::HttpActivity, attempt 3
    "#]],
    );
}

#[test]
fn all_tries_used_up() {
    let used_up = calling(trying(), |_, _| response(503, &[], "busy"));
    check(
        &used_up,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/orders?code=secret","headers":{},"statusCodesToRetry":[503,429]})
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! HttpStatus: GET https://shop.example/orders was answered with status 503
            1.000  TimerCreated                       #1 at 2024-01-01T00:00:02.0000000Z
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #1
            2.000  TaskScheduled                      #2 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/orders?code=secret","headers":{},"statusCodesToRetry":[503,429]})
            2.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  TaskFailed                         #2 ! HttpStatus: GET https://shop.example/orders was answered with status 503
            3.000  TimerCreated                       #3 at 2024-01-01T00:00:05.0000000Z
            3.000  OrchestratorCompleted
            5.000  OrchestratorStarted
            5.000  TimerFired                         #3
            5.000  TaskScheduled                      #4 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/orders?code=secret","headers":{},"statusCodesToRetry":[503,429]})
            5.000  OrchestratorCompleted
            6.000  OrchestratorStarted
            6.000  TaskFailed                         #4 ! HttpStatus: GET https://shop.example/orders was answered with status 503
            6.000  ExecutionCompleted                 Completed !HttpStatus: GET https://shop.example/orders was answered with status 503
            6.000  OrchestratorCompleted
        besides
            2.000  main runs BuiltIn::HttpActivity, attempt 2
            5.000  main runs BuiltIn::HttpActivity, attempt 3
    "#]],
    );
}

#[test]
fn failures_of_the_exchange() {
    let call = HttpCall {
        retry: Some(RetryPolicy {
            stop_on: vec!["HttpRequestFailed".to_owned()],
            ..RetryPolicy::new(3, Duration::from_secs(1))
        }),
        ..get("https://shop.example/")
    };
    let main = move |ctx: Ctx, _| ctx.http(call.clone());
    let scenario = Scenario::new(main).activity(HttpCall::ACTIVITY, 1, |task| {
        let error_type = if task.attempt == 1 { Failure::HTTP_REQUEST_TIMEOUT } else { Failure::HTTP_REQUEST_FAILED };
        super::fail(error_type)
    });
    check(
        &scenario,
        &expect![[r#"
        main: Failed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/","headers":{},"statusCodesToRetry":[]})
            0.000  OrchestratorCompleted
            1.000  OrchestratorStarted
            1.000  TaskFailed                         #0 ! HttpRequestTimeout: no luck
            1.000  TimerCreated                       #1 at 2024-01-01T00:00:02.0000000Z
            1.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #1
            2.000  TaskScheduled                      #2 BuiltIn::HttpActivity({"method":"GET","uri":"https://shop.example/","headers":{},"statusCodesToRetry":[]})
            2.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  TaskFailed                         #2 ! HttpRequestFailed: no luck
            3.000  ExecutionCompleted                 Failed HttpRequestFailed: no luck
            3.000  OrchestratorCompleted
        besides
            2.000  main runs BuiltIn::HttpActivity, attempt 2
    "#]],
    );
}

/// A poll or a pause that is given up is taken back.
#[test]
fn giving_up_while_polling() {
    let scenario = Scenario::new(|ctx, _| async move {
        let (one, two) = (ctx.http(get("https://a.example/")), ctx.http(get("https://b.example/")));
        ctx.event("enough").await?;
        ctx.cancel(&one);
        ctx.abort(&two);
        ctx.sleep(60).await
    })
    .activity(HttpCall::ACTIVITY, 2, |task| {
        let request = HttpRequest::from_json(&task.input).unwrap();
        let pause = if request.url.contains("a.example") { "9" } else { "0" };
        request.outcome(&response(202, &[("Location", "/"), ("Retry-After", pause)], ""))
    })
    .raise(3, "main", "enough", "null");
    check(
        &scenario,
        &expect![[r#"
        main: Completed
            0.000  OrchestratorStarted
            0.000  ExecutionStarted                   Main(0)
            0.000  TaskScheduled                      #0 BuiltIn::HttpActivity({"method":"GET","uri":"https://a.example/","headers":{}})
            0.000  TaskScheduled                      #1 BuiltIn::HttpActivity({"method":"GET","uri":"https://b.example/","headers":{}})
            0.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TaskCompleted                      #0 = {"statusCode":202,"headers":{"Location":"/","Retry-After":"9"},"content":""}
            2.000  TaskCompleted                      #1 = {"statusCode":202,"headers":{"Location":"/","Retry-After":"0"},"content":""}
            2.000  TimerCreated                       #2 at 2024-01-01T00:00:11.0000000Z
            2.000  TimerCreated                       #3 at 2024-01-01T00:00:02.0000000Z
            2.000  OrchestratorCompleted
            2.000  OrchestratorStarted
            2.000  TimerFired                         #3
            2.000  TaskScheduled                      #4 BuiltIn::HttpActivity({"method":"GET","uri":"https://b.example/","headers":{}})
            2.000  OrchestratorCompleted
            3.000  OrchestratorStarted
            3.000  EventRaised                        enough(null)
            3.000  TaskFailed                         #4 ! Canceled: it was canceled by the orchestrator that asked for it
            3.000  TimerCreated                       #5 at 2024-01-01T00:01:03.0000000Z
            3.000  OrchestratorCompleted
           63.000  OrchestratorStarted
           63.000  TimerFired                         #5
           63.000  ExecutionCompleted                 Completed null
           63.000  OrchestratorCompleted
        besides
            3.000  main takes timer #2 back
            3.000  main stops activity #4
           63.000  main takes timer #2 back, which is not set
    "#]],
    );
}

#[test]
fn what_cannot_be_sent() {
    let check = |call: HttpCall, expected: &Expect| {
        let seen = Rc::new(std::cell::RefCell::new(None));
        let told = Rc::clone(&seen);
        let main = move |ctx: Ctx, _| {
            let (task, told) = (ctx.http(call.clone()), Rc::clone(&told));
            async move {
                let outcome: Outcome = task.await;
                *told.borrow_mut() = outcome.err();
                ok("refused")
            }
        };
        let story = Scenario::new(main).story();
        assert!(!story.contains("TaskScheduled"), "{story}");
        let failure = seen.take().unwrap();
        assert!(failure.non_retriable);
        expected.assert_eq(&failure.to_string());
    };
    let good = || get("https://a.example/");
    check(
        get("/orders?code=secret"),
        &expect![
            "InvalidArgument: cannot send the HTTP request 'GET /orders': the URL cannot be read (relative URL without a base); give an absolute one"
        ],
    );
    check(
        get("ftp://a.example/"),
        &expect![
            "InvalidArgument: cannot send the HTTP request 'GET ftp://a.example/': the URL is neither 'http' nor 'https'; give one that begins with https://"
        ],
    );
    check(
        get("https:///"),
        &expect![
            "InvalidArgument: cannot send the HTTP request 'GET https:///': the URL cannot be read (empty host); give an absolute one"
        ],
    );
    check(
        HttpCall { method: "GE T".to_owned(), ..good() },
        &expect![
            "InvalidArgument: cannot send the HTTP request 'GE T https://a.example/': 'GE T' is no HTTP method; give one such as GET"
        ],
    );
    check(
        HttpCall { method: String::new(), ..good() },
        &expect![
            "InvalidArgument: cannot send the HTTP request ' https://a.example/': '' is no HTTP method; give one such as GET"
        ],
    );
    check(
        HttpCall { headers: pairs(&[("a b", "c")]), ..good() },
        &expect![
            "InvalidArgument: cannot send the HTTP request 'GET https://a.example/': 'a b' is no header name; leave out spaces, colons and what is not ASCII"
        ],
    );
    check(
        HttpCall { headers: pairs(&[("a", "b\r\nc: d")]), ..good() },
        &expect![
            "InvalidArgument: cannot send the HTTP request 'GET https://a.example/': the header 'a' has a control character in its value; leave it out"
        ],
    );
    let policy = RetryPolicy::new(0, Duration::from_secs(1));
    check(
        HttpCall { retry: Some(policy), ..good() },
        &expect!["InvalidRetryPolicy: max-attempts is 0; it counts the first try too, so give at least 1"],
    );
}

/// Where a request goes on to, and which of its headers go along.
#[test]
fn secrets_stay_at_their_origin() {
    let headers = [
        ("Authorization", "1"),
        ("proxy-authorization", "2"),
        ("Cookie", "3"),
        ("x-functions-key", "4"),
        ("X-API-Key", "5"),
        ("X-Amz-Security-Token", "6"),
        ("Host", "7"),
        ("Accept", "8"),
        ("traceparent", "9"),
    ];
    let check = |from: &str, location: &str, expected: &Expect| {
        let request = HttpRequest {
            method: "GET".to_owned(),
            url: from.to_owned(),
            headers: pairs(&headers),
            content: None,
            fail_on_status: None,
        };
        let moved = request.moved_to(location).map_or_else(
            || "nowhere".to_owned(),
            |moved| {
                let names: Vec<_> = moved.headers.iter().map(|(name, _)| name.as_str()).collect();
                let names = if names.len() == headers.len() { "all".to_owned() } else { names.join(" ") };
                format!("{} with {names}", moved.url)
            },
        );
        expected.assert_eq(&moved);
    };
    let from = "https://a.example/one/two?three";
    check(from, "four", &expect!["https://a.example/one/four with all"]);
    check(from, "/four#five", &expect!["https://a.example/four with all"]);
    check(from, "?four", &expect!["https://a.example/one/two?four with all"]);
    check(from, "HTTPS://A.example:443/four", &expect!["https://a.example/four with all"]);
    check(from, "http://a.example/four", &expect!["http://a.example/four with Accept traceparent"]);
    check(from, "https://a.example:8443/four", &expect!["https://a.example:8443/four with Accept traceparent"]);
    check(from, "https://b.example/", &expect!["https://b.example/ with Accept traceparent"]);
    check(from, "//b.example/", &expect!["https://b.example/ with Accept traceparent"]);
    check(from, "https://a.example@b.example/", &expect!["https://a.example@b.example/ with Accept traceparent"]);
    check(from, "https://a.example\\@b.example/", &expect!["https://a.example/@b.example/ with all"]);
    check(from, "https://sub.a.example/", &expect!["https://sub.a.example/ with Accept traceparent"]);
    check(from, "javascript:alert(1)", &expect!["nowhere"]);
    check(from, "https://", &expect!["nowhere"]);
}

#[test]
fn requests_and_responses_survive_as_json() {
    let request = HttpRequest {
        method: "PUT".to_owned(),
        url: "https://a.example/".to_owned(),
        headers: pairs(&[("a", "1"), ("b", "\"2\"")]),
        content: Some("\u{1}\"\\é\u{1F600}".to_owned()),
        fail_on_status: Some(vec![]),
    };
    expect![[r#"{"method":"PUT","uri":"https://a.example/","headers":{"a":"1","b":"\"2\""},"content":"\u0001\"\\é😀","statusCodesToRetry":[]}"#]].assert_eq(request.to_json().as_str());
    assert_eq!(HttpRequest::from_json(&request.to_json()), Ok(request.clone()));
    let bare = HttpRequest { headers: Vec::new(), content: None, fail_on_status: None, ..request };
    assert_eq!(HttpRequest::from_json(&bare.to_json()), Ok(bare));
    let response = response(404, &[("a", "1"), ("a", "2")], "{}");
    assert_eq!(HttpResponse::from_json(&response.to_json()), Some(response));
    for text in ["", "7", "{}", r#"{"statusCode":70000,"headers":{},"content":""}"#, r#"{"statusCode":1,"headers":[]}"#]
    {
        assert_eq!(HttpResponse::from_json(&Json::from(text)), None, "{text}");
        assert!(HttpRequest::from_json(&Json::from(text)).is_err(), "{text}");
    }
}

#[test]
fn which_statuses_count_as_failures() {
    let failing = |fail_on_status: Option<Vec<u16>>| {
        let request = HttpRequest {
            method: "GET".to_owned(),
            url: "https://a.example/b?c=secret".to_owned(),
            headers: Vec::new(),
            content: None,
            fail_on_status,
        };
        let fails = |status: &u16| request.outcome(&response(*status, &[], "why")).is_err();
        [200, 202, 302, 399, 400, 404, 500, 503].into_iter().filter(fails).collect::<Vec<u16>>()
    };
    assert_eq!(failing(None), Vec::<u16>::new());
    assert_eq!(failing(Some(vec![])), [400, 404, 500, 503]);
    assert_eq!(failing(Some(vec![404, 202])), [202, 404]);
}

#[test]
fn the_pause_between_polls_is_a_setting() {
    let pause = HttpSettings { poll_pause: Duration::from_millis(1500) };
    let mut cursor = cursor("main", Vec::new()).with_http(pause);
    cursor.feed(begin("0"));
    cursor.start().unwrap();
    cursor.call_http(get("https://a.example/")).unwrap();
    cursor.take_actions();
    let result = response(202, &[("Location", "/b")], "").to_json();
    cursor.feed([event(EventKind::TaskCompleted { scheduled: EventId(0), result })]);
    assert_eq!(cursor.next(), Ok(Next::Waiting));
    let fire_at = BEGIN.saturating_add(pause.poll_pause);
    assert_eq!(cursor.take_actions().0, [Action::CreateTimer { id: EventId(1), fire_at, retry_of: None }]);
    assert_eq!(HttpSettings::default().poll_pause, Duration::from_secs(30));
}

/// A poll is a request of its own, with its own tries; a rewind tells tries from requests by what they repeat.
#[test]
fn what_a_request_repeats() {
    let mut cursor = cursor("main", Vec::new());
    cursor.feed(begin("0"));
    cursor.start().unwrap();
    cursor.call_http(http_call("https://a.example/", Some(RetryPolicy::new(2, Duration::from_secs(1))))).unwrap();
    let accepted = response(202, &[("Location", "/b")], "").to_json();
    let failed = |id| EventKind::TaskFailed { scheduled: EventId(id), failure: Failure::new("Flaky", "") };
    let fired = |id| EventKind::TimerFired { timer: EventId(id), fire_at: BEGIN };
    let steps = [
        failed(0),
        fired(1),
        EventKind::TaskCompleted { scheduled: EventId(2), result: accepted },
        fired(3),
        failed(4),
        fired(5),
    ];
    let mut seen = vec![cursor.take_actions().0];
    for kind in steps {
        cursor.feed([event(kind)]);
        assert_eq!(cursor.next(), Ok(Next::Waiting));
        seen.push(cursor.take_actions().0);
    }
    let line = |action: &Action| {
        if let Action::ScheduleTask { id, attempt, retry_of, .. } = action {
            format!("{id:?} try {attempt} of {retry_of:?}\n")
        } else if let Action::CreateTimer { id, retry_of, .. } = action {
            format!("{id:?} pause of {retry_of:?}\n")
        } else {
            panic!("{action:?}")
        }
    };
    let lines: Vec<_> = seen.iter().flatten().map(line).collect();
    expect![[r#"
        #0 try 1 of None
        #1 pause of Some(#0)
        #2 try 2 of Some(#0)
        #3 pause of None
        #4 try 1 of None
        #5 pause of Some(#4)
        #6 try 2 of Some(#4)
    "#]]
    .assert_eq(&lines.concat());
}
