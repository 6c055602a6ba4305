//! Tables for users: entities by partition and row key, with etags and batches.

use crate::StoreError;
use async_trait::async_trait;
use storage_model::{Entity, EntityKey, Filter, TableName, Ticks};

/// What a change asks of the entity that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matching {
    /// That it is there.
    Any,
    /// That it was last written at that moment, which is what its ETag says.
    Written(Ticks),
}

/// What becomes of properties that a write does not name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rest {
    /// They go.
    Replaced,
    /// They stay.
    Merged,
}

/// One change of one entity.
#[derive(Clone, PartialEq, Debug)]
pub enum EntityWrite {
    /// Only if there is none of that key.
    Insert(Entity),
    /// Whether there is one or not.
    Upsert(Entity, Rest),
    /// Only if there is one.
    Update(Entity, Rest, Matching),
    /// Only if there is one.
    Delete(EntityKey, Matching),
}

impl EntityWrite {
    /// The key of the entity that it changes.
    pub fn key(&self) -> &EntityKey {
        match self {
            EntityWrite::Insert(entity) | EntityWrite::Upsert(entity, _) | EntityWrite::Update(entity, _, _) => {
                &entity.key
            }
            EntityWrite::Delete(key, _) => key,
        }
    }
}

/// Which entities to list.
#[derive(Clone, PartialEq, Debug)]
pub struct EntitiesQuery {
    /// Of this table.
    pub table: TableName,
    /// That meet this condition; none: all. A store may use what it says of keys to read less.
    pub filter: Option<Filter>,
    /// At most this many.
    pub limit: usize,
    /// From this key on, itself included; none: from the first.
    pub from: Option<EntityKey>,
}

/// One page of a list of entities.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EntitiesPage {
    /// By partition key, then row key, ordinal on UTF-16. May be empty although there is more.
    pub entities: Vec<Entity>,
    /// The key to go on with; none after the last page.
    pub next: Option<EntityKey>,
}

/// A table apart from its entities.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableView {
    /// Its name, as its creator wrote it.
    pub name: TableName,
    /// Stored access policies as an XML text; empty: none. Kept, not enforced.
    pub access_policies: String,
}

/// Why a table operation was not done. Nothing changed then.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TableError {
    /// There is no such table.
    #[error("there is no table named '{0}'")]
    TableNotFound(TableName),
    /// There is one already.
    #[error("the table '{0}' exists already")]
    TableExists(TableName),
    /// An entity of that key is there.
    #[error("operation {index}: an entity of that key exists already")]
    EntityExists {
        /// Of the batch, from 0.
        index: usize,
    },
    /// There is no entity of that key.
    #[error("operation {index}: there is no entity of that key")]
    EntityNotFound {
        /// Of the batch, from 0.
        index: usize,
    },
    /// It was written since.
    #[error("operation {index}: the entity has changed since; its ETag is another one")]
    NotMatching {
        /// Of the batch, from 0.
        index: usize,
    },
    /// What a merge would come to cannot be kept.
    #[error("operation {index}: {why}")]
    Invalid {
        /// Of the batch, from 0.
        index: usize,
        /// Why.
        why: storage_model::InvalidEntity,
    },
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The tables of users.
///
/// Guarantees: what returned is durable; a batch of writes is done as a whole or not at all; every write gives its entity a
/// timestamp that is later than any in that table before; reads see every write that has returned.
///
/// Entities were checked by the caller against the rules of [`storage_model`].
#[async_trait]
pub trait TableStore: Send + Sync {
    /// Creates a table.
    async fn create_table(&self, name: &TableName) -> Result<(), TableError>;

    /// Removes a table and all entities in it.
    async fn delete_table(&self, name: &TableName) -> Result<(), TableError>;

    /// One table; `TableNotFound` if there is none.
    async fn table(&self, name: &TableName) -> Result<TableView, TableError>;

    /// Replaces the stored access policies of a table.
    async fn set_table(&self, name: &TableName, access_policies: String) -> Result<(), TableError>;

    /// All tables by name without case, from the name `from` on (itself included), at most `limit`; and the name to go on with.
    async fn list_tables(
        &self,
        from: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<TableView>, Option<String>), TableError>;

    /// One entity; none if there is none of that key.
    async fn entity(&self, table: &TableName, key: &EntityKey) -> Result<Option<Entity>, TableError>;

    /// One page of entities.
    async fn entities(&self, query: &EntitiesQuery) -> Result<EntitiesPage, TableError>;

    /// Writes all or nothing. Answers the new timestamp of each entity; none for deletions.
    async fn write_entities(
        &self,
        table: &TableName,
        writes: Vec<EntityWrite>,
    ) -> Result<Vec<Option<Ticks>>, TableError>;
}
