//! A task hub in memory with the instances that a test puts there: enough of the client and store ports for the API.
//!
//! It is not a store: nothing runs, and the messages that are sent are only written down.

use super::super::{Management, ManagementUris};
use async_trait::async_trait;
use futures::future::{BoxFuture, FutureExt, pending};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use orchestration::{
    Envelope, Event, ExecutionId, Failure, InstanceId, InstanceRow, Json, NewInstance, RuntimeStatus, Timestamp,
};
use ports::{
    Body, ClientError, Clock, Created, DurableClient, InstanceQuery, InstanceStore, InstanceView, Page, PageToken,
    Purge, Reuse, Sent, StartRequest, StoreError,
};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use triggers::http::{ForwardedHeaders, OriginPolicy};

/// 2024-01-01T00:00:00Z.
pub(crate) const NEW_YEAR: i64 = 1_704_067_200_000;

/// How many instances a page has when nobody says.
const PAGE: usize = 2;

#[derive(Default)]
pub(crate) struct World {
    instances: Mutex<BTreeMap<String, (InstanceView, Vec<Event>)>>,
    /// What reached the client, in words.
    pub(crate) said: Mutex<Vec<String>>,
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
    InstanceView {
        row: InstanceRow {
            id: InstanceId::from_stored(id),
            execution: ExecutionId::from_random(7),
            name: "Trip".to_owned(),
            status,
            created_at: minute(created),
            updated_at: minute(created + 1),
            completed_at: status.is_terminal().then(|| minute(created + 1)),
            custom_status: None,
            output,
            failure,
            parent: None,
            component: None,
            turns: 0,
            events: 0,
        },
        input: Some(Json::from("[1, 2]")),
    }
}

impl World {
    pub(crate) fn with(instances: impl IntoIterator<Item = InstanceView>) -> World {
        let world = World::default();
        instances.into_iter().for_each(|view| world.put(view, Vec::new()));
        world
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
        self.say(format!("start {name} {id} {}", request.input));
        let mut view = instance(id.as_str(), RuntimeStatus::Pending, 0);
        view.row.name = name.to_owned();
        self.put(view, Vec::new());
        Ok(id)
    }

    async fn status(&self, id: &str, with_input: bool) -> Result<InstanceView, ClientError> {
        self.view(id, with_input)?.ok_or_else(|| ClientError::NotFound(id.to_owned()))
    }

    async fn raise_event(&self, id: &str, name: &str, input: Json) -> Result<(), ClientError> {
        self.say(format!("raise {id} {name} {input}"));
        Ok(())
    }

    async fn terminate(&self, id: &str, reason: Json) -> Result<(), ClientError> {
        self.say(format!("terminate {id} {reason}"));
        Ok(())
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
    async fn create(&self, _instance: NewInstance, _reuse: Reuse) -> Result<Created, StoreError> {
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
        };
        let mut found: Vec<_> = instances.iter().map(|(_, (view, _))| view).filter(fits).cloned().collect();
        let page_size = if query.page_size == 0 { PAGE } else { query.page_size };
        let more = found.len() > page_size;
        found.truncate(page_size);
        found.iter_mut().filter(|_| !query.with_input).for_each(|view| view.input = None);
        let next = found.last().filter(|_| more).map(|last| PageToken(last.row.id.to_string()));
        Ok(Page { instances: found, next })
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

/// The API over a world. Payloads may have 32 bytes.
pub(crate) fn management(world: &Arc<World>) -> Management {
    Management {
        client: Arc::clone(world) as Arc<dyn DurableClient>,
        store: Arc::clone(world) as Arc<dyn InstanceStore>,
        clock: clock(),
        uris: ManagementUris { own_origin: "http://127.0.0.1:7071".to_owned(), task_hub: "Trips".to_owned() },
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
    request = request.uri(format!("/runtime/webhooks/durabletask{target}")).header("Host", "localhost:7071");
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
    if !body.is_empty() {
        assert_eq!(head.headers.remove("content-type").expect("a content type"), "application/json");
        write!(text, " {}", body.replace("},{\"name", "},\n  {\"name")).expect("a string takes all");
    }
    for (name, value) in &head.headers {
        let value = value.to_str().expect("visible headers");
        write!(text, "\n{}", format!("{name}: {value}").trim_end()).expect("a string takes all");
    }
    text
}
