//! `[host]` as it stands in the file, and the keys of host.json that have no counterpart.

use super::functions::read_retry;
use super::queues::read_queues;
use super::{FileQueues, FileRetry, list};
use crate::fields::{Placed, Section};

/// Keys of host.json that stay out, and what to do instead.
const REFUSED_IN_HOST: &[(&str, &str)] = &[
    ("version", "remove it: it is host.json's own; the app's version is `app.version`"),
    ("extensions", "write its sections directly under `[host]`: `[host.http]`, `[host.queues]`, `[host.durableTask]`"),
    ("extensionBundle", "remove it: all bindings are part of the host"),
    (
        "concurrency",
        "set limits instead: `maxConcurrency` of a function, `batchSize` and `newBatchThreshold` of queues",
    ),
    ("singleton", "remove it: one process owns the data folder, so that there is nothing to lease"),
    ("aggregator", "remove it: metrics are counted without batches, see /metrics"),
    ("healthMonitor", "remove it: the host refuses work that it has no memory for"),
    ("watchDirectories", "list glob patterns in `watch` of `[components.NAME.build]`"),
    ("watchFiles", "list glob patterns in `watch` of `[components.NAME.build]`"),
    ("managedDependency", "remove it: components bring their dependencies with them"),
    ("customHandler", "build the handler as a WebAssembly component, and name it under `[components]`"),
    ("sendCanceledInvocationsToWorker", "remove it: an invocation that is cancelled is stopped"),
    ("metadataProviderTimeout", "remove it: functions are declared in the manifest"),
    ("telemetryMode", "remove it: metrics are at /metrics, and logs on standard error"),
    ("applicationInsights", "remove it: metrics are at /metrics, and logs on standard error"),
    ("isDefaultHostConfig", "remove it"),
    ("tracing", "use `[host.logging.logLevel]`"),
];

const REFUSED_IN_HTTP: &[(&str, &str)] = &[(
    "dynamicThrottlesEnabled",
    "remove it, or set `maxOutstandingRequests`: without one, the host derives a limit from its memory",
)];

const REFUSED_IN_LOGGING: &[(&str, &str)] = &[
    ("fileLoggingMode", "remove it: logs go to standard error, for whoever started the host to keep"),
    ("console", "remove it: logs go to standard error; NO_COLOR turns colours off"),
    ("applicationInsights", "remove it: metrics are at /metrics, and logs on standard error"),
];

const REFUSED_IN_DURABLE_TASK: &[(&str, &str)] = &[
    ("storageProvider", "remove it: instances are kept in the host's own store"),
    (
        "maxConcurrentEntityFunctions",
        "set `maxConcurrentOrchestratorFunctions`: entities take their turns among orchestrators",
    ),
    (
        "extendedSessionIdleTimeoutInSeconds",
        "set `liveInstances` and `liveInstanceBytes`: the longest idle instance leaves first",
    ),
    ("tracing", "use `[host.logging.logLevel]`"),
    ("notifications", "remove it: have an activity send the notification"),
    ("useGracefulShutdown", "remove it: the host always drains before it ends"),
    ("localRpcEndpointEnabled", "remove it: functions reach the host through its WebAssembly interface"),
    ("maxGrpcMessageSizeInBytes", "set `maxPayloadBytes`"),
    ("grpcHttpClientTimeout", "remove it: functions reach the host through its WebAssembly interface"),
];

#[derive(Default)]
pub(crate) struct FileHost {
    pub(crate) http: FileHttp,
    pub(crate) durable_task: FileDurableTask,
    pub(crate) guest: FileGuest,
    pub(crate) storage: FileStorage,
    pub(crate) queues: FileQueues,
    pub(crate) logging: FileLogging,
    /// The policy of functions that have none of their own.
    pub(crate) retry: Option<FileRetry>,
    /// The functions that run; absent: all.
    pub(crate) functions: Option<Placed<Vec<Placed<String>>>>,
    pub(crate) function_timeout: Option<Placed<String>>,
}

#[derive(Default)]
pub(crate) struct FileHttp {
    pub(crate) route_prefix: Option<Placed<String>>,
    pub(crate) max_request_body_bytes: Option<Placed<i64>>,
    pub(crate) max_outstanding_requests: Option<Placed<i64>>,
    pub(crate) max_concurrent_requests: Option<Placed<i64>>,
    pub(crate) strict_azure_status: Option<Placed<bool>>,
    pub(crate) custom_headers: Vec<(Placed<String>, Placed<String>)>,
    pub(crate) hsts: FileHsts,
    pub(crate) cors: FileCors,
}

#[derive(Default)]
pub(crate) struct FileHsts {
    pub(crate) is_enabled: Option<Placed<bool>>,
    pub(crate) max_age: Option<Placed<String>>,
    pub(crate) include_sub_domains: Option<Placed<bool>>,
    pub(crate) preload: Option<Placed<bool>>,
    pub(crate) excluded_hosts: Vec<Placed<String>>,
}

#[derive(Default)]
pub(crate) struct FileCors {
    pub(crate) allowed_origins: Vec<Placed<String>>,
    pub(crate) support_credentials: Option<Placed<bool>>,
}

#[derive(Default)]
pub(crate) struct FileLogging {
    /// Categories and their levels.
    pub(crate) log_level: Vec<(Placed<String>, Placed<String>)>,
}

#[derive(Default)]
pub(crate) struct FileDurableTask {
    pub(crate) hub_name: Option<Placed<String>>,
    pub(crate) max_concurrent_orchestrator_functions: Option<Placed<i64>>,
    pub(crate) max_concurrent_activity_functions: Option<Placed<i64>>,
    pub(crate) default_version: Option<Placed<String>>,
    pub(crate) version_match_strategy: Option<Placed<String>>,
    pub(crate) version_failure_strategy: Option<Placed<String>>,
    pub(crate) overridable_existing_instance_states: Option<Placed<String>>,
    pub(crate) max_orchestration_actions: Option<Placed<i64>>,
    pub(crate) max_pending_actions: Option<Placed<i64>>,
    pub(crate) max_sub_orchestration_depth: Option<Placed<i64>>,
    pub(crate) max_sub_orchestrations: Option<Placed<i64>>,
    pub(crate) max_continue_as_new_per_minute: Option<Placed<i64>>,
    pub(crate) max_history_events: Option<Placed<i64>>,
    pub(crate) max_history_bytes: Option<Placed<i64>>,
    pub(crate) max_payload_bytes: Option<Placed<i64>>,
    pub(crate) max_custom_status_bytes: Option<Placed<i64>>,
    pub(crate) max_entity_operation_batch_size: Option<Placed<i64>>,
    pub(crate) rollback_entity_operations_on_exceptions: Option<Placed<bool>>,
    pub(crate) extended_sessions_enabled: Option<Placed<bool>>,
    pub(crate) live_instances: Option<Placed<i64>>,
    pub(crate) live_instance_bytes: Option<Placed<i64>>,
    pub(crate) max_turn_attempts: Option<Placed<i64>>,
    pub(crate) orchestrator_turn_timeout: Option<Placed<String>>,
    pub(crate) store_inputs_in_orchestration_history: Option<Placed<bool>>,
    pub(crate) http_settings: FileDurableHttp,
    pub(crate) retention: FileRetention,
}

#[derive(Default)]
pub(crate) struct FileDurableHttp {
    pub(crate) default_async_request_sleep_time_milliseconds: Option<Placed<i64>>,
}

#[derive(Default)]
pub(crate) struct FileRetention {
    pub(crate) completed: Option<Placed<String>>,
    pub(crate) failed: Option<Placed<String>>,
    pub(crate) terminated: Option<Placed<String>>,
}

#[derive(Default)]
pub(crate) struct FileGuest {
    pub(crate) max_memory_bytes: Option<Placed<i64>>,
    pub(crate) max_output_bytes: Option<Placed<i64>>,
    pub(crate) max_log_bytes: Option<Placed<i64>>,
}

#[derive(Default)]
pub(crate) struct FileStorage {
    pub(crate) reserved_disk_bytes: Option<Placed<i64>>,
}

pub(super) fn read_host(mut section: Section<'_, '_>) -> FileHost {
    let host = FileHost {
        http: section.section("http").map(read_http).unwrap_or_default(),
        durable_task: section.section("durableTask").map(read_durable_task).unwrap_or_default(),
        guest: section.section("guest").map(read_guest).unwrap_or_default(),
        storage: section.section("storage").map(read_storage).unwrap_or_default(),
        queues: section.section("queues").map(read_queues).unwrap_or_default(),
        logging: section.section("logging").map(read_logging).unwrap_or_default(),
        retry: section.section("retry").map(read_retry),
        functions: section.texts("functions"),
        function_timeout: section.setting_text("functionTimeout"),
    };
    section.refuse(REFUSED_IN_HOST);
    section.finish();
    host
}

fn read_http(mut section: Section<'_, '_>) -> FileHttp {
    let http = FileHttp {
        route_prefix: section.setting_text("routePrefix"),
        max_request_body_bytes: section.integer("maxRequestBodyBytes"),
        max_outstanding_requests: section.integer("maxOutstandingRequests"),
        max_concurrent_requests: section.integer("maxConcurrentRequests"),
        strict_azure_status: section.flag("strictAzureStatus"),
        custom_headers: section.section("customHeaders").map(|headers| headers.named_texts()).unwrap_or_default(),
        hsts: section.section("hsts").map(read_hsts).unwrap_or_default(),
        cors: section.section("cors").map(read_cors).unwrap_or_default(),
    };
    section.refuse(REFUSED_IN_HTTP);
    section.finish();
    http
}

fn read_hsts(mut section: Section<'_, '_>) -> FileHsts {
    let hsts = FileHsts {
        is_enabled: section.flag("isEnabled"),
        max_age: section.setting_text("maxAge"),
        include_sub_domains: section.flag("includeSubDomains"),
        preload: section.flag("preload"),
        excluded_hosts: list(section.setting_texts("excludedHosts")),
    };
    section.finish();
    hsts
}

fn read_cors(mut section: Section<'_, '_>) -> FileCors {
    let cors = FileCors {
        allowed_origins: list(section.setting_texts("allowedOrigins")),
        support_credentials: section.flag("supportCredentials"),
    };
    section.finish();
    cors
}

pub(crate) fn read_logging(mut section: Section<'_, '_>) -> FileLogging {
    let levels = section.section("logLevel").map(|levels| levels.named_texts()).unwrap_or_default();
    section.refuse(REFUSED_IN_LOGGING);
    section.finish();
    FileLogging { log_level: levels }
}

fn read_durable_task(mut section: Section<'_, '_>) -> FileDurableTask {
    let durable_task = FileDurableTask {
        hub_name: section.setting_text("hubName"),
        default_version: section.setting_text("defaultVersion"),
        version_match_strategy: section.setting_text("versionMatchStrategy"),
        version_failure_strategy: section.setting_text("versionFailureStrategy"),
        overridable_existing_instance_states: section.setting_text("overridableExistingInstanceStates"),
        max_concurrent_orchestrator_functions: section.integer("maxConcurrentOrchestratorFunctions"),
        max_concurrent_activity_functions: section.integer("maxConcurrentActivityFunctions"),
        max_orchestration_actions: section.integer("maxOrchestrationActions"),
        max_pending_actions: section.integer("maxPendingActions"),
        max_sub_orchestration_depth: section.integer("maxSubOrchestrationDepth"),
        max_sub_orchestrations: section.integer("maxSubOrchestrations"),
        max_continue_as_new_per_minute: section.integer("maxContinueAsNewPerMinute"),
        max_history_events: section.integer("maxHistoryEvents"),
        max_history_bytes: section.integer("maxHistoryBytes"),
        max_payload_bytes: section.integer("maxPayloadBytes"),
        max_custom_status_bytes: section.integer("maxCustomStatusBytes"),
        max_entity_operation_batch_size: section.integer("maxEntityOperationBatchSize"),
        rollback_entity_operations_on_exceptions: section.flag("rollbackEntityOperationsOnExceptions"),
        extended_sessions_enabled: section.flag("extendedSessionsEnabled"),
        live_instances: section.integer("liveInstances"),
        live_instance_bytes: section.integer("liveInstanceBytes"),
        max_turn_attempts: section.integer("maxTurnAttempts"),
        orchestrator_turn_timeout: section.setting_text("orchestratorTurnTimeout"),
        store_inputs_in_orchestration_history: section.flag("storeInputsInOrchestrationHistory"),
        http_settings: section.section("httpSettings").map(read_durable_http).unwrap_or_default(),
        retention: section.section("retention").map(read_retention).unwrap_or_default(),
    };
    section.refuse(REFUSED_IN_DURABLE_TASK);
    section.finish();
    durable_task
}

fn read_durable_http(mut section: Section<'_, '_>) -> FileDurableHttp {
    let sleep_time = section.integer("defaultAsyncRequestSleepTimeMilliseconds");
    section.finish();
    FileDurableHttp { default_async_request_sleep_time_milliseconds: sleep_time }
}

fn read_retention(mut section: Section<'_, '_>) -> FileRetention {
    let retention = FileRetention {
        completed: section.setting_text("completed"),
        failed: section.setting_text("failed"),
        terminated: section.setting_text("terminated"),
    };
    section.finish();
    retention
}

fn read_guest(mut section: Section<'_, '_>) -> FileGuest {
    let guest = FileGuest {
        max_memory_bytes: section.integer("maxMemoryBytes"),
        max_output_bytes: section.integer("maxOutputBytes"),
        max_log_bytes: section.integer("maxLogBytes"),
    };
    section.finish();
    guest
}

fn read_storage(mut section: Section<'_, '_>) -> FileStorage {
    let storage = FileStorage { reserved_disk_bytes: section.integer("reservedDiskBytes") };
    section.finish();
    storage
}
