//! The inputs and outputs of one invocation: the import `bindings`. Where the values come from and go to is the caller's
//! part; here they are held, and only looked at for their names and their length.

use super::{Invocation, Occasion};
use crate::bindings::wit_bindings;
use crate::fault::Stop;
use manifest::RETURN_BINDING;
use orchestration::Json;
use ports::BoundValues;
use std::sync::Arc;

/// What an output counts for besides its text: the host keeps a record of each, however short it is.
const OUTPUT_OVERHEAD_BYTES: usize = 64;

/// The names of what a function is bound to.
#[derive(Clone, Debug, Default)]
pub(crate) struct BindingNames {
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
}

/// The values of one invocation.
pub(crate) struct Bound {
    names: Arc<BindingNames>,
    inputs: BoundValues,
    outputs: BoundValues,
    output_bytes: usize,
}

impl Bound {
    pub(crate) fn new(names: &Arc<BindingNames>, inputs: BoundValues) -> Bound {
        Bound { names: Arc::clone(names), inputs, outputs: Vec::new(), output_bytes: 0 }
    }

    fn input(&self, name: &str) -> Result<String, String> {
        if !self.names.inputs.iter().any(|input| input == name) {
            return Err(unknown("input", name, &self.names.inputs));
        }
        match self.inputs.iter().find(|(input, _)| input == name) {
            Some((_, value)) => Ok(value.as_str().to_owned()),
            None => Err(format!("the input '{name}' was not read for this call")),
        }
    }

    /// The inner error is the guest's to handle; the outer one stops it.
    fn output(&mut self, name: String, value: String, max_bytes: usize) -> Result<Result<(), String>, Stop> {
        if name == RETURN_BINDING {
            return Ok(Err(format!("the output '{RETURN_BINDING}' takes what the function returns; return the value")));
        }
        if !self.names.outputs.contains(&name) {
            return Ok(Err(unknown("output", &name, &self.names.outputs)));
        }
        let len = self.output_bytes.saturating_add(value.len()).saturating_add(OUTPUT_OVERHEAD_BYTES);
        if len > max_bytes {
            return Err(Stop::OutputTooLarge { len });
        }
        self.output_bytes = len;
        self.outputs.push((name, Json::from(value)));
        Ok(Ok(()))
    }
}

fn unknown(what: &str, name: &str, known: &[String]) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).filter(|known| *known != RETURN_BINDING).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("the manifest has no {what} named '{name}' for this function; it has: {known}")
}

impl Occasion {
    fn bound(&mut self) -> wasmtime::Result<&mut Bound> {
        let text = match self {
            Occasion::Activity { bound, .. } | Occasion::Http { bound, .. } | Occasion::Triggered(bound) => {
                return Ok(bound);
            }
            Occasion::Entity => {
                "an entity has no bindings; let it start an orchestration whose activity reads the input or writes the \
                 output"
            }
            Occasion::Stream { .. } => {
                "a streaming HTTP function has no bindings; write it as one that takes and gives whole bodies"
            }
            Occasion::Describe => "there are no bindings here: `describe` must not use them",
        };
        Err(Stop::forbidden(text))
    }

    /// What the function gave its outputs.
    pub(super) fn take_outputs(&mut self) -> BoundValues {
        match self {
            Occasion::Activity { bound, .. } | Occasion::Http { bound, .. } | Occasion::Triggered(bound) => {
                std::mem::take(&mut bound.outputs)
            }
            Occasion::Entity | Occasion::Stream { .. } | Occasion::Describe => Vec::new(),
        }
    }
}

impl wit_bindings::Host for Invocation {
    fn input(&mut self, name: String) -> wasmtime::Result<Result<String, String>> {
        Ok(self.occasion.bound()?.input(&name))
    }

    fn output(&mut self, name: String, value: String) -> wasmtime::Result<Result<(), String>> {
        let max_bytes = self.max_output_bytes;
        Ok(self.occasion.bound()?.output(name, value, max_bytes)?)
    }
}
