//! What a production host is told: by its command line, its environment and its file, in this order.

use anyhow::{Context, bail};
use manifest::settings::LoggingSettings;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::cli::ServeArguments;
use crate::console::Mode;
use crate::deploying::SettingsOf;
use crate::settings::{AppSettings, Environment, read_file, setting_text};

/// Everything, put together.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) data_dir: Option<PathBuf>,
    pub(super) port: Option<u16>,
    pub(super) address: Option<IpAddr>,
    pub(super) timers: bool,
    pub(super) verbose: bool,
    pub(super) output: Option<Mode>,
    pub(super) log_file: Option<PathBuf>,
    pub(super) logging: LoggingSettings,
    values: BTreeMap<String, String>,
    values_of_apps: BTreeMap<String, BTreeMap<String, String>>,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ConfigFile {
    data_dir: Option<PathBuf>,
    port: Option<u16>,
    address: Option<IpAddr>,
    #[serde(default)]
    no_timers: bool,
    #[serde(default)]
    verbose: bool,
    output: Option<String>,
    log_file: Option<PathBuf>,
    #[serde(default)]
    values: BTreeMap<String, toml::Value>,
    #[serde(default)]
    apps: BTreeMap<String, AppConfig>,
}

/// What is told of one app.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AppConfig {
    #[serde(default)]
    values: BTreeMap<String, toml::Value>,
}

impl Config {
    /// Reads the file if there is one, and puts what was typed before it.
    ///
    /// # Errors
    /// The file cannot be read, or something in it is unknown or of another kind.
    pub(super) fn read(arguments: &ServeArguments) -> anyhow::Result<Config> {
        let Some(path) = &arguments.config else { return Config::of(arguments, ConfigFile::default()) };
        let Some(text) = read_file(path)? else { bail!("there is no file {}", path.display()) };
        let file: ConfigFile = toml::from_str(&text).with_context(|| path.display().to_string())?;
        let file = relative_to(path, file);
        Config::of(arguments, file).with_context(|| path.display().to_string())
    }

    fn of(arguments: &ServeArguments, file: ConfigFile) -> anyhow::Result<Config> {
        let typed = arguments.clone();
        let output = match file.output.as_deref() {
            Some(name) => Some(<Mode as clap::ValueEnum>::from_str(name, false).map_err(|_| {
                anyhow::anyhow!("output is {name:?}; it is compact, plain or json")
            })?),
            None => None,
        };
        let values_of_apps = file.apps.into_iter().map(|(app, config)| Ok((app, texts(config.values)?)));
        Ok(Config {
            data_dir: typed.data_dir.or(file.data_dir),
            port: typed.port.or(file.port),
            address: typed.address.or(file.address),
            timers: !(typed.no_timers || file.no_timers),
            verbose: typed.verbose || file.verbose,
            output: typed.output.or(output),
            log_file: typed.log_file.or(file.log_file),
            logging: LoggingSettings::default(),
            values: texts(file.values)?,
            values_of_apps: values_of_apps.collect::<anyhow::Result<_>>()?,
        })
    }

    /// What each app finds as its settings: the environment, then its own values, then those of all apps.
    pub(super) fn settings_of(&self, environment: &Environment) -> SettingsOf {
        let (environment, all, of_apps) = (environment.clone(), self.values.clone(), self.values_of_apps.clone());
        Box::new(move |app| {
            let own = of_apps.get(app).cloned().unwrap_or_default();
            Ok(AppSettings::deployed(&environment, own.into_iter().chain(all.clone())))
        })
    }
}

fn texts(values: BTreeMap<String, toml::Value>) -> anyhow::Result<BTreeMap<String, String>> {
    values.into_iter().map(|(name, value)| setting_text(&name, value).map(|text| (name, text))).collect()
}

/// Paths in a file are relative to its folder.
fn relative_to(path: &Path, file: ConfigFile) -> ConfigFile {
    let folder = path.parent().unwrap_or(Path::new(""));
    ConfigFile {
        data_dir: file.data_dir.map(|data| folder.join(data)),
        log_file: file.log_file.map(|log| folder.join(log)),
        ..file
    }
}
