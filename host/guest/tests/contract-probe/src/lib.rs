//! Uses every part of the contract as it is, without an SDK, and breaks it where a guest can. For the tests of `guest`.
//!
//! What a function does is a script, its input: a JSON string of commands with a semicolon between them. It answers what
//! each of them came to. `''` stands for an empty word.

#[cfg(target_arch = "wasm32")]
mod activities;
#[cfg(target_arch = "wasm32")]
mod bindings;
#[cfg(target_arch = "wasm32")]
mod bound;
#[cfg(target_arch = "wasm32")]
mod client;
#[cfg(target_arch = "wasm32")]
mod entities;
#[cfg(target_arch = "wasm32")]
mod orchestrators;
#[cfg(target_arch = "wasm32")]
mod script;
#[cfg(target_arch = "wasm32")]
mod triggered;
