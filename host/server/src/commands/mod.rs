//! The commands, one file each: what a person can ask this binary to do.

mod admin_api;
pub(crate) mod apps;
pub(crate) mod build;
mod columns;
pub(crate) mod completions;
pub(crate) mod deploy;
pub(crate) mod doctor;
pub(crate) mod durable;
mod ending;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod invoke;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod new;
mod outline;
pub(crate) mod pack;
pub(crate) mod routes;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod start;
pub(crate) mod storage;
pub(crate) mod templates;
pub(crate) mod usage;
