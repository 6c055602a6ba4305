//! Scenarios about entities and critical sections.

use super::{Scenario, await_end, raise};
use crate::author::entities::{counter, relay};
use crate::author::{number, text};
use crate::workload::{Act, Ending, With, Workload, start, start_and_wait};
use orchestration::{Reuse, RuntimeStatus};
use std::time::Duration;

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario { name: "entity-called", workload: entity_called },
    Scenario { name: "entity-called-by-several", workload: entity_called_by_several },
    Scenario { name: "entity-signaled", workload: entity_signaled },
    Scenario { name: "entity-signaled-by-clients", workload: entity_signaled_by_clients },
    Scenario { name: "entity-rolls-back", workload: entity_rolls_back },
    Scenario { name: "entity-deleted", workload: entity_deleted },
    Scenario { name: "entity-deleted-before-later-signal", workload: entity_deleted_before_later_signal },
    Scenario { name: "entity-traps-in-section", workload: entity_traps_in_section },
    Scenario { name: "entity-purged-amid-signals", workload: entity_purged_amid_signals },
    Scenario { name: "entity-traps", workload: entity_traps },
    Scenario { name: "entity-tells-others", workload: entity_tells_others },
    Scenario { name: "section", workload: |id| sections(id, "leave", &[&["a"]]) },
    Scenario { name: "sections-clash", workload: |id| sections(id, "leave", &[&["a", "b"], &["b", "a"], &["b", "c"]]) },
    Scenario { name: "sections-clash-and-end", workload: |id| sections(id, "end", &[&["a", "b"], &["b", "a"]]) },
    Scenario { name: "owner-fails", workload: |id| owner_ends_badly(id, "fail") },
    Scenario { name: "owner-traps", workload: |id| owner_ends_badly(id, "trap") },
    Scenario { name: "owner-continues-as-new", workload: owner_continues_as_new },
    Scenario { name: "owner-gives-up-waiting", workload: |id| owner_does_not_wait(id, "timeout") },
    Scenario { name: "owner-ends-before-grant", workload: |id| owner_does_not_wait(id, "leave") },
    Scenario { name: "owner-fails-before-grant", workload: |id| owner_does_not_wait(id, "fail") },
    Scenario { name: "owner-continues-as-new-before-grant", workload: |id| owner_does_not_wait(id, "anew") },
    Scenario { name: "owner-terminated", workload: |id| owner_is_stopped(id, stop_by_terminating) },
    Scenario { name: "owner-purged", workload: |id| owner_is_stopped(id, stop_by_purging) },
    Scenario { name: "owner-replaced", workload: |id| owner_is_stopped(id, stop_by_replacing) },
    Scenario { name: "waiting-owner-terminated", workload: |id| waiting_owner_is_stopped(id, stop_by_terminating) },
    Scenario { name: "waiting-owner-purged", workload: |id| waiting_owner_is_stopped(id, stop_by_purging) },
    Scenario { name: "waiting-owner-replaced", workload: |id| waiting_owner_is_stopped(id, stop_by_replacing) },
    Scenario { name: "asking-owner-replaced", workload: |id| asking_owner_is_stopped(id, stop_by_replacing) },
    Scenario { name: "leaving-owner-terminated", workload: |id| leaving_owner_is_stopped(id, stop_by_terminating) },
    Scenario { name: "leaving-owner-purged", workload: |id| leaving_owner_is_stopped(id, stop_by_purging) },
    Scenario { name: "leaving-owner-replaced", workload: |id| leaving_owner_is_stopped(id, stop_by_replacing) },
    Scenario { name: "asking-owner-terminated", workload: |id| asking_owner_is_stopped(id, stop_by_terminating) },
    Scenario { name: "asking-owner-purged", workload: |id| asking_owner_is_stopped(id, stop_by_purging) },
    Scenario { name: "owner-held", workload: owner_is_held },
    Scenario { name: "signals-wait-for-lock", workload: signals_wait_for_lock },
];

fn entity_called(id: &str) -> Workload {
    Workload::of(start_and_wait(id, "CallEntity", text(&format!("{id} 3")))).leaves(counter(id), Some(3))
}

fn entity_called_by_several(id: &str) -> Workload {
    let callers = (0..3).map(|n| start_and_wait(&format!("{id}-{n}"), "CallEntity", text(&format!("{id} 2"))));
    Workload::of_all(callers).leaves(counter(id), Some(6))
}

fn entity_signaled(id: &str) -> Workload {
    let senders = (0..2).map(|n| start_and_wait(&format!("{id}-{n}"), "SignalEntity", text(&format!("{id} 4"))));
    Workload::of_all(senders).leaves(counter(id), Some(20))
}

/// A client whose answer is lost tells it twice; which of them were told, the oracle knows.
fn entity_signaled_by_clients(id: &str) -> Workload {
    let signal = |after| Act::Signal { entity: counter(id), operation: "add", input: number(1), after };
    let hour = Duration::from_secs(3600);
    let later = vec![signal(Some(hour)), signal(None), Act::Pause(hour * 2)];
    Workload::of_all([vec![signal(None), signal(None)], later])
}

fn entity_rolls_back(id: &str) -> Workload {
    Workload::of(start_and_wait(id, "SpoilEntity", text(id)))
        .leaves(counter(id), Some(7))
        .leaves(counter("spoiled"), None)
}

fn entity_deleted(id: &str) -> Workload {
    Workload::of(start_and_wait(id, "DeleteEntity", text(id))).leaves(counter(id), None)
}

fn entity_deleted_before_later_signal(id: &str) -> Workload {
    Workload::of(start_and_wait(id, "DeleteLater", text(id))).leaves_one_of(counter(id), &[Some(3), None])
}

fn entity_traps_in_section(id: &str) -> Workload {
    let caller = start_and_wait(&format!("{id}-caller"), "CallEntity", text(&format!("{id} 2")));
    Workload::of_all([start_and_wait(id, "TrapInSection", text(id)), caller]).leaves(counter(id), Some(4))
}

/// What is left of it, only those know who come last; what it does afterwards, it does on what it is then.
fn entity_purged_amid_signals(id: &str) -> Workload {
    let senders = (0..2).map(|n| start_and_wait(&format!("{id}-{n}"), "SignalEntity", text(&format!("{id} 3"))));
    let purge = || Act::PurgeAny { id: counter(id).instance_id().to_string() };
    let purger =
        vec![Act::AwaitRunning { id: format!("{id}-0") }, purge(), Act::Pause(Duration::from_millis(5)), purge()];
    Workload::of_all(senders.chain([purger]))
}

fn entity_traps(id: &str) -> Workload {
    Workload::of(start_and_wait(id, "TrapEntity", text(id))).leaves(counter(id), Some(2))
}

fn entity_tells_others(id: &str) -> Workload {
    let mut workload = Workload::of(start_and_wait(id, "Relay", text(id)));
    workload.others.push((format!("{id}-started"), "Sequence", number(2)));
    workload.leaves(counter(id), Some(7)).leaves(relay(id), Some(3))
}

/// The input of an orchestrator that wants these counters.
fn wanted(id: &str, how: &str, keys: &[&str]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| format!("{id}-{key}")).collect();
    format!("{how} {}", keys.join(" "))
}

/// Owners at once; each counter is counted once by each owner that wants it.
fn sections(id: &str, how: &str, owners: &[&[&str]]) -> Workload {
    let owner = |n: usize| start_and_wait(&format!("{id}-{n}"), "Section", text(&wanted(id, how, owners[n])));
    let mut workload = Workload::of_all((0..owners.len()).map(owner));
    for key in ["a", "b", "c"] {
        let count = owners.iter().filter(|keys| keys.contains(&key)).count();
        let count = i64::try_from(count).ok().filter(|count| *count > 0);
        workload = workload.leaves(counter(&format!("{id}-{key}")), count);
    }
    workload
}

/// One owner ends within its section, another one comes after it.
fn owner_ends_badly(id: &str, how: &str) -> Workload {
    let bad = start_and_wait(&format!("{id}-bad"), "Section", text(&wanted(id, how, &["a", "b"])));
    let good = start_and_wait(&format!("{id}-good"), "Section", text(&wanted(id, "leave", &["b", "a"])));
    Workload::of_all([bad, good])
        .leaves(counter(&format!("{id}-a")), Some(2))
        .leaves(counter(&format!("{id}-b")), Some(2))
}

fn owner_continues_as_new(id: &str) -> Workload {
    let anew = start_and_wait(&format!("{id}-anew"), "Section", text(&wanted(id, "anew", &["a", "b"])));
    let other = start_and_wait(&format!("{id}-other"), "Section", text(&wanted(id, "leave", &["b"])));
    Workload::of_all([anew, other])
        .leaves(counter(&format!("{id}-a")), Some(2))
        .leaves(counter(&format!("{id}-b")), Some(3))
}

/// One holds the locks for a minute; another asks for them and goes on without.
fn owner_does_not_wait(id: &str, how: &str) -> Workload {
    let (holder, hasty) = (format!("{id}-holder"), format!("{id}-hasty"));
    let pause = Duration::from_secs(30);
    let acts = vec![
        start(&holder, "Section", text(&wanted(id, "wait", &["b"]))),
        Act::Pause(pause),
        start(&hasty, "AskAndLeave", text(&wanted(id, how, &["a", "b"]))),
        await_end(&hasty),
        Act::Pause(pause),
        raise(&holder, "go", "on"),
        await_end(&holder),
    ];
    let after = start_and_wait(&format!("{id}-after"), "Section", text(&wanted(id, "leave", &["a", "b"])));
    Workload::of_all([acts, after])
        .leaves(counter(&format!("{id}-a")), Some(1))
        .leaves(counter(&format!("{id}-b")), Some(2))
}

/// Acts that end an owner, and how it then is.
type Stop = fn(&str) -> (Vec<Act>, Ending);

fn stop_by_terminating(owner: &str) -> (Vec<Act>, Ending) {
    (vec![Act::Terminate { id: owner.to_owned(), recursive: false }, await_end(owner)], Ending::Terminated)
}

fn stop_by_purging(owner: &str) -> (Vec<Act>, Ending) {
    (vec![Act::PurgeAny { id: owner.to_owned() }], Ending::Purged)
}

/// Another one takes the id of the owner.
fn stop_by_replacing(owner: &str) -> (Vec<Act>, Ending) {
    let with = With { reuse: Some(Reuse::ANY), ..With::default() };
    let again = Act::Start { id: owner.to_owned(), name: "Sequence", input: number(1), with };
    (vec![again, await_end(owner)], Ending::OneOf(vec![number(1)]))
}

/// It holds the locks when it is stopped, unless a fault has kept it from that. Others come before and after.
fn owner_is_stopped(id: &str, stop: Stop) -> Workload {
    let owner = format!("{id}-owner");
    let (stopping, ending) = stop(&owner);
    let mut acts =
        vec![start(&owner, "Section", text(&wanted(id, "wait", &["a", "b"]))), Act::Pause(Duration::from_secs(30))];
    acts.extend(stopping);
    let other = start_and_wait(&format!("{id}-other"), "Section", text(&wanted(id, "leave", &["b", "a"])));
    acts.extend(start_and_wait(&format!("{id}-after"), "Section", text(&wanted(id, "leave", &["a"]))));
    Workload::of_all([acts, other]).ends(&owner, ending)
}

/// It waits for the locks when it is stopped, because another one has them.
fn waiting_owner_is_stopped(id: &str, stop: Stop) -> Workload {
    let (holder, owner) = (format!("{id}-holder"), format!("{id}-owner"));
    let (stopping, ending) = stop(&owner);
    let mut acts = vec![
        start(&holder, "Section", text(&wanted(id, "wait", &["b"]))),
        Act::Pause(Duration::from_secs(30)),
        start(&owner, "Section", text(&wanted(id, "wait", &["a", "b", "c"]))),
        Act::Pause(Duration::from_secs(30)),
    ];
    acts.extend(stopping);
    acts.extend([raise(&holder, "go", "on"), await_end(&holder)]);
    acts.extend(start_and_wait(&format!("{id}-after"), "Section", text(&wanted(id, "leave", &["a", "b", "c"]))));
    Workload::of(acts).ends(&owner, ending)
}

/// It is stopped while its request is on its way.
fn asking_owner_is_stopped(id: &str, stop: Stop) -> Workload {
    let owner = format!("{id}-owner");
    let (stopping, ending) = stop(&owner);
    let mut acts = vec![
        start(&owner, "Section", text(&wanted(id, "wait", &["a", "b", "c"]))),
        Act::AwaitRunning { id: owner.clone() },
    ];
    acts.extend(stopping);
    acts.extend(start_and_wait(&format!("{id}-after"), "Section", text(&wanted(id, "leave", &["c", "b"]))));
    Workload::of(acts).ends(&owner, ending)
}

/// It is stopped while its release is on its way: it has used the locks for 30 ms.
fn leaving_owner_is_stopped(id: &str, stop: Stop) -> Workload {
    let owner = format!("{id}-owner");
    let (stopping, ending) = stop(&owner);
    let mut acts = vec![
        start(&owner, "Section", text(&wanted(id, "leave", &["a", "b", "c"]))),
        Act::Pause(Duration::from_millis(30)),
    ];
    acts.extend(stopping);
    acts.extend(start_and_wait(&format!("{id}-after"), "Section", text(&wanted(id, "leave", &["c", "b"]))));
    // Terminated, it may have ended before.
    let ending = if ending == Ending::Terminated { Ending::AsModel } else { ending };
    Workload::of(acts).ends(&owner, ending)
}

/// What is held keeps its locks, and others wait for it.
fn owner_is_held(id: &str) -> Workload {
    let owner = format!("{id}-owner");
    let acts = vec![
        start(&owner, "Section", text(&wanted(id, "leave", &["a", "b"]))),
        Act::AwaitRunning { id: owner.clone() },
        Act::Suspend { id: owner.clone() },
        Act::AwaitStatus { id: owner.clone(), status: RuntimeStatus::Suspended },
        Act::Pause(Duration::from_secs(3600)),
        Act::Resume { id: owner.clone() },
        await_end(&owner),
    ];
    let other = start_and_wait(&format!("{id}-other"), "Section", text(&wanted(id, "leave", &["b"])));
    Workload::of_all([acts, other])
        .leaves(counter(&format!("{id}-a")), Some(1))
        .leaves(counter(&format!("{id}-b")), Some(2))
}

/// Signals and calls of others while a section is open.
fn signals_wait_for_lock(id: &str) -> Workload {
    let owner = format!("{id}-owner");
    let key = format!("{id}-a");
    let acts = vec![
        start(&owner, "Section", text(&wanted(id, "wait", &["a"]))),
        Act::Pause(Duration::from_secs(30)),
        start(&format!("{id}-signaler"), "SignalEntity", text(&format!("{key} 3"))),
        start(&format!("{id}-caller"), "CallEntity", text(&format!("{key} 2"))),
        Act::Pause(Duration::from_secs(30)),
        raise(&owner, "go", "on"),
        await_end(&owner),
        await_end(&format!("{id}-caller")),
    ];
    Workload::of(acts).leaves(counter(&key), Some(9))
}
