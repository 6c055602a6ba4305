//! Commands as somebody types them: those that look at an app in a folder, and those that ask a host in production.

use expect_test::expect_file;

use crate::production::Production;
use crate::samples;
use crate::shell::Shell;

/// Where the component of an app is that was built already.
const BUILT: &str = "../built.wasm";

/// A manifest with something in each of its places that is wrong.
const WRONG: &str = r#"
[app]
name = "wrong app"
version = 1
[components.main]
source = "main.wasm"
[functions.Hello]
trigger = { type = "httpTriger", route = "hello" }
"#;

/// An app that cannot be built.
const NOT_BUILT: &str = r#"
[app]
name = "unbuilt"
version = "1.0.0"
[components.main]
source = "main.wasm"
[components.main.build]
command = "echo 'error: expected a semicolon' >&2; exit 1"
watch = []
[functions.Hello]
trigger = { type = "httpTrigger", route = "hello" }
"#;

/// An app with a secret in its manifest.
const SECRET: &str = r#"
[app]
name = "secret"
version = "1.0.0"
[components.main]
source = "main.wasm"
[functions.Hello]
trigger = { type = "httpTrigger", route = "hello" }
# Not here: AccountName=trips;AccountKey=c2VjcmV0
"#;

/// A folder with the sample `trips-by-queue`, whose component is built by copying it.
fn with_trips(shell: Shell) -> Shell {
    let component = artifacts::guest("trips-by-queue");
    let manifest = samples::repository_manifest("trips-by-queue");
    let text = std::fs::read_to_string(manifest).expect("the sample has a manifest");
    let part =
        |name: &str| text.lines().find(|line| line.starts_with(name)).expect("the sample's build is its component's");
    let text = text
        .replace(part("source = "), "source = \"trips.wasm\"")
        .replace(part("command = "), &format!("command = \"cp {BUILT} trips.wasm\""))
        .replace(part("watch = "), "watch = []");
    shell
        .with_file("trips/trips.toml", text)
        .with_file("built.wasm", std::fs::read(component).expect("it was just built"))
}

#[test]
fn an_app_is_looked_at_built_and_packed() {
    let shell = with_trips(Shell::new())
        .with_compiled("trips")
        .with_file("empty/readme.txt", "")
        .with_file("several/one.toml", SECRET)
        .with_file("several/two.toml", SECRET)
        .with_file("wrong/manifest.toml", WRONG)
        .with_file("wrong/build.toml", NOT_BUILT)
        .with_file("wrong/secret.toml", SECRET)
        .with_file("wrong/main.wasm", "no component");
    shell.follow(&expect_file!["../transcripts/project.txt"]);
}

#[test]
fn a_host_is_given_an_app_and_asked_about_it() {
    let production = Production::new();
    let host = production.start();
    let data = production.data().to_str().expect("a text");
    let shell = with_trips(Shell::new())
        .with("DACAPO_URL", host.origin())
        .with("DACAPO_KEY", production.master())
        .with("DATA", data)
        .masking(data, "DATA")
        .with_file("trip.json", r#"{"PartitionKey":"RustConf","RowKey":"2","Traveller":"Bob"}"#);
    shell.follow(&expect_file!["../transcripts/operation.txt"]);
    host.stop();
}
