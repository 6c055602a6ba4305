//! The commands, one file each: what a person can ask this binary to do.

mod admin_api;
pub(crate) mod doctor;
pub(crate) mod import;
pub(crate) mod invoke;
pub(crate) mod keys;
pub(crate) mod replay;
pub(crate) mod settings;
pub(crate) mod start;
pub(crate) mod usage;
