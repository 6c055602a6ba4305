//! Functions and the conflicts between them. Their triggers, bindings and retry policies have modules of their own.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::names::{self, quoted};
use super::settings::Fields;
use super::{bindings, retry, triggers};
use crate::app::{Function, HttpTrigger, Trigger};
use crate::app_settings::{AppSettings, SettingPurpose};
use crate::fields::{FlagOrText, Placed, join};
use crate::file::{File, FileComponent, FileFunction, FileTrigger};
use crate::problem::Report;
use crate::retry::RetryPolicy;
use crate::settings::{FUNCTION_CONCURRENCY, HostSettings};
use crate::suggestion::nearest;

/// Names that no function may have: the admin API uses them itself.
const RESERVED_NAMES: [&str; 1] = ["host"];

/// Values of the settings that disable functions, ignoring case.
const YES: [&str; 2] = ["true", "1"];
const NO: [&str; 3] = ["false", "0", ""];

/// What all functions of an app share while they are checked.
pub(super) struct Shared<'a, 't> {
    pub(super) components: &'a [FileComponent],
    pub(super) host: &'a HostSettings,
    /// `[host.retry]`.
    pub(super) retry: Option<RetryPolicy>,
    pub(super) settings: &'a AppSettings<'a>,
    pub(super) report: &'a Report<'t>,
}

pub(super) fn check(
    file: &File,
    host: &HostSettings,
    settings: &AppSettings<'_>,
    report: &Report<'_>,
) -> Vec<Function> {
    let retry = file.host.retry.as_ref().and_then(|retry| retry::check(retry, report));
    let shared = Shared { components: &file.components, host, retry, settings, report };
    let checked = file.functions.iter().filter_map(|function| Some((check_one(function, &shared)?, function)));
    let mut checked: Vec<(Function, &FileFunction)> = checked.collect();
    report_duplicate_names(&file.functions, report);
    report_route_conflicts(&checked, report);
    if let Some(chosen) = &file.host.functions {
        let names: Vec<&str> = file.functions.iter().map(|function| function.name.get_ref().as_str()).collect();
        let is_chosen = choose(chosen.get_ref(), &names, report);
        checked.iter_mut().for_each(|(function, _)| function.disabled |= !is_chosen(&function.name));
    }
    checked.into_iter().map(|(function, _)| function).collect()
}

fn check_one(function: &FileFunction, shared: &Shared<'_, '_>) -> Option<Function> {
    let (name, report) = (function.name.get_ref(), shared.report);
    let path = join("functions", name);
    names::check(&function.name, &path, names::FUNCTION, report);
    if RESERVED_NAMES.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        report.add(&function.name.span(), &path, format!("the name `{name}` is reserved"), "choose another name");
    }
    if let Some(entry_point) = &function.entry_point {
        names::check(entry_point, &join(&path, "entryPoint"), names::FUNCTION, report);
    }
    let component = component_of(function, shared.components, &path, report);
    let disabled = is_disabled(function, &path, shared);
    let trigger = triggers::check(function.trigger.as_ref()?, name, &join(&path, "trigger"), shared);
    let trigger = trigger?;
    Some(Function {
        name: name.clone(),
        component: component?,
        entry_point: function.entry_point.as_ref().unwrap_or(&function.name).get_ref().clone(),
        inputs: bindings::inputs(&function.inputs, &trigger, &join(&path, "inputs"), shared),
        outputs: bindings::outputs(&function.outputs, &trigger, &join(&path, "outputs"), shared),
        retry: retry::of_function(function.retry.as_ref(), &trigger, shared),
        disabled,
        max_concurrency: max_concurrency(function, &trigger, &path, report),
        trigger,
        line: report.line(function.name.span().start),
    })
}

/// Tells which functions `[host] functions` lets run.
fn choose<'a>(chosen: &'a [Placed<String>], names: &[&str], report: &Report<'_>) -> impl Fn(&str) -> bool + use<'a> {
    for one in chosen {
        if names.iter().any(|name| name.eq_ignore_ascii_case(one.get_ref())) {
            continue;
        }
        let next = match nearest(one.get_ref(), names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name functions of this manifest: only those run".to_owned(),
        };
        let what = format!("there is no function {}", quoted(one.get_ref()));
        report.add(&one.span(), "host.functions", what, next);
    }
    |name| chosen.iter().any(|one| one.get_ref().eq_ignore_ascii_case(name))
}

/// By its own field, or by a setting of the app, as in Azure.
fn is_disabled(function: &FileFunction, path: &str, shared: &Shared<'_, '_>) -> bool {
    let name = function.name.get_ref();
    let field = join(path, "disabled");
    let is_yes = |text: &str| YES.iter().any(|yes| yes.eq_ignore_ascii_case(text.trim()));
    let setting_says = |setting: &str, field: &str, at: &Placed<String>| {
        shared.settings.refer(setting, field, &at.span(), SettingPurpose::Disabled, shared.report);
        shared.settings.get(setting).is_some_and(|value| is_yes(&value))
    };
    let mut of_app = false;
    for setting in [format!("AzureWebJobs.{name}.Disabled"), format!("AzureWebJobs_{name}_Disabled")] {
        // Every function could have these; that they are not there is nothing to tell.
        if shared.settings.get(&setting).is_some() {
            of_app |= setting_says(&setting, path, &function.name);
        }
    }
    let own = match &function.disabled {
        None => false,
        Some(FlagOrText::Flag(flag)) => *flag,
        Some(FlagOrText::Text(written)) => {
            let names_setting = !written.get_ref().contains('%');
            let resolved = shared.settings.resolve(written, &field, shared.report);
            let text = resolved.as_ref().map_or("", |text| text.get_ref().as_str()).to_owned();
            let is_no = NO.iter().any(|no| no.eq_ignore_ascii_case(text.trim()));
            if !names_setting && !is_yes(&text) && !is_no {
                let what = "comes to a text that is neither true nor false";
                shared.report.add(&written.span(), &field, what, "set the app setting to true or false");
            }
            is_yes(&text) || (names_setting && !is_no && setting_says(&text, &field, written))
        }
    };
    own || of_app
}

fn max_concurrency(function: &FileFunction, trigger: &Trigger, path: &str, report: &Report<'_>) -> Option<u32> {
    let written = function.max_concurrency.as_ref()?;
    let next = match trigger {
        Trigger::Http(_) | Trigger::Queue(_) | Trigger::Activity(_) => {
            return Some(Fields { path, report }.number("maxConcurrency", Some(written), FUNCTION_CONCURRENCY));
        }
        Trigger::Timer(_) => "remove it: a timer's runs never overlap",
        Trigger::Orchestration | Trigger::Entity => "set `host.durableTask.maxConcurrentOrchestratorFunctions`",
    };
    let what = format!("does not fit {}", trigger.type_name());
    report.add(&written.span(), join(path, "maxConcurrency"), what, next);
    None
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
            FileTrigger::Http { .. }
            | FileTrigger::Orchestration
            | FileTrigger::Activity { .. }
            | FileTrigger::Entity
            | FileTrigger::Queue { .. }
            | FileTrigger::Timer { .. },
        )
        | None => function.name.span(),
    }
}
