//! Functions that misbehave, each in one way: what happens when a function panics, never ends, eats memory?
//!
//! What happens is an error of that call, and nothing else: each call has an instance of its own, with a limit on its
//! time, memory and output. `README.md` lists what the caller gets to see. The host's own tests run these functions too.

mod activities;
mod http;
mod misbehaviour;
mod orchestrators;
#[cfg(test)]
mod tests;
