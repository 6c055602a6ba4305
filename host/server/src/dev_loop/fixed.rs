//! What belongs to the host and not to a version of an app: it is made once, at the start.

use manifest::{App, HostSettings};

use crate::settings::{AppSettings, LocalHost};

/// What is different and takes effect with the next start only, as the manifest or the settings file names it.
pub(super) fn changed(before: (&App, &AppSettings), now: (&App, &AppSettings)) -> Vec<&'static str> {
    let (old, new): (&HostSettings, &HostSettings) = (&before.0.host, &now.0.host);
    let (old_local, new_local): (&LocalHost, &LocalHost) = (&before.1.host, &now.1.host);
    let all = [
        ("host.durableTask.hubName", old.durable_task.hub_name != new.durable_task.hub_name),
        ("host.http.cors", old.http.cors != new.http.cors),
        ("host.logging", old.logging != new.logging),
        ("host.storage", old.storage != new.storage),
        ("[host] of local.settings.toml", old_local != new_local),
    ];
    all.into_iter().filter(|(_, is_other)| *is_other).map(|(name, _)| name).collect()
}

/// Says so.
pub(super) fn notice(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "takes" } else { "take" };
    format!("{} {verb} effect with the next start of the host only; everything else was taken over", names.join(", "))
}
