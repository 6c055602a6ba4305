//! Pairs of files in `tests/`: a manifest beside the app that it describes, or beside the messages that refuse it.
//!
//! `UPDATE_EXPECT=1 cargo test -p manifest` writes the expectations anew; the difference is for a person to review.

use std::path::{Path, PathBuf};

use expect_test::{expect, expect_file};

#[test]
fn valid_manifests_describe_their_apps() {
    for manifest in manifests("valid", 5) {
        let text = read(&manifest);
        let app = crate::parse(&text, &shown_name(&manifest), &setting).unwrap_or_else(|problems| panic!("{problems}"));
        expect_file![manifest.with_extension("txt")].assert_eq(&format!("{app:#?}\n"));
    }
}

#[test]
fn invalid_manifests_are_refused_with_every_problem() {
    for manifest in manifests("invalid", 15) {
        let problems = match crate::parse(&read(&manifest), &shown_name(&manifest), &setting) {
            Ok(app) => panic!("{} was accepted: {app:#?}", manifest.display()),
            Err(problems) => problems,
        };
        expect_file![manifest.with_extension("err")].assert_eq(&format!("{problems}\n"));
    }
}

/// The app settings of all these manifests.
pub(super) fn setting(name: &str) -> Option<String> {
    let values = [
        ("TRIP_QUEUE", "trip-requests"),
        ("NIGHTLY", "0 30 2 * * *"),
        ("ZONE", "Europe/Zurich"),
        ("PARTNER", "partner.example.com"),
        ("Storage__Table", "Trips"),
        ("TURN_OFF", "1"),
        ("TURN_ON", "false"),
        ("NEITHER", "perhaps"),
        ("AzureWebJobs.OffByDots.Disabled", "True"),
        ("AzureWebJobs_OffByUnderscores_Disabled", "1"),
        ("AzureWebJobs.OnBySetting.Disabled", "0"),
        ("OtherStorage", "UseDevelopmentStorage=true"),
        ("Identity__queueServiceUri", "https://account.queue.core.windows.net"),
        ("AzureWebJobsPrefixed__accountName", "account"),
    ];
    values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

/// The manifests in a folder; at least as many as expected, so that a moved folder does not pass for an empty one.
pub(super) fn manifests(folder: &str, at_least: usize) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    found.sort();
    assert!(found.len() >= at_least, "only {} manifests in {}", found.len(), folder.display());
    found
}

pub(super) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn shown_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn size_is_bounded() {
    let functions: String =
        (0..=crate::MAX_FUNCTIONS).map(|n| format!("F{n}.trigger.type = 'activityTrigger'\n")).collect();
    let text = format!("app = {{ name = 'a', version = '1' }}\ncomponents.c.source = 'c'\n[functions]\n{functions}");
    let problems = crate::parse(&text, "many.toml", &setting).unwrap_err();
    expect!["many.toml:3: functions: has 2001 entries, more than 2000; split the app into several"]
        .assert_eq(&problems.to_string());

    let problems = crate::parse(&"#".repeat(crate::MAX_MANIFEST_BYTES + 1), "long.toml", &setting).unwrap_err();
    expect!["long.toml:1: the manifest is larger than 1048576 bytes; split the app, or move what is not configuration elsewhere"]
        .assert_eq(&problems.to_string());
}
