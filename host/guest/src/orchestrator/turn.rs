//! What an orchestrator and its host share during a turn: the cursor, whether the guest waits, and the turn's time.
//!
//! The cursor is here while guest code may run and with the caller in between. The lock is never contended: whoever polls
//! the guest is the only one who touches it.

use crate::GuestSettings;
use crate::fault::Stop;
use orchestration::{Completion, Cursor, Next, Stopped, Timestamp};
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

pub(crate) struct Turn {
    state: Mutex<State>,
    /// How many ticks of guest code make a turn too long.
    max_ticks: u64,
}

struct State {
    cursor: Option<Box<Cursor>>,
    /// Set while the guest waits in `next` for events that the cursor does not have.
    waiting: bool,
    ticks_left: u64,
    /// Set until the first tick: the deadline that passed while the guest was waiting says nothing.
    fresh: bool,
}

impl Turn {
    pub(crate) fn new(settings: &GuestSettings) -> Turn {
        let ticks = settings.turn_timeout.as_nanos().div_ceil(GuestSettings::TICK.as_nanos());
        let max_ticks = u64::try_from(ticks).unwrap_or(u64::MAX).max(1);
        let state = State { cursor: None, waiting: false, ticks_left: max_ticks, fresh: true };
        Turn { state: Mutex::new(state), max_ticks }
    }

    /// Hands the cursor in: guest code may run.
    pub(crate) fn begin(&self, cursor: Box<Cursor>) {
        *self.lock() = State { cursor: Some(cursor), waiting: false, ticks_left: self.max_ticks, fresh: true };
    }

    /// Takes the cursor back. None if no turn has begun.
    pub(crate) fn end(&self) -> Option<Box<Cursor>> {
        self.lock().cursor.take()
    }

    /// Whether a turn has begun and was never ended: its caller was dropped in the middle.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().cursor.is_some()
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.lock().waiting
    }

    pub(crate) fn is_replaying(&self) -> bool {
        self.lock().cursor.as_ref().is_some_and(|cursor| cursor.is_replaying())
    }

    /// The orchestrator's clock; zero before the first turn.
    pub(crate) fn now(&self) -> Timestamp {
        self.lock().cursor.as_ref().map_or_else(Timestamp::default, |cursor| cursor.now())
    }

    /// Guest code has run for another tick.
    pub(crate) fn tick(&self) -> Result<(), Stop> {
        let mut state = self.lock();
        if std::mem::take(&mut state.fresh) {
            return Ok(());
        }
        state.ticks_left = state.ticks_left.saturating_sub(1);
        if state.ticks_left == 0 { Err(Stop::TurnTimedOut) } else { Ok(()) }
    }

    /// Asks the cursor something that every running orchestrator may ask.
    pub(crate) fn with<R>(&self, ask: impl FnOnce(&mut Cursor) -> R) -> Result<R, Stop> {
        match &mut self.lock().cursor {
            Some(cursor) => Ok(ask(cursor)),
            None => Err(Stop::Forbidden(
                "the functions of the orchestration context must not be called before `run`".to_owned(),
            )),
        }
    }

    /// As [`Turn::with`], for what stops the orchestrator if it departs from its history.
    pub(crate) fn request<R>(&self, ask: impl FnOnce(&mut Cursor) -> Result<R, Stopped>) -> Result<R, Stop> {
        self.with(ask)?.map_err(Stop::Orchestration)
    }

    /// The next completion. Where the cursor has none, the guest waits here, over the end of the turn, until another turn
    /// begins. Nobody needs to be woken: whoever begins that turn polls the guest.
    pub(crate) async fn next(&self) -> Result<Completion, Stop> {
        loop {
            match self.request(Cursor::next)? {
                Next::Completed(completion) => return Ok(completion),
                Next::Waiting => self.lock().waiting = true,
            }
            poll_fn(|_| if self.is_waiting() { Poll::Pending } else { Poll::Ready(()) }).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
