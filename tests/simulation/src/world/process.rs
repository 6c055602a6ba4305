//! Processes and their generations: what one process is made of, what each version of the app in it has for itself, and how one
//! version follows another one.

use super::{HOUSEKEEPING_INTERVAL, Handover, World};
use crate::actors::{Answering, Gone};
use crate::author::entities::AuthorEntities;
use crate::author::guest::Programs;
use crate::author::runner::AuthorActivities;
use crate::author::triggered::{Bound, Scripted};
use crate::faults::{
    FaultyActivities, FaultyEntities, FaultyOrchestrators, FaultyStore, FaultyTriggered, FaultyUsers, Swap,
};
use crate::oracles::{Oracle, Tap, UsersTap, WatchedTriggered};
use crate::scheduler::{Process, TaskId};
use crate::users::{Listening, UserStores, activity_bindings};
use crate::workload::Workload;
use futures::FutureExt;
use futures::channel::oneshot;
use ports::{Activities, Clock, Entities, Orchestrators, QueueStore, TaskHubStore};
use std::sync::Arc;
use task_hub::{Client, ClientParts, Parts, Retention, Settings, Stop, TaskHub};
use triggers::timer::TimerTurns;

/// A process, with what stays while versions of the app come and go.
pub(super) struct Running {
    hub: Arc<storage::TaskHub>,
    /// The same with whatever the setup puts around it.
    store: Arc<dyn TaskHubStore>,
    users: UserStores,
    timer_turns: TimerTurns,
    present: Generation,
    /// The tasks of generations that were told to end.
    departing: Vec<TaskId>,
    /// Dropped when the process dies, which is how its clients hear of it.
    _alive: oneshot::Sender<()>,
    gone: Gone,
}

/// What one version of the app has running.
#[derive(Default)]
struct Generation {
    /// Dropping it tells them to end.
    stop: Option<oneshot::Sender<()>>,
    tasks: Vec<TaskId>,
}

impl World<'_> {
    pub(super) fn hub(&self) -> Option<Arc<storage::TaskHub>> {
        self.process.as_ref().map(|process| process.hub.clone())
    }

    /// Starts a process over what is durable.
    pub(super) fn boot(&mut self) {
        let hub = self.open_store();
        let users = self.users(&hub);
        let store: Arc<dyn TaskHubStore> = match &self.setup.wrap {
            Some(wrap) => wrap(hub.clone(), &self.faults),
            None => hub.clone(),
        };
        let (alive, gone) = oneshot::channel();
        let process = Running {
            hub,
            store,
            users,
            timer_turns: TimerTurns::default(),
            present: Generation::default(),
            departing: Vec::new(),
            _alive: alive,
            gone: gone.map(drop).boxed().shared(),
        };
        self.begin(process);
    }

    /// The next version of the app begins, and the one before is told to end; without a process, the next one begins with it.
    pub(super) fn swap(&mut self, swap: Swap) {
        if swap == Swap::Rebuilt {
            self.deployed.rebuild();
        }
        let Some(mut process) = self.process.take() else { return };
        let Generation { stop, tasks } = std::mem::take(&mut process.present);
        match self.setup.handover {
            Handover::Drains | Handover::TimersAtOnce => {
                drop(stop);
                process.departing.extend(tasks);
            }
            Handover::IsDropped => self.scheduler.drop_tasks(&tasks),
            // Whoever holds the word never says it.
            Handover::GoesOn => std::mem::forget(stop),
        }
        if self.setup.handover == Handover::TimersAtOnce {
            process.timer_turns = TimerTurns::default();
        }
        self.begin(process);
    }

    /// Whoever was told to end has ended, once everything is at rest.
    pub(super) fn judge_generations(&self) {
        let departing = self.process.iter().flat_map(|process| &process.departing);
        let left = departing.filter(|task| self.scheduler.is_there(**task)).count();
        if left > 0 {
            let detail = format!("{left} tasks of a generation are still there that was told to end");
            self.watch.report(Oracle::Handover, detail);
        }
    }

    /// Begins the deployed version of the app in a process.
    fn begin(&mut self, mut process: Running) {
        self.generations += 1;
        let (sender, stop) = oneshot::channel();
        let stop: Stop = stop.map(drop).boxed().shared();
        let settings = self.settings();
        let store = Arc::new(FaultyStore::new(self.watched(&process), self.faults.clone()));
        let entities = AuthorEntities { clock: self.clock.clone(), watch: self.watch.clone() };
        let parts = ClientParts {
            store: store.clone(),
            clock: Arc::new(self.clock.clone()),
            randomness: self.randomness.clone(),
            orchestrators: self.programs().names(),
            entities: entities.names(),
        };
        let client = Client::new(parts, &settings);
        let mut tasks = self.listen(&process, &client, &stop);
        let activities = self.activities(&process.users, &client);
        let parts = Parts {
            store,
            orchestrators: Arc::new(FaultyOrchestrators { inner: self.programs(), faults: self.faults.clone() }),
            activities: Arc::new(FaultyActivities { inner: activities, faults: self.faults.clone() }),
            entities: Arc::new(FaultyEntities { inner: Arc::new(entities), faults: self.faults.clone() }),
            clock: Arc::new(self.clock.clone()),
            randomness: self.randomness.clone(),
        };
        for worker in TaskHub::new(parts, settings).workers(&stop) {
            tasks.push(self.scheduler.spawn(Process::Host, worker));
        }
        process.present = Generation { stop: Some(sender), tasks };
        self.gateway.serve(Answering { client, users: process.users.clone(), gone: process.gone.clone() });
        self.process = Some(process);
    }

    /// The store as a generation has it, under the faults.
    fn watched(&self, process: &Running) -> Arc<dyn TaskHubStore> {
        let (inner, watch) = (process.store.clone(), self.watch.clone());
        let tap = Tap { inner, watch, clock: self.clock.clone(), generation: self.generations };
        match &self.setup.wrap_engine {
            Some(wrap) => wrap(Arc::new(tap), &self.faults),
            None => Arc::new(tap),
        }
    }

    /// Users' data as a process sees it. What the last one held can be received again.
    fn users(&self, hub: &Arc<storage::TaskHub>) -> UserStores {
        let stores = UserStores::of(hub);
        let inner = match &self.setup.wrap_users {
            Some(wrap) => wrap(stores, &self.faults),
            None => stores,
        };
        let now = self.clock.now();
        let mut visible = Vec::new();
        for queue in self.watch.queues_of_orphans() {
            visible.extend(hub.peek(&queue, usize::MAX).now_or_never().and_then(Result::ok).unwrap_or_default());
        }
        self.watch.adopts(&visible, now);
        let tap = UsersTap { inner, hub: hub.clone(), watch: self.watch.clone(), clock: self.clock.clone() };
        UserStores::of(&Arc::new(FaultyUsers { inner: tap.around(), faults: self.faults.clone() }))
    }

    fn activities(&self, users: &UserStores, client: &Client) -> Arc<dyn Activities> {
        let (clock, functions) = (self.clock.clone(), &self.setup.workload.functions);
        let inner = Arc::new(AuthorActivities { clock, systems: self.systems.clone(), watch: self.watch.clone() });
        if functions.is_empty() {
            return inner;
        }
        let bindings = activity_bindings(functions, users, Arc::new(client.clone()), &self.clock, &self.randomness);
        Arc::new(Bound { inner, bindings })
    }

    fn listen(&mut self, process: &Running, client: &Client, stop: &Stop) -> Vec<TaskId> {
        let mut tasks = Vec::new();
        if self.setup.workload.functions.is_empty() {
            return tasks;
        }
        let functions = || {
            let inner = FaultyTriggered { inner: Scripted { clock: self.clock.clone() }, faults: self.faults.clone() };
            Arc::new(WatchedTriggered { inner, watch: self.watch.clone(), generation: self.generations })
        };
        for n in 0..self.setup.listeners {
            let listening = Listening {
                stores: process.users.clone(),
                queue_functions: functions(),
                timer_functions: functions(),
                starts: Arc::new(client.clone()),
                clock: self.clock.clone(),
                randomness: self.randomness.clone(),
            };
            let Workload { functions, timers_for, .. } = &self.setup.workload;
            // A second listener is a bug, and does not wait for its turn either.
            let own = TimerTurns::default();
            let turns = if n == 0 { &process.timer_turns } else { &own };
            for listener in listening.listeners(functions, *timers_for, turns, stop) {
                tasks.push(self.scheduler.spawn(Process::Host, listener));
            }
        }
        tasks
    }

    fn programs(&self) -> Arc<dyn Orchestrators> {
        let programs =
            Arc::new(Programs { app: self.deployed.app(), watch: self.watch.clone(), generation: self.generations });
        match &self.setup.wrap_code {
            Some(wrap) => wrap(programs),
            None => programs,
        }
    }

    pub(super) fn open_store(&self) -> Arc<storage::TaskHub> {
        let settings = storage::Settings { lease_time: self.setup.tuning.lease_time, ..storage::Settings::default() };
        Arc::new(storage::reopen(&self.rows, Arc::new(self.clock.clone()), settings))
    }

    fn settings(&self) -> Settings {
        let tuning = &self.setup.tuning;
        Settings {
            concurrent_turns: tuning.turn_workers,
            concurrent_activities: tuning.activity_workers,
            live_instances: tuning.live_instances,
            turn_attempts: tuning.turn_attempts,
            entity_batch_size: tuning.entity_batch,
            present: self.deployed.app().present(!self.setup.latest),
            version_gate: self.deployed.app().gate(),
            retention: Retention { completed: self.setup.workload.retention, ..Retention::default() },
            housekeeping_interval: HOUSEKEEPING_INTERVAL,
            ..Settings::for_cores(1)
        }
    }
}
