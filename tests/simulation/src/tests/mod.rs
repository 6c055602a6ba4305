//! The simulator in every `cargo test`.

mod by_force;
mod planted;
mod seeds;
mod swaps;
mod sweep;
