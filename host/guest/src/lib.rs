//! WebAssembly guests: compiles components, runs their functions in sandboxes, and is the only crate that names wasmtime.
//!
//! A [`Runtime`] owns the engines and the cache of compiled code; it loads a [`Component`] per `.wasm` file. An [`App`] binds
//! the functions of a manifest to components and offers them through the ports [`ports::Orchestrators`],
//! [`ports::Activities`], [`ports::Entities`], [`ports::HttpFunctions`], [`ports::QueueFunctions`] and
//! [`ports::TimerFunctions`], and tells a [`ports::Meter`] what each run used. There are two kinds of sandbox: an
//! *invocation* sees the real clock, real randomness, the app's settings, the hosts it was allowed and its bindings; an
//! *orchestrator* sees nothing but what is the same on every replay. What an orchestrator asks for is decided by
//! [`orchestration::Cursor`], not here; routing, scheduling, persistence, and where the values of bindings come from and go
//! to, belong to others.

mod app;
mod bindings;
mod cache;
mod component;
mod engine;
mod fault;
mod invocation;
mod kept_code;
mod memory;
mod metering;
mod orchestrator;
mod output;
mod runtime;
mod sandbox;
mod settings;

#[cfg(test)]
mod tests;

pub use app::{App, Binding, BindingError};
pub use component::{Component, ComponentSource, FunctionKind, LoadError, digest};
pub use runtime::{Runtime, RuntimeError};
pub use settings::{Compilation, GuestSettings};
