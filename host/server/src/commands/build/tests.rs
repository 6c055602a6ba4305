//! Builds by commands of a shell that takes no time.

use super::*;
use expect_test::{Expect, expect};

/// What is reported of a manifest with these components, and the problem at the end; times and folders are made the same.
fn check(components: &str, expected: &Expect) {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "app = {{ name = 'trips', version = '1' }}\n[functions.A]\ncomponent = 'one'\n\
         trigger = {{ type = 'httpTrigger', route = '%NOT_SET%' }}\n{components}"
    );
    let manifest = folder.path().join("app.toml");
    std::fs::write(&manifest, text).expect("it can be written");
    let located = outline::read(Some(&manifest), &[], &Environment::default());
    let located = located.unwrap_or_else(|problem| panic!("{:#}", problem.into_error())).located;
    let console = Console::new(&Environment::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (mut report, outcome) = runtime.block_on(build_all(&[located.clone(), located], OutputFormat::Json, &console));
    for build in &mut report.builds {
        assert_eq!(build.in_words().is_some(), build.succeeded);
        build.duration_ms = build.duration_ms.map(|_| 1_250);
    }
    let mut said: Vec<String> = report
        .builds
        .iter()
        .map(|build| {
            let components: Vec<&str> = build.components.iter().map(String::as_str).collect();
            let words = build.in_words().unwrap_or_else(|| format!("failed: {:?}", build.output));
            format!("{}: {words}", components.join("+"))
        })
        .collect();
    said.extend(outcome.err().map(|problem| format!("{:#}", problem.into_error())));
    expected.assert_eq(&said.join("\n").replace(&folder.path().display().to_string(), "<folder>"));
}

#[test]
#[cfg(unix)]
fn every_command_runs_once_and_says_what_came_out() {
    check(
        "[components.one]\nsource = 'a.wasm'\nbuild.command = 'printf a > a.wasm; printf bb > b.wasm; printf x >> count'\n\
         [components.two]\nsource = 'b.wasm'\nbuild.command = 'printf a > a.wasm; printf bb > b.wasm; printf x >> count'\n\
         [components.three]\nsource = 'count'\nbuild.command = 'test $(cat count) = x'\n\
         [components.ready]\nsource = 'ready.wasm'",
        &expect![[r#"
            one+two: Built one, two in 1.25 s
              <folder>/a.wasm (1 KiB)
              <folder>/b.wasm (1 KiB)
            three: Built three in 1.25 s
              <folder>/count (1 KiB)"#]],
    );
}

#[test]
#[cfg(unix)]
fn what_is_behind_a_failure_is_not_built() {
    check(
        "[components.one]\nsource = 'a.wasm'\nbuild.command = 'echo broken; exit 3'\n\
         [components.two]\nsource = 'b.wasm'\nbuild.command = 'printf b > b.wasm'",
        &expect![[r#"
            one: failed: Some("broken")
            component 'one' cannot be built: `echo broken; exit 3` in <folder> ended with exit status: 3; correct what it says above"#]],
    );
}

#[test]
#[cfg(unix)]
fn a_build_that_leaves_nothing_is_a_failure() {
    check(
        "[components.one]\nsource = 'elsewhere/a.wasm'\nbuild.command = 'true'",
        &expect![[r#"
            one: failed: None
            `true` went well, and left no <folder>/elsewhere/a.wasm; correct components.one.source in <folder>/app.toml, or the command"#]],
    );
}

#[test]
fn nothing_to_build_is_no_failure() {
    check("[components.one]\nsource = 'a.wasm'", &expect![""]);
}
