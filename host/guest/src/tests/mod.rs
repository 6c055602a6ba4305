//! Real components in real sandboxes. The guests are the sample functions, and one that exists for these tests.

mod activities;
mod bindings;
mod client;
mod contract;
mod entities;
mod fixtures;
mod http;
mod loading;
mod logs;
mod metering;
mod orchestrators;
mod replay;
mod triggered;
mod world;
