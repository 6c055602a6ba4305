//! The host's settings for an app, `[host]` in the manifest: every number with its default and its limits.
//!
//! Names follow host.json. Settings are numbers; the parts of an app (functions, components) are in `app`.

use std::time::Duration;

/// A setting's default and the smallest and largest value that a manifest may give it; both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds<T> {
    /// Used when the manifest does not say.
    pub default: T,
    /// The smallest that is accepted.
    pub min: T,
    /// The largest that is accepted.
    pub max: T,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const DAY: Duration = Duration::from_secs(86_400);

/// The path before every function's route unless the manifest says otherwise, as in Azure.
pub const DEFAULT_ROUTE_PREFIX: &str = "api";
/// `http.maxRequestBodyBytes`. Azure's limit is 100 MB; the largest is what a 32-bit guest could address.
pub const REQUEST_BODY_BYTES: Bounds<u64> = Bounds { default: 100 * MIB, min: 1, max: 4 * GIB };
/// `http.maxOutstandingRequests` and `http.maxConcurrentRequests`, when given: no more than a process has sockets for.
pub const REQUESTS: Bounds<u32> = Bounds { default: 0, min: 1, max: 1_000_000 };
/// `durableTask.maxConcurrentOrchestratorFunctions` and `...ActivityFunctions`, when given.
pub const CONCURRENT_FUNCTIONS: Bounds<u32> = Bounds { default: 0, min: 1, max: 100_000 };
/// `durableTask.maxOrchestrationActions`: actions of one turn. Azure's default.
pub const ORCHESTRATION_ACTIONS: Bounds<u32> = Bounds { default: 100_000, min: 1, max: 10_000_000 };
/// `durableTask.maxPayloadBytes`: one input, output or event. The default is what Azure's gRPC channel carries.
pub const PAYLOAD_BYTES: Bounds<u64> = Bounds { default: 4 * MIB, min: KIB, max: GIB };
/// `durableTask.maxCustomStatusBytes`. Azure's default.
pub const CUSTOM_STATUS_BYTES: Bounds<u64> = Bounds { default: 16 * KIB, min: 1, max: MIB };
/// `durableTask.liveInstances`. Each takes several memory maps of which Linux allows a process 65,530 by default:
/// thousands fit, ten thousand do not.
pub const LIVE_INSTANCES: Bounds<u32> = Bounds { default: 1_000, min: 0, max: 1_000_000 };
/// `durableTask.liveInstanceBytes`.
pub const LIVE_INSTANCE_BYTES: Bounds<u64> = Bounds { default: 256 * MIB, min: 0, max: 1_024 * GIB };
/// `durableTask.maxTurnAttempts`: a turn that the host could not finish is tried again this often in all.
pub const TURN_ATTEMPTS: Bounds<u32> = Bounds { default: 3, min: 1, max: 100 };
/// `durableTask.orchestratorTurnTimeout`: guest code between two waits; a turn is expected to take microseconds.
pub const TURN_TIMEOUT: Bounds<Duration> =
    Bounds { default: Duration::from_secs(10), min: Duration::from_millis(1), max: Duration::from_secs(3_600) };
/// `functionTimeout` and an activity's `timeout`. Azure's default outside of the Consumption plan.
pub const FUNCTION_TIMEOUT: Bounds<Duration> = Bounds {
    default: Duration::from_secs(30 * 60),
    min: Duration::from_millis(1),
    max: Duration::from_secs(30 * DAY.as_secs()),
};
/// `guest.maxMemoryBytes`: linear memory of one guest instance. The largest is all that 32 bits address.
pub const GUEST_MEMORY_BYTES: Bounds<u64> = Bounds { default: 256 * MIB, min: MIB, max: 4 * GIB };
/// `guest.maxOutputBytes`: what one call may return when its result is held in memory (streamed bodies are not).
pub const GUEST_OUTPUT_BYTES: Bounds<u64> = Bounds { default: 16 * MIB, min: KIB, max: GIB };
/// `guest.maxLogBytes`: log lines of one call; what is beyond is dropped and counted.
pub const GUEST_LOG_BYTES: Bounds<u64> = Bounds { default: MIB, min: 0, max: GIB };

/// Everything under `[host]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSettings {
    /// `[host.http]`.
    pub http: HttpSettings,
    /// `[host.durableTask]`.
    pub durable_task: DurableTaskSettings,
    /// `[host.guest]`.
    pub guest: GuestSettings,
    /// `functionTimeout`: longest time for one invocation; absent means no limit (`"-1"` in the manifest).
    pub function_timeout: Option<Duration>,
}

/// How HTTP functions are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Literal path segments before every function's route, without slashes at the ends; may be empty.
    pub route_prefix: String,
    /// A larger request body is answered with 413.
    pub max_request_body_bytes: u64,
    /// Requests running and waiting; beyond, 429. Absent (`-1` in Azure) means that the host derives it from memory.
    pub max_outstanding_requests: Option<u32>,
    /// Requests running at a time; the rest wait. Absent (`-1` in Azure) means that the host chooses.
    pub max_concurrent_requests: Option<u32>,
    /// Answer 404 where the path matches but not the method, as Azure does, instead of 405.
    pub strict_azure_status: bool,
}

/// The task hub and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurableTaskSettings {
    /// Name of the task hub: a letter, then letters and digits, 3 to 45 in all.
    pub hub_name: String,
    /// Turns running at a time; absent means that the host chooses (ten for each core).
    pub max_concurrent_orchestrator_functions: Option<u32>,
    /// Activities running at a time; absent means that the host chooses (ten for each core).
    pub max_concurrent_activity_functions: Option<u32>,
    /// Actions that one turn may produce.
    pub max_orchestration_actions: u32,
    /// Size of one input, output or event, in bytes of JSON text.
    pub max_payload_bytes: u64,
    /// Size of an instance's custom status, in bytes of JSON text.
    pub max_custom_status_bytes: u64,
    /// Suspended guests kept in memory between turns; zero when `extendedSessionsEnabled` is false: every turn replays.
    pub live_instances: u32,
    /// Memory of all live instances together, in bytes.
    pub live_instance_bytes: u64,
    /// Tries of a turn that the host could not finish.
    pub max_turn_attempts: u32,
    /// Longest time that guest code may run in one turn; waiting does not count.
    pub orchestrator_turn_timeout: Duration,
    /// Keep the inputs of activities and sub-orchestrations in the history, for people to read.
    pub store_inputs_in_orchestration_history: bool,
}

/// Limits of the sandbox, for each guest instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestSettings {
    /// Linear memory, in bytes.
    pub max_memory_bytes: u64,
    /// Result of one call, in bytes.
    pub max_output_bytes: u64,
    /// Log lines of one call, in bytes.
    pub max_log_bytes: u64,
}
