//! `local.settings.json` becomes local.settings.toml: the app settings, and what the host is told about this machine.

use serde_json::Value;

use super::draft::Origin;
use super::{ImportError, LOCAL_SETTINGS_JSON, Note, json};
use crate::app_settings::IDENTITY_SUFFIXES;
use crate::fields::join;

/// Settings of Azure's own tools, which nobody reads here.
const IGNORED: [&str; 5] = [
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_INPROC_NET8_ENABLED",
    "AzureWebJobsSecretStorageType",
];

/// Where Azure takes the time zone of schedules from.
const TIME_ZONES: [&str; 2] = ["WEBSITE_TIME_ZONE", "TZ"];

/// What was read.
#[derive(Debug, Default)]
pub(super) struct LocalSettings {
    /// The new file.
    pub(super) text: String,
    /// Names and values, sorted by name.
    pub(super) values: Vec<(String, String)>,
    pub(super) notes: Vec<Note>,
}

pub(super) fn read(text: &str) -> Result<LocalSettings, ImportError> {
    let file = json::object(LOCAL_SETTINGS_JSON, text)?;
    let origin = Origin::file(LOCAL_SETTINGS_JSON);
    let mut settings = LocalSettings::default();
    if file.get("IsEncrypted") == Some(&Value::Bool(true)) {
        return Err(ImportError::File {
            file: LOCAL_SETTINGS_JSON.to_owned(),
            what: "is encrypted".to_owned(),
            next_step: "decrypt it first, with `func settings decrypt`",
        });
    }
    for (key, value) in &file {
        let origin = origin.property(key);
        match (key.as_str(), value) {
            ("IsEncrypted", _) => {}
            ("Values", Value::Object(values)) => {
                values.iter().for_each(|(name, value)| settings.add_value(name, value, &origin.property(name)));
            }
            ("Host", Value::Object(_)) => {}
            ("ConnectionStrings", Value::Object(strings)) if strings.is_empty() => {}
            ("ConnectionStrings", _) => {
                let next = "put them under `[values]`, where functions find them by their names";
                settings
                    .notes
                    .push(origin.note("connection strings have no section of their own here: left out", next));
            }
            _ => {
                let next = "put app settings under `Values`";
                settings.notes.push(origin.note("has no counterpart here: left out", next));
            }
        }
    }
    settings.text = "[values]\n".to_owned();
    for (name, value) in &settings.values {
        settings.text.push_str(&format!("{} = {}\n", join("", name), json::quoted(value)));
    }
    if let Some(Value::Object(host)) = file.get("Host") {
        settings.text.push_str("\n[host]\n");
        for (key, value) in host {
            settings.add_host(key, value, &origin.property("Host").property(key));
        }
    }
    Ok(settings)
}

impl LocalSettings {
    fn add_value(&mut self, name: &str, value: &Value, origin: &Origin) {
        if IGNORED.iter().any(|ignored| ignored.eq_ignore_ascii_case(name)) {
            return;
        }
        let is_identity = name.split_once("__").is_some_and(|(_, end)| IDENTITY_SUFFIXES.contains(&end));
        if is_identity {
            let next = "set the connection's own name to a connection string, or to nothing for the host's own storage";
            self.notes.push(origin.note("connecting with an identity has no counterpart here: left out", next));
            return;
        }
        if TIME_ZONES.contains(&name) {
            let next = "write `timeZone`, a name of the IANA database, into the timer triggers: schedules are in UTC otherwise";
            self.notes.push(origin.note("does not set the time zone of schedules here", next));
        }
        match value {
            Value::String(text) => self.values.push((name.to_owned(), text.clone())),
            Value::Number(_) | Value::Bool(_) => self.values.push((name.to_owned(), value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                self.notes.push(origin.note("is no text: left out", "write it as one text"));
            }
        }
    }

    fn add_host(&mut self, key: &str, value: &Value, origin: &Origin) {
        let next = match (key, value) {
            ("CORS", Value::String(origins)) => {
                self.text.push_str(&format!("cors = {}\n", json::quoted(origins)));
                return;
            }
            ("CORSCredentials", Value::Bool(flag)) => {
                self.text.push_str(&format!("corsCredentials = {flag}\n"));
                return;
            }
            ("LocalHttpPort", port) => format!("start the host with `--port {port}`"),
            ("LocalHttpAddress", _) => "start the host with `--address`".to_owned(),
            _ => "look whether somebody relies on it".to_owned(),
        };
        self.notes.push(origin.note("has no counterpart in a file here: left out", next));
    }
}
