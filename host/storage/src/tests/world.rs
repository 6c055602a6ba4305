//! What the tests stand on: a clock that moves by hand, a store of either kind that can be opened again, and short ways to
//! build the values that cross the ports.

use crate::{MemoryRows, Settings, TaskHub};
use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::{
    ActivityTask, Checkpoint, Envelope, Event, EventId, EventKind, ExecutionId, ExecutionStarted, InstanceId, Json,
    MessageKind, NewInstance, Origin, RaisedEvent, Reuse, RuntimeStatus, Tags, Timeouts, Timer, Timestamp, TurnRecord,
};
use ports::{Clock, Created, InstanceStore, Lease, Sent, StoreError, TurnWork, WorkStore};
use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// When the tests begin.
pub(crate) const START: Timestamp = Timestamp::from_unix_ms(1_700_000_000_000);
pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// A clock that stands still until it is moved.
pub(crate) struct ManualClock(Mutex<(Timestamp, Vec<Sleeper>)>);

type Sleeper = (Timestamp, oneshot::Sender<()>);

impl ManualClock {
    pub(crate) fn new() -> Arc<ManualClock> {
        Arc::new(ManualClock(Mutex::new((START, Vec::new()))))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by));
    }

    /// Sets the clock, forward or back.
    pub(crate) fn set(&self, now: Timestamp) {
        let mut state = self.0.lock().unwrap();
        state.0 = now;
        let (due, sleeping) = std::mem::take(&mut state.1).into_iter().partition(|(until, _)| *until <= now);
        state.1 = sleeping;
        drop(state);
        let due: Vec<Sleeper> = due;
        for (_, sleeper) in due {
            sleeper.send(()).unwrap_or_default();
        }
    }

    /// How many sleeps have not ended and are still waited for.
    pub(crate) fn sleepers(&self) -> usize {
        self.0.lock().unwrap().1.iter().filter(|(_, sleeper)| !sleeper.is_closed()).count()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
        let mut state = self.0.lock().unwrap();
        if moment == Timestamp::MAX {
            return std::future::pending().boxed();
        }
        if moment <= state.0 {
            return std::future::ready(()).boxed();
        }
        let (sender, receiver) = oneshot::channel();
        state.1.push((moment, sender));
        async move { receiver.await.unwrap_or_default() }.boxed()
    }
}

/// Where a world's rows are.
enum Rows {
    Memory(MemoryRows),
    Embedded(TempDir),
}

/// A store with its clock.
pub(crate) struct World {
    hub: Option<TaskHub>,
    pub(crate) clock: Arc<ManualClock>,
    rows: Rows,
}

impl std::ops::Deref for World {
    type Target = TaskHub;

    fn deref(&self) -> &TaskHub {
        self.hub.as_ref().expect("a world has a hub")
    }
}

impl World {
    pub(crate) fn memory() -> World {
        World::over(Rows::Memory(MemoryRows::new()), ManualClock::new())
    }

    pub(crate) fn embedded() -> World {
        World::over(Rows::Embedded(folder()), ManualClock::new())
    }

    fn over(rows: Rows, clock: Arc<ManualClock>) -> World {
        let mut world = World { hub: None, clock, rows };
        world.open();
        world
    }

    fn open(&mut self) {
        let settings = Settings { lease_time: LEASE, disk_reserve: 0, ..Settings::default() };
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        self.hub = Some(match &self.rows {
            Rows::Memory(rows) => crate::reopen(rows, clock, settings),
            Rows::Embedded(folder) => crate::embedded(folder.path(), clock, settings).unwrap(),
        });
    }

    /// Drops the hub and opens its rows again, as the next process would.
    pub(crate) fn reopen(&mut self) {
        self.hub = None;
        self.open();
    }

    /// The data folder of an embedded world.
    pub(crate) fn path(&self) -> &Path {
        match &self.rows {
            Rows::Memory(_) => panic!("rows in memory have no folder"),
            Rows::Embedded(folder) => folder.path(),
        }
    }

    /// A world in a copy of the folder as it is now, as a crash of the whole machine would leave it.
    pub(crate) fn copy(&self) -> World {
        let copy = folder();
        copy_folder(self.path(), copy.path());
        World::over(Rows::Embedded(copy), Arc::clone(&self.clock))
    }

    /// Drops the hub, and has `change` at the rows before it is opened again.
    pub(crate) fn reopen_after(&mut self, change: impl FnOnce(&dyn crate::rows::Rows)) {
        self.hub = None;
        match &self.rows {
            Rows::Memory(rows) => change(&rows.open()),
            Rows::Embedded(folder) => change(&crate::rows::EmbeddedRows::open(folder.path(), 0).unwrap()),
        }
        self.open();
    }

    /// Creates an instance, which may replace such ones of its id.
    pub(crate) async fn create(&self, mut new: NewInstance, reuse: Reuse) -> Result<Created, StoreError> {
        new.reuse = reuse;
        InstanceStore::create(&**self, new).await
    }

    /// Creates an instance, and takes and commits its first turn.
    pub(crate) async fn start(&self, name: &str) -> InstanceId {
        assert_eq!(self.create(new(name), Reuse::ENDED).await, Ok(Created::Yes));
        let work = self.turn().await;
        assert_eq!(work.row.id, id(name));
        self.commit(&work.lease, waiting(&work)).await.unwrap();
        id(name)
    }

    /// Commits a turn and is done with the instance.
    pub(crate) async fn commit(&self, lease: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError> {
        WorkStore::commit(&**self, lease, checkpoint).await?;
        self.release(lease).await
    }

    /// The next turn, which must be there already.
    pub(crate) async fn turn(&self) -> TurnWork {
        ready(self.take_turn()).await.expect("a turn is ready").unwrap()
    }

    /// Checks that there is no turn to take.
    pub(crate) async fn no_turn(&self) {
        assert_eq!(ready(self.take_turn()).await, None, "no turn is ready");
    }

    pub(crate) async fn raise(&self, to: &InstanceId, name: &str) {
        assert_eq!(self.send(raised(to, name)).await, Ok(Sent::Yes));
    }
}

/// A new folder, in memory where the system has such a place: the tests are about what is written, and a disk that others use
/// takes a second to sync a new database.
pub(crate) fn folder() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    if in_memory.is_dir() { tempfile::tempdir_in(in_memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The result of a future that is ready after one poll.
pub(crate) async fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    poll_once(future.as_mut()).await
}

pub(crate) async fn poll_once<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

pub(crate) fn id(name: &str) -> InstanceId {
    InstanceId::from_stored(name)
}

/// An execution id made of a name.
pub(crate) fn execution(name: &str) -> ExecutionId {
    ExecutionId::from_random(name.bytes().fold(0, |sum, byte| sum << 8 | u128::from(byte)))
}

/// A new instance of the orchestrator `Hello` whose execution is named like it.
pub(crate) fn new(name: &str) -> NewInstance {
    new_execution(name, name)
}

pub(crate) fn new_execution(name: &str, of: &str) -> NewInstance {
    NewInstance {
        id: id(name),
        started: ExecutionStarted::new("Hello", Json::from("1"), execution(of)),
        at: START,
        reuse: Reuse::ENDED,
        otherwise: None,
        idempotency_key: None,
    }
}

pub(crate) fn raised(to: &InstanceId, name: &str) -> Envelope {
    let event = RaisedEvent { name: name.to_owned(), input: Json::from("null"), id: None };
    Envelope::new(to.clone(), None, MessageKind::EventRaised(event))
}

/// The same, to be handed out so many seconds after the tests began.
pub(crate) fn later(to: &InstanceId, name: &str, seconds: u64) -> Envelope {
    Envelope { deliver_at: Some(START.saturating_add(Duration::from_secs(seconds))), ..raised(to, name) }
}

/// The checkpoint of a turn that consumes all its messages, records one event and waits.
pub(crate) fn waiting(work: &TurnWork) -> Checkpoint {
    let mut row = work.row.clone();
    row.status = RuntimeStatus::Running;
    row.turns += 1;
    row.events += 1;
    let event = Event { at: START, kind: EventKind::OrchestratorStarted };
    let record = TurnRecord { turn: row.turns - 1, events: vec![event] };
    Checkpoint { record: Some(record), ..Checkpoint::of_row(row, origins(work)) }
}

/// The same, with the end of the instance.
pub(crate) fn ending(work: &TurnWork, status: RuntimeStatus) -> Checkpoint {
    let mut checkpoint = waiting(work);
    checkpoint.row.status = status;
    checkpoint.row.completed_at = Some(START);
    checkpoint
}

/// The same, with the next execution.
pub(crate) fn continuing(work: &TurnWork, next: &str) -> Checkpoint {
    let mut checkpoint = waiting(work);
    let row = &mut checkpoint.row;
    row.execution = execution(next);
    (row.turns, row.events) = (0, 0);
    let started = ExecutionStarted::new(row.name.clone(), Json::from("2"), row.execution);
    let kind = MessageKind::ExecutionStarted { started: Box::new(started), carried_over: Vec::new() };
    checkpoint.messages.push(Envelope::new(row.id.clone(), Some(row.execution), kind));
    checkpoint.next_input = Some(Json::from("2"));
    checkpoint.record = None;
    checkpoint
}

pub(crate) fn task(work: &TurnWork, event: u32) -> ActivityTask {
    ActivityTask {
        instance: work.row.id.clone(),
        execution: work.row.execution,
        id: EventId(event),
        name: "Greet".to_owned(),
        input: Json::from("\"you\""),
        attempt: 1,
        timeouts: Timeouts::default(),
        tags: Tags::new(),
        caller: work.row.name.clone(),
        version: None,
        pinned_to: None,
    }
}

pub(crate) fn timer(event: u32, seconds: u64) -> Timer {
    Timer { id: EventId(event), fire_at: START.saturating_add(Duration::from_secs(seconds)) }
}

pub(crate) fn origins(work: &TurnWork) -> Vec<Origin> {
    work.messages.iter().map(|message| message.origin).collect()
}

/// The messages in short: the kind, and the name of a raised event.
pub(crate) fn kinds(work: &TurnWork) -> Vec<String> {
    let short = |kind: &MessageKind| {
        if let MessageKind::EventRaised(raised) = kind { raised.name.clone() } else { kind.name().to_owned() }
    };
    work.messages.iter().map(|message| short(&message.kind)).collect()
}
