//! Timers in a world of one function, a clock that can be set, and a store in which every call can be the last.

mod properties;
mod rules;
mod standing;
mod world;
