//! `GET host/config`: the settings under which the host runs, in the shape of host.json, with every default filled in.
//!
//! Each app of a host has settings of its own: `?app=` says whose are meant, if not the first one's.
//!
//! There is no secret in them: what an app connects with is in its app settings, which are not told, and the values of custom
//! headers go to every caller.

use http::StatusCode;
use http::request::Parts;
use manifest::HostSettings;
use manifest::settings::{DurableTaskSettings, HttpSettings, LogLevel, LoggingSettings, QueueSettings};
use serde_json::{Map, Value, json};
use std::time::Duration;
use triggers::http::HttpLimits;

use super::refusal::Refusal;
use super::{Admin, parameter};
use crate::machine;
use crate::management::reply::{self, Reply};

impl Admin {
    pub(super) fn config(&self, head: &Parts) -> Result<Reply, Refusal> {
        let served = match parameter(head, "app") {
            Some(name) => self.host.apps.named(&name),
            None => self.host.apps.all().first().cloned(),
        };
        let served = served.ok_or(Refusal::NotFound)?;
        Ok(reply::json(StatusCode::OK, &host_json(&served.app.host, Machine::this())))
    }
}

/// What defaults are derived from.
#[derive(Clone, Copy)]
pub(super) struct Machine {
    pub(super) cores: usize,
    pub(super) memory_bytes: u64,
}

impl Machine {
    fn this() -> Machine {
        Machine { cores: machine::cores(), memory_bytes: machine::memory_bytes() }
    }
}

pub(super) fn host_json(host: &HostSettings, machine: Machine) -> Value {
    json!({
        "version": "2.0",
        "functionTimeout": host.function_timeout.map_or_else(|| "-1".to_owned(), time_span),
        "extensions": {
            "http": http(&host.http, machine),
            "queues": queues(&host.queues, machine),
            "durableTask": durable_task(&host.durable_task, machine),
        },
        "guest": {
            "maxMemoryBytes": host.guest.max_memory_bytes,
            "maxOutputBytes": host.guest.max_output_bytes,
            "maxLogBytes": host.guest.max_log_bytes,
        },
        "storage": { "reservedDiskBytes": host.storage.reserved_disk_bytes },
        "logging": { "logLevel": log_levels(&host.logging) },
    })
}

fn http(http: &HttpSettings, machine: Machine) -> Value {
    let limits = HttpLimits::new(http, machine.memory_bytes);
    let hsts = http.hsts.as_ref().map(|hsts| {
        json!({
            "isEnabled": true,
            "maxAge": hsts.max_age.as_secs(),
            "includeSubDomains": hsts.include_sub_domains,
            "preload": hsts.preload,
            "excludedHosts": hsts.excluded_hosts,
        })
    });
    json!({
        "routePrefix": http.route_prefix,
        "maxRequestBodyBytes": limits.request_body_bytes,
        "maxOutstandingRequests": limits.outstanding_requests,
        "maxConcurrentRequests": limits.concurrent_requests,
        "strictAzureStatus": http.strict_azure_status,
        "customHeaders": http.custom_headers,
        "hsts": hsts.unwrap_or_else(|| json!({ "isEnabled": false })),
        "cors": {
            "allowedOrigins": http.cors.allowed_origins,
            "supportCredentials": http.cors.support_credentials,
        },
    })
}

fn queues(queues: &QueueSettings, machine: Machine) -> Value {
    let cores = u32::try_from(machine.cores).unwrap_or(u32::MAX);
    let threshold = queues.new_batch_threshold.unwrap_or((queues.batch_size / 2).saturating_mul(cores));
    json!({
        "maxPollingInterval": queues.max_polling_interval.map(time_span),
        "visibilityTimeout": time_span(queues.visibility_timeout),
        "batchSize": queues.batch_size,
        "newBatchThreshold": threshold,
        "maxDequeueCount": queues.max_dequeue_count,
        "messageEncoding": queues.message_encoding.as_str(),
    })
}

fn durable_task(durable: &DurableTaskSettings, machine: Machine) -> Value {
    let defaults = task_hub::Settings::for_cores(machine.cores);
    let at_once = |set: Option<u32>, default: usize| set.map_or_else(|| json!(default), |set| json!(set));
    let kept = |time: Option<Duration>| time.map_or(Value::Null, |time| Value::from(time_span(time)));
    json!({
        "hubName": durable.hub_name,
        "defaultVersion": durable.default_version,
        "versionMatchStrategy": durable.version_match_strategy.as_str(),
        "versionFailureStrategy": durable.version_failure_strategy.as_str(),
        "overridableExistingInstanceStates": durable.overridable_existing_instance_states.as_str(),
        "maxConcurrentOrchestratorFunctions":
            at_once(durable.max_concurrent_orchestrator_functions, defaults.concurrent_turns),
        "maxConcurrentActivityFunctions":
            at_once(durable.max_concurrent_activity_functions, defaults.concurrent_activities),
        "maxOrchestrationActions": durable.max_orchestration_actions,
        "maxPendingActions": durable.max_pending_actions,
        "maxSubOrchestrationDepth": durable.max_sub_orchestration_depth,
        "maxSubOrchestrations": durable.max_sub_orchestrations,
        "maxContinueAsNewPerMinute": durable.max_continue_as_new_per_minute,
        "maxHistoryEvents": durable.max_history_events,
        "maxHistoryBytes": durable.max_history_bytes,
        "maxPayloadBytes": durable.max_payload_bytes,
        "maxCustomStatusBytes": durable.max_custom_status_bytes,
        "maxEntityOperationBatchSize": durable.max_entity_operation_batch_size,
        "rollbackEntityOperationsOnExceptions": durable.rollback_entity_operations_on_exceptions,
        "extendedSessionsEnabled": durable.live_instances > 0,
        "liveInstances": durable.live_instances,
        "liveInstanceBytes": durable.live_instance_bytes,
        "maxTurnAttempts": durable.max_turn_attempts,
        "orchestratorTurnTimeout": time_span(durable.orchestrator_turn_timeout),
        "storeInputsInOrchestrationHistory": durable.store_inputs_in_orchestration_history,
        "httpSettings": {
            "defaultAsyncRequestSleepTimeMilliseconds": durable.http.default_async_request_sleep_time.as_millis(),
        },
        "retention": {
            "completed": kept(durable.retention.completed),
            "failed": kept(durable.retention.failed),
            "terminated": kept(durable.retention.terminated),
        },
    })
}

fn log_levels(logging: &LoggingSettings) -> Value {
    let levels: [(&str, Option<LogLevel>); 4] = [
        ("default", logging.default),
        ("Function", logging.function),
        ("Host", logging.host),
        ("DurableTask", logging.durable_task),
    ];
    let set = levels.into_iter().filter_map(|(name, level)| Some((name.to_owned(), Value::from(level?.as_str()))));
    Value::Object(set.collect::<Map<_, _>>())
}

/// As .NET writes it: `hh:mm:ss`, with days in front and fractions behind where there are some.
pub(super) fn time_span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let days = if days > 0 { format!("{days}.") } else { String::new() };
    let fraction = match time.subsec_nanos() / 100 {
        0 => String::new(),
        ticks => format!(".{ticks:07}"),
    };
    format!("{days}{hours:02}:{minutes:02}:{:02}{fraction}", seconds % 60)
}
