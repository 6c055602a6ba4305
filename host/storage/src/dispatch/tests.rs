//! The parts of the dispatch that the conformance suite does not reach one by one.

use super::events::{Events, Key};
use orchestration::{EventId, ExecutionId};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Insert(Key, u8),
    Remove(Key),
    Change(Key),
}

fn key() -> impl Strategy<Value = Key> {
    (0..2_u128, 0..3_u32).prop_map(|(execution, event)| (ExecutionId::from_random(execution), EventId(event)))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (key(), any::<u8>()).prop_map(|(key, value)| Step::Insert(key, value)),
        key().prop_map(Step::Remove),
        key().prop_map(Step::Change),
    ]
}

proptest! {
    #[test]
    fn events_are_a_map(steps in proptest::collection::vec(step(), 0..30)) {
        let (mut events, mut model) = (Events::default(), BTreeMap::new());
        for step in steps {
            match step {
                Step::Insert(key, value) => prop_assert_eq!(events.insert(key, value), model.insert(key, value)),
                Step::Remove(key) => prop_assert_eq!(events.remove(key), model.remove(&key)),
                Step::Change(key) => {
                    let change = |value: &mut u8| *value = value.wrapping_add(1);
                    prop_assert_eq!(events.get_mut(key).map(change), model.get_mut(&key).map(change));
                }
            }
            prop_assert_eq!(events.is_empty(), model.is_empty());
        }
        prop_assert_eq!(events.into_iter().collect::<BTreeMap<_, _>>(), model);
    }
}
