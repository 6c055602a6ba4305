//! An app's name, and what else is called after it: the manifest's file, the crate, the component.

use manifest::MAX_APP_NAME_CHARS;
use std::path::Path;

use crate::manifest_file;

/// For a folder whose name has nothing that an app's could have.
const LAST_RESORT: &str = "app";

/// Names that cargo refuses for a crate, or that are those of crates which every project has.
const TAKEN_BY_CRATES: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "dacapo",
    "dacapo-sdk",
    "dacapo-sdk-macros",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "build",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "serde",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// A name that a manifest can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AppName(String);

impl AppName {
    /// Reads a name.
    ///
    /// # Errors
    /// The manifest could not have it; says the rule.
    pub(super) fn parse(name: &str) -> Result<AppName, String> {
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if begins_well && name.chars().all(is_allowed) && name.len() <= MAX_APP_NAME_CHARS {
            return Ok(AppName(name.to_owned()));
        }
        let rule = "begin with a letter, go on with letters, digits, `-` and `_`";
        Err(format!("{name:?} cannot be an app's name: {rule}, {MAX_APP_NAME_CHARS} characters at most"))
    }

    /// What of a folder's name can be an app's.
    pub(super) fn of_folder(folder: &Path) -> AppName {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let allowed = name.chars().map(|c| if c == ' ' || c == '.' { '-' } else { c }).filter(|c| is_allowed(*c));
        let name: String = allowed.skip_while(|c| !c.is_ascii_alphabetic()).take(MAX_APP_NAME_CHARS).collect();
        let name = name.trim_end_matches(['-', '_']);
        AppName(if name.is_empty() { LAST_RESORT } else { name }.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The manifest's file.
    pub(super) fn manifest(&self) -> String {
        let file = format!("{}.toml", self.0);
        if manifest_file::is_of_another_tool(&file) { format!("{LAST_RESORT}.toml") } else { file }
    }

    /// The crate, as its manifest has it.
    pub(super) fn package(&self) -> String {
        let package = self.0.to_ascii_lowercase();
        let is_taken = TAKEN_BY_CRATES.contains(&package.replace('_', "-").as_str());
        if is_taken { format!("{package}-app") } else { package }
    }

    /// The file that cargo makes of the crate, without its ending.
    pub(super) fn file_stem(&self) -> String {
        self.package().replace('-', "_")
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}
