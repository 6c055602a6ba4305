//! A task hub in memory with the instances that a test puts there: enough of the client and store ports for the API.
//!
//! It is not a store: nothing runs, and the messages that are sent are only written down.

use super::super::{Explainer, Management, ManagementUris};
use async_trait::async_trait;
use futures::future::{BoxFuture, FutureExt, pending};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use orchestration::{
    EntityId, EntityRecord, Envelope, Event, ExecutionId, Failure, InstanceId, InstanceRow, Json, NewInstance,
    RaisedEvent, RuntimeStatus, Timestamp,
};
use ports::{
    Body, ClientError, Clock, Created, DurableClient, EntityPage, EntityQuery, EntityView, InstanceKind, InstanceQuery,
    InstanceStore, InstanceView, Page, PageToken, Pending, Purge, PurgeFilter, RewindTo, Sent, StartRequest,
    StoreError,
};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use task_hub::Explanation;
use triggers::http::{ForwardedHeaders, OriginPolicy};

use crate::auth::{Doors, Guarded};
use crate::keys::tests::Counting;
use crate::keys::{KeyRing, KeyStore};

/// 2024-01-01T00:00:00Z.
pub(crate) const NEW_YEAR: i64 = 1_704_067_200_000;

/// How many instances a page has when nobody says.
const PAGE: usize = 2;

#[derive(Default)]
pub(crate) struct World {
    instances: Mutex<BTreeMap<String, (InstanceView, Vec<Event>)>>,
    /// What reached the client, in words.
    pub(crate) said: Mutex<Vec<String>>,
    /// What the engine says of every instance.
    explanation: Option<Explanation>,
    broken: bool,
}

/// A minute of the first day of 2024.
pub(crate) fn minute(minute: i64) -> Timestamp {
    Timestamp::from_unix_ms(NEW_YEAR + minute * 60_000 + 123)
}

/// An instance created and changed at given minutes, with its payloads in the simplest form.
pub(crate) fn instance(id: &str, status: RuntimeStatus, created: i64) -> InstanceView {
    let output = match status {
        RuntimeStatus::Completed => Some(Json::from(r#"{"booked": 1.50}"#)),
        RuntimeStatus::Terminated => Some(Json::from(r#""enough""#)),
        RuntimeStatus::Running
        | RuntimeStatus::ContinuedAsNew
        | RuntimeStatus::Failed
        | RuntimeStatus::Canceled
        | RuntimeStatus::Pending
        | RuntimeStatus::Suspended => None,
    };
    let failure = (status == RuntimeStatus::Failed).then(|| Failure::new("BookingError", "no seats left"));
    let row =
        InstanceRow::new(InstanceId::from_stored(id), ExecutionId::from_random(7), "Trip".to_owned(), minute(created));
    InstanceView {
        row: InstanceRow {
            status,
            updated_at: minute(created + 1),
            completed_at: status.is_terminal().then(|| minute(created + 1)),
            output,
            failure,
            ..row
        },
        input: Some(Json::from("[1, 2]")),
    }
}

/// An entity that did something at a given minute; without a state it is only locked.
pub(crate) fn entity(id: &str, state: Option<&str>, last: i64) -> InstanceView {
    let row = InstanceRow::new_entity(InstanceId::from_stored(id), minute(0));
    let record = EntityRecord { state: state.map(Json::from), lock: None, last_operation_at: Some(minute(last)) };
    InstanceView { row: InstanceRow { entity: Some(Box::new(record)), ..row }, input: None }
}

fn entity_view(view: &InstanceView) -> Option<EntityView> {
    let record = view.row.entity.as_ref()?;
    Some(EntityView {
        id: EntityId::of_instance(&view.row.id)?,
        state: record.state.clone(),
        last_operation_at: record.last_operation_at?,
        locked_by: None,
    })
}

impl World {
    pub(crate) fn with(instances: impl IntoIterator<Item = InstanceView>) -> World {
        let world = World::default();
        instances.into_iter().for_each(|view| world.put(view, Vec::new()));
        world
    }

    /// An engine that says this of every instance.
    pub(crate) fn explained(explanation: Explanation) -> World {
        World { explanation: Some(explanation), ..World::default() }
    }

    /// A store that refuses everything.
    pub(crate) fn broken() -> World {
        World { broken: true, ..World::default() }
    }

    pub(crate) fn put(&self, view: InstanceView, history: Vec<Event>) {
        let mut instances = self.instances.lock().expect("nobody panicked");
        instances.insert(view.row.id.to_string(), (view, history));
    }

    fn say(&self, what: String) {
        self.said.lock().expect("nobody panicked").push(what);
    }

    fn view(&self, id: &str, with_input: bool) -> Result<Option<InstanceView>, StoreError> {
        if self.broken {
            return Err(StoreError::Unavailable { detail: "the disk is full".to_owned() });
        }
        let instances = self.instances.lock().expect("nobody panicked");
        let view = instances.get(id).map(|(view, _)| view.clone());
        Ok(view.map(|view| InstanceView { input: view.input.filter(|_| with_input), ..view }))
    }
}

#[async_trait]
impl DurableClient for World {
    /// Knows `Trip`, which never moves, and `Quick` and `Broken`, which end as soon as somebody waits for them.
    async fn start(&self, request: StartRequest) -> Result<InstanceId, ClientError> {
        let known = ["Trip", "Quick", "Broken"];
        let name = known.into_iter().find(|name| name.eq_ignore_ascii_case(&request.name));
        let unknown = || ClientError::Invalid(format!("no orchestrator '{}'; known are: {known:?}", request.name));
        let name = name.ok_or_else(unknown)?;
        let id = request.instance_id.as_deref().unwrap_or("0123456789abcdef0123456789abcdef");
        let id = InstanceId::parse(id).map_err(|why| ClientError::Invalid(why.to_string()))?;
        if let Some(view) = self.view(id.as_str(), false)?.filter(|view| !view.row.status.is_terminal()) {
            return Err(ClientError::AlreadyExists { id: id.to_string(), status: view.row.status });
        }
        let mut said = format!("start {name} {id} {}", request.input);
        let options = &request.options;
        if let Some(version) = &options.version {
            write!(said, " version {version}").expect("a string takes all");
        }
        if !options.tags.is_empty() {
            write!(said, " tags {:?}", options.tags).expect("a string takes all");
        }
        if let Some(moment) = options.start_at {
            write!(said, " at {moment}").expect("a string takes all");
        }
        if let Some(key) = &request.idempotency_key {
            write!(said, " key {key}").expect("a string takes all");
        }
        self.say(said);
        let mut view = instance(id.as_str(), RuntimeStatus::Pending, 0);
        view.row.name = name.to_owned();
        self.put(view, Vec::new());
        Ok(id)
    }

    async fn status(&self, id: &str, with_input: bool) -> Result<InstanceView, ClientError> {
        if id.starts_with('@') {
            return Err(ClientError::Invalid(format!("'{id}' is an entity")));
        }
        self.view(id, with_input)?.ok_or_else(|| ClientError::NotFound(id.to_owned()))
    }

    async fn query(&self, query: &InstanceQuery) -> Result<Page, ClientError> {
        Ok(InstanceStore::query(self, query).await?)
    }

    async fn raise_event(&self, id: &str, event: RaisedEvent) -> Result<(), ClientError> {
        let of_id = event.id.map(|id| format!(" id {id}")).unwrap_or_default();
        self.say(format!("raise {id} {} {}{of_id}", event.name, event.input));
        Ok(())
    }

    async fn terminate(&self, id: &str, reason: Json, recursive: bool) -> Result<(), ClientError> {
        self.say(format!("terminate {id} {reason}{}", if recursive { " recursively" } else { "" }));
        Ok(())
    }

    async fn suspend(&self, id: &str, reason: String) -> Result<(), ClientError> {
        self.say(format!("suspend {id} {reason:?}"));
        Ok(())
    }

    async fn resume(&self, id: &str, reason: String) -> Result<(), ClientError> {
        self.say(format!("resume {id} {reason:?}"));
        Ok(())
    }

    async fn rewind(&self, id: &str, reason: String, to: RewindTo) -> Result<(), ClientError> {
        self.say(format!("rewind {id} {reason:?} to {to:?}"));
        Ok(())
    }

    async fn restart(&self, id: &str, with_new_id: bool) -> Result<InstanceId, ClientError> {
        let view = self.status(id, false).await?;
        if !with_new_id && !view.row.status.is_terminal() {
            return Err(ClientError::AlreadyExists { id: id.to_owned(), status: view.row.status });
        }
        let id = InstanceId::from_stored(if with_new_id { "another" } else { id });
        self.say(format!("restart {} as {id}", view.row.id));
        let mut restarted = instance(id.as_str(), RuntimeStatus::Pending, 0);
        restarted.row.name = view.row.name;
        self.put(restarted, Vec::new());
        Ok(id)
    }

    async fn purge(&self, id: &str) -> Result<(), ClientError> {
        let view = self.view(id, false)?.ok_or_else(|| ClientError::NotFound(id.to_owned()))?;
        let is_idle_entity = view.row.entity.as_ref().is_some_and(|entity| entity.state.is_some());
        let purge = if is_idle_entity { Purge::Any } else { Purge::Ended };
        if InstanceStore::purge(self, &view.row.id, purge).await? {
            return Ok(());
        }
        let id = id.to_owned();
        Err(ClientError::Conflict { what: "purge", id, status: view.row.status, remedy: "wait" })
    }

    async fn purge_by(&self, _filter: &PurgeFilter) -> Result<u64, ClientError> {
        Ok(0)
    }

    async fn clean_entities(&self) -> Result<u64, ClientError> {
        Ok(0)
    }

    async fn signal_entity(
        &self,
        entity: EntityId,
        operation: String,
        input: Json,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        if entity.name() != "counter" {
            return Err(ClientError::Invalid(format!("no entity '{}'; known are: [\"Counter\"]", entity.name())));
        }
        assert_eq!(deliver_at, None, "the API has no way to say when");
        self.view("", false)?;
        self.say(format!("signal {entity} {operation:?} {input}"));
        Ok(())
    }

    async fn read_entity(&self, entity: &EntityId) -> Result<Option<EntityView>, ClientError> {
        Ok(self.view(entity.instance_id().as_str(), false)?.as_ref().and_then(entity_view))
    }

    async fn query_entities(&self, query: &EntityQuery) -> Result<EntityPage, ClientError> {
        assert!(!query.with_transient, "what does not exist is not listed");
        self.view("", false)?;
        let instances = self.instances.lock().expect("nobody panicked");
        let fits = |view: &EntityView| {
            query.name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(view.id.name()))
                && view.state.is_some()
                && query.after.as_ref().is_none_or(|after| view.id.to_string() > after.0)
                && query.last_operation_from.is_none_or(|from| view.last_operation_at >= from)
                && query.last_operation_to.is_none_or(|to| view.last_operation_at <= to)
        };
        let mut found: Vec<_> =
            instances.values().filter_map(|(view, _)| entity_view(view)).filter(|view| fits(view)).collect();
        let page_size = if query.page_size == 0 { PAGE } else { query.page_size };
        let more = found.len() > page_size;
        found.truncate(page_size);
        found.iter_mut().filter(|_| !query.with_state).for_each(|view| view.state = None);
        let next = found.last().filter(|_| more).map(|last| PageToken(last.id.to_string()));
        Ok(EntityPage { entities: found, next })
    }

    async fn wait(&self, id: &str, timeout: Duration) -> Result<InstanceView, ClientError> {
        self.say(format!("wait {id} {timeout:?}"));
        let view = self.status(id, true).await?;
        let status = match view.row.name.as_str() {
            "Quick" => RuntimeStatus::Completed,
            "Broken" => RuntimeStatus::Failed,
            _ => return Ok(view),
        };
        let mut ended = instance(id, status, 0);
        ended.row.name = view.row.name;
        self.put(ended.clone(), Vec::new());
        Ok(ended)
    }

    fn management_uris(&self, _id: &str, _origin: Option<&str>) -> Json {
        Json::null()
    }
}

#[async_trait]
impl InstanceStore for World {
    async fn create(&self, _instance: NewInstance) -> Result<Created, StoreError> {
        Ok(Created::Yes)
    }

    async fn send(&self, _envelope: Envelope) -> Result<Sent, StoreError> {
        Ok(Sent::Yes)
    }

    async fn read(&self, id: &InstanceId, with_input: bool) -> Result<Option<InstanceView>, StoreError> {
        self.view(id.as_str(), with_input)
    }

    async fn history(&self, id: &InstanceId, execution: ExecutionId) -> Result<Vec<Event>, StoreError> {
        let instances = self.instances.lock().expect("nobody panicked");
        let found = instances.get(id.as_str()).filter(|(view, _)| view.row.execution == execution);
        Ok(found.map(|(_, history)| history.clone()).unwrap_or_default())
    }

    async fn query(&self, query: &InstanceQuery) -> Result<Page, StoreError> {
        self.view("", false)?;
        let instances = self.instances.lock().expect("nobody panicked");
        let fits = |view: &&InstanceView| {
            let (id, row) = (view.row.id.as_str(), &view.row);
            query.after.as_ref().is_none_or(|after| id > after.0.as_str())
                && (query.statuses.is_empty() || query.statuses.contains(&row.status))
                && query.created_from.is_none_or(|from| row.created_at >= from)
                && query.created_to.is_none_or(|to| row.created_at <= to)
                && query.id_prefix.as_ref().is_none_or(|prefix| id.starts_with(prefix))
                && (query.kind == InstanceKind::Any || row.entity.is_none())
                && query.tags.iter().all(|(name, value)| row.options.tags.get(name) == Some(value))
        };
        let mut found: Vec<_> = instances.iter().map(|(_, (view, _))| view).filter(fits).cloned().collect();
        let page_size = if query.page_size == 0 { PAGE } else { query.page_size };
        let more = found.len() > page_size;
        found.truncate(page_size);
        found.iter_mut().filter(|_| !query.with_input).for_each(|view| view.input = None);
        let next = found.last().filter(|_| more).map(|last| PageToken(last.row.id.to_string()));
        Ok(Page { instances: found, next })
    }

    async fn pending(&self, _id: &InstanceId) -> Result<Option<Pending>, StoreError> {
        Ok(None)
    }

    async fn pinned_apps(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    async fn pins(&self) -> Result<Vec<ports::AppPins>, StoreError> {
        Ok(Vec::new())
    }

    async fn purge(&self, id: &InstanceId, purge: Purge) -> Result<bool, StoreError> {
        let mut instances = self.instances.lock().expect("nobody panicked");
        let ended = instances.get(id.as_str()).map(|(view, _)| view.row.status.is_terminal());
        if ended.is_some_and(|ended| ended || purge == Purge::Any) {
            instances.remove(id.as_str());
            return Ok(true);
        }
        Ok(false)
    }

    fn changed(&self, _id: &InstanceId) -> BoxFuture<'static, ()> {
        pending().boxed()
    }
}

#[async_trait]
impl Explainer for World {
    async fn explain(&self, id: &str) -> Result<Explanation, ClientError> {
        self.view(id, false)?;
        self.explanation.clone().ok_or_else(|| ClientError::NotFound(id.to_owned()))
    }
}

/// It is always noon of the first day of 2024, so that nothing that is waited for ever comes.
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        minute(12 * 60)
    }

    fn sleep_until(&self, _moment: Timestamp) -> BoxFuture<'static, ()> {
        pending().boxed()
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(Noon)
}

pub(crate) fn origins() -> OriginPolicy {
    OriginPolicy { own: "127.0.0.1:7071".parse().expect("an authority"), forwarded: ForwardedHeaders::Ignored }
}

/// Doors at which no key is asked for.
pub(crate) fn open_doors() -> Doors {
    Doors::new(key_ring(), Guarded::No)
}

/// What the first start of an app without functions makes, in memory.
pub(crate) fn key_ring() -> Arc<KeyRing> {
    let store = KeyStore::in_memory(None, Arc::new(Counting::default())).expect("a store");
    store.complete([]).expect("keys are made");
    Arc::new(KeyRing::open(store, clock()).expect("keys that were just made"))
}

/// The API over a world. Payloads may have 32 bytes.
pub(crate) fn management(world: &Arc<World>) -> Management {
    Management {
        client: Arc::clone(world) as Arc<dyn DurableClient>,
        store: Arc::clone(world) as Arc<dyn InstanceStore>,
        explainer: Arc::clone(world) as Arc<dyn Explainer>,
        clock: clock(),
        uris: ManagementUris {
            own_origin: "http://127.0.0.1:7071".to_owned(),
            task_hub: "Trips".to_owned(),
            doors: open_doors(),
        },
        origins: origins(),
        max_payload_bytes: 32,
        show_activity_inputs: true,
    }
}

/// A request from its text: request line (the path below the API's base), headers, an empty line, body.
pub(crate) fn request(text: &str) -> Request<Body> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).expect("a request line");
    let mut request = Request::builder().method(method);
    let base = if target.to_lowercase().starts_with("/admin/") { "" } else { "/runtime/webhooks/durabletask" };
    request = request.uri(format!("{base}{target}")).header("Host", "localhost:7071");
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a header");
        request = request.header(name, value);
    }
    let body = Full::from(body.to_owned().into_bytes()).map_err(|never| match never {}).boxed_unsync();
    request.body(body).expect("a request")
}

/// A response as text: code and body, then the headers but for what every JSON answer has. Members of lists of objects stand
/// on lines of their own.
pub(crate) fn print(response: Response<Body>) -> String {
    let (mut head, body) = response.into_parts();
    let body = body.collect().now_or_never().expect("nothing waits").expect("a body").to_bytes();
    let body = String::from_utf8(body.to_vec()).expect("text").replace("{\"EventType", "\n  {\"EventType");
    let mut text = head.status.as_str().to_owned();
    if !body.is_empty() || head.headers.contains_key("content-type") {
        let content_type = head.headers.remove("content-type").expect("a content type");
        if content_type != "application/json" {
            write!(text, " {}", content_type.to_str().expect("visible headers")).expect("a string takes all");
        }
        let body = body.replace("},{\"name", "},\n  {\"name").replace("},{\"entityId", "},\n  {\"entityId");
        let body = body.replace("},{\"kind", "},\n  {\"kind");
        write!(text, " {}", body.trim_end().replace("\n{\"eventType", "\n  {\"eventType")).expect("a string takes all");
    }
    for (name, value) in &head.headers {
        let value = value.to_str().expect("visible headers");
        write!(text, "\n{}", format!("{name}: {value}").trim_end()).expect("a string takes all");
    }
    text
}
