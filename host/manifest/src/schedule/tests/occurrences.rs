//! The rules of NCRONTAB, each as a table: a schedule, a moment, and what comes next.

use super::{moment, schedule, ticks};
use expect_test::{Expect, expect};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write;

/// The next occurrences, in the schedule's own zone where it names one.
fn check(text: &str, after: &str, count: usize, expected: &Expect) {
    let schedule = schedule(text);
    let after = ticks(after.parse().expect("a moment"));
    let zone = text.split_once(" @ ").map_or(TimeZone::UTC, |(_, zone)| TimeZone::get(zone).expect("a zone"));
    let mut lines = String::new();
    for occurrence in schedule.occurrences_after(after).take(count) {
        let local = moment(occurrence).to_zoned(zone.clone());
        writeln!(lines, "{}", local.strftime("%a %Y-%m-%d %H:%M:%S %Z")).expect("a string takes all");
    }
    expected.assert_eq(&lines);
}

#[test]
fn six_fields_and_five() {
    check(
        "0 */5 * * * *",
        "2024-02-28T23:52:10Z",
        3,
        &expect![[r#"
        Wed 2024-02-28 23:55:00 UTC
        Thu 2024-02-29 00:00:00 UTC
        Thu 2024-02-29 00:05:00 UTC
    "#]],
    );
    check(
        "30 9 * * *",
        "2024-02-28T09:30:00Z",
        2,
        &expect![[r#"
        Thu 2024-02-29 09:30:00 UTC
        Fri 2024-03-01 09:30:00 UTC
    "#]],
    );
    check(
        "15,45 30 9 * * *",
        "2024-02-28T09:30:15Z",
        3,
        &expect![[r#"
        Wed 2024-02-28 09:30:45 UTC
        Thu 2024-02-29 09:30:15 UTC
        Thu 2024-02-29 09:30:45 UTC
    "#]],
    );
    check(
        "*/20 * * * * *",
        "2024-12-31T23:59:39Z",
        3,
        &expect![[r#"
        Tue 2024-12-31 23:59:40 UTC
        Wed 2025-01-01 00:00:00 UTC
        Wed 2025-01-01 00:00:20 UTC
    "#]],
    );
}

#[test]
fn an_occurrence_is_strictly_after_the_moment() {
    check(
        "0 0 9 * * *",
        "2024-03-01T08:59:59.9999999Z",
        1,
        &expect![[r#"
        Fri 2024-03-01 09:00:00 UTC
    "#]],
    );
    check(
        "0 0 9 * * *",
        "2024-03-01T09:00:00Z",
        1,
        &expect![[r#"
        Sat 2024-03-02 09:00:00 UTC
    "#]],
    );
    check(
        "0 0 9 * * *",
        "2024-03-01T09:00:00.0000001Z",
        1,
        &expect![[r#"
        Sat 2024-03-02 09:00:00 UTC
    "#]],
    );
    check(
        "0 0 9 1 1 *",
        "1950-01-01T09:00:00.0000001Z",
        1,
        &expect![[r#"
        Mon 1951-01-01 09:00:00 UTC
    "#]],
    );
}

#[test]
fn lists_ranges_and_steps() {
    check(
        "0 1,5-7,50/4 0 1 1 *",
        "2024-01-01T00:00:00Z",
        8,
        &expect![[r#"
        Mon 2024-01-01 00:01:00 UTC
        Mon 2024-01-01 00:05:00 UTC
        Mon 2024-01-01 00:06:00 UTC
        Mon 2024-01-01 00:07:00 UTC
        Mon 2024-01-01 00:50:00 UTC
        Mon 2024-01-01 00:54:00 UTC
        Mon 2024-01-01 00:58:00 UTC
        Wed 2025-01-01 00:01:00 UTC
    "#]],
    );
    check(
        "0 0 5-20/6 1 1 *",
        "2024-01-01T00:00:00Z",
        4,
        &expect![[r#"
        Mon 2024-01-01 05:00:00 UTC
        Mon 2024-01-01 11:00:00 UTC
        Mon 2024-01-01 17:00:00 UTC
        Wed 2025-01-01 05:00:00 UTC
    "#]],
    );
    check(
        "0 0 20/2 * * *",
        "2024-01-01T00:00:00Z",
        3,
        &expect![[r#"
        Mon 2024-01-01 20:00:00 UTC
        Mon 2024-01-01 22:00:00 UTC
        Tue 2024-01-02 20:00:00 UTC
    "#]],
    );
    // A step beyond the end leaves the first alone: there is no "every ninety minutes".
    check(
        "0 */90 * * * *",
        "2024-01-01T00:00:00Z",
        2,
        &expect![[r#"
        Mon 2024-01-01 01:00:00 UTC
        Mon 2024-01-01 02:00:00 UTC
    "#]],
    );
}

#[test]
fn months_by_the_beginning_of_their_names() {
    check(
        "0 0 0 1 j *",
        "2024-06-01T00:00:00Z",
        1,
        &expect![[r#"
        Wed 2025-01-01 00:00:00 UTC
    "#]],
    );
    check(
        "0 0 0 1 JU *",
        "2024-01-01T00:00:00Z",
        1,
        &expect![[r#"
        Sat 2024-06-01 00:00:00 UTC
    "#]],
    );
    check(
        "0 0 0 1 jul-Sept *",
        "2024-01-01T00:00:00Z",
        3,
        &expect![[r#"
        Mon 2024-07-01 00:00:00 UTC
        Thu 2024-08-01 00:00:00 UTC
        Sun 2024-09-01 00:00:00 UTC
    "#]],
    );
    check(
        "0 0 0 1 ma,M,a *",
        "2024-01-01T00:00:00Z",
        3,
        &expect![[r#"
        Fri 2024-03-01 00:00:00 UTC
        Mon 2024-04-01 00:00:00 UTC
        Sat 2025-03-01 00:00:00 UTC
    "#]],
    );
}

#[test]
fn weekdays_by_the_beginning_of_their_names() {
    check(
        "0 0 0 * * s",
        "2024-01-01T00:00:00Z",
        2,
        &expect![[r#"
        Sun 2024-01-07 00:00:00 UTC
        Sun 2024-01-14 00:00:00 UTC
    "#]],
    );
    check(
        "0 0 0 * * T,w-5",
        "2024-01-01T00:00:00Z",
        5,
        &expect![[r#"
        Tue 2024-01-02 00:00:00 UTC
        Wed 2024-01-03 00:00:00 UTC
        Thu 2024-01-04 00:00:00 UTC
        Fri 2024-01-05 00:00:00 UTC
        Tue 2024-01-09 00:00:00 UTC
    "#]],
    );
    check(
        "0 0 0 * * mon-FRIDAY/2",
        "2024-01-01T00:00:00Z",
        4,
        &expect![[r#"
        Wed 2024-01-03 00:00:00 UTC
        Fri 2024-01-05 00:00:00 UTC
        Mon 2024-01-08 00:00:00 UTC
        Wed 2024-01-10 00:00:00 UTC
    "#]],
    );
    check(
        "0 0 0 * * 0,6",
        "2024-01-01T00:00:00Z",
        3,
        &expect![[r#"
        Sat 2024-01-06 00:00:00 UTC
        Sun 2024-01-07 00:00:00 UTC
        Sat 2024-01-13 00:00:00 UTC
    "#]],
    );
}

#[test]
fn both_the_day_and_the_weekday_must_match() {
    check(
        "0 0 0 13 * Fri",
        "2024-01-01T00:00:00Z",
        4,
        &expect![[r#"
        Fri 2024-09-13 00:00:00 UTC
        Fri 2024-12-13 00:00:00 UTC
        Fri 2025-06-13 00:00:00 UTC
        Fri 2026-02-13 00:00:00 UTC
    "#]],
    );
    check(
        "0 0 8 1-7 * Mon",
        "2024-01-01T08:00:00Z",
        3,
        &expect![[r#"
        Mon 2024-02-05 08:00:00 UTC
        Mon 2024-03-04 08:00:00 UTC
        Mon 2024-04-01 08:00:00 UTC
    "#]],
    );
    check(
        "0 0 0 29 2 *",
        "2096-03-01T00:00:00Z",
        2,
        &expect![[r#"
        Fri 2104-02-29 00:00:00 UTC
        Wed 2108-02-29 00:00:00 UTC
    "#]],
    );
    check(
        "0 0 0 29 2 Mon",
        "2024-03-01T00:00:00Z",
        3,
        &expect![[r#"
        Mon 2044-02-29 00:00:00 UTC
        Mon 2072-02-29 00:00:00 UTC
        Mon 2112-02-29 00:00:00 UTC
    "#]],
    );
    check(
        "0 0 0 31 * *",
        "2024-01-31T00:00:00Z",
        4,
        &expect![[r#"
        Sun 2024-03-31 00:00:00 UTC
        Fri 2024-05-31 00:00:00 UTC
        Wed 2024-07-31 00:00:00 UTC
        Sat 2024-08-31 00:00:00 UTC
    "#]],
    );
}

#[test]
fn intervals_begin_where_they_are_asked() {
    check(
        "00:05:00",
        "2024-01-01T00:00:07.1234567Z",
        2,
        &expect![[r#"
        Mon 2024-01-01 00:05:07 UTC
        Mon 2024-01-01 00:10:07 UTC
    "#]],
    );
    check(
        "1.00:00:00",
        "2024-01-01T12:00:00Z",
        2,
        &expect![[r#"
        Tue 2024-01-02 12:00:00 UTC
        Wed 2024-01-03 12:00:00 UTC
    "#]],
    );
    check(
        "23:59:59",
        "2024-01-01T12:00:00Z",
        1,
        &expect![[r#"
        Tue 2024-01-02 11:59:59 UTC
    "#]],
    );
}

#[test]
fn a_zone_moves_the_hours() {
    check(
        "0 0 9 * * * @ America/New_York",
        "2024-01-01T00:00:00Z",
        1,
        &expect![[r#"
        Mon 2024-01-01 09:00:00 EST
    "#]],
    );
    check(
        "0 0 9 * * Mon @ Asia/Kolkata",
        "2024-01-01T03:29:00Z",
        2,
        &expect![[r#"
        Mon 2024-01-01 09:00:00 IST
        Mon 2024-01-08 09:00:00 IST
    "#]],
    );
    check(
        "0 0 0 1 * * @ Pacific/Kiritimati",
        "2024-01-01T00:00:00Z",
        1,
        &expect![[r#"
        Thu 2024-02-01 00:00:00 +14
    "#]],
    );
}

#[test]
fn what_the_clocks_leave_out_comes_later() {
    check(
        "0 30 2 * * * @ Europe/Berlin",
        "2024-03-30T00:00:00Z",
        3,
        &expect![[r#"
        Sat 2024-03-30 02:30:00 CET
        Sun 2024-03-31 03:30:00 CEST
        Mon 2024-04-01 02:30:00 CEST
    "#]],
    );
    check(
        "0 0 3 * * * @ Europe/Berlin",
        "2024-03-30T12:00:00Z",
        2,
        &expect![[r#"
        Sun 2024-03-31 03:00:00 CEST
        Mon 2024-04-01 03:00:00 CEST
    "#]],
    );
    check(
        "0 */30 * * * * @ Europe/Berlin",
        "2024-03-31T00:00:00Z",
        5,
        &expect![[r#"
        Sun 2024-03-31 01:30:00 CET
        Sun 2024-03-31 03:00:00 CEST
        Sun 2024-03-31 03:30:00 CEST
        Sun 2024-03-31 04:00:00 CEST
        Sun 2024-03-31 04:30:00 CEST
    "#]],
    );
    check(
        "0 */30 2 * * * @ Europe/Berlin",
        "2024-03-31T00:00:00Z",
        3,
        &expect![[r#"
        Sun 2024-03-31 03:00:00 CEST
        Sun 2024-03-31 03:30:00 CEST
        Mon 2024-04-01 02:00:00 CEST
    "#]],
    );
}

#[test]
fn not_only_one_hour_is_left_out_and_not_only_by_day() {
    // Midnight itself is left out.
    check(
        "0 0 0 * * * @ America/Havana",
        "2024-03-09T12:00:00Z",
        2,
        &expect![[r#"
        Sun 2024-03-10 01:00:00 CDT
        Mon 2024-03-11 00:00:00 CDT
    "#]],
    );
    // Half an hour only.
    check(
        "0 15 2 * * * @ Australia/Lord_Howe",
        "2024-10-05T00:00:00Z",
        2,
        &expect![[r#"
        Sun 2024-10-06 02:45:00 +11
        Mon 2024-10-07 02:15:00 +11
    "#]],
    );
    // Samoa left out 30 December 2011, a Friday.
    check(
        "0 0 12 * * Fri @ Pacific/Apia",
        "2011-12-28T00:00:00Z",
        2,
        &expect![[r#"
        Sat 2011-12-31 12:00:00 +14
        Fri 2012-01-06 12:00:00 +14
    "#]],
    );
}

#[test]
fn fixed_times_come_once_where_clocks_are_put_back() {
    check(
        "0 30 2 * * * @ Europe/Berlin",
        "2024-10-26T12:00:00Z",
        2,
        &expect![[r#"
        Sun 2024-10-27 02:30:00 CEST
        Mon 2024-10-28 02:30:00 CET
    "#]],
    );
    check(
        "0 15,45 2,3 * * * @ Europe/Berlin",
        "2024-10-26T12:00:00Z",
        4,
        &expect![[r#"
        Sun 2024-10-27 02:15:00 CEST
        Sun 2024-10-27 02:45:00 CEST
        Sun 2024-10-27 03:15:00 CET
        Sun 2024-10-27 03:45:00 CET
    "#]],
    );
    // Asked between the two, it is not due again.
    check(
        "0 30 2 * * * @ Europe/Berlin",
        "2024-10-27T01:00:00Z",
        1,
        &expect![[r#"
        Mon 2024-10-28 02:30:00 CET
    "#]],
    );
    check(
        "0 45 1 * * * @ Australia/Lord_Howe",
        "2024-04-05T20:00:00Z",
        2,
        &expect![[r#"
        Sun 2024-04-07 01:45:00 +11
        Mon 2024-04-08 01:45:00 +1030
    "#]],
    );
}

#[test]
fn intervals_run_through_both_hours() {
    check(
        "0 */30 * * * * @ Europe/Berlin",
        "2024-10-26T23:30:00Z",
        6,
        &expect![[r#"
        Sun 2024-10-27 02:00:00 CEST
        Sun 2024-10-27 02:30:00 CEST
        Sun 2024-10-27 02:00:00 CET
        Sun 2024-10-27 02:30:00 CET
        Sun 2024-10-27 03:00:00 CET
        Sun 2024-10-27 03:30:00 CET
    "#]],
    );
    check(
        "0 30 1-2 * * * @ Europe/Berlin",
        "2024-10-26T12:00:00Z",
        4,
        &expect![[r#"
        Sun 2024-10-27 01:30:00 CEST
        Sun 2024-10-27 02:30:00 CEST
        Sun 2024-10-27 02:30:00 CET
        Mon 2024-10-28 01:30:00 CET
    "#]],
    );
    check(
        "0 30 * * * * @ America/New_York",
        "2024-11-03T04:30:00Z",
        4,
        &expect![[r#"
        Sun 2024-11-03 01:30:00 EDT
        Sun 2024-11-03 01:30:00 EST
        Sun 2024-11-03 02:30:00 EST
        Sun 2024-11-03 03:30:00 EST
    "#]],
    );
    check(
        "0/30 0 2 * * * @ Europe/Berlin",
        "2024-10-26T12:00:00Z",
        5,
        &expect![[r#"
        Sun 2024-10-27 02:00:00 CEST
        Sun 2024-10-27 02:00:30 CEST
        Sun 2024-10-27 02:00:00 CET
        Sun 2024-10-27 02:00:30 CET
        Mon 2024-10-28 02:00:00 CET
    "#]],
    );
}

#[test]
fn the_rules_of_a_zone_go_on_for_ever() {
    check(
        "0 0 12 1 7 * @ Europe/Berlin",
        "2150-01-01T00:00:00Z",
        1,
        &expect![[r#"
        Wed 2150-07-01 12:00:00 CEST
    "#]],
    );
}

#[test]
fn the_ends_of_time_are_reached_without_harm() {
    let daily = schedule("0 0 0 * * *");
    assert_eq!(daily.next_after(i64::MAX), None);
    assert!(daily.next_after(i64::MIN).is_some());
    assert_eq!(daily.next_after(ticks(Timestamp::MAX)), None);
    assert_eq!(schedule("1.00:00:00").next_after(i64::MAX - 1), None);
    let last = daily.occurrences_after(ticks("9999-12-20T00:00:00Z".parse().expect("a moment"))).last();
    expect!["9999-12-28T00:00:00Z"].assert_eq(&last.map(|last| moment(last).to_string()).unwrap_or_default());
    assert_eq!(schedule("0 0 0 29 2 Mon @ Europe/Berlin").next_after(ticks(Timestamp::MAX)), None);
}

#[test]
fn how_often_it_fires() {
    let often = ["* * * * * *", "0,30 * * * * *", "0/30 0 0 1 1 *", "00:00:59"];
    let seldom = ["0 * * * * *", "59 59 23 * * *", "* * * * *", "0/60 * * * * *", "00:01:00", "1.00:00:00"];
    for text in often {
        assert!(schedule(text).fires_more_than_once_a_minute(), "{text}");
    }
    for text in seldom {
        assert!(!schedule(text).fires_more_than_once_a_minute(), "{text}");
    }
}

#[test]
fn what_a_schedule_says_of_itself() {
    let berlin = schedule("  0 0 9 * * 1 @ europe/berlin");
    assert_eq!((berlin.as_str(), berlin.to_string().as_str()), ("0 0 9 * * 1", "0 0 9 * * 1 (Europe/Berlin)"));
    assert_eq!(berlin, schedule("0 0 9 * * 1 @ Europe/Berlin"));
    assert_ne!(berlin, schedule("0 0 9 * * 1"));
    assert!(berlin.adjusts_for_dst() && !berlin.is_interval());
    let interval = schedule("00:05:00");
    assert!(!interval.adjusts_for_dst() && interval.is_interval());
}
