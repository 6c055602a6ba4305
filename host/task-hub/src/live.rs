//! Live instances: suspended orchestrators kept in memory between turns. A cache of the history, never the truth: whatever is
//! missing here is rebuilt by replay.

use lru::LruCache;
use orchestration::{Cursor, InstanceId, InstanceRow, Ledger};
use ports::Orchestrator;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One suspended orchestrator with all that goes on from where it stands.
pub(crate) struct Live {
    pub(crate) guest: Box<dyn Orchestrator>,
    pub(crate) cursor: Box<Cursor>,
    pub(crate) ledger: Ledger,
}

impl Live {
    /// Whether it stands exactly where the row says that the instance stands.
    fn fits(&self, row: &InstanceRow) -> bool {
        self.cursor.identity().execution == row.execution && self.ledger.turns == row.turns
    }
}

/// The least recently used of them go first when there are too many, by number or by bytes.
pub(crate) struct LiveInstances {
    max_count: usize,
    max_bytes: usize,
    /// Held for a look-up only, never over an await.
    kept: Mutex<Kept>,
}

struct Kept {
    instances: LruCache<InstanceId, (Live, usize)>,
    bytes: usize,
}

impl LiveInstances {
    pub(crate) fn new(max_count: usize, max_bytes: usize) -> LiveInstances {
        let kept = Kept { instances: LruCache::unbounded(), bytes: 0 };
        LiveInstances { max_count, max_bytes, kept: Mutex::new(kept) }
    }

    /// Takes the instance out, if it is here and stands where the row does. One that does not is dropped.
    pub(crate) fn take(&self, row: &InstanceRow) -> Option<Live> {
        let (live, _) = {
            let mut kept = self.lock();
            let taken = kept.instances.pop(&row.id)?;
            kept.bytes -= taken.1;
            taken
        };
        live.fits(row).then_some(live)
    }

    /// Keeps a suspended instance, and drops others if it has to.
    pub(crate) fn keep(&self, id: InstanceId, live: Live) {
        let bytes = live.guest.memory_bytes();
        let mut evicted = Vec::new();
        {
            let mut kept = self.lock();
            kept.bytes += bytes;
            if let Some((_, (_, replaced))) = kept.instances.push(id, (live, bytes)) {
                kept.bytes -= replaced;
            }
            while kept.instances.len() > self.max_count || kept.bytes > self.max_bytes {
                let Some((_, (live, bytes))) = kept.instances.pop_lru() else {
                    break;
                };
                kept.bytes -= bytes;
                evicted.push(live);
            }
        }
        // Dropping a guest unmaps memory: not under the lock.
        drop(evicted);
    }

    /// Looks at the instance where it stands, if it is here and stands where the row does.
    pub(crate) fn look<T>(&self, row: &InstanceRow, look: impl FnOnce(&Cursor) -> T) -> Option<T> {
        let kept = self.lock();
        let (live, _) = kept.instances.peek(&row.id)?;
        live.fits(row).then(|| look(&live.cursor))
    }

    /// A panic elsewhere leaves a cache that is still only a cache.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
