//! The real process over real sockets: what a person with a terminal and `curl` can see, and what survives a kill.
//!
//! `samples` has the apps, `host` runs the binary, `client` talks to it; `cases` holds one module per subject. Nothing in here sleeps: tests wait for
//! lines that the host prints, for answers that the API holds back until there is something to tell, and for processes to
//! end, each with a deadline.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod client;
#[cfg(test)]
mod host;
#[cfg(test)]
mod samples;
