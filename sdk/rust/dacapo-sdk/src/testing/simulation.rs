//! The loop of a scripted run: takes the next thing from the agenda, moves the clock to it, and lets it happen.
//!
//! Tries of calls are in [`tries`](super::tries), operations of entities in [`operating`](super::operating).

use std::cell::RefCell;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Scripted;
use super::handle::Handle;
use super::outcome::RunOutcome;
use super::world::{Attempt, Item, NextInput, Run, Start, TaskOf, World, value};
use crate::execution::{Driver, Execution, Outcome, Progress};
use crate::functions;
use crate::{Failure, StartOptions, Timestamp, payload};

/// The instance under test is the first.
const ROOT: usize = 0;

pub(super) fn run<T: DeserializeOwned>(script: Scripted, name: &str, input: &str) -> RunOutcome<T> {
    let mut simulation = Simulation::new(script);
    let (id, options) = (simulation.script.instance_id.clone(), simulation.script.options.clone());
    simulation.start_instance(name, input, &id, (None, &options));
    while simulation.ended.is_none() {
        let Some(item) = simulation.next_item() else { simulation.complain() };
        simulation.happen(item);
    }
    let outcome = simulation.ended.take().unwrap_or_else(|| unreachable!("the loop ends when the root has"));
    let elapsed = simulation.world.borrow().elapsed();
    simulation.finish_operations();
    let mut world = simulation.world.borrow_mut();
    let (calls, log) = (std::mem::take(&mut world.calls), std::mem::take(&mut world.log));
    RunOutcome {
        result: outcome.and_then(|json| payload::decode(&json, "the result of the orchestrator")),
        elapsed,
        calls,
        custom_status: world.instances[ROOT].custom_status.take(),
        continued_as_new: std::mem::take(&mut simulation.continued_as_new),
        log,
        entities: world.entities.values(),
        heartbeats: std::mem::take(&mut simulation.heartbeats),
    }
}

pub(super) struct Simulation {
    pub(super) script: Scripted,
    pub(super) world: Rc<RefCell<World>>,
    /// By instance; none once it has ended.
    drivers: Vec<Option<Driver>>,
    continued_as_new: Vec<Value>,
    pub(super) heartbeats: Vec<(String, Value)>,
    ended: Option<Outcome>,
}

impl Simulation {
    fn new(mut script: Scripted) -> Simulation {
        let mut world = World::new(script.start);
        for (id, state) in std::mem::take(&mut script.entities) {
            world.entities.put(id, state, script.start);
        }
        for event in std::mem::take(&mut script.events) {
            let instance_id = event.instance_id.unwrap_or_else(|| script.instance_id.clone());
            let (name, payload) = (event.name, event.payload);
            world.plan(script.start + event.at, Item::Event { instance_id, name, payload });
        }
        Simulation {
            script,
            world: Rc::new(RefCell::new(world)),
            drivers: Vec::new(),
            continued_as_new: Vec::new(),
            heartbeats: Vec::new(),
            ended: None,
        }
    }

    /// The next item that still matters, with the clock moved to it. What was given up does not hold the clock back.
    fn next_item(&self) -> Option<Item> {
        let mut world = self.world.borrow_mut();
        loop {
            let ((at, _), item) = world.agenda.pop_first()?;
            let matters = match &item {
                // The first try was sent before anybody could give it up.
                Item::Try(attempt) => (attempt.number, attempt.polls) == (0, 0) || world.is_open(attempt.of),
                Item::Complete(of, _) | Item::Lock { of, .. } => world.is_open(*of),
                Item::Event { .. } | Item::Operation(_) | Item::Start(_) => true,
            };
            if matters {
                world.now = at;
                return Some(item);
            }
        }
    }

    fn happen(&mut self, item: Item) {
        match item {
            Item::Complete(of, outcome) => self.complete(of, outcome),
            Item::Event { instance_id, name, payload } => self.raise(&instance_id, &name, payload),
            Item::Try(attempt) => self.attempt(*attempt),
            Item::Operation(operation) => self.operate(operation),
            Item::Lock { of, entities } => self.lock(of, entities),
            Item::Start(start) => self.start_detached(&start),
        }
    }

    /// After the end of the orchestrator its entities still do what they were asked for, scheduled signals included.
    fn finish_operations(&mut self) {
        let is_operation = |item: &Item| matches!(item, Item::Operation(_));
        let last =
            |world: &World| world.agenda.iter().rev().find(|(_, item)| is_operation(item)).map(|((at, _), _)| *at);
        let Some(horizon) = last(&self.world.borrow()) else { return };
        loop {
            let next = {
                let mut world = self.world.borrow_mut();
                let due =
                    |(key, item): (&(Timestamp, u64), &Item)| (key.0 <= horizon && is_operation(item)).then_some(*key);
                let Some(key) = world.agenda.iter().find_map(due) else { return };
                world.now = key.0;
                world.agenda.remove(&key)
            };
            if let Some(Item::Operation(operation)) = next {
                self.operate(operation);
            }
        }
    }

    fn raise(&mut self, instance_id: &str, name: &str, payload: String) {
        let name = name.to_lowercase();
        let mut world = self.world.borrow_mut();
        let Some(index) = world.instances.iter().position(|i| i.id == instance_id && !i.ended) else { return };
        let instance = &mut world.instances[index];
        let Some(at) = instance.waiting.iter().position(|(waiting, _)| *waiting == name) else {
            instance.buffered.push_back((name, payload));
            return;
        };
        let Some((_, task)) = instance.waiting.remove(at) else { return };
        let of = TaskOf { run: Run { instance: index, generation: instance.generation }, task };
        drop(world);
        self.complete(of, Ok(payload));
    }

    pub(super) fn complete(&mut self, of: TaskOf, outcome: Outcome) {
        self.world.borrow_mut().instances[of.run.instance].entity_calls.remove(&of.task);
        if let Some(driver) = &self.drivers[of.run.instance] {
            driver.deliver(of.task, outcome);
            self.advance(of.run.instance);
        }
    }

    /// Whether an instance of that id is at work.
    pub(super) fn is_at_work(&self, id: &str) -> bool {
        self.world.borrow().instances.iter().any(|instance| instance.id == id && !instance.ended)
    }

    /// Nobody waits for it, so one that nobody here can run is only recorded.
    fn start_detached(&mut self, start: &Start) {
        if let Some(answer) = self.script.sub_orchestrators.get_mut(&start.name) {
            drop(answer(&crate::ActivityContext::default(), &start.input));
        } else if functions::has_orchestrator(&start.name) && !self.is_at_work(&start.id) {
            self.start_instance(&start.name, &start.input, &start.id, (None, &start.options));
        }
    }

    pub(super) fn start_instance(
        &mut self,
        name: &str,
        input: &str,
        id: &str,
        (parent, options): (Option<Attempt>, &StartOptions),
    ) {
        let instance = self.world.borrow_mut().add_instance(id, name, parent, options);
        self.drivers.push(None);
        self.start_generation(instance, input);
    }

    fn start_generation(&mut self, instance: usize, input: &str) {
        let (name, generation) = {
            let world = self.world.borrow();
            (world.instances[instance].name.clone(), world.instances[instance].generation)
        };
        let handle = Handle { world: Rc::clone(&self.world), run: Run { instance, generation } };
        match functions::start_orchestrator(&name, &Execution::new(handle), input) {
            Ok(driver) => {
                self.drivers[instance] = Some(driver);
                self.advance(instance);
            }
            Err(not_found) => panic!(
                "{}; to answer it from the script add .sub_orchestrator(\"{name}\", |input| ...)",
                not_found.message()
            ),
        }
    }

    /// Lets an orchestrator run on, and sees to its end if it has come to it.
    fn advance(&mut self, instance: usize) {
        let Some(driver) = &mut self.drivers[instance] else { return };
        let outcome = match driver.run_until_waiting() {
            Progress::Waiting => return,
            Progress::Ended(outcome) => outcome,
        };
        // Before the next generation begins, so that what this one still holds is given up under its own number.
        self.drivers[instance] = None;
        let next = self.world.borrow_mut().instances[instance].next_input.take();
        match next {
            Some(next) if outcome.is_ok() => self.continue_as_new(instance, &next),
            _ => self.end_instance(instance, outcome),
        }
    }

    fn continue_as_new(&mut self, instance: usize, next: &NextInput) {
        let generations = self.world.borrow().instances[instance].generation + 1;
        if generations >= self.script.max_generations {
            let message = format!("it continued as new {generations} times; see Scripted::max_generations");
            return self.end_instance(instance, Err(Failure::new("TooManyGenerations", message)));
        }
        if instance == ROOT {
            self.continued_as_new.push(value(&next.input));
        }
        self.world.borrow_mut().renew(instance, next);
        self.start_generation(instance, &next.input);
    }

    fn end_instance(&mut self, instance: usize, outcome: Outcome) {
        self.world.borrow_mut().end(instance, false);
        let parent = self.world.borrow_mut().instances[instance].parent.clone();
        match parent {
            Some(attempt) => self.end_try(attempt, outcome, std::time::Duration::ZERO),
            None if instance == ROOT => self.ended = Some(outcome),
            None => {}
        }
    }

    /// Nothing will ever happen again, and the orchestrator has not ended.
    fn complain(&self) -> ! {
        let world = self.world.borrow();
        let waits = world.instances.iter().filter(|instance| !instance.ended).flat_map(|instance| {
            let events = instance
                .waiting
                .iter()
                .map(|(event, _)| format!("instance '{}' waits for event '{event}'", instance.id));
            let locks = instance.section.iter().filter(|section| !section.granted);
            events.chain(locks.map(|_| format!("instance '{}' waits for a critical section", instance.id)))
        });
        let waits: Vec<String> = waits.collect();
        panic!("the script ends before the orchestrator does: {}; see Scripted::event_at", waits.join(", "))
    }
}
