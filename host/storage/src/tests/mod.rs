//! Tests of this crate; the conformance suite is the heart of them.

mod codec;
mod conformance;
mod corrupt;
mod embedded;
mod format;
mod rows;
mod torn;
pub(crate) mod world;
