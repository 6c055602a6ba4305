//! The stores of users' data that one process has, and the listeners that start functions over them.

use crate::author::triggered;
use crate::clock::{EPOCH, VirtualClock};
use crate::random::SeededRandomness;
use futures::FutureExt;
use futures::future::{BoxFuture, select};
use manifest::Connection;
use ports::{Clock, DocumentStore, EffectStore, PrepareStart, QueueFunctions, QueueStore, TableStore, TimerFunctions};
use std::sync::Arc;
use std::time::Duration;
use task_hub::Stop;
use triggers::accounts::{AccountId, Accounts, StorageAccount};
use triggers::activity::{ActivityBindings, ActivityParts};
use triggers::bindings::BindingParts;
use triggers::queue::{QueueDefaults, QueueParts, QueueTriggers};
use triggers::timer::{TimerParts, TimerTriggers, TimerTurns};

/// The ports to users' data: one store behind all of them, perhaps with something in between.
#[derive(Clone)]
pub(crate) struct UserStores {
    pub(crate) queues: Arc<dyn QueueStore>,
    pub(crate) tables: Arc<dyn TableStore>,
    pub(crate) documents: Arc<dyn DocumentStore>,
    pub(crate) effects: Arc<dyn EffectStore>,
}

impl UserStores {
    /// One store for all of it.
    pub(crate) fn of<S>(store: &Arc<S>) -> UserStores
    where
        S: QueueStore + TableStore + DocumentStore + EffectStore + 'static,
    {
        UserStores { queues: store.clone(), tables: store.clone(), documents: store.clone(), effects: store.clone() }
    }

    /// What bindings need: the default connection leads here.
    fn bindings(&self, starts: Arc<dyn PrepareStart>) -> BindingParts {
        let UserStores { queues, tables, effects, .. } = self.clone();
        let mut accounts = Accounts::new(StorageAccount { queues, tables, effects, pushes: true });
        accounts.connect(Connection::default(), AccountId::EMBEDDED);
        BindingParts { accounts: Arc::new(accounts), starts }
    }
}

/// What stands around the activities of these functions.
pub(crate) fn activity_bindings(
    functions: &[&str],
    stores: &UserStores,
    starts: Arc<dyn PrepareStart>,
    clock: &VirtualClock,
    randomness: &Arc<SeededRandomness>,
) -> ActivityBindings {
    let bindings = stores.bindings(starts);
    let parts = ActivityParts { bindings, clock: Arc::new(clock.clone()), randomness: randomness.clone() };
    ActivityBindings::new(&triggered::app(functions), parts).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// What the listeners of a process are made of.
pub(crate) struct Listening {
    pub(crate) stores: UserStores,
    pub(crate) queue_functions: Arc<dyn QueueFunctions>,
    pub(crate) timer_functions: Arc<dyn TimerFunctions>,
    pub(crate) starts: Arc<dyn PrepareStart>,
    pub(crate) clock: VirtualClock,
    pub(crate) randomness: Arc<SeededRandomness>,
}

impl Listening {
    /// The listeners of these functions, until they are told to stop. Those of timers end so long after the beginning of the world:
    /// they would never rest.
    pub(crate) fn listeners(
        self,
        functions: &[&str],
        timers_for: Duration,
        turns: &TimerTurns,
        stop: &Stop,
    ) -> Vec<BoxFuture<'static, ()>> {
        let bindings = self.stores.bindings(self.starts);
        let documents = self.stores.documents;
        let clock = Arc::new(self.clock.clone());
        let app = triggered::app(functions);
        let queue_parts = QueueParts {
            functions: self.queue_functions,
            bindings: bindings.clone(),
            clock: clock.clone(),
            randomness: self.randomness.clone(),
        };
        let timer_parts =
            TimerParts { functions: self.timer_functions, documents, bindings, clock, randomness: self.randomness };
        let queues = QueueTriggers::new(&app, &queue_parts, QueueDefaults::for_cores(1))
            .unwrap_or_else(|errors| panic!("{errors:?}"));
        let timers = TimerTriggers::new(&app, &timer_parts).unwrap_or_else(|errors| panic!("{errors:?}"));
        let queues = queues.listeners().into_iter().map(|listener| {
            let stop = stop.clone();
            async move { listener.run(stop).await }.boxed()
        });
        let end = self.clock.sleep_until(EPOCH.saturating_add(timers_for));
        let stopping = select(stop.clone(), end).map(drop).boxed().shared();
        queues.chain(turns.next(timers.listeners(), &stopping)).collect()
    }
}
