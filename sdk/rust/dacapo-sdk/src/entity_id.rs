//! The name of one entity, as everybody who talks to entities writes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::entity::Entity;

/// Names one entity: `Counter` / `stock`. Names are compared without case, keys with case; a key may be empty. Shown, and
/// written in JSON, as `@counter@stock`.
///
/// ```
/// use dacapo::EntityId;
///
/// let stock = EntityId::new("Counter", "stock");
/// assert_eq!(stock.to_string(), "@counter@stock");
/// assert_eq!("@COUNTER@stock".parse(), Ok(stock));
/// ```
///
/// The host refuses keys with any of `/ \ # ?` or control characters, and ids of more than 256 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId {
    // In lower case, so that comparing is comparing. Ordered by name, then key: the order in which entities are locked.
    name: String,
    key: String,
}

impl EntityId {
    /// The entity with this key among those of that name.
    pub fn new(name: &str, key: impl Into<String>) -> EntityId {
        EntityId { name: name.to_lowercase(), key: key.into() }
    }

    /// The entity with this key among those of a type of this crate: `EntityId::of::<Counter>("stock")`.
    pub fn of<E: Entity>(key: impl Into<String>) -> EntityId {
        EntityId::new(E::NAME, key)
    }

    /// Its name in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}@{}", self.name, self.key)
    }
}

/// Why a text is not an [`EntityId`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityIdError(String);

impl fmt::Display for EntityIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not the id of an entity; write it like @counter@stock", self.0)
    }
}

impl std::error::Error for EntityIdError {}

impl FromStr for EntityId {
    type Err = EntityIdError;

    fn from_str(text: &str) -> Result<EntityId, EntityIdError> {
        match text.strip_prefix('@').and_then(|text| text.split_once('@')) {
            Some((name, key)) if !name.is_empty() => Ok(EntityId::new(name, key)),
            Some(_) | None => Err(EntityIdError(text.into())),
        }
    }
}

impl From<&EntityId> for EntityId {
    fn from(id: &EntityId) -> EntityId {
        id.clone()
    }
}

impl Serialize for EntityId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EntityId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EntityId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
