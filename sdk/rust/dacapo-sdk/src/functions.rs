//! The functions of a component: what the attribute macros register, and how a call from the host finds them.

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::entity::Entity;
use crate::execution::{Driver, Execution, Outcome};
use crate::http::{Request, Response};
use crate::operations::{self, Batch, BatchResult};
use crate::queue::QueueMessage;
use crate::timer::TimerInfo;
use crate::{Context, Failure, payload};

/// What [`#[dacapo::activity]`](macro@crate::activity) makes of a function: a handle that names it and knows its types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an activity",
    label = "expected the name of a function under `#[dacapo::activity]`",
    note = "an activity of another component is called with `call_by_name::<Output>(\"Name\", &input)`"
)]
pub trait Activity: Copy + 'static {
    /// The name under which the host knows it.
    const NAME: &'static str;
    /// What it takes; `()` if it takes nothing.
    type Input: Serialize + DeserializeOwned + 'static;
    /// What it returns when it does not fail.
    type Output: Serialize + DeserializeOwned + 'static;

    #[doc(hidden)]
    fn invoke(context: &ActivityContext, input: Self::Input) -> Result<Self::Output, Failure>;

    /// The input of a function that has no parameter for one: what was sent is not even looked at.
    #[doc(hidden)]
    fn nothing() -> Option<Self::Input> {
        None
    }
}

/// What [`#[dacapo::orchestrator]`](macro@crate::orchestrator) makes of a function: a handle that names it and knows its
/// types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an orchestrator",
    label = "expected the name of a function under `#[dacapo::orchestrator]`",
    note = "an orchestrator of another component is called with `call_sub_by_name::<Output>(\"Name\", &input)`"
)]
pub trait Orchestrator: Copy + 'static {
    /// The name under which the host knows it.
    const NAME: &'static str;
    /// What it takes; `()` if it takes nothing.
    type Input: Serialize + DeserializeOwned + 'static;
    /// What it returns when it does not fail.
    type Output: Serialize + DeserializeOwned + 'static;

    #[doc(hidden)]
    fn run(context: Context, input: Self::Input) -> LocalBoxFuture<'static, Result<Self::Output, Failure>>;

    /// The input of a function that has no parameter for one: what was sent is not even looked at.
    #[doc(hidden)]
    fn nothing() -> Option<Self::Input> {
        None
    }
}

/// What an activity may know about its call: `fn book_flight(ctx: &ActivityContext, trip: Trip)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActivityContext {
    /// The id of this invocation, as in the host's log.
    pub invocation_id: String,
    /// The instance that asked.
    pub instance_id: String,
    /// The execution of that instance: 32 hexadecimal digits, new after a continue-as-new.
    pub execution_id: String,
    /// The event id of the request within the execution's history. With the execution id it makes an idempotency key: the
    /// same for every run of this call, and for no other call. Each try of a retry policy is a call of its own.
    pub task_id: u32,
    /// Which try of the call's retry policy this is; 1 is the first, and the only one without a policy.
    pub attempt: u32,
    /// The version of the instance that asked.
    pub version: Option<String>,
}

impl ActivityContext {
    /// Tells the host that this activity is alive, and how far it has come (`&()`: nothing to tell). Counts for the
    /// heartbeat timeout of the call, and is cheap enough for every round of a loop. An activity that nobody wants any more
    /// is stopped by the host, wherever it is; it need not ask.
    ///
    /// # Panics
    /// When the details cannot be written as JSON: a map whose keys are not texts.
    pub fn heartbeat(&self, details: &(impl Serialize + ?Sized)) {
        match payload::encode(details, "the details of a heartbeat") {
            Ok(json) if json == "null" => beat(None),
            Ok(json) => beat(Some(&json)),
            Err(failure) => panic!("{failure}"),
        }
    }
}

#[cfg(target_arch = "wasm32")]
fn beat(details: Option<&str>) {
    crate::component::heartbeat(details);
}

#[cfg(not(target_arch = "wasm32"))]
fn beat(details: Option<&str>) {
    crate::testing::heartbeat(details);
}

/// The first try, of nobody in particular; for calling an activity in a test.
impl Default for ActivityContext {
    fn default() -> ActivityContext {
        ActivityContext {
            invocation_id: String::new(),
            instance_id: String::new(),
            execution_id: String::new(),
            task_id: 0,
            attempt: 1,
            version: None,
        }
    }
}

/// One function as registered by a macro.
pub struct Function {
    name: &'static str,
    entry: Entry,
}

pub(crate) enum Entry {
    Activity(fn(&ActivityContext, &str) -> Outcome),
    Orchestrator(fn(Context, &str) -> LocalBoxFuture<'static, Outcome>),
    Entity(fn(&Batch) -> BatchResult),
    Http(fn(Request) -> Response),
    Queue(fn(&QueueMessage) -> Outcome),
    Timer(fn(&TimerInfo) -> Outcome),
}

/// What kind of entry point a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Activity,
    Orchestrator,
    Entity,
    Http,
    Queue,
    Timer,
}

inventory::collect!(Function);

impl Function {
    #[doc(hidden)]
    pub const fn activity<A: Activity>() -> Function {
        Function { name: A::NAME, entry: Entry::Activity(run_activity::<A>) }
    }

    #[doc(hidden)]
    pub const fn orchestrator<O: Orchestrator>() -> Function {
        Function { name: O::NAME, entry: Entry::Orchestrator(run_orchestrator::<O>) }
    }

    #[doc(hidden)]
    pub const fn entity<E: Entity>() -> Function {
        Function { name: E::NAME, entry: Entry::Entity(operations::run_batch::<E>) }
    }

    #[doc(hidden)]
    pub const fn http(name: &'static str, entry: fn(Request) -> Response) -> Function {
        Function { name, entry: Entry::Http(entry) }
    }

    #[doc(hidden)]
    pub const fn queue(name: &'static str, entry: fn(&QueueMessage) -> Outcome) -> Function {
        Function { name, entry: Entry::Queue(entry) }
    }

    #[doc(hidden)]
    pub const fn timer(name: &'static str, entry: fn(&TimerInfo) -> Outcome) -> Function {
        Function { name, entry: Entry::Timer(entry) }
    }

    fn kind(&self) -> Kind {
        match self.entry {
            Entry::Activity(_) => Kind::Activity,
            Entry::Orchestrator(_) => Kind::Orchestrator,
            Entry::Entity(_) => Kind::Entity,
            Entry::Http(_) => Kind::Http,
            Entry::Queue(_) => Kind::Queue,
            Entry::Timer(_) => Kind::Timer,
        }
    }
}

/// Every function linked into this component, sorted.
///
/// # Panics
/// When two functions of one kind share a name: which one is meant would be up to the linker.
pub(crate) fn describe() -> Vec<(&'static str, Kind)> {
    let mut functions: Vec<_> = inventory::iter::<Function>().map(|f| (f.name, f.kind())).collect();
    functions.sort_unstable();
    for pair in functions.windows(2) {
        assert!(pair[0] != pair[1], "two functions have the name {}: rename one, or `(name = \"...\")`", pair[0].0);
    }
    let mut entities: Vec<_> =
        functions.iter().filter(|(_, kind)| *kind == Kind::Entity).map(|(name, _)| name).collect();
    entities.sort_unstable_by_key(|name| name.to_lowercase());
    for pair in entities.windows(2) {
        let same = pair[0].eq_ignore_ascii_case(pair[1]);
        assert!(!same, "the entities {} and {} have one name, since it is compared without case", pair[0], pair[1]);
    }
    functions
}

/// Runs an activity by its name.
pub(crate) fn invoke_activity(name: &str, context: &ActivityContext, input: &str) -> Outcome {
    match find(name, Kind::Activity) {
        Some(Entry::Activity(entry)) => entry(context, input),
        _ => Err(not_found(name, Kind::Activity)),
    }
}

/// Prepares a run of an orchestrator by its name.
pub(crate) fn start_orchestrator(name: &str, execution: &Rc<Execution>, input: &str) -> Result<Driver, Failure> {
    match find(name, Kind::Orchestrator) {
        Some(Entry::Orchestrator(entry)) => {
            let future = entry(Context::new(Rc::clone(execution)), input);
            Ok(Driver::new(Rc::clone(execution), future))
        }
        _ => Err(not_found(name, Kind::Orchestrator)),
    }
}

/// Runs operations on an entity by its function's name, which is compared without case.
pub(crate) fn run_entity(name: &str, batch: &Batch) -> BatchResult {
    match find_entity(name) {
        Some(entry) => entry(batch),
        None => BatchResult {
            state: batch.state.clone(),
            results: batch.operations.iter().map(|_| Err(not_found(name, Kind::Entity))).collect(),
            actions: Vec::new(),
        },
    }
}

/// Whether this crate has an entity of that name.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn has_entity(name: &str) -> bool {
    find_entity(name).is_some()
}

/// Whether this crate has an orchestrator of that name.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn has_orchestrator(name: &str) -> bool {
    find(name, Kind::Orchestrator).is_some()
}

fn find_entity(name: &str) -> Option<fn(&Batch) -> BatchResult> {
    inventory::iter::<Function>().find_map(|function| match function.entry {
        Entry::Entity(entry) if function.name.eq_ignore_ascii_case(name) => Some(entry),
        Entry::Entity(_)
        | Entry::Activity(_)
        | Entry::Orchestrator(_)
        | Entry::Http(_)
        | Entry::Queue(_)
        | Entry::Timer(_) => None,
    })
}

/// Answers a request by the HTTP function of that name.
#[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "requests come from the host"))]
pub(crate) fn handle_http(name: &str, request: Request) -> Response {
    match find(name, Kind::Http) {
        Some(Entry::Http(entry)) => entry(request),
        _ => Response::from(not_found(name, Kind::Http).with_http_status(404)),
    }
}

/// Works on a message by the queue function of that name.
pub(crate) fn run_queue(name: &str, message: &QueueMessage) -> Outcome {
    match find(name, Kind::Queue) {
        Some(Entry::Queue(entry)) => entry(message),
        _ => Err(not_found(name, Kind::Queue)),
    }
}

/// Runs the timer function of that name.
pub(crate) fn run_timer(name: &str, timer: &TimerInfo) -> Outcome {
    match find(name, Kind::Timer) {
        Some(Entry::Timer(entry)) => entry(timer),
        _ => Err(not_found(name, Kind::Timer)),
    }
}

fn find(name: &str, kind: Kind) -> Option<&'static Entry> {
    inventory::iter::<Function>().find(|f| f.name == name && f.kind() == kind).map(|f| &f.entry)
}

fn not_found(name: &str, kind: Kind) -> Failure {
    let known: Vec<_> = describe().into_iter().filter(|(_, k)| *k == kind).map(|(name, _)| name).collect();
    let known = if known.is_empty() { "none".into() } else { known.join(", ") };
    let (error_type, kind) = match kind {
        Kind::Activity => ("ActivityTaskNotFound", "activity"),
        Kind::Orchestrator => ("OrchestratorTaskNotFound", "orchestrator"),
        Kind::Entity => ("EntityTaskNotFound", "entity"),
        Kind::Http => ("HttpFunctionNotFound", "HTTP function"),
        Kind::Queue => ("QueueFunctionNotFound", "queue function"),
        Kind::Timer => ("TimerFunctionNotFound", "timer function"),
    };
    Failure::new(error_type, format!("this component has no {kind} '{name}'; it has: {known}")).non_retriable()
}

fn run_activity<A: Activity>(context: &ActivityContext, input: &str) -> Outcome {
    let input = match A::nothing() {
        Some(nothing) => nothing,
        None => payload::decode(input, &format!("the input of {}", A::NAME))?,
    };
    payload::encode(&A::invoke(context, input)?, &format!("the result of {}", A::NAME))
}

fn run_orchestrator<O: Orchestrator>(context: Context, input: &str) -> LocalBoxFuture<'static, Outcome> {
    let input = match O::nothing() {
        Some(nothing) => Ok(nothing),
        None => payload::decode(input, &format!("the input of {}", O::NAME)),
    };
    Box::pin(async move {
        let output = O::run(context, input?).await?;
        payload::encode(&output, &format!("the result of {}", O::NAME))
    })
}
