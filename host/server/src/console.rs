//! The only place that prints. What goes to standard output is the host's conversation with the person who started it; errors
//! and logs go to standard error.
//!
//! A closed pipe on the other side is no reason to stop serving, so failures to print are ignored.

use azure_storage::Service;
use clap::builder::styling::{AnsiColor, Effects, Style};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use crate::listing::Listing;
use crate::settings::Environment;

const HEADING: Style = AnsiColor::Yellow.on_default();
const NAME: Style = AnsiColor::Yellow.on_default();
const URL: Style = AnsiColor::Green.on_default();
const TROUBLE: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
const ASIDE: Style = AnsiColor::BrightBlack.on_default();
const PLAIN: Style = Style::new();

/// Standard output and error of this process.
pub(crate) struct Console {
    colours_on_output: bool,
    colours_on_error: bool,
}

impl Console {
    /// Colours only for a terminal, and never when the environment says `NO_COLOR`.
    pub(crate) fn new(environment: &Environment) -> Console {
        let wanted = !environment.no_color();
        Console {
            colours_on_output: wanted && io::stdout().is_terminal(),
            colours_on_error: wanted && io::stderr().is_terminal(),
        }
    }

    /// Whether log lines may have colours.
    pub(crate) fn colours_on_error(&self) -> bool {
        self.colours_on_error
    }

    /// Version, app and store, the head of the output.
    pub(crate) fn banner(&self, version: &str, app: &str, store: &str) {
        let heading = self.output_style(HEADING);
        self.print(&format!("\n{heading}Dacapo {version}{heading:#}\nApp: {app}\nStore: {store}\n"));
    }

    /// Every function with its trigger, HTTP functions first, as the caller has ordered them.
    pub(crate) fn functions(&self, listings: &[Listing]) {
        let (heading, name_style, url_style) =
            (self.output_style(HEADING), self.output_style(NAME), self.output_style(URL));
        let mut text = format!("\n{heading}Functions:{heading:#}\n\n");
        for listing in listings {
            let line = match listing {
                Listing::Http { name, methods, url } => {
                    format!("\t{name_style}{name}{name_style:#}: [{methods}] {url_style}{url}{url_style:#}\n\n")
                }
                Listing::Other { name, trigger } => format!("\t{name_style}{name}{name_style:#}: {trigger}\n\n"),
            };
            text.push_str(&line);
        }
        self.print(&text);
    }

    /// When each timer runs next.
    pub(crate) fn occurrences(&self, timers: &[(String, Vec<String>)]) {
        let (heading, aside) = (self.output_style(HEADING), self.output_style(ASIDE));
        let mut text = String::new();
        for (function, next) in timers {
            text.push_str(&format!("The next {} occurrences of {heading}{function}{heading:#} are:\n", next.len()));
            for moment in next {
                text.push_str(&format!("{aside}\t{moment}{aside:#}\n"));
            }
        }
        self.print(&text);
    }

    /// Where clients of Azure Storage reach the app's queues, tables and blobs; nothing without the endpoint.
    pub(crate) fn storage(&self, addresses: &[(Service, String)]) {
        if addresses.is_empty() {
            return;
        }
        let url_style = self.output_style(URL);
        let mut text = "Storage endpoint (UseDevelopmentStorage=true):\n".to_owned();
        for (service, url) in addresses {
            text.push_str(&format!("\t{:<6}{url_style}{url}{url_style:#}\n", service.name()));
        }
        self.print(&text);
    }

    /// The app answers now. `building` is told apart: it is not the host's own time.
    pub(crate) fn ready(&self, start_up: Duration, building: Option<Duration>) {
        let built =
            building.map(|time| format!(" (after building for {:.1} s)", time.as_secs_f64())).unwrap_or_default();
        self.print(&format!("Ready in {} ms{built}\n", start_up.as_millis()));
    }

    /// A step that takes a while begins.
    pub(crate) fn progress(&self, text: &str) {
        let aside = self.output_style(ASIDE);
        self.print(&format!("{aside}{text}{aside:#}\n"));
    }

    /// Something to know, but nothing wrong.
    pub(crate) fn notice(&self, text: &str) {
        self.print(&format!("{text}\n"));
    }

    /// Why the process ends: the whole chain of causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let trouble = if self.colours_on_error { TROUBLE } else { PLAIN };
        let text = format!("{trouble}error:{trouble:#} {error:#}\n");
        drop(io::stderr().lock().write_all(text.as_bytes()));
    }

    fn output_style(&self, style: Style) -> Style {
        if self.colours_on_output { style } else { PLAIN }
    }

    fn print(&self, text: &str) {
        let mut output = io::stdout().lock();
        drop(output.write_all(text.as_bytes()));
        drop(output.flush());
    }
}

/// A path as a person wants to read it: relative to where the command was given, if it lies below.
pub(crate) fn readable(path: &Path, current_folder: &Path) -> String {
    path.strip_prefix(current_folder).unwrap_or(path).display().to_string()
}
