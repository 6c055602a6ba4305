//! The conformance suite: every guarantee that the ports write down, for every implementation.

mod activities;
mod checkpoints;
mod delayed;
mod entities;
mod farewells;
mod inspection;
mod instances;
mod queries;
mod rewinds;
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
