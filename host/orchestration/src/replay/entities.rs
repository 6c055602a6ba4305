//! Entities as an orchestrator reaches them: calls, signals, and critical sections with their rules.
//!
//! Also what else it sends without waiting for an answer: events for other instances, and orchestrations that nobody waits for.

use super::requests::Request;
use super::{Action, Cursor, RecordedAction, Stopped};
use crate::{EntityId, EventId, Failure, InstanceId, Json, StartOptions, TaskNumber, Timestamp};
use std::collections::BTreeSet;

/// The section that the orchestrator is in or has asked for; there is at most one at a time.
#[derive(Debug)]
pub(super) struct CriticalSection {
    /// The action that asked for it.
    event: EventId,
    granted: bool,
    entities: BTreeSet<EntityId>,
    /// Those that are being called.
    called: BTreeSet<EntityId>,
}

impl Cursor {
    /// Asks an entity to do something.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn call_entity(&mut self, entity: EntityId, operation: String, input: Json) -> Result<TaskNumber, Stopped> {
        self.check()?;
        let task = self.new_task();
        if let Some(failure) = self.forbidden_call(&entity) {
            self.answer(task, Err(failure));
            return Ok(task);
        }
        if let Some(section) = &mut self.critical_section {
            section.called.insert(entity.clone());
        }
        let id = self.number("EntityOperationCalled", Some((&format!("{entity} {operation}"), &input)))?;
        self.emit(|| Action::CallEntity { id, entity: entity.clone(), operation, input });
        self.open(task, Request::Entity(entity), Some(id));
        Ok(task)
    }

    /// Tells an entity to do something, at `deliver_at` or later. The inner answer says whether locks allow it.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn signal_entity(
        &mut self,
        entity: EntityId,
        operation: String,
        input: Json,
        deliver_at: Option<Timestamp>,
    ) -> Result<Result<(), Failure>, Stopped> {
        self.check()?;
        if self.critical_section.as_ref().is_some_and(|section| section.entities.contains(&entity)) {
            return Ok(Err(violation(format!(
                "the entity '{entity}' must not be signaled while it is locked by this orchestration; call it instead"
            ))));
        }
        let id = self.number("EntityOperationSignaled", Some((&format!("{entity} {operation}"), &input)))?;
        self.emit(|| Action::SignalEntity { id, entity, operation, input, deliver_at });
        Ok(Ok(()))
    }

    /// Enters a critical section over these entities, which are locked in their order, each once.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn lock_entities(&mut self, entities: Vec<EntityId>) -> Result<TaskNumber, Stopped> {
        self.check()?;
        let task = self.new_task();
        let sorted: BTreeSet<EntityId> = entities.into_iter().collect();
        let forbidden = if self.critical_section.is_some() {
            Some("must not enter another critical section within one; leave the first one before")
        } else if sorted.is_empty() {
            Some("a critical section needs at least one entity")
        } else {
            None
        };
        if let Some(why) = forbidden {
            self.answer(task, Err(violation(why.to_owned())));
            return Ok(task);
        }
        let names: Vec<_> = sorted.iter().map(ToString::to_string).collect();
        let id = self.number_named("EntityLockRequested", names.join(", "))?;
        let in_order: Vec<EntityId> = sorted.iter().cloned().collect();
        self.emit(|| Action::LockEntities { id, entities: in_order });
        let section = CriticalSection { event: id, granted: false, entities: sorted, called: BTreeSet::new() };
        self.critical_section = Some(section);
        self.open(task, Request::Lock, Some(id));
        Ok(task)
    }

    /// Leaves the critical section. Without one it does nothing. A lock that is not granted yet fails: its grant would come
    /// too late, or never.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn unlock_entities(&mut self) -> Result<(), Stopped> {
        self.check()?;
        let Some(CriticalSection { event: section, .. }) = self.critical_section.take() else {
            return Ok(());
        };
        let id = self.number("EntityUnlockSent", None)?;
        self.emit(|| Action::UnlockEntities { id, section });
        if let Some(task) = self.by_event.remove(&section) {
            let why = "the critical section was left before it was granted; wait for the lock first";
            self.answer(task, Err(violation(why.to_owned())));
        }
        Ok(())
    }

    /// Raises an event at another instance. The inner answer says whether the id is one.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn send_event(&mut self, instance_id: &str, name: String, input: Json) -> Result<Result<(), Failure>, Stopped> {
        self.check()?;
        let instance_id = match InstanceId::parse(instance_id) {
            Ok(id) => id,
            Err(why) => return Ok(Err(invalid(format!("cannot send the event '{name}' to '{instance_id}': {why}")))),
        };
        let id = self.number("EventSent", Some((&RecordedAction::sent(&name, &instance_id), &input)))?;
        self.emit(|| Action::SendEvent { id, instance_id, name, input });
        Ok(Ok(()))
    }

    /// Starts an orchestration that nobody waits for. The inner answer is its id.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub fn start_orchestration(
        &mut self,
        name: String,
        input: Json,
        instance_id: Option<String>,
        options: StartOptions,
    ) -> Result<Result<InstanceId, Failure>, Stopped> {
        self.check()?;
        let instance_id = match instance_id {
            None => self.default_child_id(),
            Some(chosen) => match self.id_of_another(&name, &chosen) {
                Ok(id) => id,
                Err(failure) => return Ok(Err(failure)),
            },
        };
        let id = self.number("SubOrchestrationInstanceCreated", Some((&RecordedAction::detached(&name), &input)))?;
        let started = instance_id.clone();
        self.emit(|| Action::CreateSubOrchestration {
            id,
            name,
            instance_id,
            input,
            retry_of: None,
            detached: true,
            options,
        });
        Ok(Ok(started))
    }

    fn id_of_another(&self, name: &str, chosen: &str) -> Result<InstanceId, Failure> {
        match InstanceId::parse(chosen) {
            Ok(id) if id != self.identity.instance => Ok(id),
            Ok(id) => {
                Err(invalid(format!("cannot start '{name}' with the instance id '{id}': it is this instance's own id")))
            }
            Err(why) => Err(invalid(format!("cannot start '{name}': {why}"))),
        }
    }

    pub(super) fn lock_granted(&mut self, event: EventId) {
        if let Some(section) = self.critical_section.as_mut().filter(|section| section.event == event) {
            section.granted = true;
        }
    }

    /// A call of an entity has its answer, or is given up.
    pub(super) fn call_ended(&mut self, entity: &EntityId) {
        if let Some(section) = &mut self.critical_section {
            section.called.remove(entity);
        }
    }

    pub(super) fn leave_section(&mut self) {
        // A failure to leave is kept in `stopped`.
        let _stopped = self.unlock_entities();
    }

    pub(super) fn no_child_in_section(&self, name: &str) -> Option<Failure> {
        self.critical_section.as_ref().map(|_| {
            violation(format!(
                "the sub-orchestration '{name}' must not be called within a critical section; leave the section first"
            ))
        })
    }

    fn forbidden_call(&self, entity: &EntityId) -> Option<Failure> {
        let section = self.critical_section.as_ref()?;
        let why = if !section.granted {
            "while its critical section is not granted yet; wait for the lock first"
        } else if !section.entities.contains(entity) {
            "within a critical section that does not lock it; add it to the section's entities"
        } else if section.called.contains(entity) {
            "while another call of it is open; within a critical section calls of one entity come one after the other"
        } else {
            return None;
        };
        Some(violation(format!("the entity '{entity}' must not be called {why}")))
    }

    fn number_named(&mut self, kind: &'static str, name: String) -> Result<EventId, Stopped> {
        self.number_of(kind, Some(name), None)
    }
}

fn violation(message: String) -> Failure {
    Failure::new(Failure::CRITICAL_SECTION, message).non_retriable()
}

fn invalid(message: String) -> Failure {
    Failure::new(Failure::INVALID_ARGUMENT, message).non_retriable()
}
