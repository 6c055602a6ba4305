//! Data-driven checks of what tables and queues accept and mean.

mod entities;
mod filters;
mod messages;
mod properties;
