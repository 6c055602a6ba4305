//! One try of a run: inputs, the function, and what its outputs bring about. Commits nothing.

use super::Timer;
use super::standing::{Reason, Run, Standing};
use crate::accounts::AccountId;
use crate::bindings::{BindingData, BindingError};
use crate::invocation::Invocation;
use orchestration::{Failure, Timestamp};
use ports::{EffectError, Effects, GuestFault, Ran, RetryContext, TimerInvocation};
use std::sync::Arc;
use tracing::Instrument;

/// Why a run of a timer's function came to nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum RunError {
    /// The function said so.
    #[error("{0}")]
    Failed(Failure),
    /// It did not come to an end.
    #[error(transparent)]
    Fault(#[from] GuestFault),
    /// An input could not be read, or an output does not take what it was given.
    #[error(transparent)]
    Binding(#[from] BindingError),
    /// What it produced could not be written.
    #[error("what the function produced was not written: {0}")]
    Commit(#[from] EffectError),
}

/// A try as the function sees it.
pub(super) struct Occurrence<'a> {
    pub(super) run: Run,
    /// The occurrence after this one.
    pub(super) next: Option<Timestamp>,
    /// Where the timer stood before.
    pub(super) standing: &'a Standing,
    pub(super) retry: RetryContext,
}

impl Timer {
    /// Runs the function once. Answers what it came to and what is to be committed.
    pub(super) async fn run(
        &self,
        invocation: &Invocation,
        occurrence: &Occurrence<'_>,
    ) -> Result<(Ran, Vec<(AccountId, Effects)>), RunError> {
        let span = invocation.span().clone();
        self.run_in_span(invocation, occurrence).instrument(span).await
    }

    async fn run_in_span(
        &self,
        invocation: &Invocation,
        occurrence: &Occurrence<'_>,
    ) -> Result<(Ran, Vec<(AccountId, Effects)>), RunError> {
        let Occurrence { run, next, standing, retry } = occurrence;
        // A timer that is not monitored promises nothing about what was before, as in Azure Functions.
        let known = self.is_monitored().then_some(*standing);
        let data = BindingData::new(&self.function, self.parts.clock.now(), Arc::clone(&self.parts.randomness));
        let inputs = self.bindings.read_inputs(&data).await?;
        let ran = self.parts.functions.run_timer(TimerInvocation {
            invocation_id: invocation.id().to_owned(),
            function: self.function.clone(),
            scheduled: run.scheduled,
            is_past_due: run.reason == Reason::PastDue,
            adjusts_for_dst: self.schedule().adjusts_for_dst(),
            last: known.and_then(|standing| standing.last),
            next: *next,
            last_updated: known.map(|standing| standing.updated),
            retry: *retry,
            inputs,
        });
        let ran = ran.await?.map_err(RunError::Failed)?;
        let effects = self.bindings.effects(&data, &ran)?.effects;
        Ok((ran, effects))
    }
}
