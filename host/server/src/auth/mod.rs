//! What a caller may do: which key opens which part of the host.
//!
//! | part | opened by |
//! |---|---|
//! | function, `authLevel = "anonymous"` | everybody; no key is looked at, so none can be wrong |
//! | function, `authLevel = "function"` | a function key of the host or of this function, the master key |
//! | function, `authLevel = "admin"` | the master key |
//! | disabled function | the master key, also where keys are not asked for; to everybody else it is not there |
//! | management API | the system key `durabletask_extension`, the master key |
//! | `/admin`, except `/admin/host/ping`, and `/metrics` | the master key |
//! | `/` | everybody |
//!
//! A key of another level opens nothing besides, as in Azure: a system key is no function key. What is no route is 404 without
//! a body for everybody. On a guarded route, whoever may not use it gets 401 without a body, whether what they mean is there
//! or not; with a method that the route does not have, 405 names those that the caller may use, and is 401 too if there are
//! none. So a caller without a key learns which routes there are, as in Azure, and nothing else. Keys themselves are up to
//! `keys`.

#[cfg(test)]
mod tests;

use http::request::Parts;
use http::{HeaderName, Uri};
use manifest::AuthLevel;
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use triggers::http::{Admission, Gatekeeper};

use crate::keys::{DURABLE_EXTENSION, Identity, KeyRing, Secret};

/// Where a key is looked for first.
const KEY_HEADER: HeaderName = HeaderName::from_static("x-functions-key");

/// The query parameter that counts if the header is absent.
const KEY_PARAMETER: &str = "code";

/// Who is let in. Clones are the same doors.
#[derive(Clone)]
pub(crate) struct Doors {
    keys: Arc<KeyRing>,
    guarded: Guarded,
}

/// Whether keys are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guarded {
    /// As the table of the module says.
    Yes,
    /// Everybody may do everything, as in Azure's local tools.
    No,
}

impl Guarded {
    /// Only who is on this machine already may do without keys, and only as long as nobody asks for them.
    pub(crate) fn on(address: IpAddr, is_asked_for: bool) -> Guarded {
        if is_asked_for || !address.is_loopback() { Guarded::Yes } else { Guarded::No }
    }
}

impl Doors {
    /// Doors that these keys open.
    pub(crate) fn new(keys: Arc<KeyRing>, guarded: Guarded) -> Doors {
        Doors { keys, guarded }
    }

    /// Whether the caller may administer the host.
    pub(crate) fn admit_admin(&self, head: &Parts) -> bool {
        self.guarded == Guarded::No || self.identify(head, None) == Identity::Admin
    }

    /// Whether the caller may use the management API.
    pub(crate) fn admit_management(&self, head: &Parts) -> bool {
        self.guarded == Guarded::No
            || match self.identify(head, None) {
                Identity::Admin => true,
                Identity::System(name) => name.eq_ignore_ascii_case(DURABLE_EXTENSION),
                Identity::Function | Identity::Nobody => false,
            }
    }

    /// The key that URIs of the management API have to carry, if keys are asked for.
    pub(crate) fn management_key(&self) -> Option<Secret> {
        match self.guarded {
            Guarded::Yes => self.keys.durable_extension(),
            Guarded::No => None,
        }
    }

    fn identify(&self, head: &Parts, function: Option<&str>) -> Identity {
        match credential(head) {
            Some(credential) => self.keys.identify(&credential, function),
            None => Identity::Nobody,
        }
    }
}

impl Gatekeeper for Doors {
    fn admit(&self, function: &str, level: AuthLevel, head: &Parts) -> Admission {
        // No key is looked at that changes nothing, so that a wrong one does no harm.
        let needed = match (self.guarded, level) {
            (_, AuthLevel::Anonymous) | (Guarded::No, AuthLevel::Function) => return Admission::Granted,
            (_, needed) => needed,
        };
        match (self.identify(head, Some(function)), self.guarded) {
            (Identity::Admin, _) => Admission::GrantedAsAdmin,
            // Whoever runs what is disabled has to prove it here, too.
            (_, Guarded::No) => Admission::Granted,
            (Identity::Function, Guarded::Yes) if needed == AuthLevel::Function => Admission::Granted,
            (Identity::Function | Identity::System(_) | Identity::Nobody, Guarded::Yes) => Admission::Denied,
        }
    }
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doors").field("guarded", &self.guarded).finish_non_exhaustive()
    }
}

/// The key that a request presents. The header counts if it is there, whatever it holds; an empty key is none.
fn credential(head: &Parts) -> Option<Cow<'_, [u8]>> {
    let presented = match head.headers.get(&KEY_HEADER) {
        Some(value) => Cow::Borrowed(value.as_bytes()),
        None => match parameter(&head.uri)? {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        },
    };
    (!presented.is_empty()).then_some(presented)
}

fn parameter(uri: &Uri) -> Option<Cow<'_, str>> {
    let mut pairs = form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(name, _)| name.eq_ignore_ascii_case(KEY_PARAMETER)).map(|(_, value)| value)
}
