//! The store of keys: reading them all, and changing one.
//!
//! Knows nothing of requests. Several processes may work on one folder: a running host, and whoever types `dacapo keys`.

use super::document::{self, Document, FunctionDocument, HostDocument, Key};
use super::files::{Files, HOST_DOCUMENT, Stamp, function_document};
use super::{DEFAULT, DURABLE_EXTENSION, KeyError, KeyId, KeyKind, MASTER, Scope, Secret};
use ports::Randomness;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The keys of one app.
pub(crate) struct KeyStore {
    files: Files,
    randomness: Arc<dyn Randomness>,
}

/// Every key there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    /// Opens everything.
    pub(crate) master: Secret,
    /// Each opens the extension of its name.
    pub(crate) system: Vec<Key>,
    /// Open every function.
    pub(crate) host: Vec<Key>,
    /// By the function's name in lower case.
    pub(crate) functions: BTreeMap<String, Vec<Key>>,
}

/// What became of a key that was to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// Its value now.
    pub(crate) value: Secret,
    /// Whether there was none of that name.
    pub(crate) is_new: bool,
}

impl KeyStore {
    /// Keys in a folder. Nothing is read or made yet.
    pub(crate) fn in_folder(folder: PathBuf, randomness: Arc<dyn Randomness>) -> KeyStore {
        KeyStore { files: Files::Folder(folder), randomness }
    }

    /// Keys that end with the process; with this master key, if the operator chose one.
    ///
    /// # Errors
    /// Never: a new document always has a text.
    pub(crate) fn in_memory(master: Option<Secret>, randomness: Arc<dyn Randomness>) -> Result<KeyStore, KeyError> {
        let store = KeyStore { files: Files::memory(), randomness };
        if let Some(master) = master {
            let mut document = store.first_document();
            document.master_key.value = master;
            store.save(HOST_DOCUMENT, &document)?;
        }
        Ok(store)
    }

    /// Makes what every app has and this one lacks: the master key, the host's function key, the system key of the
    /// management API, and a key for each of these functions. Answers whether there was nothing before.
    ///
    /// # Errors
    /// A document cannot be read or written. One that is there and cannot be read is left as it is.
    pub(crate) fn complete<'a>(&self, functions: impl IntoIterator<Item = &'a str>) -> Result<bool, KeyError> {
        let _lock = self.files.lock()?;
        let found: Option<HostDocument> = self.load(HOST_DOCUMENT)?;
        let is_new = found.is_none();
        let mut host = found.unwrap_or_else(|| self.first_document());
        let lacks_extension = find(&host.system_keys, DURABLE_EXTENSION).is_none();
        if lacks_extension {
            host.system_keys.push(Key::new(DURABLE_EXTENSION, self.generate(KeyKind::System)));
        }
        if is_new || lacks_extension {
            self.save(HOST_DOCUMENT, &host)?;
        }
        for function in functions {
            let document = function_document(function);
            if self.load::<FunctionDocument>(&document)?.is_none() {
                let mut keys = FunctionDocument::default();
                keys.keys.push(Key::new(DEFAULT, self.generate(KeyKind::Function)));
                self.save(&document, &keys)?;
            }
        }
        Ok(is_new)
    }

    /// Every key; none at all if the host has never started.
    ///
    /// # Errors
    /// A document cannot be read.
    pub(crate) fn read(&self) -> Result<Option<Keys>, KeyError> {
        let Some(host) = self.load::<HostDocument>(HOST_DOCUMENT)? else { return Ok(None) };
        let mut functions = BTreeMap::new();
        for function in self.files.functions()? {
            let document: Option<FunctionDocument> = self.load(&function_document(&function))?;
            functions.insert(function, document.unwrap_or_default().keys);
        }
        Ok(Some(Keys { master: host.master_key.value, system: host.system_keys, host: host.function_keys, functions }))
    }

    /// Gives a key a value, or, without one, a new random value. Makes the key if there is none.
    ///
    /// # Errors
    /// A document cannot be read or written.
    pub(crate) fn put(&self, id: &KeyId, value: Option<Secret>) -> Result<Written, KeyError> {
        let value = value.unwrap_or_else(|| self.generate(id.kind()));
        let is_new = self.change(id, |key, name| match key {
            Place::Master(key) => {
                key.value = value.clone();
                Ok(false)
            }
            Place::Among(keys) => match position(keys, name) {
                Some(at) => {
                    keys[at].value = value.clone();
                    Ok(false)
                }
                None => {
                    keys.push(Key::new(name, value.clone()));
                    Ok(true)
                }
            },
        })?;
        Ok(Written { value, is_new })
    }

    /// Gives a key that is there a new random value.
    ///
    /// # Errors
    /// There is no such key, or a document cannot be read or written.
    pub(crate) fn rotate(&self, id: &KeyId) -> Result<Secret, KeyError> {
        let value = self.generate(id.kind());
        self.change(id, |key, name| {
            let key = match key {
                Place::Master(key) => key,
                Place::Among(keys) => match position(keys, name) {
                    Some(at) => &mut keys[at],
                    None => return Err(KeyError::Unknown(id.clone())),
                },
            };
            key.value = value.clone();
            Ok(())
        })?;
        Ok(value)
    }

    /// Removes a key.
    ///
    /// # Errors
    /// There is no such key, it is the master key, or a document cannot be read or written.
    pub(crate) fn delete(&self, id: &KeyId) -> Result<(), KeyError> {
        self.change(id, |key, name| match key {
            Place::Master(_) => Err(KeyError::Undeletable),
            Place::Among(keys) => match position(keys, name) {
                Some(at) => {
                    keys.remove(at);
                    Ok(())
                }
                None => Err(KeyError::Unknown(id.clone())),
            },
        })
    }

    /// Removes all keys of functions that are no more. One that has none is passed over.
    ///
    /// # Errors
    /// A document cannot be removed; those before it are.
    pub(super) fn forget<'a>(&self, functions: impl IntoIterator<Item = &'a str>) -> Result<(), KeyError> {
        let _lock = self.files.lock()?;
        functions.into_iter().try_for_each(|function| self.files.remove(&function_document(function)))
    }

    pub(super) fn stamp(&self) -> Stamp {
        self.files.stamp()
    }

    /// Where the keys are, for people.
    pub(crate) fn place(&self) -> String {
        match &self.files {
            Files::Folder(folder) => folder.display().to_string(),
            Files::Memory { .. } => "memory".to_owned(),
        }
    }

    /// Reads the document that a key is in, changes it and writes it, with nobody in between.
    fn change<T>(
        &self,
        id: &KeyId,
        change: impl FnOnce(Place<'_>, &str) -> Result<T, KeyError>,
    ) -> Result<T, KeyError> {
        let _lock = self.files.lock()?;
        if let KeyId::Named { scope: Scope::Function(function), name } = id {
            let file = function_document(function);
            let mut document: FunctionDocument = self.load(&file)?.unwrap_or_default();
            let outcome = change(Place::Among(&mut document.keys), name.as_str())?;
            self.save(&file, &document)?;
            return Ok(outcome);
        }
        let mut host = match self.load(HOST_DOCUMENT)? {
            Some(host) => host,
            None => self.first_document(),
        };
        let outcome = match id {
            KeyId::Master => change(Place::Master(&mut host.master_key), MASTER)?,
            KeyId::Named { scope: Scope::System, name } => change(Place::Among(&mut host.system_keys), name.as_str())?,
            KeyId::Named { scope: Scope::Host | Scope::Function(_), name } => {
                change(Place::Among(&mut host.function_keys), name.as_str())?
            }
        };
        self.save(HOST_DOCUMENT, &host)?;
        Ok(outcome)
    }

    /// What every host has.
    fn first_document(&self) -> HostDocument {
        let mut host = HostDocument::new(self.generate(KeyKind::Master));
        host.function_keys.push(Key::new(DEFAULT, self.generate(KeyKind::Function)));
        host.system_keys.push(Key::new(DURABLE_EXTENSION, self.generate(KeyKind::System)));
        host
    }

    fn generate(&self, kind: KeyKind) -> Secret {
        Secret::generate(kind, &*self.randomness)
    }

    fn load<D: Document>(&self, document: &str) -> Result<Option<D>, KeyError> {
        let bytes = self.files.read(document)?;
        bytes.map(|bytes| document::read(&self.files.shown(document), &bytes)).transpose()
    }

    fn save<D: Document>(&self, document: &str, content: &D) -> Result<(), KeyError> {
        self.files.replace(document, document::write(content)?)
    }
}

impl Keys {
    /// The keys that open the same.
    pub(crate) fn of(&self, scope: &Scope) -> &[Key] {
        match scope {
            Scope::Host => &self.host,
            Scope::System => &self.system,
            Scope::Function(function) => self.functions.get(&function.to_ascii_lowercase()).map_or(&[], Vec::as_slice),
        }
    }

    /// The value of a key, if there is one.
    pub(crate) fn value(&self, id: &KeyId) -> Option<&Secret> {
        match id {
            KeyId::Master => Some(&self.master),
            KeyId::Named { scope, name } => find(self.of(scope), name.as_str()).map(|key| &key.value),
        }
    }
}

/// Where in a document a key is or would be.
enum Place<'d> {
    Master(&'d mut Key),
    Among(&'d mut Vec<Key>),
}

fn position(keys: &[Key], name: &str) -> Option<usize> {
    keys.iter().position(|key| key.name.eq_ignore_ascii_case(name))
}

fn find<'k>(keys: &'k [Key], name: &str) -> Option<&'k Key> {
    keys.iter().find(|key| key.name.eq_ignore_ascii_case(name))
}
