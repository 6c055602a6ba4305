//! A task hub in miniature, without stores and without real time: it runs orchestrations of an app to their end, with real
//! guests and real activities, and keeps their histories.
//!
//! Everything happens in one order: messages before external events, external events before timers, and the clock jumps.

use crate::App;
use orchestration::{
    Checkpoint, Cursor, Event, ExecutionId, ExecutionStarted, Failure, Identity, InstanceId, InstanceRow, Json, Ledger,
    Limits, Message, MessageKind, NewInstance, Origin, RaisedEvent, RuntimeStatus, Settling, Timestamp, TurnEnd, admit,
    settle, transcript,
};
use ports::{Activities as _, ActivityInvocation, Advanced, Orchestrator, Orchestrators as _};
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
    between: Between,
    now: Timestamp,
    instances: BTreeMap<InstanceId, Instance>,
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
            between,
            now: Timestamp::from_unix_ms(1_700_000_000_000),
            instances: BTreeMap::new(),
            external_events: VecDeque::new(),
            histories: Vec::new(),
            turns: 0,
        }
    }

    /// Starts an orchestration and runs everything until nothing is left to do. Answers its row.
    pub(super) async fn run(&mut self, orchestrator: &str, input: &str) -> InstanceRow {
        let id = InstanceId::from_stored("trip-1");
        let started = ExecutionStarted {
            name: orchestrator.to_owned(),
            input: Json::from(input),
            execution: ExecutionId::from_random(42),
            parent: None,
        };
        self.create(NewInstance { id: id.clone(), started, at: self.now, if_at_work: None });
        while self.step().await {
            assert!(self.turns < MAX_TURNS, "the orchestration does not end");
        }
        for instance in self.instances.values() {
            self.histories.push(transcript::transcript(&instance.history));
        }
        self.instances[&id].row.clone()
    }

    fn create(&mut self, new: NewInstance) {
        let NewInstance { id, started, at, .. } = new;
        let row = InstanceRow {
            id: id.clone(),
            execution: started.execution,
            name: started.name.clone(),
            status: RuntimeStatus::Pending,
            created_at: at,
            updated_at: at,
            completed_at: None,
            custom_status: None,
            output: None,
            failure: None,
            parent: started.parent.clone(),
            component: None,
            turns: 0,
            events: 0,
        };
        let kind = MessageKind::ExecutionStarted { started: Box::new(started), carried_over: Vec::new() };
        let instance = Instance {
            row,
            ledger: Ledger::default(),
            history: Vec::new(),
            inbox: vec![message(None, kind)],
            timers: Vec::new(),
            live: None,
        };
        self.instances.insert(id, instance);
    }

    /// Answers whether there was something to do.
    async fn step(&mut self) -> bool {
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
        if let Some(instance) = self.instances.get_mut(to) {
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
                let guest = self.app.begin(&instance.row.name).await.expect("a guest");
                let identity = Identity {
                    instance: id.clone(),
                    execution: instance.row.execution,
                    name: instance.row.name.clone(),
                    parent: instance.row.parent.clone(),
                };
                (guest, Box::new(Cursor::new(identity, Limits::default(), instance.history.clone())))
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
        };
        let (checkpoint, ledger) = settle(settling).expect("a legal history");
        instance.ledger = ledger;
        self.apply(id, checkpoint).await;
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
            let (scheduled, execution) = (task.id, task.execution);
            let invocation_id = format!("{id}/{scheduled}");
            let result = self.app.run(ActivityInvocation { invocation_id, task }).await;
            let kind = match result.unwrap_or_else(|fault| Err::<Json, Failure>(fault.failure())) {
                Ok(result) => MessageKind::TaskCompleted { scheduled, result },
                Err(failure) => MessageKind::TaskFailed { scheduled, failure },
            };
            self.send(id, message(Some(execution), kind));
        }
    }
}

fn message(execution: Option<ExecutionId>, kind: MessageKind) -> Message {
    Message { origin: Origin::Inbox(0), execution, kind }
}
