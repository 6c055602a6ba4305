//! `dacapo settings list`: a survey of an app's settings, in words or as JSON.

use anyhow::anyhow;
use manifest::{SettingPurpose, SettingReference};
use serde::Serialize;

use super::survey::{Survey, Surveyed, Target, survey};
use crate::cli::{ListSettingsArguments, OutputFormat};
use crate::console::Console;
use crate::exit::Problem;
use crate::manifest_file;
use crate::settings::{AppSettings, Environment, LOCAL_SETTINGS_FILE, Source};

/// As long for every value: its length is nobody's business either.
const MASK: &str = "********";

pub(super) fn run(
    arguments: &ListSettingsArguments,
    environment: &Environment,
    console: &Console,
) -> Result<(), Problem> {
    let folder = manifest_file::folder(&arguments.manifest)?;
    let text = manifest_file::read_text(&arguments.manifest).map_err(Problem::App)?;
    let settings = AppSettings::read_with(environment, &arguments.env, &folder).map_err(Problem::App)?;
    let survey = survey(&text, &settings);
    let file = arguments.manifest.display().to_string();
    let values = if arguments.show_values { Values::Shown } else { Values::Masked };
    console.notice(&match arguments.output {
        OutputFormat::Text => in_words(&survey, &file, values),
        OutputFormat::Json => as_json(&survey, values),
    });
    if survey.wanting().next().is_some() {
        return Err(Problem::Wanting);
    }
    let lookup = |name: &str| settings.values.get(name).cloned();
    match manifest::parse(&text, &file, &lookup) {
        Ok(_) => Ok(()),
        // What a function refers to may be among what could not be read.
        Err(problems) => Err(Problem::App(anyhow!("the manifest is wrong, so there may be more settings\n{problems}"))),
    }
}

/// Whether values may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    Shown,
    Masked,
}

impl Values {
    fn show(self, value: &str) -> String {
        match self {
            Values::Shown => value.to_owned(),
            Values::Masked if value.is_empty() => String::new(),
            Values::Masked => MASK.to_owned(),
        }
    }
}

/// For people; `file` is the manifest.
pub(super) fn in_words(survey: &Survey, file: &str, values: Values) -> String {
    if survey.settings.is_empty() {
        return format!("{file} refers to no settings, and there are none in {LOCAL_SETTINGS_FILE} beside it.");
    }
    let mut text = String::new();
    for setting in &survey.settings {
        text.push_str(&format!("{}: {}\n", setting.name, value_in_words(setting, values)));
        for line in about(setting, file) {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text.push('\n');
    text.push_str(&verdict(survey, file));
    text
}

/// What is to be done.
fn verdict(survey: &Survey, file: &str) -> String {
    let wanting: Vec<&str> = survey.wanting().map(|setting| setting.name.as_str()).collect();
    let Some(first) = wanting.first() else {
        return format!(
            "All settings that the app needs are there. `dacapo settings add {file} NAME` sets or changes one."
        );
    };
    let names = wanting.join(", ");
    format!("Missing or wrong: {names}. Set it with `dacapo settings add {file} {first}`, or in the environment.")
}

fn value_in_words(setting: &Surveyed, values: Values) -> String {
    let Some(found) = &setting.found else {
        return if setting.is_missing() { "missing".to_owned() } else { "not set".to_owned() };
    };
    let value = match values.show(&found.value) {
        empty if empty.is_empty() => "(empty)".to_owned(),
        shown => shown,
    };
    let under = found.under.as_ref().map(|under| format!(" under the name {under}")).unwrap_or_default();
    let overrides =
        if found.overrides_file { format!("; {LOCAL_SETTINGS_FILE} has it too, to no effect") } else { String::new() };
    format!("{value}, from {}{under}{overrides}", found.source)
}

/// What is said below the value, one line each.
fn about(setting: &Surveyed, file: &str) -> Vec<String> {
    let mut lines = Vec::new();
    match &setting.leads {
        Some(Ok(Target::Here)) => lines.push("leads to the store of this host".to_owned()),
        Some(Ok(Target::Account(name))) => lines.push(format!("leads to the storage account {name}")),
        Some(Err(why)) => lines.push(format!("leads nowhere: {why}")),
        None => {}
    }
    if let Some(other) = &setting.in_other_case {
        lines.push(format!("there is {other}; upper and lower case make a difference"));
    }
    if setting.references.is_empty() {
        lines.push("handed to the functions; the manifest does not name it".to_owned());
    }
    for reference in &setting.references {
        let SettingReference { field, line, .. } = reference;
        let who = function_of(field).map(|function| format!("{function}, ")).unwrap_or_default();
        lines.push(format!("{} {who}{field} ({file}:{line})", purpose_in_words(reference.purpose)));
    }
    lines
}

fn purpose_in_words(purpose: SettingPurpose) -> &'static str {
    match purpose {
        SettingPurpose::Text => "used by",
        SettingPurpose::Connection => "connection of",
        SettingPurpose::Disabled => "disables",
    }
}

/// `BookTrip` of `functions.BookTrip.trigger.queueName`.
fn function_of(field: &str) -> Option<&str> {
    field.strip_prefix("functions.")?.split('.').next()
}

/// For programs.
pub(super) fn as_json(survey: &Survey, values: Values) -> String {
    let settings: Vec<ShownSetting<'_>> =
        survey.settings.iter().map(|setting| ShownSetting::new(setting, values)).collect();
    // Structs of texts always serialise.
    serde_json::to_string_pretty(&settings).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownSetting<'s> {
    name: &'s str,
    missing: bool,
    /// Masked unless values are to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// `commandLine`, `environment` or `localFile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found_under: Option<&'s str>,
    overrides_file: bool,
    /// For connections: the account, or null for the store of this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Option<&'s str>>,
    /// Why a connection leads nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'s str>,
    used_by: Vec<ShownReference<'s>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownReference<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'s str>,
    field: &'s str,
    line: usize,
    /// `text`, `connection` or `disabled`.
    purpose: &'static str,
}

impl<'s> ShownSetting<'s> {
    fn new(setting: &'s Surveyed, values: Values) -> ShownSetting<'s> {
        let found = setting.found.as_ref();
        let (account, error) = match &setting.leads {
            Some(Ok(Target::Here)) => (Some(None), None),
            Some(Ok(Target::Account(name))) => (Some(Some(name.as_str())), None),
            Some(Err(why)) => (None, Some(why.as_str())),
            None => (None, None),
        };
        ShownSetting {
            name: &setting.name,
            missing: setting.is_missing(),
            value: found.map(|found| values.show(&found.value)),
            source: found.map(|found| match found.source {
                Source::CommandLine => "commandLine",
                Source::Environment => "environment",
                Source::LocalFile => "localFile",
                Source::ConfigFile => "configFile",
            }),
            found_under: found.and_then(|found| found.under.as_deref()),
            overrides_file: found.is_some_and(|found| found.overrides_file),
            account,
            error,
            used_by: setting.references.iter().map(ShownReference::new).collect(),
        }
    }
}

impl<'s> ShownReference<'s> {
    fn new(reference: &'s SettingReference) -> ShownReference<'s> {
        let purpose = match reference.purpose {
            SettingPurpose::Text => "text",
            SettingPurpose::Connection => "connection",
            SettingPurpose::Disabled => "disabled",
        };
        ShownReference {
            function: function_of(&reference.field),
            field: &reference.field,
            line: reference.line,
            purpose,
        }
    }
}
