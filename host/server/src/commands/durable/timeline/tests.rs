//! Timelines of histories that are written as lines: milliseconds since the start, kind, and the other fields.

use super::*;
use crate::history_file;
use expect_test::{Expect, expect};
use std::time::Duration;

const START: Timestamp = Timestamp::from_unix_ms(1_704_067_200_000);

fn after(ms: u64) -> Timestamp {
    START.saturating_add(Duration::from_millis(ms))
}

/// The history of the instance `t` of `Trip`, which starts at 0.
pub(in super::super) fn history(lines: &str) -> String {
    let started = r#"0 ExecutionStarted "name":"Trip","instanceId":"t","executionId":"00000000000000000000000000000007","input":1"#;
    let lines = [started].into_iter().chain(lines.lines().map(str::trim).filter(|line| !line.is_empty()));
    let lines = lines.map(|line| {
        let (ms, rest) = line.split_once(' ').expect("a time");
        let (kind, fields) = rest.split_once(' ').unwrap_or((rest, ""));
        let comma = if fields.is_empty() { "" } else { "," };
        let at = after(ms.parse().expect("milliseconds"));
        format!("{{\"eventType\":\"{kind}\",\"timestamp\":\"{at}\"{comma}{fields}}}\n")
    });
    lines.collect()
}

fn frame(width: usize) -> Frame {
    Frame { width, max_rows: None }
}

fn drawn(lines: &str, present: &Present, now_ms: u64, frame: Frame) -> String {
    let history = history_file::read(&history(lines)).expect("a history");
    super::super::paint::to_text(&draw(&history, present, after(now_ms), frame), false)
}

fn check(lines: &str, now_ms: u64, expected: &Expect) {
    expected.assert_eq(&drawn(lines, &Present::default(), now_ms, frame(80)));
}

const TRIP: &str = r#"
    0 TaskScheduled "eventId":0,"name":"BookFlight","input":1
    400 TaskCompleted "taskScheduledId":0,"result":2
    400 TaskScheduled "eventId":1,"name":"BookHotel","input":1
    600 TaskFailed "taskScheduledId":1,"failureDetails":{"errorType":"Full","errorMessage":"no room","isNonRetriable":false}
    600 TimerCreated "eventId":2,"fireAt":"2024-01-01T00:00:01.6000000Z","retryOf":1
    1600 TimerFired "timerId":2,"fireAt":"2024-01-01T00:00:01.6000000Z"
    1600 TaskScheduled "eventId":3,"name":"BookHotel","input":1,"retryOf":1
    2000 TaskCompleted "taskScheduledId":3,"result":2
"#;

#[test]
fn activities_stand_on_one_axis_and_tries_in_one_row() {
    let ended = r#"2000 ExecutionCompleted "eventId":4,"orchestrationStatus":"Completed","result":3"#;
    check(
        &format!("{TRIP}{ended}"),
        99_000,
        &expect![[r#"
        Trip t: Completed after 2 s

                    0           500 ms      1 s         1.5 s
        BookFlight  █████████                                          400 ms  ok
        BookHotel            ████✗·························██████████   1.6 s  ok, try 2
    "#]],
    );
}

#[test]
fn what_goes_on_reaches_to_the_present() {
    let lines: Vec<&str> = TRIP.lines().collect();
    check(
        &lines[..6].join("\n"),
        700,
        &expect![[r#"
        Trip t: Running for 700 ms

                    0                             500 ms
        BookFlight  ████████████████████████                     400 ms  ok
        BookHotel                           ███████████✗······▸  300 ms  again in 900 ms

        ✗ BookHotel: Full: no room
    "#]],
    );
    check(
        &lines[..8].join("\n"),
        1_800,
        &expect![[r#"
        Trip t: Running for 1.8 s

                    0                       1 s
        BookFlight  █████████                                     400 ms  ok
        BookHotel            ████✗·························████▸   1.4 s  running, try 2

        ✗ BookHotel: Full: no room
    "#]],
    );
}

#[test]
fn the_present_says_what_no_history_does() {
    let present = Present { awaited_events: vec![("Approval".to_owned(), after(500))], queued: vec![EventId(1)] };
    let lines: Vec<&str> = TRIP.lines().collect();
    expect![[r#"
        Trip t: Running for 900 ms

                        0                         500 ms
        BookFlight      ████████████████████                             400 ms  ok
        BookHotel                           ██████████████████████████▸  500 ms  queued
        event Approval                            ────────────────────▸  400 ms  awaited
    "#]]
    .assert_eq(&drawn(&lines[..4].join("\n"), &present, 900, frame(80)));
}

#[test]
fn every_kind_has_its_row() {
    check(
        r#"
        0 SubOrchestrationInstanceCreated "eventId":0,"name":"Book","instanceId":"t:0","input":1
        0 SubOrchestrationInstanceCreated "eventId":1,"name":"Mail","instanceId":"m","input":1,"detached":true
        1000 TimerCreated "eventId":2,"fireAt":"2024-01-01T00:01:00.0000000Z"
        1000 EventRaised "name":"Approval","input":true
        2000 EventRaised "name":"Approval","input":true
        2000 EntityOperationCalled "eventId":3,"instanceId":"@counter@a","operation":"add","input":1
        3000 EntityOperationCompleted "taskScheduledId":3,"result":1
        3000 EntityOperationSignaled "eventId":4,"instanceId":"@counter@a","operation":"reset","input":1
        3000 EventSent "eventId":5,"instanceId":"u","name":"Go","input":1
        4000 EntityLockRequested "eventId":6,"lockSet":["@counter@a","@counter@b"]
        5000 EntityLockGranted "taskScheduledId":6
        6000 EntityUnlockSent "eventId":7,"lockRequestedId":6
        6500 ExecutionSuspended "reason":"lunch"
        7000 ExecutionResumed "reason":""
        7500 SubOrchestrationInstanceFailed "taskScheduledId":0,"failureDetails":{"errorType":"Full","errorMessage":"no \u001b[31mroom","isNonRetriable":false}
        "#,
        8_000,
        &expect![[r#"
            Trip t: Running for 8 s

                                      0                 5 s
            Book (t:0)                ███████████████████████████✗     7.5 s  failed
            start Mail (m)            ◆                                       started
            timer                        ──────────────────────────▸     7 s  due in 52 s
            event Approval               ◆   ◆                                raised 2 times
            @counter@a add                   ████                        1 s  ok
            @counter@a reset                     ◆                            signaled
            event Go to u                        ◆                            sent
            lock @counter@a, @count…                 ───████             2 s  released
            suspended                                         ──      500 ms  resumed

            ✗ Book (t:0): Full: no \u{1b}[31mroom
        "#]],
    );
}

#[test]
fn an_end_leaves_what_is_open() {
    check(
        r#"
        0 TimerCreated "eventId":0,"fireAt":"2024-01-08T00:00:00.0000000Z"
        0 TaskScheduled "eventId":1,"name":"BookFlight","input":1
        4000 ExecutionCompleted "eventId":2,"orchestrationStatus":"Failed","failureDetails":{"errorType":"Trip","errorMessage":"no seat\nat all","isNonRetriable":false}
        "#,
        8_000,
        &expect![[r#"
            Trip t: Failed after 4 s

                        0            1 s          2 s          3 s
            timer       ────────────────────────────────────────────────────  4 s  left open
            BookFlight  ████████████████████████████████████████████████████  4 s  left open

            ✗ Trip: Trip: no seat\nat all
        "#]],
    );
    check(
        "1 ExecutionTerminated \"reason\":\"enough\"",
        8_000,
        &expect![[r#"
        Trip t: Terminated after 1 ms
    "#]],
    );
}

#[test]
fn lines_fit_into_any_width() {
    let ended = r#"2000 ExecutionCompleted "eventId":4,"orchestrationStatus":"Completed","result":3"#;
    let lines = format!("{TRIP}{ended}").replace("BookHotel", "宿を予約する活動宿を予約する活動");
    expect![[r#"
        Trip t: Completed after 2 s

                         0
        BookFlight       ██              400 ms  ok
        宿を予約する活…    █✗·······███   1.6 s  ok, try 2
    "#]]
    .assert_eq(&drawn(&lines, &Present::default(), 0, frame(50)));
    for width in 0..200 {
        for line in drawn(&lines, &Present::default(), 0, frame(width)).lines() {
            assert!(line.width() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn what_goes_on_has_room_before_what_is_over() {
    let mut lines = "0 TaskScheduled \"eventId\":0,\"name\":\"Long\",\"input\":1\n".to_owned();
    for id in 1..8 {
        lines.push_str(&format!("{id}00 TaskScheduled \"eventId\":{id},\"name\":\"Short{id}\",\"input\":1\n"));
        lines.push_str(&format!("{id}90 TaskCompleted \"taskScheduledId\":{id},\"result\":1\n"));
    }
    let frame = Frame { width: 80, max_rows: Some(3) };
    expect![[r#"
        Trip t: Running for 800 ms

                0            200 ms        400 ms        600 ms
        Long    ██████████████████████████████████████████████████████▸  800 ms  running
        Short6                                           ██████           90 ms  ok
        Short7                                                  ███████   90 ms  ok
        … and 5 more: `dacapo durable history --graph` shows them
    "#]]
    .assert_eq(&drawn(&lines, &Present::default(), 800, frame));
}

#[test]
fn colours_are_around_what_they_belong_to() {
    let history = history_file::read(&history(TRIP)).expect("a history");
    let text = super::super::paint::to_text(&draw(&history, &Present::default(), after(2_100), frame(60)), true);
    expect![[r#"
        Trip t: ^[33mRunning^[0m for 2.1 s

                    ^[90m0                            ^[0m
        BookFlight  ^[32m█████^[0m                          400 ms  ^[32mok^[0m
        BookHotel        ^[31m██✗^[0m^[90m··············^[0m^[32m█████^[0m     1.6 s  ^[32mok, try 2^[0m
    "#]]
    .assert_eq(&text.replace('\x1b', "^"));
}

#[test]
fn times_are_in_the_unit_that_suits_them() {
    let times = [0, 1, 15, 9_999, 10_000, 123_456, 9_999_999, 24_100_000, 599_900_000, 600_000_000, 650_000_000];
    let long = [36_000_000_000, 40_000_000_000, 864_000_000_000, 900_000_000_000, i64::MAX];
    let said: Vec<String> = times.into_iter().chain(long).map(in_words).collect();
    expect!["0 | 0.1 µs | 1.5 µs | 999 µs | 1 ms | 12.3 ms | 999 ms | 2.41 s | 59.9 s | 1 min | 1 min 5 s | 1 h | 1 h 6 min | 1 d | 1 d 1 h | 10675199 d 2 h"].assert_eq(&said.join(" | "));
}

#[test]
fn marks_are_at_round_times_whatever_the_span() {
    let mut text = String::new();
    for ticks in [0, 1, 137_000, 10_000_000, 70_000_000, 1_000_000_000, 36_000_000_000, 6_048_000_000_000, i64::MAX] {
        let axis = Axis::new(Timestamp::default(), Timestamp::from_ticks(ticks), 60);
        text.push_str(axis.marks().0.trim_end());
        text.push('\n');
    }
    expect![[r#"
        0
        0
        0                    5 ms                  10 ms
        0           200 ms      400 ms      600 ms      800 ms
        0                2 s              4 s              6 s
        0                 30 s              1 min
        0              15 min         30 min         45 min
        0                2 d              4 d              6 d
        0                           5000000 d
    "#]]
    .assert_eq(&text);
}
