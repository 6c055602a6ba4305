//! Keys: the secrets by which callers of the host are told apart.
//!
//! Owns what keys look like, where they are kept, and which of them a caller presents. Leaves to `auth` what a key opens.
//! A value never appears in a log line or an error: [`Secret`] shows nothing of itself, and nothing here prints text from a
//! file of keys.

mod document;
mod files;
mod ring;
mod secret;
mod store;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use document::Key;
pub(crate) use ring::{Identity, KeyRing};
pub(crate) use secret::{KeyKind, Secret};
pub(crate) use store::{KeyStore, Keys, Written};

use std::fmt;

/// The folder of keys in an app's data folder.
pub(crate) const FOLDER: &str = "secrets";

/// The name under which the master key is shown, as in Azure; no other key begins with its underscore.
pub(crate) const MASTER: &str = "_master";

/// The function key that the host and each function get by themselves.
pub(crate) const DEFAULT: &str = "default";

/// The system key of the management API.
pub(crate) const DURABLE_EXTENSION: &str = "durabletask_extension";

/// The longest name of a key; as that of a function.
const MAX_NAME_CHARS: usize = 128;

/// What keys belong together: they open the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// Function keys that open every function.
    Host,
    /// Keys of extensions, such as the management API; each opens the extension that its name says.
    System,
    /// Function keys that open one function, given by its name in any case.
    Function(String),
}

/// Which key is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KeyId {
    /// Opens everything.
    Master,
    /// By its name, in any case.
    Named {
        /// What it opens.
        scope: Scope,
        /// Its name.
        name: KeyName,
    },
}

/// A letter or digit, then letters, digits, `_`, `-` and `.`; at most 128 characters. Compared without case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyName(String);

impl KeyName {
    /// Checks a name.
    ///
    /// # Errors
    /// It is no name for a key; with what is.
    pub(crate) fn parse(name: &str) -> Result<KeyName, BadName> {
        let mut characters = name.chars();
        let begins_well = characters.next().is_some_and(|first| first.is_ascii_alphanumeric());
        let goes_on_well = characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if begins_well && goes_on_well && name.len() <= MAX_NAME_CHARS {
            Ok(KeyName(name.to_owned()))
        } else {
            Err(BadName)
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was given is no name for a key. It is not repeated: people confuse names and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "that is no name for a key; it begins with a letter or digit, goes on with letters, digits, '_', '-' and '.', and has at \
     most {MAX_NAME_CHARS} characters"
)]
pub(crate) struct BadName;

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyId::Master => f.write_str("the master key"),
            KeyId::Named { scope: Scope::Host, name } => write!(f, "the host's function key '{name}'"),
            KeyId::Named { scope: Scope::System, name } => write!(f, "the system key '{name}'"),
            KeyId::Named { scope: Scope::Function(function), name } => {
                write!(f, "the key '{name}' of the function '{function}'")
            }
        }
    }
}

impl KeyId {
    /// What a value that the host makes for it is marked with.
    pub(crate) fn kind(&self) -> KeyKind {
        match self {
            KeyId::Master => KeyKind::Master,
            KeyId::Named { scope: Scope::System, .. } => KeyKind::System,
            KeyId::Named { scope: Scope::Host | Scope::Function(_), .. } => KeyKind::Function,
        }
    }
}

/// Why keys cannot be read or written. Says which file, and never what is in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// The system does not let it be read.
    #[error("the keys in {file} cannot be read: {why}; let the user that runs the host read and write it")]
    Unreadable {
        /// For people.
        file: String,
        /// The system's words.
        why: std::io::Error,
    },
    /// What is in it are no keys.
    #[error(
        "the keys in {file} cannot be used: {why}; nothing was changed. Correct the file, put a copy of it back, or move it \
         away: then new keys are made at the next start"
    )]
    Broken {
        /// For people.
        file: String,
        /// Without anything that stands in the file.
        why: String,
    },
    /// The system does not let it be written.
    #[error("the keys in {file} cannot be written: {why}; nothing was changed")]
    NotWritten {
        /// For people.
        file: String,
        /// The system's words.
        why: std::io::Error,
    },
    /// There is no such key.
    #[error("there is no such key: {0}")]
    Unknown(KeyId),
    /// The master key can be replaced, but there must be one.
    #[error("the master key cannot be deleted; rotate it instead")]
    Undeletable,
}
