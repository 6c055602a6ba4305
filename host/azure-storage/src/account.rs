//! An account: its name and the keys that sign requests to it.

use crate::signing::Key;

/// An account of the storage service.
#[derive(Clone, Debug)]
pub struct Account {
    name: String,
    keys: Vec<Key>,
}

/// Why there is no such account.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidAccount {
    /// Azure's rule for names of accounts.
    #[error("'{0}' cannot be an account's name: it has 3 to 24 lower-case letters and digits")]
    Name(String),
    /// There must be at least one.
    #[error("the account '{0}' has no key")]
    NoKey(String),
    /// A key is wrong. The message does not show it.
    #[error("a key of the account '{account}' is no base64 text: {why}")]
    Key {
        /// Whose key.
        account: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Account {
    /// The name of the account of emulators.
    pub const DEVELOPMENT_NAME: &'static str = "devstoreaccount1";
    /// The key of the account of emulators. Public: it stands in Azure's documentation and in each of its client libraries.
    pub const DEVELOPMENT_KEY: &'static str =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    /// An account with keys in base64; each of them may sign, the first one does when this process sends.
    pub fn new(name: &str, keys: &[&str]) -> Result<Account, InvalidAccount> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if !(3..=24).contains(&name.len()) || !name.bytes().all(allowed) {
            return Err(InvalidAccount::Name(name.to_owned()));
        }
        let key = |text: &&str| {
            Key::from_base64(text).map_err(|why| InvalidAccount::Key { account: name.to_owned(), why: why.to_string() })
        };
        let keys = keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(InvalidAccount::NoKey(name.to_owned()));
        }
        Ok(Account { name: name.to_owned(), keys })
    }

    /// The account that all development tools and emulators know.
    pub fn development() -> Account {
        Account::new(Account::DEVELOPMENT_NAME, &[Account::DEVELOPMENT_KEY]).expect("both constants are well-formed")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its keys; at least one.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }
}
