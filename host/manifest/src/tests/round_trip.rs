//! An app that is printed as a manifest and read again is the same app.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::time::Duration;

use proptest::prelude::*;

use crate::route::{Method, Methods};
use crate::settings::{
    DurableHttpSettings, DurableTaskSettings, GuestSettings, HostSettings, HttpSettings,
    OverridableExistingInstanceStates, RetentionSettings, VersionFailureStrategy, VersionMatchStrategy,
};
use crate::{ActivityTrigger, App, AuthLevel, Build, Component, Function, HttpTrigger, Trigger, Versioning};

proptest! {
    #[test]
    fn a_printed_app_is_read_as_the_same_app(app in app()) {
        let text = print(&app);
        let read = crate::parse(&text, "printed.toml").unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        prop_assert_eq!(without_lines(read), app, "{}", text);
    }
}

/// Apps that keep every rule; functions have distinct names and routes by their numbers.
fn app() -> impl Strategy<Value = App> {
    let components = prop::collection::btree_map("[a-z][a-z0-9_-]{0,8}", component(), 1..4);
    let functions = prop::collection::vec((any::<prop::sample::Index>(), trigger(), "([A-Z][a-z]{1,5})?"), 1..6);
    let versioning = prop::sample::select(vec![Versioning::Pinned, Versioning::Latest]);
    ("[A-Za-z][A-Za-z0-9_-]{0,63}", "[0-9a-z.+_-]{1,64}", versioning, components, functions, host()).prop_map(
        |(name, version, versioning, components, functions, host)| {
            let functions = functions.into_iter().enumerate();
            let functions =
                functions.map(|(n, (pick, trigger, entry_point))| function(n, &components, pick, trigger, entry_point));
            App { name, version, versioning, functions: functions.collect(), host, components: components.clone() }
        },
    )
}

fn function(
    number: usize,
    components: &BTreeMap<String, Component>,
    pick: prop::sample::Index,
    mut trigger: Trigger,
    entry_point: String,
) -> Function {
    let name = format!("Function-{number}");
    if let Trigger::Http(http) = &mut trigger {
        http.route = format!("r{number}/{}", http.route).parse().unwrap();
    }
    let entry_point = if entry_point.is_empty() { name.clone() } else { entry_point };
    let component = components.keys().nth(pick.index(components.len())).unwrap().clone();
    Function {
        name,
        component,
        entry_point,
        trigger,
        inputs: Vec::new(),
        outputs: Vec::new(),
        retry: None,
        disabled: false,
        max_concurrency: None,
        line: 0,
    }
}

fn component() -> impl Strategy<Value = Component> {
    let text = || "[ -~äöü🚀]{0,20}[a-z]";
    let host = prop::sample::select(vec!["*", "example.com", "https://*.example.com:8443", "[::1]:80"]);
    let build = (text(), prop::collection::vec(text(), 0..3), prop::option::of(text()))
        .prop_map(|(command, watch, workdir)| Build { command, watch, workdir });
    let hosts = prop::collection::vec(host.prop_map(|host| host.parse().unwrap()), 0..3);
    (text(), hosts, prop::option::of(build)).prop_map(|(source, allowed_outbound_hosts, build)| Component {
        source,
        allowed_outbound_hosts,
        build,
    })
}

fn trigger() -> impl Strategy<Value = Trigger> {
    let methods = prop::sample::subsequence(Method::ALL.to_vec(), 0..8).prop_map(Methods::listed);
    let routes = vec!["", "{x}", "{x:int=3}", "{x:regex(^\\d{{2}}$)?}", "v{a}.{b}/{**rest}", "ünï/{{x}}"];
    let route = prop::sample::select(routes).prop_map(|route| route.parse().unwrap());
    let level = prop::sample::select(vec![AuthLevel::Anonymous, AuthLevel::Function, AuthLevel::Admin]);
    prop_oneof![
        (methods, route, level).prop_map(|(methods, route, auth_level)| Trigger::Http(HttpTrigger {
            methods,
            route,
            auth_level
        })),
        Just(Trigger::Orchestration),
        (attempt_time(), attempt_time()).prop_map(|(timeout, heartbeat)| {
            let heartbeat_timeout = heartbeat.map(|heartbeat| timeout.map_or(heartbeat, |limit| heartbeat.min(limit)));
            Trigger::Activity(ActivityTrigger { timeout, heartbeat_timeout })
        }),
        Just(Trigger::Entity),
    ]
}

fn attempt_time() -> impl Strategy<Value = Option<Duration>> {
    prop::option::of((1..2_592_000_000_u64).prop_map(Duration::from_millis))
}

fn host() -> impl Strategy<Value = HostSettings> {
    let timeout = prop::option::of((1..2_592_000_000_u64).prop_map(Duration::from_millis));
    (http(), durable_task(), guest(), timeout).prop_map(|(http, durable_task, guest, function_timeout)| HostSettings {
        http,
        durable_task,
        guest,
        queues: crate::settings::QueueSettings {
            max_polling_interval: Duration::from_secs(60),
            visibility_timeout: Duration::ZERO,
            batch_size: 16,
            new_batch_threshold: None,
            max_dequeue_count: 5,
            message_encoding: crate::settings::MessageEncoding::Auto,
        },
        function_timeout,
    })
}

fn http() -> impl Strategy<Value = HttpSettings> {
    let limit = || prop::option::of(1..=1_000_000_u32);
    ("(api|[a-c]{1,4}/v[0-9])?", 1..=4_294_967_296_u64, limit(), limit(), any::<bool>()).prop_map(
        |(route_prefix, max_request_body_bytes, outstanding, concurrent, strict_azure_status)| HttpSettings {
            route_prefix,
            max_request_body_bytes,
            max_outstanding_requests: outstanding,
            max_concurrent_requests: concurrent,
            strict_azure_status,
        },
    )
}

fn durable_task() -> impl Strategy<Value = DurableTaskSettings> {
    let concurrent = || prop::option::of(1..=100_000_u32);
    let concurrency = (concurrent(), concurrent(), 1..=1_000_000_u32);
    let guards = (1..=10_000_000_u32, 1..=10_000_000_u32, 1..=10_000_u32, 1..=10_000_000_u32, 1..=1_000_000_u32);
    let history = (10..=1_000_000_000_u64, 1_024..=68_719_476_736_u64);
    let sizes = (1_024..=1_073_741_824_u64, 1..=1_048_576_u64);
    let live = (0..=1_000_000_u32, 0..=1_099_511_627_776_u64, 1..=100_u32);
    let times = (1..=3_600_000_u64, 1..=86_400_000_u64, retention());
    let names = ("[A-Za-z][A-Za-z0-9]{2,44}", prop::option::of("[0-9a-z.+_-]{1,64}"));
    let flags = (any::<bool>(), any::<bool>());
    (names, strategies(), concurrency, guards, history, sizes, live, times, flags).prop_map(
        |(names, strategies, concurrency, guards, history, sizes, live, times, flags)| DurableTaskSettings {
            hub_name: names.0,
            default_version: names.1,
            version_match_strategy: strategies.0,
            version_failure_strategy: strategies.1,
            overridable_existing_instance_states: strategies.2,
            max_concurrent_orchestrator_functions: concurrency.0,
            max_concurrent_activity_functions: concurrency.1,
            max_entity_operation_batch_size: concurrency.2,
            max_orchestration_actions: guards.0,
            max_pending_actions: guards.1,
            max_sub_orchestration_depth: guards.2,
            max_sub_orchestrations: guards.3,
            max_continue_as_new_per_minute: guards.4,
            max_history_events: history.0,
            max_history_bytes: history.1,
            max_payload_bytes: sizes.0,
            max_custom_status_bytes: sizes.1,
            live_instances: live.0,
            live_instance_bytes: live.1,
            max_turn_attempts: live.2,
            orchestrator_turn_timeout: Duration::from_millis(times.0),
            http: DurableHttpSettings { default_async_request_sleep_time: Duration::from_millis(times.1) },
            retention: times.2,
            rollback_entity_operations_on_exceptions: flags.0,
            store_inputs_in_orchestration_history: flags.1,
        },
    )
}

fn strategies()
-> impl Strategy<Value = (VersionMatchStrategy, VersionFailureStrategy, OverridableExistingInstanceStates)> {
    use OverridableExistingInstanceStates::{AnyState, NonRunningStates};
    (
        prop::sample::select(vec![
            VersionMatchStrategy::None,
            VersionMatchStrategy::Strict,
            VersionMatchStrategy::CurrentOrOlder,
        ]),
        prop::sample::select(vec![VersionFailureStrategy::Reject, VersionFailureStrategy::Fail]),
        prop::sample::select(vec![NonRunningStates, AnyState]),
    )
}

fn retention() -> impl Strategy<Value = RetentionSettings> {
    let kept_for = || prop::option::of((1_000..=3_153_600_000_000_u64).prop_map(Duration::from_millis));
    (kept_for(), kept_for(), kept_for()).prop_map(|(completed, failed, terminated)| RetentionSettings {
        completed,
        failed,
        terminated,
    })
}

fn guest() -> impl Strategy<Value = GuestSettings> {
    (1_048_576..=4_294_967_296_u64, 1_024..=1_073_741_824_u64, 0..=1_073_741_824_u64).prop_map(
        |(max_memory_bytes, max_output_bytes, max_log_bytes)| GuestSettings {
            max_memory_bytes,
            max_output_bytes,
            max_log_bytes,
        },
    )
}

fn without_lines(mut app: App) -> App {
    app.functions.iter_mut().for_each(|function| function.line = 0);
    app
}

/// TOML takes JSON's way of writing strings, which the debug form of these texts is.
fn print(app: &App) -> String {
    let App { name, version, versioning, .. } = app;
    let versioning = versioning.as_str();
    let mut toml = format!("[app]\nname = {name:?}\nversion = {version:?}\nversioning = {versioning:?}\n");
    for (name, component) in &app.components {
        let hosts: Vec<&str> = component.allowed_outbound_hosts.iter().map(|host| host.as_str()).collect();
        let source = &component.source;
        write!(toml, "[components.{name}]\nsource = {source:?}\nallowedOutboundHosts = {hosts:?}\n").unwrap();
        if let Some(Build { command, watch, workdir }) = &component.build {
            write!(toml, "build.command = {command:?}\nbuild.watch = {watch:?}\n").unwrap();
            print_option(&mut toml, "build.workdir", workdir.as_ref().map(|text| format!("{text:?}")));
        }
    }
    for Function { name, component, entry_point, trigger, .. } in &app.functions {
        write!(toml, "[functions.{name}]\ncomponent = {component:?}\nentryPoint = {entry_point:?}\n").unwrap();
        writeln!(toml, "trigger.type = {:?}", trigger.type_name()).unwrap();
        match trigger {
            Trigger::Orchestration | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => {}
            Trigger::Activity(activity) => {
                print_option(&mut toml, "trigger.timeout", activity.timeout.map(milliseconds));
                print_option(&mut toml, "trigger.heartbeatTimeout", activity.heartbeat_timeout.map(milliseconds));
            }
            Trigger::Http(http) => {
                let all = http.methods.is_all();
                let methods = if all { Vec::new() } else { http.methods.to_vec() };
                let methods: Vec<&str> = methods.into_iter().map(Method::as_str).collect();
                let (route, level) = (http.route.to_string(), http.auth_level.as_str());
                write!(
                    toml,
                    "trigger.methods = {methods:?}\ntrigger.route = {route:?}\ntrigger.authLevel = {level:?}\n"
                )
                .unwrap();
            }
        }
    }
    print_host(&mut toml, &app.host);
    toml
}

fn print_host(toml: &mut String, host: &HostSettings) {
    let timeout = host.function_timeout.map_or("\"-1\"".to_owned(), milliseconds);
    let (http, guest) = (&host.http, &host.guest);
    write!(
        toml,
        "[host]\nfunctionTimeout = {timeout}\n\
         [host.guest]\nmaxMemoryBytes = {}\nmaxOutputBytes = {}\nmaxLogBytes = {}\n\
         [host.http]\nroutePrefix = {:?}\nmaxRequestBodyBytes = {}\nstrictAzureStatus = {}\n",
        guest.max_memory_bytes,
        guest.max_output_bytes,
        guest.max_log_bytes,
        http.route_prefix,
        http.max_request_body_bytes,
        http.strict_azure_status
    )
    .unwrap();
    print_option(toml, "maxOutstandingRequests", http.max_outstanding_requests);
    print_option(toml, "maxConcurrentRequests", http.max_concurrent_requests);
    print_durable_task(toml, &host.durable_task);
}

fn print_durable_task(toml: &mut String, durable: &DurableTaskSettings) {
    let fields: [(&str, &dyn Display); 21] = [
        ("maxOrchestrationActions", &durable.max_orchestration_actions),
        ("maxPendingActions", &durable.max_pending_actions),
        ("maxSubOrchestrationDepth", &durable.max_sub_orchestration_depth),
        ("maxSubOrchestrations", &durable.max_sub_orchestrations),
        ("maxContinueAsNewPerMinute", &durable.max_continue_as_new_per_minute),
        ("maxHistoryEvents", &durable.max_history_events),
        ("maxHistoryBytes", &durable.max_history_bytes),
        ("maxPayloadBytes", &durable.max_payload_bytes),
        ("maxCustomStatusBytes", &durable.max_custom_status_bytes),
        ("maxEntityOperationBatchSize", &durable.max_entity_operation_batch_size),
        ("rollbackEntityOperationsOnExceptions", &durable.rollback_entity_operations_on_exceptions),
        ("liveInstances", &durable.live_instances),
        ("liveInstanceBytes", &durable.live_instance_bytes),
        ("maxTurnAttempts", &durable.max_turn_attempts),
        ("orchestratorTurnTimeout", &milliseconds(durable.orchestrator_turn_timeout)),
        ("storeInputsInOrchestrationHistory", &durable.store_inputs_in_orchestration_history),
        (
            "httpSettings.defaultAsyncRequestSleepTimeMilliseconds",
            &durable.http.default_async_request_sleep_time.as_millis(),
        ),
        ("hubName", &quoted(&durable.hub_name)),
        ("versionMatchStrategy", &quoted(durable.version_match_strategy.as_str())),
        ("versionFailureStrategy", &quoted(durable.version_failure_strategy.as_str())),
        ("overridableExistingInstanceStates", &quoted(durable.overridable_existing_instance_states.as_str())),
    ];
    toml.push_str("[host.durableTask]\n");
    for (key, value) in fields {
        print_option(toml, key, Some(value));
    }
    print_option(toml, "defaultVersion", durable.default_version.as_deref().map(quoted));
    print_option(toml, "maxConcurrentOrchestratorFunctions", durable.max_concurrent_orchestrator_functions);
    print_option(toml, "maxConcurrentActivityFunctions", durable.max_concurrent_activity_functions);
    print_option(toml, "retention.completed", durable.retention.completed.map(milliseconds));
    print_option(toml, "retention.failed", durable.retention.failed.map(milliseconds));
    print_option(toml, "retention.terminated", durable.retention.terminated.map(milliseconds));
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn print_option(toml: &mut String, key: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        writeln!(toml, "{key} = {value}").unwrap();
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("\"{}ms\"", duration.as_millis())
}
