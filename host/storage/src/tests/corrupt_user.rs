//! Records of users that cannot be read: set aside, answered for or left out, while everything else goes on.

use super::corrupt::{BROKEN, check_quarantine, dump, put as put_row};
use super::user::{HOUR, entity, key, put, queue, receive, table, text_of};
use super::world::World;
use crate::keys;
use crate::rows::{Rows, Table};
use expect_test::expect;
use ports::{
    DocumentStore, DocumentWrite, EntitiesQuery, EntityWrite, Expecting, Matching, Metadata, QueueCreated, QueueError,
    QueueStore, Rest, StoreError, TableError, TableStore,
};

super::conformance::conformance![
    a_broken_message_is_set_aside,
    a_broken_body_goes_with_its_message,
    a_broken_queue_is_set_aside_and_its_messages_stay,
    keys_that_are_none_are_set_aside,
    a_broken_entity_stands_alone,
    a_broken_document_stands_alone,
];

/// The keys of a table's rows, in order.
fn found(rows: &dyn Rows, of: Table) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    crate::rows::read(rows, |view| {
        view.scan(of, &crate::rows::KeyRange::all(), &mut |key, _| {
            keys.push(key.to_vec());
            std::ops::ControlFlow::Continue(())
        })
    })
    .unwrap();
    keys
}

async fn orders(world: &World) {
    world.create_queue(&queue("orders"), Metadata::new()).await.unwrap();
    for text in ["a", "b", "c"] {
        put(world, &queue("orders"), text).await;
    }
}

async fn a_broken_message_is_set_aside(mut world: World) {
    orders(&world).await;
    world.reopen_after(|rows| {
        let key = found(rows, Table::QueueMessages).remove(1);
        put_row(rows, Table::QueueMessages, key, BROKEN);
    });
    assert_eq!(text_of(&receive(&world, &queue("orders"), 9, HOUR).await), "a c");
    assert_eq!(world.queue(&queue("orders")).await.unwrap().messages, 2);
    let mut aside = Vec::new();
    world.reopen_after(|rows| aside = dump(rows, Table::Quarantine));
    assert_eq!(aside.len(), 1);
    assert!(aside[0].starts_with("quarantine/queue-messages/") && aside[0].ends_with(" = [0a, ff]"), "{aside:?}");
}

async fn a_broken_body_goes_with_its_message(mut world: World) {
    orders(&world).await;
    world.reopen_after(|rows| {
        let key = found(rows, Table::QueueBodies).remove(0);
        put_row(rows, Table::QueueBodies, key, BROKEN);
    });
    assert_eq!(text_of(&world.peek(&queue("orders"), 9).await.unwrap()), "b c");
    assert_eq!(text_of(&receive(&world, &queue("orders"), 2, HOUR).await), "b");
    for _ in 0..2 {
        assert_eq!(world.queue(&queue("orders")).await.unwrap().messages, 2);
        world.reopen();
    }
    let mut aside = Vec::new();
    world.reopen_after(|rows| aside = dump(rows, Table::Quarantine));
    assert!(aside[0].starts_with("quarantine/queue-bodies/"), "{aside:?}");
}

async fn a_broken_queue_is_set_aside_and_its_messages_stay(mut world: World) {
    orders(&world).await;
    let name = queue("orders");
    world.reopen_after(|rows| put_row(rows, Table::Queues, keys::queue(&name), BROKEN));
    assert_eq!(world.queue(&name).await, Err(QueueError::QueueNotFound(name.clone())));
    assert_eq!(world.create_queue(&name, Metadata::new()).await, Ok(QueueCreated::Yes));
    assert_eq!(world.peek(&name, 9).await, Ok(Vec::new()));
    let mut left = 0;
    world.reopen_after(|rows| left = found(rows, Table::QueueBodies).len());
    assert_eq!(left, 3, "nobody said that they may go");
    check_quarantine(&mut world, &expect![[r#"quarantine/queues/orders = [0a, ff]"#]]);
}

async fn keys_that_are_none_are_set_aside(mut world: World) {
    orders(&world).await;
    world.reopen_after(|rows| {
        put_row(rows, Table::Queues, b"No Name".to_vec(), b"\x08\x01");
        put_row(rows, Table::QueueMessages, b"short".to_vec(), b"");
        put_row(rows, Table::Dropped, b"x".to_vec(), b"");
        put_row(rows, Table::UserTables, b"1".to_vec(), b"\x08\x01\x12\x011");
    });
    assert_eq!(text_of(&receive(&world, &queue("orders"), 9, HOUR).await), "a b c");
    check_quarantine(
        &mut world,
        &expect![[r#"
            quarantine/dropped/x = []
            quarantine/queue-messages/short = []
            quarantine/queues/No Name = [08, 01]
            quarantine/user-tables/1 = [08, 01, 12, 01, 31]"#]],
    );
}

async fn a_broken_entity_stands_alone(mut world: World) {
    let trips = table("Trips");
    world.create_table(&trips).await.unwrap();
    for row in ["1", "2", "3"] {
        world.write_entities(&trips, vec![EntityWrite::Insert(entity("a", row, &[]))]).await.unwrap();
    }
    world.reopen_after(|rows| {
        for broken in found(rows, Table::UserEntities).into_iter().take(2) {
            put_row(rows, Table::UserEntities, broken, BROKEN);
        }
    });
    let corrupt = |read: Result<(), TableError>| matches!(read, Err(TableError::Store(StoreError::Corrupt { .. })));
    assert!(corrupt(world.entity(&trips, &key("a", "1")).await.map(drop)));
    let query = EntitiesQuery { table: trips.clone(), filter: None, limit: 9, from: None };
    let listed = async |world: &World| {
        let page = world.entities(&query).await.unwrap();
        page.entities.into_iter().map(|entity| entity.key.row).collect::<String>()
    };
    assert_eq!(listed(&world).await, "3");
    let one = async |write| world.write_entities(&trips, vec![write]).await.map(drop);
    let new = entity("a", "1", &[("x", 1)]);
    assert_eq!(one(EntityWrite::Insert(new.clone())).await, Err(TableError::EntityExists { index: 0 }));
    assert!(corrupt(one(EntityWrite::Upsert(new.clone(), Rest::Merged)).await));
    assert!(corrupt(one(EntityWrite::Update(new.clone(), Rest::Replaced, Matching::Written(1))).await));
    assert_eq!(one(EntityWrite::Upsert(new, Rest::Replaced)).await, Ok(()));
    assert_eq!(one(EntityWrite::Delete(key("a", "2"), Matching::Any)).await, Ok(()));
    assert_eq!(listed(&world).await, "13");
}

async fn a_broken_document_stands_alone(mut world: World) {
    let write = |name: &str, expecting| DocumentWrite { name: name.to_owned(), expecting, content: Some(vec![1]) };
    for name in ["a", "b"] {
        world.write_documents(vec![write(name, Expecting::Nothing)]).await.unwrap();
    }
    world.reopen_after(|rows| put_row(rows, Table::Documents, b"a".to_vec(), BROKEN));
    assert!(matches!(world.document("a").await, Err(StoreError::Corrupt { .. })));
    let found = world.documents("", None, 9).await.unwrap();
    assert_eq!(found.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(world.write_documents(vec![write("a", Expecting::Nothing)]).await.is_err());
    world.write_documents(vec![write("a", Expecting::Anything)]).await.unwrap();
    assert_eq!(world.document("a").await.unwrap().unwrap().content, [1]);
}
