//! Real components in real sandboxes. The guests are the sample functions, and one that exists for these tests.

mod activities;
mod client;
mod contract;
mod entities;
mod fixtures;
mod http;
mod loading;
mod logs;
mod orchestrators;
mod replay;
mod world;
