//! Tables: made, removed, described, listed and read. Writes of entities are next door.

use super::super::claims::{Held, Subject, Want, Wants};
use super::super::records::corrupt;
use super::super::{Shared, TaskHub};
use super::entities::read_entity;
use super::{Applied, Draft, ranges};
use crate::codec::{self, TableRow};
use crate::keys::{self, Owner};
use crate::rows::{self, KeyRange, Table, View, record_name};
use async_trait::async_trait;
use ports::{EntitiesPage, EntitiesQuery, EntityWrite, StoreError, TableError, TableStore, TableView};
use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::Arc;
use storage_model::{Entity, EntityKey, TableName, Ticks};

/// How many entities one page looks at: bounds how long a filter that lets nothing through keeps a reader.
const MAX_EXAMINED: usize = 10_000;
/// How many bytes of entities one page holds, unless a single one is bigger.
const MAX_PAGE_BYTES: usize = 4 << 20;

#[async_trait]
impl TableStore for TaskHub {
    async fn create_table(&self, name: &TableName) -> Result<(), TableError> {
        self.shared.create_table(name).await
    }

    async fn delete_table(&self, name: &TableName) -> Result<(), TableError> {
        self.shared.delete_table(name).await
    }

    async fn table(&self, name: &TableName) -> Result<TableView, TableError> {
        let row = rows::read(&*self.shared.rows, |view| read_table(view, name))?;
        let row = row.ok_or_else(|| TableError::TableNotFound(name.clone()))?;
        let name = TableName::from_str(&row.name).unwrap_or_else(|_| name.clone());
        Ok(TableView { name, access_policies: row.access_policies })
    }

    async fn set_table(&self, name: &TableName, access_policies: String) -> Result<(), TableError> {
        self.shared.set_table(name, access_policies).await
    }

    async fn list_tables(
        &self,
        from: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<TableView>, Option<String>), TableError> {
        Ok(self.shared.list_tables(from, limit)?)
    }

    async fn entity(&self, table: &TableName, key: &EntityKey) -> Result<Option<Entity>, TableError> {
        let number = self.shared.table_number(table)?;
        Ok(rows::read(&*self.shared.rows, |view| read_entity(view, number, key))?)
    }

    async fn entities(&self, query: &EntitiesQuery) -> Result<EntitiesPage, TableError> {
        let number = self.shared.table_number(&query.table)?;
        Ok(rows::read(&*self.shared.rows, |view| page(view, number, query))?)
    }

    async fn write_entities(
        &self,
        table: &TableName,
        writes: Vec<EntityWrite>,
    ) -> Result<Vec<Option<Ticks>>, TableError> {
        self.shared.write_entities(table, writes).await
    }
}

/// One page. An entity that cannot be read is left out, with a warning.
fn page(view: &dyn View, table: u64, query: &EntitiesQuery) -> Result<EntitiesPage, StoreError> {
    let range = ranges::of(table, query.filter.as_ref(), query.from.as_ref());
    let mut page = EntitiesPage::default();
    let (mut examined, mut bytes) = (0, 0);
    view.scan(Table::UserEntities, &range, &mut |key, value| {
        let decoded = keys::parse_entity(key).map_err(|why| why.to_string());
        let is_full = page.entities.len() >= query.limit || examined >= MAX_EXAMINED || bytes >= MAX_PAGE_BYTES;
        let decoded = match decoded {
            Ok(key) if is_full => {
                page.next = Some(key);
                return ControlFlow::Break(());
            }
            Ok(key) => codec::decode_entity(key, value).map_err(|why| why.to_string()),
            Err(why) => Err(why),
        };
        examined += 1;
        match decoded {
            Ok(entity) if query.filter.as_ref().is_none_or(|filter| filter.matches(&entity)) => {
                bytes += value.len();
                page.entities.push(entity);
            }
            Ok(_) => {}
            Err(why) => {
                let record = record_name(Table::UserEntities, key);
                tracing::warn!(record, why, "an entity that cannot be read is left out of the list");
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(page)
}

impl Shared {
    async fn create_table(self: &Arc<Shared>, name: &TableName) -> Result<(), TableError> {
        let held = self.claim_table(name).await;
        if self.table_number(name).is_ok() {
            return Err(TableError::TableExists(name.clone()));
        }
        let drafted = rows::read(&*self.rows, |view| {
            let mut draft = Draft::new(self, view);
            draft.make_table(name);
            Ok(draft.finish())
        })?;
        Ok(self.submit(drafted, held, ()).wait().await?)
    }

    async fn delete_table(self: &Arc<Shared>, name: &TableName) -> Result<(), TableError> {
        let held = self.claim_table(name).await;
        let number = self.table_number(name)?;
        let (drafted, rest) = rows::read(&*self.rows, |view| {
            let mut draft = Draft::new(self, view);
            draft.batch().delete(Table::UserTables, keys::table(name));
            let rest = draft.drop_rows(Owner::Table(number))?;
            draft.applied.push(Applied::TableGone(name.folded()));
            Ok((draft.finish(), rest))
        })?;
        self.submit(drafted, held, ()).wait().await?;
        self.finish_dropping(rest).await;
        Ok(())
    }

    async fn set_table(self: &Arc<Shared>, name: &TableName, access_policies: String) -> Result<(), TableError> {
        let held = self.claim_table(name).await;
        let drafted = rows::read(&*self.rows, |view| {
            let Some(row) = read_table(view, name)? else { return Ok(None) };
            let mut draft = Draft::new(self, view);
            draft.put_table(name, &TableRow { access_policies, ..row });
            Ok(Some(draft.finish()))
        })?;
        let drafted = drafted.ok_or_else(|| TableError::TableNotFound(name.clone()))?;
        Ok(self.submit(drafted, held, ()).wait().await?)
    }

    fn list_tables(&self, from: Option<&str>, limit: usize) -> Result<(Vec<TableView>, Option<String>), StoreError> {
        let range = KeyRange { from: from.unwrap_or_default().to_ascii_lowercase().into_bytes(), to: None };
        let (mut tables, mut next) = (Vec::new(), None);
        rows::read(&*self.rows, |view| {
            view.scan(Table::UserTables, &range, &mut |key, value| match decode_table(value) {
                Ok((name, _)) if tables.len() == limit => {
                    next = Some(name.as_str().to_owned());
                    ControlFlow::Break(())
                }
                Ok((name, row)) => {
                    tables.push(TableView { name, access_policies: row.access_policies });
                    ControlFlow::Continue(())
                }
                Err(why) => {
                    tracing::warn!(record = record_name(Table::UserTables, key), why, "left out of the list of tables");
                    ControlFlow::Continue(())
                }
            })
        })?;
        Ok((tables, next))
    }

    /// Claims a table alone.
    async fn claim_table(self: &Arc<Shared>, name: &TableName) -> Held {
        let what = Subject::Table(name.folded());
        self.claim_alone(what.clone(), Wants::of(vec![Want::alone(what)])).await
    }

    /// The number of a table that is there.
    pub(super) fn table_number(&self, name: &TableName) -> Result<u64, TableError> {
        let number = self.with(|state| state.user.tables.get(&name.folded()).copied());
        number.ok_or_else(|| TableError::TableNotFound(name.clone()))
    }
}

impl Draft<'_> {
    /// Makes a table. Answers its number.
    pub(super) fn make_table(&mut self, name: &TableName) -> u64 {
        let number = self.shared.next_number();
        let row = TableRow { number, name: name.as_str().to_owned(), access_policies: String::new() };
        self.put_table(name, &row);
        self.applied.push(Applied::Table(name.folded(), number));
        number
    }

    fn put_table(&mut self, name: &TableName, row: &TableRow) {
        self.batch().put(Table::UserTables, keys::table(name), codec::encode_table(row));
    }
}

fn read_table(view: &dyn View, name: &TableName) -> Result<Option<TableRow>, StoreError> {
    let key = keys::table(name);
    let Some(value) = view.get(Table::UserTables, &key)? else { return Ok(None) };
    codec::decode_table(&value).map(Some).map_err(|why| corrupt(Table::UserTables, &key, &why))
}

/// Reads a table with its name.
pub(super) fn decode_table(value: &[u8]) -> Result<(TableName, TableRow), String> {
    let row = codec::decode_table(value).map_err(|why| why.to_string())?;
    let name = TableName::from_str(&row.name).map_err(|error| error.to_string())?;
    Ok((name, row))
}
