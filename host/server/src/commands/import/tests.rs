//! Projects in temporary folders, and what is written for them.

use expect_test::{Expect, expect};
use std::path::Path;

use super::{IfThere, import};

const HTTP: &str = r#"{ "bindings": [
    { "type": "httpTrigger", "direction": "in", "name": "req", "methods": ["get"], "route": "hello/{name}" },
    { "type": "http", "direction": "out", "name": "res" } ] }"#;

/// Writes the files, imports the project, and tells what was said and what is in the folder.
fn check(files: &[(&str, &str)], if_there: IfThere, expected: &Expect) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = folder.path().join("my-trips");
    std::fs::create_dir(&project).expect("it is new");
    for (name, text) in files {
        let path = project.join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the project")).expect("it can be made");
        std::fs::write(path, text).expect("it can be written");
    }
    let mut text = match import(&project, None, if_there) {
        Ok(written) => written.in_words(),
        Err(problem) => format!("{:#}", problem.into_error()),
    };
    for name in ["app.toml", "local.settings.toml"] {
        if let Ok(content) = std::fs::read_to_string(project.join(name)) {
            text.push_str(&format!("\n--- {name}{}\n{content}", mode(&project.join(name))));
        }
    }
    expected.assert_eq(&text.replace(&folder.path().display().to_string(), ""));
}

#[cfg(unix)]
fn mode(path: &Path) -> &'static str {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).expect("it is there").permissions().mode();
    if mode & 0o777 == 0o600 { " (0600)" } else { "" }
}

#[cfg(not(unix))]
fn mode(_: &Path) -> &'static str {
    " (0600)"
}

#[test]
fn a_project_becomes_a_manifest_and_a_settings_file() {
    check(
        &[
            ("host.json", r#"{ "version": "2.0", "functionTimeout": "00:01:00" }"#),
            ("Hello/function.json", HTTP),
            ("node_modules/package/function.json", "not one of ours"),
            ("local.settings.json", r#"{ "Values": { "SECRET": "s" }, "Host": { "LocalHttpPort": 7072 } }"#),
        ],
        IfThere::Refuse,
        &expect![[r#"
            Wrote /my-trips/app.toml
            Wrote /my-trips/local.settings.toml, which may have secrets in it: keep it out of version control

            What has no counterpart, or has to be done:
              local.settings.json: Host.LocalHttpPort: has no counterpart in a file here: left out; start the host with `--port 7072`
              the manifest: components.main.source: names a component that is not there yet; build the functions as a WebAssembly component, each under its name, and write the component's path

            Then: dacapo doctor /my-trips/app.toml, and dacapo start /my-trips/app.toml
            --- app.toml
            [app]
            name = "my-trips"
            version = "1.0.0"

            [components.main]
            source = "main.wasm"

            [functions.Hello]
            [functions.Hello.trigger]
            type = "httpTrigger"
            methods = ["get"]
            route = "hello/{name}"

            [host]
            functionTimeout = "00:01:00"

            --- local.settings.toml (0600)
            [values]
            SECRET = "s"

            [host]
        "#]],
    );
}

#[test]
fn files_that_are_there_are_kept_unless_somebody_insists() {
    let files = [
        ("Hello/function.json", HTTP),
        ("local.settings.json", "{}"),
        ("local.settings.toml", "# mine\n"),
        ("app.toml", "# mine\n"),
    ];
    check(
        &files,
        IfThere::Refuse,
        &expect![[r#"
        /my-trips/app.toml and /my-trips/local.settings.toml would be overwritten; pass --force for that, or choose another manifest with -o
        --- app.toml
        # mine

        --- local.settings.toml
        # mine
    "#]],
    );
    check(
        &files,
        IfThere::Replace,
        &expect![[r#"
        Wrote /my-trips/app.toml
        Wrote /my-trips/local.settings.toml, which may have secrets in it: keep it out of version control

        What has no counterpart, or has to be done:
          the manifest: components.main.source: names a component that is not there yet; build the functions as a WebAssembly component, each under its name, and write the component's path

        Then: dacapo doctor /my-trips/app.toml, and dacapo start /my-trips/app.toml
        --- app.toml
        [app]
        name = "my-trips"
        version = "1.0.0"

        [components.main]
        source = "main.wasm"

        [functions.Hello]
        [functions.Hello.trigger]
        type = "httpTrigger"
        methods = ["get"]
        route = "hello/{name}"

        --- local.settings.toml (0600)
        [values]
    "#]],
    );
}

#[test]
fn what_is_wrong_is_named_with_its_file() {
    check(
        &[],
        IfThere::Refuse,
        &expect![
            "/my-trips is no project of Azure Functions: it has no host.json and no folder with a function.json; name the folder that has them"
        ],
    );
    check(
        &[("host.json", "{}")],
        IfThere::Refuse,
        &expect![
            "/my-trips: no function of the project can be imported; functions that are declared in code have no function.json: describe them in a manifest by hand"
        ],
    );
    check(
        &[("host.json", "{"), ("Hello/function.json", HTTP)],
        IfThere::Refuse,
        &expect![
            "/my-trips: host.json: is not JSON: EOF while parsing an object at line 1 column 1; correct the file; it must be a JSON object"
        ],
    );
    check(
        &[("Hello/function.json", "[1]")],
        IfThere::Refuse,
        &expect!["/my-trips: Hello/function.json: is no JSON object; correct the file; it must be a JSON object"],
    );
    let long = " ".repeat(super::project::MAX_FILE_BYTES as usize + 1);
    check(
        &[("host.json", &long)],
        IfThere::Refuse,
        &expect![
            "/my-trips/host.json is longer than 1048576 bytes, which no file of its kind is; move it away or shorten it"
        ],
    );
}

#[test]
fn what_is_no_folder_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("host.json");
    std::fs::write(&file, "{}").expect("it can be written");
    let error = |path: &Path| match import(path, None, IfThere::Refuse) {
        Ok(_) => panic!("{} is no project", path.display()),
        Err(problem) => problem.into_error().to_string(),
    };
    assert!(error(&file).contains("is a file; name the folder"));
    assert!(error(&folder.path().join("nowhere")).contains("there is no folder"));
}
