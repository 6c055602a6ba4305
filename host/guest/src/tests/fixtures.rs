//! What the tests share: one runtime per process, each component loaded once, and a client that remembers its calls.

use crate::{App, Binding, Component, ComponentSource, FunctionKind, GuestSettings, Runtime};
use async_trait::async_trait;
use orchestration::{
    ActivityTask, EntityId, EventId, ExecutionId, Failure, InstanceId, InstanceRow, Json, RaisedEvent, RuntimeStatus,
    StartOptions, Tags, Timeouts, Timestamp,
};
use ports::{
    Activities as _, ActivityInvocation, ClientError, DurableClient, EntityPage, EntityQuery, EntityView, GuestFault,
    Heartbeat, InstanceQuery, InstanceView, Page, PageToken, PurgeFilter, RewindTo, StartRequest, StoreError,
};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// Limits that a test can reach in little time, and that nothing else reaches on a machine where much else runs.
pub(super) fn small_settings() -> GuestSettings {
    GuestSettings {
        max_memory_bytes: 32 << 20,
        function_timeout: Some(Duration::from_secs(60)),
        activity_grace: Duration::ZERO,
        turn_timeout: Duration::from_secs(3),
        invocation_slots: 100,
        orchestrator_slots: 100,
        ..GuestSettings::default()
    }
}

/// Compiled once for all tests of this process. The folder stays until the process has ended.
static CACHE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder for compiled code"));

pub(super) fn runtime_with(settings: GuestSettings) -> Runtime {
    Runtime::new(settings, CACHE.path()).expect("a runtime")
}

pub(super) fn runtime() -> Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| runtime_with(small_settings()));
    RUNTIME.clone()
}

pub(super) fn source(path: &Path) -> ComponentSource {
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("component").to_owned();
    ComponentSource { name, path: path.to_owned(), build_command: None, allowed_hosts: Vec::new() }
}

/// The component of a sample.
pub(super) async fn load(runtime: &Runtime, guest: &str) -> Arc<Component> {
    runtime.load(source(&artifacts::guest(guest))).await.expect("a component that loads")
}

/// Every function of a component under its own name.
pub(super) fn bind_all(component: &Arc<Component>) -> Vec<Binding> {
    let bind = |(name, kind): &(String, FunctionKind)| Binding {
        function: name.clone(),
        entry_point: name.clone(),
        component: Arc::clone(component),
        kind: *kind,
        timeout: None,
        heartbeat_timeout: None,
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    component.functions().iter().map(bind).collect()
}

pub(super) async fn app(guest: &str) -> App {
    app_in(&runtime(), guest).await
}

pub(super) async fn app_in(runtime: &Runtime, guest: &str) -> App {
    let component = load(runtime, guest).await;
    App::new(runtime, bind_all(&component), Vec::new(), Arc::new(RecordingClient::default()), None)
        .expect("all can be bound")
}

/// The probe of the contract, with bindings of these names for every function that can have some.
pub(super) async fn app_with_bindings(inputs: &[&str], outputs: &[&str]) -> App {
    bound_app("contract-probe", inputs, outputs).await
}

pub(super) async fn bound_app(guest: &str, inputs: &[&str], outputs: &[&str]) -> App {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let bind = |binding: Binding| match binding.kind {
        FunctionKind::Orchestrator | FunctionKind::Entity => binding,
        FunctionKind::Activity | FunctionKind::Http | FunctionKind::Queue | FunctionKind::Timer => {
            Binding { inputs: owned(inputs), outputs: owned(outputs), ..binding }
        }
    };
    let runtime = runtime();
    let bindings = bind_all(&load(&runtime, guest).await).into_iter().map(bind).collect();
    App::new(&runtime, bindings, Vec::new(), Arc::new(RecordingClient::default()), None).expect("all can be bound")
}

pub(super) fn activity_task(name: &str, input: &str) -> ActivityTask {
    ActivityTask {
        instance: InstanceId::from_stored("trip-1"),
        execution: ExecutionId::from_random(7),
        id: EventId(3),
        name: name.to_owned(),
        input: Json::from(input),
        attempt: 1,
        timeouts: Timeouts::default(),
        tags: Tags::new(),
        caller: "BookTrip".to_owned(),
        version: None,
        pinned_to: None,
    }
}

pub(super) fn invocation(task: ActivityTask) -> ActivityInvocation {
    ActivityInvocation { invocation_id: "call-1".to_owned(), task, heartbeat: Arc::new(Beats::default()) }
}

/// Takes heartbeats and can be asked for them.
#[derive(Debug, Default)]
pub(super) struct Beats {
    details: Mutex<Vec<Option<Json>>>,
    more: tokio::sync::Notify,
}

impl Beats {
    pub(super) fn details(&self) -> Vec<Option<Json>> {
        self.details.lock().expect("no test panics while beating").clone()
    }

    /// Waits until there are so many.
    pub(super) async fn at_least(&self, number: usize) {
        while self.details().len() < number {
            self.more.notified().await;
        }
    }
}

impl Heartbeat for Beats {
    fn beat(&self, details: Option<Json>) {
        self.details.lock().expect("no test panics while beating").push(details);
        self.more.notify_one();
    }
}

pub(super) async fn call(app: &App, activity: &str, input: &str) -> Result<Result<Json, Failure>, GuestFault> {
    app.run(invocation(activity_task(activity, input))).await
}

/// A fault's text without what differs between builds of the guest: its stack, and places in its source.
pub(super) fn stable(fault: &impl ToString) -> String {
    let text = fault.to_string();
    let text = text.split("; in ").next().unwrap_or_default();
    let mut words = Vec::new();
    for word in text.split(' ') {
        words.push(if word.contains(".rs:") { "SOURCE" } else { word });
    }
    words.join(" ")
}

/// Knows one instance, which runs, and remembers what it was asked for.
#[derive(Default)]
pub(super) struct RecordingClient(pub(super) Mutex<Vec<String>>);

impl RecordingClient {
    fn record(&self, call: String) {
        self.0.lock().expect("no test panics while recording").push(call);
    }
}

fn at() -> Timestamp {
    Timestamp::from_unix_ms(1_700_000_000_000)
}

fn view(id: &str) -> InstanceView {
    let name = "BookTrip".to_owned();
    let row = InstanceRow::new(InstanceId::from_stored(id), ExecutionId::from_random(1), name, at());
    let tags = Tags::from([("team".to_owned(), "a".to_owned())]);
    let options = StartOptions { version: Some("1.0".to_owned()), tags, start_at: None };
    InstanceView { row: InstanceRow { status: RuntimeStatus::Running, options, ..row }, input: None }
}

fn entity_view(id: EntityId) -> EntityView {
    let locked_by = Some(InstanceId::from_stored("trip-1"));
    EntityView { id, state: Some(Json::from("5")), last_operation_at: at(), locked_by }
}

/// Each way to be refused has an instance that shows it.
fn refusal(id: &str) -> Result<(), ClientError> {
    let (id, status) = (id.to_owned(), RuntimeStatus::Completed);
    match id.as_str() {
        "unknown" => Err(ClientError::NotFound(id)),
        "ended" => Err(ClientError::Gone { id, status }),
        "taken" => Err(ClientError::AlreadyExists { id, status: RuntimeStatus::Running }),
        "fine" => Err(ClientError::Conflict { what: "rewind", id, status, remedy: "only a failed one can be" }),
        "malformed" => Err(ClientError::Invalid("no such thing".to_owned())),
        "unlucky" => Err(ClientError::Store(StoreError::Unavailable { detail: "the disk is full".to_owned() })),
        _ => Ok(()),
    }
}

#[async_trait]
impl DurableClient for RecordingClient {
    async fn start(&self, request: StartRequest) -> Result<InstanceId, ClientError> {
        self.record(format!("start {request:?}"));
        refusal(request.instance_id.as_deref().unwrap_or_default())?;
        Ok(InstanceId::from_stored("new-1"))
    }

    async fn status(&self, id: &str, with_input: bool) -> Result<InstanceView, ClientError> {
        self.record(format!("status {id}, with input: {with_input}"));
        refusal(id).map(|()| view(id))
    }

    async fn query(&self, query: &InstanceQuery) -> Result<Page, ClientError> {
        self.record(format!("query {query:?}"));
        Ok(Page { instances: vec![view("trip-1")], next: Some(PageToken("trip-1".to_owned())) })
    }

    async fn raise_event(&self, id: &str, event: RaisedEvent) -> Result<(), ClientError> {
        self.record(format!("raise {event:?} to {id}"));
        refusal(id)
    }

    async fn terminate(&self, id: &str, reason: Json, recursive: bool) -> Result<(), ClientError> {
        self.record(format!("terminate {id}: {reason}, recursive: {recursive}"));
        refusal(id)
    }

    async fn suspend(&self, id: &str, reason: String) -> Result<(), ClientError> {
        self.record(format!("suspend {id}: {reason}"));
        refusal(id)
    }

    async fn resume(&self, id: &str, reason: String) -> Result<(), ClientError> {
        self.record(format!("resume {id}: {reason}"));
        refusal(id)
    }

    async fn rewind(&self, id: &str, reason: String, to: RewindTo) -> Result<(), ClientError> {
        self.record(format!("rewind {id} to {to:?}: {reason}"));
        refusal(id)
    }

    async fn restart(&self, id: &str, with_new_id: bool) -> Result<InstanceId, ClientError> {
        self.record(format!("restart {id}, with a new id: {with_new_id}"));
        refusal(id).map(|()| InstanceId::from_stored("new-2"))
    }

    async fn purge(&self, id: &str) -> Result<(), ClientError> {
        self.record(format!("purge {id}"));
        refusal(id)
    }

    async fn purge_by(&self, filter: &PurgeFilter) -> Result<u64, ClientError> {
        self.record(format!("purge {filter:?}"));
        Ok(u64::from(u32::MAX) + 1)
    }

    async fn clean_entities(&self) -> Result<u64, ClientError> {
        self.record("clean entities".to_owned());
        Ok(2)
    }

    async fn signal_entity(
        &self,
        entity: EntityId,
        operation: String,
        input: Json,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        self.record(format!("signal {operation}({input}) to {entity} at {deliver_at:?}"));
        Ok(())
    }

    async fn read_entity(&self, entity: &EntityId) -> Result<Option<EntityView>, ClientError> {
        self.record(format!("read {entity}"));
        Ok((entity.key() != "unknown").then(|| entity_view(entity.clone())))
    }

    async fn query_entities(&self, query: &EntityQuery) -> Result<EntityPage, ClientError> {
        self.record(format!("query {query:?}"));
        let id = EntityId::parse("counter", "a").expect("a good id");
        Ok(EntityPage { entities: vec![entity_view(id)], next: None })
    }

    async fn wait(&self, id: &str, timeout: Duration) -> Result<InstanceView, ClientError> {
        self.record(format!("wait {timeout:?} for {id}"));
        refusal(id).map(|()| view(id))
    }

    fn management_uris(&self, id: &str, origin: Option<&str>) -> Json {
        let origin = origin.unwrap_or("http://host");
        Json::from(format!(r#"{{"id":"{id}","statusQueryGetUri":"{origin}/instances/{id}"}}"#))
    }
}
