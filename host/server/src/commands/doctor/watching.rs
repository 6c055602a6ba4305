//! Whether changes of an app's sources would be noticed: the patterns of its builds, and what the system lets a program watch.

use manifest::App;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Finding;
use crate::manifest_file::LocatedApp;
use crate::watching::{Sources, Watched};

const SUBJECT: &str = "watching";

/// Folders of one app that are counted.
const MAX_FOLDERS: usize = 100_000;

pub(super) fn look(located: &LocatedApp, findings: &mut Vec<Finding>) {
    let (_, remarks) = Watched::of(located, Sources::Watched);
    let folders = folders(&located.app, &located.folder);
    findings.extend(remarks.into_iter().map(|what| Finding::warning(SUBJECT, what, "correct the pattern")));
    if folders > 0 {
        findings.extend(Limits::of_system().map(|limits| judge(folders, &limits)));
    }
}

/// How many folders have files that a build watches.
fn folders(app: &App, folder: &Path) -> usize {
    let base = glob::Pattern::escape(&folder.display().to_string());
    let patterns =
        app.components.values().filter_map(|component| component.build.as_ref()).flat_map(|build| &build.watch);
    let files = patterns.filter_map(|pattern| glob::glob(&format!("{base}/{pattern}")).ok()).flatten().flatten();
    let parents: BTreeSet<PathBuf> =
        files.take(MAX_FOLDERS).filter_map(|file| file.parent().map(Path::to_owned)).collect();
    parents.len()
}

/// What the system lets a program watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limits {
    /// Whether one more program may watch files; else what the system says.
    pub(super) one_more: Result<(), String>,
    /// Folders that all programs of this user may watch.
    pub(super) folders: Option<u64>,
}

impl Limits {
    /// None: this system has no such limits.
    #[cfg(target_os = "linux")]
    fn of_system() -> Option<Limits> {
        use rustix::fs::inotify::{CreateFlags, init};
        let folders = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_watches").ok();
        let one_more = init(CreateFlags::CLOEXEC).map(drop).map_err(|error| error.to_string());
        Some(Limits { one_more, folders: folders.and_then(|text| text.trim().parse().ok()) })
    }

    #[cfg(not(target_os = "linux"))]
    fn of_system() -> Option<Limits> {
        None
    }
}

pub(super) fn judge(folders: usize, limits: &Limits) -> Finding {
    let slower = "until then `dacapo start` looks for changes every two seconds";
    if let Err(why) = &limits.one_more {
        return Finding::warning(
            SUBJECT,
            format!("the system lets no more programs watch files: {why}"),
            format!("end others, or allow more: sudo sysctl fs.inotify.max_user_instances=1024; {slower}"),
        );
    }
    match limits.folders {
        Some(allowed) if allowed < folders as u64 => Finding::warning(
            SUBJECT,
            format!("{folders} folders are to be watched, and the system allows {allowed}"),
            format!("allow more: sudo sysctl fs.inotify.max_user_watches=524288; {slower}"),
        ),
        Some(_) | None => Finding::ok(SUBJECT, format!("changes in {folders} folders would be noticed")),
    }
}
