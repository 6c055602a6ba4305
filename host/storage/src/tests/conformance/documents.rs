//! Documents: versions that never come twice, writes with conditions, several as a whole.

use super::conformance;
use crate::tests::world::World;
use futures::future::join_all;
use ports::{Document, DocumentError, DocumentStore, DocumentWrite, Expecting, StoreError};
use std::collections::BTreeSet;

conformance![
    a_document_is_as_it_was_written,
    a_write_wants_what_it_read,
    several_are_written_as_a_whole,
    documents_are_listed_by_name,
    versions_never_come_twice,
    racing_writes_lose_to_one,
    what_is_too_large_is_refused,
];

fn write(name: &str, expecting: Expecting, content: Option<&str>) -> DocumentWrite {
    DocumentWrite { name: name.to_owned(), expecting, content: content.map(|content| content.as_bytes().to_vec()) }
}

async fn put(world: &World, name: &str, content: &str) -> u64 {
    let written = world.write_documents(vec![write(name, Expecting::Anything, Some(content))]).await.unwrap();
    written[0].unwrap()
}

async fn a_document_is_as_it_was_written(mut world: World) {
    let version = put(&world, "timers/a/ä", "1").await;
    let expected = Document { name: "timers/a/ä".to_owned(), version, content: b"1".to_vec() };
    for _ in 0..2 {
        assert_eq!(world.document("timers/a/ä").await, Ok(Some(expected.clone())));
        assert_eq!(world.document("timers/a").await, Ok(None));
        world.reopen();
    }
    let removed = world.write_documents(vec![write("timers/a/ä", Expecting::Version(version), None)]).await;
    assert_eq!(removed, Ok(vec![None]));
    for _ in 0..2 {
        assert_eq!(world.document("timers/a/ä").await, Ok(None));
        world.reopen();
    }
}

async fn a_write_wants_what_it_read(world: World) {
    let changed = |name: &str| Err(DocumentError::Changed { name: name.to_owned() });
    let one = async |write| world.write_documents(vec![write]).await;
    assert_eq!(one(write("a", Expecting::Version(1), Some("1"))).await, changed("a"));
    assert_eq!(one(write("a", Expecting::Version(1), None)).await, changed("a"));
    let first = one(write("a", Expecting::Nothing, Some("1"))).await.unwrap()[0].unwrap();
    assert_eq!(one(write("a", Expecting::Nothing, Some("2"))).await, changed("a"));
    let second = one(write("a", Expecting::Version(first), Some("2"))).await.unwrap()[0].unwrap();
    assert!(second > first);
    assert_eq!(one(write("a", Expecting::Version(first), None)).await, changed("a"));
    assert_eq!(world.document("a").await.unwrap().unwrap().content, b"2");
    assert_eq!(one(write("b", Expecting::Anything, None)).await, Ok(vec![None]));
}

async fn several_are_written_as_a_whole(mut world: World) {
    let writes = |expecting| {
        vec![
            write("a", Expecting::Anything, Some("1")),
            write("b", expecting, Some("1")),
            write("a", Expecting::Anything, None),
            write("a", Expecting::Nothing, Some("2")),
        ]
    };
    let refused = world.write_documents(writes(Expecting::Version(7))).await;
    assert_eq!(refused, Err(DocumentError::Changed { name: "b".to_owned() }));
    assert_eq!(world.documents("", None, 9).await.unwrap(), []);
    assert_eq!(world.write_documents(writes(Expecting::Nothing)).await.unwrap().len(), 4);
    world.reopen();
    let found = world.documents("", None, 9).await.unwrap();
    assert_eq!(
        found.iter().map(|found| (&*found.name, &*found.content)).collect::<Vec<_>>(),
        [("a", &b"2"[..]), ("b", b"1")]
    );
}

async fn documents_are_listed_by_name(mut world: World) {
    for name in ["usage/b", "usage/a", "timers/a", "usage", "usagf", "usage/c"] {
        put(&world, name, name).await;
    }
    let list = async |world: &World, prefix: &str, from: Option<&str>, limit| {
        let found = world.documents(prefix, from, limit).await.unwrap();
        assert!(found.iter().all(|found| found.content == found.name.as_bytes()));
        found.into_iter().map(|found| found.name).collect::<Vec<_>>().join(" ")
    };
    for _ in 0..2 {
        assert_eq!(list(&world, "usage/", None, 9).await, "usage/a usage/b usage/c");
        assert_eq!(list(&world, "usage/", Some("usage/b"), 1).await, "usage/b");
        assert_eq!(list(&world, "usage/", Some("timers"), 1).await, "usage/a");
        assert_eq!(list(&world, "", None, 9).await, "timers/a usage usage/a usage/b usage/c usagf");
        world.reopen();
    }
}

async fn versions_never_come_twice(mut world: World) {
    let mut versions = BTreeSet::new();
    for round in 0..20 {
        versions.insert(put(&world, "a", "1").await);
        world.write_documents(vec![write("a", Expecting::Anything, None)]).await.unwrap();
        if round % 3 == 0 {
            world.reopen();
        }
        if round % 5 == 0 {
            world.clock.set(orchestration::Timestamp::from_unix_ms(1_600_000_000_000));
        }
    }
    assert_eq!(versions.len(), 20);
}

async fn racing_writes_lose_to_one(world: World) {
    let version = put(&world, "a", "0").await;
    let racing = (0..10).map(|n| {
        let content = n.to_string();
        world.write_documents(vec![write("a", Expecting::Version(version), Some(&content))])
    });
    let won = join_all(racing).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 1);
}

async fn what_is_too_large_is_refused(world: World) {
    let name = "n".repeat(100_000);
    let content = vec![0; Document::MAX_BYTES + 1];
    for write in [
        DocumentWrite { name, expecting: Expecting::Anything, content: Some(Vec::new()) },
        DocumentWrite { name: "a".to_owned(), expecting: Expecting::Anything, content: Some(content) },
    ] {
        let refused = world.write_documents(vec![write]).await;
        assert!(matches!(refused, Err(DocumentError::Store(StoreError::Unavailable { .. }))), "{refused:?}");
    }
    put(&world, "a", "1").await;
}
