//! Telling what a build writes into its own sources from what people write while it runs. Without that, a generator that
//! never writes the same twice would make the loop build for ever.
//!
//! A file that changes during a build may be either. At first it is taken for somebody's work: the build is stopped and begun
//! again, which a generator with a constant result survives without another change. Only what changes during build after build
//! is taken for the build's own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::watching::Changes;

/// Builds that a file may stop by changing. After that they run to their end, so that one can be seen in which it does not change.
const INTERRUPTIONS: usize = 2;

/// Builds in a row during which a file has to change to be taken for what they write.
const OWN_AFTER: usize = 5;

/// What changed during builds, build after build.
#[derive(Debug, Default)]
pub(super) struct OwnWrites {
    /// By file: the number of builds.
    streaks: BTreeMap<PathBuf, usize>,
    /// Of those, the ones that changed during the present build.
    during: BTreeSet<PathBuf>,
}

/// What to do about a file that changed during a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// Nothing: the build wrote it. Said for the first time?
    Own { is_new: bool },
    /// Build once more, after this one.
    After,
    /// Begin again.
    AtOnce,
}

impl OwnWrites {
    /// These changed while nothing was built.
    pub(super) fn changed_by_people(&mut self, changes: &Changes) {
        let sources = changes.apps.values().flat_map(|app| app.sources.values()).flatten();
        for path in sources {
            self.streaks.remove(path);
        }
    }

    /// Builds begin.
    pub(super) fn begin(&mut self) {
        self.during.clear();
    }

    /// A file changed during them.
    pub(super) fn changed(&mut self, path: &Path) -> Verdict {
        let streak = self.streaks.entry(path.to_owned()).or_default();
        let is_first = self.during.insert(path.to_owned());
        if is_first {
            *streak += 1;
        }
        if *streak <= INTERRUPTIONS {
            Verdict::AtOnce
        } else if *streak < OWN_AFTER {
            Verdict::After
        } else {
            Verdict::Own { is_new: is_first && *streak == OWN_AFTER }
        }
    }

    /// The builds ran to their end: what did not change during them is not theirs.
    pub(super) fn end(&mut self) {
        self.streaks.retain(|path, _| self.during.contains(path));
    }
}
