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
use triggers::timer::{ANNOUNCED_OCCURRENCES, TimerParts, TimerTriggers};

use super::{Site, World, app_is_wrong};
use crate::accounts::accounts;
use crate::exit::Problem;
use crate::invocations::Counted;
use crate::machine;
use crate::outbound::Outbound;
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

/// Where the bindings of the app lead.
///
/// # Errors
/// Every connection that leads nowhere.
pub(super) fn binding_parts(
    site: &Site,
    world: &World,
    store: &Arc<storage::TaskHub>,
    starts: Arc<dyn PrepareStart>,
    outbound: Arc<Outbound>,
) -> Result<BindingParts, Problem> {
    let embedded =
        StorageAccount { queues: store.clone(), tables: store.clone(), effects: store.clone(), pushes: true };
    let components = Components { http: outbound, clock: world.clock.clone(), randomness: world.randomness.clone() };
    let accounts = accounts(&site.located.app, &site.settings.values, embedded, &components)
        .map_err(|problems| app_is_wrong(&problems))?;
    Ok(BindingParts { accounts: Arc::new(accounts), starts })
}

/// The queue and timer functions of the app. Nothing runs yet.
///
/// # Errors
/// Every binding that leads nowhere.
pub(super) fn triggers(
    site: &Site,
    world: &World,
    bindings: &BindingParts,
    functions: &Arc<Counted<guest::App>>,
    store: &Arc<storage::TaskHub>,
) -> Result<Triggers, Problem> {
    let (clock, randomness): (Arc<dyn Clock>, Arc<dyn Randomness>) = (world.clock.clone(), world.randomness.clone());
    let queues = QueueParts {
        functions: functions.clone(),
        bindings: bindings.clone(),
        clock: clock.clone(),
        randomness: randomness.clone(),
    };
    let timers = TimerParts {
        functions: functions.clone(),
        documents: store.clone(),
        bindings: bindings.clone(),
        clock,
        randomness,
    };
    let cores = u32::try_from(machine::cores()).unwrap_or(u32::MAX);
    let mut defaults = QueueDefaults::for_cores(cores);
    if site.address.ip().is_loopback() {
        defaults.max_polling_interval = DEVELOPERS_POLLING_INTERVAL;
    }
    let cannot_set_up = |errors: Vec<BindingSetupError>| cannot_set_up(site, &errors);
    Ok(Triggers {
        queues: QueueTriggers::new(&site.located.app, &queues, defaults).map_err(cannot_set_up)?,
        timers: TimerTriggers::new(&site.located.app, &timers).map_err(cannot_set_up)?,
    })
}

impl Triggers {
    /// One for each function that is not disabled; each listens until `stopping` completes. Timers only if `with_timers`.
    pub(super) fn listeners(&self, with_timers: bool, stopping: &Stopping) -> Vec<BoxFuture<'static, ()>> {
        let queues = self.queues.listeners().into_iter().map(|listener| {
            let stopping = stopping.clone();
            async move { listener.run(stopping).await }.boxed()
        });
        let timers = self.timers.listeners().into_iter().filter(|_| with_timers).map(|listener| {
            let stopping = stopping.clone();
            async move {
                listener.run(stopping.clone()).await;
                // A schedule that has come to its end is no reason to stop the host.
                stopping.await;
            }
            .boxed()
        });
        queues.chain(timers).collect()
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

/// What is wrong with bindings, each with the line of its function.
pub(super) fn cannot_set_up(site: &Site, errors: &[BindingSetupError]) -> Problem {
    if errors.is_empty() {
        return Problem::Host(anyhow!("a binding could not be set up"));
    }
    let problems: Vec<String> = errors.iter().map(|error| site.located.place(&error.function, error)).collect();
    app_is_wrong(&problems)
}
