//! Durable HTTP against a service of these tests: polling, secrets, timeouts, retries, and whom one may ask at all.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crate::host::{Host, with_app};
use crate::samples;

/// A request as it arrived: its path, and its headers by lower-case name.
#[derive(Debug, Clone)]
struct Asked {
    path: String,
    headers: BTreeMap<String, String>,
}

/// A service that answers each path with a list of answers, one after the other, the last one again and again.
struct Service {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// Answers by path: status, headers, content. A path without any is never answered.
type Answers = BTreeMap<&'static str, Vec<(u16, String, &'static str)>>;

impl Service {
    fn new(answers: Answers) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let address = listener.local_addr().expect("it is bound");
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let seen = asked.clone();
        // Ends with the test's process; nobody waits for it.
        drop(std::thread::spawn(move || {
            // Connections that are never answered are kept open.
            let mut unanswered = Vec::new();
            for connection in listener.incoming().map_while(Result::ok) {
                unanswered.extend(answer(connection, &answers, &seen));
            }
        }));
        Service { address, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked for at a path, in order.
    fn asked(&self, path: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|asked| asked.path == path).cloned().collect()
    }
}

/// Reads one request and answers it; the connection if there is no answer.
fn answer(connection: TcpStream, answers: &Answers, seen: &Mutex<Vec<Asked>>) -> Option<TcpStream> {
    let mut lines = BufReader::new(&connection).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())))
        .collect();
    let times = {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(Asked { path: path.clone(), headers });
        seen.iter().filter(|asked| asked.path == path).count()
    };
    let Some(of_path) = answers.get(path.as_str()) else { return Some(connection) };
    let (status, headers, content) = of_path.get(times - 1).or(of_path.last())?;
    let length = content.len();
    let text =
        format!("HTTP/1.1 {status} x\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{content}");
    // A client that has gone away is its test's business.
    drop((&connection).write_all(text.as_bytes()));
    None
}

fn with_odd_jobs(test: impl FnOnce(&mut Host)) {
    with_app(&samples::manifest("odd-jobs"), test);
}

fn accepted(location: &str) -> (u16, String, &'static str) {
    (202, format!("location: {location}\r\nretry-after: 1\r\n"), "")
}

fn done() -> (u16, String, &'static str) {
    (200, "x-kind: answer\r\n".to_owned(), "done")
}

#[track_caller]
fn check_failed(outcome: &Value, error_type: &str) {
    assert_eq!(outcome["runtimeStatus"], "Failed", "{outcome:#}");
    assert!(outcome["output"].as_str().is_some_and(|text| text.contains(error_type)), "{outcome:#}");
}

#[test]
fn an_answer_202_is_asked_again_where_it_points_to() {
    let service = Service::new(BTreeMap::from([
        ("/jobs", vec![accepted("/jobs/7")]),
        ("/jobs/7", vec![accepted("/jobs/7"), done()]),
    ]));
    with_odd_jobs(|host| {
        let secret = json!({ "authorization": "Bearer key", "x-functions-key": "key", "x-trace": "7" });
        host.client().start_as("Ask", "asks", &json!({ "url": service.url("/jobs"), "headers": secret }));
        let ended = host.wait_for_end("asks");
        assert_eq!((&ended["output"]["statusCode"], &ended["output"]["content"]), (&json!(200), &json!("done")));
        assert_eq!(ended["output"]["headers"]["x-kind"], "answer", "{ended:#}");
        let events = ended["historyEvents"].as_array().expect("a history");
        let count = |wanted: &str| events.iter().filter(|event| event["EventType"] == wanted).count();
        assert_eq!((count("TaskCompleted"), count("TimerFired")), (3, 2), "{ended:#}");
        // The same origin keeps its secrets, but for the function's key, which is for the first one asked.
        for polled in service.asked("/jobs/7") {
            assert_eq!(polled.headers.get("authorization").map(String::as_str), Some("Bearer key"), "{polled:?}");
            assert_eq!(polled.headers.get("x-functions-key"), None, "{polled:?}");
            assert_eq!(polled.headers.get("x-trace").map(String::as_str), Some("7"), "{polled:?}");
        }
        assert_eq!((service.asked("/jobs").len(), service.asked("/jobs/7").len()), (1, 2));
    });
}

#[test]
fn secrets_stay_with_the_origin_that_they_are_for() {
    let other = Service::new(BTreeMap::from([("/polled", vec![done()]), ("/redirected", vec![done()])]));
    let redirect = (302, format!("location: {}\r\n", other.url("/redirected")), "");
    let service = Service::new(BTreeMap::from([
        ("/elsewhere", vec![accepted(&other.url("/polled"))]),
        ("/moved", vec![redirect]),
    ]));
    let headers =
        json!({ "authorization": "Bearer key", "cookie": "session=1", "x-functions-key": "key", "x-trace": "7" });
    with_odd_jobs(|host| {
        for (path, reached) in [("/elsewhere", "/polled"), ("/moved", "/redirected")] {
            let question = json!({ "url": service.url(path), "headers": headers });
            assert_eq!(host.client().outcome("Ask", &question)["content"], "done");
            let [first] = service.asked(path).try_into().expect("it is asked once");
            assert_eq!(first.headers.get("authorization").map(String::as_str), Some("Bearer key"), "{first:?}");
            let [second] = other.asked(reached).try_into().expect("it is asked once");
            for name in ["authorization", "cookie", "x-functions-key"] {
                assert_eq!(second.headers.get(name), None, "{path}: {second:?}");
            }
            assert_eq!(second.headers.get("x-trace").map(String::as_str), Some("7"), "{path}: {second:?}");
        }
    });
}

#[test]
fn what_fails_is_tried_again_as_the_policy_says() {
    let busy = || (503, String::new(), "busy");
    let service = Service::new(BTreeMap::from([("/twice", vec![busy(), busy(), done()]), ("/always", vec![busy()])]));
    with_odd_jobs(|host| {
        let client = host.client();
        let ask = |path: &str, attempts: u32, retry_on: &[u16]| {
            client.outcome("Ask", &json!({ "url": service.url(path), "attempts": attempts, "retryOn": retry_on }))
        };
        assert_eq!(ask("/twice", 3, &[503])["content"], "done");
        check_failed(&ask("/always", 3, &[]), "503");
        assert_eq!(service.asked("/always").len(), 3);
        // Without a policy, and for a status that it does not name, whatever comes is the answer.
        assert_eq!(ask("/always", 3, &[500])["statusCode"], 503);
        assert_eq!(client.outcome("Ask", &json!({ "url": service.url("/always") }))["content"], "busy");
        assert_eq!(service.asked("/always").len(), 5);
    });
}

#[test]
fn who_does_not_answer_or_may_not_be_asked() {
    let service = Service::new(BTreeMap::new());
    with_odd_jobs(|host| {
        let client = host.client();
        let question = json!({ "url": service.url("/never"), "timeoutMs": 200 });
        check_failed(&client.outcome("Ask", &question), "HttpRequestTimeout");
        assert_eq!(service.asked("/never").len(), 1);

        let elsewhere = client.outcome("Ask", &json!({ "url": "http://example.com/" }));
        check_failed(&elsewhere, "HttpRequestFailed");
        assert!(
            elsewhere["output"].as_str().is_some_and(|text| text.contains("allowedOutboundHosts")),
            "{elsewhere:#}"
        );
        check_failed(&client.outcome("Ask", &json!({ "url": "no URL" })), "InvalidArgument");
    });
}
