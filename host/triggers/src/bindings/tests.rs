//! Bindings against tables that are lists.
