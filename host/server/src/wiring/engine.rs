//! What a manifest says of the engine and of the sandbox, in their own words.

use guest::GuestSettings;
use manifest::settings::{OverridableExistingInstanceStates, VersionFailureStrategy, VersionMatchStrategy};
use manifest::{App, Versioning};
use orchestration::{FailureStrategy, HttpSettings, Limits, MatchStrategy, PresentApp, Reuse, VersionGate};

use crate::machine;

/// How the engine is to work for an app that is the version `digest`.
pub(super) fn engine_settings(app: &App, digest: &str) -> task_hub::Settings {
    let durable = &app.host.durable_task;
    let at_once = |set: Option<u32>, default: usize| set.map_or(default, |set| saturating_usize(set.into()));
    let defaults = task_hub::Settings::for_cores(machine::cores());
    let retention = &durable.retention;
    task_hub::Settings {
        hub_name: durable.hub_name.clone(),
        concurrent_turns: at_once(durable.max_concurrent_orchestrator_functions, defaults.concurrent_turns),
        concurrent_activities: at_once(durable.max_concurrent_activity_functions, defaults.concurrent_activities),
        live_instances: saturating_usize(durable.live_instances.into()),
        live_instance_bytes: saturating_usize(durable.live_instance_bytes),
        turn_attempts: durable.max_turn_attempts,
        limits: limits(app),
        http: HttpSettings { poll_pause: durable.http.default_async_request_sleep_time },
        entity_batch_size: saturating_usize(durable.max_entity_operation_batch_size.into()),
        roll_back: durable.rollback_entity_operations_on_exceptions,
        present: PresentApp {
            digest: match app.versioning {
                Versioning::Pinned => Some(digest.to_owned()),
                Versioning::Latest => None,
            },
            default_version: durable.default_version.clone(),
        },
        version_gate: VersionGate {
            worker: durable.default_version.clone(),
            strategy: match durable.version_match_strategy {
                VersionMatchStrategy::None => MatchStrategy::None,
                VersionMatchStrategy::Strict => MatchStrategy::Strict,
                VersionMatchStrategy::CurrentOrOlder => MatchStrategy::CurrentOrOlder,
            },
        },
        version_failure: match durable.version_failure_strategy {
            VersionFailureStrategy::Reject => FailureStrategy::Reject,
            VersionFailureStrategy::Fail => FailureStrategy::Fail,
        },
        reuse: match durable.overridable_existing_instance_states {
            OverridableExistingInstanceStates::NonRunningStates => Reuse::ENDED,
            OverridableExistingInstanceStates::AnyState => Reuse::ANY,
        },
        retention: task_hub::Retention {
            completed: retention.completed,
            failed: retention.failed,
            terminated: retention.terminated,
        },
        ..defaults
    }
}

/// How much an instance may do and hold.
pub(crate) fn limits(app: &App) -> Limits {
    let durable = &app.host.durable_task;
    Limits {
        max_actions: saturating_usize(durable.max_orchestration_actions.into()),
        max_pending_actions: saturating_usize(durable.max_pending_actions.into()),
        max_depth: durable.max_sub_orchestration_depth,
        max_sub_orchestrations: durable.max_sub_orchestrations,
        max_continue_as_new_per_minute: durable.max_continue_as_new_per_minute,
        max_history_events: durable.max_history_events,
        max_history_bytes: durable.max_history_bytes,
        max_payload_bytes: saturating_usize(durable.max_payload_bytes),
        max_custom_status_bytes: saturating_usize(durable.max_custom_status_bytes),
    }
}

/// The limits of the sandbox that a manifest sets.
pub(crate) fn guest_settings(app: &App) -> GuestSettings {
    let guest = &app.host.guest;
    GuestSettings {
        max_memory_bytes: saturating_usize(guest.max_memory_bytes),
        max_output_bytes: saturating_usize(guest.max_output_bytes),
        max_log_bytes: saturating_usize(guest.max_log_bytes),
        function_timeout: app.host.function_timeout,
        turn_timeout: app.host.durable_task.orchestrator_turn_timeout,
        ..GuestSettings::default()
    }
}

pub(super) fn saturating_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
