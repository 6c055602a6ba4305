//! The manifest of a function app: TOML text to a validated [`App`], or every problem in it at once.
//!
//! Owns the names and defaults of all fields, the rules for function names, routes and settings, and the matching of
//! requests to routes. Pure: it reads no files and no environment, and knows nothing of what the components contain;
//! whether a function exists in its component is found out by whoever loads it.
//!
//! ```
//! let app = manifest::parse(
//!     r#"
//!     [app]
//!     name = "greetings"
//!     version = "1.0.0"
//!     [components.main]
//!     source = "greetings.wasm"
//!     [functions.Hello]
//!     trigger = { type = "httpTrigger", methods = ["get"], route = "hello/{name?}" }
//!     "#,
//!     "greetings.toml",
//!     &manifest::no_settings,
//! )?;
//! assert_eq!(app.functions[0].component, "main");
//! # Ok::<(), manifest::Problems>(())
//! ```

mod app;
mod app_settings;
mod bindings;
mod check;
mod clash;
mod duration;
pub mod expression;
mod fields;
mod file;
pub mod import;
mod outbound;
mod problem;
pub mod production;
mod retry;
pub mod route;
pub mod schedule;
pub mod settings;
mod suggestion;

#[cfg(test)]
mod tests;

pub use app::{
    ActivityTrigger, App, AuthLevel, Build, CatchUp, Component, Connection, Function, HttpTrigger, QueueTrigger,
    TimerTrigger, Trigger, Versioning,
};
pub use app_settings::{Lookup, SettingPurpose, SettingReference, no_settings};
pub use bindings::{
    InputBinding, InputSource, OutputBinding, OutputTarget, QueueOutput, RETURN_BINDING, TableInput, TableMode,
    TableOutput,
};
pub use check::{MAX_APP_NAME_CHARS, MAX_FUNCTION_NAME_CHARS};
pub use clash::{Clash, Clashing};
pub use file::MAX_FUNCTIONS;
pub use outbound::OutboundHost;
pub use problem::{Problem, Problems};
pub use retry::{RetryDelay, RetryPolicy};
pub use settings::HostSettings;

use toml::Spanned;
use toml::de::DeTable;

use crate::app_settings::AppSettings;
use crate::fields::Section;
use crate::problem::Report;

/// Longest manifest, in bytes. A thousand functions take about a tenth of it.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;

/// The JSON Schema of manifests, draft 2020-12: for editors, which complete and explain fields with it. It refuses no manifest that
/// [`parse`] takes; what only the parser refuses is what lies between fields, such as two functions with one route, or is too much for
/// a pattern, such as a schedule.
pub const SCHEMA: &str = include_str!("../schema.json");

/// Reads and checks a manifest. `file` is its name as messages should show it; `settings` finds the app settings that its texts
/// name as `%NAME%`.
///
/// # Errors
///
/// Every problem in the text, in the order of its lines. Broken TOML is reported alone, since the fields behind it would
/// be guesses; duplicate keys are not broken in that sense.
pub fn parse(text: &str, file: &str, settings: &Lookup<'_>) -> Result<App, Problems> {
    let (mut app, references, report) = match read(text, settings) {
        Ok(read) => read,
        Err(report) => return Err(report.into_problems(file)),
    };
    app.referenced_settings = references;
    if report.is_empty() { Ok(app) } else { Err(report.into_problems(file)) }
}

/// The app settings that a manifest refers to, as far as they can be made out in one that is wrong: whoever asks which
/// settings are missing has a manifest that is wrong for just that reason. None for text that is not TOML.
pub fn setting_references(text: &str, settings: &Lookup<'_>) -> Vec<SettingReference> {
    read(text, settings).map_or_else(|_| Vec::new(), |(_, references, _)| references)
}

/// Reads as much as there is. Errors are those behind which everything would be a guess.
fn read<'t>(text: &'t str, settings: &Lookup<'_>) -> Result<(App, Vec<SettingReference>, Report<'t>), Report<'t>> {
    let report = Report::new(text);
    if text.len() > MAX_MANIFEST_BYTES {
        let next = "split the app, or move what is not configuration elsewhere";
        report.add(&(0..0), "", format!("the manifest is larger than {MAX_MANIFEST_BYTES} bytes"), next);
        return Err(report);
    }
    let Some(document) = document(text, &report) else { return Err(report) };
    let settings = AppSettings::new(settings);
    let mirror = file::read(Section::document(document.get_ref(), &settings, &report));
    let app = check::check(&mirror, &settings, &report);
    Ok((app, settings.into_references(), report))
}

/// The tables of a text; none if it is broken, which is reported. Duplicate keys are reported too, and are not broken in that sense.
fn document<'t>(text: &'t str, report: &Report<'_>) -> Option<Spanned<DeTable<'t>>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut broken = false;
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        let duplicate = error.message().starts_with("duplicate key");
        broken |= !duplicate;
        if duplicate {
            let key = text.get(span.clone()).unwrap_or_default();
            report.add(&span, key, "is there twice", "remove or rename one of them");
        } else {
            report.add(&span, "", format!("not valid TOML: {}", error.message()), "correct the line");
        }
    }
    (!broken).then_some(document)
}
