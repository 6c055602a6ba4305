//! The commands, one file each: what a person can ask this binary to do.

pub(crate) mod doctor;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod replay;
pub(crate) mod settings;
pub(crate) mod start;
