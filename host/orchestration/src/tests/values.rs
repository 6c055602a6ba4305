//! The small values: ids, moments, statuses, failures.

use crate::{Failure, InstanceId, Json, RuntimeStatus, Timestamp};
use expect_test::{Expect, expect};
use std::time::Duration;

#[test]
fn instance_ids() {
    let check = |text: &str, expected: &Expect| {
        expected.assert_eq(&InstanceId::parse(text).map_or_else(|why| why.to_string(), |id| format!("{id:?}")));
    };
    check("trip-1", &expect!["trip-1"]);
    check("Größe 7:a@b", &expect!["Größe 7:a@b"]);
    check("", &expect!["the instance id is empty; leave it out to get a new one, or give 1 to 256 characters"]);
    check(
        "@counter@a",
        &expect!["the instance id starts with '@', which is reserved for entities; choose another first character"],
    );
    check(
        "a/b",
        &expect![[r#"the instance id contains '/'; '/', '\', '#', '?' and control characters are not allowed"#]],
    );
    check(
        "a\\b",
        &expect![[r#"the instance id contains '\\'; '/', '\', '#', '?' and control characters are not allowed"#]],
    );
    check(
        "a#b?",
        &expect![[r#"the instance id contains '#'; '/', '\', '#', '?' and control characters are not allowed"#]],
    );
    check(
        "a\tb",
        &expect![[r#"the instance id contains '\t'; '/', '\', '#', '?' and control characters are not allowed"#]],
    );
    check(
        "a\u{85}b",
        &expect![[r#"the instance id contains '\u{85}'; '/', '\', '#', '?' and control characters are not allowed"#]],
    );
    check(&"x".repeat(257), &expect!["the instance id has a length of 257 bytes; at most 256 are allowed"]);
    // Bytes count, not characters.
    check(&"ä".repeat(129), &expect!["the instance id has a length of 258 bytes; at most 256 are allowed"]);
    assert!(InstanceId::parse(&"x".repeat(256)).is_ok());
    assert_ne!(InstanceId::parse("trip"), InstanceId::parse("Trip"));
    assert_eq!(InstanceId::from_random(0xabc).as_str(), "00000000000000000000000000000abc");
    assert_eq!(InstanceId::from_stored("@counter@a").as_str(), "@counter@a");
}

#[test]
fn moments() {
    let check = |moment: Timestamp, expected: &str| assert_eq!(moment.to_string(), expected);
    check(Timestamp::from_ticks(0), "1970-01-01T00:00:00.0000000Z");
    check(Timestamp::from_ticks(-1), "1969-12-31T23:59:59.9999999Z");
    check(Timestamp::from_ticks(1), "1970-01-01T00:00:00.0000001Z");
    check(Timestamp::from_unix_ms(1_704_067_200_000), "2024-01-01T00:00:00.0000000Z");
    check(Timestamp::from_unix_ms(951_782_400_123), "2000-02-29T00:00:00.1230000Z");
    check(Timestamp::MAX, "31197-09-14T02:48:05.4775807Z");
    assert_eq!(Timestamp::from_unix_ms(i64::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::from_ticks(-1).unix_ms(), -1);
    assert_eq!(Timestamp::from_ticks(i64::MIN).saturating_since(Timestamp::MAX), Duration::ZERO);
    let longest = Timestamp::MAX.saturating_since(Timestamp::from_ticks(i64::MIN));
    assert_eq!(longest, Duration::new(922_337_203_685, 477_580_700), "saturates");
    // What is shorter than a tick is no time.
    assert_eq!(Timestamp::default().saturating_add(Duration::from_nanos(199)), Timestamp::from_ticks(1));
}

/// Where calendars go wrong: the days around each end of February, in every fourth and every hundredth year.
#[test]
fn leap_days() {
    for year in (0..9999).filter(|year| year % 100 <= 4) {
        for day in -2..=2 {
            let date = jiff::civil::date(year, 3, 1).saturating_add(jiff::Span::new().days(day));
            let seconds = date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second();
            assert_eq!(Timestamp::from_unix_ms(seconds * 1000).to_string(), format!("{date}T00:00:00.0000000Z"));
        }
    }
}

#[test]
fn statuses() {
    let mut table = String::new();
    for number in 0..=8 {
        let status = RuntimeStatus::from_number(number);
        let ended = status.map(RuntimeStatus::is_terminal);
        table.push_str(&format!("{number} {status:?} {ended:?}\n"));
        if let Some(status) = status {
            assert_eq!(status as u8, number);
            assert_eq!(RuntimeStatus::parse(status.name()), Some(status));
            assert_eq!(RuntimeStatus::parse(&number.to_string()), Some(status));
        }
    }
    expect![[r#"
        0 Some(Running) Some(false)
        1 Some(Completed) Some(true)
        2 Some(ContinuedAsNew) Some(false)
        3 Some(Failed) Some(true)
        4 Some(Canceled) Some(true)
        5 Some(Terminated) Some(true)
        6 Some(Pending) Some(false)
        7 Some(Suspended) Some(false)
        8 None None
    "#]]
    .assert_eq(&table);
    for text in ["", "running", "8", "-1", "00", " Running"] {
        assert_eq!(RuntimeStatus::parse(text), None, "{text:?}");
    }
}

#[test]
fn failures_as_text() {
    let cause = Failure { cause: Some(Box::new(Failure::new("Io", "no route"))), ..Failure::new("Http", "no answer") };
    let failure = Failure { cause: Some(Box::new(cause)), ..Failure::new("BookingFailed", "no flight") };
    expect!["BookingFailed: no flight; caused by Http: no answer; caused by Io: no route"]
        .assert_eq(&failure.to_string());
}

#[test]
fn json_is_text() {
    let json = Json::from("{\"a\": 1}");
    assert_eq!((json.as_str(), json.len(), json.is_empty()), ("{\"a\": 1}", 8, false));
    assert_eq!(format!("{json} {json:?}"), "{\"a\": 1} {\"a\": 1}");
    assert_eq!((Json::null().as_str(), Json::new("null")), ("null", Json::from("null".to_owned())));
    // Never parsed: other spaces are another text.
    assert_ne!(Json::from("1"), Json::from("1 "));
}
