//! The stored form of format 3 byte by byte: queues, tables and documents of users.

use super::format::check;
use super::user::{key, metadata};
use crate::codec::{self, MessageRow, QueueRow, TableRow};
use crate::keys::{self, Owner};
use expect_test::{Expect, expect};
use orchestration::Timestamp;
use storage_model::EdmValue;

#[test]
fn format_3_of_queues() {
    let row = QueueRow { number: 7, metadata: metadata(&[("a", "1")]), access_policies: "<x/>".to_owned() };
    check(&row, codec::encode_queue, codec::decode_queue, &expect!["080712060a01611201311a043c782f3e"]);
}

#[test]
fn format_3_of_messages() {
    let row = MessageRow {
        inserted: Timestamp::from_ticks(1),
        visible: Timestamp::from_ticks(2),
        expires: Timestamp::from_ticks(3),
        dequeue_count: 4,
        receipt: 5,
        host: true,
    };
    check(
        &row,
        codec::encode_queued,
        codec::decode_queued,
        &expect!["09010000000000000011020000000000000019030000000000000020042905000000000000003001"],
    );
    let row = MessageRow { expires: Timestamp::MAX, dequeue_count: 0, host: false, ..row };
    check(
        &row,
        codec::encode_queued,
        codec::decode_queued,
        &expect![[r#"090100000000000000110200000000000000290500000000000000"#]],
    );
    check(&"text".to_owned(), |text| codec::encode_body(text), codec::decode_body, &expect![[r#"0a0474657874"#]]);
    check(&String::new(), |text| codec::encode_body(text), codec::decode_body, &expect![[r#"0a00"#]]);
}

#[test]
fn format_3_of_tables() {
    let row = TableRow { number: 7, name: "Trips".to_owned(), access_policies: "<x/>".to_owned() };
    check(&row, codec::encode_table, codec::decode_table, &expect!["0807120554726970731a043c782f3e"]);
    let values = [
        EdmValue::String("s".to_owned()),
        EdmValue::Boolean(false),
        EdmValue::Int32(-1),
        EdmValue::Int64(-2),
        EdmValue::Double(0.5),
        EdmValue::DateTime(3),
        EdmValue::Guid(uuid::Uuid::from_u128(4)),
        EdmValue::Binary(vec![5]),
    ];
    let properties = values.into_iter().enumerate().map(|(n, value)| (format!("p{n}"), value)).collect();
    let entity = storage_model::Entity { key: key("a", "1"), timestamp: 9, properties };
    check(
        &entity,
        |entity| codec::encode_entity(entity.timestamp, &entity.properties),
        |bytes| codec::decode_entity(key("a", "1"), bytes),
        &expect![[r#"
        09090000000000000012070a02703012017312060a027031180012060a027032200112060a0270332803120d0a0270343100
        0000000000e03f120d0a02703539030000000000000012160a02703642100000000000000000000000000000000412070a02
        70374a0105"#]],
    );
}

#[test]
fn format_3_of_the_rest() {
    let document = ports::Document { name: "a".to_owned(), version: 7, content: vec![1] };
    check(
        &document,
        |document| codec::encode_document(document.version, &document.content),
        |bytes| codec::decode_document("a", bytes),
        &expect!["0807120101"],
    );
    check(
        &7_u128,
        |seed| codec::encode_seed(*seed),
        codec::decode_seed,
        &expect![[r#"090000000000000000110700000000000000"#]],
    );
}

fn check_key(key: &[u8], expected: &Expect) {
    expected.assert_eq(&crate::rows::record_name(crate::rows::Table::Meta, key));
}

#[test]
fn format_3_of_keys() {
    check_key(
        &keys::owned(1, 2),
        &expect![[r#"meta/\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02"#]],
    );
    check_key(
        &keys::entity(1, &key("\u{0}a\u{1f600}", "\u{ffee}")),
        &expect![[
            r#"meta/\x00\x00\x00\x00\x00\x00\x00\x01\x00\xffa\xed\xa0\xbd\xed\xb8\x80\x00\x00\xef\xbf\xae\x00\x00"#
        ]],
    );
    check_key(&keys::dropped(Owner::Queue(1)), &expect![[r#"meta/q\x00\x00\x00\x00\x00\x00\x00\x01"#]]);
    check_key(&keys::dropped(Owner::Table(1)), &expect![[r#"meta/t\x00\x00\x00\x00\x00\x00\x00\x01"#]]);
}
