//! What unmodified client libraries of Azure send, byte for byte with their signatures, and what they get.
//!
//! Each was recorded once, against a listener that answered something plausible. So where a client sends an ETag, it is one from
//! that listener, and no entity here has it.

use crate::Service;
use crate::tests::world::World;
use bytes::Bytes;
use expect_test::{Expect, expect};
use http::Request;
use std::time::Duration;

/// Status and body in a line for each request of a recording; the recordings were made at 13:53:57.
fn check(recording: &[u8], expected: &Expect) {
    let world = World::new();
    world.clock.move_on(Duration::from_secs(113 * 60 + 57));
    let mut seen = String::new();
    let mut rest = recording;
    while !rest.is_empty() {
        let (request, after) = next_request(rest);
        rest = after;
        let line = format!("{} {}", request.method(), request.uri().path_and_query().unwrap());
        let answer = world.exchange(Service::Table, request);
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        let body = super::without_stamps(&body).replace("\r\n", "\n    ");
        seen += &format!("{line}\n  {} {}\n", answer.status().as_u16(), body.trim_end());
    }
    expected.assert_eq(&seen);
}

fn next_request(bytes: &[u8]) -> (Request<Bytes>, &[u8]) {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap().split(' ');
    let mut request = Request::builder().method(words.next().unwrap()).uri(words.next().unwrap());
    let mut length = 0;
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        }
        request = request.header(name, value);
    }
    let (body, rest) = bytes[end + 4..].split_at(length);
    (request.body(Bytes::copy_from_slice(body)).unwrap(), rest)
}

#[test]
fn python() {
    check(
        include_bytes!("../captured/python-azure-data-tables-12.7.0.http"),
        &expect![[r#"
            POST /devstoreaccount1/Tables
              201 {"TableName":"Trips","odata.metadata":"http://127.0.0.1:18002/devstoreaccount1/$metadata#Tables/@Element"}
            GET /devstoreaccount1/Tables
              200 {"odata.metadata":"http://127.0.0.1:18002/devstoreaccount1/$metadata#Tables","value":[{"TableName":"Trips"}]}
            GET /devstoreaccount1/Tables?$filter=TableName%20eq%20%27Trips%27
              200 {"odata.metadata":"http://127.0.0.1:18002/devstoreaccount1/$metadata#Tables","value":[{"TableName":"Trips"}]}
            POST /devstoreaccount1/Trips
              201 {"odata.metadata":"http://127.0.0.1:18002/devstoreaccount1/$metadata#Trips/@Element","odata.etag":"W/\"datetime'2026-11-22T13%3A53%3A57.0000000Z'\"","PartitionKey":"it's","RowKey":"r ö","Timestamp":"2026-11-22T13:53:57.0000000Z","s":"x","i":5,"l@odata.type":"Edm.Int64","l":"1099511627776","d@odata.type":"Edm.Double","d":5.0,"b@odata.type":"Edm.Binary","b":"AP8=","g@odata.type":"Edm.Guid","g":"00000000-0000-0000-0000-000000000005","t@odata.type":"Edm.DateTime","t":"2026-01-31T12:00:00.1234560Z","yes":true}
            GET /devstoreaccount1/Trips(PartitionKey='it%27%27s',RowKey='r%20%C3%B6')
              200 {"odata.metadata":"http://127.0.0.1:18002/devstoreaccount1/$metadata#Trips/@Element","odata.etag":"W/\"datetime'2026-11-22T13%3A53%3A57.0000000Z'\"","PartitionKey":"it's","RowKey":"r ö","Timestamp":"2026-11-22T13:53:57.0000000Z","s":"x","i":5,"l@odata.type":"Edm.Int64","l":"1099511627776","d@odata.type":"Edm.Double","d":5.0,"b@odata.type":"Edm.Binary","b":"AP8=","g@odata.type":"Edm.Guid","g":"00000000-0000-0000-0000-000000000005","t@odata.type":"Edm.DateTime","t":"2026-01-31T12:00:00.1234560Z","yes":true}
            GET /devstoreaccount1/Trips(PartitionKey='it%27%27s',RowKey='r%20%C3%B6')?$select=s%2Ci
              200 {"odata.metadata":"http://127.0.0.1:18002/devstoreaccount1/$metadata#Trips/@Element","odata.etag":"W/\"datetime'2026-11-22T13%3A53%3A57.0000000Z'\"","s":"x","i":5}
            PATCH /devstoreaccount1/Trips(PartitionKey='it%27%27s',RowKey='r%20%C3%B6')
              204 
            PUT /devstoreaccount1/Trips(PartitionKey='it%27%27s',RowKey='r%20%C3%B6')
              204 
            PATCH /devstoreaccount1/Trips(PartitionKey='it%27%27s',RowKey='r%20%C3%B6')
              204 
            GET /devstoreaccount1/Trips(PartitionKey='it%27%27s',RowKey='r%20%C3%B6')
              200 {"odata.metadata":"http://127.0.0.1:18002/devstoreaccount1/$metadata#Trips/@Element","odata.etag":"W/\"datetime'2026-11-22T13%3A53%3A57.0000003Z'\"","PartitionKey":"it's","RowKey":"r ö","Timestamp":"2026-11-22T13:53:57.0000003Z","s":"x","i":5,"l@odata.type":"Edm.Int64","l":"1099511627776","d@odata.type":"Edm.Double","d":5.0,"b@odata.type":"Edm.Binary","b":"AP8=","g@odata.type":"Edm.Guid","g":"00000000-0000-0000-0000-000000000005","t@odata.type":"Edm.DateTime","t":"2026-01-31T12:00:00.1234560Z","yes":true}
            PUT /devstoreaccount1/Trips(PartitionKey='p',RowKey='r')
              404 {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"The specified resource does not exist."}}}
            GET /devstoreaccount1/Trips()?$top=2&$select=s%2Ci&$filter=PartitionKey%20eq%20%27it%27%27s%27%20and%20i%20ge%205
              200 {"odata.metadata":"http://127.0.0.1:18002/devstoreaccount1/$metadata#Trips","value":[{"odata.etag":"W/\"datetime'2026-11-22T13%3A53%3A57.0000003Z'\"","s":"x","i":5}]}
            POST /devstoreaccount1/$batch
              202 --batchresponse_00000000-0000-4000-8000-00000000000d
                Content-Type: multipart/mixed; boundary=changesetresponse_00000000-0000-4000-8000-00000000000d
    
                --changesetresponse_00000000-0000-4000-8000-00000000000d
                Content-Type: application/http
                Content-Transfer-Encoding: binary
    
                HTTP/1.1 400 Bad Request
                X-Content-Type-Options: nosniff
                Cache-Control: no-cache
                DataServiceVersion: 3.0;
                content-type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8
                x-ms-error-code: InvalidDuplicateRow
    
                {"odata.error":{"code":"InvalidDuplicateRow","message":{"lang":"en-US","value":"2:The batch request contains multiple changes with same row key. An entity can appear only once in a batch request."}}}
                --changesetresponse_00000000-0000-4000-8000-00000000000d--
                --batchresponse_00000000-0000-4000-8000-00000000000d--
            POST /devstoreaccount1/$batch
              202 --batchresponse_00000000-0000-4000-8000-00000000000e
                Content-Type: multipart/mixed; boundary=changesetresponse_00000000-0000-4000-8000-00000000000e
    
                --changesetresponse_00000000-0000-4000-8000-00000000000e
                Content-Type: application/http
                Content-Transfer-Encoding: binary
    
                HTTP/1.1 201 Created
                X-Content-Type-Options: nosniff
                Cache-Control: no-cache
                DataServiceVersion: 3.0;
                content-type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8
                location: http://127.0.0.1:18002/devstoreaccount1/Trips(PartitionKey='p',RowKey='9')
                ETag: W/"datetime'2026-11-22T13%3A53%3A57.0000005Z'"
    
                {"odata.metadata":"http://127.0.0.1:18002/devstoreaccount1/$metadata#Trips/@Element","odata.etag":"W/\"datetime'2026-11-22T13%3A53%3A57.0000005Z'\"","PartitionKey":"p","RowKey":"9","Timestamp":"2026-11-22T13:53:57.0000005Z","n":1}
                --changesetresponse_00000000-0000-4000-8000-00000000000e
                Content-Type: application/http
                Content-Transfer-Encoding: binary
    
                HTTP/1.1 201 Created
                X-Content-Type-Options: nosniff
                Cache-Control: no-cache
                DataServiceVersion: 3.0;
                content-type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8
                location: http://127.0.0.1:18002/devstoreaccount1/Trips(PartitionKey='p',RowKey='1')
                ETag: W/"datetime'2026-11-22T13%3A53%3A57.0000006Z'"
    
                {"odata.metadata":"http://127.0.0.1:18002/devstoreaccount1/$metadata#Trips/@Element","odata.etag":"W/\"datetime'2026-11-22T13%3A53%3A57.0000006Z'\"","PartitionKey":"p","RowKey":"1","Timestamp":"2026-11-22T13:53:57.0000006Z","n":1}
                --changesetresponse_00000000-0000-4000-8000-00000000000e--
                --batchresponse_00000000-0000-4000-8000-00000000000e--
            POST /devstoreaccount1/Trips
              409 {"odata.error":{"code":"EntityAlreadyExists","message":{"lang":"en-US","value":"The specified entity already exists."}}}
            POST /devstoreaccount1/Trips
              409 {"odata.error":{"code":"EntityAlreadyExists","message":{"lang":"en-US","value":"The specified entity already exists."}}}
            GET /devstoreaccount1/Trips(PartitionKey='p',RowKey='none')
              404 {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"The specified resource does not exist."}}}
            DELETE /devstoreaccount1/Trips(PartitionKey='it%27%27s',RowKey='r%20%C3%B6')
              204 
            PUT /devstoreaccount1/Trips?comp=acl
              204 
            GET /devstoreaccount1/Trips?comp=acl
              200 <?xml version="1.0" encoding="utf-8"?><SignedIdentifiers><SignedIdentifier><Id>a</Id><AccessPolicy><Start>2020-01-01T00:00:00Z</Start><Expiry>2030-01-01T00:00:00Z</Expiry><Permission>r</Permission></AccessPolicy></SignedIdentifier></SignedIdentifiers>
            GET /devstoreaccount1/?restype=service&comp=properties
              200 <?xml version="1.0" encoding="utf-8"?><StorageServiceProperties><Logging><Version>1.0</Version><Delete>false</Delete><Read>false</Read><Write>false</Write><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging><HourMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></HourMetrics><MinuteMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></MinuteMetrics><Cors /></StorageServiceProperties>
            PUT /devstoreaccount1/?restype=service&comp=properties
              202 
            GET /devstoreaccount1/Trips()?$filter=a%20%3D%201
              400 {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The filter is wrong at character 3: '=' has no meaning here."}}}
            DELETE /devstoreaccount1/Tables('Trips')
              204 
            POST /devstoreaccount1/Trips
              404 {"odata.error":{"code":"TableNotFound","message":{"lang":"en-US","value":"The table specified does not exist."}}}
        "#]],
    );
}

#[test]
fn javascript() {
    check(
        include_bytes!("../captured/javascript-azure-data-tables-13.1.2.http"),
        &expect![[r#"
            POST /devstoreaccount1/Tables
              201 {"TableName":"TripsJs","odata.metadata":"http://127.0.0.1:18003/devstoreaccount1/$metadata#Tables/@Element"}
            GET /devstoreaccount1/Tables
              200 {"odata.metadata":"http://127.0.0.1:18003/devstoreaccount1/$metadata#Tables","value":[{"TableName":"TripsJs"}]}
            POST /devstoreaccount1/TripsJs
              204 
            GET /devstoreaccount1/TripsJs(PartitionKey='it''s',RowKey='r%20%C3%B6')
              200 {"odata.metadata":"http://127.0.0.1:18003/devstoreaccount1/$metadata#TripsJs/@Element","odata.etag":"W/\"datetime'2026-11-22T13%3A53%3A57.0000000Z'\"","PartitionKey":"it's","RowKey":"r ö","Timestamp":"2026-11-22T13:53:57.0000000Z","s":"x","i":5,"l@odata.type":"Edm.Int64","l":"1099511627776","d@odata.type":"Edm.Double","d":5.5,"d5@odata.type":"Edm.Double","d5":5.0,"b@odata.type":"Edm.Binary","b":"AP8=","g@odata.type":"Edm.Guid","g":"0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10","t@odata.type":"Edm.DateTime","t":"2026-01-31T12:00:00.1230000Z","yes":true}
            PUT /devstoreaccount1/TripsJs(PartitionKey='it''s',RowKey='r%20%C3%B6')
              204 
            PATCH /devstoreaccount1/TripsJs(PartitionKey='it''s',RowKey='r%20%C3%B6')
              204 
            PATCH /devstoreaccount1/TripsJs(PartitionKey='it''s',RowKey='r%20%C3%B6')
              204 
            GET /devstoreaccount1/TripsJs(PartitionKey='it''s',RowKey='r%20%C3%B6')
              200 {"odata.metadata":"http://127.0.0.1:18003/devstoreaccount1/$metadata#TripsJs/@Element","odata.etag":"W/\"datetime'2026-11-22T13%3A53%3A57.0000003Z'\"","PartitionKey":"it's","RowKey":"r ö","Timestamp":"2026-11-22T13:53:57.0000003Z","s":"x","i":5,"l@odata.type":"Edm.Int64","l":"1099511627776","d@odata.type":"Edm.Double","d":5.5,"d5@odata.type":"Edm.Double","d5":5.0,"b@odata.type":"Edm.Binary","b":"AP8=","g@odata.type":"Edm.Guid","g":"0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10","t@odata.type":"Edm.DateTime","t":"2026-01-31T12:00:00.1230000Z","yes":true}
            PUT /devstoreaccount1/TripsJs(PartitionKey='it''s',RowKey='r%20%C3%B6')
              412 {"odata.error":{"code":"UpdateConditionNotSatisfied","message":{"lang":"en-US","value":"The update condition specified in the request was not satisfied."}}}
            PUT /devstoreaccount1/TripsJs(PartitionKey='it''s',RowKey='r%20%C3%B6')
              412 {"odata.error":{"code":"UpdateConditionNotSatisfied","message":{"lang":"en-US","value":"The update condition specified in the request was not satisfied."}}}
            GET /devstoreaccount1/TripsJs()?$select=s%2Ci&$filter=PartitionKey%20eq%20%27it%27%27s%27%20and%20i%20ge%205%20and%20l%20eq%201099511627776%20and%20yes%20eq%20true%20and%20t%20le%20datetime%272026-01-31T12%3A00%3A00.123Z%27
              400 {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The filter is wrong at character 45: '1099511627776' is no 32-bit whole number; write 123L for one of 64 bits, 1.5 for a fraction."}}}
            GET /devstoreaccount1/TripsJs()?$top=2
              200 {"odata.metadata":"http://127.0.0.1:18003/devstoreaccount1/$metadata#TripsJs","value":[{"odata.etag":"W/\"datetime'2026-11-22T13%3A53%3A57.0000003Z'\"","PartitionKey":"it's","RowKey":"r ö","Timestamp":"2026-11-22T13:53:57.0000003Z","s":"x","i":5,"l@odata.type":"Edm.Int64","l":"1099511627776","d@odata.type":"Edm.Double","d":5.5,"d5@odata.type":"Edm.Double","d5":5.0,"b@odata.type":"Edm.Binary","b":"AP8=","g@odata.type":"Edm.Guid","g":"0b8f3e0e-79f3-4f3c-8e5c-4b1a2f8a9d10","t@odata.type":"Edm.DateTime","t":"2026-01-31T12:00:00.1230000Z","yes":true}]}
            POST /devstoreaccount1/$batch
              202 --batchresponse_00000000-0000-4000-8000-00000000000d
                Content-Type: multipart/mixed; boundary=changesetresponse_00000000-0000-4000-8000-00000000000d
    
                --changesetresponse_00000000-0000-4000-8000-00000000000d
                Content-Type: application/http
                Content-Transfer-Encoding: binary
    
                HTTP/1.1 404 Not Found
                X-Content-Type-Options: nosniff
                Cache-Control: no-cache
                DataServiceVersion: 3.0;
                content-type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8
                x-ms-error-code: ResourceNotFound
    
                {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"2:The specified resource does not exist."}}}
                --changesetresponse_00000000-0000-4000-8000-00000000000d--
                --batchresponse_00000000-0000-4000-8000-00000000000d--
            POST /devstoreaccount1/$batch
              202 --batchresponse_00000000-0000-4000-8000-00000000000e
                Content-Type: multipart/mixed; boundary=changesetresponse_00000000-0000-4000-8000-00000000000e
    
                --changesetresponse_00000000-0000-4000-8000-00000000000e
                Content-Type: application/http
                Content-Transfer-Encoding: binary
    
                HTTP/1.1 404 Not Found
                X-Content-Type-Options: nosniff
                Cache-Control: no-cache
                DataServiceVersion: 3.0;
                content-type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8
                x-ms-error-code: ResourceNotFound
    
                {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"1:The specified resource does not exist."}}}
                --changesetresponse_00000000-0000-4000-8000-00000000000e--
                --batchresponse_00000000-0000-4000-8000-00000000000e--
            POST /devstoreaccount1/$batch
              202 --batchresponse_00000000-0000-4000-8000-00000000000f
                Content-Type: multipart/mixed; boundary=changesetresponse_00000000-0000-4000-8000-00000000000f
    
                --changesetresponse_00000000-0000-4000-8000-00000000000f
                Content-Type: application/http
                Content-Transfer-Encoding: binary
    
                HTTP/1.1 404 Not Found
                X-Content-Type-Options: nosniff
                Cache-Control: no-cache
                DataServiceVersion: 3.0;
                content-type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8
                x-ms-error-code: ResourceNotFound
    
                {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"1:The specified resource does not exist."}}}
                --changesetresponse_00000000-0000-4000-8000-00000000000f--
                --batchresponse_00000000-0000-4000-8000-00000000000f--
            DELETE /devstoreaccount1/TripsJs(PartitionKey='it''s',RowKey='r%20%C3%B6')
              204 
            DELETE /devstoreaccount1/TripsJs(PartitionKey='it''s',RowKey='r%20%C3%B6')
              404 {"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"The specified resource does not exist."}}}
            PUT /devstoreaccount1/TripsJs?comp=acl
              204 
            GET /devstoreaccount1/TripsJs?comp=acl
              200 <?xml version="1.0" encoding="utf-8"?><SignedIdentifiers><SignedIdentifier><Id>a</Id><AccessPolicy><Start>1970-01-01T00:00:00Z</Start><Expiry>2001-09-09T01:46:40Z</Expiry><Permission>r</Permission></AccessPolicy></SignedIdentifier></SignedIdentifiers>
            GET /devstoreaccount1/?restype=service&comp=properties
              200 <?xml version="1.0" encoding="utf-8"?><StorageServiceProperties><Logging><Version>1.0</Version><Delete>false</Delete><Read>false</Read><Write>false</Write><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging><HourMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></HourMetrics><MinuteMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></MinuteMetrics><Cors /></StorageServiceProperties>
            GET /devstoreaccount1/?restype=service&comp=stats
              400 {"odata.error":{"code":"InvalidQueryParameterValue","message":{"lang":"en-US","value":"Value for one of the query parameters specified in the request URI is invalid. Statistics are at the secondary location: the account's name with '-secondary'.\nQueryParameterName:comp\nQueryParameterValue:stats"}}}
            DELETE /devstoreaccount1/Tables('TripsJs')
              204 
        "#]],
    );
}
