//! The numbers and rules that a user may tune, apart from the parts of the engine.

use orchestration::{FailureStrategy, HttpSettings, Limits, PresentApp, Reuse, RuntimeStatus, VersionGate};
use std::time::Duration;

/// How the engine works. Each field names the manifest key that sets it, under `host.durableTask`.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The hub's name (`hubName`): ids that follow from idempotency keys are made of it.
    pub hub_name: String,
    /// Turns at once (`maxConcurrentOrchestratorFunctions`).
    pub concurrent_turns: usize,
    /// Activities at once (`maxConcurrentActivityFunctions`).
    pub concurrent_activities: usize,
    /// Orchestrators kept in memory between their turns (`liveInstances`); 0 replays the history at every turn.
    pub live_instances: usize,
    /// What they may hold together, in bytes (`liveInstanceBytes`).
    pub live_instance_bytes: usize,
    /// How often a turn is tried whose guest traps, before the instance, or the entity's operation, fails
    /// (`maxTurnAttempts`); at least 1.
    pub turn_attempts: u32,
    /// The pause before a turn is tried again; it doubles with each attempt.
    pub turn_retry_pause: Duration,
    /// The pause before the version of a rejected instance is looked at again.
    pub version_retry_pause: Duration,
    /// Bounds on one instance (each names its key), and `max_payload_bytes` on what a client may send.
    pub limits: Limits,
    /// HTTP calls of orchestrators (`httpSettings`).
    pub http: HttpSettings,
    /// Operations that an entity gets at once (`maxEntityOperationBatchSize`); at least 1.
    pub entity_batch_size: usize,
    /// Whether a failed operation leaves an entity as it was before (`rollbackEntityOperationsOnExceptions`).
    pub roll_back: bool,
    /// The app as it is now: its digest (none with `app.versioning = "latest"`) and `defaultVersion`.
    pub present: PresentApp,
    /// Which versions this app runs (`defaultVersion`, `versionMatchStrategy`).
    pub version_gate: VersionGate,
    /// What becomes of the others (`versionFailureStrategy`).
    pub version_failure: FailureStrategy,
    /// Which instances a start with their id replaces (`overridableExistingInstanceStates`).
    pub reuse: Reuse,
    /// How long instances are kept after they ended (`retention`).
    pub retention: Retention,
    /// How often the engine looks for instances that were kept long enough; more often if the shortest retention is shorter
    /// than twice that.
    pub housekeeping_interval: Duration,
}

/// How long instances are kept after they ended, by how they ended; none: for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Retention {
    /// Completed ones (`retention.completed`).
    pub completed: Option<Duration>,
    /// Failed ones (`retention.failed`). What is purged cannot be rewound.
    pub failed: Option<Duration>,
    /// Terminated ones (`retention.terminated`).
    pub terminated: Option<Duration>,
}

impl Retention {
    /// The statuses for which there is a time, each with it.
    pub(crate) fn by_status(self) -> impl Iterator<Item = (RuntimeStatus, Duration)> {
        let all = [
            (RuntimeStatus::Completed, self.completed),
            (RuntimeStatus::Failed, self.failed),
            (RuntimeStatus::Terminated, self.terminated),
        ];
        all.into_iter().filter_map(|(status, kept)| Some((status, kept?)))
    }
}

impl Settings {
    /// Azure's default for turns and for activities at once, per core.
    pub const CONCURRENT_PER_CORE: usize = 10;
    /// 4,000 live instances already come near Linux's default limit on memory maps.
    pub const LIVE_INSTANCES: usize = 1000;
    /// 256 MiB.
    pub const LIVE_INSTANCE_BYTES: usize = 256 << 20;
    /// A trap is nearly always deterministic; two more tries cover the ones that are not.
    pub const TURN_ATTEMPTS: u32 = 3;
    /// Doubles with each attempt.
    pub const TURN_RETRY_PAUSE: Duration = Duration::from_millis(200);
    /// Only another start of the host can change the outcome; until then a demand to end the instance waits this long at most.
    pub const VERSION_RETRY_PAUSE: Duration = Duration::from_secs(5);
    /// Azure's default outside of the Consumption plan.
    pub const ENTITY_BATCH_SIZE: usize = 5000;
    /// A purge costs a pass over the instances of the hub; a retention is meant in days.
    pub const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(600);

    /// The defaults on a machine with this many cores.
    pub fn for_cores(cores: usize) -> Settings {
        Settings {
            hub_name: "TaskHub".to_owned(),
            concurrent_turns: Self::CONCURRENT_PER_CORE * cores.max(1),
            concurrent_activities: Self::CONCURRENT_PER_CORE * cores.max(1),
            live_instances: Self::LIVE_INSTANCES,
            live_instance_bytes: Self::LIVE_INSTANCE_BYTES,
            turn_attempts: Self::TURN_ATTEMPTS,
            turn_retry_pause: Self::TURN_RETRY_PAUSE,
            version_retry_pause: Self::VERSION_RETRY_PAUSE,
            limits: Limits::default(),
            http: HttpSettings::default(),
            entity_batch_size: Self::ENTITY_BATCH_SIZE,
            roll_back: true,
            present: PresentApp::default(),
            version_gate: VersionGate::default(),
            version_failure: FailureStrategy::default(),
            reuse: Reuse::ENDED,
            retention: Retention::default(),
            housekeeping_interval: Self::HOUSEKEEPING_INTERVAL,
        }
    }
}
