//! Entities: state by key, operations one at a time, signals for now and for later.

use expect_test::expect;
use serde_json::{Value, json};

use crate::client::MANAGEMENT;
use crate::host::{Host, with_app};
use crate::samples;

fn with_model(test: impl FnOnce(&mut Host)) {
    with_app(&samples::manifest("durable-model"), test);
}

/// A list of entities without what differs from run to run.
fn listed(host: &Host, path: &str) -> String {
    let mut list = host.client().get(&format!("{MANAGEMENT}/{path}")).expect(200).json();
    for entity in list.as_array_mut().expect("a list") {
        assert!(entity["lastOperationTime"].is_string(), "{entity}");
        entity["lastOperationTime"] = json!("..");
    }
    list.to_string()
}

#[test]
fn a_counter_from_its_first_signal_to_its_end() {
    with_model(|host| {
        let client = host.client();
        assert_eq!(client.entity("Counter/stock"), None);
        client.signal("Counter/stock", "add", &json!(5));
        host.wait_for_entity("Counter/stock", Some(&json!({ "value": 5 })));
        // A signal, then a call: messages of one sender keep their order.
        assert_eq!(client.outcome("UseCounter", &json!({ "key": "stock", "amount": 4 })), 9);
        // Names are compared without case, keys are not.
        assert_eq!(client.entity("cOUNTER/stock"), Some(json!({ "value": 9 })));
        assert_eq!(client.entity("Counter/Stock"), None);

        // An operation that fails has changed nothing, whoever asked for it.
        client.signal("Counter/stock", "add", &json!(-100));
        let failed = client.outcome("UseCounter", &json!({ "key": "stock", "amount": -100 }));
        assert_eq!(failed, 9, "the signal of the orchestration fails where nobody hears of it");
        assert_eq!(client.outcome("UseCounter", &json!({ "key": "stock", "amount": 0 })), 9);

        expect![[r#"[{"entityId":{"key":"stock","name":"counter"},"lastOperationTime":"..","state":{"value":9}}]"#]]
            .assert_eq(&listed(host, "entities?fetchState=true"));
        expect![[r#"[{"entityId":{"key":"stock","name":"counter"},"lastOperationTime":".."}]"#]]
            .assert_eq(&listed(host, "entities/Counter"));
        assert_eq!(listed(host, "entities/Account"), "[]");
        let instances = client.find("top=100");
        assert!(!instances.iter().any(|id| id.starts_with('@')), "entities are no instances: {instances:?}");
        assert_eq!(client.find("instanceIdPrefix=@"), ["@counter@stock"]);

        client.delete(&format!("{MANAGEMENT}/entities/Counter/stock")).expect(202);
        host.wait_for_entity("Counter/stock", None);
        assert_eq!(listed(host, "entities"), "[]", "deleted means gone");
    });
}

#[test]
fn a_signal_for_later_is_durable_at_once_and_done_when_its_time_has_come() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let manifest = samples::manifest("durable-model");
    let later = |key: &str, seconds: u32| json!({ "key": key, "amount": 1, "seconds": seconds });
    let mut host = Host::start_in(data.path(), &manifest);
    host.client().signal("Counter/tomorrow", "reset", &json!(null));
    assert_eq!(host.client().outcome("CountLater", &later("tomorrow", 86_400)), Value::Null);
    assert_eq!(host.client().outcome("CountLater", &later("soon", 1)), Value::Null);
    host.process.kill();

    let mut host = Host::start_in(data.path(), &manifest);
    host.wait_for_entity("Counter/soon", Some(&json!({ "value": 1 })));
    let tomorrow = host.client().explain("@counter@tomorrow");
    assert_eq!(tomorrow["scheduledMessages"].as_array().map(Vec::len), Some(1), "{tomorrow:#}");
    assert_eq!(host.client().entity("Counter/tomorrow"), Some(json!({ "value": 0 })));
    host.stop();
}

#[test]
fn an_entity_signals_others_and_starts_orchestrations() {
    with_model(|host| {
        let client = host.client();
        for reading in [20, 120, 130] {
            client.signal("Sensor/oven", "report", &json!(reading));
        }
        host.wait_for_entity("Counter/readings", Some(&json!({ "value": 3 })));
        let alarm = host.wait_for_status("alarm-oven", "Completed");
        assert_eq!((&alarm["name"], &alarm["output"]), (&json!("RaiseAlarm"), &json!("alarm-oven: 120 degrees")));
        assert_eq!(client.find("instanceIdPrefix=alarm"), ["alarm-oven"], "it is raised once");
    });
}

#[test]
fn what_is_refused_changes_nothing() {
    with_model(|host| {
        let client = host.client();
        let long_key = "x".repeat(300);
        for (path, body, exception) in [
            ("entities/Nobody/a?op=add", "1", "System.ArgumentException"),
            ("entities/Echo/a?op=add", "1", "System.ArgumentException"),
            (&format!("entities/Counter/{long_key}?op=add"), "1", "System.ArgumentException"),
            ("entities/Counter/a?op=add", "{", "Newtonsoft.Json.JsonReaderException"),
        ] {
            let refused = client.post(&format!("{MANAGEMENT}/{path}"), body).expect(400).json();
            assert_eq!(refused["ExceptionType"], exception, "{path}: {refused:#}");
        }
        client.delete(&format!("{MANAGEMENT}/entities/Nobody/a")).expect(400);
        client.get(&format!("{MANAGEMENT}/entities/Nobody/a")).expect(404);
        assert_eq!(listed(host, "entities"), "[]");
        assert!(client.find("top=10").is_empty());
    });
}
