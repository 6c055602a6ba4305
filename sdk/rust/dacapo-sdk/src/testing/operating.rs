//! Operations of entities in a scripted run, and the locks that hold them back.

use super::entities::Wanted;
use super::outcome::CallKind;
use super::simulation::Simulation;
use super::world::{Item, Operation, Sender, Start, TaskOf, value};
use crate::entity::EntityAction;
use crate::execution::Outcome;
use crate::{ActivityContext, EntityId, functions};

impl Simulation {
    /// Runs an operation, unless somebody else has locked the entity: then it waits.
    pub(super) fn operate(&mut self, operation: Operation) {
        let run = match &operation.sender {
            Sender::Caller(of) => Some(of.run),
            Sender::Run(run) => Some(*run),
            Sender::Entity(_) => None,
        };
        let owner = self.world.borrow().locks.get(&operation.to).copied();
        if owner.is_some() && owner != run {
            self.world.borrow_mut().blocked.push_back(Item::Operation(operation));
            return;
        }
        let (outcome, actions) = self.answer(&operation);
        for action in actions {
            self.act(&operation.to, action);
        }
        if let Sender::Caller(of) = operation.sender {
            let mut world = self.world.borrow_mut();
            let now = world.now;
            world.plan(now, Item::Complete(of, outcome));
        }
    }

    fn answer(&mut self, operation: &Operation) -> (Outcome, Vec<EntityAction>) {
        let Operation { to, name, input, sender } = operation;
        let scripted = (to.name().to_owned(), name.to_lowercase());
        if let Some(answer) = self.script.entity_operations.get_mut(&scripted) {
            return (answer(&ActivityContext::default(), input), Vec::new());
        }
        if !functions::has_entity(to.name()) {
            panic!(
                "this crate has no entity '{0}': answer it from the script with .entity_operation(\"{0}\", \"{name}\", \
                 |input| ...)",
                to.name()
            );
        }
        let mut world = self.world.borrow_mut();
        let now = world.now;
        let caller = match sender {
            Sender::Caller(TaskOf { run, .. }) | Sender::Run(run) => world.instances[run.instance].id.clone(),
            Sender::Entity(id) => id.to_string(),
        };
        let is_signal = !matches!(sender, Sender::Caller(_));
        let wanted = Wanted { to, operation: name, input, caller: Some(caller), is_signal };
        world.entities.operate(wanted, now)
    }

    /// What an operation asked for.
    fn act(&mut self, entity: &EntityId, action: EntityAction) {
        let mut world = self.world.borrow_mut();
        let now = world.now;
        match action {
            EntityAction::Signal { to, operation, input, deliver_at } => {
                let at = deliver_at.map(|at| format!(" at {at}")).unwrap_or_default();
                let name = format!("{to} {operation}{at}");
                world.record_for(entity.to_string(), CallKind::Signal, name, (value(&input), 1));
                let sender = Sender::Entity(entity.clone());
                let signal = Operation { to, name: operation, input, sender };
                world.plan(deliver_at.unwrap_or(now), Item::Operation(signal));
            }
            EntityAction::StartOrchestration { name, input, options } => {
                world.record_for(entity.to_string(), CallKind::Start, name.clone(), (value(&input), 1));
                let id = options.instance_id.clone().unwrap_or_else(|| world.new_instance_id());
                let due = options.start_at.unwrap_or(now);
                world.plan(due, Item::Start(Start { name, input, id, options }));
            }
        }
    }

    /// Locks all entities of a wish, or lets the wish wait.
    pub(super) fn lock(&mut self, of: TaskOf, entities: Vec<EntityId>) {
        let mut world = self.world.borrow_mut();
        if entities.iter().any(|entity| world.locks.contains_key(entity)) {
            world.blocked.push_back(Item::Lock { of, entities });
            return;
        }
        for entity in entities {
            world.locks.insert(entity, of.run);
        }
        if let Some(section) = &mut world.instances[of.run.instance].section {
            section.granted = true;
        }
        let now = world.now;
        world.plan(now, Item::Complete(of, Ok("null".into())));
    }
}
