//! One module per subject, in the order in which somebody who meets Dacapo meets them.

mod clients;
mod critical_sections;
mod durable_http;
mod entities;
mod first_start;
mod keys;
mod kill;
mod limits;
mod live_and_replayed;
mod management;
mod pinning;
mod readme;
mod refusals;
mod replaying;
mod requests;
mod samples;
mod slow_activities;
mod starts;
mod steering;
mod stopping;
mod storage_clients;
mod waiting;
