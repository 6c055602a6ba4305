//! The client, talking to the endpoint.

use super::world::{FakeClock, FakeRandomness, World};
use crate::Service;
use crate::client::{Client, Components, ConnectionString, HttpSend};
use crate::endpoint::Endpoint;
use async_trait::async_trait;
use bytes::Bytes;
use expect_test::{Expect, expect};
use futures::executor::block_on;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use orchestration::Timestamp;
use ports::{
    Body, BoxError, Clock, EffectStore, Effects, EntitiesQuery, EntityWrite, Matching, Metadata, NewMessage,
    QueueCreated, QueueError, QueueStore, Receipt, Receiver, Rest, TableError, TableStore,
};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage_model::{EdmValue, Entity, EntityKey, Filter, QueueName, TableName};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    /// It never arrives.
    Unreachable,
    /// It does its work, and the answer is lost.
    AnswerLost,
    /// It is answered by somebody else with that status.
    Status(u16),
}

/// The way to the endpoint, which notes what goes over it.
struct Wire {
    endpoint: Arc<Endpoint>,
    clock: Arc<FakeClock>,
    faults: Mutex<VecDeque<Fault>>,
    log: Mutex<Vec<String>>,
}

#[async_trait]
impl HttpSend for Wire {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, BoxError> {
        let address = request.uri().path_and_query().unwrap().to_string();
        let authorization = request.headers().get("authorization").map_or("unsigned", |_| "signed");
        self.log.lock().unwrap().push(format!("{} {address} {authorization} {:?}", request.method(), self.clock.now()));
        let fault = self.faults.lock().unwrap().pop_front().unwrap_or(Fault::None);
        let service = match request.uri().port_u16() {
            Some(10_001) => Service::Queue,
            _ => Service::Table,
        };
        let mut request = request;
        let host = request.uri().authority().unwrap().to_string();
        request.headers_mut().insert("host", host.parse().unwrap());
        match fault {
            Fault::Unreachable => return Err("the line is dead".into()),
            Fault::Status(status) => return Ok(Response::builder().status(status).body(Bytes::new())?),
            Fault::None | Fault::AnswerLost => {}
        }
        let request = request.map(|body| Body::new(Full::new(body).map_err(|never| match never {})));
        let (head, body) = self.endpoint.handle(service, request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let is_lost = matches!(fault, Fault::AnswerLost);
        if is_lost { Err("the line went dead".into()) } else { Ok(Response::from_parts(head, body)) }
    }
}

struct Ends {
    world: World,
    wire: Arc<Wire>,
    client: Client,
}

fn ends(connection: &str) -> Ends {
    let world = World::new();
    let wire = Arc::new(Wire {
        endpoint: world.endpoint.clone(),
        clock: world.clock.clone(),
        faults: Mutex::default(),
        log: Mutex::default(),
    });
    let components =
        Components { http: wire.clone(), clock: world.clock.clone(), randomness: Arc::new(FakeRandomness::default()) };
    let client = Client::new(ConnectionString::parse(connection).unwrap(), components);
    Ends { world, wire, client }
}

fn emulator() -> Ends {
    ends("UseDevelopmentStorage=true")
}

impl Ends {
    fn fail(&self, faults: &[Fault]) {
        self.wire.faults.lock().unwrap().extend(faults);
    }

    fn sent(&self) -> String {
        std::mem::take(&mut *self.wire.log.lock().unwrap()).join("\n")
    }
}

fn jobs() -> QueueName {
    "jobs".parse().unwrap()
}

fn people() -> TableName {
    "People".parse().unwrap()
}

fn key(partition: &str, row: &str) -> EntityKey {
    EntityKey { partition: partition.into(), row: row.into() }
}

fn person(partition: &str, row: &str, age: i32) -> Entity {
    Entity { key: key(partition, row), timestamp: 0, properties: vec![("Age".into(), EdmValue::Int32(age))] }
}

#[test]
fn queues_and_messages() {
    let ends = emulator();
    let client = &ends.client;
    let metadata = Metadata::from([("owner".to_owned(), "me".to_owned())]);
    block_on(async {
        assert_eq!(client.queue(&jobs()).await, Err(QueueError::QueueNotFound(jobs())));
        assert_eq!(client.create_queue(&jobs(), metadata.clone()).await, Ok(QueueCreated::Yes));
        assert_eq!(client.create_queue(&jobs(), metadata.clone()).await, Ok(QueueCreated::Exists));
        assert_eq!(client.create_queue(&jobs(), Metadata::new()).await, Err(QueueError::QueueExists(jobs())));
        let text = " <a> & \"b\" \r\n\tü ";
        let delay = Duration::from_millis(1_500);
        let put = NewMessage { text: text.into(), delay, time_to_live: None };
        let put = client.put_message(&jobs(), put).await.unwrap();
        let later = ends.world.clock.now().saturating_add(Duration::from_secs(2));
        assert_eq!((put.text.as_str(), put.visible, put.expires), (text, later, Timestamp::MAX));
        assert_eq!(client.receive(&jobs(), 32, Duration::from_secs(30), Receiver::Host).await, Ok(Vec::new()));
        ends.world.clock.move_on(Duration::from_secs(2));
        assert_eq!(client.peek(&jobs(), 40).await.unwrap()[0].dequeue_count, 0);
        let got = client.receive(&jobs(), 32, Duration::from_secs(30), Receiver::Host).await.unwrap();
        assert_eq!((got.len(), got[0].text.as_str(), got[0].dequeue_count), (1, text, 1));
        let old = Receipt { queue: jobs(), id: put.id.clone(), pop_receipt: got[0].pop_receipt.clone() };
        let updated = client.update_message(&old, Duration::from_secs(5), Some("b".into())).await.unwrap();
        assert_eq!(updated.visible, ends.world.clock.now().saturating_add(Duration::from_secs(5)));
        assert_eq!(client.delete_message(&old).await, Err(QueueError::PopReceiptMismatch));
        let view = client.queue(&jobs()).await.unwrap();
        assert_eq!((view.messages, view.metadata, view.access_policies.as_str()), (1, metadata, ""));
        let new = Receipt { pop_receipt: updated.pop_receipt, ..old };
        assert_eq!(client.delete_message(&new).await, Ok(()));
        assert_eq!(client.delete_message(&new).await, Err(QueueError::MessageNotFound));
        assert_eq!(client.clear(&jobs()).await, Ok(()));
        assert_eq!(client.delete_queue(&jobs()).await, Ok(()));
    });
}

#[test]
fn what_is_kept_with_a_queue() {
    let ends = emulator();
    let client = &ends.client;
    let policies = "<SignedIdentifiers><SignedIdentifier><Id>a</Id></SignedIdentifier></SignedIdentifiers>";
    let metadata = Metadata::from([("kind".to_owned(), "b".to_owned())]);
    block_on(async {
        client.create_queue(&jobs(), Metadata::new()).await.unwrap();
        client.set_queue(&jobs(), Some(metadata.clone()), Some(policies.into())).await.unwrap();
        let view = client.queue(&jobs()).await.unwrap();
        assert_eq!((view.metadata, view.access_policies.ends_with(policies)), (metadata.clone(), true));
        client.set_queue(&jobs(), None, Some(String::new())).await.unwrap();
        assert_eq!(client.queue(&jobs()).await.unwrap().access_policies, "");
        for name in ["jobs-2", "jobs-3", "other"] {
            client.create_queue(&name.parse().unwrap(), Metadata::new()).await.unwrap();
        }
        let first = client.list_queues("jobs", None, 2).await.unwrap();
        let second = client.list_queues("jobs", first.next.as_deref(), 2).await.unwrap();
        let names: Vec<&str> = first.queues.iter().chain(&second.queues).map(|view| view.name.as_str()).collect();
        assert_eq!((names, second.next), (vec!["jobs", "jobs-2", "jobs-3"], None));
        assert_eq!(first.queues[0].metadata, metadata);
    });
}

#[test]
fn a_message_that_xml_cannot_tell() {
    let error = block_on(emulator().client.put_message(&jobs(), NewMessage::new("\u{1}"))).unwrap_err();
    expect!["the store is unavailable: the message has characters that XML cannot tell, such as control characters; encode it in base64"].assert_eq(&error.to_string());
}

#[test]
fn tables_and_entities() {
    let ends = emulator();
    let client = &ends.client;
    block_on(async {
        assert_eq!(client.table(&people()).await, Err(TableError::TableNotFound(people())));
        assert_eq!(client.create_table(&people()).await, Ok(()));
        assert_eq!(client.create_table(&people()).await, Err(TableError::TableExists(people())));
        let mut entity = person("o'neil & co", "ü 1", 7);
        entity.properties.extend([
            ("Big".to_owned(), EdmValue::Int64(1 << 60)),
            ("Real".to_owned(), EdmValue::Double(1.0)),
            ("None".to_owned(), EdmValue::Double(f64::INFINITY)),
            ("When".to_owned(), EdmValue::DateTime(17_000_000_000_000_001)),
            ("Id".to_owned(), EdmValue::Guid(uuid::Uuid::from_u128(5))),
            ("Bytes".to_owned(), EdmValue::Binary(vec![0, 255])),
            ("Yes".to_owned(), EdmValue::Boolean(true)),
            ("Text".to_owned(), EdmValue::String("2020-01-01T00:00:00Z".into())),
        ]);
        let write = |write: EntityWrite| async { client.write_entities(&people(), vec![write]).await };
        let first = write(EntityWrite::Insert(entity.clone())).await.unwrap()[0].unwrap();
        assert_eq!(write(EntityWrite::Insert(entity.clone())).await, Err(TableError::EntityExists { index: 0 }));
        entity.timestamp = first;
        assert_eq!(client.entity(&people(), &entity.key).await, Ok(Some(entity.clone())));
        assert_eq!(client.entity(&people(), &key("a", "b")).await, Ok(None));
        let change = person("o'neil & co", "ü 1", 8);
        let update = |matching| EntityWrite::Update(change.clone(), Rest::Merged, matching);
        let second = write(update(Matching::Written(first))).await.unwrap()[0].unwrap();
        assert!(second > first);
        assert_eq!(write(update(Matching::Written(first))).await, Err(TableError::NotMatching { index: 0 }));
        assert_eq!(client.entity(&people(), &entity.key).await.unwrap().unwrap().properties.len(), 9);
        write(EntityWrite::Upsert(change.clone(), Rest::Replaced)).await.unwrap();
        assert_eq!(client.entity(&people(), &entity.key).await.unwrap().unwrap().properties.len(), 1);
        let delete = EntityWrite::Delete(entity.key.clone(), Matching::Any);
        assert_eq!(write(delete.clone()).await, Ok(vec![None]));
        assert_eq!(write(delete).await, Err(TableError::EntityNotFound { index: 0 }));
        assert_eq!(client.delete_table(&people()).await, Ok(()));
        assert_eq!(client.delete_table(&people()).await, Err(TableError::TableNotFound(people())));
    });
}

#[test]
fn pages_of_entities_and_tables() {
    let ends = emulator();
    let client = &ends.client;
    block_on(async {
        for name in ["People", "Places", "Things"] {
            client.create_table(&name.parse().unwrap()).await.unwrap();
        }
        let (first, next) = client.list_tables(None, 2).await.unwrap();
        let (second, end) = client.list_tables(next.as_deref(), 2).await.unwrap();
        let names: Vec<&str> = first.iter().chain(&second).map(|view| view.name.as_str()).collect();
        assert_eq!((names, end), (vec!["People", "Places", "Things"], None));
        let writes = (0..5).map(|row| EntityWrite::Insert(person("p", &row.to_string(), row))).collect();
        client.write_entities(&people(), writes).await.unwrap();
        let mut query = EntitiesQuery { table: people(), filter: None, limit: 2, from: None };
        let mut rows = Vec::new();
        loop {
            let page = client.entities(&query).await.unwrap();
            rows.extend(page.entities.into_iter().map(|entity| entity.key.row));
            match page.next {
                Some(next) => query.from = Some(next),
                None => break,
            }
        }
        assert_eq!(rows.join(""), "01234");
        let filter = Some(Filter::parse("Age gt 2 and PartitionKey eq 'o''neil'").unwrap());
        ends.sent();
        client.entities(&EntitiesQuery { filter, limit: 5_000, from: None, table: people() }).await.unwrap();
    });
    expect!["GET /devstoreaccount1/People()?$top=1000&$filter=Age%20gt%202%20and%20PartitionKey%20eq%20%27o%27%27neil%27 signed 2026-11-22T12:00:00.0000000Z"].assert_eq(&ends.sent());
}

#[test]
fn batches_are_done_as_a_whole() {
    let ends = emulator();
    let client = &ends.client;
    let insert = |row: &str| EntityWrite::Insert(person("p", row, 1));
    block_on(async {
        let write = |writes: Vec<EntityWrite>| async { client.write_entities(&people(), writes).await };
        assert_eq!(write(vec![insert("1"), insert("2")]).await, Err(TableError::TableNotFound(people())));
        client.create_table(&people()).await.unwrap();
        let written = write(vec![insert("1"), insert("2")]).await.unwrap();
        assert!(written[0].is_some() && written[0] < written[1]);
        assert_eq!(write(vec![insert("3"), insert("1")]).await, Err(TableError::EntityExists { index: 1 }));
        assert_eq!(client.entity(&people(), &key("p", "3")).await, Ok(None));
        let delete = EntityWrite::Delete(key("p", "1"), Matching::Any);
        let merge = EntityWrite::Update(person("p", "2", 2), Rest::Merged, Matching::Any);
        let written = write(vec![delete, merge, insert("4")]).await.unwrap();
        assert_eq!(written.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true]);
        let other = EntityWrite::Insert(person("q", "1", 1));
        let error = write(vec![insert("5"), other]).await.unwrap_err();
        expect!["the store is unavailable: an account writes at most 100 entities of one partition at once, each of them once; write them one after the other"].assert_eq(&error.to_string());
        assert_eq!(write(Vec::new()).await, Ok(Vec::new()));
    });
}

#[test]
fn effects_are_done_one_after_the_other() {
    let ends = emulator();
    let client = &ends.client;
    block_on(async {
        client.create_queue(&jobs(), Metadata::new()).await.unwrap();
        client.put_message(&jobs(), NewMessage::new("a")).await.unwrap();
        let message = client.receive(&jobs(), 1, Duration::from_secs(30), Receiver::Host).await.unwrap().remove(0);
        let receipt = Receipt { queue: jobs(), id: message.id, pop_receipt: message.pop_receipt };
        ends.sent();
        let effects = Effects {
            consumed: vec![receipt],
            messages: vec![("done".parse().unwrap(), NewMessage::new("b"))],
            entities: vec![
                (people(), EntityWrite::Insert(person("p", "1", 1))),
                (people(), EntityWrite::Insert(person("p", "2", 1))),
                (people(), EntityWrite::Insert(person("q", "1", 1))),
            ],
            ..Effects::default()
        };
        client.commit_effects(effects.clone()).await.unwrap();
        let log = ends.sent();
        let lines = log.lines().map(|line| line.split(" signed").next().unwrap()).collect::<Vec<_>>();
        expect![[r#"
            POST /devstoreaccount1/$batch
            POST /devstoreaccount1/Tables
            POST /devstoreaccount1/$batch
            POST /devstoreaccount1/People
            POST /devstoreaccount1/done/messages?visibilitytimeout=0&messagettl=604800
            PUT /devstoreaccount1/done
            POST /devstoreaccount1/done/messages?visibilitytimeout=0&messagettl=604800
            DELETE /devstoreaccount1/jobs/messages/00000000-0000-0000-0000-000000000001?popreceipt=receipt%2B2%3D"#]]
        .assert_eq(&lines.join("\n"));
        let outputs_again = Effects { entities: Vec::new(), ..effects.clone() };
        let lost = client.commit_effects(outputs_again).await.unwrap_err();
        expect!["the message 00000000-0000-0000-0000-000000000001 of the queue 'jobs' is no longer held: the message is not in the queue; it was deleted or has expired"].assert_eq(&lost.to_string());
        assert_eq!(client.peek(&"done".parse().unwrap(), 32).await.unwrap().len(), 2);
        let refused = client.commit_effects(effects).await.unwrap_err();
        expect!["the table 'People' refused an entity: operation 0: an entity of that key exists already"]
            .assert_eq(&refused.to_string());
        let document = ports::DocumentWrite { name: "a".into(), expecting: ports::Expecting::Anything, content: None };
        let effects = Effects { documents: vec![document], ..Effects::default() };
        expect!["an account outside of this host keeps neither orchestrations nor this host's own documents; commit them in the embedded store"].assert_eq(&client.commit_effects(effects).await.unwrap_err().to_string());
    });
}

#[test]
fn what_fails_for_a_while_is_tried_again() {
    let ends = emulator();
    ends.fail(&[Fault::Status(503), Fault::Unreachable, Fault::Status(429)]);
    assert_eq!(block_on(ends.client.create_queue(&jobs(), Metadata::new())), Ok(QueueCreated::Yes));
    expect![[r#"
        PUT /devstoreaccount1/jobs signed 2026-11-22T12:00:00.0000000Z
        PUT /devstoreaccount1/jobs signed 2026-11-22T12:00:00.6560000Z
        PUT /devstoreaccount1/jobs signed 2026-11-22T12:00:02.0000000Z
        PUT /devstoreaccount1/jobs signed 2026-11-22T12:00:04.7520000Z"#]]
    .assert_eq(&ends.sent());
}

#[test]
fn what_fails_for_long_is_told() {
    let ends = emulator();
    ends.fail(&[Fault::Unreachable; 4]);
    expect!["the store is unavailable: the queue service of 'devstoreaccount1' cannot be reached: the line is dead"]
        .assert_eq(&block_on(ends.client.clear(&jobs())).unwrap_err().to_string());
    ends.fail(&[Fault::Status(500); 4]);
    expect!["the store is unavailable: the queue service of 'devstoreaccount1' answered 500, and not in the form of the service; is the address right?"]
        .assert_eq(&block_on(ends.client.clear(&jobs())).unwrap_err().to_string());
}

#[test]
fn one_attempt_is_told_at_once() {
    let Ends { world: _world, wire, client } = emulator();
    wire.faults.lock().unwrap().extend([Fault::Unreachable]);
    let client = client.with_attempts(1);
    expect!["the store is unavailable: the queue service of 'devstoreaccount1' cannot be reached: the line is dead"]
        .assert_eq(&block_on(client.clear(&jobs())).unwrap_err().to_string());
    assert_eq!(wire.log.lock().unwrap().len(), 1);
}

#[test]
fn a_deletion_whose_answer_was_lost_has_worked() {
    let ends = emulator();
    block_on(async {
        ends.client.create_queue(&jobs(), Metadata::new()).await.unwrap();
        let put = ends.client.put_message(&jobs(), NewMessage::new("a")).await.unwrap();
        let receipt = Receipt { queue: jobs(), id: put.id, pop_receipt: put.pop_receipt };
        ends.fail(&[Fault::AnswerLost]);
        assert_eq!(ends.client.delete_message(&receipt).await, Ok(()));
        assert_eq!(ends.client.delete_message(&receipt).await, Err(QueueError::MessageNotFound));
    });
}

#[test]
fn a_wrong_key_is_told_at_once() {
    let ends =
        ends("AccountName=devstoreaccount1;AccountKey=AAAA;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1");
    let error = block_on(ends.client.clear(&jobs())).unwrap_err();
    expect!["the store is unavailable: the queue service of 'devstoreaccount1' answered 403 AuthenticationFailed: Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature."].assert_eq(&error.to_string());
    assert_eq!(ends.sent().lines().count(), 1);
}

#[test]
fn a_shared_access_signature_goes_along() {
    let ends =
        ends("QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1/;SharedAccessSignature=?sv=2021-12-02&sig=a%2Bb");
    let _refused = block_on(ends.client.peek(&jobs(), 1));
    expect!["GET /devstoreaccount1/jobs/messages?numofmessages=1&peekonly=true&sv=2021-12-02&sig=a%2Bb unsigned 2026-11-22T12:00:00.0000000Z"].assert_eq(&ends.sent());
    let error = block_on(ends.client.create_table(&people())).unwrap_err();
    expect!["the store is unavailable: the table service: the connection string has neither AccountName nor an address of the table service"].assert_eq(&error.to_string());
}

fn check_connection(text: &str, expected: &Expect) {
    expected.assert_eq(&match ConnectionString::parse(text) {
        Ok(connection) => format!("{connection:?}"),
        Err(error) => error.to_string(),
    });
}

#[test]
fn connection_strings() {
    check_connection(
        "UseDevelopmentStorage=true",
        &expect![
            "ConnectionString(devstoreaccount1, http://127.0.0.1:10001/devstoreaccount1, http://127.0.0.1:10002/devstoreaccount1)"
        ],
    );
    check_connection(
        " usedevelopmentstorage=true;DevelopmentStorageProxyUri=http://host/; ",
        &expect![
            "ConnectionString(devstoreaccount1, http://host:10001/devstoreaccount1, http://host:10002/devstoreaccount1)"
        ],
    );
    check_connection(
        "UseDevelopmentStorage=false",
        &expect!["the field UseDevelopmentStorage of the connection string is wrong: its only value is 'true'"],
    );
    check_connection(
        "DefaultEndpointsProtocol=https;AccountName=abc;AccountKey=a2V5==;EndpointSuffix=core.chinacloudapi.cn",
        &expect![
            "the AccountKey is no base64 text: Invalid symbol 61, offset 4.; copy the whole key, with the '=' signs at its end"
        ],
    );
    check_connection(
        "DefaultEndpointsProtocol=http;AccountName=abc;AccountKey=a2V5;EndpointSuffix=core.chinacloudapi.cn",
        &expect![
            "ConnectionString(abc, http://abc.queue.core.chinacloudapi.cn, http://abc.table.core.chinacloudapi.cn)"
        ],
    );
    check_connection(
        "AccountName=abc;AccountKey=a2V5;TableEndpoint=http://localhost:1/abc/;BlobEndpoint=x",
        &expect!["ConnectionString(abc, https://abc.queue.core.windows.net, http://localhost:1/abc)"],
    );
}

#[test]
fn texts_that_are_no_connection_strings() {
    check_connection(
        "AccountName=abc;AccountKey=",
        &expect!["the connection string has no AccountKey (or SharedAccessSignature); it has AccountKey, AccountName"],
    );
    check_connection(
        "AccountKey=a2V5;AcountName=abc",
        &expect!["the connection string has no AccountName; it has AccountKey, AcountName"],
    );
    check_connection("", &expect!["the connection string has no AccountName; it has nothing"]);
    check_connection(
        "abc",
        &expect![
            "part 1 of the connection string is not of the form Name=value; it looks like 'DefaultEndpointsProtocol=https;AccountName=...;AccountKey=...;EndpointSuffix=core.windows.net', or is 'UseDevelopmentStorage=true'"
        ],
    );
    check_connection(
        "AccountName=abc;secret",
        &expect![
            "part 2 of the connection string is not of the form Name=value; it looks like 'DefaultEndpointsProtocol=https;AccountName=...;AccountKey=...;EndpointSuffix=core.windows.net', or is 'UseDevelopmentStorage=true'"
        ],
    );
    check_connection(
        "AccountName=abc;AccountKey=a2V5;DefaultEndpointsProtocol=ftp",
        &expect!["the field DefaultEndpointsProtocol of the connection string is wrong: it is 'http' or 'https'"],
    );
    check_connection(
        "AccountName=abc;AccountKey=a2V5;QueueEndpoint=localhost:1",
        &expect![
            "the field QueueEndpoint of the connection string is wrong: it is an address that begins with http:// or https://"
        ],
    );
    check_connection(
        "AccountName=abc;AccountKey=a2V5;QueueEndpoint=http://localhost?sig=a",
        &expect![
            "the field QueueEndpoint of the connection string is wrong: it has a query; a signature belongs into SharedAccessSignature"
        ],
    );
    check_connection(
        "AccountName=abc;AccountKey=a2V5;QueueEndpoint=http://[",
        &expect!["the field QueueEndpoint of the connection string is wrong: it is no address"],
    );
    check_connection(
        "AccountName=a b;AccountKey=a2V5",
        &expect!["the field AccountName or EndpointSuffix of the connection string is wrong: it is no address"],
    );
}

proptest! {
    #[test]
    fn no_connection_string_panics(text in "(AccountName|AccountKey|=|;|a|http://|\\?|QueueEndpoint|UseDevelopmentStorage|true|%|\\[|ü){0,12}") {
        let _outcome = ConnectionString::parse(&text);
    }

    #[test]
    fn no_answer_panics(bytes in prop::collection::vec(any::<u8>(), 0..80), text in "(HTTP/1.1 |204|ETag:|\\{|\\}|\r\n|--|:|\"odata.error\"){0,10}") {
        let _told = crate::client::told(&bytes);
        let _parts = crate::client::parts(&text);
    }
}
