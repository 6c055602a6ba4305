//! Deploys to a host that is played here: what it is sent, and what people read of its answers.

use super::*;
use expect_test::{Expect, expect};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

use crate::commands::apps::SwitchReport;

/// What the host of a test answers to its only request.
struct Answer {
    status: u16,
    content_type: &'static str,
    body: String,
    /// The connection ends before the answer does.
    breaks_off: bool,
}

impl Answer {
    fn lines(body: &str) -> Answer {
        Answer { status: 200, content_type: "application/x-ndjson", body: body.to_owned(), breaks_off: false }
    }

    fn json(status: u16, body: &str) -> Answer {
        Answer { status, content_type: "application/json", body: body.to_owned(), breaks_off: false }
    }
}

fn trips() -> Bytes {
    let manifest = "[app]\nname = \"trips\"\n".to_owned();
    // More than one piece, and nothing that could be compressed.
    let mut number = 1_u32;
    let noise = std::iter::repeat_with(|| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        number.to_be_bytes()[0]
    });
    let wasm = b"\0asm\x0d\0\x01\0".iter().copied().chain(noise.take(200_000)).collect();
    let bundle = bundle::Bundle {
        app: "trips".to_owned(),
        version: "1.1.0".to_owned(),
        manifest,
        components: BTreeMap::from([("booking".to_owned(), wasm)]),
        built_with: "a test".to_owned(),
    };
    bundle::write(&bundle).expect("a good bundle").into()
}

fn arguments(to: &str) -> DeployArguments {
    DeployArguments {
        source: "trips.dacapo".into(),
        to: to.to_owned(),
        key: Some("master".to_owned()),
        force: true,
        no_build: true,
        output: OutputFormat::Text,
    }
}

/// Deploys to a host that answers so. Says what the person sees.
async fn deployed(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("some port is free");
    let address = listener.local_addr().expect("it is bound");
    let request: Arc<Mutex<Option<(String, Bytes)>>> = Arc::default();
    let serving = async {
        let (stream, _) = listener.accept().await.expect("somebody comes");
        let service = service_fn(|asked: http::Request<hyper::body::Incoming>| async {
            let headers = ["content-length", "content-type", "accept", "x-functions-key"];
            let headers =
                headers.map(|name| asked.headers().get(name).and_then(|is| is.to_str().ok()).unwrap_or("-").to_owned());
            let head = format!("{} {} {}", asked.method(), asked.uri(), headers.join(" "));
            let body = asked.into_body().collect().await.expect("the whole body").to_bytes();
            *request.lock().expect("nobody panicked") = Some((head, body));
            let response = http::Response::builder().status(answer.status).header("content-type", answer.content_type);
            let data = Ok(Frame::data(Bytes::from(answer.body.clone())));
            let broken = answer.breaks_off.then(|| Err(std::io::Error::other("the host is gone")));
            response.body(StreamBody::new(futures::stream::iter([data].into_iter().chain(broken))))
        });
        drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
    };
    let said = RefCell::new(String::new());
    let say = |line: &str| said.borrow_mut().push_str(&format!("{line}\n"));
    let bytes = trips();
    let length = bytes.len().to_string();
    let sending = arguments(&address.to_string());
    let sending = upload::send(&sending, bytes, &say);
    let answered = tokio::select! {
        answered = sending => answered,
        () = async { serving.await; std::future::pending().await } => unreachable!("it waits"),
    };
    let (head, body) = request.lock().expect("nobody panicked").take().expect("it was asked");
    assert_eq!(body, trips());
    let head = head.replace(&length, "LENGTH");
    assert_eq!(head, "POST /admin/apps?force=1 LENGTH application/zip application/x-ndjson, application/json master");
    let end = match answered {
        Ok(answered) => match apps::told(&answered, OutputFormat::Text, &|report: SwitchReport| report.deployed()) {
            Ok(text) => text,
            Err(Problem::Host(refusal)) => format!("refused: {refusal}"),
            Err(problem) => format!("no answer: {}", problem.into_error()),
        },
        Err(error) => format!("{error:#}"),
    };
    format!("{}{end}", said.into_inner()).replace(&address.to_string(), "HOST")
}

async fn check(answer: Answer, expected: &Expect) {
    expected.assert_eq(&deployed(answer).await);
}

const REPORT: &str = r#"{"app": "trips", "version": "1.1.0", "digest": "d", "bundle": "0123456789abcdef",
    "previous": {"version": "1.0.0", "digest": "c", "bundle": "fedcba9876543210"},
    "functions": {"added": ["CancelTrip"], "removed": [], "changed": ["BookTrip", "BookHotel"], "unchanged": ["StartTrip"]},
    "routes": ["POST /api/trips"], "warnings": ["trips has no timer any more"],
    "durationMs": {"check": 12.5, "compile": 1200, "replay": 0, "switch": 3}}"#;

#[tokio::test]
async fn a_deploy_is_followed_to_its_end() {
    let phases = "{\"phase\": \"received\", \"durationMs\": 40}\n\
        {\"phase\": \"compiled\", \"durationMs\": 1200, \"detail\": \"1 of 2 components were new\"}\n\
        {\"phase\": \"something new\"}\nnoise\n";
    let report = format!("{phases}{{\"report\": {}}}\n", REPORT.replace('\n', " "));
    check(
        Answer::lines(&report),
        &expect![[r#"
          received in 0.04 s
          compiled in 1.20 s: 1 of 2 components were new
          something new in 0.00 s
        Deployed trips 1.1.0 (bundle 0123456789ab)
        Before: 1.0.0 (bundle fedcba987654); instances that began on it finish on it
        Added: CancelTrip
        Changed: BookTrip, BookHotel
        Unchanged: 1

        Routes:
          POST /api/trips
        Warning: trips has no timer any more

        checked in 0.01 s, compiled in 1.20 s, replayed in 0.00 s, switched in 0.00 s
    "#]],
    )
    .await;
    check(
        Answer::json(200, REPORT),
        &expect![[r#"
        Deployed trips 1.1.0 (bundle 0123456789ab)
        Before: 1.0.0 (bundle fedcba987654); instances that began on it finish on it
        Added: CancelTrip
        Changed: BookTrip, BookHotel
        Unchanged: 1

        Routes:
          POST /api/trips
        Warning: trips has no timer any more

        checked in 0.01 s, compiled in 1.20 s, replayed in 0.00 s, switched in 0.00 s
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_refusal_is_told_with_its_problems() {
    let error = r#"{"code": "Conflict", "status": 409, "message": "2 instances depart from the new code", "problems": ["trip-1: event 7"]}"#;
    check(
        Answer::lines(&format!("{{\"phase\": \"received\", \"durationMs\": 1}}\n{{\"error\": {error}}}")),
        &expect![[r#"
              received in 0.00 s
            refused: 2 instances depart from the new code
              trip-1: event 7"#]],
    )
    .await;
    check(
        Answer::json(409, &format!("{{\"error\": {error}}}")),
        &expect![[r#"
        refused: 2 instances depart from the new code
          trip-1: event 7"#]],
    )
    .await;
    check(Answer::json(401, ""), &expect!["http://HOST does not take this key; it asks for its master key: give it with --key or as DACAPO_KEY. `dacapo keys list <manifest> --show-values` shows it as _master; for `dacapo serve`, with --data-dir instead of the manifest"])
        .await;
    check(
        Answer::json(502, "<html>"),
        &expect!["no answer: the answer 502 is not one of Dacapo's; is a host of this version there?"],
    )
    .await;
}

#[tokio::test]
async fn an_end_that_is_missing_is_not_taken_for_one() {
    check(Answer::lines("{\"phase\": \"checked\", \"durationMs\": 1}\n"), &expect![[r#"
          checked in 0.00 s
        http://HOST broke off before it said what became of the deploy; it serves the old version or the new one, see `dacapo apps list`"#]]).await;
    let cut = Answer { breaks_off: true, ..Answer::lines("{\"phase\": \"checked\", \"durationMs\": 1}\n") };
    // Whether the line before arrives is a matter of luck.
    let told = deployed(cut).await;
    assert!(told.contains("http://HOST broke off before it said what became of the deploy"), "{told}");
}

#[tokio::test]
async fn nobody_there_is_said() {
    // Bound, so that nobody else gets it, but not listened to.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("some port is free");
    let address = socket.local_addr().expect("it is bound").to_string();
    let error = upload::send(&arguments(&address), trips(), &|_| {}).await.expect_err("nobody is there").to_string();
    expect!["no host answers at http://HOST; start one with `dacapo serve`, or say where it is with --to"]
        .assert_eq(&error.replace(&address, "HOST"));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_takes_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("some port is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    // More than what the system takes for somebody who does not read.
    let bundle = Bytes::from(vec![0; 64 << 20]);
    let host = async {
        let _connection = listener.accept().await.expect("somebody deploys");
        std::future::pending::<()>().await
    };
    let deploying = arguments(&address);
    let error = tokio::select! {
        answered = upload::send(&deploying, bundle, &|_| {}) => answered.expect_err("nobody takes it").to_string(),
        () = host => unreachable!("it waits"),
    };
    let (before, after) = error.split_once(" and lacks ").expect("it says how much is missing");
    assert_eq!(before.replace(&address, "HOST"), "http://HOST has taken nothing for 60 s,");
    assert!(
        after.ends_with(
            " bytes of the bundle; nothing was deployed. Look at the host and the network, and deploy again"
        ),
        "{after}"
    );
}

#[test]
fn what_is_sent_is_looked_at_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("trips.dacapo");
    let refused = |bytes: &[u8]| {
        fs::write(&file, bytes).expect("it can be written");
        opened(&file).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let whole = trips();
    let missing = opened(&folder.path().join("none.dacapo")).err().expect("there is none").to_string();
    let told = [refused(&whole), refused(&whole[..1_000]), refused(b"hello"), missing].join("\n");
    expect![[r#"

        FOLDER/trips.dacapo: the bundle is cut off, or something was appended to it; pack it again, and check that the whole file arrived
        FOLDER/trips.dacapo: this is no bundle: it is not a zip archive; give a file that `dacapo pack` wrote
        there is no FOLDER/none.dacapo; give a bundle as `dacapo pack` writes it, a manifest, or a folder with one"#]].assert_eq(&told.replace(&folder.path().display().to_string(), "FOLDER"));
    fs::write(&file, &whole).expect("it can be written");
    let parcel = opened(&file).expect("it is whole");
    assert_eq!((parcel.app.as_str(), parcel.version.as_str(), parcel.bytes), ("trips", "1.1.0", whole));
}
