//! Tests of this crate; the conformance suite is the heart of them.

mod conformance;
mod world;
