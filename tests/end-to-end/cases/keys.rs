//! Keys: where the first start puts them, what they open, and that a running host follows `dacapo keys`.

use crate::client::{Answer, Client, MANAGEMENT};
use crate::host::{Host, Process, refused};
use crate::samples;
use expect_test::expect;
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use ureq::http::Method;

/// The sample `hello`, whose function `Hello` asks for a function key.
fn guarded_hello() -> PathBuf {
    let manifest = samples::manifest("hello");
    let text = std::fs::read_to_string(&manifest).expect("it was just written");
    let open = r#"route = "hello", authLevel = "anonymous""#;
    assert!(text.contains(open), "the sample has changed:\n{text}");
    let file = manifest.with_file_name("hello-guarded.toml");
    std::fs::write(&file, text.replace(open, r#"route = "hello""#)).expect("the target folder can be written");
    file
}

/// `dacapo keys ...` on an app's data folder; what it prints.
fn keys(manifest: &Path, data: &Path, arguments: &[&str]) -> String {
    let (command, more) = arguments.split_first().expect("a command");
    let place: [&OsStr; 3] = [manifest.as_os_str(), "--data-dir".as_ref(), data.as_os_str()];
    let all = [OsStr::new("keys"), OsStr::new(*command)].into_iter().chain(place).chain(more.iter().map(OsStr::new));
    let (status, printed) = Process::spawn(all).wait_for_end();
    assert!(status.success(), "{printed}");
    printed
}

/// The value of a key, by what it opens and its name.
fn value(manifest: &Path, data: &Path, scope: &str, name: &str) -> String {
    let printed = keys(manifest, data, &["list", "--show-values", "--output", "json"]);
    let all: Value = serde_json::from_str(&printed).expect("JSON");
    let all = all.as_array().expect("a list");
    let key = all.iter().find(|key| key["scope"] == scope && key["name"] == name);
    key.and_then(|key| key["value"].as_str()).unwrap_or_else(|| panic!("no key '{name}' in {all:?}")).to_owned()
}

fn get_with(client: &Client, path: &str, key: &str) -> Answer {
    client.try_send_with(Method::GET, path, &[("x-functions-key", key)], "").expect("the host answers")
}

#[test]
fn a_guarded_host_opens_to_the_keys_of_its_data_folder() {
    let (manifest, data) = (guarded_hello(), TempDir::new().expect("a folder"));
    let data = data.path().join("data");
    let start = |more: &[&str]| {
        let place = [OsStr::new("--data-dir"), data.as_os_str()];
        Host::start(&manifest, place.into_iter().chain(more.iter().map(OsStr::new)))
    };
    let mut host = start(&["--enable-auth"]);
    assert!(host.greeting.contains("Keys were made in "), "{}", host.greeting);
    let client = host.client();
    let [hello, instances, status] =
        ["/api/hello".to_owned(), format!("{MANAGEMENT}/instances"), "/admin/host/status".to_owned()];
    for path in [&hello, &instances, &status] {
        assert_eq!(client.get(path).expect(401).body, "", "{path}");
    }
    client.get("/admin/host/ping").expect(200);
    client.get("/api/unknown").expect(404);

    let function = value(&manifest, &data, "function", "default");
    let system = value(&manifest, &data, "system", "durabletask_extension");
    let master = value(&manifest, &data, "host", "_master");
    get_with(&client, &hello, &function).expect(200);
    client.get(&format!("{hello}?code={function}")).expect(200);
    get_with(&client, &hello, &system).expect(401);
    get_with(&client, &instances, &system).expect(200);
    get_with(&client, &status, &function).expect(401);
    for path in [&hello, &instances, &status] {
        get_with(&client, path, &master).expect(200);
    }
    for printed in [&host.greeting, &keys(&manifest, &data, &["list"])] {
        for value in [&function, &system, &master] {
            assert!(!printed.contains(value.as_str()), "a value is shown unasked:\n{printed}");
        }
    }

    keys(&manifest, &data, &["rotate", "default", "--function", "hello"]);
    let rotated = value(&manifest, &data, "function", "default");
    host.look_until("the new key opens", |client| (get_with(client, &hello, &rotated).status == 200).then_some(()));
    host.look_until("the old key opens nothing", |client| {
        (get_with(client, &hello, &function).status == 401).then_some(())
    });
    let log = host.stop();
    for value in [&function, &rotated, &system, &master] {
        assert!(!log.contains(value.as_str()), "a value is in the log:\n{log}");
    }

    let host = start(&[]);
    assert!(host.greeting.contains("--enable-auth"), "{}", host.greeting);
    host.client().get(&hello).expect(200);
    host.stop();
}

#[test]
fn keys_can_be_made_before_the_first_start() {
    let (manifest, data) = (guarded_hello(), TempDir::new().expect("a folder"));
    let data = data.path();
    let say = |arguments: &[&str]| keys(&manifest, data, arguments);
    let none = say(&["list"]).replace(&data.display().to_string(), "DATA");
    expect![[r#"
        There are no keys in DATA/secrets yet; they are made when the app starts for the first time.
    "#]]
    .assert_eq(&none);
    expect![[r#"
        Key made: the host's function key 'partner'
    "#]]
    .assert_eq(&say(&["set", "partner", "--value", "sesame-open"]));
    expect![[r#"
        Key set: the host's function key 'partner': sesame-shut
    "#]]
    .assert_eq(&say(&["set", "partner", "--value", "sesame-shut", "--show-values"]));
    expect![[r#"
        Key deleted: the host's function key 'partner'
    "#]]
    .assert_eq(&say(&["delete", "partner"]));
}

/// What `dacapo keys` prints when it refuses, and its exit code.
fn check_refused(manifest: &Path, data: &Path, arguments: &[&str], expected: &expect_test::Expect) {
    let place: [&OsStr; 3] = [manifest.as_os_str(), "--data-dir".as_ref(), data.as_os_str()];
    let (command, more) = arguments.split_first().expect("a command");
    let all = [OsStr::new("keys"), OsStr::new(*command)].into_iter().chain(place);
    let (status, printed) = Process::spawn(all.chain(more.iter().map(OsStr::new))).wait_for_end();
    let printed = printed.replace(&data.display().to_string(), "DATA");
    expected.assert_eq(&format!("{} {}", status.code().unwrap_or_default(), printed.trim_end()));
}

#[test]
fn what_is_not_there_or_makes_no_sense_is_said() {
    let (manifest, data) = (guarded_hello(), TempDir::new().expect("a folder"));
    let check = |arguments: &[&str], expected: &expect_test::Expect| {
        check_refused(&manifest, data.path(), arguments, expected);
    };
    keys(&manifest, data.path(), &["set", "partner"]);
    check(
        &["rotate", "partners"],
        &expect!["1 error: there is no such key: the host's function key 'partners'; there is: 'default', 'partner'"],
    );
    check(
        &["delete", "partner", "--function", "Hello"],
        &expect![
            "1 error: there is no such key: the key 'partner' of the function 'Hello'; there is: none of its kind"
        ],
    );
    check(
        &["set", "partner", "--function", "Goodbye"],
        &expect!["1 error: the app has no function 'Goodbye'; it has: Hello, Greet, Echo"],
    );
    check(&["delete", "_master"], &expect!["1 error: the master key cannot be deleted; rotate it instead"]);
    check(
        &["set", "_mine"],
        &expect![
            "1 error: that is no name for a key; it begins with a letter or digit, goes on with letters, digits, '_', '-' and '.', and has at most 128 characters"
        ],
    );
    check(&["set", "partner", "--value", "short"], &expect!["1 error: the value of a key has 8 to 512 characters"]);
    std::fs::write(data.path().join("secrets/host.json"), "{\"masterKey\": \"sesame-open\"}")
        .expect("it can be written");
    check(
        &["list"],
        &expect![
            "1 error: the keys in DATA/secrets/host.json cannot be used: line 1, column 27: a value is not of the right type, empty or missing; nothing was changed. Correct the file, put a copy of it back, or move it away: then new keys are made at the next start"
        ],
    );
}

#[test]
fn broken_keys_keep_the_host_from_starting() {
    let (manifest, data) = (guarded_hello(), TempDir::new().expect("a folder"));
    keys(&manifest, data.path(), &["set", "partner"]);
    let file = data.path().join("secrets/host.json");
    std::fs::write(&file, "{").expect("it can be written");
    let (code, printed) = refused([
        manifest.as_os_str(),
        "--no-build".as_ref(),
        "--port".as_ref(),
        "0".as_ref(),
        "--data-dir".as_ref(),
        data.path().as_os_str(),
    ]);
    assert_eq!(code, 1, "{printed}");
    let printed = printed.replace(&data.path().display().to_string(), "DATA");
    let last = printed.lines().last().unwrap_or_default();
    expect!["error: the keys in DATA/secrets/host.json cannot be used: line 1, column 1: the file ends too early; nothing was changed. Correct the file, put a copy of it back, or move it away: then new keys are made at the next start"].assert_eq(last);
    assert_eq!(std::fs::read_to_string(file).expect("it is there"), "{");
}

#[test]
fn without_a_disk_the_operator_chooses_the_master_key() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dacapo"));
    command.arg("start").arg(guarded_hello()).args(["--port", "0", "--no-build", "--ephemeral", "--enable-auth"]);
    command.arg("--no-storage-endpoint").env("DACAPO_MASTER_KEY", "sesame-open-up");
    let host = Host::ready(Process::run(&mut command));
    host.client().get("/api/hello").expect(401);
    get_with(&host.client(), "/api/hello", "sesame-open-up").expect(200);
    host.stop();
}
