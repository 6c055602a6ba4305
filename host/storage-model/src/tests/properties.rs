//! What holds for every filter and every entity.

use crate::filter::is_keyword;
use crate::{
    Comparison, EdmValue, Entity, EntityBody, EntityForm, EntityKey, EntityPlace, Filter, MetadataLevel, Operand,
    TextEncoding, date_text, etag, parse_date, parse_etag, utf16_order,
};
use proptest::prelude::*;
use uuid::Uuid;

/// The years 1 to 9999.
const MOMENTS: std::ops::RangeInclusive<i64> = -621_355_968_000_000_000..=2_534_023_007_999_999_999;

fn value() -> impl Strategy<Value = EdmValue> {
    prop_oneof![
        "(?s).{0,12}".prop_map(EdmValue::String),
        any::<bool>().prop_map(EdmValue::Boolean),
        any::<i32>().prop_map(EdmValue::Int32),
        any::<i64>().prop_map(EdmValue::Int64),
        prop_oneof![
            any::<f64>().prop_filter("NaN differs from itself", |d| !d.is_nan()),
            Just(f64::INFINITY),
            Just(5.0)
        ]
        .prop_map(EdmValue::Double),
        MOMENTS.prop_map(EdmValue::DateTime),
        any::<u128>().prop_map(|bits| EdmValue::Guid(Uuid::from_u128(bits))),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(EdmValue::Binary),
    ]
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z_é][a-zA-Z0-9_é]{0,6}".prop_filter("a keyword is no property", |name| {
        !is_keyword(name) && !matches!(name.as_str(), "PartitionKey" | "RowKey" | "Timestamp")
    })
}

/// Few and short, so that filters and entities meet; with characters whose order depends on how one counts.
fn key() -> impl Strategy<Value = String> {
    "[ab\u{FFFD}\u{1F600}]{0,2}"
}

fn entity() -> impl Strategy<Value = Entity> {
    let properties =
        prop::collection::btree_map(name(), value(), 0..5).prop_map(|map| map.into_iter().collect::<Vec<_>>());
    (key(), key(), MOMENTS, properties.prop_shuffle()).prop_map(|(partition, row, timestamp, properties)| Entity {
        key: EntityKey { partition, row },
        timestamp,
        properties,
    })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    prop::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
    ])
}

fn filter() -> impl Strategy<Value = Filter> {
    let key_name =
        || prop::sample::select(vec!["PartitionKey", "RowKey"]).prop_map(|name| Operand::Property(name.to_owned()));
    let key_literal = || key().prop_map(|key| Operand::Literal(EdmValue::String(key)));
    let leaf = prop_oneof![
        4 => (key_name(), comparison(), key_literal()).prop_map(|(l, c, r)| Filter::Compare(l, c, r)),
        2 => (key_literal(), comparison(), key_name()).prop_map(|(l, c, r)| Filter::Compare(l, c, r)),
        1 => (name(), comparison(), value()).prop_map(|(n, c, v)| Filter::Compare(Operand::Property(n), c, Operand::Literal(v))),
        1 => name().prop_map(|name| Filter::Is(Operand::Property(name))),
        1 => any::<bool>().prop_map(|value| Filter::Is(Operand::Literal(EdmValue::Boolean(value)))),
    ];
    leaf.prop_recursive(5, 24, 2, |inner| {
        let pair = (inner.clone(), inner.clone()).prop_map(|(l, r)| (Box::new(l), Box::new(r)));
        prop_oneof![
            2 => pair.clone().prop_map(|(l, r)| Filter::And(l, r)),
            1 => pair.prop_map(|(l, r)| Filter::Or(l, r)),
            1 => inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "(?s).{0,60}") {
        let _outcome = Filter::parse(&text);
    }

    #[test]
    fn no_sequence_of_tokens_makes_the_parser_panic(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "(", ")", "and", "or", "not", "eq", "ge", "a", "'x'", "''", "'", "5", "-", "1.5e", "9L", "X'0g'", "datetime'", "true", "é", "\u{0}",
            ]),
            0..20,
        ),
        spaced in any::<bool>(),
    ) {
        if let Ok(filter) = Filter::parse(&tokens.join(if spaced { " " } else { "" })) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
        }
    }

    #[test]
    fn a_filter_that_is_written_is_read_as_itself(filter in filter()) {
        prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
    }

    #[test]
    fn no_key_range_lacks_an_entity_that_matches(filter in filter(), entity in entity()) {
        let range = filter.key_range();
        if filter.matches(&entity) {
            prop_assert!(range.contains(&entity.key), "{filter} matches {:?}, which is not in {range:?}", entity.key);
        }
        if let Some(single) = range.single() {
            prop_assert!(range.contains(&single));
        }
        if range.row.is_above(&entity.key.row) {
            prop_assert!(!range.row.contains(&entity.key.row));
        }
    }

    #[test]
    fn an_entity_comes_back_from_its_json(entity in entity()) {
        let place = EntityPlace { account: "a", root: "http://localhost/a", table: "Trips" };
        for level in [MetadataLevel::Minimal, MetadataLevel::Full] {
            let json = entity.to_json(&EntityForm { level, place, select: None, stands_alone: true });
            let body = EntityBody::from_json(&json).unwrap();
            prop_assert_eq!(&body.properties, &entity.properties);
            prop_assert_eq!(body.into_entity().unwrap().key, entity.key.clone());
        }
    }

    #[test]
    fn without_annotations_texts_are_the_same(entity in entity()) {
        let place = EntityPlace { account: "a", root: "http://localhost/a", table: "Trips" };
        let form = EntityForm { level: MetadataLevel::None, place, select: None, stands_alone: true };
        let json = entity.to_json(&form);
        let mut again = EntityBody::from_json(&json).unwrap().into_entity().unwrap();
        again.timestamp = entity.timestamp;
        prop_assert_eq!(again.to_json(&form), json);
        let sent = EntityBody::from_json(&entity.to_request_json()).unwrap();
        prop_assert_eq!(&sent.properties, &entity.properties);
        let plain = EntityBody::from_json(&entity.to_plain_json()).unwrap().into_entity().unwrap();
        prop_assert_eq!(plain.key, entity.key);
    }

    #[test]
    fn no_text_makes_reading_an_entity_panic(text in "(?s)[{}\"a:,@.odtypeE1n ]{0,40}") {
        let _outcome = EntityBody::from_json(&text);
    }

    #[test]
    fn moments_and_etags_come_back(moment in MOMENTS, other in any::<i64>()) {
        prop_assert_eq!(parse_date(&date_text(moment)), Some(moment));
        prop_assert_eq!(parse_etag(&etag(moment)), Some(moment));
        prop_assert!(parse_date(&date_text(other)).is_some());
    }

    #[test]
    fn texts_are_ordered_by_utf16(a in "[ab\u{7FF}\u{FFFD}\u{1F600}\u{10000}]{0,4}", b in "[ab\u{7FF}\u{FFFD}\u{1F600}\u{10000}]{0,4}") {
        prop_assert_eq!(utf16_order(&a, &b), a.encode_utf16().cmp(b.encode_utf16()));
    }

    #[test]
    fn what_is_encoded_is_decoded(text in "(?s).{0,40}") {
        let encoded = TextEncoding::Base64.encode(&text).unwrap();
        prop_assert_eq!(&TextEncoding::Base64.decode(&encoded).unwrap().text, &text);
        prop_assert_eq!(&TextEncoding::Auto.decode(&encoded).unwrap().text, &text);
        prop_assert_eq!(&TextEncoding::None.decode(&text).unwrap().text, &text);
    }
}
