//! The keys as requests are checked against them: in memory, compared in constant time, and never long out of date.
//!
//! Other processes may change the files at any time. A look at their dates, at most once a second and only when somebody
//! presents a key, finds it out; a key that nobody knows may be newer than the dates tell, and has the files read again.

use super::files::Stamp;
use super::secret::Fingerprint;
use super::{DURABLE_EXTENSION, Key, KeyError, KeyId, KeyStore, Keys, Secret, Written};
use orchestration::Timestamp;
use ports::Clock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use subtle::Choice;

/// How long a change by somebody else may go unnoticed, and how often a caller with a wrong key can make the host read files.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Who a caller is, by the key that they presented; from the most to the least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The master key.
    Admin,
    /// A system key; with its name.
    System(String),
    /// A function key of the host, or of the function that is called.
    Function,
    /// No key, or one that nobody knows.
    Nobody,
}

/// See the module.
pub(crate) struct KeyRing {
    store: KeyStore,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

struct Known {
    keys: Arc<Fingerprints>,
    /// Of the files that `keys` were read from.
    stamp: Stamp,
    /// When files were last looked at.
    looked_at: Timestamp,
    /// When they were last read because of a key that nobody knew.
    searched_at: Option<Timestamp>,
}

struct Fingerprints {
    master: Fingerprint,
    system: Vec<(String, Fingerprint)>,
    host: Vec<Fingerprint>,
    functions: BTreeMap<String, Vec<Fingerprint>>,
    /// The value of the system key of the management API, which stands in the URIs that the host hands out.
    durable_extension: Option<Secret>,
}

impl KeyRing {
    /// The keys of a store in which [`KeyStore::complete`] has been called.
    ///
    /// # Errors
    /// A document cannot be read, or there is none.
    pub(crate) fn open(store: KeyStore, clock: Arc<dyn Clock>) -> Result<KeyRing, KeyError> {
        let stamp = store.stamp();
        let keys = Arc::new(Fingerprints::read(&store)?);
        let known = Known { keys, stamp, looked_at: clock.now(), searched_at: None };
        Ok(KeyRing { store, clock, known: Mutex::new(known) })
    }

    /// Who presents this key, when calling this function or nothing that is one.
    pub(crate) fn identify(&self, credential: &[u8], function: Option<&str>) -> Identity {
        let presented = Fingerprint::of(credential);
        let found = self.current().identify(&presented, function);
        if found != Identity::Nobody {
            return found;
        }
        self.search().map_or(Identity::Nobody, |keys| keys.identify(&presented, function))
    }

    /// The value of the system key of the management API, if it was not deleted.
    pub(crate) fn durable_extension(&self) -> Option<Secret> {
        self.current().durable_extension.clone()
    }

    /// Every key as the store has it.
    ///
    /// # Errors
    /// As [`KeyStore::read`]; and there are no documents any more.
    pub(crate) fn read(&self) -> Result<Keys, KeyError> {
        read(&self.store)
    }

    /// As [`KeyStore::complete`]; what was made holds at once.
    pub(crate) fn complete<'a>(&self, functions: impl IntoIterator<Item = &'a str>) -> Result<(), KeyError> {
        self.store.complete(functions)?;
        self.reload(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// As [`KeyStore::put`]; holds at once.
    pub(crate) fn put(&self, id: &KeyId, value: Option<Secret>) -> Result<Written, KeyError> {
        let written = self.store.put(id, value)?;
        self.reload(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(written)
    }

    /// As [`KeyStore::delete`]; holds at once.
    pub(crate) fn delete(&self, id: &KeyId) -> Result<(), KeyError> {
        self.store.delete(id)?;
        self.reload(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// As [`KeyStore::forget`]; holds at once.
    pub(crate) fn forget<'a>(&self, functions: impl IntoIterator<Item = &'a str>) -> Result<(), KeyError> {
        let forgotten = self.store.forget(functions);
        self.reload(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
        forgotten
    }

    /// What is known, after a look at the files' dates if the last one is long ago. The files are few and small: handing
    /// the look to another thread would take longer than the look.
    fn current(&self) -> Arc<Fingerprints> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if is_due(known.looked_at, now) {
            known.looked_at = now;
            if self.store.stamp() != known.stamp {
                self.reload(&mut known);
            }
        }
        Arc::clone(&known.keys)
    }

    /// Reads the files whatever their dates are, unless that was just done.
    fn search(&self) -> Option<Arc<Fingerprints>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if known.searched_at.is_some_and(|last| !is_due(last, now)) {
            return None;
        }
        known.searched_at = Some(now);
        self.reload(&mut known);
        Some(Arc::clone(&known.keys))
    }

    /// Files that cannot be read change nothing: whoever broke them must not lock everybody out, or let anybody in.
    fn reload(&self, known: &mut Known) {
        // Before reading: what is written in between is found by the next look.
        let stamp = self.store.stamp();
        match Fingerprints::read(&self.store) {
            Ok(keys) => known.keys = Arc::new(keys),
            Err(error) => tracing::error!(%error, "the keys from before stay in force"),
        }
        known.stamp = stamp;
    }
}

/// A clock that was set back makes it due, too.
fn is_due(last: Timestamp, now: Timestamp) -> bool {
    now < last || now.saturating_since(last) >= LOOK_INTERVAL
}

fn read(store: &KeyStore) -> Result<Keys, KeyError> {
    store.read()?.ok_or_else(|| KeyError::Unreadable {
        file: store.place(),
        why: std::io::Error::from(std::io::ErrorKind::NotFound),
    })
}

impl Fingerprints {
    fn read(store: &KeyStore) -> Result<Fingerprints, KeyError> {
        let Keys { master, system, host, functions } = read(store)?;
        let prints = |keys: &[Key]| keys.iter().map(|key| key.value.fingerprint()).collect();
        let extension = system.iter().find(|key| key.name.eq_ignore_ascii_case(DURABLE_EXTENSION));
        Ok(Fingerprints {
            master: master.fingerprint(),
            durable_extension: extension.map(|key| key.value.clone()),
            system: system.iter().map(|key| (key.name.clone(), key.value.fingerprint())).collect(),
            host: prints(&host),
            functions: functions.into_iter().map(|(name, keys)| (name, prints(&keys))).collect(),
        })
    }

    /// Compares with every key that could be meant, whatever was found on the way. The first in this order decides, as in
    /// Azure: master, system, host, function.
    fn identify(&self, presented: &Fingerprint, function: Option<&str>) -> Identity {
        let master = presented.is(&self.master);
        let system: Vec<(&str, Choice)> =
            self.system.iter().map(|(name, print)| (name.as_str(), presented.is(print))).collect();
        let own = function.and_then(|name| self.functions.get(&name.to_ascii_lowercase()));
        let mut functions = Choice::from(0);
        // Only a caller of functions shows a function key.
        if function.is_some() {
            for print in self.host.iter().chain(own.into_iter().flatten()) {
                functions |= presented.is(print);
            }
        }
        if master.into() {
            return Identity::Admin;
        }
        match system.into_iter().find(|(_, found)| bool::from(*found)) {
            Some((name, _)) => Identity::System(name.to_owned()),
            None if functions.into() => Identity::Function,
            None => Identity::Nobody,
        }
    }
}
