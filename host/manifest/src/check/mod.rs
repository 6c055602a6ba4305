//! From what the file says to what the program trusts: the rules that a manifest must keep.
//!
//! Everything wrong is reported before giving up; a field that is wrong takes its default meanwhile, so that the rest can
//! still be checked. The resulting [`App`] counts only if nothing was reported.

mod bindings;
pub(crate) mod choice;
mod components;
mod connections;
mod durable_task;
mod functions;
mod http;
pub(crate) mod logging;
mod names;
mod queues;
mod retry;
mod settings;
mod triggers;

pub(crate) use bindings::MAX_BINDINGS;
pub use names::{MAX_APP_NAME_CHARS, MAX_FUNCTION_NAME_CHARS};

use self::choice::Choice;
use crate::app::{App, Versioning};
use crate::app_settings::AppSettings;
use crate::fields::Placed;
use crate::file::File;
use crate::problem::Report;

const VERSIONINGS: Choice<Versioning> = Choice {
    noun: "a way to treat unfinished instances",
    all: &[Versioning::Pinned, Versioning::Latest],
    word: Versioning::as_str,
};

/// Checks everything. The result is meaningful only when the report stayed empty.
pub(crate) fn check(file: &File, settings: &AppSettings<'_>, report: &Report<'_>) -> App {
    let name = text_or_empty(file.app.name.as_ref());
    if let Some(placed) = &file.app.name {
        names::check(placed, "app.name", names::APP, report);
    }
    if let Some(placed) = &file.app.version {
        names::check(placed, "app.version", names::VERSION, report);
    }
    let host = settings::check(&file.host, &name, report);
    App {
        version: text_or_empty(file.app.version.as_ref()),
        versioning: VERSIONINGS.read(file.app.versioning.as_ref(), "app.versioning", report),
        components: components::check(&file.components, report),
        functions: functions::check(file, &host, settings, report),
        referenced_settings: Vec::new(),
        host,
        name,
    }
}

fn text_or_empty(placed: Option<&Placed<String>>) -> String {
    placed.map(|placed| placed.get_ref().clone()).unwrap_or_default()
}
