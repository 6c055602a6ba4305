//! Reading, writing and adding moments.

use std::time::{Duration, UNIX_EPOCH};

use expect_test::{Expect, expect};

use crate::Timestamp;

fn check(text: &str, expected: Expect) {
    let read = match text.parse::<Timestamp>() {
        Ok(timestamp) => format!("{timestamp} ({})", timestamp.ticks()),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&read);
}

#[test]
fn reads_what_it_writes() {
    check("1970-01-01T00:00:00Z", expect!["1970-01-01T00:00:00Z (0)"]);
    check("2024-02-29T23:59:59.9999999Z", expect!["2024-02-29T23:59:59.9999999Z (17092511999999999)"]);
    check("2026-11-22T09:00:00+02:00", expect!["2026-11-22T07:00:00Z (17953308000000000)"]);
    check("2026-11-22t09:00:00.5-00:30", expect!["2026-11-22T09:30:00.5Z (17953398005000000)"]);
    check("1969-12-31T23:59:59.9Z", expect!["1969-12-31T23:59:59.9Z (-1000000)"]);
    check("0001-01-01T00:00:00Z", expect!["0001-01-01T00:00:00Z (-621355968000000000)"]);
    check("9999-12-31T23:59:59Z", expect!["9999-12-31T23:59:59Z (2534023007990000000)"]);
}

#[test]
fn refuses_what_is_no_moment() {
    let refused = [
        "",
        "2026-11-22",
        "2026-11-22T09:00:00",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.x1Z",
        "2026-01-01T00:00:00+2:0x",
        "99999-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "2026-01-01T00:00:00é",
    ];
    for text in refused {
        assert!(text.parse::<Timestamp>().is_err(), "{text}");
    }
    check("soon", expect!["'soon' is not a moment in time; write it like 2026-11-22T07:16:17Z"]);
}

/// Every day of four centuries, against a count of days.
#[test]
fn the_calendar_has_no_gap() {
    let mut day: Timestamp = "1900-01-01T00:00:00Z".parse().unwrap();
    let end: Timestamp = "2300-01-01T00:00:00Z".parse().unwrap();
    let mut days = 0;
    while day < end {
        assert_eq!(day.to_string().parse(), Ok(day));
        day = day + Duration::from_secs(86_400);
        days += 1;
    }
    assert_eq!((day, days), (end, 146_097));
}

#[test]
fn adding_never_shortens_a_wait_and_never_wraps() {
    let start = Timestamp::UNIX_EPOCH;
    assert_eq!((start + Duration::from_nanos(1)).ticks(), 1);
    assert_eq!(start + Duration::MAX, Timestamp::from_ticks(i64::MAX));
    assert_eq!((Timestamp::from_ticks(15) - Duration::from_nanos(101)).ticks(), 13);
    assert_eq!(Timestamp::from_ticks(-2) - Duration::MAX, Timestamp::from_ticks(i64::MIN));
    assert_eq!(Timestamp::from_ticks(15) - start, Duration::from_nanos(1_500));
    assert_eq!(start - Timestamp::from_ticks(15), Duration::ZERO);
    assert_eq!(Timestamp::from(UNIX_EPOCH + Duration::from_millis(7)).unix_millis(), 7);
    assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_millis(7)).unix_millis(), -7);
}
