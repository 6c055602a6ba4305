//! What binding expressions of one invocation can name: what its trigger knows, and the properties of its payload.

use manifest::expression::Data;
use orchestration::Timestamp;
use ports::Randomness;
use serde_json::{Map, Value};
use std::sync::{Arc, OnceLock};

/// The data of one invocation.
///
/// Three layers, of which a later one wins where names are the same: metadata of the trigger, properties of the payload (if it
/// is a JSON object), and what the trigger puts above those. A payload is parsed when an expression first asks for a name, and
/// never otherwise. Names are compared without case.
pub struct BindingData {
    function: String,
    moment: Timestamp,
    randomness: Arc<dyn Randomness>,
    metadata: Vec<(&'static str, Value)>,
    payload: Payload,
    above: Vec<(String, Value)>,
}

#[derive(Default)]
struct Payload {
    text: String,
    parsed: OnceLock<Map<String, Value>>,
}

impl Payload {
    fn properties(&self) -> &Map<String, Value> {
        self.parsed.get_or_init(|| {
            // Most payloads that are no objects can be told from their first character.
            let may_be_object = self.text.trim_start().starts_with('{');
            may_be_object.then(|| serde_json::from_str(&self.text).ok()).flatten().unwrap_or_default()
        })
    }
}

impl BindingData {
    /// Data without any layer: what every function has, whatever starts it.
    pub fn new(function: &str, moment: Timestamp, randomness: Arc<dyn Randomness>) -> BindingData {
        BindingData {
            function: function.to_owned(),
            moment,
            randomness,
            metadata: Vec::new(),
            payload: Payload::default(),
            above: Vec::new(),
        }
    }

    /// Adds a value to the metadata.
    #[must_use]
    pub fn with_metadata(mut self, name: &'static str, value: impl Into<Value>) -> BindingData {
        self.metadata.push((name, value.into()));
        self
    }

    /// Sets the payload. Whatever is no JSON object has no properties.
    #[must_use]
    pub fn with_payload(mut self, text: impl Into<String>) -> BindingData {
        self.payload = Payload { text: text.into(), parsed: OnceLock::new() };
        self
    }

    /// Adds a value above the payload; the last one of a name wins.
    #[must_use]
    pub fn with_above(mut self, name: impl Into<String>, value: impl Into<Value>) -> BindingData {
        self.above.push((name.into(), value.into()));
        self
    }
}

impl Data for BindingData {
    fn value(&self, name: &str) -> Option<&Value> {
        let same = |known: &str| known.to_lowercase() == name.to_lowercase();
        let above = || self.above.iter().rev().find(|(known, _)| same(known)).map(|(_, value)| value);
        let payload = || {
            let properties = self.payload.properties();
            // The exact name wins over one that differs in case.
            properties.get(name).or_else(|| properties.iter().find(|(known, _)| same(known)).map(|(_, value)| value))
        };
        let metadata = || self.metadata.iter().find(|(known, _)| same(known)).map(|(_, value)| value);
        above().or_else(payload).or_else(metadata)
    }

    fn names(&self) -> Vec<&str> {
        let metadata = self.metadata.iter().map(|(name, _)| *name);
        let payload = self.payload.properties().keys().map(String::as_str);
        let mut names: Vec<&str> = Vec::new();
        for name in metadata.chain(payload).chain(self.above.iter().map(|(name, _)| name.as_str())) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name);
            }
        }
        names
    }

    fn moment(&self) -> storage_model::Ticks {
        self.moment.ticks()
    }

    fn random_guid(&self) -> u128 {
        uuid::Builder::from_random_bytes(self.randomness.next_u128().to_be_bytes()).into_uuid().as_u128()
    }

    fn function(&self) -> &str {
        &self.function
    }
}
