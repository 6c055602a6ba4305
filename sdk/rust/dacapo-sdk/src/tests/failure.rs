//! What becomes of Rust's errors.

use std::error::Error;
use std::fmt;

use expect_test::{Expect, expect};

use crate::{ClientError, Failure};

#[derive(Debug)]
struct BookingError {
    source: std::num::ParseIntError,
}

impl fmt::Display for BookingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of seats is not a number")
    }
}

impl Error for BookingError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

fn booking_error() -> BookingError {
    BookingError { source: "x".parse::<i32>().unwrap_err() }
}

fn check(failure: impl Into<Failure>, expected: Expect) {
    expected.assert_eq(&format!("{:?}", failure.into()));
}

#[test]
fn errors_keep_their_type_message_and_causes() {
    check(
        booking_error(),
        expect![[r#"
            BookingError: the number of seats is not a number
              caused by ParseIntError: invalid digit found in string"#]],
    );
    check(
        std::io::Error::other(booking_error()),
        expect![[r#"
        Error: the number of seats is not a number
          caused by ParseIntError: invalid digit found in string"#]],
    );
    check(
        Failure::from_error(&booking_error()),
        expect![[r#"
        BookingError: the number of seats is not a number
          caused by ParseIntError: invalid digit found in string"#]],
    );
}

#[test]
fn a_failure_is_built_up() {
    let failure = Failure::new("OutOfStock", "the last seat is gone")
        .non_retriable()
        .with_property("flight", "DL 42")
        .with_details("at gate 7")
        .with_cause(booking_error());
    assert_eq!(failure.property("flight"), Some("DL 42"));
    check(
        failure,
        expect![[r#"
        OutOfStock: the last seat is gone (non-retriable)
          flight = DL 42
          caused by BookingError: the number of seats is not a number
          caused by ParseIntError: invalid digit found in string
        at gate 7"#]],
    );
}

#[test]
fn a_refused_client_call_says_what_to_answer() {
    let failure = Failure::from(ClientError::NotFound("there is no instance 'x'".into()));
    assert_eq!((failure.error_type(), failure.http_status()), ("NotFound", Some(404)));
}

/// An error that is its own source must not hang us.
#[test]
fn an_endless_chain_is_cut() {
    #[derive(Debug)]
    struct Ouroboros;
    impl fmt::Display for Ouroboros {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("tail")
        }
    }
    impl Error for Ouroboros {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&Ouroboros)
        }
    }
    assert_eq!(Failure::from(Ouroboros).causes().len(), 64);
}
