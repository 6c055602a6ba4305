//! The durable engine: takes turns and activities from the store, runs them, and commits what came of them.
//!
//! It decides nothing about orchestrations itself (that is the core's part) and knows neither how a guest runs nor how a
//! store keeps things: it moves values between ports. A process is the set of futures that [`TaskHub::workers`] answers.

mod activities;
mod client;
mod explain;
mod heartbeats;
mod leases;
mod live;
mod retention;
mod settings;
mod turns;

#[cfg(test)]
mod tests;

pub use client::{Client, ClientParts};
pub use explain::{ActivityState, AwaitedEvents, Explanation, Hold, LastFailure, NextRetry, Wait};
pub use heartbeats::Progress;
pub use settings::{Retention, Settings};

use futures::FutureExt;
use futures::future::{BoxFuture, Either, Shared, select};
use heartbeats::RunningActivities;
use live::LiveInstances;
use orchestration::InstanceRow;
use ports::{Activities, Clock, Entities, Orchestrators, Randomness, StoreError, TaskHubStore};
use std::sync::Arc;
use std::time::Duration;
use turns::BrokenBatches;

/// How long a worker waits after its store failed, before it asks again.
const STORE_RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The parts that an engine is put together from.
#[derive(Clone)]
pub struct Parts {
    /// Where instances live.
    pub store: Arc<dyn TaskHubStore>,
    /// The app's orchestrators.
    pub orchestrators: Arc<dyn Orchestrators>,
    /// The app's activities.
    pub activities: Arc<dyn Activities>,
    /// The app's entities.
    pub entities: Arc<dyn Entities>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Where invocation ids come from.
    pub randomness: Arc<dyn Randomness>,
}

/// Completes when the workers shall take no more work.
pub type Stop = Shared<BoxFuture<'static, ()>>;

/// The engine of one task hub. Cheap to clone.
#[derive(Clone)]
pub struct TaskHub {
    inner: Arc<Inner>,
}

/// What all workers share.
struct Inner {
    parts: Parts,
    settings: Settings,
    live: LiveInstances,
    running: RunningActivities,
    broken_batches: BrokenBatches,
}

impl TaskHub {
    /// Puts an engine together. Nothing runs before its workers are polled.
    pub fn new(parts: Parts, settings: Settings) -> TaskHub {
        let live = LiveInstances::new(settings.live_instances, settings.live_instance_bytes);
        let (running, broken_batches) = (RunningActivities::default(), BrokenBatches::new());
        TaskHub { inner: Arc::new(Inner { parts, settings, live, running, broken_batches }) }
    }

    /// The workers, one future each: as many as turns and activities may run at once, and one that removes what was kept long
    /// enough, if anything is to be removed. After `stop` each finishes and commits
    /// what it has begun and then completes; dropped, a worker leaves its work to be taken again.
    pub fn workers(&self, stop: &Stop) -> Vec<BoxFuture<'static, ()>> {
        let turns = (0..self.inner.settings.concurrent_turns).map(|_| {
            let (inner, stop) = (self.inner.clone(), stop.clone());
            async move { inner.turn_worker(&stop).await }.boxed()
        });
        let activities = (0..self.inner.settings.concurrent_activities).map(|_| {
            let (inner, stop) = (self.inner.clone(), stop.clone());
            async move { inner.activity_worker(&stop).await }.boxed()
        });
        turns.chain(activities).chain(self.housekeeping(stop)).collect()
    }

    fn housekeeping(&self, stop: &Stop) -> Option<BoxFuture<'static, ()>> {
        self.inner.settings.retention.by_status().next()?;
        let (inner, stop) = (self.inner.clone(), stop.clone());
        Some(async move { inner.housekeeping_worker(&stop).await }.boxed())
    }

    /// Whether the orchestrator of an instance is kept in memory where its row says that it stands.
    pub fn is_live(&self, row: &InstanceRow) -> bool {
        self.inner.live.look(row, |_| ()).is_some()
    }
}

impl Inner {
    async fn turn_worker(&self, stop: &Stop) {
        while let Some(taken) = unless_stopped(stop, self.parts.store.take_turn()).await {
            match taken {
                Ok(work) => self.run_turn(work).await,
                Err(error) => self.pause_after(&error, stop).await,
            }
        }
    }

    async fn activity_worker(&self, stop: &Stop) {
        while let Some(taken) = unless_stopped(stop, self.parts.store.take_activity()).await {
            match taken {
                Ok(work) => self.run_activity(work).await,
                Err(error) => self.pause_after(&error, stop).await,
            }
        }
    }

    async fn pause_after(&self, error: &StoreError, stop: &Stop) {
        tracing::warn!(%error, "cannot take work from the task hub; trying again");
        let until = self.parts.clock.now().saturating_add(STORE_RETRY_PAUSE);
        unless_stopped(stop, self.parts.clock.sleep_until(until)).await;
    }
}

/// The future's answer; none if `stop` comes first.
async fn unless_stopped<T>(stop: &Stop, future: impl Future<Output = T> + Unpin) -> Option<T> {
    match select(stop.clone(), future).await {
        Either::Left(_) => None,
        Either::Right((answer, _)) => Some(answer),
    }
}
