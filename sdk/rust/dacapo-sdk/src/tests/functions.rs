//! What the attribute macros make of functions, used in every form that they accept.

use expect_test::{Expect, expect};
use serde::{Deserialize, Serialize};

use crate::functions::{Kind, describe, invoke_activity};
use crate::testing::Scripted;
use crate::{Activity, ActivityContext, Context, Failure, Orchestrator, Request};

#[derive(Serialize, Deserialize)]
struct Trip {
    conference: String,
}

/// The documentation goes to the handle.
#[crate::activity]
fn macro_book_flight(Trip { conference }: Trip) -> String {
    format!("flight to {conference}")
}

#[crate::activity(name = "Macro-Hotel")]
fn macro_book_hotel(ctx: &ActivityContext, mut trip: Trip) -> Result<String, Failure> {
    trip.conference.push('!');
    match ctx.attempt {
        1 => Err(Failure::new("Busy", "call again")),
        attempt => Ok(format!("{} at attempt {attempt}", trip.conference)),
    }
}

#[crate::activity]
fn macro_nothing() {}

#[crate::activity]
fn macro_only_context(ctx: &ActivityContext) -> Result<u32, std::fmt::Error> {
    Ok(ctx.task_id)
}

#[crate::activity]
fn macro_aliased(text: String) -> aliases::Result<i32> {
    text.parse()
}

mod aliases {
    /// One argument, another error: what counts is the name.
    pub(super) type Result<T> = std::result::Result<T, std::num::ParseIntError>;
}

#[crate::orchestrator]
async fn macro_travel(ctx: Context, trip: Trip) -> Result<String, Failure> {
    ctx.call(macro_nothing, &()).await?;
    ctx.call(macro_book_flight, &trip).await
}

#[crate::orchestrator]
async fn macro_infallible(_ctx: Context) -> u32 {
    7
}

#[crate::http]
fn macro_hello(request: Request) -> String {
    format!("Hello, {}", request.path())
}

#[crate::http(name = "MacroPing")]
fn ping() -> &'static str {
    "pong"
}

fn check(function: &str, input: &str, expected: Expect) {
    let context = ActivityContext { attempt: 2, task_id: 5, ..ActivityContext::default() };
    expected.assert_eq(&match invoke_activity(function, &context, input) {
        Ok(output) => output,
        Err(failure) => format!("{failure:?}"),
    });
}

#[test]
fn activities_are_found_by_name() {
    check("MacroBookFlight", r#"{"conference":"RustConf"}"#, expect![[r#""flight to RustConf""#]]);
    check("Macro-Hotel", r#"{"conference":"RustConf"}"#, expect![[r#""RustConf! at attempt 2""#]]);
    check("MacroNothing", r#"{"not":"looked at"}"#, expect!["null"]);
    check("MacroOnlyContext", "null", expect!["5"]);
    check("MacroAliased", "\"x\"", expect!["ParseIntError: invalid digit found in string"]);
    check(
        "MacroAliased",
        "[1]",
        expect![
            "InvalidPayload: the input of MacroAliased is not a String: invalid type: sequence, expected a string at line 1 column 0 (non-retriable)"
        ],
    );
    check(
        "macrobookflight",
        "null",
        expect![
            "ActivityTaskNotFound: this component has no activity 'macrobookflight'; it has: Beating, Macro-Hotel, MacroAliased, MacroBookFlight, MacroNothing, MacroOnlyContext (non-retriable)"
        ],
    );
}

#[test]
fn a_handle_is_still_the_function() {
    let trip = || Trip { conference: "RustConf".into() };
    assert_eq!(macro_book_flight(trip()), "flight to RustConf");
    assert!(macro_book_hotel(&ActivityContext::default(), trip()).unwrap_err().is("Busy"));
    macro_nothing();
    assert_eq!(ping(), "pong");
    assert_eq!(macro_hello(Request::get("http://localhost/x")), "Hello, /x");
    assert_eq!((macro_book_flight::NAME, macro_book_hotel::NAME), ("MacroBookFlight", "Macro-Hotel"));
    assert_eq!((macro_travel::NAME, macro_infallible::NAME), ("MacroTravel", "MacroInfallible"));
}

#[test]
fn an_orchestrator_can_be_awaited_like_a_function() {
    #[crate::orchestrator]
    async fn macro_around(ctx: Context) -> Result<String, Failure> {
        let trip = Trip { conference: "EuroRust".into() };
        Ok(format!("{} and {}", macro_travel(ctx.clone(), trip).await?, macro_infallible(ctx).await))
    }
    let outcome = Scripted::new().real_activities().run(macro_around, &());
    assert_eq!(outcome.result.unwrap(), "flight to EuroRust and 7");
}

#[test]
fn describe_lists_every_kind() {
    let functions = describe();
    for expected in [
        ("MacroBookFlight", Kind::Activity),
        ("Macro-Hotel", Kind::Activity),
        ("MacroTravel", Kind::Orchestrator),
        ("MacroHello", Kind::Http),
        ("MacroPing", Kind::Http),
    ] {
        assert!(functions.contains(&expected), "{expected:?} is not in {functions:?}");
    }
}
