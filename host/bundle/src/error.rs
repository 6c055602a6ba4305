//! Why a bundle is refused: the entry, what is wrong with it, and what to do.

use thiserror::Error;

/// Why there is no bundle of these bytes, or no bytes of this bundle. Displays as `entry: what; what to do`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BundleError {
    /// The file is too long; nothing of it was looked at.
    #[error("the bundle has {bytes} bytes, more than the {limit_bytes} that are allowed; {SMALLER}")]
    TooLarge {
        /// Of the file.
        bytes: u64,
        /// [`crate::Limits::bundle_bytes`]
        limit_bytes: u64,
    },
    /// Something else altogether.
    #[error("this is no bundle: it is not a zip archive; give a file that `dacapo pack` wrote")]
    NotABundle,
    /// It began as a bundle.
    #[error("the bundle is cut off, or something was appended to it; {AGAIN}")]
    Truncated,
    /// The archive contradicts itself.
    #[error("the bundle is damaged: {why}; {AGAIN}")]
    Damaged {
        /// What the reader of archives says.
        why: String,
    },
    /// One entry cannot be unpacked.
    #[error("{entry}: is damaged: {why}; {AGAIN}")]
    DamagedEntry {
        /// Its name.
        entry: String,
        /// What the reader of archives says.
        why: String,
    },
    /// More entries than allowed.
    #[error("the bundle has {count} entries, more than the {limit} that are allowed; use fewer components")]
    TooManyEntries {
        /// As the archive says.
        count: usize,
        /// [`crate::Limits::entries`]
        limit: usize,
    },
    /// An entry's name is no path within a folder.
    #[error("{entry}: {why}; {BY_HAND}")]
    BadName {
        /// Its name, escaped.
        entry: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// Two entries share a name, and readers differ in which of them they take.
    #[error("the bundle has two entries of one name; {BY_HAND}")]
    Duplicate,
    /// Two names are one on some systems.
    #[error("{entry}: another entry has the same name but for its case; rename one of the components and pack again")]
    SameButForCase {
        /// The later one.
        entry: String,
    },
    /// Entries share bytes, as in archives that unpack to more than any compression could.
    #[error("the bundle has entries that lie over one another; {BY_HAND}")]
    Overlapping,
    /// A link, a folder or something else that is no file.
    #[error("{entry}: is {what} and not a file; {BY_HAND}")]
    NotAFile {
        /// Its name.
        entry: String,
        /// `a symbolic link`
        what: &'static str,
    },
    /// The entry needs a password.
    #[error("{entry}: is encrypted; {BY_HAND}")]
    Encrypted {
        /// Its name.
        entry: String,
    },
    /// The entry is compressed in another way than deflate.
    #[error("{entry}: is compressed in a way that bundles do not use ({method}); {BY_HAND}")]
    Compression {
        /// Its name.
        entry: String,
        /// The way.
        method: String,
    },
    /// An entry unpacks to too much; what was unpacked was thrown away.
    #[error("{entry}: unpacks to more than {limit_bytes} bytes; {SMALLER}")]
    EntryTooLarge {
        /// Its name.
        entry: String,
        /// The limit for entries of its kind.
        limit_bytes: u64,
    },
    /// All together unpack to too much; what was unpacked was thrown away.
    #[error("{entry}: with it, the bundle unpacks to more than {limit_bytes} bytes; {SMALLER}")]
    UnpackedTooLarge {
        /// The entry at which it was too much.
        entry: String,
        /// [`crate::Limits::unpacked_bytes`]
        limit_bytes: u64,
    },
    /// There is no list of entries.
    #[error("the archive has no bundle.json, so it is no bundle; give a file that `dacapo pack` wrote")]
    NoList,
    /// The list cannot be understood.
    #[error("bundle.json: {why}; {BY_HAND}")]
    BadList {
        /// What is wrong with it.
        why: String,
    },
    /// The list is of a format that came later.
    #[error(
        "bundle.json: the bundle has the format {found}, written by {built_with}, and this is dacapo {} which reads formats up \
         to {}; update this host, or pack with its version",
        env!("CARGO_PKG_VERSION"),
        crate::FORMAT_VERSION
    )]
    Newer {
        /// The format.
        found: u64,
        /// What wrote it; `a newer version` if it does not say.
        built_with: String,
    },
    /// An entry that is not in the list.
    #[error("{entry}: is not listed in bundle.json; {BY_HAND}")]
    Unlisted {
        /// Its name.
        entry: String,
    },
    /// The list names what is not there.
    #[error("{entry}: is listed in bundle.json and missing; {AGAIN}")]
    Missing {
        /// Its name.
        entry: String,
    },
    /// An entry is not the one that was packed.
    #[error("{entry}: has the SHA-256 {found}, and bundle.json says {expected}; {AGAIN}")]
    WrongChecksum {
        /// Its name.
        entry: String,
        /// In the list.
        expected: String,
        /// Of the entry.
        found: String,
    },
    /// The manifest is not UTF-8.
    #[error("{entry}: is not UTF-8 text; save the manifest as UTF-8 and pack again")]
    NotText {
        /// The manifest's name.
        entry: String,
    },
    /// A component is something else.
    #[error("{entry}: {what}; build it as a component (in Rust: for the target wasm32-wasip2) and pack again")]
    NotAComponent {
        /// Its name.
        entry: String,
        /// What it is.
        what: &'static str,
    },
    /// A bundle that cannot be written: its app, version or component cannot be called this.
    #[error("{name:?} is no name for {what}; {rule}")]
    Unwritable {
        /// As given.
        name: String,
        /// `an app`
        what: &'static str,
        /// What it has to be.
        rule: &'static str,
    },
}

const AGAIN: &str = "pack it again, and check that the whole file arrived";
const BY_HAND: &str = "give a file as `dacapo pack` wrote it";
const SMALLER: &str = "make it smaller (components: optimise, strip debug information), or split the app";
