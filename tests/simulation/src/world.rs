//! One run: a host process over durable rows, clients outside, faults in between, and everything judged as it happens.

mod process;

use crate::actors::{Actor, Gateway};
use crate::author::activities::OutsideSystems;
use crate::author::apps::Deployed;
use crate::clock::{EPOCH, VirtualClock};
use crate::faults::{Fault, Faults, Kind, Plan, Point};
use crate::oracles::{Oracle, Violation, Watch, finally, is_listened_to};
use crate::random::SeededRandomness;
use crate::scheduler::{Process, Scheduler, Step};
use crate::trace::Trace;
use crate::users::UserStores;
use crate::workload::Workload;
use futures::FutureExt;
use ports::{Clock, Orchestrators, QueueStore, Receipt, Receiver, TaskHubStore};
use process::Running;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::MemoryRows;

/// More polls than any run needs that comes to an end.
const MAX_STEPS: u64 = 50_000;
/// More virtual time than any run needs: clients give up before.
const MAX_TIME: Duration = Duration::from_secs(5 * 365 * 86_400);
/// How often a hub with a retention looks for what it need not keep.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(10 * 86_400);
/// How long such a hub is watched after its clients are done: it never comes to rest.
const HOUSEKEEPING_TIME: Duration = Duration::from_secs(200 * 86_400);

/// The numbers of a run.
#[derive(Clone, Debug)]
pub(crate) struct Tuning {
    pub(crate) turn_workers: usize,
    pub(crate) activity_workers: usize,
    /// How many orchestrators are kept alive between turns; 0 replays always.
    pub(crate) live_instances: usize,
    pub(crate) turn_attempts: u32,
    pub(crate) lease_time: Duration,
    /// Operations that an entity gets at once.
    pub(crate) entity_batch: usize,
}

impl Default for Tuning {
    /// The least with which one worker can take over from another.
    fn default() -> Tuning {
        Tuning {
            turn_workers: 2,
            activity_workers: 2,
            live_instances: 100,
            turn_attempts: 3,
            lease_time: Duration::from_secs(60),
            entity_batch: 100,
        }
    }
}

/// Puts something between the engine and its store: how planted bugs get in.
pub(crate) type Wrap = Arc<dyn Fn(Arc<dyn TaskHubStore>, &Arc<Faults>) -> Arc<dyn TaskHubStore>>;

/// The same for users' orchestrators.
pub(crate) type WrapCode = Arc<dyn Fn(Arc<dyn Orchestrators>) -> Arc<dyn Orchestrators>>;

/// The same between listeners and the stores of users' data.
pub(crate) type WrapUsers = Arc<dyn Fn(UserStores, &Arc<Faults>) -> UserStores>;

/// Everything that a run follows from.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) workload: Workload,
    pub(crate) plan: Plan,
    pub(crate) tuning: Tuning,
    pub(crate) wrap: Option<Wrap>,
    /// The same between the engine and whoever watches it: how bugs of the engine itself get in.
    pub(crate) wrap_engine: Option<Wrap>,
    pub(crate) wrap_code: Option<WrapCode>,
    /// The same for users' data, below whoever watches it.
    pub(crate) wrap_users: Option<WrapUsers>,
    /// How many listeners each function has; more than one is a bug of the host.
    pub(crate) listeners: usize,
    /// How one version of the app follows another one.
    pub(crate) handover: Handover,
    /// Whether instances always run on the latest app (`versioning = "latest"`).
    pub(crate) latest: bool,
}

/// What becomes of a generation of the host when the next one begins; all but the first are bugs of the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "bugs are planted by tests alone"))]
pub(crate) enum Handover {
    /// It takes no more work and finishes what it has begun. Timers of the next one wait for that.
    Drains,
    /// It is dropped in the middle of what it does.
    IsDropped,
    /// It is never told.
    GoesOn,
    /// As it should, but timers do not wait.
    TimersAtOnce,
}

impl Setup {
    /// A run without faults.
    pub(crate) fn new(seed: u64, workload: Workload) -> Setup {
        Setup {
            seed,
            workload,
            plan: Plan::none(),
            tuning: Tuning::default(),
            wrap: None,
            wrap_engine: None,
            wrap_code: None,
            wrap_users: None,
            listeners: 1,
            handover: Handover::Drains,
            latest: false,
        }
    }
}

/// What came of a run.
pub(crate) struct Report {
    pub(crate) violation: Option<Violation>,
    pub(crate) points: Vec<Point>,
    pub(crate) injected: Vec<Fault>,
    pub(crate) trace: Trace,
    pub(crate) crashes: u32,
    pub(crate) virtual_time: Duration,
}

/// Does one run.
pub(crate) fn run(setup: &Setup) -> Report {
    let mut world = World::new(setup);
    world.boot();
    for acts in &setup.workload.actors {
        let actor = world.actor();
        world.scheduler.spawn(Process::Outside, actor.run(acts.clone()).boxed());
    }
    world.run_until_idle();
    if world.watch.violation().is_none() {
        world.judge_generations();
        world.collect();
        let store = world.open_store();
        let rest = finally::Rest {
            users: UserStores::of(&store),
            now: world.clock.now(),
            store,
            watch: &world.watch,
            systems: &world.systems,
            workload: &setup.workload,
            clients_are_done: !world.scheduler.is_alive(Process::Outside),
        };
        finally::judge(&rest);
    }
    let (points, injected, trace) = world.faults.finish();
    if world.crashes == 0 && injected.iter().all(|fault| matches!(fault.kind, Kind::Swap)) {
        world.watch.went_well();
    }
    let virtual_time = world.clock.now().saturating_since(EPOCH);
    Report { violation: world.watch.violation(), points, injected, trace, crashes: world.crashes, virtual_time }
}

struct World<'a> {
    setup: &'a Setup,
    clock: VirtualClock,
    scheduler: Scheduler,
    faults: Arc<Faults>,
    watch: Watch,
    rows: MemoryRows,
    randomness: Arc<SeededRandomness>,
    systems: Arc<Mutex<OutsideSystems>>,
    gateway: Gateway,
    deployed: Deployed,
    process: Option<Running>,
    /// How many generations there were, over all processes.
    generations: u32,
    /// What was collected is what these many commits have brought about.
    collected: u64,
    crashes: u32,
}

impl<'a> World<'a> {
    fn new(setup: &'a Setup) -> World<'a> {
        let clock = VirtualClock::new();
        let scheduler = Scheduler::new(clock.clone(), setup.seed);
        let stall = setup.tuning.lease_time * 3;
        let faults = Arc::new(Faults::new(clock.clone(), scheduler.handle(), stall, setup.plan.clone()));
        World {
            setup,
            clock,
            scheduler,
            faults,
            watch: Watch::default(),
            rows: MemoryRows::new(),
            randomness: Arc::new(SeededRandomness::new(setup.seed)),
            systems: Arc::default(),
            gateway: Gateway::default(),
            deployed: Deployed::default(),
            process: None,
            generations: 0,
            collected: 0,
            crashes: 0,
        }
    }

    fn actor(&self) -> Actor {
        Actor {
            gateway: self.gateway.clone(),
            clock: self.clock.clone(),
            watch: self.watch.clone(),
            systems: self.systems.clone(),
            deployed: self.deployed.clone(),
            faults: self.faults.clone(),
        }
    }

    fn run_until_idle(&mut self) {
        let mut clients_done_at = None;
        for _ in 0..MAX_STEPS {
            let step = self.scheduler.step();
            if self.watch.violation().is_some() || step == Step::Idle {
                return;
            }
            if self.setup.workload.retention.is_some() && !self.scheduler.is_alive(Process::Outside) {
                let done_at = *clients_done_at.get_or_insert(self.clock.now());
                if self.clock.now() > done_at.saturating_add(HOUSEKEEPING_TIME) {
                    return;
                }
            }
            self.collect();
            if self.faults.take_crash() {
                self.crash();
                if self.faults.is_on() {
                    self.boot();
                } else {
                    self.watch.goes_down(self.clock.now());
                }
            }
            if let Some(swap) = self.faults.take_swap() {
                self.swap(swap);
            }
            if self.faults.take_power_up() {
                self.watch.comes_up(self.clock.now());
                self.boot();
            }
            if self.clock.now() > EPOCH.saturating_add(MAX_TIME) {
                return self.watch.report(Oracle::Liveness, "after five years there is still something to wait for");
            }
        }
        self.watch.report(Oracle::Liveness, format!("after {MAX_STEPS} steps there is still something to do"));
    }

    /// All that is not durable is gone.
    fn crash(&mut self) {
        self.crashes += 1;
        self.scheduler.kill(Process::Host);
        self.watch.crashed();
        self.process = None;
    }

    /// Takes messages out of the queues that no function listens to: they are what is judged in the end, and would expire.
    fn collect(&mut self) {
        let commits = self.watch.commits_of_effects();
        let Some(hub) = self.hub().filter(|_| commits != self.collected) else { return };
        let collected = async {
            for queue in hub.list_queues("", None, usize::MAX).await?.queues {
                if is_listened_to(&queue.name) {
                    continue;
                }
                for message in hub.receive(&queue.name, usize::MAX, Duration::ZERO, Receiver::Client).await? {
                    let receipt =
                        Receipt { queue: queue.name.clone(), id: message.id, pop_receipt: message.pop_receipt };
                    hub.delete_message(&receipt).await?;
                    self.watch.collected(&queue.name, message.text);
                }
            }
            Ok::<_, ports::QueueError>(())
        };
        if let Some(Ok(())) = collected.now_or_never() {
            self.collected = commits;
        }
    }
}
