//! The gate before a turn: which versions a worker takes, and what it says about the others.

use crate::{MatchStrategy, VersionGate};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::fmt::Write;

fn gate(worker: &str, strategy: MatchStrategy) -> VersionGate {
    VersionGate { worker: (!worker.is_empty()).then(|| worker.to_owned()), strategy }
}

/// How two versions compare, as far as a gate shows it.
fn compared(instance: &str, worker: &str) -> &'static str {
    let takes = |strategy| gate(worker, strategy).check(Some(instance)).is_ok();
    match (takes(MatchStrategy::Strict), takes(MatchStrategy::CurrentOrOlder)) {
        (true, true) => "=",
        (false, true) => "<",
        (false, false) => ">",
        (true, false) => "!",
    }
}

fn check(pairs: &[(&str, &str)], expected: &Expect) {
    let mut table = String::new();
    for (instance, worker) in pairs {
        writeln!(table, "{instance:?} {} {worker:?}", compared(instance, worker)).unwrap();
        let reverse = match compared(instance, worker) {
            "<" => ">",
            ">" => "<",
            same => same,
        };
        assert_eq!(compared(worker, instance), reverse, "{instance:?} and {worker:?} the other way round");
        assert_eq!(gate(worker, MatchStrategy::None).check(Some(instance)), Ok(()));
    }
    expected.assert_eq(&table);
}

#[test]
fn none_is_below_all_others() {
    check(
        &[("", ""), ("", "1.0"), ("", "a"), ("", "0.0")],
        &expect![[r#"
            "" = ""
            "" < "1.0"
            "" < "a"
            "" < "0.0"
        "#]],
    );
    assert_eq!(gate("", MatchStrategy::Strict).check(None), Ok(()), "none is an empty version");
}

#[test]
fn dotted_numbers_compare_by_their_parts() {
    check(
        &[
            ("1.9", "1.10"),
            ("2.0", "10.0"),
            ("1.2.3", "1.2.3"),
            ("1.0", "1.0.0"),
            ("01.2", "1.02"),
            ("1.2.3.4", "1.2.3.5"),
            ("4294967295.0", "4294967295.1"),
        ],
        &expect![[r#"
            "1.9" < "1.10"
            "2.0" < "10.0"
            "1.2.3" = "1.2.3"
            "1.0" < "1.0.0"
            "01.2" = "1.02"
            "1.2.3.4" < "1.2.3.5"
            "4294967295.0" < "4294967295.1"
        "#]],
    );
}

#[test]
fn all_else_compares_as_text_without_case() {
    check(
        &[
            ("9", "10"),
            ("v1.9", "v1.10"),
            ("Beta", "beta"),
            ("1.2.3.4.5", "1.2.3.4.10"),
            ("+1.2", "1.2"),
            ("1.", "1.0"),
            ("1.9-rc", "1.10"),
            ("4294967296.0", "5.0"),
            (" 1.0", "1.0"),
        ],
        &expect![[r#"
            "9" > "10"
            "v1.9" > "v1.10"
            "Beta" = "beta"
            "1.2.3.4.5" > "1.2.3.4.10"
            "+1.2" < "1.2"
            "1." < "1.0"
            "1.9-rc" > "1.10"
            "4294967296.0" < "5.0"
            " 1.0" < "1.0"
        "#]],
    );
}

#[test]
fn a_mismatch_says_what_and_what_to_do() {
    let failure = |strategy, instance| gate("1.2", strategy).check(instance).unwrap_err();
    let strict = failure(MatchStrategy::Strict, Some("1.1"));
    expect!["VersionMismatch: the version '1.1' of the orchestration does not match the worker version '1.2'; run it with a worker of its own version, or change host.durableTask.versionMatchStrategy"]
        .assert_eq(&strict.to_string());
    let newer = failure(MatchStrategy::CurrentOrOlder, Some("2.0"));
    expect!["VersionMismatch: the version '2.0' of the orchestration is greater than the worker version '1.2'; run it with a worker of that version or a newer one, or change host.durableTask.versionMatchStrategy"]
        .assert_eq(&newer.to_string());
    assert!(strict.non_retriable && newer.non_retriable);
    assert!(failure(MatchStrategy::Strict, None).message.contains("the version ''"));
}

proptest! {
    /// For any versions: exactly one of less, equal and greater, and both ways agree.
    #[test]
    fn any_two_versions_have_an_order(a in "[0-9.aB]{0,6}", b in "[0-9.aB]{0,6}") {
        let (there, back) = (compared(&a, &b), compared(&b, &a));
        prop_assert!([("<", ">"), (">", "<"), ("=", "=")].contains(&(there, back)), "{a:?} {there} {b:?}, {back}");
        prop_assert_eq!(compared(&a, &a), "=");
    }
}
