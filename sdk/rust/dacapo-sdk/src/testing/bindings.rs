//! A stand-in for the host's bindings: gives the inputs that the test says, and keeps what goes to the outputs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::world::value;
use crate::{Failure, QueueMessage, TimerInfo, functions, payload};

thread_local! {
    static CURRENT: RefCell<Option<Rc<RefCell<Recorder>>>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Recorder {
    /// As JSON.
    inputs: BTreeMap<String, String>,
    outputs: Vec<(String, Value)>,
}

/// Gives [`dacapo::input`](crate::input()) and [`dacapo::output`](crate::output()) on this thread something to talk to, until
/// the returned value is dropped. Every output is there; inputs are those that [`RecordedBindings::input`] says.
///
/// ```
/// use dacapo::{Failure, QueueMessage};
///
/// #[dacapo::queue]
/// fn convert(euros: f64) -> Result<String, Failure> {
///     let rate: f64 = dacapo::input("rate")?;
///     dacapo::output("dollars", &(euros * rate))?;
///     Ok("converted".into())
/// }
///
/// // As the function that it is:
/// let bindings = dacapo::testing::bindings().input("rate", &1.5);
/// assert_eq!(convert(2.0).unwrap(), "converted");
/// assert_eq!(bindings.outputs_as::<f64>("dollars"), [3.0]);
///
/// // As the host runs it, with the text of a message:
/// let returned = dacapo::testing::run_queue("Convert", &QueueMessage::new("4"));
/// assert_eq!(returned.unwrap(), "converted");
/// assert_eq!(bindings.outputs("dollars"), [3.0, 6.0]);
/// assert!(dacapo::testing::run_queue("Convert", &QueueMessage::new("four")).is_err());
/// ```
pub fn bindings() -> RecordedBindings {
    let recorder = Rc::new(RefCell::new(Recorder::default()));
    CURRENT.with(|current| *current.borrow_mut() = Some(Rc::clone(&recorder)));
    RecordedBindings { recorder }
}

/// What functions on this thread were given and gave; see [`bindings`].
pub struct RecordedBindings {
    recorder: Rc<RefCell<Recorder>>,
}

impl RecordedBindings {
    /// Says the value of an input.
    ///
    /// # Panics
    /// When it cannot be written as JSON.
    #[must_use]
    pub fn input(self, name: &str, value: &(impl Serialize + ?Sized)) -> RecordedBindings {
        let json = payload::encode(value, "the input").unwrap_or_else(|failure| panic!("{failure}"));
        self.recorder.borrow_mut().inputs.insert(name.to_owned(), json);
        self
    }

    /// What was given to an output so far, in order; of an array each of its values, and of `null` nothing. Also what was given by a function that
    /// then failed, which does not go out where there is a host.
    pub fn outputs(&self, name: &str) -> Vec<Value> {
        let recorder = self.recorder.borrow();
        let given = recorder.outputs.iter().filter(|(output, _)| output == name);
        given.flat_map(|(_, value)| each(value)).collect()
    }

    /// As [`RecordedBindings::outputs`], read as values of a type.
    ///
    /// # Panics
    /// When one is no such value.
    pub fn outputs_as<T: DeserializeOwned>(&self, name: &str) -> Vec<T> {
        let read = |value: Value| {
            serde_json::from_value(value).unwrap_or_else(|error| panic!("a value of the output '{name}': {error}"))
        };
        self.outputs(name).into_iter().map(read).collect()
    }
}

impl Drop for RecordedBindings {
    fn drop(&mut self) {
        CURRENT.with(|current| {
            // A test may have begun anew before it let go of the old ones.
            let mut current = current.borrow_mut();
            if current.as_ref().is_some_and(|current| Rc::ptr_eq(current, &self.recorder)) {
                *current = None;
            }
        });
    }
}

fn each(value: &Value) -> Vec<Value> {
    let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    values.into_iter().filter(|value| !value.is_null()).collect()
}

fn current() -> Rc<RefCell<Recorder>> {
    let current = CURRENT.with(|current| current.borrow().clone());
    current.unwrap_or_else(|| panic!("there is no host here: a test calls `dacapo::testing::bindings()` first"))
}

pub(crate) fn read_input(name: &str) -> Result<String, String> {
    let recorder = current();
    let recorder = recorder.borrow();
    recorder.inputs.get(name).cloned().ok_or_else(|| {
        let known = recorder.inputs.keys().cloned().collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "none" } else { &known };
        format!("the test has no input named '{name}' for this function; it has: {known}")
    })
}

pub(crate) fn write_output(name: &str, json: &str) -> Result<(), String> {
    if name == "$return" {
        return Err("the output '$return' takes what the function returns; return the value".to_owned());
    }
    current().borrow_mut().outputs.push((name.to_owned(), value(json)));
    Ok(())
}

/// Works on a message as the host does: finds the queue function of this crate by its name, reads the message as the type that
/// it takes, and answers what it returns.
///
/// # Errors
/// The function's failure, also where the message is not what it takes, or where there is no such function.
pub fn run_queue(function: &str, message: &QueueMessage) -> Result<Value, Failure> {
    functions::run_queue(function, message).map(|json| value(&json))
}

/// Runs a timer function of this crate by its name, as the host does, and answers what it returns.
///
/// # Errors
/// The function's failure, also where there is no such function.
pub fn run_timer(function: &str, timer: &TimerInfo) -> Result<Value, Failure> {
    functions::run_timer(function, timer).map(|json| value(&json))
}
