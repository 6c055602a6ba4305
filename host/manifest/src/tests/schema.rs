//! The JSON Schema says what the parser says: the same fields, types, bounds, words and defaults.
//!
//! Manifests that have every field are changed in one place at a time, and parser and schema are asked about each change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use boon::{Compiler, Schemas};
use expect_test::expect;
use serde_json::{Value, json};

use super::files::{manifests, read, setting};
use crate::App;
use crate::fields::join;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(crate::SCHEMA).expect("the schema is JSON"));

/// Says what the schema finds wrong; empty: nothing.
pub(super) fn violations(manifest: &Value) -> String {
    static COMPILED: LazyLock<(Schemas, boon::SchemaIndex)> = LazyLock::new(|| {
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.add_resource("schema.json", SCHEMA.clone()).expect("it is a resource");
        let index = compiler.compile("schema.json", &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
        (schemas, index)
    });
    let (schemas, index) = &*COMPILED;
    schemas.validate(manifest, *index).map_or_else(|error| format!("{error:#}"), |()| String::new())
}

pub(super) fn json_of(manifest: &str) -> Value {
    let table: toml::Table = manifest.parse().expect("it is TOML");
    serde_json::to_value(table).expect("TOML fits into JSON")
}

fn parsed(manifest: &Value) -> Result<App, String> {
    let text = toml::to_string(manifest).expect("what came from TOML goes back");
    crate::parse(&text, "app.toml", &setting).map_err(|problems| problems.to_string())
}

#[test]
fn good_manifests_keep_the_schema() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../function-manifests");
    for manifest in manifests("valid", 5).into_iter().chain(manifests(samples.to_str().expect("a text"), 5)) {
        let found = violations(&json_of(&read(&manifest)));
        assert!(found.is_empty(), "{}: {found}", manifest.display());
    }
}

#[test]
fn a_violation_is_found_and_placed() {
    let manifest = json_of("app = { name = 'a', version = '1' }\ncomponents.c.source = 'c'\nfunctions.F.triger = 1");
    expect![[r#"
        jsonschema validation failed with file:///schema.json#
        - at '/functions/F' [S#/$defs/function]: validation failed
          - at '/functions/F' [S#/$defs/function/required]: missing properties 'trigger'
          - at '/functions/F' [S#/$defs/function/additionalProperty]: additionalProperties 'triger' not allowed"#]]
    .assert_eq(&violations(&manifest).replace(&current_folder(), ""));
}

fn current_folder() -> String {
    std::env::current_dir().expect("there is one").display().to_string()
}

/// A table of a manifest, and what the schema says of it.
struct Place {
    /// From the root of the document.
    keys: Vec<String>,
    /// In TOML's notation.
    field: String,
    schema: &'static Value,
}

impl Place {
    fn table<'v>(&self, document: &'v mut Value) -> &'v mut serde_json::Map<String, Value> {
        let table = self.keys.iter().fold(document, |value, key| value.get_mut(key).expect("it was found there"));
        table.as_object_mut().expect("it is a table")
    }

    /// Whether the schema names all fields.
    fn is_closed(&self) -> bool {
        self.schema.get("additionalProperties") == Some(&json!(false))
    }

    fn properties(&self) -> impl Iterator<Item = (&'static String, &'static Value)> + use<> {
        self.schema.get("properties").and_then(Value::as_object).into_iter().flatten()
    }
}

/// All tables of a document.
fn places(document: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    visit(document, Place { keys: Vec::new(), field: String::new(), schema: &SCHEMA }, &mut found);
    found
}

fn visit(value: &Value, place: Place, found: &mut Vec<Place>) {
    let Some(table) = value.as_object() else { return };
    for (key, value) in table {
        let of_key = place.schema.pointer(&format!("/properties/{key}"));
        let Some(schema) = of_key.or(place.schema.get("additionalProperties")).filter(|schema| schema.is_object())
        else {
            continue;
        };
        let keys = place.keys.iter().chain([key]).cloned().collect();
        visit(value, Place { keys, field: join(&place.field, key), schema: resolved(schema, value) }, found);
    }
    found.push(place);
}

/// Behind references, and the alternative that the value's `type` chooses.
fn resolved(schema: &'static Value, value: &Value) -> &'static Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let target = SCHEMA.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} leads nowhere"));
        return resolved(target, value);
    }
    let Some(alternatives) = schema.get("oneOf").and_then(Value::as_array) else { return schema };
    let kind = value.get("type").cloned().unwrap_or_default();
    let is_chosen = |alternative: &&Value| words(&alternative["properties"]["type"]).contains(&kind);
    alternatives.iter().find(is_chosen).unwrap_or_else(|| panic!("no alternative for {kind}"))
}

/// Values that a schema lists, wherever in it.
fn words(schema: &Value) -> Vec<Value> {
    let mut found: Vec<Value> = schema.get("const").cloned().into_iter().collect();
    found.extend(schema.get("enum").and_then(Value::as_array).into_iter().flatten().cloned());
    let alternatives = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    found.extend(alternatives.flat_map(words));
    found
}

/// Numbers that a schema names as bounds, wherever in it.
fn bounds(schema: &Value) -> Vec<i64> {
    let mut found: Vec<i64> =
        ["minimum", "maximum", "const"].iter().filter_map(|key| schema.get(key)?.as_i64()).collect();
    let alternatives = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    found.extend(alternatives.flat_map(bounds));
    found
}

/// Between them these have every table and every trigger.
fn documents() -> Vec<Value> {
    let all: Vec<Value> = manifests("valid", 5).iter().map(|path| json_of(&read(path))).collect();
    all.iter().for_each(|document| drop(parsed(document).unwrap_or_else(|problems| panic!("{problems}"))));
    all
}

#[test]
fn schema_and_parser_know_the_same_fields() {
    let mut compared = BTreeSet::new();
    for document in documents() {
        let text = toml::to_string(&document).expect("what came from TOML goes back");
        let Ok((_, _, report)) = crate::read(&text, &setting) else { panic!("it is TOML") };
        let known = report.known_fields.into_inner();
        let mut places: BTreeMap<String, Place> =
            places(&document).into_iter().map(|place| (place.field.clone(), place)).collect();
        for (field, fields) in known {
            let place = places.remove(&field).unwrap_or_else(|| panic!("the schema has no table {field}"));
            let of_schema: BTreeSet<&str> = place.properties().map(|(name, _)| name.as_str()).collect();
            assert_eq!(of_schema, fields, "{field}");
            assert!(place.is_closed(), "{field} takes any field");
            compared.insert(std::ptr::from_ref(place.schema));
        }
        // Their fields have names that the author chose, or, of levels, in any case.
        let open = |place: &Place| !place.is_closed() || place.field.ends_with("logLevel");
        let rest: Vec<&String> = places.values().filter(|place| !open(place)).map(|place| &place.field).collect();
        assert!(rest.is_empty(), "the parser does not know {rest:?}");
    }
    let closed = tables(&SCHEMA).into_iter().filter(|table| !compared.contains(&std::ptr::from_ref(*table)));
    let descriptions: Vec<&Value> = closed.map(|table| &table["description"]).collect();
    expect![[r#"[String("From which level on lines are shown, by category.")]"#]]
        .assert_eq(&format!("{descriptions:?}"));
}

/// All tables of the schema that name their fields.
fn tables(schema: &'static Value) -> Vec<&'static Value> {
    let mut found = Vec::new();
    if schema.get("additionalProperties") == Some(&json!(false)) {
        found.push(schema);
    }
    match schema {
        Value::Object(fields) => found.extend(fields.values().flat_map(tables)),
        Value::Array(elements) => found.extend(elements.iter().flat_map(tables)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}

/// How far parser and schema have to agree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Agreement {
    /// Both take it, or neither.
    Whole,
    /// What the parser takes, the schema takes: texts have rules that the schema does not tell.
    Lenient,
}

fn compare(document: &Value, what: &str, agreement: Agreement) -> bool {
    let (parsed, found) = (parsed(document), violations(document));
    match (&parsed, found.is_empty()) {
        (Ok(_), true) | (Err(_), false) => {}
        (Err(_), true) if agreement == Agreement::Lenient => {}
        (Ok(_), false) => panic!("{what}: the parser takes it, and the schema does not: {found}"),
        (Err(problems), true) => panic!("{what}: the schema takes it, and the parser does not: {problems}"),
    }
    parsed.is_ok()
}

/// Values for a field that tell parser and schema apart if they differ.
fn candidates(schema: &Value) -> Vec<(Value, Agreement)> {
    let schema = resolved_plain(schema);
    let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let has_words = !words(schema).is_empty();
    let of_types = [
        ("boolean", json!(true)),
        ("integer", json!(7)),
        ("number", json!(1.5)),
        ("array", json!([])),
        ("array", json!([7])),
        ("array", json!(["a b"])),
        ("object", json!({})),
        ("object", json!({ "a b": "c" })),
    ];
    let of_types = of_types.into_iter().map(|(kind, value)| {
        let is_taken = types.contains(&json!(kind));
        (value, if is_taken { Agreement::Lenient } else { Agreement::Whole })
    });
    let numbers = bounds(schema).into_iter().flat_map(|bound| [bound - 1, bound, bound + 1]);
    // A policy of any number of tries, -1, also needs long intervals.
    let agreement = |number| if number == -1 { Agreement::Lenient } else { Agreement::Whole };
    let numbers = numbers.map(|number| (json!(number), agreement(number)));
    let words_of_items = words(schema.get("items").unwrap_or(&Value::Null));
    let no_word = (!words_of_items.is_empty()).then(|| (json!(["zz"]), Agreement::Whole));
    // Another method may make a route that is somebody else's.
    let items =
        words_of_items.into_iter().flat_map(cases).map(|word| (json!([word]), Agreement::Lenient)).chain(no_word);
    let texts =
        ["", "a", "a b", "a=b;", "10s", "0s", "00:00:30", "-1", "*", "%TRIP_QUEUE%", "%PARTNER%", "{id}", "zz-zz"];
    let texts = texts.into_iter().map(|text| {
        let is_decided = has_words && !text.contains('%') || !types.contains(&json!("string"));
        (json!(text), if is_decided { Agreement::Whole } else { Agreement::Lenient })
    });
    let chosen = words(schema).into_iter().filter(Value::is_string).flat_map(cases);
    let chosen = chosen.map(|word| (word, Agreement::Whole));
    of_types.chain(numbers).chain(items).chain(texts).chain(chosen).collect()
}

/// A word as it is, and in lower and upper case.
fn cases(word: Value) -> Vec<Value> {
    let text = word.as_str().unwrap_or_default();
    let others = [json!(text.to_lowercase()), json!(text.to_uppercase())];
    [word].into_iter().chain(others).collect()
}

fn resolved_plain(schema: &Value) -> &Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(name) => SCHEMA.pointer(name.trim_start_matches('#')).unwrap_or(schema),
        None => schema,
    }
}

/// The documents, each with those of its tables that are of another kind than all before: the same changes would only find the
/// same things.
fn documents_by_kind() -> Vec<(Value, Vec<Place>)> {
    let mut done = BTreeSet::new();
    let mut is_new = |place: &Place, document: &Value| {
        let table = place.table(&mut document.clone()).clone();
        let words = table.values().filter_map(|field| field.get("type")).chain(table.get("strategy"));
        done.insert((std::ptr::from_ref(place.schema), words.map(Value::to_string).collect::<String>()))
    };
    let of_kinds = documents().into_iter().map(|document| {
        let kept = places(&document).into_iter().filter(|place| is_new(place, &document)).collect();
        (document, kept)
    });
    of_kinds.collect()
}

#[test]
fn schema_and_parser_agree_on_every_value() {
    for (document, places) in documents_by_kind() {
        for place in places {
            for (name, schema) in place.properties() {
                // Another type of trigger or binding has other fields, which are compared where they are.
                let is_type = name == "type";
                for (value, agreement) in
                    candidates(schema).into_iter().filter(|(value, _)| !is_type || value.is_string())
                {
                    let what = format!("{} = {value}", join(&place.field, name));
                    let mut changed = document.clone();
                    place.table(&mut changed).insert(name.clone(), value);
                    compare(&changed, &what, agreement);
                }
            }
        }
    }
}

#[test]
fn schema_and_parser_refuse_unknown_fields_and_miss_the_same_ones() {
    for (document, places) in documents_by_kind() {
        for place in places {
            if place.is_closed() {
                let mut changed = document.clone();
                place.table(&mut changed).insert("zzz".to_owned(), json!("zzz"));
                assert!(
                    !compare(&changed, &join(&place.field, "zzz"), Agreement::Whole),
                    "{}.zzz is taken",
                    place.field
                );
            }
            for name in place.table(&mut document.clone()).keys() {
                let mut changed = document.clone();
                place.table(&mut changed).remove(name);
                let field = join(&place.field, name);
                let is_missed = parsed(&changed).is_err_and(|text| text.contains(&format!("{field}: is missing; ")));
                let agreement = if is_missed { Agreement::Whole } else { Agreement::Lenient };
                compare(&changed, &format!("without {field}"), agreement);
            }
        }
    }
}

#[test]
fn defaults_of_the_schema_are_those_of_the_parser() {
    let mut compared = BTreeSet::new();
    for document in documents() {
        for place in places(&document) {
            for (name, schema) in place.properties() {
                let Some(default) = resolved_plain(schema).get("default") else { continue };
                let field = join(&place.field, name);
                let (mut said, mut unsaid) = (document.clone(), document.clone());
                place.table(&mut said).insert(name.clone(), default.clone());
                place.table(&mut unsaid).remove(name);
                // A field that does not fit the others of its table here fits elsewhere.
                let (Ok(said), Ok(unsaid)) = (parsed(&said), parsed(&unsaid)) else { continue };
                assert_eq!(without_lines(said), without_lines(unsaid), "{field} = {default}");
                compared.insert(std::ptr::from_ref(default));
            }
        }
    }
    let all = annotated(&SCHEMA, "default");
    assert!(all.iter().all(|default| compared.contains(&std::ptr::from_ref(*default))), "a default was not compared");
}

fn without_lines(mut app: App) -> App {
    app.functions.iter_mut().for_each(|function| function.line = 0);
    app.referenced_settings.clear();
    app
}

/// What stands under a keyword, everywhere in the schema.
fn annotated(schema: &'static Value, keyword: &str) -> Vec<&'static Value> {
    match schema {
        Value::Object(fields) => {
            let own = fields.get(keyword).filter(|_| fields.contains_key("description"));
            own.into_iter().chain(fields.values().flat_map(|value| annotated(value, keyword))).collect()
        }
        Value::Array(elements) => elements.iter().flat_map(|value| annotated(value, keyword)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn examples_are_good() {
    let mut taken = BTreeSet::new();
    let mut refused: BTreeMap<String, String> = BTreeMap::new();
    for document in documents() {
        for place in places(&document) {
            for (name, schema) in place.properties() {
                let examples = resolved_plain(schema).get("examples").and_then(Value::as_array);
                for example in examples.into_iter().flatten() {
                    let mut changed = document.clone();
                    place.table(&mut changed).insert(name.clone(), example.clone());
                    match parsed(&changed) {
                        Ok(_) => drop(taken.insert((name.clone(), example.to_string()))),
                        Err(problems) => drop(refused.insert(format!("{name} = {example}"), problems)),
                    }
                }
            }
        }
    }
    refused.retain(|example, _| !taken.iter().any(|(name, value)| format!("{name} = {value}") == *example));
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn every_field_is_explained() {
    let unexplained: Vec<String> = tables(&SCHEMA)
        .iter()
        .flat_map(|table| table["properties"].as_object().into_iter().flatten())
        .filter(|(_, schema)| {
            resolved_plain(schema)["description"]
                .as_str()
                .is_none_or(|text| !text.ends_with('.') && !text.ends_with("\"."))
        })
        .map(|(name, schema)| format!("{name}: {schema}"))
        .collect();
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}
