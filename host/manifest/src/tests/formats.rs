//! The small formats inside a manifest: lengths of time, outbound hosts, suggestions.

use expect_test::{Expect, expect};

use crate::{OutboundHost, duration, suggestion};

#[test]
fn lengths_of_time() {
    let shown: Vec<String> = [
        "30s",
        "5m",
        "1h30m",
        "500ms",
        "1d",
        "30d",
        "2d12h",
        "30.00:00:00",
        "0s",
        "00:00:30",
        "1.02:03:04.5",
        "00:00:00.0009999",
        "23:59:59",
        "",
        "5",
        "m",
        "5 m",
        "-5s",
        "+5s",
        "24:00:00",
        "00:00",
        "1:2:3:4",
        "1.5s",
        "::",
        "00:00:00.12345678",
        "18446744073709551615d",
    ]
    .iter()
    .map(|text| format!("{text:?} {}", duration::parse(text).map_or("-".to_owned(), duration::print)))
    .collect();
    expect![[r#"
        "30s" 30s
        "5m" 5m
        "1h30m" 90m
        "500ms" 500ms
        "1d" 1d
        "30d" 30d
        "2d12h" 60h
        "30.00:00:00" 30d
        "0s" 0ms
        "00:00:30" 30s
        "1.02:03:04.5" 93784500ms
        "00:00:00.0009999" 0ms
        "23:59:59" 86399s
        "" -
        "5" -
        "m" -
        "5 m" -
        "-5s" -
        "+5s" -
        "24:00:00" -
        "00:00" -
        "1:2:3:4" -
        "1.5s" -
        "::" -
        "00:00:00.12345678" -
        "18446744073709551615d" -"#]]
    .assert_eq(&shown.join("\n"));
}

fn check_outbound(entry: &str, expected: &Expect) {
    let entry: OutboundHost = entry.parse().unwrap();
    let requests = [
        (true, "example.com", 443),
        (false, "Example.com", 80),
        (false, "example.com", 8080),
        (true, "api.EXAMPLE.com", 443),
        (true, "badexample.com", 443),
        (true, "[::1]", 443),
    ];
    let allowed: Vec<String> = requests
        .into_iter()
        .filter(|(https, host, port)| entry.allows(*https, host, *port))
        .map(|(https, host, port)| format!("{}://{host}:{port}", if https { "https" } else { "http" }))
        .collect();
    expected.assert_eq(&allowed.join(" "));
}

#[test]
fn outbound_hosts() {
    check_outbound("example.com", &expect!["https://example.com:443 http://Example.com:80 http://example.com:8080"]);
    check_outbound("EXAMPLE.com:8080", &expect!["http://example.com:8080"]);
    check_outbound("https://example.com", &expect!["https://example.com:443"]);
    check_outbound("http://example.com:443", &expect![""]);
    check_outbound("*.example.com", &expect!["https://api.EXAMPLE.com:443"]);
    check_outbound("[::1]", &expect!["https://[::1]:443"]);
    check_outbound(
        "https://*:443",
        &expect!["https://example.com:443 https://api.EXAMPLE.com:443 https://badexample.com:443 https://[::1]:443"],
    );
}

#[test]
fn suggestions() {
    let known = ["route", "methods", "authLevel"];
    let nearest: Vec<_> = ["rout", "ruote", "Methods", "method", "authlvl", "type", ""]
        .into_iter()
        .map(|word| (word, suggestion::nearest(word, known)))
        .collect();
    expect![[r#"[("rout", Some("route")), ("ruote", Some("route")), ("Methods", Some("methods")), ("method", Some("methods")), ("authlvl", Some("authLevel")), ("type", None), ("", None)]"#]]
        .assert_eq(&format!("{nearest:?}"));
}
