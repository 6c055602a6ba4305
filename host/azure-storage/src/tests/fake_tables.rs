//! Tables in a map: every rule of the port, as plainly as it can be kept.

use super::world::FakeClock;
use async_trait::async_trait;
use ports::{Clock, EntitiesPage, EntitiesQuery, EntityWrite, Matching, Rest, TableError, TableStore, TableView};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use storage_model::{Entity, EntityKey, TableName, Ticks};

/// So few that pages are cut short, and may be empty although there is more.
const ROWS_READ_AT_ONCE: usize = 10;

type Rows = BTreeMap<EntityKey, Entity>;

pub(crate) struct FakeTables {
    clock: Arc<FakeClock>,
    tables: Mutex<BTreeMap<TableName, (TableView, Rows)>>,
    last: Mutex<Ticks>,
}

impl FakeTables {
    pub(crate) fn new(clock: Arc<FakeClock>) -> FakeTables {
        FakeTables { clock, tables: Mutex::default(), last: Mutex::default() }
    }

    fn with<T>(
        &self,
        name: &TableName,
        work: impl FnOnce(&mut (TableView, Rows)) -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        let mut tables = self.tables.lock().unwrap();
        work(tables.get_mut(name).ok_or_else(|| TableError::TableNotFound(name.clone()))?)
    }

    fn tick(&self) -> Ticks {
        let mut last = self.last.lock().unwrap();
        *last = self.clock.now().ticks().max(*last + 1);
        *last
    }
}

fn write(rows: &mut Rows, index: usize, write: EntityWrite, timestamp: Ticks) -> Result<Option<Ticks>, TableError> {
    let key = write.key().clone();
    let there = rows.get(&key);
    let matching = match &write {
        EntityWrite::Insert(_) if there.is_some() => return Err(TableError::EntityExists { index }),
        EntityWrite::Update(_, _, matching) | EntityWrite::Delete(_, matching) => {
            Some((*matching, there.ok_or(TableError::EntityNotFound { index })?.timestamp))
        }
        EntityWrite::Insert(_) | EntityWrite::Upsert(..) => None,
    };
    if let Some((Matching::Written(expected), found)) = matching
        && expected != found
    {
        return Err(TableError::NotMatching { index });
    }
    let (mut entity, rest) = match write {
        EntityWrite::Insert(entity) => (entity, Rest::Replaced),
        EntityWrite::Upsert(entity, rest) | EntityWrite::Update(entity, rest, _) => (entity, rest),
        EntityWrite::Delete(key, _) => {
            rows.remove(&key);
            return Ok(None);
        }
    };
    if let (Rest::Merged, Some(there)) = (rest, there) {
        let mut merged = there.properties.clone();
        merged.retain(|(name, _)| !entity.properties.iter().any(|(new, _)| new == name));
        merged.append(&mut entity.properties);
        entity.properties = merged;
    }
    if let Err(why) = entity.validate() {
        return Err(TableError::Invalid { index, why });
    }
    entity.timestamp = timestamp;
    rows.insert(key, entity);
    Ok(Some(timestamp))
}

#[async_trait]
impl TableStore for FakeTables {
    async fn create_table(&self, name: &TableName) -> Result<(), TableError> {
        let mut tables = self.tables.lock().unwrap();
        if tables.contains_key(name) {
            return Err(TableError::TableExists(name.clone()));
        }
        let view = TableView { name: name.clone(), access_policies: String::new() };
        tables.insert(name.clone(), (view, Rows::new()));
        Ok(())
    }

    async fn delete_table(&self, name: &TableName) -> Result<(), TableError> {
        let removed = self.tables.lock().unwrap().remove(name);
        removed.map(drop).ok_or_else(|| TableError::TableNotFound(name.clone()))
    }

    async fn table(&self, name: &TableName) -> Result<TableView, TableError> {
        self.with(name, |(view, _)| Ok(view.clone()))
    }

    async fn set_table(&self, name: &TableName, access_policies: String) -> Result<(), TableError> {
        self.with(name, |(view, _)| {
            view.access_policies = access_policies;
            Ok(())
        })
    }

    async fn list_tables(
        &self,
        from: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<TableView>, Option<String>), TableError> {
        let from = from.unwrap_or("").to_ascii_lowercase();
        let tables = self.tables.lock().unwrap();
        let mut found: Vec<TableView> =
            tables.values().map(|(view, _)| view.clone()).filter(|view| view.name.folded() >= from).collect();
        let next = found.get(limit).map(|view| view.name.to_string());
        found.truncate(limit);
        Ok((found, next))
    }

    async fn entity(&self, table: &TableName, key: &EntityKey) -> Result<Option<Entity>, TableError> {
        self.with(table, |(_, rows)| Ok(rows.get(key).cloned()))
    }

    async fn entities(&self, query: &EntitiesQuery) -> Result<EntitiesPage, TableError> {
        self.with(&query.table, |(_, rows)| {
            let mut page = EntitiesPage::default();
            let rows = rows.values().filter(|row| query.from.as_ref().is_none_or(|from| row.key >= *from));
            for (read, row) in rows.enumerate() {
                if page.entities.len() == query.limit || read == ROWS_READ_AT_ONCE {
                    page.next = Some(row.key.clone());
                    break;
                }
                if query.filter.as_ref().is_none_or(|filter| filter.matches(row)) {
                    page.entities.push(row.clone());
                }
            }
            Ok(page)
        })
    }

    async fn write_entities(
        &self,
        table: &TableName,
        writes: Vec<EntityWrite>,
    ) -> Result<Vec<Option<Ticks>>, TableError> {
        self.with(table, |(_, rows)| {
            let mut changed = rows.clone();
            let writes = writes.into_iter().enumerate();
            let written = writes.map(|(index, entity)| write(&mut changed, index, entity, self.tick())).collect();
            if Result::is_ok(&written) {
                *rows = changed;
            }
            written
        })
    }
}
