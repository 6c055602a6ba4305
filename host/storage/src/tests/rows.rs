//! The ordered tables below the hub: keys that keep the order of ids, ranges, and batches.

use crate::keys::{self, Owner};
use crate::rows::{Batch, KeyRange, Table};
use orchestration::{EventId, ExecutionId, InstanceId, RuntimeStatus};
use proptest::prelude::*;
use storage_model::EntityKey;

fn id(text: &str) -> InstanceId {
    InstanceId::from_stored(text)
}

/// Ids in which zero bytes, and one being the start of another, are common.
fn ids() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just('\0'),
            Just('\u{1}'),
            Just('a'),
            Just('\u{ff}'),
            Just('\u{ffee}'),
            Just('\u{1f600}'),
            any::<char>()
        ],
        0..6,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn keys_sort_as_ids(a in ids(), b in ids()) {
        prop_assert_eq!(keys::instance(&id(&a)).cmp(&keys::instance(&id(&b))), a.as_bytes().cmp(b.as_bytes()));
    }

    #[test]
    fn no_instance_s_rows_begin_like_another_s(a in ids(), b in ids()) {
        prop_assert_eq!(keys::message(&id(&a), 0).starts_with(&keys::instance(&id(&b))), a == b);
        prop_assert_eq!(keys::instance(&id(&a)).starts_with(&keys::id_prefix(&b)), a.starts_with(&b));
        let by_name = keys::by_name(&a, Some(&id(&b)));
        prop_assert_eq!(by_name.starts_with(&keys::by_name(&b, None)), a == b);
    }

    #[test]
    fn keys_read_back(a in ids(), execution: u128, event: u32, sequence: u64) {
        let (a, execution, event) = (id(&a), ExecutionId::from_random(execution), EventId(event));
        prop_assert_eq!(keys::parse_event(&keys::event(&a, execution, event)), Ok((a.clone(), execution, event)));
        prop_assert_eq!(keys::parse_message(&keys::message(&a, sequence)), Ok((a.clone(), sequence)));
        let by_status = keys::by_status(RuntimeStatus::Failed, Some(&a));
        prop_assert_eq!(keys::split_id(&by_status[1..]), Ok((a, &[][..])));
    }

    #[test]
    fn keys_of_entities_sort_by_utf_16(a in (ids(), ids()), b in (ids(), ids())) {
        let key = |(partition, row): &(String, String)| EntityKey { partition: partition.clone(), row: row.clone() };
        let units = |(one, other): &(String, String)| -> (Vec<u16>, Vec<u16>) {
            (one.encode_utf16().collect(), other.encode_utf16().collect())
        };
        prop_assert_eq!(keys::entity(1, &key(&a)).cmp(&keys::entity(1, &key(&b))), units(&a).cmp(&units(&b)));
        prop_assert_eq!(keys::entity(1, &key(&a)).starts_with(&keys::partition(1, &b.0)), a.0 == b.0);
        prop_assert_eq!(keys::parse_entity(&keys::entity(1, &key(&a))), Ok(key(&a)));
    }

    #[test]
    fn keys_of_messages_read_back(queue: u64, sequence: u64) {
        prop_assert_eq!(keys::parse_owned(&keys::owned(queue, sequence)), Ok((queue, sequence)));
        for owner in [Owner::Queue(queue), Owner::Table(sequence)] {
            prop_assert_eq!(keys::parse_dropped(&keys::dropped(owner)), Ok(owner));
        }
    }

    #[test]
    fn bytes_that_are_no_key_never_panic(bytes: Vec<u8>) {
        drop(keys::parse_entity(&bytes));
        prop_assert_eq!(keys::parse_owned(&bytes).is_ok(), bytes.len() == 16);
        let is_kind = matches!(bytes.first(), Some(b'q' | b't'));
        prop_assert_eq!(keys::parse_dropped(&bytes).is_ok(), is_kind && bytes.len() == 9);
        drop(keys::parse_event(&bytes));
        drop(keys::parse_message(&bytes));
    }

    #[test]
    fn numbers_sort(a: u64, b: u64) {
        prop_assert_eq!(keys::message(&id("x"), a).cmp(&keys::message(&id("x"), b)), a.cmp(&b));
    }

    #[test]
    fn a_prefix_s_range_holds_what_begins_with_it(prefix: Vec<u8>, key: Vec<u8>) {
        let range = KeyRange::prefix(prefix.clone());
        let inside = key >= range.from && range.to.as_ref().is_none_or(|to| key < *to);
        prop_assert_eq!(inside, key.starts_with(&prefix));
        prop_assert!(!range.is_empty());
    }

    #[test]
    fn after_a_key_comes_the_next(from: Vec<u8>, last: Vec<u8>, key: Vec<u8>) {
        let range = KeyRange { from: from.clone(), to: None }.after(last.clone());
        prop_assert_eq!(key >= range.from, key >= from && key > last);
    }
}

#[test]
fn of_two_changes_of_a_row_the_later_counts() {
    let mut batch = Batch::default();
    batch.put(Table::Inbox, vec![2], vec![1]);
    batch.delete(Table::Instances, vec![1]);
    batch.put(Table::Instances, vec![1], vec![7]);
    batch.put(Table::Inbox, vec![2], vec![2]);
    batch.delete(Table::Inbox, vec![2]);
    let changes: Vec<_> =
        batch.into_changes().into_iter().map(|change| (change.table, change.key, change.value)).collect();
    assert_eq!(changes, [(Table::Instances, vec![1], Some(vec![7])), (Table::Inbox, vec![2], None)]);
}

#[test]
fn every_table_stands_at_its_place() {
    for (place, table) in Table::ALL.into_iter().enumerate() {
        assert_eq!(table as usize, place, "{}", table.name());
    }
}
