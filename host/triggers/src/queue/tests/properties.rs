//! Whatever fails, a message is worked on, in the poison queue, or still there; and its effects happened once.

use super::{listen, settings, with_outputs, work_on};
use crate::world::{Fault, World};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use std::collections::BTreeMap;
use std::time::Duration;

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![4 => Just(Fault::None), 1 => Just(Fault::Before), 1 => Just(Fault::After)];
    prop::collection::vec(fault, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_happens_twice(
        steps in prop::collection::vec(
            prop_oneof![Just("ok"), Just("fail"), Just("fatal"), Just("trap"), Just("sleep 700"), Just("full 3"), Just("sleep 3; fail")],
            1..6,
        ),
        faults in faults(),
        seconds in 1_u64..4_000,
        latency_ms in prop_oneof![2 => Just(0_u64), 1 => 1_u64..50, 1 => 1_000_u64..60_000],
        finish in any::<bool>(),
    ) {
        let world = World::new();
        for (index, step) in steps.iter().enumerate() {
            world.embedded.put("work", &format!("{step}; out q {index}"));
        }
        world.embedded.fail(faults);
        world.embedded.slow_down(Duration::from_millis(latency_ms));
        listen(&world, vec![with_outputs(work_on("work", settings()))], seconds);
        if finish {
            world.embedded.no_more_faults();
            listen(&world, vec![with_outputs(work_on("work", settings()))], 100_000);
        }
        let mut ends = BTreeMap::<usize, Vec<&str>>::new();
        for (place, queue) in [("here", "work"), ("poison", "work-poison")] {
            for text in world.embedded.texts(queue) {
                let (_, index) = text.rsplit_once(' ').expect("the texts end in a number");
                ends.entry(index.parse().expect("a number")).or_default().push(place);
            }
        }
        for text in world.embedded.texts("results") {
            ends.entry(text.parse().expect("a number")).or_default().push("done");
        }
        for index in 0..steps.len() {
            let ends = ends.remove(&index).unwrap_or_default();
            assert_eq!(ends.len(), 1, "message {index} ended as {ends:?}");
            assert!(!finish || ends != ["here"], "message {index} is left although nothing fails any more");
        }
    }
}
