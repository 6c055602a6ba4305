//! Timers in a world of one function, a clock that can be set, and a store in which every call can be the last.

mod by_hand;
mod clocks;
mod failures;
mod log;
mod properties;
mod rules;
mod standing;
mod turns;
mod world;

use expect_test::Expect;
use manifest::{Function, RetryDelay, RetryPolicy};
use std::time::Duration;
use world::{Ends, World, at};

/// Lives the lives and compares the transcript.
fn check(world: &World, function: &Function, lives: &[Ends], expected: &Expect) {
    for (index, ends) in lives.iter().enumerate() {
        if index > 0 {
            world.note("the host starts again");
        }
        world.live(function, ends);
    }
    expected.assert_eq(&format!("{}{}", world.transcript(), world.document()));
}

/// A pause between two lives.
fn later(world: &World, moment: &str) {
    world.state().now = at(moment);
}

fn retrying(function: Function, max_retry_count: Option<u32>, delay_s: u64) -> Function {
    let delay = RetryDelay::Fixed(Duration::from_secs(delay_s));
    Function { retry: Some(RetryPolicy { max_retry_count, delay }), ..function }
}

fn without_outputs(function: Function) -> Function {
    Function { outputs: Vec::new(), ..function }
}
