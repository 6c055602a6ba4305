//! Compiled functions in memory, so that compiling the next version of a component takes the time of what has changed in it.

use lru::LruCache;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The compiler asks here for each function, by a digest of all that its code depends on.
pub(crate) struct KeptCode(Mutex<Kept>);

struct Kept {
    functions: LruCache<Box<[u8]>, Vec<u8>>,
    /// Of all functions, with their keys.
    bytes: usize,
    max_bytes: usize,
    /// The digests of components whose functions came by, which does not mean that they are still here.
    seen: BTreeSet<String>,
}

impl KeptCode {
    pub(crate) fn new(max_bytes: usize) -> KeptCode {
        let functions = LruCache::unbounded();
        KeptCode(Mutex::new(Kept { functions, bytes: 0, max_bytes, seen: BTreeSet::new() }))
    }

    /// Notes that a component is compiled with this; tells whether that is the first time.
    pub(crate) fn see(&self, digest: &str) -> bool {
        self.kept().seen.insert(digest.to_owned())
    }

    #[cfg(test)]
    pub(crate) fn functions(&self) -> usize {
        self.kept().functions.len()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl wasmtime::CacheStore for KeptCode {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.kept().functions.get(key).map(|code| Cow::Owned(code.clone()))
    }

    fn insert(&self, key: &[u8], code: Vec<u8>) -> bool {
        self.kept().insert(key, code);
        true
    }
}

impl Kept {
    fn insert(&mut self, key: &[u8], code: Vec<u8>) {
        self.bytes += key.len() + code.len();
        if let Some((key, replaced)) = self.functions.push(key.into(), code) {
            self.bytes -= key.len() + replaced.len();
        }
        while self.bytes > self.max_bytes {
            let Some((key, code)) = self.functions.pop_lru() else { break };
            self.bytes -= key.len() + code.len();
        }
    }
}

impl fmt::Debug for KeptCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept();
        f.debug_struct("KeptCode").field("functions", &kept.functions.len()).field("bytes", &kept.bytes).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::CacheStore as _;

    #[test]
    fn what_was_not_looked_for_the_longest_goes_first() {
        let code = KeptCode::new(30);
        for key in [b"a", b"b", b"c"] {
            code.insert(key, vec![0; 9]);
        }
        assert!(code.get(b"a").is_some());
        code.insert(b"d", vec![0; 9]);
        let kept = [b"a", b"b", b"c", b"d"].map(|key| code.get(key).is_some());
        assert_eq!(kept, [true, false, true, true]);
        assert_eq!(code.kept().bytes, 30);
    }

    #[test]
    fn what_is_replaced_and_what_is_too_large_takes_no_room() {
        let code = KeptCode::new(30);
        code.insert(b"a", vec![0; 9]);
        code.insert(b"a", vec![0; 19]);
        assert_eq!(code.kept().bytes, 20);
        code.insert(b"b", vec![0; 30]);
        assert_eq!(code.kept().bytes, 0);
        assert_eq!(code.functions(), 0);
    }
}
