//! Records that cannot be read: they are set aside or answered for, and everything else goes on.

use super::world::{START, World, execution, id, kinds, new, ready, task, timer, waiting};
use crate::keys;
use crate::rows::{Batch, KeyRange, Rows, Table, View, read};
use expect_test::{Expect, expect};
use orchestration::{EventId, Reuse, RuntimeStatus};
use ports::{InstanceQuery, InstanceStore, Purge, StoreError, WorkStore};
use std::ops::ControlFlow;
use std::time::Duration;

super::conformance::conformance![
    pending_records_are_set_aside,
    keys_that_are_none_are_set_aside,
    an_instance_with_a_broken_row_stands_alone,
    a_broken_history_is_answered_for,
    a_broken_input_is_answered_for,
    an_instance_without_a_row_stops_nobody,
];

/// Bytes that are no record of any kind: a field whose length is cut off.
pub(super) const BROKEN: &[u8] = &[0x0a, 0xff];

pub(super) fn put(rows: &dyn Rows, table: Table, key: Vec<u8>, value: &[u8]) {
    let mut batch = Batch::default();
    batch.put(table, key, value.to_vec());
    let (sender, receiver) = std::sync::mpsc::channel();
    rows.write(batch, Box::new(move |written| sender.send(written).unwrap()));
    receiver.recv().unwrap().unwrap();
}

pub(super) fn dump(rows: &dyn Rows, table: Table) -> Vec<String> {
    let mut found = Vec::new();
    let visit = |view: &dyn View| {
        view.scan(table, &KeyRange::all(), &mut |key, value| {
            found.push(format!("{} = {value:02x?}", crate::rows::record_name(table, key)));
            ControlFlow::Continue(())
        })
    };
    read(rows, visit).unwrap();
    found
}

pub(super) fn check_quarantine(world: &mut World, expected: &Expect) {
    let mut found = Vec::new();
    world.reopen_after(|rows| found = dump(rows, Table::Quarantine));
    expected.assert_eq(&found.join("\n"));
}

async fn pending_records_are_set_aside(mut world: World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let work = world.turn().await;
    let mut checkpoint = waiting(&work);
    checkpoint.activities = vec![task(&work, 1), task(&work, 2)];
    checkpoint.timers = vec![timer(3, 10), timer(4, 10)];
    world.commit(&work.lease, checkpoint).await.unwrap();
    world.raise(&a, "y").await;
    world.raise(&a, "z").await;
    let inbox = world.turn().await.messages.into_iter().map(|message| message.origin).next().unwrap();
    let orchestration::Origin::Inbox(sequence) = inbox else { panic!("from the inbox") };
    world.reopen_after(|rows| {
        put(rows, Table::Inbox, keys::message(&a, sequence), BROKEN);
        put(rows, Table::Activities, keys::event(&a, execution("a"), EventId(1)), BROKEN);
        put(rows, Table::Timers, keys::event(&a, execution("a"), EventId(3)), BROKEN);
    });
    let work = world.turn().await;
    assert_eq!(kinds(&work), ["z"]);
    world.commit(&work.lease, waiting(&work)).await.unwrap();
    assert_eq!(ready(world.take_activity()).await.unwrap().unwrap().task.id, EventId(2));
    assert_eq!(ready(world.take_activity()).await, None);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(world.turn().await.messages.len(), 1);
    check_quarantine(
        &mut world,
        &expect![[r#"
            quarantine/activities/a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00a\x00\x00\x00\x01 = [0a, ff]
            quarantine/inbox/a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02 = [0a, ff]
            quarantine/timers/a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00a\x00\x00\x00\x03 = [0a, ff]"#]],
    );
}

async fn keys_that_are_none_are_set_aside(mut world: World) {
    world.start("a").await;
    world.reopen_after(|rows| {
        put(rows, Table::Inbox, b"no end".to_vec(), b"");
        put(rows, Table::Activities, b"x\0\0short".to_vec(), b"");
        put(rows, Table::Timers, vec![0xff, 0, 0], b"");
    });
    world.no_turn().await;
    world.raise(&id("a"), "x").await;
    assert_eq!(kinds(&world.turn().await), ["x"]);
    check_quarantine(
        &mut world,
        &expect![[r#"
            quarantine/activities/x\x00\x00short = []
            quarantine/inbox/no end = []
            quarantine/timers/\xff\x00\x00 = []"#]],
    );
}

async fn an_instance_with_a_broken_row_stands_alone(mut world: World) {
    for name in ["a", "b", "c"] {
        world.create(new(name), Reuse::NEVER).await.unwrap();
    }
    world.reopen_after(|rows| put(rows, Table::Instances, keys::instance(&id("b")), BROKEN));
    let corrupt = StoreError::Corrupt {
        record: r"instances/b\x00\x00".to_owned(),
        detail: "failed to decode Protobuf message: InstanceRow.execution: invalid varint".to_owned(),
    };
    assert_eq!(world.read(&id("b"), false).await, Err(corrupt.clone()));
    assert_eq!(world.create(new("b"), Reuse::ENDED).await, Err(corrupt.clone()));
    assert_eq!(world.send(super::world::raised(&id("b"), "x")).await, Err(corrupt.clone()));
    assert_eq!(world.purge(&id("b"), Purge::Ended).await, Err(corrupt));
    let mut turns = vec![world.turn().await.row.id, world.turn().await.row.id];
    turns.sort();
    assert_eq!(turns, [id("a"), id("c")]);
    world.no_turn().await;
    for statuses in [vec![], vec![RuntimeStatus::Pending]] {
        let page = world.query(&InstanceQuery { statuses, ..InstanceQuery::default() }).await.unwrap();
        assert_eq!(page.instances.iter().map(|view| view.row.id.clone()).collect::<Vec<_>>(), [id("a"), id("c")]);
    }
    assert_eq!(world.purge(&id("b"), Purge::Any).await, Ok(true));
    assert_eq!(world.create(new("b"), Reuse::NEVER).await, Ok(ports::Created::Yes));
    assert_eq!(kinds(&world.turn().await), ["ExecutionStarted"]);
}

async fn a_broken_history_is_answered_for(mut world: World) {
    let a = world.start("a").await;
    world.reopen_after(|rows| put(rows, Table::History, keys::turn(&a, execution("a"), 0), &[0x0a, 0x00]));
    expect![[r#"the stored record history/a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00a\x00\x00\x00\x00 is corrupt: the event's kind is missing, or a newer host has written it"#]]
        .assert_eq(&world.history(&a, execution("a")).await.unwrap_err().to_string());
    world.raise(&a, "x").await;
    assert_eq!(kinds(&world.turn().await), ["x"]);
}

async fn a_broken_input_is_answered_for(mut world: World) {
    let a = world.start("a").await;
    world.reopen_after(|rows| put(rows, Table::Inputs, keys::execution(&a, execution("a")), BROKEN));
    assert!(matches!(world.read(&a, true).await, Err(StoreError::Corrupt { .. })));
    assert!(matches!(world.read(&a, false).await, Ok(Some(_))));
    let page = world.query(&InstanceQuery { with_input: true, ..InstanceQuery::default() }).await.unwrap();
    assert_eq!(page.instances, []);
}

async fn an_instance_without_a_row_stops_nobody(mut world: World) {
    let a = world.start("a").await;
    world.raise(&a, "x").await;
    let message = world.turn().await.messages.remove(0);
    world.reopen_after(|rows| {
        let value = crate::codec::encode_message(None, &message.kind, None);
        put(rows, Table::Inbox, keys::message(&id("0"), 7), &value);
        put(rows, Table::Timers, keys::event(&id("1"), execution("1"), EventId(1)), &crate::codec::encode_timer(START));
    });
    let work = world.turn().await;
    assert_eq!(work.row.id, a);
    world.no_turn().await;
    world.abandon(&work.lease, START).await.unwrap();
    assert_eq!(world.create(new("0"), Reuse::NEVER).await, Ok(ports::Created::Yes));
    for _ in 0..2 {
        let turns = [world.turn().await, world.turn().await];
        let new = turns.iter().find(|turn| turn.row.id == id("0")).unwrap();
        assert_eq!(kinds(new), ["ExecutionStarted"], "the orphan went with the creation");
        world.reopen();
    }
}
