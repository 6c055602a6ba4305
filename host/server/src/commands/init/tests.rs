//! Which files a project has, what stays of those that are there, and what is refused. That a project builds and runs is up to the
//! end-to-end tests.

use clap::Parser;
use expect_test::{Expect, expect};
use std::path::Path;

use super::*;
use crate::cli::{Cli, Command};

/// `dacapo init FOLDER --yes` and more, which never asks anybody.
fn run_in(folder: &Path, more: &str) -> Result<Written, Problem> {
    let line = ["dacapo", "init", "--yes"].into_iter().map(str::to_owned).chain([folder.display().to_string()]);
    let cli = Cli::try_parse_from(line.chain(more.split_whitespace().map(str::to_owned)));
    let Command::Init(arguments) = cli.expect("it can be said").command else { panic!("{more} is another command") };
    if arguments.sdk_only { renew_sdk(&arguments.folder) } else { init(&arguments) }
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation belongs to its check")]
fn check(folder: &Path, more: &str, expected: Expect) {
    let text = match run_in(folder, more) {
        Ok(written) => written.in_words(),
        Err(problem) => format!("{:#}", problem.into_error()),
    };
    let parent = folder.parent().expect("a folder in another").display().to_string();
    // How many files the SDK has is none of these tests' business.
    let of_sdk = format!("({} files", sdk::SOURCES.len());
    expected.assert_eq(&text.replace(&format!("{parent}/"), "").replace(&of_sdk, "(N files"));
}

fn read(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn a_project_is_made_once() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("trips");
    check(
        &folder,
        "",
        expect![[r#"
        Made the app trips with StartWelcome, WelcomeStatus, Welcome, WelcomeGreet, WelcomeLetter
          trips/.gitignore
          trips/Cargo.toml
          trips/README.md
          trips/local.settings.toml
          trips/src/welcome.rs
          trips/src/lib.rs
          trips/trips.toml
          trips/vendor/dacapo (N files: the SDK of dacapo 0.1.0)

        Next:
          cd trips
          cargo test
          dacapo start
          curl -i http://localhost:7071/api/welcome -d '["Ada", "Grace"]'"#]],
    );
    check(
        &folder,
        "",
        expect![
            "trips/Cargo.toml, trips/src/lib.rs would be overwritten; choose another folder, add a function to the project with `dacapo new`, or pass --force"
        ],
    );
    fs::write(folder.join("src/welcome.rs"), "mine").expect("it can be written");
    check(
        &folder,
        "--force --template http --name Welcome",
        expect![[r#"
        Made the app trips with Welcome
          trips/.gitignore
          trips/Cargo.toml
          trips/README.md
          trips/local.settings.toml
          trips/src/welcome.rs
          trips/src/lib.rs
          trips/trips.toml
          trips/vendor/dacapo (N files: the SDK of dacapo 0.1.0)

        Next:
          cd trips
          cargo test
          dacapo start
          curl 'http://localhost:7071/api/welcome?name=Ada'"#]],
    );
    assert!(read(&folder, "src/welcome.rs").contains("#[dacapo::http]"));
}

/// The project with the durable starter, in a folder `trips` of a temporary one.
fn starter() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("trips");
    run_in(&folder, "").map_err(Problem::into_error).expect("it is made");
    (parent, folder)
}

#[test]
fn the_manifest_says_how_it_is_built_and_what_starts_what() {
    let (_parent, folder) = starter();
    expect![[r##"
        # The functions of the app trips, and what starts them. `dacapo new` adds one; README.md has more.
        [app]
        name = "trips"
        version = "0.1.0"

        [components.trips]
        source = "target/wasm32-wasip2/release/trips.wasm"
        [components.trips.build]
        command = "cargo build --release --target wasm32-wasip2 --target-dir target"
        watch = ["src/**/*.rs", "Cargo.toml", "Cargo.lock", "vendor/**/*.rs"]

        [functions.StartWelcome]
        trigger = { type = "httpTrigger", methods = ["post"], route = "welcome", authLevel = "function" }
        [functions.WelcomeStatus]
        trigger = { type = "httpTrigger", methods = ["get"], route = "welcome/{id}", authLevel = "function" }
        [functions.Welcome]
        trigger = { type = "orchestrationTrigger" }
        [functions.WelcomeGreet]
        trigger = { type = "activityTrigger" }
        [functions.WelcomeLetter]
        trigger = { type = "activityTrigger" }
    "##]]
    .assert_eq(&read(&folder, "trips.toml"));
    expect![[r#"
        //! The functions of the app trips: a module each, with its tests.

        mod welcome;
    "#]]
    .assert_eq(&read(&folder, "src/lib.rs"));
}

#[test]
fn the_crate_is_a_workspace_with_the_sdk_in_it() {
    let (_parent, folder) = starter();
    expect![[r#"
        [package]
        name = "trips"
        version = "0.1.0"
        edition = "2024"
        rust-version = "1.95"
        publish = false

        # A workspace of its own, whatever folder it is in; and so are the SDK's sources.
        [workspace]
        exclude = ["vendor"]

        [lib]
        crate-type = ["cdylib"]

        [dependencies]
        dacapo-sdk = { path = "vendor/dacapo/sdk/rust/dacapo-sdk" }
        serde = { version = "1", features = ["derive"] }

        # A small and fast component.
        [profile.release]
        debug = false
        opt-level = 3
        lto = true
        codegen-units = 1
        strip = true
        panic = "abort"
    "#]]
    .assert_eq(&read(&folder, "Cargo.toml"));
}

#[test]
fn the_readme_says_where_the_sdk_is_from() {
    let (_parent, folder) = starter();
    expect![[r##"
        # trips

        A function app for Dacapo. It needs Rust 1.95 or later, with `rustup target add wasm32-wasip2`.

        ```sh
        cargo test      # natively: no WebAssembly, no host, no waiting
        dacapo start    # builds the component and serves it on http://localhost:7071, and again after each change
        ```

        Then:

        ```sh
        curl -i http://localhost:7071/api/welcome -d '["Ada", "Grace"]'
        ```

        `trips.toml` says what starts which function, `src/lib.rs` lists their modules, `local.settings.toml` has settings for this machine
        alone. `dacapo new` adds functions.

        The SDK, `dacapo-sdk`, is not on crates.io. Its sources are in `vendor/dacapo`, as dacapo 0.1.0 brought them; they
        belong to the project, so commit them. After an update of dacapo, `dacapo init --sdk-only` brings those of its version.
    "##]].assert_eq(&read(&folder, "README.md"));
}

#[test]
fn the_settings_file_is_right_and_for_its_owner() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    run_in(parent.path(), "--empty --app trips").map_err(Problem::into_error).expect("it is made");
    let environment = crate::settings::Environment::default();
    let settings = crate::settings::AppSettings::read(&environment, parent.path()).expect("it is right");
    assert_eq!(settings.values.len(), 0);
    #[cfg(unix)]
    {
        let path = crate::settings::file_in(parent.path());
        let permissions = fs::metadata(path).expect("it is there").permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o777, 0o600);
    }
}

#[test]
fn what_people_have_stays() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path();
    for (path, text) in [(".gitignore", "*.log\n/target/"), ("README.md", "mine"), ("local.settings.toml", "# mine")] {
        fs::write(folder.join(path), text).expect("it can be written");
    }
    fs::write(folder.join("Cargo.toml"), [0xff]).expect("it can be written");
    run_in(folder, "--force").map_err(Problem::into_error).expect("it is made");
    assert!(read(folder, "Cargo.toml").starts_with("[package]"));
    assert_eq!(read(folder, ".gitignore"), "*.log\n/target/\n.dacapo/\nlocal.settings.toml\n");
    assert_eq!((read(folder, "README.md"), read(folder, "local.settings.toml")), ("mine".into(), "# mine".into()));
}

#[test]
fn half_a_project_is_not_made() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("trips");
    fs::create_dir(&folder).expect("it is new");
    fs::write(folder.join("trips.toml"), "mine").expect("it is new");
    check(
        &folder,
        "",
        expect![
            "trips/trips.toml would be overwritten; choose another folder, add a function to the project with `dacapo new`, or pass --force"
        ],
    );
    fs::remove_file(folder.join("trips.toml")).expect("it was there");
    check(
        &folder,
        "--template timer --schedule never",
        expect![[
            r#"the manifest would be wrong with the function Report: functions.Report.trigger.schedule: "never": `never` has 1 field where a schedule has six or five; write six fields (seconds, minutes, hours, day, month, weekday), five without the seconds, or an interval `hh:mm:ss`"#
        ]],
    );
    check(
        &folder,
        "--app 7up",
        expect![[
            r#"--app: "7up" cannot be an app's name: begin with a letter, go on with letters, digits, `-` and `_`, 64 characters at most"#
        ]],
    );
    check(
        &folder,
        "--name a/b",
        expect![[
            r#"--name: "a/b" cannot be a function's name: begin with a letter, go on with letters, digits, `-` and `_`, 128 characters at most"#
        ]],
    );
    check(
        &folder,
        "--sdk nowhere",
        expect!["--sdk nowhere: there is no such folder: No such file or directory (os error 2)"],
    );
    assert_eq!(fs::read_dir(&folder).expect("it is there").count(), 0);
}

#[test]
fn the_sdk_can_be_elsewhere() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let more = format!("--empty --app trips --sdk {}", top.display());
    let written = run_in(parent.path(), &more).map_err(Problem::into_error).expect("it is made");
    let found = top.canonicalize().expect("it is there").display().to_string();
    assert!(read(parent.path(), "Cargo.toml").contains(&format!("path = \"{found}/sdk/rust/dacapo-sdk\"")));
    assert_eq!(
        written.files,
        [".gitignore", "Cargo.toml", "README.md", "local.settings.toml", "src/lib.rs", "trips.toml"]
    );
    let wrong = run_in(parent.path(), &format!("--force --sdk {}", parent.path().display()));
    let error = wrong.map(drop).map_err(Problem::into_error).expect_err("there is no SDK");
    assert!(error.to_string().ends_with("there is no sdk/rust/dacapo-sdk in it; name the top of a checkout of Dacapo"));
}

#[test]
fn the_sdk_alone_is_renewed() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("trips");
    check(
        &folder,
        "--sdk-only",
        expect!["there is no trips/vendor/dacapo to renew; name the folder of a project that has it"],
    );
    run_in(&folder, "--empty").map_err(Problem::into_error).expect("it is made");
    let vendored = folder.join(sdk::VENDORED);
    fs::write(vendored.join("sdk/rust/dacapo-sdk/src/old.rs"), "old").expect("it is new");
    fs::remove_file(vendored.join("sdk/wit/functions.wit")).expect("it was there");
    fs::write(folder.join("src/lib.rs"), "mine").expect("it can be written");
    check(&folder, "--sdk-only", expect!["Wrote trips/vendor/dacapo (N files: the SDK of dacapo 0.1.0)"]);
    assert!(!vendored.join("sdk/rust/dacapo-sdk/src/old.rs").exists());
    assert!(vendored.join("sdk/wit/functions.wit").exists());
    assert_eq!(read(&folder, "src/lib.rs"), "mine");
}

#[test]
fn the_sdk_goes_along_without_its_tests() {
    let paths: Vec<&str> = sdk::SOURCES.iter().map(|(path, _)| *path).collect();
    for needed in
        ["Cargo.toml", "LICENSE-MIT", "sdk/rust/dacapo-sdk/src/lib.rs", "sdk/rust/dacapo-sdk-macros/Cargo.toml"]
    {
        assert!(paths.contains(&needed), "{needed} is missing in {paths:?}");
    }
    assert!(!paths.iter().any(|path| path.contains("/tests")), "{paths:?}");
    let tests = sdk::SOURCES.iter().find(|(_, text)| text.contains("\nmod tests;"));
    assert_eq!(tests, None);
}

#[test]
fn names_of_apps() {
    let check = |folder: &str, expected: &str| {
        let app = AppName::of_folder(Path::new(folder));
        assert_eq!(format!("{} {} {} {}", app.as_str(), app.manifest(), app.package(), app.file_stem()), expected);
        AppName::parse(app.as_str()).expect("it is valid");
    };
    check("trips", "trips trips.toml trips trips");
    check("Conference Trips", "Conference-Trips Conference-Trips.toml conference-trips conference_trips");
    check("2026.trips_", "trips trips.toml trips trips");
    check("dacapo", "dacapo dacapo.toml dacapo-app dacapo_app");
    check("Cargo", "Cargo app.toml cargo cargo");
    check("旅行", "app app.toml app app");
    check("/", "app app.toml app app");
    let error = AppName::parse("my app").expect_err("it has a blank");
    assert!(error.starts_with("\"my app\" cannot be an app's name: begin with a letter"), "{error}");
}

#[test]
fn every_app_has_a_manifest_that_is_right() {
    for (app, more) in
        [("a", ""), ("a-b_2", "--template timer"), ("dacapo", "--template entity"), ("Cargo", "--template http")]
    {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let more = format!("--app {app} {more}");
        let written = run_in(parent.path(), &more).map_err(Problem::into_error).expect("it is made");
        let file = written.manifest.expect("a project has a manifest");
        let text = fs::read_to_string(&file).expect("it was made");
        let parsed = manifest::parse(&text, &file, &manifest::no_settings);
        assert_eq!(parsed.map(|app| app.name).map_err(|problems| problems.to_string()), Ok(app.to_owned()));
    }
}
