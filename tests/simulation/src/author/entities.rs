//! The entities of the scenarios: each operation as a function of state and argument.

use super::{Outcome, number, text, to_number, to_text};
use crate::clock::VirtualClock;
use crate::oracles::{Ran, Watch};
use async_trait::async_trait;
use orchestration::{EntityAction, EntityId, EntityOutcome, Failure, InstanceId, Json, StartOptions, Timestamp};
use ports::{Clock, Entities, EntityBatch, GuestFault};
use std::time::Duration;

/// All entities.
const NAMES: [&str; 2] = ["counter", "relay"];

/// How long a batch takes: others go on meanwhile.
const BATCH_TAKES: Duration = Duration::from_millis(5);

/// The counter of this key.
pub(crate) fn counter(key: &str) -> EntityId {
    id("counter", key)
}

/// The relay of this key.
pub(crate) fn relay(key: &str) -> EntityId {
    id("relay", key)
}

fn id(name: &str, key: &str) -> EntityId {
    match EntityId::parse(name, key) {
        Ok(id) => id,
        Err(why) => unreachable!("the keys of scenarios are short and plain: {why}"),
    }
}

/// What an operation works on.
pub(crate) struct Hands<'a> {
    pub(crate) state: &'a mut Option<Json>,
    pub(crate) actions: &'a mut Vec<EntityAction>,
    pub(crate) now: Timestamp,
}

/// Runs one operation; none if it traps. One that fails may leave anything behind: its caller takes it back.
pub(crate) fn operate(entity: &EntityId, operation: &str, input: &Json, hands: &mut Hands<'_>) -> Option<Outcome> {
    match (entity.name(), operation) {
        ("counter", "trap") => None,
        ("counter", _) => Some(count(operation, input, hands)),
        ("relay", _) => Some(pass_on(operation, input, hands)),
        _ => Some(Err(Failure::new("UnknownEntity", entity.to_string()))),
    }
}

/// A number that is not there before somebody writes it.
fn count(operation: &str, input: &Json, hands: &mut Hands<'_>) -> Outcome {
    let value = hands.state.as_ref().map_or(0, to_number);
    match operation {
        "get" => Ok(number(value)),
        "add" => {
            *hands.state = Some(number(value + to_number(input)));
            Ok(number(value + to_number(input)))
        }
        "set" => {
            *hands.state = Some(input.clone());
            Ok(Json::null())
        }
        "spoil" => {
            *hands.state = Some(number(-1_000_000));
            let entity = counter("spoiled");
            let operation = "add".to_owned();
            hands.actions.push(EntityAction::Signal { entity, operation, input: number(1), deliver_at: None });
            Err(Failure::new("Spoiled", "what this operation did is taken back"))
        }
        "delete" => {
            *hands.state = None;
            Ok(Json::null())
        }
        _ => Err(Failure::new("UnknownOperation", operation)),
    }
}

/// Tells others: `"key n"`.
fn pass_on(operation: &str, input: &Json, hands: &mut Hands<'_>) -> Outcome {
    let words = to_text(input);
    let (key, amount) = words.split_once(' ').unwrap_or((&words, "1"));
    let amount = number(amount.parse().unwrap_or(1));
    let passed = hands.state.as_ref().map_or(0, to_number) + 1;
    *hands.state = Some(number(passed));
    match operation {
        "now" | "later" => {
            let deliver_at = (operation == "later").then(|| hands.now.saturating_add(Duration::from_secs(3600)));
            let (entity, operation) = (counter(key), "add".to_owned());
            hands.actions.push(EntityAction::Signal { entity, operation, input: amount, deliver_at });
            Ok(number(passed))
        }
        "start" => {
            hands.actions.push(EntityAction::StartOrchestration {
                name: "Sequence".to_owned(),
                input: amount,
                instance_id: Some(InstanceId::from_stored(key)),
                options: StartOptions::default(),
            });
            Ok(text(key))
        }
        _ => Err(Failure::new("UnknownOperation", operation)),
    }
}

/// Entities behind the port.
pub(crate) struct AuthorEntities {
    pub(crate) clock: VirtualClock,
    pub(crate) watch: Watch,
}

#[async_trait]
impl Entities for AuthorEntities {
    fn names(&self) -> Vec<String> {
        NAMES.map(str::to_owned).to_vec()
    }

    async fn run(&self, batch: EntityBatch) -> Result<EntityOutcome, GuestFault> {
        self.clock.sleep_until(self.clock.now().saturating_add(BATCH_TAKES)).await;
        let outcome = run(&batch);
        let function = batch.entity.name().to_owned();
        self.watch.operated(Ran { batch, outcome: outcome.clone() });
        outcome.ok_or(GuestFault::Trapped { function, message: "unreachable".to_owned() })
    }
}

/// None if any of the operations traps.
fn run(batch: &EntityBatch) -> Option<EntityOutcome> {
    let mut outcome = EntityOutcome { state: batch.state.clone(), results: Vec::new(), actions: Vec::new() };
    for operation in &batch.operations {
        let before = (outcome.state.clone(), outcome.actions.len());
        let mut hands = Hands { state: &mut outcome.state, actions: &mut outcome.actions, now: batch.now };
        let result = operate(&batch.entity, &operation.name, &operation.input, &mut hands)?;
        if result.is_err() && batch.roll_back {
            outcome.state = before.0;
            outcome.actions.truncate(before.1);
        }
        outcome.results.push(result);
    }
    Some(outcome)
}
