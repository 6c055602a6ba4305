//! An app that is printed as a manifest and read again is the same app.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::time::Duration;

use proptest::prelude::*;

use crate::settings::{
    CorsSettings, DurableHttpSettings, DurableTaskSettings, GuestSettings, HostSettings, HstsSettings, HttpSettings,
    LogLevel, LoggingSettings, MessageEncoding, OverridableExistingInstanceStates, QueueSettings, RetentionSettings,
    StorageSettings, VersionFailureStrategy, VersionMatchStrategy,
};
use crate::{App, Build, Component, Function, Trigger, Versioning};

mod functions;

proptest! {
    #[test]
    fn a_printed_app_is_read_as_the_same_app(app in app()) {
        let text = print(&app);
        let read = crate::parse(&text, "printed.toml", &crate::no_settings).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        prop_assert_eq!(without_lines(read), app, "{}", text);
        let violations = super::schema::violations(&super::schema::json_of(&text));
        prop_assert!(violations.is_empty(), "{violations}\n{text}");
    }
}

/// Apps that keep every rule; functions have distinct names and routes by their numbers.
fn app() -> impl Strategy<Value = App> {
    let components = prop::collection::btree_map("[a-z][a-z0-9_-]{0,8}", component(), 1..4);
    let functions =
        prop::collection::vec((any::<prop::sample::Index>(), "([A-Z][a-z]{1,5})?", functions::function()), 1..6);
    let versioning = prop::sample::select(vec![Versioning::Pinned, Versioning::Latest]);
    ("[A-Za-z][A-Za-z0-9_-]{0,63}", "[0-9a-z.+_-]{1,64}", versioning, components, functions, host()).prop_map(
        |(name, version, versioning, components, functions, host)| {
            let functions = functions.into_iter().enumerate();
            let functions = functions
                .map(|(n, (pick, entry_point, function))| {
                    placed(n, &components, &host.queues, pick, entry_point, function)
                })
                .collect();
            App { name, version, versioning, functions, host, components, referenced_settings: Vec::new() }
        },
    )
}

/// Names, routes and components are given by number, so that nothing conflicts; what a trigger does not say, the host says.
fn placed(
    number: usize,
    components: &BTreeMap<String, Component>,
    of_host: &QueueSettings,
    pick: prop::sample::Index,
    entry_point: String,
    mut function: Function,
) -> Function {
    function.name = format!("Function-{number}");
    if let Trigger::Queue(queue) = &mut function.trigger {
        let own = queue.settings.new_batch_threshold;
        queue.settings.new_batch_threshold = own.or(of_host.new_batch_threshold);
    }
    if let Trigger::Http(http) = &mut function.trigger {
        http.route = format!("r{number}/{}", http.route).parse().unwrap();
    }
    function.entry_point = if entry_point.is_empty() { function.name.clone() } else { entry_point };
    function.component = components.keys().nth(pick.index(components.len())).unwrap().clone();
    function
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

fn host() -> impl Strategy<Value = HostSettings> {
    let timeout = prop::option::of((1..2_592_000_000_u64).prop_map(Duration::from_millis));
    (http(), durable_task(), guest(), storage(), queues(), logging(), timeout).prop_map(
        |(http, durable_task, guest, storage, queues, logging, function_timeout)| HostSettings {
            http,
            durable_task,
            guest,
            storage,
            queues,
            logging,
            function_timeout,
        },
    )
}

fn queues() -> impl Strategy<Value = QueueSettings> {
    let times = (100..=86_400_000_u64, 0..=604_800_000_u64);
    let counts = (1..=32_u32, prop::option::of(0..=100_000_u32), 1..=1_000_000_u32);
    let encoding = prop::sample::select(vec![MessageEncoding::Auto, MessageEncoding::Base64, MessageEncoding::None]);
    (times, counts, encoding).prop_map(|(times, counts, message_encoding)| QueueSettings {
        max_polling_interval: Some(Duration::from_millis(times.0)),
        visibility_timeout: Duration::from_millis(times.1),
        batch_size: counts.0,
        new_batch_threshold: counts.1,
        max_dequeue_count: counts.2,
        message_encoding,
    })
}

fn logging() -> impl Strategy<Value = LoggingSettings> {
    use LogLevel::{Critical, Debug, Error, Information, None, Trace, Warning};
    let all = vec![Trace, Debug, Information, Warning, Error, Critical, None];
    let level = || prop::option::of(prop::sample::select(all.clone()));
    (level(), level(), level(), level()).prop_map(|(default, function, host, durable_task)| LoggingSettings {
        default,
        function,
        host,
        durable_task,
    })
}

fn http() -> impl Strategy<Value = HttpSettings> {
    let limit = || prop::option::of(1..=1_000_000_u32);
    let numbers = (1..=4_294_967_296_u64, limit(), limit(), any::<bool>());
    let headers = prop::collection::btree_map("X-[a-z]{1,6}", "[ -~]{0,20}", 0..3);
    let hsts = (0..=315_360_000_000_u64, any::<bool>(), any::<bool>(), prop::collection::vec("[a-z]{1,5}\\.ch", 0..2));
    let hsts = hsts.prop_map(|(max_age, include_sub_domains, preload, excluded_hosts)| HstsSettings {
        max_age: Duration::from_millis(max_age),
        include_sub_domains,
        preload,
        excluded_hosts,
    });
    let listed = (prop::collection::vec("https?://[a-z]{1,5}(:80)?", 0..3), any::<bool>());
    let cors = prop_oneof![listed, Just((vec!["*".to_owned()], false))];
    let cors =
        cors.prop_map(|(allowed_origins, support_credentials)| CorsSettings { allowed_origins, support_credentials });
    ("(api|[a-c]{1,4}/v[0-9])?", numbers, headers, prop::option::of(hsts), cors).prop_map(
        |(route_prefix, numbers, custom_headers, hsts, cors)| HttpSettings {
            route_prefix,
            max_request_body_bytes: numbers.0,
            max_outstanding_requests: numbers.1,
            max_concurrent_requests: numbers.2,
            strict_azure_status: numbers.3,
            custom_headers,
            hsts,
            cors,
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

fn storage() -> impl Strategy<Value = StorageSettings> {
    (16_777_216..=1_125_899_906_842_624_u64).prop_map(|reserved_disk_bytes| StorageSettings { reserved_disk_bytes })
}

fn without_lines(mut app: App) -> App {
    app.functions.iter_mut().for_each(|function| function.line = 0);
    app.referenced_settings.clear();
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
    app.functions.iter().for_each(|function| functions::print(&mut toml, function));
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
         [host.storage]\nreservedDiskBytes = {}\n\
         [host.http]\nroutePrefix = {:?}\nmaxRequestBodyBytes = {}\nstrictAzureStatus = {}\n",
        guest.max_memory_bytes,
        guest.max_output_bytes,
        guest.max_log_bytes,
        host.storage.reserved_disk_bytes,
        http.route_prefix,
        http.max_request_body_bytes,
        http.strict_azure_status
    )
    .unwrap();
    print_option(toml, "maxOutstandingRequests", http.max_outstanding_requests);
    print_option(toml, "maxConcurrentRequests", http.max_concurrent_requests);
    for (name, value) in &http.custom_headers {
        print_option(toml, &format!("customHeaders.{name}"), Some(percent_doubled(value)));
    }
    if let Some(hsts) = &http.hsts {
        print_option(toml, "hsts.isEnabled", Some(true));
        print_option(toml, "hsts.maxAge", Some(milliseconds(hsts.max_age)));
        print_option(toml, "hsts.includeSubDomains", Some(hsts.include_sub_domains));
        print_option(toml, "hsts.preload", Some(hsts.preload));
        print_option(toml, "hsts.excludedHosts", Some(format!("{:?}", hsts.excluded_hosts)));
    }
    let CorsSettings { allowed_origins, support_credentials } = &http.cors;
    writeln!(toml, "cors = {{ allowedOrigins = {allowed_origins:?}, supportCredentials = {support_credentials} }}")
        .unwrap();
    toml.push_str("[host.queues]\n");
    print_queues(toml, "", &host.queues);
    toml.push_str("[host.logging.logLevel]\n");
    let LoggingSettings { default, function, host: of_host, durable_task } = host.logging;
    let levels = [("default", default), ("Function", function), ("Host", of_host), ("DurableTask", durable_task)];
    for (category, level) in levels {
        print_option(toml, category, level.map(|level| quoted(level.as_str())));
    }
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

/// `prefix` is that of the keys.
fn print_queues(toml: &mut String, prefix: &str, queues: &QueueSettings) {
    let key = |key| format!("{prefix}{key}");
    print_option(toml, &key("maxPollingInterval"), queues.max_polling_interval.map(milliseconds));
    print_option(toml, &key("visibilityTimeout"), Some(milliseconds(queues.visibility_timeout)));
    print_option(toml, &key("batchSize"), Some(queues.batch_size));
    print_option(toml, &key("newBatchThreshold"), queues.new_batch_threshold);
    print_option(toml, &key("maxDequeueCount"), Some(queues.max_dequeue_count));
    print_option(toml, &key("messageEncoding"), Some(quoted(queues.message_encoding.as_str())));
}

/// A text in which settings would be filled in.
fn percent_doubled(text: &str) -> String {
    quoted(&text.replace('%', "%%"))
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
