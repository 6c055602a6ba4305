//! Tests of both ends, against stores in memory that are as strict as the real ones.

mod blob;
mod client;
mod fake_documents;
mod fake_queues;
mod fake_tables;
mod queue;
mod shared_access;
mod signing;
mod tables;
mod world;
mod xml;
