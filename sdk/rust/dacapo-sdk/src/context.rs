//! What an orchestrator holds: the way to call, wait, and tell the time so that a replay gives the same.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, select};
use serde::Serialize;

use crate::entity::{self, Entity, EntityCaller, EntitySignaller};
use crate::execution::{Execution, NextExecution};
use crate::functions::{Activity, Orchestrator};
use crate::tasks::{ActivityCall, EntityCall, Event, HttpCall, LockRequest, Sleep, SubOrchestration, TimedOut};
use crate::{EntityId, Failure, HttpRequest, StartOptions, Timestamp, payload};

/// The orchestrator's side of the world. Cheap to clone.
///
/// An orchestrator may be dropped whenever it waits and is then run again from its first line, with the same answers
/// to the same questions. That works because everything it learns comes from here: `SystemTime::now`, `HashMap` order
/// and random numbers are replayed by the sandbox too, and there is no network, disk or environment. What has an effect
/// belongs in an activity.
#[derive(Clone)]
pub struct Context {
    pub(crate) execution: Rc<Execution>,
}

/// Who is running; the same on every replay.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The instance.
    pub instance_id: String,
    /// One generation of it: 32 hexadecimal digits, new after a continue-as-new.
    pub execution_id: String,
    /// The orchestrator's name.
    pub name: String,
    /// The instance that called this one, if one did.
    pub parent_instance_id: Option<String>,
    /// The version that the instance was started with, if it was with one.
    pub version: Option<String>,
    /// Its tags, inherited ones included.
    pub tags: BTreeMap<String, String>,
}

/// How loud a line of log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the author, when nothing else helps.
    Trace,
    /// For the author.
    Debug,
    /// For whoever watches.
    Info,
    /// For whoever is in charge, some day.
    Warn,
    /// For whoever is in charge, now.
    Error,
}

impl Context {
    pub(crate) fn new(execution: Rc<Execution>) -> Context {
        Context { execution }
    }

    /// Calls an activity: `ctx.call(book_flight, &trip).await?`. The compiler checks that the input is what it takes.
    pub fn call<A: Activity>(&self, activity: A, input: &A::Input) -> ActivityCall<A::Output> {
        let _handle = activity;
        self.call_by_name(A::NAME, input)
    }

    /// Calls an activity that this crate does not know, of another component or in another language.
    pub fn call_by_name<T>(&self, name: &str, input: &(impl Serialize + ?Sized)) -> ActivityCall<T> {
        ActivityCall::new(&self.execution, name, payload::encode(input, "the input of an activity"))
    }

    /// Runs another orchestrator as a child, with a history of its own.
    pub fn call_sub<O: Orchestrator>(&self, orchestrator: O, input: &O::Input) -> SubOrchestration<O::Output> {
        let _handle = orchestrator;
        self.call_sub_by_name(O::NAME, input)
    }

    /// Runs an orchestrator that this crate does not know as a child.
    pub fn call_sub_by_name<T>(&self, name: &str, input: &(impl Serialize + ?Sized)) -> SubOrchestration<T> {
        SubOrchestration::new(&self.execution, name, payload::encode(input, "the input of an orchestrator"))
    }

    /// Waits that long from now, be it milliseconds or years. A durable timer: it outlives the process.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }

    /// Waits until that moment; one in the past comes at once.
    pub fn sleep_until(&self, moment: Timestamp) -> Sleep {
        Sleep::new(&self.execution, moment)
    }

    /// Waits for an event from outside. Names are compared without case. Events that nobody waits for yet are kept, and
    /// handed over in the order in which they came.
    pub fn wait_for_event<T>(&self, name: &str) -> Event<T> {
        Event::new(&self.execution, name)
    }

    /// Has the host make an HTTP request, durably: it outlives the process and is not sent again by a replay.
    pub fn call_http(&self, request: HttpRequest) -> HttpCall {
        HttpCall::new(&self.execution, request)
    }

    /// The operations of an entity of this crate: `ctx.entity::<Counter>("stock").add(&5).await?`.
    pub fn entity<E: Entity>(&self, key: impl Into<String>) -> E::Calls {
        EntityCaller::to::<E>(&self.execution, key)
    }

    /// Calls an operation of an entity that this crate does not know.
    pub fn call_entity<T>(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &(impl Serialize + ?Sized),
    ) -> EntityCall<T> {
        EntityCall::new(&self.execution, entity, operation, payload::encode(input, "the input of an operation"))
    }

    /// Signals an entity of this crate, without waiting: `ctx.signal::<Counter>("stock").add(&5)?`.
    pub fn signal<E: Entity>(&self, key: impl Into<String>) -> E::Signals<Context> {
        EntitySignaller::to::<E>(self.clone(), key, None)
    }

    /// Like [`signal`](Context::signal), but not before that moment.
    pub fn signal_at<E: Entity>(&self, key: impl Into<String>, moment: Timestamp) -> E::Signals<Context> {
        EntitySignaller::to::<E>(self.clone(), key, Some(moment))
    }

    /// Signals an entity that this crate does not know.
    ///
    /// # Errors
    /// When this orchestration has locked the entity, or the input cannot be written as JSON.
    pub fn signal_entity(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &(impl Serialize + ?Sized),
    ) -> Result<(), Failure> {
        entity::send(self, entity, operation, input, None)
    }

    /// Like [`signal_entity`](Context::signal_entity), but not before that moment.
    ///
    /// # Errors
    /// In the same way.
    pub fn signal_entity_at(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &(impl Serialize + ?Sized),
        moment: Timestamp,
    ) -> Result<(), Failure> {
        entity::send(self, entity, operation, input, Some(moment))
    }

    /// Enters a critical section: resolves to a [`Lock`](crate::Lock) when all these entities are locked for this
    /// orchestration, and the section ends when the lock is dropped. The order does not matter: there is no deadlock.
    ///
    /// ```
    /// # #[derive(Default, serde::Serialize, serde::Deserialize)] struct Account { balance: i64 }
    /// # #[dacapo::entity] impl Account {
    /// #     fn balance(&self) -> i64 { self.balance } fn add(&mut self, amount: i64) { self.balance += amount; } }
    /// use dacapo::{Context, EntityId, Failure};
    ///
    /// #[dacapo::orchestrator]
    /// async fn transfer(ctx: Context, amount: i64) -> Result<bool, Failure> {
    ///     let _lock = ctx.lock([EntityId::of::<Account>("ada"), EntityId::of::<Account>("bob")]).await?;
    ///     let (ada, bob) = (ctx.entity::<Account>("ada"), ctx.entity::<Account>("bob"));
    ///     if ada.balance().await? < amount {
    ///         return Ok(false);
    ///     }
    ///     ada.add(&-amount).await?;
    ///     bob.add(&amount).await?;
    ///     Ok(true)
    /// }
    /// ```
    ///
    /// Within the section only those entities may be called, one call at a time each, and nothing may be signalled to
    /// them; no other section and no sub-orchestration may begin. Such a call fails with the type
    /// `CriticalSectionViolation`.
    pub fn lock(&self, entities: impl IntoIterator<Item = impl Borrow<EntityId>>) -> LockRequest {
        let entities = entities.into_iter().map(|entity| entity.borrow().clone()).collect();
        LockRequest::new(&self.execution, entities)
    }

    /// Raises an event at another orchestration. It is dropped if there is none of that id, or if it has ended.
    ///
    /// # Errors
    /// When the id or the payload is not one.
    pub fn send_event(
        &self,
        instance_id: &str,
        name: &str,
        payload: &(impl Serialize + ?Sized),
    ) -> Result<(), Failure> {
        self.execution.world.send_event(instance_id, name, &payload::encode(payload, "the payload of an event")?)
    }

    /// Starts an orchestration that nobody waits for, and answers its id at once. To wait for it, use
    /// [`call_sub`](Context::call_sub).
    ///
    /// # Errors
    /// When the host refuses it.
    pub fn start_orchestration<O: Orchestrator>(&self, orchestrator: O, input: &O::Input) -> Result<String, Failure> {
        self.start_orchestration_with(&StartOptions::new(), orchestrator, input)
    }

    /// Starts an orchestration that nobody waits for, with options.
    ///
    /// # Errors
    /// When the host refuses it.
    pub fn start_orchestration_with<O: Orchestrator>(
        &self,
        options: &StartOptions,
        orchestrator: O,
        input: &O::Input,
    ) -> Result<String, Failure> {
        let _handle = orchestrator;
        self.start_orchestration_by_name(options, O::NAME, input)
    }

    /// Starts an orchestration that nobody waits for and this crate does not know.
    ///
    /// # Errors
    /// When the host refuses it.
    pub fn start_orchestration_by_name(
        &self,
        options: &StartOptions,
        name: &str,
        input: &(impl Serialize + ?Sized),
    ) -> Result<String, Failure> {
        let input = payload::encode(input, "the input of an orchestrator")?;
        self.execution.world.start_orchestration(name, &input, options)
    }

    /// Gives a future that much time: `ctx.timeout(day, ctx.wait_for_event::<bool>("Approval")).await`. When the time is
    /// over the future is dropped, which gives up its tasks.
    ///
    /// # Errors
    /// [`TimedOut`], when the time was over first.
    pub async fn timeout<F: Future>(&self, duration: Duration, future: F) -> Result<F::Output, TimedOut> {
        match select(Box::pin(future), self.sleep(duration)).await {
            Either::Left((output, _timer)) => Ok(output),
            Either::Right(((), _future)) => Err(TimedOut { after: duration }),
        }
    }

    /// Shows something in the instance's status; the last value of a turn counts. `&None::<()>` clears it.
    ///
    /// # Panics
    /// When the value cannot be written as JSON: a map whose keys are not texts.
    pub fn set_custom_status(&self, status: &(impl Serialize + ?Sized)) {
        match payload::encode(status, "the custom status") {
            Ok(json) if json == "null" => self.execution.world.set_custom_status(None),
            Ok(json) => self.execution.world.set_custom_status(Some(&json)),
            Err(failure) => panic!("{failure}"),
        }
    }

    /// Starts this instance again from the first line with a new input and an empty history, keeping events that nobody
    /// has taken: `return ctx.continue_as_new(&next);`. For what runs for ever.
    ///
    /// # Errors
    /// Always: the error is how the end gets out of the orchestrator, and is no failure. Nothing after it counts.
    pub fn continue_as_new<T>(&self, input: &(impl Serialize + ?Sized)) -> Result<T, Failure> {
        self.restart(input, true, None)
    }

    /// Like [`continue_as_new`](Context::continue_as_new), but forgets events that nobody has taken.
    ///
    /// # Errors
    /// Always, in the same way.
    pub fn continue_as_new_without_events<T>(&self, input: &(impl Serialize + ?Sized)) -> Result<T, Failure> {
        self.restart(input, false, None)
    }

    /// Like [`continue_as_new`](Context::continue_as_new), and moves the instance to another version: from then on
    /// [`version`](Context::version) is this one, and the code is that of the app's present components.
    ///
    /// # Errors
    /// Always, in the same way.
    pub fn continue_as_new_with_version<T>(
        &self,
        input: &(impl Serialize + ?Sized),
        version: &str,
    ) -> Result<T, Failure> {
        self.restart(input, true, Some(version))
    }

    fn restart<T>(
        &self,
        input: &(impl Serialize + ?Sized),
        preserve_unprocessed_events: bool,
        new_version: Option<&str>,
    ) -> Result<T, Failure> {
        let input = payload::encode(input, "the next input of the orchestrator")?;
        let next = NextExecution { input: &input, preserve_unprocessed_events, new_version };
        self.execution.continue_as_new(&next);
        Err(Failure::continue_as_new())
    }

    /// The time of this turn. It moves when something that was awaited has come, never in between.
    pub fn now(&self) -> Timestamp {
        self.execution.world.now()
    }

    /// A GUID (version 5) that is the same on every replay.
    pub fn new_guid(&self) -> String {
        self.execution.world.new_guid()
    }

    /// Whether the code that runs now has run before.
    pub fn is_replaying(&self) -> bool {
        self.execution.world.is_replaying()
    }

    /// The id of this instance.
    pub fn instance_id(&self) -> String {
        self.identity().instance_id
    }

    /// The version that this instance was started with, if it was with one: what old instances do in the old way.
    pub fn version(&self) -> Option<String> {
        self.identity().version
    }

    /// The tags of this instance, inherited ones included.
    pub fn tags(&self) -> BTreeMap<String, String> {
        self.identity().tags
    }

    /// All that is known about who is running.
    pub fn identity(&self) -> Identity {
        self.execution.world.identity()
    }

    /// Writes a line of log, once: silent while replaying. Take `format_args!` to format it only when it counts.
    pub fn log(&self, level: Level, message: impl Display) {
        if !self.is_replaying() {
            self.execution.world.log(level, &message.to_string());
        }
    }

    /// [`log`](Context::log) at [`Level::Debug`].
    pub fn debug(&self, message: impl Display) {
        self.log(Level::Debug, message);
    }

    /// [`log`](Context::log) at [`Level::Info`].
    pub fn info(&self, message: impl Display) {
        self.log(Level::Info, message);
    }

    /// [`log`](Context::log) at [`Level::Warn`].
    pub fn warn(&self, message: impl Display) {
        self.log(Level::Warn, message);
    }

    /// [`log`](Context::log) at [`Level::Error`].
    pub fn error(&self, message: impl Display) {
        self.log(Level::Error, message);
    }
}
