//! Messages for functions, as the store hands them out and takes them back: each is in one place, held by one, counted rightly,
//! and goes together with what it brought about.

use super::occurrences::Occurrences;
use super::{Oracle, Watch};
use crate::author::triggered::{Errand, NOTE};
use orchestration::Timestamp;
use ports::{Effects, NewMessage, QueueMessage, Receipt, Receiver};
use std::collections::{BTreeMap, BTreeSet};
use storage_model::QueueName;

/// A function that messages start, as far as rules depend on it.
pub(crate) struct Listener {
    pub(crate) function: &'static str,
    pub(crate) queue: &'static str,
    /// Receipts after which a message is given up; none: never.
    pub(crate) tries: Option<u32>,
    /// Runs at a time: what is fetched at once on top of what may be at work then, or the function's own limit.
    pub(crate) at_once: usize,
    /// Messages fetched at once.
    pub(crate) batch: usize,
    /// Whether it can read any message.
    pub(crate) reads: bool,
}

const fn listener(function: &'static str, queue: &'static str, tries: Option<u32>) -> Listener {
    Listener { function, queue, tries, at_once: 24, batch: 16, reads: true }
}

/// All of them.
pub(crate) const LISTENERS: &[Listener] = &[
    Listener { at_once: 3, batch: 2, ..listener("Work", "work", Some(3)) },
    listener("Second", "second", Some(3)),
    Listener { at_once: 1, batch: 1, ..listener("One", "shared", Some(5)) },
    Listener { at_once: 1, batch: 1, ..listener("Other", "shared", Some(5)) },
    listener("Endless", "endless", None),
    Listener { at_once: 1, batch: 1, ..listener("Single", "single", Some(5)) },
    listener("Buried", "buried-poison", Some(2)),
    Listener { reads: false, ..listener("Strict", "strict", Some(5)) },
];

fn of_queue(queue: &QueueName) -> Option<&'static Listener> {
    LISTENERS.iter().find(|listener| listener.queue == queue.as_str())
}

/// Whether a function takes messages out of this queue.
pub(crate) fn is_listened_to(queue: &QueueName) -> bool {
    of_queue(queue).is_some()
}

/// Where a message has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// It is in its queue, seen or hidden, unless it has expired.
    Queue,
    /// It went with the effects of its function.
    Done,
    /// It was given up.
    Poisoned,
    /// Somebody has deleted it, alone or with its queue.
    Removed,
}

/// Who has received a message.
#[derive(Clone, Copy, Debug)]
struct Hold {
    until: Timestamp,
    receiver: Receiver,
}

/// A message and all that is known of it.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) errand: Errand,
    pub(super) queue: QueueName,
    pub(super) place: Place,
    pub(super) expires: Timestamp,
    /// How often it was received.
    received: u32,
    /// Before this, nobody receives it.
    not_before: Timestamp,
    hold: Option<Hold>,
    /// The receipt that counts.
    pop_receipt: String,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Ended {
    Well,
    Badly,
    /// In a way that trying again does not help.
    ForGood,
    /// The host had no room for it.
    NotRun,
}

/// A function, and the generation of the host that runs it; none: all of them together.
type Runner = (String, Option<u32>);

/// What was seen of messages and schedules.
#[derive(Default)]
pub(super) struct UsersSeen {
    /// By tag.
    pub(super) messages: BTreeMap<String, Message>,
    /// From ids to tags.
    tags: BTreeMap<String, String>,
    /// Messages that the last process held when it died.
    orphans: BTreeSet<String>,
    /// Runs that are going on, by function and whose limit counts.
    running: BTreeMap<Runner, usize>,
    /// A message that was received again because its visibility had lapsed while it was at work.
    pub(super) taken_over: Option<String>,
    /// How the runs of a message ended, by tag and receipt.
    runs: BTreeMap<(String, u32), BTreeSet<Ended>>,
    /// What timers brought about, by tag.
    pub(super) ticked: BTreeSet<String>,
    pub(super) occurrences: Occurrences,
    /// What was in queues that no function listens to: it was taken out before it could expire.
    pub(super) collected: Vec<(QueueName, String)>,
    pub(super) commits: u64,
}

type Broken = (Oracle, String);

fn broken(detail: String) -> Result<(), Broken> {
    Err((Oracle::Errands, detail))
}

impl UsersSeen {
    fn put(&mut self, queue: &QueueName, message: &NewMessage, now: Timestamp) -> Result<(), Broken> {
        if !is_listened_to(queue) {
            return Ok(());
        }
        let Some(errand) = Errand::parse(&message.text) else {
            return broken(format!("the queue {queue} got a message that nobody wrote: {}", message.text));
        };
        let tag = errand.tag.clone();
        let message = Message {
            errand,
            queue: queue.clone(),
            place: Place::Queue,
            expires: message.time_to_live.map_or(Timestamp::MAX, |ttl| now.saturating_add(ttl)),
            received: 0,
            not_before: now.saturating_add(message.delay),
            hold: None,
            pop_receipt: String::new(),
        };
        match self.messages.insert(tag.clone(), message) {
            None => Ok(()),
            Some(earlier) => broken(format!("the message {tag} was put again; the first was {earlier:?}")),
        }
    }

    fn received(
        &mut self,
        queue: &QueueName,
        message: &QueueMessage,
        receiver: Receiver,
        now: Timestamp,
    ) -> Result<(), Broken> {
        let errand = Errand::parse(&message.text);
        let Some((tag, known)) = errand.and_then(|errand| {
            let known = self.messages.get_mut(&errand.tag).filter(|known| known.errand == errand)?;
            Some((errand.tag, known))
        }) else {
            return broken(format!("{queue} handed out what nobody has put: {}", message.text));
        };
        if known.place != Place::Queue || known.expires <= now || known.queue != *queue {
            return broken(format!("{queue} handed out {tag}, which is gone: {known:?}"));
        }
        if let Some(hold) = known.hold.filter(|hold| now < hold.until) {
            return Err((Oracle::Fence, format!("{tag} was handed out while somebody holds it: {hold:?}")));
        }
        // What cannot be given up is kept from everybody until its visibility lapses.
        let tries = of_queue(queue).and_then(|listener| listener.tries);
        let is_given_up = tries.is_some_and(|tries| known.received >= tries);
        if known.hold.is_some_and(|hold| hold.receiver == Receiver::Host) && !is_given_up {
            self.taken_over = Some(format!("{tag}, which somebody had received"));
        }
        if now < known.not_before {
            return Err((Oracle::Timers, format!("{tag} was handed out before {:?}", known.not_before)));
        }
        if message.dequeue_count != known.received + 1 {
            let detail = format!("receipt {} of {tag} counts as {}", known.received + 1, message.dequeue_count);
            return broken(detail);
        }
        known.received += 1;
        known.hold = Some(Hold { until: message.visible, receiver });
        known.pop_receipt.clone_from(&message.pop_receipt);
        self.tags.insert(message.id.clone(), tag);
        Ok(())
    }

    /// A receipt was accepted: is it the one that counts?
    fn accept(&mut self, receipt: &Receipt, now: Timestamp, what: &str) -> Result<&mut Message, Broken> {
        let tag = self.tags.get(&receipt.id);
        let Some(known) = tag.and_then(|tag| self.messages.get_mut(tag)) else {
            return Err((Oracle::Fence, format!("a message was {what} that nobody has received: {receipt:?}")));
        };
        if known.place != Place::Queue || known.expires <= now || known.pop_receipt != receipt.pop_receipt {
            return Err((
                Oracle::Fence,
                format!("under {receipt:?} a message was {what} that is no longer held: {known:?}"),
            ));
        }
        Ok(known)
    }

    fn committed(&mut self, effects: &Effects, now: Timestamp) -> Result<(), Broken> {
        self.commits += 1;
        for receipt in &effects.consumed {
            let poison = receipt.queue.poison();
            let is_poison = effects.messages.iter().any(|(queue, _)| Some(queue) == poison.as_ref());
            let known = self.accept(receipt, now, "consumed")?;
            known.place = if is_poison { Place::Poisoned } else { Place::Done };
            let known = known.clone();
            if is_poison { self.gave_up(&known, effects)? } else { self.did(&known, effects)? }
        }
        if effects.consumed.is_empty() {
            self.tick(effects)?;
        }
        effects.messages.iter().try_for_each(|(queue, message)| self.put(queue, message, now))
    }

    /// All that the function returned is there, and nothing else.
    fn did(&self, known: &Message, effects: &Effects) -> Result<(), Broken> {
        let tag = &known.errand.tag;
        let runs = self.runs.get(&(tag.clone(), known.received));
        if !runs.is_some_and(|runs| runs.contains(&Ended::Well)) {
            return broken(format!("{tag} went as done, and its runs at receipt {} were {runs:?}", known.received));
        }
        let mut sent_on: Vec<_> =
            effects.messages.iter().filter_map(|(_, message)| Errand::parse(&message.text)).collect();
        let audits = sent_on.iter().filter(|errand| errand.tag == *tag).count();
        sent_on.retain(|errand| errand.tag != *tag);
        let starts = usize::from(known.errand.starts());
        let is_complete = audits == 1
            && sent_on == known.errand.sent_on().collect::<Vec<_>>()
            && effects.entities.len() == 1
            && effects.starts.len() == starts;
        if is_complete { Ok(()) } else { broken(format!("{tag} went with other effects than its own: {effects:?}")) }
    }

    /// A message is given up after as many tries as there are, and as it was.
    fn gave_up(&self, known: &Message, effects: &Effects) -> Result<(), Broken> {
        let (tag, listener) = (&known.errand.tag, of_queue(&known.queue));
        let texts: Vec<_> = effects.messages.iter().map(|(_, message)| message.text.as_str()).collect();
        if texts != [known.errand.text()] {
            return broken(format!("the poison queue got something else than {tag}: {texts:?}"));
        }
        let is_used_up = listener.and_then(|listener| listener.tries).is_some_and(|tries| known.received >= tries);
        let is_unreadable = listener.is_some_and(|listener| !listener.reads);
        let runs = self.runs.get(&(tag.clone(), known.received));
        let is_in_vain = runs.is_some_and(|runs| runs.contains(&Ended::ForGood));
        if is_used_up || is_unreadable || is_in_vain {
            Ok(())
        } else {
            broken(format!("{tag} was given up at receipt {}; its runs there were {runs:?}", known.received))
        }
    }

    /// What timers do, they do once for each occurrence.
    fn tick(&mut self, effects: &Effects) -> Result<(), Broken> {
        for (_, message) in &effects.messages {
            let tag = Errand::parse(&message.text).map(|errand| errand.tag).unwrap_or_default();
            // Activities run once or more, and so do their outputs.
            if tag.starts_with(NOTE) {
                continue;
            }
            if !self.ticked.insert(tag.clone()) {
                return Err((Oracle::Schedules, format!("{tag} was committed again")));
            }
        }
        Ok(())
    }

    /// All messages of a queue are gone.
    fn emptied(&mut self, queue: &QueueName) {
        for message in self.messages.values_mut().filter(|message| message.queue == *queue) {
            if message.place == Place::Queue {
                message.place = Place::Removed;
            }
        }
    }

    pub(super) fn crashed(&mut self) {
        self.occurrences.crashes += 1;
        for (tag, message) in self.messages.iter_mut().filter(|(_, message)| message.place == Place::Queue) {
            if message.hold.take_if(|hold| hold.receiver == Receiver::Host).is_some() {
                self.orphans.insert(tag.clone());
            }
        }
    }
}

/// What the store did.
impl Watch {
    pub(super) fn put_message(&self, queue: &QueueName, message: &NewMessage, now: Timestamp) {
        self.judge(|seen| seen.put(queue, message, now));
    }

    pub(super) fn received(
        &self,
        queue: &QueueName,
        asked: usize,
        receiver: Receiver,
        got: &[QueueMessage],
        now: Timestamp,
    ) {
        self.judge(|seen| {
            let most = LISTENERS.iter().filter(|listener| listener.queue == queue.as_str()).map(|found| found.batch);
            if is_listened_to(queue) && most.max().is_some_and(|most| asked > most || got.len() > asked) {
                return broken(format!("{queue} was asked for {asked} messages and gave {}", got.len()));
            }
            let heard = is_listened_to(queue);
            got.iter().filter(|_| heard).try_for_each(|message| seen.received(queue, message, receiver, now))
        });
    }

    /// A hold was prolonged, or given back.
    pub(super) fn held_on(&self, receipt: &Receipt, message: &QueueMessage, gives_back: bool, now: Timestamp) {
        self.judge(|seen| {
            let known = seen.accept(receipt, now, if gives_back { "given back" } else { "renewed" })?;
            known.pop_receipt.clone_from(&message.pop_receipt);
            if gives_back {
                (known.hold, known.not_before) = (None, message.visible);
            } else if let Some(hold) = &mut known.hold {
                hold.until = message.visible;
            }
            if message.dequeue_count == known.received {
                Ok(())
            } else {
                broken(format!("{} counts {} receipts", known.errand.tag, message.dequeue_count))
            }
        });
    }

    pub(super) fn committed_effects(&self, effects: &Effects, now: Timestamp) {
        self.judge(|seen| seen.committed(effects, now));
    }

    /// A receiver has deleted its message.
    pub(super) fn took_out(&self, receipt: &Receipt, now: Timestamp) {
        self.judge(|seen| {
            seen.accept(receipt, now, "deleted")?.place = Place::Removed;
            Ok(())
        });
    }

    pub(super) fn emptied(&self, queue: &QueueName) {
        self.lock().users.emptied(queue);
    }

    fn judge(&self, rule: impl FnOnce(&mut UsersSeen) -> Result<(), Broken>) {
        let mut seen = self.lock();
        if let Err((oracle, detail)) = rule(&mut seen.users) {
            seen.report(oracle, detail);
        }
    }
}

/// What functions did, as their listeners see it.
impl Watch {
    /// A run begins; it goes on until the answer is dropped.
    pub(super) fn run_begins(&self, function: &str, generation: Option<u32>, at_once: usize) -> Running {
        let mut seen = self.lock();
        let runner = (function.to_owned(), generation);
        let running = seen.users.running.entry(runner.clone()).or_default();
        *running += 1;
        if *running > at_once {
            let detail = format!("{running} runs of {function} at a time; {at_once} may be");
            seen.report(Oracle::Concurrency, detail);
        }
        Running { watch: self.clone(), runner }
    }

    pub(super) fn run_of_message_begins(&self, function: &str, generation: u32, tag: &str, receipt: u32) -> Running {
        let listener = LISTENERS.iter().find(|listener| listener.function == function);
        if listener.and_then(|listener| listener.tries).is_some_and(|tries| receipt > tries) {
            self.report(Oracle::Errands, format!("{function} runs {tag} at receipt {receipt}"));
        }
        self.run_begins(function, Some(generation), listener.map_or(0, |listener| listener.at_once))
    }

    pub(super) fn run_of_message_ended(&self, tag: &str, receipt: u32, ended: Ended) {
        self.lock().users.runs.entry((tag.to_owned(), receipt)).or_default().insert(ended);
    }

    /// An orchestration that a message started looks whether the rest of its effects is there.
    pub(crate) fn witnessed(&self, tag: &str) {
        let mut seen = self.lock();
        let place = seen.users.messages.get(tag).map(|message| message.place);
        if place != Some(Place::Done) {
            seen.report(Oracle::Errands, format!("an orchestration was started by {tag}, which is {place:?}"));
        }
    }
}

/// What the world does.
impl Watch {
    /// How often effects were committed.
    pub(crate) fn commits_of_effects(&self) -> u64 {
        self.lock().users.commits
    }

    /// What was taken out of a queue that no function listens to.
    pub(crate) fn collected(&self, queue: &QueueName, text: String) {
        self.lock().users.collected.push((queue.clone(), text));
    }

    /// The queues in which the last process held messages when it died.
    pub(crate) fn queues_of_orphans(&self) -> BTreeSet<QueueName> {
        let seen = self.lock();
        let orphans = seen.users.orphans.iter().filter_map(|tag| seen.users.messages.get(tag));
        orphans.map(|message| message.queue.clone()).collect()
    }

    /// What can be received right after the start of a process: what the last one held is among it.
    pub(crate) fn adopts(&self, visible: &[QueueMessage], now: Timestamp) {
        let mut seen = self.lock();
        let visible: BTreeSet<_> =
            visible.iter().filter_map(|message| Some(Errand::parse(&message.text)?.tag)).collect();
        let orphans = std::mem::take(&mut seen.users.orphans);
        let is_due = |tag: &String| {
            let message = seen.users.messages.get(tag);
            message.is_some_and(|message| message.place == Place::Queue && now < message.expires)
        };
        if let Some(hidden) = orphans.iter().find(|tag| is_due(tag) && !visible.contains(*tag)) {
            let detail = format!("{hidden}, which the last process held, cannot be received by the next one");
            seen.report(Oracle::Errands, detail);
        }
    }
}

/// A run that is going on.
pub(super) struct Running {
    watch: Watch,
    runner: Runner,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(running) = self.watch.lock().users.running.get_mut(&self.runner) {
            *running = running.saturating_sub(1);
        }
    }
}
