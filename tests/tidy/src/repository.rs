//! The files of the repository, and how violations are shown.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::rules::GENERATED_FOLDERS;

/// One text file.
pub(crate) struct File {
    /// From the top of the repository, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    pub(crate) path: String,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) next_step: String,
}

impl Violation {
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>, next_step: impl Into<String>) -> Self {
        Violation { path: path.to_owned(), line, what: what.into(), next_step: next_step.into() }
    }
}

pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate stands two folders below the top").to_path_buf()
}

/// Every text file below the top. Files that are not UTF-8 are no texts and left out.
pub(crate) fn files() -> Vec<File> {
    let mut files = Vec::new();
    collect(&root(), "", &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 30, "only {} files found: looking in the wrong place?", files.len());
    files
}

pub(crate) fn rust_files() -> Vec<File> {
    files().into_iter().filter(|file| file.path.ends_with(".rs") && !is_generated(&file.text)).collect()
}

/// What a code generator wrote says so in its first line.
pub(crate) fn is_generated(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.contains(concat!("@", "generated")))
}

/// Code that exists for tests alone.
pub(crate) fn is_test_code(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let entry = entry.unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().unwrap_or_else(|e| panic!("{path}: {e}"));
        if kind.is_dir() && !GENERATED_FOLDERS.contains(&name.as_str()) {
            collect(&entry.path(), &format!("{path}/"), files);
        } else if kind.is_file() {
            // A file that somebody removes or that is no text meanwhile is nothing to check.
            if let Ok(text) = std::fs::read_to_string(entry.path()) {
                files.push(File { path, text });
            }
        }
    }
}

/// Fails with all violations, in the order of their places.
pub(crate) fn assert_none(mut violations: Vec<Violation>) {
    violations.sort();
    assert!(violations.is_empty(), "{} violations\n{}", violations.len(), show(&violations));
}

pub(crate) fn show(violations: &[Violation]) -> String {
    violations.iter().fold(String::new(), |mut shown, Violation { path, line, what, next_step }| {
        writeln!(shown, "{path}:{line}: {what}; {next_step}").expect("writing to a string succeeds");
        shown
    })
}
