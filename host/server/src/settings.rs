//! What the surroundings say: the environment of the process and the file of app settings beside the manifest.
//!
//! App settings reach functions as environment variables. The real environment wins over the file, as in Azure's local tools,
//! and what a command line gives wins over both.

use anyhow::{Context, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Beside the manifest; never part of what is deployed, because secrets are in it.
pub(crate) const LOCAL_SETTINGS_FILE: &str = "local.settings.toml";

/// The longest settings file. Whatever is longer would not fit into an environment.
pub(crate) const MAX_SETTINGS_BYTES: u64 = 1 << 20;

/// The master key of a host that keeps nothing on disk, where nobody could look it up. Functions do not see it.
pub(crate) const MASTER_KEY: &str = "DACAPO_MASTER_KEY";

/// What opens hosts; it would open them to functions as well, which are not trusted so far.
const HOST_SECRETS: [&str; 2] = [MASTER_KEY, "DACAPO_KEY"];

/// The environment variables of this process, as they were at its start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// One that tests make up.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Environment {
        Environment { variables: variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect() }
    }

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

    /// How wide lines are to be where there is no terminal that says it, in columns.
    pub(crate) fn columns(&self) -> Option<usize> {
        self.variables.get("COLUMNS")?.trim().parse().ok().filter(|columns| *columns > 0)
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

/// `NAME=value` of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Assignment {
    /// Reads `NAME=value`; the value may have more of the signs in it.
    ///
    /// # Errors
    /// There is no such sign, or what is before it is no name.
    pub(crate) fn parse(text: &str) -> Result<Assignment, String> {
        let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
        check_name(name)?;
        Ok(Assignment { name: name.to_owned(), value: value.to_owned() })
    }
}

/// Whether an environment can have a variable of this name.
///
/// # Errors
/// Says why not.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a setting needs a name".to_owned());
    }
    match name.chars().find(|c| *c == '=' || c.is_control()) {
        Some(c) => Err(format!("the name of a setting cannot have a {c:?} in it")),
        None => Ok(()),
    }
}

/// Where the value of a setting comes from; whoever stands first wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// `--env`
    CommandLine,
    /// The environment of this process.
    Environment,
    /// [`LOCAL_SETTINGS_FILE`]
    LocalFile,
    /// The file of `dacapo serve --config`.
    ConfigFile,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::CommandLine => "--env",
            Source::Environment => "the environment",
            Source::LocalFile => LOCAL_SETTINGS_FILE,
            Source::ConfigFile => "the file of --config",
        })
    }
}

/// The settings of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppSettings {
    /// By name; what functions see as their environment.
    pub(crate) values: BTreeMap<String, String>,
    /// Where each of the values comes from.
    pub(crate) sources: BTreeMap<String, Source>,
    /// Names in the file that the environment or the command line overrides.
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
        AppSettings::read_with(environment, &[], manifest_folder)
    }

    /// The same, behind what the command line gives.
    ///
    /// # Errors
    /// The file cannot be read or is not a table of values.
    pub(crate) fn read_with(
        environment: &Environment,
        given: &[Assignment],
        manifest_folder: &Path,
    ) -> anyhow::Result<AppSettings> {
        let path = file_in(manifest_folder);
        let text = read_file(&path)?.unwrap_or_default();
        AppSettings::merge(environment, given, &text).with_context(|| path.display().to_string())
    }

    /// What is there without any file: for commands that go on although the file is broken.
    pub(crate) fn without_file(environment: &Environment, given: &[Assignment]) -> AppSettings {
        let given = given.iter().map(|one| (one.name.clone(), one.value.clone(), Source::CommandLine));
        let of_environment =
            environment.variables.iter().map(|(name, value)| (name.clone(), value.clone(), Source::Environment));
        let mut settings = AppSettings {
            values: BTreeMap::new(),
            sources: BTreeMap::new(),
            overridden: Vec::new(),
            host: LocalHost::default(),
        };
        // The last wins among those of the command line, as in any shell; so they come last.
        for (name, value, source) in of_environment.chain(given) {
            settings.sources.insert(name.clone(), source);
            settings.values.insert(name, value);
        }
        settings.forget_host_secrets();
        settings
    }

    /// Of an app that was deployed: the environment, then these, of which the first of a name wins.
    pub(crate) fn deployed(
        environment: &Environment,
        values: impl IntoIterator<Item = (String, String)>,
    ) -> AppSettings {
        let mut settings = AppSettings::without_file(environment, &[]);
        for (name, value) in values {
            if !settings.values.contains_key(&name) {
                settings.sources.insert(name.clone(), Source::ConfigFile);
                settings.values.insert(name, value);
            }
        }
        settings.forget_host_secrets();
        settings
    }

    fn merge(environment: &Environment, given: &[Assignment], file: &str) -> anyhow::Result<AppSettings> {
        let file: SettingsFile = toml::from_str(file)?;
        let mut settings = AppSettings::without_file(environment, given);
        for (name, value) in file.values {
            let text = setting_text(&name, value)?;
            let is_taken = given.iter().any(|one| one.name == name) || environment.variables.contains_key(&name);
            if is_taken {
                settings.overridden.push(name);
            } else {
                settings.sources.insert(name.clone(), Source::LocalFile);
                settings.values.insert(name, text);
            }
        }
        settings.forget_host_secrets();
        settings.host = file.host;
        Ok(settings)
    }

    fn forget_host_secrets(&mut self) {
        for name in HOST_SECRETS {
            self.values.remove(name);
            self.sources.remove(name);
        }
    }
}

/// The settings file of the manifests in a folder.
pub(crate) fn file_in(manifest_folder: &Path) -> PathBuf {
    manifest_folder.join(LOCAL_SETTINGS_FILE)
}

/// The text of a settings file; none if there is no file.
///
/// # Errors
/// It cannot be read, is longer than [`MAX_SETTINGS_BYTES`], or is no text.
pub(crate) fn read_file(path: &Path) -> anyhow::Result<Option<String>> {
    let shown = path.display();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{shown} cannot be read")),
    };
    let mut bytes = Vec::new();
    file.take(MAX_SETTINGS_BYTES + 1).read_to_end(&mut bytes).with_context(|| format!("{shown} cannot be read"))?;
    if bytes.len() as u64 > MAX_SETTINGS_BYTES {
        bail!("{shown} is longer than {MAX_SETTINGS_BYTES} bytes; settings are short texts, put the rest into files");
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => bail!("{shown} is not UTF-8 text; save it as UTF-8"),
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
        let text = match AppSettings::merge(&Environment::of(environment), &[], file) {
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
    fn the_command_line_wins_over_both_and_every_source_is_told() {
        let environment = Environment::of(&[("A", "e"), ("B", "e")]);
        let given = ["A=1", "A=c=d"].map(|text| Assignment::parse(text).expect("an assignment"));
        let settings =
            AppSettings::merge(&environment, &given, "[values]\nA = 'f'\nB = 'f'\nC = 'f'").expect("it is right");
        let told: Vec<String> =
            settings.values.iter().map(|(name, value)| format!("{name}={value} {}", settings.sources[name])).collect();
        assert_eq!(told, ["A=c=d --env", "B=e the environment", "C=f local.settings.toml"]);
        assert_eq!(settings.overridden, ["A", "B"]);
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        let check = |text: &str, expected: &str| assert_eq!(Assignment::parse(text).expect_err(text), expected);
        check("secret", "write it as NAME=VALUE");
        check("=secret", "a setting needs a name");
        check("A\0B=secret", "the name of a setting cannot have a '\\0' in it");
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
    fn functions_do_not_see_what_opens_hosts() {
        check(
            &[(MASTER_KEY, "a"), ("DACAPO_KEY", "a"), ("DACAPO_URL", "http://h"), ("B", "b")],
            "[values]\nDACAPO_MASTER_KEY = 'c'",
            &expect![[r#"{"B": "b", "DACAPO_URL": "http://h"} overridden ["DACAPO_MASTER_KEY"]"#]],
        );
        check(&[], "[values]\nDACAPO_KEY = 'c'", &expect!["{} overridden []"]);
        let environment = Environment::of(&[(MASTER_KEY, "a"), ("B", "environment")]);
        let values = ["B=app", "C=app", "C=all", "DACAPO_KEY=all", "D=all"];
        let values = values.map(|text| Assignment::parse(text).expect("an assignment"));
        let deployed = AppSettings::deployed(&environment, values.map(|one| (one.name, one.value)));
        let told: Vec<String> = deployed.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(told, ["B=environment", "C=app", "D=all"], "the environment wins, then the first");
        assert!(deployed.sources.keys().eq(deployed.values.keys()), "{:?}", deployed.sources);
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
