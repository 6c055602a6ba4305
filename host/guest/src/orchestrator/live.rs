//! A running orchestrator: the guest, suspended between turns.
//!
//! The guest's one call of `run` is a future that owns its store and its stack. `next` alone makes it wait; polling it again,
//! with another cursor in the shared [`Turn`], goes on from there. Dropping the future drops the guest.

use super::Orchestration;
use super::turn::Turn;
use crate::GuestSettings;
use crate::bindings::{exports, failure_from_wit, failure_len, values};
use crate::component::Component;
use crate::fault;
use crate::memory::MemoryUse;
use crate::metering::Measurement;
use crate::output::{GuestOutput, Speaker};
use async_trait::async_trait;
use futures::future::BoxFuture;
use orchestration::{Cursor, Json};
use ports::{Advanced, GuestFault, Meter, Orchestrator, Work};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use wasmtime::Store;

/// What a suspended guest holds before it has asked for memory: the pages of its initial memory and of its stack that it
/// has written to, and the host's own records. Measured with a thousand of them; most of the initial memory is shared.
const INITIAL_BYTES: usize = 96 * 1024;

/// What `run` came to.
type Ran = wasmtime::Result<Result<String, values::Failure>>;

pub(crate) struct LiveOrchestrator {
    function: Arc<str>,
    settings: Arc<GuestSettings>,
    phase: Phase,
    turn: Arc<Turn>,
    output: GuestOutput,
    memory: Arc<MemoryUse>,
    /// What of it was there before any code ran.
    initial_memory: usize,
    meter: Option<Arc<dyn Meter>>,
    /// Keeps the runtime's ticker going, which the deadlines depend on.
    _component: Arc<Component>,
}

enum Phase {
    /// Instantiated; `run` has not been called.
    Fresh(Box<Fresh>),
    /// Somewhere in `run`.
    Running(BoxFuture<'static, Ran>),
    /// Ended, or of no use any more.
    Spent,
}

struct Fresh {
    store: Store<Orchestration>,
    guest: exports::orchestrator::Guest,
    entry_point: Arc<str>,
}

impl LiveOrchestrator {
    /// A fresh guest.
    pub(crate) async fn begin(
        component: &Arc<Component>,
        function: &Arc<str>,
        entry_point: &Arc<str>,
        settings: &Arc<GuestSettings>,
        meter: Option<Arc<dyn Meter>>,
    ) -> Result<LiveOrchestrator, GuestFault> {
        let mut state = Orchestration::new(function, settings);
        let (turn, output) = (Arc::clone(&state.turn), state.output.clone());
        let memory = crate::sandbox::GuestState::memory_limit(&mut state).used();
        let instantiated = async {
            let sandbox = component.orchestrators().ok_or_else(no_orchestrators)?;
            let mut guest = sandbox.instantiate(state).await?;
            let indices = guest.exports.orchestrator.as_ref().ok_or_else(no_orchestrators)?;
            let orchestrator = indices.load(&mut guest.store, &guest.instance)?;
            Ok(Fresh { store: guest.store, guest: orchestrator, entry_point: Arc::clone(entry_point) })
        };
        let fresh = instantiated.await.map_err(|e| fault::of_start(&e, function, settings))?;
        Ok(LiveOrchestrator {
            function: Arc::clone(function),
            settings: Arc::clone(settings),
            phase: Phase::Fresh(Box::new(fresh)),
            turn,
            output,
            initial_memory: memory.total(),
            memory,
            meter,
            _component: Arc::clone(component),
        })
    }

    /// Makes the guest ready to be polled, and tells what this turn will be.
    fn start(&mut self, cursor: &mut Cursor) -> Result<Work, GuestFault> {
        let Phase::Fresh(_) = &self.phase else {
            return Ok(Work::Turn);
        };
        let input = cursor.start().map_err(|stopped| self.trapped(stopped.to_string()))?;
        if let Phase::Fresh(mut fresh) = std::mem::replace(&mut self.phase, Phase::Spent) {
            fresh.store.data_mut().settle_in(cursor.identity());
            self.phase = Phase::Running(Box::pin(run(*fresh, input.as_str().to_owned())));
        }
        Ok(if cursor.is_replaying() { Work::ReplayedTurn } else { Work::Turn })
    }

    fn finish(&self, ran: Ran) -> Result<Advanced, GuestFault> {
        let result = ran.map_err(|e| fault::of_call(&e, &self.function, &self.output.last_words(), &self.settings))?;
        let len = result.as_ref().map_or_else(failure_len, String::len);
        if len > self.settings.max_output_bytes {
            return Err(fault::output_too_large(&self.function, len, &self.settings));
        }
        Ok(Advanced::Returned(result.map(Json::from).map_err(failure_from_wit)))
    }

    fn trapped(&self, message: String) -> GuestFault {
        GuestFault::Trapped { function: self.function.to_string(), message }
    }
}

fn no_orchestrators() -> wasmtime::Error {
    wasmtime::Error::msg("the component exports no orchestrators")
}

async fn run(fresh: Fresh, input: String) -> Ran {
    let Fresh { mut store, guest, entry_point } = fresh;
    guest.call_run(&mut store, &entry_point, &input).await
}

#[async_trait]
impl Orchestrator for LiveOrchestrator {
    async fn advance(&mut self, mut cursor: Box<Cursor>) -> (Box<Cursor>, Result<Advanced, GuestFault>) {
        if self.turn.is_open() {
            self.phase = Phase::Spent;
        }
        let work = match self.start(&mut cursor) {
            Ok(work) => work,
            Err(fault) => {
                self.phase = Phase::Spent;
                return (cursor, Err(fault));
            }
        };
        let Phase::Running(guest) = &mut self.phase else {
            let fault = self.trapped("it has ended, or was stopped in the middle of a turn; begin it anew".to_owned());
            return (cursor, Err(fault));
        };
        let instance = Arc::from(cursor.identity().instance.as_str());
        self.output.restart(Speaker::Orchestrator { function: Arc::clone(&self.function), instance });
        self.turn.begin(cursor);
        let measurement = Measurement::begin(self.meter.as_ref(), &self.function, work, Arc::clone(&self.memory));
        let turn = &self.turn;
        let ran = poll_fn(|context| match guest.as_mut().poll(context) {
            Poll::Ready(ran) => Poll::Ready(Some(ran)),
            Poll::Pending if turn.is_waiting() => Poll::Ready(None),
            // It has only given way to others.
            Poll::Pending => Poll::Pending,
        })
        .await;
        let advanced = match ran {
            None => Ok(Advanced::Waiting),
            Some(ran) => {
                self.phase = Phase::Spent;
                self.finish(ran)
            }
        };
        measurement.end(matches!(advanced, Ok(Advanced::Waiting | Advanced::Returned(Ok(_)))));
        // While the cursor still knows whether the turn is one that was logged before.
        self.output.finish_lines();
        let cursor = self.turn.end().expect("the cursor was handed in above, and nobody else ends the turn");
        (cursor, advanced)
    }

    fn memory_bytes(&self) -> usize {
        let grown = self.memory.total().saturating_sub(self.initial_memory);
        grown.saturating_add(INITIAL_BYTES)
    }
}
