//! Deterministic simulation of the engine under faults.
//!
//! One thread, a seeded scheduler, a virtual clock and the memory store: a run follows from its seed, its workload and its
//! faults, and nothing else. The engine, the durable core, the triggers and the store's dispatch are the real ones; author code is
//! ordinary Rust driven by the core's cursor, without wasm. See [`world`] for how a run is put together, [`faults`] for what
//! can happen, [`oracles`] for what must hold, and `tests` for the planted bugs that prove that they see.

mod actors;
mod author;
mod clock;
mod command;
mod faults;
mod model;
mod oracles;
mod random;
mod scenarios;
mod scheduler;
mod swarm;
mod sweep;
mod trace;
mod users;
mod workload;
mod world;

pub use command::command;

#[cfg(test)]
mod tests;
