//! The engine and its client in a world of fakes, in which time moves only when nothing else can.

mod clock;
mod store;
mod world;

mod activities;
mod client;
mod entities;
mod explain;
mod retention;
mod rewinding;
mod starts;
mod turns;
