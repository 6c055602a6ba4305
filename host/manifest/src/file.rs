//! The manifest as it stands in the file: every field optional, everything with its place in the text.
//!
//! Mirrors the TOML and knows which fields there are; whether their values make sense is decided in `check`.

use std::ops::Range;

use crate::fields::{Placed, Section};

/// The trigger types that this version runs, as shown in messages.
pub(crate) const SUPPORTED_TRIGGERS: &[&str] =
    &["httpTrigger", "orchestrationTrigger", "activityTrigger", "entityTrigger"];

/// Trigger types of Azure Functions that the manifest will take one day; told apart from misspelt ones.
pub(crate) const LATER_TRIGGERS: &[&str] = &["queueTrigger", "timerTrigger"];

pub(crate) struct File {
    pub(crate) app: FileApp,
    pub(crate) components: Vec<FileComponent>,
    pub(crate) functions: Vec<FileFunction>,
    pub(crate) host: FileHost,
}

#[derive(Default)]
pub(crate) struct FileApp {
    pub(crate) name: Option<Placed<String>>,
    pub(crate) version: Option<Placed<String>>,
    pub(crate) versioning: Option<Placed<String>>,
}

pub(crate) struct FileComponent {
    pub(crate) name: Placed<String>,
    pub(crate) source: Option<Placed<String>>,
    pub(crate) allowed_outbound_hosts: Vec<Placed<String>>,
    pub(crate) build: Option<FileBuild>,
}

pub(crate) struct FileBuild {
    pub(crate) command: Option<Placed<String>>,
    pub(crate) watch: Vec<Placed<String>>,
    pub(crate) workdir: Option<Placed<String>>,
}

pub(crate) struct FileFunction {
    pub(crate) name: Placed<String>,
    /// Also true when the field was reported and `component` is empty.
    pub(crate) names_component: bool,
    pub(crate) component: Option<Placed<String>>,
    pub(crate) entry_point: Option<Placed<String>>,
    pub(crate) trigger: Option<FileTrigger>,
}

/// One variant for each supported type; a trigger whose type is missing or unknown was reported and is not here.
pub(crate) enum FileTrigger {
    Http {
        methods: Vec<Placed<String>>,
        route: Option<Placed<String>>,
        auth_level: Option<Placed<String>>,
        at: Range<usize>,
    },
    Orchestration,
    Activity {
        timeout: Option<Placed<String>>,
        heartbeat_timeout: Option<Placed<String>>,
    },
    Entity,
}

#[derive(Default)]
pub(crate) struct FileHost {
    pub(crate) http: FileHttp,
    pub(crate) durable_task: FileDurableTask,
    pub(crate) guest: FileGuest,
    pub(crate) function_timeout: Option<Placed<String>>,
}

#[derive(Default)]
pub(crate) struct FileHttp {
    pub(crate) route_prefix: Option<Placed<String>>,
    pub(crate) max_request_body_bytes: Option<Placed<i64>>,
    pub(crate) max_outstanding_requests: Option<Placed<i64>>,
    pub(crate) max_concurrent_requests: Option<Placed<i64>>,
    pub(crate) strict_azure_status: Option<Placed<bool>>,
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

/// Reads the whole document; whatever is missing, unknown or of the wrong type is reported on the way.
pub(crate) fn read(mut document: Section<'_, '_>) -> File {
    let app = "a section `[app]` with `name = \"my-app\"` and `version = \"1.0.0\"`";
    let app = required_section(&mut document, "app", app).map(read_app).unwrap_or_default();
    let component = "a section such as `[components.main]` with `source = \"main.wasm\"`";
    let components = required_section(&mut document, "components", component);
    let function = "a section such as `[functions.Hello]` with `trigger = { type = \"httpTrigger\" }`";
    let functions = required_section(&mut document, "functions", function);
    let components = components.map(|section| read_named(&section, read_component)).unwrap_or_default();
    let functions = functions.map(|section| read_named(&section, read_function)).unwrap_or_default();
    let host = document.section("host").map(read_host).unwrap_or_default();
    document.finish();
    File { app, components, functions, host }
}

/// Most functions and most components of one app; bounds the work and the memory that a manifest can ask for.
pub const MAX_FUNCTIONS: usize = 2_000;

type Read<'t, 'r, T> = fn(Placed<String>, Option<Section<'t, 'r>>) -> Option<T>;

fn read_named<'t, 'r, T>(section: &Section<'t, 'r>, read: Read<'t, 'r, T>) -> Vec<T> {
    let mut named = section.named_sections();
    if named.is_empty() {
        let next = format!("add a section such as `[{}.Name]`", section.path);
        section.report().add(&section.at, &section.path, "is empty", next);
    }
    if named.len() > MAX_FUNCTIONS {
        let what = format!("has {} entries, more than {MAX_FUNCTIONS}", named.len());
        section.report().add(&section.at, &section.path, what, "split the app into several");
        named.truncate(MAX_FUNCTIONS);
    }
    named.into_iter().filter_map(|(name, section)| read(name, section)).collect()
}

fn read_app(mut section: Section<'_, '_>) -> FileApp {
    let app = FileApp {
        name: required_text(&mut section, "name", "`name = \"my-app\"`"),
        version: required_text(&mut section, "version", "`version = \"1.0.0\"`"),
        versioning: section.text("versioning"),
    };
    section.finish();
    app
}

/// A component that is no table still counts by its name, so that functions in it are not reported as well.
fn read_component(name: Placed<String>, section: Option<Section<'_, '_>>) -> Option<FileComponent> {
    let Some(mut section) = section else {
        return Some(FileComponent { name, source: None, allowed_outbound_hosts: Vec::new(), build: None });
    };
    let component = FileComponent {
        name,
        source: required_text(&mut section, "source", "`source = \"path/of/the/component.wasm\"`"),
        allowed_outbound_hosts: list(section.texts("allowedOutboundHosts")),
        build: section.section("build").map(read_build),
    };
    section.finish();
    Some(component)
}

fn read_build(mut section: Section<'_, '_>) -> FileBuild {
    let build = FileBuild {
        command: required_text(&mut section, "command", "`command = \"cargo build ...\"`, or remove the build section"),
        watch: list(section.texts("watch")),
        workdir: section.text("workdir"),
    };
    section.finish();
    build
}

fn read_function(name: Placed<String>, section: Option<Section<'_, '_>>) -> Option<FileFunction> {
    let mut section = section?;
    let names_component = section.has("component");
    let component = section.text("component");
    let entry_point = section.text("entryPoint");
    let trigger = required_section(&mut section, "trigger", "`trigger = { type = \"httpTrigger\" }`, or another type");
    let trigger = trigger.and_then(read_trigger);
    section.not_yet("outputs", "remove it, and have the function write its outputs itself");
    section.not_yet("inputs", "remove it, and have the function read its inputs itself");
    section.finish();
    Some(FileFunction { name, names_component, component, entry_point, trigger })
}

fn read_trigger(mut section: Section<'_, '_>) -> Option<FileTrigger> {
    let example = "`type = \"httpTrigger\"`, \"orchestrationTrigger\", \"activityTrigger\" or \"entityTrigger\"";
    // Without a type there is no telling which fields belong here, so that nothing more is said about them.
    let kind = required_text(&mut section, "type", example)?;
    let trigger = match kind.get_ref().as_str() {
        "httpTrigger" => FileTrigger::Http {
            methods: list(section.texts("methods")),
            route: section.text("route"),
            auth_level: section.text("authLevel"),
            at: section.at.clone(),
        },
        "orchestrationTrigger" => FileTrigger::Orchestration,
        "activityTrigger" => FileTrigger::Activity {
            timeout: section.text("timeout"),
            heartbeat_timeout: section.text("heartbeatTimeout"),
        },
        "entityTrigger" => FileTrigger::Entity,
        unknown => {
            report_trigger_type(&section, &kind, unknown);
            return None;
        }
    };
    section.finish();
    Some(trigger)
}

fn report_trigger_type(section: &Section<'_, '_>, kind: &Placed<String>, unknown: &str) {
    let supported = SUPPORTED_TRIGGERS.join(", ");
    let (what, next) = if LATER_TRIGGERS.contains(&unknown) {
        (format!("`{unknown}` is not supported yet"), format!("use one of {supported}"))
    } else {
        let next = crate::suggestion::did_you_mean(unknown, SUPPORTED_TRIGGERS);
        (format!("`{unknown}` is not a trigger type"), next)
    };
    section.report().add(&kind.span(), section.field("type"), what, next);
}

fn read_host(mut section: Section<'_, '_>) -> FileHost {
    let host = FileHost {
        http: section.section("http").map(read_http).unwrap_or_default(),
        durable_task: section.section("durableTask").map(read_durable_task).unwrap_or_default(),
        guest: section.section("guest").map(read_guest).unwrap_or_default(),
        function_timeout: section.text("functionTimeout"),
    };
    section.finish();
    host
}

fn read_http(mut section: Section<'_, '_>) -> FileHttp {
    let http = FileHttp {
        route_prefix: section.text("routePrefix"),
        max_request_body_bytes: section.integer("maxRequestBodyBytes"),
        max_outstanding_requests: section.integer("maxOutstandingRequests"),
        max_concurrent_requests: section.integer("maxConcurrentRequests"),
        strict_azure_status: section.flag("strictAzureStatus"),
    };
    section.finish();
    http
}

fn read_durable_task(mut section: Section<'_, '_>) -> FileDurableTask {
    let durable_task = FileDurableTask {
        hub_name: section.text("hubName"),
        default_version: section.text("defaultVersion"),
        version_match_strategy: section.text("versionMatchStrategy"),
        version_failure_strategy: section.text("versionFailureStrategy"),
        overridable_existing_instance_states: section.text("overridableExistingInstanceStates"),
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
        orchestrator_turn_timeout: section.text("orchestratorTurnTimeout"),
        store_inputs_in_orchestration_history: section.flag("storeInputsInOrchestrationHistory"),
        http_settings: section.section("httpSettings").map(read_durable_http).unwrap_or_default(),
        retention: section.section("retention").map(read_retention).unwrap_or_default(),
    };
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
        completed: section.text("completed"),
        failed: section.text("failed"),
        terminated: section.text("terminated"),
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

fn required_section<'t, 'r>(
    section: &mut Section<'t, 'r>,
    key: &'static str,
    example: &str,
) -> Option<Section<'t, 'r>> {
    if !section.has(key) {
        section.missing(key, example);
    }
    section.section(key)
}

fn required_text(section: &mut Section<'_, '_>, key: &'static str, example: &str) -> Option<Placed<String>> {
    if !section.has(key) {
        section.missing(key, example);
    }
    section.text(key)
}

fn list(texts: Option<Placed<Vec<Placed<String>>>>) -> Vec<Placed<String>> {
    texts.map(Placed::into_inner).unwrap_or_default()
}
