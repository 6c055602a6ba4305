//! What the engine does about turns that cannot be run: one turn, handed in and looked at, without a store behind it.

use crate::{Inner, LiveInstances, Parts, Settings};
use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use orchestration::{
    Checkpoint, Cursor, Envelope, Event, EventKind, ExecutionId, ExecutionStarted, Failure, InstanceId, InstanceRow,
    Json, Message, MessageKind, NewInstance, Origin, RaisedEvent, RuntimeStatus, Timestamp, transcript::transcript,
};
use ports::{
    Activities, ActivityInvocation, ActivityWork, Advanced, Clock, Created, GuestFault, InstanceQuery, InstanceStore,
    InstanceView, Lease, Orchestrator, Orchestrators, Page, Purge, Randomness, Reuse, Sent, StoreError, TurnWork,
    WorkStore,
};
use std::sync::{Arc, Mutex};

const EXECUTION: ExecutionId = ExecutionId::from_random(1);
const NOW: Timestamp = Timestamp::from_unix_ms(1_000_000);

/// What the engine did with the turn.
#[derive(Debug, PartialEq)]
enum Done {
    Committed(Box<Checkpoint>),
    Released,
    Abandoned { not_before: Timestamp },
}

/// A world in which the one turn ends in a given way.
struct World {
    history: Result<Vec<Event>, StoreError>,
    begin: Result<(), GuestFault>,
    advance: Result<Advanced, GuestFault>,
    done: Mutex<Vec<Done>>,
}

impl World {
    fn new() -> World {
        World { history: Ok(Vec::new()), begin: Ok(()), advance: Ok(Advanced::Waiting), done: Mutex::new(Vec::new()) }
    }

    /// Runs one turn of an instance with this many recorded turns and failed attempts.
    fn run(self, turns: u32, failed_attempts: u32) -> Vec<Done> {
        let world = Arc::new(self);
        let parts = Parts {
            store: world.clone(),
            orchestrators: world.clone(),
            activities: world.clone(),
            clock: world.clone(),
            randomness: world.clone(),
        };
        let settings = Settings::for_cores(1);
        let inner = Inner { live: LiveInstances::new(10, usize::MAX), parts, settings };
        let turn = inner.run_turn(work(turns, failed_attempts));
        turn.now_or_never().expect("nothing in this world waits");
        std::mem::take(&mut *world.done.lock().unwrap())
    }
}

fn work(turns: u32, failed_attempts: u32) -> TurnWork {
    let status = if turns == 0 { RuntimeStatus::Pending } else { RuntimeStatus::Running };
    let row = InstanceRow {
        id: InstanceId::parse("trip").unwrap(),
        execution: EXECUTION,
        name: "Travel".to_owned(),
        status,
        created_at: NOW,
        updated_at: NOW,
        completed_at: None,
        custom_status: None,
        output: None,
        failure: None,
        parent: None,
        component: None,
        turns,
        events: u64::from(turns) * 3,
    };
    let kind = match turns {
        0 => MessageKind::ExecutionStarted { started: started(), carried_over: Vec::new() },
        _ => MessageKind::EventRaised(RaisedEvent { name: "go".to_owned(), input: Json::null() }),
    };
    let messages = vec![Message { origin: Origin::Inbox(7), execution: None, kind }];
    let lease = Lease { what: "instance 'trip'".to_owned(), epoch: 1, expires_at: Timestamp::MAX };
    TurnWork { lease, row, messages, failed_attempts }
}

fn started() -> Box<ExecutionStarted> {
    Box::new(ExecutionStarted { name: "Travel".to_owned(), input: Json::null(), execution: EXECUTION, parent: None })
}

fn first_turn() -> Vec<Event> {
    let kinds =
        [EventKind::OrchestratorStarted, EventKind::ExecutionStarted(started()), EventKind::OrchestratorCompleted];
    kinds.into_iter().map(|kind| Event { at: NOW, kind }).collect()
}

fn corrupt() -> StoreError {
    StoreError::Corrupt { record: "history 'trip'/0".to_owned(), detail: "unexpected end".to_owned() }
}

fn trapped() -> GuestFault {
    GuestFault::Trapped { function: "Travel".to_owned(), message: "unreachable".to_owned() }
}

/// The instance ended in failure without a word in its history: what is stored stays as it is.
fn check_set_aside(done: &[Done], expected: &str) {
    let [Done::Committed(checkpoint), Done::Released] = done else { panic!("{done:?}") };
    let failure = checkpoint.row.failure.as_ref().map(Failure::to_string);
    assert_eq!((checkpoint.row.status, failure.as_deref()), (RuntimeStatus::Failed, Some(expected)));
    assert_eq!((&checkpoint.record, &checkpoint.consumed[..]), (&None, &[Origin::Inbox(7)][..]));
}

#[test]
fn an_instance_whose_history_cannot_be_read_is_set_aside() {
    let world = World { history: Err(corrupt()), ..World::new() };
    check_set_aside(&world.run(1, 0), "CorruptHistory: the stored record history 'trip'/0 is corrupt: unexpected end");
}

#[test]
fn an_instance_whose_history_is_none_is_set_aside() {
    let twice = [first_turn(), first_turn()].concat();
    let world = World { history: Ok(twice), ..World::new() };
    check_set_aside(
        &world.run(2, 0),
        "CorruptHistory: event 4 of the history, ExecutionStarted, cannot stand there: the execution has started before",
    );
}

#[test]
fn an_instance_with_a_part_of_its_history_is_set_aside() {
    let world = World { history: Ok(first_turn()), ..World::new() };
    check_set_aside(&world.run(2, 0), "CorruptHistory: the row counts 2 turns, the history has 1");
}

#[test]
fn a_store_that_is_unavailable_makes_nothing_of_an_instance() {
    let world = World { history: Err(StoreError::Unavailable { detail: "busy".to_owned() }), ..World::new() };
    assert_eq!(world.run(1, 0), [Done::Abandoned { not_before: NOW.saturating_add(Settings::TURN_RETRY_PAUSE) }]);
}

#[test]
fn a_turn_that_traps_is_tried_again_after_a_pause_that_doubles() {
    for (failed_attempts, pauses) in [(0, 1), (1, 2)] {
        let world = World { advance: Err(trapped()), ..World::new() };
        let not_before = NOW.saturating_add(Settings::TURN_RETRY_PAUSE * pauses);
        assert_eq!(world.run(0, failed_attempts), [Done::Abandoned { not_before }]);
    }
}

#[test]
fn the_last_attempt_that_traps_fails_the_instance() {
    let world = World { advance: Err(trapped()), ..World::new() };
    check_failed(&world.run(0, 2), "Failed FunctionTrapped: function 'Travel' trapped: unreachable");
}

#[test]
fn an_unknown_orchestrator_fails_at_once() {
    let fault =
        GuestFault::NotFound { kind: "orchestrator", name: "Travel".to_owned(), known: vec!["Other".to_owned()] };
    let world = World { begin: Err(fault), ..World::new() };
    check_failed(
        &world.run(0, 0),
        "Failed OrchestratorTaskNotFound: there is no orchestrator named 'Travel'; the app has: Other",
    );
}

#[test]
fn a_host_without_room_never_fails_an_instance() {
    let fault = GuestFault::Unavailable { function: "Travel".to_owned(), message: "no place".to_owned() };
    let world = World { begin: Err(fault), ..World::new() };
    let not_before = NOW.saturating_add(Settings::TURN_RETRY_PAUSE * 1024);
    assert_eq!(world.run(0, 99), [Done::Abandoned { not_before }]);
}

/// The instance ended in failure, and its history says so.
fn check_failed(done: &[Done], last_event: &str) {
    let [Done::Committed(checkpoint), Done::Released] = done else { panic!("{done:?}") };
    let record = checkpoint.record.as_ref().expect("the turn is recorded");
    let text = transcript(&record.events);
    let end = text.lines().rev().nth(1).expect("a turn has events");
    assert_eq!(end.split_whitespace().skip(2).collect::<Vec<_>>().join(" "), last_event);
    assert_eq!(checkpoint.row.status, RuntimeStatus::Failed);
    assert!(checkpoint.activities.is_empty());
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn sleep_until(&self, _: Timestamp) -> BoxFuture<'static, ()> {
        futures::future::pending().boxed()
    }
}

impl Randomness for World {
    fn next_u128(&self) -> u128 {
        0
    }
}

#[async_trait]
impl Orchestrators for World {
    fn names(&self) -> Vec<String> {
        vec!["Travel".to_owned()]
    }

    async fn begin(&self, _: &str) -> Result<Box<dyn Orchestrator>, GuestFault> {
        self.begin.clone().map(|()| -> Box<dyn Orchestrator> { Box::new(Guest(self.advance.clone())) })
    }
}

struct Guest(Result<Advanced, GuestFault>);

#[async_trait]
impl Orchestrator for Guest {
    async fn advance(&mut self, mut cursor: Box<Cursor>) -> (Box<Cursor>, Result<Advanced, GuestFault>) {
        cursor.start().expect("the first turn has a start");
        (cursor, self.0.clone())
    }

    fn memory_bytes(&self) -> usize {
        0
    }
}

#[async_trait]
impl Activities for World {
    async fn run(&self, _: ActivityInvocation) -> Result<Result<Json, Failure>, GuestFault> {
        unreachable!("no activity is run")
    }
}

#[async_trait]
impl WorkStore for World {
    async fn take_turn(&self) -> Result<TurnWork, StoreError> {
        unreachable!("the turn is handed in")
    }

    async fn commit(&self, _: &Lease, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.done.lock().unwrap().push(Done::Committed(Box::new(checkpoint)));
        Ok(())
    }

    async fn release(&self, _: &Lease) -> Result<(), StoreError> {
        self.done.lock().unwrap().push(Done::Released);
        Ok(())
    }

    async fn take_activity(&self) -> Result<ActivityWork, StoreError> {
        unreachable!("no activity is run")
    }

    async fn complete_activity(&self, _: &Lease, _: Result<Json, Failure>) -> Result<(), StoreError> {
        unreachable!("no activity is run")
    }

    async fn renew(&self, _: &Lease) -> Result<Lease, StoreError> {
        unreachable!("a turn is not renewed")
    }

    async fn abandon(&self, _: &Lease, not_before: Timestamp) -> Result<(), StoreError> {
        self.done.lock().unwrap().push(Done::Abandoned { not_before });
        Ok(())
    }
}

#[async_trait]
impl InstanceStore for World {
    async fn create(&self, _: NewInstance, _: Reuse) -> Result<Created, StoreError> {
        unreachable!("a turn starts nothing")
    }

    async fn send(&self, _: Envelope) -> Result<Sent, StoreError> {
        unreachable!("a turn sends with its checkpoint")
    }

    async fn read(&self, _: &InstanceId, _: bool) -> Result<Option<InstanceView>, StoreError> {
        unreachable!("a turn has its row")
    }

    async fn history(&self, _: &InstanceId, _: ExecutionId) -> Result<Vec<Event>, StoreError> {
        self.history.clone()
    }

    async fn query(&self, _: &InstanceQuery) -> Result<Page, StoreError> {
        unreachable!("a turn lists nothing")
    }

    async fn purge(&self, _: &InstanceId, _: Purge) -> Result<bool, StoreError> {
        unreachable!("a turn purges nothing")
    }

    fn changed(&self, _: &InstanceId) -> BoxFuture<'static, ()> {
        futures::future::pending().boxed()
    }
}
