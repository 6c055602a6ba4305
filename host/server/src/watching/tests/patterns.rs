//! What patterns of `build.watch` mean.

use expect_test::{Expect, expect};
use std::fs;
use std::path::PathBuf;

use super::super::survey::{Kind, Survey, deciding_folders};
use super::super::*;
use crate::manifest_file::LocatedApp;

const FILES: [&str; 13] = [
    "p/out/a.wasm",
    "p/src/lib.rs",
    "p/src/lib.rs~",
    "p/src/deep/a.rs",
    "p/src/.git/b.rs",
    "p/src/deep/.c.rs",
    "p/Cargo.toml",
    "p/target/debug/gen.rs",
    "p/cache/CACHEDIR.TAG",
    "p/cache/d.rs",
    "p/node_modules/e.rs",
    "sdk/f.rs",
    "p/[odd]/g.rs",
];

fn located(folder: PathBuf, pattern: &str) -> LocatedApp {
    let text = format!(
        "app = {{ name = 'app', version = '1.0.0' }}
         functions.F = {{ component = 'a', trigger = {{ type = 'httpTrigger' }} }}
         components.a = {{ source = 'out/a.wasm', build = {{ command = 'true', watch = ['{pattern}'] }} }}"
    );
    let app = manifest::parse(&text, "app.toml", &|_: &str| None).expect("the manifest is right");
    LocatedApp { app, folder, file: "p/app.toml".to_owned(), text }
}

/// The sources that it means, and the folders that are watched for them.
fn check(pattern: &str, expected: &Expect) {
    let world = tempfile::tempdir().expect("a folder");
    let root = fs::canonicalize(world.path()).expect("it is there");
    for file in FILES {
        let path = root.join(file);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("the folder can be made");
        fs::write(path, file).expect("it can be written");
    }
    let (watched, remarks) = Watched::of(&located(root.join("p"), pattern), Sources::Watched);
    let survey = Survey::of(&[watched]);
    let files = survey.files.iter().filter(|(_, roles)| roles.iter().any(|role| matches!(role.kind, Kind::Source(_))));
    let below =
        |path: &PathBuf| path.strip_prefix(&root).map(|below| format!("/{}", below.display())).unwrap_or_default();
    let sources: Vec<String> = files.map(|(path, _)| below(path)).collect();
    let folders: Vec<String> = survey.folders.iter().map(below).collect();
    let remarks: String = remarks.iter().map(|remark| format!("{remark}\n")).collect();
    expected.assert_eq(&format!("{}\nin {}\n{remarks}", sources.join(" "), folders.join(" ")));
}

#[test]
fn patterns_mean_what_they_mean_to_a_shell_apart_from_results_of_tools() {
    check(
        "src/**/*.rs",
        &expect![[r#"
        /p/src/deep/a.rs /p/src/lib.rs
        in /p /p/out /p/src /p/src/deep
    "#]],
    );
    check(
        "src/*.rs",
        &expect![[r#"
        /p/src/lib.rs
        in /p /p/out /p/src
    "#]],
    );
    check(
        "*/*.rs",
        &expect![[r#"
        /p/[odd]/g.rs /p/src/lib.rs
        in / /p /p/[odd] /p/out /p/src
    "#]],
    );
    check(
        "**/*",
        &expect![[r#"
        /p/Cargo.toml /p/[odd]/g.rs /p/src/deep/a.rs /p/src/lib.rs
        in / /p /p/[odd] /p/out /p/src /p/src/deep
    "#]],
    );
    check(
        "Cargo.toml",
        &expect![[r#"
        /p/Cargo.toml
        in /p /p/out
    "#]],
    );
}

#[test]
fn a_pattern_may_begin_anywhere() {
    check(
        "src",
        &expect![[r#"
        /p/src/deep/a.rs /p/src/lib.rs
        in /p /p/out /p/src /p/src/deep
    "#]],
    );
    check(
        "../sdk/**/*.rs",
        &expect![[r#"
        /sdk/f.rs
        in / /p /p/out /sdk
    "#]],
    );
    check(
        "./src/deep/../*.rs",
        &expect![[r#"
        /p/src/lib.rs
        in /p /p/out /p/src
    "#]],
    );
}

#[test]
fn what_a_pattern_names_is_meant_and_what_is_no_pattern_is_said() {
    check(
        "target/**/*.rs",
        &expect![[r#"
        /p/target/debug/gen.rs
        in /p /p/out /p/target /p/target/debug
    "#]],
    );
    check(
        "**/target/**/*.rs",
        &expect![[r#"
        /p/target/debug/gen.rs
        in / /p /p/[odd] /p/out /p/src /p/src/deep /p/target /p/target/debug
    "#]],
    );
    check(
        "[[]odd]/*.rs",
        &expect![[r#"
        /p/[odd]/g.rs
        in / /p /p/[odd] /p/out /p/src
    "#]],
    );
    check(
        "nowhere/**/*.rs",
        &expect![[r#"

        in /p /p/out
    "#]],
    );
    check(
        "***",
        &expect![[r#"

        in /p /p/out
        p/app.toml: components.a.build.watch: '***' is no pattern: wildcards are either regular `*` or recursive `**`; changes to what it means are not noticed
    "#]],
    );
    check(
        "**/../x",
        &expect![[r#"

        in /p /p/out
        p/app.toml: components.a.build.watch: '**/../x' is no pattern: '..' is for its beginning; it cannot come after a '*'; changes to what it means are not noticed
    "#]],
    );
}

#[test]
fn without_building_no_source_matters() {
    let (watched, _) = Watched::of(&located(PathBuf::from("/p"), "src/**/*.rs"), Sources::Ignored);
    assert!(watched.components.values().all(|component| component.sources.is_empty()));
    assert_eq!(watched.manifest, PathBuf::from("/p/app.toml"));
}

#[cfg(unix)]
#[test]
fn the_folders_that_decide_about_a_path() {
    use std::os::unix::fs::symlink;
    let world = tempfile::tempdir().expect("a folder");
    let root = fs::canonicalize(world.path()).expect("it is there");
    fs::create_dir_all(root.join("releases/1")).expect("it can be made");
    fs::write(root.join("releases/1/a.wasm"), "").expect("it can be written");
    symlink("releases/1", root.join("current")).expect("it is free");
    symlink(root.join("current/a.wasm"), root.join("a.wasm")).expect("it is free");
    symlink("round", root.join("round")).expect("it is free");
    let check = |path: &str, expected: &[&str]| {
        let expected = expected.iter().map(|folder| if folder.is_empty() { root.clone() } else { root.join(folder) });
        assert_eq!(deciding_folders(&root.join(path)), expected.collect(), "{path}");
    };
    check("releases/1/a.wasm", &["releases/1"]);
    check("releases/2/a.wasm", &["releases"]);
    check("nowhere/at/all", &[""]);
    check("current/a.wasm", &["", "releases/1"]);
    check("a.wasm", &["", "releases/1"]);
    check("releases/../a.wasm", &["", "releases/1"]);
    // As far as it goes; what matters is that it ends.
    check("round/a.wasm", &["", "round"]);
}
