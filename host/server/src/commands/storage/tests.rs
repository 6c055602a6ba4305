//! The commands as they are typed, against the storage endpoint of a host over real sockets.

use super::*;
use clap::Parser;
use expect_test::{Expect, expect};
use ports::Clock;
use std::net::TcpListener;
use std::sync::Arc;

use crate::cli::{Cli, Command};
use crate::clock::{SystemClock, SystemRandomness};
use crate::hosting::Tasks;
use crate::shutdown::Stop;
use crate::storage_endpoint::{Listening, StorageAccounts, StoragePorts};

fn check(lines: &str, expected: &Expect) {
    expected.assert_eq(&said(lines));
}

/// What the commands say, one after the other, with what differs from run to run made the same.
fn said(lines: &str) -> String {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let said = runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let listening = Listening::bind(StoragePorts { blob: 0, queue: 0, table: 0 }).expect("free ports");
        let ports: Vec<String> = listening.addresses().iter().map(|(_, url)| port_of(url)).collect();
        let (tasks, _failures) = Tasks::new();
        let (stop, stopping) = Stop::new();
        let accounts = Arc::new(StorageAccounts::new(&[app("trips", &clock), app("other-app", &clock)]).expect("apps"));
        listening.serve(&accounts, &clock, &stopping, &tasks).expect("it is served");
        let mut said = String::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let here = format!("--queue-port={} --table-port={}", ports[1], ports[2]);
            let options = if line.contains("--connection-string") { "" } else { &here };
            said.push_str(&format!("$ {line}\n{}\n", outcome(line, options).await));
        }
        stop.ask();
        said
    });
    masked(&said)
}

fn port_of(url: &str) -> String {
    url.rsplit(':').next().and_then(|rest| rest.split('/').next()).expect("a port").to_owned()
}

fn app(name: &str, clock: &Arc<dyn Clock>) -> (String, azure_storage::endpoint::Components) {
    let store = Arc::new(storage::memory(Arc::clone(clock), storage::Settings::default()));
    let components = azure_storage::endpoint::Components {
        queues: store.clone(),
        tables: store.clone(),
        documents: store,
        clock: Arc::clone(clock),
        randomness: Arc::new(SystemRandomness),
    };
    (name.to_owned(), components)
}

/// Words are separated by blanks; `~` stands for a blank within a word.
fn parsed(line: &str, options: &str) -> StorageCommand {
    let words = ["dacapo", "storage"].into_iter().chain(line.split(' ')).map(|word| word.replace('~', " "));
    let words = words.chain(options.split_whitespace().map(str::to_owned));
    let typed = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
    let Command::Storage(command) = typed.command else { panic!("another command: {line}") };
    command
}

async fn outcome(line: &str, options: &str) -> String {
    match perform(&parsed(line, options)).await {
        Ok(said) => said,
        Err(Problem::Host(error)) => format!("1: {error:#}"),
        Err(Problem::NoAnswer(error)) => format!("2: {error:#}"),
        Err(problem) => panic!("{problem:?}"),
    }
}

/// Ids and moments.
fn masked(text: &str) -> String {
    let is_id = |word: &str| word.len() == 36 && word.bytes().filter(|b| *b == b'-').count() == 4;
    let is_moment = |word: &str| word.len() >= 20 && word.starts_with("20") && word.ends_with('Z');
    let mut masked = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | ':' | '.')) {
        let end =
            word.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | ':' | '.')).unwrap_or(word.len());
        let (word, rest) = word.split_at(end);
        let bare = word.trim_end_matches(':');
        match (is_id(bare), is_moment(word)) {
            (true, _) => masked.push_str(&word.replace(bare, "<id>")),
            (_, true) => masked.push_str("<moment>"),
            (false, false) => masked.push_str(word),
        }
        masked.push_str(rest);
    }
    masked
}

#[test]
fn messages_are_put_looked_at_and_cleared() {
    check(
        r#"queues list
           queues put trips {"id":1}
           queues create trips
           queues create trips
           queues put trips {"id":1}
           queues put trips Grüße,~Ada --encoding base64 --ttl never
           queues put trips later --visibility-timeout 1h --ttl 2h
           queues list
           queues peek trips
           queues peek trips --count 1 --output json
           queues clear trips --yes
           queues peek trips
           queues delete trips
           queues delete trips"#,
        &expect![[r#"
            $ queues list
            There are no queues.
            $ queues put trips {"id":1}
            1: there is no queue named 'trips'; `dacapo storage queues list` shows those that are there, and `create trips` makes it
            $ queues create trips
            Made the queue trips.
            $ queues create trips
            The queue trips was there already.
            $ queues put trips {"id":1}
            Put the message <id> into the queue trips.
            $ queues put trips Grüße,~Ada --encoding base64 --ttl never
            Put the message <id> into the queue trips.
            $ queues put trips later --visibility-timeout 1h --ttl 2h
            Put the message <id> into the queue trips.
            $ queues list
            Queue  Messages
            trips  3
            $ queues peek trips
            <id>: put <moment>, never received
            {"id":1}

            <id>: put <moment>, never received, decoded from base64
            Grüße, Ada
            $ queues peek trips --count 1 --output json
            {
              "messages": [
                {
                  "dequeueCount": 0,
                  "encoding": "none",
                  "expiresOn": "<moment>",
                  "id": "<id>",
                  "insertedOn": "<moment>",
                  "rawText": "{\"id\":1}",
                  "text": "{\"id\":1}"
                }
              ],
              "queue": "trips"
            }
            $ queues clear trips --yes
            Cleared the queue trips.
            $ queues peek trips
            No message of the queue trips can be received now; hidden ones are not shown.
            $ queues delete trips
            Deleted the queue trips.
            $ queues delete trips
            1: there is no queue named 'trips'; `dacapo storage queues list` shows those that are there, and `create trips` makes it
        "#]],
    );
}

#[test]
fn entities_are_written_and_shown() {
    check(
        r#"tables list
           tables create Trips
           tables create trips
           tables put Trips {"PartitionKey":"rust","RowKey":"1","Price":120,"City":"Zurich"}
           tables put Trips [{"PartitionKey":"rust","RowKey":"2","Price":80.5},{"PartitionKey":"o'neil","RowKey":"1","At":"2026-01-01T00:00:00Z","At@odata.type":"Edm.DateTime"}]
           tables list
           tables show Trips
           tables show Trips --filter Price~gt~100 --partition-key rust --output json
           tables show Trips --partition-key o'neil --row-key 1
           tables show Trips --top 1
           tables put Trips {"PartitionKey":"rust","RowKey":"1","City":"Basel"} --merge
           tables show Trips --partition-key rust --row-key 1"#,
        &expect![[r#"
            $ tables list
            There are no tables.
            $ tables create Trips
            Made the table Trips.
            $ tables create trips
            The table trips was there already.
            $ tables put Trips {"PartitionKey":"rust","RowKey":"1","Price":120,"City":"Zurich"}
            Wrote the entity rust / 1 of the table Trips.
            $ tables put Trips [{"PartitionKey":"rust","RowKey":"2","Price":80.5},{"PartitionKey":"o'neil","RowKey":"1","At":"<moment>","At@odata.type":"Edm.DateTime"}]
            Wrote 2 entities of the table Trips.
            $ tables list
            Trips
            $ tables show Trips
            PartitionKey  RowKey  At                            Price  City
            o'neil        1       <moment>
            rust          1                                     120    Zurich
            rust          2                                     80.5
            $ tables show Trips --filter Price~gt~100 --partition-key rust --output json
            {
              "entities": [
                {
                  "City": "Zurich",
                  "PartitionKey": "rust",
                  "Price": 120,
                  "RowKey": "1",
                  "Timestamp": "<moment>"
                }
              ],
              "hasMore": false,
              "table": "Trips"
            }
            $ tables show Trips --partition-key o'neil --row-key 1
            PartitionKey  RowKey  At
            o'neil        1       <moment>
            $ tables show Trips --top 1
            PartitionKey  RowKey  At
            o'neil        1       <moment>

            There are more; --top shows them.
            $ tables put Trips {"PartitionKey":"rust","RowKey":"1","City":"Basel"} --merge
            Wrote the entity rust / 1 of the table Trips.
            $ tables show Trips --partition-key rust --row-key 1
            PartitionKey  RowKey  Price  City
            rust          1       120    Basel
        "#]],
    );
}

#[test]
fn entities_and_tables_are_deleted() {
    check(
        r#"tables create Trips
           tables put Trips [{"PartitionKey":"rust","RowKey":"1"},{"PartitionKey":"rust","RowKey":"2"},{"PartitionKey":"go","RowKey":"1"}]
           tables delete Trips rust 2
           tables delete Trips rust 2
           tables clear Trips
           tables show Trips
           tables drop Trips --yes --output json
           tables show Trips"#,
        &expect![[r#"
            $ tables create Trips
            Made the table Trips.
            $ tables put Trips [{"PartitionKey":"rust","RowKey":"1"},{"PartitionKey":"rust","RowKey":"2"},{"PartitionKey":"go","RowKey":"1"}]
            Wrote 3 entities of the table Trips.
            $ tables delete Trips rust 2
            Deleted the entity rust / 2 of the table Trips.
            $ tables delete Trips rust 2
            1: the table 'Trips' has no such entity
            $ tables clear Trips
            Deleted 2 entities of the table Trips.
            $ tables show Trips
            No entity of the table Trips is like that.
            $ tables drop Trips --yes --output json
            {
              "outcome": "dropped",
              "table": "Trips"
            }
            $ tables show Trips
            1: there is no table named 'Trips'; `dacapo storage tables list` shows those that are there, and `create Trips` makes it
        "#]],
    );
}

#[test]
fn each_app_has_its_own_account() {
    check(
        "queues create of-other --account other-app
         queues list --account other-app
         queues list --account trips
         queues list
         queues list --account nobody
         queues list --account a",
        &expect![[r#"
            $ queues create of-other --account other-app
            Made the queue of-other.
            $ queues list --account other-app
            Queue     Messages
            of-other  0
            $ queues list --account trips
            There are no queues.
            $ queues list
            There are no queues.
            $ queues list --account nobody
            1: the queue service of 'nobody' answered 400 InvalidUri: The requested URI does not represent any resource on the server. This endpoint serves the account 'devstoreaccount1' alone; its paths begin with /devstoreaccount1.
            $ queues list --account a
            2: no app named 'a' has an account of its own: that takes 3 letters or digits; leave out --account
        "#]],
    );
}

#[test]
fn what_is_malformed_is_not_sent() {
    check(
        r#"queues put trips @no/such/file
           tables put Trips nothing
           tables put Trips {"PartitionKey":"a"}
           tables put Trips {"PartitionKey":"a","RowKey":"b/c"}
           queues list --connection-string AccountName=a
           queues list --connection-string AccountName=abc;AccountKey=AAAA --account other-app"#,
        &expect![[r#"
            $ queues put trips @no/such/file
            2: no/such/file cannot be read: No such file or directory (os error 2)
            $ tables put Trips nothing
            2: that is no entity: expected ident at line 1 column 2
            $ tables put Trips {"PartitionKey":"a"}
            2: that is no entity: the RowKey is missing
            $ tables put Trips {"PartitionKey":"a","RowKey":"b/c"}
            2: the entity a / b/c: the RowKey contains '/'; leave out '/', '\', '#', '?' and control characters
            $ queues list --connection-string AccountName=a
            2: the connection string has no AccountKey (or SharedAccessSignature); it has AccountName
            $ queues list --connection-string AccountName=abc;AccountKey=AAAA --account other-app
            2: --account, --queue-port and --table-port are for a host on this machine, and the connection string leads elsewhere; leave them out, or pass --connection-string UseDevelopmentStorage=true
        "#]],
    );
}

#[test]
fn nobody_there_is_no_answer() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("it has one").port();
    drop(free);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let said = runtime.block_on(outcome("queues list", &format!("--queue-port {port}")));
    let start = format!(
        "2: no storage endpoint answers; start a host with `dacapo start <manifest>`, or say where it is with --queue-port and \
         --table-port (now: http://127.0.0.1:{port}/devstoreaccount1, http://127.0.0.1:10002/devstoreaccount1): "
    );
    assert!(said.starts_with(&start), "{said}");
}

#[test]
fn a_large_table_is_cleared_to_the_last_entity() {
    let entities: Vec<String> =
        (0..250).map(|n| format!(r#"{{"PartitionKey":"p{}","RowKey":"{n}"}}"#, n % 2)).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("entities.json");
    std::fs::write(&file, format!("[{}]", entities.join(","))).expect("it can be written");
    let file = file.display().to_string();
    let said = said(&format!("tables create Many\ntables put Many @{file}\ntables clear Many\ntables show Many"));
    expect![[r#"
        $ tables create Many
        Made the table Many.
        $ tables put Many @entities.json
        Wrote 250 entities of the table Many.
        $ tables clear Many
        Deleted 250 entities of the table Many.
        $ tables show Many
        No entity of the table Many is like that.
    "#]]
    .assert_eq(&said.replace(&file, "entities.json"));
}

#[test]
fn who_is_asked_first() {
    let check = |line: &str, expected: Option<&str>| {
        assert_eq!(question(&parsed(line, "")).as_deref(), expected, "{line}");
    };
    check("queues clear trips", Some("Delete all messages of the queue trips?"));
    check("queues delete trips", Some("Delete the queue trips with all its messages?"));
    check("tables clear Trips", Some("Delete all entities of the table Trips?"));
    check("tables drop Trips", Some("Delete the table Trips with all its entities?"));
    check("queues clear trips -y", None);
    check("tables delete Trips a b", None);
}
