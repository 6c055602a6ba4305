//! Entities: JSON both ways, dates and ETags, limits.

use crate::{EdmValue, InvalidEntity};
use crate::{
    Entity, EntityBody, EntityForm, EntityKey, EntityPlace, MetadataLevel, date_text, etag, parse_date, parse_etag,
};
use expect_test::{Expect, expect};

fn check_read(json: &str, expected: &Expect) {
    let seen = match EntityBody::from_json(json) {
        Ok(body) => {
            let key = |key: &Option<String>| key.clone().unwrap_or_else(|| "none".to_owned());
            let mut seen = format!("{} {}\n", key(&body.partition), key(&body.row));
            for (name, value) in &body.properties {
                seen += &format!("{name}: {value:?}\n");
            }
            seen
        }
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&seen);
}

#[test]
fn types_follow_from_annotations_or_values() {
    check_read(
        r#"{"PartitionKey":"p","z":"text","a":true,"i":-7,"big":3000000000,"d":1.0,"exp":1e3,"none":null,"Timestamp":"x",
            "odata.etag":"W/\"x\"","odata.metadata":"m","nav@odata.navigationLinkUrl":"u"}"#,
        &expect![[r#"
            p none
            z: String("text")
            a: Boolean(true)
            i: Int32(-7)
            big: Double(3000000000.0)
            d: Double(1.0)
            exp: Double(1000.0)
        "#]],
    );
    check_read(
        r#"{"PartitionKey@odata.type":"Edm.String","PartitionKey":"p","RowKey":"r","s":"5","s@odata.type":"Edm.String",
            "i@odata.type":"Edm.Int32","i":"5","l@odata.type":"Edm.Int64","l":"9223372036854775807","m@odata.type":"Edm.Int64",
            "m":5,"d@odata.type":"Edm.Double","d":5,"n@odata.type":"Edm.Double","n":"-Infinity","b@odata.type":"Edm.Boolean",
            "b":"true","t@odata.type":"Edm.DateTime","t":"2026-01-31T12:00:00.12345678Z","g@odata.type":"Edm.Guid",
            "g":"0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10","x@odata.type":"Edm.Binary","x":"AP8=","q@odata.type":"Edm.Guid","q":null}"#,
        &expect![[r#"
            p r
            s: String("5")
            i: Int32(5)
            l: Int64(9223372036854775807)
            m: Int64(5)
            d: Double(5.0)
            n: Double(-inf)
            b: Boolean(true)
            t: DateTime(17698608001234567)
            g: Guid(0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10)
            x: Binary([0, 255])
        "#]],
    );
}

#[test]
fn what_is_no_entity_is_refused() {
    check_read(
        "[]",
        &expect![
            "an entity is a JSON object, and this is none: invalid type: sequence, expected an object at line 1 column 0"
        ],
    );
    check_read(
        "{",
        &expect!["an entity is a JSON object, and this is none: EOF while parsing an object at line 1 column 1"],
    );
    check_read(r#"{"PartitionKey":5}"#, &expect!["the PartitionKey is no text; keys are of the type Edm.String"]);
    check_read(
        r#"{"a":[1]}"#,
        &expect!["the property 'a' is an array or an object; tables keep single values, so write it as a JSON text"],
    );
    check_read(
        r#"{"a@odata.type":"Edm.Int32","a":3000000000}"#,
        &expect!["the property 'a' is no Edm.Int32: 3000000000"],
    );
    check_read(r#"{"a@odata.type":"Edm.Guid","a":"1"}"#, &expect![[r#"the property 'a' is no Edm.Guid: "1""#]]);
    check_read(
        r#"{"a@odata.type":"Edm.Decimal","a":"1"}"#,
        &expect![[
            r#"the property 'a' has the unknown type "Edm.Decimal"; known are Edm.String, Edm.Boolean, Edm.Int32, Edm.Int64, Edm.Double, Edm.DateTime, Edm.Guid, Edm.Binary"#
        ]],
    );
    check_read(
        &format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        &expect![
            "an entity is a JSON object, and this is none: invalid type: sequence, expected an object at line 1 column 0"
        ],
    );
}

#[test]
fn a_key_may_come_from_elsewhere() {
    let body = EntityBody::from_json(r#"{"RowKey":"r","a":1}"#).unwrap();
    assert_eq!(body.clone().into_entity(), Err(InvalidEntity::KeyMissing { which: "PartitionKey" }));
    let key = EntityKey { partition: "p".to_owned(), row: "q".to_owned() };
    assert_eq!(body.with_key(key.clone()).key, key);
}

fn subject() -> Entity {
    let json = r#"{"PartitionKey":"it's","RowKey":"r/ö","s":"text\n","i":5,"l@odata.type":"Edm.Int64","l":"9007199254740993","small@odata.type":"Edm.Int64",
        "small":"-5","d":5.0,"inf@odata.type":"Edm.Double","inf":"Infinity","yes":true,"t@odata.type":"Edm.DateTime",
        "t":"2026-01-31T12:00:00Z","g@odata.type":"Edm.Guid","g":"0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10","b@odata.type":"Edm.Binary","b":"AP8="}"#;
    let mut entity = EntityBody::from_json(json).unwrap().into_entity().unwrap();
    entity.timestamp = parse_date("2026-11-22T13:32:34.1234567Z").unwrap();
    entity
}

fn check_written(level: MetadataLevel, select: Option<&[&str]>, expected: &Expect) {
    let place =
        EntityPlace { account: "devstoreaccount1", root: "http://127.0.0.1:10002/devstoreaccount1", table: "Trips" };
    let select = select.map(|names| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    let form = EntityForm { level, place, select: select.as_deref(), stands_alone: select.is_none() };
    expected.assert_eq(&subject().to_json(&form).replace(",\"", ",\n\""));
}

#[test]
fn entities_are_written_at_each_level() {
    check_written(
        MetadataLevel::None,
        None,
        &expect![[r#"
        {"PartitionKey":"it's",
        "RowKey":"r/ö",
        "Timestamp":"2026-11-22T13:32:34.1234567Z",
        "s":"text\n",
        "i":5,
        "l":"9007199254740993",
        "small":"-5",
        "d":5.0,
        "inf":"Infinity",
        "yes":true,
        "t":"2026-01-31T12:00:00.0000000Z",
        "g":"0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10",
        "b":"AP8="}"#]],
    );
    check_written(
        MetadataLevel::Minimal,
        None,
        &expect![[r#"
        {"odata.metadata":"http://127.0.0.1:10002/devstoreaccount1/$metadata#Trips/@Element",
        "odata.etag":"W/\"datetime'2026-11-22T13%3A32%3A34.1234567Z'\"",
        "PartitionKey":"it's",
        "RowKey":"r/ö",
        "Timestamp":"2026-11-22T13:32:34.1234567Z",
        "s":"text\n",
        "i":5,
        "l@odata.type":"Edm.Int64",
        "l":"9007199254740993",
        "small@odata.type":"Edm.Int64",
        "small":"-5",
        "d@odata.type":"Edm.Double",
        "d":5.0,
        "inf@odata.type":"Edm.Double",
        "inf":"Infinity",
        "yes":true,
        "t@odata.type":"Edm.DateTime",
        "t":"2026-01-31T12:00:00.0000000Z",
        "g@odata.type":"Edm.Guid",
        "g":"0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10",
        "b@odata.type":"Edm.Binary",
        "b":"AP8="}"#]],
    );
}

#[test]
fn full_metadata_adds_addresses() {
    check_written(
        MetadataLevel::Full,
        None,
        &expect![[r#"
        {"odata.metadata":"http://127.0.0.1:10002/devstoreaccount1/$metadata#Trips/@Element",
        "odata.type":"devstoreaccount1.Trips",
        "odata.id":"http://127.0.0.1:10002/devstoreaccount1/Trips(PartitionKey='it''s',RowKey='r%2F%C3%B6')",
        "odata.etag":"W/\"datetime'2026-11-22T13%3A32%3A34.1234567Z'\"",
        "odata.editLink":"Trips(PartitionKey='it''s',RowKey='r%2F%C3%B6')",
        "PartitionKey":"it's",
        "RowKey":"r/ö",
        "Timestamp@odata.type":"Edm.DateTime",
        "Timestamp":"2026-11-22T13:32:34.1234567Z",
        "s":"text\n",
        "i":5,
        "l@odata.type":"Edm.Int64",
        "l":"9007199254740993",
        "small@odata.type":"Edm.Int64",
        "small":"-5",
        "d@odata.type":"Edm.Double",
        "d":5.0,
        "inf@odata.type":"Edm.Double",
        "inf":"Infinity",
        "yes":true,
        "t@odata.type":"Edm.DateTime",
        "t":"2026-01-31T12:00:00.0000000Z",
        "g@odata.type":"Edm.Guid",
        "g":"0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10",
        "b@odata.type":"Edm.Binary",
        "b":"AP8="}"#]],
    );
}

#[test]
fn entities_are_written_in_part_and_plainly() {
    check_written(
        MetadataLevel::Minimal,
        Some(&["RowKey", "l", "missing"]),
        &expect![[r#"
        {"odata.etag":"W/\"datetime'2026-11-22T13%3A32%3A34.1234567Z'\"",
        "RowKey":"r/ö",
        "l@odata.type":"Edm.Int64",
        "l":"9007199254740993"}"#]],
    );
    expect![[r#"
        {"PartitionKey":"it's",
        "RowKey":"r/ö",
        "Timestamp":"2026-11-22T13:32:34.1234567Z",
        "s":"text\n",
        "i":5,
        "l":"9007199254740993",
        "small":-5,
        "d":5.0,
        "inf":"Infinity",
        "yes":true,
        "t":"2026-01-31T12:00:00.0000000Z",
        "g":"0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10",
        "b":"AP8="}"#]]
    .assert_eq(&subject().to_plain_json().replace(",\"", ",\n\""));
}

fn check_date(text: &str, expected: &Expect) {
    let seen = parse_date(text).map_or_else(|| "none".to_owned(), |moment| format!("{moment} {}", date_text(moment)));
    expected.assert_eq(&seen);
}

#[test]
fn dates() {
    check_date("1970-01-01T00:00:00Z", &expect!["0 1970-01-01T00:00:00.0000000Z"]);
    check_date("1969-12-31T23:59:59.9999999Z", &expect!["-1 1969-12-31T23:59:59.9999999Z"]);
    check_date("1601-01-01T00:00:00Z", &expect!["-116444736000000000 1601-01-01T00:00:00.0000000Z"]);
    check_date("9999-12-31T23:59:59.9999999Z", &expect!["2534023007999999999 9999-12-31T23:59:59.9999999Z"]);
    check_date("0001-01-01T00:00:00Z", &expect!["-621355968000000000 0001-01-01T00:00:00.0000000Z"]);
    check_date("2026-02-30T00:00:00Z", &expect!["none"]);
    check_date("", &expect!["none"]);
    assert_eq!(date_text(i64::MAX), "9999-12-31T23:59:59.9999999Z");
    assert_eq!(date_text(i64::MIN), "0001-01-01T00:00:00.0000000Z");
}

#[test]
fn etags() {
    let written = subject().timestamp;
    expect![[r#"W/"datetime'2026-11-22T13%3A32%3A34.1234567Z'""#]].assert_eq(&etag(written));
    assert_eq!(parse_etag(&etag(written)), Some(written));
    assert_eq!(parse_etag("W/\"datetime'2026-11-22T13:32:34.1234567Z'\""), Some(written));
    for other in ["*", "", "\"0x8D\"", "W/\"datetime''\"", "W/\"datetime'"] {
        assert_eq!(parse_etag(other), None, "{other}");
    }
}

fn check_limits(entity: &Entity, expected: &Expect) {
    let seen = entity.validate().map_or_else(|error| error.to_string(), |()| format!("good, {} bytes", entity.size()));
    expected.assert_eq(&seen);
}

#[test]
fn limits_of_entities() {
    let entity = |partition: &str, properties: Vec<(String, EdmValue)>| Entity {
        key: EntityKey { partition: partition.to_owned(), row: "r".to_owned() },
        timestamp: 0,
        properties,
    };
    let one = |name: &str, value: EdmValue| entity("p", vec![(name.to_owned(), value)]);
    let numbers = |count: usize| (0..count).map(|i| (format!("n{i}"), EdmValue::Int32(1))).collect::<Vec<_>>();
    let texts =
        |count: usize| (0..count).map(|i| (format!("n{i}"), EdmValue::String("x".repeat(32_768)))).collect::<Vec<_>>();
    check_limits(&entity("", vec![]), &expect!["good, 6 bytes"]);
    check_limits(&entity(&"é".repeat(512), vec![]), &expect!["good, 1030 bytes"]);
    check_limits(
        &entity(&"x".repeat(513), vec![]),
        &expect!["the PartitionKey has 1026 bytes as UTF-16; at most 1024 are allowed"],
    );
    check_limits(
        &entity("a/b", vec![]),
        &expect!["the PartitionKey contains '/'; leave out '/', '\\', '#', '?' and control characters"],
    );
    check_limits(
        &entity("a\u{85}", vec![]),
        &expect![[r#"the PartitionKey contains '\u{85}'; leave out '/', '\', '#', '?' and control characters"#]],
    );
    check_limits(&one("_a1é", EdmValue::Boolean(true)), &expect!["good, 25 bytes"]);
    check_limits(
        &one("a-b", EdmValue::Boolean(true)),
        &expect![
            "'a-b' cannot be a property's name: it begins with a letter or '_', goes on with letters, digits and '_', and has at most 255 characters"
        ],
    );
    check_limits(
        &one("1a", EdmValue::Boolean(true)),
        &expect![
            "'1a' cannot be a property's name: it begins with a letter or '_', goes on with letters, digits and '_', and has at most 255 characters"
        ],
    );
    assert!(one(&"a".repeat(255), EdmValue::Int32(1)).validate().is_ok());
    assert!(one(&"a".repeat(256), EdmValue::Int32(1)).validate().is_err());
    check_limits(
        &one("RowKey", EdmValue::Int32(1)),
        &expect!["'RowKey' belongs to every entity and is no property of its own"],
    );
    check_limits(
        &entity("p", vec![("a".to_owned(), EdmValue::Int32(1)); 2]),
        &expect!["the property 'a' is there twice; leave one out"],
    );
    check_limits(&entity("p", numbers(252)), &expect!["good, 4828 bytes"]);
    check_limits(
        &entity("p", numbers(253)),
        &expect!["the entity has 253 properties; at most 252 are allowed besides its keys and its timestamp"],
    );
    check_limits(&one("s", EdmValue::String("é".repeat(32_768))), &expect!["good, 65558 bytes"]);
    check_limits(
        &one("s", EdmValue::String("x".repeat(32_769))),
        &expect!["the property 's' takes 65538 bytes; at most 65536 are allowed"],
    );
    check_limits(
        &one("b", EdmValue::Binary(vec![0; 65_537])),
        &expect!["the property 'b' takes 65537 bytes; at most 65536 are allowed"],
    );
    check_limits(
        &one("t", EdmValue::DateTime(-116_444_736_000_000_001)),
        &expect!["the property 't' is earlier than 1601-01-01T00:00:00.0000000Z"],
    );
    check_limits(&entity("p", texts(15)), &expect!["good, 983298 bytes"]);
    check_limits(&entity("p", texts(16)), &expect!["the entity takes 1048852 bytes; at most 1048576 are allowed"]);
}
