//! What starts functions besides requests, and what functions are bound to: accounts, queue listeners, timers.

use anyhow::anyhow;
use azure_storage::client::Components;
use futures::FutureExt;
use futures::future::BoxFuture;
use ports::{Clock, PrepareStart, Randomness};
use std::sync::Arc;
use std::time::Duration;
use triggers::accounts::StorageAccount;
use triggers::bindings::{BindingParts, BindingSetupError};
use triggers::queue::{QueueDefaults, QueueParts, QueueTriggers};
use triggers::timer::{ANNOUNCED_OCCURRENCES, TimerParts, TimerTriggers, TimerTurns};

use super::{Assembly, app_is_wrong};
use crate::accounts::accounts;
use crate::exit::Problem;
use crate::invocations::Counted;
use crate::machine;
use crate::shutdown::Stopping;

/// How often queues of other accounts are looked into at least, where a developer waits for it; Azure's tools do the same.
const DEVELOPERS_POLLING_INTERVAL: Duration = Duration::from_secs(2);

/// What starts functions besides requests.
pub(crate) struct Triggers {
    /// Functions with queue triggers.
    pub(crate) queues: QueueTriggers,
    /// Functions with timer triggers.
    pub(crate) timers: TimerTriggers,
}

impl Assembly<'_> {
    /// Where the bindings of the app lead.
    ///
    /// # Errors
    /// Every connection that leads nowhere.
    pub(super) fn binding_parts(self, starts: Arc<dyn PrepareStart>) -> Result<BindingParts, Problem> {
        let Assembly { host, app, edition } = self;
        let store = &app.store;
        let embedded =
            StorageAccount { queues: store.clone(), tables: store.clone(), effects: store.clone(), pushes: true };
        let components =
            Components { http: host.outbound.clone(), clock: host.clock.clone(), randomness: host.randomness.clone() };
        let accounts = accounts(&edition.located.app, &edition.settings.values, embedded, &components)
            .map_err(|problems| app_is_wrong(&problems))?;
        Ok(BindingParts { accounts: Arc::new(accounts), starts })
    }

    /// The queue and timer functions of the app. Nothing runs yet.
    ///
    /// # Errors
    /// Every binding that leads nowhere.
    pub(super) fn triggers(
        self,
        bindings: &BindingParts,
        functions: &Arc<Counted<guest::App>>,
    ) -> Result<Triggers, Problem> {
        let Assembly { host, app: hosted, edition } = self;
        let (clock, randomness): (Arc<dyn Clock>, Arc<dyn Randomness>) = (host.clock.clone(), host.randomness.clone());
        let queues = QueueParts {
            functions: functions.clone(),
            bindings: bindings.clone(),
            clock: clock.clone(),
            randomness: randomness.clone(),
        };
        let timers = TimerParts {
            functions: functions.clone(),
            documents: hosted.store.clone(),
            bindings: bindings.clone(),
            clock,
            randomness,
        };
        let cores = u32::try_from(machine::cores()).unwrap_or(u32::MAX);
        let mut defaults = QueueDefaults::for_cores(cores);
        if host.address.ip().is_loopback() {
            defaults.max_polling_interval = DEVELOPERS_POLLING_INTERVAL;
        }
        let app = &edition.located.app;
        let cannot_set_up = |errors: Vec<BindingSetupError>| self.cannot_set_up(&errors);
        Ok(Triggers {
            queues: QueueTriggers::new(app, &queues, defaults).map_err(cannot_set_up)?,
            timers: TimerTriggers::new(app, &timers).map_err(cannot_set_up)?,
        })
    }

    /// What is wrong with bindings, each with the line of its function.
    pub(super) fn cannot_set_up(self, errors: &[BindingSetupError]) -> Problem {
        if errors.is_empty() {
            return Problem::Host(anyhow!("a binding could not be set up"));
        }
        let located = &self.edition.located;
        let problems: Vec<String> = errors.iter().map(|error| located.place(&error.function, error)).collect();
        app_is_wrong(&problems)
    }
}

impl Triggers {
    /// One for each queue function that is not disabled; each listens until `stopping` completes.
    pub(super) fn queue_listeners(&self, stopping: &Stopping) -> Vec<BoxFuture<'static, ()>> {
        let listeners = self.queues.listeners().into_iter().map(|listener| {
            let stopping = stopping.clone();
            async move { listener.run(stopping).await }.boxed()
        });
        listeners.collect()
    }

    /// One for each timer that is not disabled; each waits for its turn and then runs until `stopping` completes.
    pub(super) fn timer_listeners(&self, turns: &TimerTurns, stopping: &Stopping) -> Vec<BoxFuture<'static, ()>> {
        let timers = turns.next(self.timers.listeners(), stopping).into_iter().map(|timer| {
            let stopping = stopping.clone();
            async move {
                timer.await;
                // A schedule that has come to its end is no reason to stop the host.
                stopping.await;
            }
            .boxed()
        });
        timers.collect()
    }

    /// The next occurrences of each timer, for people.
    pub(crate) fn occurrences(&self) -> Vec<(String, Vec<String>)> {
        let listeners = self.timers.listeners();
        let occurrences = listeners.iter().map(|listener| {
            let next = listener.next_occurrences(ANNOUNCED_OCCURRENCES);
            (listener.function().to_owned(), next.iter().map(ToString::to_string).collect())
        });
        occurrences.collect()
    }
}
