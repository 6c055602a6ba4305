//! What starts functions: each trigger turns something that happens in the world into an invocation, and the invocation's
//! result into whatever the world expects.
//!
//! A trigger is built when an app is loaded and knows the world through ports only: it neither opens sockets nor runs
//! WebAssembly. Which function a request means is decided by `manifest`'s route table. Loops are plain futures that wait on
//! ports alone, so that any executor can drive them, also one whose clock is a number.

pub mod accounts;
pub mod activity;
pub mod bindings;
pub mod concurrency;
pub mod http;
pub mod invocation;
pub mod queue;
pub mod retry;
pub mod timer;

#[cfg(test)]
mod world;
