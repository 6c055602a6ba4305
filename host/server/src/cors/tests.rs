//! Preflights and marks, as a browser would see them.

use super::Cors;
use crate::management::reply;
use expect_test::{Expect, expect};
use http::{Request, StatusCode};
use std::fmt::Write;

fn check_rules(origins: &str, credentials: bool, expected: &Expect) {
    let text = match Cors::new(origins.split(','), credentials) {
        Ok(cors) => format!("{cors:?}"),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&text);
}

#[test]
fn origins_are_normal_or_refused() {
    check_rules("", false, &expect!["None"]);
    check_rules("*", false, &expect!["Some(Cors { origins: Any, credentials: false })"]);
    check_rules(
        " HTTP://App.Example:80/ ,https://a:8443,http://[::1]:3000,tauri://localhost",
        true,
        &expect![[
            r#"Some(Cors { origins: Listed({"http://[::1]:3000", "http://app.example", "https://a:8443", "tauri://localhost"}), credentials: true })"#
        ]],
    );
    check_rules(
        "*",
        true,
        &expect!["all origins ('*') cannot be allowed together with credentials; list the origins that may send them"],
    );
    check_rules("", true, &expect!["credentials are allowed, but no origin is; name the origins that may send them"]);
    let wrong =
        ["app.example", "http://a/b", "http://a?b", "http://u@a", "http://*.a", "null", "http://a:", "http://a:x"];
    for origin in wrong {
        assert_eq!(Cors::new([origin], false), Err(super::BadCors::NoOrigin(origin.to_owned())));
    }
    check_rules(
        "http://a/b",
        false,
        &expect![
            "'http://a/b' is no origin; an origin is a scheme, a host and, if need be, a port, such as https://app.example:8080"
        ],
    );
}

/// The answer's headers for a request with these; `answered` stands for a function that has set one itself.
fn check(cors: (&str, bool), method: &str, headers: &[(&str, &str)], expected: &Expect) {
    let cors = Cors::new(cors.0.split(','), cors.1).expect("good rules").expect("some rules");
    let request =
        headers.iter().fold(Request::builder().method(method), |request, (name, value)| request.header(*name, *value));
    let (head, ()) = request.body(()).expect("a request").into_parts();
    let answer = cors.preflight(&head).unwrap_or_else(|| {
        let mut answer = reply::empty(StatusCode::OK);
        answer.headers_mut().insert("access-control-allow-origin", "https://the.function".parse().expect("a value"));
        answer.headers_mut().insert("vary", "accept".parse().expect("a value"));
        cors.mark(cors.crossing(&head), answer.headers_mut());
        answer
    });
    let mut text = answer.status().as_str().to_owned();
    for (name, value) in answer.headers() {
        write!(text, "\n{name}: {}", value.to_str().expect("visible")).expect("a string takes all");
    }
    expected.assert_eq(&text);
}

#[test]
fn a_preflight_is_answered_for_the_function() {
    let asks = [
        ("origin", "https://a"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "x-functions-key,content-type"),
    ];
    check(
        ("https://a,https://b", true),
        "OPTIONS",
        &asks,
        &expect![[r#"
        204
        access-control-allow-methods: PUT
        access-control-allow-headers: x-functions-key,content-type
        vary: Origin
        access-control-allow-origin: https://a
        access-control-allow-credentials: true"#]],
    );
    check(
        ("*", false),
        "OPTIONS",
        &asks[..2],
        &expect![[r#"
        204
        access-control-allow-methods: PUT
        access-control-allow-origin: *"#]],
    );
    check(
        ("https://b", true),
        "OPTIONS",
        &asks,
        &expect![[r#"
        204
        vary: Origin"#]],
    );
}

#[test]
fn what_is_no_preflight_reaches_the_function() {
    check(
        ("https://a", false),
        "OPTIONS",
        &[("origin", "https://a")],
        &expect![[r#"
        200
        access-control-allow-origin: https://a
        vary: accept
        vary: Origin"#]],
    );
    check(
        ("https://a", false),
        "OPTIONS",
        &[("access-control-request-method", "PUT")],
        &expect![[r#"
        200
        access-control-allow-origin: https://the.function
        vary: accept
        vary: Origin"#]],
    );
    check(
        ("https://a", false),
        "GET",
        &[("origin", "https://a"), ("access-control-request-method", "PUT")],
        &expect![[r#"
            200
            access-control-allow-origin: https://a
            vary: accept
            vary: Origin"#]],
    );
}

#[test]
fn answers_say_who_may_read_them() {
    check(
        ("https://a", true),
        "GET",
        &[("origin", "HTTPS://A")],
        &expect![[r#"
        200
        access-control-allow-origin: HTTPS://A
        vary: accept
        vary: Origin
        access-control-allow-credentials: true"#]],
    );
    check(
        ("https://a", true),
        "GET",
        &[("origin", "https://evil")],
        &expect![[r#"
        200
        access-control-allow-origin: https://the.function
        vary: accept
        vary: Origin"#]],
    );
    check(
        ("https://a", true),
        "GET",
        &[("origin", "null")],
        &expect![[r#"
        200
        access-control-allow-origin: https://the.function
        vary: accept
        vary: Origin"#]],
    );
    check(
        ("https://a", true),
        "GET",
        &[],
        &expect![[r#"
        200
        access-control-allow-origin: https://the.function
        vary: accept
        vary: Origin"#]],
    );
    check(
        ("*", false),
        "GET",
        &[("origin", "null")],
        &expect![[r#"
        200
        access-control-allow-origin: *
        vary: accept"#]],
    );
}
