//! Versions on disk and behind the ports: kept, found again, loaded when they are needed, and dropped.

mod keeping;

use super::keeper::Looked;
use super::record::KeptFunction;
use super::{AppArchive, AppRecord, AppVersions, ArchiveKeeper, ComponentBytes, DurableHttp, Loader, Version};
use crate::clock::SystemClock;
use crate::management::tests::world::World;
use crate::outbound::Outbound;
use expect_test::{Expect, expect};
use guest::{App, Component, ComponentSource, GuestSettings, Runtime};
use orchestration::{
    ActivityTask, EventId, ExecutionId, ExecutionStarted, Failure, HttpCall, HttpRequest, InstanceId, Json,
    NewInstance, Reuse, Tags, Timeouts, Timestamp,
};
use ports::{Activities, ActivityInvocation, GuestFault, Heartbeat, Orchestrators};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

fn record(text: &str) -> AppRecord {
    serde_json::from_str(text).expect("a record")
}

/// A version with one function in each of these components, by name and content.
fn version(components: &[(&str, &str)]) -> AppRecord {
    let kept: Vec<String> = components
        .iter()
        .map(|(name, content)| {
            let digest = guest::digest(content.as_bytes());
            format!(r#""{name}":{{"digest":"{digest}","allowedOutboundHosts":["*.example.com"]}}"#)
        })
        .collect();
    record(&format!(r#"{{"app":"trips","version":"1","components":{{{}}},"functions":[]}}"#, kept.join(",")))
}

fn digest_of(content: &str) -> String {
    guest::digest(content.as_bytes())
}

/// An instance that is pinned before its first turn, as children are.
fn pinned_start(id: &str, digest: &str) -> NewInstance {
    let started = ExecutionStarted::new("Trip", Json::null(), ExecutionId::from_random(1));
    NewInstance {
        id: InstanceId::from_stored(id),
        started: ExecutionStarted { pinned_to: Some(digest.to_owned()), ..started },
        at: Timestamp::default(),
        reuse: Reuse::ENDED,
        otherwise: None,
        idempotency_key: None,
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn versions_share_components_and_go_when_nobody_needs_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = |name: &str| folder.path().join(name);
    let write = |name: &str, content: &str| std::fs::write(source(name), content).expect("the folder can be written");
    let archive = AppArchive::in_folder(folder.path().join("data"));
    let place = archive.folder().expect("it is in a folder").to_owned();
    assert_eq!(archive.records(), BTreeMap::new());
    assert_eq!(archive.clean(&BTreeSet::new()).expect("nothing to do"), [] as [String; 0]);
    let keep = |digest: &str, components: &[(&str, &str)]| {
        components.iter().for_each(|(name, content)| write(name, content));
        let sources =
            components.iter().map(|(name, _)| ((*name).to_owned(), ComponentBytes::File(source(name)))).collect();
        archive.keep(digest, &version(components), &sources).expect("it can be kept");
    };
    keep("v1", &[("a", "one"), ("b", "same")]);
    keep("v2", &[("a", "two"), ("b", "same")]);
    keep("v2", &[("a", "two"), ("b", "same")]);
    let digest = |content: &str| guest::digest(content.as_bytes());
    let found = AppArchive::in_folder(place.clone()).records();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["v1", "v2"]);
    assert_eq!(found["v2"], version(&[("a", "two"), ("b", "same")]));
    assert_eq!(archive.component(&digest("two")), Ok(b"two".to_vec()));
    assert_eq!(names(&place.join("components")).len(), 3);
    let removed = archive.clean(&BTreeSet::from(["v2".to_owned(), "v0".to_owned()])).expect("it can be cleaned");
    assert_eq!(removed, ["v1"]);
    let mut left = [digest("two"), digest("same")].map(|digest| format!("{digest}.wasm"));
    left.sort();
    assert_eq!(names(&place.join("components")), left);
    assert_eq!(names(&place.join("apps")), ["v2.json"]);
}

#[test]
fn what_is_damaged_is_said_and_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = AppArchive::in_folder(folder.path().to_owned());
    let source = folder.path().join("a.wasm");
    std::fs::write(&source, "new").expect("the folder can be written");
    let sources = BTreeMap::from([("a".to_owned(), ComponentBytes::File(source))]);
    let masked = |text: String| text.replace(&folder.path().display().to_string(), "DATA");
    let error = archive.keep("v1", &version(&[("a", "old")]), &sources).expect_err("it is not what was loaded");
    expect!["component 'a': DATA/a.wasm was changed while it was loaded; start again"]
        .assert_eq(&masked(format!("{error:#}")));
    archive.keep("v1", &version(&[("a", "new")]), &sources).expect("it can be kept");
    let digest = guest::digest(b"new");
    std::fs::write(archive.component_path(&digest), "ne").expect("the folder can be written");
    let error = archive.component(&digest).expect_err("it is damaged");
    assert!(error.contains("is damaged; put the right file there, whose SHA-256 is its name"), "{error}");
    std::fs::remove_file(archive.component_path(&digest)).expect("it is there");
    let error = archive.component(&digest).expect_err("it is gone");
    assert!(error.ends_with("; put the file back"), "{error}");
    std::fs::write(folder.path().join("apps/v1.json"), "{").expect("the folder can be written");
    std::fs::write(archive.component_path("other"), "other").expect("the folder can be written");
    assert_eq!(archive.records(), BTreeMap::new());
    archive.clean(&BTreeSet::from(["v1".to_owned()])).expect("it can be cleaned");
    // Whatever cannot be read may need it.
    assert!(archive.component_path("other").is_file());
}

/// Compiled once for all tests of this process. The folder stays until the process has ended.
static CACHE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder for compiled code"));

/// Two versions of the booking sample: the older one has one function less.
struct Versions {
    folder: tempfile::TempDir,
    keeper: Arc<ArchiveKeeper>,
    versions: AppVersions,
    older: String,
}

impl Versions {
    async fn new() -> Versions {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = AppArchive::in_folder(folder.path().join("data"));
        Versions::above(archive, folder).await
    }

    async fn above(archive: AppArchive, folder: tempfile::TempDir) -> Versions {
        let runtime = Runtime::new(GuestSettings::default(), CACHE.path()).expect("a runtime");
        let wasm = artifacts::guest("conference-booking");
        let source = ComponentSource {
            name: "booking".to_owned(),
            path: wasm.clone(),
            build_command: None,
            allowed_hosts: vec!["127.0.0.1".parse().expect("a host")],
        };
        let component = runtime.load(source).await.expect("a component that loads");
        let client = Arc::new(World::default());
        let keeper = ArchiveKeeper::new(archive);
        let app = async |functions: &[(&str, &str)]| {
            let record = booking(&component, functions);
            let components = BTreeMap::from([("booking", component.clone())]);
            let bindings = record.functions.iter().map(|function: &KeptFunction| function.binding(&components));
            let bindings = bindings.collect::<Result<Vec<_>, _>>().expect("good bindings");
            let app = App::new(&runtime, bindings, Vec::new(), client.clone(), None).expect("a good app");
            let sources = BTreeMap::from([("booking".to_owned(), ComponentBytes::File(wasm.clone()))]);
            let kept = keeper.keep(app.digest().to_owned(), record, sources).await.expect("it can be kept");
            (Version { app: Arc::new(app), activities: None }, kept)
        };
        let (_, older) = app(&[("orchestrator", "BookTrip"), ("activity", "BookFlight")]).await;
        let functions = [("orchestrator", "BookTrip"), ("activity", "BookFlight"), ("activity", "BookHotel")];
        let (present, kept) = app(&functions).await;
        let http = DurableHttp::new(Arc::new(Outbound::new(Arc::new(SystemClock))), 1_000);
        let loader = Loader { runtime, environment: Vec::new(), client, meter: None, bindings: None };
        let versions = AppVersions::new(present, kept, loader, http);
        Versions { versions, keeper, folder, older: older.digest().to_owned() }
    }

    fn components(&self) -> PathBuf {
        self.folder.path().join("data/components")
    }

    async fn begin(&self, name: &str, pinned_to: Option<&str>) -> Result<(), GuestFault> {
        self.versions.begin(name, pinned_to).await.map(drop)
    }
}

fn booking(component: &Arc<Component>, functions: &[(&str, &str)]) -> AppRecord {
    let functions: Vec<String> = functions
        .iter()
        .map(|(kind, name)| {
            let timeout = if *kind == "activity" { r#","timeoutMs":7000,"heartbeatTimeoutMs":500"# } else { "" };
            format!(r#"{{"name":"{name}","entryPoint":"{name}","kind":"{kind}","component":"booking"{timeout}}}"#)
        })
        .collect();
    let component = format!(r#"{{"digest":"{}","allowedOutboundHosts":["127.0.0.1"]}}"#, component.digest());
    let functions = functions.join(",");
    record(&format!(
        r#"{{"app":"trips","version":"1.0","components":{{"booking":{component}}},"functions":[{functions}]}}"#
    ))
}

fn task(name: &str, caller: &str, pinned_to: Option<&str>, input: Json) -> ActivityTask {
    ActivityTask {
        instance: InstanceId::from_stored("t"),
        execution: ExecutionId::from_random(1),
        id: EventId(0),
        name: name.to_owned(),
        input,
        attempt: 1,
        timeouts: Timeouts::default(),
        tags: Tags::new(),
        caller: caller.to_owned(),
        version: None,
        pinned_to: pinned_to.map(str::to_owned),
    }
}

#[derive(Debug)]
struct NoHeartbeat;

impl Heartbeat for NoHeartbeat {
    fn beat(&self, _details: Option<Json>) {}
}

async fn run(versions: &AppVersions, task: ActivityTask) -> Result<Result<Json, Failure>, GuestFault> {
    let invocation = ActivityInvocation { invocation_id: "i".to_owned(), task, heartbeat: Arc::new(NoHeartbeat) };
    Activities::run(versions, invocation).await
}

fn check_unavailable(fault: Result<(), GuestFault>, versions: &Versions, expected: &Expect) {
    let text = fault.expect_err("it cannot be had").to_string();
    let text = text.replace(&versions.folder.path().display().to_string(), "FOLDER");
    let text = text.replace(&names(&versions.components()).concat(), "COMPONENT");
    expected.assert_eq(&text.replace(&versions.older, "OLDER"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_gets_the_version_that_it_is_for() {
    let all = Versions::new().await;
    let older = Some(all.older.as_str());
    let present = all.versions.present.app.digest().to_owned();
    all.begin("BookTrip", None).await.expect("the present version");
    all.begin("booktrip", Some(&present)).await.expect("the present version");
    all.begin("BookTrip", older).await.expect("the older version");
    let hotel = |pinned_to| task("BookHotel", "BookTrip", pinned_to, Json::null());
    let missing = run(&all.versions, hotel(older)).await.expect_err("the older version has no hotels");
    assert!(matches!(missing, GuestFault::NotFound { .. }), "{missing}");
    assert!(run(&all.versions, hotel(None)).await.is_ok());
    let times = |pinned_to| all.versions.timeouts(&task("bookflight", "BookTrip", pinned_to, Json::null()));
    let of_function = Timeouts { run: Some(Duration::from_secs(7)), heartbeat: Some(Duration::from_millis(500)) };
    assert_eq!((times(None), times(older)), (of_function, of_function));
    let unknown = "f".repeat(64);
    check_unavailable(
        all.begin("BookTrip", Some(&unknown)).await,
        &all,
        &expect![
            "function 'BookTrip' could not be started: its instance is pinned to the app ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff, whose files are not in FOLDER/data; put them back there, or restart the instance, which then runs on the present app, or terminate it"
        ],
    );
    expect![[r#"
        1.0 (OLDER)
        ffffffffffff (its files are missing; its instances wait)"#]]
    .assert_eq(
        &all.versions.describe(&[all.older.clone(), present, unknown]).join("\n").replace(&all.older[..12], "OLDER"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_in_memory_is_found_there() {
    let all = Versions::above(AppArchive::in_memory(), tempfile::tempdir().expect("a folder")).await;
    all.begin("BookTrip", Some(&all.older)).await.expect("the older version");
    let fault = all.begin("BookTrip", Some("nobody's")).await.expect_err("nobody knows it");
    expect!["function 'BookTrip' could not be started: its instance is pinned to the app nobody's, which is not kept in memory; restart the instance, which then runs on the present app, or terminate it"].assert_eq(&fault.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_whose_files_are_damaged_waits_until_they_are_back() {
    let all = Versions::new().await;
    let file = std::fs::read_dir(all.components()).expect("the folder is there").flatten().next().expect("a component");
    let whole = std::fs::read(file.path()).expect("it can be read");
    std::fs::write(file.path(), b"not it").expect("it can be written");
    let fault = all.begin("BookTrip", Some(&all.older)).await;
    check_unavailable(
        fault,
        &all,
        &expect![
            "function 'BookTrip' could not be started: its instance is pinned to the app OLDER: FOLDER/data/components/COMPONENT is damaged; put the right file there, whose SHA-256 is its name"
        ],
    );
    std::fs::write(file.path(), whole).expect("it can be written");
    all.begin("BookTrip", Some(&all.older)).await.expect("it is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_comes_back_is_found() {
    let all = Versions::new().await;
    let record = all.folder.path().join(format!("data/apps/{}.json", all.older));
    let text = std::fs::read(&record).expect("it is there");
    std::fs::remove_file(&record).expect("it is there");
    all.versions.older.known().clear();
    assert!(all.begin("BookTrip", Some(&all.older)).await.is_err());
    std::fs::write(&record, text).expect("it can be written");
    all.begin("BookTrip", Some(&all.older)).await.expect("it is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_needs_is_dropped() {
    let all = Versions::new().await;
    all.begin("BookTrip", Some(&all.older)).await.expect("the older version");
    // No instance of this store is pinned to anything.
    let looked = all.keeper.clean(&World::default()).await.expect("it can be cleaned");
    assert_eq!(looked, Looked::NoneIsOlder);
    assert!(all.begin("BookTrip", Some(&all.older)).await.is_err());
    assert_eq!(names(&all.folder.path().join("data/apps")).len(), 1, "the present one stays");
    assert_eq!(names(&all.components()).len(), 1);
    all.begin("BookTrip", None).await.expect("the present version");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_requests_go_where_the_callers_component_may_go() {
    let all = Versions::new().await;
    let call = async |caller: &str, url: String| {
        let request =
            HttpRequest { method: "GET".to_owned(), url, headers: Vec::new(), content: None, fail_on_status: None };
        let outcome = run(&all.versions, task(HttpCall::ACTIVITY, caller, Some(&all.older), request.to_json())).await;
        let failure = outcome.expect("the host can try").expect_err("there is no answer");
        let failure =
            Failure { message: failure.message.split(" (os error").next().unwrap_or_default().to_owned(), ..failure };
        let retriable = if failure.non_retriable { "final" } else { "may be tried again" };
        format!("{failure} ({retriable})")
    };
    // Bound, so that nobody else gets it, but not listened to.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("some port is free");
    let free = socket.local_addr().expect("it is bound");
    let nobody = call("BookTrip", format!("http://{free}/")).await.replace(&free.port().to_string(), "PORT");
    expect!["HttpRequestFailed: GET http://127.0.0.1:PORT/ of the orchestrator 'BookTrip': 127.0.0.1:PORT cannot be asked: client error (Connect): tcp connect error: Connection refused (may be tried again)"].assert_eq(&nobody);
    expect!["HttpRequestFailed: GET https://example.com/ of the orchestrator 'BookTrip': requests to example.com:443 are not allowed; add it to the component's allowedOutboundHosts (final)"].assert_eq(&call("BookTrip", "https://example.com/?secret".to_owned()).await);
    expect!["HttpRequestFailed: GET http://127.0.0.1:PORT/ of the orchestrator 'Stranger': requests to 127.0.0.1:PORT are not allowed; add it to the component's allowedOutboundHosts (final)"].assert_eq(&call("Stranger", format!("http://{free}/")).await.replace(&free.port().to_string(), "PORT"));
    let broken = task(HttpCall::ACTIVITY, "BookTrip", None, Json::from("[]"));
    let failure = run(&all.versions, broken).await.expect("the host can try").expect_err("it is no request");
    expect!["InvalidArgument: the HTTP request cannot be read: 'method' is missing"].assert_eq(&failure.to_string());
    assert_eq!(all.versions.timeouts(&task(HttpCall::ACTIVITY, "BookTrip", None, Json::null())), Timeouts::default());
}
