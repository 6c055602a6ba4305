//! Packing as a person does it, on an app whose component is eight bytes.

use super::*;
use expect_test::{Expect, expect};

const MANIFEST: &str = r#"[app]
name = "trips"
version = "1.0.0"
[components.booking]
source = "out/booking.wasm"
build = { command = "mkdir -p out && printf '\\0asm\\r\\0\\001\\0' > out/booking.wasm" }
[functions.Take]
trigger = { type = "queueTrigger", queueName = "%QUEUE%", connection = "TripStorage" }
"#;

fn check(manifest: &str, no_build: bool, expected: &Expect) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.toml");
    fs::write(&file, manifest).expect("it can be written");
    let arguments = PackArguments {
        manifest: Some(file),
        to: Some(folder.path().to_owned()),
        no_build,
        output: OutputFormat::Json,
    };
    let environment = Environment::default();
    let bundle = folder.path().join("trips-1.0.0.dacapo");
    let text = match run(&arguments, &environment, &Console::new(&environment)) {
        Ok(()) => {
            let bytes = fs::read(&bundle).expect("it was written");
            let opened = bundle::read(&bytes, &bundle::Limits::default()).expect("a good bundle");
            assert_eq!(opened.bundle.manifest, manifest);
            let builder = Builder { no_build: true, output: OutputFormat::Json, console: &Console::new(&environment) };
            let again = pack(arguments.manifest.as_deref(), &environment, &builder).expect("it was built");
            assert_eq!(again.bytes, bytes, "the same app is the same file");
            let report = PackReport { file: Some(bundle), ..again.report };
            in_words(&report).replace(&report.digest, "DIGEST")
        }
        Err(problem) => {
            assert!(!bundle.exists(), "whole or not at all");
            format!("{:#}", problem.into_error())
        }
    };
    expected.assert_eq(&text.replace(&folder.path().display().to_string(), "FOLDER"));
}

#[test]
fn an_app_becomes_a_file() {
    check(
        MANIFEST,
        false,
        &expect![[r#"
        Packed trips 1.0.0 into FOLDER/trips-1.0.0.dacapo (809 bytes)
        Bundle digest: DIGEST
          booking: 8 bytes
        The host must have these app settings: QUEUE
        Connections, where the host's own storage is meant unless it says otherwise: TripStorage"#]],
    );
}

#[test]
fn what_is_no_app_is_not_packed() {
    check(
        MANIFEST,
        true,
        &expect![
            "FOLDER/app.toml: component 'booking': there is no FOLDER/out/booking.wasm; build it, or correct components.booking.source"
        ],
    );
    check(
        &MANIFEST.replace("asm", "ELF"),
        false,
        &expect![
            "FOLDER/app.toml: components/booking.wasm: is not WebAssembly; build it as a component (in Rust: for the target wasm32-wasip2) and pack again"
        ],
    );
    check(
        &format!("{MANIFEST}# AccountKey=abc\n"),
        false,
        &expect![[r#"
        secrets do not belong into a bundle
        FOLDER/app.toml:9: there is a secret behind `accountkey=`
        put them into an app setting of the host, and name that as %NAME% or as `connection`; a secret that was in a file that others could read should be replaced"#]],
    );
    check(
        &MANIFEST.replace("queueName", "queue"),
        false,
        &expect![[r#"
        the manifest has 2 problems
        FOLDER/app.toml:8: functions.Take.trigger.queueName: is missing; add `queueName = "my-queue"`
        FOLDER/app.toml:8: functions.Take.trigger.queue: unknown field; known here: type, queueName, connection, maxPollingInterval, visibilityTimeout, batchSize, newBatchThreshold, maxDequeueCount, messageEncoding"#]],
    );
}

#[test]
fn sizes_are_for_people() {
    assert_eq!(
        [0, 1_023, 1_024, 1_048_576, 3 << 19].map(size),
        ["0 bytes", "1023 bytes", "1.0 KiB", "1.0 MiB", "1.5 MiB"]
    );
}
