//! A small world: instances in memory, virtual time, activities that answer as scripted. It runs admit, cursor and settle
//! turn by turn, as a host does, and applies the checkpoints.
//!
//! Every scenario runs twice, with orchestrators that are kept alive between turns and with orchestrators that are
//! replayed from the first line at every turn; both must tell the same story. After every turn the invariants hold that
//! the store and the engine rely on.

use super::author::{Author, Ctx, Driver, Outcome, author};
use super::fixtures::{raised, terminate};
use super::shown;
use crate::transcript::transcript;
use crate::{
    ActivityTask, Checkpoint, Cursor, EntityOperation, EntityOutcome, Envelope, Event, EventId, EventKind, ExecutionId,
    ExecutionStarted, Failure, Fit, History, Identity, InstanceId, InstanceRow, Json, Ledger, Limits, Message,
    MessageKind, NewInstance, Origin, PresentApp, Recording, Reuse, RuntimeStatus, Settling, StartOptions, Timer,
    Timestamp, TurnEnd, admit, admit_entity, rewind, settle, settle_entity,
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

/// How many operations an entity does in one batch.
const BATCH: usize = 3;

type Script = Rc<dyn Fn(&ActivityTask) -> Outcome>;

/// What happens from outside.
#[derive(Clone)]
enum Outside {
    Start(InstanceId, &'static str, Json, StartOptions),
    Send(Envelope),
    /// All traces of the instance go; the story keeps them.
    Purge(InstanceId),
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
        self.start_with(seconds, id, name, input, StartOptions::default())
    }

    pub(super) fn start_with(
        self,
        seconds: u64,
        id: &str,
        name: &'static str,
        input: &str,
        options: StartOptions,
    ) -> Scenario {
        self.outside(seconds, Outside::Start(InstanceId::parse(id).unwrap(), name, Json::from(input), options))
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

    /// A client tells an entity to do something.
    pub(super) fn signal(self, seconds: u64, name: &str, key: &str, operation: &str, input: &str) -> Scenario {
        let kind = MessageKind::EntityOperationSignaled {
            sender: None,
            request: format!("signal {seconds}"),
            operation: operation.to_owned(),
            input: Json::from(input),
        };
        self.send(seconds, &format!("@{name}@{key}"), kind)
    }

    pub(super) fn suspend(self, seconds: u64, id: &str) -> Scenario {
        self.send(seconds, id, MessageKind::ExecutionSuspended { reason: "wait".to_owned() })
    }

    pub(super) fn resume(self, seconds: u64, id: &str) -> Scenario {
        self.send(seconds, id, MessageKind::ExecutionResumed { reason: "go on".to_owned() })
    }

    pub(super) fn rewind(self, seconds: u64, id: &str) -> Scenario {
        self.send(
            seconds,
            id,
            MessageKind::RewindRequested { reason: "once more".to_owned(), parent: None, latest: false },
        )
    }

    pub(super) fn purge(self, seconds: u64, id: &str) -> Scenario {
        self.outside(seconds, Outside::Purge(InstanceId::from_stored(id)))
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
    /// Activities of the current execution that were stopped.
    stopped: BTreeSet<EventId>,
    /// What was handed out and not consumed: it comes once more with the next message.
    inbox: Vec<Message>,
}

impl Instance {
    fn new(earlier: String, row: InstanceRow) -> Instance {
        let (history, ledger, timers, stopped) = (Vec::new(), Ledger::default(), BTreeSet::new(), BTreeSet::new());
        Instance { earlier, row, history, ledger, live: None, timers, stopped, inbox: Vec::new() }
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
            Due::Outside(Outside::Purge(id)) => {
                let told = self.instances.remove(&id).map(|instance| tell(&instance)).unwrap_or_default();
                self.order.retain(|other| *other != id);
                self.note(&format!("purged {}", told.trim_end()));
                None
            }
            Due::Outside(Outside::Deploy(name, code)) => {
                self.scenario.orchestrators.insert(name, code);
                self.deployed = true;
                for instance in self.instances.values_mut() {
                    instance.live = None;
                }
                None
            }
            Due::Outside(Outside::Start(id, name, input, options)) => {
                let execution = ExecutionId::from_random(u128::from(self.posted) << 64);
                let started = ExecutionStarted { options, ..ExecutionStarted::new(name, input, execution) };
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
        let (execution, start_at) = (Some(started.execution), started.options.start_at);
        let kind = MessageKind::ExecutionStarted { started: Box::new(started), carried_over: Vec::new() };
        let (to, message) = self.message(Envelope::new(id, execution, kind));
        match start_at {
            Some(moment) if moment > self.now => {
                self.post(moment, Due::Message(to, message));
                None
            }
            Some(_) | None => Some((to, message)),
        }
    }

    fn turn(&mut self, id: &InstanceId, messages: Vec<Message>) {
        if id.is_entity() {
            return self.entity_turn(id, messages);
        }
        let Some(mut instance) = self.instances.remove(id) else {
            return self.note(&format!("{id} is unknown"));
        };
        // A timer that was taken back does not fire, and an activity that was stopped has no result.
        let comes = |message: &Message| match message.origin {
            Origin::Timer(execution, timer) => execution == instance.row.execution && instance.timers.contains(&timer),
            Origin::Activity(execution, task) => {
                execution != instance.row.execution || !instance.stopped.contains(&task)
            }
            Origin::Inbox(_) => true,
        };
        let waiting = std::mem::take(&mut instance.inbox);
        let messages: Vec<_> = waiting.into_iter().chain(messages).filter(comes).collect();
        if messages.iter().any(|message| matches!(message.kind, MessageKind::RewindRequested { .. })) {
            self.rewind(&mut instance, messages);
        } else {
            self.orchestration_turn(id, &mut instance, messages);
        }
        self.instances.insert(id.clone(), instance);
    }

    fn rewind(&mut self, instance: &mut Instance, messages: Vec<Message>) {
        let (row, history) = (&instance.row, instance.history.clone());
        let rewound = rewind(row, history.clone(), messages.clone(), self.now, &self.scenario.present);
        let again = rewind(row, history, messages.clone(), self.now, &self.scenario.present);
        assert_eq!(rewound, again, "rewind is deterministic");
        let checkpoint = rewound.expect("the history can be taken back");
        let rest = messages.into_iter().filter(|message| !checkpoint.consumed.contains(&message.origin));
        let rest: Vec<_> = rest.collect();
        if checkpoint.more {
            for message in rest {
                self.post(self.now, Due::Message(instance.row.id.clone(), message));
            }
        } else {
            assert!(rest.is_empty(), "nothing waits for an instance that has ended");
        }
        let ledger = instance.ledger.clone();
        self.apply(instance, checkpoint, ledger);
    }

    fn entity_turn(&mut self, id: &InstanceId, messages: Vec<Message>) {
        let mut instance = self.instances.remove(id).unwrap_or_else(|| {
            if !self.order.contains(id) {
                self.order.push(id.clone());
            }
            Instance::new(String::new(), InstanceRow::new_entity(id.clone(), self.now))
        });
        instance.inbox.extend(messages);
        let admission = admit_entity(&instance.row, instance.inbox.clone(), BATCH);
        for (message, why) in &admission.ignored {
            self.note(&format!("{id} ignored {}: {why:?}", message.kind.name()));
        }
        let outcome = self.operate(id, &instance.row, &admission.operations);
        let checkpoint = settle_entity(&instance.row, admission, outcome, self.now, &self.scenario.present);
        instance.inbox.retain(|message| !checkpoint.consumed.contains(&message.origin));
        let (more, remove) = (checkpoint.more, checkpoint.remove);
        let ledger = instance.ledger.clone();
        self.apply(&mut instance, checkpoint, ledger);
        assert!(!remove || instance.inbox.is_empty(), "an entity that is asked for something is not removed");
        if !remove {
            self.instances.insert(id.clone(), instance);
        }
        if more {
            self.entity_turn(id, Vec::new());
        }
    }

    fn operate(&mut self, id: &InstanceId, row: &InstanceRow, operations: &[EntityOperation]) -> EntityOutcome {
        let mut outcome = EntityOutcome::unchanged(row);
        for operation in operations {
            let mut state = outcome.state.clone();
            let result = count(&mut state, operation);
            if result.is_ok() {
                outcome.state = state;
            }
            let caller = operation.caller.as_ref().map_or("a client", InstanceId::as_str);
            self.note(&format!("{id} {}({}) for {caller}: {}", operation.name, operation.input, shown(&result)));
            outcome.results.push(result);
        }
        outcome
    }

    fn orchestration_turn(&mut self, id: &InstanceId, instance: &mut Instance, messages: Vec<Message>) {
        let admission = admit(&instance.ledger, &instance.row, messages.clone(), self.now);
        let waits = |message: &Message| !admission.consumed.contains(&message.origin);
        instance.inbox = messages.into_iter().filter(waits).collect();
        assert!(instance.inbox.is_empty() || admission.events.is_empty(), "all of them wait, or none");
        for (message, why) in &admission.ignored {
            self.note(&format!("{id} ignored {}: {why:?}", message.kind.name()));
        }
        let runs = admission.runs && admission.termination.is_none();
        if let (false, Some(driver)) = (runs, &instance.live) {
            driver.cursor(|cursor| cursor.feed(admission.events.iter().cloned()));
        }
        let (end, actions, custom_status) =
            if runs { self.advance(instance, &admission.events) } else { (TurnEnd::Waiting, Vec::new(), None) };
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
        self.apply(instance, settled.checkpoint, settled.ledger);
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
        let Checkpoint { row, next_input, record, rewritten, .. } = checkpoint;
        for id in &checkpoint.cancelled_timers {
            let was_set = instance.timers.remove(id);
            self.note(&format!(
                "{} takes timer {id:?} back{}",
                row.id,
                if was_set { "" } else { ", which is not set" }
            ));
        }
        for id in checkpoint.cancelled_activities {
            self.note(&format!("{} stops activity {id:?}", row.id));
            instance.stopped.insert(id);
        }
        if let Some(input) = &next_input {
            self.note(&format!("{} continues as new with {input}", row.id));
            self.replay_prefixes(instance);
            *instance = Instance::new(tell(instance), row.clone());
        } else if let Some(turns) = rewritten {
            self.replay_prefixes(instance);
            let history = turns.into_iter().flat_map(|turn| turn.events).collect();
            let (history, ledger) = History::from_events(history).expect("the rewritten history is legal").into_parts();
            let earlier = format!("{}is rewound\n", tell(instance));
            *instance = Instance { history, ledger, ..Instance::new(earlier, row.clone()) };
        } else {
            if let Some(record) = record {
                assert_eq!(record.turn, instance.row.turns, "turns are numbered without a gap");
                instance.history.extend(record.events);
            }
            instance.row = row.clone();
            instance.ledger = ledger;
        }
        self.start_timers(instance, checkpoint.timers);
        for task in &checkpoint.activities {
            self.start_activity(task);
        }
        for child in checkpoint.children {
            self.start_child(child);
        }
        for envelope in checkpoint.messages {
            let moment = envelope.deliver_at.unwrap_or(self.now);
            let (to, message) = self.message(envelope);
            self.post(moment, Due::Message(to, message));
        }
        self.check_fold(instance);
    }

    fn start_timers(&mut self, instance: &mut Instance, timers: Vec<Timer>) {
        let execution = instance.row.execution;
        for timer in timers {
            instance.timers.insert(timer.id);
            let kind = MessageKind::TimerFired { timer: timer.id, fire_at: timer.fire_at };
            let message = Message { origin: Origin::Timer(execution, timer.id), execution: Some(execution), kind };
            self.post(timer.fire_at, Due::Message(instance.row.id.clone(), message));
        }
    }

    fn start_child(&mut self, child: NewInstance) {
        if let Some((to, message)) = self.create(child) {
            self.post(self.now, Due::Message(to, message));
        }
    }

    /// Row and ledger are always what the history adds up to.
    fn check_fold(&self, instance: &Instance) {
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
        let Some(code) = self.scenario.orchestrators.get(instance.row.name.as_str()) else { return };
        if self.deployed {
            return;
        }
        let turns: Vec<_> =
            instance.history.split_inclusive(|event| event.kind == EventKind::OrchestratorCompleted).collect();
        for count in 1..=turns.len() {
            let past = turns[..count].concat();
            let expected = match past.iter().find_map(recorded_end) {
                None => Fit::Waits,
                Some(by_code) if by_code => Fit::Ends,
                Some(_) => continue,
            };
            let Some(recording) = Recording::of(History::from_events(past).unwrap()) else {
                continue;
            };
            let mut driver =
                Driver::new(cursor(&instance.row, self.scenario.limits, recording.events().to_vec()), code);
            let end = driver.advance();
            let fit = driver.cursor(|cursor| recording.verdict(cursor, &end));
            assert_eq!(fit, expected, "the first {count} turns of {}", instance.row.id);
            assert_eq!(driver.cursor(Cursor::take_actions), (Vec::new(), None), "a replay has no effects");
            assert_eq!(driver.take_log(), Vec::<String>::new(), "a replay is silent");
        }
    }

    /// Whoever has locked an entity is at work, and in that section or about to leave it.
    fn check_locks(&self) {
        for instance in self.instances.values() {
            let lock = instance.row.entity.as_ref().and_then(|entity| entity.lock.as_ref());
            let Some(lock) = lock else { continue };
            let owner = &self.instances[&lock.owner].row;
            assert!(!owner.status.is_terminal(), "{} is locked by {}, which has ended", instance.row.id, owner.id);
            let section = owner.critical_section.as_ref().map(|section| section.scheduled);
            assert_eq!((owner.execution, section), (lock.section.execution, Some(lock.section.scheduled)));
        }
    }

    fn story(&self) -> String {
        self.check_locks();
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

/// Whether the execution ends there, and then whether its code ended it.
fn recorded_end(event: &Event) -> Option<bool> {
    let EventKind::ExecutionCompleted { status, failure, .. } = &event.kind else {
        return None;
    };
    let by_host = failure.as_ref().is_some_and(|failure| failure.error_type == Failure::LIMIT_EXCEEDED);
    Some(!by_host && *status != RuntimeStatus::Terminated)
}

/// What all entities do: they count.
fn count(state: &mut Option<Json>, operation: &EntityOperation) -> Outcome {
    let parse = |json: &Json| json.as_str().parse::<i64>().map_err(|_| Failure::new("NotANumber", json.to_string()));
    let before = state.as_ref().map_or(Ok(0), parse)?;
    match operation.name.as_str() {
        "add" => {
            let after = Json::from((before + parse(&operation.input)?).to_string());
            *state = Some(after.clone());
            Ok(after)
        }
        "get" => Ok(Json::from(before.to_string())),
        "delete" => {
            *state = None;
            Ok(Json::null())
        }
        other => Err(Failure::new("UnknownOperation", other)),
    }
}

fn tell(instance: &Instance) -> String {
    let row = &instance.row;
    if let Some(entity) = &row.entity {
        let state = entity.state.as_ref().map_or_else(|| "no state".to_owned(), Json::to_string);
        let lock = entity.lock.as_ref().map_or_else(String::new, |lock| format!(", locked by {}", lock.owner));
        let waiting =
            if instance.inbox.is_empty() { String::new() } else { format!(", {} waiting", instance.inbox.len()) };
        return format!("{}: {state}{lock}{waiting}\n", row.id);
    }
    let custom_status = row.custom_status.as_ref().map_or(String::new(), |status| format!(", status {status}"));
    format!("{}{}: {}{custom_status}\n{}", instance.earlier, row.id, row.status, transcript(&instance.history))
}
