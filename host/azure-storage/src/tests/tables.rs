//! The table service, request by request: operations, their errors, continuation; and whole sessions of real clients.

mod batches;
mod queries;
mod sessions;

use super::world::World;
use crate::Service;
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn check(requests: &str, expected: &Expect) {
    expected.assert_eq(&send(&World::new(), requests));
}

fn send(world: &World, requests: &str) -> String {
    without_stamps(&world.send(Service::Table, requests))
}

/// In the JSON of errors, ids of requests and times tell nothing here.
fn without_stamps(text: &str) -> String {
    const STAMP: &str = r"\nRequestId:00000000-0000-4000-8000-000000000001\nTime:2026-11-22T12:00:00.0000000Z";
    let mut parts = text.split(r"\nRequestId:");
    let mut seen = parts.next().unwrap_or("").to_owned();
    for part in parts {
        seen += part.get(STAMP.len() - r"\nRequestId:".len()..).unwrap_or(part);
    }
    seen
}

/// With the table `Trips`, and `p/1` to `p/3` in it.
fn filled() -> World {
    let world = World::new();
    let seen = send(
        &world,
        "POST ~/Tables\nprefer: return-no-content\n\n{\"TableName\":\"Trips\"}\n---\n\
         POST ~/Trips\nprefer: return-no-content\n\n{\"PartitionKey\":\"p\",\"RowKey\":\"1\",\"n\":1,\"city\":\"Oslo\"}\n---\n\
         POST ~/Trips\nprefer: return-no-content\n\n{\"PartitionKey\":\"p\",\"RowKey\":\"2\",\"n\":2}\n---\n\
         POST ~/Trips\nprefer: return-no-content\n\n{\"PartitionKey\":\"p\",\"RowKey\":\"3\",\"n\":3}\n",
    );
    assert_eq!(seen.matches("204\n").count(), 4, "{seen}");
    world
}

fn check_filled(requests: &str, expected: &Expect) {
    expected.assert_eq(&send(&filled(), requests));
}

#[test]
fn tables_from_beginning_to_end() {
    check(
        "POST ~/Tables\n\n{\"TableName\":\"Trips\"}\n---\n\
         POST ~/Tables\nprefer: return-no-content\n\n{\"TableName\":\"trips\"}\n---\n\
         POST ~/Tables\nprefer: return-no-content\n\n{\"TableName\":\"Cities\"}\n---\n\
         POST ~/Tables\nprefer: return-content\naccept: application/json;odata=fullmetadata\n\n{\"TableName\":\"Zoo\"}\n---\n\
         GET ~/Tables?$top=2\naccept: application/json;odata=nometadata\n---\n\
         GET ~/Tables?$top=2&NextTableName=1!4!Wm9v\n---\n\
         GET ~/Tables()?$filter=TableName%20ge%20'T'%20and%20TableName%20lt%20'U'&$top=1\n---\n\
         GET ~/Tables('TRIPS')\naccept: application/json;odata=fullmetadata\n---\n\
         DELETE ~/Tables('tRips')\n---\n\
         DELETE ~/Tables('Trips')\n---\n\
         GET ~/Tables('Trips')\n",
        &expect![[r#"
            201
            location: http://127.0.0.1:10001/devstoreaccount1/Tables('Trips')
            {"TableName":"Trips","odata.metadata":"http://127.0.0.1:10001/devstoreaccount1/$metadata#Tables/@Element"}
            ---
            409
            x-ms-error-code: TableAlreadyExists
            {"odata.error":{"code":"TableAlreadyExists","message":{"lang":"en-US","value":"The table specified already exists."}}}
            ---
            204
            location: http://127.0.0.1:10001/devstoreaccount1/Tables('Cities')
            preference-applied: return-no-content
            ---
            201
            location: http://127.0.0.1:10001/devstoreaccount1/Tables('Zoo')
            preference-applied: return-content
            {"TableName":"Zoo","odata.editLink":"Tables('Zoo')","odata.id":"http://127.0.0.1:10001/devstoreaccount1/Tables('Zoo')","odata.metadata":"http://127.0.0.1:10001/devstoreaccount1/$metadata#Tables/@Element","odata.type":"devstoreaccount1.Tables"}
            ---
            200
            x-ms-continuation-nexttablename: 1!4!Wm9v
            {"value":[{"TableName":"Cities"},{"TableName":"Trips"}]}
            ---
            200
            {"odata.metadata":"http://127.0.0.1:10001/devstoreaccount1/$metadata#Tables","value":[{"TableName":"Zoo"}]}
            ---
            200
            x-ms-continuation-nexttablename: 1!4!Wm9v
            {"odata.metadata":"http://127.0.0.1:10001/devstoreaccount1/$metadata#Tables","value":[{"TableName":"Trips"}]}
            ---
            200
            {"TableName":"Trips","odata.editLink":"Tables('Trips')","odata.id":"http://127.0.0.1:10001/devstoreaccount1/Tables('Trips')","odata.metadata":"http://127.0.0.1:10001/devstoreaccount1/$metadata#Tables/@Element","odata.type":"devstoreaccount1.Tables"}
            ---
            204
            ---
            404
            x-ms-error-code: ResourceNotFound
            {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"The specified resource does not exist."}}}
            ---
            404
            x-ms-error-code: ResourceNotFound
            {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"The specified resource does not exist."}}}
        "#]],
    );
}

#[test]
fn names_of_tables_that_cannot_be() {
    check(
        "POST ~/Tables\n\n{\"TableName\":\"a-b\"}\n---\n\
         POST ~/Tables\n\n{\"TableName\":\"ab\"}\n---\n\
         POST ~/Tables\n\n{\"TableName\":\"tables\"}\n---\n\
         POST ~/Tables\n\n{\"Name\":\"Trips\"}\n---\n\
         POST ~/Tables\n\n[\n---\n\
         POST ~/Tables\ncontent-type: application/atom+xml\n\n<entry/>\n---\n\
         PUT ~/Tables\n---\n\
         GET ~/Tables(Trips)\n---\n\
         GET ~/Trips(\n---\n\
         GET ~/Tables?NextTableName=x\n---\n\
         GET ~/\n",
        &expect![[r#"
            400
            x-ms-error-code: InvalidResourceName
            {"odata.error":{"code":"InvalidResourceName","message":{"lang":"en-US","value":"The specified resource name contains invalid characters. A table's name is made of letters and digits, and begins with a letter."}}}
            ---
            400
            x-ms-error-code: OutOfRangeInput
            {"odata.error":{"code":"OutOfRangeInput","message":{"lang":"en-US","value":"One of the request inputs is out of range. The specified resource name length is not within the permissible limits: a name has 3 to 63 characters, and this one has 2."}}}
            ---
            400
            x-ms-error-code: InvalidInput
            {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The name 'tables' is reserved."}}}
            ---
            400
            x-ms-error-code: InvalidInput
            {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The body names the table as in {\"TableName\":\"Trips\"}."}}}
            ---
            400
            x-ms-error-code: InvalidInput
            {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The body is no JSON: EOF while parsing a list at line 1 column 1."}}}
            ---
            415
            x-ms-error-code: AtomFormatNotSupported
            {"odata.error":{"code":"AtomFormatNotSupported","message":{"lang":"en-US","value":"Atom format is not supported. Send application/json."}}}
            ---
            405
            x-ms-error-code: UnsupportedHttpVerb
            {"odata.error":{"code":"UnsupportedHttpVerb","message":{"lang":"en-US","value":"The resource doesn't support specified Http Verb. The method was PUT."}}}
            ---
            400
            x-ms-error-code: InvalidUri
            {"odata.error":{"code":"InvalidUri","message":{"lang":"en-US","value":"The requested URI does not represent any resource on the server. The path 'Tables(Trips)' names nothing here. A table is named as in Tables('Trips')."}}}
            ---
            400
            x-ms-error-code: InvalidUri
            {"odata.error":{"code":"InvalidUri","message":{"lang":"en-US","value":"The requested URI does not represent any resource on the server. The path 'Trips(' names nothing here. The ')' is missing."}}}
            ---
            400
            x-ms-error-code: InvalidInput
            {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. NextTableName is no continuation of a list: 'x'. Send back what the x-ms-continuation header said."}}}
            ---
            400
            x-ms-error-code: OutOfRangeInput
            {"odata.error":{"code":"OutOfRangeInput","message":{"lang":"en-US","value":"One of the request inputs is out of range. The specified resource name length is not within the permissible limits: a name has 3 to 63 characters, and this one has 0."}}}
        "#]],
    );
}

#[test]
fn entities_are_inserted_and_read() {
    let types = r#"{"PartitionKey":"it's","RowKey":"r ö","s":"x","l@odata.type":"Edm.Int64","l":"9007199254740993","d":5.0,"none":null}"#;
    let requests = format!(
        "POST ~/Trips\n\n{types}\n---\n\
         POST ~/trips\nprefer: return-no-content\n\n{types}\n---\n\
         POST ~/trips\nprefer: return-no-content\n\n{{\"PartitionKey\":\"\",\"RowKey\":\"\"}}\n---\n\
         GET ~/Trips(PartitionKey='it%27%27s',RowKey='r%20%C3%B6')\n---\n\
         GET ~/Trips(RowKey='r%20%C3%B6',PartitionKey='it''s')?$select=l,missing,RowKey\naccept: application/json;odata=nometadata\n---\n\
         GET ~/Trips(PartitionKey='',RowKey='')?$format=application/json;odata=fullmetadata\n---\n\
         GET ~/Trips(PartitionKey='p',RowKey='none')\n---\n\
         GET ~/Nowhere(PartitionKey='p',RowKey='none')\n"
    );
    check_filled(
        &requests,
        &expect![[r#"
        201
        etag: W/"datetime'2026-11-22T12%3A00%3A00.0000003Z'"
        location: http://127.0.0.1:10001/devstoreaccount1/Trips(PartitionKey='it''s',RowKey='r%20%C3%B6')
        {"odata.metadata":"http://127.0.0.1:10001/devstoreaccount1/$metadata#Trips/@Element","odata.etag":"W/\"datetime'2026-11-22T12%3A00%3A00.0000003Z'\"","PartitionKey":"it's","RowKey":"r ö","Timestamp":"2026-11-22T12:00:00.0000003Z","s":"x","l@odata.type":"Edm.Int64","l":"9007199254740993","d@odata.type":"Edm.Double","d":5.0}
        ---
        409
        x-ms-error-code: EntityAlreadyExists
        {"odata.error":{"code":"EntityAlreadyExists","message":{"lang":"en-US","value":"The specified entity already exists."}}}
        ---
        204
        dataserviceid: http://127.0.0.1:10001/devstoreaccount1/trips(PartitionKey='',RowKey='')
        etag: W/"datetime'2026-11-22T12%3A00%3A00.0000005Z'"
        location: http://127.0.0.1:10001/devstoreaccount1/trips(PartitionKey='',RowKey='')
        preference-applied: return-no-content
        ---
        200
        etag: W/"datetime'2026-11-22T12%3A00%3A00.0000003Z'"
        {"odata.metadata":"http://127.0.0.1:10001/devstoreaccount1/$metadata#Trips/@Element","odata.etag":"W/\"datetime'2026-11-22T12%3A00%3A00.0000003Z'\"","PartitionKey":"it's","RowKey":"r ö","Timestamp":"2026-11-22T12:00:00.0000003Z","s":"x","l@odata.type":"Edm.Int64","l":"9007199254740993","d@odata.type":"Edm.Double","d":5.0}
        ---
        200
        etag: W/"datetime'2026-11-22T12%3A00%3A00.0000003Z'"
        {"RowKey":"r ö","l":"9007199254740993"}
        ---
        200
        etag: W/"datetime'2026-11-22T12%3A00%3A00.0000005Z'"
        {"odata.metadata":"http://127.0.0.1:10001/devstoreaccount1/$metadata#Trips/@Element","odata.type":"devstoreaccount1.Trips","odata.id":"http://127.0.0.1:10001/devstoreaccount1/Trips(PartitionKey='',RowKey='')","odata.etag":"W/\"datetime'2026-11-22T12%3A00%3A00.0000005Z'\"","odata.editLink":"Trips(PartitionKey='',RowKey='')","PartitionKey":"","RowKey":"","Timestamp@odata.type":"Edm.DateTime","Timestamp":"2026-11-22T12:00:00.0000005Z"}
        ---
        404
        x-ms-error-code: ResourceNotFound
        {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"The specified resource does not exist."}}}
        ---
        404
        x-ms-error-code: TableNotFound
        {"odata.error":{"code":"TableNotFound","message":{"lang":"en-US","value":"The table specified does not exist."}}}
    "#]],
    );
}

#[test]
fn entities_are_replaced_and_merged() {
    check_filled(
        "PUT ~/Trips(PartitionKey='p',RowKey='1')\nif-match: *\n\n{\"PartitionKey\":\"other\",\"a\":1}\n---\n\
         PATCH ~/Trips(PartitionKey='p',RowKey='1')\n\n{\"b\":2}\n---\n\
         MERGE ~/Trips(PartitionKey='p',RowKey='1')\nif-match: W/\"datetime'2026-11-22T12%3A00%3A00.0000004Z'\"\n\n{\"c\":3}\n---\n\
         MERGE ~/Trips(PartitionKey='p',RowKey='1')\nif-match: W/\"datetime'2026-11-22T12%3A00%3A00.0000005Z'\"\n\n{\"c\":3}\n---\n\
         POST ~/Trips(PartitionKey='p',RowKey='1')\nx-http-method: MERGE\nif-match: *\n\n{\"d\":null,\"c\":4}\n---\n\
         GET ~/Trips(PartitionKey='p',RowKey='1')\naccept: application/json;odata=nometadata\n",
        &expect![[r#"
            204
            etag: W/"datetime'2026-11-22T12%3A00%3A00.0000003Z'"
            ---
            204
            etag: W/"datetime'2026-11-22T12%3A00%3A00.0000004Z'"
            ---
            204
            etag: W/"datetime'2026-11-22T12%3A00%3A00.0000005Z'"
            ---
            204
            etag: W/"datetime'2026-11-22T12%3A00%3A00.0000006Z'"
            ---
            204
            etag: W/"datetime'2026-11-22T12%3A00%3A00.0000007Z'"
            ---
            200
            etag: W/"datetime'2026-11-22T12%3A00%3A00.0000007Z'"
            {"PartitionKey":"p","RowKey":"1","Timestamp":"2026-11-22T12:00:00.0000007Z","a":1,"b":2,"c":4}
        "#]],
    );
}

#[test]
fn changes_ask_for_what_is_there() {
    check_filled(
        "PUT ~/Trips(PartitionKey='p',RowKey='new')\nif-match: *\n\n{}\n---\n\
         PUT ~/Trips(PartitionKey='p',RowKey='new')\n\n{}\n---\n\
         PUT ~/Trips(PartitionKey='p',RowKey='new')\nif-match: 17\n\n{}\n---\n\
         DELETE ~/Trips(PartitionKey='p',RowKey='new')\n---\n\
         DELETE ~/Trips(PartitionKey='p',RowKey='new')\nif-match: W/\"datetime'2026-11-22T12%3A00%3A00Z'\"\n---\n\
         DELETE ~/Trips(PartitionKey='p',RowKey='new')\nif-match: *\n---\n\
         DELETE ~/Trips(PartitionKey='p',RowKey='new')\nif-match: *\n---\n\
         PUT ~/Nowhere(PartitionKey='p',RowKey='new')\n\n{}\n---\n\
         PUT ~/Trips\n\n{}\n",
        &expect![[r#"
            404
            x-ms-error-code: ResourceNotFound
            {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"The specified resource does not exist."}}}
            ---
            204
            etag: W/"datetime'2026-11-22T12%3A00%3A00.0000004Z'"
            ---
            400
            x-ms-error-code: InvalidInput
            {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The etag value '17' specified in one of the request headers is not valid."}}}
            ---
            400
            x-ms-error-code: MissingRequiredHeader
            {"odata.error":{"code":"MissingRequiredHeader","message":{"lang":"en-US","value":"An HTTP header that's mandatory for this request is not specified. Deleting asks for If-Match: an ETag, or * for any.\nHeaderName:If-Match"}}}
            ---
            412
            x-ms-error-code: UpdateConditionNotSatisfied
            {"odata.error":{"code":"UpdateConditionNotSatisfied","message":{"lang":"en-US","value":"The update condition specified in the request was not satisfied."}}}
            ---
            204
            ---
            404
            x-ms-error-code: ResourceNotFound
            {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"The specified resource does not exist."}}}
            ---
            404
            x-ms-error-code: TableNotFound
            {"odata.error":{"code":"TableNotFound","message":{"lang":"en-US","value":"The table specified does not exist."}}}
            ---
            405
            x-ms-error-code: UnsupportedHttpVerb
            {"odata.error":{"code":"UnsupportedHttpVerb","message":{"lang":"en-US","value":"The resource doesn't support specified Http Verb. The method was PUT."}}}
        "#]],
    );
}

#[test]
fn entities_that_cannot_be_kept() {
    let long_key = format!("{{\"PartitionKey\":\"{}\",\"RowKey\":\"r\"}}", "x".repeat(513));
    let long_value = format!("{{\"PartitionKey\":\"p\",\"RowKey\":\"r\",\"s\":\"{}\"}}", "x".repeat(32_769));
    let many: String = (0..253).map(|i| format!(",\"n{i}\":1")).collect();
    let large: String = (0..17).map(|i| format!(",\"n{i}\":\"{}\"", "x".repeat(32_000))).collect();
    let with = |more: &str| format!("POST ~/Trips\n\n{{\"PartitionKey\":\"p\",\"RowKey\":\"r\"{more}}}\n---\n");
    let requests = [
        format!("POST ~/Trips\n\n{long_key}\n---\nPOST ~/Trips\n\n{long_value}\n---\n"),
        with(&many),
        with(&large),
        with(",\"a-b\":1"),
        with(",\"g@odata.type\":\"Edm.Guid\",\"g\":\"1\""),
        "POST ~/Trips\n\n{\"PartitionKey\":\"p\"}\n---\n\
         POST ~/Trips\n\n{\"PartitionKey\":\"a/b\",\"RowKey\":\"r\"}\n---\n\
         GET ~/Trips(PartitionKey='a%2Fb',RowKey='r')\n---\n\
         POST ~/Trips\n\nno json\n---\n\
         POST ~/Trips\naccept: application/atom+xml\n\n{}\n"
            .to_owned(),
    ];
    check_filled(
        &requests.concat(),
        &expect![[r#"
            400
            x-ms-error-code: KeyValueTooLarge
            {"odata.error":{"code":"KeyValueTooLarge","message":{"lang":"en-US","value":"The specified key value is too large; a key may have up to 1 KiB. The PartitionKey has 1026 bytes as UTF-16; at most 1024 are allowed."}}}
            ---
            400
            x-ms-error-code: PropertyValueTooLarge
            {"odata.error":{"code":"PropertyValueTooLarge","message":{"lang":"en-US","value":"The property value exceeds the maximum allowed size (64KB). If the property value is a string, it is UTF-16 encoded and the maximum number of characters should be 32K or less. The property 's' takes 65538 bytes; at most 65536 are allowed."}}}
            ---
            400
            x-ms-error-code: TooManyProperties
            {"odata.error":{"code":"TooManyProperties","message":{"lang":"en-US","value":"The entity contains more properties than allowed. Each entity can include up to 252 properties to store data. Each entity also has 3 system properties. The entity has 253 properties; at most 252 are allowed besides its keys and its timestamp."}}}
            ---
            400
            x-ms-error-code: EntityTooLarge
            {"odata.error":{"code":"EntityTooLarge","message":{"lang":"en-US","value":"The entity is larger than the maximum allowed size (1MB). The entity takes 1088294 bytes; at most 1048576 are allowed."}}}
            ---
            400
            x-ms-error-code: PropertyNameInvalid
            {"odata.error":{"code":"PropertyNameInvalid","message":{"lang":"en-US","value":"The property name is invalid. 'a-b' cannot be a property's name: it begins with a letter or '_', goes on with letters, digits and '_', and has at most 255 characters."}}}
            ---
            400
            x-ms-error-code: InvalidInput
            {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The property 'g' is no Edm.Guid: \"1\"."}}}
            ---
            400
            x-ms-error-code: PropertiesNeedValue
            {"odata.error":{"code":"PropertiesNeedValue","message":{"lang":"en-US","value":"The values are not specified for all properties in the entity. The RowKey is missing."}}}
            ---
            400
            x-ms-error-code: OutOfRangeInput
            {"odata.error":{"code":"OutOfRangeInput","message":{"lang":"en-US","value":"One of the request inputs is out of range. The PartitionKey contains '/'; leave out '/', '\\', '#', '?' and control characters."}}}
            ---
            400
            x-ms-error-code: OutOfRangeInput
            {"odata.error":{"code":"OutOfRangeInput","message":{"lang":"en-US","value":"One of the request inputs is out of range. The PartitionKey contains '/'; leave out '/', '\\', '#', '?' and control characters."}}}
            ---
            400
            x-ms-error-code: InvalidInput
            {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. An entity is a JSON object, and this is none: expected ident at line 1 column 2."}}}
            ---
            415
            x-ms-error-code: AtomFormatNotSupported
            {"odata.error":{"code":"AtomFormatNotSupported","message":{"lang":"en-US","value":"Atom format is not supported. Ask for application/json."}}}
        "#]],
    );
}

proptest! {
    /// Whatever is asked, the answer is one that Azure could give, and not a failure of ours.
    #[test]
    fn any_request_has_an_answer(
        method in prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "MERGE", "DELETE", "HEAD"]),
        path in "(Trips|Tables|\\$batch|)(\\(|)[a-zA-Z0-9'(),=$%/.!*-]{0,30}(\\)|)",
        query in "(\\?(\\$filter|\\$top|\\$select|NextRowKey|NextPartitionKey|comp)=[a-zA-Z0-9'()=$%!*+-]{0,20}|)",
        body in "[{}\\[\\]\",:a1. @-]{0,20}",
    ) {
        let seen = send(&filled(), &format!("{method} ~/{path}{query}\nif-match: *\n\n{body}"));
        prop_assert!(matches!(seen.as_bytes()[0], b'2' | b'4'), "{seen}");
    }
}

#[test]
fn access_policies_are_kept() {
    check_filled(
        "PUT ~/Trips?comp=acl\n\n<SignedIdentifiers><SignedIdentifier><Id>a</Id></SignedIdentifier></SignedIdentifiers>\n---\n\
         GET ~/Trips?comp=acl\n---\n\
         HEAD ~/Trips?comp=acl\n---\n\
         DELETE ~/Trips?comp=acl\n---\n\
         GET ~/Nowhere?comp=acl\n",
        &expect![[r#"
            204
            ---
            200
            <SignedIdentifiers>
            <SignedIdentifier>
            <Id>a</Id>
            </SignedIdentifier>
            </SignedIdentifiers>
            ---
            200
            ---
            405
            x-ms-error-code: UnsupportedHttpVerb
            {"odata.error":{"code":"UnsupportedHttpVerb","message":{"lang":"en-US","value":"The resource doesn't support specified Http Verb. The method was DELETE."}}}
            ---
            404
            x-ms-error-code: TableNotFound
            {"odata.error":{"code":"TableNotFound","message":{"lang":"en-US","value":"The table specified does not exist."}}}
        "#]],
    );
}

#[test]
fn the_service_has_settings_and_a_secondary_location() {
    check_filled(
        "GET ~/?restype=service&comp=properties\n---\n\
         GET ~-secondary/?restype=service&comp=stats\n---\n\
         GET ~-secondary/Trips()?$top=1&$select=n\n---\n\
         PUT ~-secondary/Trips(PartitionKey='p',RowKey='1')\n\n{}\n",
        &expect![[r#"
            200
            <StorageServiceProperties>
            <Logging>
            <Version>1.0</Version>
            <Delete>false</Delete>
            <Read>false</Read>
            <Write>false</Write>
            <RetentionPolicy>
            <Enabled>false</Enabled>
            </RetentionPolicy>
            </Logging>
            <HourMetrics>
            <Version>1.0</Version>
            <Enabled>false</Enabled>
            <RetentionPolicy>
            <Enabled>false</Enabled>
            </RetentionPolicy>
            </HourMetrics>
            <MinuteMetrics>
            <Version>1.0</Version>
            <Enabled>false</Enabled>
            <RetentionPolicy>
            <Enabled>false</Enabled>
            </RetentionPolicy>
            </MinuteMetrics>
            <Cors />
            </StorageServiceProperties>
            ---
            200
            <StorageServiceStats>
            <GeoReplication>
            <Status>live</Status>
            <LastSyncTime>Sun, 22 Nov 2026 12:00:00 GMT</LastSyncTime>
            </GeoReplication>
            </StorageServiceStats>
            ---
            200
            x-ms-continuation-nextpartitionkey: 1!2!cA
            x-ms-continuation-nextrowkey: 1!2!Mg
            {"odata.metadata":"http://127.0.0.1:10001/devstoreaccount1-secondary/$metadata#Trips","value":[{"odata.etag":"W/\"datetime'2026-11-22T12%3A00%3A00.0000000Z'\"","n":1}]}
            ---
            403
            x-ms-error-code: InsufficientAccountPermissions
            {"odata.error":{"code":"InsufficientAccountPermissions","message":{"lang":"en-US","value":"Write operations are not allowed. the secondary location is for reading; write without '-secondary'"}}}
        "#]],
    );
}
