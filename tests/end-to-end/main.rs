//! The real process over real sockets: what a person with a terminal and `curl` can see, and what survives a kill.
//!
//! A test target of the package `dacapo`, so that cargo builds the binary together with its tests.
//!
//! `samples` has the apps, `renovation` one that is deployed twice, `production` what is deployed to a host that runs,
//! `development` one that is changed while it runs; `host` runs the binary, `terminal` runs it for a person, `shell` types commands
//! as one, `client` talks to a host, `account` to its storage endpoint; `cases` holds one module per subject, and `transcripts` what
//! `shell` types. Nothing in here sleeps: tests wait for lines that the host prints, for answers that the API holds back until there
//! is something to tell, and for processes to end, each with a deadline.

mod account;
mod cases;
mod client;
mod development;
mod host;
mod production;
mod renovation;
mod samples;
mod shell;
mod terminal;
