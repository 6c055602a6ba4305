//! Functions, their triggers, and the conflicts between them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::choice::Choice;
use super::names::{self, quoted};
use super::settings::{duration_within, segments_are_reserved};
use crate::app::{ActivityTrigger, AuthLevel, Function, HttpTrigger, Trigger};
use crate::duration;
use crate::fields::{Placed, join};
use crate::file::{File, FileComponent, FileFunction, FileTrigger};
use crate::problem::Report;
use crate::route::{Method, Methods, Template};
use crate::settings::{FUNCTION_TIMEOUT, HttpSettings};
use crate::suggestion::nearest;

/// Names that no function may have: the admin API uses them itself.
const RESERVED_NAMES: [&str; 1] = ["host"];

const METHODS: &str = "use get, post, delete, head, patch, put, options, trace; an empty list means all";

const LEVELS: Choice<AuthLevel> = Choice {
    noun: "a level",
    all: &[AuthLevel::Anonymous, AuthLevel::Function, AuthLevel::Admin],
    word: AuthLevel::as_str,
};

pub(super) fn check(file: &File, http: &HttpSettings, report: &Report<'_>) -> Vec<Function> {
    let checked = file
        .functions
        .iter()
        .filter_map(|function| check_one(function, &file.components, http, report).map(|checked| (checked, function)));
    let checked: Vec<(Function, &FileFunction)> = checked.collect();
    report_duplicate_names(&file.functions, report);
    report_route_conflicts(&checked, report);
    checked.into_iter().map(|(function, _)| function).collect()
}

fn check_one(
    function: &FileFunction,
    components: &[FileComponent],
    http: &HttpSettings,
    report: &Report<'_>,
) -> Option<Function> {
    let name = function.name.get_ref();
    let path = join("functions", name);
    names::check(&function.name, &path, names::FUNCTION, report);
    if RESERVED_NAMES.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        report.add(&function.name.span(), &path, format!("the name `{name}` is reserved"), "choose another name");
    }
    if let Some(entry_point) = &function.entry_point {
        names::check(entry_point, &join(&path, "entryPoint"), names::FUNCTION, report);
    }
    let component = component_of(function, components, &path, report);
    let trigger = check_trigger(function.trigger.as_ref()?, name, &join(&path, "trigger"), http, report);
    Some(Function {
        name: name.clone(),
        component: component?,
        entry_point: function.entry_point.as_ref().unwrap_or(&function.name).get_ref().clone(),
        trigger: trigger?,
        inputs: Vec::new(),
        outputs: Vec::new(),
        retry: None,
        disabled: false,
        max_concurrency: None,
        line: report.line(function.name.span().start),
    })
}

fn component_of(
    function: &FileFunction,
    components: &[FileComponent],
    path: &str,
    report: &Report<'_>,
) -> Option<String> {
    let names: Vec<&str> = components.iter().map(|component| component.name.get_ref().as_str()).collect();
    let field = join(path, "component");
    let Some(named) = &function.component else {
        if function.names_component {
            return None;
        }
        match names.as_slice() {
            [only] => return Some((*only).to_owned()),
            // Reported once, for the missing section.
            [] => {}
            several => {
                let next = format!("add `component = \"...\"` with one of {}", several.join(", "));
                report.add(&function.name.span(), field, "is missing, and the app has several components", next);
            }
        }
        return None;
    };
    if names.contains(&named.get_ref().as_str()) {
        return Some(named.get_ref().clone());
    }
    let next = match nearest(named.get_ref(), names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "add a section for it under `[components]`".to_owned(),
        None => format!("the app has {}", names.join(", ")),
    };
    report.add(&named.span(), field, format!("there is no component {}", quoted(named.get_ref())), next);
    None
}

fn check_trigger(
    trigger: &FileTrigger,
    function: &str,
    path: &str,
    http: &HttpSettings,
    report: &Report<'_>,
) -> Option<Trigger> {
    Some(match trigger {
        FileTrigger::Http { methods, route, auth_level, at } => {
            let default_route = Placed::new(at.clone(), function.to_owned());
            let route_field = join(path, "route");
            Trigger::Http(HttpTrigger {
                methods: check_methods(methods, &join(path, "methods"), report),
                auth_level: LEVELS.read(auth_level.as_ref(), &join(path, "authLevel"), report),
                route: check_route(route.as_ref().unwrap_or(&default_route), &route_field, http, report)?,
            })
        }
        FileTrigger::Orchestration => Trigger::Orchestration,
        FileTrigger::Activity { timeout, heartbeat_timeout } => {
            Trigger::Activity(check_activity(timeout.as_ref(), heartbeat_timeout.as_ref(), path, report))
        }
        FileTrigger::Entity => Trigger::Entity,
    })
}

fn check_activity(
    timeout: Option<&Placed<String>>,
    heartbeat_timeout: Option<&Placed<String>>,
    path: &str,
    report: &Report<'_>,
) -> ActivityTrigger {
    let (timeout_field, heartbeat_field) = (join(path, "timeout"), join(path, "heartbeatTimeout"));
    let limit = timeout.and_then(|text| duration_within(text, &timeout_field, FUNCTION_TIMEOUT, report));
    let heartbeat = heartbeat_timeout.and_then(|text| {
        let heartbeat = duration_within(text, &heartbeat_field, FUNCTION_TIMEOUT, report)?;
        if let Some(limit) = limit.filter(|limit| heartbeat > *limit) {
            let what = format!("{} is longer than the timeout, {}", quoted(text.get_ref()), duration::print(limit));
            let next = "write a shorter time than the timeout's, or leave one of the two out";
            report.add(&text.span(), &heartbeat_field, what, next);
        }
        Some(heartbeat)
    });
    ActivityTrigger { timeout: limit, heartbeat_timeout: heartbeat }
}

fn check_methods(methods: &[Placed<String>], field: &str, report: &Report<'_>) -> Methods {
    let mut listed: Vec<Method> = Vec::new();
    for written in methods {
        match Method::from_manifest(written.get_ref()) {
            None => {
                let what = format!("{} is not an HTTP method that a trigger can list", quoted(written.get_ref()));
                report.add(&written.span(), field, what, METHODS);
            }
            Some(method) if listed.contains(&method) => {
                report.add(&written.span(), field, format!("lists {method} twice"), "remove one of them");
            }
            Some(method) => listed.push(method),
        }
    }
    Methods::listed(listed)
}

fn check_route(written: &Placed<String>, field: &str, http: &HttpSettings, report: &Report<'_>) -> Option<Template> {
    let template: Template = match written.get_ref().parse() {
        Ok(template) => template,
        Err(crate::route::TemplateError { what, next_step }) => {
            report.add(&written.span(), field, format!("{}: {what}", quoted(written.get_ref())), next_step);
            return None;
        }
    };
    if let Some(first) = template.first_literal()
        && segments_are_reserved(first, http.route_prefix.is_empty())
    {
        let what = format!("begins with `{first}`, which the host keeps for itself");
        report.add(&written.span(), field, what, "begin the route with another segment");
        return None;
    }
    Some(template)
}

fn report_duplicate_names(functions: &[FileFunction], report: &Report<'_>) {
    let mut first: BTreeMap<String, &Placed<String>> = BTreeMap::new();
    for function in functions {
        let name = function.name.get_ref();
        match first.entry(name.to_ascii_lowercase()) {
            Entry::Vacant(entry) => {
                entry.insert(&function.name);
            }
            Entry::Occupied(entry) => {
                let (other, line) = (entry.get().get_ref(), report.line(entry.get().span().start));
                let what = format!("has the name of `{other}` on line {line}: names differ in more than case");
                report.add(&function.name.span(), join("functions", name), what, "rename one of them");
            }
        }
    }
}

/// Two functions that answer the same requests: one of them would never be called.
fn report_route_conflicts(functions: &[(Function, &FileFunction)], report: &Report<'_>) {
    let mut by_shape: BTreeMap<String, Vec<(&Function, &HttpTrigger)>> = BTreeMap::new();
    for (function, written) in functions {
        let Trigger::Http(http) = &function.trigger else { continue };
        let same_shape = by_shape.entry(http.route.shape()).or_default();
        let conflict = same_shape.iter().find(|(_, earlier)| earlier.methods.overlaps(http.methods));
        if let Some((earlier, trigger)) = conflict {
            let field = format!("{}.trigger.route", join("functions", &function.name));
            let what = format!(
                "`{}` on line {} and `{}` on line {} answer the same requests, `{}` and `{}`",
                earlier.name, earlier.line, function.name, function.line, trigger.route, http.route
            );
            let next = "change one of the routes, or list methods that differ";
            report.add(&route_place(written), field, what, next);
        }
        same_shape.push((function, http));
    }
}

fn route_place(function: &FileFunction) -> std::ops::Range<usize> {
    match &function.trigger {
        Some(FileTrigger::Http { route: Some(route), .. }) => route.span(),
        Some(
            FileTrigger::Http { .. } | FileTrigger::Orchestration | FileTrigger::Activity { .. } | FileTrigger::Entity,
        )
        | None => function.name.span(),
    }
}
