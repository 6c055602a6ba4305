//! What the surroundings say: the environment of the process and the file of app settings beside the manifest.
//!
//! App settings reach functions as environment variables. The real environment wins over the file, as in Azure's local tools.

use anyhow::{Context, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

/// Beside the manifest; never part of what is deployed, because secrets are in it.
const LOCAL_SETTINGS_FILE: &str = "local.settings.toml";

/// The master key of a host that keeps nothing on disk, where nobody could look it up. Functions do not see it.
pub(crate) const MASTER_KEY: &str = "DACAPO_MASTER_KEY";

/// The environment variables of this process, as they were at its start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Reads them. Variables that are not Unicode cannot be handed to a function and are left out.
    pub(crate) fn read() -> Environment {
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Environment { variables: std::env::vars_os().filter_map(unicode).collect() }
    }

    /// Whether colours are unwanted: the variable is there and not empty (https://no-color.org).
    pub(crate) fn no_color(&self) -> bool {
        self.variables.get("NO_COLOR").is_some_and(|value| !value.is_empty())
    }

    /// The log filter that the person asks for.
    pub(crate) fn rust_log(&self) -> Option<&str> {
        self.variables.get("RUST_LOG").map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of [`MASTER_KEY`], if the person chose one.
    pub(crate) fn master_key(&self) -> Option<&str> {
        self.variables.get(MASTER_KEY).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// The settings of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppSettings {
    /// By name; what functions see as their environment.
    pub(crate) values: BTreeMap<String, String>,
    /// Names in the file that the environment overrides.
    pub(crate) overridden: Vec<String>,
    /// How the host itself is to behave on this machine.
    pub(crate) host: LocalHost,
}

/// `[host]` of the settings file: what Azure's local tools read from `Host` of theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LocalHost {
    /// Origins of web pages that may call, with commas between them; `*` for all.
    #[serde(default, alias = "CORS")]
    pub(crate) cors: Option<String>,
    /// Whether these pages may send credentials.
    #[serde(default, alias = "CORSCredentials")]
    pub(crate) cors_credentials: bool,
}

impl AppSettings {
    /// The environment, then the settings file in the manifest's folder, if there is one.
    ///
    /// # Errors
    /// The file cannot be read or is not a table of values.
    pub(crate) fn read(environment: &Environment, manifest_folder: &Path) -> anyhow::Result<AppSettings> {
        let path = manifest_folder.join(LOCAL_SETTINGS_FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => AppSettings::merge(environment, &text).with_context(|| path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => AppSettings::merge(environment, ""),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    fn merge(environment: &Environment, file: &str) -> anyhow::Result<AppSettings> {
        let file: SettingsFile = toml::from_str(file)?;
        let mut values = environment.variables.clone();
        let mut overridden = Vec::new();
        for (name, value) in file.values {
            let text = setting_text(&name, value)?;
            match values.entry(name) {
                Entry::Occupied(from_environment) => overridden.push(from_environment.key().clone()),
                Entry::Vacant(free) => drop(free.insert(text)),
            }
        }
        values.remove(MASTER_KEY);
        Ok(AppSettings { values, overridden, host: file.host })
    }
}

/// `local.settings.toml` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    #[serde(default)]
    values: BTreeMap<String, toml::Value>,
    #[serde(default)]
    host: LocalHost,
}

/// Environment variables are text; numbers and switches may be written without quotes.
fn setting_text(name: &str, value: toml::Value) -> anyhow::Result<String> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => Ok(value.to_string()),
        toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
            let kind = value.type_str();
            bail!(
                "values.{name}: is of type {kind}; write a text, a number, or true or false, because functions see it as text"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(environment: &[(&str, &str)], file: &str, expected: &Expect) {
        let variables = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let text = match AppSettings::merge(&Environment { variables }, file) {
            Ok(settings) if settings.host == LocalHost::default() => {
                format!("{:?} overridden {:?}", settings.values, settings.overridden)
            }
            Ok(settings) => format!("{:?}", settings.host),
            Err(error) => format!("{error}"),
        };
        expected.assert_eq(text.trim_end());
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        check(
            &[("A", "environment")],
            "[values]\nA = 'file'\nB = 'file'",
            &expect![[r#"{"A": "environment", "B": "file"} overridden ["A"]"#]],
        );
    }

    #[test]
    fn numbers_and_switches_become_text() {
        check(
            &[],
            "[values]\nPORT = 80\nRATIO = 0.5\nDEBUG = true",
            &expect![[r#"{"DEBUG": "true", "PORT": "80", "RATIO": "0.5"} overridden []"#]],
        );
    }

    #[test]
    fn an_empty_file_is_no_settings() {
        check(&[], "", &expect!["{} overridden []"]);
    }

    #[test]
    fn web_pages_may_be_let_in_for_this_machine() {
        check(
            &[],
            "[host]\nCORS = 'http://localhost:3000,http://a'\nCORSCredentials = true",
            &expect![[r#"LocalHost { cors: Some("http://localhost:3000,http://a"), cors_credentials: true }"#]],
        );
        check(&[], "[host]\ncors = '*'", &expect![[r#"LocalHost { cors: Some("*"), cors_credentials: false }"#]]);
    }

    #[test]
    fn functions_do_not_see_the_master_key() {
        check(&[(MASTER_KEY, "a"), ("B", "b")], "[values]\nDACAPO_MASTER_KEY = 'c'", &expect![[r#"{"B": "b"} overridden ["DACAPO_MASTER_KEY"]"#]]);
    }

    #[test]
    fn anything_else_in_the_file_is_refused() {
        check(
            &[],
            "[value]\nA = '1'",
            &expect![[r#"
                TOML parse error at line 1, column 2
                  |
                1 | [value]
                  |  ^^^^^
                unknown field `value`, expected `values` or `host`"#]],
        );
        check(
            &[],
            "[values]\nA = ['1']",
            &expect![
                "values.A: is of type array; write a text, a number, or true or false, because functions see it as text"
            ],
        );
    }
}
