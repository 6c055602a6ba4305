//! Running one turn: load, replay, settle and commit, as separate steps.

use crate::Inner;
use crate::live::Live;
use orchestration::{
    Admission, Cursor, Event, Failure, History, Identity, InstanceRow, Ledger, Origin, Settling, Timestamp, TurnEnd,
    admit, set_aside, settle,
};
use ports::{Advanced, GuestFault, Lease, Orchestrator, StoreError, TurnWork};

/// One turn of one instance.
struct Turn {
    lease: Lease,
    row: InstanceRow,
    failed_attempts: u32,
    now: Timestamp,
}

/// A guest and the place where it stands.
type Suspended = (Box<dyn Orchestrator>, Box<Cursor>);

/// The instance as it stands before the turn.
struct Standing {
    ledger: Ledger,
    /// The orchestrator, if it was kept alive.
    live: Option<Suspended>,
    /// Its recorded events, if it was not.
    past: Vec<Event>,
}

/// How a turn went that could be brought to an end.
struct Ran {
    end: TurnEnd,
    /// The suspended guest and the place where it stands; none if it is spent.
    rest: Option<Suspended>,
    actions: Vec<orchestration::Action>,
    custom_status: Option<Option<orchestration::Json>>,
}

impl Ran {
    /// An end without actions: whatever the guest asked for is void.
    fn failed(failure: Failure) -> Ran {
        Ran { end: TurnEnd::Failed(failure), rest: None, actions: Vec::new(), custom_status: None }
    }
}

impl Inner {
    pub(crate) async fn run_turn(&self, work: TurnWork) {
        let lease = work.lease.clone();
        let attempts = work.failed_attempts;
        if let Err(undone) = self.try_turn(work).await {
            self.give_back(&lease, attempts, &undone).await;
        }
    }

    async fn try_turn(&self, work: TurnWork) -> Result<(), Undone> {
        let TurnWork { lease, row, messages, failed_attempts } = work;
        // A clock that was set back must not make a history go back.
        let now = self.parts.clock.now().max(row.updated_at);
        let turn = Turn { lease, row, failed_attempts, now };
        let standing = match self.standing(&turn.row).await? {
            Ok(standing) => standing,
            Err(failure) => {
                let consumed = messages.iter().map(|message| message.origin).collect();
                return self.set_aside(&turn, consumed, failure).await;
            }
        };
        let admission = admit(&standing.ledger, &turn.row, messages, now);
        for (message, why) in &admission.ignored {
            tracing::debug!(instance_id = %turn.row.id, message = message.kind.name(), ?why, "a message was ignored");
        }
        let Standing { ledger, live, past } = standing;
        let ran = self.run(&turn, (live, past), &admission).await?;
        self.finish(&turn, ledger, admission, ran).await
    }

    /// Where the instance stands: as kept alive, else as recorded. A history that cannot be used is the instance's
    /// failure, not the store's.
    async fn standing(&self, row: &InstanceRow) -> Result<Result<Standing, Failure>, Undone> {
        // What has ended needs no history to ignore a message.
        if row.status.is_terminal() || row.turns == 0 {
            return Ok(Ok(Standing { ledger: Ledger::default(), live: None, past: Vec::new() }));
        }
        if let Some(Live { guest, cursor, ledger }) = self.live.take(row) {
            return Ok(Ok(Standing { ledger, live: Some((guest, cursor)), past: Vec::new() }));
        }
        let events = match self.parts.store.history(&row.id, row.execution).await {
            Ok(events) => events,
            Err(corrupt @ StoreError::Corrupt { .. }) => {
                return Ok(Err(Failure::new(Failure::CORRUPT_HISTORY, corrupt.to_string())));
            }
            Err(error) => return Err(Undone::Store(error)),
        };
        let history = match History::from_events(events) {
            Ok(history) => history,
            Err(illegal) => return Ok(Err(Failure::new(Failure::CORRUPT_HISTORY, illegal.to_string()))),
        };
        if history.ledger().turns != row.turns {
            let message = format!("the row counts {} turns, the history has {}", row.turns, history.ledger().turns);
            return Ok(Err(Failure::new(Failure::CORRUPT_HISTORY, message)));
        }
        let (past, ledger) = history.into_parts();
        Ok(Ok(Standing { ledger, live: None, past }))
    }

    /// Lets the orchestrator run on the new events, if there are any and it may.
    async fn run(
        &self,
        turn: &Turn,
        (live, past): (Option<Suspended>, Vec<Event>),
        admission: &Admission,
    ) -> Result<Ran, Undone> {
        if admission.events.is_empty() || admission.termination.is_some() {
            return Ok(Ran { end: TurnEnd::Waiting, rest: live, actions: Vec::new(), custom_status: None });
        }
        let (mut guest, mut cursor) = match live {
            Some(live) => live,
            None => match self.parts.orchestrators.begin(&turn.row.name).await {
                Ok(guest) => (guest, self.cursor(&turn.row, past)),
                Err(fault) => return self.after_fault(fault, turn.failed_attempts),
            },
        };
        cursor.feed(admission.events.iter().cloned());
        let (mut cursor, advanced) = guest.advance(cursor).await;
        if let Some(stopped) = cursor.stopped() {
            return Ok(Ran::failed(stopped.failure()));
        }
        let (end, goes_on) = match advanced {
            Ok(Advanced::Waiting) => (TurnEnd::Waiting, true),
            Ok(Advanced::Returned(result)) => (cursor.returned(result), false),
            Err(fault) => return self.after_fault(fault, turn.failed_attempts),
        };
        let (actions, custom_status) = cursor.take_actions();
        Ok(Ran { end, rest: goes_on.then_some((guest, cursor)), actions, custom_status })
    }

    fn cursor(&self, row: &InstanceRow, past: Vec<Event>) -> Box<Cursor> {
        let identity = Identity {
            instance: row.id.clone(),
            execution: row.execution,
            name: row.name.clone(),
            parent: row.parent.clone(),
        };
        Box::new(Cursor::new(identity, self.settings.limits, past))
    }

    /// What is missing stays missing; what trapped may go better the next time, but not for ever.
    fn after_fault(&self, fault: GuestFault, failed_attempts: u32) -> Result<Ran, Undone> {
        match fault {
            GuestFault::NotFound { .. } => Ok(Ran::failed(fault.failure())),
            GuestFault::Unavailable { .. } => Err(Undone::Fault(fault)),
            GuestFault::Trapped { .. }
            | GuestFault::TimedOut { .. }
            | GuestFault::OutOfMemory { .. }
            | GuestFault::OutputTooLarge { .. } => {
                if failed_attempts + 1 >= self.settings.turn_attempts {
                    Ok(Ran::failed(fault.failure()))
                } else {
                    Err(Undone::Fault(fault))
                }
            }
        }
    }

    async fn finish(&self, turn: &Turn, ledger: Ledger, admission: Admission, ran: Ran) -> Result<(), Undone> {
        let Ran { end, rest, actions, custom_status } = ran;
        let consumed = admission.consumed.clone();
        let settling = Settling { row: &turn.row, ledger, admission, actions, custom_status, end, now: turn.now };
        let (checkpoint, ledger) = match settle(settling) {
            Ok(settled) => settled,
            // The core contradicts itself about this instance: keep what is recorded, and say so.
            Err(illegal) => {
                let failure = Failure::new(Failure::CORRUPT_HISTORY, illegal.to_string());
                return self.set_aside(turn, consumed, failure).await;
            }
        };
        let goes_on = checkpoint.row.execution == turn.row.execution && !checkpoint.row.status.is_terminal();
        let new_row = checkpoint.row.clone();
        self.parts.store.commit(&turn.lease, checkpoint).await.map_err(Undone::Store)?;
        log_end(&turn.row, &new_row);
        if let (true, Some((guest, cursor))) = (goes_on, rest) {
            self.live.keep(new_row.id, Live { guest, cursor, ledger });
        }
        self.release(&turn.lease).await;
        Ok(())
    }

    async fn set_aside(&self, turn: &Turn, consumed: Vec<Origin>, failure: Failure) -> Result<(), Undone> {
        tracing::error!(instance_id = %turn.row.id, %failure, "an instance was set aside; its stored history is kept");
        let checkpoint = set_aside(&turn.row, consumed, failure, turn.now);
        self.parts.store.commit(&turn.lease, checkpoint).await.map_err(Undone::Store)?;
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
    async fn give_back(&self, lease: &Lease, failed_attempts: u32, undone: &Undone) {
        tracing::warn!(what = %lease.what, attempt = failed_attempts + 1, reason = %undone, "a turn was not finished");
        let pause = self.settings.turn_retry_pause * 2u32.saturating_pow(failed_attempts.min(10));
        let not_before = self.parts.clock.now().saturating_add(pause);
        match self.parts.store.abandon(lease, not_before).await {
            Ok(()) | Err(StoreError::LeaseLost { .. }) => {}
            Err(error @ (StoreError::Unavailable { .. } | StoreError::Corrupt { .. })) => {
                tracing::warn!(%error, "cannot give a turn back; it is taken again when its lease runs out");
            }
        }
    }
}

/// Why a turn was left for another try.
#[derive(Debug)]
enum Undone {
    Store(StoreError),
    Fault(GuestFault),
}

impl std::fmt::Display for Undone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Undone::Store(error) => error.fmt(f),
            Undone::Fault(fault) => fault.fmt(f),
        }
    }
}

/// One line for an instance that ended in this turn.
fn log_end(before: &InstanceRow, after: &InstanceRow) {
    if before.status.is_terminal() || !after.status.is_terminal() {
        return;
    }
    let (name, id, status) = (&after.name, &after.id, after.status);
    let ms = after.updated_at.saturating_since(after.created_at).as_millis();
    match &after.failure {
        None => tracing::info!(function = %name, instance_id = %id,
            "Orchestration '{name}' ({status}, InstanceId={id}, Duration={ms}ms)"),
        Some(failure) => tracing::warn!(function = %name, instance_id = %id,
            "Orchestration '{name}' ({status}, InstanceId={id}, Duration={ms}ms): {failure}"),
    }
}
