//! Tests of this crate; the conformance suite is the heart of them.

mod codec;
mod conformance;
mod corrupt;
mod corrupt_user;
mod embedded;
mod format;
mod format_3;
mod full_disk;
mod queue_model;
mod rows;
mod table_model;
mod torn;
pub(crate) mod user;
pub(crate) mod world;
