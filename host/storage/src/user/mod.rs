//! What users keep, as far as it is in memory: which queues and tables there are, and which message can be received when.
//!
//! Pure: the time is an argument, nothing here waits or reads rows. Bodies of messages, entities and documents are only in
//! rows. Everything in here follows from the durable rows and is rebuilt from them when the store opens.

mod ids;
mod queue;
mod stamps;

pub(crate) use ids::Ids;
pub(crate) use queue::Queue;
pub(crate) use stamps::Stamps;

use std::collections::BTreeMap;
use storage_model::QueueName;

/// See the module.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) queues: BTreeMap<QueueName, Queue>,
    /// By name without case: the number that the keys of its entities begin with.
    pub(crate) tables: BTreeMap<String, u64>,
    pub(crate) stamps: Stamps,
}

impl User {
    /// Nothing yet; stamps begin behind `last_stamp`.
    pub(crate) fn new(last_stamp: i64) -> User {
        User { queues: BTreeMap::new(), tables: BTreeMap::new(), stamps: Stamps::behind(last_stamp) }
    }
}
