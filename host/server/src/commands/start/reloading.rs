//! The development loop of `dacapo start`: what is watched, and how a version that was built takes over.

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Project, builds, edition};
use crate::app_versions;
use crate::cli::StartArguments;
use crate::console::{Console, Mode};
use crate::dev_loop::{self, DevLoop, Reloads, Swapped};
use crate::exit::Problem;
use crate::hosting::{Departing, Host, Replaced};
use crate::listing;
use crate::manifest_file::LocatedApp;
use crate::settings::{AppSettings, Environment};
use crate::watching::{Pace, Sources};
use crate::wiring::{Edition, guest_settings};

/// Watches from here on; none: nobody wants it.
///
/// # Errors
/// There is no thread to be had.
pub(super) fn dev_loop(
    projects: &[Project],
    arguments: &StartArguments,
    environment: &Environment,
    console: &Arc<Console>,
    address: SocketAddr,
) -> anyhow::Result<Option<DevLoop>> {
    if arguments.no_watch || arguments.bundle.is_some() {
        return Ok(None);
    }
    let apps = projects.iter().map(|project| (project.edition.located.clone(), project.edition.settings.clone()));
    let around = dev_loop::Surroundings {
        sources: if builds(arguments) { Sources::Watched } else { Sources::Ignored },
        environment: environment.clone(),
        given: arguments.env.clone(),
        colours: console.colours_on_error(),
        pace: Pace::USUAL,
        tell: dev_loop::print_to(console.clone(), listing::origin(address), arguments.output == Some(Mode::Json)),
    };
    DevLoop::start(apps.collect(), around).map(Some)
}

/// Follows changes until it is dropped.
pub(super) fn run(
    dev_loop: DevLoop,
    host: &Arc<Host>,
    editions: Vec<Edition>,
    arguments: &StartArguments,
) -> BoxFuture<'static, ()> {
    let digest = |edition: &Edition| {
        let served = host.apps.named(&edition.located.app.name);
        served.map(|served| app_versions::shortened(&served.digest).to_owned()).unwrap_or_default()
    };
    let digests = editions.iter().map(digest).collect();
    let reloader = Reloader { host: host.clone(), arguments: arguments.clone(), served: Mutex::new(editions) };
    dev_loop.run(Arc::new(reloader), digests).boxed()
}

/// Puts versions together and swaps them.
struct Reloader {
    host: Arc<Host>,
    arguments: StartArguments,
    /// What is served of each app, in the order of the command line.
    served: Mutex<Vec<Edition>>,
}

impl Reloader {
    fn name_of(&self, app: usize) -> Option<String> {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.get(app).map(|served| served.located.app.name.clone())
    }

    /// Whether a version is made of the same manifest and settings as the one that is served.
    fn is_served(&self, app: usize, edition: &Edition) -> bool {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served
            .get(app)
            .is_some_and(|served| served.located.text == edition.located.text && served.settings == edition.settings)
    }
}

#[async_trait]
impl Reloads for Reloader {
    /// While a build runs there is time to get ready for what it makes.
    fn building(&self, app_index: usize, components: &BTreeSet<String>) {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(LocatedApp { app, folder, .. }) = served.get(app_index).map(|served| &served.located) else { return };
        let Ok(runtime) = self.host.surroundings.runtimes.with(guest_settings(app)) else { return };
        let known = components.iter().filter_map(|name| app.components.get(name));
        let files: Vec<PathBuf> = known.map(|component| folder.join(&component.source)).collect();
        // Nobody waits for it: what is not compiled ahead is compiled later.
        drop(tokio::task::spawn_blocking(move || {
            let readable = files.iter().filter_map(|file| fs::read(file).ok());
            readable.for_each(|wasm| runtime.compile_ahead(&wasm));
        }));
    }

    async fn reload(&self, app_index: usize, located: LocatedApp, settings: AppSettings) -> Result<Swapped, Problem> {
        let edition = edition(located, settings, &self.arguments)?;
        // By the name of what is served: that a manifest may not change it is said where it is held against it.
        let name = &self.name_of(app_index).unwrap_or_else(|| edition.located.app.name.clone());
        let changing = self.host.changing().await;
        let gone = || Problem::Host(anyhow::anyhow!("the app '{name}' is not served any more"));
        let app = self.host.hosted(name).ok_or_else(gone)?;
        let before = self.host.apps.named(name).ok_or_else(gone)?;
        let prepared = self.host.prepare(app, &edition).await?;
        let loaded_in = prepared.loaded_in;
        let digest = prepared.generation.served.digest.clone();
        let shown = app_versions::shortened(&digest).to_owned();
        if digest == before.digest && self.is_served(app_index, &edition) {
            return Ok(Swapped {
                digest: shown,
                unchanged: true,
                added: Vec::new(),
                removed: Vec::new(),
                changed: Vec::new(),
                loaded_in,
                switched_in: std::time::Duration::ZERO,
            });
        }
        let otherwise = "stop the host and start it anew: then they fail when they go on";
        self.host.check_what_follows(&prepared, Departing::Refuse, otherwise).await?;
        let Replaced { begun, differences } = Replaced::of(self.host.begin(prepared, &changing));
        if let Some(place) = self.served.lock().unwrap_or_else(PoisonError::into_inner).get_mut(app_index) {
            *place = edition;
        }
        Ok(Swapped {
            digest: shown,
            unchanged: false,
            added: differences.added,
            removed: differences.removed,
            changed: differences.changed,
            loaded_in,
            switched_in: begun.switched_in,
        })
    }
}
