//! That the benchmarks run what they say.

use std::time::Duration;

use dacapo::testing::Scripted;

use super::{chain, echo, fan_out, sleep};

#[test]
fn each_step_is_taken() {
    let world = || Scripted::new().real(echo).activity_takes("Echo", Duration::from_secs(1));
    let chained = world().run(chain, &5);
    assert_eq!((chained.result, chained.elapsed), (Ok(5), Duration::from_secs(5)));
    let fanned_out = world().run(fan_out, &1_000);
    assert_eq!((fanned_out.result, fanned_out.elapsed), (Ok(499_500), Duration::from_secs(1)));
    assert_eq!(Scripted::new().run(sleep, &250).elapsed, Duration::from_millis(250));
}
