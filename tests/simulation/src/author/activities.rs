//! Author code that acts: activities, as functions of their argument, the attempt and a few outside systems.
//!
//! Because activities run at least once, those that change an outside system do it once per key, as good authors do.

use super::{Outcome, apps, number, text, to_number, to_text};
use orchestration::{ActivityTask, Failure, Json, Timeouts};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The systems outside that activities change.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutsideSystems {
    bank: Bank,
    /// Which instance came first, by key.
    first: BTreeMap<String, String>,
    /// What was repaired, by key.
    repaired: BTreeSet<String>,
}

/// What the accounts hold together with what is on its way between them never changes.
#[derive(Clone, Debug)]
struct Bank {
    accounts: BTreeMap<&'static str, i64>,
    /// By transfer: what was debited and not yet credited.
    on_its_way: BTreeMap<String, i64>,
    done: BTreeSet<String>,
}

impl Default for Bank {
    fn default() -> Bank {
        let accounts = BTreeMap::from([("alice", 100), ("bob", 100), ("carol", 100)]);
        Bank { accounts, on_its_way: BTreeMap::new(), done: BTreeSet::new() }
    }
}

/// How long an activity takes, and what it does at the end of it.
pub(crate) struct Activity {
    pub(crate) name: &'static str,
    pub(crate) takes: Duration,
    pub(crate) run: fn(&ActivityTask, &mut OutsideSystems) -> Outcome,
}

/// Longer than several leases, whatever lease time a run has.
pub(crate) const SLOW: Duration = Duration::from_secs(300);

/// All activities.
pub(crate) const ALL: &[Activity] = &[
    Activity { name: "Add", takes: Duration::ZERO, run: |task, _| Ok(number(to_number(&task.input) + 1)) },
    Activity { name: "Echo", takes: Duration::from_millis(20), run: |task, _| Ok(task.input.clone()) },
    Activity { name: "Slow", takes: SLOW, run: |task, _| Ok(number(to_number(&task.input) * 2)) },
    // The one that may be made to fail: its callers try again for a long time.
    Activity { name: "Tough", takes: Duration::ZERO, run: |task, _| Ok(number(to_number(&task.input) + 1)) },
    Activity { name: "Flaky", takes: Duration::from_millis(5), run: |task, _| flaky(task) },
    Activity { name: "Broken", takes: Duration::ZERO, run: |_, _| Err(Failure::new("Broken", "it never works")) },
    Activity {
        name: "Refused",
        takes: Duration::ZERO,
        run: |_, _| Err(Failure::new("Refused", "trying again cannot help").non_retriable()),
    },
    Activity { name: "FailFirst", takes: Duration::ZERO, run: fail_first },
    // The first attempt takes far longer than any of the others.
    Activity { name: "SlowAtFirst", takes: Duration::ZERO, run: |_, _| Ok(text("in time")) },
    Activity { name: "StuckAtFirst", takes: Duration::ZERO, run: |_, _| Ok(text("alive")) },
    Activity { name: "Beating", takes: Duration::from_secs(100), run: |_, _| Ok(text("beating")) },
    Activity { name: "Ailing", takes: Duration::from_millis(5), run: ailing },
    Activity {
        name: "App",
        takes: Duration::from_millis(5),
        run: |task, _| Ok(text(apps::code(task.pinned_to.as_deref().unwrap_or("any")))),
    },
    Activity { name: "Note", takes: Duration::from_millis(5), run: |task, _| Ok(task.input.clone()) },
    // What it looks at is the rest of the effects of the message that started its orchestration.
    Activity { name: "Witness", takes: Duration::ZERO, run: |task, _| Ok(task.input.clone()) },
    Activity { name: "Debit", takes: Duration::from_millis(10), run: |task, systems| systems.bank.debit(&task.input) },
    Activity {
        name: "Credit",
        takes: Duration::from_millis(10),
        run: |task, systems| systems.bank.credit(&task.input),
    },
];

/// The activity of this name.
pub(crate) fn find(name: &str) -> Option<&'static Activity> {
    ALL.iter().find(|activity| activity.name.eq_ignore_ascii_case(name))
}

impl Activity {
    /// How long one attempt takes.
    pub(crate) fn duration(&self, attempt: u32) -> Duration {
        if attempt == 1 && self.name.ends_with("AtFirst") { SLOW } else { self.takes }
    }

    /// How long one run may take, as the activity says itself.
    pub(crate) fn timeouts(&self) -> Timeouts {
        match self.name {
            "StuckAtFirst" => Timeouts { run: None, heartbeat: Some(Duration::from_secs(30)) },
            "Beating" => Timeouts { run: None, heartbeat: Some(Duration::from_secs(15)) },
            _ => Timeouts::default(),
        }
    }

    /// How often it gives a sign of life; never, if it gives none.
    pub(crate) fn beats_every(&self) -> Option<Duration> {
        (self.name == "Beating").then_some(Duration::from_secs(10))
    }
}

/// Fails as often as its argument says, then answers with the attempt that worked.
fn flaky(task: &ActivityTask) -> Outcome {
    if i64::from(task.attempt) <= to_number(&task.input) {
        return Err(Failure::new("Flaky", format!("attempt {} failed", task.attempt)));
    }
    Ok(number(i64::from(task.attempt)))
}

/// Fails for the first instance that calls it with a key, and works for all others.
fn fail_first(task: &ActivityTask, systems: &mut OutsideSystems) -> Outcome {
    let caller = task.instance.to_string();
    let first = systems.first.entry(to_text(&task.input)).or_insert_with(|| caller.clone());
    if *first == caller { Err(Failure::new("First", "the first caller fails")) } else { Ok(text("worked")) }
}

/// `"key"`: fails until somebody has repaired what is behind it.
fn ailing(task: &ActivityTask, systems: &mut OutsideSystems) -> Outcome {
    let key = to_text(&task.input);
    if systems.repaired.contains(&key) { Ok(text("well")) } else { Err(Failure::new("Ailing", key)) }
}

impl OutsideSystems {
    /// From now on what needs the key works.
    pub(crate) fn repair(&mut self, key: &str) {
        self.repaired.insert(key.to_owned());
    }

    /// All money that there is.
    pub(crate) fn total(&self) -> i64 {
        self.bank.accounts.values().sum::<i64>() + self.bank.on_its_way.values().sum::<i64>()
    }

    /// What is neither in one account nor in another.
    pub(crate) fn on_its_way(&self) -> i64 {
        self.bank.on_its_way.values().sum()
    }
}

impl Bank {
    /// `"key account amount"`: takes money out, once per key.
    fn debit(&mut self, input: &Json) -> Outcome {
        let (key, account, amount) = order(input)?;
        if self.done.insert(format!("debit {key}")) {
            *self.account(&account)? -= amount;
            self.on_its_way.insert(key, amount);
        }
        Ok(number(amount))
    }

    /// `"key account amount"`: pays what was taken out under the key, once.
    fn credit(&mut self, input: &Json) -> Outcome {
        let (key, account, amount) = order(input)?;
        self.account(&account)?;
        if let Some(held) = self.on_its_way.remove(&key) {
            *self.account(&account)? += held;
        }
        Ok(number(amount))
    }

    fn account(&mut self, name: &str) -> Result<&mut i64, Failure> {
        self.accounts.get_mut(name).ok_or_else(|| Failure::new("NoAccount", format!("there is no account '{name}'")))
    }
}

fn order(input: &Json) -> Result<(String, String, i64), Failure> {
    let words = to_text(input);
    let mut words = words.split(' ');
    match (words.next(), words.next(), words.next().and_then(|amount| amount.parse().ok())) {
        (Some(key), Some(account), Some(amount)) => Ok((key.to_owned(), account.to_owned(), amount)),
        _ => Err(Failure::new("InvalidArgument", format!("no order: {input}"))),
    }
}
