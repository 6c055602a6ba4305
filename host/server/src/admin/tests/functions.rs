//! Records of functions, and running them by hand.

use super::check;
use super::world::{body, trips};
use crate::shutdown::Stop;
use expect_test::expect;
use http::Request;
use http_body_util::BodyExt;

#[tokio::test]
async fn functions_are_described_as_in_azure() {
    let (admin, _background) = trips();
    let request = Request::builder().uri("/admin/functions").header("host", "h:1").body(body("")).expect("a request");
    let bytes = admin.handle(request).await.into_body().collect().await.expect("a whole body").to_bytes();
    let records: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let records: Vec<String> = records.as_array().expect("a list").iter().map(ToString::to_string).collect();
    expect![[r#"
        {"config":{"bindings":[{"authLevel":"function","direction":"in","methods":["GET","POST"],"name":"trigger","route":"trips","type":"httpTrigger"}],"disabled":false,"name":"StartTrip"},"config_href":null,"files":null,"href":"http://h:1/admin/functions/StartTrip","invoke_url_template":"http://h:1/api/trips","isDirect":false,"isDisabled":false,"isProxy":false,"language":"wasm","name":"StartTrip","script_href":null,"script_root_path_href":null,"test_data":null,"test_data_href":null}
        {"config":{"bindings":[{"authLevel":"anonymous","direction":"in","methods":["GET"],"name":"trigger","route":"trips/{id:int}","type":"httpTrigger"}],"disabled":true,"name":"ShowTrip"},"config_href":null,"files":null,"href":"http://h:1/admin/functions/ShowTrip","invoke_url_template":"http://h:1/api/trips/{id:int}","isDirect":false,"isDisabled":true,"isProxy":false,"language":"wasm","name":"ShowTrip","script_href":null,"script_root_path_href":null,"test_data":null,"test_data_href":null}
        {"config":{"bindings":[{"connection":"AzureWebJobsStorage","direction":"in","name":"trigger","queueName":"trip-requests","type":"queueTrigger"},{"connection":"AzureWebJobsStorage","direction":"in","name":"traveller","partitionKey":"all","rowKey":"{name}","tableName":"Travellers","type":"table"},{"connection":"AzureWebJobsStorage","direction":"out","name":"receipts","queueName":"receipts","type":"queue"},{"connection":"AzureWebJobsStorage","direction":"out","mode":"merge","name":"trips","tableName":"Trips","type":"table"}],"disabled":false,"name":"AcceptTrip"},"config_href":null,"files":null,"href":"http://h:1/admin/functions/AcceptTrip","invoke_url_template":null,"isDirect":false,"isDisabled":false,"isProxy":false,"language":"wasm","name":"AcceptTrip","script_href":null,"script_root_path_href":null,"test_data":null,"test_data_href":null}
        {"config":{"bindings":[{"connection":"AzureWebJobsStorage","direction":"in","name":"trigger","queueName":"trip-requests-poison","type":"queueTrigger"},{"connection":"AzureWebJobsStorage","direction":"out","name":"receipts","queueName":"receipts","type":"queue"}],"disabled":false,"name":"RefuseTrip"},"config_href":null,"files":null,"href":"http://h:1/admin/functions/RefuseTrip","invoke_url_template":null,"isDirect":false,"isDisabled":false,"isProxy":false,"language":"wasm","name":"RefuseTrip","script_href":null,"script_root_path_href":null,"test_data":null,"test_data_href":null}
        {"config":{"bindings":[{"catchUp":"one","direction":"in","name":"trigger","runOnStartup":false,"schedule":"0 0 3 * * *","type":"timerTrigger","useMonitor":true},{"direction":"out","name":"$return","type":"durableClient"}],"disabled":true,"name":"NightlyReport","retry":{"maxRetryCount":3,"maximumInterval":"02:00:00","minimumInterval":"00:00:01","strategy":"exponentialBackoff"}},"config_href":null,"files":null,"href":"http://h:1/admin/functions/NightlyReport","invoke_url_template":null,"isDirect":false,"isDisabled":true,"isProxy":false,"language":"wasm","name":"NightlyReport","script_href":null,"script_root_path_href":null,"test_data":null,"test_data_href":null}
        {"config":{"bindings":[{"direction":"in","name":"trigger","type":"activityTrigger"}],"disabled":false,"name":"BookTrip"},"config_href":null,"files":null,"href":"http://h:1/admin/functions/BookTrip","invoke_url_template":null,"isDirect":false,"isDisabled":false,"isProxy":false,"language":"wasm","name":"BookTrip","script_href":null,"script_root_path_href":null,"test_data":null,"test_data_href":null}
        {"config":{"bindings":[{"direction":"in","name":"trigger","type":"orchestrationTrigger"}],"disabled":false,"name":"Trip"},"config_href":null,"files":null,"href":"http://h:1/admin/functions/Trip","invoke_url_template":null,"isDirect":false,"isDisabled":false,"isProxy":false,"language":"wasm","name":"Trip","script_href":null,"script_root_path_href":null,"test_data":null,"test_data_href":null}
        {"config":{"bindings":[{"direction":"in","name":"trigger","type":"entityTrigger"}],"disabled":false,"name":"Stock"},"config_href":null,"files":null,"href":"http://h:1/admin/functions/Stock","invoke_url_template":null,"isDirect":false,"isDisabled":false,"isProxy":false,"language":"wasm","name":"Stock","script_href":null,"script_root_path_href":null,"test_data":null,"test_data_href":null}"#]].assert_eq(&records.join("\n"));
    check(
        "GET /admin/functions/starttrip
         GET /admin/functions/StartTrip/status
         GET /admin/functions/Unknown
         GET /admin/functions/Unknown/status
         PUT /admin/functions/StartTrip
         DELETE /admin/functions/StartTrip",
        &expect![[r#"
            GET /admin/functions/starttrip
              200 {"name":"StartTrip","script_root_path_href":null,"script_href":null,"config_href":null,"test_data_href":null,"href":"http://h:1/admin/functions/StartTrip","invoke_url_template":"http://h:1/api/trips","language":"wasm","config":{"bindings":[{"authLevel":"function","direction":"in","methods":["GET","POST"],"name":"trigger","route":"trips","type":"httpTrigger"}],"disabled":false,"name":"StartTrip"},"files":null,"test_data":null,"isDisabled":false,"isDirect":false,"isProxy":false}
            GET /admin/functions/StartTrip/status
              200 {"errors":[]}
            GET /admin/functions/Unknown
              404
            GET /admin/functions/Unknown/status
              404
            PUT /admin/functions/StartTrip
              404
            DELETE /admin/functions/StartTrip
              404"#]],
    )
    .await;
}

#[tokio::test]
async fn whoever_does_not_wait_learns_that_it_was_taken() {
    check(
        r#"POST /admin/functions/AcceptTrip {"input": "{\"name\": \"Ada\"}"}
           POST /admin/functions/NightlyReport {}
           POST /admin/functions/NightlyReport
           POST /admin/functions/StartTrip {"input": "a"}
           POST /admin/functions/ShowTrip {"path": "/api/trips/1"}
           POST /admin/functions/BookTrip {"input": "a"}
           POST /admin/functions/Trip {"input": "a"}
           POST /admin/functions/Stock {"input": "a"}
           POST /admin/functions/Unknown {"input": "a"}"#,
        &expect![[r#"
            POST /admin/functions/AcceptTrip {"input": "{\"name\": \"Ada\"}"}
              202
            POST /admin/functions/NightlyReport {}
              202
            POST /admin/functions/NightlyReport
              202
            POST /admin/functions/StartTrip {"input": "a"}
              202
            POST /admin/functions/ShowTrip {"path": "/api/trips/1"}
              202
            POST /admin/functions/BookTrip {"input": "a"}
              202
            POST /admin/functions/Trip {"input": "a"}
              202 null
            POST /admin/functions/Stock {"input": "a"}
              400 'Stock' is an entity, which runs when it is signalled: POST /runtime/webhooks/durabletask/entities/Stock/<key>?op=<operation> with the operation's input as JSON
            POST /admin/functions/Unknown {"input": "a"}
              404"#]],
    )
    .await;
}

#[tokio::test]
async fn whoever_waits_learns_what_came_of_it() {
    check(
        r#"POST /admin/functions/AcceptTrip?wait=1 {"input": "{\"name\": \"Ada\"}"}
           POST /admin/functions/AcceptTrip?wait=true {"input": {"name": "Ada"}}
           POST /admin/functions/AcceptTrip?wait=1 {"input": "no name"}
           POST /admin/functions/RefuseTrip?wait=1 {"input": "plain"}
           POST /admin/functions/RefuseTrip?wait=1 {"input": "fail"}
           POST /admin/functions/RefuseTrip?wait=1
           POST /admin/functions/NightlyReport?wait=1 {}
           POST /admin/functions/BookTrip?wait=1 {"input": "Ada"}
           POST /admin/functions/BookTrip?wait=1 {"input": "{\"seats\": 1.50}"}
           POST /admin/functions/BookTrip?wait=1 {"input": {"seats": 1.50}}
           POST /admin/functions/BookTrip?wait=1
           POST /admin/functions/BookTrip?wait=1 {"input": "fail"}
           POST /admin/functions/Trip?wait=1 {"input": [1]}"#,
        &expect![[r#"
            POST /admin/functions/AcceptTrip?wait=1 {"input": "{\"name\": \"Ada\"}"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000002","outcome":"Succeeded","returned":"{\"name\": \"Ada\"}","outputs":{"receipts":[1,"two"]},"durationMs":0}
            POST /admin/functions/AcceptTrip?wait=true {"input": {"name": "Ada"}}
              200 {"invocationId":"00000000-0000-4000-8000-000000000004","outcome":"Succeeded","returned":"{\"name\": \"Ada\"}","outputs":{"receipts":[1,"two"]},"durationMs":0}
            POST /admin/functions/AcceptTrip?wait=1 {"input": "no name"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000006","outcome":"Failed","outputs":{},"error":"binding 'traveller': the binding expression '{name}' cannot be filled in: {name}: there is no `name`; there is: queueTrigger, id, dequeueCount, insertionTime, expirationTime, nextVisibleTime, popReceipt","durationMs":0}
            POST /admin/functions/RefuseTrip?wait=1 {"input": "plain"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000008","outcome":"Succeeded","returned":"plain","outputs":{"receipts":[1,"two"]},"durationMs":0}
            POST /admin/functions/RefuseTrip?wait=1 {"input": "fail"}
              200 {"invocationId":"00000000-0000-4000-8000-00000000000a","outcome":"Failed","outputs":{},"error":"TripError: no seats left","durationMs":0}
            POST /admin/functions/RefuseTrip?wait=1
              200 {"invocationId":"00000000-0000-4000-8000-00000000000c","outcome":"Succeeded","returned":"","outputs":{"receipts":[1,"two"]},"durationMs":0}
            POST /admin/functions/NightlyReport?wait=1 {}
              200 {"invocationId":"00000000-0000-4000-8000-000000000001","outcome":"Failed","outputs":{},"error":"output '$return' does not take the value {\"name\": \"Trip\", \"instanceId\": \"at-2024-01-01T12:00:00.1230000Z\", \"input\": false}: no orchestration starts here, and not Trip","durationMs":0}
            POST /admin/functions/BookTrip?wait=1 {"input": "Ada"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000001","outcome":"Succeeded","returned":[1, "Ada"],"outputs":{},"durationMs":0}
            POST /admin/functions/BookTrip?wait=1 {"input": "{\"seats\": 1.50}"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000003","outcome":"Succeeded","returned":[1, {"seats": 1.50}],"outputs":{},"durationMs":0}
            POST /admin/functions/BookTrip?wait=1 {"input": {"seats": 1.50}}
              200 {"invocationId":"00000000-0000-4000-8000-000000000005","outcome":"Succeeded","returned":[1, {"seats": 1.50}],"outputs":{},"durationMs":0}
            POST /admin/functions/BookTrip?wait=1
              200 {"invocationId":"00000000-0000-4000-8000-000000000007","outcome":"Succeeded","returned":[1, null],"outputs":{},"durationMs":0}
            POST /admin/functions/BookTrip?wait=1 {"input": "fail"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000009","outcome":"Failed","outputs":{},"error":"TripError: no seats left","durationMs":0}
            POST /admin/functions/Trip?wait=1 {"input": [1]}
              200 {"outcome":"Succeeded","returned":null,"outputs":{},"durationMs":0}"#]],
    )
    .await;
}

#[tokio::test]
async fn http_functions_are_called_on_their_routes() {
    check(
        r#"POST /admin/functions/StartTrip?wait=1 {"input": "plain text"}
           POST /admin/functions/StartTrip?wait=1 {"input": "{\"name\": \"Ada\"}"}
           POST /admin/functions/StartTrip?wait=1 {"input": {"name": "Ada"}}
           POST /admin/functions/StartTrip?wait=1
           POST /admin/functions/StartTrip?wait=1 {"input": "fail"}
           POST /admin/functions/StartTrip?wait=1 {"input": "binary"}
           POST /admin/functions/StartTrip?wait=1 {"method": "GET", "path": "/api/trips?class=first"}
           POST /admin/functions/ShowTrip?wait=1 {"path": "/api/trips/7"}
           POST /admin/functions/ShowTrip?wait=1 {"path": "/elsewhere"}
           POST /admin/functions/ShowTrip?wait=1
           POST /admin/functions/ShowTrip?wait=1 {"path": "api/trips/7"}
           POST /admin/functions/ShowTrip?wait=1 {"path": "/a b"}
           POST /admin/functions/ShowTrip?wait=1 {"path": "/api/trips/7", "method": "no method"}"#,
        &expect![[r#"
            POST /admin/functions/StartTrip?wait=1 {"input": "plain text"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000001","outcome":"Succeeded","outputs":{},"response":{"status":200,"headers":[["content-length","66"],["x-ms-invocation-id","00000000-0000-4000-8000-000000000001"]],"body":"POST http://h:1/api/trips [] text/plain; charset=utf-8: plain text","isTruncated":false},"durationMs":0}
            POST /admin/functions/StartTrip?wait=1 {"input": "{\"name\": \"Ada\"}"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000002","outcome":"Succeeded","outputs":{},"response":{"status":200,"headers":[["content-length","62"],["x-ms-invocation-id","00000000-0000-4000-8000-000000000002"]],"body":"POST http://h:1/api/trips [] application/json: {\"name\": \"Ada\"}","isTruncated":false},"durationMs":0}
            POST /admin/functions/StartTrip?wait=1 {"input": {"name": "Ada"}}
              200 {"invocationId":"00000000-0000-4000-8000-000000000003","outcome":"Succeeded","outputs":{},"response":{"status":200,"headers":[["content-length","62"],["x-ms-invocation-id","00000000-0000-4000-8000-000000000003"]],"body":"POST http://h:1/api/trips [] application/json: {\"name\": \"Ada\"}","isTruncated":false},"durationMs":0}
            POST /admin/functions/StartTrip?wait=1
              200 {"invocationId":"00000000-0000-4000-8000-000000000004","outcome":"Succeeded","outputs":{},"response":{"status":200,"headers":[["content-length","38"],["x-ms-invocation-id","00000000-0000-4000-8000-000000000004"]],"body":"POST http://h:1/api/trips [] nothing: ","isTruncated":false},"durationMs":0}
            POST /admin/functions/StartTrip?wait=1 {"input": "fail"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000005","outcome":"Failed","outputs":{},"response":{"status":503,"headers":[["content-length","60"],["x-ms-invocation-id","00000000-0000-4000-8000-000000000005"]],"body":"POST http://h:1/api/trips [] text/plain; charset=utf-8: fail","isTruncated":false},"error":"the function answered 503 Service Unavailable","durationMs":0}
            POST /admin/functions/StartTrip?wait=1 {"input": "binary"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000006","outcome":"Succeeded","outputs":{},"response":{"status":200,"headers":[["content-length","2"],["x-ms-invocation-id","00000000-0000-4000-8000-000000000006"]],"bodyBase64":"AP8=","isTruncated":false},"durationMs":0}
            POST /admin/functions/StartTrip?wait=1 {"method": "GET", "path": "/api/trips?class=first"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000007","outcome":"Succeeded","outputs":{},"response":{"status":200,"headers":[["content-length","49"],["x-ms-invocation-id","00000000-0000-4000-8000-000000000007"]],"body":"GET http://h:1/api/trips?class=first [] nothing: ","isTruncated":false},"durationMs":0}
            POST /admin/functions/ShowTrip?wait=1 {"path": "/api/trips/7"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000008","outcome":"Succeeded","outputs":{},"response":{"status":200,"headers":[["content-length","50"],["x-ms-invocation-id","00000000-0000-4000-8000-000000000008"]],"body":"GET http://h:1/api/trips/7 [(\"id\", \"7\")] nothing: ","isTruncated":false},"durationMs":0}
            POST /admin/functions/ShowTrip?wait=1 {"path": "/elsewhere"}
              200 {"invocationId":"00000000-0000-4000-8000-000000000009","outcome":"Succeeded","outputs":{},"response":{"status":200,"headers":[["content-length","37"],["x-ms-invocation-id","00000000-0000-4000-8000-000000000009"]],"body":"GET http://h:1/elsewhere [] nothing: ","isTruncated":false},"durationMs":0}
            POST /admin/functions/ShowTrip?wait=1
              400 the route /api/trips/{id:int} has parameters: say which path is meant, as "path" beside "input"
            POST /admin/functions/ShowTrip?wait=1 {"path": "api/trips/7"}
              400 the path "api/trips/7" does not begin with a slash
            POST /admin/functions/ShowTrip?wait=1 {"path": "/a b"}
              400 the path "/a b" cannot stand in a URL: invalid uri character
            POST /admin/functions/ShowTrip?wait=1 {"path": "/api/trips/7", "method": "no method"}
              400 "no method" is no HTTP method"#]],
    )
    .await;
}

#[tokio::test]
async fn bodies_that_make_no_sense_are_refused() {
    check(
        r#"POST /admin/functions/BookTrip ada
           POST /admin/functions/BookTrip {"input":
           POST /admin/functions/BookTrip []
           POST /admin/functions/BookTrip "ada"
           POST /admin/functions/BookTrip {"input": 1, "input": 2}
           POST /admin/functions/BookTrip {"input": 1, "path": 2}
           POST /admin/functions/BookTrip?wait=1 {"input": null, "other": 2}"#,
        &expect![[r#"
            POST /admin/functions/BookTrip ada
              400 the body is not JSON of the shape {"input": ...}, in which the input is text or any JSON: it is no object
            POST /admin/functions/BookTrip {"input":
              400 the body is not JSON of the shape {"input": ...}, in which the input is text or any JSON: EOF while parsing a value at line 1 column 9
            POST /admin/functions/BookTrip []
              400 the body is not JSON of the shape {"input": ...}, in which the input is text or any JSON: it is no object
            POST /admin/functions/BookTrip "ada"
              400 the body is not JSON of the shape {"input": ...}, in which the input is text or any JSON: it is no object
            POST /admin/functions/BookTrip {"input": 1, "input": 2}
              400 the body is not JSON of the shape {"input": ...}, in which the input is text or any JSON: duplicate field `input` at line 1 column 20
            POST /admin/functions/BookTrip {"input": 1, "path": 2}
              400 the body is not JSON of the shape {"input": ...}, in which the input is text or any JSON: invalid type: integer `2`, expected a string at line 1 column 22
            POST /admin/functions/BookTrip?wait=1 {"input": null, "other": 2}
              200 {"invocationId":"00000000-0000-4000-8000-000000000001","outcome":"Succeeded","returned":[1, null],"outputs":{},"durationMs":0}"#]],
    )
    .await;
}

#[tokio::test]
async fn what_was_promised_is_done_although_the_host_ends() {
    let (admin, background) = trips();
    let (stop, stopping) = Stop::new();
    let request = |path: &str| Request::post(path).header("host", "h").body(body("{}")).expect("a request");
    assert_eq!(admin.handle(request("/admin/functions/StartTrip")).await.status(), 202);
    stop.ask();
    background.run(stopping).await;
    assert_eq!(admin.handle(request("/admin/functions/StartTrip")).await.status(), 503);
    assert_eq!(admin.handle(request("/admin/functions/StartTrip?wait=1")).await.status(), 503);
}
