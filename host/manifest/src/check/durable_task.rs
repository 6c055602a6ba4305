//! `[host.durableTask]`: the task hub's name, versions, limits and retention.

use std::time::Duration;

use super::choice::Choice;
use super::names;
use super::settings::{Fields, duration_within, flag};
use crate::fields::Placed;
use crate::file::{FileDurableHttp, FileDurableTask, FileRetention};
use crate::problem::Report;
use crate::settings::{
    ASYNC_REQUEST_SLEEP_MS, CONCURRENT_FUNCTIONS, CONTINUE_AS_NEW_PER_MINUTE, CUSTOM_STATUS_BYTES, DurableHttpSettings,
    DurableTaskSettings, ENTITY_OPERATION_BATCH_SIZE, HISTORY_BYTES, HISTORY_EVENTS, LIVE_INSTANCE_BYTES,
    LIVE_INSTANCES, ORCHESTRATION_ACTIONS, OverridableExistingInstanceStates, PAYLOAD_BYTES, PENDING_ACTIONS,
    RETENTION, RetentionSettings, SUB_ORCHESTRATION_DEPTH, SUB_ORCHESTRATIONS, TURN_ATTEMPTS, TURN_TIMEOUT,
    VersionFailureStrategy, VersionMatchStrategy,
};

const PATH: &str = "host.durableTask";

const MATCH_STRATEGY: Choice<VersionMatchStrategy> = Choice {
    noun: "a strategy for matching versions",
    all: &[VersionMatchStrategy::None, VersionMatchStrategy::Strict, VersionMatchStrategy::CurrentOrOlder],
    word: VersionMatchStrategy::as_str,
};

const FAILURE_STRATEGY: Choice<VersionFailureStrategy> = Choice {
    noun: "a strategy for versions that do not match",
    all: &[VersionFailureStrategy::Reject, VersionFailureStrategy::Fail],
    word: VersionFailureStrategy::as_str,
};

const OVERRIDABLE_STATES: Choice<OverridableExistingInstanceStates> = Choice {
    noun: "a set of states",
    all: &[OverridableExistingInstanceStates::NonRunningStates, OverridableExistingInstanceStates::AnyState],
    word: OverridableExistingInstanceStates::as_str,
};

pub(super) fn check(file: &FileDurableTask, app_name: &str, report: &Report<'_>) -> DurableTaskSettings {
    let field = |key| format!("{PATH}.{key}");
    let fields = Fields { path: PATH, report };
    let count = |key, written: &Option<_>, bounds| fields.number::<u32>(key, written.as_ref(), bounds);
    let long = |key, written: &Option<_>, bounds| fields.number::<u64>(key, written.as_ref(), bounds);
    let at_once = |key, written: &Option<_>| written.as_ref().map(|_| count(key, written, CONCURRENT_FUNCTIONS));
    let live_instances = count("liveInstances", &file.live_instances, LIVE_INSTANCES);
    let (orchestrators, activities) =
        (&file.max_concurrent_orchestrator_functions, &file.max_concurrent_activity_functions);
    let (match_strategy, failure_strategy) =
        (file.version_match_strategy.as_ref(), file.version_failure_strategy.as_ref());
    let overridable = file.overridable_existing_instance_states.as_ref();
    let turn_timeout = file.orchestrator_turn_timeout.as_ref();
    let turn_timeout =
        turn_timeout.and_then(|text| duration_within(text, &field("orchestratorTurnTimeout"), TURN_TIMEOUT, report));
    DurableTaskSettings {
        hub_name: hub_name(file.hub_name.as_ref(), app_name, report),
        default_version: default_version(file.default_version.as_ref(), report),
        version_match_strategy: MATCH_STRATEGY.read(match_strategy, &field("versionMatchStrategy"), report),
        version_failure_strategy: FAILURE_STRATEGY.read(failure_strategy, &field("versionFailureStrategy"), report),
        overridable_existing_instance_states: OVERRIDABLE_STATES.read(
            overridable,
            &field("overridableExistingInstanceStates"),
            report,
        ),
        max_concurrent_orchestrator_functions: at_once("maxConcurrentOrchestratorFunctions", orchestrators),
        max_concurrent_activity_functions: at_once("maxConcurrentActivityFunctions", activities),
        max_orchestration_actions: count(
            "maxOrchestrationActions",
            &file.max_orchestration_actions,
            ORCHESTRATION_ACTIONS,
        ),
        max_pending_actions: count("maxPendingActions", &file.max_pending_actions, PENDING_ACTIONS),
        max_sub_orchestration_depth: count(
            "maxSubOrchestrationDepth",
            &file.max_sub_orchestration_depth,
            SUB_ORCHESTRATION_DEPTH,
        ),
        max_sub_orchestrations: count("maxSubOrchestrations", &file.max_sub_orchestrations, SUB_ORCHESTRATIONS),
        max_continue_as_new_per_minute: count(
            "maxContinueAsNewPerMinute",
            &file.max_continue_as_new_per_minute,
            CONTINUE_AS_NEW_PER_MINUTE,
        ),
        max_history_events: long("maxHistoryEvents", &file.max_history_events, HISTORY_EVENTS),
        max_history_bytes: long("maxHistoryBytes", &file.max_history_bytes, HISTORY_BYTES),
        max_payload_bytes: long("maxPayloadBytes", &file.max_payload_bytes, PAYLOAD_BYTES),
        max_custom_status_bytes: long("maxCustomStatusBytes", &file.max_custom_status_bytes, CUSTOM_STATUS_BYTES),
        max_entity_operation_batch_size: count(
            "maxEntityOperationBatchSize",
            &file.max_entity_operation_batch_size,
            ENTITY_OPERATION_BATCH_SIZE,
        ),
        rollback_entity_operations_on_exceptions: flag(file.rollback_entity_operations_on_exceptions.as_ref(), true),
        live_instances: if flag(file.extended_sessions_enabled.as_ref(), true) { live_instances } else { 0 },
        live_instance_bytes: long("liveInstanceBytes", &file.live_instance_bytes, LIVE_INSTANCE_BYTES),
        max_turn_attempts: count("maxTurnAttempts", &file.max_turn_attempts, TURN_ATTEMPTS),
        orchestrator_turn_timeout: turn_timeout.unwrap_or(TURN_TIMEOUT.default),
        store_inputs_in_orchestration_history: flag(file.store_inputs_in_orchestration_history.as_ref(), true),
        http: check_http(&file.http_settings, report),
        retention: check_retention(&file.retention, report),
    }
}

/// The name of the task hub: unless the manifest says otherwise, the app's without what a hub's name cannot have, at its
/// length.
fn hub_name(written: Option<&Placed<String>>, app_name: &str, report: &Report<'_>) -> String {
    if let Some(name) = written {
        names::check(name, &format!("{PATH}.hubName"), names::HUB, report);
        return name.get_ref().clone();
    }
    let mut name: String = app_name.chars().filter(char::is_ascii_alphanumeric).take(45).collect();
    if name.len() < 3 {
        name.push_str("Hub");
    }
    name
}

fn default_version(written: Option<&Placed<String>>, report: &Report<'_>) -> Option<String> {
    let version = written?;
    names::check(version, &format!("{PATH}.defaultVersion"), names::VERSION, report);
    Some(version.get_ref().clone())
}

fn check_http(file: &FileDurableHttp, report: &Report<'_>) -> DurableHttpSettings {
    let fields = Fields { path: "host.durableTask.httpSettings", report };
    let sleep_time = file.default_async_request_sleep_time_milliseconds.as_ref();
    let sleep_ms = fields.number("defaultAsyncRequestSleepTimeMilliseconds", sleep_time, ASYNC_REQUEST_SLEEP_MS);
    DurableHttpSettings { default_async_request_sleep_time: Duration::from_millis(sleep_ms) }
}

fn check_retention(file: &FileRetention, report: &Report<'_>) -> RetentionSettings {
    let kept_for = |key, written: &Option<Placed<String>>| {
        let field = format!("{PATH}.retention.{key}");
        written.as_ref().and_then(|text| duration_within(text, &field, RETENTION, report))
    };
    RetentionSettings {
        completed: kept_for("completed", &file.completed),
        failed: kept_for("failed", &file.failed),
        terminated: kept_for("terminated", &file.terminated),
    }
}
