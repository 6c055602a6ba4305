//! Tests of both ends, against stores in memory that are as strict as the real ones.

mod fake_documents;
mod fake_queues;
mod fake_tables;
mod queue;
mod signing;
mod world;
mod xml;
