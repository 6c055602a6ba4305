//! The timer trigger: each function with a schedule is run when its moment comes, once for each occurrence, never twice at a time.
//!
//! What a timer has run is remembered in a document, which is written in the same commit as the outputs of the run: a crash
//! before it runs the occurrence again, and after it never. Timers wait on the clock's port alone. When something is due, and what is
//! forgotten, is decided in `standing`; what an expression means, by `manifest`.

mod execution;
mod listener;
mod standing;

#[cfg(test)]
mod tests;

pub use execution::RunError;

use crate::accounts::{AccountId, Accounts};
use crate::bindings::{BindingParts, BindingSetupError, FunctionBindings};
use crate::concurrency::Gate;
use crate::invocation::{Invocation, new_invocation_id};
use execution::Occurrence;
use futures::future::{BoxFuture, Shared};
use listener::Listener;
use manifest::schedule::Schedule;
use manifest::{App, Function, RetryPolicy, TimerTrigger, Trigger};
use orchestration::Timestamp;
use ports::{Clock, DocumentStore, PrepareStart, Ran, Randomness, RetryContext, TimerFunctions};
use standing::{Reason, Rules, Run, Standing};
use std::sync::Arc;

/// Completes when timers are to stop. A run that is under way is finished and committed first.
pub type Stop = Shared<BoxFuture<'static, ()>>;

/// How many occurrences are announced when a timer starts, as in Azure Functions.
pub const ANNOUNCED_OCCURRENCES: usize = 5;

/// What a manual run is logged with, as in Azure Functions.
const MANUAL_REASON: &str = "This function was programmatically called via the host APIs.";

/// The parts of the world that timers need.
#[derive(Clone)]
pub struct TimerParts {
    /// Runs the functions.
    pub functions: Arc<dyn TimerFunctions>,
    /// Where timers are remembered; the documents of the embedded account.
    pub documents: Arc<dyn DocumentStore>,
    /// Where outputs go.
    pub accounts: Arc<Accounts>,
    /// Makes starts of orchestrations.
    pub starts: Arc<dyn PrepareStart>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// New ids, and the spread of delays.
    pub randomness: Arc<dyn Randomness>,
}

/// One function with a schedule.
pub struct Timer {
    function: String,
    trigger: TimerTrigger,
    retry: Option<RetryPolicy>,
    disabled: bool,
    bindings: FunctionBindings,
    /// Where it is remembered: `timers/<app>/<function>`.
    document: String,
    /// Room for one run.
    gate: Gate,
    parts: TimerParts,
}

impl Timer {
    /// All timers of an app, in the order of the manifest, disabled ones included.
    ///
    /// # Errors
    /// A binding whose connection leads to no account.
    pub fn of_app(app: &App, parts: &TimerParts) -> Result<Vec<Timer>, BindingSetupError> {
        let timers = app.functions.iter().filter_map(|function| match &function.trigger {
            Trigger::Timer(trigger) => Some(Timer::new(&app.name, function, trigger, parts.clone())),
            Trigger::Http(_) | Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity | Trigger::Queue(_) => {
                None
            }
        });
        timers.collect()
    }

    fn new(
        app: &str,
        function: &Function,
        trigger: &TimerTrigger,
        parts: TimerParts,
    ) -> Result<Timer, BindingSetupError> {
        let bound = BindingParts { accounts: Arc::clone(&parts.accounts), starts: Arc::clone(&parts.starts) };
        Ok(Timer {
            function: function.name.clone(),
            trigger: trigger.clone(),
            retry: function.retry.clone(),
            disabled: function.disabled,
            bindings: FunctionBindings::new(function, bound)?,
            document: format!("timers/{app}/{}", function.name),
            gate: Gate::new(1),
            parts,
        })
    }

    /// The function's name in the manifest.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// Its schedule.
    pub fn schedule(&self) -> &Schedule {
        &self.trigger.schedule
    }

    /// Whether it runs only by hand.
    pub fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// The next occurrences of the schedule from now on. An interval that was begun before goes on from there instead.
    pub fn next_occurrences(&self, count: usize) -> Vec<Timestamp> {
        let now = self.parts.clock.now().ticks();
        self.trigger.schedule.occurrences_after(now).take(count).map(Timestamp::from_ticks).collect()
    }

    /// Runs the function whenever it is due, until `stop`; the run that is under way then is finished. Nothing that goes wrong ends
    /// it. A disabled timer returns at once. To be called once in the life of the host.
    pub async fn listen(&self, stop: &Stop) {
        if !self.disabled {
            Listener::new(self, stop).listen().await;
        }
    }

    /// Runs the function now, by hand: not past due, outside of its schedule and without its retry policy. Waits for a run that is
    /// under way. What it produces is committed; what is remembered of the timer does not change. Disabled timers run, too.
    ///
    /// # Errors
    /// Why it failed. Nothing of its outputs is there then, apart from those in accounts outside of this host.
    pub async fn run_once(&self) -> Result<Ran, RunError> {
        let place = self.gate.enter().await;
        let now = self.parts.clock.now();
        let rules = self.rules(now);
        // A manual run does not need to know what was before: a store that cannot say is no reason to refuse it.
        let remembered = self.parts.documents.document(&self.document).await.ok().flatten();
        let remembered = remembered.and_then(|document| Standing::from_json(&document.content).ok());
        let standing = remembered.unwrap_or_else(|| rules.begin(now));
        let run = Run { reason: Reason::Schedule, scheduled: now, began: None, failures: 0 };
        let id = new_invocation_id(&*self.parts.randomness);
        let clock = Arc::clone(&self.parts.clock);
        let mut invocation = Invocation::begin(&self.function, &id, MANUAL_REASON, clock, place.into_iter().collect());
        let occurrence =
            Occurrence { run, next: rules.next_after(now), standing: &standing, retry: RetryContext::default() };
        let ended = self.run_and_commit(&invocation, &occurrence).await;
        match &ended {
            Ok(_) => invocation.succeed(),
            Err(error) => invocation.fail(error.to_string()),
        }
        ended
    }

    async fn run_and_commit(&self, invocation: &Invocation, occurrence: &Occurrence<'_>) -> Result<Ran, RunError> {
        let (ran, effects) = self.run(invocation, occurrence).await?;
        self.parts.accounts.commit(AccountId::EMBEDDED, effects).await?;
        Ok(ran)
    }

    fn rules(&self, opened: Timestamp) -> Rules<'_> {
        Rules { schedule: &self.trigger.schedule, catch_up: self.trigger.catch_up, opened }
    }

    /// Whether missed occurrences are noticed after a restart.
    fn is_monitored(&self) -> bool {
        self.trigger.use_monitor && !self.trigger.schedule.fires_more_than_once_a_minute()
    }

    /// Whether there is anything to keep in a document: occurrences, failed tries, or that outputs were written.
    fn remembers(&self) -> bool {
        self.is_monitored() || self.retry.is_some() || !self.bindings.is_empty()
    }
}
