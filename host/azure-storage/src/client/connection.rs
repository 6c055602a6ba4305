//! Connection strings: where an account is, and how to sign for it.

use crate::signing::Key;
use crate::{Account, Service};
use http::Uri;
use std::collections::BTreeMap;
use std::fmt;

/// Where the services of accounts are when a connection string does not say.
const DEFAULT_SUFFIX: &str = "core.windows.net";

/// Why a text is no connection string. Messages never show values: they may be secrets.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidConnection {
    /// It is not made of fields.
    #[error(
        "part {part} of the connection string is not of the form Name=value; it looks like \
         'DefaultEndpointsProtocol=https;AccountName=...;AccountKey=...;EndpointSuffix=core.windows.net', or is \
         'UseDevelopmentStorage=true'"
    )]
    NoField {
        /// Which part, from 1.
        part: usize,
    },
    /// It lacks a field.
    #[error("the connection string has no {missing}; it has {}", if found.is_empty() { "nothing" } else { found })]
    Missing {
        /// What it lacks.
        missing: &'static str,
        /// The names of the fields that it has.
        found: String,
    },
    /// The key is damaged.
    #[error("the AccountKey is no base64 text: {0}; copy the whole key, with the '=' signs at its end")]
    Key(String),
    /// A field has a value that it cannot have.
    #[error("the field {field} of the connection string is wrong: {why}")]
    Field {
        /// Which.
        field: String,
        /// What is wrong with it, without its value.
        why: &'static str,
    },
}

/// How requests prove that they may.
#[derive(Clone)]
pub(super) enum Credential {
    /// Each is signed.
    Key(Key),
    /// Each carries these parameters.
    Signature(String),
}

/// A connection string that was understood.
#[derive(Clone)]
pub struct ConnectionString {
    account: String,
    credential: Credential,
    queues: String,
    tables: String,
}

impl ConnectionString {
    /// Reads a connection string: `AccountName`, `AccountKey` or `SharedAccessSignature`, `DefaultEndpointsProtocol`,
    /// `EndpointSuffix`, `QueueEndpoint`, `TableEndpoint`; or `UseDevelopmentStorage=true`, with `DevelopmentStorageProxyUri` for an
    /// emulator on another machine. Names are compared without case; what is not for queues and tables is ignored.
    pub fn parse(text: &str) -> Result<ConnectionString, InvalidConnection> {
        let mut fields = BTreeMap::new();
        let parts = text.trim().split(';').enumerate().filter(|(_, part)| !part.trim().is_empty());
        for (index, part) in parts {
            let (name, value) = part.split_once('=').ok_or(InvalidConnection::NoField { part: index + 1 })?;
            fields.insert(name.trim().to_ascii_lowercase(), (name.trim().to_owned(), value.trim().to_owned()));
        }
        let fields = Fields(fields);
        match fields.get("UseDevelopmentStorage") {
            None => ConnectionString::of_account(&fields),
            Some("true" | "True" | "TRUE") => ConnectionString::of_emulator(fields.get("DevelopmentStorageProxyUri")),
            Some(_) => Err(wrong("UseDevelopmentStorage", "its only value is 'true'")),
        }
    }

    fn of_emulator(proxy: Option<&str>) -> Result<ConnectionString, InvalidConnection> {
        let base = proxy.unwrap_or("http://127.0.0.1").trim_end_matches('/');
        let name = Account::DEVELOPMENT_NAME;
        let key = Key::from_base64(Account::DEVELOPMENT_KEY).map_err(|why| InvalidConnection::Key(why.to_string()))?;
        let address = |port| checked("DevelopmentStorageProxyUri", &format!("{base}:{port}/{name}"));
        let (queues, tables) = (address(10_001)?, address(10_002)?);
        Ok(ConnectionString { account: name.to_owned(), credential: Credential::Key(key), queues, tables })
    }

    fn of_account(fields: &Fields) -> Result<ConnectionString, InvalidConnection> {
        let (queues, tables) = (fields.get("QueueEndpoint"), fields.get("TableEndpoint"));
        let account = match (fields.get("AccountName"), fields.get("AccountKey")) {
            (Some(account), _) => account.to_owned(),
            // Only who signs with a key must know the name.
            (None, None) if queues.is_some() || tables.is_some() => String::new(),
            (None, _) => return Err(fields.missing("AccountName")),
        };
        let credential = match (fields.get("AccountKey"), fields.get("SharedAccessSignature")) {
            (Some(key), _) => {
                Credential::Key(Key::from_base64(key).map_err(|why| InvalidConnection::Key(why.to_string()))?)
            }
            (None, Some(signature)) => Credential::Signature(signature.trim_start_matches('?').to_owned()),
            (None, None) => return Err(fields.missing("AccountKey (or SharedAccessSignature)")),
        };
        let protocol = fields.get("DefaultEndpointsProtocol").unwrap_or("https");
        if !matches!(protocol, "http" | "https") {
            return Err(wrong("DefaultEndpointsProtocol", "it is 'http' or 'https'"));
        }
        let suffix = fields.get("EndpointSuffix").unwrap_or(DEFAULT_SUFFIX);
        let address = |given: Option<&str>, field: &'static str, service: Service| match given {
            Some(address) => checked(field, address),
            None if account.is_empty() => Ok(String::new()),
            None => {
                checked("AccountName or EndpointSuffix", &format!("{protocol}://{account}.{}.{suffix}", service.name()))
            }
        };
        let queues = address(queues, "QueueEndpoint", Service::Queue)?;
        let tables = address(tables, "TableEndpoint", Service::Table)?;
        Ok(ConnectionString { account, credential, queues, tables })
    }

    /// The account's name; empty if the connection string names only addresses.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The address of a service without a slash at its end; none if the connection string has none for it.
    pub fn address(&self, service: Service) -> Option<&str> {
        let address = match service {
            Service::Queue => &self.queues,
            Service::Table => &self.tables,
            Service::Blob => return None,
        };
        Some(address.as_str()).filter(|address| !address.is_empty())
    }

    pub(super) fn credential(&self) -> &Credential {
        &self.credential
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionString({}, {}, {})", self.account, self.queues, self.tables)
    }
}

/// By names in lower case: the names as written and their values.
struct Fields(BTreeMap<String, (String, String)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(&name.to_ascii_lowercase()).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    fn missing(&self, missing: &'static str) -> InvalidConnection {
        let found = self.0.values().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        InvalidConnection::Missing { missing, found }
    }
}

fn wrong(field: &str, why: &'static str) -> InvalidConnection {
    InvalidConnection::Field { field: field.to_owned(), why }
}

fn checked(field: &str, address: &str) -> Result<String, InvalidConnection> {
    let address = address.trim_end_matches('/');
    let uri: Uri = address.parse().map_err(|_| wrong(field, "it is no address"))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.query().is_none() => Ok(address.to_owned()),
        Some("http" | "https") => Err(wrong(field, "it has a query; a signature belongs into SharedAccessSignature")),
        _ => Err(wrong(field, "it is an address that begins with http:// or https://")),
    }
}
