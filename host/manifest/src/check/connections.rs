//! Connections: the names of app settings that hold connection strings.
//!
//! What a connection string says is understood by whoever connects; here it is only made sure that a name is a name, and that
//! the setting is not one of those that Azure spreads over several.

use super::functions::Shared;
use crate::app::Connection;
use crate::app_settings::{IDENTITY_SUFFIXES, SettingPurpose};
use crate::fields::join;
use crate::file::FileConnection;

/// Azure looks for settings under their names with this in front, too.
const AZURE_PREFIX: &str = "AzureWebJobs";

/// `path` is that of the trigger or binding.
pub(super) fn check(written: &FileConnection, path: &str, shared: &Shared<'_, '_>) -> Connection {
    let field = join(path, "connection");
    let named = written.named.as_ref().filter(|name| !name.get_ref().is_empty());
    let at = named.map_or(written.at.clone(), |name| name.span());
    let name = named.map_or(Connection::DEFAULT, |name| name.get_ref());
    // The text is not shown: it may be a connection string, with a key in it.
    if name.contains(|c: char| matches!(c, ';' | '=' | '{' | '}') || c.is_whitespace() || c.is_control()) {
        let next = "put the connection string into an app setting, and write that setting's name here";
        shared.report.add(&at, &field, "is not the name of an app setting", next);
        return Connection::default();
    }
    let prefixed = format!("{AZURE_PREFIX}{name}");
    let has_text = |name: &str| shared.settings.get(name).is_some_and(|value| !value.is_empty());
    if !has_text(name) && !has_text(&prefixed) {
        let candidates =
            [name, &prefixed].into_iter().flat_map(|name| IDENTITY_SUFFIXES.map(|end| format!("{name}__{end}")));
        if let Some(found) = candidates.into_iter().find(|candidate| has_text(candidate)) {
            let what =
                format!("is meant to connect with an identity, by the app setting `{found}`, which is not supported");
            let next = format!(
                "remove that setting, and set `{name}` to a connection string, or to nothing for the host's own storage"
            );
            shared.report.add(&at, &field, what, next);
        }
    }
    let refers = if named.is_some() { field.as_str() } else { path };
    shared.settings.refer(name, refers, &at, SettingPurpose::Connection, shared.report);
    Connection(name.to_owned())
}
