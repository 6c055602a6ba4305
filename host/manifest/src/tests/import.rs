//! Projects of Azure Functions and the manifests that they become.

use std::path::Path;

use expect_test::{Expect, expect, expect_file};
use proptest::prelude::*;

use crate::import::{ImportError, Project, import};

fn check(project: &Project<'_>, expected: &Expect) {
    let text = match import(project) {
        Err(error) => error.to_string(),
        Ok(imported) => {
            parse(&imported.manifest).unwrap_or_else(|problems| panic!("{problems}\n{}", imported.manifest));
            let settings = imported.local_settings.map_or(String::new(), |text| format!("---\n{text}"));
            let notes: String = imported.notes.iter().map(|note| format!("{note}\n")).collect();
            format!("{}{settings}---\n{notes}", imported.manifest)
        }
    };
    expected.assert_eq(&text);
}

/// With every setting there, and a value that fits most fields.
fn parse(manifest: &str) -> Result<crate::App, crate::Problems> {
    let setting = |name: &str| match name {
        "NIGHTLY" => Some("0 0 2 * * *".to_owned()),
        name if name.contains("__") || name.ends_with("Disabled") => None,
        _ => Some("sample".to_owned()),
    };
    crate::parse(manifest, "imported.toml", &setting)
}

/// The files of a project in `tests/import`, beside the files that it becomes.
#[test]
fn a_project_with_every_kind_of_function() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/trips");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let names = ["BookTrip", "Receive", "Nightly", "Run", "Step", "Counter"];
    let texts: Vec<String> = names.iter().map(|name| read(&format!("{name}/function.json"))).collect();
    let functions: Vec<(&str, &str)> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
    let imported = import(&Project {
        name: "my trips (2)",
        host_json: Some(&read("host.json")),
        functions: &functions,
        local_settings_json: Some(&read("local.settings.json")),
    });
    let imported = imported.unwrap();
    parse(&imported.manifest).unwrap_or_else(|problems| panic!("{problems}"));
    let notes: String = imported.notes.iter().map(|note| format!("{note}\n")).collect();
    expect_file![folder.join("imported.toml")].assert_eq(&imported.manifest);
    expect_file![folder.join("local.settings.toml")].assert_eq(&imported.local_settings.unwrap());
    expect_file![folder.join("notes.txt")].assert_eq(&notes);
}

#[test]
fn what_has_no_counterpart_is_told() {
    let functions = [
        (
            "Blob",
            r#"{ "bindings": [{ "type": "blobTrigger", "name": "blob", "direction": "in", "path": "trips/{name}" }] }"#,
        ),
        ("Unheard", r#"{ "bindings": [{ "type": "moonTrigger", "name": "moon", "direction": "in" }] }"#),
        ("Nothing", "{}"),
        ("NoTrigger", r#"{ "bindings": [{ "type": "http", "direction": "out", "name": "res" }, 7] }"#),
        (
            "BadTimer",
            r#"{ "bindings": [{ "type": "timerTrigger", "name": "t", "direction": "in", "schedule": "24:00:00" }] }"#,
        ),
        (
            "Mixed",
            r#"{ "webHookType": "github", "bindings": [
                { "type": "httpTrigger", "direction": "in", "name": "req", "webHookType": "github", "authLevel": "system" },
                { "type": "blob", "direction": "in", "name": "picture", "path": "pictures/{name}" },
                { "type": "blob", "direction": "inout", "name": "both", "path": "pictures/{name}" },
                { "type": "queue", "direction": "out", "name": "out", "queueName": "{Query}" },
                { "type": "sendGrid", "direction": "out", "name": "mail" } ] }"#,
        ),
        ("bad name", r#"{ "bindings": [{ "type": "httpTrigger", "direction": "in", "name": "req" }] }"#),
    ];
    check(
        &Project { name: "7", functions: &functions, ..Project::default() },
        &expect![[r#"
            [app]
            name = "app"
            version = "1.0.0"

            [components.main]
            source = "main.wasm"

            [functions.Mixed]
            [functions.Mixed.trigger]
            type = "httpTrigger"
            ---
            BadTimer/function.json: bindings[0]: `schedule` is missing: the function is left out; add `schedule = "0 */5 * * * *"`, every five minutes
            BadTimer/function.json: bindings[0].schedule: "24:00:00": `24:00:00` is read as 24 days in Azure Functions, not as 24 hours: left out; for 24 hours write `1.00:00:00`, for 24 days `24.00:00:00`
            Blob/function.json: bindings[0]: `blobTrigger` has no counterpart here: the function is left out; have whoever writes the blob put a message into a queue, and use a queueTrigger
            Mixed/function.json: bindings[0].authLevel: "system" is not a level: left out; use anonymous, function or admin
            Mixed/function.json: bindings[0].webHookType: unknown field: left out; known here: type, methods, route, authLevel
            Mixed/function.json: bindings[1].type: `blob` is not an input binding: left out; known here: table
            Mixed/function.json: bindings[2].direction: the direction `inout` has no counterpart here: left out; use an input and an output
            Mixed/function.json: bindings[3]: `queueName` is missing: left out; add `queueName = "my-queue"`
            Mixed/function.json: bindings[3].queueName: "{Query}": there is never a {Query} for httpTrigger: left out; name one of its values, such as {Query.name} or {Headers.name}
            Mixed/function.json: bindings[4].type: `sendGrid` is not an output binding: left out; known here: queue, table, http, durableClient
            Mixed/function.json: webHookType: has no counterpart here: left out; look whether the function relies on it
            NoTrigger/function.json: has no trigger: the function is left out; add one to it
            Nothing/function.json: has no bindings: the function is left out; add a trigger to it
            Unheard/function.json: bindings[0]: `moonTrigger` has no counterpart here: the function is left out; use an httpTrigger, a queueTrigger or a timerTrigger
            bad name/function.json: "bad name" is not a valid name: the function is left out; begin with a letter, go on with letters, digits, `-` and `_`, 128 characters at most
            bad name/function.json: bindings[0]: `route` "bad name": has the character ' ', which does not belong in a route: the function is left out; remove it
            the manifest: components.main.source: names a component that is not there yet; build the functions as a WebAssembly component, each under its name, and write the component's path
        "#]],
    );
}

#[test]
fn what_cannot_be_imported_is_refused() {
    let with_host = |text| Project { name: "a", host_json: Some(text), ..Project::default() };
    check(
        &Project::default(),
        &expect![
            "no function of the project can be imported; functions that are declared in code have no function.json: describe them in a manifest by hand"
        ],
    );
    check(
        &with_host("{"),
        &expect![
            "host.json: is not JSON: EOF while parsing an object at line 1 column 1; correct the file; it must be a JSON object"
        ],
    );
    check(
        &with_host("[] // no object"),
        &expect!["host.json: is no JSON object; correct the file; it must be a JSON object"],
    );
    let settings = Project { local_settings_json: Some(r#"{ "IsEncrypted": true }"#), ..Project::default() };
    check(&settings, &expect!["local.settings.json: is encrypted; decrypt it first, with `func settings decrypt`"]);
    let functions = [("F", r#"{ "bindings": [{ "type": "blobTrigger" }] }"#)];
    check(
        &Project { functions: &functions, ..Project::default() },
        &expect![[r#"
            no function of the project can be imported; functions that are declared in code have no function.json: describe them in a manifest by hand
            F/function.json: bindings[0]: `blobTrigger` has no counterpart here: the function is left out; have whoever writes the blob put a message into a queue, and use a queueTrigger"#]],
    );
}

#[test]
fn size_is_bounded() {
    let many = vec![("F", "{}"); crate::MAX_FUNCTIONS + 1];
    check(
        &Project { functions: &many, ..Project::default() },
        &expect!["the project: has 2001 functions, more than 2000; import it in parts"],
    );
    let bindings = vec![r#"{ "type": "queue", "direction": "out", "name": "q" }"#; 101].join(",");
    let function = format!(r#"{{ "bindings": [{bindings}] }}"#);
    check(
        &Project { functions: &[("F", &function)], ..Project::default() },
        &expect![[r#"
        no function of the project can be imported; functions that are declared in code have no function.json: describe them in a manifest by hand
        F/function.json: bindings: has more than 100 elements: the function is left out; split the function"#]],
    );
    // Everything is wrong with them, all at once.
    let name = |n| format!("F{n}");
    let names: Vec<String> = (0..crate::MAX_FUNCTIONS).map(name).collect();
    let wrong = r#"{ "bindings": [{ "type": "queueTrigger", "name": "q", "queueName": "no name" }, { "type": "moon", "direction": "in", "name": "m" }] }"#;
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), wrong)).collect();
    assert!(
        matches!(import(&Project { functions: &many, ..Project::default() }), Err(ImportError::NoFunctions { notes }) if notes.len() >= many.len())
    );
}

/// Pieces of JSON that an import has to find its way through.
const VALUES: [&str; 21] = [
    "null",
    "true",
    "7",
    "-1",
    "99999999999999999999",
    "\"\"",
    "\"%A%\"",
    "\"%\"",
    "\"a\\\"\\n\\u007f]\"",
    "\"{x}\"",
    "\"00:00:30\"",
    "\"in\"",
    "\"out\"",
    "\"queueTrigger\"",
    "\"httpTrigger\"",
    "\"timerTrigger\"",
    "\"table\"",
    "[]",
    "[\"get\", 1, {\"a b\": null, \"c\": [{}]}]",
    "{}",
    "{\"type\": \"x\", \"trigger\": {\"type\": {}}, \"\": 1, \"a.b\": {\"c\": 2}}",
];

const KEYS: [&str; 20] = [
    "type",
    "direction",
    "name",
    "queueName",
    "tableName",
    "schedule",
    "route",
    "methods",
    "take",
    "disabled",
    "retry",
    "trigger",
    "extensions",
    "http",
    "queues",
    "durableTask",
    "logging",
    "functions",
    "customHeaders",
    "a.b",
];

fn object() -> impl Strategy<Value = String> {
    let value = prop::sample::select(VALUES.to_vec()).prop_map(str::to_owned);
    let object = |value: BoxedStrategy<String>| {
        prop::collection::btree_map(prop::sample::select(KEYS.to_vec()), value, 0..6).prop_map(|properties| {
            let properties: Vec<String> = properties.iter().map(|(key, value)| format!("{key:?}: {value}")).collect();
            format!("{{{}}}", properties.join(", "))
        })
    };
    object(prop_oneof![3 => value.clone().boxed(), 1 => object(value.boxed()).boxed()].boxed())
}

/// Most of them with what every binding has.
fn binding() -> impl Strategy<Value = String> {
    let kind =
        prop::sample::select(vec!["queue", "Table", "http", "durableClient", "blob", "queueTrigger", "timerTrigger"]);
    let direction = prop::sample::select(vec!["in", "out", "inout"]);
    (kind, direction, "[a-c$]{1,2}", object()).prop_map(|(kind, direction, name, object)| {
        let rest = object.strip_prefix('{').unwrap_or_default();
        let comma = if rest == "}" { "" } else { ", " };
        format!(
            r#"{{"type": "{kind}", "direction": "{direction}", "name": "{name}", "queueName": "q-{name}", "tableName": "T"{comma}{rest}"#
        )
    })
}

proptest! {
    #[test]
    fn what_is_imported_parses(
        host in object(),
        functions in prop::collection::vec(("[A-Za-z]{2,4}[ \".é]?", object(), prop::collection::vec(binding(), 0..4)), 0..6),
        values in object(),
    ) {
        let functions: Vec<(String, String)> = functions.into_iter().map(|(name, function, mut bindings)| {
            bindings.insert(0, r#"{"type": "httpTrigger", "direction": "in", "name": "req"}"#.to_owned());
            let rest = function.strip_prefix('{').unwrap_or_default();
            let comma = if rest == "}" { "" } else { ", " };
            (name, format!("{{\"bindings\": [{}]{comma}{rest}", bindings.join(", ")))
        }).collect();
        let functions: Vec<(&str, &str)> = functions.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let settings = format!("{{\"Values\": {values}, \"Host\": {values}}}");
        let project = Project {
            name: "any", host_json: Some(&host), functions: &functions, local_settings_json: Some(&settings),
        };
        match import(&project) {
            Ok(imported) => {
                let empty = |name: &str| (name == "A").then(|| "sample".to_owned());
                // A sample value does not fit every field; nothing else may be wrong.
                if !imported.manifest.contains("%A%") {
                    prop_assert!(crate::parse(&imported.manifest, "any.toml", &empty).is_ok(), "{}", imported.manifest);
                }
                let settings: toml::Table = imported.local_settings.unwrap_or_default().parse().unwrap();
                prop_assert!(settings.contains_key("values"));
            }
            Err(ImportError::NoFunctions { .. }) => {}
            Err(ImportError::File { what, .. }) => prop_assert!(false, "{}", what),
        }
    }

    #[test]
    fn any_text_is_answered(host in "[ -~\\n]{0,40}", function in "[ -~]{0,40}", settings in "\\PC{0,40}") {
        let functions = [("F", function.as_str())];
        let project = Project {
            name: &function, host_json: Some(&host), functions: &functions, local_settings_json: Some(&settings),
        };
        if let Ok(imported) = import(&project) {
            prop_assert!(parse(&imported.manifest).is_ok());
        }
    }

    #[test]
    fn comments_are_skipped(before in "[ a-z*/\"]{0,12}", text in "(\\\\\"|//|/\\*|\\*/|[a-z ]){0,6}") {
        let json = format!("{{ // {before}\n \"functionTimeout\": /* {} */ \"{text}\" }}", before.replace('*', ""));
        let bindings = r#"{ "bindings": [{ "type": "httpTrigger" }] }"#;
        let imported = import(&Project {
            name: "a", host_json: Some(&json), functions: &[("F", bindings)], local_settings_json: None,
        });
        let notes = imported.unwrap().notes;
        prop_assert!(notes.iter().any(|note| note.place == "functionTimeout"), "{} {:?}", json, notes);
    }
}
