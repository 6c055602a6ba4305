//! What is remembered, read back.

use super::super::standing::{Pending, Reason, Run, Standing};
use orchestration::Timestamp;
use proptest::prelude::*;

fn moment() -> impl Strategy<Value = Timestamp> {
    // The years that dates are written for.
    (-621_355_968_000_000_000..2_534_023_007_999_999_999_i64).prop_map(Timestamp::from_ticks)
}

fn pending() -> impl Strategy<Value = Pending> {
    let reason = prop_oneof![Just(Reason::Schedule), Just(Reason::PastDue), Just(Reason::Startup)];
    (reason, moment(), moment(), moment(), any::<u32>()).prop_map(|(reason, scheduled, began, at, failures)| Pending {
        run: Run { reason, scheduled, began: Some(began), failures },
        at,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        schedule in ".{0,20}",
        last in prop::option::of(moment()),
        next in prop::option::of(moment()),
        updated in moment(),
        pending in prop::option::of(pending()),
        invocation in prop::option::of(".{0,20}"),
    ) {
        let standing = Standing { schedule, last, next, updated, pending, invocation };
        prop_assert_eq!(Standing::from_json(&standing.to_json()), Ok(standing));
    }

    #[test]
    fn nothing_that_is_read_panics(content in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(Standing::from_json(&content).is_err());
    }
}
