//! The client: starts, first and again.
