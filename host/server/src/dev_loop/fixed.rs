//! What belongs to the host and not to a version of an app: it is made once, at the start.

use manifest::HostSettings;

/// What is different and takes effect with the next start only, as the manifest names it.
pub(super) fn changed(before: &HostSettings, now: &HostSettings) -> Vec<&'static str> {
    let all = [("host.logging", before.logging != now.logging), ("host.storage", before.storage != now.storage)];
    all.into_iter().filter(|(_, is_other)| *is_other).map(|(name, _)| name).collect()
}

/// Says so.
pub(super) fn notice(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "takes" } else { "take" };
    format!("{} {verb} effect with the next start of the host only; everything else was taken over", names.join(", "))
}
