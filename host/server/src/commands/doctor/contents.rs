//! Whether the components of an app load, and have the functions that its manifest names.

use futures::future::join_all;
use guest::{App as GuestApp, Binding, BindingError, Component, ComponentSource, LoadError, Runtime};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::Finding;
use crate::app_versions;
use crate::manifest_file::LocatedApp;
use crate::wiring::guest_settings;

const SUBJECT: &str = "functions";

/// Compiled components are taken from `cache`, and kept there. Where there is none yet, none is made: a doctor changes nothing.
pub(super) fn look(located: &LocatedApp, cache: &Path, findings: &mut Vec<Finding>) {
    if cache.is_dir() {
        return look_with(located, cache, findings);
    }
    match tempfile::tempdir() {
        Ok(for_once) => look_with(located, for_once.path(), findings),
        Err(error) => findings.push(no_guests(&format!("there is no folder for temporary files: {error}"))),
    }
}

fn look_with(located: &LocatedApp, cache: &Path, findings: &mut Vec<Finding>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let guests = Runtime::new(guest_settings(&located.app), cache);
    let (runtime, guests) = match (runtime, guests) {
        (Ok(runtime), Ok(guests)) => (runtime, guests),
        (Err(error), _) => return findings.push(no_guests(&error.to_string())),
        (_, Err(error)) => return findings.push(no_guests(&error.to_string())),
    };
    findings.extend(runtime.block_on(load(located, &guests)));
}

fn no_guests(why: &str) -> Finding {
    Finding::problem(SUBJECT, format!("this machine cannot run guests: {why}"), "see the requirements in the README")
}

async fn load(located: &LocatedApp, guests: &Runtime) -> Vec<Finding> {
    let app = &located.app;
    let sources = app.components.iter().map(|(name, component)| ComponentSource {
        name: name.clone(),
        path: located.folder.join(&component.source),
        build_command: component.build.as_ref().map(|build| build.command.clone()),
        allowed_hosts: component.allowed_outbound_hosts.clone(),
    });
    let mut components = BTreeMap::new();
    let mut findings = Vec::new();
    for loaded in join_all(sources.map(|source| guests.load(source))).await {
        match loaded {
            Ok(component) => drop(components.insert(component.name().to_owned(), component)),
            Err(error) => findings.extend(judge_load(&error)),
        }
    }
    // Functions whose component did not load have no fault of their own.
    let bindings: Vec<Binding> =
        app.functions.iter().filter_map(|function| binding(function, components.get(&function.component)?)).collect();
    let count = bindings.len();
    match GuestApp::for_replay(guests, bindings) {
        Ok(_) if count == app.functions.len() => {
            findings.push(Finding::ok(
                SUBJECT,
                format!("the components have all functions that the manifest names: {count}"),
            ));
        }
        Ok(_) => {}
        Err(errors) => findings.extend(errors.iter().map(|error| judge_binding(error, located))),
    }
    findings
}

fn binding(function: &manifest::Function, component: &Arc<Component>) -> Option<Binding> {
    let timeouts = app_versions::timeouts(&function.trigger);
    Some(Binding {
        function: function.name.clone(),
        entry_point: function.entry_point.clone(),
        component: Arc::clone(component),
        kind: app_versions::kind(&function.trigger),
        timeout: timeouts.run,
        heartbeat_timeout: timeouts.heartbeat,
        inputs: function.inputs.iter().map(|input| input.name.clone()).collect(),
        outputs: function.outputs.iter().map(|output| output.name.clone()).collect(),
    })
}

/// None: what is wrong with the file is told where files are looked at.
fn judge_load(error: &LoadError) -> Option<Finding> {
    match error {
        LoadError::Missing { .. }
        | LoadError::Unreadable { .. }
        | LoadError::NotWasm { .. }
        | LoadError::CoreModule { .. } => None,
        LoadError::Invalid { .. }
        | LoadError::Import { .. }
        | LoadError::NoFunctions { .. }
        | LoadError::Describe { .. } => {
            Some(split(&error.to_string(), "build it again, with the SDK of this host's version"))
        }
    }
}

/// What is wrong, and what to do: in messages, the last semicolon stands between them.
fn split(text: &str, otherwise: &str) -> Finding {
    match text.rsplit_once("; ") {
        Some((what, remedy)) => Finding::problem(SUBJECT, what, remedy),
        None => Finding::problem(SUBJECT, text, otherwise),
    }
}

pub(super) fn judge_binding(error: &BindingError, located: &LocatedApp) -> Finding {
    let function = match error {
        BindingError::NotFound { function, .. }
        | BindingError::Kind { function, .. }
        | BindingError::Bindings { function, .. }
        | BindingError::Duplicate { function } => function,
    };
    let what = located.place(function, error);
    match error {
        // What it has is part of what is wrong.
        BindingError::NotFound { .. } => Finding::problem(
            SUBJECT,
            what,
            "name one of those as the function's entryPoint, or build the component with a function of that name",
        ),
        BindingError::Kind { .. } | BindingError::Bindings { .. } | BindingError::Duplicate { .. } => {
            split(&what, "correct the manifest, or the function")
        }
    }
}
