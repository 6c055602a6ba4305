//! A stand-in for the durable client: remembers what was asked, and shows instances as the test says they are.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::DEFAULT_START;
use crate::client::Instances;
use crate::{ClientError, Failure, InstanceStatus, RuntimeStatus, payload};

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
    statuses: RefCell<BTreeMap<String, InstanceStatus>>,
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
}

impl Instances for Recorder {
    fn start(&self, orchestrator: &str, input: &str, instance_id: Option<&str>) -> Result<String, ClientError> {
        let numbered = || format!("instance-{}", self.started.borrow().len() + 1);
        let id = instance_id.map_or_else(numbered, Into::into);
        if self.running(&id).is_ok() {
            return Err(ClientError::AlreadyExists(format!("an instance '{id}' is at work already")));
        }
        let started = Started {
            name: orchestrator.into(),
            input: serde_json::from_str(input).unwrap_or(Value::Null),
            instance_id: id.clone(),
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
        };
        self.started.borrow_mut().push(started);
        self.statuses.borrow_mut().insert(id.clone(), status);
        Ok(id)
    }

    fn status(&self, instance_id: &str) -> Result<InstanceStatus, ClientError> {
        let status = self.statuses.borrow().get(instance_id).cloned();
        status.ok_or_else(|| ClientError::NotFound(format!("there is no instance '{instance_id}'")))
    }

    fn raise_event(&self, instance_id: &str, name: &str, payload: &str) -> Result<(), ClientError> {
        self.running(instance_id)?;
        let payload = serde_json::from_str(payload).unwrap_or(Value::Null);
        self.events.borrow_mut().push((instance_id.into(), name.into(), payload));
        Ok(())
    }

    fn terminate(&self, instance_id: &str, reason: &str) -> Result<(), ClientError> {
        let mut status = self.running(instance_id)?;
        status.runtime_status = RuntimeStatus::Terminated;
        status.output = Some(Value::from(reason).to_string());
        self.statuses.borrow_mut().insert(instance_id.into(), status);
        Ok(())
    }

    /// The time is always over at once.
    fn wait_for_completion(&self, instance_id: &str, _timeout: Duration) -> Result<InstanceStatus, ClientError> {
        self.status(instance_id)
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
