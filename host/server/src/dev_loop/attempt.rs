//! One go at building all that is due, watching meanwhile.

use anyhow::anyhow;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::own_writes::Verdict;
use super::{DevLoop, Due, Reloads, Report};
use crate::guests::{self, Building, Built, Step};
use crate::watching::{Changes, Seen};

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With everything built, or shown to be wrong.
    Quietly,
    /// With changes that ask for another go.
    Overtaken,
}

/// What came of one build.
enum Outcome {
    Built(Built),
    Failed(anyhow::Error),
    /// These files changed; without any, the manifest or another component's sources did.
    Overtaken(BTreeSet<PathBuf>),
}

/// What changes that came during a build mean for it.
struct Meaning {
    /// Stop it.
    at_once: bool,
    /// There is more to do afterwards.
    more: bool,
    because: BTreeSet<PathBuf>,
}

impl DevLoop {
    /// Builds what is due for apps that are not `stuck`, and adds those to it for which a build fails.
    pub(super) async fn build(&mut self, stuck: &mut BTreeSet<usize>, reloads: &dyn Reloads) -> Ended {
        self.own_writes.begin();
        let mut is_overtaken = false;
        for due in self.due(stuck) {
            self.tell(Report::Building { components: due.step.components.clone() });
            // What changes from here on is owed anew.
            let claimed = self.claim(&due);
            claimed.iter().for_each(|(app, components)| reloads.building(*app, components));
            match self.run_step(&due.step, &mut is_overtaken).await {
                Outcome::Built(built) => self.is_built(&due, built),
                Outcome::Failed(error) => {
                    self.give_back(claimed);
                    for app in due.apps {
                        self.tell_failure(app, &error);
                        stuck.insert(app);
                    }
                }
                Outcome::Overtaken(because) => {
                    self.give_back(claimed);
                    self.tell(Report::Interrupted { components: due.step.components, because });
                    return Ended::Overtaken;
                }
            }
        }
        // What the builds have written is seen here; the events of it come later and tell nothing new.
        let (changes, notices) = self.watch.look().await;
        notices.into_iter().for_each(|notice| self.tell(Report::Notice(notice)));
        let meaning = self.meaning(changes, &BTreeSet::new());
        self.own_writes.end();
        if meaning.more || is_overtaken { Ended::Overtaken } else { Ended::Quietly }
    }

    /// Apps may share a build, as components do.
    fn due(&self, stuck: &BTreeSet<usize>) -> Vec<Due> {
        let mut all: Vec<Due> = Vec::new();
        for app in self.fresh().difference(stuck).copied() {
            let Some(state) = self.apps.get(app) else { continue };
            for step in guests::steps(&state.located.app, &state.located.folder) {
                if step.components.is_disjoint(&state.owed.builds) {
                    continue;
                }
                match all.iter_mut().find(|due| due.step.is_same_run(&step)) {
                    Some(due) => {
                        due.step.components.extend(step.components);
                        due.apps.insert(app);
                    }
                    None => all.push(Due { step, apps: BTreeSet::from([app]) }),
                }
            }
        }
        all
    }

    /// Takes what this build makes off what is owed.
    fn claim(&mut self, due: &Due) -> Vec<(usize, BTreeSet<String>)> {
        let mut claimed = Vec::new();
        for app in &due.apps {
            let Some(state) = self.apps.get_mut(*app) else { continue };
            let steps = guests::steps(&state.located.app, &state.located.folder);
            let mine = steps.into_iter().filter(|step| due.step.is_same_run(step)).flat_map(|step| step.components);
            claimed.push((*app, mine.filter(|name| state.owed.builds.remove(name)).collect()));
        }
        claimed
    }

    fn give_back(&mut self, claimed: Vec<(usize, BTreeSet<String>)>) {
        for (app, components) in claimed {
            if let Some(state) = self.apps.get_mut(app) {
                state.owed.builds.extend(components);
            }
        }
    }

    fn is_built(&mut self, due: &Due, built: Built) {
        for app in &due.apps {
            if let Some(state) = self.apps.get_mut(*app) {
                *state.owed.built.get_or_insert_default() += built.took;
            }
        }
        self.tell(Report::Built { components: built.components, took: built.took });
    }

    async fn run_step(&mut self, step: &Step, is_overtaken: &mut bool) -> Outcome {
        if let Err(error) = self.add_missing_targets(step).await {
            return Outcome::Failed(error);
        }
        let mut building = match step.begin(self.around.colours) {
            Ok(building) => building,
            Err(failure) => return Outcome::Failed(failure.into()),
        };
        loop {
            let seen = tokio::select! {
                ended = building.end() => return ended.map_or_else(Outcome::Failed, Outcome::Built),
                seen = self.watch.next() => seen,
            };
            match seen {
                Seen::Notice(notice) => self.tell(Report::Notice(notice)),
                Seen::Changed(changes) => {
                    let meaning = self.meaning(changes, &step.components);
                    *is_overtaken |= meaning.more;
                    if meaning.at_once {
                        Building::stop(building).await;
                        return Outcome::Overtaken(meaning.because);
                    }
                }
            }
        }
    }

    /// Takes in changes that came while these components were built.
    fn meaning(&mut self, mut changes: Changes, building: &BTreeSet<String>) -> Meaning {
        let mut meaning = Meaning { at_once: false, more: false, because: BTreeSet::new() };
        let mut own = BTreeSet::new();
        for changes in changes.apps.values_mut() {
            // It may say how to build; an app is never loaded by a manifest that is not the newest.
            meaning.at_once |= changes.manifest;
            meaning.more |= changes.manifest || changes.settings;
            for (component, files) in &mut changes.sources {
                files.retain(|path| match self.own_writes.changed(path) {
                    Verdict::Own { is_new } => {
                        own.extend(is_new.then(|| path.clone()));
                        false
                    }
                    Verdict::After => true,
                    Verdict::AtOnce => {
                        if building.contains(component) {
                            meaning.at_once = true;
                            meaning.because.insert(path.clone());
                        }
                        true
                    }
                });
                meaning.more |= !files.is_empty();
            }
            changes.sources.retain(|_, files| !files.is_empty());
        }
        for path in own {
            self.tell(Report::Notice(format!(
                "{} changed during each of the last builds, so it is taken for something that the build writes; save it once \
                 more if you have changed it just now",
                path.display()
            )));
        }
        self.take_in(changes);
        meaning
    }

    /// Asking the compiler costs a tenth of a second: once for each command.
    async fn add_missing_targets(&mut self, step: &Step) -> anyhow::Result<()> {
        let key = (step.folder.clone(), step.command.clone());
        if self.with_targets.contains(&key) {
            return Ok(());
        }
        let (adding, tell) = (step.clone(), Arc::clone(&self.around.tell));
        let say = move |text: &str| tell(Report::Notice(text.to_owned()));
        let added = tokio::task::spawn_blocking(move || adding.add_missing_targets(&say)).await;
        added.unwrap_or_else(|error| Err(anyhow!("asking for Rust targets broke off: {error}")))?;
        self.with_targets.insert(key);
        Ok(())
    }
}
