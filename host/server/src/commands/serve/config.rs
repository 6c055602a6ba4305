//! What a production host is told: by its command line, its environment and its file, in this order. What the file may say is up to
//! `manifest::production`.

#[cfg(test)]
mod tests;

use anyhow::{anyhow, bail};
use manifest::production::{self, OutputMode, ProductionSettings};
use manifest::settings::LoggingSettings;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::cli::ServeArguments;
use crate::console::Mode;
use crate::deploying::SettingsOf;
use crate::settings::{AppSettings, Environment, read_file};

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

impl Config {
    /// Reads the file if there is one, and puts what was typed before it. Paths in the file are relative to its folder.
    ///
    /// # Errors
    /// The file cannot be read, or something in it is unknown or wrong.
    pub(super) fn read(arguments: &ServeArguments) -> anyhow::Result<Config> {
        let (folder, file) = match &arguments.config {
            Some(path) => (path.parent().unwrap_or(Path::new("")), read(path)?),
            None => (Path::new(""), ProductionSettings::default()),
        };
        let typed = arguments.clone();
        Ok(Config {
            data_dir: typed.data_dir.or(file.data_dir.map(|data| folder.join(data))),
            port: typed.port.or(file.port),
            address: typed.address.or(file.address),
            timers: !(typed.no_timers || file.no_timers),
            verbose: typed.verbose || file.verbose,
            output: typed.output.or(file.output.map(mode)),
            log_file: typed.log_file.or(file.log_file.map(|log| folder.join(log))),
            logging: file.logging,
            values: file.values,
            values_of_apps: file.values_of_apps,
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

fn read(path: &Path) -> anyhow::Result<ProductionSettings> {
    let Some(text) = read_file(path)? else { bail!("there is no file {}; check --config", path.display()) };
    production::parse(&text, &path.display().to_string()).map_err(|problems| {
        let count = match problems.problems.len() {
            1 => "a problem".to_owned(),
            n => format!("{n} problems"),
        };
        anyhow!("the config file has {count}\n{problems}")
    })
}

fn mode(written: OutputMode) -> Mode {
    match written {
        OutputMode::Compact => Mode::Compact,
        OutputMode::Plain => Mode::Plain,
        OutputMode::Json => Mode::Json,
    }
}
