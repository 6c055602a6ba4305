//! What instances and entities to look for, and what is found: queries, pages, filters.

use std::collections::VecDeque;

use serde::de::DeserializeOwned;

use super::{ClientError, RuntimeStatus};
use crate::{EntityId, Failure, Timestamp, payload};

/// Which instances to list; see [`Client::query`](crate::Client::query). Conditions that are not set hold for all.
///
/// ```
/// use dacapo::{InstanceQuery, RuntimeStatus};
///
/// let failed_orders = InstanceQuery::new().status(RuntimeStatus::Failed).tag("kind", "order").page_size(50);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceQuery {
    pub(crate) statuses: Vec<RuntimeStatus>,
    pub(crate) created_from: Option<Timestamp>,
    pub(crate) created_to: Option<Timestamp>,
    pub(crate) instance_id_prefix: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) with_input: bool,
    pub(crate) page_size: u32,
}

impl InstanceQuery {
    /// All instances, without their inputs.
    pub fn new() -> InstanceQuery {
        InstanceQuery::default()
    }

    /// Only instances of this status. Asked for several times: of any of them.
    #[must_use]
    pub fn status(mut self, status: RuntimeStatus) -> InstanceQuery {
        self.statuses.push(status);
        self
    }

    /// Only instances that were created then or later.
    #[must_use]
    pub fn created_from(mut self, moment: Timestamp) -> InstanceQuery {
        self.created_from = Some(moment);
        self
    }

    /// Only instances that were created then or earlier.
    #[must_use]
    pub fn created_to(mut self, moment: Timestamp) -> InstanceQuery {
        self.created_to = Some(moment);
        self
    }

    /// Only instances whose id begins like this.
    #[must_use]
    pub fn instance_id_prefix(mut self, prefix: impl Into<String>) -> InstanceQuery {
        self.instance_id_prefix = Some(prefix.into());
        self
    }

    /// Only instances with this tag. Asked for several times: with all of them.
    #[must_use]
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> InstanceQuery {
        self.tags.push((name.into(), value.into()));
        self
    }

    /// With what they were started with.
    #[must_use]
    pub fn with_input(mut self) -> InstanceQuery {
        self.with_input = true;
        self
    }

    /// At most so many in one answer of the host. Without it, as many as the host thinks fit.
    #[must_use]
    pub fn page_size(mut self, instances: u32) -> InstanceQuery {
        self.page_size = instances;
        self
    }
}

/// Which entities to list; see [`Client::query_entities`](crate::Client::query_entities).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityQuery {
    pub(crate) name: Option<String>,
    pub(crate) last_operation_from: Option<Timestamp>,
    pub(crate) last_operation_to: Option<Timestamp>,
    pub(crate) with_state: bool,
    pub(crate) page_size: u32,
}

impl EntityQuery {
    /// All entities, without their states.
    pub fn new() -> EntityQuery {
        EntityQuery::default()
    }

    /// Only entities of this name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> EntityQuery {
        self.name = Some(name.into());
        self
    }

    /// Only entities with an operation then or later.
    #[must_use]
    pub fn last_operation_from(mut self, moment: Timestamp) -> EntityQuery {
        self.last_operation_from = Some(moment);
        self
    }

    /// Only entities without an operation after that.
    #[must_use]
    pub fn last_operation_to(mut self, moment: Timestamp) -> EntityQuery {
        self.last_operation_to = Some(moment);
        self
    }

    /// With their states.
    #[must_use]
    pub fn with_state(mut self) -> EntityQuery {
        self.with_state = true;
        self
    }

    /// At most so many in one answer of the host. Without it, as many as the host thinks fit.
    #[must_use]
    pub fn page_size(mut self, entities: u32) -> EntityQuery {
        self.page_size = entities;
        self
    }
}

/// One answer to a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// What was found; may be empty although more is to come.
    pub items: Vec<T>,
    /// Where to go on; none at the end.
    pub continuation_token: Option<String>,
}

/// Which ended instances to remove; see [`Client::purge_by`](crate::Client::purge_by).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgeFilter {
    pub(crate) created_from: Timestamp,
    pub(crate) created_to: Option<Timestamp>,
    pub(crate) statuses: Vec<RuntimeStatus>,
}

impl PurgeFilter {
    /// All ended instances that were created then or later.
    pub fn created_from(moment: Timestamp) -> PurgeFilter {
        PurgeFilter { created_from: moment, created_to: None, statuses: Vec::new() }
    }

    /// Only instances that were created then or earlier.
    #[must_use]
    pub fn created_to(mut self, moment: Timestamp) -> PurgeFilter {
        self.created_to = Some(moment);
        self
    }

    /// Only instances of this status. Asked for several times: of any of them. Instances at work are never removed.
    #[must_use]
    pub fn status(mut self, status: RuntimeStatus) -> PurgeFilter {
        self.statuses.push(status);
        self
    }
}

/// What is known about an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntityState {
    /// Which entity.
    pub id: EntityId,
    /// Its state as JSON, if it was asked for and there is one.
    pub state: Option<String>,
    /// When its last operation ran.
    pub last_operation_time: Timestamp,
    /// The orchestration that has locked it.
    pub locked_by: Option<String>,
}

impl EntityState {
    /// The state read as a type.
    ///
    /// # Errors
    /// When there is none, or it is something else.
    pub fn state<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        payload::decode(self.state.as_deref().unwrap_or("null"), &format!("the state of {}", self.id))
    }
}

/// Walks through the pages of a query and fetches each when it is needed. Ends after the first error.
pub(crate) struct Pages<T, F> {
    fetch: F,
    here: VecDeque<T>,
    next: Next,
}

enum Next {
    Page(Option<String>),
    End,
}

impl<T, F: FnMut(Option<&str>) -> Result<Page<T>, ClientError>> Pages<T, F> {
    pub(crate) fn new(fetch: F) -> Pages<T, F> {
        Pages { fetch, here: VecDeque::new(), next: Next::Page(None) }
    }
}

impl<T, F: FnMut(Option<&str>) -> Result<Page<T>, ClientError>> Iterator for Pages<T, F> {
    type Item = Result<T, ClientError>;

    fn next(&mut self) -> Option<Result<T, ClientError>> {
        loop {
            if let Some(item) = self.here.pop_front() {
                return Some(Ok(item));
            }
            let Next::Page(token) = std::mem::replace(&mut self.next, Next::End) else { return None };
            match (self.fetch)(token.as_deref()) {
                Err(error) => return Some(Err(error)),
                Ok(page) => {
                    self.here = page.items.into();
                    if page.continuation_token.is_some() {
                        self.next = Next::Page(page.continuation_token);
                    }
                }
            }
        }
    }
}
