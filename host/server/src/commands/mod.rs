//! The commands, one file each: what a person can ask this binary to do.

pub(crate) mod keys;
pub(crate) mod replay;
pub(crate) mod start;
