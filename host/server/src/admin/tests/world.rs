//! An admin API over functions of each kind that say what they were given.

use crate::admin::{Admin, ManualRuns};
use crate::auth::{Doors, Guarded};
use crate::background::{Background, BackgroundTasks};
use crate::cors::Cors;
use crate::hosting::{Host, Life, Runtimes, Served, Tasks};
use crate::http_server::AddedHeaders;
use crate::invocations::Outstanding;
use crate::keys::tests::Counting;
use crate::keys::{KeyRing, KeyStore};
use crate::listeners::{HoldBack, Listeners};
use crate::listing;
use crate::management::tests::world::{self as hub, clock, management, minute, origins};
use crate::management::{Management, ManagementUris};
use crate::metering::Metering;
use crate::outbound::Outbound;
use crate::wiring::{Access, Surroundings, Triggers, open_store};
use async_trait::async_trait;
use futures::FutureExt;
use http_body_util::{BodyExt, Full};
use manifest::App;
use manifest::settings::StorageSettings;
use orchestration::{ActivityTask, Failure, Json, NewInstance, Timeouts};
use ports::{
    Activities, ActivityInvocation, Body, ClientError, GuestFault, HttpAnswer, HttpFunctions, HttpInvocation,
    PrepareStart, QueueFunctions, QueueInvocation, Ran, StartRequest, TimerFunctions, TimerInvocation,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use triggers::accounts::{AccountId, Accounts, StorageAccount};
use triggers::bindings::BindingParts;
use triggers::http::{FaultDetail, HttpLimits, HttpOptions, HttpParts, HttpTrigger};
use triggers::queue::{QueueDefaults, QueueParts, QueueTriggers};
use triggers::timer::{TimerParts, TimerTriggers};

const APP: &str = r#"
[app]
name = "trips"
version = "1.0.0"
[components.main]
source = "trips.wasm"
[functions.StartTrip]
trigger = { type = "httpTrigger", route = "trips", methods = ["get", "post"] }
[functions.ShowTrip]
disabled = true
trigger = { type = "httpTrigger", route = "trips/{id:int}", methods = ["get"], authLevel = "anonymous" }
[functions.AcceptTrip]
trigger = { type = "queueTrigger", queueName = "trip-requests" }
inputs.traveller = { type = "table", tableName = "Travellers", partitionKey = "all", rowKey = "{name}" }
outputs.receipts = { type = "queue", queueName = "receipts" }
outputs.trips = { type = "table", tableName = "Trips", mode = "merge" }
[functions.RefuseTrip]
trigger = { type = "queueTrigger", queueName = "trip-requests-poison" }
outputs.receipts = { type = "queue", queueName = "receipts" }
[functions.NightlyReport]
disabled = true
trigger = { type = "timerTrigger", schedule = "0 0 3 * * *" }
retry = { strategy = "exponentialBackoff", maxRetryCount = 3, minimumInterval = "1s", maximumInterval = "2h" }
outputs."$return" = { type = "durableClient" }
[functions.BookTrip]
trigger = { type = "activityTrigger" }
[functions.Trip]
trigger = { type = "orchestrationTrigger" }
[functions.Stock]
trigger = { type = "entityTrigger" }
"#;

pub(super) fn app() -> App {
    manifest::parse(APP, "trips.toml", &manifest::no_settings).expect("the test's manifest is valid")
}

/// Says what it was given; told to fail, it fails.
struct Functions;

fn told(input: &str) -> Result<Ran, Failure> {
    if input.contains("fail") {
        return Err(Failure::new("TripError", "no seats left"));
    }
    Ok(Ran { returned: Json::new(input), outputs: Vec::new() })
}

#[async_trait]
impl QueueFunctions for Functions {
    async fn run_queue(&self, invocation: QueueInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let text = serde_json::Value::from(invocation.message.text).to_string();
        let outputs = ["1", "\"two\""].map(|value| ("receipts".to_owned(), Json::from(value)));
        Ok(told(&text).map(|ran| Ran { outputs: outputs.into(), ..ran }))
    }
}

#[async_trait]
impl TimerFunctions for Functions {
    async fn run_timer(&self, invocation: TimerInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let past_due = invocation.is_past_due;
        Ok(told(&format!(r#"{{"name": "Trip", "instanceId": "at-{}", "input": {past_due}}}"#, invocation.scheduled)))
    }
}

#[async_trait]
impl Activities for Functions {
    fn timeouts(&self, task: &ActivityTask) -> Timeouts {
        task.timeouts
    }

    async fn run(&self, invocation: ActivityInvocation) -> Result<Result<Json, Failure>, GuestFault> {
        let ActivityTask { instance, input, attempt, .. } = invocation.task;
        assert_eq!(instance.as_str(), invocation.invocation_id);
        Ok(told(input.as_str()).map(|ran| Json::new(format!("[{attempt}, {}]", ran.returned))))
    }
}

#[async_trait]
impl HttpFunctions for Functions {
    async fn handle(&self, invocation: HttpInvocation) -> Result<HttpAnswer, GuestFault> {
        let (head, body) = invocation.request.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("nothing");
        let text = format!(
            "{} {} {:?} {content_type}: {}",
            head.method,
            head.uri,
            invocation.route_parameters,
            String::from_utf8_lossy(&body)
        );
        let (status, bytes) = match &body[..] {
            b"fail" => (503, text.into_bytes()),
            b"binary" => (200, vec![0, 255]),
            _ => (200, text.into_bytes()),
        };
        let body = Full::from(bytes).map_err(|never| match never {}).boxed_unsync();
        let response = http::Response::builder().status(status).body(body).expect("a response");
        Ok(HttpAnswer { response, outputs: Vec::new() })
    }
}

struct NoStarts;

impl PrepareStart for NoStarts {
    fn prepare_start(&self, request: StartRequest) -> Result<NewInstance, ClientError> {
        Err(ClientError::Invalid(format!("no orchestration starts here, and not {}", request.name)))
    }
}

/// The functions above as those of this test's app, open to everybody.
pub(super) fn trips() -> (Admin, BackgroundTasks) {
    let app = app();
    let store = KeyStore::in_memory(None, Arc::new(Counting::default())).expect("a store");
    store.complete(["StartTrip"]).expect("keys are made");
    let keys = Arc::new(KeyRing::open(store, clock()).expect("keys that were just made"));
    let parts = HttpParts { functions: Arc::new(Functions), clock: clock(), randomness: Arc::new(Counting::default()) };
    let options = HttpOptions {
        limits: HttpLimits::new(&app.host.http, 1 << 30),
        fault_detail: FaultDetail::InvocationId,
        origins: origins(),
    };
    let http = Arc::new(HttpTrigger::new(&app, parts, options));
    let hub = management(&Arc::new(hub::World::default()));
    admin(&app, Reached { http, management: hub, cors: None }, Doors::new(Arc::clone(&keys), Guarded::No), keys)
}

/// What requests reach of an app besides its admin API.
pub(crate) struct Reached {
    pub(crate) http: Arc<HttpTrigger>,
    pub(crate) management: Management,
    pub(crate) cors: Option<Cors>,
}

/// An admin API for any app. Queues and tables are in memory and empty, and nothing was used.
pub(crate) fn admin(app: &App, reached: Reached, doors: Doors, keys: Arc<KeyRing>) -> (Admin, BackgroundTasks) {
    let (background, tasks) = Background::new();
    let hold_back = HoldBack::new();
    let served = served(app, reached, background.clone(), hold_back.clone());
    let (host_tasks, _failures) = Tasks::new();
    let surroundings = Surroundings {
        clock: clock(),
        randomness: Arc::new(Counting::default()),
        address: SocketAddr::from(([127, 0, 0, 1], 7071)),
        runtimes: Runtimes::new(PathBuf::new(), guest::Compilation::Lasting),
        access: Access { keys: Arc::clone(&keys), guarded: Guarded::No },
        with_timers: false,
        outbound: Arc::new(Outbound::new(clock())),
        outstanding: Outstanding::default(),
        background,
        hold_back,
        stopping: futures::future::pending().boxed().shared(),
    };
    let host = Host::new(surroundings, Arc::new(host_tasks));
    host.apps.publish(Arc::new(served));
    let admin = Admin {
        host,
        deployer: None,
        version: "0.1.0",
        instance_id: "1".to_owned(),
        started: minute(0),
        clock: clock(),
        doors,
        keys,
        origins: origins(),
        logs: Arc::default(),
    };
    (admin, tasks)
}

/// An app with the functions above behind its HTTP routes, and a task hub that has these instances.
pub(crate) fn served_alone(manifest: &str, instances: &Arc<hub::World>) -> Served {
    let app = manifest::parse(manifest, "app.toml", &manifest::no_settings).expect("the test's manifest is valid");
    let parts = HttpParts { functions: Arc::new(Functions), clock: clock(), randomness: Arc::new(Counting::default()) };
    let options = HttpOptions {
        limits: HttpLimits::new(&app.host.http, 1 << 30),
        fault_detail: FaultDetail::InvocationId,
        origins: origins(),
    };
    let hub = management(instances);
    let uris = ManagementUris { task_hub: app.host.durable_task.hub_name.clone(), ..hub.uris.clone() };
    let http = Arc::new(HttpTrigger::new(&app, parts, options));
    let (background, _tasks) = Background::new();
    served(&app, Reached { http, management: Management { uris, ..hub }, cors: None }, background, HoldBack::new())
}

fn served(app: &App, reached: Reached, background: Background, hold_back: HoldBack) -> Served {
    let settings = StorageSettings { reserved_disk_bytes: 0 };
    let store = open_store(None, &settings).expect("memory always opens");
    let functions = app.functions.iter().map(|function| function.name.as_str());
    let metering = Metering::open(&app.name, functions, store.clone()).now_or_never().expect("memory does not wait");
    let runs = ManualRuns {
        triggers: Arc::new(triggers(app, &store)),
        activities: Arc::new(Functions),
        client: Arc::new(hub::World::default()),
        clock: clock(),
        randomness: Arc::new(Counting::default()),
        background,
    };
    let listing = listing::functions(app, "http://h").into_iter().map(listing::Listing::into_columns);
    Served {
        app: Arc::new(app.clone()),
        digest: "0".repeat(64),
        components: BTreeMap::new(),
        functions: reached.http,
        management: reached.management,
        cors: reached.cors,
        added: AddedHeaders::default(),
        metering: Arc::new(metering.expect("memory can be read")),
        listeners: Arc::new(Listeners::new(hold_back)),
        runs,
        listing: listing.collect(),
        life: Life::new(),
    }
}

fn triggers(app: &App, store: &Arc<storage::TaskHub>) -> Triggers {
    let embedded =
        StorageAccount { queues: store.clone(), tables: store.clone(), effects: store.clone(), pushes: true };
    let mut accounts = Accounts::new(embedded);
    accounts.connect(manifest::Connection::default(), AccountId::EMBEDDED);
    let bindings = BindingParts { accounts: Arc::new(accounts), starts: Arc::new(NoStarts) };
    let queues = QueueParts {
        functions: Arc::new(Functions),
        bindings: bindings.clone(),
        clock: clock(),
        randomness: Arc::new(Counting::default()),
    };
    let timers = TimerParts {
        functions: Arc::new(Functions),
        documents: store.clone(),
        bindings,
        clock: clock(),
        randomness: Arc::new(Counting::default()),
    };
    Triggers {
        queues: QueueTriggers::new(app, &queues, QueueDefaults::for_cores(1))
            .expect("every connection leads somewhere"),
        timers: TimerTriggers::new(app, &timers).expect("every connection leads somewhere"),
    }
}

pub(super) fn body(text: &str) -> Body {
    Full::from(text.to_owned().into_bytes()).map_err(|never| match never {}).boxed_unsync()
}
