//! A whole host behind its doors: functions of every level, the management API over a task hub in memory, the admin API, and
//! an ear for everything that is logged.

use crate::admin::tests::world::{Reached, admin};
use crate::auth::{Doors, Guarded};
use crate::background::BackgroundTasks;
use crate::http_server::{Answers, HomePage, Services};
use crate::keys::tests::Counting;
use crate::keys::{KeyId, KeyName, KeyRing, KeyStore, Keys, Scope, Secret};
use crate::management::tests::world::{self as hub, clock, instance, management, origins};
use crate::management::{Management, ManagementUris};
use async_trait::async_trait;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use orchestration::RuntimeStatus;
use ports::{Body, GuestFault, HttpAnswer, HttpFunctions, HttpInvocation, Randomness};
use std::io;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use triggers::http::{FaultDetail, HttpLimits, HttpOptions, HttpParts, HttpTrigger};

const APP: &str = r#"
[app]
name = "trips"
version = "1.0.0"
[components.main]
source = "trips.wasm"
[functions.Open]
trigger = { type = "httpTrigger", route = "open", authLevel = "anonymous", methods = ["get"] }
[functions.Plain]
trigger = { type = "httpTrigger", route = "plain", methods = ["get", "options"] }
[functions.Other]
trigger = { type = "httpTrigger", route = "other" }
[functions.Root]
trigger = { type = "httpTrigger", route = "root", authLevel = "admin" }
[functions.SharedOpen]
trigger = { type = "httpTrigger", route = "shared", authLevel = "anonymous", methods = ["get"] }
[functions.SharedRoot]
trigger = { type = "httpTrigger", route = "shared", authLevel = "admin", methods = ["post"] }
[functions.Off]
disabled = true
trigger = { type = "httpTrigger", route = "off", methods = ["get"] }
[functions.OffOpen]
disabled = true
trigger = { type = "httpTrigger", route = "off-open", authLevel = "anonymous" }
"#;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Nobody,
    /// A key without characters.
    Empty,
    /// Somebody else's, or an old one.
    Wrong,
    /// The key of the function `Plain`.
    Plain,
    /// The key of another function.
    Other,
    /// The host's function key.
    Host,
    /// The system key of the management API.
    Durable,
    /// The system key of another extension.
    Foreign,
    Master,
}

/// In the order of the columns.
pub(super) const CALLERS: &[(&str, Caller)] = &[
    ("none", Caller::Nobody),
    ("empty", Caller::Empty),
    ("wrong", Caller::Wrong),
    ("plain", Caller::Plain),
    ("other", Caller::Other),
    ("host", Caller::Host),
    ("durable", Caller::Durable),
    ("foreign", Caller::Foreign),
    ("master", Caller::Master),
];

/// How the key comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    Header(Caller),
    Query(Caller),
    /// By header and by query.
    Both(Caller, Caller),
}

/// Answers 200 to everything.
struct Functions;

#[async_trait]
impl HttpFunctions for Functions {
    async fn handle(&self, _invocation: HttpInvocation) -> Result<HttpAnswer, GuestFault> {
        Ok(HttpAnswer { response: Response::new(full("the function ran")), outputs: Vec::new() })
    }
}

struct Zero;

impl Randomness for Zero {
    fn next_u128(&self) -> u128 {
        0
    }
}

fn full(text: &'static str) -> Body {
    Full::from(text).map_err(|never| match never {}).boxed_unsync()
}

/// One host, for one request.
pub(super) struct World {
    services: Services,
    keys: Keys,
    /// Runs that are promised, and never done: only the promise is looked at.
    _background: BackgroundTasks,
}

impl World {
    fn new(guarded: Guarded) -> World {
        let app = manifest::parse(APP, "trips.toml", &manifest::no_settings).expect("the test's manifest is valid");
        let store = KeyStore::in_memory(None, Arc::new(Counting::default())).expect("a store");
        store.complete(app.functions.iter().map(|function| function.name.as_str())).expect("keys are made");
        let name = KeyName::parse("other_extension").expect("a name");
        store.put(&KeyId::Named { scope: Scope::System, name }, None).expect("it is made");
        let ring = Arc::new(KeyRing::open(store, clock()).expect("keys that were just made"));
        let keys = ring.read().expect("they can be read");
        let doors = Doors::new(Arc::clone(&ring), guarded);
        let (services, background) = services(&app, &doors, ring);
        World { services, keys, _background: background }
    }

    fn value(&self, caller: Caller) -> Option<&str> {
        let of_function = |name: &str| self.keys.functions.get(name).and_then(|keys| keys.first());
        let of_system = |name: &str| self.keys.system.iter().find(|key| key.name == name);
        let key = match caller {
            Caller::Nobody => return None,
            Caller::Empty => return Some(""),
            Caller::Wrong => return Some("dcpo_fnot-a-key-of-this-host"),
            Caller::Master => return Some(self.keys.master.reveal()),
            Caller::Plain => of_function("plain"),
            Caller::Other => of_function("other"),
            Caller::Host => self.keys.host.first(),
            Caller::Durable => of_system("durabletask_extension"),
            Caller::Foreign => of_system("other_extension"),
        };
        Some(key.expect("the first start made it").value.reveal())
    }

    /// The status of the answer; and checks of what must never be in one.
    pub(super) async fn ask(guarded: Guarded, route: &str, how: How) -> String {
        let world = World::new(guarded);
        let log = Log::default();
        let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
        let listening = tracing::subscriber::set_default(lines);
        let request = world.request(route, how);
        let answer = world.services.answer(request).await;
        drop(listening);
        world.check_log(&log);
        world.check_answer(route, answer).await
    }

    fn request(&self, route: &str, how: How) -> Request<Body> {
        let (method, target) = route.split_once(' ').expect("a method and a target");
        let (header, query) = match how {
            How::Header(caller) => (self.value(caller), None),
            How::Query(caller) => (None, self.value(caller)),
            How::Both(header, query) => (self.value(header), self.value(query)),
        };
        let separator = if target.contains('?') { '&' } else { '?' };
        let target = query.map_or_else(|| target.to_owned(), |key| format!("{target}{separator}code={key}"));
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "h")
            .header("content-type", "application/json");
        let request = header.into_iter().fold(request, |request, key| request.header("X-Functions-Key", key));
        let body = if method == "PUT" { r#"{"value": "sesame-open"}"# } else { "{}" };
        request.body(full(body)).expect("a request")
    }

    fn all_values(&self) -> Vec<&Secret> {
        let functions = self.keys.functions.values().flatten();
        let named = self.keys.system.iter().chain(&self.keys.host).chain(functions).map(|key| &key.value);
        named.chain([&self.keys.master]).collect()
    }

    fn check_log(&self, log: &Log) {
        let text = log.text();
        for value in self.all_values() {
            assert!(!text.contains(value.reveal()), "a key is in the log:\n{text}");
        }
    }

    /// Whoever is not let in is told nothing; a key is told only where keys are asked for, and in URIs.
    async fn check_answer(&self, route: &str, answer: Response<Body>) -> String {
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        let text = format!("{:?}\n{}", head.headers, String::from_utf8_lossy(&body));
        if head.status == StatusCode::UNAUTHORIZED {
            // That the body of the request was not read tells nothing but that.
            let is_silent = head.headers.keys().all(|name| name == http::header::CONNECTION);
            assert!(is_silent && body.is_empty(), "{route}: {text}");
        }
        if !route.contains("keys") && !route.contains("/durabletask/") && !route.contains("DurableTask") {
            for value in self.all_values() {
                assert!(!text.contains(value.reveal()), "{route}: {text}");
            }
        }
        if route.contains("keys") && head.status.is_success() {
            assert_eq!(head.headers["cache-control"], "no-store", "{route}");
        }
        head.status.as_str().to_owned()
    }
}

fn services(app: &manifest::App, doors: &Doors, keys: Arc<KeyRing>) -> (Services, BackgroundTasks) {
    let options = HttpOptions {
        limits: HttpLimits::new(&app.host.http, 1 << 30),
        fault_detail: FaultDetail::InvocationId,
        origins: origins(),
    };
    let parts = HttpParts { functions: Arc::new(Functions), clock: clock(), randomness: Arc::new(Zero) };
    let known = instance("known", RuntimeStatus::Running, 0);
    let management = management(&Arc::new(hub::World::with([known])));
    let uris = ManagementUris { doors: doors.clone(), ..management.uris.clone() };
    let http = HttpTrigger::new(app, parts, options).with_gatekeeper(Arc::new(doors.clone()));
    let reached = Reached { http: Arc::new(http), management: Management { uris, ..management }, cors: None };
    let (admin, background) = admin(app, reached, doors.clone(), keys);
    let services = Services {
        apps: Arc::clone(&admin.host.apps),
        admin,
        home: HomePage::Empty,
        doors: doors.clone(),
        origins: origins(),
    };
    (services, background)
}

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panicked")).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}
