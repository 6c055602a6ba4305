//! Queries: filters, selections, pages and where they go on.

use super::{check_filled, filled, send};
use crate::tests::world::World;
use expect_test::expect;

#[test]
fn queries_filter_select_and_go_on() {
    check_filled(
        "GET ~/Trips()?$top=2\n---\n\
         GET ~/Trips()?$top=2&NextPartitionKey=1!2!cA&NextRowKey=1!2!Mw\naccept: application/json;odata=nometadata\n---\n\
         GET ~/Trips?$filter=n%20gt%201%20and%20not%20(RowKey%20eq%20'3')&$select=n,RowKey\n---\n\
         GET ~/Trips()?$filter=city%20eq%20'Oslo'&$select=*\naccept: application/json;odata=fullmetadata\n---\n\
         GET ~/Trips()?$filter=&$select=\naccept: application/json;odata=nometadata\n---\n\
         GET ~/Trips()?$filter=n%20=%201\n---\n\
         GET ~/Trips()?$top=1001\n---\n\
         GET ~/Trips()?$top=0\n---\n\
         GET ~/Trips()?NextPartitionKey=cA\n---\n\
         GET ~/Nowhere()\n",
        &expect![[r#"
            200
            x-ms-continuation-nextpartitionkey: 1!2!cA
            x-ms-continuation-nextrowkey: 1!2!Mw
            {"odata.metadata":"http://127.0.0.1:10001/devstoreaccount1/$metadata#Trips","value":[{"odata.etag":"W/\"datetime'2026-11-22T12%3A00%3A00.0000000Z'\"","PartitionKey":"p","RowKey":"1","Timestamp":"2026-11-22T12:00:00.0000000Z","n":1,"city":"Oslo"},{"odata.etag":"W/\"datetime'2026-11-22T12%3A00%3A00.0000001Z'\"","PartitionKey":"p","RowKey":"2","Timestamp":"2026-11-22T12:00:00.0000001Z","n":2}]}
            ---
            200
            {"value":[{"PartitionKey":"p","RowKey":"3","Timestamp":"2026-11-22T12:00:00.0000002Z","n":3}]}
            ---
            200
            {"odata.metadata":"http://127.0.0.1:10001/devstoreaccount1/$metadata#Trips","value":[{"odata.etag":"W/\"datetime'2026-11-22T12%3A00%3A00.0000001Z'\"","RowKey":"2","n":2}]}
            ---
            200
            {"odata.metadata":"http://127.0.0.1:10001/devstoreaccount1/$metadata#Trips","value":[{"odata.type":"devstoreaccount1.Trips","odata.id":"http://127.0.0.1:10001/devstoreaccount1/Trips(PartitionKey='p',RowKey='1')","odata.etag":"W/\"datetime'2026-11-22T12%3A00%3A00.0000000Z'\"","odata.editLink":"Trips(PartitionKey='p',RowKey='1')","PartitionKey":"p","RowKey":"1","Timestamp@odata.type":"Edm.DateTime","Timestamp":"2026-11-22T12:00:00.0000000Z","n":1,"city":"Oslo"}]}
            ---
            200
            {"value":[{"PartitionKey":"p","RowKey":"1","Timestamp":"2026-11-22T12:00:00.0000000Z","n":1,"city":"Oslo"},{"PartitionKey":"p","RowKey":"2","Timestamp":"2026-11-22T12:00:00.0000001Z","n":2},{"PartitionKey":"p","RowKey":"3","Timestamp":"2026-11-22T12:00:00.0000002Z","n":3}]}
            ---
            400
            x-ms-error-code: InvalidInput
            {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. The filter is wrong at character 3: '=' has no meaning here."}}}
            ---
            400
            x-ms-error-code: InvalidInput
            {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. $top is a number from 1 to 1000, and this is '1001'."}}}
            ---
            400
            x-ms-error-code: InvalidInput
            {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. $top is a number from 1 to 1000, and this is '0'."}}}
            ---
            400
            x-ms-error-code: InvalidInput
            {"odata.error":{"code":"InvalidInput","message":{"lang":"en-US","value":"One of the request inputs is not valid. NextPartitionKey is no continuation of a list: 'cA'. Send back what the x-ms-continuation header said."}}}
            ---
            404
            x-ms-error-code: TableNotFound
            {"odata.error":{"code":"TableNotFound","message":{"lang":"en-US","value":"The table specified does not exist."}}}
        "#]],
    );
}

#[test]
fn pages_go_on_at_any_key() {
    let world = World::new();
    send(&world, "POST ~/Tables\n\n{\"TableName\":\"Keys\"}\n");
    let keys = ["", "!", "it's", "p", "r ö", "\u{1F600}", "\u{FFFD}"];
    for key in keys {
        let entity = format!("{{\"PartitionKey\":\"{key}\",\"RowKey\":\"{key}\"}}");
        let seen = send(&world, &format!("POST ~/Keys\nprefer: return-no-content\n\n{entity}\n"));
        assert!(seen.starts_with("204\n"), "{seen}");
    }
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let path = format!("~/Keys()?$top=1&$select=RowKey{token}");
        let page = send(&world, &format!("GET {path}\naccept: application/json;odata=nometadata\n"));
        let header =
            |name: &str| page.lines().find_map(|line| line.strip_prefix(&format!("x-ms-continuation-next{name}: ")));
        let (_, key) = page.split_once("\"RowKey\":\"").unwrap();
        seen.push(key.split('"').next().unwrap().to_owned());
        let (Some(partition), Some(row)) = (header("partitionkey"), header("rowkey")) else {
            break;
        };
        token = format!("&NextPartitionKey={partition}&NextRowKey={row}");
    }
    assert_eq!(seen, keys);
}

#[test]
fn a_page_can_be_empty_although_there_is_more() {
    let world = filled();
    for row in 10..22 {
        let entity = format!("{{\"PartitionKey\":\"q\",\"RowKey\":\"{row}\",\"n\":{row}}}");
        send(&world, &format!("POST ~/Trips\n\n{entity}\n"));
    }
    let query = "GET ~/Trips()?$filter=n%20eq%2021&$select=n";
    let nometadata = "accept: application/json;odata=nometadata";
    let seen = send(
        &world,
        &format!("{query}\n{nometadata}\n---\n{query}&NextPartitionKey=1!2!cQ&NextRowKey=1!3!MTc\n{nometadata}\n"),
    );
    expect![[r#"
        200
        x-ms-continuation-nextpartitionkey: 1!2!cQ
        x-ms-continuation-nextrowkey: 1!3!MTc
        {"value":[]}
        ---
        200
        {"value":[{"n":21}]}
    "#]]
    .assert_eq(&seen);
}

#[test]
fn tokens_that_nobody_gave_out_are_refused() {
    for token in ["", "1!0", "1!1!", "2!0!", "1!2!c=", "1!1!_", "1!3!__8"] {
        let seen = send(&filled(), &format!("GET ~/Trips()?NextPartitionKey={token}\n"));
        assert!(seen.contains("NextPartitionKey is no continuation"), "{token}: {seen}");
    }
}
