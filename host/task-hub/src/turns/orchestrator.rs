//! One turn of an orchestration: its events are admitted, its code runs on them, and what came of it is settled.

use super::{Turn, Undone, origins};
use crate::Inner;
use crate::live::Live;
use orchestration::{
    Action, Admission, Cursor, Event, Failure, FailureStrategy, History, Identity, InstanceRow, Json, Ledger, Message,
    MessageKind, RuntimeStatus, Settled, Settling, TurnEnd, admit, settle,
};
use ports::{Advanced, GuestFault, Orchestrator, StoreError};

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
    actions: Vec<Action>,
    custom_status: Option<Option<Json>>,
}

impl Ran {
    /// The code did not run; a guest that is kept alive stays where it stands.
    fn not_at_all(rest: Option<Suspended>) -> Ran {
        Ran { end: TurnEnd::Waiting, rest, actions: Vec::new(), custom_status: None }
    }

    /// An end without actions: whatever the guest asked for is void.
    fn failed(failure: Failure) -> Ran {
        Ran { end: TurnEnd::Failed(failure), rest: None, actions: Vec::new(), custom_status: None }
    }
}

impl Inner {
    pub(super) async fn orchestration_turn(&self, turn: &mut Turn, mut messages: Vec<Message>) -> Result<(), Undone> {
        self.pin_what_begins(&mut turn.row, &mut messages);
        let standing = match self.standing(&turn.row).await? {
            Ok(standing) => standing,
            Err(failure) => return self.set_aside(turn, origins(&messages), failure).await,
        };
        let admission = admit(&standing.ledger, &turn.row, messages, turn.now);
        for (message, why) in &admission.ignored {
            tracing::debug!(instance_id = %turn.row.id, message = message.kind.name(), ?why, "a message was ignored");
        }
        let Standing { ledger, live, past } = standing;
        let ran = self.run(turn, (live, past), &admission).await?;
        self.finish(turn, ledger, admission, ran).await
    }

    /// An instance is pinned by the code that first runs it: one that waited while another version was deployed begins on that
    /// one, and one that its version kept from running gets another chance. A child belongs to its parent.
    fn pin_what_begins(&self, row: &mut InstanceRow, messages: &mut [Message]) {
        if !begins(row) {
            return;
        }
        let present = &self.settings.present.digest;
        for message in messages {
            if let MessageKind::ExecutionStarted { started, .. } = &mut message.kind
                && message.execution.is_none_or(|execution| execution == row.execution)
            {
                row.pinned_to.clone_from(present);
                started.pinned_to.clone_from(present);
            }
        }
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
        turn: &mut Turn,
        (live, past): (Option<Suspended>, Vec<Event>),
        admission: &Admission,
    ) -> Result<Ran, Undone> {
        if admission.events.is_empty() || admission.termination.is_some() {
            return Ok(Ran::not_at_all(live));
        }
        if !admission.runs {
            // What is recorded now is walked when the instance starts or is resumed.
            return Ok(Ran::not_at_all(live.map(|(guest, mut cursor)| {
                cursor.feed(admission.events.iter().cloned());
                (guest, cursor)
            })));
        }
        if let Err(failure) = self.version_gate(&turn.row) {
            return match self.settings.version_failure {
                FailureStrategy::Reject => Err(Undone::Version(failure)),
                FailureStrategy::Fail => Ok(Ran::failed(failure)),
            };
        }
        let (mut guest, mut cursor) = match live {
            Some(live) => live,
            None => match self.parts.orchestrators.begin(&turn.row.name, turn.row.pinned_to.as_deref()).await {
                Ok(guest) => (guest, self.cursor(&turn.row, past)),
                Err(fault) => return self.after_fault(turn, fault),
            },
        };
        cursor.feed(admission.events.iter().cloned());
        let advance = guest.advance(cursor);
        let ran = self.under_lease(&mut turn.lease, advance).await;
        let (mut cursor, advanced) = ran.map_err(Undone::interrupted)?;
        if let Some(stopped) = cursor.stopped() {
            return Ok(Ran::failed(stopped.failure()));
        }
        let (end, goes_on) = match advanced {
            Ok(Advanced::Waiting) => (TurnEnd::Waiting, true),
            Ok(Advanced::Returned(result)) => (cursor.returned(result), false),
            Err(fault) => return self.after_fault(turn, fault),
        };
        let (actions, custom_status) = cursor.take_actions();
        Ok(Ran { end, rest: goes_on.then_some((guest, cursor)), actions, custom_status })
    }

    /// Whether this app runs the instance's version. One that is pinned to another app runs exactly its own code, which needs
    /// no gate.
    pub(crate) fn version_gate(&self, row: &InstanceRow) -> Result<(), Failure> {
        if !begins(row) && row.pinned_to.is_some() && row.pinned_to != self.settings.present.digest {
            return Ok(());
        }
        self.settings.version_gate.check(row.options.version.as_deref())
    }

    fn cursor(&self, row: &InstanceRow, past: Vec<Event>) -> Box<Cursor> {
        let identity = Identity {
            instance: row.id.clone(),
            execution: row.execution,
            name: row.name.clone(),
            parent: row.parent.clone(),
            version: row.options.version.clone(),
            tags: row.options.tags.clone(),
        };
        Box::new(Cursor::new(identity, self.settings.limits, past).with_http(self.settings.http))
    }

    /// What is missing stays missing; what trapped may go better the next time, but not for ever.
    fn after_fault(&self, turn: &Turn, fault: GuestFault) -> Result<Ran, Undone> {
        match fault {
            GuestFault::NotFound { .. } => Ok(Ran::failed(fault.failure())),
            GuestFault::Unavailable { .. } => Err(Undone::Fault(fault)),
            GuestFault::Trapped { .. }
            | GuestFault::TimedOut { .. }
            | GuestFault::OutOfMemory { .. }
            | GuestFault::OutputTooLarge { .. } => {
                if self.was_last_attempt(turn) {
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
        let settling = Settling {
            row: &turn.row,
            ledger,
            admission,
            actions,
            custom_status,
            end,
            now: turn.now,
            limits: &self.settings.limits,
            present: &self.settings.present,
        };
        let Settled { checkpoint, ledger, warnings } = match settle(settling) {
            Ok(settled) => settled,
            // The core contradicts itself about this instance: keep what is recorded, and say so.
            Err(illegal) => {
                let failure = Failure::new(Failure::CORRUPT_HISTORY, illegal.to_string());
                return self.set_aside(turn, consumed, failure).await;
            }
        };
        let goes_on = checkpoint.row.execution == turn.row.execution && !checkpoint.row.status.is_terminal();
        let new_row = checkpoint.row.clone();
        self.commit(turn, checkpoint).await?;
        log_end(&turn.row, &new_row);
        for warning in warnings {
            tracing::warn!(function = %new_row.name, instance_id = %new_row.id, "an instance comes near a limit: {warning}");
        }
        if let (true, Some((guest, cursor))) = (goes_on, rest) {
            self.live.keep(new_row.id, Live { guest, cursor, ledger });
        }
        self.release(&turn.lease).await;
        Ok(())
    }
}

/// One line for an instance that ended in this turn.
fn log_end(before: &InstanceRow, after: &InstanceRow) {
    if before.status.is_terminal() || !after.status.is_terminal() {
        return;
    }
    let (name, id, status) = (&after.name, &after.id, after.status);
    let duration = after.updated_at.saturating_since(after.created_at);
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    match &after.failure {
        None => tracing::info!(name: "orchestration_ended", function = %name, instance_id = %id, %status, duration_ms,
            "Orchestration '{name}' ended"),
        Some(error) => {
            tracing::warn!(name: "orchestration_ended", function = %name, instance_id = %id, %status, duration_ms,
            %error, "Orchestration '{name}' ended")
        }
    }
}

/// Whether no code has run yet that would bind it to an app.
fn begins(row: &InstanceRow) -> bool {
    row.status == RuntimeStatus::Pending && row.parent.is_none()
}
