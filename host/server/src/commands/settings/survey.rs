//! What there is to know about the settings of an app: decided from the manifest's text and the values, without any file.

use manifest::{Connection, SettingPurpose, SettingReference};
use std::collections::{BTreeMap, BTreeSet};

use crate::accounts::{self, Leads};
use crate::settings::{AppSettings, Source};

/// What stands before the name of a setting that a connection finds although it names it without.
const AZURE_PREFIX: &str = "AzureWebJobs";

/// All settings that an app refers to or has in its file, by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Survey {
    pub(crate) settings: Vec<Surveyed>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Surveyed {
    pub(crate) name: String,
    pub(crate) found: Option<Found>,
    /// Who refers to it, in the order of the manifest.
    pub(crate) references: Vec<SettingReference>,
    /// Where it leads, if it is a connection.
    pub(crate) leads: Option<Result<Target, String>>,
    /// A name that differs from this one only in upper and lower case, where nothing has this one.
    pub(crate) in_other_case: Option<String>,
}

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) value: String,
    pub(crate) source: Source,
    /// The setting's name, where it is not that of the reference: `AzureWebJobsTrips` for the connection `Trips`.
    pub(crate) under: Option<String>,
    /// Whether local.settings.toml has it too, to no effect.
    pub(crate) overrides_file: bool,
}

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// To the store of this host.
    Here,
    /// To the account of this name.
    Account(String),
}

impl Surveyed {
    /// Whether the app cannot start without a value that is not there.
    pub(crate) fn is_missing(&self) -> bool {
        let needs_value = self.references.iter().any(|reference| match reference.purpose {
            SettingPurpose::Text => true,
            SettingPurpose::Connection | SettingPurpose::Disabled => false,
        });
        self.found.is_none() && needs_value
    }

    /// Whether there is something to do about it.
    pub(crate) fn is_wanting(&self) -> bool {
        self.is_missing() || matches!(self.leads, Some(Err(_)))
    }
}

impl Survey {
    /// The settings that keep the app from starting.
    pub(crate) fn wanting(&self) -> impl Iterator<Item = &Surveyed> {
        self.settings.iter().filter(|setting| setting.is_wanting())
    }
}

/// Looks at all settings that a manifest refers to, whether it is right or not, and at all of the settings file.
pub(crate) fn survey(manifest: &str, settings: &AppSettings) -> Survey {
    let lookup = |name: &str| settings.values.get(name).cloned();
    let mut references: BTreeMap<String, Vec<SettingReference>> = BTreeMap::new();
    for reference in manifest::setting_references(manifest, &lookup) {
        references.entry(reference.name.clone()).or_default().push(reference);
    }
    let of_file = settings.sources.iter().filter(|(_, source)| **source == Source::LocalFile).map(|(name, _)| name);
    let of_references: BTreeSet<String> =
        references.iter().filter_map(|(name, of_name)| find(name, is_connection(of_name), settings)).collect();
    for name in of_file.chain(&settings.overridden).filter(|name| !of_references.contains(*name)) {
        references.entry(name.clone()).or_default();
    }
    let surveyed = |(name, references): (String, Vec<SettingReference>)| one(name, references, settings);
    Survey { settings: references.into_iter().map(surveyed).collect() }
}

fn one(name: String, references: Vec<SettingReference>, settings: &AppSettings) -> Surveyed {
    let is_connection = is_connection(&references);
    let found = find(&name, is_connection, settings).and_then(|under| {
        let value = settings.values.get(&under)?.clone();
        let source = *settings.sources.get(&under)?;
        let overrides_file = settings.overridden.contains(&under);
        Some(Found { value, source, overrides_file, under: (under != name).then_some(under) })
    });
    let leads = is_connection.then(|| {
        accounts::leads(&Connection(name.clone()), &settings.values).map(|leads| match leads {
            Leads::Here => Target::Here,
            Leads::To(string) => Target::Account(string.account().to_owned()),
        })
    });
    let in_other_case = match found {
        Some(_) => None,
        None => settings.values.keys().find(|other| other.eq_ignore_ascii_case(&name)).cloned(),
    };
    Surveyed { name, found, references, leads, in_other_case }
}

fn is_connection(references: &[SettingReference]) -> bool {
    references.iter().any(|reference| match reference.purpose {
        SettingPurpose::Connection => true,
        SettingPurpose::Text | SettingPurpose::Disabled => false,
    })
}

/// The name under which there is a value: the name itself; `A__B` for `A:B`; for connections also behind Azure's prefix.
fn find(name: &str, is_connection: bool, settings: &AppSettings) -> Option<String> {
    let sections = name.contains(':').then(|| name.replace(':', "__"));
    let prefixed = is_connection.then(|| format!("{AZURE_PREFIX}{name}"));
    let candidates = [Some(name.to_owned()), sections, prefixed].into_iter().flatten();
    candidates.into_iter().find(|name| settings.values.contains_key(name))
}
