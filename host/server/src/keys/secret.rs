//! The value of a key: how one is made, recognised, and compared.
//!
//! A value that the host makes reads `dcpo_`, a letter for its kind, 40 random bytes in URL-safe base64, and a checksum over
//! all of that: whoever scans texts for leaked secrets finds it by its beginning and is sure by its end.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ports::Randomness;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::{Choice, ConstantTimeEq};

const PREFIX: &str = "dcpo_";
/// As many as in Azure's keys.
const RANDOM_BYTES: usize = 40;
/// One chance in four thousand million that a mistyped key passes.
const CHECKSUM_BYTES: usize = 4;

/// Of values that people choose: shorter ones are guessed, longer ones do not fit into headers and URLs everywhere.
const VALUE_CHARS: std::ops::RangeInclusive<usize> = 8..=512;

/// What a key is for, as its value shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// Opens everything.
    Master,
    /// Opens an extension.
    System,
    /// Opens functions.
    Function,
}

impl KeyKind {
    fn letter(self) -> char {
        match self {
            KeyKind::Master => 'm',
            KeyKind::System => 's',
            KeyKind::Function => 'f',
        }
    }
}

/// The value of a key. `Debug` does not show it; comparing takes the same time whatever is compared.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// A new one.
    pub(crate) fn generate(kind: KeyKind, randomness: &dyn Randomness) -> Secret {
        let mut random = [0; RANDOM_BYTES];
        for chunk in random.chunks_mut(16) {
            let bytes = randomness.next_u128().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        let body = format!("{PREFIX}{}{}", kind.letter(), URL_SAFE_NO_PAD.encode(random));
        let checksum = checksum(&body);
        Secret(body + &checksum)
    }

    /// A value that a person chose, or that another host made.
    ///
    /// # Errors
    /// It cannot be sent in a header, is too short or too long, or looks like one of ours and is mistyped.
    pub(crate) fn parse(value: &str) -> Result<Secret, BadValue> {
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadValue::Characters);
        }
        if !VALUE_CHARS.contains(&value.len()) {
            return Err(BadValue::Length);
        }
        if value.starts_with(PREFIX) && !is_generated(value) {
            return Err(BadValue::Checksum);
        }
        Ok(Secret(value.to_owned()))
    }

    /// The value itself, for whoever may see it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Enough to tell keys apart, and nothing that helps to guess one: the beginning that all of a kind share, and the end
    /// of the checksum. Of values that people chose, nothing.
    pub(crate) fn masked(&self) -> String {
        match (is_generated(&self.0), self.0.split_at_checked(PREFIX.len() + 1)) {
            (true, Some((beginning, rest))) => format!("{beginning}...{}", &rest[rest.len() - 4..]),
            (_, _) => "********".to_owned(),
        }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.as_bytes())
    }
}

fn checksum(body: &str) -> String {
    let digest = Sha256::digest(body.as_bytes());
    URL_SAFE_NO_PAD.encode(&digest[..CHECKSUM_BYTES])
}

/// Whether a host has made this value, and it is complete.
fn is_generated(value: &str) -> bool {
    let checksum_at = value.len().saturating_sub(checksum("").len());
    let Some((body, end)) = value.split_at_checked(checksum_at) else { return false };
    let kinds = [KeyKind::Master, KeyKind::System, KeyKind::Function];
    let random = kinds.iter().find_map(|kind| body.strip_prefix(PREFIX)?.strip_prefix(kind.letter()));
    let random = random.and_then(|random| URL_SAFE_NO_PAD.decode(random).ok());
    random.is_some_and(|random| random.len() == RANDOM_BYTES) && checksum(body) == end
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.fingerprint().is(&other.fingerprint()).into()
    }
}

impl Eq for Secret {}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        // Whatever stands in a file has been accepted before, perhaps under other rules; empty would match an empty key.
        let value = String::deserialize(deserializer)?;
        if value.is_empty() { Err(serde::de::Error::custom("a key is empty")) } else { Ok(Secret(value)) }
    }
}

/// What stands for a value in comparisons: all have one length, so that not even that is told by the time they take.
#[derive(Clone)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(value: &[u8]) -> Fingerprint {
        Fingerprint(Sha256::digest(value).into())
    }

    /// In constant time.
    pub(super) fn is(&self, other: &Fingerprint) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

/// Why something cannot be the value of a key. Does not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadValue {
    /// Headers carry nothing else unharmed.
    #[error("the value of a key consists of visible ASCII characters without spaces")]
    Characters,
    /// See [`VALUE_CHARS`].
    #[error("the value of a key has {} to {} characters", VALUE_CHARS.start(), VALUE_CHARS.end())]
    Length,
    /// It begins as ours do.
    #[error(
        "the value begins like a key that Dacapo made, but is none; copy it again, from its first to its last character"
    )]
    Checksum,
}
