//! A small world: instances in memory, virtual time, activities that answer as scripted. It runs admit, cursor and settle
//! turn by turn, as a host does, and applies the checkpoints.
//!
//! Every scenario runs twice, with orchestrators that are kept alive between turns and with orchestrators that are
//! replayed from the first line at every turn; both must tell the same story. After every turn the invariants hold that
//! the store and the engine rely on.

use super::author::{Author, Ctx, Driver, Outcome, author};
use super::fixtures::{raised, terminate};
use crate::transcript::transcript;
use crate::{
    ActivityTask, Checkpoint, Cursor, Envelope, Event, EventId, EventKind, ExecutionId, ExecutionStarted, Failure,
    History, Identity, InstanceId, InstanceRow, Json, Ledger, Limits, Message, MessageKind, NewInstance, Origin,
    PresentApp, Reuse, Settling, StartOptions, Timestamp, TurnEnd, admit, settle,
};
use expect_test::Expect;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

/// When every scenario begins: 2024-01-01T00:00:00Z.
pub(super) const BEGIN: Timestamp = Timestamp::from_unix_ms(1_704_067_200_000);

/// A second of the scenario.
pub(super) fn at(seconds: u64) -> Timestamp {
    BEGIN.saturating_add(Duration::from_secs(seconds))
}

type Script = Rc<dyn Fn(&ActivityTask) -> Outcome>;

/// What happens from outside.
#[derive(Clone)]
enum Outside {
    Start(InstanceId, &'static str, Json),
    Send(Envelope),
    /// From now on the orchestrator has other code; whoever runs it is replayed with that.
    Deploy(&'static str, Author),
}

/// The apps and the events of one story.
#[derive(Clone, Default)]
pub(super) struct Scenario {
    orchestrators: BTreeMap<&'static str, Author>,
    activities: BTreeMap<&'static str, (Duration, Script)>,
    outside: Vec<(Timestamp, Outside)>,
    limits: Limits,
    present: PresentApp,
}

impl Scenario {
    /// A scenario with one orchestrator `Main`, started at 0 with the id `main` and the input `0`.
    pub(super) fn new<F, R>(code: F) -> Scenario
    where
        F: Fn(Ctx, Json) -> R + 'static,
        R: Future<Output = Outcome> + 'static,
    {
        Scenario::default().orchestrator("Main", code).start(0, "main", "Main", "0")
    }

    pub(super) fn orchestrator<F, R>(mut self, name: &'static str, code: F) -> Scenario
    where
        F: Fn(Ctx, Json) -> R + 'static,
        R: Future<Output = Outcome> + 'static,
    {
        self.orchestrators.insert(name, author(code));
        self
    }

    /// An activity that takes this long. Activities without a script take a second and answer `Name(input)`.
    pub(super) fn activity(
        mut self,
        name: &'static str,
        seconds: u64,
        script: impl Fn(&ActivityTask) -> Outcome + 'static,
    ) -> Scenario {
        self.activities.insert(name, (Duration::from_secs(seconds), Rc::new(script)));
        self
    }

    /// Other bounds on a turn than the default ones.
    pub(super) fn limits(mut self, limits: Limits) -> Scenario {
        self.limits = limits;
        self
    }

    fn outside(mut self, seconds: u64, what: Outside) -> Scenario {
        self.outside.push((at(seconds), what));
        self
    }

    pub(super) fn start(self, seconds: u64, id: &str, name: &'static str, input: &str) -> Scenario {
        self.outside(seconds, Outside::Start(InstanceId::parse(id).unwrap(), name, Json::from(input)))
    }

    /// A message of any kind, for whichever execution is current.
    pub(super) fn send(self, seconds: u64, id: &str, kind: MessageKind) -> Scenario {
        self.outside(seconds, Outside::Send(Envelope::new(InstanceId::from_stored(id), None, kind)))
    }

    pub(super) fn raise(self, seconds: u64, id: &str, name: &str, input: &str) -> Scenario {
        self.send(seconds, id, MessageKind::EventRaised(raised(name, input)))
    }

    pub(super) fn terminate(self, seconds: u64, id: &str, reason: &str) -> Scenario {
        self.send(seconds, id, terminate(reason))
    }

    pub(super) fn deploy<F, R>(self, seconds: u64, name: &'static str, code: F) -> Scenario
    where
        F: Fn(Ctx, Json) -> R + 'static,
        R: Future<Output = Outcome> + 'static,
    {
        self.outside(seconds, Outside::Deploy(name, author(code)))
    }

    /// The story as text.
    pub(super) fn story(&self) -> String {
        let [live, replayed] = [true, false].map(|keep_alive| World::new(self, keep_alive).run());
        assert_eq!(live, replayed, "orchestrators kept alive (left) and replayed ones (right) differ");
        live
    }
}

/// Runs a scenario both ways and compares its story.
pub(super) fn check(scenario: &Scenario, story: &Expect) {
    story.assert_eq(&scenario.story());
}

/// Something that is due at some moment.
enum Due {
    Outside(Outside),
    Message(InstanceId, Message),
}

struct Instance {
    /// The stories of its former executions.
    earlier: String,
    row: InstanceRow,
    history: Vec<Event>,
    ledger: Ledger,
    live: Option<Driver>,
    timers: BTreeSet<EventId>,
}

impl Instance {
    fn new(earlier: String, row: InstanceRow) -> Instance {
        let (history, ledger, timers) = (Vec::new(), Ledger::default(), BTreeSet::new());
        Instance { earlier, row, history, ledger, live: None, timers }
    }
}

struct World {
    scenario: Scenario,
    keep_alive: bool,
    now: Timestamp,
    due: BTreeMap<(Timestamp, u64), Due>,
    posted: u64,
    instances: BTreeMap<InstanceId, Instance>,
    /// The order in which instances were created.
    order: Vec<InstanceId>,
    /// What is not in any history.
    notes: String,
    /// The code of the orchestrators was changed: old histories need not replay.
    deployed: bool,
}

impl World {
    fn new(scenario: &Scenario, keep_alive: bool) -> World {
        let mut world = World {
            scenario: scenario.clone(),
            keep_alive,
            now: BEGIN,
            due: BTreeMap::new(),
            posted: 0,
            instances: BTreeMap::new(),
            order: Vec::new(),
            notes: String::new(),
            deployed: false,
        };
        for (moment, what) in &scenario.outside {
            world.post(*moment, Due::Outside(what.clone()));
        }
        world
    }

    fn post(&mut self, moment: Timestamp, due: Due) {
        self.posted += 1;
        self.due.insert((moment.max(self.now), self.posted), due);
    }

    fn note(&mut self, what: &str) {
        let seconds = self.now.saturating_since(BEGIN).as_secs_f64();
        writeln!(self.notes, "{seconds:>9.3}  {what}").unwrap();
    }

    fn run(mut self) -> String {
        for _ in 0..1000 {
            let Some((&(moment, _), _)) = self.due.first_key_value() else {
                return self.story();
            };
            self.now = moment;
            let later = self.due.split_off(&(moment, u64::MAX));
            let mut inboxes: Vec<(InstanceId, Vec<Message>)> = Vec::new();
            for due in std::mem::replace(&mut self.due, later).into_values() {
                let Some((to, message)) = self.deliver(due) else {
                    continue;
                };
                match inboxes.iter_mut().find(|(id, _)| *id == to) {
                    Some((_, messages)) => messages.push(message),
                    None => inboxes.push((to, vec![message])),
                }
            }
            for (id, messages) in inboxes {
                self.turn(&id, messages);
            }
        }
        panic!("the story does not end:\n{}", self.story());
    }

    fn deliver(&mut self, due: Due) -> Option<(InstanceId, Message)> {
        match due {
            Due::Message(id, message) => Some((id, message)),
            Due::Outside(Outside::Send(envelope)) => Some(self.message(envelope)),
            Due::Outside(Outside::Deploy(name, code)) => {
                self.scenario.orchestrators.insert(name, code);
                self.deployed = true;
                for instance in self.instances.values_mut() {
                    instance.live = None;
                }
                None
            }
            Due::Outside(Outside::Start(id, name, input)) => {
                let execution = ExecutionId::from_random(u128::from(self.posted) << 64);
                let started = ExecutionStarted::new(name, input, execution);
                self.create(NewInstance {
                    id,
                    started,
                    at: self.now,
                    reuse: Reuse::ENDED,
                    otherwise: None,
                    idempotency_key: None,
                })
            }
        }
    }

    fn message(&mut self, envelope: Envelope) -> (InstanceId, Message) {
        self.posted += 1;
        let origin = Origin::Inbox(self.posted);
        (envelope.to, Message { origin, execution: envelope.execution, kind: envelope.kind })
    }

    /// Creates an instance, unless one of its id is at work. Answers the message that follows at once.
    fn create(&mut self, new: NewInstance) -> Option<(InstanceId, Message)> {
        let row = new.row();
        let NewInstance { id, started, reuse, otherwise, .. } = new;
        if self.instances.get(&id).is_some_and(|instance| !reuse.allows(instance.row.status)) {
            self.note(&format!("{id} is at work already"));
            return otherwise.map(|envelope| self.message(envelope));
        }
        let earlier = match self.instances.remove(&id) {
            Some(old) => tell(&old),
            None => {
                self.order.push(id.clone());
                String::new()
            }
        };
        self.instances.insert(id.clone(), Instance::new(earlier, row));
        let execution = Some(started.execution);
        let kind = MessageKind::ExecutionStarted { started: Box::new(started), carried_over: Vec::new() };
        Some(self.message(Envelope::new(id, execution, kind)))
    }

    fn turn(&mut self, id: &InstanceId, messages: Vec<Message>) {
        let Some(mut instance) = self.instances.remove(id) else {
            return self.note(&format!("{id} is unknown"));
        };
        // A timer that was taken back does not fire.
        let fires = |message: &Message| match message.origin {
            Origin::Timer(execution, timer) => execution == instance.row.execution && instance.timers.contains(&timer),
            Origin::Inbox(_) | Origin::Activity(..) => true,
        };
        let messages: Vec<_> = messages.into_iter().filter(fires).collect();
        let origins: Vec<_> = messages.iter().map(|message| message.origin).collect();
        let admission = admit(&instance.ledger, &instance.row, messages, self.now);
        assert_eq!(admission.consumed.len(), origins.len());
        for (message, why) in &admission.ignored {
            self.note(&format!("{id} ignored {}: {why:?}", message.kind.name()));
        }
        let runs = admission.runs && admission.termination.is_none();
        let (end, actions, custom_status) =
            if runs { self.advance(&mut instance, &admission.events) } else { (TurnEnd::Waiting, Vec::new(), None) };
        let settling = || Settling {
            row: &instance.row,
            ledger: instance.ledger.clone(),
            admission: admission.clone(),
            actions: actions.clone(),
            custom_status: custom_status.clone(),
            end: end.clone(),
            now: self.now,
            limits: &self.scenario.limits,
            present: &self.scenario.present,
        };
        let settled = settle(settling()).expect("the turn settles");
        assert_eq!(settle(settling()).as_ref(), Ok(&settled), "settle is deterministic");
        for warning in &settled.warnings {
            self.note(&format!("{id} warned: {warning}"));
        }
        self.apply(&mut instance, settled.checkpoint, settled.ledger);
        self.instances.insert(id.clone(), instance);
    }

    fn advance(
        &mut self,
        instance: &mut Instance,
        events: &[Event],
    ) -> (TurnEnd, Vec<crate::Action>, Option<Option<Json>>) {
        let Some(code) = self.scenario.orchestrators.get(instance.row.name.as_str()) else {
            let message = format!("no orchestrator '{}'", instance.row.name);
            return (TurnEnd::Failed(Failure::new(Failure::ORCHESTRATOR_NOT_FOUND, message)), Vec::new(), None);
        };
        let mut driver = match instance.live.take() {
            Some(driver) => driver,
            None => Driver::new(cursor(&instance.row, self.scenario.limits, instance.history.clone()), code),
        };
        driver.cursor(|cursor| cursor.feed(events.iter().cloned()));
        let end = driver.advance();
        for line in driver.take_log() {
            self.note(&format!("{} logged {line}", instance.row.id));
        }
        let (actions, custom_status) = driver.cursor(Cursor::take_actions);
        if self.keep_alive && matches!(end, TurnEnd::Waiting) {
            instance.live = Some(driver);
        }
        (end, actions, custom_status)
    }

    fn apply(&mut self, instance: &mut Instance, checkpoint: Checkpoint, ledger: Ledger) {
        let Checkpoint { row, execution, next_input, record, activities, timers, cancelled_timers, .. } = checkpoint;
        for id in cancelled_timers {
            let was_set = instance.timers.remove(&id);
            self.note(&format!(
                "{} takes timer {id:?} back{}",
                row.id,
                if was_set { "" } else { ", which is not set" }
            ));
        }
        for timer in timers {
            instance.timers.insert(timer.id);
            let kind = MessageKind::TimerFired { timer: timer.id, fire_at: timer.fire_at };
            let origin = Origin::Timer(execution, timer.id);
            let message = Message { origin, execution: Some(execution), kind };
            self.post(timer.fire_at, Due::Message(row.id.clone(), message));
        }
        for task in &activities {
            self.start_activity(task);
        }
        for child in checkpoint.children {
            if let Some((to, message)) = self.create(child) {
                self.post(self.now, Due::Message(to, message));
            }
        }
        for envelope in checkpoint.messages {
            let (to, message) = self.message(envelope);
            self.post(self.now, Due::Message(to, message));
        }
        if let Some(input) = next_input {
            self.note(&format!("{} continues as new with {input}", row.id));
            self.replay_prefixes(instance);
            *instance = Instance::new(tell(instance), row);
            return;
        }
        if let Some(record) = record {
            assert_eq!(record.turn, instance.row.turns, "turns are numbered without a gap");
            instance.history.extend(record.events);
        }
        instance.row = row;
        instance.ledger = ledger;
        let fresh = History::from_events(instance.history.clone()).expect("the history is legal");
        assert_eq!(fresh.ledger(), &instance.ledger, "the ledger is the fold of the history");
        assert_eq!((instance.row.turns, instance.row.events), (instance.ledger.turns, instance.ledger.events));
        assert_eq!(instance.row.status.is_terminal(), instance.ledger.ended.is_some());
    }

    fn start_activity(&mut self, task: &ActivityTask) {
        if task.attempt > 1 {
            self.note(&format!("{} runs {}, attempt {}", task.instance, task.name, task.attempt));
        }
        let (takes, outcome) = match self.scenario.activities.get(task.name.as_str()) {
            Some((takes, script)) => (*takes, script(task)),
            None => (Duration::from_secs(1), Ok(Json::from(format!("{}({})", task.name, task.input)))),
        };
        let scheduled = task.id;
        let kind = match outcome {
            Ok(result) => MessageKind::TaskCompleted { scheduled, result },
            Err(failure) => MessageKind::TaskFailed { scheduled, failure },
        };
        let origin = Origin::Activity(task.execution, task.id);
        let message = Message { origin, execution: Some(task.execution), kind };
        self.post(self.now.saturating_add(takes), Due::Message(task.instance.clone(), message));
    }

    /// The law of replay: the code, run on the first turns of its history, asks for nothing that is not recorded, for
    /// everything that is, and ends as it ended.
    fn replay_prefixes(&self, instance: &Instance) {
        let terminated = |event: &Event| matches!(event.kind, EventKind::ExecutionTerminated { .. });
        let not_found = instance.row.failure.as_ref().is_some_and(|failure| {
            [Failure::ORCHESTRATOR_NOT_FOUND, Failure::LIMIT_EXCEEDED].contains(&failure.error_type.as_str())
        });
        if self.deployed || not_found {
            return;
        }
        let code = &self.scenario.orchestrators[instance.row.name.as_str()];
        let turns: Vec<_> =
            instance.history.split_inclusive(|event| event.kind == EventKind::OrchestratorCompleted).collect();
        let ran = turns.iter().take_while(|turn| !turn.iter().any(terminated)).count();
        for count in 1..=ran {
            let past = turns[..count].concat();
            let mut driver = Driver::new(cursor(&instance.row, self.scenario.limits, past.clone()), code);
            let end = driver.advance();
            let recorded = past.iter().find_map(recorded_end).unwrap_or(TurnEnd::Waiting);
            assert_eq!(end, recorded, "the first {count} turns of {}", instance.row.id);
            assert_eq!(driver.cursor(Cursor::take_actions), (Vec::new(), None), "a replay has no effects");
            assert_eq!(driver.take_log(), Vec::<String>::new(), "a replay is silent");
        }
    }

    fn story(&self) -> String {
        let mut text = String::new();
        for instance in self.order.iter().filter_map(|id| self.instances.get(id)) {
            self.replay_prefixes(instance);
            text.push_str(&tell(instance));
        }
        if !self.notes.is_empty() {
            write!(text, "besides\n{}", self.notes).unwrap();
        }
        text
    }
}

fn cursor(row: &InstanceRow, limits: Limits, past: Vec<Event>) -> Cursor {
    let InstanceRow { id, execution, name, parent, options, .. } = row.clone();
    let StartOptions { version, tags, .. } = options;
    Cursor::new(Identity { instance: id, execution, name, parent, version, tags }, limits, past)
}

fn recorded_end(event: &Event) -> Option<TurnEnd> {
    let EventKind::ExecutionCompleted { output, failure, .. } = &event.kind else {
        return None;
    };
    failure.clone().map(TurnEnd::Failed).or(output.clone().map(TurnEnd::Completed))
}

fn tell(instance: &Instance) -> String {
    let row = &instance.row;
    let custom_status = row.custom_status.as_ref().map_or(String::new(), |status| format!(", status {status}"));
    format!("{}{}: {}{custom_status}\n{}", instance.earlier, row.id, row.status, transcript(&instance.history))
}
