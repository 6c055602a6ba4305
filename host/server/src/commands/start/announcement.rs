//! What is said when apps begin to be served: their versions, stores, functions and timers.

use manifest::{App, Trigger, Versioning};

use crate::app_versions;
use crate::console::{self, Console};
use crate::hosting::Prepared;
use crate::listing;
use crate::management::BASE_PATH;
use crate::wiring::{Edition, Surroundings};

/// Says it, app by app.
pub(super) fn announce(host: &Surroundings, apps: &[(Prepared, Edition)], console: &Console) {
    for (prepared, _) in apps {
        announce_one(prepared, console);
    }
    let origin = listing::origin(host.address);
    let has = |is_it: fn(&Trigger) -> bool| {
        apps.iter().flat_map(|(_, edition)| &edition.located.app.functions).any(|function| is_it(&function.trigger))
    };
    // With a port that the system has chosen and no HTTP function, nothing else says where it is.
    if has(is_durable) {
        console.notice(&format!("Management API: {origin}{BASE_PATH}"));
    } else if !has(Trigger::is_http) {
        console.notice(&format!("Admin API: {origin}/admin"));
    }
    let functions: Vec<_> =
        apps.iter().flat_map(|(_, edition)| listing::functions(&edition.located.app, &origin)).collect();
    console.functions(&functions);
    for (prepared, edition) in apps {
        listing::competitors(&edition.located.app).iter().for_each(|competitors| console.notice(competitors));
        if host.with_timers {
            console.occurrences(&prepared.generation.triggers.occurrences());
        }
    }
}

fn announce_one(prepared: &Prepared, console: &Console) {
    let current_folder = std::env::current_dir().unwrap_or_default();
    let store = match &prepared.app.folder {
        Some(folder) => console::readable(folder, &current_folder),
        None => "memory only, ends with the process".to_owned(),
    };
    let served = &prepared.generation.served;
    let App { name, version, versioning, .. } = &*served.app;
    let pinning = match versioning {
        Versioning::Pinned => "instances stay on the version that started them",
        Versioning::Latest => "instances follow the latest version",
    };
    let app = format!("{name} {version} ({}), {pinning}", app_versions::shortened(&served.digest));
    console.banner(env!("CARGO_PKG_VERSION"), &app, &store);
    let older = &prepared.generation.older_versions;
    if !older.is_empty() {
        console.notice(&format!("Older versions that instances may still run on: {}", older.join(", ")));
    }
}

/// Whether the management API has anything to do with it.
fn is_durable(trigger: &Trigger) -> bool {
    match trigger {
        Trigger::Orchestration | Trigger::Entity => true,
        Trigger::Http(_) | Trigger::Activity(_) | Trigger::Queue(_) | Trigger::Timer(_) => false,
    }
}
