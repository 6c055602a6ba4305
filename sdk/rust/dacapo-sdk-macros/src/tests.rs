//! What is said about signatures that a trigger's attribute does not accept.

#![expect(clippy::needless_pass_by_value, reason = "an expectation belongs to its check")]

use expect_test::{Expect, expect};
use proc_macro2::TokenStream;
use syn::ItemFn;

use crate::arguments::Arguments;
use crate::expand;

type Expand = fn(&Arguments, ItemFn) -> syn::Result<TokenStream>;

fn check(expand: Expand, function: &str, expected: Expect) {
    let function = syn::parse_str(function).expect("a function");
    let arguments = syn::parse_str("").expect("no arguments");
    expected.assert_eq(&match expand(&arguments, function) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    });
}

#[test]
fn queue_functions() {
    let check = |function, expected| check(expand::queue, function, expected);
    check("fn f() {}", expect!["accepted"]);
    check("fn f(text: &str) -> &str { text }", expect!["accepted"]);
    check("fn f(text: std::string::String, message: &QueueMessage) {}", expect!["accepted"]);
    check("fn f(trips: Vec<Trip>, message: dacapo::QueueMessage) -> Result<u32, Failure> {}", expect!["accepted"]);
    check("async fn f(trip: Trip) {}", expect!["a queue function is a plain function: it may block"]);
    check(
        "fn f(trip: &Trip) {}",
        expect!["the message is decoded for this call and belongs to it: take it by value, or take its text as `&str`"],
    );
    check(
        "fn f(text: &mut str) {}",
        expect!["the message is decoded for this call and belongs to it: take it by value, or take its text as `&str`"],
    );
    check(
        "fn f(message: &mut QueueMessage) {}",
        expect!["the message is decoded for this call and belongs to it: take it by value, or take its text as `&str`"],
    );
    check(
        "fn f(a: Trip, b: Trip) {}",
        expect![
            "the second parameter is what the host knows about the message, a `&QueueMessage`; put several values of a message into a struct"
        ],
    );
    check(
        "fn f(message: QueueMessage, again: &QueueMessage) {}",
        expect!["the `QueueMessage` has the text, too: take it alone, or the message's own type before it"],
    );
    check(
        "fn f(a: A, message: &QueueMessage, c: C) {}",
        expect![
            "a queue function takes its message and, if it wishes, a `&QueueMessage`: put several values of a message into a struct"
        ],
    );
    check("fn f<T>(trip: T) {}", expect!["the host calls one function, not a family: remove the generic parameters"]);
    check("fn f(self, trip: Trip) {}", expect!["the host calls a free function, not a method"]);
}

#[test]
fn timer_functions() {
    let check = |function, expected| check(expand::timer, function, expected);
    check("fn f() -> u32 { 7 }", expect!["accepted"]);
    check("fn f(timer: TimerInfo) {}", expect!["accepted"]);
    check("fn f(timer: &dacapo::TimerInfo) -> Result<(), Failure> {}", expect!["accepted"]);
    check("async fn f() {}", expect!["a timer function is a plain function: it may block"]);
    check("fn f(days: u32) {}", expect!["a timer function takes a `TimerInfo`, or nothing"]);
    check("fn f(timer: TimerInfo, days: u32) {}", expect!["a timer function takes a `TimerInfo`, or nothing"]);
}
