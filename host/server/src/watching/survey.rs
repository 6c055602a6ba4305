//! Where the files are that matter, and which folders tell about them: a walk over the file system without reading any file.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::path::{Component, Path, PathBuf};

use super::watched::{SourcePattern, Watched};

/// Sources of all apps together. More are no sources but a pattern that means too much.
pub(super) const MAX_FILES: usize = 20_000;

/// Folders to watch; Linux gives each user 8192 of them or more.
const MAX_FOLDERS: usize = 6_000;

/// As many as systems follow themselves.
const MAX_LINKS: usize = 40;

/// What a file is to an app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Role {
    /// The app's place.
    pub(super) app: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Manifest,
    Settings,
    /// The file of this component.
    Component(String),
    /// A file that this component is built from.
    Source(String),
}

/// The result of a walk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// Sources are here only if they exist, everything else in any case.
    pub(super) files: BTreeMap<PathBuf, BTreeSet<Role>>,
    /// In which something may happen that concerns these files, or makes new ones. All exist, unless they have just gone.
    pub(super) folders: BTreeSet<PathBuf>,
    /// There is more than may be watched.
    pub(super) is_cut_short: bool,
    /// The files of components at their real places. What a build makes is never what it is made from, even if a pattern such
    /// as `**` says so: otherwise every build would cause the next one.
    results: BTreeSet<PathBuf>,
}

impl Survey {
    /// Walks. What cannot be read is left out: it is looked at again when something happens.
    pub(super) fn of(watched: &[Watched]) -> Survey {
        let mut survey = Survey::default();
        let components = watched.iter().flat_map(|files| files.components.values());
        survey.results = components.filter_map(|component| fs::canonicalize(&component.file).ok()).collect();
        for (app, files) in watched.iter().enumerate() {
            survey.add_file(&files.manifest, Role { app, kind: Kind::Manifest });
            survey.add_file(&files.settings, Role { app, kind: Kind::Settings });
            for (name, component) in &files.components {
                survey.add_file(&component.file, Role { app, kind: Kind::Component(name.clone()) });
                for pattern in &component.sources {
                    survey.add_sources(pattern, &Role { app, kind: Kind::Source(name.clone()) });
                }
            }
        }
        survey
    }

    fn add_file(&mut self, path: &Path, role: Role) {
        self.folders.extend(deciding_folders(path));
        self.files.entry(path.to_owned()).or_default().insert(role);
    }

    fn add_sources(&mut self, pattern: &SourcePattern, role: &Role) {
        self.folders.extend(deciding_folders(&pattern.root));
        // The real place, so that a file that two patterns reach is one file.
        let Ok(root) = fs::canonicalize(&pattern.root) else { return };
        if root.is_file() {
            self.add_source(root, role);
            return;
        }
        let mut open = VecDeque::from([(root.clone(), 0)]);
        while let Some((folder, depth)) = open.pop_front() {
            if self.files.len() >= MAX_FILES || self.folders.len() >= MAX_FOLDERS {
                self.is_cut_short = true;
                return;
            }
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            self.folders.insert(folder);
            for entry in entries.flatten() {
                let path = entry.path();
                match sort_of(&entry) {
                    Sort::Folder if pattern.leads_into(&path, depth + 1) => open.push_back((path, depth + 1)),
                    Sort::Folder | Sort::Other => {}
                    Sort::File | Sort::LinkToFile
                        if path.strip_prefix(&root).is_ok_and(|below| !pattern.matches(below)) => {}
                    Sort::File => self.add_source(path, role),
                    Sort::LinkToFile => {
                        self.folders.extend(deciding_folders(&path));
                        self.add_source(path, role);
                    }
                }
            }
        }
    }

    fn add_source(&mut self, path: PathBuf, role: &Role) {
        if self.results.contains(&path) {
            return;
        }
        self.files.entry(path).or_default().insert(role.clone());
    }
}

enum Sort {
    Folder,
    File,
    LinkToFile,
    Other,
}

/// Links to folders are not followed, as in other tools that read `**`: they may lead anywhere, and back.
fn sort_of(entry: &DirEntry) -> Sort {
    match entry.file_type() {
        Ok(kind) if kind.is_dir() => Sort::Folder,
        Ok(kind) if kind.is_file() => Sort::File,
        Ok(kind) if kind.is_symlink() && entry.path().is_file() => Sort::LinkToFile,
        Ok(_) | Err(_) => Sort::Other,
    }
}

/// The folders in which something has to happen before another file is found under this path, or none any more: its own, those
/// of links on the way, or the nearest one there is.
pub(super) fn deciding_folders(path: &Path) -> BTreeSet<PathBuf> {
    let parts =
        |path: &Path| -> VecDeque<OsString> { path.components().map(|part| part.as_os_str().to_owned()).collect() };
    let mut folders = BTreeSet::new();
    let mut at = PathBuf::new();
    let mut rest = parts(path);
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        if Path::new(&part).components().next() == Some(Component::ParentDir) {
            at.pop();
            continue;
        }
        let next = at.join(&part);
        match next.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() && links < MAX_LINKS => {
                links += 1;
                folders.insert(at.clone());
                let Ok(target) = fs::read_link(&next) else { return folders };
                let mut way = parts(&target);
                way.append(&mut rest);
                rest = way;
            }
            Ok(_) => at = next,
            Err(_) => {
                folders.insert(at);
                return folders;
            }
        }
    }
    folders.extend(at.parent().map(Path::to_owned));
    folders
}
