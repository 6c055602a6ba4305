//! The world: it survives the lives of the host in it, each of which ends where the test says.

use super::super::{TimerParts, TimerTriggers};
use crate::accounts::{AccountId, Accounts, StorageAccount};
use crate::bindings::BindingParts;
use crate::world::{World as Surroundings, app, function};
use async_trait::async_trait;
use futures::future::{BoxFuture, FutureExt};
use futures::task::{ArcWake, waker};
use manifest::schedule::Schedule;
use manifest::{CatchUp, Connection, Function, OutputBinding, OutputTarget, QueueOutput, Trigger};
use orchestration::{Failure, Json, Timestamp};
use ports::{
    Clock, Document, DocumentError, DocumentStore, DocumentWrite, EffectError, EffectStore, Effects, Expecting,
    GuestFault, Ran, StoreError, TimerFunctions, TimerInvocation,
};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;
use storage_model::{date_text, parse_date};

/// The moment of a text such as `2026-01-05T09:00:00`.
pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::from_ticks(parse_date(&format!("{text}Z")).expect("the test writes moments well"))
}

/// A moment without what is zero.
pub(super) fn brief(moment: Timestamp) -> String {
    let text = date_text(moment.ticks());
    text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn brief_or_none(moment: Option<Timestamp>) -> String {
    moment.map_or_else(|| "-".to_owned(), brief)
}

/// Everything that outlives the host.
#[derive(Default)]
pub(super) struct State {
    pub(super) now: Timestamp,
    /// Moments that somebody sleeps until, with what is to be woken.
    sleepers: BTreeMap<(Timestamp, u64), std::task::Waker>,
    slept: u64,
    /// Sleeps that end too early by this much.
    pub(super) drowsy: VecDeque<Duration>,
    pub(super) documents: BTreeMap<String, Document>,
    versions: u64,
    /// How the next calls of the store go.
    pub(super) faults: VecDeque<Fault>,
    /// What the function does, one by one; then `otherwise`.
    pub(super) acts: VecDeque<Act>,
    pub(super) otherwise: Act,
    pub(super) running: usize,
    pub(super) most_running: usize,
    /// Tries with a smaller retry count fail.
    pub(super) stubborn: u32,
    pub(super) events: Vec<Event>,
    transcript: String,
    /// When each of the host's lives began.
    pub(super) lives: Vec<Timestamp>,
}

/// What those who judge a run look at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    Tried(Try),
    /// A message with this text was committed.
    Committed(String),
}

/// How a call of the store goes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Fault {
    None,
    /// It did nothing and says so.
    Refused,
    /// It did everything, and its answer was lost.
    Lost,
}

/// What the function does.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Act {
    pub(super) takes: Duration,
    pub(super) end: End,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum End {
    Succeeds,
    Fails,
    Traps,
    Unavailable,
}

impl Default for Act {
    fn default() -> Act {
        Act { takes: Duration::ZERO, end: End::Succeeds }
    }
}

/// A call of the function.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Try {
    pub(super) scheduled: Timestamp,
    pub(super) is_past_due: bool,
    pub(super) retry_count: u32,
    pub(super) began: Timestamp,
    /// When the life of the host began in which it took place.
    pub(super) opened: Timestamp,
}

/// The handle of the world.
#[derive(Clone)]
pub(super) struct World(Arc<Mutex<State>>);

impl World {
    pub(super) fn at(now: &str) -> World {
        World(Arc::new(Mutex::new(State { now: at(now), ..State::default() })))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panicked")
    }

    pub(super) fn note(&self, line: &str) {
        let mut state = self.state();
        let now = brief(state.now);
        writeln!(state.transcript, "{now} {line}").expect("a string takes all");
    }

    /// The texts of all messages.
    pub(super) fn committed(&self) -> Vec<String> {
        let state = self.state();
        let committed = state.events.iter().filter_map(|event| match event {
            Event::Committed(text) => Some(text.clone()),
            Event::Tried(_) => None,
        });
        committed.collect()
    }

    pub(super) fn transcript(&self) -> String {
        std::mem::take(&mut self.state().transcript)
    }

    pub(super) fn act(&self, takes_s: u64, end: End) {
        self.state().acts.push_back(Act { takes: Duration::from_secs(takes_s), end });
    }

    pub(super) fn fail(&self, faults: &[Fault]) {
        self.state().faults.extend(faults);
    }

    /// What is remembered of the timer, as it is kept, but for the invocation's id.
    pub(super) fn document(&self) -> String {
        let state = self.state();
        let lines = state.documents.iter().map(|(name, document)| {
            let content = String::from_utf8_lossy(&document.content);
            let content = content.split(",\"invocation\"").next().unwrap_or_default();
            format!("{name}: {content}\n")
        });
        lines.collect()
    }

    pub(super) fn remember(&self, content: &str) {
        let document = Document { name: NAME.to_owned(), version: 1, content: content.as_bytes().to_vec() };
        let mut state = self.state();
        state.versions += 1;
        state.documents.insert(NAME.to_owned(), document);
    }

    /// The triggers of one life of the host.
    pub(super) fn start(&self, function: &Function) -> TimerTriggers {
        let surroundings = Surroundings::new();
        let embedded = StorageAccount {
            queues: Arc::<crate::world::MemoryAccount>::clone(&surroundings.embedded),
            tables: Arc::<crate::world::MemoryAccount>::clone(&surroundings.embedded),
            effects: Arc::new(self.clone()),
            pushes: true,
        };
        let mut accounts = Accounts::new(embedded);
        accounts.connect(Connection::default(), AccountId::EMBEDDED);
        let parts = TimerParts {
            functions: Arc::new(self.clone()),
            documents: Arc::new(self.clone()),
            bindings: BindingParts { accounts: Arc::new(accounts), starts: surroundings.bindings.starts },
            clock: Arc::new(self.clone()),
            randomness: Arc::new(Unique(self.clone())),
        };
        let mut state = self.state();
        let now = state.now;
        state.lives.push(now);
        drop(state);
        TimerTriggers::new(&app(vec![function.clone()]), &parts).expect("the connection leads to an account")
    }

    /// One life of the host, cut off at a moment or after so many steps of the program. Answers how many there were.
    pub(super) fn live(&self, function: &Function, ends: &Ends) -> usize {
        let triggers = self.start(function);
        let listeners = triggers.listeners();
        let listening = listeners.iter().map(|listener| listener.run(self.stopping(ends)));
        self.drive(&mut futures::future::join_all(listening).map(drop).boxed_local(), ends)
    }

    /// Completes at the moment at which the host is asked to stop.
    fn stopping(&self, ends: &Ends) -> BoxFuture<'static, ()> {
        match ends.asked {
            Some(moment) => self.sleep_until(moment),
            None => futures::future::pending().boxed(),
        }
    }

    /// Polls until the end. Time passes only when nothing else can happen. Answers how many polls there were.
    pub(super) fn drive(&self, future: &mut Pin<Box<dyn Future<Output = ()> + '_>>, ends: &Ends) -> usize {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = waker(Arc::clone(&woken));
        let mut polls = 0;
        loop {
            if woken.0.swap(false, Ordering::Relaxed) {
                if ends.steps.is_some_and(|steps| polls == steps) {
                    break;
                }
                polls += 1;
                if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    break;
                }
            } else if !self.pass_time(ends.at) {
                break;
            }
        }
        // What is left of this life is nobody's business.
        let mut state = self.state();
        state.sleepers.clear();
        state.running = 0;
        polls
    }

    /// Goes on to the next moment that somebody waits for; false if it would be later than the end.
    fn pass_time(&self, end: Timestamp) -> bool {
        let next = {
            let mut state = self.state();
            match state.sleepers.pop_first() {
                Some(((moment, _), waker)) if moment <= end => {
                    state.now = state.now.max(moment);
                    Some(waker)
                }
                _ => {
                    state.now = state.now.max(end);
                    None
                }
            }
        };
        next.is_some_and(|waker| {
            waker.wake();
            true
        })
    }

    /// A point at which the host may die.
    async fn step(&self) {
        let mut waited = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Takes the next fault, if any.
    fn fault(&self) -> Fault {
        self.state().faults.pop_front().unwrap_or(Fault::None)
    }
}

/// The end of one life of the host.
#[derive(Clone, Default)]
pub(super) struct Ends {
    /// At this moment it dies, wherever it is.
    pub(super) at: Timestamp,
    /// It is asked to stop at this moment.
    pub(super) asked: Option<Timestamp>,
    /// It dies after so many steps.
    pub(super) steps: Option<usize>,
}

impl Ends {
    pub(super) fn at(text: &str) -> Ends {
        Ends { at: at(text), ..Ends::default() }
    }
}

struct Woken(AtomicBool);

impl ArcWake for Woken {
    fn wake_by_ref(woken: &Arc<Woken>) {
        woken.0.store(true, Ordering::Relaxed);
    }
}

/// Never the same number twice, over all lives.
struct Unique(World);

impl ports::Randomness for Unique {
    fn next_u128(&self) -> u128 {
        let mut state = self.0.state();
        state.slept += 1;
        u128::from(state.slept)
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
        let world = self.clone();
        let early = self.state().drowsy.pop_front().unwrap_or_default();
        let early = i64::try_from(early.as_nanos() / 100).expect("a little early");
        let moment = Timestamp::from_ticks(moment.ticks() - early);
        let mut key = None;
        let sleep = std::future::poll_fn(move |context| {
            let mut state = world.state();
            if state.now >= moment {
                return Poll::Ready(());
            }
            state.slept += 1;
            let slept = state.slept;
            state.sleepers.insert(*key.get_or_insert((moment, slept)), context.waker().clone());
            Poll::Pending
        });
        sleep.boxed()
    }
}

/// Where the tests' timer is remembered.
pub(super) const NAME: &str = "timers/tests/Nightly";

#[async_trait]
impl TimerFunctions for World {
    async fn run_timer(&self, told: TimerInvocation) -> Result<Result<Ran, Failure>, GuestFault> {
        let (act, began, opened) = {
            let mut state = self.state();
            state.running += 1;
            state.most_running = state.most_running.max(state.running);
            (
                state.acts.pop_front().unwrap_or_else(|| state.otherwise.clone()),
                state.now,
                *state.lives.last().expect("the host lives"),
            )
        };
        let past_due = if told.is_past_due { " past due" } else { "" };
        let retry = match told.retry.retry_count {
            0 => String::new(),
            count => format!(" retry {count} of {:?}", told.retry.max_retry_count),
        };
        let (last, next, updated) =
            (brief_or_none(told.last), brief_or_none(told.next), brief_or_none(told.last_updated));
        let scheduled = brief(told.scheduled);
        self.note(&format!("runs {scheduled}{past_due}{retry}, last {last}, next {next}, updated {updated}"));
        let (is_past_due, retry_count) = (told.is_past_due, told.retry.retry_count);
        let stubborn = {
            let mut state = self.state();
            let tried = Try { scheduled: told.scheduled, is_past_due, retry_count, began, opened };
            state.events.push(Event::Tried(tried));
            retry_count < state.stubborn
        };
        self.step().await;
        self.sleep_until(began.saturating_add(act.takes)).await;
        self.step().await;
        self.state().running -= 1;
        let function = told.function;
        match act.end {
            End::Succeeds if stubborn => Ok(Err(Failure::new("Stubborn", "not yet"))),
            End::Succeeds => Ok(Ok(Ran { returned: Json::new(format!("\"{scheduled}\"")), outputs: Vec::new() })),
            End::Fails => Ok(Err(Failure::new("Broken", "as the test wished"))),
            End::Traps => Err(GuestFault::Trapped { function, message: "as the test wished".to_owned() }),
            End::Unavailable => Err(GuestFault::Unavailable { function, message: "no memory".to_owned() }),
        }
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable { detail: "as the test wished".to_owned() }
}

impl State {
    fn check(&self, write: &DocumentWrite) -> bool {
        let there = self.documents.get(&write.name);
        match write.expecting {
            Expecting::Anything => true,
            Expecting::Nothing => there.is_none(),
            Expecting::Version(version) => there.is_some_and(|document| document.version == version),
        }
    }

    fn apply(&mut self, write: DocumentWrite) -> Option<u64> {
        self.versions += 1;
        let version = self.versions;
        match write.content {
            Some(content) => {
                let document = Document { name: write.name.clone(), version, content };
                self.documents.insert(write.name, document);
                Some(version)
            }
            None => {
                self.documents.remove(&write.name);
                None
            }
        }
    }
}

#[async_trait]
impl DocumentStore for World {
    async fn document(&self, name: &str) -> Result<Option<Document>, StoreError> {
        self.step().await;
        match self.fault() {
            Fault::None => Ok(self.state().documents.get(name).cloned()),
            Fault::Refused | Fault::Lost => Err(unavailable()),
        }
    }

    async fn documents(&self, _: &str, _: Option<&str>, _: usize) -> Result<Vec<Document>, StoreError> {
        unreachable!("a timer knows the name of its document")
    }

    async fn write_documents(&self, writes: Vec<DocumentWrite>) -> Result<Vec<Option<u64>>, DocumentError> {
        self.step().await;
        let fault = self.fault();
        if fault == Fault::Refused {
            return Err(unavailable().into());
        }
        let written = {
            let mut state = self.state();
            if let Some(changed) = writes.iter().find(|write| !state.check(write)) {
                return Err(DocumentError::Changed { name: changed.name.clone() });
            }
            writes.into_iter().map(|write| state.apply(write)).collect()
        };
        self.step().await;
        if fault == Fault::Lost { Err(unavailable().into()) } else { Ok(written) }
    }
}

#[async_trait]
impl EffectStore for World {
    async fn commit_effects(&self, effects: Effects) -> Result<(), EffectError> {
        self.step().await;
        let fault = self.fault();
        if fault == Fault::Refused {
            return Err(unavailable().into());
        }
        let messages: Vec<String> = effects.messages.iter().map(|(_, message)| message.text.clone()).collect();
        {
            let mut state = self.state();
            if let Some(changed) = effects.documents.iter().find(|write| !state.check(write)) {
                return Err(EffectError::DocumentChanged { name: changed.name.clone() });
            }
            for write in effects.documents {
                state.apply(write);
            }
            state.events.extend(messages.iter().cloned().map(Event::Committed));
        }
        self.note(&format!("committed {}", messages.join(", ")));
        self.step().await;
        if fault == Fault::Lost { Err(unavailable().into()) } else { Ok(()) }
    }
}

/// A timer function whose return value goes to a queue. Monitored, one catch-up run, no retries, unless the test changes it.
pub(super) fn timer(schedule: &str) -> Function {
    let schedule = Schedule::parse(schedule, None).expect("the test's schedule is one");
    let trigger = manifest::TimerTrigger { schedule, run_on_startup: false, use_monitor: true, catch_up: CatchUp::One };
    let queue = QueueOutput {
        queue_name: manifest::expression::Expression::parse("ran").expect("an expression"),
        message_encoding: manifest::settings::MessageEncoding::None,
        connection: Connection::default(),
    };
    let output = OutputBinding { name: manifest::RETURN_BINDING.to_owned(), target: OutputTarget::Queue(queue) };
    Function { outputs: vec![output], ..function("Nightly", Trigger::Timer(trigger)) }
}

/// Changes the trigger of a timer function.
pub(super) fn with(function: Function, change: impl FnOnce(&mut manifest::TimerTrigger)) -> Function {
    let mut function = function;
    if let Trigger::Timer(trigger) = &mut function.trigger {
        change(trigger);
    }
    function
}
