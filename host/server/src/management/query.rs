//! The query of a request, read as Durable Functions reads it: names without case, and values that make no sense are as if
//! they were not there.

use orchestration::{RuntimeStatus, Timestamp};

use crate::moment;

/// The pairs of a query string, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Query {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Query { pairs: pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect() }
    }

    /// The first value of that name that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// `true` or `false` in any case; anything else is the default.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        match self.text(name) {
            Some(text) if text.trim().eq_ignore_ascii_case("true") => true,
            Some(text) if text.trim().eq_ignore_ascii_case("false") => false,
            Some(_) | None => default,
        }
    }

    /// A moment in ISO 8601.
    pub(super) fn moment(&self, name: &str) -> Option<Timestamp> {
        self.text(name).and_then(moment::parse)
    }

    /// A whole number above zero.
    pub(super) fn count(&self, name: &str) -> Option<usize> {
        self.text(name).and_then(|text| text.trim().parse().ok()).filter(|count| *count > 0)
    }

    /// The statuses that `runtimeStatus` names, as a list with commas, as several values, or both.
    pub(super) fn statuses(&self) -> Statuses {
        let names: Vec<&str> = self
            .all("runtimeStatus")
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        let mut known: Vec<RuntimeStatus> = names.iter().filter_map(|name| RuntimeStatus::parse(name)).collect();
        known.sort_unstable();
        known.dedup();
        Statuses { given: !names.is_empty(), known }
    }

    /// The tags that `tag=name=value` asks for; what is no pair asks for nothing.
    pub(super) fn tags(&self) -> Vec<(String, String)> {
        let pairs = self.all("tag").filter_map(|pair| pair.split_once('='));
        pairs.filter(|(name, _)| !name.is_empty()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// All values of that name, in order.
    pub(super) fn all<'q, 'n>(&'q self, name: &'n str) -> impl Iterator<Item = &'q str> + use<'q, 'n> {
        self.pairs.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What `runtimeStatus` said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statuses {
    /// Whether it said anything at all.
    pub(super) given: bool,
    /// The statuses that it named correctly.
    pub(super) known: Vec<RuntimeStatus>,
}
