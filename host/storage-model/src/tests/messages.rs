//! Texts of queue messages: which are base64 and which are taken as they are, and how long they may be.

use crate::{MAX_MESSAGE_BYTES, TextEncoding};
use expect_test::{Expect, expect};

fn check(text: &str, expected: &Expect) {
    let line = |encoding: TextEncoding| match encoding.decode(text) {
        Ok(decoded) => format!("{encoding:?}: {}{}\n", decoded.text, if decoded.was_base64 { " (base64)" } else { "" }),
        Err(error) => format!("{encoding:?}: {error}\n"),
    };
    expected.assert_eq(&[TextEncoding::Auto, TextEncoding::Base64, TextEncoding::None].map(line).concat());
}

#[test]
fn texts_are_decoded() {
    check(
        "aGVsbG8=",
        &expect![[r#"
        Auto: hello (base64)
        Base64: hello (base64)
        None: aGVsbG8=
    "#]],
    );
    check(
        "aGVsbG8",
        &expect![[r#"
        Auto: aGVsbG8
        Base64: the message is not base64, which messageEncoding = "base64" asks for; "auto" also takes messages as they are
        None: aGVsbG8
    "#]],
    );
    check(
        "aGVsbG9=",
        &expect![[r#"
        Auto: aGVsbG9=
        Base64: the message is not base64, which messageEncoding = "base64" asks for; "auto" also takes messages as they are
        None: aGVsbG9=
    "#]],
    );
    check(
        "aGVs bG8=",
        &expect![[r#"
        Auto: aGVs bG8=
        Base64: the message is not base64, which messageEncoding = "base64" asks for; "auto" also takes messages as they are
        None: aGVs bG8=
    "#]],
    );
    check(
        "{\"a\":1}",
        &expect![[r#"
        Auto: {"a":1}
        Base64: the message is not base64, which messageEncoding = "base64" asks for; "auto" also takes messages as they are
        None: {"a":1}
    "#]],
    );
    check(
        "test",
        &expect![[r#"
        Auto: test
        Base64: the message is base64 of bytes that are no UTF-8 text; messageEncoding = "none" hands out the base64 itself
        None: test
    "#]],
    );
    check(
        "",
        &expect![[r#"
        Auto: 
        Base64:  (base64)
        None: 
    "#]],
    );
}

#[test]
fn texts_are_encoded_and_bounded() {
    assert_eq!(TextEncoding::Base64.encode("hello").as_deref(), Ok("aGVsbG8="));
    assert_eq!(TextEncoding::Auto.encode("hello").as_deref(), Ok("hello"));
    let most_in_base64 = MAX_MESSAGE_BYTES / 4 * 3;
    assert!(TextEncoding::Base64.encode(&"x".repeat(most_in_base64)).is_ok());
    let error = TextEncoding::Base64.encode(&"x".repeat(most_in_base64 + 1)).unwrap_err();
    expect!["the message takes 65540 bytes as it is written into the queue; at most 65536 are allowed"]
        .assert_eq(&error.to_string());
    assert!(TextEncoding::None.encode(&"x".repeat(MAX_MESSAGE_BYTES)).is_ok());
    assert!(TextEncoding::None.encode(&"x".repeat(MAX_MESSAGE_BYTES + 1)).is_err());
}
