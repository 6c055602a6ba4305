//! Entities: what [`#[dacapo::entity]`](macro@crate::entity) makes of a type, what an operation may know and ask for, and
//! the handles with which others reach it.
//!
//! Leaves running a batch of operations to `operations`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::execution::{Execution, Outcome};
use crate::functions::Orchestrator;
use crate::tasks::EntityCall;
use crate::{Client, ClientError, Context, EntityId, Failure, StartOptions, Timestamp, payload};

/// What [`#[dacapo::entity]`](macro@crate::entity) makes of a type: its value is the state of one entity.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    label = "expected a type with an `impl` block under `#[dacapo::entity]`",
    note = "an entity of another component is called with `call_entity::<Output>(&id, \"operation\", &input)`"
)]
pub trait Entity: Serialize + DeserializeOwned + Default + 'static {
    /// The name under which the host knows it; compared without case.
    const NAME: &'static str;

    #[doc(hidden)]
    const OPERATIONS: &'static [Operation<Self>];

    /// The methods with which an orchestrator calls it; see [`Context::entity`].
    type Calls: From<EntityCaller>;

    /// The methods with which anybody signals it; see [`Context::signal`].
    type Signals<S: Signaller>: From<EntitySignaller<S>>;
}

/// One operation of an entity, as registered by the macro.
#[doc(hidden)]
pub struct Operation<E> {
    pub(crate) name: &'static str,
    /// Whether it may change the state: a method that takes `&mut self`.
    pub(crate) changes: bool,
    pub(crate) run: fn(&mut E, &EntityContext, &str) -> Outcome,
}

impl<E: Entity> Operation<E> {
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        changes: bool,
        run: fn(&mut E, &EntityContext, &str) -> Outcome,
    ) -> Operation<E> {
        Operation { name, changes, run }
    }

    #[doc(hidden)]
    pub fn decode<T: DeserializeOwned>(operation: &str, input: &str) -> Result<T, Failure> {
        payload::decode(input, &format!("the input of {operation} of {}", E::NAME))
    }

    #[doc(hidden)]
    pub fn encode<T: Serialize>(operation: &str, output: &T) -> Outcome {
        payload::encode(output, &format!("the result of {operation} of {}", E::NAME))
    }
}

/// What an operation may know about its call, and ask for: `fn add(&mut self, ctx: &EntityContext, amount: i64)`.
///
/// What is asked for happens after the batch is durable. If the operation fails, none of it happens.
#[derive(Clone)]
pub struct EntityContext {
    shared: Rc<Shared>,
}

struct Shared {
    id: EntityId,
    operation: String,
    request_id: String,
    is_signal: bool,
    caller: Option<String>,
    now: Timestamp,
    deleted: Cell<bool>,
    actions: RefCell<Vec<EntityAction>>,
}

/// What an operation asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum EntityAction {
    Signal { to: EntityId, operation: String, input: String, deliver_at: Option<Timestamp> },
    StartOrchestration { name: String, input: String, options: StartOptions },
}

/// How an operation came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OperationRequest {
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) request_id: String,
    pub(crate) is_signal: bool,
    pub(crate) caller: Option<String>,
}

/// A signal from nobody to an entity without a name, in 1970; for calling an operation in a test.
impl Default for EntityContext {
    fn default() -> EntityContext {
        let request = OperationRequest {
            name: String::new(),
            input: String::new(),
            request_id: String::new(),
            is_signal: true,
            caller: None,
        };
        EntityContext::new(&EntityId::new("", ""), &request, Timestamp::UNIX_EPOCH)
    }
}

impl EntityContext {
    pub(crate) fn new(id: &EntityId, request: &OperationRequest, now: Timestamp) -> EntityContext {
        let shared = Shared {
            id: id.clone(),
            operation: request.name.clone(),
            request_id: request.request_id.clone(),
            is_signal: request.is_signal,
            caller: request.caller.clone(),
            now,
            deleted: Cell::new(false),
            actions: RefCell::default(),
        };
        EntityContext { shared: Rc::new(shared) }
    }

    /// This entity.
    pub fn id(&self) -> &EntityId {
        &self.shared.id
    }

    /// Its name, in lower case.
    pub fn name(&self) -> &str {
        self.shared.id.name()
    }

    /// Its key.
    pub fn key(&self) -> &str {
        self.shared.id.key()
    }

    /// The operation, as the sender wrote it.
    pub fn operation(&self) -> &str {
        &self.shared.operation
    }

    /// The same for every run of this operation, and for no other.
    pub fn request_id(&self) -> &str {
        &self.shared.request_id
    }

    /// Whether nobody waits for the result.
    pub fn is_signal(&self) -> bool {
        self.shared.is_signal
    }

    /// The instance that asked; none for a client.
    pub fn caller(&self) -> Option<&str> {
        self.shared.caller.as_deref()
    }

    /// The time of this batch of operations.
    pub fn now(&self) -> Timestamp {
        self.shared.now
    }

    /// After this operation the entity does not exist any more. The next one begins with the default.
    pub fn delete(&self) {
        self.shared.deleted.set(true);
    }

    /// Signals an entity of this crate: `ctx.signal::<Counter>("sold").add(&1)?`.
    pub fn signal<E: Entity>(&self, key: impl Into<String>) -> E::Signals<EntityContext> {
        EntitySignaller::to::<E>(self.clone(), key, None)
    }

    /// Like [`signal`](EntityContext::signal), but not before that moment.
    pub fn signal_at<E: Entity>(&self, key: impl Into<String>, moment: Timestamp) -> E::Signals<EntityContext> {
        EntitySignaller::to::<E>(self.clone(), key, Some(moment))
    }

    /// Signals an entity that this crate does not know.
    ///
    /// # Errors
    /// When the input cannot be written as JSON.
    pub fn signal_entity(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &(impl Serialize + ?Sized),
    ) -> Result<(), Failure> {
        send(self, entity, operation, input, None)
    }

    /// Like [`signal_entity`](EntityContext::signal_entity), but not before that moment.
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
        send(self, entity, operation, input, Some(moment))
    }

    /// Starts an orchestration that nobody waits for, under a new id; to choose the id, see
    /// [`start_orchestration_with`](EntityContext::start_orchestration_with).
    ///
    /// # Errors
    /// When the input cannot be written as JSON.
    pub fn start_orchestration<O: Orchestrator>(&self, orchestrator: O, input: &O::Input) -> Result<(), Failure> {
        self.start_orchestration_with(&StartOptions::new(), orchestrator, input)
    }

    /// Starts an orchestration with options.
    ///
    /// # Errors
    /// When the input cannot be written as JSON.
    pub fn start_orchestration_with<O: Orchestrator>(
        &self,
        options: &StartOptions,
        orchestrator: O,
        input: &O::Input,
    ) -> Result<(), Failure> {
        let _handle = orchestrator;
        self.start_orchestration_by_name(options, O::NAME, input)
    }

    /// Starts an orchestrator that this crate does not know.
    ///
    /// # Errors
    /// When the input cannot be written as JSON.
    pub fn start_orchestration_by_name(
        &self,
        options: &StartOptions,
        name: &str,
        input: &(impl Serialize + ?Sized),
    ) -> Result<(), Failure> {
        let input = payload::encode(input, "the input of an orchestrator")?;
        let start = EntityAction::StartOrchestration { name: name.into(), input, options: options.clone() };
        self.shared.actions.borrow_mut().push(start);
        Ok(())
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.shared.deleted.get()
    }

    pub(crate) fn take_actions(&self) -> Vec<EntityAction> {
        self.shared.actions.take()
    }
}

/// Whoever may signal entities: an orchestrator's [`Context`], a [`Client`], an [`EntityContext`].
pub trait Signaller {
    /// Why a signal was not sent.
    type Error;

    #[doc(hidden)]
    fn send(&self, to: &EntityId, operation: &str, input: &str, at: Option<Timestamp>) -> Result<(), Self::Error>;

    #[doc(hidden)]
    fn refuse(failure: Failure) -> Self::Error;
}

impl Signaller for EntityContext {
    type Error = Failure;

    fn send(&self, to: &EntityId, operation: &str, input: &str, at: Option<Timestamp>) -> Result<(), Failure> {
        let (operation, input) = (operation.into(), input.into());
        let signal = EntityAction::Signal { to: to.clone(), operation, input, deliver_at: at };
        self.shared.actions.borrow_mut().push(signal);
        Ok(())
    }

    fn refuse(failure: Failure) -> Failure {
        failure
    }
}

impl Signaller for Context {
    type Error = Failure;

    fn send(&self, to: &EntityId, operation: &str, input: &str, at: Option<Timestamp>) -> Result<(), Failure> {
        self.execution.world.signal_entity(to, operation, input, at)
    }

    fn refuse(failure: Failure) -> Failure {
        failure
    }
}

impl Signaller for Client {
    type Error = ClientError;

    fn send(&self, to: &EntityId, operation: &str, input: &str, at: Option<Timestamp>) -> Result<(), ClientError> {
        self.instances.signal_entity(to, operation, input, at)
    }

    fn refuse(failure: Failure) -> ClientError {
        ClientError::Invalid(failure.message().into())
    }
}

pub(crate) fn send<S: Signaller>(
    signaller: &S,
    to: &EntityId,
    operation: &str,
    input: &(impl Serialize + ?Sized),
    at: Option<Timestamp>,
) -> Result<(), S::Error> {
    let input = payload::encode(input, "the input of an operation").map_err(S::refuse)?;
    signaller.send(to, operation, &input, at)
}

/// Signals one entity; behind the methods of [`Entity::Signals`].
pub struct EntitySignaller<S> {
    signaller: S,
    to: EntityId,
    deliver_at: Option<Timestamp>,
}

impl<S: Signaller> EntitySignaller<S> {
    pub(crate) fn to<E: Entity>(signaller: S, key: impl Into<String>, deliver_at: Option<Timestamp>) -> E::Signals<S> {
        EntitySignaller { signaller, to: EntityId::of::<E>(key), deliver_at }.into()
    }

    #[doc(hidden)]
    pub fn signal(&self, operation: &str, input: &(impl Serialize + ?Sized)) -> Result<(), S::Error> {
        send(&self.signaller, &self.to, operation, input, self.deliver_at)
    }
}

/// Calls one entity; behind the methods of [`Entity::Calls`].
pub struct EntityCaller {
    execution: Rc<Execution>,
    entity: EntityId,
}

impl EntityCaller {
    pub(crate) fn to<E: Entity>(execution: &Rc<Execution>, key: impl Into<String>) -> E::Calls {
        EntityCaller { execution: Rc::clone(execution), entity: EntityId::of::<E>(key) }.into()
    }

    #[doc(hidden)]
    pub fn call<T>(&self, operation: &str, input: &(impl Serialize + ?Sized)) -> EntityCall<T> {
        let input = payload::encode(input, "the input of an operation");
        EntityCall::new(&self.execution, &self.entity, operation, input)
    }
}
