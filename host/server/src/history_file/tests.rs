//! Every kind of event there and back, byte for byte; and lines that are none.

use super::{HistoryFile, read, write};
use crate::moment;
use expect_test::{Expect, expect};
use orchestration::{
    EntityId, Event, EventId, EventKind, ExecutionId, ExecutionStarted, Failure, InstanceId, Json, Parent, RaisedEvent,
    RuntimeStatus, StartOptions, Timeouts, Timestamp,
};
use proptest::prelude::{any, prop, proptest};
use std::time::Duration;

fn entity(name: &str, key: &str) -> EntityId {
    EntityId::parse(name, key).expect("the test's entities are well named")
}

/// One event of each kind with all that it can have, in an order that a history could have.
pub(crate) fn every_kind() -> Vec<EventKind> {
    vec![EventKind::OrchestratorStarted, EventKind::ExecutionStarted(Box::new(started()))]
        .into_iter()
        .chain(every_action())
        .chain([EventKind::OrchestratorCompleted])
        .chain(every_answer())
        .collect()
}

const MOMENT: Timestamp = Timestamp::from_unix_ms(1_704_067_200_123);

fn options() -> StartOptions {
    StartOptions {
        version: Some("1.2".to_owned()),
        tags: [("customer".to_owned(), "42".to_owned())].into(),
        start_at: Some(MOMENT),
    }
}

fn started() -> ExecutionStarted {
    ExecutionStarted {
        parent: Some(Parent {
            instance: InstanceId::from_stored("parent"),
            execution: ExecutionId::from_random(1),
            name: "Holidays".to_owned(),
            scheduled: EventId(3),
        }),
        options: options(),
        depth: 2,
        pinned_to: Some("abc".to_owned()),
        accepted_events: vec!["e1".to_owned()],
        ..ExecutionStarted::new("Trip", Json::from("[1]"), ExecutionId::from_random(7))
    }
}

fn every_action() -> Vec<EventKind> {
    let (id, name, input) = (InstanceId::from_stored, |text: &str| text.to_owned(), || Json::from("2"));
    vec![
        EventKind::TaskScheduled {
            id: EventId(0),
            name: name("Book"),
            input: input(),
            retry_of: None,
            timeouts: Timeouts { run: Some(Duration::from_secs(30)), heartbeat: Some(Duration::from_millis(1_500)) },
            tags: [("class".to_owned(), "2".to_owned())].into(),
        },
        EventKind::SubOrchestrationInstanceCreated {
            id: EventId(1),
            name: name("Leg"),
            instance_id: id("t:1"),
            input: Json::from("{\n  \"a\": 1.0\n}"),
            retry_of: Some(EventId(0)),
            detached: true,
            options: options(),
        },
        EventKind::TimerCreated { id: EventId(2), fire_at: Timestamp::MAX, retry_of: Some(EventId(0)) },
        EventKind::EventSent { id: EventId(3), instance_id: id("other"), name: name("Go"), input: input() },
        EventKind::EntityOperationCalled {
            id: EventId(4),
            entity: entity("seats", "12A"),
            operation: name("take"),
            input: input(),
        },
        EventKind::EntityOperationSignaled {
            id: EventId(5),
            entity: entity("seats", ""),
            operation: name("free"),
            input: Json::from("not json"),
            deliver_at: Some(MOMENT),
        },
        EventKind::EntityLockRequested { id: EventId(6), entities: vec![entity("a", "1"), entity("b", "@")] },
    ]
}

fn every_answer() -> Vec<EventKind> {
    let (name, input) = (|text: &str| text.to_owned(), || Json::from("2"));
    let failure = || Failure {
        details: Some("at book.rs:3".to_owned()),
        cause: Some(Box::new(Failure::new("IoError", "timed out").non_retriable())),
        properties: [("seat".to_owned(), "12A".to_owned())].into(),
        ..Failure::new("BookingError", "no seats left")
    };
    let scheduled = EventId;
    vec![
        EventKind::ExecutionSuspended { reason: name("a \"break\"") },
        EventKind::ExecutionResumed { reason: String::new() },
        EventKind::ExecutionRewound { reason: name("again") },
        EventKind::TaskCompleted { scheduled: scheduled(0), result: Json::from(" {\"seat\":1.00}") },
        EventKind::TaskFailed { scheduled: scheduled(0), failure: failure() },
        EventKind::SubOrchestrationInstanceCompleted { scheduled: scheduled(1), result: Json::null() },
        EventKind::SubOrchestrationInstanceFailed { scheduled: scheduled(1), failure: failure() },
        EventKind::TimerFired { timer: EventId(2), fire_at: MOMENT },
        EventKind::EntityOperationCompleted { scheduled: scheduled(4), result: input() },
        EventKind::EntityOperationFailed { scheduled: scheduled(4), failure: failure() },
        EventKind::EntityLockGranted { scheduled: scheduled(6) },
        EventKind::EntityUnlockSent { id: EventId(7), section: EventId(6) },
        EventKind::EventRaised(RaisedEvent { name: name("Approval"), input: Json::from("true"), id: Some(name("e2")) }),
        EventKind::ExecutionTerminated { reason: Json::from(r#""enough""#) },
        EventKind::ExecutionCompleted {
            status: RuntimeStatus::Failed,
            output: Some(Json::null()),
            failure: Some(failure()),
        },
        EventKind::ExecutionCompleted { status: RuntimeStatus::Terminated, output: None, failure: None },
    ]
}

fn events(kinds: Vec<EventKind>) -> Vec<Event> {
    let at = |index: usize| Timestamp::from_ticks(17_040_672_001_234_567 + index as i64);
    kinds.into_iter().enumerate().map(|(index, kind)| Event { at: at(index), kind }).collect()
}

#[test]
fn every_kind_of_event_comes_back_as_it_was() {
    let instance = InstanceId::from_stored("t");
    let events = events(every_kind());
    let text = write(&instance, &events);
    assert_eq!(text.lines().count(), events.len(), "one event is one line");
    let lines = (1..=events.len()).collect();
    assert_eq!(read(&text), Ok(HistoryFile { instance, events, lines }));
    // The lines with everything that a line can have.
    let shown: Vec<&str> = [1, 2, 3, 4, 7, 13, 14].into_iter().filter_map(|line| text.lines().nth(line)).collect();
    expect![[r#"
        {"eventType":"ExecutionStarted","timestamp":"2024-01-01T00:00:00.1234568Z","name":"Trip","instanceId":"t","executionId":"00000000000000000000000000000007","input":[1],"startAt":"2024-01-01T00:00:00.1230000Z","version":"1.2","tags":{"customer":"42"},"parentInstance":{"instanceId":"parent","executionId":"00000000000000000000000000000001","name":"Holidays","taskScheduledId":3},"depth":2,"pinnedTo":"abc","acceptedEventIds":["e1"]}
        {"eventType":"TaskScheduled","timestamp":"2024-01-01T00:00:00.1234569Z","eventId":0,"name":"Book","input":2,"timeoutMs":30000,"heartbeatTimeoutMs":1500,"tags":{"class":"2"}}
        {"eventType":"SubOrchestrationInstanceCreated","timestamp":"2024-01-01T00:00:00.1234570Z","eventId":1,"retryOf":0,"name":"Leg","instanceId":"t:1","input":{   "a": 1.0 },"payloadText":"{\n  \"a\": 1.0\n}","startAt":"2024-01-01T00:00:00.1230000Z","version":"1.2","tags":{"customer":"42"},"detached":true}
        {"eventType":"TimerCreated","timestamp":"2024-01-01T00:00:00.1234571Z","eventId":2,"retryOf":0,"fireAt":"31197-09-14T02:48:05.4775807Z"}
        {"eventType":"EntityOperationSignaled","timestamp":"2024-01-01T00:00:00.1234574Z","eventId":5,"instanceId":"@seats@","operation":"free","input":"not json","payloadText":"not json","deliverAt":"2024-01-01T00:00:00.1230000Z"}
        {"eventType":"TaskCompleted","timestamp":"2024-01-01T00:00:00.1234580Z","taskScheduledId":0,"result":{"seat":1.00},"payloadText":" {\"seat\":1.00}"}
        {"eventType":"TaskFailed","timestamp":"2024-01-01T00:00:00.1234581Z","taskScheduledId":0,"failureDetails":{"errorType":"BookingError","errorMessage":"no seats left","stackTrace":"at book.rs:3","innerFailure":{"errorType":"IoError","errorMessage":"timed out","isNonRetriable":true},"isNonRetriable":false,"properties":{"seat":"12A"}}}"#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn what_people_do_to_a_file_does_not_matter() {
    let instance = InstanceId::from_stored("t");
    let all = events(every_kind());
    let text = write(&instance, &all).replace('\n', "\r\n\r\n").replace("{\"eventType\"", "{\"new\":[1],\"eventType\"");
    let file = read(&text).expect("empty lines and unknown fields are passed over");
    assert_eq!(file.events, all);
    assert_eq!(file.lines.first_chunk(), Some(&[1, 3, 5]));
}

fn check_unreadable(line: &str, expected: &Expect) {
    let start = r#"{"eventType":"OrchestratorStarted","timestamp":"2024-01-01T00:00:00.0000000Z"}"#;
    let read = read(&format!("{start}\n{line}\n"));
    expected.assert_eq(&read.expect_err("the second line is wrong").to_string());
}

#[test]
fn a_line_that_is_no_event_is_named() {
    let event = |kind: &str, rest: &str| {
        format!(r#"{{"eventType":"{kind}","timestamp":"2024-01-01T00:00:00.0000000Z"{rest}}}"#)
    };
    check_unreadable("x", &expect!["line 2: it is no event: expected value at line 1 column 1"]);
    check_unreadable("{}", &expect![[r#"line 2: 'timestamp' is ""; it must be like 2024-01-31T08:00:00.0000000Z"#]]);
    check_unreadable(&event("", ""), &expect!["line 2: it has no 'eventType'"]);
    check_unreadable(
        &event("TaskRenamed", ""),
        &expect!["line 2: the event type 'TaskRenamed' is not known; it may be of a later version of dacapo"],
    );
    check_unreadable(&event("TaskScheduled", r#","name":"Book""#), &expect!["line 2: it has no 'eventId'"]);
    check_unreadable(&event("TaskScheduled", r#","eventId":0"#), &expect!["line 2: it has no 'name'"]);
    check_unreadable(&event("TaskFailed", r#","taskScheduledId":0"#), &expect!["line 2: it has no 'failureDetails'"]);
    check_unreadable(&event("ExecutionSuspended", r#","reason":7"#), &expect!["line 2: 'reason' must be a string"]);
    check_unreadable(
        &event("TimerFired", r#","timerId":0,"fireAt":"soon""#),
        &expect![[r#"line 2: 'fireAt' is "soon"; it must be like 2024-01-31T08:00:00.0000000Z"#]],
    );
    check_unreadable(
        &event("EntityOperationCalled", r#","eventId":0,"instanceId":"counter""#),
        &expect![[r#"line 2: "counter" is no entity; it must be like @name@key"#]],
    );
    check_unreadable(
        &event("ExecutionStarted", r#","name":"Trip","executionId":"7""#),
        &expect!["line 2: ExecutionStarted has no 'instanceId'"],
    );
    check_unreadable(
        &event("ExecutionStarted", r#","name":"Trip","instanceId":"t","executionId":"x""#),
        &expect![[r#"line 2: "x" is no execution id; it must be 32 hexadecimal digits"#]],
    );
    check_unreadable(
        &event("ExecutionCompleted", r#","orchestrationStatus":"Over""#),
        &expect!["line 2: there is no status 'Over'"],
    );
    check_unreadable(
        &event("OrchestratorCompleted", ""),
        &expect!["it has no event ExecutionStarted: the instance has not begun, so that there is nothing to replay"],
    );
}

proptest! {
    #[test]
    fn every_moment_comes_back(ticks in any::<i64>()) {
        let moment = Timestamp::from_ticks(ticks);
        // Nothing happens before year 0, where the calendar's text gets a sign.
        if ticks > -600_000_000_000_000_000 {
            assert_eq!(moment::parse_exact(&moment.to_string()), Some(moment));
        }
    }

    #[test]
    fn no_text_makes_reading_panic(text in "\\PC*", moment in "[0-9TZ:.-]{0,40}") {
        assert!(read(&text).is_err());
        assert!(moment::parse_exact(&moment).is_none_or(|read| read.to_string() == moment));
    }

    #[test]
    fn payloads_come_back_byte_for_byte(payload in "[ \n\r\t{}\\[\\]\",:0-9a-z\\\\]{0,20}", spaces in prop::collection::vec(any::<bool>(), 2)) {
        let padded = format!("{}{payload}{}", if spaces[0] { "\n" } else { "" }, if spaces[1] { " " } else { "" });
        let kinds = vec![
            EventKind::ExecutionStarted(Box::new(ExecutionStarted::new("T", Json::from(padded), ExecutionId::from_random(7)))),
        ];
        let events = events(kinds);
        let text = write(&InstanceId::from_stored("t"), &events);
        assert_eq!(text.lines().count(), 1);
        assert_eq!(read(&text).expect("a history").events, events);
    }
}
