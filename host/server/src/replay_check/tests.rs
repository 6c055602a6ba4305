//! Two versions of an app that wait in the middle of their steps: what the second one would do to instances of the first.

use super::{MAX_TOLD_DEPARTURES, ReplayReport, Scope, check};
use crate::clock::{SystemClock, SystemRandomness};
use crate::management::tests::world::World;
use crate::shutdown::{Stop, Stopping};
use async_trait::async_trait;
use expect_test::{Expect, expect};
use guest::{App, Binding, Component, ComponentSource, FunctionKind, GuestSettings, Runtime};
use orchestration::{EventKind, InstanceId, Json, Limits, PresentApp, RaisedEvent, StartOptions};
use ports::{Clock, GuestFault, InstanceStore, Orchestrator, Orchestrators, StartRequest};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use task_hub::{Client, ClientParts, Parts, Settings, TaskHub};
use tokio::task::JoinSet;

/// Compiled once for all tests of this process. The folder stays until the process has ended.
static CACHE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder for compiled code"));

const RENOVATE: (&str, FunctionKind) = ("Renovate", FunctionKind::Orchestrator);
const PAINT: (&str, FunctionKind) = ("Paint", FunctionKind::Activity);
const PLASTER: (&str, FunctionKind) = ("Plaster", FunctionKind::Activity);

/// A task hub at work on the first version.
#[derive(Clone)]
struct Site {
    store: Arc<storage::TaskHub>,
    client: Client,
}

/// What ends with the test.
struct AtWork {
    site: Site,
    runtime: Runtime,
    before: Arc<App>,
    _workers: JoinSet<()>,
    _stop: Stop,
}

impl AtWork {
    /// `pinned`: whether instances stay on the version that they began on.
    async fn begin(pinned: bool) -> AtWork {
        let runtime = Runtime::new(GuestSettings::default(), CACHE.path()).expect("a runtime");
        let before = app(&runtime, "steps-before", &[RENOVATE, PAINT, PLASTER]).await;
        let clock = Arc::new(SystemClock);
        let store = Arc::new(storage::memory(clock.clone(), storage::Settings::default()));
        let settings = Settings {
            concurrent_turns: 2,
            concurrent_activities: 2,
            present: PresentApp { digest: pinned.then(|| before.digest().to_owned()), default_version: None },
            ..Settings::for_cores(1)
        };
        let parts = ClientParts {
            store: store.clone(),
            clock: clock.clone(),
            randomness: Arc::new(SystemRandomness),
            orchestrators: vec!["Renovate".to_owned()],
            entities: Vec::new(),
        };
        let client = Client::new(parts, &settings);
        let parts = Parts {
            store: store.clone(),
            orchestrators: before.clone(),
            activities: before.clone(),
            entities: before.clone(),
            clock,
            randomness: Arc::new(SystemRandomness),
        };
        let (stop, stopping): (Stop, Stopping) = Stop::new();
        let mut workers = JoinSet::new();
        TaskHub::new(parts, settings).workers(&stopping).into_iter().for_each(|worker| drop(workers.spawn(worker)));
        AtWork { site: Site { store, client }, runtime, before, _workers: workers, _stop: stop }
    }

    /// What another version would do to what is under way.
    async fn check(&self, guest: &str, functions: &[(&str, FunctionKind)], scope: Scope) -> ReplayReport {
        let code = app(&self.runtime, guest, functions).await;
        let report = check(code, self.site.store.clone(), Limits::default(), scope).await;
        report.expect("the store can be read")
    }
}

impl Site {
    async fn start(&self, id: &str, options: StartOptions) {
        let request = StartRequest { instance_id: Some(id.to_owned()), options, ..start() };
        self.client.start(request).await.expect("it can be started");
    }

    /// Starts an instance, which then waits for the event `Dry`.
    async fn wait_in_the_middle(&self, id: &str) {
        self.start(id, StartOptions::default()).await;
        self.until(id, |kind| matches!(kind, EventKind::TaskCompleted { .. })).await;
    }

    async fn end(&self, id: &str) {
        let event = RaisedEvent { id: None, name: "Dry".to_owned(), input: Json::null() };
        self.client.raise_event(id, event).await.expect("it waits for that");
        self.until(id, |kind| matches!(kind, EventKind::ExecutionCompleted { .. })).await;
    }

    async fn until(&self, id: &str, is_it: fn(&EventKind) -> bool) {
        let id = InstanceId::from_stored(id);
        loop {
            let changed = self.store.changed(&id);
            let view = self.store.read(&id, false).await.expect("the store works").expect("it is there");
            let events = self.store.history(&id, view.row.execution).await.expect("the store works");
            if events.iter().any(|event| is_it(&event.kind)) {
                return;
            }
            changed.await;
        }
    }
}

fn start() -> StartRequest {
    StartRequest::new("Renovate", Json::null())
}

async fn app(runtime: &Runtime, guest: &str, functions: &[(&str, FunctionKind)]) -> Arc<App> {
    let source = ComponentSource {
        name: "steps".to_owned(),
        path: artifacts::guest(guest),
        build_command: None,
        allowed_hosts: Vec::new(),
    };
    let component = runtime.load(source).await.expect("a component that loads");
    let bindings = functions.iter().map(|(name, kind)| binding(&component, name, *kind)).collect();
    let client = Arc::new(World::default());
    Arc::new(App::new(runtime, bindings, Vec::new(), client, None).expect("a good app"))
}

fn binding(component: &Arc<Component>, name: &str, kind: FunctionKind) -> Binding {
    Binding {
        function: name.to_owned(),
        entry_point: name.to_owned(),
        component: component.clone(),
        kind,
        timeout: None,
        heartbeat_timeout: None,
        inputs: Vec::new(),
        outputs: Vec::new(),
    }
}

fn told(report: &ReplayReport, expected: &Expect) {
    let ReplayReport { checked, fits, departs, departures } = report;
    let lines: Vec<String> = departures.iter().map(ToString::to_string).collect();
    expected.assert_eq(&format!("{checked} checked: {fits} fit, {departs} depart\n{}", lines.join("\n")));
}

const ALL: Scope = Scope { changed_since: None };

#[tokio::test(flavor = "multi_thread")]
async fn whatever_waits_must_fit() {
    let work = AtWork::begin(false).await;
    let in_a_day = SystemClock.now().saturating_add(Duration::from_secs(86_400));
    work.site.start("scheduled", StartOptions { start_at: Some(in_a_day), ..StartOptions::default() }).await;
    work.site.wait_in_the_middle("ended").await;
    work.site.end("ended").await;
    work.site.wait_in_the_middle("waiting").await;
    work.site.wait_in_the_middle("held").await;
    work.site.client.suspend("held", "for the test".to_owned()).await.expect("it can be held");
    let functions = [RENOVATE, PAINT, PLASTER];
    told(
        &work.check("steps-before", &functions, ALL).await,
        &expect![[r#"
        3 checked: 3 fit, 0 depart
    "#]],
    );
    told(
        &work.check("steps-after", &functions, ALL).await,
        &expect![[r#"
        3 checked: 1 fit, 2 depart
        'Renovate', instance held, event 2, TaskScheduled 'Paint': a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'Paint', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'Plaster'
        'Renovate', instance waiting, event 2, TaskScheduled 'Paint': a previous execution of this orchestration scheduled TaskScheduled with sequence ID 0 and name 'Paint', but the current replay scheduled TaskScheduled with sequence ID 0 and name 'Plaster'"#]],
    );
    told(
        &work.check("steps-after", &[PAINT], ALL).await,
        &expect![[r#"
        3 checked: 0 fit, 3 depart
        'Renovate', instance held: the app has no orchestrator named 'Renovate' any more
        'Renovate', instance scheduled: the app has no orchestrator named 'Renovate' any more
        'Renovate', instance waiting: the app has no orchestrator named 'Renovate' any more"#]],
    );
    let tomorrow = Scope { changed_since: Some(in_a_day) };
    told(
        &work.check("steps-after", &functions, tomorrow).await,
        &expect![[r#"
        0 checked: 0 fit, 0 depart
    "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pinned_instances_stay_where_they_are() {
    let work = AtWork::begin(true).await;
    work.site.wait_in_the_middle("waiting").await;
    told(
        &work.check("steps-after", &[RENOVATE, PAINT, PLASTER], ALL).await,
        &expect![[r#"
        0 checked: 0 fit, 0 depart
    "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_departures_the_first_are_told() {
    let work = AtWork::begin(false).await;
    let ids: Vec<String> = (10..13 + MAX_TOLD_DEPARTURES).map(|number| format!("house-{number}")).collect();
    for id in &ids {
        work.site.wait_in_the_middle(id).await;
    }
    let report = work.check("steps-after", &[RENOVATE, PAINT, PLASTER], ALL).await;
    assert_eq!((report.checked, report.fits, report.departs), (23, 0, 23));
    let told: Vec<&String> = report.departures.iter().map(|departure| &departure.instance).collect();
    assert_eq!(told, ids[..MAX_TOLD_DEPARTURES].iter().collect::<Vec<_>>());
}

/// New code that takes so long to begin that instances end meanwhile.
struct Late {
    code: Arc<App>,
    site: Site,
    ends: &'static str,
}

#[async_trait]
impl Orchestrators for Late {
    fn names(&self) -> Vec<String> {
        Orchestrators::names(self.code.as_ref())
    }

    async fn begin(&self, name: &str, pinned_to: Option<&str>) -> Result<Box<dyn Orchestrator>, GuestFault> {
        self.site.end(self.ends).await;
        self.code.begin(name, pinned_to).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_during_the_check_does_not_count() {
    let work = AtWork::begin(false).await;
    work.site.wait_in_the_middle("quick").await;
    let code = app(&work.runtime, "steps-after", &[RENOVATE, PAINT, PLASTER]).await;
    let late = Arc::new(Late { code, site: work.site.clone(), ends: "quick" });
    let report = check(late, work.site.store.clone(), Limits::default(), ALL).await.expect("the store can be read");
    told(
        &report,
        &expect![[r#"
        1 checked: 1 fit, 0 depart
    "#]],
    );
}

/// The same code on a host that is full.
struct Full(Arc<App>);

#[async_trait]
impl Orchestrators for Full {
    fn names(&self) -> Vec<String> {
        Orchestrators::names(self.0.as_ref())
    }

    async fn begin(&self, name: &str, _: Option<&str>) -> Result<Box<dyn Orchestrator>, GuestFault> {
        Err(GuestFault::Unavailable { function: name.to_owned(), message: "there is no room".to_owned() })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_room_cannot_tell() {
    let work = AtWork::begin(false).await;
    work.site.wait_in_the_middle("waiting").await;
    let full = Arc::new(Full(work.before.clone()));
    let error = check(full, work.site.store.clone(), Limits::default(), ALL).await.expect_err("nothing can be run");
    expect!["instance waiting: its history cannot be replayed now: function 'Renovate' could not be started: there is no room; try again"].assert_eq(&format!("{error:#}"));
}
