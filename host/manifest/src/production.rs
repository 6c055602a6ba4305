//! The settings file of a production host: TOML text to [`ProductionSettings`], or every problem in it at once.
//!
//! Owns the names of its fields. Which of them count beside a command line and an environment is up to whoever asks, and so is what
//! relative paths are relative to.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::app_settings::{AppSettings, no_settings};
use crate::check::choice::Choice;
use crate::check::logging;
use crate::fields::{Placed, Section};
use crate::file::{FileLogging, read_logging};
use crate::problem::{Problems, Report};
use crate::settings::LoggingSettings;

/// What such a file says; each field that it leaves out is none or empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductionSettings {
    /// `dataDir`: the folder for all state, as it is written.
    pub data_dir: Option<String>,
    /// `port`: where to listen; 0 is any free one.
    pub port: Option<u16>,
    /// `address`: where to listen.
    pub address: Option<IpAddr>,
    /// `noTimers`: no timer runs by its schedule.
    pub no_timers: bool,
    /// `verbose`: the host also logs what it does itself.
    pub verbose: bool,
    /// `output`: how to tell what happens.
    pub output: Option<OutputMode>,
    /// `logFile`: where plain lines are written to as well, as it is written.
    pub log_file: Option<String>,
    /// `[logging.logLevel]`: as in manifests.
    pub logging: LoggingSettings,
    /// `[values]`: settings of all apps.
    pub values: BTreeMap<String, String>,
    /// `[apps.<name>.values]`: settings of one app, by its name.
    pub values_of_apps: BTreeMap<String, BTreeMap<String, String>>,
}

/// How a host tells what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputMode {
    /// Short lines in colour, for people.
    #[default]
    Compact,
    /// Lines with moments and levels, for journals.
    Plain,
    /// A JSON object for each line, for programs.
    Json,
}

impl OutputMode {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            OutputMode::Compact => "compact",
            OutputMode::Plain => "plain",
            OutputMode::Json => "json",
        }
    }
}

const OUTPUT_MODES: Choice<OutputMode> = Choice {
    noun: "an output mode",
    all: &[OutputMode::Compact, OutputMode::Plain, OutputMode::Json],
    word: OutputMode::as_str,
};

/// Reads and checks the file. `file` is its name as messages should show it.
///
/// # Errors
///
/// Every problem in the text, in the order of its lines; broken TOML alone.
pub fn parse(text: &str, file: &str) -> Result<ProductionSettings, Problems> {
    let report = Report::new(text);
    let Some(document) = crate::document(text, &report) else { return Err(report.into_problems(file)) };
    let none = AppSettings::new(&no_settings);
    let settings = read(Section::document(document.get_ref(), &none, &report));
    if report.is_empty() { Ok(settings) } else { Err(report.into_problems(file)) }
}

fn read(mut document: Section<'_, '_>) -> ProductionSettings {
    let report = document.report();
    let settings = ProductionSettings {
        data_dir: document.text("dataDir").map(Placed::into_inner),
        port: document.integer("port").and_then(|port| read_port(&port, report)),
        address: document.text("address").and_then(|address| read_address(&address, report)),
        no_timers: document.flag("noTimers").is_some_and(Placed::into_inner),
        verbose: document.flag("verbose").is_some_and(Placed::into_inner),
        output: document.text("output").map(|mode| OUTPUT_MODES.read(Some(&mode), "output", report)),
        log_file: document.text("logFile").map(Placed::into_inner),
        logging: {
            let written: FileLogging = document.section("logging").map(read_logging).unwrap_or_default();
            logging::check(&written, "logging.logLevel", report)
        },
        values: document
            .section("values")
            .map(|values| values.named_values().into_iter().collect())
            .unwrap_or_default(),
        values_of_apps: document.section("apps").map(|apps| read_apps(&apps)).unwrap_or_default(),
    };
    document.finish();
    settings
}

fn read_port(port: &Placed<i64>, report: &Report<'_>) -> Option<u16> {
    let read = u16::try_from(*port.get_ref()).ok();
    if read.is_none() {
        report.add(&port.span(), "port", format!("{} is no port", port.get_ref()), "write a number from 0 to 65535");
    }
    read
}

fn read_address(address: &Placed<String>, report: &Report<'_>) -> Option<IpAddr> {
    let text = address.get_ref();
    let read = if text.eq_ignore_ascii_case("localhost") { "127.0.0.1" } else { text }.parse().ok();
    if read.is_none() {
        let next = "write an IP address of this machine, such as 127.0.0.1, 0.0.0.0 or ::1";
        report.add(&address.span(), "address", format!("{text:?} is no IP address"), next);
    }
    read
}

fn read_apps(apps: &Section<'_, '_>) -> BTreeMap<String, BTreeMap<String, String>> {
    let values = |mut app: Section<'_, '_>| {
        let values = app.section("values").map(|values| values.named_values().into_iter().collect());
        app.finish();
        values.unwrap_or_default()
    };
    let sections = apps.named_sections().into_iter();
    sections.filter_map(|(name, app)| Some((name.into_inner(), values(app?)))).collect()
}
