//! What has changed between two looks at the files. Pure: contents in, changes out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::reading::Content;
use super::survey::{Kind, Role};
use crate::clock::Stopwatch;

/// What has changed, by the app's place in what is watched.
#[derive(Debug, Clone)]
pub(crate) struct Changes {
    /// Runs since the first event that belongs to it.
    pub(crate) since: Stopwatch,
    /// None of them is empty.
    pub(crate) apps: BTreeMap<usize, AppChanges>,
}

/// What has changed of an app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AppChanges {
    /// The manifest's text.
    pub(crate) manifest: bool,
    /// The settings file.
    pub(crate) settings: bool,
    /// By component: what it is built from. There are files, perhaps removed ones, for each.
    pub(crate) sources: BTreeMap<String, BTreeSet<PathBuf>>,
    /// Components whose file is another one.
    pub(crate) components: BTreeSet<String>,
}

/// Times differ always and mean nothing.
impl PartialEq for Changes {
    fn eq(&self, other: &Changes) -> bool {
        self.apps == other.apps
    }
}

impl Eq for Changes {}

impl Changes {
    pub(crate) fn none(since: Stopwatch) -> Changes {
        Changes { since, apps: BTreeMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.apps.is_empty()
    }

    /// Takes up what came later, or was told later.
    pub(crate) fn add(&mut self, more: Changes) {
        if more.since.elapsed() > self.since.elapsed() {
            self.since = more.since;
        }
        for (app, more) in more.apps {
            let changes = self.apps.entry(app).or_default();
            changes.manifest |= more.manifest;
            changes.settings |= more.settings;
            changes.components.extend(more.components);
            for (component, files) in more.sources {
                changes.sources.entry(component).or_default().extend(files);
            }
        }
    }

    fn note(&mut self, path: &Path, role: &Role) {
        let changes = self.apps.entry(role.app).or_default();
        match &role.kind {
            Kind::Manifest => changes.manifest = true,
            Kind::Settings => changes.settings = true,
            Kind::Component(name) => drop(changes.components.insert(name.clone())),
            Kind::Source(name) => drop(changes.sources.entry(name.clone()).or_default().insert(path.to_owned())),
        }
    }
}

/// The files as they were when somebody was told last.
#[derive(Debug, Default)]
pub(super) struct Memory {
    files: BTreeMap<PathBuf, (Content, BTreeSet<Role>)>,
}

/// What files are to apps, as [`super::survey::Survey`] finds it.
type Roles = BTreeMap<PathBuf, BTreeSet<Role>>;

impl Memory {
    /// What is different now; from here on that is what is remembered. `contents` has all paths of `roles`.
    pub(super) fn compare(&mut self, roles: Roles, contents: &BTreeMap<PathBuf, Content>, since: Stopwatch) -> Changes {
        let mut changes = Changes::none(since);
        let mut before = std::mem::take(&mut self.files);
        for (path, roles) in roles {
            let now = contents.get(&path).copied().unwrap_or(Content::Missing);
            let remembered = before.remove(&path);
            let was = remembered.map(|(content, _)| content);
            if was.is_some_and(|was| was != now) && is_in_the_making(&roles, now) {
                // Remembered as it was: only when it is whole can be told whether it is another one.
                self.files.insert(path, (was.unwrap_or(now), roles));
                continue;
            }
            if was != Some(now) && !is_in_the_making(&roles, now) {
                roles.iter().for_each(|role| changes.note(&path, role));
            }
            self.files.insert(path, (now, roles));
        }
        for (path, (_, roles)) in before {
            roles.iter().filter(|role| matches!(role.kind, Kind::Source(_))).for_each(|role| changes.note(&path, role));
        }
        changes
    }

    /// Takes up other files. Those that were there before keep what is remembered of them.
    pub(super) fn refresh(&mut self, roles: Roles, contents: &BTreeMap<PathBuf, Content>) {
        let mut before = std::mem::take(&mut self.files);
        for (path, roles) in roles {
            let now = contents.get(&path).copied().unwrap_or(Content::Missing);
            let content = before.remove(&path).map_or(now, |(content, _)| content);
            self.files.insert(path, (content, roles));
        }
    }
}

/// No app can be without its manifest or a component, and neither is ever empty: somebody is replacing it. Settings and sources
/// may well be empty, or go.
fn is_in_the_making(roles: &BTreeSet<Role>, now: Content) -> bool {
    match now {
        Content::Missing | Content::Empty => {
            roles.iter().any(|role| matches!(role.kind, Kind::Manifest | Kind::Component(_)))
        }
        Content::Of(_) => false,
    }
}
