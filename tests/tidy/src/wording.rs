//! What modules are called, how they open, and what no line may say.

use syn::visit::{self, Visit};

use crate::repository::{File, Violation, assert_none, files, rust_files, show};
use crate::rules::{BANNED_MODULE_NAMES, MACHINE_PATHS, MIN_MODULE_DOC_WORDS};

/// Every module file opens with a paragraph: what it owns, what it leaves to others.
fn check_opening(file: &File) -> Option<Violation> {
    let doc = file.text.lines().map_while(|line| line.strip_prefix("//!"));
    let words: usize = doc.take_while(|line| !line.trim().is_empty()).map(|line| line.split_whitespace().count()).sum();
    (words < MIN_MODULE_DOC_WORDS).then(|| {
        let what = if words == 0 { "does not open with a `//!` paragraph" } else { "opens with too short a paragraph" };
        Violation::new(&file.path, 1, what, "say what the module owns and what it leaves to others")
    })
}

/// Names of files, of folders that hold sources, and of modules within files.
fn check_names(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut ban = |name: &str, line| {
        if BANNED_MODULE_NAMES.contains(&name) {
            let what = format!("`{name}` says nothing about what is inside");
            violations.push(Violation::new(&file.path, line, what, "name it after what it owns"));
        }
    };
    file.path.trim_end_matches(".rs").split('/').for_each(|name| ban(name, 1));
    if let Ok(parsed) = syn::parse_file(&file.text) {
        let mut modules = InlineModules(Vec::new());
        modules.visit_file(&parsed);
        modules.0.iter().for_each(|(name, line)| ban(name, *line));
    }
    violations
}

struct InlineModules(Vec<(String, usize)>);

impl<'ast> Visit<'ast> for InlineModules {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() {
            self.0.push((item.ident.to_string(), item.ident.span().start().line));
        }
        visit::visit_item_mod(self, item);
    }
}

/// No line names a place on somebody's disk.
fn check_paths(file: &File) -> Vec<Violation> {
    let lines = file.text.lines().enumerate();
    let named =
        lines.filter_map(|(index, line)| MACHINE_PATHS.iter().find(|path| names(line, path)).map(|p| (index, p)));
    named
        .map(|(index, path)| {
            let next = "write a path from the top of the repository, or make a temporary folder";
            Violation::new(&file.path, index + 1, format!("names the machine path `{path}`"), next)
        })
        .collect()
}

/// Whether the path begins a word of the line: in the middle of a longer path it does not.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | '}' | '*'))
    })
}

#[test]
fn modules_open_with_a_paragraph() {
    assert_none(rust_files().iter().filter_map(check_opening).collect());
}

#[test]
fn modules_have_telling_names() {
    assert_none(rust_files().iter().flat_map(check_names).collect());
}

#[test]
fn no_line_names_a_machine_path() {
    assert_none(files().iter().flat_map(check_paths).collect());
}

fn example(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn a_missing_paragraph_is_found() {
    let opening = |text| show(&check_opening(&example("a.rs", text)).into_iter().collect::<Vec<_>>());
    assert_eq!(opening("//! Owns one thing and\n//! nothing else.\n\nuse x;\n"), "");
    let bad = [
        "",
        "use x;\n",
        "// Owns one thing and nothing else.\n",
        "//! Too short.\n//!\n//! A second paragraph, longer.\n",
    ];
    expect_test::expect![[r#"
        a.rs:1: does not open with a `//!` paragraph; say what the module owns and what it leaves to others
        a.rs:1: does not open with a `//!` paragraph; say what the module owns and what it leaves to others
        a.rs:1: does not open with a `//!` paragraph; say what the module owns and what it leaves to others
        a.rs:1: opens with too short a paragraph; say what the module owns and what it leaves to others
    "#]]
    .assert_eq(&bad.map(opening).concat());
}

#[test]
fn a_banned_name_is_found() {
    let bad = [
        ("host/x/src/utils.rs", "fn f() {}"),
        ("host/common/src/lib.rs", ""),
        ("host/x/src/a.rs", "mod good {\n    mod helpers {}\n}\nmod types;\n"),
        ("host/x/src/encore.rs", "use std::core;"),
    ];
    expect_test::expect![[r#"
        host/x/src/utils.rs:1: `utils` says nothing about what is inside; name it after what it owns
        host/common/src/lib.rs:1: `common` says nothing about what is inside; name it after what it owns
        host/x/src/a.rs:2: `helpers` says nothing about what is inside; name it after what it owns
    "#]]
    .assert_eq(&bad.map(|(path, text)| show(&check_names(&example(path, text)))).concat());
}

#[test]
fn a_machine_path_is_found() {
    let text = format!(
        "see {0}main\nfile://{0}x\n\"{0}\"\n/api{0}x\n{{id}}{0}x\nhttps://host{0}\n../{1}x\n",
        concat!("/", "work/"),
        "other/"
    );
    expect_test::expect![[r#"
        a.md:1: names the machine path `/WORK/`; write a path from the top of the repository, or make a temporary folder
        a.md:2: names the machine path `/WORK/`; write a path from the top of the repository, or make a temporary folder
        a.md:3: names the machine path `/WORK/`; write a path from the top of the repository, or make a temporary folder
    "#]]
    .assert_eq(&show(&check_paths(&example("a.md", &text))).replace("work", "WORK"));
}
