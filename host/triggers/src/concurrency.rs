//! Places to run in: how many invocations may be at work at a time, and whose turn it is.
//!
//! First come, first served, and a place is given back when it is dropped. How many places there are is decided by whoever
//! makes the gate; what happens to those who find none, by whoever asks.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lets so many in at a time.
#[derive(Clone, Debug)]
pub struct Gate {
    places: Arc<Semaphore>,
}

/// A place behind a gate.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Gate {
    /// A gate for `places` invocations at a time.
    pub fn new(places: u32) -> Gate {
        let places = usize::try_from(places).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Gate { places: Arc::new(Semaphore::new(places)) }
    }

    /// The gate of one function: as wide as its `maxConcurrency`, or so wide that it never matters.
    pub fn of_function(function: &manifest::Function) -> Gate {
        Gate::new(function.max_concurrency.unwrap_or(u32::MAX))
    }

    /// A place if there is one now.
    pub fn try_enter(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(|permit| Place { _permit: permit })
    }

    /// Waits for a place. None only if the gate were closed, which nobody does.
    pub async fn enter(&self) -> Option<Place> {
        Arc::clone(&self.places).acquire_owned().await.ok().map(|permit| Place { _permit: permit })
    }
}
