//! The host's settings for an app, `[host]` in the manifest: every number with its default and its limits.
//!
//! Names follow host.json. Settings are numbers and choices; the parts of an app (functions, components) are in `app`.

use std::collections::BTreeMap;
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
const DAY_MS: u64 = 86_400_000;

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
/// `durableTask.maxPendingActions`: requests of one instance that are open at a time.
pub const PENDING_ACTIONS: Bounds<u32> = Bounds { default: 100_000, min: 1, max: 10_000_000 };
/// `durableTask.maxSubOrchestrationDepth`. Deeper than this is a recursion that was meant to end and does not.
pub const SUB_ORCHESTRATION_DEPTH: Bounds<u32> = Bounds { default: 32, min: 1, max: 10_000 };
/// `durableTask.maxSubOrchestrations`: started by one execution.
pub const SUB_ORCHESTRATIONS: Bounds<u32> = Bounds { default: 100_000, min: 1, max: 10_000_000 };
/// `durableTask.maxContinueAsNewPerMinute`. The default, a hundred a second, is more than a loop that does any work needs.
pub const CONTINUE_AS_NEW_PER_MINUTE: Bounds<u32> = Bounds { default: 6_000, min: 1, max: 1_000_000 };
/// `durableTask.maxHistoryEvents`: of one execution.
pub const HISTORY_EVENTS: Bounds<u64> = Bounds { default: 1_000_000, min: 10, max: 1_000_000_000 };
/// `durableTask.maxHistoryBytes`: of one execution. A replay reads all of it into memory.
pub const HISTORY_BYTES: Bounds<u64> = Bounds { default: 256 * MIB, min: KIB, max: 64 * GIB };
/// `durableTask.maxPayloadBytes`: one input, output or event. The default is what Azure's gRPC channel carries.
pub const PAYLOAD_BYTES: Bounds<u64> = Bounds { default: 4 * MIB, min: KIB, max: GIB };
/// `durableTask.maxCustomStatusBytes`, counted as UTF-16. Azure's limit.
pub const CUSTOM_STATUS_BYTES: Bounds<u64> = Bounds { default: 16 * KIB, min: 1, max: MIB };
/// `durableTask.maxEntityOperationBatchSize`. Azure's default.
pub const ENTITY_OPERATION_BATCH_SIZE: Bounds<u32> = Bounds { default: 5_000, min: 1, max: 1_000_000 };
/// `durableTask.httpSettings.defaultAsyncRequestSleepTimeMilliseconds`. Azure's default.
pub const ASYNC_REQUEST_SLEEP_MS: Bounds<u64> = Bounds { default: 30_000, min: 1, max: DAY_MS };
/// `durableTask.retention`, when given. The shortest leaves whoever waits for the instance the time to see that it ended.
pub const RETENTION: Bounds<Duration> =
    Bounds { default: Duration::MAX, min: Duration::from_secs(1), max: Duration::from_secs(36_500 * DAY.as_secs()) };
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
/// `functionTimeout`, and an activity's `timeout` and `heartbeatTimeout` when given. Azure's default outside of the Consumption plan.
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
/// `storage.reservedDiskBytes`. The default is as much as a full journal and the files that become of it; the smallest leaves the
/// database without enough for a busy moment, and is for volumes that have no more.
pub const RESERVED_DISK_BYTES: Bounds<u64> = Bounds { default: 128 * MIB, min: 16 * MIB, max: 1_024 * 1_024 * GIB };
/// `queues.batchSize`. Azure's default and limit.
pub const QUEUE_BATCH_SIZE: Bounds<u32> = Bounds { default: 16, min: 1, max: 32 };
/// `queues.newBatchThreshold`, when given: no more than a host can run at a time.
pub const QUEUE_NEW_BATCH_THRESHOLD: Bounds<u32> = Bounds { default: 0, min: 0, max: 100_000 };
/// `queues.maxDequeueCount`. Azure's default.
pub const QUEUE_DEQUEUE_COUNT: Bounds<u32> = Bounds { default: 5, min: 1, max: 1_000_000 };
/// `queues.visibilityTimeout`. Azure's default; queues hide nothing for longer than seven days.
pub const QUEUE_VISIBILITY_TIMEOUT: Bounds<Duration> =
    Bounds { default: Duration::ZERO, min: Duration::ZERO, max: Duration::from_secs(7 * DAY.as_secs()) };
/// `queues.maxPollingInterval`. Azure's default and smallest.
pub const QUEUE_POLLING_INTERVAL: Bounds<Duration> =
    Bounds { default: Duration::from_secs(60), min: Duration::from_millis(100), max: DAY };
/// A function's `maxConcurrency`, when given.
pub const FUNCTION_CONCURRENCY: Bounds<u32> = Bounds { default: 0, min: 1, max: 100_000 };
/// `retry.maxRetryCount`, apart from -1, which is any number.
pub const RETRY_COUNT: Bounds<u32> = Bounds { default: 0, min: 0, max: 1_000_000 };
/// The intervals of a retry policy: no message can be hidden for longer.
pub const RETRY_INTERVAL: Bounds<Duration> =
    Bounds { default: Duration::ZERO, min: Duration::ZERO, max: Duration::from_secs(7 * DAY.as_secs()) };
/// The shortest interval of a policy that never gives up: without one, a failure would keep a processor busy for ever.
pub const ENDLESS_RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// `take` of a table input, when given.
pub const TABLE_TAKE: Bounds<u32> = Bounds { default: 0, min: 1, max: 100_000 };
/// `http.hsts.maxAge`. The default is that of Azure's web framework; browsers' lists ask for two years.
pub const HSTS_MAX_AGE: Bounds<Duration> = Bounds {
    default: Duration::from_secs(30 * DAY.as_secs()),
    min: Duration::ZERO,
    max: Duration::from_secs(3_650 * DAY.as_secs()),
};

/// Everything under `[host]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSettings {
    /// `[host.http]`.
    pub http: HttpSettings,
    /// `[host.durableTask]`.
    pub durable_task: DurableTaskSettings,
    /// `[host.guest]`.
    pub guest: GuestSettings,
    /// `[host.storage]`.
    pub storage: StorageSettings,
    /// `[host.queues]`.
    pub queues: QueueSettings,
    /// `[host.logging]`.
    pub logging: LoggingSettings,
    /// `functionTimeout`: longest time for one invocation; absent means no limit (`"-1"` in the manifest).
    pub function_timeout: Option<Duration>,
}

/// The store in the data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageSettings {
    /// Free space of the data folder's volume that is left free, in bytes: below, what does not only delete is refused with 503
    /// until there is room again.
    pub reserved_disk_bytes: u64,
}

/// How messages are fetched; the defaults of every queue trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// Longest time between two looks into an empty queue; only for queues of other services, ours are never polled. Absent
    /// means that the host chooses: a minute, and two seconds where a developer waits, as in Azure.
    pub max_polling_interval: Option<Duration>,
    /// How long a message stays hidden after a failed try.
    pub visibility_timeout: Duration,
    /// Messages fetched at a time, 1 to 32.
    pub batch_size: u32,
    /// Fetch again when no more than this many are being worked on; absent: half of the batch size for each core.
    pub new_batch_threshold: Option<u32>,
    /// Tries of a message before it goes to the poison queue.
    pub max_dequeue_count: u32,
    /// How a message's text is read.
    pub message_encoding: MessageEncoding,
}

/// How the text of a message stands for its content; `messageEncoding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessageEncoding {
    /// Base64 if it is exactly that of a UTF-8 text, else as it is.
    #[default]
    Auto,
    /// Base64; anything else goes to the poison queue.
    Base64,
    /// As it is.
    None,
}

impl MessageEncoding {
    /// The name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            MessageEncoding::Auto => "auto",
            MessageEncoding::Base64 => "base64",
            MessageEncoding::None => "none",
        }
    }
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
    /// `customHeaders`: added to responses of functions that do not have them. Names differ in more than case.
    pub custom_headers: BTreeMap<String, String>,
    /// `hsts`: how browsers are told to come back with HTTPS only; absent: not at all.
    pub hsts: Option<HstsSettings>,
    /// `cors`: which pages of other origins may call.
    pub cors: CorsSettings,
}

/// HTTP Strict Transport Security.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HstsSettings {
    /// How long browsers remember it.
    pub max_age: Duration,
    /// It is meant for the domains below, too.
    pub include_sub_domains: bool,
    /// Browsers may ship with it.
    pub preload: bool,
    /// Hosts whose responses do not carry it.
    pub excluded_hosts: Vec<String>,
}

/// Cross-origin requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CorsSettings {
    /// Origins such as `https://example.com`, or only `*` for all; empty: preflight requests go to functions as any other.
    pub allowed_origins: Vec<String>,
    /// Browsers may send cookies and credentials along. Never together with `*`.
    pub support_credentials: bool,
}

/// From which level on lines are shown, for each of the categories that have a counterpart here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoggingSettings {
    /// `default`: where no other category says something.
    pub default: Option<LogLevel>,
    /// `Function`: what functions write, and that they were invoked.
    pub function: Option<LogLevel>,
    /// `Host`: what the host itself does.
    pub host: Option<LogLevel>,
    /// `DurableTask`, also `Host.Triggers.DurableTask`: what orchestrations do.
    pub durable_task: Option<LogLevel>,
}

/// How much a line matters, by .NET's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// For finding bugs.
    Debug,
    /// What happens.
    #[default]
    Information,
    /// What somebody may have to look at.
    Warning,
    /// What went wrong.
    Error,
    /// What the host cannot go on from; it has nothing below errors and above silence, so that this shows errors.
    Critical,
    /// Nothing.
    None,
}

impl LogLevel {
    /// The name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Trace => "Trace",
            LogLevel::Debug => "Debug",
            LogLevel::Information => "Information",
            LogLevel::Warning => "Warning",
            LogLevel::Error => "Error",
            LogLevel::Critical => "Critical",
            LogLevel::None => "None",
        }
    }

    /// The word for it in a log filter.
    pub fn as_filter(self) -> &'static str {
        match self {
            LogLevel::Trace => "trace",
            LogLevel::Debug => "debug",
            LogLevel::Information => "info",
            LogLevel::Warning => "warn",
            LogLevel::Error | LogLevel::Critical => "error",
            LogLevel::None => "off",
        }
    }
}

/// The task hub and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurableTaskSettings {
    /// Name of the task hub: a letter, then letters and digits, 3 to 45 in all.
    pub hub_name: String,
    /// Version of instances whose starter names none; absent means none.
    pub default_version: Option<String>,
    /// Which instances' versions this app runs; they are compared with `default_version`.
    pub version_match_strategy: VersionMatchStrategy,
    /// What becomes of an instance that this app does not run.
    pub version_failure_strategy: VersionFailureStrategy,
    /// Which instances may be replaced by a start with their id.
    pub overridable_existing_instance_states: OverridableExistingInstanceStates,
    /// Turns running at a time; absent means that the host chooses (ten for each core).
    pub max_concurrent_orchestrator_functions: Option<u32>,
    /// Activities running at a time; absent means that the host chooses (ten for each core).
    pub max_concurrent_activity_functions: Option<u32>,
    /// Actions that one turn may produce.
    pub max_orchestration_actions: u32,
    /// Requests of one instance that may be open at a time: activities, timers, sub-orchestrations, entity calls.
    pub max_pending_actions: u32,
    /// How deep sub-orchestrations may be nested; an instance that a client started is at depth zero.
    pub max_sub_orchestration_depth: u32,
    /// Sub-orchestrations that one execution may start.
    pub max_sub_orchestrations: u32,
    /// Times that one instance may continue as new within a minute.
    pub max_continue_as_new_per_minute: u32,
    /// Events in the history of one execution.
    pub max_history_events: u64,
    /// Size of the history of one execution, in bytes.
    pub max_history_bytes: u64,
    /// Size of one input, output or event, in bytes of JSON text.
    pub max_payload_bytes: u64,
    /// Size of an instance's custom status, in bytes of its JSON text as UTF-16, which is how Azure counts.
    pub max_custom_status_bytes: u64,
    /// Operations that an entity is given in one turn.
    pub max_entity_operation_batch_size: u32,
    /// An entity operation that fails leaves neither changes of the state nor messages behind.
    pub rollback_entity_operations_on_exceptions: bool,
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
    /// `[host.durableTask.httpSettings]`.
    pub http: DurableHttpSettings,
    /// `[host.durableTask.retention]`.
    pub retention: RetentionSettings,
}

/// Calls that orchestrators make through the host, durable HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurableHttpSettings {
    /// `defaultAsyncRequestSleepTimeMilliseconds`: time between two requests to a server that answered 202 without
    /// `Retry-After`.
    pub default_async_request_sleep_time: Duration,
}

/// How long instances are kept after they ended, by how they ended; absent means for ever.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetentionSettings {
    /// Completed instances.
    pub completed: Option<Duration>,
    /// Failed instances. What is purged cannot be rewound.
    pub failed: Option<Duration>,
    /// Terminated instances.
    pub terminated: Option<Duration>,
}

/// Which instances a host runs, by their version; `versionMatchStrategy`. Durable Functions' rules of comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionMatchStrategy {
    /// All.
    None,
    /// Those of exactly the default version.
    Strict,
    /// Those of the default version or an older one.
    #[default]
    CurrentOrOlder,
}

impl VersionMatchStrategy {
    /// The name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            VersionMatchStrategy::None => "None",
            VersionMatchStrategy::Strict => "Strict",
            VersionMatchStrategy::CurrentOrOlder => "CurrentOrOlder",
        }
    }
}

/// What happens to an instance whose version does not match; `versionFailureStrategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionFailureStrategy {
    /// It waits for a host that runs it.
    #[default]
    Reject,
    /// It fails.
    Fail,
}

impl VersionFailureStrategy {
    /// The name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            VersionFailureStrategy::Reject => "Reject",
            VersionFailureStrategy::Fail => "Fail",
        }
    }
}

/// Which instances a start with the same id replaces; `overridableExistingInstanceStates`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverridableExistingInstanceStates {
    /// Those that have ended; a start with the id of another one is refused.
    #[default]
    NonRunningStates,
    /// All; what still runs is terminated.
    AnyState,
}

impl OverridableExistingInstanceStates {
    /// The name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            OverridableExistingInstanceStates::NonRunningStates => "NonRunningStates",
            OverridableExistingInstanceStates::AnyState => "AnyState",
        }
    }
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
