//! A running orchestrator's hold on the world: what it asks for goes on the agenda, and what locks forbid is refused.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use super::outcome::{CallKind, LogLine};
use super::world::{Attempt, Item, NextInput, Operation, Run, Section, Sender, Start, Target, TaskOf, World, value};
use crate::execution::{Durable, NextExecution, Outcome, Request, TaskId};
use crate::{EntityId, Failure, Identity, Level, RetryPolicy, StartOptions, Timestamp};

pub(super) struct Handle {
    pub(super) world: Rc<RefCell<World>>,
    pub(super) run: Run,
}

impl Handle {
    fn plan_try(&self, of: TaskOf, target: Target, retry: Option<&RetryPolicy>) {
        let mut world = self.world.borrow_mut();
        let now = world.now;
        world.instances[self.run.instance].called.insert(of.task, target.name());
        let attempt = Attempt { of, target, retry: retry.cloned(), number: 0, first_at: now, polls: 0 };
        world.plan(now, Item::Try(Box::new(attempt)));
    }

    fn plan_timer(&self, of: TaskOf, fire_at: Timestamp) {
        let mut world = self.world.borrow_mut();
        world.record(self.run, CallKind::Timer, fire_at.to_string(), (Value::Null, 1));
        world.plan(fire_at, Item::Complete(of, Ok("null".into())));
    }

    fn plan_event(&self, of: TaskOf, name: &str) {
        let mut world = self.world.borrow_mut();
        world.record(self.run, CallKind::Event, name.into(), (Value::Null, 1));
        let (now, key) = (world.now, name.to_lowercase());
        let instance = &mut world.instances[self.run.instance];
        match instance.buffered.iter().position(|(buffered, _)| *buffered == key) {
            Some(at) => {
                let payload = instance.buffered.remove(at).map(|(_, payload)| payload).unwrap_or_default();
                world.plan(now, Item::Complete(of, Ok(payload)));
            }
            None => instance.waiting.push_back((key, of.task)),
        }
    }

    fn plan_operation(&self, of: TaskOf, to: &EntityId, name: &str, input: &str) {
        let mut world = self.world.borrow_mut();
        world.record(self.run, CallKind::EntityCall, format!("{to} {name}"), (value(input), 1));
        world.instances[self.run.instance].entity_calls.insert(of.task, to.clone());
        let now = world.now;
        let (to, name, input) = (to.clone(), name.into(), input.into());
        world.plan(now, Item::Operation(Operation { to, name, input, sender: Sender::Caller(of) }));
    }

    fn plan_lock(&self, of: TaskOf, entities: &[EntityId]) {
        let mut entities = entities.to_vec();
        entities.sort();
        entities.dedup();
        let names: Vec<String> = entities.iter().map(ToString::to_string).collect();
        let mut world = self.world.borrow_mut();
        world.record(self.run, CallKind::Lock, names.join(", "), (Value::Null, 1));
        world.instances[self.run.instance].section = Some(Section { entities: entities.clone(), granted: false });
        let now = world.now;
        world.plan(now, Item::Lock { of, entities });
    }

    /// What the rules of a critical section have against a request.
    fn objection(&self, request: &Request) -> Option<Failure> {
        let world = self.world.borrow();
        let instance = &world.instances[self.run.instance];
        match request {
            Request::Lock { entities } if entities.is_empty() => {
                Some(violation("a critical section needs at least one entity"))
            }
            Request::Lock { .. } => instance
                .section
                .as_ref()
                .map(|_| violation("must not enter another critical section within one; leave the first one before")),
            Request::SubOrchestration { .. } => instance
                .section
                .as_ref()
                .map(|_| violation("a sub-orchestration cannot begin within a critical section")),
            Request::EntityCall { entity, .. } => {
                let section = instance.section.as_ref()?;
                let busy = || instance.entity_calls.values().any(|called| called == entity);
                match () {
                    () if !section.granted => Some(violation("the locks are not granted yet")),
                    () if !section.entities.contains(entity) => {
                        Some(violation(&format!("{entity} is not one of the locked entities")))
                    }
                    () if busy() => Some(violation(&format!("a call of {entity} is not answered yet"))),
                    () => None,
                }
            }
            Request::Activity { .. } | Request::Timer { .. } | Request::Event { .. } | Request::Http(_) => None,
        }
    }
}

fn violation(what: &str) -> Failure {
    Failure::new("CriticalSectionViolation", what).non_retriable()
}

impl Durable for Handle {
    fn request(&self, request: &Request) -> TaskId {
        let task = {
            let mut world = self.world.borrow_mut();
            let instance = &mut world.instances[self.run.instance];
            instance.tasks += 1;
            instance.tasks
        };
        let of = TaskOf { run: self.run, task };
        if let Some(failure) = self.objection(request) {
            let mut world = self.world.borrow_mut();
            let now = world.now;
            world.plan(now, Item::Complete(of, Err(failure)));
            return task;
        }
        match request {
            Request::Activity { name, input, options } => {
                let (name, input) = (name.clone(), input.clone());
                let target = Target::Activity { name, input, options: options.clone() };
                self.plan_try(of, target, options.retry.as_ref());
            }
            Request::SubOrchestration { name, input, start, retry } => {
                let (name, input) = (name.clone(), input.clone());
                let target = Target::SubOrchestration { name, input, start: start.clone() };
                self.plan_try(of, target, retry.as_ref());
            }
            Request::Http(request) => self.plan_try(of, Target::Http(request.clone()), request.retry.as_ref()),
            Request::Timer { fire_at } => self.plan_timer(of, *fire_at),
            Request::Event { name } => self.plan_event(of, name),
            Request::EntityCall { entity, operation, input } => self.plan_operation(of, entity, operation, input),
            Request::Lock { entities } => self.plan_lock(of, entities),
        }
        task
    }

    fn cancel(&self, task: TaskId) {
        let mut world = self.world.borrow_mut();
        let instance = &mut world.instances[self.run.instance];
        instance.waiting.retain(|(_, waiting)| *waiting != task);
        instance.entity_calls.remove(&task);
        instance.cancelled.insert(task);
    }

    fn abort(&self, task: TaskId) {
        self.cancel(task);
        let mut world = self.world.borrow_mut();
        let of = TaskOf { run: self.run, task };
        let name = world.instances[self.run.instance].called.remove(&task).unwrap_or_default();
        world.record(self.run, CallKind::Abort, name, (Value::Null, 1));
        // Not even begun, if it is still on the agenda.
        world.agenda.retain(|_, item| !matches!(item, Item::Try(attempt) if attempt.of == of));
        let child = world.instances.iter().position(|i| !i.ended && i.parent.as_ref().is_some_and(|p| p.of == of));
        if let Some(child) = child {
            world.end(child, true);
        }
    }

    fn signal_entity(
        &self,
        entity: &EntityId,
        operation: &str,
        input: &str,
        deliver_at: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let mut world = self.world.borrow_mut();
        let section = world.instances[self.run.instance].section.as_ref();
        if section.is_some_and(|section| section.entities.contains(entity)) {
            return Err(violation(&format!("{entity} is locked by this orchestration: call it, do not signal it")));
        }
        let at = deliver_at.map(|at| format!(" at {at}")).unwrap_or_default();
        world.record(self.run, CallKind::Signal, format!("{entity} {operation}{at}"), (value(input), 1));
        let due = deliver_at.unwrap_or(world.now);
        let (to, name, input) = (entity.clone(), operation.into(), input.into());
        world.plan(due, Item::Operation(Operation { to, name, input, sender: Sender::Run(self.run) }));
        Ok(())
    }

    fn unlock_entities(&self) {
        self.world.borrow_mut().unlock(self.run);
    }

    fn send_event(&self, instance_id: &str, name: &str, payload: &str) -> Result<(), Failure> {
        let mut world = self.world.borrow_mut();
        world.record(self.run, CallKind::SentEvent, format!("{name} to {instance_id}"), (value(payload), 1));
        let now = world.now;
        let (instance_id, name, payload) = (instance_id.into(), name.into(), payload.into());
        world.plan(now, Item::Event { instance_id, name, payload });
        Ok(())
    }

    fn start_orchestration(&self, name: &str, input: &str, options: &StartOptions) -> Outcome {
        let mut world = self.world.borrow_mut();
        world.record(self.run, CallKind::Start, name.into(), (value(input), 1));
        let id = options.instance_id.clone().unwrap_or_else(|| world.new_instance_id());
        let due = options.start_at.unwrap_or(world.now);
        let start = Start { name: name.into(), input: input.into(), id: id.clone(), options: options.clone() };
        world.plan(due, Item::Start(start));
        Ok(id)
    }

    fn set_custom_status(&self, status: Option<&str>) {
        self.world.borrow_mut().instances[self.run.instance].custom_status = status.map(value);
    }

    fn continue_as_new(&self, next: &NextExecution<'_>) {
        let next = NextInput {
            input: next.input.into(),
            preserve_events: next.preserve_unprocessed_events,
            new_version: next.new_version.map(Into::into),
        };
        self.world.borrow_mut().instances[self.run.instance].next_input = Some(next);
    }

    fn now(&self) -> Timestamp {
        self.world.borrow().now
    }

    /// The same on every run, and of the shape that the host's have.
    fn new_guid(&self) -> String {
        let mut world = self.world.borrow_mut();
        let instance = &mut world.instances[self.run.instance];
        instance.guids += 1;
        let Run { instance: number, generation } = self.run;
        format!("{:08x}-{:04x}-5000-8000-{:012x}", number + 1, generation & 0xffff, instance.guids)
    }

    fn is_replaying(&self) -> bool {
        false
    }

    fn identity(&self) -> Identity {
        let world = self.world.borrow();
        let instance = &world.instances[self.run.instance];
        let parent = instance.parent.as_ref().map(|attempt| &world.instances[attempt.of.run.instance]);
        Identity {
            instance_id: instance.id.clone(),
            execution_id: World::execution_id(self.run),
            name: instance.name.clone(),
            parent_instance_id: parent.map(|parent| parent.id.clone()),
            version: instance.version.clone(),
            tags: instance.tags.clone(),
        }
    }

    fn log(&self, level: Level, message: &str) {
        let mut world = self.world.borrow_mut();
        let instance_id = world.instances[self.run.instance].id.clone();
        world.log.push(LogLine { instance_id, level, message: message.into() });
    }
}
