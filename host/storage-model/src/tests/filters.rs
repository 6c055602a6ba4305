//! Filters: what is read, what is refused and how that is said, what matches.

use crate::{Entity, EntityBody, Filter, KeyBounds, MAX_FILTER_COMPARISONS, MAX_FILTER_NESTING};
use expect_test::{Expect, expect};
use std::ops::Bound;

fn check_parse(filter: &str, expected: &Expect) {
    let seen = match Filter::parse(filter) {
        Ok(filter) => filter.to_string(),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&seen);
}

#[test]
fn filters_are_read() {
    check_parse("PartitionKey eq 'p'", &expect!["PartitionKey eq 'p'"]);
    check_parse("(PartitionKey eq 'p')and(RowKey ge '')", &expect!["PartitionKey eq 'p' and RowKey ge ''"]);
    check_parse("a eq 1 or b eq 2 and c eq 3", &expect!["a eq 1 or b eq 2 and c eq 3"]);
    check_parse("(a eq 1 or b eq 2) and c eq 3", &expect!["(a eq 1 or b eq 2) and c eq 3"]);
    check_parse("a eq 1 and (b eq 2 and c eq 3)", &expect!["a eq 1 and (b eq 2 and c eq 3)"]);
    check_parse("not a eq 1 and b", &expect!["not (a eq 1) and b"]);
    check_parse("not(not(a)) or true", &expect!["not (not (a)) or true"]);
    check_parse("7 lt n", &expect!["7 lt n"]);
    check_parse("name eq 'O''Brien''s'", &expect!["name eq 'O''Brien''s'"]);
    check_parse("n eq -5000000000L and m eq +2", &expect!["n eq -5000000000L and m eq 2"]);
    check_parse(
        "d ge 1.5 or d lt -1e3 or d eq 5.0 or d eq .25",
        &expect!["d ge 1.5 or d lt -1000.0 or d eq 5.0 or d eq 0.25"],
    );
    check_parse("d eq NaN or d lt INF or d gt -INF", &expect!["d eq NaN or d lt INF or d gt -INF"]);
    check_parse("d lt 1.0e-7", &expect!["d lt 1e-7"]);
    check_parse("t gt datetime'2026-01-31T12:00:00.123Z'", &expect!["t gt datetime'2026-01-31T12:00:00.1230000Z'"]);
    check_parse("t gt datetime'2026-01-31T12:00:00+02:00'", &expect!["t gt datetime'2026-01-31T10:00:00.0000000Z'"]);
    check_parse("t gt datetime'2026-01-31T12:00:00'", &expect!["t gt datetime'2026-01-31T12:00:00.0000000Z'"]);
    check_parse(
        "g eq guid'0B8F3E0E-79F3-4F3C-8E5C-4B1A2F8A9D10'",
        &expect!["g eq guid'0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10'"],
    );
    check_parse("b eq X'00fF' or b eq binary''", &expect!["b eq X'00ff' or b eq X''"]);
    check_parse("été eq 'ß'", &expect!["été eq 'ß'"]);
}

#[test]
fn what_is_no_filter_is_refused_with_its_place() {
    check_parse("", &expect!["the filter is wrong at character 1: expected a property or a literal, found the end"]);
    check_parse(
        "a eq",
        &expect!["the filter is wrong at character 5: expected a property or a literal, found the end"],
    );
    check_parse("a == 1", &expect!["the filter is wrong at character 3: '=' has no meaning here"]);
    check_parse(
        "é eq 1 AND b eq 2",
        &expect!["the filter is wrong at character 8: expected 'and', 'or' or the end, found 'AND'"],
    );
    check_parse("(a eq 1", &expect!["the filter is wrong at character 8: expected ')', found the end"]);
    check_parse("a eq 1)", &expect!["the filter is wrong at character 7: expected 'and', 'or' or the end, found ')'"]);
    check_parse(
        "a eq 'x",
        &expect!["the filter is wrong at character 6: the quote is not closed; a quote inside a text is doubled"],
    );
    check_parse(
        "'x'",
        &expect!["the filter is wrong at character 4: expected one of eq, ne, gt, ge, lt, le, found the end"],
    );
    check_parse(
        "startswith(a,'x')",
        &expect![
            "the filter is wrong at character 11: functions are not supported; only eq, ne, gt, ge, lt, le, and, or, not are"
        ],
    );
    check_parse(
        "a eq null",
        &expect!["the filter is wrong at character 6: there is no null in tables: a property is there or not"],
    );
    check_parse(
        "n eq 5454161346626",
        &expect![
            "the filter is wrong at character 6: '5454161346626' is no 32-bit whole number; write 123L for one of 64 bits, 1.5 for a fraction"
        ],
    );
    check_parse(
        "n eq 9999999999999999999L",
        &expect!["the filter is wrong at character 6: '9999999999999999999L' is no 64-bit whole number"],
    );
    check_parse("d eq 1.2.3", &expect!["the filter is wrong at character 6: '1.2.3' is no number"]);
    check_parse(
        "t eq datetime'today'",
        &expect!["the filter is wrong at character 6: 'today' is no date; write datetime'2026-01-31T12:00:00Z'"],
    );
    check_parse("g eq guid'1'", &expect!["the filter is wrong at character 6: '1' is no GUID"]);
    check_parse(
        "b eq X'abc'",
        &expect!["the filter is wrong at character 6: 'abc' is not made of pairs of hexadecimal digits"],
    );
    check_parse(
        "b eq time'1'",
        &expect![
            "the filter is wrong at character 6: there is no literal time'…'; there are datetime, guid, X and binary"
        ],
    );
    check_parse(
        &"(".repeat(100_000),
        &expect!["the filter is wrong at character 65: parentheses and 'not' are nested more than 64 deep"],
    );
    check_parse(
        &"not ".repeat(100_000),
        &expect!["the filter is wrong at character 261: parentheses and 'not' are nested more than 64 deep"],
    );
    check_parse(
        &vec!["a"; 100_000].join(" or "),
        &expect!["the filter is wrong at character 2561: there are more than 512 comparisons"],
    );
}

#[test]
fn a_filter_that_was_read_is_written_within_the_bounds() {
    let nested = "not ".repeat(MAX_FILTER_NESTING) + "a eq 1";
    let filter = Filter::parse(&nested).unwrap();
    assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
    assert!(Filter::parse(&format!("not {nested}")).is_err());
}

#[test]
fn the_largest_filters_need_little_stack() {
    let chain = vec!["n eq 1"; MAX_FILTER_COMPARISONS].join(" and ");
    let text = format!("{}{chain}{}", "not (".repeat(MAX_FILTER_NESTING), ")".repeat(MAX_FILTER_NESTING));
    let work = move || {
        let filter = Filter::parse(&text).unwrap();
        assert_eq!(Filter::parse(&filter.to_string()).as_ref(), Ok(&filter));
        assert_eq!(filter.key_range(), filter.clone().key_range());
        filter.matches(&subject())
    };
    // A quarter of what threads of servers have.
    let thread = std::thread::Builder::new().stack_size(512 * 1_024).spawn(work).unwrap();
    assert!(!thread.join().unwrap());
}

fn subject() -> Entity {
    let json = r#"{"PartitionKey":"p","RowKey":"r","s":"text","i":5,"l@odata.type":"Edm.Int64","l":"5","d":5.0,"yes":true,
        "no":false,"nan@odata.type":"Edm.Double","nan":"NaN","t@odata.type":"Edm.DateTime","t":"2026-01-31T12:00:00Z",
        "g@odata.type":"Edm.Guid","g":"0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10","b@odata.type":"Edm.Binary","b":"AP8="}"#;
    let body = EntityBody::from_json(json).unwrap();
    let mut entity = body.into_entity().unwrap();
    entity.timestamp = crate::parse_date("2026-11-22T13:32:34.1234567Z").unwrap();
    entity
}

/// One filter per line; the answer says `+` or `-` for each.
fn check_matches(filters: &str, expected: &Expect) {
    let entity = subject();
    let line = |filter: &str| {
        let matches = Filter::parse(filter).unwrap().matches(&entity);
        format!("{} {filter}\n", if matches { '+' } else { '-' })
    };
    expected
        .assert_eq(&filters.lines().map(str::trim).filter(|filter| !filter.is_empty()).map(line).collect::<String>());
}

#[test]
fn comparisons_of_one_type() {
    check_matches(
        "PartitionKey eq 'p' and RowKey eq 'r'
         PartitionKey gt 'p'
         PartitionKey ge 'p' and PartitionKey lt 'q'
         s eq 'TEXT'
         s gt 'TEXT'
         'text' le s
         i gt 4 and i lt 6 and i ne 4
         l eq 5L
         d eq 5.0 and d ge 4.9
         nan eq NaN
         nan ne NaN
         nan lt 1.0 or nan ge 1.0
         yes and not (no)
         yes eq true and no eq false
         s
         t eq datetime'2026-01-31T13:00:00+01:00'
         Timestamp gt datetime'2026-11-22T13:32:34.1234566Z'
         g eq guid'0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10'
         g lt guid'0c000000-0000-0000-0000-000000000000'
         b eq X'00ff' and b gt X'00' and b lt X'01'
         s eq s",
        &expect![[r#"
            + PartitionKey eq 'p' and RowKey eq 'r'
            - PartitionKey gt 'p'
            + PartitionKey ge 'p' and PartitionKey lt 'q'
            - s eq 'TEXT'
            + s gt 'TEXT'
            + 'text' le s
            + i gt 4 and i lt 6 and i ne 4
            + l eq 5L
            + d eq 5.0 and d ge 4.9
            - nan eq NaN
            + nan ne NaN
            - nan lt 1.0 or nan ge 1.0
            + yes and not (no)
            + yes eq true and no eq false
            - s
            + t eq datetime'2026-01-31T13:00:00+01:00'
            + Timestamp gt datetime'2026-11-22T13:32:34.1234566Z'
            + g eq guid'0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10'
            + g lt guid'0c000000-0000-0000-0000-000000000000'
            + b eq X'00ff' and b gt X'00' and b lt X'01'
            + s eq s
        "#]],
    );
}

#[test]
fn different_types_and_missing_properties_never_match() {
    check_matches(
        "l eq 5
         5 le l
         i eq 5L
         i eq l
         d eq 5
         i eq 5.0
         s eq 5
         s ne 5
         missing eq 'x'
         missing ne 'x'
         not (missing eq 'x')
         missing
         partitionkey eq 'p'",
        &expect![[r#"
            + l eq 5
            + 5 le l
            - i eq 5L
            - i eq l
            - d eq 5
            - i eq 5.0
            - s eq 5
            - s ne 5
            - missing eq 'x'
            - missing ne 'x'
            + not (missing eq 'x')
            - missing
            - partitionkey eq 'p'
        "#]],
    );
}

#[test]
fn texts_compare_by_utf16() {
    // U+FFFD is one code unit above all surrogates; as a code point it is below U+1F600.
    let mut entity = subject();
    entity.properties.push(("smile".to_owned(), crate::EdmValue::String("a\u{1F600}".to_owned())));
    assert!(Filter::parse("smile lt 'a\u{FFFD}'").unwrap().matches(&entity));
    assert!(crate::utf16_order("a\u{FFFD}", "a\u{1F600}").is_gt());
    assert!(crate::utf16_order("é", "ê").is_lt());
    assert!(crate::utf16_order("ab", "abc").is_lt());
}

fn check_range(filter: &str, expected: &Expect) {
    let range = Filter::parse(filter).unwrap().key_range();
    expected.assert_eq(&format!("{} / {}", show(&range.partition), show(&range.row)));
}

fn show(bounds: &KeyBounds) -> String {
    if let Some(key) = bounds.single() {
        return format!("= {key}");
    }
    let lower = match &bounds.lower {
        Bound::Unbounded => "(..".to_owned(),
        Bound::Included(key) => format!("[{key}.."),
        Bound::Excluded(key) => format!("({key}.."),
    };
    match &bounds.upper {
        Bound::Unbounded => format!("{lower})"),
        Bound::Included(key) => format!("{lower}{key}]"),
        Bound::Excluded(key) => format!("{lower}{key})"),
    }
}

#[test]
fn key_ranges() {
    check_range("PartitionKey eq 'p' and RowKey eq 'r'", &expect!["= p / = r"]);
    check_range("PartitionKey eq 'p' and RowKey ge 'a' and RowKey lt 'b' and x eq 1", &expect!["= p / [a..b)"]);
    check_range("'a' lt PartitionKey and PartitionKey le 'c'", &expect!["(a..c] / (..)"]);
    check_range("RowKey gt 'a' and RowKey ge 'a' and RowKey gt 'A'", &expect!["(..) / (a..)"]);
    check_range("PartitionKey eq 'a' and PartitionKey eq 'b'", &expect!["[b..a] / (..)"]);
    check_range("PartitionKey eq 'a' or PartitionKey eq 'b'", &expect!["(..) / (..)"]);
    check_range("not (PartitionKey eq 'a') and RowKey ne 'x'", &expect!["(..) / (..)"]);
    check_range("(PartitionKey eq 'a' or x) and (RowKey lt 'm' and y)", &expect!["(..) / (..m)"]);
    check_range("PartitionKey eq 5 and RowKey eq RowKey", &expect!["(..) / (..)"]);
}
