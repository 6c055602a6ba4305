//! Builds: which there are, and what is said of how they end.

use expect_test::{Expect, expect};
use std::fmt::Write;

use super::*;
use crate::settings::Environment;

const FUNCTION: &str = r#"
functions.F.component = "one"
functions.F.trigger = { type = "httpTrigger" }
app = { name = "a", version = "1.0.0" }
"#;

fn app(components: &str) -> App {
    manifest::parse(&format!("{FUNCTION}\n{components}"), "a.toml", &|_: &str| None).expect("the manifest is right")
}

fn check_steps(components: &str, expected: &Expect) {
    let steps = steps(&app(components), Path::new("/app"));
    let mut lines = String::new();
    for step in steps {
        writeln!(lines, "{}: `{}` in {}", step.names(), step.command, step.folder.display()).expect("it has room");
    }
    expected.assert_eq(&lines);
}

#[test]
fn components_that_share_folder_and_command_are_one_build() {
    let components = r#"
        components.one = { source = "1.wasm", build = { command = "make" } }
        components.two = { source = "2.wasm", build = { command = "make", workdir = "deep" } }
        components.three = { source = "3.wasm", build = { command = "make" } }
        components.ready = { source = "4.wasm" }
    "#;
    check_steps(
        components,
        &expect![[r#"
        one, three: `make` in /app
        two: `make` in /app/deep
    "#]],
    );
}

/// What a build of one component says, as start and the development loop report it.
fn check_build(build: &str, expected: &Expect) {
    let folder = tempfile::tempdir().expect("a folder");
    let app = app(&format!("components.one = {{ source = '1.wasm', build = {build} }}"));
    let outcome = match super::build(&app, folder.path(), &Console::new(&Environment::of(&[]))) {
        Ok(took) => format!("built: {}", took.is_some()),
        Err(Problem::App(error)) => {
            let output = error.downcast_ref::<BuildFailure>().map(|failure| failure.output.clone());
            format!("{error}\noutput: {output:?}")
        }
        Err(problem) => format!("{problem:?}"),
    };
    expected.assert_eq(&outcome.replace(&folder.path().display().to_string(), "FOLDER"));
}

#[test]
fn a_build_tells_how_it_ended() {
    check_build("{ command = 'cp /dev/null 1.wasm' }", &expect!["built: true"]);
    check_build(
        "{ command = 'echo trouble; exit 7' }",
        &expect![[r#"
        component 'one' cannot be built: `echo trouble; exit 7` in FOLDER ended with exit status: 7; correct what it says above, or start with --no-build to run what was built before
        output: Some("trouble")"#]],
    );
    check_build(
        "{ command = 'true', workdir = 'nowhere' }",
        &expect![[r#"
        component 'one' cannot be built: there is no folder FOLDER/nowhere; correct components.one.build.workdir
        output: Some("")"#]],
    );
}

#[tokio::test]
async fn a_build_may_be_asked_for_inside_of_a_runtime() {
    let step = Step { command: "exit 0".to_owned(), folder: std::env::temp_dir(), components: ["a".to_owned()].into() };
    let built = step.build(&Console::new(&Environment::of(&[]))).expect("it is built");
    assert_eq!(built.components, step.components);
}
