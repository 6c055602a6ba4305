//! What must be in users' queues and tables once everything has come to rest: of each message its effects, once and all of
//! them, or its text in the poison queue, once; and of each occurrence what it was to bring about.

use super::errands::{Place, UsersSeen, is_listened_to};
use super::{Oracle, Watch, occurrences};
use crate::author::triggered::{Errand, NOTE, note_tag};
use crate::users::UserStores;
use crate::workload::Workload;
use futures::FutureExt;
use orchestration::{InstanceRow, RuntimeStatus, Timestamp};
use ports::{EntitiesQuery, QueueError, StoreError, TableError};
use std::collections::{BTreeMap, BTreeSet};
use storage_model::QueueName;

/// Where errands put their messages, and where their entities are.
const AUDIT: &str = "audit";
const LEDGER: &str = "Ledger";
/// What the orchestrations of errands are called.
const STARTED: &str = "Witness";
/// What those are called whose activity has outputs.
const NOTED: &str = "Noted";

/// How often something is there, by tag.
type Counts = BTreeMap<String, usize>;

/// What there is in the end, by whose it is.
#[derive(Default)]
struct Found {
    audits: Counts,
    poisoned: Counts,
    ledger: Counts,
    started: Counts,
}

/// Judges users' data in a freshly opened store.
pub(super) fn judge(
    stores: &UserStores,
    watch: &Watch,
    workload: &Workload,
    instances: &BTreeMap<String, InstanceRow>,
    now: Timestamp,
) {
    if workload.functions.is_empty() {
        return;
    }
    let texts = match texts(stores) {
        Ok(texts) => texts,
        Err(error) => return watch.report(Oracle::Errands, format!("the queues cannot be read: {error}")),
    };
    let ledger = match ledger(stores) {
        Ok(ledger) => ledger,
        Err(error) => return watch.report(Oracle::Errands, format!("the table cannot be read: {error}")),
    };
    let mut started = Counts::new();
    for row in instances.values().filter(|row| row.name == STARTED) {
        let output = row.output.as_ref().map(crate::author::to_text).unwrap_or_default();
        *started.entry(output).or_default() += 1;
    }
    // What was kept for its time and then removed is not counted any more.
    let counts_starts = workload.retention.is_none();
    let noted = instances.values().filter(|row| row.name == NOTED && row.status == RuntimeStatus::Completed);
    let noted: Vec<_> = noted.map(|row| note_tag(row.id.as_str())).collect();
    let mut seen = watch.lock();
    let found = Found { ledger, started, ..found(&seen.users, texts) };
    let wrong = wrong(&seen.users, &found, counts_starts, now).map(|why| (Oracle::Errands, why)).or_else(|| {
        // What a timer gave to another function may have been given up there: that is no concern of its schedule.
        let done = found.audits.keys().chain(&seen.users.ticked).cloned().collect();
        let wrong = occurrences::wrong(&seen.users, &workload.functions, &done, workload.timers_for);
        wrong.map(|why| (Oracle::Schedules, why))
    });
    let is_noted = |tag: &&String| found.audits.contains_key(*tag) && found.ledger.get(*tag) == Some(&1);
    let unnoted = noted.iter().find(|tag| !is_noted(tag));
    let unnoted = unnoted.map(|tag| (Oracle::Effects, format!("the outputs of {tag} are not there")));
    if let Some((oracle, why)) = wrong.or(unnoted) {
        seen.report(oracle, why);
    }
}

/// Reading memory waits for nothing.
fn now_or_never<T, E: From<StoreError>>(future: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let never = || StoreError::Unavailable { detail: "it waits for something".to_owned() };
    future.now_or_never().unwrap_or_else(|| Err(never().into()))
}

/// All messages that can be received.
fn texts(stores: &UserStores) -> Result<Vec<(QueueName, String)>, QueueError> {
    let mut texts = Vec::new();
    for queue in now_or_never(stores.queues.list_queues("", None, usize::MAX))?.queues {
        let messages = now_or_never(stores.queues.peek(&queue.name, usize::MAX))?;
        texts.extend(messages.into_iter().map(|message| (queue.name.clone(), message.text)));
    }
    Ok(texts)
}

fn ledger(stores: &UserStores) -> Result<Counts, TableError> {
    let table = LEDGER.parse().expect("it is a table's name");
    let query = EntitiesQuery { table, filter: None, limit: 100_000, from: None };
    let page = match now_or_never(stores.tables.entities(&query)) {
        Err(TableError::TableNotFound(_)) => return Ok(Counts::new()),
        other => other?,
    };
    let mut counts = Counts::new();
    for entity in page.entities {
        *counts.entry(entity.key.partition).or_default() += 1;
    }
    Ok(counts)
}

fn found(seen: &UsersSeen, texts: Vec<(QueueName, String)>) -> Found {
    let mut found = Found::default();
    for (queue, text) in texts.into_iter().chain(seen.collected.iter().cloned()) {
        let tag = Errand::parse(&text).map_or(text, |errand| errand.tag);
        if queue.as_str() == AUDIT {
            *found.audits.entry(tag).or_default() += 1;
        } else if !is_listened_to(&queue) {
            *found.poisoned.entry(tag).or_default() += 1;
        }
    }
    found
}

fn wrong(seen: &UsersSeen, found: &Found, counts_starts: bool, now: Timestamp) -> Option<String> {
    let count = |counts: &Counts, tag: &str| counts.get(tag).copied().unwrap_or(0);
    for (tag, message) in &seen.messages {
        let (audits, poisoned) = (count(&found.audits, tag), count(&found.poisoned, tag));
        let expected = match message.place {
            Place::Done => (1, 0),
            Place::Poisoned => (0, 1),
            Place::Removed => (0, 0),
            Place::Queue if message.expires <= now => (0, 0),
            Place::Queue => return Some(format!("{tag} was never brought to an end: {message:?}")),
        };
        let started = count(&found.started, tag);
        let expected_starts = if message.errand.starts() { audits } else { 0 };
        if (audits, poisoned) != expected || counts_starts && started != expected_starts {
            return Some(format!(
                "of {tag} there are {audits} messages, {poisoned} in the poison queue and {started} orchestrations: {message:?}"
            ));
        }
    }
    let is_note = |tag: &str| tag.starts_with(NOTE);
    let is_known = |tag: &&String| seen.messages.contains_key(*tag) || seen.ticked.contains(*tag) || is_note(tag);
    let all: BTreeSet<_> =
        [&found.audits, &found.poisoned, &found.ledger, &found.started].into_iter().flat_map(BTreeMap::keys).collect();
    if let Some(tag) = all.iter().find(|tag| !is_known(tag)) {
        return Some(format!("there is something of {tag}, which nobody has put"));
    }
    let once = |tag: &&&String| !is_note(tag);
    let unequal = all.iter().filter(once).find(|tag| count(&found.audits, tag) != count(&found.ledger, tag));
    if let Some(tag) = unequal {
        let (audits, ledger) = (count(&found.audits, tag), count(&found.ledger, tag));
        return Some(format!("of {tag} there are {audits} messages and {ledger} entities"));
    }
    let mut own = seen.ticked.iter().filter(|tag| !seen.messages.contains_key(*tag));
    let lost = own.find(|tag| count(&found.audits, tag) != 1);
    lost.map(|tag| format!("of {tag} there are {} messages", count(&found.audits, tag)))
}
