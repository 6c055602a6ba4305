//! Entities: what the attribute makes of an `impl` block, how batches run, and how orchestrators and clients reach them.

use std::time::Duration;

use expect_test::{Expect, expect};
use futures::future::{join, join_all};
use serde::{Deserialize, Serialize};

use crate::entity::{EntityAction, OperationRequest};
use crate::functions::run_entity;
use crate::operations::Batch;
use crate::testing::{Scripted, instances};
use crate::{Client, Context, Entity, EntityContext, EntityId, EntityQuery, Failure, StartOptions, Timestamp};

const SECOND: Duration = Duration::from_secs(1);

/// A number that remembers nothing but itself.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Tally(i64);

#[crate::entity]
impl Tally {
    /// Counts, and fails below zero after the harm is done.
    fn add(&mut self, amount: i64) -> Result<i64, Failure> {
        self.0 += amount;
        match self.0 {
            ..0 => Err(Failure::new("Negative", format!("{} is below zero", self.0))),
            value => Ok(value),
        }
    }

    fn get(&self) -> i64 {
        self.0
    }

    fn reset(&mut self) {
        *self = Tally::default();
    }

    fn r#move(&mut self, ctx: &EntityContext, to: String) -> Result<(), Failure> {
        ctx.signal::<Tally>(to).add(&self.0)?;
        ctx.start_orchestration_with(&StartOptions::new().instance_id("moved"), tally_watch, &self.0)?;
        self.0 = 0;
        match ctx.key() {
            "stuck" => Err(Failure::new("Stuck", "it does not move")),
            _ => Ok(()),
        }
    }

    fn forget(&self, ctx: &EntityContext) {
        ctx.delete();
    }

    fn remind(&self, ctx: &EntityContext, seconds: u32) -> Result<(), Failure> {
        let moment = ctx.now() + SECOND * seconds;
        ctx.signal_at::<Tally>(ctx.key(), moment).add(&1)
    }

    fn who_asks(&self, ctx: &EntityContext) -> String {
        format!("{} {} {:?} {} {}", ctx.id(), ctx.operation(), ctx.caller(), ctx.is_signal(), ctx.request_id())
    }
}

#[crate::orchestrator]
async fn tally_watch(_ctx: Context, value: i64) -> i64 {
    value
}

/// One with a name and a `delete` of its own, and a state whose fields show.
#[derive(Default, Serialize, Deserialize)]
struct Named {
    text: String,
}

#[crate::entity(name = "Named-Text")]
impl Named {
    fn set(&mut self, text: String) {
        self.text = text;
    }

    fn delete(&mut self) -> &'static str {
        self.text = "deleted".into();
        "not really"
    }
}

/// Runs operations on one entity and shows what comes of it.
fn check(key: &str, state: Option<&str>, operations: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&batch("Tally", key, state, operations, true));
}

fn batch(function: &str, key: &str, state: Option<&str>, operations: &[(&str, &str)], roll_back: bool) -> String {
    let request = |(number, (name, input)): (usize, &(&str, &str))| OperationRequest {
        name: (*name).into(),
        input: (*input).into(),
        request_id: format!("r{number}"),
        is_signal: number > 0,
        caller: (number == 0).then(|| "asker".into()),
    };
    let batch = Batch {
        id: EntityId::new(function, key),
        state: state.map(Into::into),
        operations: operations.iter().enumerate().map(request).collect(),
        roll_back_on_failure: roll_back,
        now: Timestamp::UNIX_EPOCH,
    };
    let result = run_entity(function, &batch);
    let mut text = String::new();
    for outcome in result.results {
        text += &outcome.map_or_else(|failure| format!("{failure:?}\n"), |output| format!("{output}\n"));
    }
    for action in result.actions {
        text += &match action {
            EntityAction::Signal { to, operation, input, deliver_at } => {
                format!("signals {to} {operation} {input} {deliver_at:?}\n")
            }
            EntityAction::StartOrchestration { name, input, options } => {
                format!("starts {name} {input} as {:?}\n", options.instance_id)
            }
        };
    }
    text + &format!("state {:?}\n", result.state)
}

#[test]
fn operations_follow_each_other() {
    check(
        "a",
        None,
        &[("add", "5"), ("ADD", "-2"), ("Get", "null")],
        expect![[r#"
            5
            3
            3
            state Some("3")
        "#]],
    );
    check(
        "a",
        Some("7"),
        &[("who_asks", "null"), ("who_asks", "null")],
        expect![[r#"
            "@tally@a who_asks Some(\"asker\") false r0"
            "@tally@a who_asks None true r1"
            state Some("7")
        "#]],
    );
}

#[test]
fn reading_does_not_bring_an_entity_into_being() {
    check(
        "a",
        None,
        &[("get", "null")],
        expect![[r#"
            0
            state None
        "#]],
    );
}

#[test]
fn a_failure_changes_nothing() {
    check(
        "stuck",
        Some("1"),
        &[("add", "-5"), ("get", "null"), ("move", "\"b\""), ("add", "\"x\""), ("add", "1")],
        expect![[r#"
            Negative: -4 is below zero
            1
            Stuck: it does not move
            InvalidPayload: the input of add of Tally is not a i64: invalid type: string "x", expected i64 at line 1 column 3 (non-retriable)
            2
            state Some("2")
        "#]],
    );
    let without_rollback = batch("tally", "a", Some("1"), &[("add", "-5"), ("get", "null")], false);
    expect![[r#"
        Negative: -4 is below zero
        -4
        state Some("-4")
    "#]]
    .assert_eq(&without_rollback);
}

#[test]
fn operations_ask_for_more() {
    check(
        "a",
        Some("4"),
        &[("move", "\"b\""), ("remind", "60")],
        expect![[r#"
            null
            null
            signals @tally@b add 4 None
            starts TallyWatch 4 as Some("moved")
            signals @tally@a add 1 Some(Timestamp(600000000))
            state Some("0")
        "#]],
    );
}

#[test]
fn deleted_means_gone() {
    check(
        "a",
        Some("4"),
        &[("delete", "null"), ("get", "null"), ("add", "1"), ("forget", "null")],
        expect![[r#"
            null
            0
            1
            null
            state None
        "#]],
    );
    // A state that this code cannot read can still be removed.
    check(
        "a",
        Some("\"old\""),
        &[("get", "null"), ("Delete", "null")],
        expect![[r#"
            InvalidPayload: the state of @tally@a is not a Tally: invalid type: string "old", expected i64 at line 1 column 5 (non-retriable)
            null
            state None
        "#]],
    );
    let own = batch("NAMED-TEXT", "a", None, &[("set", "\"x\""), ("delete", "null")], true);
    expect![[r#"
        null
        "not really"
        state Some("{\"text\":\"deleted\"}")
    "#]]
    .assert_eq(&own);
}

#[test]
fn what_is_not_there_is_named() {
    check(
        "a",
        Some("4"),
        &[("subtract", "1")],
        expect![[r#"
            EntityOperationNotFound: Tally has no operation 'subtract'; it has: add, get, reset, move, forget, remind, who_asks, delete (non-retriable)
            state Some("4")
        "#]],
    );
    let nobody = batch("Nobody", "a", Some("4"), &[("get", "null")], true);
    assert!(nobody.starts_with("EntityTaskNotFound: this component has no entity 'Nobody'; it has: "), "{nobody}");
    assert!(nobody.ends_with("state Some(\"4\")\n"), "{nobody}");
}

#[test]
fn an_entity_is_still_its_type() {
    let mut tally = Tally(1);
    tally.reset();
    assert_eq!((tally.add(2).unwrap(), tally.get(), Tally::NAME, Named::NAME), (2, 2, "Tally", "Named-Text"));
    assert!(tally.r#move(&EntityContext::default(), "b".into()).is_ok());
}

#[test]
fn ids_are_compared_without_the_case_of_the_name() {
    let id = EntityId::of::<Tally>("A@b");
    assert_eq!(id, EntityId::new("TALLY", "A@b"));
    assert_ne!(id, EntityId::new("tally", "a@b"));
    assert_eq!(serde_json::to_string(&id).unwrap(), "\"@tally@A@b\"");
    assert_eq!(serde_json::from_str::<EntityId>("\"@Tally@A@b\"").unwrap(), id);
    for wrong in ["tally@a", "@tally", "@@a", ""] {
        assert!(wrong.parse::<EntityId>().is_err(), "{wrong}");
    }
    assert_eq!("@a@".parse(), Ok(EntityId::new("a", "")));
}

#[crate::orchestrator]
async fn uses_entities(ctx: Context) -> Result<Vec<i64>, Failure> {
    let tally = ctx.entity::<Tally>("a");
    ctx.signal::<Tally>("a").add(&2)?;
    ctx.signal_at::<Tally>("a", ctx.now() + SECOND * 60).add(&100)?;
    let first = tally.add(&3).await?;
    let by_name: i64 = ctx.call_entity(&EntityId::new("TALLY", "a"), "GET", &()).await?;
    let below = tally.add(&-100).await.unwrap_err();
    assert!(below.is("Negative"));
    ctx.entity::<Tally>("gone").add(&1).await?;
    ctx.entity::<Tally>("gone").delete().await?;
    tally.r#move(&"b".into()).await?;
    Ok(vec![first, by_name, tally.get().await?])
}

#[test]
fn orchestrators_use_entities() {
    let outcome = Scripted::new().entity("a", &Tally(10)).run(uses_entities, &());
    assert_eq!(outcome.result, Ok(vec![15, 15, 0]));
    expect![[r#"
              0s test: signal @tally@a add 2
              0s test: signal @tally@a add at 2026-01-01T00:01:00Z 100
              0s test: @tally@a add 3
              0s test: @tally@a GET null
              0s test: @tally@a add -100
              0s test: @tally@gone add 1
              0s test: @tally@gone delete null
              0s test: @tally@a move "b"
              0s @tally@a: signal @tally@b add 15
              0s @tally@a: start TallyWatch 15
              0s test: @tally@a get null
        after 0ns
    "#]]
    .assert_eq(&format!("{}after {:?}\n", outcome.transcript(), outcome.elapsed));
    // The signal for later comes after the end.
    assert_eq!((outcome.entity("a"), outcome.entity("b")), (Some(Tally(100)), Some(Tally(15))));
    assert_eq!(outcome.entity::<Tally>("gone"), None);
}

#[crate::orchestrator]
async fn asks_elsewhere(ctx: Context) -> Result<u32, Failure> {
    ctx.call_entity(&EntityId::new("Elsewhere", "k"), "Price", &2).await
}

#[test]
fn entities_of_others_are_scripted() {
    let outcome = Scripted::new().entity_operation("elsewhere", "price", |n: u32| Ok(n * 10)).run(asks_elsewhere, &());
    assert_eq!(outcome.result, Ok(20));
}

#[test]
#[should_panic(expected = "this crate has no entity 'elsewhere'")]
fn an_entity_that_nobody_answers_is_named() {
    Scripted::new().run(asks_elsewhere, &());
}

#[crate::orchestrator]
async fn transfers(ctx: Context, (from, to, amount): (String, String, i64)) -> Result<bool, Failure> {
    let lock = ctx.lock([EntityId::of::<Tally>(&from), EntityId::of::<Tally>(&to)]).await?;
    if ctx.entity::<Tally>(&from).get().await? < amount {
        return Ok(false);
    }
    ctx.sleep(SECOND).await;
    ctx.entity::<Tally>(&from).add(&-amount).await?;
    ctx.entity::<Tally>(&to).add(&amount).await?;
    lock.unlock();
    Ok(true)
}

#[crate::orchestrator]
async fn transfers_both_ways(ctx: Context) -> Result<Vec<bool>, Failure> {
    let transfer = |from: &str, to: &str, amount| ctx.call_sub(transfers, &(from.into(), to.into(), amount));
    let signalled = async {
        ctx.sleep(SECOND / 2).await;
        ctx.signal::<Tally>("a").add(&1000)
    };
    let children = join_all([transfer("a", "b", 10), transfer("b", "a", 15), transfer("a", "b", 1)]);
    let (results, signalled) = join(children, signalled).await;
    signalled?;
    results.into_iter().collect()
}

/// Two that want the same pair in the other order take turns, and a signal waits until nobody holds the lock.
#[test]
fn a_critical_section_is_alone() {
    let outcome = Scripted::new().entity("a", &Tally(10)).entity("b", &Tally(10)).run(transfers_both_ways, &());
    assert_eq!((outcome.result, outcome.elapsed), (Ok(vec![true; 3]), SECOND * 3));
    assert_eq!((outcome.entities[&EntityId::of::<Tally>("a")].clone(), outcome.entities.len()), (1014.into(), 2));
    // A child that ends early leaves the section too.
    let outcome = Scripted::new().run(transfers, &("x".into(), "y".into(), 1));
    assert_eq!(outcome.result, Ok(false));
    assert!(outcome.transcript().ends_with("test: unlock\n"));
}

#[crate::orchestrator]
async fn breaks_the_rules(ctx: Context) -> Result<Vec<String>, Failure> {
    let (mine, other) = (EntityId::of::<Tally>("mine"), EntityId::of::<Tally>("other"));
    let mut refused = Vec::new();
    let mut note = |failure: Failure| refused.push(failure.to_string());
    note(ctx.lock(std::iter::empty::<EntityId>()).await.err().unwrap());
    let _lock = ctx.lock([&mine, &mine]).await?;
    note(ctx.lock([&other]).await.err().unwrap());
    note(ctx.entity::<Tally>("other").get().await.unwrap_err());
    let (_, second) = join(ctx.entity::<Tally>("mine").get(), ctx.entity::<Tally>("mine").get()).await;
    note(second.unwrap_err());
    note(ctx.signal::<Tally>("mine").reset().unwrap_err());
    note(ctx.call_sub(tally_watch, &1).await.unwrap_err());
    ctx.signal::<Tally>("other").reset()?;
    Ok(refused)
}

#[test]
fn a_critical_section_has_rules() {
    let refused = Scripted::new().run(breaks_the_rules, &()).result.unwrap().join("\n");
    expect![[r#"
        CriticalSectionViolation: a critical section needs at least one entity
        CriticalSectionViolation: must not enter another critical section within one; leave the first one before
        CriticalSectionViolation: @tally@other is not one of the locked entities
        CriticalSectionViolation: a call of @tally@mine is not answered yet
        CriticalSectionViolation: @tally@mine is locked by this orchestration: call it, do not signal it
        CriticalSectionViolation: a sub-orchestration cannot begin within a critical section"#]]
    .assert_eq(&refused);
}

#[test]
fn clients_use_entities() {
    let instances = instances();
    let client = Client::new();
    assert_eq!(client.entity_state::<Tally>("a").unwrap(), None);
    instances.set_entity("a", &Tally(1));
    client.signal::<Tally>("a").add(&4).unwrap();
    client.signal_entity(&EntityId::new("tally", "a"), "Move", "b").unwrap();
    client.signal_at::<Tally>("b", Timestamp::UNIX_EPOCH).reset().unwrap();
    client.signal_entity_at(&EntityId::new("Elsewhere", "k"), "Poke", &(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(client.entity_state("a").unwrap(), Some(Tally(0)));
    assert_eq!(client.read_entity(&EntityId::of::<Tally>("b")).unwrap().unwrap().state(), Ok(Tally(5)));
    assert_eq!((instances.signals().len(), instances.started()[0].name.as_str()), (5, "TallyWatch"));
    client.signal::<Tally>("a").delete().unwrap();
    let query = EntityQuery::new().name("Tally").with_state().page_size(1);
    let found: Vec<_> = client.query_entities(&query).map(|entity| entity.unwrap().id.to_string()).collect();
    assert_eq!(found, ["@tally@b"]);
}
