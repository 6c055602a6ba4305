//! The simulator in every `cargo test`.

mod planted;
mod seeds;
mod sweep;
