//! The client: steering, listing, purging.
