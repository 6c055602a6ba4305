//! What readers find, and what slow ones do not.

use expect_test::{Expect, expect};
use futures::{FutureExt, StreamExt};
use orchestration::Timestamp;

use super::*;
use crate::console::{Outcome, Source, Step};
use crate::shutdown::Stop;

fn line(function: &str, id: &str, level: Level, message: &str) -> Arc<Record> {
    let log = Log {
        source: Source::Function,
        level,
        message: message.to_owned(),
        function: Some(function.to_owned()),
        invocation_id: Some(id.to_owned()),
        instance_id: None,
        fields: Vec::new(),
        step: None,
    };
    Arc::new(Record { at: Timestamp::default(), event: Event::Log(log) })
}

fn some() -> Arc<LogStream> {
    let log = Arc::new(LogStream::default());
    log.push(line("A", "1a", Level::INFO, "first"));
    log.push(line("B", "2b", Level::DEBUG, "second"));
    log.push(line("A", "3c", Level::WARN, "third"));
    log
}

async fn all(lines: impl Stream<Item = Bytes>) -> String {
    String::from_utf8(lines.collect::<Vec<Bytes>>().await.concat()).expect("it is text")
}

async fn check(selection: Selection, expected: &Expect) {
    expected.assert_eq(&all(some().read(selection, Form::Text, None)).await);
}

#[tokio::test]
async fn readers_choose() {
    check(
        Selection::default(),
        &expect![[r#"
        00:00:00  [function] A (id=1a): first
        00:00:00  [function] B (id=2b): second
        00:00:00  [function] A (id=3c): warning: third
    "#]],
    )
    .await;
    check(
        Selection { function: Some("a".to_owned()), ..Selection::default() },
        &expect![[r#"
        00:00:00  [function] A (id=1a): first
        00:00:00  [function] A (id=3c): warning: third
    "#]],
    )
    .await;
    check(
        Selection { level: level("warn"), ..Selection::default() },
        &expect![[r#"
        00:00:00  [function] A (id=3c): warning: third
    "#]],
    )
    .await;
    check(
        Selection { invocation: Some("2".to_owned()), ..Selection::default() },
        &expect![[r#"
        00:00:00  [function] B (id=2b): second
    "#]],
    )
    .await;
    check(Selection { function: Some("C".to_owned()), ..Selection::default() }, &expect![[r#""#]]).await;
}

#[tokio::test]
async fn programs_get_records() {
    let log = Arc::new(LogStream::default());
    let step = Step::InvocationEnded { outcome: Outcome::Succeeded, duration_ms: 7, error: None };
    let Event::Log(ended) = Arc::into_inner(line("A", "1a", Level::INFO, "")).expect("nobody else has it").event else {
        unreachable!("it is a line")
    };
    let ended = Log { step: Some(step), source: Source::Invocation, ..ended };
    log.push(Arc::new(Record { at: Timestamp::default(), event: Event::Log(ended) }));
    expect![[r#"
        {"schema_version":1,"kind":"log","timestamp":"1970-01-01T00:00:00.000Z","category":"Function.A","level":"information","event_id":2,"event_name":"FunctionCompleted","message":"Executed 'Functions.A' (Succeeded, Id=1a, Duration=7ms)","exception":null,"attributes":{"function.invocation_id":"1a","function.name":"A"}}
        {"schema_version":1,"kind":"invocation_completed","timestamp":"1970-01-01T00:00:00.000Z","function":"A","invocation_id":"1a","trace_id":null,"result":"succeeded","duration_ms":7,"error":null}
    "#]].assert_eq(&all(log.read(Selection::default(), Form::Json, None)).await);
}

#[tokio::test]
async fn who_follows_gets_what_comes_until_the_host_stops() {
    let (stop, stopping) = Stop::new();
    let log = some();
    let mut lines = Box::pin(log.clone().read(Selection::default(), Form::Text, Some(stopping)));
    assert!(lines.next().await.is_some_and(|first| first.ends_with(b"third\n")));
    assert!(lines.next().now_or_never().is_none(), "nothing has come yet");
    log.push(line("A", "4d", Level::INFO, "fourth"));
    assert!(lines.next().await.is_some_and(|next| next.ends_with(b"fourth\n")));
    assert!(lines.next().now_or_never().is_none(), "nothing has come yet");
    log.push(line("A", "5e", Level::INFO, "last words"));
    stop.ask();
    assert!(lines.next().await.is_some_and(|next| next.ends_with(b"last words\n")));
    assert_eq!(lines.next().await, None);
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed() {
    let log = some();
    let (_stop, stopping) = Stop::new();
    let mut lines = Box::pin(log.clone().read(Selection::default(), Form::Text, Some(stopping)));
    assert!(lines.next().await.is_some());
    for number in 0..5_000 {
        log.push(line("A", "1a", Level::INFO, &number.to_string()));
    }
    let text = lines.next().await.expect("there is more");
    let text = String::from_utf8(text.to_vec()).expect("it is text");
    let first: Vec<&str> = text.lines().map(|line| line.split_once("  ").expect("a time").1).take(2).collect();
    expect![[r#"
        [host] 3000 lines were left out here: more happened than could be printed
        [function] A (id=1a): 3000"#]]
    .assert_eq(&first.join("\n"));
}

#[test]
fn long_lines_leave_fewer_of_them() {
    let log = LogStream::default();
    for _ in 0..100 {
        log.push(line("A", "1a", Level::INFO, &"x".repeat(100 << 10)));
    }
    let kept = log.lock();
    assert_eq!((kept.records.len(), kept.gone), (10, 90));
}
