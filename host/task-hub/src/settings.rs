//! The numbers that a user may tune, apart from the parts of the engine.

use orchestration::Limits;
use std::time::Duration;

/// How the engine works. Each field names the manifest key that sets it, under `host.durableTask`.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Turns at once (`maxConcurrentOrchestratorFunctions`).
    pub concurrent_turns: usize,
    /// Activities at once (`maxConcurrentActivityFunctions`).
    pub concurrent_activities: usize,
    /// Orchestrators kept in memory between their turns (`liveInstances`); 0 replays the history at every turn.
    pub live_instances: usize,
    /// What they may hold together, in bytes (`liveInstanceBytes`).
    pub live_instance_bytes: usize,
    /// How often a turn is tried whose guest traps, before the instance fails (`maxTurnAttempts`); at least 1.
    pub turn_attempts: u32,
    /// The pause before a turn is tried again; it doubles with each attempt.
    pub turn_retry_pause: Duration,
    /// The longest input, event or reason that a client may send, in bytes (`maxPayloadBytes`).
    pub payload_bytes: usize,
    /// Bounds on one turn (`maxOrchestrationActions`).
    pub limits: Limits,
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
    /// 4 MiB, the message limit of the gRPC protocol of the same family.
    pub const PAYLOAD_BYTES: usize = 4 << 20;

    /// The defaults on a machine with this many cores.
    pub fn for_cores(cores: usize) -> Settings {
        Settings {
            concurrent_turns: Self::CONCURRENT_PER_CORE * cores.max(1),
            concurrent_activities: Self::CONCURRENT_PER_CORE * cores.max(1),
            live_instances: Self::LIVE_INSTANCES,
            live_instance_bytes: Self::LIVE_INSTANCE_BYTES,
            turn_attempts: Self::TURN_ATTEMPTS,
            turn_retry_pause: Self::TURN_RETRY_PAUSE,
            payload_bytes: Self::PAYLOAD_BYTES,
            limits: Limits::default(),
        }
    }
}
