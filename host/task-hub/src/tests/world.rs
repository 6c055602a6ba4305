//! The engine with fakes on all sides: functions that do what the test says, and a store that remembers.

use super::clock::{FakeClock, START};
use super::store::{Done, FakeStore, LEASE};
use crate::{Client, ClientParts, Parts, Settings, TaskHub};
use async_trait::async_trait;
use futures::future::BoxFuture;
use orchestration::{
    ActivityTask, Cursor, EntityOutcome, Event, EventId, EventKind, ExecutionId, ExecutionStarted, Failure, InstanceId,
    InstanceRow, Json, Message, MessageKind, Next, Origin, PresentApp, RaisedEvent, RuntimeStatus, Timeouts, Timestamp,
};
use ports::{
    Activities, ActivityInvocation, ActivityWork, Advanced, Clock, Entities, EntityBatch, GuestFault, Heartbeat, Lease,
    Orchestrator, Orchestrators, Randomness, TurnWork,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) const EXECUTION: ExecutionId = ExecutionId::from_random(1);

/// What the code of an orchestrator does between two waits.
pub(super) type Code = Arc<dyn Fn(&mut Cursor) -> Result<Advanced, GuestFault> + Send + Sync>;
/// What an activity does.
pub(super) type Work =
    Arc<dyn Fn(Arc<dyn Heartbeat>) -> BoxFuture<'static, Result<Result<Json, Failure>, GuestFault>> + Send + Sync>;
/// What an entity makes of a batch.
pub(super) type Operate = Arc<dyn Fn(&EntityBatch) -> Result<EntityOutcome, GuestFault> + Send + Sync>;

/// The functions of the app, and what was asked of them.
pub(super) struct App {
    pub(super) begin: Result<(), GuestFault>,
    pub(super) code: Code,
    pub(super) work: Work,
    pub(super) timeouts: Timeouts,
    pub(super) operate: Operate,
    /// How long code runs in a turn, and an entity on a batch.
    pub(super) takes: Duration,
    /// The app that each orchestrator was asked of.
    pub(super) begun: Mutex<Vec<Option<String>>>,
    /// The operations of each batch.
    pub(super) batches: Mutex<Vec<Vec<String>>>,
    pub(super) clock: FakeClock,
}

pub(super) struct World {
    pub(super) clock: FakeClock,
    pub(super) store: Arc<FakeStore>,
    pub(super) app: Arc<App>,
    pub(super) hub: TaskHub,
}

impl World {
    pub(super) fn new() -> World {
        World::with(|_| {}, |_| {})
    }

    pub(super) fn with(app: impl FnOnce(&mut App), settings: impl FnOnce(&mut Settings)) -> World {
        let clock = FakeClock::new();
        let mut functions = App {
            begin: Ok(()),
            code: Arc::new(walk),
            work: Arc::new(|_| unreachable!("no activity is run")),
            timeouts: Timeouts::default(),
            operate: Arc::new(|_| unreachable!("no entity is run")),
            takes: Duration::ZERO,
            begun: Mutex::default(),
            batches: Mutex::default(),
            clock: clock.clone(),
        };
        app(&mut functions);
        let mut tuned = Settings::for_cores(1);
        settings(&mut tuned);
        let (app, store) = (Arc::new(functions), FakeStore::new(clock.clone()));
        let parts = Parts {
            store: store.clone(),
            orchestrators: app.clone(),
            activities: app.clone(),
            entities: app.clone(),
            clock: Arc::new(clock.clone()),
            randomness: Arc::new(Counting::default()),
        };
        let hub = TaskHub::new(parts, tuned);
        World { clock, store, app, hub }
    }

    /// Runs one turn and answers what was done to the store.
    pub(super) fn turn(&self, work: TurnWork) -> Vec<Done> {
        self.clock.run(self.hub.inner.run_turn(work));
        self.store.done()
    }

    /// Runs one activity and answers what was done to the store.
    pub(super) fn activity(&self, work: ActivityWork) -> Vec<Done> {
        self.clock.run(self.hub.inner.run_activity(work));
        self.store.done()
    }

    /// The last checkpoint, if the turn was committed and the instance released.
    pub(super) fn committed(done: &[Done]) -> &orchestration::Checkpoint {
        let [.., Done::Committed(checkpoint), Done::Released] = done else { panic!("{done:?}") };
        checkpoint
    }
}

/// A client of an app with two orchestrators and an entity.
pub(super) struct Caller {
    clock: FakeClock,
    pub(super) store: Arc<FakeStore>,
    client: Client,
}

impl Caller {
    pub(super) fn new() -> Caller {
        Caller::with(|_| {})
    }

    pub(super) fn with(tune: impl FnOnce(&mut Settings)) -> Caller {
        let clock = FakeClock::new();
        let store = FakeStore::new(clock.clone());
        let mut settings = Settings::for_cores(1);
        settings.limits.max_payload_bytes = 100;
        let (digest, default_version) = (Some("present".to_owned()), Some("1.5".to_owned()));
        settings.present = PresentApp { digest, default_version };
        tune(&mut settings);
        let parts = ClientParts {
            store: store.clone(),
            clock: Arc::new(clock.clone()),
            randomness: Arc::new(Counting::default()),
            orchestrators: vec!["Report".to_owned(), "Travel".to_owned()],
            entities: vec!["Counter".to_owned()],
        };
        Caller { clock, store, client: Client::new(parts, &settings) }
    }

    pub(super) fn run<T, F: Future<Output = T>>(&self, call: impl FnOnce(Client) -> F) -> T {
        self.clock.run(call(self.client.clone()))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

pub(super) fn id(text: &str) -> InstanceId {
    InstanceId::from_stored(text)
}

pub(super) fn after(seconds: u64) -> Timestamp {
    START.saturating_add(Duration::from_secs(seconds))
}

pub(super) fn lease() -> Lease {
    Lease { what: "instance 'trip'".to_owned(), epoch: 1, expires_at: START.saturating_add(LEASE) }
}

/// The instance 'trip' with this many recorded turns.
pub(super) fn row(turns: u32) -> InstanceRow {
    let row = InstanceRow::new(id("trip"), EXECUTION, "Travel".to_owned(), START);
    let status = if turns == 0 { RuntimeStatus::Pending } else { RuntimeStatus::Running };
    InstanceRow { status, turns, events: u64::from(turns) * 3, ..row }
}

pub(super) fn turn(row: InstanceRow, messages: Vec<MessageKind>) -> TurnWork {
    let message = |(place, kind)| Message { origin: Origin::Inbox(place), execution: None, kind };
    let messages = (7..).zip(messages).map(message).collect();
    TurnWork { lease: lease(), row, messages, failed_attempts: 0 }
}

pub(super) fn started() -> Box<ExecutionStarted> {
    Box::new(ExecutionStarted::new("Travel", Json::null(), EXECUTION))
}

pub(super) fn start() -> MessageKind {
    MessageKind::ExecutionStarted { started: started(), carried_over: Vec::new() }
}

pub(super) fn raise(name: &str) -> MessageKind {
    MessageKind::EventRaised(RaisedEvent { name: name.to_owned(), input: Json::null(), id: None })
}

pub(super) fn events(kinds: impl IntoIterator<Item = EventKind>) -> Vec<Event> {
    kinds.into_iter().map(|kind| Event { at: START, kind }).collect()
}

/// A history of one turn in which nothing was asked for.
pub(super) fn first_turn() -> Vec<Event> {
    events([EventKind::OrchestratorStarted, EventKind::ExecutionStarted(started()), EventKind::OrchestratorCompleted])
}

pub(super) fn trapped() -> GuestFault {
    GuestFault::Trapped { function: "Travel".to_owned(), message: "unreachable".to_owned() }
}

pub(super) fn activity(timeouts: Timeouts) -> ActivityWork {
    let task = ActivityTask {
        instance: id("trip"),
        execution: EXECUTION,
        id: EventId(0),
        name: "Book".to_owned(),
        input: Json::null(),
        attempt: 1,
        timeouts,
        tags: orchestration::Tags::new(),
        caller: "Travel".to_owned(),
        version: None,
        pinned_to: None,
    };
    ActivityWork { lease: lease(), task }
}

/// Code that takes whatever comes and asks for nothing.
pub(super) fn walk(cursor: &mut Cursor) -> Result<Advanced, GuestFault> {
    while let Ok(Next::Completed(_)) = cursor.next() {}
    Ok(Advanced::Waiting)
}

/// Numbers from 1.
#[derive(Default)]
pub(super) struct Counting(Mutex<u128>);

impl Randomness for Counting {
    fn next_u128(&self) -> u128 {
        let mut last = self.0.lock().unwrap();
        *last += 1;
        *last
    }
}

#[async_trait]
impl Orchestrators for App {
    fn names(&self) -> Vec<String> {
        vec!["Travel".to_owned()]
    }

    async fn begin(&self, _: &str, pinned_to: Option<&str>) -> Result<Box<dyn Orchestrator>, GuestFault> {
        self.begun.lock().unwrap().push(pinned_to.map(str::to_owned));
        self.begin.clone().map(|()| -> Box<dyn Orchestrator> { Box::new(self.guest()) })
    }
}

impl App {
    fn guest(&self) -> Guest {
        Guest { code: self.code.clone(), clock: self.clock.clone(), takes: self.takes, has_begun: false }
    }
}

struct Guest {
    code: Code,
    clock: FakeClock,
    takes: Duration,
    has_begun: bool,
}

#[async_trait]
impl Orchestrator for Guest {
    async fn advance(&mut self, mut cursor: Box<Cursor>) -> (Box<Cursor>, Result<Advanced, GuestFault>) {
        if !self.has_begun {
            cursor.start().expect("a guest runs only when the instance has started and is not held");
            self.has_begun = true;
        }
        self.clock.sleep_until(self.clock.now().saturating_add(self.takes)).await;
        let advanced = (self.code)(&mut cursor);
        (cursor, advanced)
    }

    fn memory_bytes(&self) -> usize {
        0
    }
}

#[async_trait]
impl Activities for App {
    fn timeouts(&self, _: &ActivityTask) -> Timeouts {
        self.timeouts
    }

    async fn run(&self, invocation: ActivityInvocation) -> Result<Result<Json, Failure>, GuestFault> {
        (self.work)(invocation.heartbeat).await
    }
}

#[async_trait]
impl Entities for App {
    fn names(&self) -> Vec<String> {
        vec!["Counter".to_owned()]
    }

    async fn run(&self, batch: EntityBatch) -> Result<EntityOutcome, GuestFault> {
        let names = batch.operations.iter().map(|operation| operation.name.clone()).collect();
        self.batches.lock().unwrap().push(names);
        self.clock.sleep_until(self.clock.now().saturating_add(self.takes)).await;
        (self.operate)(&batch)
    }
}
