//! Judgements of facts, and one whole look at an app in a temporary folder.

use expect_test::{Expect, expect};
use manifest::{App, Component};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use storage::FolderState;

use super::components::{self, ComponentFile};
use super::ports::{self, Need, PortState};
use super::state::{self, DataFolder, FolderAccess};
use super::toolchain::{self, Toolchain};
use super::{Diagnosis, Finding, app, contents, line, watching};
use crate::data_folder::Layout;
use crate::manifest_file::LocatedApp;
use crate::port::Process;
use crate::settings::{AppSettings, Assignment, Environment};

fn check(findings: Vec<Finding>, expected: &Expect) {
    expected.assert_eq(&Diagnosis { findings }.in_words());
}

fn parse(text: &str) -> App {
    let text = format!("[app]\nname = 'trips'\nversion = '1'\n{text}");
    manifest::parse(&text, "app.toml", &manifest::no_settings).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_toolchain_is_judged_by_what_the_components_need() {
    let target = |is_there| vec![("wasm32-wasip2".to_owned(), is_there)];
    let full = Toolchain { cargo: Some("cargo 1.95.0".to_owned()), has_rustup: true, targets: target(Some(true)) };
    let lacks_target = Toolchain { targets: target(Some(false)), ..full.clone() };
    let by_distribution = Toolchain { has_rustup: false, ..lacks_target.clone() };
    let silent = Toolchain { targets: target(None), ..full.clone() };
    let nothing = Toolchain { cargo: None, has_rustup: false, targets: target(None) };
    let mut findings = Vec::new();
    for (toolchain, needed_by) in [
        (full, None),
        (lacks_target, Some("booking")),
        (by_distribution, Some("booking")),
        (silent, Some("booking")),
        (nothing.clone(), None),
        (nothing, Some("booking")),
    ] {
        findings.extend(toolchain::judge(&toolchain, needed_by));
    }
    check(
        findings,
        &expect![[r#"
        ok       toolchain: cargo 1.95.0
        ok       toolchain: the target wasm32-wasip2 is installed
        ok       toolchain: cargo 1.95.0
        warning  toolchain: the target wasm32-wasip2 is not installed
                 -> the next build adds it, which needs the network; or do it now: rustup target add wasm32-wasip2
        ok       toolchain: cargo 1.95.0
        problem  toolchain: the target wasm32-wasip2 is not installed, and there is no rustup to add it
                 -> install Rust from https://rustup.rs, or add the target in the way of your distribution
        ok       toolchain: cargo 1.95.0
        problem  toolchain: rustc does not tell whether it has the target wasm32-wasip2
                 -> run `rustc --print sysroot` in the component's folder, and correct what it says
        warning  toolchain: there is no cargo: functions in Rust cannot be built here
                 -> install Rust from https://rustup.rs
        problem  toolchain: there is no cargo, and component 'booking' is built with it
                 -> install Rust from https://rustup.rs, or start with --no-build and components that were built elsewhere

        3 problems, 2 warnings."#]],
    );
}

#[test]
fn components_are_judged_by_their_files() {
    let component = |build: &str| -> Component {
        let app = parse(&format!(
            "[components.a]\nsource = 'a.wasm'\n{build}\n[functions.A]\ntrigger = {{ type = 'entityTrigger' }}"
        ));
        app.components["a"].clone()
    };
    let (built, ready) = (component("build = { command = 'make' }"), component(""));
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let source = |seconds| Some((PathBuf::from("src/lib.rs"), at(seconds)));
    let there = ComponentFile::There(Some(at(10)));
    let cases = [
        (&ready, there.clone(), None),
        (&built, there.clone(), source(9)),
        (&built, there.clone(), source(10)),
        (&built, there, source(11)),
        (&built, ComponentFile::There(None), source(11)),
        (&built, ComponentFile::Missing, source(11)),
        (&ready, ComponentFile::Missing, None),
        (&ready, ComponentFile::Unreadable("permission denied".to_owned()), None),
        (&built, ComponentFile::Module, None),
        (&ready, ComponentFile::Other, None),
    ];
    let judge = |(component, file, newest): &(&Component, ComponentFile, Option<(PathBuf, SystemTime)>)| {
        components::judge("a", component, file, newest.as_ref())
    };
    check(
        cases.iter().map(judge).collect(),
        &expect![[r#"
        ok       components: component 'a' is in a.wasm
        ok       components: component 'a' is in a.wasm
        ok       components: component 'a' is in a.wasm
        warning  components: component 'a' is older than src/lib.rs
                 -> `dacapo start` builds it; or run: make; with --no-build the old one runs
        ok       components: component 'a' is in a.wasm
        warning  components: component 'a' is not built yet: there is no a.wasm
                 -> `dacapo start` builds it; or run: make
        problem  components: component 'a' is missing: there is no a.wasm
                 -> build it, or correct components.a.source
        problem  components: component 'a' cannot be read from a.wasm: permission denied
                 -> correct the file's access rights, or the path
        problem  components: component 'a' is a WebAssembly module and no component: a.wasm
                 -> build it for a target that makes components, such as wasm32-wasip2
        problem  components: component 'a' is no WebAssembly component: a.wasm
                 -> build it, or correct components.a.source

        4 problems, 2 warnings."#]],
    );
}

#[test]
fn ports_are_judged_by_who_has_them() {
    let process = |name: &str| Some(Process { id: 7, name: name.to_owned() });
    let cases = [
        (PortState::Free, Need::Required),
        (PortState::Taken(process("dacapo")), Need::Required),
        (PortState::Taken(process("node")), Need::Required),
        (PortState::Taken(process("node")), Need::Optional),
        (PortState::Taken(None), Need::Required),
        (PortState::Refused("permission denied".to_owned()), Need::Required),
    ];
    let judge =
        |(state, need): &(PortState, Need)| ports::judge(80, "the functions", "choose another one", *need, state);
    check(
        cases.iter().map(judge).collect(),
        &expect![[r#"
        ok       ports: port 80 for the functions is free
        warning  ports: port 80 for the functions is in use by a host: process 7 (dacapo)
                 -> for one more host beside it, choose another one
        problem  ports: port 80 for the functions is in use by process 7 (node)
                 -> stop that process, choose another one
        warning  ports: port 80 for the functions is in use by process 7 (node)
                 -> stop that process, choose another one
        problem  ports: port 80 for the functions is in use
                 -> stop that process, choose another one
        problem  ports: port 80 for the functions cannot be listened on: permission denied
                 -> choose another one

        3 problems, 2 warnings."#]],
    );
}

#[test]
fn data_folders_are_judged_by_room_rights_and_format() {
    let state = FolderState { format: Some(3), known_format: 3, has_rows: true, is_held: false, pid: Some(1) };
    let folder = |free, access, state| {
        let path = PathBuf::from("/data/trips");
        DataFolder { nearest: path.clone(), path, access, free: Some(free), state }
    };
    let (writable, read_only) = (FolderAccess::Writable, FolderAccess::ReadOnly);
    let good = 8 << 30;
    let folders = [
        folder(good, writable, None),
        folder(good, writable, Some(Ok(state))),
        folder(1 << 30, writable, Some(Ok(FolderState { format: Some(1), ..state }))),
        folder((1 << 30) - 1, writable, Some(Ok(FolderState { format: Some(4), ..state }))),
        folder(1 << 20, writable, Some(Ok(FolderState { format: None, ..state }))),
        folder(good, writable, Some(Ok(FolderState { format: None, has_rows: false, ..state }))),
        folder(good, read_only, Some(Err("permission denied".to_owned()))),
        folder(good, FolderAccess::NoFolder, Some(Err("not a directory".to_owned()))),
        folder(good, writable, Some(Ok(FolderState { is_held: true, pid: None, ..state }))),
    ];
    check(
        folders.iter().flat_map(|folder| state::judge(folder, 2 << 20)).collect(),
        &expect![[r#"
        ok       data folder: /data/trips is not there yet: the first start makes it
        ok       data folder: the store in /data/trips has format 3
        ok       data folder: the store in /data/trips has format 1; the next start makes it 3
        warning  data folder: only 1023 MiB are free
                 -> make room, or choose a folder on another disk with --data-dir
        problem  data folder: the store in /data/trips has format 4, and this host knows formats up to 3
                 -> use the newer host that has written it, or choose another folder with --data-dir
        problem  data folder: 1 MiB are free, less than the 2 MiB that the host keeps free: it takes no new work
                 -> make room, or choose a folder on another disk with --data-dir
        problem  data folder: the store in /data/trips does not say which format it has
                 -> restore the folder from a backup, or move it away and start with an empty one
        ok       data folder: there is no store in /data/trips yet: the first start makes it
        problem  data folder: /data/trips cannot be written
                 -> correct its access rights, or choose another folder with --data-dir
        problem  data folder: /data/trips cannot be read: permission denied
                 -> correct its access rights, or choose another folder with --data-dir
        problem  data folder: /data/trips is no folder
                 -> move it away, or choose another folder with --data-dir
        problem  data folder: /data/trips cannot be read: not a directory
                 -> correct its access rights, or choose another folder with --data-dir
        ok       data folder: the store in /data/trips has format 3
        warning  data folder: /data/trips is in use by another process
                 -> stop that host before another one is started on this folder

        7 problems, 2 warnings."#]],
    );
}

#[test]
fn keys_are_judged_by_who_can_read_them() {
    let secrets = Path::new("/data/secrets");
    let open = [(secrets.join("host.json"), "600"), (secrets.to_owned(), "700")];
    let mut findings = state::judge_keys(secrets, &[], Ok(()));
    findings.extend(state::judge_keys(secrets, &open, Ok(())));
    findings.extend(state::judge_keys(secrets, &[], Err("host.json is not JSON".to_owned())));
    check(
        findings,
        &expect![[r#"
        ok       keys: those in /data/secrets are readable by their owner alone
        problem  keys: others on this machine can look into /data/secrets/host.json, which lets callers in
                 -> run: chmod 600 /data/secrets/host.json; then `dacapo keys rotate` what may have been read
        problem  keys: others on this machine can look into /data/secrets, which lets callers in
                 -> run: chmod 700 /data/secrets; then `dacapo keys rotate` what may have been read
        problem  keys: host.json is not JSON
                 -> do one of these; `dacapo keys list` then shows what callers can use

        3 problems, no warnings."#]],
    );
}

#[test]
fn settings_are_judged_beyond_what_the_manifest_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("local.settings.toml"), "[values]\nQUEUE = 'a'\nTrips = 'AccountName=trips'")
        .expect("it can be written");
    let environment = Environment::of(&[("QUEUE", "b"), ("table", "T")]);
    let settings = AppSettings::read_with(&environment, &[], folder.path()).expect("it is right");
    let manifest = "[app]\nname = 'trips'\nversion = '1'\n[components.a]\nsource = 'a.wasm'\n[functions.A]\n\
                    trigger = { type = 'queueTrigger', queueName = '%QUEUE%', connection = 'Trips' }\n\
                    outputs.rows = { type = 'table', tableName = '%TABLE%' }";
    check(
        app::judge_settings(manifest, &settings, "app.toml"),
        &expect![[r#"
        warning  settings: QUEUE comes from the environment; the value in local.settings.toml has no effect
                 -> unset it, or remove it from the file with `dacapo settings delete app.toml QUEUE`
        warning  settings: TABLE is not set, and table is
                 -> write the name in the same way: upper and lower case make a difference
        problem  settings: the connection Trips leads nowhere: the app setting 'Trips': the connection string has no AccountKey (or SharedAccessSignature); it has AccountName
                 -> correct it with `dacapo settings add app.toml Trips`, or in the environment

        1 problem, 2 warnings."#]],
    );
}

#[test]
fn names_that_clash_are_told() {
    let app = parse(
        "[components.a]\nsource = 'a.wasm'\n\
         [functions.First]\ntrigger = { type = 'queueTrigger', queueName = 'orders' }\n\
         [functions.Second]\ntrigger = { type = 'queueTrigger', queueName = 'orders' }\n\
         [functions.Other]\ntrigger = { type = 'queueTrigger', queueName = 'orders', connection = 'Elsewhere' }\n\
         [functions.Any]\ntrigger = { type = 'httpTrigger', route = '{thing}' }\n\
         [functions.Known]\ntrigger = { type = 'httpTrigger', route = 'known' }",
    );
    check(
        app::judge_names(&app, &[PathBuf::from("copy.toml")]),
        &expect![[r#"
        warning  names: copy.toml describes an app named 'trips' too: both would use one data folder
                 -> give one of them another name, or start them with different --data-dir
        warning  names: First and Second take messages from one queue, 'orders': each message goes to one of them, by chance
                 -> give one of them another queue, unless that is meant
        warning  names: `/api/known` runs `Known`, whose route is more specific; Azure would run `Any`, whose name comes first
                 -> nothing, if this is meant; else make the routes differ more

        no problems, 3 warnings."#]],
    );
}

/// Everything about an app apart from ports and tools, which belong to the machine.
fn look(files: &[(&str, &str)], given: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("it can be made");
        std::fs::write(&path, text).expect("it can be written");
        open_for_all(&path, 0o644);
    }
    let secrets = folder.path().join(".dacapo/trips/secrets");
    if secrets.exists() {
        open_for_all(&secrets, 0o755);
    }
    let given: Vec<Assignment> = given.iter().map(|text| Assignment::parse(text).expect("an assignment")).collect();
    let mut findings = Vec::new();
    let manifest = folder.path().join("app.toml");
    let found =
        app::look(&manifest, &given, &Environment::default(), &mut findings).unwrap_or_else(|_| panic!("a folder"));
    if let Some(located) = found {
        components::look(&located.app, &located.folder, &mut findings);
        state::look(&Layout::of(&located.app.name, &located.folder, None), 0, &mut findings);
    }
    // How full the disk is belongs to the machine, too.
    findings.retain(|finding| !finding.what.contains("MiB are free"));
    Diagnosis { findings }.in_words().replace(&folder.path().display().to_string(), "")
}

/// Whatever new files are for on this machine.
fn open_for_all(path: &Path, mode: u32) {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("it is ours");
}

const APP: &str = "[app]\nname = 'trips'\nversion = '1'\n[components.a]\nsource = 'a.wasm'\n\
                   build = { command = 'make', watch = ['src/**/*.rs'] }\n\
                   [functions.A]\ntrigger = { type = 'queueTrigger', queueName = '%QUEUE%' }\n";

#[test]
fn an_app_that_is_in_place() {
    let component = "\0asm\x0d\0\x01\0";
    expect![[r#"
        ok       manifest: /app.toml is right; trips 1, functions: 1
        ok       settings: all that the manifest needs are there; see `dacapo settings /app.toml`
        ok       components: component 'a' is in a.wasm
        ok       data folder: /.dacapo/trips is not there yet: the first start makes it
        ok       keys: there are none yet: the first start makes them

        Everything is in place."#]]
    .assert_eq(&look(&[("app.toml", APP), ("src/a/lib.rs", ""), ("a.wasm", component)], &["QUEUE=orders"]));
}

#[test]
fn a_component_is_compared_with_all_that_its_build_watches() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // What means something in a pattern may be part of a folder's name.
    let root = folder.path().join("[trips]*");
    std::fs::create_dir_all(root.join("src/deep")).expect("it is new");
    let app = parse(
        "[components.a]\nsource = 'a.wasm'\nbuild = { command = 'make', watch = ['*.nothing', 'src/**/*.rs'] }\n\
         [functions.A]\ntrigger = { type = 'entityTrigger' }",
    );
    let write = |name: &str, content: &[u8], seconds| {
        std::fs::write(root.join(name), content).expect("it can be written");
        let file = std::fs::File::options().append(true).open(root.join(name)).expect("it is there");
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).expect("it is ours");
    };
    write("a.wasm", b"\0asm\x0d\0\x01\0", 1_000);
    write("src/lib.rs", b"", 900);
    write("src/deep/notes.txt", b"", 2_000);
    let look = || {
        let mut findings = Vec::new();
        components::look(&app, &root, &mut findings);
        Diagnosis { findings }.in_words().replace(&root.display().to_string(), "")
    };
    expect![[r#"
        ok       components: component 'a' is in a.wasm

        Everything is in place."#]]
    .assert_eq(&look());
    write("src/deep/booking.rs", b"", 1_001);
    expect![[r#"
        warning  components: component 'a' is older than /src/deep/booking.rs
                 -> `dacapo start` builds it; or run: make; with --no-build the old one runs

        no problems, 1 warning."#]]
    .assert_eq(&look());
}

#[test]
fn an_app_that_is_not() {
    let files = [
        ("app.toml", APP),
        ("other.toml", APP),
        ("Cargo.toml", "[package]\nname = 'trips'"),
        ("local.settings.toml", "[value]\n"),
        ("a.wasm", "\0asm\x01\0\0\0"),
        (".dacapo/trips/format", "dacapo store, format 99\n"),
        (".dacapo/trips/secrets/host.json", "{"),
    ];
    expect![[r#"
        problem  settings: /local.settings.toml: TOML parse error at line 1, column 2
                   |
                 1 | [value]
                   |  ^^^^^
                 unknown field `value`, expected `values` or `host`
                 -> correct the file
        problem  manifest: /app.toml:8: functions.A.trigger.queueName: there is no app setting `QUEUE`
                 -> set it in the environment, or under `[values]` in local.settings.toml beside the manifest
        warning  settings: others on this machine can read /local.settings.toml, where secrets may be
                 -> run: chmod 600 /local.settings.toml

        2 problems, 1 warning."#]]
    .assert_eq(&look(&files, &[]));
    expect![[r#"
        problem  settings: /local.settings.toml: TOML parse error at line 1, column 2
                   |
                 1 | [value]
                   |  ^^^^^
                 unknown field `value`, expected `values` or `host`
                 -> correct the file
        ok       manifest: /app.toml is right; trips 1, functions: 1
        warning  settings: others on this machine can read /local.settings.toml, where secrets may be
                 -> run: chmod 600 /local.settings.toml
        warning  names: /other.toml describes an app named 'trips' too: both would use one data folder
                 -> give one of them another name, or start them with different --data-dir
        problem  components: component 'a' is a WebAssembly module and no component: a.wasm
                 -> build it for a target that makes components, such as wasm32-wasip2
        problem  data folder: the store in /.dacapo/trips has format 99, and this host knows formats up to 3
                 -> use the newer host that has written it, or choose another folder with --data-dir
        problem  keys: others on this machine can look into /.dacapo/trips/secrets, which lets callers in
                 -> run: chmod 700 /.dacapo/trips/secrets; then `dacapo keys rotate` what may have been read
        problem  keys: others on this machine can look into /.dacapo/trips/secrets/host.json, which lets callers in
                 -> run: chmod 600 /.dacapo/trips/secrets/host.json; then `dacapo keys rotate` what may have been read
        problem  keys: the keys in /.dacapo/trips/secrets/host.json cannot be used: line 1, column 1: the file ends too early; nothing was changed. Correct the file, put a copy of it back, or move it away: then new keys are made at the next start
                 -> do one of these; `dacapo keys list` then shows what callers can use

        6 problems, 2 warnings."#]].assert_eq(&look(&files, &["QUEUE=orders"]));
    expect![[r#"
        problem  manifest: there is no manifest /app.toml; check the path
                 -> name the app's manifest, a TOML file

        1 problem, no warnings."#]]
    .assert_eq(&look(&[], &[]));
}

#[test]
fn a_store_that_is_open_is_told_with_its_process() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("trips");
    let clock = std::sync::Arc::new(crate::clock::SystemClock);
    let hub = storage::embedded(&path, clock, storage::Settings::default()).expect("a new store");
    let held = FolderState::of(&path).expect("it can be looked at");
    assert_eq!((held.is_held, held.pid), (true, Some(std::process::id())));
    drop(hub);
    let free = FolderState::of(&path).expect("it can be looked at");
    assert!(!free.is_held && free.has_rows && free.format == Some(free.known_format));
}

#[test]
fn what_can_be_watched_is_judged() {
    let check = |folders, one_more: Result<(), &str>, allowed, expected: &Expect| {
        let limits = watching::Limits { one_more: one_more.map_err(str::to_owned), folders: allowed };
        expected.assert_eq(&line(&watching::judge(folders, &limits)));
    };
    check(
        3,
        Ok(()),
        Some(8_192),
        &expect![[r#"
        ok       watching: changes in 3 folders would be noticed
    "#]],
    );
    check(
        3,
        Ok(()),
        None,
        &expect![[r#"
        ok       watching: changes in 3 folders would be noticed
    "#]],
    );
    check(
        10_000,
        Ok(()),
        Some(8_192),
        &expect![[r#"
        warning  watching: 10000 folders are to be watched, and the system allows 8192
                 -> allow more: sudo sysctl fs.inotify.max_user_watches=524288; until then `dacapo start` looks for changes every two seconds
    "#]],
    );
    check(
        3,
        Err("Too many open files"),
        Some(8_192),
        &expect![[r#"
        warning  watching: the system lets no more programs watch files: Too many open files
                 -> end others, or allow more: sudo sysctl fs.inotify.max_user_instances=1024; until then `dacapo start` looks for changes every two seconds
    "#]],
    );
}

#[test]
fn a_component_without_a_function_is_judged() {
    use guest::{BindingError, FunctionKind};
    let text = "app = { name = 'a', version = '1' }\ncomponents.c.source = 'c.wasm'\n[functions.Book]\ntrigger.type = 'activityTrigger'";
    let app = manifest::parse(text, "app.toml", &manifest::no_settings).expect("it is right");
    let located = LocatedApp { app, folder: PathBuf::from("apps"), file: "app.toml".to_owned(), text: text.to_owned() };
    let check = |error: &BindingError, expected: &Expect| {
        expected.assert_eq(&line(&contents::judge_binding(error, &located)));
    };
    let (function, component) = ("Book".to_owned(), "c".to_owned());
    check(
        &BindingError::NotFound {
            function: function.clone(),
            entry_point: "Book".to_owned(),
            kind: FunctionKind::Activity,
            component: component.clone(),
            known: vec![("BookTrip".to_owned(), FunctionKind::Activity)],
        },
        &expect![[r#"
            problem  functions: app.toml:3: function 'Book': the component 'c' has no activity named 'Book'; it has: BookTrip (activity)
                     -> name one of those as the function's entryPoint, or build the component with a function of that name
        "#]],
    );
    check(
        &BindingError::Kind {
            function,
            entry_point: "Book".to_owned(),
            component,
            found: FunctionKind::Orchestrator,
            wanted: FunctionKind::Activity,
        },
        &expect![[r#"
            problem  functions: app.toml:3: function 'Book': 'Book' in the component 'c' is an orchestrator, but its trigger needs an activity
                     -> change the trigger's type, or the function's attribute in the code
        "#]],
    );
}
