//! Which files of an app matter: taken from its manifest, as paths and patterns that nobody has looked up yet.

use glob::{MatchOptions, Pattern};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::manifest_file::LocatedApp;
use crate::settings;

/// As a shell reads patterns: `*` stays within a folder, and hidden files are meant only if the pattern says so.
const AS_IN_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Results of tools, which no pattern means that does not name them.
const RESULTS: [&str; 2] = ["target", "node_modules"];

/// In folders that may be thrown away (https://bford.info/cachedir/); Cargo and others put it there.
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// Whether what components are built from is watched, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sources {
    /// `build.watch` of every component.
    Watched,
    /// Nothing is built.
    Ignored,
}

/// The files of one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watched {
    pub(super) manifest: PathBuf,
    pub(super) settings: PathBuf,
    /// By component.
    pub(super) components: BTreeMap<String, ComponentFiles>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ComponentFiles {
    pub(super) file: PathBuf,
    pub(super) sources: Vec<SourcePattern>,
}

impl Watched {
    /// What the manifest names; and what is wrong with its patterns, as whole sentences.
    pub(crate) fn of(located: &LocatedApp, sources: Sources) -> (Watched, Vec<String>) {
        let folder = &located.folder;
        let mut remarks = Vec::new();
        let mut components = BTreeMap::new();
        for (name, component) in &located.app.components {
            let patterns =
                component.build.iter().filter(|_| sources == Sources::Watched).flat_map(|build| &build.watch);
            let mut sources = Vec::new();
            for pattern in patterns {
                match SourcePattern::parse(folder, pattern) {
                    Ok(pattern) => sources.push(pattern),
                    Err(why) => remarks.push(format!(
                        "{}: components.{name}.build.watch: '{pattern}' is no pattern: {why}; changes to what it means are \
                         not noticed",
                        located.file
                    )),
                }
            }
            components.insert(name.clone(), ComponentFiles { file: folder.join(&component.source), sources });
        }
        let file_name = Path::new(&located.file).file_name().unwrap_or_default();
        let (manifest, settings) = (folder.join(file_name), settings::file_in(folder));
        (Watched { manifest, settings, components }, remarks)
    }
}

/// One pattern of `build.watch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourcePattern {
    /// What comes before the first sign with a meaning: a folder, or the file itself.
    pub(super) root: PathBuf,
    /// What paths below the root have to match; absent if the root is all.
    pattern: Option<Pattern>,
    /// The names in it, literally.
    names: Vec<String>,
    /// How many folders below the root a match can be; absent: any.
    depth: Option<usize>,
}

impl SourcePattern {
    fn parse(folder: &Path, text: &str) -> Result<SourcePattern, String> {
        let is_plain = |name: &&str| !name.contains(['*', '?', '[']);
        let all: Vec<&str> = text.split('/').collect();
        let plain = all.iter().copied().take_while(is_plain).count();
        let (prefix, rest) = all.split_at(plain);
        let root = match prefix {
            // A path from the root of the file system begins with a separator.
            [""] => PathBuf::from("/"),
            names => folder.join(names.join("/")),
        };
        if rest.contains(&"..") {
            return Err("'..' is for its beginning; it cannot come after a '*'".to_owned());
        }
        let pattern = (!rest.is_empty()).then(|| Pattern::new(&rest.join("/"))).transpose();
        let pattern = pattern.map_err(|error| error.msg.to_owned())?;
        let depth = pattern.is_some().then(|| rest.len() - 1).filter(|_| !rest.contains(&"**"));
        let names = rest.iter().copied().map(str::to_owned).collect();
        Ok(SourcePattern { root, pattern, names, depth })
    }

    /// Whether it means the file at this path below the root.
    pub(super) fn matches(&self, below: &Path) -> bool {
        // What editors keep beside a file is no source.
        let is_backup = below.as_os_str().as_encoded_bytes().ends_with(b"~");
        match &self.pattern {
            Some(pattern) => !is_backup && pattern.matches_path_with(below, AS_IN_A_SHELL),
            None => !is_backup && !is_hidden(below),
        }
    }

    /// Whether a match can be in this folder, `depth` folders below the root (from 1).
    pub(super) fn leads_into(&self, folder: &Path, depth: usize) -> bool {
        if self.depth.is_some_and(|most| depth > most) {
            return false;
        }
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { return true };
        let is_named = self.names.iter().any(|one| one == name);
        is_named || !(name.starts_with('.') || RESULTS.contains(&name) || folder.join(CACHE_TAG).is_file())
    }
}

fn is_hidden(below: &Path) -> bool {
    below.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
}
