//! Scenarios about functions that messages and schedules start, and about what comes of their effects.

use super::Scenario;
use crate::author::triggered::Errand;
use crate::workload::{Act, Put, Workload, put, simple};
use std::time::Duration;

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario { name: "message", workload: |id| work("Work", "work", [Errand::new(id)]) },
    Scenario { name: "message-starts-orchestration", workload: |id| work("Work", "work", [starting(id)]) },
    Scenario { name: "messages", workload: |id| work("Work", "work", several(id, 5, 10)) },
    Scenario { name: "message-chain", workload: message_chain },
    Scenario { name: "message-fails-once", workload: |id| work("Work", "work", [failing(id, 1)]) },
    Scenario {
        name: "message-traps",
        workload: |id| work("Work", "work", [Errand { trap: true, start: true, ..failing(id, 2) }]),
    },
    Scenario { name: "message-fails-always", workload: |id| work("Work", "work", [failing(id, 99)]) },
    Scenario { name: "message-fails-for-good", workload: |id| work("Work", "work", [fatal(id)]) },
    Scenario { name: "message-retries", workload: |id| work("Second", "second", [failing(id, 2)]) },
    Scenario { name: "message-retries-in-vain", workload: |id| work("Second", "second", [failing(id, 99)]) },
    Scenario { name: "message-retries-for-ever", workload: |id| work("Endless", "endless", [failing(id, 7)]) },
    Scenario { name: "message-takes-long", workload: |id| work("Work", "work", several(id, 1, 1500)) },
    Scenario { name: "messages-one-at-a-time", workload: |id| work("Single", "single", several(id, 3, 5)) },
    Scenario { name: "message-unreadable", workload: |id| work("Strict", "strict", [Errand::new(id)]) },
    Scenario { name: "competing-functions", workload: competing },
    Scenario { name: "client-competes", workload: client_competes },
    Scenario { name: "message-delayed", workload: delayed },
    Scenario { name: "message-expires", workload: expiring },
    Scenario { name: "poison-of-poison", workload: poison_of_poison },
    Scenario { name: "clear-amid-work", workload: |id| taken_away(id, Act::Clear { queue: "work" }) },
    Scenario { name: "delete-queue-amid-work", workload: |id| taken_away(id, Act::DeleteQueue { queue: "work" }) },
    Scenario { name: "outage-amid-work", workload: outage_amid_work },
    Scenario { name: "activity-outputs", workload: |id| simple(id, "Noted", 1).runs(&["Note"]) },
    Scenario { name: "timer-once", workload: |_| timers(&["Weekly"], 7) },
    Scenario { name: "timer-weekly", workload: |_| timers(&["Weekly"], 21) },
    Scenario { name: "timer-missed", workload: |_| missed("Weekly") },
    Scenario { name: "timer-missed-all", workload: |_| missed("Each") },
    Scenario { name: "timer-missed-none", workload: |_| missed("Forget") },
    Scenario { name: "timer-retries", workload: |_| timers(&["Persistent"], 14) },
    Scenario { name: "timer-retries-over-outage", workload: retries_over_outage },
    Scenario { name: "timer-in-vain", workload: |_| timers(&["Hopeless"], 14) },
    Scenario { name: "timer-takes-long", workload: |_| timers(&["Slow"], 35) },
    Scenario { name: "timer-chain", workload: |_| timers(&["Chained", "Second"], 14) },
];

const DAY: Duration = Duration::from_secs(86_400);

/// One client that puts these messages.
fn work(function: &'static str, queue: &'static str, errands: impl IntoIterator<Item = Errand>) -> Workload {
    let acts = errands.into_iter().map(|errand| put(queue, errand));
    Workload::of(acts.collect()).runs(&[function])
}

fn failing(id: &str, fail: u32) -> Errand {
    Errand { fail, ..Errand::new(id) }
}

fn starting(id: &str) -> Errand {
    Errand { start: true, ..Errand::new(id) }
}

fn fatal(id: &str) -> Errand {
    Errand { fatal: true, ..Errand::new(id) }
}

fn several(id: &str, count: u32, takes: u64) -> Vec<Errand> {
    (0..count).map(|n| Errand { takes, ..Errand::new(format!("{id}-{n}")) }).collect()
}

/// A message sends two on, each of which starts an orchestration that looks whether its message is done.
fn message_chain(id: &str) -> Workload {
    work("Work", "work", [Errand { next: 2, ..starting(id) }]).runs(&["Second"])
}

/// Two functions for one queue. What one of them holds for too long, the other one gets.
fn competing(id: &str) -> Workload {
    work("One", "shared", several(id, 3, 20)).runs(&["Other"])
}

/// What clients take out, no function gets.
fn client_competes(id: &str) -> Workload {
    let client = vec![Act::Pause(Duration::from_secs(10)), Act::Take { queue: "work" }, Act::Take { queue: "work" }];
    let more = Workload::of(vec![Act::Pause(Duration::from_secs(15)), put("work", Errand::new(format!("{id}-more")))]);
    work("Work", "work", several(id, 3, 60)).and(Workload::of(client)).and(more)
}

fn delayed(id: &str) -> Workload {
    let late = Put { queue: "work", errand: Errand::new(id), delay: Duration::from_secs(3600), time_to_live: None };
    let soon = put("work", Errand::new(format!("{id}-soon")));
    Workload::of(vec![Act::Put(late), soon]).runs(&["Work"])
}

/// Its time is over before it has been tried often enough.
fn expiring(id: &str) -> Workload {
    let time_to_live = Some(Duration::from_secs(35));
    let short = Put { queue: "endless", errand: failing(id, 99), delay: Duration::ZERO, time_to_live };
    Workload::of(vec![Act::Put(short)]).runs(&["Endless"])
}

/// Where it could be given up to does not exist: it stays until it expires.
fn poison_of_poison(id: &str) -> Workload {
    let time_to_live = Some(Duration::from_secs(1800));
    let buried = Put { queue: "buried-poison", errand: failing(id, 99), delay: Duration::ZERO, time_to_live };
    Workload::of(vec![Act::Put(buried)]).runs(&["Buried"])
}

/// What is at work when its queue is emptied comes to nothing; what comes later does not.
fn taken_away(id: &str, by: Act) -> Workload {
    let mut acts: Vec<_> = several(id, 3, 60).into_iter().map(|errand| put("work", errand)).collect();
    acts.extend([Act::Pause(Duration::from_secs(10)), by, put("work", Errand::new(format!("{id}-later")))]);
    Workload::of(acts).runs(&["Work"])
}

/// The next process goes on with what the last one held.
fn outage_amid_work(id: &str) -> Workload {
    let acts = vec![
        put("work", Errand { takes: 300, ..starting(id) }),
        Act::Pause(Duration::from_secs(100)),
        Act::Outage(Duration::from_secs(3600)),
    ];
    Workload::of(acts).runs(&["Work"])
}

/// Timers that come to their end after so many days; the first occurrence is on the fourth.
fn timers(functions: &[&'static str], days: u32) -> Workload {
    Workload { timers_for: DAY * days, ..Workload::default() }.runs(functions)
}

/// There is no host when the second, third and fourth occurrences come.
fn missed(function: &'static str) -> Workload {
    let outage = Workload::of(vec![Act::Pause(DAY * 10), Act::Outage(DAY * 16)]);
    outage.and(timers(&[function], 35))
}

/// There is no host when a try is due.
fn retries_over_outage(_: &str) -> Workload {
    let outage = Workload::of(vec![Act::Pause(DAY * 4 + Duration::from_secs(1800)), Act::Outage(DAY * 2)]);
    outage.and(timers(&["Persistent"], 14))
}
