//! Bindings of one function: what is read for it, what its values come to, and what they must not be.

use super::{BindingData, FunctionBindings, Produced};
use crate::world::{OUTSIDE, World, function};
use expect_test::{Expect, expect};
use manifest::expression::Expression;
use manifest::settings::MessageEncoding;
use manifest::{
    Connection, Function, InputBinding, InputSource, OutputBinding, OutputTarget, QueueOutput, RETURN_BINDING,
    TableInput, TableMode, TableOutput, Trigger,
};
use orchestration::Json;
use ports::{Clock, EffectStore, Ran};
use proptest::prelude::{ProptestConfig, any, proptest};
use std::sync::Arc;

fn expression(text: &str) -> Expression {
    Expression::parse(text).expect("the test's expression is one")
}

fn input(table: &str, keys: [Option<&str>; 2], filter: Option<&str>, take: Option<u32>) -> Function {
    let [partition_key, row_key] = keys.map(|key| key.map(expression));
    let source = InputSource::Table(TableInput {
        table_name: expression(table),
        partition_key,
        row_key,
        filter: filter.map(expression),
        take,
        connection: Connection::default(),
    });
    let inputs = vec![InputBinding { name: "in".to_owned(), source }];
    Function { inputs, ..function("Work", Trigger::Orchestration) }
}

fn output(name: &str, target: OutputTarget) -> Function {
    let outputs = vec![OutputBinding { name: name.to_owned(), target }];
    Function { outputs, ..function("Work", Trigger::Orchestration) }
}

fn queue(name: &str, message_encoding: MessageEncoding) -> OutputTarget {
    let connection = Connection::default();
    OutputTarget::Queue(QueueOutput { queue_name: expression(name), message_encoding, connection })
}

fn table(name: &str, keys: [Option<&str>; 2], mode: TableMode) -> OutputTarget {
    let [partition_key, row_key] = keys.map(|key| key.map(expression));
    let connection = Connection::default();
    OutputTarget::Table(TableOutput { table_name: expression(name), partition_key, row_key, mode, connection })
}

fn data(world: &World) -> BindingData {
    BindingData::new("Work", world.clock.now(), Arc::<crate::world::Counted>::clone(&world.randomness))
        .with_metadata("id", "m1")
        .with_metadata("dequeueCount", 2)
        .with_payload(r#"{"Customer": "o'hara", "ID": "p7", "deep": {"er": 5}, "id": "shadowed by the exact name"}"#)
        .with_above("route", "above")
}

/// What a function's input comes to, with three entities in the table `Orders`.
fn check_input(function: &Function, expected: &Expect) {
    let world = World::new();
    for entity in [
        r#"{"PartitionKey":"o'hara","RowKey":"1","total":10,"big":"9007199254740993","big@odata.type":"Edm.Int64"}"#,
        r#"{"PartitionKey":"o'hara","RowKey":"2","total":20}"#,
        r#"{"PartitionKey":"smith","RowKey":"1","total":30,"paid":true}"#,
    ] {
        world.embedded.insert("Orders", entity);
    }
    let bindings = FunctionBindings::new(function, world.bindings.clone()).expect("all connections lead somewhere");
    let data = data(&world);
    let found = match world.run(bindings.read_inputs(&data)).expect("nothing waits") {
        Ok(values) => values.iter().map(|(name, value)| format!("{name} = {value}\n")).collect(),
        Err(error) => format!("{error}\n"),
    };
    expected.assert_eq(&found);
}

#[test]
fn an_entity_by_its_key_is_an_object_or_null() {
    check_input(
        &input("Orders", [Some("{customer}"), Some("1")], None, None),
        &expect![[r#"
        in = {"PartitionKey":"o'hara","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":10,"big":"9007199254740993"}
    "#]],
    );
    check_input(
        &input("Orders", [Some("{customer}"), Some("{deep.er}")], None, None),
        &expect![[r#"
        in = null
    "#]],
    );
    check_input(
        &input("Nothing", [Some("a"), Some("b")], None, None),
        &expect![[r#"
        in = null
    "#]],
    );
}

#[test]
fn entities_by_filter_are_an_array() {
    check_input(
        &input("Orders", [None, None], None, None),
        &expect![[r#"
        in = [{"PartitionKey":"o'hara","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":10,"big":"9007199254740993"},{"PartitionKey":"o'hara","RowKey":"2","Timestamp":"1970-01-01T00:00:00.0000000Z","total":20},{"PartitionKey":"smith","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":30,"paid":true}]
    "#]],
    );
    check_input(
        &input("Orders", [Some("{customer}"), None], Some("total gt 10"), None),
        &expect![[r#"
        in = [{"PartitionKey":"o'hara","RowKey":"2","Timestamp":"1970-01-01T00:00:00.0000000Z","total":20}]
    "#]],
    );
    check_input(
        &input("Orders", [None, None], Some("PartitionKey eq '{customer}'"), Some(1)),
        &expect![[r#"
        in = [{"PartitionKey":"o'hara","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":10,"big":"9007199254740993"}]
    "#]],
    );
    check_input(
        &input("Orders", [None, None], None, Some(3)),
        &expect![[r#"
        in = [{"PartitionKey":"o'hara","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":10,"big":"9007199254740993"},{"PartitionKey":"o'hara","RowKey":"2","Timestamp":"1970-01-01T00:00:00.0000000Z","total":20},{"PartitionKey":"smith","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","total":30,"paid":true}]
    "#]],
    );
    check_input(
        &input("Nothing", [None, None], None, None),
        &expect![[r#"
        in = []
    "#]],
    );
}

#[test]
fn an_input_that_cannot_be_read_says_why() {
    check_input(
        &input("{nobody}", [None, None], None, None),
        &expect![[r#"
        binding 'in': the binding expression '{nobody}' cannot be filled in: {nobody}: there is no `nobody`; there is: id, dequeueCount, Customer, deep, route
    "#]],
    );
    check_input(
        &input("{id}!", [None, None], None, None),
        &expect![[r#"
        binding 'in': the tableName '{id}!' came to 'shadowed by the exact name!': a table's name is made of letters and digits, and begins with a letter
    "#]],
    );
    check_input(
        &input("Orders", [None, None], Some("total gt"), None),
        &expect![[r#"
        binding 'in': the filter 'total gt' came to 'total gt': the filter is wrong at character 9: expected a property or a literal, found the end
    "#]],
    );
    check_input(
        &input("Orders", [None, None], Some("total gt {customer}"), None),
        &expect![[r#"
        binding 'in': the binding expression 'total gt {customer}' cannot be filled in: {customer}: its value is neither a number nor a boolean; put single quotes around the place
    "#]],
    );
}

/// What values come to, given to an output `out` or returned, and committed.
fn check(target: OutputTarget, values: &[&str], expected: &Expect) {
    check_all(&output("out", target), values, "null", expected);
}

fn check_all(function: &Function, values: &[&str], returned: &str, expected: &Expect) {
    let world = World::new();
    let bindings = FunctionBindings::new(function, world.bindings.clone()).expect("all connections lead somewhere");
    let outputs = values.iter().map(|value| ("out".to_owned(), Json::from(*value))).collect();
    let found = match bindings.effects(&data(&world), &Ran { returned: Json::from(returned), outputs }) {
        Ok(Produced { effects, response }) => {
            for (_, effects) in effects {
                world.run(world.embedded.commit_effects(effects)).expect("nothing waits").expect("nothing fails");
            }
            let response = response.map(|response| format!("{response:?}\n")).unwrap_or_default();
            format!("{}{response}", world.embedded.print())
        }
        Err(error) => format!("{error}\n"),
    };
    expected.assert_eq(&found);
}

#[test]
fn a_text_is_a_message_and_so_is_the_json_of_anything_else() {
    let plain = || queue("to-{Deep.Er}", MessageEncoding::Auto);
    check(
        plain(),
        &[r#""a \"text\"""#, r#"{"n": 1.0}"#, "12345678901234567890", "true"],
        &expect![[r#"
        to-5: "a \"text\"", received 0 times
        to-5: "{\"n\": 1.0}", received 0 times
        to-5: "12345678901234567890", received 0 times
        to-5: "true", received 0 times
    "#]],
    );
    check(
        plain(),
        &[r#"["one", {"two": [2]}, null, 3]"#, "[]", "null"],
        &expect![[r#"
        to-5: "one", received 0 times
        to-5: "{\"two\": [2]}", received 0 times
        to-5: "3", received 0 times
    "#]],
    );
    check(
        queue("encoded", MessageEncoding::Base64),
        &[r#""hello""#],
        &expect![[r#"
        encoded: "aGVsbG8=", received 0 times
    "#]],
    );
    check_all(
        &output(RETURN_BINDING, plain()),
        &[],
        r#"{"done": true}"#,
        &expect![[r#"
        to-5: "{\"done\": true}", received 0 times
    "#]],
    );
    check_all(&output(RETURN_BINDING, plain()), &[], "null", &expect![[""]]);
}

#[test]
fn a_message_that_no_queue_takes_is_refused() {
    let long = format!("\"{}\"", "x".repeat(65_537));
    check(
        queue("q-1", MessageEncoding::Auto),
        &[&long],
        &expect![[r#"
        output 'out' does not take the value "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: the message takes 65537 bytes as it is written into the queue; at most 65536 are allowed
    "#]],
    );
    let long_encoded = format!("\"{}\"", "x".repeat(50_000));
    check(
        queue("q-1", MessageEncoding::Base64),
        &[&long_encoded],
        &expect![[r#"
        output 'out' does not take the value "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: the message takes 66668 bytes as it is written into the queue; at most 65536 are allowed
    "#]],
    );
    check(
        queue("Q-{deep.er}", MessageEncoding::Auto),
        &["1"],
        &expect![[r#"
        binding 'out': the queueName 'Q-{deep.er}' came to 'Q-5': a queue's name is made of lower-case letters, digits and single hyphens, and begins and ends with a letter or digit
    "#]],
    );
    check(
        queue("q-{missing}", MessageEncoding::Auto),
        &["1"],
        &expect![[r#"
        binding 'out': the binding expression 'q-{missing}' cannot be filled in: {missing}: there is no `missing`; there is: id, dequeueCount, Customer, deep, route
    "#]],
    );
    // Without a value nothing is asked of the name.
    check(queue("q-{missing}", MessageEncoding::Auto), &["null"], &expect![[""]]);
}

#[test]
fn an_object_is_an_entity_with_the_keys_of_the_binding_where_it_has_none() {
    let plain = || table("Results", [Some("{customer}"), Some("{rand-guid:N}")], TableMode::Insert);
    check(
        plain(),
        &[r#"[{"n": 1}, {"n": 2, "RowKey": "own"}]"#],
        &expect![[r#"
        Results: {"PartitionKey":"o'hara","RowKey":"00000000000040008000000000000001","Timestamp":"1970-01-01T00:00:00.0000000Z","n":1}
        Results: {"PartitionKey":"o'hara","RowKey":"own","Timestamp":"1970-01-01T00:00:00.0000000Z","n":2}
    "#]],
    );
    check(
        plain(),
        &[r#"{"list": []}"#],
        &expect![[r#"
        output 'out' does not take the value {"list": []}: the property 'list' is an array or an object; tables keep single values, so write it as a JSON text
    "#]],
    );
    check(
        plain(),
        &[r#""text""#],
        &expect![[r#"
        output 'out' does not take the value "text": an entity is a JSON object, and this is none: invalid type: string "text", expected an object at line 1 column 6
    "#]],
    );
    check(
        plain(),
        &[r#"{"RowKey": "a/b"}"#],
        &expect![[r#"
        output 'out' does not take the value {"RowKey": "a/b"}: the RowKey contains '/'; leave out '/', '\', '#', '?' and control characters
    "#]],
    );
    check(
        table("Results", [None, None], TableMode::Insert),
        &[r#"{"RowKey": "1"}"#],
        &expect![[r#"
        output 'out' does not take the value {"RowKey": "1"}: the PartitionKey is missing
    "#]],
    );
    let old_and_new =
        [r#"{"PartitionKey":"p","RowKey":"1","a":1,"b":1}"#, r#"{"PartitionKey":"p","RowKey":"1","b":2}"#];
    check(
        table("Results", [None, None], TableMode::Replace),
        &old_and_new,
        &expect![[r#"
        Results: {"PartitionKey":"p","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","b":2}
    "#]],
    );
    check(
        table("Results", [None, None], TableMode::Merge),
        &old_and_new,
        &expect![[r#"
        Results: {"PartitionKey":"p","RowKey":"1","Timestamp":"1970-01-01T00:00:00.0000000Z","a":1,"b":2}
    "#]],
    );
}

#[test]
fn an_object_starts_an_orchestration() {
    let values = [
        r#"{"functionName": "Book"}"#,
        r#"{"name": "Book", "input": {"exact": 1.0}, "instanceId": "trip-1", "version": "2", "tags": {"a": "b"}, "startAt": "2026-02-01T00:00:00Z"}"#,
    ];
    check(
        OutputTarget::DurableClient,
        &values,
        &expect![[r#"
        started Book as 'new' with null StartOptions { version: None, tags: {}, start_at: None }
        started Book as 'trip-1' with {"exact": 1.0} StartOptions { version: Some("2"), tags: {"a": "b"}, start_at: Some(2026-02-01T00:00:00.0000000Z) }
    "#]],
    );
    check(
        OutputTarget::DurableClient,
        &[r#""Book""#],
        &expect![[r#"
        output 'out' does not take the value "Book": a start is an object with functionName, and input, instanceId, version, tags, startAt if wanted
    "#]],
    );
    check(
        OutputTarget::DurableClient,
        &[r#"{"input": 1}"#],
        &expect![[r#"
        output 'out' does not take the value {"input": 1}: missing field `functionName` at line 1 column 12
    "#]],
    );
    check(
        OutputTarget::DurableClient,
        &[r#"{"name": "Book", "instanceID": "x"}"#],
        &expect![[r#"
        output 'out' does not take the value {"name": "Book", "instanceID": "x"}: unknown field `instanceID`, expected one of `FunctionName`, `functionName`, `name`, `Input`, `input`, `InstanceId`, `instanceId`, `version`, `tags`, `startAt` at line 1 column 29
    "#]],
    );
    check(
        OutputTarget::DurableClient,
        &[r#"{"name": "Book", "startAt": "tomorrow"}"#],
        &expect![[r#"
        output 'out' does not take the value {"name": "Book", "startAt": "tomorrow"}: startAt 'tomorrow' is no moment; write it like 2026-01-31T12:00:00Z
    "#]],
    );
    check(
        OutputTarget::DurableClient,
        &[r#"{"name": "Nobody"}"#],
        &expect![[r#"
        output 'out' does not take the value {"name": "Nobody"}: there is no orchestrator named 'Nobody'
    "#]],
    );
    check(
        OutputTarget::DurableClient,
        &[r#"{"name": "Book", "instanceId": "a/b"}"#],
        &expect![[r#"
        output 'out' does not take the value {"name": "Book", "instanceId": "a/b"}: the instance id contains '/'; '/', '\', '#', '?' and control characters are not allowed
    "#]],
    );
}

#[test]
fn an_object_is_a_response() {
    check(
        OutputTarget::Http,
        &["{}"],
        &expect![[r#"
        Response { status: 200, version: HTTP/1.1, headers: {}, body: b"" }
    "#]],
    );
    check(
        OutputTarget::Http,
        &[r#"{"status": 201, "headers": {"X-A": "1", "x-a": "2", "X-Many": ["3", 4]}, "body": {"ok": true}}"#],
        &expect![[r#"
            Response { status: 201, version: HTTP/1.1, headers: {"x-a": "1", "x-many": "3", "x-many": "4", "content-type": "application/json; charset=utf-8"}, body: b"{\"ok\": true}" }
        "#]],
    );
    check(
        OutputTarget::Http,
        &[r#"{"statusCode": "404", "headers": {"content-type": "text/html"}, "body": "<p>"}"#],
        &expect![[r#"
            Response { status: 404, version: HTTP/1.1, headers: {"content-type": "text/html"}, body: b"<p>" }
        "#]],
    );
    let cookies =
        r#"{"cookies": [{"name": "a", "value": "b", "maxAge": 60, "path": "/", "httpOnly": true, "sameSite": "Lax"}]}"#;
    check(
        OutputTarget::Http,
        &[cookies],
        &expect![[r#"
        Response { status: 200, version: HTTP/1.1, headers: {"set-cookie": "a=b; Path=/; SameSite=Lax; Max-Age=60; HttpOnly"}, body: b"" }
    "#]],
    );
    check(
        OutputTarget::Http,
        &[r#"{"body": "first"}"#, r#"{"body": "last"}"#, "null"],
        &expect![[r#"
        Response { status: 200, version: HTTP/1.1, headers: {"content-type": "text/plain; charset=utf-8"}, body: b"last" }
    "#]],
    );
}

#[test]
fn a_response_that_cannot_be_sent_is_refused() {
    check(
        OutputTarget::Http,
        &[r#"{"status": 100}"#],
        &expect![[r#"
        output 'out' does not take the value {"status": 100}: the status 100 is none that a response can end with; give a number from 200 to 599
    "#]],
    );
    check(
        OutputTarget::Http,
        &[r#"{"headers": {"a b": "1"}}"#],
        &expect![[r#"
        output 'out' does not take the value {"headers": {"a b": "1"}}: 'a b' is no header's name
    "#]],
    );
    check(
        OutputTarget::Http,
        &[r#"{"headers": {"a": "1\n2"}}"#],
        &expect![[r#"
        output 'out' does not take the value {"headers": {"a": "1\n2"}}: the header 'a' cannot have the value "1\n2"
    "#]],
    );
    check(
        OutputTarget::Http,
        &[r#"{"cookies": [{"name": "a", "value": "b; Domain=evil"}]}"#],
        &expect![[r#"
        output 'out' does not take the value {"cookies": [{"name": "a", "value": "b; Domain=evil"}]}: the cookie 'a' has a name or value that a cookie cannot have
    "#]],
    );
    check(
        OutputTarget::Http,
        &[r#"{"payload": 1}"#],
        &expect![[r#"
        output 'out' does not take the value {"payload": 1}: unknown field `payload`, expected one of `status`, `statusCode`, `headers`, `body`, `cookies`, `enableContentNegotiation` at line 1 column 10
    "#]],
    );
}

#[test]
fn an_output_that_the_manifest_does_not_have_is_refused() {
    check_all(
        &output("other", OutputTarget::DurableClient),
        &["1"],
        "null",
        &expect![[r#"
        there is no output 'out'; the function has: other
    "#]],
    );
}

#[test]
fn a_connection_that_leads_nowhere_is_found_at_load() {
    let world = World::new();
    let target = OutputTarget::Queue(QueueOutput {
        queue_name: expression("q-1"),
        message_encoding: MessageEncoding::Auto,
        connection: Connection("Nowhere".to_owned()),
    });
    let error = FunctionBindings::new(&output("out", target), world.bindings.clone()).err().expect("it leads nowhere");
    expect!["function 'Work', binding 'out': the connection 'Nowhere' leads to no storage account; set the app setting of that name to a connection string"].assert_eq(&error.to_string());
    let known = Connection(OUTSIDE.to_owned());
    assert!(world.bindings.accounts.find(&known).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_makes_an_output_panic(value in "\\PC{0,40}|[\\[\\]{}\",:a-z0-9 ]{0,30}", kind in any::<u8>()) {
        let target = match kind % 4 {
            0 => OutputTarget::Http,
            1 => OutputTarget::DurableClient,
            2 => table("Results", [Some("p"), Some("r")], TableMode::Insert),
            _ => queue("q-1", MessageEncoding::Auto),
        };
        let world = World::new();
        let bindings = FunctionBindings::new(&output("out", target), world.bindings.clone()).expect("it leads somewhere");
        let ran = Ran { returned: Json::null(), outputs: vec![("out".to_owned(), Json::from(value))] };
        drop(bindings.effects(&data(&world), &ran));
    }
}
