//! Which entities are to be treated with care, because a batch of theirs went wrong.

use lru::LruCache;
use orchestration::InstanceId;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entities whose broken batches are remembered. One that is forgotten breaks another batch first, and no more.
const BROKEN_BATCHES: NonZeroUsize = NonZeroUsize::new(1000).expect("1000 is not zero");

/// How many operations of each entity are still to be run one by one, because a batch with them went wrong. Kept in memory
/// only.
pub(crate) struct BrokenBatches(Mutex<LruCache<InstanceId, usize>>);

impl BrokenBatches {
    pub(crate) fn new() -> BrokenBatches {
        BrokenBatches(Mutex::new(LruCache::new(BROKEN_BATCHES)))
    }

    /// Whether the next operation of the entity is to be run alone.
    pub(super) fn is_one_by_one(&self, entity: &InstanceId) -> bool {
        self.lock().contains(entity)
    }

    /// A batch of so many operations went wrong.
    pub(super) fn add(&self, entity: &InstanceId, operations: usize) {
        self.lock().put(entity.clone(), operations);
    }

    /// One operation is done, or has failed for good.
    pub(super) fn one_less(&self, entity: &InstanceId) {
        let mut batches = self.lock();
        let left = batches.get_mut(entity).map_or(0, |left| {
            *left = left.saturating_sub(1);
            *left
        });
        if left == 0 {
            batches.pop(entity);
        }
    }

    /// A panic elsewhere leaves numbers that are only hints.
    fn lock(&self) -> MutexGuard<'_, LruCache<InstanceId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
