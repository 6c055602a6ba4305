//! What people may do by force, at moments when it does no harm. At others it does: whoever waits for what is removed waits for
//! ever, so no faults here.

use crate::author::entities::counter;
use crate::author::text;
use crate::workload::{Act, Workload, start, start_and_wait};
use crate::world::{Setup, run};
use std::time::Duration;

/// The release of a section passes an entity that is not locked any more, and reaches those behind it.
#[test]
fn a_locked_entity_that_is_purged_keeps_no_other_one_locked() {
    for purged in ["x-a", "x-b", "x-c"] {
        let acts = vec![
            start("owner", "Section", text("wait x-a x-b x-c")),
            Act::Pause(Duration::from_secs(30)),
            Act::PurgeAny { id: counter(purged).instance_id().to_string() },
            Act::Raise { id: "owner".to_owned(), event: "go", payload: text("on"), event_id: None },
            Act::AwaitEnd { id: "owner".to_owned() },
        ];
        let after = start_and_wait("after", "Section", text("leave x-c x-b x-a"));
        let report = run(&Setup::new(1, Workload::of([acts, after].concat())));
        assert_eq!(report.violation, None, "{purged} is purged\n{}", report.trace);
    }
}
