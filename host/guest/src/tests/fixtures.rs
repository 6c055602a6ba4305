//! What the tests share: one runtime per process, each component loaded once, and a client that remembers its calls.

use crate::{App, Binding, Component, ComponentSource, FunctionKind, GuestSettings, Runtime};
use async_trait::async_trait;
use orchestration::{
    ActivityTask, EventId, ExecutionId, Failure, InstanceId, InstanceRow, Json, RuntimeStatus, Timestamp,
};
use ports::{Activities as _, ActivityInvocation, ClientError, DurableClient, GuestFault, InstanceView, StartRequest};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// Limits that a test can reach in little time, and that nothing else reaches on a machine where much else runs.
pub(super) fn small_settings() -> GuestSettings {
    GuestSettings {
        max_memory_bytes: 32 << 20,
        function_timeout: Some(Duration::from_secs(60)),
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
    };
    component.functions().iter().map(bind).collect()
}

pub(super) async fn app(guest: &str) -> App {
    app_in(&runtime(), guest).await
}

pub(super) async fn app_in(runtime: &Runtime, guest: &str) -> App {
    let component = load(runtime, guest).await;
    App::new(runtime, bind_all(&component), Vec::new(), Arc::new(RecordingClient::default())).expect("all can be bound")
}

pub(super) fn activity_task(name: &str, input: &str) -> ActivityTask {
    ActivityTask {
        instance: InstanceId::from_stored("trip-1"),
        execution: ExecutionId::from_random(7),
        id: EventId(3),
        name: name.to_owned(),
        input: Json::from(input),
        attempt: 1,
    }
}

pub(super) async fn call(app: &App, activity: &str, input: &str) -> Result<Result<Json, Failure>, GuestFault> {
    app.run(ActivityInvocation { invocation_id: "call-1".to_owned(), task: activity_task(activity, input) }).await
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

fn view(id: &str) -> InstanceView {
    let at = Timestamp::from_unix_ms(1_700_000_000_000);
    let row = InstanceRow {
        id: InstanceId::from_stored(id),
        execution: ExecutionId::from_random(1),
        name: "BookTrip".to_owned(),
        status: RuntimeStatus::Running,
        created_at: at,
        updated_at: at,
        completed_at: None,
        custom_status: None,
        output: None,
        failure: None,
        parent: None,
        component: None,
        turns: 1,
        events: 3,
    };
    InstanceView { row, input: None }
}

#[async_trait]
impl DurableClient for RecordingClient {
    async fn start(&self, request: StartRequest) -> Result<InstanceId, ClientError> {
        self.record(format!("start {}({}) as {:?}", request.name, request.input, request.instance_id));
        Ok(InstanceId::from_stored("new-1"))
    }

    async fn status(&self, id: &str, _with_input: bool) -> Result<InstanceView, ClientError> {
        self.record(format!("status {id}"));
        Ok(view(id))
    }

    async fn raise_event(&self, id: &str, name: &str, input: Json) -> Result<(), ClientError> {
        self.record(format!("raise {name}({input}) to {id}"));
        if id == "unknown" { Err(ClientError::NotFound(id.to_owned())) } else { Ok(()) }
    }

    async fn terminate(&self, id: &str, reason: Json) -> Result<(), ClientError> {
        self.record(format!("terminate {id}: {reason}"));
        Ok(())
    }

    async fn wait(&self, id: &str, timeout: Duration) -> Result<InstanceView, ClientError> {
        self.record(format!("wait {timeout:?} for {id}"));
        Ok(view(id))
    }

    fn management_uris(&self, id: &str, origin: Option<&str>) -> Json {
        let origin = origin.unwrap_or("http://host");
        Json::from(format!(r#"{{"id":"{id}","statusQueryGetUri":"{origin}/instances/{id}"}}"#))
    }
}
