//! Critical sections: whatever becomes of their owners and however the messages interleave, no lock is left behind, two owners
//! never hold one entity, and everybody gets on.

use super::fixtures::{account, terminate};
use super::world::{BEGIN, at};
use crate::{
    Action, Checkpoint, CriticalSection, EntityId, EntityOutcome, Envelope, EventId, EventKind, ExecutionId,
    ExecutionStarted, Failure, InstanceId, InstanceRow, Json, Ledger, Limits, Message, MessageKind, NewInstance,
    Origin, PresentApp, Reuse, RuntimeStatus, Section, Settled, Settling, TurnEnd, admit, admit_entity, farewell,
    rewind, set_aside, settle, settle_entity,
};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// One critical section of an owner.
#[derive(Clone, Debug)]
struct Plan {
    entities: BTreeSet<usize>,
    /// How many operations it calls, one after the other.
    calls: usize,
    /// Otherwise the end of the owner ends it.
    leaves: bool,
}

/// How an owner ends in the turn after so many others.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Completes,
    Fails,
    ContinuesAsNew,
    IsSetAside,
}

/// What happens to an owner from outside.
#[derive(Clone, Copy, Debug)]
enum Blow {
    Terminate,
    Remove,
    Rewind,
}

#[derive(Clone, Debug)]
struct OwnerPlan {
    sections: Vec<Plan>,
    ends: Option<(usize, Ending)>,
}

/// An instance that goes through its sections, driven by hand instead of by code.
struct Owner {
    plan: OwnerPlan,
    row: InstanceRow,
    ledger: Ledger,
    history: Vec<crate::Event>,
    turns: usize,
    /// The section that it is in, and the calls that it has made in it.
    section: usize,
    calls: usize,
    asked: Option<EventId>,
    granted: bool,
}

/// Who sends to whom; messages between two stay in order.
type Road = (String, InstanceId);

struct World {
    owners: BTreeMap<InstanceId, Owner>,
    entities: BTreeMap<InstanceId, InstanceRow>,
    inboxes: BTreeMap<InstanceId, Vec<Message>>,
    /// Whether something came since an instance had its last turn.
    news: BTreeSet<InstanceId>,
    roads: BTreeMap<Road, VecDeque<Envelope>>,
    posted: u64,
}

fn entity(place: usize) -> EntityId {
    account(KEYS[place])
}

fn limits() -> &'static Limits {
    static LIMITS: std::sync::LazyLock<Limits> = std::sync::LazyLock::new(Limits::default);
    &LIMITS
}

impl World {
    fn new(plans: Vec<OwnerPlan>) -> World {
        let mut world = World {
            owners: BTreeMap::new(),
            entities: BTreeMap::new(),
            inboxes: BTreeMap::new(),
            news: BTreeSet::new(),
            roads: BTreeMap::new(),
            posted: 0,
        };
        for (n, plan) in plans.into_iter().enumerate() {
            let id = InstanceId::parse(&format!("owner{n}")).unwrap();
            let started = ExecutionStarted::new("Main", Json::null(), ExecutionId::from_random(n as u128 + 1));
            let (at, reuse) = (BEGIN, Reuse::ENDED);
            let new = NewInstance { id: id.clone(), started, at, reuse, otherwise: None, idempotency_key: None };
            let kind =
                MessageKind::ExecutionStarted { started: Box::new(new.started.clone()), carried_over: Vec::new() };
            let execution = Some(new.started.execution);
            let owner = Owner {
                plan,
                row: new.row(),
                ledger: Ledger::default(),
                history: Vec::new(),
                turns: 0,
                section: 0,
                calls: 0,
                asked: None,
                granted: false,
            };
            world.owners.insert(id.clone(), owner);
            world.post("client", Envelope::new(id, execution, kind));
        }
        world
    }

    fn post(&mut self, from: &str, envelope: Envelope) {
        self.roads.entry((from.to_owned(), envelope.to.clone())).or_default().push_back(envelope);
    }

    /// The head of one road arrives.
    fn deliver(&mut self, choice: usize) {
        let roads: Vec<Road> =
            self.roads.iter().filter(|(_, road)| !road.is_empty()).map(|(road, _)| road.clone()).collect();
        if roads.is_empty() {
            return;
        }
        let Some(envelope) = self.roads.get_mut(&roads[choice % roads.len()]).and_then(VecDeque::pop_front) else {
            return;
        };
        self.arrive(envelope);
    }

    fn arrive(&mut self, envelope: Envelope) {
        let takes = |owner: &Owner| envelope.is_for(owner.row.status);
        if !envelope.to.is_entity() && !self.owners.get(&envelope.to).is_some_and(takes) {
            return;
        }
        self.posted += 1;
        let message =
            Message { origin: Origin::Inbox(self.posted), execution: envelope.execution, kind: envelope.kind };
        self.inboxes.entry(envelope.to.clone()).or_default().push(message);
        self.news.insert(envelope.to);
    }

    /// One of those that got something has its turn.
    fn turn(&mut self, choice: usize, max_operations: usize) {
        let ready: Vec<_> = self.news.iter().cloned().collect();
        if ready.is_empty() {
            return;
        }
        let id = ready[choice % ready.len()].clone();
        self.news.remove(&id);
        if id.is_entity() { self.entity_turn(&id, max_operations) } else { self.owner_turn(&id) }
    }

    fn commit(&mut self, id: &InstanceId, checkpoint: &Checkpoint) {
        if let Some(inbox) = self.inboxes.get_mut(id) {
            inbox.retain(|message| !checkpoint.consumed.contains(&message.origin));
        }
        if checkpoint.more {
            self.news.insert(id.clone());
        }
        for envelope in checkpoint.messages.iter().cloned() {
            // What an instance sends to itself is there when its turn is over, before anything that answers the turn.
            if envelope.to == *id { self.arrive(envelope) } else { self.post(id.as_str(), envelope) }
        }
    }

    fn entity_turn(&mut self, id: &InstanceId, max_operations: usize) {
        let row = self.entities.remove(id).unwrap_or_else(|| InstanceRow::new_entity(id.clone(), BEGIN));
        let inbox = self.inboxes.get(id).cloned().unwrap_or_default();
        let admission = admit_entity(&row, inbox, max_operations);
        let results = admission.operations.iter().map(|_| Ok(Json::null())).collect();
        let outcome = EntityOutcome { results, ..EntityOutcome::unchanged(&row) };
        let checkpoint = settle_entity(&row, admission, outcome, at(1), &PresentApp::default());
        self.commit(id, &checkpoint);
        let waiting = self.inboxes.get(id).map_or(0, Vec::len);
        let locked = checkpoint.row.entity.as_ref().unwrap().lock.is_some();
        assert!(locked || checkpoint.more || waiting == 0, "nobody waits for an entity that is free");
        if checkpoint.remove {
            assert_eq!(waiting, 0);
        } else {
            self.entities.insert(id.clone(), checkpoint.row);
        }
    }

    fn owner_turn(&mut self, id: &InstanceId) {
        let Some(mut owner) = self.owners.remove(id) else { return };
        let inbox = self.inboxes.get(id).cloned().unwrap_or_default();
        let checkpoint = if owner.row.status.is_terminal() {
            let consumed = inbox.iter().map(|message| message.origin).collect();
            let checkpoint = rewind(&owner.row, owner.history.clone(), inbox, at(1), &PresentApp::default())
                // It was set aside before its start was recorded.
                .unwrap_or_else(|_| Checkpoint::of_row(owner.row.clone(), consumed));
            if let Some(turns) = &checkpoint.rewritten {
                owner.history = turns.iter().flat_map(|turn| turn.events.clone()).collect();
                owner.ledger = crate::History::from_events(owner.history.clone()).unwrap().into_parts().1;
            }
            checkpoint
        } else {
            owner.turn(inbox)
        };
        owner.row = checkpoint.row.clone();
        self.owners.insert(id.clone(), owner);
        self.commit(id, &checkpoint);
    }

    fn blow(&mut self, choice: usize, blow: Blow) {
        let ids: Vec<_> = self.owners.keys().cloned().collect();
        let Some(id) = ids.get(choice % ids.len().max(1)) else { return };
        match blow {
            Blow::Terminate => self.post("client", Envelope::new(id.clone(), None, terminate("null"))),
            Blow::Rewind => {
                let kind = MessageKind::RewindRequested { reason: "again".to_owned(), parent: None, latest: false };
                self.post("client", Envelope::new(id.clone(), None, kind));
            }
            Blow::Remove => {
                let owner = self.owners.remove(id).unwrap();
                self.inboxes.remove(id);
                self.news.remove(id);
                for envelope in farewell(&owner.row) {
                    self.post(id.as_str(), envelope);
                }
            }
        }
    }

    /// Whoever knows that it has its locks has them all, and so nobody else has any of them.
    fn check(&self) {
        for (id, owner) in &self.owners {
            let Some(section) = owner.row.critical_section.as_ref().filter(|_| owner.granted) else { continue };
            let held = Section { execution: owner.row.execution, scheduled: section.scheduled };
            for entity in &section.entities {
                let row = self.entities.get(&entity.instance_id());
                let lock = row.and_then(|row| row.entity.as_ref()?.lock.clone());
                assert_eq!(lock.map(|lock| (lock.owner, lock.section)), Some((id.clone(), held)), "{entity}");
            }
        }
    }

    fn is_quiet(&self) -> bool {
        self.news.is_empty() && self.roads.values().all(VecDeque::is_empty)
    }

    /// Until nothing moves any more.
    fn settle_down(&mut self, choices: &[usize]) {
        let mut choices = choices.iter().copied().cycle();
        for _ in 0..20_000 {
            if self.is_quiet() {
                return;
            }
            let choice = choices.next().unwrap_or(0);
            if choice % 3 == 0 {
                self.turn(choice / 3, 1 + choice % 4)
            } else {
                self.deliver(choice / 3)
            }
            // A road of choices that never delivers, or never turns, would not end.
            self.deliver(choice / 7);
            self.turn(choice / 5, 2);
            self.check();
        }
        panic!("it does not come to rest");
    }
}

impl Owner {
    fn turn(&mut self, inbox: Vec<Message>) -> Checkpoint {
        let admission = admit(&self.ledger, &self.row, inbox, at(1));
        let is_new = admission.events.iter().any(|event| matches!(event.kind, EventKind::ExecutionStarted(_)));
        if is_new {
            (self.calls, self.asked, self.granted) = (0, None, false);
        }
        let rewound = admission.events.iter().any(|event| matches!(event.kind, EventKind::ExecutionRewound { .. }));
        if admission.events.is_empty() || admission.termination.is_some() {
            return self.settle(admission, Vec::new(), TurnEnd::Waiting);
        }
        self.turns += 1;
        let ending = self.plan.ends.filter(|(turns, _)| self.turns > *turns).map(|(_, ending)| ending);
        if let Some(ending) = ending {
            self.plan.ends = None;
            return self.end(ending, admission);
        }
        let has_locks = |section: &CriticalSection| !self.ledger.outstanding.contains_key(&section.scheduled);
        self.granted |= rewound && self.row.critical_section.as_ref().is_some_and(has_locks);
        let (actions, end) = self.act(&admission.events);
        self.settle(admission, actions, end)
    }

    fn end(&mut self, ending: Ending, admission: crate::Admission) -> Checkpoint {
        let end = match ending {
            Ending::Completes => TurnEnd::Completed(Json::null()),
            Ending::Fails => TurnEnd::Failed(Failure::new("Flaky", "no luck")),
            Ending::ContinuesAsNew => {
                self.section += 1;
                TurnEnd::ContinuedAsNew { input: Json::null(), carried_over: Vec::new(), new_version: None }
            }
            Ending::IsSetAside => {
                self.granted = false;
                return set_aside(&self.row, admission.consumed, Failure::new("Trapped", "again and again"), at(1));
            }
        };
        self.settle(admission, Vec::new(), end)
    }

    /// Goes one step on, if what it waits for has come.
    fn act(&mut self, events: &[crate::Event]) -> (Vec<Action>, TurnEnd) {
        let answered =
            |id: EventId| events.iter().any(|event| event.kind.answers().is_some_and(|(other, _)| other == id));
        if let Some(asked) = self.asked {
            if !answered(asked) {
                return (Vec::new(), TurnEnd::Waiting);
            }
            self.granted = true;
            self.asked = None;
        }
        let id = EventId(self.ledger.next_event_id);
        let Some(plan) = self.plan.sections.get(self.section).cloned() else {
            return (Vec::new(), TurnEnd::Completed(Json::null()));
        };
        if self.row.critical_section.is_none() {
            self.asked = Some(id);
            let entities = plan.entities.iter().map(|place| entity(*place)).collect();
            return (vec![Action::LockEntities { id, entities }], TurnEnd::Waiting);
        }
        if self.calls < plan.calls {
            let places: Vec<_> = plan.entities.iter().collect();
            let entity = entity(*places[self.calls % places.len()]);
            self.calls += 1;
            self.asked = Some(id);
            let call = Action::CallEntity { id, entity, operation: "add".to_owned(), input: Json::null() };
            return (vec![call], TurnEnd::Waiting);
        }
        (self.section, self.calls, self.granted) = (self.section + 1, 0, false);
        let section = self.row.critical_section.as_ref().map_or(id, |section| section.scheduled);
        if !plan.leaves {
            return (Vec::new(), TurnEnd::Completed(Json::null()));
        }
        let leave = Action::UnlockEntities { id, section };
        match self.plan.sections.get(self.section) {
            None => (vec![leave], TurnEnd::Completed(Json::null())),
            Some(next) => {
                let id = EventId(id.0 + 1);
                self.asked = Some(id);
                let entities = next.entities.iter().map(|place| entity(*place)).collect();
                (vec![leave, Action::LockEntities { id, entities }], TurnEnd::Waiting)
            }
        }
    }

    fn settle(&mut self, admission: crate::Admission, actions: Vec<Action>, end: TurnEnd) -> Checkpoint {
        let (row, ledger, present) = (&self.row, std::mem::take(&mut self.ledger), &PresentApp::default());
        let (limits, custom_status) = (limits(), None);
        let settling = Settling { row, ledger, admission, actions, custom_status, end, now: at(1), limits, present };
        let Settled { checkpoint, ledger, .. } = settle(settling).unwrap();
        self.ledger = ledger;
        self.history.extend(checkpoint.record.iter().flat_map(|record| record.events.clone()));
        if checkpoint.row.execution != checkpoint.execution {
            (self.ledger, self.history) = (Ledger::default(), Vec::new());
        }
        self.granted &= checkpoint.row.critical_section.is_some();
        checkpoint
    }
}

fn plan() -> impl Strategy<Value = Plan> {
    let entities = btree_set(0..KEYS.len(), 1..=3);
    (entities, 0..4usize, prop::bool::weighted(0.8)).prop_map(|(entities, calls, leaves)| Plan {
        entities,
        calls,
        leaves,
    })
}

fn owner(ends: impl Strategy<Value = Option<(usize, Ending)>>) -> impl Strategy<Value = OwnerPlan> {
    (vec(plan(), 1..4), ends).prop_map(|(sections, ends)| OwnerPlan { sections, ends })
}

fn ending() -> impl Strategy<Value = Option<(usize, Ending)>> {
    let how = prop_oneof![
        Just(Ending::Completes),
        Just(Ending::Fails),
        Just(Ending::ContinuesAsNew),
        Just(Ending::IsSetAside),
    ];
    prop::option::weighted(0.7, (0..8usize, how))
}

fn blow() -> impl Strategy<Value = Blow> {
    prop_oneof![1 => Just(Blow::Terminate), 1 => Just(Blow::Remove), 2 => Just(Blow::Rewind)]
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    /// Whoever plays by the rules gets all its locks, whatever the order of the messages.
    #[test]
    fn nobody_waits_for_ever(
        owners in vec(owner(Just(None)), 1..6),
        choices in vec(any::<usize>(), 1..200),
    ) {
        let mut world = World::new(owners);
        world.settle_down(&choices);
        for (id, owner) in &world.owners {
            prop_assert_eq!(owner.row.status, RuntimeStatus::Completed, "{} waits in section {}", id, owner.section);
        }
        prop_assert_eq!(world.entities.len(), 0, "what has no state and no lock is gone");
        prop_assert!(world.inboxes.values().all(Vec::is_empty));
    }

    /// However the owners end, and wherever they are then: when all have ended, nothing is locked and nothing waits.
    #[test]
    fn no_lock_is_left_behind(
        owners in vec(owner(ending()), 1..6),
        steps in vec((any::<usize>(), prop::option::weighted(0.1, blow())), 0..120),
        choices in vec(any::<usize>(), 1..100),
    ) {
        let mut world = World::new(owners);
        for (choice, blow) in steps {
            match blow {
                Some(blow) => world.blow(choice, blow),
                None if choice % 2 == 0 => world.deliver(choice / 2),
                None => world.turn(choice / 2, 1 + choice % 3),
            }
            world.check();
        }
        world.settle_down(&choices);
        for id in world.owners.keys().cloned().collect::<Vec<_>>() {
            world.post("client", Envelope::new(id, None, terminate("null")));
        }
        world.settle_down(&choices);
        for owner in world.owners.values() {
            prop_assert!(owner.row.status.is_terminal());
            prop_assert_eq!(&owner.row.critical_section, &None);
        }
        prop_assert_eq!(world.entities.keys().collect::<Vec<_>>(), Vec::<&InstanceId>::new());
        prop_assert!(world.inboxes.iter().all(|(id, inbox)| !id.is_entity() || inbox.is_empty()));
    }
}
