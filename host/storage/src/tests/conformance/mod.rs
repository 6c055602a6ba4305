//! The conformance suite: every guarantee that the ports write down, for every implementation.

mod activities;
mod arrivals;
mod checkpoints;
mod delayed;
mod documents;
mod effects;
mod entities;
mod farewells;
mod inspection;
mod instances;
mod messages;
mod pins;
mod queries;
mod queues;
mod rewinds;
mod tables;
mod taken_back;
mod timers;
mod turns;
mod waiting;

/// Runs each test against each implementation.
macro_rules! conformance {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::tests::world::World::memory()).await;
            })*
        }
        mod embedded {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::tests::world::World::embedded()).await;
            })*
        }
    };
}
pub(super) use conformance;
