//! The identities of the core, each its own type, built only by parsing or by the place that issues them.

use std::fmt;
use std::sync::Arc;

/// The id of an instance: an orchestration, or an entity when it starts with `@`. Compared with case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(Arc<str>);

impl InstanceId {
    /// The longest id that is accepted, in bytes.
    pub const MAX_LEN: usize = 256;

    /// Checks an id that a person or a program chose: 1 to 256 bytes, none of `/ \ # ?`, no control characters, and no
    /// leading `@`, which is kept for entities.
    ///
    /// # Errors
    /// Says which rule is broken.
    pub fn parse(text: &str) -> Result<InstanceId, InvalidInstanceId> {
        if text.starts_with('@') {
            return Err(InvalidInstanceId::Reserved);
        }
        if text.is_empty() {
            return Err(InvalidInstanceId::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(InvalidInstanceId::TooLong { len: text.len() });
        }
        match text.chars().find(|c| is_forbidden(*c)) {
            Some(found) => Err(InvalidInstanceId::Forbidden { found }),
            None => Ok(InstanceId(Arc::from(text))),
        }
    }

    /// Whether it names an entity.
    pub fn is_entity(&self) -> bool {
        self.0.starts_with('@')
    }

    /// An id that was checked before, as it comes back from a store.
    pub fn from_stored(text: &str) -> InstanceId {
        InstanceId(Arc::from(text))
    }

    /// A fresh id: 32 lower-case hexadecimal digits of what the caller drew at random.
    pub fn from_random(random: u128) -> InstanceId {
        InstanceId(Arc::from(format!("{random:032x}")))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no instance id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInstanceId {
    /// It has no characters.
    #[error("the instance id is empty; leave it out to get a new one, or give 1 to 256 characters")]
    Empty,
    /// It is longer than [`InstanceId::MAX_LEN`].
    #[error("the instance id has a length of {len} bytes; at most {} are allowed", InstanceId::MAX_LEN)]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// It begins with `@`.
    #[error("the instance id starts with '@', which is reserved for entities; choose another first character")]
    Reserved,
    /// It has a character that would break URLs or keys.
    #[error("the instance id contains {found:?}; '/', '\\', '#', '?' and control characters are not allowed")]
    Forbidden {
        /// The first such character.
        found: char,
    },
}

/// The id of an entity: a name, compared without case and kept in lower case, and a key, compared with case. Ordered by name,
/// then key: the order in which entities are locked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntityId {
    name: Arc<str>,
    key: Arc<str>,
}

impl EntityId {
    /// Checks a name and a key: the name has at least one character and no `@`; both have none of `/ \ # ?` and no control
    /// characters; `@name@key` has at most 256 bytes. The key may be empty.
    ///
    /// # Errors
    /// Says which rule is broken.
    pub fn parse(name: &str, key: &str) -> Result<EntityId, InvalidInstanceId> {
        let name = name.to_lowercase();
        if name.is_empty() {
            return Err(InvalidInstanceId::Empty);
        }
        let len = name.len() + key.len() + 2;
        if len > InstanceId::MAX_LEN {
            return Err(InvalidInstanceId::TooLong { len });
        }
        let forbidden_in_name = name.chars().find(|c| *c == '@' || is_forbidden(*c));
        match forbidden_in_name.or_else(|| key.chars().find(|c| is_forbidden(*c))) {
            Some(found) => Err(InvalidInstanceId::Forbidden { found }),
            None => Ok(EntityId { name: Arc::from(name), key: Arc::from(key) }),
        }
    }

    /// The entity that an instance is, if it is one.
    pub fn of_instance(id: &InstanceId) -> Option<EntityId> {
        let (name, key) = id.as_str().strip_prefix('@')?.split_once('@')?;
        Some(EntityId { name: Arc::from(name), key: Arc::from(key) })
    }

    /// Its instance id: `@name@key`.
    pub fn instance_id(&self) -> InstanceId {
        InstanceId(Arc::from(format!("@{}@{}", self.name, self.key)))
    }

    /// Its name in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn len(&self) -> usize {
        self.name.len() + self.key.len() + 2
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}@{}", self.name, self.key)
    }
}

fn is_forbidden(character: char) -> bool {
    matches!(character, '/' | '\\' | '#' | '?') || character.is_control()
}

/// One generation of an instance. Shown as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(u128);

impl ExecutionId {
    /// From what the caller drew at random.
    pub const fn from_random(random: u128) -> ExecutionId {
        ExecutionId(random)
    }

    /// Of entities, which have one execution only.
    pub const ENTITY: ExecutionId = ExecutionId(0);

    /// The number behind the digits.
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The number of an action within its execution, in the order of creation from 0; completions answer to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u32);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The number of a task as the guest knows it. One task may take several events, when it is tried again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TaskNumber(pub u32);
