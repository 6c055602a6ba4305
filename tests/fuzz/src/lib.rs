//! What strangers write, for every reader that is a pure function: none may panic, hang or lose what it has understood.
//!
//! Each function is one target of `cargo fuzz`, which looks for inputs that break it:
//!
//! ```sh
//! cargo install cargo-fuzz
//! cargo fuzz run --fuzz-dir tests/fuzz --features libfuzzer --sanitizer none manifest -- -max_total_time=60
//! ```
//!
//! What it finds goes into the tests of the reader itself. With every run of the ordinary tests, the seeds of this crate are
//! tried: they are where the search begins.
#![expect(clippy::panic, reason = "that is how a target tells that it has found something")]

#[cfg(test)]
mod seeds;

use bundle::Limits;
use manifest::expression::{Data, Expression};
use manifest::import::{Imported, Project};
use manifest::schedule::Schedule;
use serde_json::Value;
use storage_model::{EntityBody, Filter};

/// Small enough for millions of bundles.
const LIMITS: Limits = Limits { bundle_bytes: 1 << 16, unpacked_bytes: 1 << 18, component_bytes: 1 << 17, entries: 16 };

/// Time zones with and without summer time, one of them unknown.
const ZONES: [Option<&str>; 5] =
    [None, Some("UTC"), Some("Europe/Berlin"), Some("America/New_York"), Some("Middle/Earth")];

/// Between the files of a project.
const NEXT_FILE: char = '\0';

/// App settings with names of up to three characters are there; their values are of the kind that breaks things.
fn setting(name: &str) -> Option<String> {
    (name.len() < 4).then(|| format!("{name}%{{a}}\n"))
}

/// Manifests, and the configuration of a production host: problems are in lines that there are, and say what to do next.
pub fn manifest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines = text.matches('\n').count() + 1;
    let found =
        [manifest::parse(text, "any.toml", &setting).err(), manifest::production::parse(text, "any.toml").err()];
    for problems in found.into_iter().flatten() {
        assert!(!problems.problems.is_empty());
        for problem in &problems.problems {
            assert!((1..=lines).contains(&problem.line), "{problem:?} in {lines} lines");
            assert!(!problem.what.is_empty() && !problem.next_step.is_empty(), "{problem:?}");
        }
    }
    let _references = manifest::setting_references(text, &setting);
}

/// Schedules: occurrences only go forward. The first byte chooses the time zone.
pub fn schedule(data: &[u8]) {
    let Some((zone, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let zone = ZONES[usize::from(*zone) % ZONES.len()];
    let Ok(schedule) = Schedule::parse(text, zone) else { return };
    for begin in [0, 17_000_000_000_000_000, i64::MAX - 1] {
        let mut before = begin;
        for occurrence in schedule.occurrences_after(begin).take(5) {
            assert!(occurrence > before, "{schedule:?} after {before}: {occurrence}");
            before = occurrence;
        }
    }
    let again = Schedule::parse(schedule.as_str(), zone);
    assert_eq!(again.as_ref().map(Schedule::as_str), Ok(schedule.as_str()));
}

/// Knows a few names.
struct Known(Value);

impl Data for Known {
    fn value(&self, name: &str) -> Option<&Value> {
        self.0.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn names(&self) -> Vec<&str> {
        self.0.as_object().map(|names| names.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    fn moment(&self) -> i64 {
        17_000_000_000_000_000
    }

    fn random_guid(&self) -> u128 {
        7
    }

    fn function(&self) -> &str {
        "BookTrip"
    }
}

/// Binding expressions: what has nothing to fill in comes to what it says, and no value breaks a filter.
pub fn expression(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(expression) = Expression::parse(text) else { return };
    assert_eq!(expression.as_str(), text);
    let known = r#"{"a": "it's", "b": -1.5e3, "c": true, "d": {"e": ["deep"], "f": {"g": 1}}, "n": null}"#;
    let Ok(known) = known.parse().map(Known) else { panic!("{known} is JSON") };
    let evaluated = expression.evaluate(&known);
    if let Some(literal) = expression.literal() {
        assert_eq!(evaluated.as_deref(), Ok(literal));
    }
    let _filter = expression.evaluate_filter(&known);
}

/// Projects of Azure Functions: what is imported is a manifest. The files are host.json, the settings
/// and any number of functions, with a zero character between them.
pub fn import(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut files = text.split(NEXT_FILE);
    let mut file = || files.next().filter(|file| !file.is_empty());
    let (host_json, local_settings_json) = (file(), file());
    let names = ["BookTrip", "book-trip", "1", "BOOKTRIP"];
    let functions: Vec<(&str, &str)> = names.into_iter().zip(files).collect();
    let project = Project { name: "trips", host_json, functions: &functions, local_settings_json };
    let Ok(Imported { manifest, .. }) = manifest::import::import(&project) else { return };
    if manifest.contains('%') {
        // Settings have values that fit their places.
        return;
    }
    if let Err(problems) = manifest::parse(&manifest, "imported.toml", &manifest::no_settings) {
        panic!("{problems}\n{manifest}");
    }
}

/// Bundles: one that can be read can be written, and is the same again.
pub fn bundle(data: &[u8]) {
    let Ok(opened) = bundle::read(data, &LIMITS) else { return };
    let written = match bundle::write(&opened.bundle) {
        Ok(written) => written,
        Err(error) => panic!("{error}: {:?}", opened.bundle),
    };
    match bundle::read(&written, &LIMITS) {
        Ok(again) => assert_eq!(again.bundle, opened.bundle),
        Err(error) => panic!("{error}: {:?}", opened.bundle),
    }
}

/// Entities of tables: what was read is written so that it is read again.
pub fn entity(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(Ok(entity)) = EntityBody::from_json(text).map(EntityBody::into_entity) else { return };
    let written = entity.to_request_json();
    let again = EntityBody::from_json(&written).and_then(EntityBody::into_entity);
    match again {
        Ok(again) => assert_eq!(again.to_request_json(), written),
        Err(error) => panic!("{error}: {written}"),
    }
    let _plain = entity.to_plain_json();
}

/// Filters of tables: what was read is written so that it means the same.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(filter) = Filter::parse(text) else { return };
    let written = filter.to_string();
    match Filter::parse(&written) {
        Ok(again) => assert_eq!(again.to_string(), written, "{text}"),
        Err(error) => panic!("{error}: {written}"),
    }
    let _range = filter.key_range();
}
