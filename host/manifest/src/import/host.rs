//! `host.json` becomes `[host]`, with the settings of extensions directly in it. What of them is right is found out later.

use serde_json::{Map, Value};

use super::draft::{Draft, Origin};
use super::{HOST_JSON, ImportError, json};

/// Extensions whose settings the manifest has, under the same names.
const EXTENSIONS: [&str; 3] = ["http", "queues", "durableTask"];

/// Says nothing that a manifest could say.
const IGNORED: [&str; 3] = ["version", "isDefaultHostConfig", "$schema"];

/// A wait that Azure's first version wrote as a number of milliseconds.
const MILLISECONDS: &str = "maxPollingInterval";

pub(super) fn add(draft: &mut Draft, text: &str) -> Result<(), ImportError> {
    let mut host = json::object(HOST_JSON, text)?;
    let origin = Origin::file(HOST_JSON);
    IGNORED.iter().for_each(|key| drop(host.remove(*key)));
    let extensions = host.remove("extensions");
    draft.object("host", &host, &origin);
    if let Some(Value::Object(extensions)) = extensions {
        let origin = origin.property("extensions");
        for (name, settings) in &extensions {
            let Value::Object(settings) = settings else { continue };
            let origin = origin.property(name);
            if EXTENSIONS.contains(&name.as_str()) {
                draft.object(&format!("host.{name}"), &prepared(settings), &origin);
            } else {
                let next = "use queues, tables, timers, HTTP and durable functions, or have functions call the service";
                draft.notes.push(origin.note("is an extension that has no counterpart here: left out", next));
            }
        }
    }
    Ok(())
}

/// What has another form here and means the same.
fn prepared(settings: &Map<String, Value>) -> Map<String, Value> {
    let mut settings = settings.clone();
    if let Some(milliseconds) = settings.get(MILLISECONDS).and_then(Value::as_u64) {
        settings.insert(MILLISECONDS.to_owned(), Value::from(format!("{milliseconds}ms")));
    }
    // This is how it is here anyway.
    if settings.get("dynamicThrottlesEnabled") == Some(&Value::Bool(false)) {
        settings.remove("dynamicThrottlesEnabled");
    }
    settings
}
