//! Queue and timer functions that behave as tests need it: they stumble, linger, spin and inflate. What they are bound to is up
//! to each test's manifest. For the end-to-end tests.

mod jobs;
mod messages;
mod schedules;
mod sending;
