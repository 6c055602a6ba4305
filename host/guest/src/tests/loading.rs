//! Loading: the cache of compiled code, and what is said about files that are no good.

use super::fixtures::{RecordingClient, bind_all, load, runtime, small_settings, source};
use crate::{App, Binding, Compilation, ComponentSource, FunctionKind, GuestSettings, Runtime};
use expect_test::{Expect, expect};
use manifest::OutboundHost;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

fn compiled(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("compiled"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

async fn loads_from_cache(folder: &Path) -> bool {
    let settings = GuestSettings { invocation_slots: 4, orchestrator_slots: 4, ..small_settings() };
    let runtime = Runtime::new(settings, folder).expect("a runtime");
    load(&runtime, "bench-functions").await.from_cache()
}

#[tokio::test]
async fn code_is_compiled_once_and_again_when_it_is_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(!loads_from_cache(folder.path()).await, "there is nothing yet");
    let files = compiled(folder.path());
    assert_eq!(files.len(), 2, "one for each kind of sandbox, whatever allocates the guests: {files:?}");
    assert!(loads_from_cache(folder.path()).await);
    assert_eq!(compiled(folder.path()), files);

    let mut code = fs::read(&files[0]).expect("the code");
    let middle = code.len() / 2;
    code[middle] ^= 1;
    fs::write(&files[0], &code).expect("damaged");
    assert!(!loads_from_cache(folder.path()).await, "one bit is enough");
    assert!(loads_from_cache(folder.path()).await, "it was written anew");

    fs::write(&files[1], b"short").expect("damaged");
    assert!(!loads_from_cache(folder.path()).await);
    assert_eq!(compiled(folder.path()), files);
}

fn runtime_for(compilation: Compilation, folder: &Path) -> Runtime {
    let settings = GuestSettings { invocation_slots: 4, orchestrator_slots: 4, ..small_settings() };
    Runtime::with_compilation(settings, folder, compilation).expect("a runtime")
}

#[tokio::test]
async fn what_has_no_orchestrators_is_compiled_for_invocations_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let component = load(&runtime_for(Compilation::Lasting, folder.path()), "hello-http").await;
    assert!(component.orchestrators().is_none());
    assert_eq!(compiled(folder.path()).len(), 1);
}

#[tokio::test]
async fn in_the_development_loop_only_what_has_changed_is_compiled() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = runtime_for(Compilation::Passing, folder.path());
    let before = load(&runtime, "steps-before").await;
    let functions = runtime.kept_functions();
    assert!(functions > 100, "{functions}");
    assert_eq!(compiled(folder.path()).len(), 1, "one code for both kinds of sandbox");
    let after = load(&runtime, "steps-after").await;
    assert!(!after.from_cache() && after.digest() != before.digest());
    let new = runtime.kept_functions() - functions;
    // Some are compiled again although they are the same: the compiler's key of a function differs a little from run to run.
    assert!(new > 0 && new < functions / 2, "{new} functions besides {functions}");
}

#[tokio::test]
async fn what_was_compiled_by_an_earlier_process_can_be_compiled_ahead() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = runtime_for(Compilation::Passing, folder.path());
    load(&first, "steps-before").await;
    let runtime = runtime_for(Compilation::Passing, folder.path());
    assert!(load(&runtime, "steps-before").await.from_cache());
    assert_eq!(runtime.kept_functions(), 0);
    let wasm = fs::read(artifacts::guest("steps-before")).expect("it was built");
    runtime.compile_ahead(&wasm);
    let ahead = runtime.kept_functions();
    assert!(ahead > first.kept_functions() / 2, "{ahead} functions");
    runtime.compile_ahead(b"no component");
    let lasting = runtime_for(Compilation::Lasting, folder.path());
    lasting.compile_ahead(&wasm);
    assert_eq!(lasting.kept_functions(), 0);
    assert_eq!(compiled(folder.path()).len(), 1, "it is in memory only");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_user_can_reach_the_cache() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("compiled")).expect("the folder");
    fs::set_permissions(folder.path().join("compiled"), fs::Permissions::from_mode(0o777)).expect("wide open");
    let _runtime = Runtime::new(small_settings(), folder.path()).expect("a runtime");
    let mode = fs::metadata(folder.path().join("compiled")).expect("the folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn without_a_cache_everything_works() {
    let file = tempfile::NamedTempFile::new().expect("a file, where a folder is expected");
    assert!(!loads_from_cache(file.path()).await);
    assert!(!loads_from_cache(file.path()).await);
}

#[tokio::test]
async fn a_component_says_what_it_has() {
    let component = load(&runtime(), "bench-functions").await;
    let functions: Vec<String> = component.functions().iter().map(|(name, kind)| format!("{kind} {name}")).collect();
    expect!["orchestrator Chain, activity Echo, orchestrator FanOut, HTTP function Hello, orchestrator Sleep"]
        .assert_eq(&functions.join(", "));
    assert_eq!(component.digest().len(), 64);
    assert!(!component.is_wasi_http());
    assert!(load(&runtime(), "hello-wasi-http").await.is_wasi_http());
}

async fn check_file(content: Option<&[u8]>, build_command: Option<&str>, expected: Expect) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("booking.wasm");
    if let Some(content) = content {
        fs::write(&path, content).expect("written");
    }
    let source = ComponentSource { build_command: build_command.map(str::to_owned), ..source(&path) };
    let error = runtime().load(source).await.expect_err("an error").to_string();
    expected.assert_eq(&error.replace(&folder.path().display().to_string(), "FOLDER"));
}

#[tokio::test]
async fn files_that_are_no_good() {
    check_file(
        None,
        None,
        expect![
            "component 'booking': there is no file FOLDER/booking.wasm; build it, or correct the component's `source`"
        ],
    )
    .await;
    check_file(
        None,
        Some("cargo build --release"),
        expect!["component 'booking': there is no file FOLDER/booking.wasm; build it with `cargo build --release`"],
    )
    .await;
    check_file(Some(b"<html>"), None, expect![[r#"component 'booking': FOLDER/booking.wasm is no WebAssembly file (it does not begin with \0asm); `source` names the .wasm file that the build makes"#]]).await;
    check_file(Some(b"\0asm\x01\0\0\0"), None, expect!["component 'booking': FOLDER/booking.wasm is a core WebAssembly module, not a component; build it for the target wasm32-wasip2 (`rustup target add wasm32-wasip2`, then `cargo build --release --target wasm32-wasip2`), or turn it into a component with `wasm-tools component new`"]).await;
    check_file(Some(b"\0asm\x0d\0\x01\0"), None, expect!["component 'booking': it exports neither dacapo:functions/describe nor wasi:http/incoming-handler@0.2; write it with an SDK, or export one of them"]).await;
    check_file(Some(b"\0asm\x0d\0\x01\0garbage"), None, expect!["component 'booking': FOLDER/booking.wasm is no valid component: failed to parse WebAssembly module: unexpected end-of-file (at offset 0xa); build it again"]).await;
    check_file(Some(&importing("acme:database/rows@1.0.0")), None, expect!["component 'booking': it imports 'acme:database/rows@1.0.0', which this host does not offer in that form (component imports instance `acme:database/rows@1.0.0`, but a matching implementation was not found in the linker: instance export `f` has the wrong type: function implementation is missing); build it with an SDK of this host's version, against WASI 0.2"]).await;
}

/// A component that imports an empty instance and a function in it: built by hand, since no tool of ours makes bad ones.
fn importing(name: &str) -> Vec<u8> {
    let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
    // Type section: an instance type that declares a function type without parameters and results, and exports it as "f".
    let instance = [0x42, 2, 0x01, 0x40, 0, 1, 0, 0x04, 0x00, 1, b'f', 0x01, 0];
    section(&mut wasm, 7, &[&[1], &instance[..]].concat());
    // Import section: that instance.
    let length = u8::try_from(name.len()).expect("a short name");
    section(&mut wasm, 10, &[&[1, 0x00, length], name.as_bytes(), &[0x05, 0]].concat());
    wasm
}

fn section(wasm: &mut Vec<u8>, id: u8, content: &[u8]) {
    wasm.extend([id, u8::try_from(content.len()).expect("a short section")]);
    wasm.extend_from_slice(content);
}

async fn check_bindings(change: impl Fn(&mut Vec<Binding>), expected: Expect) {
    let runtime = runtime();
    let component = load(&runtime, "bench-functions").await;
    let mut bindings = bind_all(&component);
    change(&mut bindings);
    let problems =
        App::new(&runtime, bindings, Vec::new(), Arc::new(RecordingClient::default()), None).expect_err("problems");
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    expected.assert_eq(&problems.join("\n"));
}

#[tokio::test]
async fn bindings_that_are_no_good() {
    let all_at_once = |bindings: &mut Vec<Binding>| {
        bindings[0].entry_point = "Chian".to_owned();
        bindings[1].kind = FunctionKind::Http;
    };
    check_bindings(all_at_once, expect![[r#"
        function 'Chain': the component 'bench_functions' has no orchestrator named 'Chian'; it has: Chain (orchestrator), Echo (activity), FanOut (orchestrator), Hello (HTTP function), Sleep (orchestrator)
        function 'Echo': 'Echo' in the component 'bench_functions' is an activity, but its trigger needs an HTTP function; change the trigger's type, or the function's attribute in the code"#]]).await;
    let twice = |bindings: &mut Vec<Binding>| {
        let mut again = bindings[0].clone();
        again.function = again.function.to_uppercase();
        bindings.push(again);
    };
    check_bindings(twice, expect!["function 'CHAIN' is there twice; names are compared without case, so rename one"])
        .await;
    let bound = |bindings: &mut Vec<Binding>| {
        bindings[0].inputs = vec!["rates".to_owned()];
        bindings[0].outputs = vec!["receipts".to_owned()];
    };
    check_bindings(bound, expect!["function 'Chain' has the bindings rates, receipts, but an orchestrator cannot use any; give them to an activity that it calls"]).await;
}

#[tokio::test]
async fn who_cannot_use_bindings() {
    let runtime = runtime();
    let check = async |guest, kind, outputs: &[&str], expected: Expect| {
        let component = load(&runtime, guest).await;
        let named = component.functions().iter().find(|(_, k)| *k == kind).map_or("Hello", |(name, _)| name);
        let binding = Binding {
            function: "F".to_owned(),
            entry_point: named.to_owned(),
            kind,
            timeout: None,
            heartbeat_timeout: None,
            inputs: Vec::new(),
            outputs: outputs.iter().map(|name| (*name).to_owned()).collect(),
            component,
        };
        let bound = App::for_replay(&runtime, vec![binding]);
        expected.assert_eq(&bound.map_or_else(|problems| problems[0].to_string(), |_| "bound".to_owned()));
    };
    check(
        "contract-probe",
        FunctionKind::Entity,
        &["receipts", "$return"],
        expect![
            "function 'F' has the bindings receipts, $return, but an entity cannot use any; give them to an activity"
        ],
    )
    .await;
    check("hello-wasi-http", FunctionKind::Http, &["receipts", "$return"], expect!["function 'F' has the bindings receipts, but a standard HTTP component cannot use any; leave them out, or write the function with an SDK, as one that takes and gives whole bodies"]).await;
    check("hello-wasi-http", FunctionKind::Http, &["$return"], expect!["bound"]).await;
    check("contract-probe", FunctionKind::Queue, &["receipts", "$return"], expect!["bound"]).await;
}

#[tokio::test]
async fn a_component_from_bytes_is_the_same() {
    let runtime = runtime();
    let path = artifacts::guest("contract-probe");
    let wasm = fs::read(&path).expect("the component");
    let from_file = load(&runtime, "contract-probe").await;
    assert_eq!(crate::digest(&wasm), from_file.digest());
    // Where the bytes are given, nobody looks for the file.
    let elsewhere = ComponentSource { path: PathBuf::from("kept"), ..source(&path) };
    let from_bytes = runtime.load_bytes(elsewhere.clone(), wasm).await.expect("a component that loads");
    assert_eq!((from_bytes.digest(), from_bytes.functions()), (from_file.digest(), from_file.functions()));
    let no_component = runtime.load_bytes(elsewhere, b"garbage".to_vec()).await.expect_err("an error");
    expect![[r#"component 'contract_probe': kept is no WebAssembly file (it does not begin with \0asm); `source` names the .wasm file that the build makes"#]].assert_eq(&no_component.to_string());
}

#[tokio::test]
async fn the_digest_of_an_app_follows_from_its_functions() {
    let runtime = runtime();
    let probe = bind_all(&load(&runtime, "contract-probe").await);
    let bench = bind_all(&load(&runtime, "bench-functions").await);
    let digest =
        |bindings: &[Binding]| App::for_replay(&runtime, bindings.to_vec()).expect("all bound").digest().to_owned();
    let mut reversed = probe.clone();
    reversed.reverse();
    assert_eq!(digest(&probe), digest(&reversed));
    let mut slower = probe.clone();
    slower[0].timeout = Some(Duration::from_secs(1));
    assert_eq!(digest(&probe), digest(&slower), "limits are no code");
    let mut bound = probe.clone();
    for binding in bound.iter_mut().filter(|binding| binding.kind == FunctionKind::Activity) {
        binding.outputs = vec!["receipts".to_owned()];
    }
    assert_eq!(digest(&probe), digest(&bound), "bindings are no code");
    let mut renamed = probe.clone();
    renamed[0].function = "Renamed".to_owned();
    let different = [&probe, &bench, &probe[1..], &renamed, &[&probe[..], &bench[..]].concat()].map(digest);
    assert_eq!(BTreeSet::from(different.clone()).len(), different.len(), "{different:?}");
    assert!(different.iter().all(|digest| digest.len() == 64));
}

#[tokio::test]
async fn an_app_knows_where_its_orchestrators_may_send_requests() {
    let runtime = runtime();
    let hosts: Vec<OutboundHost> = vec!["https://example.com".parse().expect("a host")];
    let source = ComponentSource { allowed_hosts: hosts.clone(), ..source(&artifacts::guest("contract-probe")) };
    let component = runtime.load(source).await.expect("a component that loads");
    let app = App::for_replay(&runtime, bind_all(&component)).expect("all bound");
    assert_eq!(app.outbound_hosts("oRCHESTRATE"), hosts);
    assert_eq!(app.outbound_hosts("Missing"), []);
}

#[test]
fn kinds_have_names() {
    for kind in FunctionKind::ALL {
        assert_eq!(FunctionKind::parse(kind.name()), Some(kind));
    }
    assert_eq!(FunctionKind::parse("Timer"), None);
}
