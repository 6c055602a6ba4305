//! `dacapo routes`: the routes of an app in the order in which they win, and what a request would reach.

#[cfg(test)]
mod tests;

use anyhow::bail;
use manifest::route::{Match, Method};
use manifest::{Function, Trigger};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;

use super::columns::{columns, row};
use super::list::path;
use super::outline::{self, Outline};
use crate::cli::{OutputFormat, RoutesArguments};
use crate::console::Console;
use crate::exit::Problem;
use crate::settings::Environment;

/// Runs the command to its end.
///
/// # Errors
/// [`Problem::App`] when the manifest is wrong, [`Problem::NoAnswer`] when the request is none, [`Problem::Wanting`] when it reaches
/// nothing.
pub(crate) fn run(arguments: &RoutesArguments, environment: &Environment, console: &Console) -> Result<(), Problem> {
    let request = arguments.request.as_deref().map(Request::parse).transpose().map_err(Problem::NoAnswer)?;
    let app = &arguments.app;
    let outline = outline::read(app.manifest.as_deref(), &app.env, environment)?;
    let Some(request) = request else {
        let routes = Routes::of(&outline);
        console.notice(&match app.output {
            OutputFormat::Text => routes.in_words(),
            OutputFormat::Json => as_json(&routes),
        });
        return Ok(());
    };
    let reached = reached(&request, &outline);
    console.notice(&match app.output {
        OutputFormat::Text => reached.in_words(),
        OutputFormat::Json => reached.as_json(),
    });
    if reached.runs() { Ok(()) } else { Err(Problem::Wanting) }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Routes {
    routes: Vec<ShownRoute>,
    notices: Vec<Notice>,
    /// About settings.
    #[serde(skip)]
    aside: Option<String>,
}

/// A route and whom it leads to.
#[derive(Serialize, Clone)]
#[serde(rename_all = "camelCase")]
struct ShownRoute {
    methods: Vec<&'static str>,
    /// With the prefix and the template's parameters.
    path: String,
    function: String,
    auth_level: String,
    disabled: bool,
}

/// Requests that Azure would give to another function.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notice {
    path: String,
    runs_here: String,
    runs_in_azure: String,
    #[serde(skip)]
    text: String,
}

impl Routes {
    fn of(outline: &Outline) -> Routes {
        let app = &outline.located.app;
        let table = app.route_table();
        let routes = table.in_order().filter_map(|(index, _, _)| shown(app.functions.get(index)?, outline));
        let notices = app.order_notices().into_iter().map(|notice| {
            let text = notice.to_string();
            Notice { path: notice.path, runs_here: notice.runs_here, runs_in_azure: notice.runs_in_azure, text }
        });
        Routes { routes: routes.collect(), notices: notices.collect(), aside: outline.notice() }
    }

    fn in_words(&self) -> String {
        if self.routes.is_empty() {
            return "There are no HTTP functions.".to_owned();
        }
        let mut rows = vec![row(["Methods", "Path", "Function", "Auth level", ""])];
        rows.extend(self.routes.iter().map(|route| {
            let state = if route.disabled { "disabled" } else { "" };
            row([&route.methods_in_words(), &route.path, &route.function, &route.auth_level, state])
        }));
        let mut text = columns(&rows);
        // Writing to a String cannot fail.
        for notice in &self.notices {
            let _infallible = write!(text, "\nNotice: {}.", notice.text);
        }
        if let Some(aside) = &self.aside {
            let _infallible = write!(text, "\n{aside}");
        }
        text.trim_end().to_owned()
    }
}

impl ShownRoute {
    fn methods_in_words(&self) -> String {
        if self.methods.len() == Method::ALL.len() { "any".to_owned() } else { self.methods.join(",") }
    }
}

/// None: nothing that requests start.
fn shown(function: &Function, outline: &Outline) -> Option<ShownRoute> {
    match &function.trigger {
        Trigger::Http(http) => Some(ShownRoute {
            methods: http.methods.to_vec().into_iter().map(Method::as_str).collect(),
            path: path(outline, &outline.of_trigger(function, "route", http.route.to_string())),
            function: function.name.clone(),
            auth_level: outline.of_trigger(function, "authLevel", http.auth_level.as_str()),
            disabled: function.disabled,
        }),
        Trigger::Orchestration | Trigger::Activity(_) | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => None,
    }
}

/// What `--match` asks about.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    method: String,
    /// Without query.
    path: String,
}

impl Request {
    /// Reads `GET /api/trips?draft=1`, `/api/trips` and `http://localhost:7071/api/trips`.
    ///
    /// # Errors
    /// It is none of these.
    fn parse(text: &str) -> anyhow::Result<Request> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (method, target) = match words.as_slice() {
            [target] => ("GET", *target),
            [method, target] => (*method, *target),
            _ => bail!("'{text}' is no request: write a method and a path, such as 'GET /api/trips'"),
        };
        let after_scheme = target.split_once("://").map(|(_, rest)| rest.find('/').map_or("/", |slash| &rest[slash..]));
        let path = after_scheme.unwrap_or(target).split(['?', '#']).next().unwrap_or_default();
        if !path.starts_with('/') {
            bail!("'{target}' is no path: it begins with a slash, such as /api/trips");
        }
        Ok(Request { method: method.to_ascii_uppercase(), path: path.to_owned() })
    }
}

/// What a request comes to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reached {
    method: String,
    path: String,
    /// None: it reaches nobody.
    function: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<ShownRoute>,
    parameters: BTreeMap<String, String>,
    /// It runs as GET, and its body is dropped.
    head_as_get: bool,
    /// Methods that somebody would take at this path.
    allow: Vec<&'static str>,
}

fn reached(request: &Request, outline: &Outline) -> Reached {
    let app = &outline.located.app;
    let mut reached = Reached {
        method: request.method.clone(),
        path: request.path.clone(),
        function: None,
        route: None,
        parameters: BTreeMap::new(),
        head_as_get: false,
        allow: Vec::new(),
    };
    match app.route_table().find(&request.method, &request.path) {
        Match::Function { index, params, head_as_get } => {
            reached.route = app.functions.get(index).and_then(|function| shown(function, outline));
            reached.function = reached.route.as_ref().map(|route| route.function.clone());
            reached.parameters = params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            reached.head_as_get = head_as_get;
        }
        Match::MethodNotAllowed { allow } => reached.allow = allow.into_iter().map(Method::as_str).collect(),
        Match::NotFound => {}
    }
    reached
}

impl Reached {
    /// Whether a function would run.
    fn runs(&self) -> bool {
        self.route.as_ref().is_some_and(|route| !route.disabled)
    }

    fn in_words(&self) -> String {
        let Reached { method, path, .. } = self;
        let Some(route) = &self.route else {
            return match self.allow.as_slice() {
                [] => format!("{method} {path} reaches no function: none has such a path."),
                allow => format!("{method} {path} reaches no function: this path is there for {}.", allow.join(", ")),
            };
        };
        let mut text = format!("{method} {path} reaches {} at {}.", route.function, route.path);
        // Writing to a String cannot fail.
        for (name, value) in &self.parameters {
            let _infallible = write!(text, "\n  {name} = {}", json!(value));
        }
        text.push_str(match route.auth_level.as_str() {
            "anonymous" => "\nAnybody may call it.",
            "admin" => "\nCallers need the master key.",
            _ => "\nCallers need a key of the function or of the host.",
        });
        if self.head_as_get {
            text.push_str("\nIt runs as for GET, and the body of its response is dropped.");
        }
        if route.disabled {
            text.push_str("\nIt is disabled: only callers with the master key reach it.");
        }
        text
    }

    fn as_json(&self) -> String {
        as_json(self)
    }
}

fn as_json(said: &impl Serialize) -> String {
    // Structs of texts always serialise.
    serde_json::to_string_pretty(said).unwrap_or_default()
}
