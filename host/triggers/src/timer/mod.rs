//! The timer trigger: each function with a schedule is run when its moment comes, once for each occurrence, never twice at a time.
//!
//! What a timer has run is remembered in a document, which is written in the same commit as the outputs of the run. After that
//! commit an occurrence never runs again; a crash before it makes the occurrence one that was missed, and `catchUp` decides.
//!
//! Timers wait on the clock's port alone. When something is due, and what is forgotten, is decided in `standing`; what an expression
//! means, by `manifest`. A clock that is set back while a timer waits is waited for; set back by hours or years, it is noticed
//! after the next run or at the next start.

mod execution;
mod listener;
mod standing;
mod turns;

#[cfg(test)]
mod tests;

pub use listener::TimerListener;
pub use turns::TimerTurns;

use crate::accounts::AccountId;
use crate::bindings::{BindingParts, BindingSetupError, FunctionBindings};
use crate::concurrency::Gate;
use crate::invocation::{Invocation, new_invocation_id};
use crate::queue::ManualRun;
use execution::{Occurrence, RunError};
use manifest::schedule::Schedule;
use manifest::{App, Function, RetryPolicy, Trigger};
use orchestration::Timestamp;
use ports::{Clock, DocumentStore, Ran, Randomness, RetryContext, TimerFunctions};
use standing::{Reason, Rules, Run, Standing};
use std::sync::Arc;

/// How many occurrences are announced when a timer starts, as in Azure Functions.
pub const ANNOUNCED_OCCURRENCES: usize = 5;

/// What a manual run is logged with, as in Azure Functions.
const MANUAL_REASON: &str = "This function was programmatically called via the host APIs.";

/// The parts of the world that timers need.
#[derive(Clone)]
pub struct TimerParts {
    /// Runs the functions.
    pub functions: Arc<dyn TimerFunctions>,
    /// Where timers are remembered: the documents of the embedded account.
    pub documents: Arc<dyn DocumentStore>,
    /// Where outputs go, and what bindings need.
    pub bindings: BindingParts,
    /// Says when it is time.
    pub clock: Arc<dyn Clock>,
    /// Invocation ids and the jitter of delays come from it.
    pub randomness: Arc<dyn Randomness>,
}

/// The timer functions of one app.
pub struct TimerTriggers {
    timers: Vec<Arc<Timer>>,
}

impl TimerTriggers {
    /// The timer functions of an app.
    ///
    /// # Errors
    /// Every connection that leads nowhere.
    pub fn new(app: &App, parts: &TimerParts) -> Result<TimerTriggers, Vec<BindingSetupError>> {
        let (mut timers, mut errors) = (Vec::new(), Vec::new());
        for function in &app.functions {
            match &function.trigger {
                Trigger::Timer(trigger) => match Timer::new(&app.name, function, trigger, parts.clone()) {
                    Ok(timer) => timers.push(Arc::new(timer)),
                    Err(error) => errors.push(error),
                },
                Trigger::Http(_)
                | Trigger::Orchestration
                | Trigger::Activity(_)
                | Trigger::Entity
                | Trigger::Queue(_) => {}
            }
        }
        if errors.is_empty() { Ok(TimerTriggers { timers }) } else { Err(errors) }
    }

    /// One listener for each function that is not disabled. Running one begins a new life of its timer, as a start of the host
    /// does; a run of a life before that is not at its end is waited for.
    pub fn listeners(&self) -> Vec<TimerListener> {
        let enabled = self.timers.iter().filter(|timer| !timer.disabled);
        enabled.map(|timer| TimerListener::new(Arc::clone(timer))).collect()
    }

    /// Runs a function now, by hand, also a disabled one: not past due, outside of its schedule and without its retry policy. Waits
    /// for a run that is under way. Its outputs are committed, and what is remembered of the timer does not change. None: there is
    /// no timer function of that name.
    pub async fn run_once(&self, function: &str) -> Option<ManualRun> {
        let timer = self.timers.iter().find(|timer| timer.function.eq_ignore_ascii_case(function))?;
        Some(timer.run_once().await)
    }
}

/// One function with a schedule.
struct Timer {
    function: String,
    trigger: manifest::TimerTrigger,
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
    fn new(
        app: &str,
        function: &Function,
        trigger: &manifest::TimerTrigger,
        parts: TimerParts,
    ) -> Result<Timer, BindingSetupError> {
        Ok(Timer {
            function: function.name.clone(),
            trigger: trigger.clone(),
            retry: function.retry.clone(),
            disabled: function.disabled,
            bindings: FunctionBindings::new(function, parts.bindings.clone())?,
            document: format!("timers/{app}/{}", function.name),
            gate: Gate::new(1),
            parts,
        })
    }

    fn schedule(&self) -> &Schedule {
        &self.trigger.schedule
    }

    fn next_occurrences(&self, count: usize) -> Vec<Timestamp> {
        let now = self.parts.clock.now().ticks();
        self.schedule().occurrences_after(now).take(count).map(Timestamp::from_ticks).collect()
    }

    async fn run_once(&self) -> ManualRun {
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
        let places = place.into_iter().collect();
        let mut invocation = Invocation::begin(&self.function, &id, MANUAL_REASON, clock, places);
        let retry = RetryContext::default();
        let occurrence = Occurrence { run, next: rules.next_after(now), standing: &standing, retry };
        let outcome = self.run_and_commit(&invocation, &occurrence).await.map_err(|error| error.to_string());
        match &outcome {
            Ok(_) => invocation.succeed(),
            Err(error) => invocation.fail(error.clone()),
        }
        ManualRun { invocation_id: id, outcome }
    }

    async fn run_and_commit(&self, invocation: &Invocation, occurrence: &Occurrence<'_>) -> Result<Ran, RunError> {
        let (ran, effects) = self.run(invocation, occurrence).await?;
        self.parts.bindings.accounts.commit(AccountId::EMBEDDED, effects).await?;
        Ok(ran)
    }

    fn rules(&self, opened: Timestamp) -> Rules<'_> {
        Rules { schedule: self.schedule(), catch_up: self.trigger.catch_up, opened }
    }

    /// Whether missed occurrences are noticed after a restart.
    fn is_monitored(&self) -> bool {
        self.trigger.use_monitor && !self.schedule().fires_more_than_once_a_minute()
    }

    /// Whether there is anything to keep in a document: occurrences, failed tries, or that outputs were written.
    fn remembers(&self) -> bool {
        self.is_monitored() || self.retry.is_some() || !self.bindings.is_empty()
    }
}
