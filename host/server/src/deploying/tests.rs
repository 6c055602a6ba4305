//! Deploys of an app to a host in this process, with its state in a folder: what is served and kept after each, and after those
//! that fail.

use super::{DeployReport, Deployer, Failed};
use crate::auth::Guarded;
use crate::clock::{SystemClock, SystemRandomness};
use crate::hosting::{Departing, Host, Served};
use crate::keys::{KeyRing, KeyStore};
use crate::listeners::Intake;
use crate::running::{Running, Setup};
use crate::settings::{AppSettings, Environment};
use crate::wiring::Access;
use bundle::Bundle;
use bytes::Bytes;
use expect_test::{Expect, expect};
use futures::FutureExt;
use orchestration::{EventKind, InstanceId, Json};
use ports::StartRequest;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use tokio::task::JoinSet;

/// Compiled once for all tests of this process. The folder stays until the process has ended.
static CACHE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder for compiled code"));

const APP: &str = r#"
[app]
name = "renovation"
version = "1"
versioning = "pinned"
[components.steps]
source = "steps.wasm"
[functions.Renovate]
trigger = { type = "orchestrationTrigger" }
[functions.Paint]
trigger = { type = "activityTrigger" }
[functions.Plaster]
trigger = { type = "activityTrigger" }
[functions.Which]
trigger = { type = "httpTrigger", methods = ["get"], route = "which" }
"#;

/// A host of apps in a folder.
struct Site {
    running: Running,
    deployer: Arc<Deployer>,
    apps: PathBuf,
}

impl Site {
    /// Serves what was deployed in the folder; with what could not be served.
    async fn start(folder: &Path) -> (Site, Vec<Failed>) {
        let store = KeyStore::in_memory(None, Arc::new(SystemRandomness)).expect("keys");
        store.complete([]).expect("keys are made");
        let keys = Arc::new(KeyRing::open(store, Arc::new(SystemClock)).expect("they were just made"));
        let running = Running::new(Setup {
            compilation: guest::Compilation::Lasting,
            address: ([127, 0, 0, 1], 7071).into(),
            cache: CACHE.path().to_owned(),
            access: Access { keys, guarded: Guarded::Yes },
            with_timers: false,
            logs: Arc::default(),
        });
        let apps = folder.join("apps");
        let settings = Box::new(|_: &str| Ok(AppSettings::deployed(&Environment::default(), [])));
        let deployer = Arc::new(Deployer::new(running.host.clone(), apps.clone(), settings));
        let failed = deployer.start().await.expect("the folder can be read");
        (Site { running, deployer, apps }, failed)
    }

    fn host(&self) -> &Arc<Host> {
        &self.running.host
    }

    async fn end(mut self) {
        self.running.drain().await.expect("everything is written");
    }

    async fn deploy(&self, bytes: Vec<u8>) -> Result<DeployReport, Failed> {
        self.deployer.deploy(Bytes::from(bytes), Departing::Refuse, &|_| {}).await
    }

    async fn roll_back(&self) -> Result<DeployReport, Failed> {
        self.deployer.roll_back("renovation", None, Departing::Refuse, &|_| {}).await
    }

    fn served(&self) -> Option<Arc<Served>> {
        self.host().apps.named("renovation")
    }

    /// Versions that are served, and what is kept on disk of each app.
    fn state(&self) -> String {
        let all = self.host().apps.all();
        let served: Vec<String> =
            all.iter().map(|served| format!("{} {}", served.app.name, served.app.version)).collect();
        let kept: Vec<String> = names_in(&self.apps)
            .into_iter()
            .map(|app| format!("{app}: {}", names_in(&self.apps.join(&app).join("deployments")).len()))
            .collect();
        format!("{}; {}", served.join(", "), kept.join(", "))
    }

    async fn check_refused(&self, bytes: Vec<u8>, expected: &Expect) {
        let before = self.state();
        let failed = self.deploy(bytes).await.expect_err("it cannot be deployed");
        let problems: String = failed.problems.iter().map(|problem| format!("\n{problem}")).collect();
        expected.assert_eq(&format!("{}: {}{problems}", failed.code, failed.message));
        assert_eq!(self.state(), before);
    }

    /// Starts an instance, which then waits for an event.
    async fn wait_in_the_middle(&self, id: &str) {
        let served = self.served().expect("it is served");
        let request = StartRequest { instance_id: Some(id.to_owned()), ..StartRequest::new("Renovate", Json::null()) };
        served.management.client.start(request).await.expect("it can be started");
        let store = &served.management.store;
        let id = InstanceId::from_stored(id);
        loop {
            let changed = store.changed(&id);
            let view = store.read(&id, false).await.expect("the store works").expect("it is there");
            let events = store.history(&id, view.row.execution).await.expect("the store works");
            if events.iter().any(|event| matches!(event.kind, EventKind::TaskCompleted { .. })) {
                return;
            }
            changed.await;
        }
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map_while(Result::ok);
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn bundle(manifest: &str, component: Vec<u8>) -> Vec<u8> {
    let app = manifest::parse(manifest, "app.toml", &manifest::no_settings).expect("a good manifest");
    let bundle = Bundle {
        app: app.name,
        version: app.version,
        manifest: manifest.to_owned(),
        components: [("steps".to_owned(), component)].into(),
        built_with: "a test".to_owned(),
    };
    bundle::write(&bundle).expect("a bundle")
}

fn guest(name: &str) -> Vec<u8> {
    fs::read(artifacts::guest(name)).expect("it was just built")
}

fn version(version: &str) -> String {
    APP.replace("version = \"1\"", &format!("version = \"{version}\""))
}

fn before() -> Vec<u8> {
    bundle(APP, guest("steps-before"))
}

fn after() -> Vec<u8> {
    bundle(&version("2"), guest("steps-after"))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_follow_each_other_and_are_gone_back_to() {
    let folder = folder();
    let (site, failed) = Site::start(folder.path()).await;
    assert_eq!(failed, []);
    let first = site.deploy(before()).await.expect("it is good");
    assert_eq!((first.previous, first.functions.added.len()), (None, 4));
    assert_eq!(first.routes, ["GET /api/which"]);
    let second = site.deploy(after()).await.expect("it is good");
    let previous = second.previous.expect("it was served");
    assert_eq!((previous.version.as_str(), previous.bundle.as_ref()), ("1", Some(&first.bundle)));
    assert_eq!(second.functions.changed.len(), 4);
    assert_eq!(site.state(), "renovation 2; renovation: 2");
    let back = site.roll_back().await.expect("the first one is kept");
    assert_eq!((back.version, back.digest, back.bundle), ("1".to_owned(), first.digest, first.bundle));
    let failed = site.roll_back().await.expect_err("nothing is before the first one");
    assert_eq!(failed.code, "NothingBefore");
    site.end().await;
    let (again, failed) = Site::start(folder.path()).await;
    assert_eq!((failed, again.state().as_str()), (Vec::new(), "renovation 1; renovation: 2"));
    again.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_changes_nothing() {
    let folder = folder();
    let (site, _) = Site::start(folder.path()).await;
    let unknown = format!("{APP}[functions.Wallpaper]\ntrigger = {{ type = \"activityTrigger\" }}\n");
    let wanting = expect![[r#"
        BadApp: the app has a problem
        renovation-1.dacapo/manifest.toml:16: function 'Wallpaper': the component 'steps' has no activity named 'Wallpaper'; it has: Paint (activity), Plaster (activity), Renovate (orchestrator), Which (HTTP function)"#]];
    site.check_refused(bundle(&unknown, guest("steps-before")), &wanting).await;
    assert_eq!(names_in(&site.apps), Vec::<String>::new(), "nothing is left of an app that never was");
    site.deploy(before()).await.expect("nothing stands in its way");
    site.check_refused(bundle(&unknown, guest("steps-before")), &wanting).await;
    let clash = expect![[r#"
        AppsClash: the app 'other' clashes with what this host serves already
        the app 'renovation' has a function 'Renovate' too; function names are unique in a host, so rename one
        the app 'renovation' has a function 'Paint' too; function names are unique in a host, so rename one
        the app 'renovation' has a function 'Plaster' too; function names are unique in a host, so rename one
        the app 'renovation' has a function 'Which' too; function names are unique in a host, so rename one
        function 'Which': the route GET /api/which belongs to 'Which' of the app 'renovation'; change one of the routes, or host.http.routePrefix of one of the apps"#]];
    let other = APP.replace("name = \"renovation\"", "name = \"other\"");
    site.check_refused(bundle(&other, guest("steps-before")), &clash).await;
    let mut cut = after();
    cut.truncate(cut.len() / 2);
    assert_eq!(site.deploy(cut).await.map_err(|failed| failed.code), Err("BadBundle"));
    assert_eq!(site.state(), "renovation 1; renovation: 1");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_whose_files_were_changed_is_not_served_until_it_is_deployed_again() {
    let folder = folder();
    let (site, _) = Site::start(folder.path()).await;
    let report = site.deploy(before()).await.expect("it is good");
    site.end().await;
    let deployment = folder.path().join("apps/renovation/deployments").join(report.bundle);
    fs::write(deployment.join("components/steps.wasm"), guest("steps-after")).expect("it can be written");
    let (again, failed) = Site::start(folder.path()).await;
    let [failed] = failed.try_into().expect("one app is not served");
    assert!(failed.message.starts_with("the app 'renovation' is not served"), "{}", failed.message);
    assert!(failed.message.ends_with("deploy the bundle again"), "{}", failed.message);
    again.deploy(before()).await.expect("its state was let go");
    assert_eq!(again.state(), "renovation 1; renovation: 1");
    again.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_could_not_be_served_leaves_its_state_to_the_next_deploy() {
    let (here, elsewhere) = (folder(), folder());
    let other = bundle(&APP.replace("name = \"renovation\"", "name = \"other\""), guest("steps-before"));
    for (folder, bundle) in [(&here, before()), (&elsewhere, other)] {
        let (site, _) = Site::start(folder.path()).await;
        site.deploy(bundle).await.expect("it is good");
        site.end().await;
    }
    let place = "apps/other";
    fs::rename(elsewhere.path().join(place), here.path().join(place)).expect("it can be moved");
    let (site, failed) = Site::start(here.path()).await;
    assert_eq!(site.state(), "other 1; other: 1, renovation: 1");
    let [failed] = failed.try_into().expect("both have the same functions");
    assert_eq!(failed.problems.len(), 5, "{:?}", failed.problems);
    let refused = site.deployer.remove("renovation", false).await.expect_err("nobody knows what would be lost");
    assert_eq!(refused.code, "AppNotServed");
    site.deployer.remove("other", false).await.expect("nothing runs");
    site.deploy(before()).await.expect("its state was let go");
    assert_eq!(site.state(), "renovation 1; renovation: 1");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_under_way_keep_code_out_that_they_would_depart_from() {
    let folder = folder();
    let (site, _) = Site::start(folder.path()).await;
    let latest = |manifest: &str| manifest.replace("pinned", "latest");
    site.deploy(bundle(&latest(APP), guest("steps-before"))).await.expect("it is good");
    site.wait_in_the_middle("house").await;
    let reordered = bundle(&latest(&version("2")), guest("steps-after"));
    let failed = site.deploy(reordered.clone()).await.expect_err("the steps have another order");
    assert_eq!(failed.code, "InstancesDepart");
    assert!(failed.problems.iter().any(|problem| problem.contains("house")), "{:?}", failed.problems);
    assert_eq!(site.state(), "renovation 1; renovation: 1");
    let forced = site.deployer.deploy(Bytes::from(reordered), Departing::Accept, &|_| {}).await;
    assert_eq!(forced.expect("it was forced").version, "2");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_removed_when_its_requests_are_answered() {
    let folder = folder();
    let (site, _) = Site::start(folder.path()).await;
    site.deploy(before()).await.expect("it is good");
    site.wait_in_the_middle("house").await;
    let failed = site.deployer.remove("RENOVATION", false).await.expect_err("an instance would be lost");
    assert_eq!((failed.code, failed.problems), ("InstancesRunning", vec!["house (Renovate)".to_owned()]));
    let keys = &site.host().surroundings.access.keys;
    assert!(keys.read().expect("keys").functions.contains_key("which"));
    // As a request does.
    let found = site.served().expect("it is served");
    let deployer = site.deployer.clone();
    let mut removal = JoinSet::new();
    removal.spawn(async move { deployer.remove("renovation", true).await });
    while site.served().is_some() {
        tokio::task::yield_now().await;
    }
    found.management.client.status("house", false).await.expect("the request can be answered");
    assert!(removal.try_join_next().is_none(), "a request is under way");
    assert_eq!(names_in(&site.apps), ["renovation"]);
    drop(found);
    let removed = removal.join_next().await.expect("a task").expect("no panic").expect("it can be removed");
    assert_eq!((removed.app.as_str(), removed.instances), ("renovation", 1));
    assert_eq!(site.state(), "; ");
    assert!(!keys.read().expect("keys").functions.contains_key("which"), "a later app makes its own");
    site.deploy(after()).await.expect("it is as if there had never been one");
    assert_eq!(site.state(), "renovation 2; renovation: 1");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_ends_takes_up_nothing() {
    let folder = folder();
    let (mut site, _) = Site::start(folder.path()).await;
    site.host().surroundings.hold_back.hold_back();
    assert_eq!(site.host().intake(), Intake::Closed, "also without an app");
    site.host().surroundings.hold_back.let_go();
    site.deploy(before()).await.expect("it is good");
    let edition = site.deployer.edition("renovation", "1", present(&site)).await.expect("it is kept");
    let prepared = site.deployer.prepare(&edition).await.expect("it is good");
    // The last step of a deploy comes after the host was asked to end.
    site.host().stop();
    let changing = site.host().changing().await;
    site.host().begin(prepared, &changing);
    drop(changing);
    site.running.drain().await.expect("it ends at once");
    assert_eq!(site.host().intake(), Intake::Ending);
    let failed = site.deploy(after()).await.expect_err("the host ends");
    assert_eq!(failed.code, "HostEnds");
    assert!(site.running.failed().now_or_never().is_none(), "nothing has failed");
}

fn present(site: &Site) -> PathBuf {
    let deployments = site.apps.join("renovation/deployments");
    let names = names_in(&deployments);
    deployments.join(names.first().expect("a deployment"))
}
