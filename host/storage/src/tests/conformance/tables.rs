//! Tables: entities by key in the order of UTF-16, writes with conditions, batches as a whole, timestamps that only grow.

use super::conformance;
use crate::tests::user::{entity, key, table};
use crate::tests::world::World;
use futures::future::join_all;
use orchestration::Timestamp;
use ports::{EntitiesQuery, EntityWrite, Matching, Rest, TableError, TableStore};
use std::collections::BTreeSet;
use storage_model::{Comparison, EdmValue, Entity, EntityKey, Filter, Operand, TableName};

conformance![
    a_table_is_made_once,
    a_missing_table_is_refused_everywhere,
    tables_are_listed_without_case,
    a_new_table_has_nothing_of_the_old_one,
    values_of_all_types_read_back,
    an_insert_wants_nothing_there,
    an_upsert_replaces_or_merges,
    an_update_wants_what_it_read,
    a_deletion_wants_what_it_read,
    a_batch_is_written_as_a_whole,
    a_merge_that_grows_too_large_is_refused,
    timestamps_only_grow,
    racing_updates_do_not_lose_each_other,
    entities_are_listed_in_the_order_of_utf_16,
    pages_cover_everything_once,
    a_filter_on_keys_reads_less,
    a_page_ends_before_it_takes_too_long,
    a_page_ends_before_it_is_too_large,
];

fn trips() -> TableName {
    table("Trips")
}

async fn insert(world: &World, entity: Entity) -> i64 {
    let written = world.write_entities(&trips(), vec![EntityWrite::Insert(entity)]).await.unwrap();
    written[0].unwrap()
}

async fn one(world: &World, write: EntityWrite) -> Result<(), TableError> {
    world.write_entities(&trips(), vec![write]).await.map(drop)
}

async fn read(world: &World, partition: &str, row: &str) -> Option<Vec<(String, EdmValue)>> {
    world.entity(&trips(), &key(partition, row)).await.unwrap().map(|entity| entity.properties)
}

/// The numbers of an entity.
fn numbers(pairs: &[(&str, i32)]) -> Option<Vec<(String, EdmValue)>> {
    Some(entity("", "", pairs).properties)
}

fn all(filter: Option<Filter>, limit: usize, from: Option<EntityKey>) -> EntitiesQuery {
    EntitiesQuery { table: trips(), filter, limit, from }
}

/// A condition on a text.
fn asks(property: &str, comparison: Comparison, text: &str) -> Filter {
    let (property, text) = (Operand::Property(property.to_owned()), EdmValue::String(text.to_owned()));
    Filter::Compare(property, comparison, Operand::Literal(text))
}

fn and(one: Filter, other: Filter) -> Filter {
    Filter::And(Box::new(one), Box::new(other))
}

async fn a_table_is_made_once(mut world: World) {
    world.create_table(&table("Trips")).await.unwrap();
    world.set_table(&table("trips"), "<x/>".to_owned()).await.unwrap();
    for _ in 0..2 {
        for name in ["Trips", "TRIPS"] {
            let name = table(name);
            assert_eq!(world.create_table(&name).await, Err(TableError::TableExists(name.clone())));
            let view = world.table(&name).await.unwrap();
            assert_eq!((view.name.as_str(), view.access_policies.as_str()), ("Trips", "<x/>"));
        }
        world.reopen();
    }
}

async fn a_missing_table_is_refused_everywhere(world: World) {
    let missing = TableError::TableNotFound(trips());
    assert_eq!(world.table(&trips()).await, Err(missing.clone()));
    assert_eq!(world.delete_table(&trips()).await, Err(missing.clone()));
    assert_eq!(world.set_table(&trips(), String::new()).await, Err(missing.clone()));
    assert_eq!(world.entity(&trips(), &key("a", "1")).await, Err(missing.clone()));
    assert_eq!(world.entities(&all(None, 1, None)).await, Err(missing.clone()));
    assert_eq!(one(&world, EntityWrite::Delete(key("a", "1"), Matching::Any)).await, Err(missing));
}

async fn tables_are_listed_without_case(mut world: World) {
    for name in ["beta", "Alpha", "Gamma"] {
        world.create_table(&table(name)).await.unwrap();
    }
    let list = async |world: &World, from: Option<&str>, limit| {
        let (tables, next) = world.list_tables(from, limit).await.unwrap();
        (tables.iter().map(|view| view.name.to_string()).collect::<Vec<_>>().join(" "), next)
    };
    for _ in 0..2 {
        assert_eq!(list(&world, None, 9).await, ("Alpha beta Gamma".to_owned(), None));
        assert_eq!(list(&world, None, 1).await, ("Alpha".to_owned(), Some("beta".to_owned())));
        assert_eq!(list(&world, Some("Beta"), 1).await, ("beta".to_owned(), Some("Gamma".to_owned())));
        world.reopen();
    }
}

async fn a_new_table_has_nothing_of_the_old_one(mut world: World) {
    world.create_table(&trips()).await.unwrap();
    let old = insert(&world, entity("a", "1", &[("x", 1)])).await;
    world.delete_table(&trips()).await.unwrap();
    world.create_table(&trips()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(world.entities(&all(None, 9, None)).await.unwrap().entities, []);
        assert_eq!(read(&world, "a", "1").await, None);
        world.reopen();
    }
    assert!(insert(&world, entity("a", "1", &[])).await > old);
}

async fn values_of_all_types_read_back(mut world: World) {
    world.create_table(&trips()).await.unwrap();
    let values = [
        EdmValue::String("ä\u{0}".to_owned()),
        EdmValue::String(String::new()),
        EdmValue::Boolean(true),
        EdmValue::Int32(i32::MIN),
        EdmValue::Int64(i64::MAX),
        EdmValue::Double(f64::NEG_INFINITY),
        EdmValue::DateTime(-1),
        EdmValue::Guid(uuid::Uuid::from_u128(7)),
        EdmValue::Binary(vec![0, 255]),
    ];
    let properties = values.into_iter().enumerate().map(|(n, value)| (format!("p{}", 9 - n), value)).collect();
    let written = Entity { properties, ..entity("", "", &[]) };
    let timestamp = insert(&world, written.clone()).await;
    for _ in 0..2 {
        let expected = Entity { timestamp, ..written.clone() };
        assert_eq!(world.entity(&trips(), &key("", "")).await.unwrap(), Some(expected));
        world.reopen();
    }
}

async fn an_insert_wants_nothing_there(world: World) {
    world.create_table(&trips()).await.unwrap();
    insert(&world, entity("a", "1", &[("x", 1)])).await;
    let again = EntityWrite::Insert(entity("a", "1", &[("x", 2)]));
    assert_eq!(one(&world, again.clone()).await, Err(TableError::EntityExists { index: 0 }));
    assert_eq!(read(&world, "a", "1").await, numbers(&[("x", 1)]));
    one(&world, EntityWrite::Delete(key("a", "1"), Matching::Any)).await.unwrap();
    one(&world, again).await.unwrap();
}

async fn an_upsert_replaces_or_merges(mut world: World) {
    world.create_table(&trips()).await.unwrap();
    let write = |rest, pairs: &[(&str, i32)]| EntityWrite::Upsert(entity("a", "1", pairs), rest);
    one(&world, write(Rest::Merged, &[("x", 1), ("y", 2)])).await.unwrap();
    one(&world, write(Rest::Merged, &[("z", 3), ("x", 4)])).await.unwrap();
    assert_eq!(read(&world, "a", "1").await, numbers(&[("x", 4), ("y", 2), ("z", 3)]));
    one(&world, write(Rest::Replaced, &[("z", 5)])).await.unwrap();
    world.reopen();
    assert_eq!(read(&world, "a", "1").await, numbers(&[("z", 5)]));
}

async fn an_update_wants_what_it_read(world: World) {
    world.create_table(&trips()).await.unwrap();
    let write = |matching, rest, x| EntityWrite::Update(entity("a", "1", &[("x", x)]), rest, matching);
    let missing = TableError::EntityNotFound { index: 0 };
    assert_eq!(one(&world, write(Matching::Any, Rest::Merged, 1)).await, Err(missing.clone()));
    assert_eq!(one(&world, write(Matching::Written(1), Rest::Replaced, 1)).await, Err(missing));
    let first = insert(&world, entity("a", "1", &[("x", 0), ("y", 0)])).await;
    one(&world, write(Matching::Written(first), Rest::Merged, 1)).await.unwrap();
    assert_eq!(read(&world, "a", "1").await, numbers(&[("x", 1), ("y", 0)]));
    let changed = TableError::NotMatching { index: 0 };
    assert_eq!(one(&world, write(Matching::Written(first), Rest::Merged, 2)).await, Err(changed));
    one(&world, write(Matching::Any, Rest::Replaced, 3)).await.unwrap();
    assert_eq!(read(&world, "a", "1").await, numbers(&[("x", 3)]));
}

async fn a_deletion_wants_what_it_read(mut world: World) {
    world.create_table(&trips()).await.unwrap();
    let delete = |matching| EntityWrite::Delete(key("a", "1"), matching);
    assert_eq!(one(&world, delete(Matching::Any)).await, Err(TableError::EntityNotFound { index: 0 }));
    let at = insert(&world, entity("a", "1", &[])).await;
    assert_eq!(one(&world, delete(Matching::Written(at - 1))).await, Err(TableError::NotMatching { index: 0 }));
    world.reopen();
    assert_eq!(world.write_entities(&trips(), vec![delete(Matching::Written(at))]).await, Ok(vec![None]));
    assert_eq!(read(&world, "a", "1").await, None);
}

async fn a_batch_is_written_as_a_whole(mut world: World) {
    world.create_table(&trips()).await.unwrap();
    insert(&world, entity("a", "2", &[("x", 0)])).await;
    let write = |row: &str, x| EntityWrite::Insert(entity("a", row, &[("x", x)]));
    let refused = world.write_entities(&trips(), vec![write("1", 1), write("2", 1), write("3", 1)]).await;
    assert_eq!(refused, Err(TableError::EntityExists { index: 1 }));
    assert_eq!(world.entities(&all(None, 9, None)).await.unwrap().entities.len(), 1);
    let written = world.write_entities(&trips(), vec![write("1", 1), write("3", 1)]).await.unwrap();
    assert!(written[0] < written[1], "{written:?}");
    // A later write of the batch sees what an earlier one leaves.
    let twice = vec![
        EntityWrite::Delete(key("a", "1"), Matching::Any),
        write("1", 2),
        EntityWrite::Upsert(entity("a", "1", &[("y", 3)]), Rest::Merged),
    ];
    world.write_entities(&trips(), twice).await.unwrap();
    assert_eq!(
        world.write_entities(&trips(), vec![write("4", 1), write("4", 2)]).await,
        Err(TableError::EntityExists { index: 1 })
    );
    world.reopen();
    assert_eq!(read(&world, "a", "1").await, numbers(&[("x", 2), ("y", 3)]));
    assert_eq!(world.entities(&all(None, 9, None)).await.unwrap().entities.len(), 3);
}

async fn a_merge_that_grows_too_large_is_refused(world: World) {
    world.create_table(&trips()).await.unwrap();
    let names: Vec<String> = (0..200).map(|n| format!("p{n}")).collect();
    let half = |names: &[String]| Entity {
        properties: names.iter().map(|name| (name.clone(), EdmValue::Int32(1))).collect(),
        ..entity("a", "1", &[])
    };
    insert(&world, half(&names)).await;
    let others: Vec<String> = (200..400).map(|n| format!("p{n}")).collect();
    let why = storage_model::InvalidEntity::TooManyProperties { count: 400 };
    let merged = one(&world, EntityWrite::Upsert(half(&others), Rest::Merged)).await;
    assert_eq!(merged, Err(TableError::Invalid { index: 0, why }));
    assert_eq!(read(&world, "a", "1").await.unwrap().len(), 200);
}

async fn timestamps_only_grow(mut world: World) {
    world.create_table(&trips()).await.unwrap();
    let mut last = 0;
    let upsert = || EntityWrite::Upsert(entity("a", "1", &[]), Rest::Replaced);
    for step in 0..40 {
        let table = trips();
        let writes = (0..4).map(|_| world.write_entities(&table, vec![upsert()]));
        let mut written: Vec<i64> =
            join_all(writes).await.into_iter().map(|written| written.unwrap()[0].unwrap()).collect();
        written.sort_unstable();
        for at in written {
            assert!(at > last, "step {step}: {at} after {last}");
            last = at;
        }
        match step % 4 {
            0 => world.clock.advance(std::time::Duration::from_millis(700)),
            1 => world.reopen(),
            2 => world.clock.set(Timestamp::from_unix_ms(1_600_000_000_000 + step)),
            _ => {}
        }
    }
}

async fn racing_updates_do_not_lose_each_other(world: World) {
    world.create_table(&trips()).await.unwrap();
    insert(&world, entity("a", "1", &[])).await;
    let names: Vec<String> = (0..50).map(|n| format!("p{n}")).collect();
    let merging = names.iter().map(|name| {
        let merged = EntityWrite::Update(entity("a", "1", &[(name, 1)]), Rest::Merged, Matching::Any);
        one(&world, merged)
    });
    join_all(merging).await.into_iter().for_each(Result::unwrap);
    let found: BTreeSet<String> = read(&world, "a", "1").await.unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(found, names.iter().cloned().collect());
    let at = world.entity(&trips(), &key("a", "1")).await.unwrap().unwrap().timestamp;
    let racing = (0..8).map(|n| {
        let update = EntityWrite::Update(entity("a", "1", &[("n", n)]), Rest::Replaced, Matching::Written(at));
        one(&world, update)
    });
    let won = join_all(racing).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 1);
}

async fn entities_are_listed_in_the_order_of_utf_16(mut world: World) {
    world.create_table(&trips()).await.unwrap();
    // U+1F600 is D83D DE00 in UTF-16 and comes before U+E000 and U+FFFD there, behind them in UTF-8.
    let rows =
        ["", "A", "Aa", "a", "~", "\u{a0}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{1f600}", "\u{e000}", "\u{fffd}"];
    for row in rows.iter().rev() {
        insert(&world, entity("\u{1f600}", row, &[])).await;
        insert(&world, entity("\u{fffd}", row, &[])).await;
    }
    let expected: Vec<EntityKey> =
        ["\u{1f600}", "\u{fffd}"].iter().flat_map(|partition| rows.map(|row| key(partition, row))).collect();
    for _ in 0..2 {
        let page = world.entities(&all(None, 99, None)).await.unwrap();
        let found: Vec<EntityKey> = page.entities.into_iter().map(|entity| entity.key).collect();
        assert_eq!(found, expected);
        world.reopen();
    }
}

async fn pages_cover_everything_once(world: World) {
    world.create_table(&trips()).await.unwrap();
    for n in 0..25 {
        insert(&world, entity(&format!("p{}", n % 3), &format!("{n:02}"), &[("n", n)])).await;
    }
    let (mut found, mut from) = (Vec::new(), None);
    for _ in 0..9 {
        let page = world.entities(&all(None, 3, from)).await.unwrap();
        found.extend(page.entities.into_iter().map(|entity| entity.key));
        from = page.next;
        // What goes in between does not disturb the rest.
        if let Some(next) = &from {
            one(&world, EntityWrite::Delete(found[found.len() - 1].clone(), Matching::Any)).await.unwrap();
            assert!(found[found.len() - 1] < *next);
        }
    }
    assert_eq!((found.len(), from), (25, None));
    assert!(found.is_sorted());
    assert_eq!(world.entities(&all(None, 0, None)).await.unwrap().entities, []);
}

/// The rows that a filter lets through.
async fn filtered(world: &World, filter: Filter) -> String {
    let page = world.entities(&all(Some(filter), 99, None)).await.unwrap();
    assert_eq!(page.next, None);
    page.entities
        .iter()
        .map(|entity| format!("{}{}", entity.key.partition, entity.key.row))
        .collect::<Vec<_>>()
        .join(" ")
}

async fn a_filter_on_keys_reads_less(world: World) {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    world.create_table(&trips()).await.unwrap();
    for partition in ["a", "b", "ba"] {
        for row in ["1", "2", "21", "3"] {
            insert(&world, entity(partition, row, &[("x", 1)])).await;
        }
    }
    let partition = |comparison, text| asks("PartitionKey", comparison, text);
    let row = |comparison, text| asks("RowKey", comparison, text);
    assert_eq!(filtered(&world, partition(Equal, "b")).await, "b1 b2 b21 b3");
    assert_eq!(filtered(&world, and(partition(Equal, "b"), row(Equal, "2"))).await, "b2");
    assert_eq!(filtered(&world, and(row(Greater, "2"), partition(Equal, "b"))).await, "b21 b3");
    let between = and(and(row(GreaterOrEqual, "2"), row(Less, "3")), partition(Equal, "b"));
    assert_eq!(filtered(&world, between).await, "b2 b21");
    assert_eq!(filtered(&world, and(partition(Greater, "a"), row(LessOrEqual, "1"))).await, "b1 ba1");
    assert_eq!(filtered(&world, and(partition(GreaterOrEqual, "b"), partition(Less, "ba"))).await, "b1 b2 b21 b3");
    assert_eq!(filtered(&world, and(partition(NotEqual, "a"), row(Equal, "3"))).await, "b3 ba3");
    assert_eq!(filtered(&world, and(partition(Equal, "a"), partition(Equal, "b"))).await, "");
    assert_eq!(
        filtered(&world, Filter::Not(Box::new(partition(Equal, "a")))).await.len(),
        "b1 b2 b21 b3 ba1 ba2 ba21 ba3".len()
    );
    let either = Filter::Or(Box::new(row(Equal, "1")), Box::new(partition(Equal, "ba")));
    assert_eq!(filtered(&world, and(either, row(LessOrEqual, "2"))).await, "a1 b1 ba1 ba2");
    let turned = Filter::Compare(
        Operand::Literal(EdmValue::String("2".to_owned())),
        Less,
        Operand::Property("RowKey".to_owned()),
    );
    assert_eq!(filtered(&world, and(turned, partition(Equal, "a"))).await, "a21 a3");
    let from = world.entities(&all(Some(partition(Equal, "b")), 9, Some(key("b", "21")))).await.unwrap();
    assert_eq!(from.entities.iter().map(|entity| entity.key.row.as_str()).collect::<Vec<_>>(), ["21", "3"]);
}

async fn a_page_ends_before_it_takes_too_long(world: World) {
    world.create_table(&trips()).await.unwrap();
    let writes: Vec<EntityWrite> =
        (0..10_500).map(|n| EntityWrite::Insert(entity("a", &format!("{n:06}"), &[]))).collect();
    world.write_entities(&trips(), writes).await.unwrap();
    let filter = Some(asks("RowKey", Comparison::GreaterOrEqual, "010400"));
    let page = world.entities(&all(filter.clone(), 1_000, None)).await.unwrap();
    assert_eq!((page.entities.len(), page.next.clone()), (0, Some(key("a", "010000"))));
    let page = world.entities(&all(filter, 1_000, page.next)).await.unwrap();
    assert_eq!((page.entities.len(), page.next), (100, None));
}

async fn a_page_ends_before_it_is_too_large(world: World) {
    world.create_table(&trips()).await.unwrap();
    let big = (0..12).map(|n| (format!("p{n}"), EdmValue::Binary(vec![n; 60_000]))).collect::<Vec<_>>();
    for n in 0..9 {
        insert(&world, Entity { properties: big.clone(), ..entity("a", &n.to_string(), &[]) }).await;
    }
    let page = world.entities(&all(None, 1_000, None)).await.unwrap();
    assert_eq!((page.entities.len(), page.next.clone()), (6, Some(key("a", "6"))));
    assert_eq!(world.entities(&all(None, 1_000, page.next)).await.unwrap().entities.len(), 3);
}
