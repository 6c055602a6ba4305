//! Critical sections: nobody comes in between, nobody waits for ever, and no lock outlives its owner, whatever ends it.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use ureq::http::Method;

use crate::client::{Client, MANAGEMENT};
use crate::host::{Host, with_app};
use crate::samples;

const ACCOUNTS: [&str; 3] = ["ada", "bob", "eve"];

/// What each account has in the beginning.
const DEPOSIT: i64 = 100;

/// Of transfers that race, from every account to every other one. Some ask for more than there is.
fn order(number: usize) -> Value {
    let from = number % ACCOUNTS.len();
    let to = (from + 1 + number / ACCOUNTS.len() % 2) % ACCOUNTS.len();
    json!({ "from": ACCOUNTS[from], "to": ACCOUNTS[to], "amount": 1 + number * 13 % 97 })
}

fn open_accounts(host: &mut Host) {
    for account in ACCOUNTS {
        host.client().signal(&format!("Account/{account}"), "deposit", &json!(DEPOSIT));
    }
    for account in ACCOUNTS {
        host.wait_for_entity(&format!("Account/{account}"), Some(&json!({ "balance": DEPOSIT })));
    }
}

/// Starts these transfers until the host is gone, and answers the ids of those that it acknowledged.
fn start_transfers(client: &Client, name: &str, count: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0..count {
        let id = format!("{name}-{number}");
        let path = format!("{MANAGEMENT}/orchestrators/Transfer/{id}");
        match client.try_send(Method::POST, &path, &order(number).to_string()) {
            Ok(answer) => {
                answer.expect(202);
                acknowledged.push(id);
            }
            Err(_killed) => break,
        }
    }
    acknowledged
}

/// Every transfer is there and has ended, every account has exactly what the results add up to, and no account is locked.
fn check_books(host: &mut Host, acknowledged: &[String]) {
    let open = format!("{MANAGEMENT}/instances?runtimeStatus=Running,Pending&top=1");
    host.look_until("every transfer has ended", |client| {
        (client.get(&open).expect(200).json() == json!([])).then_some(())
    });
    let client = host.client();
    let all = client.get(&format!("{MANAGEMENT}/instances?top=1000")).expect(200).json();
    let all = all.as_array().expect("a list");
    for id in acknowledged {
        assert!(all.iter().any(|status| status["instanceId"] == **id), "{id} was acknowledged and is lost");
    }
    let mut balances: BTreeMap<&str, i64> = ACCOUNTS.into_iter().map(|account| (account, DEPOSIT)).collect();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for status in all {
        let (output, order) = (&status["output"], &status["input"]);
        let kind = output["transfer"].as_str().unwrap_or_else(|| panic!("a transfer does not fail: {status:#}"));
        *kinds.entry(kind).or_default() += 1;
        if kind == "done" {
            let amount = order["amount"].as_i64().expect("a number");
            *balances.get_mut(order["from"].as_str().expect("an account")).expect("one of them") -= amount;
            *balances.get_mut(order["to"].as_str().expect("an account")).expect("one of them") += amount;
        }
    }
    assert!(kinds.contains_key("done") && kinds.contains_key("refused"), "{kinds:?}");
    for (account, balance) in balances {
        assert!(balance >= 0, "{account} was overdrawn");
        assert_eq!(client.entity(&format!("Account/{account}")), Some(json!({ "balance": balance })), "{account}");
        // The release is a message of its own, on its way when the transfer has ended.
        wait_for_owner(host, &format!("@account@{account}"), &Value::Null);
    }
}

/// Waits until this is who has locked an entity. One without state that nobody has locked is gone.
fn wait_for_owner(host: &mut Host, entity: &str, owner: &Value) {
    let path = format!("{MANAGEMENT}/instances/{entity}/explain");
    host.look_until(&format!("{entity} is locked by {owner}"), |client| {
        let answer = client.get(&path);
        if answer.status == 404 {
            return owner.is_null().then_some(());
        }
        let explanation = answer.expect(200).json();
        (explanation["lockedBy"] == *owner && explanation["waitingMessages"] == 0).then_some(())
    });
}

#[test]
fn racing_transfers_keep_the_sum() {
    with_app(&samples::manifest("durable-model"), |host| {
        open_accounts(host);
        let client = host.client();
        let acknowledged: Vec<String> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..4)
                .map(|number| {
                    let client = client.clone();
                    scope.spawn(move || start_transfers(&client, &format!("client-{number}"), 10))
                })
                .collect();
            clients.into_iter().flat_map(|client| client.join().expect("starting does not panic")).collect()
        });
        assert_eq!(acknowledged.len(), 40);
        check_books(host, &acknowledged);
    });
}

/// After how many transfers each life of the host ends. All are started in the first one, and fewer end than there are.
const LIVES: [usize; 6] = [5, 21, 1, 13, 30, 8];
const TRANSFERS: usize = 200;

#[test]
fn transfers_survive_kill_after_kill() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let manifest = samples::manifest("durable-model");
    let mut acknowledged = Vec::new();
    for (life, transfers) in LIVES.into_iter().enumerate() {
        let mut host = Host::start_in(data.path(), &manifest);
        let client = host.client();
        if life == 0 {
            open_accounts(&mut host);
            acknowledged.extend(start_transfers(&client, "first", TRANSFERS));
        }
        std::thread::scope(|scope| {
            let name = format!("life-{life}");
            let starts = scope.spawn(move || start_transfers(&client, &name, 5));
            for _ in 0..transfers {
                host.process.wait_for("[orchestration end] Transfer ");
            }
            host.process.kill();
            acknowledged.extend(starts.join().expect("starting does not panic"));
        });
    }
    let mut host = Host::start_in(data.path(), &manifest);
    let open = host.client().find("runtimeStatus=Running,Pending&top=1");
    assert!(!open.is_empty(), "the kills came too late: every transfer had ended");
    check_books(&mut host, &acknowledged);
    host.stop();
}

/// Makes the holder of locks with this id do something.
type MakeIt = fn(&Client, &str);

/// What a holder of locks does, how it is made to, and how it then ends.
const ENDS: [(&str, MakeIt, &str); 5] = [
    ("returns", |client, id| client.raise(id, "Go", &json!("Return")), "Completed"),
    ("fails", |client, id| client.raise(id, "Go", &json!("Fail")), "Failed"),
    ("begins anew", |client, id| client.raise(id, "Go", &json!("BeginAnew")), "Completed"),
    ("is terminated", |client, id| drop(client.tell(id, "terminate").expect(202)), "Terminated"),
    ("is purged", |client, id| drop(client.delete(&format!("{MANAGEMENT}/instances/{id}?force=true")).expect(200)), ""),
];

#[test]
fn locks_are_given_back_however_their_owner_ends() {
    with_app(&samples::manifest("odd-jobs"), |host| {
        let client = host.client();
        let tools = json!(["saw", "axe"]);
        for (number, (how, end, status)) in ENDS.into_iter().enumerate() {
            let holder = format!("holder-{number}");
            client.start_as("Hold", &holder, &tools);
            host.wait_for_custom_status(&holder, "holding");
            for tool in ["saw", "axe"] {
                wait_for_owner(host, &format!("@tool@{tool}"), &json!(holder));
            }
            // Whoever gives up waiting is no obstacle for those who come later.
            assert_eq!(client.outcome("Want", &tools), "gave up", "while {holder} holds them");
            end(&client, &holder);
            if !status.is_empty() {
                host.wait_for_status(&holder, status);
            }
            for tool in ["saw", "axe"] {
                wait_for_owner(host, &format!("@tool@{tool}"), &Value::Null);
            }
            assert_eq!(client.outcome("Want", &tools), "had them", "after {holder} {how}");
        }
    });
}

#[test]
fn who_waits_for_a_lock_is_told_by_its_explanation() {
    with_app(&samples::manifest("odd-jobs"), |host| {
        let client = host.client();
        client.start_as("Hold", "first", &json!(["saw"]));
        host.wait_for_custom_status("first", "holding");
        client.start_as("Hold", "second", &json!(["saw", "axe"]));
        let waits = host.look_until("the second one waits for the lock", |client| {
            let explanation = client.explain("second");
            let waits = explanation["waitingFor"].get(0).is_some_and(|wait| wait["kind"] == "Lock");
            (waits && explanation["working"] == false).then_some(explanation)
        });
        // The set is sorted, so that the axe comes first and is held already.
        assert_eq!(waits["summary"], "Waits for the lock on @tool@axe, @tool@saw.", "{waits:#}");
        wait_for_owner(host, "@tool@axe", &json!("second"));
        // One that still waits for the rest gives back what it has.
        client.tell("second", "terminate").expect(202);
        wait_for_owner(host, "@tool@axe", &Value::Null);
        client.raise("first", "Go", &json!("Return"));
        wait_for_owner(host, "@tool@saw", &Value::Null);
    });
}
