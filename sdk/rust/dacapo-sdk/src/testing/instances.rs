//! A stand-in for the durable client: remembers what was asked, and shows instances as the test says they are.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::DEFAULT_START;
use super::entities::{Entities, Held, Wanted};
use super::world::value;
use crate::client::Instances;
use crate::entity::EntityAction;
use crate::{
    ClientError, Entity, EntityId, EntityQuery, EntityState, Failure, InstanceQuery, InstanceStatus, Page, PurgeFilter,
    RuntimeStatus, StartOptions, Timestamp, functions, payload,
};

thread_local! {
    static CURRENT: RefCell<Option<Rc<Recorder>>> = const { RefCell::new(None) };
}

/// Gives `Client::new()` on this thread something to talk to until the returned value is dropped.
///
/// ```
/// use dacapo::{Client, Context, Failure, Request, Response};
///
/// #[dacapo::orchestrator]
/// async fn greet(_ctx: Context, name: String) -> String {
///     format!("Hello, {name}!")
/// }
///
/// #[dacapo::http]
/// fn start_greet(request: Request) -> Result<Response, Failure> {
///     let client = Client::new();
///     let id = client.start(greet, &request.json()?)?;
///     Ok(client.check_status_response(&id))
/// }
///
/// let instances = dacapo::testing::instances();
/// let response = start_greet(Request::post("http://localhost/api/greet", "you")).unwrap();
/// assert_eq!(response.status, 202);
/// assert_eq!(instances.started()[0].name, "Greet");
/// assert_eq!(instances.started()[0].input, "you");
/// ```
pub fn instances() -> RecordedInstances {
    let recorder = Rc::new(Recorder::default());
    CURRENT.with(|current| *current.borrow_mut() = Some(Rc::clone(&recorder)));
    RecordedInstances { recorder }
}

pub(crate) fn current_instances() -> Rc<dyn Instances> {
    let current = CURRENT.with(|current| current.borrow().clone());
    current.unwrap_or_else(|| panic!("there is no host here: a test calls `dacapo::testing::instances()` first"))
}

/// What a durable client was asked on this thread; see [`instances`].
pub struct RecordedInstances {
    recorder: Rc<Recorder>,
}

/// An orchestration that was started.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Started {
    /// The orchestrator.
    pub name: String,
    /// What it was started with.
    pub input: Value,
    /// The id asked for, or `instance-1`, `instance-2`, ...
    pub instance_id: String,
    /// With what options.
    pub options: StartOptions,
}

/// A signal that was sent to an entity.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Signal {
    /// Which entity.
    pub entity: EntityId,
    /// The operation.
    pub operation: String,
    /// Its input.
    pub input: Value,
    /// Not before this moment.
    pub deliver_at: Option<Timestamp>,
}

impl RecordedInstances {
    /// What was started, in order. Each is pending until the test says otherwise.
    pub fn started(&self) -> Vec<Started> {
        self.recorder.started.borrow().clone()
    }

    /// The events that were raised, in order: instance id, name, payload.
    pub fn events(&self) -> Vec<(String, String, Value)> {
        self.recorder.events.borrow().clone()
    }

    /// The signals that were sent to entities, in order. Those for entities of this crate were done at once by their real
    /// code, except the ones for later.
    pub fn signals(&self) -> Vec<Signal> {
        self.recorder.signals.borrow().clone()
    }

    /// Gives an entity of this crate a state.
    ///
    /// # Panics
    /// When the state cannot be written as JSON.
    pub fn set_entity<E: Entity>(&self, key: &str, state: &E) {
        let state = payload::encode(state, "the state").unwrap_or_else(|failure| panic!("{failure}"));
        self.recorder.entities.borrow_mut().put(EntityId::of::<E>(key), state, DEFAULT_START);
    }

    /// Lets an instance end with an output.
    ///
    /// # Panics
    /// When there is no such instance, or the output cannot be written as JSON.
    pub fn complete(&self, instance_id: &str, output: &(impl Serialize + ?Sized)) {
        let output = payload::encode(output, "the output").unwrap_or_else(|failure| panic!("{failure}"));
        self.change(instance_id, |status| {
            status.runtime_status = RuntimeStatus::Completed;
            status.output = Some(output);
        });
    }

    /// Lets an instance end with a failure.
    ///
    /// # Panics
    /// When there is no such instance.
    pub fn fail(&self, instance_id: &str, failure: Failure) {
        self.change(instance_id, |status| {
            status.runtime_status = RuntimeStatus::Failed;
            status.failure = Some(failure);
        });
    }

    fn change(&self, instance_id: &str, change: impl FnOnce(&mut InstanceStatus)) {
        match self.recorder.statuses.borrow_mut().get_mut(instance_id) {
            Some(status) => change(status),
            None => panic!("nobody started an instance '{instance_id}'"),
        }
    }
}

impl Drop for RecordedInstances {
    fn drop(&mut self) {
        CURRENT.with(|current| {
            let mut current = current.borrow_mut();
            // A test that asked for two keeps the later one.
            if current.as_ref().is_some_and(|recorder| Rc::ptr_eq(recorder, &self.recorder)) {
                *current = None;
            }
        });
    }
}

#[derive(Default)]
struct Recorder {
    started: RefCell<Vec<Started>>,
    events: RefCell<Vec<(String, String, Value)>>,
    /// The ids of events that were accepted, with their instances.
    accepted: RefCell<BTreeSet<(String, String)>>,
    signals: RefCell<Vec<Signal>>,
    entities: RefCell<Entities>,
    statuses: RefCell<BTreeMap<String, InstanceStatus>>,
    /// By idempotency key: orchestrator and instance.
    keys: RefCell<BTreeMap<String, (String, String)>>,
}

impl Recorder {
    /// Refuses what has ended, as the host does.
    fn running(&self, instance_id: &str) -> Result<InstanceStatus, ClientError> {
        let status = self.status(instance_id)?;
        match status.runtime_status.is_terminal() {
            true => Err(ClientError::Gone(format!("instance '{instance_id}' has ended"))),
            false => Ok(status),
        }
    }

    fn set(&self, mut status: InstanceStatus, runtime_status: RuntimeStatus) {
        status.runtime_status = runtime_status;
        self.statuses.borrow_mut().insert(status.instance_id.clone(), status);
    }

    fn create(&self, orchestrator: &str, input: &str, options: &StartOptions) -> Result<String, ClientError> {
        let numbered = || format!("instance-{}", self.started.borrow().len() + 1);
        let id = options.instance_id.clone().unwrap_or_else(numbered);
        if self.running(&id).is_ok() {
            return Err(ClientError::AlreadyExists(format!("an instance '{id}' is at work already")));
        }
        let started = Started {
            name: orchestrator.into(),
            input: value(input),
            instance_id: id.clone(),
            options: options.clone(),
        };
        let status = InstanceStatus {
            name: orchestrator.into(),
            instance_id: id.clone(),
            runtime_status: RuntimeStatus::Pending,
            input: Some(input.into()),
            output: None,
            custom_status: None,
            failure: None,
            created_time: DEFAULT_START,
            last_updated_time: DEFAULT_START,
            version: options.version.clone(),
            tags: options.tags.clone(),
        };
        self.started.borrow_mut().push(started);
        self.statuses.borrow_mut().insert(id.clone(), status);
        Ok(id)
    }

    /// Does what was signalled, and what that signals.
    fn deliver(&self, signal: Signal) -> Result<(), ClientError> {
        let mut under_way = VecDeque::from([signal]);
        while let Some(signal) = under_way.pop_front() {
            self.signals.borrow_mut().push(signal.clone());
            if signal.deliver_at.is_some() || !functions::has_entity(signal.entity.name()) {
                continue;
            }
            let input = signal.input.to_string();
            let wanted = Wanted {
                to: &signal.entity,
                operation: &signal.operation,
                input: &input,
                caller: None,
                is_signal: true,
            };
            let (_unheard, actions) = self.entities.borrow_mut().operate(wanted, DEFAULT_START);
            for action in actions {
                match action {
                    EntityAction::Signal { to, operation, input, deliver_at } => {
                        under_way.push_back(Signal { entity: to, operation, input: value(&input), deliver_at });
                    }
                    EntityAction::StartOrchestration { name, input, options } => {
                        self.create(&name, &input, &options)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Instances for Recorder {
    fn start(
        &self,
        orchestrator: &str,
        input: &str,
        options: &StartOptions,
        idempotency_key: Option<&str>,
    ) -> Result<String, ClientError> {
        let Some(key) = idempotency_key else { return self.create(orchestrator, input, options) };
        let known = self.keys.borrow().get(key).cloned();
        match known {
            Some((started, id)) if started == orchestrator => Ok(id),
            Some((started, _)) => Err(ClientError::Conflict(format!("the key '{key}' has started {started} already"))),
            None => {
                let id = self.create(orchestrator, input, options)?;
                self.keys.borrow_mut().insert(key.into(), (orchestrator.into(), id.clone()));
                Ok(id)
            }
        }
    }

    fn status(&self, instance_id: &str) -> Result<InstanceStatus, ClientError> {
        let status = self.statuses.borrow().get(instance_id).cloned();
        status.ok_or_else(|| ClientError::NotFound(format!("there is no instance '{instance_id}'")))
    }

    fn query(&self, query: &InstanceQuery, token: Option<&str>) -> Result<Page<InstanceStatus>, ClientError> {
        let statuses = self.statuses.borrow();
        let matching = statuses.values().filter(|status| matches(query, status)).map(|status| {
            let input = status.input.clone().filter(|_| query.with_input);
            (status.instance_id.clone(), InstanceStatus { input, ..status.clone() })
        });
        Ok(page(matching, query.page_size, token))
    }

    fn raise_event(
        &self,
        instance_id: &str,
        name: &str,
        payload: &str,
        event_id: Option<&str>,
    ) -> Result<(), ClientError> {
        self.running(instance_id)?;
        let is_new = |id: &str| self.accepted.borrow_mut().insert((instance_id.into(), id.into()));
        if event_id.is_none_or(is_new) {
            self.events.borrow_mut().push((instance_id.into(), name.into(), value(payload)));
        }
        Ok(())
    }

    fn terminate(&self, instance_id: &str, reason: &str, _recursive: bool) -> Result<(), ClientError> {
        let mut status = self.running(instance_id)?;
        status.output = Some(Value::from(reason).to_string());
        self.set(status, RuntimeStatus::Terminated);
        Ok(())
    }

    fn suspend(&self, instance_id: &str, _reason: &str) -> Result<(), ClientError> {
        let status = self.running(instance_id)?;
        if status.runtime_status == RuntimeStatus::Suspended {
            return Err(ClientError::Conflict(format!("instance '{instance_id}' is suspended already")));
        }
        self.set(status, RuntimeStatus::Suspended);
        Ok(())
    }

    fn resume(&self, instance_id: &str, _reason: &str) -> Result<(), ClientError> {
        let status = self.running(instance_id)?;
        if status.runtime_status != RuntimeStatus::Suspended {
            return Err(ClientError::Conflict(format!("instance '{instance_id}' is not suspended")));
        }
        self.set(status, RuntimeStatus::Running);
        Ok(())
    }

    fn rewind(&self, instance_id: &str, _reason: &str) -> Result<(), ClientError> {
        let mut status = self.status(instance_id)?;
        if status.runtime_status == RuntimeStatus::Failed {
            status.failure = None;
            self.set(status, RuntimeStatus::Running);
            return Ok(());
        }
        self.running(instance_id)?;
        Err(ClientError::Conflict(format!("instance '{instance_id}' has not failed")))
    }

    fn restart(&self, instance_id: &str, with_new_instance_id: bool) -> Result<String, ClientError> {
        let status = self.status(instance_id)?;
        let id = (!with_new_instance_id).then(|| instance_id.to_owned());
        let options = StartOptions { instance_id: id, version: status.version, tags: status.tags, start_at: None };
        self.create(&status.name, status.input.as_deref().unwrap_or("null"), &options)
    }

    fn purge(&self, instance_id: &str) -> Result<(), ClientError> {
        let status = self.status(instance_id)?;
        if !status.runtime_status.is_terminal() {
            return Err(ClientError::Conflict(format!("instance '{instance_id}' is at work: terminate it first")));
        }
        self.statuses.borrow_mut().remove(instance_id);
        Ok(())
    }

    fn purge_by(&self, filter: &PurgeFilter) -> Result<u32, ClientError> {
        let mut statuses = self.statuses.borrow_mut();
        let before = statuses.len();
        statuses.retain(|_, status| {
            let asked_for = filter.statuses.is_empty() || filter.statuses.contains(&status.runtime_status);
            let in_time =
                (filter.created_from..=filter.created_to.unwrap_or(status.created_time)).contains(&status.created_time);
            !(status.runtime_status.is_terminal() && asked_for && in_time)
        });
        Ok(u32::try_from(before - statuses.len()).unwrap_or(u32::MAX))
    }

    /// Nothing is ever locked here.
    fn clean_entities(&self) -> Result<u32, ClientError> {
        Ok(0)
    }

    /// The time is always over at once.
    fn wait_for_completion(&self, instance_id: &str, _timeout: Duration) -> Result<InstanceStatus, ClientError> {
        self.status(instance_id)
    }

    fn signal_entity(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &str,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), ClientError> {
        let (entity, operation) = (entity.clone(), operation.into());
        self.deliver(Signal { entity, operation, input: value(input), deliver_at })
    }

    fn read_entity(&self, entity: &EntityId) -> Result<Option<EntityState>, ClientError> {
        Ok(self.entities.borrow().get(entity).map(|held| entity_state(entity, held, true)))
    }

    fn query_entities(&self, query: &EntityQuery, token: Option<&str>) -> Result<Page<EntityState>, ClientError> {
        let entities = self.entities.borrow();
        let matching = entities.all().filter(|(id, held)| {
            query.name.as_ref().is_none_or(|name| id.name() == name.to_lowercase())
                && query.last_operation_from.is_none_or(|from| held.last_operation_at >= from)
                && query.last_operation_to.is_none_or(|to| held.last_operation_at <= to)
        });
        let states = matching.map(|(id, held)| (id.to_string(), entity_state(id, held, query.with_state)));
        Ok(page(states, query.page_size, token))
    }

    fn management_uris(&self, instance_id: &str) -> String {
        let instance = format!("http://localhost/runtime/webhooks/durabletask/instances/{instance_id}");
        serde_json::json!({
            "id": instance_id,
            "statusQueryGetUri": instance,
            "sendEventPostUri": format!("{instance}/raiseEvent/{{eventName}}"),
            "terminatePostUri": format!("{instance}/terminate?reason={{text}}"),
            "purgeHistoryDeleteUri": instance,
        })
        .to_string()
    }
}

fn matches(query: &InstanceQuery, status: &InstanceStatus) -> bool {
    (query.statuses.is_empty() || query.statuses.contains(&status.runtime_status))
        && query.created_from.is_none_or(|from| status.created_time >= from)
        && query.created_to.is_none_or(|to| status.created_time <= to)
        && query.instance_id_prefix.as_ref().is_none_or(|prefix| status.instance_id.starts_with(prefix))
        && query.tags.iter().all(|(name, value)| status.tags.get(name) == Some(value))
}

fn entity_state(id: &EntityId, held: &Held, with_state: bool) -> EntityState {
    EntityState {
        id: id.clone(),
        state: with_state.then(|| held.state.clone()),
        last_operation_time: held.last_operation_at,
        locked_by: None,
    }
}

/// The token is the id of the last item of the page before.
fn page<T>(items: impl Iterator<Item = (String, T)>, page_size: u32, token: Option<&str>) -> Page<T> {
    let mut rest = items.skip_while(|(id, _)| token.is_some_and(|token| id.as_str() <= token)).peekable();
    let size = if page_size == 0 { usize::MAX } else { usize::try_from(page_size).unwrap_or(usize::MAX) };
    let (mut items, mut last) = (Vec::new(), None);
    while items.len() < size {
        let Some((id, item)) = rest.next() else { break };
        items.push(item);
        last = Some(id);
    }
    let continuation_token = rest.peek().and(last);
    Page { items, continuation_token }
}
