//! A task hub in miniature, without stores and without real time: it runs orchestrations of an app to their end, with real
//! guests and real activities, and keeps their histories.
//!
//! Everything happens in one order: messages before external events, external events before timers, and the clock jumps.
//! What is to be delivered later is delivered at once.

use super::fixtures::invocation;
use crate::App;
use orchestration::{
    ActivityTask, Caller, Checkpoint, Cursor, EntityAction, EntityId, EntityOperation, Event, ExecutionId,
    ExecutionStarted, Failure, HttpCall, Identity, InstanceId, InstanceRow, Json, Ledger, Limits, Message, MessageKind,
    NewInstance, Origin, PresentApp, RaisedEvent, Reuse, Settling, Timestamp, TurnEnd, admit, settle, transcript,
};
use ports::{Advanced, Entities, EntityBatch, Orchestrator, Orchestrators as _};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What becomes of a guest at the end of a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Between {
    /// It stays and goes on.
    KeepAlive,
    /// It goes, and a fresh one replays the whole history.
    Rebuild,
}

pub(super) struct World<'a> {
    app: &'a App,
    present: PresentApp,
    between: Between,
    now: Timestamp,
    instances: BTreeMap<InstanceId, Instance>,
    /// The states of entities. Locks are granted to whoever asks: no two orchestrations compete here.
    entities: BTreeMap<EntityId, Option<Json>>,
    /// What entities are asked, and told.
    for_entities: VecDeque<(EntityId, MessageKind)>,
    /// Raised one at a time, whenever nothing else is to do.
    pub(super) external_events: VecDeque<(InstanceId, RaisedEvent)>,
    /// The histories of all executions, also of those that continued as new.
    pub(super) histories: Vec<String>,
    turns: u32,
}

struct Instance {
    row: InstanceRow,
    ledger: Ledger,
    history: Vec<Event>,
    inbox: Vec<Message>,
    timers: Vec<orchestration::Timer>,
    live: Option<(Box<dyn Orchestrator>, Box<Cursor>)>,
}

/// Ends a test whose orchestration never ends.
const MAX_TURNS: u32 = 20_000;

impl<'a> World<'a> {
    pub(super) fn new(app: &'a App, between: Between) -> World<'a> {
        World {
            app,
            present: PresentApp { digest: Some(app.digest().to_owned()), default_version: None },
            between,
            now: Timestamp::from_unix_ms(1_700_000_000_000),
            instances: BTreeMap::new(),
            entities: BTreeMap::new(),
            for_entities: VecDeque::new(),
            external_events: VecDeque::new(),
            histories: Vec::new(),
            turns: 0,
        }
    }

    /// Starts an orchestration and runs everything until nothing is left to do. Answers its row.
    pub(super) async fn run(&mut self, orchestrator: &str, input: &str) -> InstanceRow {
        let id = InstanceId::from_stored("trip-1");
        let started = ExecutionStarted {
            pinned_to: self.present.digest.clone(),
            ..ExecutionStarted::new(orchestrator, Json::from(input), ExecutionId::from_random(42))
        };
        let at = self.now;
        self.create(NewInstance {
            id: id.clone(),
            started,
            at,
            reuse: Reuse::NEVER,
            otherwise: None,
            idempotency_key: None,
        });
        while self.step().await {
            assert!(self.turns < MAX_TURNS, "the orchestration does not end");
        }
        for instance in self.instances.values() {
            self.histories.push(transcript::transcript(&instance.history));
        }
        self.instances[&id].row.clone()
    }

    fn create(&mut self, new: NewInstance) {
        let row = new.row();
        let kind = MessageKind::ExecutionStarted { started: Box::new(new.started), carried_over: Vec::new() };
        let instance = Instance {
            row,
            ledger: Ledger::default(),
            history: Vec::new(),
            inbox: vec![message(None, kind)],
            timers: Vec::new(),
            live: None,
        };
        self.instances.insert(new.id, instance);
    }

    /// What has happened to the current execution of an instance.
    pub(super) fn past(&self, id: &InstanceId) -> Vec<Event> {
        self.instances[id].history.clone()
    }

    /// Answers whether there was something to do.
    async fn step(&mut self) -> bool {
        if let Some((entity, asked)) = self.for_entities.pop_front() {
            self.ask(entity, asked).await;
            return true;
        }
        let ready = self.instances.iter().find(|(_, instance)| !instance.inbox.is_empty());
        if let Some((id, _)) = ready {
            let id = id.clone();
            self.turn(&id).await;
            return true;
        }
        if let Some((id, raised)) = self.external_events.pop_front() {
            self.send(&id, message(None, MessageKind::EventRaised(raised)));
            return true;
        }
        let due = self.instances.iter().flat_map(|(id, i)| i.timers.iter().map(move |t| (t.fire_at, t.id, id)));
        let Some((fire_at, timer, id)) = due.min() else {
            return false;
        };
        let id = id.clone();
        self.now = self.now.max(fire_at);
        let instance = self.instances.get_mut(&id).expect("the timer's instance");
        instance.timers.retain(|t| t.id != timer);
        let execution = instance.row.execution;
        self.send(&id, message(Some(execution), MessageKind::TimerFired { timer, fire_at }));
        true
    }

    fn send(&mut self, to: &InstanceId, message: Message) {
        if let Some(entity) = EntityId::of_instance(to) {
            self.for_entities.push_back((entity, message.kind));
        } else if let Some(instance) = self.instances.get_mut(to) {
            instance.inbox.push(message);
        }
    }

    async fn turn(&mut self, id: &InstanceId) {
        self.turns += 1;
        self.now = self.now.saturating_add(Duration::from_millis(1_234));
        let now = self.now;
        let instance = self.instances.get_mut(id).expect("the instance");
        let inbox = std::mem::take(&mut instance.inbox);
        let admission = admit(&instance.ledger, &instance.row, inbox, now);
        if admission.events.is_empty() {
            return;
        }
        let (mut guest, mut cursor) = match instance.live.take() {
            Some(live) => live,
            None => {
                let row = &instance.row;
                let guest = self.app.begin(&row.name, row.pinned_to.as_deref()).await.expect("a guest");
                let cursor = Cursor::new(identity(row), Limits::default(), instance.history.clone());
                (guest, Box::new(cursor))
            }
        };
        cursor.feed(admission.events.clone());
        let (mut cursor, advanced) = guest.advance(cursor).await;
        let end = match advanced {
            Ok(Advanced::Waiting) => TurnEnd::Waiting,
            Ok(Advanced::Returned(result)) => cursor.returned(result),
            Err(fault) => TurnEnd::Failed(cursor.stopped().map_or_else(|| fault.failure(), |s| s.failure())),
        };
        let (actions, custom_status) = cursor.take_actions();
        if end == TurnEnd::Waiting && self.between == Between::KeepAlive {
            instance.live = Some((guest, cursor));
        }
        let settling = Settling {
            row: &instance.row,
            ledger: instance.ledger.clone(),
            admission,
            actions,
            custom_status,
            end,
            now,
            limits: &Limits::default(),
            present: &self.present,
        };
        let settled = settle(settling).expect("a legal history");
        instance.ledger = settled.ledger;
        self.apply(id, settled.checkpoint).await;
    }

    async fn apply(&mut self, id: &InstanceId, checkpoint: Checkpoint) {
        let instance = self.instances.get_mut(id).expect("the instance");
        let continues = checkpoint.row.execution != checkpoint.execution;
        instance.row = checkpoint.row;
        if let Some(record) = checkpoint.record {
            instance.history.extend(record.events);
        }
        if continues {
            self.histories.push(transcript::transcript(&instance.history));
            instance.history.clear();
            instance.ledger = Ledger::default();
            instance.timers.clear();
            instance.live = None;
        }
        instance.timers.retain(|timer| !checkpoint.cancelled_timers.contains(&timer.id));
        instance.timers.extend(checkpoint.timers);
        for child in checkpoint.children {
            self.create(child);
        }
        for envelope in checkpoint.messages {
            self.send(&envelope.to, message(envelope.execution, envelope.kind));
        }
        for task in checkpoint.activities {
            if checkpoint.cancelled_activities.contains(&task.id) {
                continue;
            }
            let (scheduled, execution) = (task.id, task.execution);
            let kind = match self.run_activity(task).await {
                Ok(result) => MessageKind::TaskCompleted { scheduled, result },
                Err(failure) => MessageKind::TaskFailed { scheduled, failure },
            };
            self.send(id, message(Some(execution), kind));
        }
    }

    /// The host's own activity has an answer for everybody. What activities give their outputs goes nowhere.
    async fn run_activity(&self, task: ActivityTask) -> Result<Json, Failure> {
        if task.name == HttpCall::ACTIVITY {
            return Ok(Json::from(r#"{"statusCode":200,"headers":{},"content":"hello"}"#));
        }
        let ran = self.app.run_activity(invocation(task), Vec::new()).await;
        ran.unwrap_or_else(|fault| Err(fault.failure())).map(|ran| ran.returned)
    }

    /// One message for an entity; an operation is a batch of its own.
    async fn ask(&mut self, entity: EntityId, asked: MessageKind) {
        let (caller, operation) = match asked {
            MessageKind::EntityOperationCalled { caller, operation, input } => (Some(caller), (operation, input)),
            MessageKind::EntityOperationSignaled { operation, input, .. } => (None, (operation, input)),
            MessageKind::EntityLockRequested { owner, .. } => {
                let granted = MessageKind::EntityLockGranted { scheduled: owner.scheduled };
                return self.send(&owner.instance, message(Some(owner.execution), granted));
            }
            MessageKind::EntityUnlockSent { .. } => return,
            other @ (MessageKind::ExecutionStarted { .. }
            | MessageKind::TaskCompleted { .. }
            | MessageKind::TaskFailed { .. }
            | MessageKind::SubOrchestrationInstanceCompleted { .. }
            | MessageKind::SubOrchestrationInstanceFailed { .. }
            | MessageKind::TimerFired { .. }
            | MessageKind::EventRaised(_)
            | MessageKind::ExecutionTerminated { .. }
            | MessageKind::ExecutionSuspended { .. }
            | MessageKind::ExecutionResumed { .. }
            | MessageKind::RewindRequested { .. }
            | MessageKind::ExecutionRewound { .. }
            | MessageKind::EntityOperationCompleted { .. }
            | MessageKind::EntityOperationFailed { .. }
            | MessageKind::EntityLockGranted { .. }) => panic!("an entity takes no {}", other.name()),
        };
        let batch = EntityBatch {
            invocation_id: "call-1".to_owned(),
            state: self.entities.remove(&entity).flatten(),
            entity: entity.clone(),
            operations: vec![EntityOperation {
                name: operation.0,
                input: operation.1,
                request: "request-1".to_owned(),
                is_signal: caller.is_none(),
                caller: caller.as_ref().map(|caller| caller.instance.clone()),
            }],
            roll_back: true,
            now: self.now,
        };
        let mut outcome = Entities::run(self.app, batch).await.expect("no fault");
        self.entities.insert(entity, outcome.state);
        if let Some(Caller { instance, execution, scheduled }) = caller {
            let answer = match outcome.results.remove(0) {
                Ok(result) => MessageKind::EntityOperationCompleted { scheduled, result },
                Err(failure) => MessageKind::EntityOperationFailed { scheduled, failure },
            };
            self.send(&instance, message(Some(execution), answer));
        }
        for action in outcome.actions {
            let EntityAction::Signal { entity, operation, input, .. } = action else {
                panic!("nothing here starts orchestrations: {action:?}");
            };
            let (sender, request) = (None, "request-2".to_owned());
            self.for_entities
                .push_back((entity, MessageKind::EntityOperationSignaled { sender, request, operation, input }));
        }
    }
}

pub(super) fn identity(row: &InstanceRow) -> Identity {
    Identity {
        instance: row.id.clone(),
        execution: row.execution,
        name: row.name.clone(),
        parent: row.parent.clone(),
        version: row.options.version.clone(),
        tags: row.options.tags.clone(),
    }
}

fn message(execution: Option<ExecutionId>, kind: MessageKind) -> Message {
    Message { origin: Origin::Inbox(0), execution, kind }
}
