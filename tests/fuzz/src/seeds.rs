//! Where the search begins: for each target, what is right, and what is nearly right.

use std::fs;
use std::path::Path;

/// The files of a folder of this repository, by their ends.
fn files(folder: &str, end: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let files: Vec<_> = paths.filter(|path| path.to_string_lossy().ends_with(end)).collect();
    assert!(!files.is_empty(), "nothing in {} ends with {end}", folder.display());
    files.iter().map(|file| fs::read(file).expect("it can be read")).collect()
}

/// Each seed whole, cut off at every place, and with one byte of it changed.
fn check(target: fn(&[u8]), seeds: impl IntoIterator<Item = Vec<u8>>) {
    for seed in seeds {
        target(&seed);
        let step = (seed.len() / 100).max(1);
        for place in (0..seed.len()).step_by(step) {
            target(&seed[..place]);
            let mut changed = seed.clone();
            changed[place] ^= 1 << (place % 8);
            target(&changed);
        }
    }
}

fn texts<const N: usize>(texts: [&str; N]) -> [Vec<u8>; N] {
    texts.map(|text| text.as_bytes().to_vec())
}

#[test]
fn manifests() {
    check(crate::manifest, files("function-manifests", ".toml"));
    check(crate::manifest, files("host/manifest/tests/valid", ".toml"));
    check(crate::manifest, files("host/manifest/tests/invalid", ".toml"));
    check(
        crate::manifest,
        texts(["address = \"0.0.0.0\"\nport = 7071\n[values]\nA = \"b\"\n[apps.a.values]\nC = \"d\"\n"]),
    );
}

#[test]
fn schedules() {
    check(
        crate::schedule,
        texts([
            "\x02*/5 * * * * *",
            "\x000 30 2 29 feb mon-fri",
            "\x030 0 1-3 * * 0,6",
            "\x011.02:03:04",
            "\x0459 59 23 31 12 7",
        ]),
    );
}

#[test]
fn expressions() {
    check(
        crate::expression,
        texts(["{a}-{d.f.g}/{{rand-guid}}{DateTime:yyyy-MM-ddTHH}", "x eq '{a}' and y gt {b}", "{sys.randGuid}{n}"]),
    );
}

#[test]
fn projects() {
    let host = r#"{"version": "2.0", "extensions": {"durableTask": {"hubName": "Trips"}, "queues": {"batchSize": 4}}}"#;
    let settings = r#"{"IsEncrypted": false, "Values": {"Q": "trips"}, "Host": {"CORS": "*"}}"#;
    let queue = r#"{"bindings": [{"type": "queueTrigger", "name": "m", "direction": "in", "queueName": "%Q%", "connection": "C"},
        {"type": "table", "direction": "out", "name": "$return", "tableName": "t", "partitionKey": "{a}"}]}"#;
    let http = r#"{"disabled": true, "bindings": [{"type": "httpTrigger", "direction": "in", "name": "r", "route": "a/{b:int?}",
        "methods": ["get"], "authLevel": "admin"}, {"type": "http", "direction": "out", "name": "$return"}]}"#;
    let timer = r#"{"bindings": [{"type": "timerTrigger", "name": "t", "schedule": "%S%", "runOnStartup": true}]}"#;
    let files = [host, settings, queue, http, timer].join("\0");
    check(crate::import, [files.into_bytes(), format!("\0\0{http}").into_bytes()]);
}

#[test]
fn bundles() {
    let components = [("booking".to_owned(), b"\0asm\x0d\0\x01\0and more of it".to_vec())].into();
    let bundle = bundle::Bundle {
        app: "trips".to_owned(),
        version: "1.0.0".to_owned(),
        manifest: "[app]\nname = \"trips\"\n".to_owned(),
        components,
        built_with: "a test".to_owned(),
    };
    check(crate::bundle, [bundle::write(&bundle).expect("a good bundle")]);
}

#[test]
fn entities() {
    let typed = r#"{"PartitionKey": "p", "RowKey": "r'/\\#?", "n": 1, "big@odata.type": "Edm.Int64", "big": "9223372036854775807",
        "at@odata.type": "Edm.DateTime", "at": "2024-02-29T23:59:59.1234567Z", "id@odata.type": "Edm.Guid",
        "id": "12345678-9abc-def0-1234-56789abcdef0", "raw@odata.type": "Edm.Binary", "raw": "AAEC", "d": 1.5e-300, "none": null}"#;
    check(
        crate::entity,
        texts([typed, r#"{"PartitionKey": "", "RowKey": "", "x": true, "d@odata.type": "Edm.Double", "d": "NaN"}"#]),
    );
}

#[test]
fn filters() {
    check(
        crate::filter,
        texts([
            "PartitionKey eq 'it''s' and (RowKey ge 'a' or not (n lt -5L)) and d gt 1.5e3",
            "Timestamp ge datetime'2024-01-01T00:00:00Z' and id ne guid'12345678-9abc-def0-1234-56789abcdef0'",
            "raw eq X'00ff' or flag or false eq other",
        ]),
    );
}
