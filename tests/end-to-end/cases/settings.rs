//! `dacapo settings`, `dacapo doctor` and `dacapo import`: what is asked before an app runs, and what `dacapo start` makes of
//! settings.

use expect_test::{Expect, expect};
use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

use crate::host::Process;

/// An app in a folder of its own; nothing of it has to be built.
struct App {
    folder: TempDir,
}

const MANIFEST: &str = r#"
[app]
name = "trips"
version = "1"
[components.main]
source = "main.wasm"
[functions.Accept]
trigger = { type = "queueTrigger", queueName = "%QUEUE%", connection = "TripStorage" }
"#;

/// The first bytes of every component.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

impl App {
    fn new(files: &[(&str, &[u8])]) -> App {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("it can be made");
            std::fs::write(path, content).expect("it can be written");
        }
        App { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("it is there")
    }

    /// Runs `dacapo` in the folder, with these variables and without those that the tests' own environment may have.
    fn run<A: AsRef<OsStr>>(&self, variables: &[(&str, &str)], arguments: impl IntoIterator<Item = A>) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dacapo"));
        command.env_remove("QUEUE").env_remove("TripStorage").env_remove("AzureWebJobsTripStorage");
        command.envs(variables.iter().copied()).args(arguments).current_dir(self.folder.path());
        let (status, output) = Process::run(&mut command).wait_for_end();
        let code = status.code().expect("it ended by itself");
        format!("exit code {code}\n{output}").replace(&self.shown_folder(), "")
    }

    fn check(&self, variables: &[(&str, &str)], line: &str, expected: &Expect) {
        expected.assert_eq(&self.run(variables, line.split_whitespace()));
    }

    /// Paths that the process makes absolute have no links in them on some systems.
    fn shown_folder(&self) -> String {
        self.folder.path().canonicalize().expect("it is there").display().to_string()
    }
}

#[test]
fn settings_are_missed_and_added() {
    let app = App::new(&[("app.toml", MANIFEST.as_bytes())]);
    app.check(
        &[],
        "settings app.toml",
        &expect![[r#"
        exit code 1
        QUEUE: missing
            used by Accept, functions.Accept.trigger.queueName (app.toml:8)
        TripStorage: not set
            leads to the store of this host
            connection of Accept, functions.Accept.trigger.connection (app.toml:8)

        Missing or wrong: QUEUE. Set it with `dacapo settings add app.toml QUEUE`, or in the environment.
    "#]],
    );
    app.check(&[], "settings add app.toml QUEUE trip-requests", &expect![[r#"
        exit code 0
        local.settings.toml was made: it is for this machine and may have secrets in it, so keep it out of version control.
        Added QUEUE to /local.settings.toml.
    "#]]);
    app.check(
        &[("QUEUE", "orders")],
        "settings add app.toml QUEUE requests",
        &expect![[r#"
        exit code 0
        Changed QUEUE in /local.settings.toml.
        The environment of this shell has QUEUE too, and wins over the file.
    "#]],
    );
}

const SETTINGS: &[u8] = b"[values]\nQUEUE = 'requests'\n";

#[test]
fn settings_are_listed_with_their_sources() {
    let app = App::new(&[("app.toml", MANIFEST.as_bytes()), ("local.settings.toml", SETTINGS)]);
    app.check(
        &[("QUEUE", "orders")],
        "settings app.toml --show-values",
        &expect![[r#"
        exit code 0
        QUEUE: orders, from the environment; local.settings.toml has it too, to no effect
            used by Accept, functions.Accept.trigger.queueName (app.toml:8)
        TripStorage: not set
            leads to the store of this host
            connection of Accept, functions.Accept.trigger.connection (app.toml:8)

        All settings that the app needs are there. `dacapo settings add app.toml NAME` sets or changes one.
    "#]],
    );
    app.check(
        &[],
        "settings list app.toml --env TripStorage=UseDevelopmentStorage=true",
        &expect![[r#"
        exit code 0
        QUEUE: ********, from local.settings.toml
            used by Accept, functions.Accept.trigger.queueName (app.toml:8)
        TripStorage: ********, from --env
            leads to the store of this host
            connection of Accept, functions.Accept.trigger.connection (app.toml:8)

        All settings that the app needs are there. `dacapo settings add app.toml NAME` sets or changes one.
    "#]],
    );
}

#[test]
fn settings_are_deleted() {
    let app = App::new(&[("app.toml", MANIFEST.as_bytes()), ("local.settings.toml", SETTINGS)]);
    app.check(
        &[],
        "settings delete app.toml Queue",
        &expect![[r#"
        exit code 1
        error: /local.settings.toml has no setting Queue; it has: QUEUE
    "#]],
    );
    app.check(
        &[],
        "settings delete app.toml QUEUE --output json",
        &expect![[r#"
        exit code 0
        {
          "name": "QUEUE",
          "done": "deleted",
          "file": "/local.settings.toml"
        }
    "#]],
    );
    expect![[r#"
        [values]
    "#]]
    .assert_eq(&app.read("local.settings.toml"));
}

#[test]
fn manifests_that_are_not_there_are_told() {
    let app = App::new(&[("app.toml", MANIFEST.as_bytes()), ("local.settings.toml", SETTINGS)]);
    app.check(
        &[],
        "settings nothing.toml",
        &expect![[r#"
            exit code 3
            error: there is no manifest nothing.toml; check the path; there is: ./app.toml
        "#]],
    );
    app.check(
        &[],
        "settings add nothing.toml A b",
        &expect![[r#"
            exit code 3
            error: there is no manifest nothing.toml; check the path; there is: ./app.toml
        "#]],
    );
}

#[cfg(unix)]
#[test]
fn the_file_of_settings_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let app = App::new(&[("app.toml", MANIFEST.as_bytes()), ("local.settings.toml", b"# mine\n[values]\n")]);
    app.run(&[], ["settings", "add", "app.toml", "QUEUE", "requests"]);
    let mode = std::fs::metadata(app.path("local.settings.toml")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(app.read("local.settings.toml"), "# mine\n[values]\nQUEUE = \"requests\"\n");
}

#[test]
fn a_start_says_which_setting_is_missing_and_takes_it_from_the_command_line() {
    let app = App::new(&[("app.toml", MANIFEST.as_bytes()), ("main.wasm", b"no component")]);
    let start = "start app.toml --ephemeral --no-build --no-storage-endpoint --port 0";
    app.check(&[], start, &expect![[r#"
        exit code 3
        error: the manifest has a problem
        app.toml:8: functions.Accept.trigger.queueName: there is no app setting `QUEUE`; set it in the environment, or under `[values]` in local.settings.toml beside the manifest
    "#]]);
    // The manifest is right then; the component is what is wrong.
    let output = app.run(&[], start.split_whitespace().chain(["--env", "QUEUE=requests"]));
    assert!(output.starts_with("exit code 3\n") && output.contains("main.wasm"), "{output}");
}

/// What the doctor says of an app. Ports, tools and room on the disk are the machine's, and left out.
fn examine(app: &App, line: &str) -> String {
    let output = app.run(&[], line.split_whitespace());
    let mut is_of_machine = false;
    let kept: Vec<&str> = output
        .lines()
        .filter(|line| {
            let is_remedy = line.trim_start().starts_with("-> ");
            is_of_machine = if is_remedy {
                is_of_machine
            } else {
                line.contains("ports: ") || line.contains("toolchain: ") || line.contains("MiB are free")
            };
            let is_sum = line.ends_with("warnings.") || line.ends_with("warning.") || line.starts_with("Everything");
            !is_of_machine && !is_sum && !line.starts_with("exit code")
        })
        .collect();
    kept.join("\n")
}

#[test]
fn the_doctor_finds_what_is_wrong_with_an_app() {
    let app = App::new(&[("app.toml", MANIFEST.as_bytes())]);
    expect![[r#"
        problem  manifest: app.toml:8: functions.Accept.trigger.queueName: there is no app setting `QUEUE`
                 -> set it in the environment, or under `[values]` in local.settings.toml beside the manifest
    "#]]
    .assert_eq(&examine(&app, "doctor app.toml"));
    let output = app.run(&[], ["doctor", "app.toml"]);
    assert!(output.starts_with("exit code 1\n"), "{output}");
    expect![[r#"
        ok       manifest: app.toml is right; trips 1, functions: 1
        problem  settings: the connection TripStorage leads nowhere: the app setting 'TripStorage': the connection string has no AccountKey (or SharedAccessSignature); it has AccountName
                 -> correct it with `dacapo settings add app.toml TripStorage`, or in the environment
        problem  components: component 'main' is missing: there is no main.wasm
                 -> build it, or correct components.main.source
        ok       data folder: /.dacapo/trips is not there yet: the first start makes it
        ok       keys: there are none yet: the first start makes them
    "#]].assert_eq(&examine(&app, "doctor app.toml --env QUEUE=requests --env TripStorage=AccountName=a"));
    std::fs::write(app.path("main.wasm"), COMPONENT).expect("it can be written");
    expect![[r#"
        ok       manifest: app.toml is right; trips 1, functions: 1
        ok       settings: all that the manifest needs are there; see `dacapo settings app.toml`
        ok       components: component 'main' is in main.wasm
        problem  functions: component 'main': it exports neither dacapo:functions/describe nor wasi:http/incoming-handler@0.2
                 -> write it with an SDK, or export one of them
        ok       data folder: /.dacapo/trips is not there yet: the first start makes it
        ok       keys: there are none yet: the first start makes them
    "#]]
    .assert_eq(&examine(&app, "doctor app.toml --env QUEUE=requests"));
    assert!(!app.path(".dacapo").exists(), "a doctor changes nothing");
}

#[test]
fn the_doctor_names_who_has_a_port_with_and_without_a_manifest() {
    let app = App::new(&[]);
    let holder = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = holder.local_addr().expect("it has one").port().to_string();
    let output = app.run(&[], ["doctor", "--output", "json", "--port", &port]);
    let (code, json) = output.split_once('\n').expect("two lines");
    assert_eq!(code, "exit code 1");
    let report: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let findings = report["findings"].as_array().expect("a list");
    let of_port: Vec<_> =
        findings.iter().filter(|one| one["what"].as_str().is_some_and(|what| what.contains(&port))).collect();
    let [finding] = of_port.as_slice() else { panic!("{report:#}") };
    assert_eq!((finding["subject"].as_str(), finding["level"].as_str()), (Some("ports"), Some("problem")));
    let what = finding["what"].as_str().expect("text");
    assert!(what.contains(&format!("process {}", std::process::id())), "{what}");
    assert!(findings.iter().any(|one| one["subject"] == "toolchain"), "{report:#}");
}

#[test]
fn a_project_is_imported_and_the_doctor_takes_it_from_there() {
    let project = repository().join("host/manifest/tests/import/trips");
    let app = App::new(&[]);
    let copy = app.path("trips");
    copy_folder(&project, &copy);
    app.check(
        &[],
        "import trips -o imported/app.toml",
        &expect![[r#"
            exit code 1
            error: there is no folder /imported; make it, or choose another manifest with -o
        "#]],
    );
    std::fs::create_dir(app.path("imported")).expect("it is new");
    let output = app.run(&[], ["import", "trips", "-o", "imported/app.toml"]);
    assert!(output.starts_with("exit code 0\nWrote imported/app.toml\n"), "{output}");
    // The same project as in the manifest crate's tests, whose functions have another order and whose app another name.
    for (written, expected) in [("app.toml", "imported.toml"), ("local.settings.toml", "local.settings.toml")] {
        let expected = std::fs::read_to_string(project.join(expected)).expect("it is there");
        let expected = expected.replace("name = \"mytrips2\"", "name = \"trips\"");
        let tables = [app.read(&format!("imported/{written}")), expected].map(|text| text.parse::<toml::Table>());
        let [written, expected] = tables.map(|table| table.expect("it is TOML"));
        assert_eq!(written, expected);
    }
    app.check(&[], "import trips -o imported/app.toml", &expect![[r#"
        exit code 1
        error: imported/app.toml and /imported/local.settings.toml would be overwritten; pass --force for that, or choose another manifest with -o
    "#]]);
    app.check(
        &[],
        "settings imported/app.toml",
        &expect![[r#"
        exit code 1
        AzureWebJobsStorage: ********, from local.settings.toml
            leads to the store of this host
            connection of BookTrip, functions.BookTrip.outputs.requests (imported/app.toml:14)
            connection of Receive, functions.Receive.inputs.traveller (imported/app.toml:39)
            connection of Receive, functions.Receive.inputs.offers (imported/app.toml:44)
            connection of Receive, functions.Receive.outputs."$return" (imported/app.toml:49)
        HUB: missing
            used by host.durableTask.hubName (imported/app.toml:68)
        NIGHTLY: missing
            used by Nightly, functions.Nightly.trigger.schedule (imported/app.toml:27)
        PORT: ********, from local.settings.toml
            handed to the functions; the manifest does not name it
        QUEUE: ********, from local.settings.toml
            used by Receive, functions.Receive.trigger.queueName (imported/app.toml:34)
        RECEIVE_OFF: not set
            disables Receive, functions.Receive.disabled (imported/app.toml:30)
        TripStorage: not set
            leads to the store of this host
            connection of Receive, functions.Receive.trigger.connection (imported/app.toml:33)
        WEBSITE_TIME_ZONE: ********, from local.settings.toml
            handed to the functions; the manifest does not name it

        Missing or wrong: HUB, NIGHTLY. Set it with `dacapo settings add imported/app.toml HUB`, or in the environment.
    "#]],
    );
    app.check(&[], "import imported", &expect![[r#"
        exit code 3
        error: imported is no project of Azure Functions: it has no host.json and no folder with a function.json; name the folder that has them
    "#]]);
}

fn repository() -> PathBuf {
    // This test is part of host/server.
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("it can be made");
    for entry in std::fs::read_dir(from).expect("it is there") {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().expect("it has one");
        if path.is_dir() {
            copy_folder(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).expect("it can be copied");
        }
    }
}
