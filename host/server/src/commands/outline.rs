//! Manifests for commands that only look: app settings that are not set here are no reason to refuse one.
//!
//! A setting that is missing gets a value of our choice, with which the manifest is right; what is made of it is never shown, but
//! the text as the manifest writes it.

use manifest::{Function, SettingPurpose};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::exit::Problem;
use crate::manifest_file::{self, LocatedApp};
use crate::settings::{AppSettings, Assignment, Environment};

/// What texts of manifests may have to be, from words to schedules. A `#` becomes the number of the setting, so that two routes
/// or names do not become the same.
const STAND_INS: [&str; 16] = [
    "setting#",
    "false",
    "1m",
    "0 0 0 * * *",
    "UTC",
    "get",
    "function",
    "auto",
    "one",
    "insert",
    "fixedDelay",
    "exponentialBackoff",
    "None",
    "Reject",
    "AnyState",
    "PartitionKey eq 'setting#'",
];

/// An app as far as it can be made out without the settings that are not here.
pub(super) struct Outline {
    pub(super) located: LocatedApp,
    /// App settings that texts of the manifest name, and that are not set.
    pub(super) unset: BTreeSet<String>,
    document: toml::Table,
}

/// Reads the manifest that was named, or else the one in the current folder.
///
/// # Errors
/// [`Problem::App`] when it is wrong for another reason than settings that are not set.
pub(super) fn read(
    manifest: Option<&Path>,
    given: &[Assignment],
    environment: &Environment,
) -> Result<Outline, Problem> {
    let manifest = named(manifest)?;
    let folder = manifest_file::folder(&manifest)?;
    let settings = AppSettings::read_with(environment, given, &folder).map_err(Problem::App)?;
    let text = manifest_file::read_text(&manifest).map_err(Problem::App)?;
    let unset = unset(&text, &settings);
    let mut completed = settings.clone();
    completed.values.extend(stand_ins(&text, &unset, &settings.values));
    // With settings missing, the message that counts is the one about them.
    let located = manifest_file::read(&manifest, &completed).or_else(|_| manifest_file::read(&manifest, &settings))?;
    // It is TOML, or it would not have come as far as here.
    let document = text.parse().unwrap_or_default();
    Ok(Outline { located, unset, document })
}

/// The manifest that was named, or else the one in the current folder.
///
/// # Errors
/// [`Problem::App`] when there is none, or more than one.
pub(super) fn named(manifest: Option<&Path>) -> Result<PathBuf, Problem> {
    match manifest {
        Some(manifest) => Ok(manifest.to_owned()),
        None => manifest_file::find_in(Path::new(".")),
    }
}

impl Outline {
    /// A field of a function's trigger: as the manifest writes it if that needs a setting that is not there, else what it comes to.
    pub(super) fn of_trigger(&self, function: &Function, field: &str, meaning: impl Into<String>) -> String {
        self.field(&["functions", &function.name, "trigger", field], meaning)
    }

    /// The same of any field.
    pub(super) fn field(&self, path: &[&str], meaning: impl Into<String>) -> String {
        let mut tables = path.iter();
        let first = tables.next().and_then(|key| self.document.get(*key));
        let written = tables.try_fold(first, |value, key| Some(value?.get(*key))).flatten();
        let written = written.and_then(toml::Value::as_str).unwrap_or_default();
        let is_open = self.unset.iter().any(|name| written.contains(&format!("%{name}%")));
        if is_open { written.to_owned() } else { meaning.into() }
    }

    /// What is to be said about settings that are not set; none: they all are.
    pub(super) fn notice(&self) -> Option<String> {
        let names: Vec<&str> = self.unset.iter().map(String::as_str).collect();
        let file = &self.located.file;
        (!names.is_empty()).then(|| {
            let names = names.join(", ");
            format!("Not set here: {names}. What refers to it is shown as it is written; see `dacapo settings {file}`.")
        })
    }
}

fn unset(manifest: &str, settings: &AppSettings) -> BTreeSet<String> {
    let lookup = |name: &str| settings.values.get(name).cloned();
    let references = manifest::setting_references(manifest, &lookup).into_iter();
    let texts = references.filter(|reference| reference.purpose == SettingPurpose::Text);
    let is_there =
        |name: &str| settings.values.contains_key(name) || settings.values.contains_key(&name.replace(':', "__"));
    texts.map(|reference| reference.name).filter(|name| !is_there(name)).collect()
}

/// A value for each of these settings: that with which the manifest has the fewest problems.
fn stand_ins(manifest: &str, unset: &BTreeSet<String>, values: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut chosen = BTreeMap::new();
    let problems = |chosen: &BTreeMap<String, String>| {
        let lookup = |name: &str| chosen.get(name).or_else(|| values.get(name)).cloned();
        manifest::parse(manifest, "", &lookup).err().map_or(0, |problems| problems.problems.len())
    };
    for (number, name) in unset.iter().enumerate() {
        let best = STAND_INS.iter().map(|text| text.replace('#', &number.to_string())).min_by_key(|text| {
            chosen.insert(name.clone(), text.clone());
            problems(&chosen)
        });
        chosen.extend(best.map(|best| (name.clone(), best)));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const MANIFEST: &str = r#"
        [app]
        name = "trips"
        version = "1"
        [components.a]
        source = "a.wasm"
        allowedOutboundHosts = ["https://%PARTNER%"]
        [functions.Take]
        trigger = { type = "queueTrigger", queueName = "%TRIP:QUEUE%", batchSize = 1, visibilityTimeout = "%SOON%" }
        inputs.offers = { type = "table", tableName = "%TABLE%", filter = "%FILTER%" }
        [functions.Nightly]
        trigger = { type = "timerTrigger", schedule = "%NIGHTLY%", timeZone = "%ZONE%" }
        disabled = "%OFF%"
        [functions.One]
        trigger = { type = "httpTrigger", route = "trips/%ONE%", methods = ["%METHOD%"], authLevel = "%LEVEL%" }
        [functions.Two]
        trigger = { type = "httpTrigger", route = "trips/%TWO%" }
        [host.durableTask]
        hubName = "%HUB%"
        versionMatchStrategy = "%MATCH%"
        "#;

    fn read_text(text: &str, given: &[&str]) -> Result<Outline, Problem> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("app.toml");
        std::fs::write(&file, text).expect("it can be written");
        let given: Vec<Assignment> = given.iter().map(|text| Assignment::parse(text).expect("an assignment")).collect();
        read(Some(&file), &given, &Environment::default())
    }

    #[test]
    fn settings_that_are_not_set_are_shown_as_they_are_written() {
        let outline =
            read_text(MANIFEST, &["TRIP__QUEUE=trip-requests", "TWO=two"]).expect("it is right but for settings");
        let functions = &outline.located.app.functions;
        let shown = |name: &str, field: &str| {
            let function = functions.iter().find(|function| function.name == name).expect("it is there");
            format!("{name}.{field}: {}", outline.of_trigger(function, field, "what it comes to"))
        };
        let told = [
            shown("Take", "queueName"),
            shown("Nightly", "schedule"),
            shown("One", "route"),
            shown("Two", "route"),
            outline.field(&["host", "durableTask", "hubName"], "a hub"),
            outline.field(&["host", "nothing", "here"], "a default"),
            outline.notice().unwrap_or_default().split(';').next().unwrap_or_default().to_owned(),
        ];
        expect![[r#"
            Take.queueName: what it comes to
            Nightly.schedule: %NIGHTLY%
            One.route: trips/%ONE%
            Two.route: what it comes to
            %HUB%
            a default
            Not set here: FILTER, HUB, LEVEL, MATCH, METHOD, NIGHTLY, OFF, ONE, PARTNER, SOON, TABLE, ZONE. What refers to it is shown as it is written"#]]
        .assert_eq(&told.join("\n"));
    }

    #[test]
    fn other_problems_stay_problems() {
        let problem = read_text(&MANIFEST.replace("batchSize = 1", "batchSize = 0"), &[]).err().expect("it is wrong");
        let text = problem.into_error().to_string();
        assert!(
            text.contains("batchSize: 0 is out of range") && text.contains("there is no app setting `HUB`"),
            "{text}"
        );
    }
}
