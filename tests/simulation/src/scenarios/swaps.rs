//! Scenarios in which one version of the app follows another one while work is under way, in the same process.

use super::{Scenario, await_end, raise};
use crate::author::entities::counter;
use crate::author::triggered::Errand;
use crate::author::{number, text};
use crate::workload::{Act, Ending, Workload, put, start, start_and_wait};
use ports::RewindTo;
use std::time::Duration;

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    Scenario { name: "swap-pins", workload: pins },
    Scenario { name: "swap-amid-starts", workload: amid_starts },
    Scenario { name: "swap-amid-activities", workload: |id| amid(id, "FanOut", number(4), MOMENT) },
    Scenario { name: "swap-amid-long-activity", workload: |id| amid(id, "Long", number(21), Duration::from_secs(60)) },
    Scenario { name: "swap-amid-children", workload: |id| amid(id, "Parents", number(3), MOMENT) },
    Scenario { name: "swap-amid-executions", workload: |id| amid(id, "Count", number(3), MOMENT) },
    Scenario { name: "swap-amid-section", workload: amid_section },
    Scenario { name: "swap-upgrades", workload: upgrades },
    Scenario { name: "swap-mends", workload: mends },
    Scenario { name: "swaps-in-a-row", workload: in_a_row },
    Scenario { name: "swap-and-crash", workload: and_crash },
    Scenario { name: "swap-amid-message", workload: amid_message },
    Scenario { name: "swap-amid-message-and-crash", workload: amid_message_and_crash },
    Scenario { name: "swap-amid-timer", workload: |_| amid_timer("Slow", &[DAY * 5, DAY, DAY * 10], 35) },
    Scenario { name: "swap-when-timer-is-due", workload: |_| amid_timer("Forget", &[DAY * 4, DAY * 7], 14) },
    Scenario { name: "swap-amid-retries", workload: |_| amid_timer("Persistent", &[DAY * 4, HOUR, HOUR], 14) },
];

/// Shorter than an activity takes.
const MOMENT: Duration = Duration::from_millis(5);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

const AGAIN: Act = Act::Swap { app: None };

/// What has begun goes on with its code, what comes later begins with the new one.
fn pins(id: &str) -> Workload {
    let (old, new) = (format!("{id}-old"), format!("{id}-new"));
    let acts = vec![
        start(&old, "Versioned", text("stay")),
        Act::AwaitRunning { id: old.clone() },
        Act::Swap { app: Some(2) },
        start(&new, "Versioned", text("stay")),
        raise(&old, "go", "on"),
        await_end(&old),
        await_end(&new),
    ];
    // Whoever else shares the world may have deployed before.
    Workload::of(acts)
        .ends(&old, Ending::OneOf(vec![text("old code, app-1"), text("new code, app-2")]))
        .ends(&new, Ending::OneOf(vec![text("new code, app-2")]))
}

/// Who starts while one version follows another gets either, and keeps it.
fn amid_starts(id: &str) -> Workload {
    let starts = (0..4).map(|n| {
        let id = format!("{id}-{n}");
        let acts = vec![Act::Pause(MOMENT * n), start(&id, "Versioned", text("stay")), raise(&id, "go", "on")];
        [acts, vec![await_end(&id)]].concat()
    });
    let swaps = vec![Act::Pause(MOMENT * 2), Act::Swap { app: Some(2) }, AGAIN];
    let either = vec![text("old code, app-1"), text("new code, app-2")];
    let workload = Workload::of_all(starts.chain([swaps]));
    (0..4).fold(workload, |workload, n| workload.ends(&format!("{id}-{n}"), Ending::OneOf(either.clone())))
}

/// Two versions later it is still the first one's.
fn amid(id: &str, name: &'static str, input: orchestration::Json, after: Duration) -> Workload {
    let acts = vec![
        start(id, name, input),
        Act::AwaitRunning { id: id.to_owned() },
        Act::Pause(after),
        AGAIN,
        Act::Pause(after),
        AGAIN,
        await_end(id),
    ];
    Workload::of(acts)
}

/// An entity is locked by an instance of the first version and wanted by others.
fn amid_section(id: &str) -> Workload {
    let owner = format!("{id}-owner");
    let counters = [format!("{id}-a"), format!("{id}-b")];
    let acts = vec![
        start(&owner, "Section", text(&format!("wait {}", counters.join(" ")))),
        Act::Pause(HOUR),
        Act::Signal { entity: counter(&counters[0]), operation: "add", input: number(1), after: None },
        AGAIN,
        raise(&owner, "go", "on"),
        await_end(&owner),
    ];
    let other = [
        vec![Act::Pause(HOUR)],
        start_and_wait(&format!("{id}-other"), "Section", text(&format!("leave {}", counters.join(" ")))),
    ];
    Workload::of_all([acts, other.concat()])
}

/// What asks for it goes on with the new code.
fn upgrades(id: &str) -> Workload {
    let acts = vec![
        start(id, "Versioned", text("upgrade")),
        Act::AwaitRunning { id: id.to_owned() },
        Act::Swap { app: Some(2) },
        raise(id, "go", "on"),
        await_end(id),
    ];
    Workload::of(acts).ends(id, Ending::OneOf(vec![text("new code, app-2")]))
}

/// What failed by a mistake of its app is rewound onto the one that mends it.
fn mends(id: &str) -> Workload {
    let acts = vec![
        start(id, "Curable", text("worked")),
        await_end(id),
        Act::Swap { app: Some(2) },
        Act::Rewind { id: id.to_owned(), to: RewindTo::PresentApp },
        Act::AwaitRevival { id: id.to_owned() },
        await_end(id),
    ];
    Workload::of(acts).ends(id, Ending::OneOf(vec![text("worked on app-2")]))
}

/// More versions than there are steps, with one that was there before among them.
fn in_a_row(id: &str) -> Workload {
    let swaps = (0..5).flat_map(|_| [Act::Pause(MOMENT), AGAIN]);
    let starts = (0..2).map(|n| start_and_wait(&format!("{id}-{n}"), "Sequence", number(2)));
    Workload::of_all(starts.chain([swaps.collect()]))
}

/// The process dies while two versions are at work, and the next one begins with the newer.
fn and_crash(id: &str) -> Workload {
    let swaps = vec![Act::Pause(MOMENT * 3), AGAIN, Act::Pause(MOMENT), Act::Outage(Duration::from_secs(1)), AGAIN];
    Workload::of_all([start_and_wait(id, "FanOut", number(4)), swaps])
}

fn long_errand(id: &str) -> Act {
    put("work", Errand { takes: 300, start: true, ..Errand::new(id) })
}

/// The first version has a message in its hands while the next ones fetch theirs.
fn amid_message(id: &str) -> Workload {
    let more = (0..2).map(|n| put("work", Errand { takes: 40, ..Errand::new(format!("{id}-{n}")) }));
    let mut acts = vec![long_errand(id), Act::Pause(Duration::from_secs(100)), AGAIN];
    acts.extend(more);
    acts.extend([Act::Pause(Duration::from_secs(20)), AGAIN]);
    Workload::of(acts).runs(&["Work"])
}

/// The process dies while the first version still has it.
fn amid_message_and_crash(id: &str) -> Workload {
    let soon = Act::Pause(Duration::from_secs(100));
    let acts = vec![long_errand(id), soon.clone(), AGAIN, soon, Act::Outage(Duration::from_secs(1))];
    Workload::of(acts).runs(&["Work"])
}

/// A timer, and swaps after these pauses.
fn amid_timer(function: &'static str, pauses: &[Duration], days: u32) -> Workload {
    let swaps = pauses.iter().flat_map(|pause| [Act::Pause(*pause), AGAIN]);
    Workload { timers_for: DAY * days, ..Workload::of(swaps.collect()) }.runs(&[function])
}
