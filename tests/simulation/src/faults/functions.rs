//! Users' functions as a process under faults sees them.

use super::{Call, Faults, Hit, Kind, Side};
use async_trait::async_trait;
use orchestration::{ActivityTask, Cursor, EntityOutcome, Failure, Json, Timeouts};
use ports::{Activities, ActivityInvocation, Advanced, Entities, EntityBatch, GuestFault, Orchestrator, Orchestrators};
use std::sync::Arc;

/// Activities that fail, or run twice.
pub(crate) struct FaultyActivities {
    pub(crate) inner: Arc<dyn Activities>,
    pub(crate) faults: Arc<Faults>,
}

#[async_trait]
impl Activities for FaultyActivities {
    fn timeouts(&self, task: &ActivityTask) -> Timeouts {
        self.inner.timeouts(task)
    }

    async fn run(&self, invocation: ActivityInvocation) -> Result<Result<Json, Failure>, GuestFault> {
        let task = &invocation.task;
        let subject = format!("{}/{} {}", task.instance, task.id, task.name);
        self.faults.reach(Call::Run, Side::Before, &subject, "").await;
        let answer = self.inner.run(invocation.clone()).await;
        match self.faults.reach(Call::Run, Side::After, &subject, "").await {
            Some(Hit { kind: Kind::Twice, .. }) => self.inner.run(invocation).await,
            Some(Hit { kind: Kind::Fail, .. }) => {
                Err(GuestFault::Trapped { function: task.name.clone(), message: "simulated".to_owned() })
            }
            Some(_) | None => answer,
        }
    }
}

/// Orchestrators whose guests trap, or cannot be made.
pub(crate) struct FaultyOrchestrators {
    pub(crate) inner: Arc<dyn Orchestrators>,
    pub(crate) faults: Arc<Faults>,
}

#[async_trait]
impl Orchestrators for FaultyOrchestrators {
    fn names(&self) -> Vec<String> {
        self.inner.names()
    }

    async fn begin(&self, name: &str, pinned_to: Option<&str>) -> Result<Box<dyn Orchestrator>, GuestFault> {
        if let Some(Hit { kind: Kind::Refuse, .. }) = self.faults.reach(Call::Begin, Side::Before, name, "").await {
            return Err(GuestFault::Unavailable { function: name.to_owned(), message: "simulated".to_owned() });
        }
        let inner = self.inner.begin(name, pinned_to).await?;
        Ok(Box::new(FaultyOrchestrator { inner, faults: self.faults.clone() }))
    }
}

struct FaultyOrchestrator {
    inner: Box<dyn Orchestrator>,
    faults: Arc<Faults>,
}

#[async_trait]
impl Orchestrator for FaultyOrchestrator {
    async fn advance(&mut self, cursor: Box<Cursor>) -> (Box<Cursor>, Result<Advanced, GuestFault>) {
        let subject = cursor.identity().instance.to_string();
        let (cursor, advanced) = self.inner.advance(cursor).await;
        match self.faults.reach(Call::Advance, Side::After, &subject, "").await {
            Some(Hit { kind: Kind::Trap, .. }) => {
                let function = cursor.identity().name.clone();
                (cursor, Err(GuestFault::Trapped { function, message: "simulated".to_owned() }))
            }
            Some(_) | None => (cursor, advanced),
        }
    }

    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes()
    }
}

/// Entities whose guests trap.
pub(crate) struct FaultyEntities {
    pub(crate) inner: Arc<dyn Entities>,
    pub(crate) faults: Arc<Faults>,
}

#[async_trait]
impl Entities for FaultyEntities {
    fn names(&self) -> Vec<String> {
        self.inner.names()
    }

    async fn run(&self, batch: EntityBatch) -> Result<EntityOutcome, GuestFault> {
        let function = batch.entity.name().to_owned();
        let names: Vec<_> = batch.operations.iter().map(|operation| operation.name.as_str()).collect();
        let subject = format!("{} {}", batch.entity, names.join("+"));
        self.faults.reach(Call::Operate, Side::Before, &subject, "").await;
        let answer = self.inner.run(batch).await;
        match self.faults.reach(Call::Operate, Side::After, &subject, "").await {
            Some(Hit { kind: Kind::Trap, .. }) => {
                Err(GuestFault::Trapped { function, message: "simulated".to_owned() })
            }
            Some(_) | None => answer,
        }
    }
}
