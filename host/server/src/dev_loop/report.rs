//! What the loop tells; how it looks is up to whoever is told.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::Swapped;
use crate::manifest_file::LocatedApp;

/// Something that a person wants to know.
#[derive(Debug)]
pub(crate) enum Report {
    /// A build begins.
    Building { components: BTreeSet<String> },
    /// A build went well.
    Built { components: BTreeSet<String>, took: Duration },
    /// A build was ended before its time, because these of its sources changed. It begins again.
    Interrupted { components: BTreeSet<String>, because: BTreeSet<PathBuf> },
    /// The app goes on with other code.
    Reloaded {
        app: Box<LocatedApp>,
        /// How long was built for it; absent if nothing had to be.
        built: Option<Duration>,
        /// Since the first event.
        total: Duration,
        swapped: Swapped,
    },
    /// After all it is the same as before.
    Unchanged { app: String, built: Option<Duration>, total: Duration },
    /// The app goes on as it was.
    Failed {
        app: String,
        /// What is wrong.
        error: String,
        /// The end of what a build command said; empty for other failures.
        output: String,
        /// The app digest of what serves, as people read it.
        serving: String,
    },
    /// Something to know.
    Notice(String),
}
