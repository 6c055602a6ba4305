//! The search against a scanner that knows nothing but the meaning of a field: it tries every second.

use super::{schedule, ticks};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Around whole days, so that every hour that a zone leaves out or has twice lies within.
const WINDOW_S: i64 = 3 * 86_400;

/// Zones with all kinds of changes: none, an hour, half an hour, at midnight, a whole day, the other way round.
const ZONES: [(&str, &[&str]); 8] = [
    ("UTC", &["2024-02-28T12:00:00Z", "1969-12-31T00:00:00Z"]),
    ("Europe/Berlin", &["2024-03-30T12:00:00Z", "2024-10-26T12:00:00Z", "2024-06-30T01:00:00Z"]),
    ("America/New_York", &["2024-03-09T22:00:00Z", "2024-11-02T22:00:00Z"]),
    ("America/Havana", &["2024-03-09T12:00:00Z", "2024-11-02T12:00:00Z"]),
    ("Australia/Lord_Howe", &["2024-04-05T12:00:00Z", "2024-10-05T00:00:00Z"]),
    ("Pacific/Apia", &["2011-12-29T12:00:00Z"]),
    ("Europe/Dublin", &["2024-03-30T20:00:00Z", "2024-10-26T20:00:00Z"]),
    ("Asia/Kathmandu", &["1985-12-31T00:00:00Z"]),
];

#[derive(Debug, Clone)]
enum Item {
    All { step: Option<u32> },
    One { value: u32, step: Option<u32> },
    Range { first: u32, last: u32, step: Option<u32> },
}

fn item(min: u32, max: u32) -> impl Strategy<Value = Item> {
    let step = || prop::option::weighted(0.3, 1..=max);
    prop_oneof![
        2 => step().prop_map(|step| Item::All { step }),
        5 => (min..=max, step()).prop_map(|(value, step)| Item::One { value, step }),
        2 => (min..=max, min..=max, step()).prop_map(|(a, b, step)| Item::Range { first: a.min(b), last: a.max(b), step }),
    ]
}

fn field(min: u32, max: u32, all: u32) -> impl Strategy<Value = Vec<Item>> {
    prop_oneof![all => Just(vec![Item::All { step: None }]), 4 => prop::collection::vec(item(min, max), 1..3)]
}

fn print(items: &[Item]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| {
            let (text, step) = match item {
                Item::All { step } => ("*".to_owned(), step),
                Item::One { value, step } => (value.to_string(), step),
                Item::Range { first, last, step } => (format!("{first}-{last}"), step),
            };
            text + &step.map(|step| format!("/{step}")).unwrap_or_default()
        })
        .collect();
    items.join(",")
}

fn means(items: &[Item], value: i8, min: u32) -> bool {
    let value = u32::try_from(value).expect("fields are not negative");
    items.iter().any(|item| match *item {
        Item::All { step } => (value - min).is_multiple_of(step.unwrap_or(1)),
        Item::One { value: one, step: None } => value == one,
        Item::One { value: from, step: Some(step) } => value >= from && (value - from).is_multiple_of(step),
        Item::Range { first, last, step } => {
            (first..=last).contains(&value) && (value - first).is_multiple_of(step.unwrap_or(1))
        }
    })
}

fn day_matches(fields: &[Vec<Item>; 6], local: DateTime) -> bool {
    means(&fields[3], local.day(), 1)
        && means(&fields[4], local.month(), 1)
        && means(&fields[5], local.weekday().to_sunday_zero_offset(), 0)
}

fn time_matches(fields: &[Vec<Item>; 6], local: DateTime) -> bool {
    means(&fields[2], local.hour(), 0) && means(&fields[1], local.minute(), 0) && means(&fields[0], local.second(), 0)
}

/// Every second of local time that matches, as the moments at which it occurs.
fn scan(fields: &[Vec<Item>; 6], text: &str, zone: &TimeZone, from: i64, to: i64) -> BTreeSet<i64> {
    let both_hours = text.split(' ').take(3).any(|field| field.contains(['*', '-', '/']));
    let mut found = BTreeSet::new();
    let local = |second| Timestamp::from_second(second).expect("a moment").to_zoned(TimeZone::UTC).datetime();
    let days = from.div_euclid(86_400) - 2..to.div_euclid(86_400) + 3;
    let days = days.map(|day| day * 86_400).filter(|midnight| day_matches(fields, local(*midnight)));
    for second in days.flat_map(|midnight| midnight..midnight + 86_400) {
        if !time_matches(fields, local(second)) {
            continue;
        }
        match zone.to_ambiguous_timestamp(local(second)).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Gap { before: offset, .. } => {
                found.insert(second - i64::from(offset.seconds()));
            }
            AmbiguousOffset::Fold { before, after } => {
                found.insert(second - i64::from(before.seconds()));
                if both_hours {
                    found.insert(second - i64::from(after.seconds()));
                }
            }
        }
    }
    found.retain(|second| (from + 1..to).contains(second));
    found
}

fn zone_and_moment() -> impl Strategy<Value = (&'static str, i64)> {
    (0..ZONES.len(), any::<prop::sample::Index>(), 0..WINDOW_S / 2).prop_map(|(zone, near, shift)| {
        let (name, moments) = ZONES[zone];
        let near: Timestamp = moments[near.index(moments.len())].parse().expect("a moment");
        (name, near.as_second() + shift)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_search_finds_what_the_scanner_finds(
        fields in [field(0, 59, 1), field(0, 59, 2), field(0, 23, 2)],
        days in [field(1, 31, 6), field(1, 12, 12), field(0, 6, 8)],
        (zone_name, from) in zone_and_moment(),
        within_a_second in 0..10_000_000_i64,
    ) {
        let [seconds, minutes, hours] = fields;
        let [day, month, weekday] = days;
        let fields = [seconds, minutes, hours, day, month, weekday];
        let text = fields.iter().map(|field| print(field)).collect::<Vec<_>>().join(" ");
        prop_assume!(super::Schedule::parse(&text, None).is_ok());
        let schedule = schedule(&format!("{text} @ {zone_name}"));
        let zone = TimeZone::get(zone_name).expect("a zone");
        let to = from + WINDOW_S;
        let expected = scan(&fields, &text, &zone, from, to);
        let after = from * 10_000_000 + within_a_second;
        // A schedule of every second has hundreds of thousands; the first thousands and those around each change will do.
        let found: Vec<i64> = schedule.occurrences_after(after).take_while(|at| *at < to * 10_000_000).take(5_000).collect();
        let wanted: Vec<i64> = expected.iter().map(|second| second * 10_000_000).take(5_000).collect();
        prop_assert_eq!(found, wanted, "{} in {}", text, zone_name);
        for change in zone.following(Timestamp::from_second(from).expect("a moment")).take(1) {
            let around = change.timestamp().as_second();
            for start in [around - 7_200, around - 1_801, around - 1, around, around + 1_799, around + 3_599] {
                let next = schedule.next_after(start * 10_000_000);
                let wanted = expected.range(start + 1..).next().map(|second| second * 10_000_000);
                if let (true, Some(wanted)) = ((from..to).contains(&start), wanted) {
                    prop_assert_eq!(next, Some(wanted), "{} in {} after {}", text, zone_name, start);
                }
            }
        }
    }

    #[test]
    fn nothing_panics(text in ".{0,40}", zone in ".{0,20}", moment: i64) {
        for zone in [None, Some(zone.as_str()), Some("Europe/Berlin")] {
            if let Ok(schedule) = super::Schedule::parse(&text, zone) {
                let _next = schedule.next_after(moment);
            }
        }
    }

    #[test]
    fn nothing_that_looks_like_a_schedule_panics(
        fields in prop::collection::vec("[0-9*,/JanSu-]{1,6}|[*]|[0-9]{1,2}", 5..7),
        moment in prop_oneof![any::<i64>(), -2_000_000_000_000_000_000..3_000_000_000_000_000_000_i64],
    ) {
        if let Ok(schedule) = super::Schedule::parse(&fields.join(" "), Some("America/Havana")) {
            let next = schedule.next_after(moment);
            prop_assert!(next.is_none_or(|next| next > moment));
        }
    }
}

#[test]
fn the_search_does_not_walk_through_the_seconds() {
    // Far more than a test may take, if each needed a scan.
    let rare = schedule("59 59 23 29 2 Thu @ Europe/Berlin");
    let start = ticks("1971-01-01T00:00:00Z".parse().expect("a moment"));
    assert_eq!(rare.occurrences_after(start).take(20).count(), 20);
    let often = schedule("* * * * * * @ Europe/Berlin");
    let change = ticks("2024-10-26T22:00:00Z".parse().expect("a moment"));
    assert_eq!(often.occurrences_after(change).take(20_000).last(), Some(change + 20_000 * 10_000_000));
}
