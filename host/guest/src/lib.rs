//! WebAssembly guests: compiles components, runs their functions in sandboxes, and is the only crate that names wasmtime.
//!
//! A [`Runtime`] owns the engines and the cache of compiled code; it loads a [`Component`] per `.wasm` file. An [`App`] binds
//! the functions of a manifest to components and offers them through the ports [`ports::Orchestrators`],
//! [`ports::Activities`], [`ports::Entities`] and [`ports::HttpFunctions`]. There are two kinds of sandbox: an *invocation* sees the real
//! clock, real randomness, the app's settings and the hosts it was allowed; an *orchestrator* sees nothing but what is
//! the same on every replay. What an orchestrator asks for is decided by [`orchestration::Cursor`], not here; routing,
//! scheduling and persistence belong to others.

mod app;
mod bindings;
mod cache;
mod component;
mod engine;
mod fault;
mod invocation;
mod memory;
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
pub use settings::GuestSettings;
