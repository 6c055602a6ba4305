//! Writes of entities: each checked against what is there, or against what an earlier write of the same batch leaves.

use super::super::Shared;
use super::super::claims::{Subject, Want, Wants};
use super::super::records::corrupt;
use super::Draft;
use crate::codec;
use crate::keys;
use crate::rows::{self, Table, View};
use ports::{EntityWrite, Matching, Rest, StoreError, TableError};
use std::collections::BTreeMap;
use std::sync::Arc;
use storage_model::{Entity, EntityKey, TableName, Ticks};

/// Entities as a batch leaves them, by table's number and key; none: deleted.
pub(super) type Pending = BTreeMap<(u64, EntityKey), Option<Entity>>;

/// What is there of a key.
enum Found {
    Nothing,
    Entity(Entity),
    /// Something that cannot be read: it can only be replaced or deleted as a whole.
    Broken(StoreError),
}

impl Shared {
    pub(super) async fn write_entities(
        self: &Arc<Shared>,
        table: &TableName,
        writes: Vec<EntityWrite>,
    ) -> Result<Vec<Option<Ticks>>, TableError> {
        let mut wants = vec![Want::together(Subject::Table(table.folded()))];
        wants.extend(writes.iter().map(|write| entity_claim(table, write)));
        let held = self.claim_all(Wants::of(wants)).await;
        let number = self.table_number(table)?;
        let drafted = rows::read(&*self.rows, |view| {
            let mut draft = Draft::new(self, view);
            Ok(draft.write_entities(number, writes).map(|stamps| (draft.finish(), stamps)))
        })?;
        let (drafted, stamps) = drafted?;
        Ok(self.submit(drafted, held, stamps).wait().await?)
    }
}

pub(super) fn entity_claim(table: &TableName, write: &EntityWrite) -> Want {
    Want::alone(Subject::Entity(table.folded(), write.key().clone()))
}

/// One entity as it is stored.
pub(super) fn read_entity(view: &dyn View, table: u64, key: &EntityKey) -> Result<Option<Entity>, StoreError> {
    let row_key = keys::entity(table, key);
    let Some(value) = view.get(Table::UserEntities, &row_key)? else { return Ok(None) };
    let decoded = codec::decode_entity(key.clone(), &value);
    decoded.map(Some).map_err(|why| corrupt(Table::UserEntities, &row_key, &why))
}

impl Draft<'_> {
    /// Answers the new timestamps.
    pub(super) fn write_entities(
        &mut self,
        table: u64,
        writes: Vec<EntityWrite>,
    ) -> Result<Vec<Option<Ticks>>, TableError> {
        let writes = writes.into_iter().enumerate();
        writes.map(|(index, write)| self.write_entity(table, index, write)).collect()
    }

    pub(super) fn write_entity(
        &mut self,
        table: u64,
        index: usize,
        write: EntityWrite,
    ) -> Result<Option<Ticks>, TableError> {
        let found = self.found(table, write.key())?;
        let entity = match write {
            EntityWrite::Insert(entity) => {
                if !matches!(found, Found::Nothing) {
                    return Err(TableError::EntityExists { index });
                }
                entity
            }
            EntityWrite::Upsert(entity, rest) => rested(entity, rest, found)?,
            EntityWrite::Update(entity, rest, matching) => {
                check_matching(index, &found, matching)?;
                rested(entity, rest, found)?
            }
            EntityWrite::Delete(key, matching) => {
                check_matching(index, &found, matching)?;
                self.batch().delete(Table::UserEntities, keys::entity(table, &key));
                self.entities.insert((table, key), None);
                return Ok(None);
            }
        };
        entity.validate().map_err(|why| TableError::Invalid { index, why })?;
        let timestamp = self.stamp();
        let value = codec::encode_entity(timestamp, &entity.properties);
        self.batch().put(Table::UserEntities, keys::entity(table, &entity.key), value);
        self.entities.insert((table, entity.key.clone()), Some(Entity { timestamp, ..entity }));
        Ok(Some(timestamp))
    }

    fn found(&self, table: u64, key: &EntityKey) -> Result<Found, StoreError> {
        if let Some(pending) = self.entities.get(&(table, key.clone())) {
            return Ok(pending.clone().map_or(Found::Nothing, Found::Entity));
        }
        match read_entity(self.view, table, key) {
            Ok(found) => Ok(found.map_or(Found::Nothing, Found::Entity)),
            Err(error @ StoreError::Corrupt { .. }) => Ok(Found::Broken(error)),
            Err(error) => Err(error),
        }
    }
}

fn check_matching(index: usize, found: &Found, matching: Matching) -> Result<(), TableError> {
    match (found, matching) {
        (Found::Nothing, Matching::Any | Matching::Written(_)) => Err(TableError::EntityNotFound { index }),
        (Found::Entity(entity), Matching::Written(at)) if entity.timestamp != at => {
            Err(TableError::NotMatching { index })
        }
        (Found::Broken(error), Matching::Written(_)) => Err(error.clone().into()),
        (Found::Entity(_), Matching::Any | Matching::Written(_)) | (Found::Broken(_), Matching::Any) => Ok(()),
    }
}

/// The entity as a write leaves it.
fn rested(entity: Entity, rest: Rest, found: Found) -> Result<Entity, StoreError> {
    match (rest, found) {
        (Rest::Replaced, _) | (Rest::Merged, Found::Nothing) => Ok(entity),
        (Rest::Merged, Found::Broken(error)) => Err(error),
        (Rest::Merged, Found::Entity(old)) => {
            let mut properties = old.properties;
            for (name, value) in entity.properties {
                match properties.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, old)) => *old = value,
                    None => properties.push((name, value)),
                }
            }
            Ok(Entity { properties, ..entity })
        }
    }
}
