//! Whatever fails, and whenever the process dies, a message is worked on, in the poison queue, or still there. In the embedded
//! account its effects happen once, in others at least once.

use super::{from_outside, listen, settings, triggers, with_outputs, work_on};
use crate::world::{BEGIN, Fault, World};
use futures::future::{join_all, pending, select};
use manifest::Function;
use manifest::settings::QueueSettings;
use ports::Clock;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use std::collections::BTreeMap;
use std::time::Duration;

/// What happens to a handful of messages.
#[derive(Clone, Debug)]
struct Story {
    /// What the functions do, one for each message.
    steps: Vec<&'static str>,
    /// What becomes of calls of the store.
    faults: Vec<Fault>,
    /// How long a call takes, twice.
    latency: Duration,
    /// When the process dies, for each of several.
    deaths: Vec<u64>,
    /// Whether there is a last process, with a store that works, and all the time that it needs.
    finish: bool,
}

fn stories() -> impl Strategy<Value = Story> {
    let step = prop_oneof![
        Just("ok"),
        Just("fail"),
        Just("fatal"),
        Just("trap"),
        Just("sleep 700"),
        Just("full 3"),
        Just("sleep 3; fail"),
    ];
    let fault = prop_oneof![4 => Just(Fault::None), 1 => Just(Fault::Before), 1 => Just(Fault::After)];
    let latency_ms = prop_oneof![2 => Just(0_u64), 1 => 1_u64..50, 1 => 1_000_u64..60_000];
    (
        prop::collection::vec(step, 1..6),
        prop::collection::vec(fault, 0..40),
        latency_ms.prop_map(Duration::from_millis),
        prop::collection::vec(0_u64..4_000, 0..4),
        any::<bool>(),
    )
        .prop_map(|(steps, faults, latency, mut deaths, finish)| {
            deaths.sort_unstable();
            Story { steps, faults, latency, deaths, finish }
        })
}

/// Tells a story of messages that are in the embedded account or in another one, and answers how each message ended. Outputs
/// go to the embedded account.
fn tell(story: &Story, outside: bool) -> Vec<Vec<&'static str>> {
    let world = World::new();
    let account = if outside { &world.outside } else { &world.embedded };
    let work = || -> Function {
        // Polled once a minute, as there are hours to go through.
        let settings = QueueSettings { max_polling_interval: Some(Duration::from_secs(60)), ..settings() };
        let work = with_outputs(work_on("work", settings));
        if outside { from_outside(work) } else { work }
    };
    for (index, step) in story.steps.iter().enumerate() {
        account.put("work", &format!("{step}; out q {index}"));
    }
    account.fail(story.faults.iter().copied());
    account.slow_down(story.latency);
    for second in &story.deaths {
        let listeners = triggers(&world, vec![work()]).listeners();
        let run = join_all(listeners.iter().map(|listener| listener.run(pending())));
        let death = world.clock.sleep_until(BEGIN.saturating_add(Duration::from_secs(*second)));
        world.run(select(run, death)).expect("death comes");
    }
    if story.finish {
        account.no_more_faults();
        listen(&world, vec![work()], 20_000);
    }
    let mut ends = BTreeMap::<usize, Vec<&str>>::new();
    let mut end = |index: &str, place| ends.entry(index.parse().expect("a number")).or_default().push(place);
    for (place, queue) in [("here", "work"), ("poison", "work-poison")] {
        for text in account.texts(queue) {
            end(text.rsplit(' ').next().unwrap_or_default(), place);
        }
    }
    for text in world.embedded.texts("results") {
        end(&text, "done");
    }
    (0..story.steps.len()).map(|index| ends.remove(&index).unwrap_or_default()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_happens_twice(story in stories()) {
        for (message, ends) in tell(&story, false).iter().enumerate() {
            assert_eq!(ends.len(), 1, "message {message} ended as {ends:?}");
            assert!(!story.finish || *ends != ["here"], "message {message} is left although nothing fails any more");
        }
    }

    #[test]
    fn nothing_of_a_service_is_lost(story in stories()) {
        for (message, ends) in tell(&story, true).iter().enumerate() {
            assert!(!ends.is_empty(), "message {message} is lost");
            assert!(!story.finish || !ends.contains(&"here"), "message {message} is left although nothing fails any more");
        }
    }
}
