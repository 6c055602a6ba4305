//! Moments that never come twice: the timestamps of entities and the versions of documents.
//!
//! Strictly increasing in the whole store, also when the clock is set back and after a restart: no stamp becomes durable
//! before a mark that lies beyond it. Marks are written well ahead, so that one write in a second carries one and no write
//! waits for another's; after a restart stamps can therefore be ahead of the clock by [`AHEAD`].

use orchestration::Timestamp;

/// How far ahead a mark is set, in ticks of 100 ns: 2 seconds.
const AHEAD: i64 = 20_000_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Stamps {
    last: i64,
    /// The durable mark.
    durable: i64,
    /// The latest mark that is being written, or the durable one.
    asked: i64,
}

impl Stamps {
    /// Stamps behind a mark that is durable.
    pub(crate) fn behind(mark: i64) -> Stamps {
        Stamps { last: mark, durable: mark, asked: mark }
    }

    /// The next one.
    pub(crate) fn next(&mut self, now: Timestamp) -> i64 {
        self.last = self.last.saturating_add(1).max(now.ticks());
        self.last
    }

    /// The mark that must be written together with the stamps given out so far, if any.
    pub(crate) fn mark(&mut self) -> Option<i64> {
        let soon = self.asked.saturating_sub(self.last) < AHEAD / 2;
        if soon {
            self.asked = self.last.saturating_add(AHEAD);
        }
        (soon || self.last > self.durable).then_some(self.asked)
    }

    /// A mark was written, or could not be.
    pub(crate) fn marked(&mut self, mark: i64, is_durable: bool) {
        if is_durable {
            self.durable = self.durable.max(mark);
        } else {
            self.asked = self.durable;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AHEAD, Stamps};
    use orchestration::Timestamp;

    #[test]
    fn a_stamp_is_never_durable_before_its_mark() {
        let mut stamps = Stamps::behind(100);
        let at = |ticks| Timestamp::from_ticks(ticks);
        assert_eq!((stamps.next(at(5)), stamps.next(at(5))), (101, 102), "the clock is behind");
        assert_eq!(stamps.mark(), Some(102 + AHEAD));
        assert_eq!(stamps.next(at(103)), 103);
        assert_eq!(stamps.mark(), Some(102 + AHEAD), "the first is not durable yet");
        stamps.marked(102 + AHEAD, true);
        assert_eq!((stamps.next(at(103)), stamps.mark()), (104, None));
        let later = 102 + AHEAD / 2 + 2;
        assert_eq!((stamps.next(at(later)), stamps.mark()), (later, Some(later + AHEAD)));
        assert_eq!((stamps.next(at(later)), stamps.mark()), (later + 1, None), "the old mark is enough for this one");
        stamps.marked(later + AHEAD, false);
        assert_eq!((stamps.next(at(later)), stamps.mark()), (later + 2, Some(later + 2 + AHEAD)));
    }
}
