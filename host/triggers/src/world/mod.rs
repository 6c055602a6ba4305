//! A small world for tests: a clock that jumps to the next moment at which anything happens, counted randomness, and an
//! account in memory that fails when it is told to.

mod log;
mod store;

pub(crate) use log::{keep_log_lines, logged};
pub(crate) use store::{Fault, MemoryAccount};

use crate::accounts::{AccountId, Accounts, StorageAccount};
use crate::bindings::BindingParts;
use futures::future::{BoxFuture, FutureExt};
use futures::task::{ArcWake, waker};
use manifest::{App, Connection, Function, Trigger};
use orchestration::{ExecutionId, ExecutionStarted, InstanceId, NewInstance, Reuse, Timestamp};
use ports::{ClientError, Clock, PrepareStart, Randomness, StartRequest};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// When every test begins: 2026-01-01T00:00:00Z.
pub(crate) const BEGIN: Timestamp = Timestamp::from_unix_ms(1_767_225_600_000);

/// A connection that leads to an account outside of the host.
pub(crate) const OUTSIDE: &str = "Elsewhere";

/// A clock that stands still until everybody waits.
#[derive(Clone)]
pub(crate) struct JumpingClock(Arc<Mutex<ClockState>>);

struct ClockState {
    now: Timestamp,
    /// By moment, then by the order of asking.
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
    asked: u64,
}

impl JumpingClock {
    fn with<T>(&self, action: impl FnOnce(&mut ClockState) -> T) -> T {
        action(&mut self.0.lock().expect("nobody panicked"))
    }

    /// Goes on to the next moment that somebody waits for. False: nobody waits for any.
    fn jump(&self) -> bool {
        let next = self.with(|state| {
            let ((moment, _), waker) = state.sleepers.pop_first()?;
            state.now = state.now.max(moment);
            Some(waker)
        });
        next.is_some_and(|waker| {
            waker.wake();
            true
        })
    }

    /// Time since the beginning, as transcripts show it.
    pub(crate) fn elapsed(&self) -> String {
        let ms = self.now().saturating_since(BEGIN).as_millis();
        format!("{}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000)
    }
}

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        self.with(|state| state.now)
    }

    fn sleep_until(&self, moment: Timestamp) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        let mut key = None;
        let sleep = std::future::poll_fn(move |cx| {
            clock.with(|state| {
                if state.now >= moment {
                    return Poll::Ready(());
                }
                if moment < Timestamp::MAX {
                    let key = *key.get_or_insert_with(|| {
                        state.asked += 1;
                        (moment, state.asked)
                    });
                    state.sleepers.insert(key, cx.waker().clone());
                }
                Poll::Pending
            })
        });
        sleep.boxed()
    }
}

/// 1, 2, 3 and so on; as a fraction of what is possible, always nearly nothing.
pub(crate) struct Counted(AtomicU64);

impl Randomness for Counted {
    fn next_u128(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Starts as the task hub would make them, apart from the checks.
struct Starts(JumpingClock);

impl PrepareStart for Starts {
    fn prepare_start(&self, request: StartRequest) -> Result<NewInstance, ClientError> {
        if request.name == "Nobody" {
            return Err(ClientError::Invalid("there is no orchestrator named 'Nobody'".to_owned()));
        }
        let id = request.instance_id.unwrap_or_else(|| "new".to_owned());
        let id = InstanceId::parse(&id).map_err(|error| ClientError::Invalid(error.to_string()))?;
        let started = ExecutionStarted::new(request.name, request.input, ExecutionId::from_random(1));
        Ok(NewInstance {
            id,
            started: ExecutionStarted { options: request.options, ..started },
            at: self.0.now(),
            reuse: Reuse::ENDED,
            otherwise: None,
            idempotency_key: None,
        })
    }
}

/// Everything that a trigger is built from. The default connection leads to `embedded`, [`OUTSIDE`] to `outside`.
pub(crate) struct World {
    pub(crate) clock: JumpingClock,
    pub(crate) randomness: Arc<Counted>,
    pub(crate) embedded: Arc<MemoryAccount>,
    pub(crate) outside: Arc<MemoryAccount>,
    pub(crate) bindings: BindingParts,
    transcript: Arc<Mutex<String>>,
}

impl World {
    pub(crate) fn new() -> World {
        keep_log_lines();
        let state = ClockState { now: BEGIN, sleepers: BTreeMap::new(), asked: 0 };
        let clock = JumpingClock(Arc::new(Mutex::new(state)));
        let (embedded, outside) = (MemoryAccount::new(clock.clone()), MemoryAccount::new(clock.clone()));
        let account = |account: &Arc<MemoryAccount>, pushes| StorageAccount {
            queues: Arc::<MemoryAccount>::clone(account),
            tables: Arc::<MemoryAccount>::clone(account),
            effects: Arc::<MemoryAccount>::clone(account),
            pushes,
        };
        let mut accounts = Accounts::new(account(&embedded, true));
        accounts.connect(Connection::default(), AccountId::EMBEDDED);
        let id = accounts.add(account(&outside, false));
        accounts.connect(Connection(OUTSIDE.to_owned()), id);
        let bindings = BindingParts { accounts: Arc::new(accounts), starts: Arc::new(Starts(clock.clone())) };
        World {
            clock,
            randomness: Arc::new(Counted(AtomicU64::new(1))),
            embedded,
            outside,
            bindings,
            transcript: Arc::default(),
        }
    }

    /// Writes a line of the transcript, with its time.
    pub(crate) fn note(&self) -> impl Fn(&str) + Send + Sync + Clone + 'static {
        let (clock, transcript) = (self.clock.clone(), Arc::clone(&self.transcript));
        move |line| {
            let mut transcript = transcript.lock().expect("nobody panicked");
            writeln!(transcript, "{} {line}", clock.elapsed()).expect("a string takes all");
        }
    }

    /// What was written so far.
    pub(crate) fn transcript(&self) -> String {
        std::mem::take(&mut *self.transcript.lock().expect("nobody panicked"))
    }

    /// Runs a future to its end, with as much time as that takes. None: it waits for something that never happens.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = waker(Arc::clone(&woken));
        let mut future = pin!(future);
        loop {
            if woken.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Some(done);
                }
            } else if !self.clock.jump() {
                return None;
            }
        }
    }
}

struct Woken(AtomicBool);

impl ArcWake for Woken {
    fn wake_by_ref(woken: &Arc<Woken>) {
        woken.0.store(true, Ordering::Relaxed);
    }
}

/// An app of these functions, with the settings that it has by default.
pub(crate) fn app(functions: Vec<Function>) -> App {
    let text = "[app]\nname = \"tests\"\nversion = \"1.0.0\"\n[components.main]\nsource = \"main.wasm\"\n\
        [functions.Only]\ntrigger = { type = \"activityTrigger\" }\n";
    let app = manifest::parse(text, "tests.toml", &manifest::no_settings).expect("the test's manifest is valid");
    App { functions, ..app }
}

/// A function without bindings.
pub(crate) fn function(name: &str, trigger: Trigger) -> Function {
    Function {
        name: name.to_owned(),
        component: "main".to_owned(),
        entry_point: name.to_owned(),
        trigger,
        inputs: Vec::new(),
        outputs: Vec::new(),
        retry: None,
        disabled: false,
        max_concurrency: None,
        line: 1,
    }
}
