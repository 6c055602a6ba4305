//! `dacapo list`: the functions of an app, from its manifest or from a host that runs.

#[cfg(test)]
mod tests;

use anyhow::{Context, bail};
use manifest::{Function, Trigger};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::admin_api::{self, SHORT, ask};
use super::columns::{columns, row};
use super::outline::{self, Outline};
use crate::cli::{HostArguments, ListArguments, OutputFormat};
use crate::console::Console;
use crate::exit::Problem;
use crate::settings::Environment;

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::App`] when the manifest is wrong, [`Problem::NoAnswer`] when the host cannot be asked.
pub(crate) fn run(arguments: &ListArguments, environment: &Environment, console: &Console) -> Result<(), Problem> {
    let app = &arguments.app;
    let list = match &arguments.url {
        Some(url) => {
            let host = HostArguments { url: url.clone(), key: arguments.key.clone(), output: app.output };
            admin_api::block_on(of_host(&host))?
        }
        None => of_manifest(&outline::read(app.manifest.as_deref(), &app.env, environment)?),
    };
    console.notice(&match app.output {
        OutputFormat::Text => list.in_words(),
        OutputFormat::Json => list.as_json(),
    });
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<AppName>,
    functions: Vec<Listed>,
    /// What people are told besides.
    #[serde(skip)]
    notice: Option<String>,
    /// App settings that are not set and would be needed to know more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unset_settings: Vec<String>,
}

#[derive(Serialize)]
struct AppName {
    name: String,
    version: String,
}

/// One function. What does not fit its trigger, or is not known, is left out.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: String,
    trigger: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    methods: Option<Vec<String>>,
    /// With the prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_point: Option<String>,
    disabled: bool,
}

fn of_manifest(outline: &Outline) -> List {
    let app = &outline.located.app;
    List {
        app: Some(AppName { name: app.name.clone(), version: app.version.clone() }),
        functions: app.functions.iter().map(|function| of_function(function, outline)).collect(),
        notice: outline.notice(),
        unset_settings: outline.unset.iter().cloned().collect(),
    }
}

fn of_function(function: &Function, outline: &Outline) -> Listed {
    let mut listed = Listed {
        name: function.name.clone(),
        trigger: function.trigger.type_name().to_owned(),
        component: Some(function.component.clone()),
        entry_point: Some(function.entry_point.clone()),
        disabled: function.disabled,
        ..Listed::default()
    };
    match &function.trigger {
        Trigger::Http(http) => {
            let methods = http.methods.to_vec().into_iter();
            listed.methods = Some(methods.map(|method| method.as_str().to_owned()).collect());
            listed.route = Some(path(outline, &outline.of_trigger(function, "route", http.route.to_string())));
        }
        Trigger::Queue(queue) => {
            listed.queue_name = Some(outline.of_trigger(function, "queueName", queue.queue_name.as_str()));
        }
        Trigger::Timer(timer) => {
            listed.schedule = Some(outline.of_trigger(function, "schedule", timer.schedule.as_str()));
        }
        Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity => {}
    }
    listed
}

/// A route below the prefix of its app.
pub(super) fn path(outline: &Outline, route: &str) -> String {
    let prefix = outline.field(&["host", "http", "routePrefix"], outline.located.app.host.http.route_prefix.as_str());
    let parts = [prefix.as_str(), route].map(|part| part.trim_matches('/'));
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

async fn of_host(host: &HostArguments) -> anyhow::Result<List> {
    let answer = ask(host, "/admin/functions", None, SHORT).await?;
    if answer.status != 200 {
        bail!("{} answered {} when it was asked for its functions", admin_api::origin(&host.url), answer.status);
    }
    of_answer(&answer.content)
}

/// A function as the admin API describes it; all that is used of that.
#[derive(Deserialize)]
struct Record {
    name: String,
    invoke_url_template: Option<String>,
    config: Config,
    #[serde(rename = "isDisabled")]
    is_disabled: bool,
}

#[derive(Deserialize)]
struct Config {
    bindings: Vec<Value>,
}

fn of_answer(json: &str) -> anyhow::Result<List> {
    let records: Vec<Record> = serde_json::from_str(json).context("the host's answer is not understood")?;
    let functions = records.into_iter().map(of_record).collect();
    Ok(List { app: None, functions, notice: None, unset_settings: Vec::new() })
}

fn of_record(record: Record) -> Listed {
    let kind = |binding: &Value| binding["type"].as_str().unwrap_or_default().to_owned();
    let trigger =
        record.config.bindings.into_iter().find(|binding| kind(binding).ends_with("Trigger")).unwrap_or_default();
    let text = |field: &str| trigger[field].as_str().map(str::to_owned);
    let methods = trigger["methods"]
        .as_array()
        .map(|methods| methods.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    Listed {
        name: record.name,
        trigger: kind(&trigger),
        methods,
        route: record.invoke_url_template,
        queue_name: text("queueName"),
        schedule: text("schedule"),
        disabled: record.is_disabled,
        ..Listed::default()
    }
}

impl Listed {
    /// What starts it, besides the kind of its trigger.
    fn started_by(&self) -> String {
        let methods = self.methods.as_ref().map(|methods| methods.join(","));
        let parts = [&methods, &self.route, &self.queue_name, &self.schedule];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Where its code is.
    fn code(&self) -> String {
        let component = self.component.clone().unwrap_or_default();
        match &self.entry_point {
            Some(entry_point) if *entry_point != self.name => format!("{component} ({entry_point})"),
            Some(_) | None => component,
        }
    }
}

impl List {
    fn in_words(&self) -> String {
        let mut rows =
            vec![row(["Function", "Trigger", "Started by", if self.app.is_some() { "Component" } else { "" }, ""])];
        rows.extend(self.functions.iter().map(|function| {
            let state = if function.disabled { "disabled" } else { "" };
            row([&function.name, &function.trigger, &function.started_by(), &function.code(), state])
        }));
        let app = self.app.as_ref().map(|app| format!("App: {} {}\n\n", app.name, app.version)).unwrap_or_default();
        let notice = self.notice.as_ref().map(|notice| format!("\n{notice}")).unwrap_or_default();
        format!("{app}{}{notice}", columns(&rows)).trim_end().to_owned()
    }

    fn as_json(&self) -> String {
        // A struct of texts always serialises.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
