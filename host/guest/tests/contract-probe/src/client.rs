//! Every function of the durable client as a command.

use crate::bindings::client::{self, EntityQuery, InstanceQuery, PurgeFilter, RuntimeStatus};
use crate::script::{entity, quote, start_options};
use std::fmt::Debug;

pub(crate) fn command(words: &[&str]) -> String {
    instances(words).or_else(|| lists(words)).unwrap_or_else(|| entities(words))
}

fn shown(result: impl Debug) -> String {
    format!("{result:?}").replace('"', "'")
}

fn instances(words: &[&str]) -> Option<String> {
    Some(match words {
        ["start", name, id, key] => shown(client::start(name, &quote("who"), &start_options(id), Some(key))),
        ["status", id] => shown(client::status(id)),
        ["raise", id, name, event_id] => shown(client::raise_event(id, name, "7", Some(event_id))),
        ["terminate", id] => shown(client::terminate(id, "enough", true)),
        ["suspend", id] => shown(client::suspend(id, "a pause")),
        ["resume", id] => shown(client::resume(id, "go on")),
        ["rewind", id] => shown(client::rewind(id, "once more")),
        ["restart", id] => shown(client::restart(id, true)),
        ["purge", id] => shown(client::purge(id)),
        ["wait", id] => shown(client::wait_for_completion(id, 50)),
        ["uris", id] => client::management_uris(id).replace('"', "'"),
        _ => return None,
    })
}

fn lists(words: &[&str]) -> Option<String> {
    Some(match words {
        ["query", prefix] => shown(client::query(&InstanceQuery {
            statuses: vec![RuntimeStatus::Running, RuntimeStatus::Suspended],
            created_from: Some(1),
            created_to: Some(2),
            instance_id_prefix: Some((*prefix).to_owned()),
            tags: vec![("team".to_owned(), "a".to_owned())],
            with_input: true,
            page_size: 3,
            continuation_token: Some("t".to_owned()),
        })),
        ["purge-by"] => shown(client::purge_by(&PurgeFilter {
            created_from: 1,
            created_to: None,
            statuses: vec![RuntimeStatus::Failed],
        })),
        ["clean-entities"] => shown(client::clean_entities()),
        ["query-entities", name] => shown(client::query_entities(&EntityQuery {
            name: Some((*name).to_owned()),
            last_operation_from: Some(1),
            last_operation_to: None,
            with_state: true,
            page_size: 3,
            continuation_token: None,
        })),
        _ => return None,
    })
}

fn entities(words: &[&str]) -> String {
    match words {
        ["signal", name, key, operation] => shown(client::signal_entity(&entity(name, key), operation, "1", Some(5))),
        ["read", name, key] => shown(client::read_entity(&entity(name, key))),
        other => panic!("no such command: {other:?}"),
    }
}
