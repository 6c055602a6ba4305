//! A `function.json` becomes `[functions.NAME]`: its trigger, bindings, retry policy and switch. What of them is right is found
//! out later.

use serde_json::{Map, Value};

use super::draft::{Draft, Origin};
use super::{ImportError, json};
use crate::check::MAX_BINDINGS;
use crate::fields::join;

/// Types that the manifest knows, with their spelling; Azure ignores case.
const TRIGGERS: [&str; 6] =
    ["httpTrigger", "orchestrationTrigger", "activityTrigger", "entityTrigger", "queueTrigger", "timerTrigger"];
const BINDINGS: [&str; 2] = ["queue", "table"];
const CLIENTS: [&str; 2] = ["durableClient", "orchestrationClient"];

/// Triggers of Azure that this host does not have, and what comes closest.
const OTHER_TRIGGERS: [(&str, &str); 9] = [
    ("blobTrigger", "have whoever writes the blob put a message into a queue, and use a queueTrigger"),
    ("eventGridTrigger", "receive the events as requests, with an httpTrigger"),
    ("serviceBusTrigger", "put the messages into a queue of storage, and use a queueTrigger"),
    ("rabbitMQTrigger", "put the messages into a queue of storage, and use a queueTrigger"),
    ("eventHubTrigger", "put the events into a queue of storage, and use a queueTrigger"),
    ("kafkaTrigger", "put the events into a queue of storage, and use a queueTrigger"),
    ("cosmosDBTrigger", "have whoever changes the data put a message into a queue, and use a queueTrigger"),
    ("signalRTrigger", "receive the messages as requests, with an httpTrigger"),
    ("warmupTrigger", "nothing: components are compiled before they are needed"),
];

/// Properties of a function that are about how its code is found and loaded, which a component knows itself.
const IGNORED: [&str; 10] = [
    "$schema",
    "bindings",
    "configurationSource",
    "disabled",
    "entryPoint",
    "functionDirectory",
    "generatedBy",
    "language",
    "retry",
    "scriptFile",
];

/// Properties of triggers that name the function itself.
const OWN_NAMES: [&str; 3] = ["activity", "orchestration", "entityName"];

pub(super) fn add(draft: &mut Draft, name: &str, text: &str) -> Result<(), ImportError> {
    let file = format!("{name}/function.json");
    let function = json::object(&file, text)?;
    let origin = Origin::file(&file);
    let Some(Value::Array(bindings)) = function.get("bindings") else {
        draft.notes.push(origin.note("has no bindings: the function is left out", "add a trigger to it"));
        return Ok(());
    };
    let place = origin.property("bindings");
    if bindings.len() > MAX_BINDINGS {
        let what = format!("has more than {MAX_BINDINGS} elements: the function is left out");
        draft.notes.push(place.note(what, "split the function"));
        return Ok(());
    }
    let bindings = bindings.iter().enumerate();
    let bindings: Vec<Binding<'_>> = bindings.filter_map(|(n, value)| Binding::read(value, place.element(n))).collect();
    let Some(trigger) = bindings.iter().find(|binding| binding.is_trigger()) else {
        draft.notes.push(origin.note("has no trigger: the function is left out", "add one to it"));
        return Ok(());
    };
    let Some(kind) = spelling(&TRIGGERS, trigger.kind) else {
        let other = OTHER_TRIGGERS.iter().find(|(other, _)| other.eq_ignore_ascii_case(trigger.kind));
        let next = other.map_or("use an httpTrigger, a queueTrigger or a timerTrigger", |(_, next)| next);
        let what = format!("`{}` has no counterpart here: the function is left out", trigger.kind);
        draft.notes.push(trigger.origin.note(what, next));
        return Ok(());
    };
    let path = join("functions", name);
    draft.section(&path, &origin);
    if let Some(disabled) = function.get("disabled") {
        draft.field("disabled", disabled, &origin.property("disabled"));
    }
    for key in function.keys().filter(|key| !IGNORED.contains(&key.as_str())) {
        let next = "look whether the function relies on it";
        draft.notes.push(origin.property(key).note("has no counterpart here: left out", next));
    }
    add_trigger(draft, &join(&path, "trigger"), name, kind, trigger);
    if let Some(Value::Object(retry)) = function.get("retry") {
        draft.object(&join(&path, "retry"), retry, &origin.property("retry"));
    }
    for binding in bindings.iter().filter(|binding| !std::ptr::eq(*binding, trigger)) {
        add_binding(draft, &path, binding);
    }
    Ok(())
}

/// One element of `bindings`.
struct Binding<'a> {
    kind: &'a str,
    properties: &'a Map<String, Value>,
    origin: Origin,
}

impl<'a> Binding<'a> {
    fn read(value: &'a Value, origin: Origin) -> Option<Binding<'a>> {
        let properties = value.as_object()?;
        let kind = properties.get("type").and_then(Value::as_str).unwrap_or_default();
        Some(Binding { kind, properties, origin })
    }

    fn is_trigger(&self) -> bool {
        self.kind.to_ascii_lowercase().ends_with("trigger")
    }

    fn text(&self, key: &str) -> &'a str {
        self.properties.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The properties that are left besides these.
    fn without(&self, keys: &[&str]) -> Map<String, Value> {
        let others = self.properties.iter().filter(|(key, _)| !keys.contains(&key.as_str()));
        others.map(|(key, value)| (key.clone(), prepared(key, value))).collect()
    }
}

fn add_trigger(draft: &mut Draft, path: &str, function: &str, kind: &str, trigger: &Binding<'_>) {
    draft.section(path, &trigger.origin);
    draft.text_field("type", kind, &trigger.origin.property("type"));
    let mut properties = trigger.without(&["type", "name", "direction"]);
    for key in OWN_NAMES {
        let Some(own) = properties.remove(key) else { continue };
        let is_same = own.as_str().is_none_or(|own| own.is_empty() || own.eq_ignore_ascii_case(function));
        if !is_same {
            let what = format!("gives the function another name than `{function}`: left out");
            let next = format!("call it `{function}`, or rename it in the manifest");
            draft.notes.push(trigger.origin.property(key).note(what, next));
        }
    }
    draft.properties(path, &properties, &trigger.origin);
}

fn add_binding(draft: &mut Draft, function: &str, binding: &Binding<'_>) {
    let (origin, direction) = (&binding.origin, binding.text("direction"));
    let is_output = direction.eq_ignore_ascii_case("out");
    // What an HTTP function returns is its response, without any binding.
    if is_output && binding.kind.eq_ignore_ascii_case("http") {
        return;
    }
    let is_client = spelling(&CLIENTS, binding.kind).is_some();
    if is_client && !is_output {
        let next = "nothing: every function can use the durable client";
        draft.notes.push(origin.note("a durable client is no binding here: left out", next));
        return;
    }
    if !is_output && !direction.eq_ignore_ascii_case("in") {
        let what = format!("the direction `{direction}` has no counterpart here: left out");
        draft.notes.push(origin.property("direction").note(what, "use an input and an output"));
        return;
    }
    let table = if is_output { "outputs" } else { "inputs" };
    let path = join(&join(function, table), binding.text("name"));
    let kind = if is_client { Some("durableClient") } else { spelling(&BINDINGS, binding.kind) };
    draft.section(&path, origin);
    draft.text_field("type", kind.unwrap_or(binding.kind), &origin.property("type"));
    draft.properties(&path, &binding.without(&["type", "name", "direction"]), origin);
}

/// What has another form here and means the same.
fn prepared(key: &str, value: &Value) -> Value {
    let Some(text) = value.as_str() else { return value.clone() };
    match key {
        // Azure lowers names of queues; names of settings and of data keep their case.
        "queueName" if !text.contains(['%', '{']) => Value::from(text.to_ascii_lowercase()),
        "take" => text.parse::<i64>().map_or_else(|_| value.clone(), Value::from),
        _ => value.clone(),
    }
}

fn spelling<'k>(known: &[&'k str], kind: &str) -> Option<&'k str> {
    known.iter().copied().find(|known| known.eq_ignore_ascii_case(kind))
}
