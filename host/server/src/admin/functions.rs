//! `GET functions` and what is below it: records of functions in Azure's shape.
//!
//! An app is loaded as a whole, from components and not from folders of scripts: what points to files of a function in Azure
//! is null here, and a function that could not be loaded is not there, nor the host.

use http::StatusCode;
use http::request::Parts;
use manifest::{App, Function, InputSource, OutputTarget, RetryDelay, RetryPolicy, Trigger};
use serde::Serialize;
use serde_json::{Value, json};

use super::Admin;
use super::config::time_span;
use super::refusal::Refusal;
use crate::management::reply::{self, Reply};

/// Names as Azure writes them.
#[derive(Serialize)]
struct Record<'a> {
    name: &'a str,
    script_root_path_href: Option<&'a str>,
    script_href: Option<&'a str>,
    config_href: Option<&'a str>,
    test_data_href: Option<&'a str>,
    href: String,
    /// Where an HTTP function answers, with the placeholders of its route.
    invoke_url_template: Option<String>,
    language: &'static str,
    config: Value,
    files: Option<&'a str>,
    test_data: Option<&'a str>,
    #[serde(rename = "isDisabled")]
    is_disabled: bool,
    #[serde(rename = "isDirect")]
    is_direct: bool,
    #[serde(rename = "isProxy")]
    is_proxy: bool,
}

#[derive(Serialize)]
struct FunctionStatus {
    /// Why it could not be loaded.
    errors: [&'static str; 0],
}

impl Admin {
    pub(super) fn functions(&self, head: &Parts) -> Reply {
        let origin = self.origin(head);
        let apps = self.host.apps.all();
        let records = apps.iter().flat_map(|served| {
            let origin = &origin;
            served.app.functions.iter().map(move |found| record(&served.app, found, origin))
        });
        reply::json(StatusCode::OK, &records.collect::<Vec<_>>())
    }

    pub(super) fn function_record(&self, name: &str, head: &Parts) -> Result<Reply, Refusal> {
        let served = self.served_with(name)?;
        let function = served.app.function(name).ok_or(Refusal::NotFound)?;
        Ok(reply::json(StatusCode::OK, &record(&served.app, function, &self.origin(head))))
    }

    /// A function that is known has been loaded.
    pub(super) fn function_status(&self, name: &str) -> Result<Reply, Refusal> {
        self.served_with(name)?;
        Ok(reply::json(StatusCode::OK, &FunctionStatus { errors: [] }))
    }
}

fn record<'a>(app: &App, function: &'a Function, origin: &str) -> Record<'a> {
    let route = match &function.trigger {
        Trigger::Http(http) => Some(path_of(app, &http.route.to_string())),
        Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => None,
    };
    Record {
        name: &function.name,
        script_root_path_href: None,
        script_href: None,
        config_href: None,
        test_data_href: None,
        href: format!("{origin}/admin/functions/{}", function.name),
        invoke_url_template: route.map(|path| format!("{origin}{path}")),
        language: "wasm",
        config: config(function),
        files: None,
        test_data: None,
        is_disabled: function.disabled,
        is_direct: false,
        is_proxy: false,
    }
}

/// A route below the prefix of its app.
pub(super) fn path_of(app: &App, route: &str) -> String {
    match app.host.http.route_prefix.as_str() {
        "" => format!("/{route}"),
        prefix => format!("/{prefix}/{route}"),
    }
}

/// What function.json would hold in Azure.
fn config(function: &Function) -> Value {
    let mut bindings = vec![trigger(&function.trigger)];
    bindings.extend(function.inputs.iter().map(|input| source(&input.name, &input.source)));
    bindings.extend(function.outputs.iter().map(|output| target(&output.name, &output.target)));
    let mut config = json!({ "name": function.name, "bindings": bindings, "disabled": function.disabled });
    if let (Some(policy), Value::Object(config)) = (&function.retry, &mut config) {
        config.insert("retry".to_owned(), retry(policy));
    }
    config
}

fn trigger(trigger: &Trigger) -> Value {
    let mut binding = match trigger {
        Trigger::Http(http) => {
            let methods = http.methods.to_vec();
            let methods: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
            json!({ "authLevel": http.auth_level.as_str(), "methods": methods, "route": http.route.to_string() })
        }
        Trigger::Queue(queue) => {
            json!({ "queueName": queue.queue_name.to_string(), "connection": queue.connection.0 })
        }
        Trigger::Timer(timer) => json!({
            "schedule": timer.schedule.as_str(),
            "runOnStartup": timer.run_on_startup,
            "useMonitor": timer.use_monitor,
            "catchUp": timer.catch_up.as_str(),
        }),
        Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity => json!({}),
    };
    describe(&mut binding, "trigger", trigger.type_name(), "in");
    binding
}

fn source(name: &str, source: &InputSource) -> Value {
    match source {
        InputSource::Table(table) => {
            let mut binding = json!({
                "tableName": table.table_name.as_str(),
                "partitionKey": table.partition_key.as_ref().map(manifest::expression::Expression::as_str),
                "rowKey": table.row_key.as_ref().map(manifest::expression::Expression::as_str),
                "filter": table.filter.as_ref().map(manifest::expression::Expression::as_str),
                "take": table.take,
                "connection": table.connection.0,
            });
            describe(&mut binding, name, "table", "in");
            binding
        }
    }
}

fn target(name: &str, target: &OutputTarget) -> Value {
    let (type_name, mut binding) = match target {
        OutputTarget::Queue(queue) => {
            ("queue", json!({ "queueName": queue.queue_name.as_str(), "connection": queue.connection.0 }))
        }
        OutputTarget::Table(table) => (
            "table",
            json!({
                "tableName": table.table_name.as_str(),
                "partitionKey": table.partition_key.as_ref().map(manifest::expression::Expression::as_str),
                "rowKey": table.row_key.as_ref().map(manifest::expression::Expression::as_str),
                "mode": table.mode.as_str(),
                "connection": table.connection.0,
            }),
        ),
        OutputTarget::Http => ("http", json!({})),
        OutputTarget::DurableClient => ("durableClient", json!({})),
    };
    describe(&mut binding, name, type_name, "out");
    binding
}

/// What every binding has; and what it does not say is left out.
fn describe(binding: &mut Value, name: &str, type_name: &str, direction: &str) {
    if let Value::Object(binding) = binding {
        binding.retain(|_, value| !value.is_null());
        for (key, value) in [("name", name), ("type", type_name), ("direction", direction)] {
            binding.insert(key.to_owned(), Value::from(value));
        }
    }
}

fn retry(policy: &RetryPolicy) -> Value {
    let most = policy.max_retry_count.map_or_else(|| json!(-1), |most| json!(most));
    let strategy = policy.delay.as_str();
    match &policy.delay {
        RetryDelay::Fixed(delay) => {
            json!({ "strategy": strategy, "maxRetryCount": most, "delayInterval": time_span(*delay) })
        }
        RetryDelay::Exponential { minimum, maximum } => json!({
            "strategy": strategy,
            "maxRetryCount": most,
            "minimumInterval": time_span(*minimum),
            "maximumInterval": time_span(*maximum),
        }),
    }
}
