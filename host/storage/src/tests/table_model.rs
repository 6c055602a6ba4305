//! A table against an ordered map: whatever is written and asked, the store answers as the map does.

use super::user::{entity, key, table};
use super::world::World;
use ports::{EntitiesQuery, EntityWrite, Matching, Rest, TableError, TableStore};
use proptest::prelude::*;
use std::collections::BTreeMap;
use storage_model::{Comparison, EdmValue, Entity, EntityKey, Filter, Operand};

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<Write>),
    Query { filter: Option<Filter>, limit: usize },
    Reopen,
}

/// A write; `etag`: none matches any, otherwise whether it is the right one.
#[derive(Clone, Debug)]
struct Write {
    kind: u8,
    key: (String, String),
    property: (u8, i32),
    rest: Rest,
    etag: Option<bool>,
}

/// Keys that sort in another way as UTF-8, and one that begins like another.
fn part() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["", "a", "aa", "b", "\u{e9}", "\u{ffee}", "\u{1f600}", "\u{1f600}a", "\u{e000}"])
        .prop_map(str::to_owned)
}

fn write() -> impl Strategy<Value = Write> {
    let rest = prop_oneof![Just(Rest::Replaced), Just(Rest::Merged)];
    let etag = proptest::option::of(proptest::bool::weighted(0.8));
    (0_u8..4, (part(), part()), (0_u8..3, any::<i32>()), rest, etag)
        .prop_map(|(kind, key, property, rest, etag)| Write { kind, key, property, rest, etag })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    proptest::sample::select(vec![Equal, Equal, NotEqual, Greater, GreaterOrEqual, Less, LessOrEqual])
}

fn filter() -> impl Strategy<Value = Filter> {
    let property = proptest::sample::select(vec!["PartitionKey", "RowKey"]);
    let leaf = (property, comparison(), part(), any::<bool>()).prop_map(|(property, comparison, text, turned)| {
        let (property, text) = (Operand::Property(property.to_owned()), Operand::Literal(EdmValue::String(text)));
        if turned { Filter::Compare(text, comparison, property) } else { Filter::Compare(property, comparison, text) }
    });
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            4 => (inner.clone(), inner.clone()).prop_map(|(one, other)| Filter::And(Box::new(one), Box::new(other))),
            1 => (inner.clone(), inner.clone()).prop_map(|(one, other)| Filter::Or(Box::new(one), Box::new(other))),
            1 => inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => proptest::collection::vec(write(), 1..4).prop_map(Step::Write),
        4 => (proptest::option::of(filter()), 1_usize..5).prop_map(|(filter, limit)| Step::Query { filter, limit }),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..40)
}

/// By the UTF-16 code units of the keys.
type Model = BTreeMap<(Vec<u16>, Vec<u16>), Entity>;

fn place(key: &EntityKey) -> (Vec<u16>, Vec<u16>) {
    (key.partition.encode_utf16().collect(), key.row.encode_utf16().collect())
}

/// The write as the port has it.
fn asked(model: &Model, write: &Write) -> EntityWrite {
    let key = key(&write.key.0, &write.key.1);
    let name = format!("p{}", write.property.0);
    let new = entity(&key.partition, &key.row, &[(&name, write.property.1)]);
    let written = model.get(&place(&key)).map_or(1, |entity| entity.timestamp);
    let matching = match write.etag {
        None => Matching::Any,
        Some(right) => Matching::Written(if right { written } else { written - 1 }),
    };
    match write.kind {
        0 => EntityWrite::Insert(new),
        1 => EntityWrite::Upsert(new, write.rest),
        2 => EntityWrite::Update(new, write.rest, matching),
        _ => EntityWrite::Delete(key, matching),
    }
}

/// Does one write to the map, at a timestamp that the store said.
fn apply(model: &mut Model, index: usize, write: EntityWrite, at: Option<i64>) -> Result<(), TableError> {
    let place = place(write.key());
    let old = model.get(&place).cloned();
    let check = |matching| match (&old, matching) {
        (None, _) => Err(TableError::EntityNotFound { index }),
        (Some(old), Matching::Written(at)) if old.timestamp != at => Err(TableError::NotMatching { index }),
        (Some(_), _) => Ok(()),
    };
    let (mut new, rest) = match write {
        EntityWrite::Insert(_) if old.is_some() => return Err(TableError::EntityExists { index }),
        EntityWrite::Insert(new) => (new, Rest::Replaced),
        EntityWrite::Upsert(new, rest) => (new, rest),
        EntityWrite::Update(new, rest, matching) => {
            check(matching)?;
            (new, rest)
        }
        EntityWrite::Delete(_, matching) => {
            check(matching)?;
            model.remove(&place);
            return Ok(());
        }
    };
    if let (Rest::Merged, Some(old)) = (rest, old) {
        let mut properties: BTreeMap<_, _> = old.properties.into_iter().collect();
        properties.extend(new.properties);
        new.properties = properties.into_iter().collect();
    }
    new.timestamp = at.unwrap_or(0);
    model.insert(place, new);
    Ok(())
}

/// An entity whose properties are in an order of their own.
fn sorted(mut entity: Entity) -> Entity {
    entity.properties.sort_by(|one, other| one.0.cmp(&other.0));
    entity
}

async fn step(world: &mut World, model: &mut Model, step: Step) {
    match step {
        Step::Write(writes) => {
            // The second write of one key would want the ETag that the first one makes: once each.
            let mut writes = writes;
            let mut seen = std::collections::BTreeSet::new();
            writes.retain(|write| seen.insert(write.key.clone()));
            let asked: Vec<EntityWrite> = writes.iter().map(|write| asked(model, write)).collect();
            let written = world.write_entities(&table("Trips"), asked.clone()).await;
            let stamps = written.clone().unwrap_or_else(|_| vec![None; asked.len()]);
            let mut after = model.clone();
            let expected = asked
                .into_iter()
                .zip(stamps)
                .enumerate()
                .try_for_each(|(index, (write, at))| apply(&mut after, index, write, at));
            assert_eq!(written.map(drop), expected);
            if expected.is_ok() {
                *model = after;
            }
        }
        Step::Query { filter, limit } => {
            let (mut found, mut from) = (Vec::new(), None);
            loop {
                let query = EntitiesQuery { table: table("Trips"), filter: filter.clone(), limit, from };
                let page = world.entities(&query).await.unwrap();
                assert!(page.entities.len() <= limit);
                found.extend(page.entities.into_iter().map(sorted));
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
            let matches = |entity: &&Entity| filter.as_ref().is_none_or(|filter| filter.matches(entity));
            let expected: Vec<Entity> = model.values().filter(matches).cloned().map(sorted).collect();
            assert_eq!(found, expected);
        }
        Step::Reopen => world.reopen(),
    }
}

fn check(mut world: World, steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        world.create_table(&table("Trips")).await.unwrap();
        let mut model = Model::new();
        for next in steps {
            step(&mut world, &mut model, next).await;
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn a_table_in_memory_is_a_map(steps in steps()) {
        check(World::memory(), steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn a_table_in_a_folder_is_a_map(steps in steps()) {
        check(World::embedded(), steps);
    }
}
