//! What is written down about one version of an app: its functions, the digests of its components, and the manifest for its
//! bindings. Where records and components are kept is left to the archive.

use guest::{Binding, Component, FunctionKind};
use manifest::{OutboundHost, Trigger};
use orchestration::Timeouts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What one version of an app consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppRecord {
    /// The app's name.
    pub(crate) app: String,
    /// The manifest's version, for people.
    pub(crate) version: String,
    /// By their names in the manifest.
    pub(crate) components: BTreeMap<String, KeptComponent>,
    /// In the order of the manifest.
    pub(crate) functions: Vec<KeptFunction>,
    /// The manifest as it was written, for the bindings of its activities; none in records of hosts without bindings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) manifest: Option<String>,
}

/// A component of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptComponent {
    /// Of its bytes.
    pub(crate) digest: String,
    /// As in the manifest.
    allowed_outbound_hosts: Vec<String>,
}

/// A function of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptFunction {
    name: String,
    entry_point: String,
    kind: String,
    /// Its name in [`AppRecord::components`].
    component: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heartbeat_timeout_ms: Option<u64>,
}

impl AppRecord {
    /// The version that a manifest and its loaded components make.
    pub(crate) fn of(app: &manifest::App, manifest: &str, components: &BTreeMap<String, Arc<Component>>) -> AppRecord {
        let kept = |component: &Arc<Component>| KeptComponent {
            digest: component.digest().to_owned(),
            allowed_outbound_hosts: component.allowed_hosts().iter().map(OutboundHost::to_string).collect(),
        };
        AppRecord {
            app: app.name.clone(),
            version: app.version.clone(),
            components: components.iter().map(|(name, component)| (name.clone(), kept(component))).collect(),
            functions: app.functions.iter().map(KeptFunction::of).collect(),
            manifest: Some(manifest.to_owned()),
        }
    }

    /// How long one run of an activity may take, by its name without case.
    pub(crate) fn timeouts(&self, activity: &str) -> Timeouts {
        let is_it = |function: &&KeptFunction| {
            function.kind == FunctionKind::Activity.name() && function.name.eq_ignore_ascii_case(activity)
        };
        self.functions.iter().find(is_it).map(KeptFunction::timeouts).unwrap_or_default()
    }
}

impl KeptComponent {
    pub(crate) fn allowed_outbound_hosts(&self) -> Result<Vec<OutboundHost>, String> {
        let parse = |text: &String| text.parse().map_err(|why| format!("allowedOutboundHosts: '{text}' {why}"));
        self.allowed_outbound_hosts.iter().map(parse).collect()
    }
}

impl KeptFunction {
    fn of(function: &manifest::Function) -> KeptFunction {
        let Timeouts { run, heartbeat } = timeouts(&function.trigger);
        let ms = |time: Option<Duration>| time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        KeptFunction {
            name: function.name.clone(),
            entry_point: function.entry_point.clone(),
            kind: kind(&function.trigger).name().to_owned(),
            component: function.component.clone(),
            timeout_ms: ms(run),
            heartbeat_timeout_ms: ms(heartbeat),
        }
    }

    fn timeouts(&self) -> Timeouts {
        let time = |ms: Option<u64>| ms.map(Duration::from_millis);
        Timeouts { run: time(self.timeout_ms), heartbeat: time(self.heartbeat_timeout_ms) }
    }

    /// The function in one of these components, by their names.
    pub(crate) fn binding(&self, components: &BTreeMap<&str, Arc<Component>>) -> Result<Binding, String> {
        let KeptFunction { name, entry_point, kind, component, .. } = self;
        let Timeouts { run, heartbeat } = self.timeouts();
        Ok(Binding {
            function: name.clone(),
            entry_point: entry_point.clone(),
            component: components
                .get(component.as_str())
                .cloned()
                .ok_or_else(|| format!("function '{name}' is in a component '{component}' that is not there"))?,
            kind: FunctionKind::parse(kind)
                .ok_or_else(|| format!("function '{name}' is of the unknown kind '{kind}'"))?,
            timeout: run,
            heartbeat_timeout: heartbeat,
            inputs: Vec::new(),
            outputs: Vec::new(),
        })
    }
}

/// What a trigger makes of a function.
pub(crate) fn kind(trigger: &Trigger) -> FunctionKind {
    match trigger {
        Trigger::Http(_) => FunctionKind::Http,
        Trigger::Orchestration => FunctionKind::Orchestrator,
        Trigger::Activity(_) => FunctionKind::Activity,
        Trigger::Entity => FunctionKind::Entity,
        Trigger::Queue(_) => FunctionKind::Queue,
        Trigger::Timer(_) => FunctionKind::Timer,
    }
}

/// How long a function may take where the manifest says so for it alone.
pub(crate) fn timeouts(trigger: &Trigger) -> Timeouts {
    match trigger {
        Trigger::Activity(activity) => Timeouts { run: activity.timeout, heartbeat: activity.heartbeat_timeout },
        Trigger::Http(_) | Trigger::Orchestration | Trigger::Entity | Trigger::Queue(_) | Trigger::Timer(_) => {
            Timeouts::default()
        }
    }
}
