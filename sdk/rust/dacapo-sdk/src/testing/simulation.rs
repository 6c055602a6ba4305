//! The loop of a scripted run: takes the next thing from the agenda, moves the clock to it, and lets it happen.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::outcome::{CallKind, RunOutcome};
use super::world::{Attempt, Handle, Item, Run, TaskOf, World};
use super::{Answer, Scripted};
use crate::execution::{Driver, Execution, Outcome, Progress};
use crate::functions;
use crate::{ActivityContext, Failure, Timestamp, payload};

/// The instance under test is the first.
const ROOT: usize = 0;

pub(super) fn run<T: DeserializeOwned>(script: Scripted, name: &str, input: &str) -> RunOutcome<T> {
    let mut simulation = Simulation::new(script);
    simulation.start_instance(name, input, None, None);
    while simulation.ended.is_none() {
        let Some(item) = simulation.next_item() else { simulation.complain() };
        simulation.happen(item);
    }
    let outcome = simulation.ended.take().unwrap_or_else(|| unreachable!("the loop ends when the root has"));
    let mut world = simulation.world.borrow_mut();
    let (calls, log) = (std::mem::take(&mut world.calls), std::mem::take(&mut world.log));
    RunOutcome {
        result: outcome.and_then(|json| payload::decode(&json, "the result of the orchestrator")),
        elapsed: world.now - world.start,
        calls,
        custom_status: world.instances[ROOT].custom_status.take(),
        continued_as_new: std::mem::take(&mut simulation.continued_as_new),
        log,
    }
}

struct Simulation {
    script: Scripted,
    world: Rc<RefCell<World>>,
    /// By instance; none once it has ended.
    drivers: Vec<Option<Driver>>,
    continued_as_new: Vec<Value>,
    ended: Option<Outcome>,
}

impl Simulation {
    fn new(mut script: Scripted) -> Simulation {
        let mut world = World::new(script.start);
        for event in std::mem::take(&mut script.events) {
            let instance_id = event.instance_id.unwrap_or_else(|| script.instance_id.clone());
            let (name, payload) = (event.name, event.payload);
            world.plan(script.start + event.at, Item::Event { instance_id, name, payload });
        }
        let world = Rc::new(RefCell::new(world));
        Simulation { script, world, drivers: Vec::new(), continued_as_new: Vec::new(), ended: None }
    }

    /// The next item that still matters, with the clock moved to it. What was given up does not hold the clock back.
    fn next_item(&self) -> Option<Item> {
        let mut world = self.world.borrow_mut();
        loop {
            let ((at, _), item) = world.agenda.pop_first()?;
            let matters = match &item {
                // The first try was sent before anybody could give it up.
                Item::Try(attempt) => attempt.number == 0 || world.is_open(attempt.of),
                Item::Complete(of, _) => world.is_open(*of),
                Item::Event { .. } => true,
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
            Item::Try(attempt) => {
                let input = serde_json::from_str(&attempt.input).unwrap_or(Value::Null);
                let tried = (input, attempt.number + 1);
                let instance = attempt.of.run.instance;
                self.world.borrow_mut().record(instance, attempt.kind, attempt.name.clone(), tried);
                match attempt.kind {
                    CallKind::Activity => self.try_activity(attempt),
                    CallKind::SubOrchestrator => self.try_sub_orchestrator(attempt),
                    CallKind::Timer | CallKind::Event => unreachable!("only functions are tried"),
                }
            }
        }
    }

    fn try_activity(&mut self, attempt: Attempt) {
        let context = ActivityContext {
            invocation_id: format!("{}-{}", attempt.of.task, attempt.number),
            instance_id: self.world.borrow().instances[attempt.of.run.instance].id.clone(),
            execution_id: World::execution_id(attempt.of.run),
            task_id: attempt.of.task,
            attempt: attempt.number + 1,
        };
        let name = &attempt.name;
        let outcome = match self.script.activities.get_mut(name) {
            Some(answer) => answer(&context, &attempt.input),
            None if self.script.real_activities => functions::invoke_activity(name, &context, &attempt.input),
            None => panic!(
                "the script does not answer the activity '{name}': add .activity(\"{name}\", |input| ...), or run this \
                 crate's own with .real(...) or .real_activities()"
            ),
        };
        let duration = self.script.durations.get(name).copied().unwrap_or_default();
        self.end_try(attempt, outcome, duration);
    }

    fn try_sub_orchestrator(&mut self, attempt: Attempt) {
        let scripted: Option<&mut Answer> = self.script.sub_orchestrators.get_mut(&attempt.name);
        if let Some(answer) = scripted {
            let outcome = answer(&ActivityContext::default(), &attempt.input);
            return self.end_try(attempt, outcome, Duration::ZERO);
        }
        let default_id = || format!("{}:{}", World::execution_id(attempt.of.run), attempt.of.task);
        let id = attempt.instance_id.clone().unwrap_or_else(default_id);
        let taken = self.world.borrow().instances.iter().any(|instance| instance.id == id && !instance.ended);
        if taken {
            let failure = Failure::new("InstanceAlreadyExists", format!("an instance '{id}' is at work already"));
            return self.end_try(attempt, Err(failure), Duration::ZERO);
        }
        let (name, input) = (attempt.name.clone(), attempt.input.clone());
        self.start_instance(&name, &input, Some(id), Some(attempt));
    }

    /// Plans what follows a try: its task ends, or the next try.
    fn end_try(&mut self, attempt: Attempt, outcome: Outcome, duration: Duration) {
        let mut world = self.world.borrow_mut();
        let ended_at = world.now + duration;
        let pause = outcome.as_ref().err().and_then(|failure| pause_before_next(&attempt, failure, ended_at));
        match pause {
            Some(pause) => {
                let next = Attempt { number: attempt.number + 1, ..attempt };
                world.plan(ended_at + pause, Item::Try(next));
            }
            None => world.plan(ended_at, Item::Complete(attempt.of, outcome)),
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

    fn complete(&mut self, of: TaskOf, outcome: Outcome) {
        if let Some(driver) = &self.drivers[of.run.instance] {
            driver.deliver(of.task, outcome);
            self.advance(of.run.instance);
        }
    }

    fn start_instance(&mut self, name: &str, input: &str, id: Option<String>, parent: Option<Attempt>) {
        let id = id.unwrap_or_else(|| self.script.instance_id.clone());
        let instance = self.world.borrow_mut().add_instance(&id, name, parent);
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
            Some(next) if outcome.is_ok() => self.continue_as_new(instance, &next.input, next.preserve_events),
            _ => self.end_instance(instance, outcome),
        }
    }

    fn continue_as_new(&mut self, instance: usize, input: &str, preserve_events: bool) {
        let generations = self.world.borrow().instances[instance].generation + 1;
        if generations >= self.script.max_generations {
            let message = format!("it continued as new {generations} times; see Scripted::max_generations");
            return self.end_instance(instance, Err(Failure::new("TooManyGenerations", message)));
        }
        if instance == ROOT {
            self.continued_as_new.push(serde_json::from_str(input).unwrap_or(Value::Null));
        }
        self.world.borrow_mut().renew(instance, preserve_events);
        self.start_generation(instance, input);
    }

    fn end_instance(&mut self, instance: usize, outcome: Outcome) {
        self.world.borrow_mut().instances[instance].ended = true;
        let parent = self.world.borrow_mut().instances[instance].parent.take();
        match parent {
            Some(attempt) => self.end_try(attempt, outcome, Duration::ZERO),
            None => self.ended = Some(outcome),
        }
    }

    /// Nothing will ever happen again, and the orchestrator has not ended.
    fn complain(&self) -> ! {
        let world = self.world.borrow();
        let waits = world.instances.iter().filter(|instance| !instance.ended).flat_map(|instance| {
            instance.waiting.iter().map(|(event, _)| format!("instance '{}' waits for event '{event}'", instance.id))
        });
        let waits: Vec<String> = waits.collect();
        panic!("the script ends before the orchestrator does: {}; see Scripted::event_at", waits.join(", "))
    }
}

/// The host's rule: when to try again, if at all.
fn pause_before_next(attempt: &Attempt, failure: &Failure, now: Timestamp) -> Option<Duration> {
    let policy = attempt.retry.as_ref()?;
    let in_time = policy.timeout.is_none_or(|timeout| now < attempt.first_at + timeout);
    let again = !failure.is_non_retriable()
        && attempt.number + 1 < policy.max_attempts
        && policy.retries(failure.error_type())
        && in_time;
    again.then(|| policy.delay_after(attempt.number))
}
