//! Runs orchestrators in an ordinary `#[test]`: no WebAssembly, no host, no waiting.
//!
//! A [`Scripted`] world answers activities from a script, raises events at the moments that it names, and keeps a clock
//! that jumps from one thing that happens to the next: a test of a month takes microseconds, and the same script gives
//! the same outcome every time. Retry policies are evaluated as the host does it.
//!
//! ```
//! use std::time::Duration;
//! use dacapo::testing::Scripted;
//! use dacapo::{Context, Failure, RetryPolicy};
//!
//! #[dacapo::activity]
//! fn charge_card(cents: u32) -> Result<String, Failure> {
//!     # let _ = cents;
//!     # unreachable!()
//!     // ... talks to the bank
//! }
//!
//! #[dacapo::orchestrator]
//! async fn checkout(ctx: Context, cents: u32) -> Result<String, Failure> {
//!     let approved = ctx.timeout(Duration::from_secs(3600), ctx.wait_for_event::<bool>("Approval")).await??;
//!     if !approved {
//!         return Ok("declined".into());
//!     }
//!     let patient = RetryPolicy::new(3, Duration::from_secs(5)).backoff(2.0);
//!     ctx.call(charge_card, &cents).retry(patient).await
//! }
//!
//! let busy = || Failure::new("BankBusy", "try later");
//! let outcome = Scripted::new()
//!     .event_at(Duration::from_secs(60), "Approval", &true)
//!     .activity_results("ChargeCard", [Err(busy()), Err(busy()), Ok("receipt 7")])
//!     .run(checkout, &4_200);
//!
//! assert_eq!(outcome.result.as_deref(), Ok("receipt 7"));
//! assert_eq!(outcome.elapsed, Duration::from_secs(60 + 5 + 10));
//! assert_eq!(outcome.count("ChargeCard"), 3);
//!
//! // Nobody answers:
//! let outcome = Scripted::new().run(checkout, &4_200);
//! assert!(outcome.result.unwrap_err().is("TimedOut"));
//! ```
//!
//! Entities of this crate run for real, in memory, and locks hold; HTTP requests are answered by the script. What an
//! orchestrator starts without waiting for it runs beside it, until the orchestrator under test ends.
//!
//! Functions with HTTP, queue and timer triggers are called as the functions that they are, or with [`run_queue`] and
//! [`run_timer`] as the host does it; [`instances`] stands in for the durable client, and [`bindings()`] for inputs and outputs.

mod bindings;
mod entities;
mod handle;
mod instances;
mod operating;
mod outcome;
mod simulation;
mod tries;
mod world;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use bindings::{RecordedBindings, bindings, run_queue, run_timer};
pub(crate) use bindings::{read_input, write_output};
pub(crate) use instances::current_instances;
pub use instances::{RecordedInstances, Signal, Started, instances};
pub use outcome::{Call, CallKind, LogLine, RunOutcome};

use crate::execution::Outcome;
use crate::functions::{self, Activity, Orchestrator};
use crate::{ActivityContext, Entity, EntityId, Failure, HttpRequest, HttpResponse, StartOptions, Timestamp, payload};

/// 2026-01-01T00:00:00Z, a Thursday.
const DEFAULT_START: Timestamp = Timestamp::from_ticks(17_672_256_000_000_000);

/// An orchestrator that goes on for ever is stopped after so many generations.
const DEFAULT_GENERATIONS: usize = 1_000;

/// What the world answers; see the [module](self).
pub struct Scripted {
    activities: BTreeMap<String, Answer>,
    sub_orchestrators: BTreeMap<String, Answer>,
    /// By name of the entity and of the operation, both in lower case.
    entity_operations: BTreeMap<(String, String), Answer>,
    http: Option<HttpAnswer>,
    durations: BTreeMap<String, Duration>,
    entities: Vec<(EntityId, String)>,
    events: Vec<RaisedEvent>,
    real_activities: bool,
    start: Timestamp,
    instance_id: String,
    /// Version and tags of the instance under test.
    options: StartOptions,
    max_generations: usize,
}

type Answer = Box<dyn FnMut(&ActivityContext, &str) -> Outcome>;
type HttpAnswer = Box<dyn FnMut(&HttpRequest) -> Result<HttpResponse, Failure>>;

thread_local! {
    /// What activities on this thread told the host.
    static HEARTBEATS: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// A heartbeat without a host.
pub(crate) fn heartbeat(details: Option<&str>) {
    let details = details.map_or(Value::Null, world::value);
    HEARTBEATS.with(|heartbeats| heartbeats.borrow_mut().push(details));
}

/// The details of all heartbeats on this thread since this was last asked: for tests that call an activity as the function
/// that it is. A [`Scripted`] run has them in its outcome.
pub fn take_heartbeats() -> Vec<Value> {
    HEARTBEATS.with(RefCell::take)
}

struct RaisedEvent {
    at: Duration,
    /// None for the instance under test.
    instance_id: Option<String>,
    name: String,
    payload: String,
}

impl Default for Scripted {
    fn default() -> Scripted {
        Scripted::new()
    }
}

impl Scripted {
    /// A world in which nothing happens and no activity is known.
    pub fn new() -> Scripted {
        Scripted {
            activities: BTreeMap::new(),
            sub_orchestrators: BTreeMap::new(),
            entity_operations: BTreeMap::new(),
            http: None,
            durations: BTreeMap::new(),
            entities: Vec::new(),
            events: Vec::new(),
            real_activities: false,
            start: DEFAULT_START,
            instance_id: "test".into(),
            options: StartOptions::new(),
            max_generations: DEFAULT_GENERATIONS,
        }
    }

    /// Answers an activity: called for each try.
    #[must_use]
    pub fn activity<I: DeserializeOwned, O: Serialize>(
        mut self,
        name: &str,
        mut answer: impl FnMut(I) -> Result<O, Failure> + 'static,
    ) -> Scripted {
        let of = format!("the input of {name}");
        let answer = move |_: &ActivityContext, input: &str| encode(answer(payload::decode(input, &of)?));
        self.activities.insert(name.into(), Box::new(answer));
        self
    }

    /// Answers the first try of an activity with the first of these, the second with the second, and so on.
    ///
    /// # Panics
    /// The run panics at a try for which there is no result left.
    #[must_use]
    pub fn activity_results<O: Serialize>(
        mut self,
        name: &str,
        results: impl IntoIterator<Item = Result<O, Failure>>,
    ) -> Scripted {
        self.activities.insert(name.into(), in_turn("activity", name, results));
        self
    }

    /// Runs an activity for real.
    #[must_use]
    pub fn real<A: Activity>(mut self, activity: A) -> Scripted {
        let _handle = activity;
        let run = |context: &ActivityContext, input: &str| functions::invoke_activity(A::NAME, context, input);
        self.activities.insert(A::NAME.into(), Box::new(run));
        self
    }

    /// Runs every activity of this crate for real that is not scripted.
    #[must_use]
    pub fn real_activities(mut self) -> Scripted {
        self.real_activities = true;
        self
    }

    /// Says how long every try of an activity takes in virtual time. Without it, none. A try that takes longer than its
    /// timeout fails, and so does one that takes longer than its heartbeat timeout and gave no heartbeat.
    #[must_use]
    pub fn activity_takes(mut self, name: &str, duration: Duration) -> Scripted {
        self.durations.insert(name.into(), duration);
        self
    }

    /// Answers HTTP requests of the orchestrators: called for each try, and for each time that the host asks again about
    /// a 202.
    #[must_use]
    pub fn http(mut self, answer: impl FnMut(&HttpRequest) -> Result<HttpResponse, Failure> + 'static) -> Scripted {
        self.http = Some(Box::new(answer));
        self
    }

    /// Gives an entity of this crate a state. Without it, entities begin to exist when they are used; what they do is done
    /// by their real code.
    ///
    /// # Panics
    /// When the state cannot be written as JSON.
    #[must_use]
    pub fn entity<E: Entity>(mut self, key: &str, state: &E) -> Scripted {
        let state = payload::encode(state, "the state").unwrap_or_else(|failure| panic!("{failure}"));
        self.entities.push((EntityId::of::<E>(key), state));
        self
    }

    /// Answers an operation of the entities of a name, instead of their code.
    #[must_use]
    pub fn entity_operation<I: DeserializeOwned, O: Serialize>(
        mut self,
        name: &str,
        operation: &str,
        mut answer: impl FnMut(I) -> Result<O, Failure> + 'static,
    ) -> Scripted {
        let of = format!("the input of {operation} of {name}");
        let answer = move |_: &ActivityContext, input: &str| encode(answer(payload::decode(input, &of)?));
        self.entity_operations.insert((name.to_lowercase(), operation.to_lowercase()), Box::new(answer));
        self
    }

    /// Answers a sub-orchestrator, and one that is started without waiting for it. Without it, the orchestrator of that
    /// name in this crate is run.
    #[must_use]
    pub fn sub_orchestrator<I: DeserializeOwned, O: Serialize>(
        mut self,
        name: &str,
        mut answer: impl FnMut(I) -> Result<O, Failure> + 'static,
    ) -> Scripted {
        let of = format!("the input of {name}");
        let answer = move |_: &ActivityContext, input: &str| encode(answer(payload::decode(input, &of)?));
        self.sub_orchestrators.insert(name.into(), Box::new(answer));
        self
    }

    /// Raises an event for the orchestrator under test, so long after its start.
    ///
    /// # Panics
    /// When the payload cannot be written as JSON.
    #[must_use]
    pub fn event_at(self, at: Duration, name: &str, payload: &(impl Serialize + ?Sized)) -> Scripted {
        self.raise(at, None, name, payload)
    }

    /// Raises an event for another instance, by its id. If there is none of that id then, the event is lost.
    ///
    /// # Panics
    /// When the payload cannot be written as JSON.
    #[must_use]
    pub fn event_for(
        self,
        instance_id: &str,
        at: Duration,
        name: &str,
        payload: &(impl Serialize + ?Sized),
    ) -> Scripted {
        self.raise(at, Some(instance_id), name, payload)
    }

    fn raise(
        mut self,
        at: Duration,
        instance_id: Option<&str>,
        name: &str,
        payload: &(impl Serialize + ?Sized),
    ) -> Scripted {
        let payload = payload::encode(payload, "the payload").unwrap_or_else(|failure| panic!("{failure}"));
        self.events.push(RaisedEvent { at, instance_id: instance_id.map(Into::into), name: name.into(), payload });
        self
    }

    /// Sets the clock at the start. Without it, 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn starting_at(mut self, start: Timestamp) -> Scripted {
        self.start = start;
        self
    }

    /// Names the instance under test. Without it, `test`.
    #[must_use]
    pub fn instance_id(mut self, id: &str) -> Scripted {
        self.instance_id = id.into();
        self
    }

    /// Gives the instance under test a version.
    #[must_use]
    pub fn version(mut self, version: &str) -> Scripted {
        self.options = self.options.version(version);
        self
    }

    /// Gives the instance under test a tag.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Scripted {
        self.options = self.options.tag(name, value);
        self
    }

    /// Stops an orchestrator that continues as new for ever after so many generations, with a failure of type
    /// `TooManyGenerations`. Without it, 1,000.
    #[must_use]
    pub fn max_generations(mut self, generations: usize) -> Scripted {
        self.max_generations = generations;
        self
    }

    /// Runs an orchestrator to its end, through all its generations.
    ///
    /// # Panics
    /// When it calls an activity or orchestrator that nobody answers, or waits for an event that nobody raises: then the
    /// script is not finished, and the message says what is missing.
    pub fn run<O: Orchestrator>(self, orchestrator: O, input: &O::Input) -> RunOutcome<O::Output> {
        let _handle = orchestrator;
        let input = payload::encode(input, "the input").unwrap_or_else(|failure| panic!("{failure}"));
        simulation::run(self, O::NAME, &input)
    }
}

fn encode<O: Serialize>(result: Result<O, Failure>) -> Outcome {
    payload::encode(&result?, "a scripted result")
}

fn in_turn<O: Serialize>(
    kind: &'static str,
    name: &str,
    results: impl IntoIterator<Item = Result<O, Failure>>,
) -> Answer {
    let mut results: VecDeque<Outcome> = results.into_iter().map(encode).collect();
    let name = name.to_owned();
    Box::new(move |_, _| {
        let next = results.pop_front();
        next.unwrap_or_else(|| panic!("the script has no result left for {kind} '{name}'"))
    })
}
