//! One life of a timer: waits, runs what is due, and makes durable what came of it.

use super::execution::{Occurrence, RunError};
use super::standing::{Pending, Reason, Rules, Run, Standing};
use super::{ANNOUNCED_OCCURRENCES, Timer};
use crate::accounts::AccountId;
use crate::concurrency::Place;
use crate::invocation::{Invocation, new_invocation_id};
use crate::retry::{backoff, delay_after};
use futures::future::{BoxFuture, Either, FutureExt, Shared, select};
use manifest::schedule::Schedule;
use orchestration::Timestamp;
use ports::{
    Clock, DocumentError, DocumentWrite, EffectError, Effects, Expecting, GuestFault, RetryContext, StoreError,
};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// Waits while the store or the host cannot do what is asked, from the first to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Azure's words for why a run takes place at another moment than the schedule's.
const PAST_DUE: &str = "IsPastDue";
const RUN_ON_STARTUP: &str = "RunOnStartup";

/// Completes when the host stops.
type Stopping = Shared<BoxFuture<'static, ()>>;

/// Runs one function by its schedule.
pub struct TimerListener {
    timer: Arc<Timer>,
}

impl TimerListener {
    pub(super) fn new(timer: Arc<Timer>) -> TimerListener {
        TimerListener { timer }
    }

    /// The function's name.
    pub fn function(&self) -> &str {
        &self.timer.function
    }

    /// Its schedule.
    pub fn schedule(&self) -> &Schedule {
        self.timer.schedule()
    }

    /// The next occurrences of the schedule, counted from now. An interval that had begun before goes on from there instead.
    pub fn next_occurrences(&self, count: usize) -> Vec<Timestamp> {
        self.timer.next_occurrences(count)
    }

    /// Runs the function whenever it is due until `stopping` completes, and then until the run that is under way has come to its end. Nothing
    /// that goes wrong ends it before. Dropping the future stops the run in the middle: the next life of the host runs it again.
    pub async fn run(&self, stopping: impl Future<Output = ()> + Send + 'static) {
        self.live(self.now(), true, stopping).await;
    }

    /// The same, as the next version of an app in a process where another one has followed the schedule from `since` until now: what
    /// became due in between was not missed.
    pub(super) async fn go_on(&self, since: Timestamp, stopping: impl Future<Output = ()> + Send + 'static) {
        self.live(since, false, stopping).await;
    }

    async fn live(&self, opened: Timestamp, fresh: bool, stopping: impl Future<Output = ()> + Send + 'static) {
        let life = Life {
            timer: &self.timer,
            stopping: stopping.boxed().shared(),
            rules: self.timer.rules(opened),
            known: None,
            fresh,
            starting: self.timer.trigger.run_on_startup,
            pauses: 0,
        };
        life.live().await;
    }

    pub(super) fn now(&self) -> Timestamp {
        self.timer.parts.clock.now()
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.timer.parts.clock)
    }
}

/// One life of a listener.
struct Life<'t> {
    timer: &'t Timer,
    stopping: Stopping,
    rules: Rules<'t>,
    /// Of a timer that keeps no document; none before its first round.
    known: Option<Standing>,
    /// Nothing has been read in this life yet, and it is not one that goes on.
    fresh: bool,
    /// The run of `runOnStartup` is still to come.
    starting: bool,
    /// How many rounds in a row had to be given up.
    pauses: u32,
}

/// What became of a try.
enum Ended {
    /// It succeeded, and what it produced is durable.
    Committed,
    /// It failed for good: the try counts.
    Failed(String),
    /// The host could not run it: the try does not count.
    NotNow(String),
    /// Somebody else has written what is remembered: nothing of the try is there.
    Overtaken,
    /// The host stops, and the store cannot say whether the try's commit happened.
    Stopped,
}

impl Life<'_> {
    async fn live(mut self) {
        self.announce();
        while self.round().await.is_some() {}
    }

    /// One run, or a part of the way to it. None: the host stops.
    async fn round(&mut self) -> Option<()> {
        let recalled = self.unless_stopped(self.recall()).await?;
        let (standing, version) = match recalled {
            Ok(recalled) => recalled,
            Err(error) => {
                let function = &self.timer.function;
                tracing::warn!(function, %error, "what is remembered of a timer could not be read; it waits");
                return self.pause().await;
            }
        };
        self.fresh = false;
        if !self.timer.remembers() {
            self.known = Some(standing.clone());
        }
        let due =
            if self.starting { Some(self.rules.startup(&standing, self.now())) } else { self.rules.due(&standing) };
        let Some(Pending { run, at }) = due else {
            tracing::info!(function = self.timer.function, "the schedule has no further occurrence");
            self.stopping.clone().await;
            return None;
        };
        self.unless_stopped(self.wait_until(at)).await?;
        let place = self.unless_stopped(self.timer.gate.enter()).await?;
        self.perform(run, &standing, version, place).await
    }

    /// Runs one try and sees to what follows from it.
    async fn perform(&mut self, run: Run, standing: &Standing, version: Expecting, place: Option<Place>) -> Option<()> {
        let now = self.now();
        let began = run.began.unwrap_or(now);
        let mut invocation = self.begin(&run, now, place);
        let ended = self.attempt(&invocation, &run, began, standing, version).await;
        match ended {
            Ended::Committed => {
                invocation.succeed();
                drop(invocation);
                (self.starting, self.pauses) = (false, 0);
                Some(())
            }
            Ended::Failed(why) => {
                invocation.fail(why);
                drop(invocation);
                (self.starting, self.pauses) = (false, 0);
                let failed = self.after_failure(&run, began, standing);
                self.remember(failed, version).await
            }
            Ended::NotNow(why) => {
                invocation.fail(why);
                drop(invocation);
                self.pause().await
            }
            Ended::Overtaken => {
                invocation.fail("somebody else has run this timer; nothing of this run was kept".to_owned());
                drop(invocation);
                self.pause().await
            }
            Ended::Stopped => None,
        }
    }

    /// One try: the function, and the commit of its outputs together with where the timer stands then.
    async fn attempt(
        &mut self,
        invocation: &Invocation,
        run: &Run,
        began: Timestamp,
        standing: &Standing,
        version: Expecting,
    ) -> Ended {
        let occurrence = Occurrence {
            run: *run,
            next: self.rules.following(run, began),
            standing,
            retry: RetryContext {
                retry_count: run.failures,
                max_retry_count: self.timer.retry.as_ref().and_then(|policy| policy.max_retry_count),
            },
        };
        let mut effects = match self.timer.run(invocation, &occurrence).await {
            Ok((_, effects)) => effects,
            Err(RunError::Fault(fault @ GuestFault::Unavailable { .. })) => return Ended::NotNow(fault.to_string()),
            Err(error) => return Ended::Failed(error.to_string()),
        };
        if let Err(error) = self.timer.parts.bindings.accounts.commit_outside(AccountId::EMBEDDED, &effects).await {
            return Ended::Failed(RunError::Commit(error).to_string());
        }
        let after = self.rules.after(standing, run, began, self.now());
        let after = Standing { invocation: Some(invocation.id().to_owned()), ..after };
        if !self.timer.remembers() {
            self.known = Some(after);
            return Ended::Committed;
        }
        let content = after.to_json();
        let documents = vec![self.write(content.clone(), version)];
        effects.push((AccountId::EMBEDDED, Effects { documents, ..Effects::default() }));
        self.commit(&effects, &content).await
    }

    /// Commits until it is certain whether it happened: a store that could not say is asked again, and the document tells.
    async fn commit(&mut self, effects: &[(AccountId, Effects)], content: &[u8]) -> Ended {
        loop {
            let uncertain = match self.timer.parts.bindings.accounts.commit_home(AccountId::EMBEDDED, effects).await {
                Ok(()) => return Ended::Committed,
                Err(EffectError::DocumentChanged { .. }) => match self.is_stored(content).await {
                    Ok(true) => return Ended::Committed,
                    Ok(false) => return Ended::Overtaken,
                    Err(error) => error,
                },
                Err(EffectError::Store(error @ StoreError::Unavailable { .. })) => error,
                Err(
                    error @ (EffectError::MessageLost { .. }
                    | EffectError::EntityRefused { .. }
                    | EffectError::Outside(_)
                    | EffectError::Store(StoreError::LeaseLost { .. } | StoreError::Corrupt { .. })),
                ) => return Ended::Failed(RunError::Commit(error).to_string()),
            };
            let function = &self.timer.function;
            tracing::warn!(function, error = %uncertain, "the outputs of a timer could not be written yet; trying again");
            if self.pause().await.is_none() {
                return Ended::Stopped;
            }
        }
    }

    /// Whether the document is what this try wrote. It names the invocation, so that no other could have written the same.
    async fn is_stored(&self, content: &[u8]) -> Result<bool, StoreError> {
        let document = self.timer.parts.documents.document(&self.timer.document).await?;
        Ok(document.is_some_and(|document| document.content == content))
    }

    /// Where the timer stands, with what the document must be for the next write.
    async fn recall(&self) -> Result<(Standing, Expecting), DocumentError> {
        let now = self.now();
        if !self.timer.remembers() {
            let standing =
                self.known.clone().map_or_else(|| self.rules.begin(now), |known| self.rules.resume(known, now));
            return Ok((standing, Expecting::Anything));
        }
        let document = self.timer.parts.documents.document(&self.timer.document).await?;
        let version = document.as_ref().map_or(Expecting::Nothing, |document| Expecting::Version(document.version));
        let remembered = document.and_then(|document| match Standing::from_json(&document.content) {
            Ok(standing) => Some(standing),
            Err(error) => {
                let document = &self.timer.document;
                tracing::warn!(document, error, "what is remembered of a timer cannot be read; it begins anew");
                None
            }
        });
        let standing = match remembered.clone() {
            // Whoever is not monitored forgets its occurrences with each life, but not that a run is to be tried again.
            Some(Standing { pending, invocation, .. }) if self.fresh && !self.timer.is_monitored() => {
                Standing { pending, invocation, ..self.rules.begin(now) }
            }
            Some(remembered) => self.rules.resume(remembered, now),
            None => self.rules.begin(now),
        };
        if remembered.as_ref() == Some(&standing) {
            return Ok((standing, version));
        }
        // Written before it is acted upon: an occurrence that passes while the host is down was promised from now on.
        let versions =
            self.timer.parts.documents.write_documents(vec![self.write(standing.to_json(), version)]).await?;
        let version = versions.into_iter().next().flatten().map_or(Expecting::Nothing, Expecting::Version);
        Ok((standing, version))
    }

    /// Where the timer stands after a failed try: it is tried again, or given up.
    fn after_failure(&self, run: &Run, began: Timestamp, standing: &Standing) -> Standing {
        let now = self.now();
        let failures = run.failures.saturating_add(1);
        let policy = self.timer.retry.as_ref();
        match policy.and_then(|policy| delay_after(policy, failures, &*self.timer.parts.randomness)) {
            Some(delay) => {
                let at = now.saturating_add(delay);
                tracing::info!(function = self.timer.function, retry = failures, %at, "the run is tried again");
                let run = Run { began: Some(began), failures, ..*run };
                Standing { pending: Some(Pending { run, at }), updated: now, ..standing.clone() }
            }
            None => self.rules.after(standing, run, began, now),
        }
    }

    /// Makes a standing durable that no output depends on. Somebody else's write is found in the next round.
    async fn remember(&mut self, standing: Standing, version: Expecting) -> Option<()> {
        if !self.timer.remembers() {
            self.known = Some(standing);
            return Some(());
        }
        let content = standing.to_json();
        loop {
            let write = vec![self.write(content.clone(), version)];
            match self.timer.parts.documents.write_documents(write).await {
                Ok(_) | Err(DocumentError::Changed { .. }) => return Some(()),
                Err(DocumentError::Store(error)) => {
                    let function = &self.timer.function;
                    tracing::warn!(function, %error, "the state of a timer could not be written yet; trying again");
                }
            }
            self.pause().await?;
        }
    }

    fn write(&self, content: Vec<u8>, expecting: Expecting) -> DocumentWrite {
        DocumentWrite { name: self.timer.document.clone(), expecting, content: Some(content) }
    }

    /// Begins the invocation with the lines that Azure Functions logs.
    fn begin(&self, run: &Run, now: Timestamp, place: Option<Place>) -> Invocation {
        let timer = self.timer;
        let id = new_invocation_id(&*timer.parts.randomness);
        let reason = format!("Timer fired at {now}");
        let places = place.into_iter().collect();
        let invocation = Invocation::begin(&timer.function, &id, &reason, Arc::clone(&timer.parts.clock), places);
        let scheduled = run.scheduled;
        match run.reason {
            Reason::Schedule => {}
            Reason::PastDue => tracing::info!(
                parent: invocation.span(),
                "Trigger Details: UnscheduledInvocationReason: {PAST_DUE}, OriginalSchedule: {scheduled}"
            ),
            Reason::Startup => tracing::info!(
                parent: invocation.span(),
                "Trigger Details: UnscheduledInvocationReason: {RUN_ON_STARTUP}"
            ),
        }
        invocation
    }

    fn announce(&self) {
        let (function, schedule) = (&self.timer.function, &self.timer.schedule());
        let next: Vec<String> =
            self.timer.next_occurrences(ANNOUNCED_OCCURRENCES).iter().map(Timestamp::to_string).collect();
        tracing::debug!(function, %schedule, next = next.join(" "), "the next occurrences of the schedule");
    }

    /// Waits for a moment as the clock tells it, however often it is woken before.
    async fn wait_until(&self, moment: Timestamp) {
        while self.now() < moment {
            self.timer.parts.clock.sleep_until(moment).await;
        }
    }

    /// Waits a while, longer each time in a row. None: the host stops.
    async fn pause(&mut self) -> Option<()> {
        let pause = backoff(SHORTEST_PAUSE, LONGEST_PAUSE, self.pauses, &*self.timer.parts.randomness);
        self.pauses = self.pauses.saturating_add(1);
        let until = self.now().saturating_add(pause);
        self.unless_stopped(self.wait_until(until)).await
    }

    /// The future's answer; none if the host stops first.
    async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        match select(self.stopping.clone(), pin!(future)).await {
            Either::Left(_) => None,
            Either::Right((answer, _)) => Some(answer),
        }
    }

    fn now(&self) -> Timestamp {
        self.timer.parts.clock.now()
    }
}
