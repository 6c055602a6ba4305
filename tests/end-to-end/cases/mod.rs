//! One module per subject, in the order in which somebody who meets Dacapo meets them.

mod first_start;
mod kill;
mod management;
mod readme;
mod refusals;
mod requests;
mod samples;
mod stopping;
