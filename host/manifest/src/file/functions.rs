//! `[functions.NAME]` as it stands in the file: triggers, bindings, retry policies.

use std::ops::Range;

use super::{FileQueues, list, required_section, required_text};
use crate::fields::{FlagOrText, Placed, Section};
use crate::retry::{EXPONENTIAL_BACKOFF, FIXED_DELAY};
use crate::suggestion::did_you_mean;

const TRIGGERS: &[&str] =
    &["httpTrigger", "orchestrationTrigger", "activityTrigger", "entityTrigger", "queueTrigger", "timerTrigger"];

const INPUTS: &[&str] = &["table"];

const OUTPUTS: &[&str] = &["queue", "table", "http", "durableClient"];

pub(crate) struct FileFunction {
    pub(crate) name: Placed<String>,
    /// Also true when the field was reported and `component` is empty.
    pub(crate) names_component: bool,
    pub(crate) component: Option<Placed<String>>,
    pub(crate) entry_point: Option<Placed<String>>,
    pub(crate) trigger: Option<FileTrigger>,
    pub(crate) inputs: Vec<FileInput>,
    pub(crate) outputs: Vec<FileOutput>,
    pub(crate) retry: Option<FileRetry>,
    pub(crate) disabled: Option<FlagOrText>,
    pub(crate) max_concurrency: Option<Placed<i64>>,
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
    Queue {
        queue_name: Option<Placed<String>>,
        connection: FileConnection,
        settings: FileQueues,
    },
    Timer {
        schedule: Option<Placed<String>>,
        time_zone: Option<Placed<String>>,
        run_on_startup: Option<Placed<bool>>,
        use_monitor: Option<Placed<bool>>,
        catch_up: Option<Placed<String>>,
    },
}

/// Which connection a trigger or binding uses.
pub(crate) struct FileConnection {
    /// The setting that it names, if it does.
    pub(crate) named: Option<Placed<String>>,
    /// Where the trigger or binding stands.
    pub(crate) at: Range<usize>,
}

pub(crate) struct FileInput {
    pub(crate) name: Placed<String>,
    pub(crate) kind: FileInputKind,
}

pub(crate) enum FileInputKind {
    Table(FileTableInput),
}

pub(crate) struct FileTableInput {
    pub(crate) table_name: Option<Placed<String>>,
    pub(crate) partition_key: Option<Placed<String>>,
    pub(crate) row_key: Option<Placed<String>>,
    pub(crate) filter: Option<Placed<String>>,
    pub(crate) take: Option<Placed<i64>>,
    pub(crate) connection: FileConnection,
}

pub(crate) struct FileOutput {
    pub(crate) name: Placed<String>,
    pub(crate) kind: FileOutputKind,
}

pub(crate) enum FileOutputKind {
    Queue {
        queue_name: Option<Placed<String>>,
        message_encoding: Option<Placed<String>>,
        connection: FileConnection,
    },
    Table {
        table_name: Option<Placed<String>>,
        partition_key: Option<Placed<String>>,
        row_key: Option<Placed<String>>,
        mode: Option<Placed<String>>,
        connection: FileConnection,
    },
    Http,
    DurableClient,
}

/// One field for each that some strategy takes; which of them belong together is checked later.
pub(crate) struct FileRetry {
    /// The name of the table in TOML's notation.
    pub(crate) path: String,
    /// Where its name stands.
    pub(crate) at: Range<usize>,
    pub(crate) strategy: Option<Placed<String>>,
    pub(crate) max_retry_count: Option<Placed<i64>>,
    pub(crate) delay_interval: Option<Placed<String>>,
    pub(crate) minimum_interval: Option<Placed<String>>,
    pub(crate) maximum_interval: Option<Placed<String>>,
}

pub(super) fn read_function(name: Placed<String>, section: Option<Section<'_, '_>>) -> Option<FileFunction> {
    let mut section = section?;
    let names_component = section.has("component");
    let component = section.text("component");
    let entry_point = section.text("entryPoint");
    let trigger = required_section(&mut section, "trigger", "`trigger = { type = \"httpTrigger\" }`, or another type");
    let function = FileFunction {
        name,
        names_component,
        component,
        entry_point,
        trigger: trigger.and_then(read_trigger),
        inputs: section.section("inputs").map(|inputs| read_bindings(&inputs, read_input)).unwrap_or_default(),
        outputs: section.section("outputs").map(|outputs| read_bindings(&outputs, read_output)).unwrap_or_default(),
        retry: section.section("retry").map(read_retry),
        disabled: section.flag_or_text("disabled"),
        max_concurrency: section.integer("maxConcurrency"),
    };
    section.refuse(&[(
        "bindings",
        "write the trigger as `trigger = { type = \"...\" }`, and the others as `inputs.NAME = { ... }` and `outputs.NAME = { ... }`",
    )]);
    section.finish();
    Some(function)
}

fn read_trigger(mut section: Section<'_, '_>) -> Option<FileTrigger> {
    let example = "`type = \"httpTrigger\"`, \"orchestrationTrigger\", \"activityTrigger\", \"entityTrigger\", \"queueTrigger\" or \"timerTrigger\"";
    // Without a type there is no telling which fields belong here, so that nothing more is said about them.
    let kind = required_text(&mut section, "type", example)?;
    let trigger = match kind.get_ref().as_str() {
        "httpTrigger" => FileTrigger::Http {
            methods: list(section.setting_texts("methods")),
            route: section.setting_text("route"),
            auth_level: section.setting_text("authLevel"),
            at: section.at.clone(),
        },
        "orchestrationTrigger" => FileTrigger::Orchestration,
        "activityTrigger" => FileTrigger::Activity {
            timeout: section.setting_text("timeout"),
            heartbeat_timeout: section.setting_text("heartbeatTimeout"),
        },
        "entityTrigger" => FileTrigger::Entity,
        "queueTrigger" => FileTrigger::Queue {
            queue_name: required_setting_text(&mut section, "queueName", "`queueName = \"my-queue\"`"),
            connection: read_connection(&mut section),
            settings: FileQueues::read(&mut section),
        },
        "timerTrigger" => FileTrigger::Timer {
            schedule: required_setting_text(
                &mut section,
                "schedule",
                "`schedule = \"0 */5 * * * *\"`, every five minutes",
            ),
            time_zone: section.setting_text("timeZone"),
            run_on_startup: section.flag("runOnStartup"),
            use_monitor: section.flag("useMonitor"),
            catch_up: section.setting_text("catchUp"),
        },
        _ => {
            report_type(&section, &kind, "a trigger type", TRIGGERS);
            return None;
        }
    };
    section.finish();
    Some(trigger)
}

type ReadBinding<T> = fn(Placed<String>, Section<'_, '_>) -> Option<T>;

fn read_bindings<T>(section: &Section<'_, '_>, read: ReadBinding<T>) -> Vec<T> {
    section.named_sections().into_iter().filter_map(|(name, section)| read(name, section?)).collect()
}

fn read_input(name: Placed<String>, mut section: Section<'_, '_>) -> Option<FileInput> {
    let kind = required_text(&mut section, "type", "`type = \"table\"`")?;
    let kind = match kind.get_ref().as_str() {
        "table" => FileInputKind::Table(FileTableInput {
            table_name: required_setting_text(&mut section, "tableName", "`tableName = \"MyTable\"`"),
            partition_key: section.setting_text("partitionKey"),
            row_key: section.setting_text("rowKey"),
            filter: section.setting_text("filter"),
            take: section.integer("take"),
            connection: read_connection(&mut section),
        }),
        "durableClient" | "orchestrationClient" => {
            let next = "remove it: every function can use the durable client; to start orchestrations together with other outputs, declare it under `outputs`";
            section.report().add(&kind.span(), section.field("type"), "a durable client is not read", next);
            return None;
        }
        _ => {
            report_type(&section, &kind, "an input binding", INPUTS);
            return None;
        }
    };
    section.finish();
    Some(FileInput { name, kind })
}

fn read_output(name: Placed<String>, mut section: Section<'_, '_>) -> Option<FileOutput> {
    let kind = required_text(&mut section, "type", "`type = \"queue\"`, \"table\", \"http\" or \"durableClient\"")?;
    let kind = match kind.get_ref().as_str() {
        "queue" => FileOutputKind::Queue {
            queue_name: required_setting_text(&mut section, "queueName", "`queueName = \"my-queue\"`"),
            message_encoding: section.setting_text("messageEncoding"),
            connection: read_connection(&mut section),
        },
        "table" => FileOutputKind::Table {
            table_name: required_setting_text(&mut section, "tableName", "`tableName = \"MyTable\"`"),
            partition_key: section.setting_text("partitionKey"),
            row_key: section.setting_text("rowKey"),
            mode: section.setting_text("mode"),
            connection: read_connection(&mut section),
        },
        "http" => FileOutputKind::Http,
        "durableClient" | "orchestrationClient" => FileOutputKind::DurableClient,
        _ => {
            report_type(&section, &kind, "an output binding", OUTPUTS);
            return None;
        }
    };
    section.refuse(&[
        ("direction", "remove it: `inputs` and `outputs` say it"),
        ("name", "remove it: the key is the name"),
    ]);
    section.finish();
    Some(FileOutput { name, kind })
}

pub(super) fn read_retry(mut section: Section<'_, '_>) -> FileRetry {
    let strategy = "`strategy = \"fixedDelay\"` or \"exponentialBackoff\"";
    let strategy = required_setting_text(&mut section, "strategy", strategy);
    let is = |word: &str| strategy.as_ref().is_some_and(|strategy| strategy.get_ref().eq_ignore_ascii_case(word));
    let required = [
        (true, "maxRetryCount", "`maxRetryCount = 5`, or -1 for any number"),
        (is(FIXED_DELAY), "delayInterval", "`delayInterval = \"10s\"`"),
        (is(EXPONENTIAL_BACKOFF), "minimumInterval", "`minimumInterval = \"1s\"`"),
        (is(EXPONENTIAL_BACKOFF), "maximumInterval", "`maximumInterval = \"15m\"`"),
    ];
    for (is_required, key, example) in required {
        if is_required && !section.has(key) {
            section.missing(key, example);
        }
    }
    let retry = FileRetry {
        path: section.path.clone(),
        at: section.at.clone(),
        strategy,
        max_retry_count: section.integer("maxRetryCount"),
        delay_interval: section.setting_text("delayInterval"),
        minimum_interval: section.setting_text("minimumInterval"),
        maximum_interval: section.setting_text("maximumInterval"),
    };
    section.finish();
    retry
}

fn read_connection(section: &mut Section<'_, '_>) -> FileConnection {
    FileConnection { named: section.setting_text("connection"), at: section.at.clone() }
}

fn required_setting_text(section: &mut Section<'_, '_>, key: &'static str, example: &str) -> Option<Placed<String>> {
    if !section.has(key) {
        section.missing(key, example);
    }
    section.setting_text(key)
}

fn report_type(section: &Section<'_, '_>, kind: &Placed<String>, noun: &str, known: &[&str]) {
    let unknown = kind.get_ref();
    let what = format!("`{unknown}` is not {noun}");
    section.report().add(&kind.span(), section.field("type"), what, did_you_mean(unknown, known));
}
