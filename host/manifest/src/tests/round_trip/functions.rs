//! Functions of all kinds with what belongs to them, and how they are printed.

use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;

use super::{milliseconds, percent_doubled, print_option, print_queues, queues};
use crate::expression::Expression;
use crate::route::{Method, Methods};
use crate::schedule::Schedule;
use crate::settings::MessageEncoding;
use crate::{
    ActivityTrigger, AuthLevel, CatchUp, Connection, Function, HttpTrigger, InputBinding, InputSource, OutputBinding,
    OutputTarget, QueueOutput, QueueTrigger, RETURN_BINDING, RetryDelay, RetryPolicy, TableInput, TableMode,
    TableOutput, TimerTrigger, Trigger,
};

/// Functions without a name and a component.
pub(super) fn function() -> impl Strategy<Value = Function> {
    trigger().prop_flat_map(|trigger| {
        let (bindings, concurrency, retry) = match &trigger {
            Trigger::Orchestration | Trigger::Entity => (false, false, false),
            Trigger::Activity(_) => (true, true, false),
            Trigger::Timer(_) => (true, false, true),
            Trigger::Http(_) | Trigger::Queue(_) => (true, true, true),
        };
        let most = |allowed: bool, most: usize| if allowed { most } else { 0 };
        let inputs = prop::collection::vec(table_input(&trigger), 0..=most(bindings, 2));
        let outputs = prop::collection::vec(output_target(&trigger), 0..=most(bindings, 3));
        let retry = prop::collection::vec(retry_policy(), 0..=most(retry, 1));
        let concurrency = prop::collection::vec(1..=100_000_u32, 0..=most(concurrency, 1));
        (Just(trigger), inputs, outputs, retry, concurrency, any::<bool>()).prop_map(
            |(trigger, inputs, outputs, retry, concurrency, disabled)| Function {
                name: String::new(),
                component: String::new(),
                entry_point: String::new(),
                inputs: inputs.into_iter().enumerate().map(|(n, table)| input(n, table)).collect(),
                outputs: outputs.into_iter().enumerate().map(|(n, target)| output(n, target, &trigger)).collect(),
                trigger,
                retry: retry.into_iter().next(),
                disabled,
                max_concurrency: concurrency.into_iter().next(),
                line: 0,
            },
        )
    })
}

fn input(number: usize, table: TableInput) -> InputBinding {
    InputBinding { name: format!("input{number}"), source: InputSource::Table(table) }
}

/// The first output takes what is returned, where that may go anywhere.
fn output(number: usize, target: OutputTarget, trigger: &Trigger) -> OutputBinding {
    let is_return = number == 0 && !matches!(trigger, Trigger::Http(_));
    OutputBinding { name: if is_return { RETURN_BINDING.to_owned() } else { format!("output-{number}") }, target }
}

fn trigger() -> impl Strategy<Value = Trigger> {
    let methods = prop::sample::subsequence(Method::ALL.to_vec(), 0..8).prop_map(Methods::listed);
    let routes = vec!["", "{x}", "{x:int=3}", "{x:regex(^\\d{{2}}$)?}", "v{a}.{b}/{**rest}", "ünï/{{x}}"];
    let route = prop::sample::select(routes).prop_map(|route| route.parse().unwrap());
    let level = prop::sample::select(vec![AuthLevel::Anonymous, AuthLevel::Function, AuthLevel::Admin]);
    let queue = ("[a-z]{3}(-[0-9]{1,5}){0,3}", connection(), queues());
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
        queue.prop_map(|(name, connection, settings)| Trigger::Queue(QueueTrigger {
            queue_name: name.parse().unwrap(),
            connection,
            settings
        })),
        timer(),
    ]
}

fn timer() -> impl Strategy<Value = Trigger> {
    let schedules = vec![
        ("0 */5 * * * *", None),
        ("* * * * *", None),
        ("*/10 * * * * *", None),
        ("00:10:00", None),
        ("0 30 2 * jan-jun Mon,Wed", Some("Europe/Zurich")),
    ];
    let schedule = prop::sample::select(schedules).prop_map(|(text, zone)| Schedule::parse(text, zone).unwrap());
    let catch_up = prop::sample::select(vec![CatchUp::One, CatchUp::All, CatchUp::None]);
    (schedule, any::<bool>(), any::<bool>(), catch_up).prop_map(|(schedule, run_on_startup, monitor, catch_up)| {
        let use_monitor = monitor && !schedule.fires_more_than_once_a_minute();
        Trigger::Timer(TimerTrigger { schedule, run_on_startup, use_monitor, catch_up })
    })
}

fn attempt_time() -> impl Strategy<Value = Option<Duration>> {
    prop::option::of((1..2_592_000_000_u64).prop_map(Duration::from_millis))
}

fn connection() -> impl Strategy<Value = Connection> {
    "(AzureWebJobsStorage|[A-Z][a-z]{1,8}(__x|:y)?|100%)".prop_map(Connection)
}

fn retry_policy() -> impl Strategy<Value = RetryPolicy> {
    let interval = || (100..=604_800_000_u64).prop_map(Duration::from_millis);
    let delay = prop_oneof![
        interval().prop_map(RetryDelay::Fixed),
        (interval(), interval()).prop_map(|(a, b)| RetryDelay::Exponential { minimum: a.min(b), maximum: a.max(b) }),
    ];
    (prop::option::of(0..=1_000_000_u32), delay)
        .prop_map(|(max_retry_count, delay)| RetryPolicy { max_retry_count, delay })
}

/// Any text that the trigger can fill in. `name` is a name of the kind that is wanted.
fn expression(trigger: &Trigger, name: &'static str) -> impl Strategy<Value = Expression> + use<> {
    let mut texts = vec![name.to_owned(), format!("{name}{{datetime:yyyy-MM}}"), "{rand-guid:N}{{100%}}".to_owned()];
    if !matches!(trigger, Trigger::Timer(_)) {
        texts.push("{a}-{b.c}".to_owned());
    }
    prop::sample::select(texts).prop_map(|text| Expression::parse(&text).unwrap())
}

fn table_input(trigger: &Trigger) -> impl Strategy<Value = TableInput> + use<> {
    let several = (
        prop::option::of(expression(trigger, "p")),
        prop::option::of(expression(trigger, "A eq 1")),
        prop::option::of(1..=100_000_u32),
    );
    let several = several.prop_map(|(partition, filter, take)| (partition, None, filter, take));
    let one = (expression(trigger, "p"), expression(trigger, "r"))
        .prop_map(|(partition, row)| (Some(partition), Some(row), None, None));
    (expression(trigger, "Trips"), connection(), prop_oneof![several, one]).prop_map(
        |(table_name, connection, keys)| {
            let (partition_key, row_key, filter, take) = keys;
            TableInput { table_name, partition_key, row_key, filter, take, connection }
        },
    )
}

fn output_target(trigger: &Trigger) -> impl Strategy<Value = OutputTarget> + use<> {
    let encoding = prop::sample::select(vec![MessageEncoding::Auto, MessageEncoding::Base64, MessageEncoding::None]);
    let mode = prop::sample::select(vec![TableMode::Insert, TableMode::Replace, TableMode::Merge]);
    let key = || prop::option::of(expression(trigger, "k"));
    prop_oneof![
        (expression(trigger, "trips"), encoding, connection()).prop_map(
            |(queue_name, message_encoding, connection)| {
                OutputTarget::Queue(QueueOutput { queue_name, message_encoding, connection })
            }
        ),
        (expression(trigger, "Trips"), key(), key(), mode, connection()).prop_map(
            |(table_name, partition_key, row_key, mode, connection)| OutputTarget::Table(TableOutput {
                table_name,
                partition_key,
                row_key,
                mode,
                connection
            })
        ),
        Just(OutputTarget::DurableClient),
    ]
}

pub(super) fn print(toml: &mut String, function: &Function) {
    let Function { name, component, entry_point, trigger, .. } = function;
    write!(toml, "[functions.{name}]\ncomponent = {component:?}\nentryPoint = {entry_point:?}\n").unwrap();
    print_option(toml, "disabled", function.disabled.then_some(true));
    print_option(toml, "maxConcurrency", function.max_concurrency);
    print_trigger(toml, trigger);
    if let Some(RetryPolicy { max_retry_count, delay }) = &function.retry {
        writeln!(toml, "retry.strategy = {:?}", delay.as_str()).unwrap();
        let count = max_retry_count.map_or("-1".to_owned(), |count| count.to_string());
        print_option(toml, "retry.maxRetryCount", Some(count));
        match delay {
            RetryDelay::Fixed(delay) => print_option(toml, "retry.delayInterval", Some(milliseconds(*delay))),
            RetryDelay::Exponential { minimum, maximum } => {
                print_option(toml, "retry.minimumInterval", Some(milliseconds(*minimum)));
                print_option(toml, "retry.maximumInterval", Some(milliseconds(*maximum)));
            }
        }
    }
    for InputBinding { name, source: InputSource::Table(table) } in &function.inputs {
        let path = format!("inputs.{name}");
        print_option(toml, &format!("{path}.type"), Some("\"table\""));
        print_option(toml, &format!("{path}.tableName"), Some(text(&table.table_name)));
        print_option(toml, &format!("{path}.partitionKey"), table.partition_key.as_ref().map(text));
        print_option(toml, &format!("{path}.rowKey"), table.row_key.as_ref().map(text));
        print_option(toml, &format!("{path}.filter"), table.filter.as_ref().map(text));
        print_option(toml, &format!("{path}.take"), table.take);
        print_connection(toml, &path, &table.connection);
    }
    function.outputs.iter().for_each(|output| print_output(toml, output));
}

fn print_trigger(toml: &mut String, trigger: &Trigger) {
    writeln!(toml, "trigger.type = {:?}", trigger.type_name()).unwrap();
    match trigger {
        Trigger::Orchestration | Trigger::Entity => {}
        Trigger::Activity(activity) => {
            print_option(toml, "trigger.timeout", activity.timeout.map(milliseconds));
            print_option(toml, "trigger.heartbeatTimeout", activity.heartbeat_timeout.map(milliseconds));
        }
        Trigger::Http(http) => {
            let all = http.methods.is_all();
            let methods = if all { Vec::new() } else { http.methods.to_vec() };
            let methods: Vec<&str> = methods.into_iter().map(Method::as_str).collect();
            let (route, level) = (percent_doubled(&http.route.to_string()), http.auth_level.as_str());
            write!(toml, "trigger.methods = {methods:?}\ntrigger.route = {route}\ntrigger.authLevel = {level:?}\n")
                .unwrap();
        }
        Trigger::Queue(queue) => {
            print_option(toml, "trigger.queueName", Some(percent_doubled(queue.queue_name.as_str())));
            print_connection(toml, "trigger", &queue.connection);
            print_queues(toml, "trigger.", &queue.settings);
        }
        Trigger::Timer(timer) => {
            let shown = timer.schedule.to_string();
            let zone = shown.split_once(" (").map(|(_, zone)| zone.trim_end_matches(')'));
            print_option(toml, "trigger.schedule", Some(percent_doubled(timer.schedule.as_str())));
            print_option(toml, "trigger.timeZone", zone.map(percent_doubled));
            print_option(toml, "trigger.runOnStartup", Some(timer.run_on_startup));
            print_option(toml, "trigger.useMonitor", Some(timer.use_monitor));
            print_option(toml, "trigger.catchUp", Some(percent_doubled(timer.catch_up.as_str())));
        }
    }
}

fn print_output(toml: &mut String, OutputBinding { name, target }: &OutputBinding) {
    let path = format!("outputs.{name:?}");
    let kind = match target {
        OutputTarget::Queue(_) => "queue",
        OutputTarget::Table(_) => "table",
        OutputTarget::Http => "http",
        OutputTarget::DurableClient => "durableClient",
    };
    print_option(toml, &format!("{path}.type"), Some(percent_doubled(kind)));
    match target {
        OutputTarget::Queue(queue) => {
            print_option(toml, &format!("{path}.queueName"), Some(text(&queue.queue_name)));
            let encoding = percent_doubled(queue.message_encoding.as_str());
            print_option(toml, &format!("{path}.messageEncoding"), Some(encoding));
            print_connection(toml, &path, &queue.connection);
        }
        OutputTarget::Table(table) => {
            print_option(toml, &format!("{path}.tableName"), Some(text(&table.table_name)));
            print_option(toml, &format!("{path}.partitionKey"), table.partition_key.as_ref().map(text));
            print_option(toml, &format!("{path}.rowKey"), table.row_key.as_ref().map(text));
            print_option(toml, &format!("{path}.mode"), Some(percent_doubled(table.mode.as_str())));
            print_connection(toml, &path, &table.connection);
        }
        OutputTarget::Http | OutputTarget::DurableClient => {}
    }
}

fn print_connection(toml: &mut String, path: &str, connection: &Connection) {
    print_option(toml, &format!("{path}.connection"), Some(percent_doubled(&connection.0)));
}

fn text(expression: &Expression) -> String {
    percent_doubled(expression.as_str())
}
