//! What the loop tells, as words of the console.

use std::path::Path;
use std::sync::Arc;

use super::{Report, Tell};
use crate::console::{self, Console, Reloaded};
use crate::listing::{self, Listing};

/// Tells all of it to the person at the console. `origin` is where the host answers, for the addresses of new functions. People
/// have seen what a compiler says, on standard error; programs get the end of it `with_output`, in the record of the failure.
pub(crate) fn print_to(console: Arc<Console>, origin: String, with_output: bool) -> Tell {
    Arc::new(move |report| print(report, &console, &origin, with_output))
}

fn print(report: Report, console: &Console, origin: &str, with_output: bool) {
    match report {
        Report::Building { components } => components.iter().for_each(|component| console.building(component)),
        Report::Built { components, took } => components.iter().for_each(|component| console.built(component, took)),
        Report::Interrupted { because, .. } => {
            let because: Vec<String> = because.iter().map(|path| shown(path)).collect();
            let because = if because.is_empty() { "the manifest".to_owned() } else { because.join(", ") };
            console.progress(&format!("{because} changed while it was built: beginning again"));
        }
        Report::Reloaded { app, built, total, swapped } => {
            let is_new = |name: &String| swapped.added.contains(name);
            let added = listing::functions(&app.app, origin).into_iter().filter(|one| is_new(name(one))).collect();
            console.reloaded(Reloaded {
                app: app.app.name.clone(),
                built,
                loaded: swapped.loaded_in,
                switched: swapped.switched_in,
                total,
                added,
                removed: swapped.removed,
                changed: swapped.changed,
                digest: swapped.digest,
            });
        }
        Report::Unchanged { app, built, total } => {
            let built =
                built.map(|time| format!(" after building for {:.2} s", time.as_secs_f64())).unwrap_or_default();
            console.notice(&format!("{app} is the same as before{built} ({:.2} s)", total.as_secs_f64()));
        }
        Report::Failed { app, error, output, serving } => {
            let error = if output.is_empty() || !with_output { error } else { format!("{error}\n{output}") };
            console.reload_failed(&app, &error, &serving);
        }
        Report::Notice(notice) => console.notice(&notice),
    }
}

fn name(listing: &Listing) -> &String {
    match listing {
        Listing::Http { name, .. } | Listing::Other { name, .. } => name,
    }
}

fn shown(path: &Path) -> String {
    let current_folder = std::env::current_dir().unwrap_or_default();
    console::readable(path, &current_folder)
}
