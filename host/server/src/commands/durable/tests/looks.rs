//! Text that others wrote, widths, and how often a host is asked.

use super::super::hub::refused;
use super::super::instance::Pace;
use super::super::json;
use super::super::paint::{Look, Paint, Span, shortened, table, to_text, visible};
use super::FILE;
use expect_test::{Expect, expect};
use orchestration::HttpResponse;
use std::time::Duration;

#[test]
fn nothing_steers_the_terminal() {
    let nasty = "a\x1b[2Jb\nc\u{9b}31md\te\u{7f}";
    expect![[r#"a\u{1b}[2Jb\nc\u{9b}31md\te\u{7f}"#]].assert_eq(&visible(nasty));
    let terminal = Look { terminal: true, ..FILE };
    let text = "\"a\u{9b}b\u{7f}ä\"\n";
    assert_eq!(json(text, FILE), text.trim_end(), "a file gets every byte");
    expect![[r#""a\u009bb\u007fä""#]].assert_eq(&json(text, terminal));
    let back: String = serde_json::from_str(&json(text, terminal)).expect("JSON");
    assert_eq!(back, "a\u{9b}b\u{7f}ä");
}

#[test]
fn columns_hold_wide_characters_and_colours() {
    let rows = vec![
        vec![Span::plain("宿"), Span::new("Failed", Paint::Bad), Span::plain("x")],
        vec![Span::plain("long"), Span::new("Ok", Paint::Good)],
    ];
    expect![[r#"
        宿    Failed  x
        long  Ok
    "#]]
    .assert_eq(&to_text(&table(rows.clone()), false));
    expect![[r#"
        宿    ^[31mFailed^[0m  x
        long  ^[32mOk^[0m
    "#]]
    .assert_eq(&to_text(&table(rows), true).replace('\x1b', "^"));
    let short: Vec<String> = (0..6).map(|width| shortened("a宿bc", width)).collect();
    expect!["|…|a…|a…|a宿…|a宿bc"].assert_eq(&short.join("|"));
}

#[test]
fn a_host_is_asked_less_often_while_nothing_happens() {
    let mut pace = Pace::new();
    let news = [true, false, false, false, false, false, false, false, true, false];
    let pauses: Vec<u128> = news.map(|news| pace.next(news, Duration::ZERO).as_millis()).to_vec();
    expect!["[200, 300, 450, 675, 1012, 1518, 2000, 2000, 200, 300]"].assert_eq(&format!("{pauses:?}"));
    assert_eq!(pace.next(true, Duration::from_secs(1)), Duration::from_secs(5), "long histories are asked for rarely");
}

fn check_refused(status: u16, content: &str, expected: &Expect) {
    let answer = HttpResponse { status, headers: Vec::new(), content: content.to_owned() };
    expected.assert_eq(&refused(&answer).into_error().to_string());
}

#[test]
fn refusals_are_told_in_the_hosts_words() {
    check_refused(400, r#""give a date""#, &expect!["give a date"]);
    check_refused(
        400,
        r#"{"Message":"One or more","ExceptionMessage":"several hubs: A, B"}"#,
        &expect!["several hubs: A, B"],
    );
    check_refused(
        400,
        r#"{"Message":"Invalid JSON content","ExceptionMessage":"line 1"}"#,
        &expect!["Invalid JSON content: line 1"],
    );
    check_refused(409, r#"{"error":{"code":"x","message":"too\nbad"}}"#, &expect![[r#"too\nbad"#]]);
    check_refused(
        404,
        "",
        &expect!["the host answered 404 and nothing else: it has no management API of instances there"],
    );
    check_refused(502, "<html>\x1b[2J", &expect![[r#"the host answered 502: <html>\u{1b}[2J"#]]);
    check_refused(500, "", &expect!["the host answered 500: nothing"]);
}
