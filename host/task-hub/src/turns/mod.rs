//! Running one turn: load, run, settle and commit, as separate steps.
//!
//! There are three kinds: an orchestrator goes on, an entity does what it was asked to, a failed instance is rewound. They
//! share what is here: how a turn ends well, and how it is given back.

mod broken_batches;
mod entity;
mod orchestrator;
mod rewinding;

pub(crate) use broken_batches::BrokenBatches;

use crate::Inner;
use crate::leases::Interrupted;
use orchestration::{Checkpoint, Failure, InstanceRow, Message, Origin, Timestamp, set_aside};
use ports::{GuestFault, Lease, StoreError, TurnWork};
use std::time::Duration;

/// One turn of one instance.
struct Turn {
    lease: Lease,
    row: InstanceRow,
    failed_attempts: u32,
    now: Timestamp,
}

impl Inner {
    pub(crate) async fn run_turn(&self, work: TurnWork) {
        let TurnWork { lease, row, messages, failed_attempts } = work;
        // A clock that was set back must not make a history go back.
        let now = self.parts.clock.now().max(row.updated_at);
        let mut turn = Turn { lease, row, failed_attempts, now };
        let done = if turn.row.entity.is_some() {
            self.entity_turn(&mut turn, messages).await
        } else if rewinding::is_wanted(&turn.row, &messages) {
            self.rewinding_turn(&turn, messages).await
        } else {
            self.orchestration_turn(&mut turn, messages).await
        };
        if let Err(undone) = done {
            self.give_back(&turn, &undone).await;
        }
    }

    async fn commit(&self, turn: &Turn, checkpoint: Checkpoint) -> Result<(), Undone> {
        self.parts.store.commit(&turn.lease, checkpoint).await.map_err(Undone::Store)
    }

    async fn set_aside(&self, turn: &Turn, consumed: Vec<Origin>, failure: Failure) -> Result<(), Undone> {
        tracing::error!(instance_id = %turn.row.id, %failure, "an instance was set aside; its stored history is kept");
        self.commit(turn, set_aside(&turn.row, consumed, failure, turn.now)).await?;
        self.release(&turn.lease).await;
        Ok(())
    }

    /// What is committed stays so; an instance that cannot be released is taken again when its lease runs out.
    async fn release(&self, lease: &Lease) {
        if let Err(error) = self.parts.store.release(lease).await {
            tracing::warn!(what = %lease.what, %error, "cannot release an instance; it goes on when its lease runs out");
        }
    }

    /// Lets others take the turn again. If the lease is lost, they have already.
    async fn give_back(&self, turn: &Turn, undone: &Undone) {
        let Turn { lease, failed_attempts, .. } = turn;
        log_undone(turn, undone);
        let pause = self.pause_before_retry(*failed_attempts, undone);
        let not_before = self.parts.clock.now().saturating_add(pause);
        match self.parts.store.abandon(lease, not_before).await {
            Ok(()) | Err(StoreError::LeaseLost { .. }) => {}
            Err(error @ (StoreError::Unavailable { .. } | StoreError::Corrupt { .. })) => {
                tracing::warn!(%error, "cannot give a turn back; it is taken again when its lease runs out");
            }
        }
    }

    fn pause_before_retry(&self, failed_attempts: u32, undone: &Undone) -> Duration {
        match undone {
            Undone::Store(_) | Undone::Fault(_) | Undone::Revoked => {
                self.settings.turn_retry_pause * 2u32.saturating_pow(failed_attempts.min(10))
            }
            Undone::Version(_) => self.settings.version_retry_pause,
        }
    }

    /// Whether a guest that keeps going wrong has had its last try with this one.
    fn was_last_attempt(&self, turn: &Turn) -> bool {
        turn.failed_attempts.saturating_add(1) >= self.settings.turn_attempts
    }
}

/// Why a turn was left for another try.
#[derive(Debug)]
enum Undone {
    Store(StoreError),
    Fault(GuestFault),
    /// The instance is gone.
    Revoked,
    /// This app does not run instances of that version.
    Version(Failure),
}

impl Undone {
    /// Somebody else has the turn now, or nobody wants it any more.
    fn interrupted(why: Interrupted) -> Undone {
        match why {
            Interrupted::Revoked => Undone::Revoked,
            Interrupted::Lost(error) => Undone::Store(error),
        }
    }
}

fn log_undone(turn: &Turn, undone: &Undone) {
    let (id, attempt) = (&turn.row.id, turn.failed_attempts.saturating_add(1));
    match undone {
        Undone::Store(error) => {
            tracing::warn!(instance_id = %id, attempt, reason = %error, "a turn was not finished");
        }
        Undone::Fault(fault) => {
            tracing::warn!(instance_id = %id, attempt, reason = %fault, "a turn was not finished");
        }
        Undone::Revoked => tracing::debug!(instance_id = %id, "a turn was stopped, because its instance was removed"),
        // Said once: it stays so until another version of the app is started.
        Undone::Version(failure) if attempt == 1 => {
            tracing::warn!(instance_id = %id, reason = %failure, "an instance waits for a version of the app that runs it");
        }
        Undone::Version(_) => {}
    }
}

fn origins(messages: &[Message]) -> Vec<Origin> {
    messages.iter().map(|message| message.origin).collect()
}
