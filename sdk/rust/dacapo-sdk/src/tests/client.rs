//! The durable client against its double, which follows the host's rules.

use expect_test::expect;

use crate::testing::instances;
use crate::{
    Client, ClientError, Context, Failure, InstanceQuery, PurgeFilter, RuntimeStatus, StartOptions, Timestamp,
};

#[crate::orchestrator]
async fn client_target(_ctx: Context, n: u32) -> u32 {
    n
}

#[crate::orchestrator]
async fn client_other(_ctx: Context) {}

fn show<T: std::fmt::Debug>(result: &Result<T, ClientError>) -> String {
    format!("{result:?}\n")
}

#[test]
fn starts_have_options() {
    let instances = instances();
    let client = Client::new();
    let options = StartOptions::new().instance_id("a").version("2").tag("kind", "test").start_at(Timestamp::UNIX_EPOCH);
    assert_eq!(client.start_with(&options, client_target, &1).as_deref(), Ok("a"));
    assert_eq!(instances.started()[0].options, options);
    let status = client.status("a").unwrap();
    assert_eq!((status.version.as_deref(), status.tags["kind"].as_str()), (Some("2"), "test"));
    assert!(matches!(client.start_with(&options, client_target, &1), Err(ClientError::AlreadyExists(_))));

    let once = |input| client.start_once("key", &StartOptions::new(), client_target, &input).unwrap();
    assert_eq!(once(1), once(2));
    assert_eq!(instances.started().len(), 2);
    let other = client.start_once("key", &StartOptions::new(), client_other, &());
    assert!(matches!(other, Err(ClientError::Conflict(_))));
    assert_eq!(Failure::from(other.unwrap_err()).http_status(), Some(409));
}

#[test]
fn instances_are_steered_by_the_rules() {
    let instances = instances();
    let client = Client::new();
    client.start_with_id("a", client_target, &1).unwrap();
    let mut log = String::new();
    log += &show(&client.resume("a", ""));
    log += &show(&client.suspend("a", ""));
    log += &show(&client.suspend("a", ""));
    log += &show(&client.resume("a", ""));
    log += &show(&client.rewind("a", ""));
    log += &show(&client.purge("a"));
    log += &show(&client.restart_in_place("a"));
    instances.fail("a", Failure::new("Boom", "it broke"));
    log += &show(&client.resume("a", ""));
    log += &show(&client.rewind("a", ""));
    log += &show(&client.status("a").map(|status| status.runtime_status));
    log += &show(&client.terminate_with_children("a", "enough"));
    log += &show(&client.rewind("a", ""));
    log += &show(&client.restart("a"));
    log += &show(&client.restart_in_place("a"));
    log += &show(&client.terminate("a", "enough"));
    log += &show(&client.purge("a"));
    log += &show(&client.purge("a"));
    expect![[r#"
        Err(Conflict("instance 'a' is not suspended"))
        Ok(())
        Err(Conflict("instance 'a' is suspended already"))
        Ok(())
        Err(Conflict("instance 'a' has not failed"))
        Err(Conflict("instance 'a' is at work: terminate it first"))
        Err(AlreadyExists("an instance 'a' is at work already"))
        Err(Gone("instance 'a' has ended"))
        Ok(())
        Ok(Running)
        Ok(())
        Err(Gone("instance 'a' has ended"))
        Ok("instance-2")
        Ok(())
        Ok(())
        Ok(())
        Err(NotFound("there is no instance 'a'"))
    "#]]
    .assert_eq(&log);
    assert!(instances.started().iter().all(|started| started.input == 1));
}

#[test]
fn events_with_an_id_are_accepted_once() {
    let instances = instances();
    let client = Client::new();
    client.start_with_id("a", client_target, &1).unwrap();
    for (id, payload) in [("x", 1), ("x", 2), ("y", 3)] {
        client.raise_event_once(id, "a", "Number", &payload).unwrap();
    }
    client.raise_event("a", "Number", &4).unwrap();
    let payloads: Vec<_> = instances.events().into_iter().map(|(_, _, payload)| payload).collect();
    assert_eq!(payloads, [1, 3, 4]);
}

#[test]
fn queries_walk_through_pages() {
    let instances = instances();
    let client = Client::new();
    for n in 0..5 {
        let options = StartOptions::new().instance_id(format!("order-{n}")).tag("odd", (n % 2).to_string());
        client.start_with(&options, client_target, &n).unwrap();
    }
    client.start_with_id("other", client_target, &9).unwrap();
    instances.complete("order-3", &3);
    let ids = |query: &InstanceQuery| -> Vec<String> {
        client.query(query).map(|status| status.unwrap().instance_id).collect()
    };
    let orders = || InstanceQuery::new().instance_id_prefix("order-").page_size(2);
    assert_eq!(ids(&orders()), ["order-0", "order-1", "order-2", "order-3", "order-4"]);
    assert_eq!(ids(&orders().tag("odd", "1").status(RuntimeStatus::Completed)), ["order-3"]);
    assert_eq!(ids(&orders().created_from("2027-01-01T00:00:00Z".parse().unwrap())), [""; 0]);
    let first = client.query_page(&orders().with_input(), None).unwrap();
    assert_eq!((first.items.len(), first.items[1].input.as_deref()), (2, Some("1")));
    let second = client.query_page(&orders(), first.continuation_token.as_deref()).unwrap();
    assert_eq!((second.items[0].instance_id.as_str(), second.items[0].input.as_deref()), ("order-2", None));

    let filter = PurgeFilter::created_from(Timestamp::UNIX_EPOCH);
    assert_eq!(client.purge_by(&filter.clone().status(RuntimeStatus::Failed)), Ok(0));
    assert_eq!(client.purge_by(&filter), Ok(1));
    assert_eq!(ids(&orders()).len(), 4);
}
