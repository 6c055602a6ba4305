//! Orchestrations that no sample should show: they run away, hold locks until they are ended from outside, have families,
//! and ask strangers. For the end-to-end tests.

mod families;
mod locks;
mod requests;
mod runaways;
