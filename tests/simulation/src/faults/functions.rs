//! Users' functions as a process under faults sees them.

use super::{Call, Faults, Hit, Kind, Side};
use async_trait::async_trait;
use orchestration::{Cursor, Failure, Json};
use ports::{Activities, ActivityInvocation, Advanced, GuestFault, Orchestrator, Orchestrators};
use std::sync::Arc;

/// Activities that fail, or run twice.
pub(crate) struct FaultyActivities {
    pub(crate) inner: Arc<dyn Activities>,
    pub(crate) faults: Arc<Faults>,
}

#[async_trait]
impl Activities for FaultyActivities {
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

    async fn begin(&self, name: &str) -> Result<Box<dyn Orchestrator>, GuestFault> {
        if let Some(Hit { kind: Kind::Refuse, .. }) = self.faults.reach(Call::Begin, Side::Before, name, "").await {
            return Err(GuestFault::Unavailable { function: name.to_owned(), message: "simulated".to_owned() });
        }
        let inner = self.inner.begin(name).await?;
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
